/// A table of comma-separated values whose first line names the columns. Each row is one line.
struct CSVTable: Sendable {
  private var columns: [String: Int] = [:]
  private let count: Int

  /// Takes a line as the head of a table; `nil` if it does not name all of `required`.
  init?(head line: UnsafeRawBufferPointer, naming required: [String]) {
    // Spreadsheet programs put a mark of the encoding first.
    let mark = line.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    guard let names = Self.fields(of: UnsafeRawBufferPointer(rebasing: line.dropFirst(mark))) else {
      return nil
    }
    for (index, name) in names.enumerated() where columns[name] == nil { columns[name] = index }
    count = names.count
    guard required.allSatisfy({ columns[$0] != nil }) else { return nil }
  }

  /// The row in a line; `nil` if it has not one field for each column.
  func row(_ line: UnsafeRawBufferPointer) -> CSVRow? {
    guard let fields = Self.fields(of: line), fields.count == count else { return nil }
    return CSVRow(columns: columns, fields: fields)
  }

  /// The fields of a line; `nil` if a quote is not closed.
  private static func fields(of line: UnsafeRawBufferPointer) -> [String]? {
    var fields: [String] = []
    var field: [UInt8] = []
    var isQuoted = false
    var index = 0
    let end = line.last == UInt8(ascii: "\r") ? line.count - 1 : line.count
    while index < end {
      let byte = line[index]
      index += 1
      if byte == UInt8(ascii: "\"") {
        // Two quotes inside quotes stand for one.
        if isQuoted, index < end, line[index] == byte {
          field.append(byte)
          index += 1
        } else {
          isQuoted.toggle()
        }
      } else if byte == UInt8(ascii: ","), !isQuoted {
        fields.append(String(decoding: field, as: UTF8.self))
        field.removeAll(keepingCapacity: true)
      } else {
        field.append(byte)
      }
    }
    fields.append(String(decoding: field, as: UTF8.self))
    return isQuoted ? nil : fields
  }
}

/// A row of a table.
struct CSVRow {
  let columns: [String: Int]
  let fields: [String]

  /// The text of a column; `nil` if there is no such column or nothing in it.
  subscript(column: String) -> String? {
    guard let index = columns[column], !fields[index].isEmpty else { return nil }
    return fields[index]
  }

  /// The counter in a column; 0 if there is none.
  ///
  /// - Throws: `DecodeError` if it is no plausible whole number.
  func count(_ column: String) throws(DecodeError) -> Int64 {
    guard var text = self[column] else { return 0 }
    let result = text.withUTF8 { text -> Result<Int64, DecodeError> in
      Result { () throws(DecodeError) in try JSONCursor.count(of: UnsafeRawBufferPointer(text)) }
    }
    return try result.get()
  }
}
