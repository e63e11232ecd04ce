import MimoEngine

/// The wire logs of Kimi's command line: `~/.kimi/sessions/HASH/ID/wire.jsonl` and, newer,
/// `~/.kimi-code/sessions/*/*/agents/*/wire.jsonl`.
///
/// Cached tokens are beside the input. The older one names no model; in the newer one a record of usage has
/// an alias and the request before it the model.
/// Source: format notes of the project, section 10.
public struct KimiDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "kimi"
  /// As in `RecordDecoder`.
  public static let title = "Kimi sessions"
  /// The model stands in a line before.
  public static let readsInOrder = true

  private static let ids = IdentitySpace(name)

  private var model = NameID.none

  /// A decoder at the beginning of a file.
  public init() {}

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.beginsObject else { return .foreign }
    if ByteSearch.contains("\"usage.record\"", in: line)
      || ByteSearch.contains("\"llm.request\"", in: line)
    {
      return try decodeNewer(line, into: &output)
    }
    guard ByteSearch.contains("\"StatusUpdate\"", in: line) else { return .foreign }
    return try decodeOlder(line, into: &output)
  }

  // MARK: - Newer

  private mutating func decodeNewer(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    var type: JSONString?
    var name: JSONString?
    var agent: JSONString?
    var time: Instant?
    var counters = PromptCounters()
    var cursor = JSONCursor(line)
    try cursor.readObject { key, cursor throws(DecodeError) in
      switch key.count {
      case 4 where key == "type": type = try cursor.string()
      case 4 where key == "time": time = try LogTime.read(&cursor)
      case 5 where key == "model": name = try cursor.string()?.ifStated
      case 5 where key == "usage": counters = try Self.readUsage(&cursor)
      case 7 where key == "agentId": agent = try cursor.string()?.ifStated
      default: try cursor.skipValue()
      }
    }
    try cursor.expectEnd()
    guard let type else { return .foreign }
    if type == "llm.request" {
      if let name { model = output.intern(name) }
      return .notUsage
    }
    guard type == "usage.record" else { return .foreign }
    var record = record(counters, at: time ?? output.readTime, into: &output)
    record.labels.model = model == .none ? output.intern(name) : model
    if record.tokens.isZero { return .notUsage }
    record.identity = Self.ids.identity(
      record.time.number, [agent?.fingerprint.value ?? 0] + record.tokens.numbers)
    output.records.append(record)
    return .usage
  }

  // MARK: - Older

  private func decodeOlder(_ line: UnsafeRawBufferPointer, into output: inout DecodedLines)
    throws(DecodeError) -> LineKind
  {
    var status = Status()
    var time: Instant?
    var cursor = JSONCursor(line)
    try cursor.readObject { key, cursor throws(DecodeError) in
      if key == "timestamp" {
        time = try LogTime.read(&cursor)
      } else if key == "message" {
        try status.read(&cursor, depth: 0)
      } else {
        try cursor.skipValue()
      }
    }
    try cursor.expectEnd()
    guard status.isKnown else { return .foreign }
    guard let counters = status.counters else { return .notUsage }
    var record = record(counters, at: time ?? output.readTime, into: &output)
    if record.tokens.isZero { return .notUsage }
    record.identity =
      status.id.map { Self.ids.identity(ofAnswer: $0) }
      ?? Self.ids.identity(record.time.number, record.tokens.numbers)
    output.records.append(record)
    return .usage
  }

  private func record(
    _ counters: PromptCounters, at time: Instant, into output: inout DecodedLines
  ) -> UsageRecord {
    var record = UsageRecord(
      time: time, labels: Labels(source: output.names.intern(Self.name)))
    record.tokens = counters.tokens(usually: .beside)
    return record
  }

  fileprivate static func readUsage(_ cursor: inout JSONCursor) throws(DecodeError)
    -> PromptCounters
  {
    var counters = PromptCounters()
    try cursor.readObject { key, cursor throws(DecodeError) in
      if key == "inputOther" || key == "input_other" {
        counters.prompt = try cursor.count()
      } else if key == "inputCacheRead" || key == "input_cache_read" {
        counters.read = try cursor.count()
      } else if key == "inputCacheCreation" || key == "input_cache_creation" {
        counters.written = try cursor.count()
      } else if key == "output" {
        counters.output = try cursor.count()
      } else {
        try cursor.skipValue()
      }
    }
    return counters
  }
}

/// The usage in a status of the older log; that of a sub-agent stands inside an event of its parent.
private struct Status {
  var id: JSONString?
  var counters: PromptCounters?
  var isKnown = false

  private static let deepest = 2

  mutating func read(_ cursor: inout JSONCursor, depth: Int) throws(DecodeError) {
    guard depth <= Self.deepest else { return try cursor.skipValue() }
    var type: JSONString?
    var payload: JSONCursor?
    try cursor.readObject { key, cursor throws(DecodeError) in
      if key == "type" {
        type = try cursor.string()
      } else {
        if key == "payload", cursor.next == .object { payload = cursor }
        try cursor.skipValue()
      }
    }
    guard let type, var payload else { return }
    if type == "StatusUpdate" {
      isKnown = true
      try payload.readObject { key, cursor throws(DecodeError) in
        if key == "message_id" {
          id = try cursor.string()?.ifStated
        } else if key == "token_usage", cursor.next == .object {
          counters = try KimiDecoder.readUsage(&cursor)
        } else {
          try cursor.skipValue()
        }
      }
    } else if type == "SubagentEvent" {
      try payload.readObject { key, cursor throws(DecodeError) in
        if key == "event" { try read(&cursor, depth: depth + 1) } else { try cursor.skipValue() }
      }
      // The sub-agent may have a log of its own; only an id tells that it is the same call.
      if id == nil { counters = nil }
    }
  }
}
