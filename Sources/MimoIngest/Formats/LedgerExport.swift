import MimoEngine

/// What `mimo-top ledger export` writes: a line for each call that has an id, and for each sum of calls that have
/// none, so that ledgers of several machines add up like any other logs.
///
/// ```
/// {"schema":"mimo-top.ledger/1","ledger_origin":"...","exported":"..."}
/// {"ledger_call":"6c1fe2d09b7a4e35","time":"2026-11-20T10:00:05.120Z","model":"mimo-v2.6-pro",...,"input":900,"output":310}
/// ```
///
/// Source: README of the project, "The export of a ledger".
public struct LedgerExportDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "ledger"
  /// As in `RecordDecoder`.
  public static let title = "exports of mimo-top's ledger"
  /// What the first line says.
  public static let schema = "mimo-top.ledger/1"

  /// The origin of the ledger that the lines are of; only known from the first line on.
  private var skipsSums = false
  /// A ledger whose sums are left out, because they are in the ledger already: its own.
  private let own: String?

  /// A decoder at the beginning of a file.
  ///
  /// - Parameter own: the origin of the ledger that the lines are read into, if they are.
  public init(own: String? = nil) { self.own = own }

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.beginsObject, ByteSearch.contains("\"ledger_", in: line) else { return .foreign }
    var entry = Entry()
    var cursor = JSONCursor(line)
    try cursor.readObject { key, cursor throws(DecodeError) in try entry.read(key, &cursor) }
    try cursor.expectEnd()
    if entry.schema.map({ $0 == "mimo-top.ledger/1" }) == true {
      skipsSums =
        own != nil
        && entry.origin.map { $0.withUnescaped { String(decoding: $0, as: UTF8.self) } } == own
      return .notUsage
    }
    guard let id = entry.call ?? entry.sum, let time = entry.time, let source = entry.source else {
      return .foreign
    }
    if entry.calls < 1 { return .notUsage }
    guard entry.tokens.reasoning <= entry.tokens.output else {
      throw .contradiction("more reasoning than output")
    }
    if entry.call == nil, skipsSums { return .notUsage }
    try emit(entry, id, time, source, into: &output)
    return .usage
  }

  private func emit(
    _ entry: Entry, _ id: UInt64, _ time: Instant, _ source: JSONString,
    into output: inout DecodedLines
  ) throws(DecodeError) {
    var record = UsageRecord(time: time)
    record.labels = Labels(
      model: output.intern(entry.model), provider: output.intern(entry.provider),
      source: source.count > 0 ? output.intern(source) : output.internSource(Self.name),
      project: output.intern(entry.project),
      session: output.intern(entry.session), key: output.internShortened(entry.key))
    record.conversation = output.intern(entry.conversation)
    record.tokens = entry.tokens
    record.tellsCache = entry.tellsCache
    record.answeredByProxyCache = entry.isAnswered
    record.failed = entry.failed
    record.tier = entry.tier
    record.calls = entry.calls
    record.promptSize = entry.promptSize
    record.statedCost = entry.cost
    record.quantities = entry.quantities
    record.identity = CallIdentity(
      message: Fingerprint(value: id), request: entry.request, rank: entry.rank)
    output.records.append(record)
    for other in entry.also {
      // Logs know the call under these ids too: a line for each, of the same counters.
      record.identity = CallIdentity(message: Fingerprint(value: id))
      record.identity?.alias = Fingerprint(value: other)
      output.records.append(record)
    }
  }
}

private struct Entry {
  var schema: JSONString?
  var origin: JSONString?
  var call: UInt64?
  var sum: UInt64?
  var also: [UInt64] = []
  var request: UInt64 = 0
  var rank = CallIdentity.Rank.message
  var time: Instant?
  var model: JSONString?
  var provider: JSONString?
  var source: JSONString?
  var project: JSONString?
  var session: JSONString?
  var key: JSONString?
  var conversation: JSONString?
  var tokens = TokenCounts()
  var tellsCache = true
  var isAnswered = false
  var failed = false
  var tier = ServiceTier.standard
  var calls: Int32 = 1
  var promptSize: Int64?
  var cost: Amount?
  var quantities = Quantities()

  mutating func read(_ name: JSONString, _ cursor: inout JSONCursor) throws(DecodeError) {
    switch name.count {
    case 3 where name == "key": key = try cursor.string()
    case 4 where name == "time": time = try LogTime.read(&cursor)
    case 4 where name == "rank": rank = try rank(&cursor)
    case 4 where name == "tier": tier = try tier(&cursor)
    case 4 where name == "also":
      guard cursor.next == .array else { return try cursor.skipValue() }
      try cursor.beginArray()
      while try cursor.nextElement() {
        if let other = try fingerprint(&cursor) { also.append(other) }
      }
    case 5 where name == "model": model = try cursor.string()
    case 5 where name == "calls": calls = Int32(clamping: try cursor.count() ?? 1)
    case 5 where name == "input": tokens.input = try cursor.count() ?? 0
    case 6 where name == "schema": schema = try cursor.string()
    case 6 where name == "source": source = try cursor.string()
    case 6 where name == "failed": failed = try cursor.bool() ?? false
    case 6 where name == "output": tokens.output = try cursor.count() ?? 0
    case 7 where name == "request": request = UInt64(clamping: try cursor.count() ?? 0)
    case 7 where name == "project": project = try cursor.string()
    case 7 where name == "session": session = try cursor.string()
    case 8 where name == "provider": provider = try cursor.string()
    case 9 where name == "reasoning": tokens.reasoning = try cursor.count() ?? 0
    case 10 where name == "ledger_sum": sum = try fingerprint(&cursor)
    case 10 where name == "cache_read": tokens.cacheRead = try cursor.count() ?? 0
    case 11 where name == "ledger_call": call = try fingerprint(&cursor)
    case 11 where name == "tells_cache": tellsCache = try cursor.bool() ?? true
    case 11 where name == "stated_cost":
      cost = try UsageObject.readCost(&cursor)
    case 11 where name == "prompt_size": promptSize = try cursor.count()
    case 12 where name == "conversation": conversation = try cursor.string()
    case 12 where name == "answer_cache": isAnswered = try cursor.bool() ?? false
    case 13 where name == "ledger_origin": origin = try cursor.string()
    case 14 where name == "cache_write_5m": tokens.cacheWrite5m = try cursor.count() ?? 0
    case 14 where name == "cache_write_1h": tokens.cacheWrite1h = try cursor.count() ?? 0
    default:
      let counter = Quantities.counters.first { counter in
        name.withUnescaped { $0.elementsEqual(counter.name.utf8) }
      }
      guard let counter else { return try cursor.skipValue() }
      quantities[keyPath: counter.path] = try cursor.count() ?? 0
    }
  }

  private func fingerprint(_ cursor: inout JSONCursor) throws(DecodeError) -> UInt64? {
    try cursor.string().flatMap { text in
      text.withUnescaped { UInt64(String(decoding: $0, as: UTF8.self), radix: 16) }
    }
  }

  private func rank(_ cursor: inout JSONCursor) throws(DecodeError) -> CallIdentity.Rank {
    let text = try cursor.string()
    return CallIdentity.Rank.allCases.first { rank in
      text?.withUnescaped { $0.elementsEqual(rank.name.utf8) } == true
    } ?? .message
  }

  private func tier(_ cursor: inout JSONCursor) throws(DecodeError) -> ServiceTier {
    let text = try cursor.string()
    return ServiceTier.allCases.first { tier in
      text?.withUnescaped { $0.elementsEqual("\(tier)".utf8) } == true
    } ?? .standard
  }
}

extension DecodedLines {
  /// The id of the name of a key that was shortened when it was first read. One that was not is now.
  fileprivate mutating func internShortened(_ text: JSONString?) -> NameID {
    guard let text, text.count > 0 else { return .none }
    let isShortened = text.withUnescaped { text in
      guard let hash = text.firstIndex(of: UInt8(ascii: "#")) else { return false }
      let digits = text[(hash + 1)...]
      return hash <= 8 && (1...6).contains(digits.count)
        && digits.allSatisfy {
          (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
    }
    return isShortened ? intern(text) : internKey(text)
  }
}
