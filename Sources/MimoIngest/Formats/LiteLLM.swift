import MimoEngine

/// LiteLLM's log of calls: payload lines of its callbacks (bare or under `standard_logging_object`) and rows
/// of its table of spend.
///
/// Both have the same ids, so that the two logs of one proxy count once; the ids are not always the vendor's
/// and join with no other log. The prompt count holds what was cached, for every vendor.
/// Source: format notes of the project, section 6; LiteLLM's `StandardLoggingPayload` and `LiteLLM_SpendLogs`.
public struct LiteLLMDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "litellm"
  /// As in `RecordDecoder`.
  public static let title = "LiteLLM payload lines and spend rows"
  private static let ids = IdentitySpace(name)

  /// A decoder at the beginning of a file.
  public init() {}

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.beginsObject,
      ByteSearch.contains("\"call_type\"", in: line)
        || ByteSearch.contains("\"standard_logging_object\"", in: line)
    else { return .foreign }
    var cursor = JSONCursor(line)
    let row = try Row.read(&cursor)
    try cursor.expectEnd()
    defer { withExtendedLifetime(row.copies) {} }
    return row.isKnown ? emit(row, into: &output) : .foreign
  }

  private func emit(_ row: Row, into output: inout DecodedLines) -> LineKind {
    let time = row.start ?? row.end ?? output.readTime
    var record = UsageRecord(time: time)
    record.labels = Labels(
      model: output.intern(row.model ?? row.modelGroup),
      provider: output.internSeller(named: row.provider, at: row.address),
      source: output.names.intern(Self.name), project: output.intern(row.team),
      session: output.intern(row.session ?? row.trace), key: output.internKey(row.key))
    let counters = row.counters
    // Between versions the count of Anthropic's prompts was with and without the cached tokens.
    record.tokens = counters.tokens(usually: .inside)
    record.tellsCache = counters.tellsCache || row.tellsNull
    record.tier = row.usage?.tier ?? .standard
    record.quantities = row.usage?.besideText ?? Quantities()
    record.failed = row.failed
    record.answeredByProxyCache = row.isCacheHit
    record.statedCost = row.isCacheHit ? .zero : row.cost
    if let start = row.start, let end = row.end, end >= start {
      record.durationMilliseconds = Int32(clamping: end.milliseconds - start.milliseconds)
    }
    if let id = row.id {
      // An answer from the proxy's cache may have the id of the answer that was kept.
      record.identity =
        row.isCacheHit
        ? Self.ids.identity(id, UInt64(bitPattern: time.milliseconds / 1000))
        : Self.ids.identity(id)
    }
    // Listings of tools, health checks and the like.
    if record.isRequest, record.tokens.isZero, record.statedCost == nil { return .notUsage }
    output.records.append(record)
    return .usage
  }
}

/// What is taken from a payload or a row of the table.
private struct Row {
  var id: JSONString?
  var model: JSONString?
  var modelGroup: JSONString?
  var provider: JSONString?
  var address: JSONString?
  var session: JSONString?
  var trace: JSONString?
  var team: JSONString?
  var alias: JSONString?
  var keyHash: JSONString?
  var user: JSONString?
  var start: Instant?
  var end: Instant?
  var cost: Amount?
  var prompt: Int64?
  var completion: Int64?
  var usage: UsageObject?
  var failed = false
  var isCacheHit = false
  var hasCallType = false
  var hasRoute = false
  /// What the strings may point into beside the line.
  var copies: [TextCopy] = []

  /// Nobody else has both.
  var isKnown: Bool { hasCallType && hasRoute }

  /// The key's name, else who called, else the hash of the key.
  var key: JSONString? { alias ?? user ?? keyHash }

  var counters: PromptCounters {
    let usage = usage ?? UsageObject()
    return PromptCounters(
      prompt: prompt.flatMap { $0 > 0 ? $0 : nil } ?? usage.promptTokens ?? usage.inputTokens,
      read: usage.detailCached ?? usage.hitTokens ?? usage.cachedTokens
        ?? usage.cacheReadInputTokens,
      written: usage.detailCacheWrite ?? usage.cacheCreationInputTokens,
      writtenForHour: usage.ephemeral1h,
      output: completion.flatMap { $0 > 0 ? $0 : nil } ?? usage.completionTokens
        ?? usage.outputTokens,
      reasoning: usage.reasoning ?? usage.thinking)
  }

  /// MiMo's endpoints send null, or nothing, when nothing was cached.
  var tellsNull: Bool {
    usage != nil && !failed
      && (provider.map { $0.contains("xiaomi") || $0.contains("mimo") } ?? false)
  }

  static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> Row {
    var row = Row()
    var inner: Row?
    try cursor.readObject { key, cursor throws(DecodeError) in
      if key == "standard_logging_object", cursor.next == .object {
        var payload = Row()
        try cursor.readObject { key, cursor throws(DecodeError) in
          try payload.read(key, &cursor)
        }
        inner = payload
      } else {
        try row.read(key, &cursor)
      }
    }
    return inner ?? row
  }

  private mutating func read(_ key: JSONString, _ cursor: inout JSONCursor) throws(DecodeError) {
    switch key.count {
    case 2 where key == "id": id = try cursor.string()?.ifStated ?? id
    case 4 where key == "user": user = try cursor.string()?.ifStated ?? user
    case 5 where key == "model": model = try cursor.string()?.ifStated
    case 5 where key == "spend": cost = try cursor.statedCost()
    case 6 where key == "status": readStatus(try cursor.string())
    case 7 where key == "api_key": keyHash = try cursor.string()?.ifStated ?? keyHash
    case 7 where key == "endTime": end = try LogTime.read(&cursor)
    case 7 where key == "team_id": team = try cursor.string(unless: team)
    case 8 where key == "api_base": address = try cursor.string()?.ifStated
    case 8 where key == "end_user": user = try cursor.string(unless: user)
    case 8 where key == "metadata": try readMetadata(&cursor)
    case 8 where key == "trace_id": trace = try cursor.string()?.ifStated
    case 9 where key == "cache_hit": try readCacheHit(&cursor)
    case 9 where key == "call_type":
      hasCallType = true
      try cursor.skipValue()
    case 9 where key == "startTime": start = try LogTime.read(&cursor)
    case 10 where key == "request_id": id = try cursor.string(unless: id)
    case 10 where key == "session_id": session = try cursor.string()?.ifStated
    case 11 where key == "model_group":
      hasRoute = true
      modelGroup = try cursor.string()?.ifStated
    case 13 where key == "prompt_tokens": prompt = try cursor.count()
    case 13 where key == "response_cost": cost = try cursor.statedCost()
    case 17 where key == "completion_tokens": completion = try cursor.count()
    case 19 where key == "custom_llm_provider":
      hasRoute = true
      provider = try cursor.string()?.ifStated
    default: try cursor.skipValue()
    }
  }

  private mutating func readStatus(_ text: JSONString?) {
    if let text, text == "failure" || text == "error" { failed = true }
  }

  private mutating func readCacheHit(_ cursor: inout JSONCursor) throws(DecodeError) {
    if cursor.next == .string {
      isCacheHit = try cursor.string()?.isTrue ?? false
    } else {
      isCacheHit = try cursor.bool() ?? false
    }
  }

  private mutating func readMetadata(_ cursor: inout JSONCursor) throws(DecodeError) {
    var copies: [TextCopy] = []
    defer { self.copies += copies }
    var usage: UsageObject?
    var extra: UsageObject?
    try cursor.readObject(orTextIn: &copies) { key, cursor throws(DecodeError) in
      if key == "usage_object", cursor.next == .object {
        usage = try UsageObject.read(&cursor)
      } else if key == "additional_usage_values", cursor.next == .object {
        extra = try UsageObject.read(&cursor)
      } else if key == "user_api_key_alias" {
        alias = try cursor.string()?.ifStated
      } else if key == "user_api_key_hash" {
        keyHash = try cursor.string()?.ifStated ?? keyHash
      } else if key == "user_api_key_user_id" {
        user = try cursor.string()?.ifStated ?? user
      } else if key == "user_api_key_team_alias" {
        team = try cursor.string()?.ifStated ?? team
      } else if key == "user_api_key_team_id" {
        team = try cursor.string(unless: team)
      } else if key == "status" {
        readStatus(try cursor.string())
      } else {
        try cursor.skipValue()
      }
    }
    self.usage = usage ?? extra ?? self.usage
  }
}
