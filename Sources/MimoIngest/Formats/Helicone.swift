import MimoEngine

/// Rows exported from Helicone.
///
/// Whether the prompt count holds what was cached depends on the vendor: Anthropic's form leaves it out.
/// Source: format notes of the project, section 12.
public struct HeliconeDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "helicone"
  /// As in `RecordDecoder`.
  public static let title = "Helicone exports"
  private static let ids = IdentitySpace(name)

  /// A decoder at the beginning of a file.
  public init() {}

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.beginsObject, ByteSearch.contains("\"request_created_at\"", in: line) else {
      return .foreign
    }
    var cursor = JSONCursor(line)
    let row = try Row.read(&cursor)
    try cursor.expectEnd()
    guard row.isKnown else { return .foreign }
    var record = UsageRecord(
      time: row.time ?? output.readTime, identity: row.id.map { Self.ids.identity($0) })
    let session = output.intern(row.session)
    record.labels = Labels(
      model: output.intern(row.model),
      provider: output.internSeller(named: row.provider, at: row.address),
      source: output.names.intern(Self.name), session: session, key: output.internKey(row.user))
    record.conversation = session
    record.tokens = row.counters.tokens(usually: row.isAnthropic ? .beside : .inside)
    record.tellsCache = row.counters.tellsCache
    record.answeredByProxyCache = row.isCacheHit
    record.statedCost = row.isCacheHit ? .zero : row.cost
    record.durationMilliseconds = row.duration
    record.failed = row.failed
    if record.tokens.isZero, !record.failed, record.statedCost == nil { return .notUsage }
    output.records.append(record)
    return .usage
  }

  private struct Row {
    var id: JSONString?
    var time: Instant?
    var model: JSONString?
    var provider: JSONString?
    var address: JSONString?
    var user: JSONString?
    var session: JSONString?
    var counters = PromptCounters()
    var cost: Amount?
    var duration: Int32?
    var failed = false
    var isCacheHit = false
    var isAnthropic = false
    var isKnown = false

    static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> Row {
      var row = Row()
      try cursor.readObject { key, cursor throws(DecodeError) in try row.read(key, &cursor) }
      return row
    }

    private mutating func read(_ key: JSONString, _ cursor: inout JSONCursor) throws(DecodeError) {
      switch key.count {
      case 4 where key == "cost" || key == "costUSD": cost = try cursor.statedCost()
      case 5 where key == "model": model = try cursor.string()?.ifStated ?? model
      case 6 where key == "status": try readStatus(&cursor)
      case 7 where key == "latency": duration = try cursor.span(decimals: 3)
      case 7 where key == "user_id": user = try cursor.string()?.ifStated
      case 8 where key == "provider": readProvider(try cursor.string())
      case 8 where key == "cost_usd": cost = try cursor.statedCost()
      case 10 where key == "properties":
        try cursor.readObject { key, cursor throws(DecodeError) in
          if key == "Helicone-Session-Id" {
            session = try cursor.string()
          } else {
            try cursor.skipValue()
          }
        }
      case 10 where key == "request_id": id = try cursor.string()?.ifStated
      case 10 where key == "target_url": address = try cursor.string()?.ifStated
      case 13 where key == "prompt_tokens": counters.prompt = try cursor.count()
      case 13 where key == "request_model": model = try cursor.string(unless: model)
      case 16 where key == "reasoning_tokens": counters.reasoning = try cursor.count()
      case 17 where key == "completion_tokens": counters.output = try cursor.count()
      case 18 where key == "cache_reference_id":
        // Rows of calls that a model answered have none, or one of zeros.
        isCacheHit = try cursor.string()?.bytes.contains { $0 != 48 && $0 != 45 } ?? false
      case 18 where key == "request_created_at":
        isKnown = true
        time = try LogTime.read(&cursor)
      case 24 where key == "prompt_cache_read_tokens": counters.read = try cursor.count()
      case 25 where key == "prompt_cache_write_tokens": counters.written = try cursor.count()
      default: try cursor.skipValue()
      }
    }

    /// `CUSTOM` stands for any address.
    private mutating func readProvider(_ text: JSONString?) {
      guard let text, !(text == "CUSTOM") else { return }
      provider = text.ifStated
      isAnthropic = text == "ANTHROPIC" || text == "AWS" || text == "BEDROCK"
    }

    private mutating func readStatus(_ cursor: inout JSONCursor) throws(DecodeError) {
      guard let text = try cursor.numberText(),
        let code = ExactDecimal(bytes: text)?.scaledRounding(by: 0)
      else { return }
      failed = code >= 400 || code < 0
    }
  }
}
