import MimoEngine

/// Lines that people's own programs write: one JSON object a call, with counters beside a model's name.
///
/// The user's `FieldMap` says what the fields are called and where cached tokens are counted; without one
/// the usual names are looked for. `prompt_tokens` then holds what was cached, counters of Anthropic's form
/// (`cache_read_input_tokens`, `cacheRead`) stand beside it, and more cached than prompt is always beside.
/// Source: format notes of the project, section 3.
public struct PlainDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "plain"
  /// As in `RecordDecoder`.
  public static let title = "plain lines of counters"
  /// Rows of many formats have counters and a model.
  public static let isLastResort = true

  private static let ids = IdentitySpace(name)

  private let map: FieldMap?

  /// A decoder at the beginning of a file.
  public init() { map = nil }

  /// A decoder at the beginning of a file whose fields the user has named.
  public init(_ map: FieldMap) { self.map = map }

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.beginsObject, map != nil || ByteSearch.contains("\"model\"", in: line) else {
      return .foreign
    }
    var cursor = JSONCursor(line)
    var fields = Fields(map)
    try fields.read(&cursor)
    try cursor.expectEnd()
    guard fields.isPlain else { return .foreign }
    var record = UsageRecord(time: fields.time ?? output.readTime)
    let session = output.intern(fields.text(.session))
    record.labels = Labels(
      model: output.intern(fields.text(.model)),
      provider: output.internSeller(fields.text(.provider)),
      source: output.names.intern(Self.name), project: output.intern(fields.text(.project)),
      session: session, key: output.internKey(fields.text(.key)))
    record.conversation = session
    if let cached = map?.cached {
      record.tokens = try fields.counters.tokens(cached)
    } else {
      record.tokens = fields.counters.tokens(usually: fields.usualPlace)
    }
    record.tellsCache = fields.counters.tellsCache
    record.statedCost = fields.cost
    record.durationMilliseconds = fields.duration
    record.failed = fields.failed
    record.identity = fields.text(.id).map { Self.ids.identity(ofAnswer: $0) }
    if record.tokens.isZero, !record.failed { return .notUsage }
    output.records.append(record)
    return .usage
  }
}

/// What is taken from a line. Where two names of a field are there, the one listed first counts.
private struct Fields {
  typealias Field = FieldMap.Field

  var counters = PromptCounters()
  var cost: Amount?
  var time: Instant?
  var duration: Int32?
  var failed = false
  private let map: FieldMap?
  private var texts: [(field: Field, rank: Int, text: JSONString)] = []
  private var ranks: [(field: Field, rank: Int)] = []
  /// Whether a counter's name says that the prompt holds what was cached, or that it does not.
  private var saysInside = false
  private var saysBeside = false
  private var hasAnswer = false

  init(_ map: FieldMap?) { self.map = map }

  /// Whether the line tells a model and counters, and no object of usage that other formats would read.
  var isPlain: Bool {
    let isTold = counters.prompt != nil || counters.output != nil || failed
    return isTold && !hasAnswer && (map != nil || text(.model) != nil)
  }

  var usualPlace: PromptCounters.Cached { saysBeside && !saysInside ? .beside : .inside }

  func text(_ field: Field) -> JSONString? { texts.first { $0.field == field }?.text }

  mutating func read(_ cursor: inout JSONCursor) throws(DecodeError) {
    try read(&cursor, (map?.entries ?? []).map { ($0, 0) })
  }

  /// Reads an object to which the first keys of some entries have led.
  private mutating func read(
    _ cursor: inout JSONCursor, _ entries: [(entry: FieldMap.Entry, depth: Int)]
  ) throws(DecodeError) {
    try cursor.readObject { key, cursor throws(DecodeError) in
      let here = entries.filter { key.equals($0.entry.path[$0.depth]) }
      for (entry, depth) in here where depth == entry.path.count - 1 {
        // Two fields may be read from one place.
        var value = cursor
        try assign(entry.field, rank: 0, &value)
      }
      let deeper = here.filter { $0.depth < $0.entry.path.count - 1 }
      if !deeper.isEmpty {
        try read(&cursor, deeper.map { ($0.entry, $0.depth + 1) })
      } else if here.isEmpty, entries.allSatisfy({ $0.depth == 0 }) {
        try readUsual(key, &cursor)
      } else {
        try cursor.skipValue()
      }
    }
  }

  /// Reads a field by its usual name, if the map does not name it.
  private mutating func readUsual(_ key: JSONString, _ cursor: inout JSONCursor)
    throws(DecodeError)
  {
    if map == nil, key == "usage" || key == "usageMetadata", cursor.next == .object {
      hasAnswer = true
    }
    guard let name = UsualName(key), map == nil || !name.field.isCounter,
      !(map?.entries.contains { $0.field == name.field } ?? false)
    else { return try cursor.skipValue() }
    // Numbers count, and texts are names: `input` and `output` may also be what was said.
    if name.field.isCounter, cursor.next != .number { return try cursor.skipValue() }
    saysInside = saysInside || name.place == .inside
    saysBeside = saysBeside || name.place == .beside
    try assign(name.field, rank: name.rank, &cursor, inSeconds: name.isInSeconds)
  }

  private mutating func assign(
    _ field: Field, rank: Int, _ cursor: inout JSONCursor, inSeconds: Bool = false
  ) throws(DecodeError) {
    if let known = ranks.first(where: { $0.field == field }), known.rank < rank {
      return try cursor.skipValue()
    }
    let isThere: Bool
    switch field {
    case .input: isThere = try set(\.prompt, cursor.count())
    case .output: isThere = try set(\.output, cursor.count())
    case .reasoning: isThere = try set(\.reasoning, cursor.count())
    case .cacheRead: isThere = try set(\.read, cursor.count())
    case .cacheWrite: isThere = try set(\.written, cursor.count())
    case .cacheWriteHour: isThere = try set(\.writtenForHour, cursor.count())
    case .cost:
      let value = try cursor.statedCost()
      isThere = value != nil
      cost = value ?? cost
    case .time:
      let value = try LogTime.read(&cursor)
      isThere = value != nil
      time = value ?? time
    case .durationMilliseconds:
      let value = try cursor.span(decimals: inSeconds ? 0 : 3)
      isThere = value != nil
      duration = value ?? duration
    case .status:
      isThere = true
      try readStatus(&cursor)
    case .model, .id, .session, .project, .key, .provider:
      let text = try cursor.string()?.ifStated
      isThere = text != nil
      if let text {
        texts.removeAll { $0.field == field }
        texts.append((field, rank, text))
      }
    }
    guard isThere else { return }
    ranks.removeAll { $0.field == field }
    ranks.append((field, rank))
  }

  private mutating func set(_ path: WritableKeyPath<PromptCounters, Int64?>, _ count: Int64?)
    -> Bool
  {
    guard let count else { return false }
    counters[keyPath: path] = count
    return true
  }

  private mutating func readStatus(_ cursor: inout JSONCursor) throws(DecodeError) {
    if cursor.next == .number {
      let code = try cursor.numberText().flatMap { ExactDecimal(bytes: $0)?.scaledRounding(by: 0) }
      failed = (code ?? 0) >= 400
    } else if let text = try cursor.string() {
      failed = text == "error" || text == "failed" || text == "failure"
    }
  }
}

/// A field by the name that most programs give it.
private struct UsualName {
  var field: FieldMap.Field
  /// Of two names of a field the lower rank counts.
  var rank: Int
  /// Where the name says that cached tokens are counted.
  var place: PromptCounters.Cached?
  var isInSeconds = false

  init?(_ key: JSONString) {
    for (field, names) in Self.names {
      guard let rank = names.firstIndex(where: { key == $0 }) else { continue }
      self.field = field
      self.rank = rank
      if key == "prompt_tokens" || key == "promptTokens" { place = .inside }
      if key == "cache_read_input_tokens" || key == "cacheRead"
        || key == "cache_creation_input_tokens" || key == "cacheWrite"
      {
        place = .beside
      }
      isInSeconds = key == "elapsed"
      return
    }
    return nil
  }

  private static let names: [(field: FieldMap.Field, names: [StaticString])] = [
    (.input, ["prompt_tokens", "input_tokens", "promptTokens", "inputTokens", "input"]),
    (
      .output,
      ["completion_tokens", "output_tokens", "completionTokens", "outputTokens", "output"]
    ),
    (
      .cacheRead,
      [
        "cached_tokens", "cache_read_tokens", "cache_read_input_tokens", "cacheRead",
        "cachedInputTokens",
      ]
    ),
    (.cacheWrite, ["cache_write_tokens", "cache_creation_input_tokens", "cacheWrite"]),
    (.reasoning, ["reasoning_tokens", "reasoningTokens"]),
    (.cost, ["cost", "cost_usd", "costUSD", "spend", "response_cost"]),
    (.model, ["model"]),
    (.time, ["timestamp", "ts", "time", "created_at", "created", "date"]),
    (.id, ["id", "request_id"]),
    (.session, ["session", "session_id", "conversation_id"]),
    (.project, ["project", "app"]),
    (.key, ["key", "api_key", "user", "user_id"]),
    (.provider, ["base_url", "api_base", "endpoint", "provider"]),
    (.durationMilliseconds, ["latency_ms", "duration_ms", "elapsed"]),
    (.status, ["status", "status_code"]),
  ]
}

extension JSONString {
  fileprivate func equals(_ text: String) -> Bool {
    withUnescaped { $0.elementsEqual(text.utf8) }
  }
}
