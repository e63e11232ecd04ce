import MimoEngine
import MimoSQLite

/// Reads a file that is not made of lines, again each time it changed.
///
/// A value with what is known of the file from earlier readings.
struct FileContent: Sendable {
  /// What its entries or rows turned out to be.
  private(set) var tally = LineTally()
  /// The formats recognised in it.
  private(set) var formats: [String] = []
  /// Where a last line begins that was never finished, and its length.
  private(set) var unfinished: (offset: Int64, length: Int)?

  private let known: LogFormats
  private var database: (any DatabaseReader)?
  /// The calls of the document at its last reading, by identity.
  private var calls: [CallIdentity: Int] = [:]
  /// Of a compressed log: its lines, and where the first begins that was not accounted for.
  private var lines: FileDecoder
  private var offset: Int64?

  /// A file that was not read yet.
  init(_ formats: LogFormats) {
    known = formats
    lines = FileDecoder(formats.lines)
  }

  /// Why a file could not be read.
  struct Failure: Error {
    var error: LogError
    /// Whether it may be read in a moment.
    var isPassing: Bool
  }

  /// Reads the file at `path`.
  ///
  /// - Parameter logs: where logs of lines were read to: a compressed one may be one of them.
  /// - Parameter flush: is called with the calls that are new or changed since the last reading, in
  ///   one or more parts, and removes them.
  mutating func read(
    _ path: String, as kind: FileKind, beside logs: [Bookmark], into output: inout DecodedLines,
    flush: (inout DecodedLines) -> Void
  ) throws(Failure) {
    switch kind {
    case .lines: preconditionFailure("lines are read in order, not at once")
    case .document:
      do throws(LogError) {
        try readDocument(path, into: &output)
      } catch {
        throw Failure(error: error, isPassing: false)
      }
    case .compressed(let compression):
      let log = CompressedLog(path: path, compression: compression)
      do throws(LogError) {
        try readLines(of: log, beside: logs, into: &output, flush)
      } catch {
        flush(&output)
        throw Failure(error: error, isPassing: false)
      }
    case .database:
      do throws(ForeignDatabase.Failure) {
        try readDatabase(path, into: &output, flush)
      } catch {
        flush(&output)
        throw Failure(error: error.error, isPassing: error.isPassing)
      }
    }
    flush(&output)
  }

  // MARK: - Documents

  private mutating func readDocument(
    _ path: String, into output: inout DecodedLines
  ) throws(LogError) {
    let bytes = try WholeFile.read(path, atMost: Document.maximumBytes)
    tally = bytes.withUnsafeBytes { bytes in
      let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
      let text = UnsafeRawBufferPointer(rebasing: bytes[(hasMark ? 3 : 0)...])
      return decode(Document(bytes: text, path: path), into: &output)
    }
    markRevisions(in: &output, path)
  }

  private mutating func decode(
    _ document: Document, into output: inout DecodedLines
  ) -> LineTally {
    if UTF16.marks(document.bytes) {
      var tally = LineTally()
      tally.lines = 1
      tally.noteBadLine(at: 0, UTF16.error)
      return tally
    }
    for format in known.documents {
      do throws(DecodeError) {
        if let tally = try format.decode(document, into: &output) {
          formats = [format.name]
          return tally
        }
      } catch {
        // It is being written, or damaged. The calls of its last reading stay.
        output.removeAll()
        var tally = LineTally()
        tally.lines = 1
        tally.noteBadLine(at: 0, error)
        return tally
      }
    }
    return decodeValues(of: document.bytes, into: &output)
  }

  /// Offers the values of the document, and the elements of its arrays, to the formats of lines: answers
  /// that were printed over many lines, or exported as one array.
  private mutating func decodeValues(
    of text: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) -> LineTally {
    var decoder = FileDecoder(known.lines)
    var cursor = JSONCursor(text)
    var broken = LineTally()
    do throws(DecodeError) {
      while cursor.hasMore {
        if cursor.next == .array {
          try cursor.beginArray()
          while try cursor.nextElement() {
            let offset = Int64(cursor.offset)
            decoder.decodeLine(try cursor.rawValue(), at: offset, into: &output)
          }
        } else {
          let offset = Int64(cursor.offset)
          decoder.decodeLine(try cursor.rawValue(), at: offset, into: &output)
        }
      }
    } catch {
      broken.lines = 1
      broken.noteBadLine(at: Int64(cursor.offset), error)
    }
    formats = decoder.formats
    broken += decoder.tally
    return broken
  }

  /// Leaves in `output` what is new or changed since the last reading, and marks the changed.
  private mutating func markRevisions(in output: inout DecodedLines, _ path: String) {
    var present: [CallIdentity: Int] = [:]
    let place = Fingerprint(of: path)
    var keys: [CallIdentity] = []
    for index in output.records.indices {
      let content = output.records[index].hashValue
      if output.records[index].identity == nil {
        // Without an id the content stands for it; equal entries are told apart by their order.
        var identity = CallIdentity(
          message: place.combined(with: UInt64(bitPattern: Int64(content))))
        while present[identity] != nil { identity.message = identity.message.combined(with: 1) }
        output.records[index].identity = identity
      }
      var key = output.records[index].identity!
      key.alias = nil
      keys.append(key)
      // Entries of one call change together.
      present[key] = (present[key] ?? 0) &* 31 &+ content
    }
    var seen: Set<CallIdentity> = []
    var kept: [UsageRecord] = []
    for (var record, key) in zip(output.records, keys) where calls[key] != present[key] {
      record.isRevision = calls[key] != nil && seen.insert(key).inserted
      kept.append(record)
    }
    output.records = kept
    calls.merge(present) { $1 }
  }

  // MARK: - Compressed logs

  private mutating func readLines(
    of log: CompressedLog, beside logs: [Bookmark], into output: inout DecodedLines,
    _ flush: (inout DecodedLines) -> Void
  ) throws(LogError) {
    let start: Int64
    if let offset { start = offset } else { start = try log.alreadyRead(logs) }
    let result = try log.read(from: start) { run, place in
      lines.decode(run, at: place, into: &output)
      flush(&output)
    }
    // A part of a longer log is compared with it again when it grows.
    offset = start == .max ? nil : max(start, result.offset)
    tally = lines.tally
    formats = lines.formats
    unfinished = result.unfinished > 0 ? (result.offset, result.unfinished) : nil
    if let error = result.error { throw error }
  }

  // MARK: - Databases

  private mutating func readDatabase(
    _ path: String, into output: inout DecodedLines, _ flush: (inout DecodedLines) -> Void
  ) throws(ForeignDatabase.Failure) {
    var state = (database, tally)
    defer { (database, tally) = state }
    try ForeignDatabase(path: path).read { connection throws(SQLiteError) in
      if state.0 == nil {
        let tables = try DatabaseTables(of: connection)
        for format in known.databases where state.0 == nil {
          state.0 = format.init(tables, path: path)
        }
      }
      try state.0?.read(connection, into: &output, &state.1, flush: flush)
    }
    if let database = state.0 { formats = [type(of: database).name] }
  }
}
