import MimoEngine

/// Reads files of one log format that are rewritten in place, each whole at every reading.
///
/// Laws: the records depend on the document and the files beside it alone; each entry's record has an
/// identity that stays the same when the entry is rewritten, as far as the format gives one.
///
/// An entry that changed replaces what was counted of it. One that vanished stays counted: the tools
/// delete entries when the user goes back to an earlier state, but what they cost is spent.
protocol DocumentDecoder: Sendable {
  /// As in `RecordDecoder`.
  static var name: String { get }
  /// As in `RecordDecoder`.
  static var title: String { get }

  /// Adds the calls of `document` to `output`.
  ///
  /// - Returns: what its entries turned out to be, or `nil` (and nothing added) if it is not of this format.
  /// - Throws: `DecodeError` if the document is not JSON: it may be in the middle of being written.
  static func decode(_ document: Document, into output: inout DecodedLines) throws(DecodeError)
    -> LineTally?
}

/// A document as it is at the moment, and where it lies.
struct Document {
  /// The text, without a byte-order mark. Valid as long as the call it was passed to.
  let bytes: UnsafeRawBufferPointer
  /// The path, as the user wrote it.
  let path: String

  /// Larger documents and neighbours are not read.
  static let maximumBytes = 512 << 20

  /// The name of the file.
  var name: String { split(path).name }
  /// The name of the file without `suffix`, or `nil` if it does not end so.
  func name(without suffix: String) -> String? {
    name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : nil
  }
  /// The name of the folder it lies in; empty if its path does not tell.
  var folderName: String {
    let folder = split(path).folder
    return folder == "." ? "" : split(folder).name
  }

  /// The content of a file in the same folder; `nil` if there is none that can be read.
  func neighbour(_ name: String) -> [UInt8]? {
    try? WholeFile.read(join(split(path).folder, name), atMost: Self.maximumBytes)
  }

  /// The first character that is not white space.
  var opening: UInt8 { bytes.first { $0 > 32 } ?? 0 }

  /// Calls `body` with each element of an array, and notes what it says, or throws, of it.
  ///
  /// - Parameter cursor: before the array; behind it afterwards.
  static func forEachElement(
    _ cursor: inout JSONCursor, _ tally: inout LineTally,
    _ body: (inout JSONCursor) throws(DecodeError) -> LineKind
  ) throws(DecodeError) {
    try cursor.beginArray()
    while try cursor.nextElement() {
      let offset = cursor.offset
      let text = try cursor.rawValue()
      tally.lines += 1
      do throws(DecodeError) {
        var element = JSONCursor(text)
        switch text.first == UInt8(ascii: "{") ? try body(&element) : .foreign {
        case .usage: tally.usageLines += 1
        case .notUsage: tally.notUsage += 1
        case .foreign:
          tally.notUsage += 1
          tally.foreign += 1
        }
      } catch {
        tally.noteBadLine(at: Int64(offset), error)
      }
    }
  }
}
