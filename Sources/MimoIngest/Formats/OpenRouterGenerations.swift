import MimoEngine

/// Records that OpenRouter gives out of a call afterwards, bare or under `data`.
///
/// They bear the id of the answer, so that a call logged in both ways counts once. Bills follow the native
/// counters; the others are made with another tokeniser.
/// Source: format notes of the project, section 3; OpenRouter's API reference, "get a generation".
public struct OpenRouterGenerationDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "openrouter"
  /// As in `RecordDecoder`.
  public static let title = "OpenRouter generation records"
  private static let ids = IdentitySpace(name)

  /// A decoder at the beginning of a file.
  public init() {}

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.beginsObject, ByteSearch.contains("\"native_tokens_prompt\"", in: line) else {
      return .foreign
    }
    var generation = Generation()
    var inner: Generation?
    var cursor = JSONCursor(line)
    try cursor.readObject { key, cursor throws(DecodeError) in
      if key == "data", cursor.next == .object {
        var data = Generation()
        try cursor.readObject { key, cursor throws(DecodeError) in try data.read(key, &cursor) }
        inner = data
      } else {
        try generation.read(key, &cursor)
      }
    }
    try cursor.expectEnd()
    if let inner { generation = inner }
    guard generation.isKnown else { return .foreign }
    return try emit(generation, into: &output)
  }

  private func emit(_ generation: Generation, into output: inout DecodedLines) throws(DecodeError)
    -> LineKind
  {
    var record = UsageRecord(time: generation.created ?? output.readTime)
    record.labels = Labels(
      model: output.intern(generation.model), provider: output.intern(generation.provider),
      source: output.names.intern(Self.name), session: output.intern(generation.session))
    record.tokens = try generation.native.tokens(.inside)
    record.tellsCache = generation.native.tellsCache
    // With the caller's own key the router charges nothing: the real cost is the upstream one.
    record.statedCost = generation.isOwnKey ? generation.upstreamCost : generation.cost
    record.durationMilliseconds = generation.duration
    record.identity = generation.id.map { Self.ids.identity(ofAnswer: $0) }
    if record.tokens.isZero, record.statedCost == nil { return .notUsage }
    output.records.append(record)
    return .usage
  }
}

private struct Generation {
  var id: JSONString?
  var model: JSONString?
  var provider: JSONString?
  var session: JSONString?
  var created: Instant?
  var cost: Amount?
  var upstreamCost: Amount?
  var isOwnKey = false
  var native = PromptCounters()
  var duration: Int32?
  var isKnown = false

  mutating func read(_ key: JSONString, _ cursor: inout JSONCursor) throws(DecodeError) {
    switch key.count {
    case 2 where key == "id": id = try cursor.string()?.ifStated
    case 5 where key == "model": model = try cursor.string()
    case 7 where key == "is_byok": isOwnKey = try cursor.bool() ?? false
    case 10 where key == "created_at": created = try LogTime.read(&cursor)
    case 10 where key == "session_id": session = try cursor.string()
    case 10 where key == "total_cost": cost = try cursor.statedCost()
    case 13 where key == "provider_name": provider = try cursor.string()
    case 15 where key == "generation_time": duration = try cursor.span(decimals: 3)
    case 20 where key == "native_tokens_prompt":
      isKnown = true
      native.prompt = try cursor.count()
    case 20 where key == "native_tokens_cached": native.read = try cursor.count()
    case 23 where key == "upstream_inference_cost": upstreamCost = try cursor.statedCost()
    case 23 where key == "native_tokens_reasoning": native.reasoning = try cursor.count()
    case 24 where key == "native_tokens_completion": native.output = try cursor.count()
    default: try cursor.skipValue()
    }
  }
}
