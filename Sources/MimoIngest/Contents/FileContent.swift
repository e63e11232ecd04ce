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
  /// What the reader of another process knew, until there is one here: the name of its format, and its state.
  private var storedDatabase: (format: String, state: [UInt8])?
  private var calls = DocumentCalls()
  /// Of a compressed log: its lines, and where the first begins that was not accounted for.
  private var lines: LineReading
  private var offset: Int64?
  /// How the file began.
  private var head = PrefixFingerprint()

  /// A file that was not read yet.
  init(_ formats: LogFormats) {
    known = formats
    lines = LineReading(formats.lines)
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
    calls.keepNews(in: &output, of: path)
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

  // MARK: - Compressed logs

  private mutating func readLines(
    of log: CompressedLog, beside logs: [Bookmark], into output: inout DecodedLines,
    _ flush: (inout DecodedLines) -> Void
  ) throws(LogError) {
    try forgetUnlessSame(log)
    let start: Int64
    if let offset {
      start = offset
    } else {
      start = try log.alreadyRead(logs)
      lines.goOn(at: start)
    }
    let result = try log.read(from: start) { run, place in
      if lines.missing != nil {
        // It could be read a moment ago; if it no longer can, what comes next is not read either.
        lines.rebuild(into: &output) { range, deliver in try? log.reread(range, deliver) }
      }
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

  /// Begins anew if the file is another one: its number may have been given away while nobody looked.
  private mutating func forgetUnlessSame(_ log: CompressedLog) throws(LogError) {
    let bytes = try log.head()
    let known = bytes.prefix(head.length).withUnsafeBytes { PrefixFingerprint(of: $0) }
    if known != head {
      lines.restart()
      offset = nil
    }
    head = bytes.withUnsafeBytes { PrefixFingerprint(of: $0) }
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
        restoreReader(&state.0, &output.names)
      }
      try state.0?.read(connection, into: &output, &state.1, flush: flush)
    }
    if let database = state.0 { formats = [type(of: database).name] }
  }
  private mutating func restoreReader(
    _ reader: inout (any DatabaseReader)?, _ names: inout NameTable
  ) {
    guard let stored = storedDatabase, var restored = reader,
      type(of: restored).name == stored.format
    else { return }
    storedDatabase = nil
    var state = StateReader(stored.state)
    if (try? restored.restore(from: &state, names: &names)) != nil { reader = restored }
  }

  // MARK: - Going on in another process

  /// All that is known of the file.
  ///
  /// - Parameter names: those of the output.
  func encoded(names: NameTable) -> [UInt8] {
    var state = StateWriter()
    state.add(tally)
    state.add(each: formats) { $0.add($1) }
    state.add(unfinished) { state, rest in
      state.add(rest.offset)
      state.add(rest.length)
    }
    calls.write(to: &state)
    state.add(lines.tally)
    state.add(lines.anchor.offset)
    state.add(lines.anchor.format)
    state.add(offset) { $0.add($1) }
    state.add(head)
    var stored = storedDatabase
    if let database {
      var content = StateWriter()
      database.write(to: &content, names: names)
      stored = (type(of: database).name, content.bytes)
    }
    state.add(stored) { state, stored in
      state.add(stored.format)
      state.add(stored.state)
    }
    return state.bytes
  }

  /// A file of which another process knew so much; one that was not read yet if the state is damaged.
  init(_ formats: LogFormats, restoring bytes: [UInt8]) {
    self.init(formats)
    do throws(StateDamage) {
      var state = StateReader(bytes)
      try restore(from: &state)
    } catch {
      self.init(formats)
    }
  }

  private mutating func restore(from state: inout StateReader) throws(StateDamage) {
    tally = try state.tally()
    formats = try state.array { state throws(StateDamage) in try state.text() }
    unfinished = try state.optional { state throws(StateDamage) in
      (offset: try state.size(), length: try state.counter())
    }
    calls = try DocumentCalls(from: &state)
    let tally = try state.tally()
    let anchor = LineReading.Anchor(offset: try state.size(), format: try state.text())
    offset = try state.optional { state throws(StateDamage) in try state.size() }
    lines = LineReading(known.lines, tally: tally, anchor: anchor, end: offset ?? 0)
    head = try state.prefixFingerprint(atMost: Bookmark.headLimit)
    storedDatabase = try state.optional { state throws(StateDamage) in
      (format: try state.text(), state: try state.content())
    }
  }
}
