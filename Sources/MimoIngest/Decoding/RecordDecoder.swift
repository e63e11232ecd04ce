import MimoEngine

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Reads the lines of one file in one log format.
///
/// A decoder is a value with the state of its file (some formats spread a call over several lines); a copy
/// of one that has read nothing is at the beginning of another file. Laws: the records do not depend on how
/// the bytes of the file were cut into runs of lines, and a line that throws leaves the state as it was.
public protocol RecordDecoder: Sendable {
  /// The format's name, as shown in `--by source` and taken by `--format`.
  static var name: String { get }

  /// What messages call logs of this format.
  static var title: String { get }

  /// Whether a line may mean what lines far before it say (a model, the columns of a table), so that one
  /// decoder must read the whole file.
  static var readsInOrder: Bool { get }

  /// Whether it also accepts lines of other formats, so that each line is offered to those before.
  static var isLastResort: Bool { get }

  /// What it remembers of lines before, for lines to come: a number that changes when it forgets that and
  /// remembers something else; `nil` if a line means the same to a decoder that has read nothing.
  var memory: UInt64? { get }

  /// Adds the calls of one line to `output`.
  ///
  /// - Parameter line: one line without its newline, valid only during the call.
  /// - Returns: what the line was; `.foreign` promises that nothing was added or remembered.
  /// - Throws: `DecodeError` if the line cannot be read; nothing was added then.
  mutating func decode(_ line: UnsafeRawBufferPointer, into output: inout DecodedLines)
    throws(DecodeError) -> LineKind

  /// Adds the calls of the line that a run of lines begins with, if this finds the line's end while it reads: nobody
  /// has to search for it then.
  ///
  /// - Parameter run: begins with a brace.
  /// - Returns: what the line was, as `decode` would say, and its length without its newline; `nil` or `.foreign` if
  ///   it has to be offered to `decode`, with nothing added or remembered.
  mutating func decodeKnown(_ run: UnsafeRawBufferPointer, into output: inout DecodedLines)
    -> (kind: LineKind, length: Int)?

  /// Adds what the beginning of this decoder's lines lacked, because they were read without those before.
  ///
  /// - Parameters:
  ///   - previous: the decoder of the lines right before, at their end.
  ///   - names: the names its state refers to.
  mutating func resume(
    from previous: any RecordDecoder, names: NameTable, into output: inout DecodedLines)
}

extension RecordDecoder {
  /// No: in most formats a line, or a few that stand together, say all that they need.
  public static var readsInOrder: Bool { false }

  /// None: most decoders are asked for one line after the other.
  public mutating func decodeKnown(
    _ run: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) -> (kind: LineKind, length: Int)? { nil }

  /// Nothing; a decoder that `readsInOrder` need not say.
  public var memory: UInt64? { nil }

  /// No: what it accepts is its own.
  public static var isLastResort: Bool { false }

  /// Nothing: in most formats a line says all that it needs.
  public mutating func resume(
    from previous: any RecordDecoder, names: NameTable, into output: inout DecodedLines
  ) {}
}

/// What a line turned out to be.
public enum LineKind: Sendable {
  /// It reports usage or a failed call.
  case usage
  /// It belongs to the format and reports none.
  case notUsage
  /// It is not of this format.
  case foreign
}

/// Where decoders put records, with the names these use.
public struct DecodedLines: Sendable {
  /// The records of the lines decoded since the last `removeAll`.
  public var records: [UsageRecord] = []
  /// The names that the records refer to.
  public var names = NameTable()
  /// The instant at which the bytes were read: the time of calls whose log tells none.
  public var readTime: Instant

  /// What the hashes of keys depend on beside the keys; 0 for hashes that are the same everywhere.
  private let keySalt: UInt64

  /// The source named last, of which there is one for a file.
  private var source = (name: "", id: NameID.none)

  /// What an added record has before it is filled.
  private let blank = UsageRecord(time: Instant(milliseconds: 0))

  /// Creates an empty output that knows some names already.
  public init(readTime: Instant, names: NameTable = NameTable(), keySalt: UInt64 = 0) {
    self.readTime = readTime
    self.names = names
    self.keySalt = keySalt
  }

  /// Adds a record to be filled in its place, which this returns. One that was just filled elsewhere would have to be
  /// waited for before it can be copied.
  @inline(__always)
  mutating func addRecord() -> Int {
    records.append(blank)
    return records.count - 1
  }

  /// Removes copies of answers that stand in other files, and returns how many there were.
  mutating func dropEmbeddedCopies() -> Int {
    // Nearly always none; a loop that moves no record finds that out.
    let hasCopies = records.withUnsafeBufferPointer { records in
      records.indices.contains { records[$0].identity?.rank == .embeddedCopy }
    }
    guard hasCopies else { return 0 }
    let before = records.count
    records.removeAll { $0.identity?.rank == .embeddedCopy }
    return before - records.count
  }

  /// The id of a decoder's own name.
  @inline(__always)
  mutating func internSource(_ name: String) -> NameID {
    if source.name != name { source = (name, names.intern(name)) }
    return source.id
  }

  /// The id of a name in a line.
  @inline(__always)
  mutating func intern(_ text: JSONString?) -> NameID {
    guard let text, text.count > 0 else { return .none }
    if !text.hasEscapes { return names.intern(text.bytes) }
    return text.withUnescaped { names.intern($0) }
  }

  /// The id of the name of a key or user. Secrets are never stored: a text that looks like an API key
  /// is replaced by its prefix class and a short hash.
  mutating func internKey(_ text: JSONString?) -> NameID {
    guard let text, text.count > 0 else { return .none }
    return text.withUnescaped { internKey($0) }
  }

  /// As above, of a text.
  mutating func internKey(_ text: String) -> NameID {
    var text = text
    return text.withUTF8 { internKey(UnsafeRawBufferPointer($0)) }
  }

  private mutating func internKey(_ text: UnsafeRawBufferPointer, isSecret: Bool = false) -> NameID
  {
    // A header's value: the key behind the scheme tells whose it is.
    for scheme in ["Bearer ", "bearer "] where text.starts(with: scheme.utf8) {
      return internKey(
        UnsafeRawBufferPointer(rebasing: text[scheme.utf8.count...]), isSecret: true)
    }
    let prefix = Self.secretPrefixes.first { text.starts(with: $0.utf8) }
    let isLongAndRandom =
      text.count >= 32
      && !text.contains {
        $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: ".")
      }
    guard isSecret || prefix != nil || isLongAndRandom else { return names.intern(text) }
    let whole = keySalt == 0 ? Fingerprint(of: text) : Fingerprint(of: text, seed: keySalt)
    let hash = String(whole.value & 0xFF_FFFF, radix: 16)
    return names.intern("\(prefix ?? "")#\(hash)")
  }

  /// How the vendors' keys, tokens of accounts (`eyJ`, `ya29.`) and HTTP credentials begin.
  private static let secretPrefixes = [
    "sk-ant-", "sk-or-", "sk-", "tp-", "ttp-", "Basic ", "AIza", "AKIA", "gsk_", "xai-", "pk-",
    "key-", "eyJ", "ya29.",
  ]

  /// The id of a seller: a name, or of an address the host alone. The rest may hold a key or a password.
  mutating func internSeller(_ text: JSONString?) -> NameID {
    guard let text, text.count > 0 else { return .none }
    let slash = UInt8(ascii: "/")
    // Nearly all are plain names.
    guard memchr(text.start, Int32(slash), text.count) != nil || text.hasEscapes else {
      return intern(text)
    }
    return text.withUnescaped { text in
      var rest = text[...]
      if let scheme = text.indices.dropLast(2).first(where: {
        text[$0] == UInt8(ascii: ":") && text[$0 + 1] == slash && text[$0 + 2] == slash
      }) {
        rest = rest[(scheme + 3)...]
      } else if text.first != slash,
        !text.prefix(while: { $0 != slash }).contains(UInt8(ascii: "."))
      {
        return names.intern(text)
      }
      var host = rest.prefix {
        $0 != slash && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
      }
      if let at = host.lastIndex(of: UInt8(ascii: "@")) { host = host[(at + 1)...] }
      return names.intern(UnsafeRawBufferPointer(rebasing: host))
    }
  }

  /// The id of a seller of whom a log tells a name and an address.
  ///
  /// The address says more: many are spoken to in the dialect of another, whose name the log then has. That
  /// of a proxy in the house says nothing.
  mutating func internSeller(named name: JSONString?, at address: JSONString?) -> NameID {
    let id = internSeller(address)
    let isPublic = names.withBytes(of: id) { host in
      // A host with letters behind its last dot: neither a bare name nor a numeric address.
      host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).dropFirst().last?
        .first.map { $0 > UInt8(ascii: "9") } ?? false
    }
    return isPublic || name == nil ? id : internSeller(name)
  }

  /// The same for a text that stands in no line.
  mutating func internSeller(_ text: String) -> NameID {
    var text = text
    return text.withUTF8 { text in
      text.baseAddress.map {
        internSeller(JSONString(start: $0, count: text.count, isEscaped: false))
      } ?? .none
    }
  }

  /// Forgets the records, not the names.
  public mutating func removeAll() { records.removeAll(keepingCapacity: true) }
}
