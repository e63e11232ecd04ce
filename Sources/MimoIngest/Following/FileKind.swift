#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a file has to be read; told by its first bytes, never by its format.
public enum FileKind: Hashable, Sendable {
  /// Lines that are appended, each read once.
  case lines
  /// JSON values that are not one a line. Such a file is rewritten in place and read wholly each time.
  case document
  /// An SQLite database. Its news may stand in the `-wal` file beside it.
  case database
  /// Lines that were compressed.
  case compressed(Compression)

  /// The kind of an open file, or `nil` as long as it is empty.
  ///
  /// A file is a document if its name ends in `.json` and its first line is no JSON object, or there
  /// is no second one. What is named otherwise is lines: nobody rewrites a `.jsonl`.
  static func of(_ descriptor: Int32, named path: String) throws(SystemError) -> FileKind? {
    let first = try head(descriptor, 16, at: 0)
    if first.isEmpty { return nil }
    if first.starts(with: databaseMagic) { return .database }
    if let compression = Compression(magic: first) { return .compressed(compression) }
    guard path.hasSuffix(".json") else { return .lines }
    return try hasJSONLines(descriptor) ? .lines : .document
  }

  /// How every SQLite 3 file begins. Source: SQLite's file format document, section 1.2.
  private static let databaseMagic = Array("SQLite format 3\0".utf8)

  /// Whether the first line is a whole object and another line follows.
  private static func hasJSONLines(_ descriptor: Int32) throws(SystemError) -> Bool {
    var shape = JSONShape()
    var offset: Int64 = 0
    var isPastFirstLine = false
    while true {
      let window = try head(descriptor, 64 << 10, at: offset)
      if window.isEmpty { return false }
      var rest = window[...]
      if offset == 0, rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
      if offset == 0 { rest = rest.drop { $0 <= 32 } }
      if !isPastFirstLine {
        let line = rest.prefix { $0 != 10 }
        line.withUnsafeBytes { shape.feed($0) }
        rest = rest.dropFirst(line.count)
        isPastFirstLine = !rest.isEmpty
        if isPastFirstLine && !shape.isComplete { return false }
      }
      if rest.contains(where: { $0 > 32 }) { return true }
      offset += Int64(window.count)
    }
  }

  /// The bytes at an offset, as many as there are up to `count`.
  static func head(
    _ descriptor: Int32, _ count: Int, at offset: Int64
  ) throws(SystemError) -> [UInt8] {
    var failure: SystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
      do throws(SystemError) {
        done = try readFully(descriptor, buffer.baseAddress!, count, at: offset)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }
}

/// The database that a file beside it belongs to: its write-ahead log or journal.
func databasePath(ofCompanion path: String) -> String? {
  for suffix in ["-wal", "-journal"] where path.hasSuffix(suffix) {
    return String(path.dropLast(suffix.count))
  }
  return nil
}
