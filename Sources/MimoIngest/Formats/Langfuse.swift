import MimoEngine

/// Observations exported from Langfuse, in the spelling of its API or of its exports of whole tables.
///
/// The parts of `usageDetails` have the names of whoever sent them. They are meant to be disjoint and to add
/// up to `total`; senders who pass on a vendor's counters as they are have parts inside others, which the
/// total gives away.
/// Source: format notes of the project, section 12; Langfuse's documentation, "token and cost tracking".
public struct LangfuseDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "langfuse"
  /// As in `RecordDecoder`.
  public static let title = "Langfuse observations"
  private static let ids = IdentitySpace(name)

  /// A decoder at the beginning of a file.
  public init() {}

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.beginsObject,
      ByteSearch.contains("\"traceId\"", in: line) || ByteSearch.contains("\"trace_id\"", in: line)
    else { return .foreign }
    var observation = Observation()
    var cursor = JSONCursor(line)
    try cursor.readObject { key, cursor throws(DecodeError) in
      try observation.read(key, &cursor)
    }
    try cursor.expectEnd()
    defer { withExtendedLifetime(observation.copies) {} }
    guard observation.isKnown else { return .foreign }
    guard observation.isCall, observation.failed || !observation.usage.isEmpty else {
      return .notUsage
    }
    var record = UsageRecord(
      time: observation.start ?? output.readTime,
      identity: observation.id.map { Self.ids.identity($0) })
    record.labels = Labels(
      model: output.intern(observation.model), source: output.names.intern(Self.name),
      project: output.intern(observation.project), session: output.intern(observation.session))
    record.conversation = record.labels.session
    record.tokens = try observation.usage.tokens
    record.tellsCache = observation.usage.tellsCache
    record.statedCost = observation.cost
    record.failed = observation.failed
    if let start = observation.start, let end = observation.end, end >= start {
      record.durationMilliseconds = Int32(clamping: end.milliseconds - start.milliseconds)
    }
    if record.tokens.isZero, !record.failed, record.statedCost == nil { return .notUsage }
    output.records.append(record)
    return .usage
  }
}

private struct Observation {
  var id: JSONString?
  var model: JSONString?
  var project: JSONString?
  var session: JSONString?
  var start: Instant?
  var end: Instant?
  var usage = UsageParts()
  var cost: Amount?
  var failed = false
  var isCall = false
  var hasType = false
  var hasOwnKeys = false
  var copies: [TextCopy] = []

  /// Whether the line is an observation: others have traces too.
  var isKnown: Bool { hasType && hasOwnKeys }

  mutating func read(_ key: JSONString, _ cursor: inout JSONCursor) throws(DecodeError) {
    switch key.count {
    case 2 where key == "id": id = try cursor.string()?.ifStated
    case 4 where key == "type": readType(try cursor.string())
    case 5 where key == "level":
      hasOwnKeys = true
      failed = try cursor.string().map { $0 == "ERROR" } ?? false
    case 5 where key == "model": model = try cursor.string()?.ifStated ?? model
    case 7 where key == "endTime": end = try LogTime.read(&cursor)
    case 8 where key == "end_time": end = try LogTime.read(&cursor)
    case 9 where key == "startTime":
      hasOwnKeys = true
      start = try LogTime.read(&cursor)
    case 9 where key == "projectId": project = try cursor.string()
    case 9 where key == "sessionId": session = try cursor.string()
    case 10 where key == "start_time":
      hasOwnKeys = true
      start = try LogTime.read(&cursor)
    case 10 where key == "project_id": project = try cursor.string()
    case 10 where key == "session_id": session = try cursor.string()
    case 10 where key == "total_cost": try readTotal(&cursor)
    case 11 where key == "costDetails": try readCost(&cursor)
    case 12 where key == "cost_details": try readCost(&cursor)
    case 12 where key == "usageDetails": try readUsage(&cursor)
    case 13 where key == "usage_details": try readUsage(&cursor)
    case 19 where key == "calculatedTotalCost": try readTotal(&cursor)
    case 19 where key == "provided_model_name": model = try cursor.string(unless: model)
    default: try cursor.skipValue()
    }
  }

  private static let types: [StaticString] = [
    "GENERATION", "EMBEDDING", "SPAN", "EVENT", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR",
    "GUARDRAIL",
  ]

  private mutating func readType(_ text: JSONString?) {
    guard let text else { return }
    hasType = Self.types.contains { text == $0 }
    isCall = text == "GENERATION" || text == "EMBEDDING"
  }

  private mutating func readTotal(_ cursor: inout JSONCursor) throws(DecodeError) {
    let total = try cursor.statedCost()
    cost = cost ?? total
  }

  private mutating func readCost(_ cursor: inout JSONCursor) throws(DecodeError) {
    try cursor.readObject(orTextIn: &copies) { key, cursor throws(DecodeError) in
      if key == "total" { cost = try cursor.statedCost() } else { try cursor.skipValue() }
    }
  }

  private mutating func readUsage(_ cursor: inout JSONCursor) throws(DecodeError) {
    var parts = UsageParts()
    try cursor.readObject(orTextIn: &copies) { key, cursor throws(DecodeError) in
      try parts.read(key, &cursor)
    }
    usage = parts
  }
}

/// Named parts of a call's usage.
private struct UsageParts {
  private var input: Int64 = 0
  private var read: Int64?
  private var written: Int64 = 0
  private var writtenForHour: Int64 = 0
  private var output: Int64 = 0
  private var reasoning: Int64 = 0
  private var total: Int64?
  private(set) var isEmpty = true

  var tellsCache: Bool { read != nil || written > 0 }

  /// Files a part by the words in its name.
  mutating func read(_ key: JSONString, _ cursor: inout JSONCursor) throws(DecodeError) {
    guard let count = try cursor.count() else { return }
    if key.contains("total") {
      total = count
    } else if key.contains("cache") {
      isEmpty = false
      if key.contains("creation") || key.contains("write") {
        written += count
        if key.contains("1h") { writtenForHour += count }
      } else {
        read = (read ?? 0) + count
      }
    } else if key.contains("reasoning") || key.contains("thought") || key.contains("thinking") {
      isEmpty = false
      reasoning += count
    } else if key.contains("output") || key.contains("completion") || key.contains("candidates") {
      isEmpty = false
      output += count
    } else if key.contains("input") || key.contains("prompt") {
      isEmpty = false
      input += count
    }
  }

  /// The parts as disjoint classes.
  ///
  /// - Throws: `DecodeError.contradiction` if parts that must be inside others are larger.
  var tokens: TokenCounts {
    get throws(DecodeError) {
      let cached = (read ?? 0) + written
      let base = input + output
      let isCachedInside = total == base || total == base + reasoning && reasoning > 0
      let isReasoningInside = total == base || total == base + cached && cached > 0
      let fits = total == base + cached + reasoning
      var tokens = TokenCounts(
        input: input, cacheRead: read ?? 0, cacheWrite5m: max(0, written - writtenForHour),
        cacheWrite1h: min(written, writtenForHour), output: output, reasoning: reasoning)
      if !fits, isCachedInside {
        guard cached <= input else {
          throw .contradiction("more tokens were cached than the prompt has")
        }
        tokens.input -= cached
      }
      if fits || !isReasoningInside {
        tokens.output += reasoning
      } else {
        tokens.reasoning = min(reasoning, output)
      }
      return tokens
    }
  }
}
