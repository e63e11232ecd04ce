import MimoEngine

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What the lines of one file turned out to be.
public struct LineTally: Sendable, Equatable {
  /// A line that could not be read.
  public struct BadLine: Sendable, Equatable {
    /// Bytes of the file before the line; of a database the number of the row.
    public var offset: Int64
    /// Whether it is a row of a database.
    public var isRow = false
    /// Why, in one sentence without text from the line.
    public var reason: String

    /// Where it stands, in words: `byte 120` or `row 7`.
    public var place: String { "\(isRow ? "row" : "byte") \(offset)" }
  }

  /// How many bad lines are kept with their place; all are counted.
  public static let keptBadLines = 20

  /// All lines, empty ones included.
  public var lines = 0
  /// Lines that report usage or a failed call.
  public var usageLines = 0
  /// Lines of a known format without usage, and lines of no known format.
  public var notUsage = 0
  /// Of these, the lines of no known format.
  public var foreign = 0
  /// Of the lines of no known format, those that look like a JSON object.
  public var foreignObjects = 0
  /// Of these, the lines with nothing but white space.
  public var blank = 0
  /// Of these, copies of calls that count in the logs of another tool: imported sessions.
  public var imported = 0
  /// Lines that could not be read.
  public var malformed = 0
  /// The first of them.
  public var badLines: [BadLine] = []

  /// Creates an empty tally.
  public init() {}

  mutating func noteBadLine(at offset: Int64, isRow: Bool = false, _ error: DecodeError) {
    malformed += 1
    if badLines.count < Self.keptBadLines {
      badLines.append(BadLine(offset: offset, isRow: isRow, reason: error.description))
    }
  }

  /// Adds the counts of another tally.
  public static func += (a: inout LineTally, b: LineTally) {
    a.lines += b.lines
    a.usageLines += b.usageLines
    a.notUsage += b.notUsage
    a.foreign += b.foreign
    a.foreignObjects += b.foreignObjects
    a.blank += b.blank
    a.imported += b.imported
    a.malformed += b.malformed
    a.badLines = Array((a.badLines + b.badLines).prefix(keptBadLines))
  }
}

/// Reads the lines of one file: finds out which format each line has, and decodes it.
///
/// A file keeps to one format for long stretches, so each line is first offered to the decoder that took
/// the last one.
public struct FileDecoder: Sendable {
  /// What the lines so far turned out to be.
  public private(set) var tally = LineTally()
  /// The names of the formats that were recognised, in the order of their first line.
  public private(set) var formats: [String] = []

  private var decoders: [any RecordDecoder]
  private var current = 0
  /// A bit for each decoder that took a line.
  private var taken: UInt64 = 0
  /// The decoder whose format was noted last.
  private var noted = -1

  /// A decoder at the beginning of a file.
  ///
  /// - Parameter formats: the formats to consider, more specific ones first; at most 64.
  public init(_ formats: [any RecordDecoder] = Decoders.all) {
    decoders = formats
  }

  /// A decoder before a line to be offered to the format of this name first.
  init(_ formats: [any RecordDecoder], at format: String) {
    decoders = formats
    current = formats.firstIndex { type(of: $0).name == format } ?? 0
  }

  /// The name of the format to which the next line is offered first.
  var format: String { decoders.indices.contains(current) ? type(of: decoders[current]).name : "" }

  /// Something that a decoder remembers.
  struct Memory: Hashable {
    var decoder: Int
    var number: UInt64
  }

  /// All that is remembered of lines before.
  var memories: [Memory] {
    decoders.indices.compactMap { index in
      let decoder = decoders[index]
      if type(of: decoder).readsInOrder {
        return taken & (1 << UInt64(index)) == 0 ? nil : Memory(decoder: index, number: 0)
      }
      return decoder.memory.map { Memory(decoder: index, number: $0) }
    }
  }

  /// Counts the lines so far for nothing.
  mutating func forgetCounts() {
    tally = LineTally()
    formats = []
    noted = -1
  }

  /// Whether a format was recognised that must be read in order.
  var readsInOrder: Bool {
    decoders.indices.contains {
      taken & (1 << UInt64($0)) != 0 && type(of: decoders[$0]).readsInOrder
    }
  }

  /// Decodes a run of whole lines.
  ///
  /// - Parameters:
  ///   - lines: lines that end in a newline; the last may lack it.
  ///   - offset: bytes of the file before the run, to tell where a bad line stands.
  public mutating func decode(
    _ lines: UnsafeRawBufferPointer, at offset: Int64, into output: inout DecodedLines
  ) {
    guard let base = lines.baseAddress else { return }
    var start = 0
    while start < lines.count {
      let rest = lines.count - start
      if let length = decodeKnown(
        UnsafeRawBufferPointer(start: base + start, count: rest), into: &output)
      {
        start += length + 1
        continue
      }
      let newline = memchr(base + start, 10, rest).map { UnsafeRawPointer($0) - (base + start) }
      let length = newline ?? rest
      // A log that was truncated while its writer kept its place has a hole of NULs before the line.
      if base.load(fromByteOffset: start, as: UInt8.self) == 0 {
        let holes = lines[start..<start + length].prefix { $0 == 0 }.count
        decodeLine(
          UnsafeRawBufferPointer(start: base + start + holes, count: length - holes),
          at: offset + Int64(start + holes), into: &output)
        start += length + 1
        continue
      }
      decodeLine(
        UnsafeRawBufferPointer(start: base + start, count: length), at: offset + Int64(start),
        into: &output)
      start += length + 1
    }
  }

  /// Decodes the line that a run begins with, if its decoder knows it by sight; returns its length.
  @inline(__always)
  private mutating func decodeKnown(
    _ run: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) -> Int? {
    guard run[0] == UInt8(ascii: "{"),
      let (kind, length) = decoders[current].decodeKnown(run, into: &output)
    else { return nil }
    switch kind {
    case .usage: noteUsage(current)
    case .notUsage: noteOther(current)
    case .foreign: return nil
    }
    tally.lines += 1
    return length
  }

  /// Adds what the beginning of this file's lines lacked, because they were read without those before.
  ///
  /// - Parameter previous: the decoder of the lines right before, of the same formats.
  mutating func resume(
    from previous: FileDecoder, names: NameTable, into output: inout DecodedLines
  ) {
    for index in decoders.indices {
      decoders[index].resume(from: previous.decoders[index], names: names, into: &output)
    }
  }

  /// Decodes one line, or a JSON value that stands over several.
  mutating func decodeLine(
    _ line: UnsafeRawBufferPointer, at offset: Int64, into output: inout DecodedLines
  ) {
    tally.lines += 1
    guard line.contains(where: { $0 > 32 }) else {
      tally.notUsage += 1
      tally.blank += 1
      return
    }
    do {
      switch try decoders[current].decode(line, into: &output) {
      case .usage: return noteUsage(current)
      case .notUsage: return noteOther(current)
      case .foreign: break
      }
      for other in decoders.indices where other != current {
        let kind = try decoders[other].decode(line, into: &output)
        if case .foreign = kind { continue }
        if !type(of: decoders[other]).isLastResort { current = other }
        if case .usage = kind { noteUsage(other) } else { noteOther(other) }
        return
      }
    } catch {
      return tally.noteBadLine(at: offset, UTF16.marks(line) ? UTF16.error : error)
    }
    if UTF16.marks(line) { return tally.noteBadLine(at: offset, UTF16.error) }
    if line.starts(with: [0xEF, 0xBB, 0xBF]) {
      // Files that begin with a mark were written one behind the other.
      tally.lines -= 1
      return decodeLine(
        UnsafeRawBufferPointer(rebasing: line.dropFirst(3)), at: offset + 3, into: &output)
    }
    tally.notUsage += 1
    tally.foreign += 1
    if line.first(where: { $0 > 32 }) == UInt8(ascii: "{") { tally.foreignObjects += 1 }
  }

  private mutating func noteOther(_ decoder: Int) {
    taken |= 1 << UInt64(decoder)
    tally.notUsage += 1
  }

  private mutating func noteUsage(_ decoder: Int) {
    taken |= 1 << UInt64(decoder)
    tally.usageLines += 1
    if noted == decoder { return }
    noted = decoder
    let name = type(of: decoders[decoder]).name
    if !formats.contains(name) { formats.append(name) }
  }
}

/// Text in two bytes a character, as some shells redirect output. It is told, not read.
enum UTF16 {
  static let error = DecodeError.malformed(
    at: 0, "the text is UTF-16; convert it, for example with iconv -f UTF-16 -t UTF-8")

  /// Whether a text that no format knows is such text: it begins with a mark, or every other byte is 0.
  static func marks(_ line: UnsafeRawBufferPointer) -> Bool {
    if line.starts(with: [0xFF, 0xFE]) || line.starts(with: [0xFE, 0xFF]) { return true }
    // A newline cuts a character, so that lines may begin with either byte.
    let start = line.prefix(16)
    return start.count == 16
      && [0, 1].contains { odd in start.enumerated().allSatisfy { $0 % 2 != odd || $1 == 0 } }
  }
}
