import MimoEngine

/// The `usage` object of an answer, whichever vendor's form it has, and its reading as disjoint counts.
///
/// Absent and `null` counters are `nil`.
///
/// What reads it is `mutating` although nothing is changed: otherwise the compiler copies this large value
/// for each call, which is a tenth of the work on a line (`mimo-top-bench decode`).
/// Sources: the vendors' API references for Chat Completions, Responses, Messages; the project's format notes.
struct UsageObject: Sendable {
  // Chat form.
  @Compact var promptTokens: Int64?
  @Compact var completionTokens: Int64?
  @Compact var totalTokens: Int64?
  @Compact var hitTokens: Int64?
  @Compact var missTokens: Int64?
  @Compact var cachedTokens: Int64?
  /// Whether no object was read into this one.
  private(set) var isUntouched = true
  var hasDetails = false
  var detailsAreNull = false
  // Responses and Messages form.
  @Compact var inputTokens: Int64?
  @Compact var outputTokens: Int64?
  var hasInputDetails = false
  @Compact var cacheReadInputTokens: Int64?
  @Compact var cacheCreationInputTokens: Int64?
  @Compact var ephemeral5m: Int64?
  @Compact var ephemeral1h: Int64?
  // Inside the details of either.
  @Compact var detailCached: Int64?
  @Compact var detailCacheWrite: Int64?
  @Compact var reasoning: Int64?
  @Compact var thinking: Int64?
  // Beside the tokens.
  var tier: ServiceTier?
  var isOwnKey = false
  /// Whether there were keys whose values say nothing.
  private(set) var hasUnknownKeys = false
  @Seldom private var rare: Rare?

  /// What few usage objects have.
  private struct Rare: Sendable {
    var quantities: [Quantity] = []
    var iterations: [Iteration] = []
    var cost: Amount?
    var upstreamCost: Amount?
  }

  /// What was used beside text tokens.
  var quantities: [Quantity] {
    get { rare?.quantities ?? [] }
    set { _rare.change(Rare()) { $0.quantities = newValue } }
  }

  /// Calls inside the answer.
  var iterations: [Iteration] {
    get { rare?.iterations ?? [] }
    set { _rare.change(Rare()) { $0.iterations = newValue } }
  }

  /// The cost it states, in US dollars.
  var cost: Amount? {
    get { rare?.cost }
    set { _rare.change(Rare()) { $0.cost = newValue } }
  }

  /// What the call cost the router, in US dollars.
  var upstreamCost: Amount? {
    get { rare?.upstreamCost }
    set { _rare.change(Rare()) { $0.upstreamCost = newValue } }
  }

  /// Whether any of these is there.
  @inline(__always) var hasRare: Bool { !_rare.isNil }

  /// A counter of something beside text tokens.
  struct Quantity: Sendable {
    var path: WritableKeyPath<Quantities, Int64> & Sendable
    var count: Int64
  }

  /// A further billed call inside an answer that the counters beside it leave out.
  struct Iteration: Sendable {
    var usage: UsageObject
    var model: JSONString?
  }

  /// Which vendor's meaning the counters have.
  enum Form { case chat, responses, messages }

  /// The counters read as disjoint classes, and whether the log tells about the cache.
  struct Reading {
    var tokens: TokenCounts
    var tellsCache: Bool
  }

  /// Whether any counter is there at all.
  @inline(__always) var isEmpty: Bool {
    promptTokens == nil && completionTokens == nil && inputTokens == nil && outputTokens == nil
      && hitTokens == nil && missTokens == nil && (!hasRare || quantities.isEmpty)
  }

  /// Reads the object at the cursor.
  static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> UsageObject {
    var usage = UsageObject()
    try usage.read(from: &cursor)
    return usage
  }

  /// Reads the object at the cursor into this one, of which nothing has been read yet.
  mutating func read(from cursor: inout JSONCursor) throws(DecodeError) {
    isUntouched = false
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 4 where key == "cost": cost = try Self.readCost(&cursor)
      case 5 where key == "speed":
        if let speed = try cursor.string(), speed == "fast" { tier = .fast }
      case 7 where key == "seconds": try readSeconds(&cursor)
      case 7 where key == "is_byok": isOwnKey = try cursor.bool() ?? false
      case 10 where key == "iterations": try readIterations(&cursor)
      case 12 where key == "total_tokens": totalTokens = try cursor.count()
      case 12 where key == "input_tokens": inputTokens = try cursor.count()
      case 12 where key == "service_tier": readTier(try cursor.string())
      case 12 where key == "cost_details": try readCostDetails(&cursor)
      case 13 where key == "prompt_tokens": promptTokens = try cursor.count()
      case 13 where key == "output_tokens": outputTokens = try cursor.count()
      case 13 where key == "cached_tokens": cachedTokens = try cursor.count()
      case 14 where key == "cache_creation": try readWrites(&cursor)
      case 15 where key == "server_tool_use": try readSearches(&cursor, "web_search_requests")
      case 16 where key == "web_search_usage": try readSearches(&cursor, "tool_usage")
      case 17 where key == "completion_tokens": completionTokens = try cursor.count()
      case 17 where key == "num_cached_tokens": cachedTokens = try cursor.count()
      case 20 where key == "input_tokens_details":
        hasInputDetails = true
        try readDetails(&cursor)
      case 21 where key == "prompt_tokens_details":
        hasDetails = true
        detailsAreNull = cursor.next == .null
        try readDetails(&cursor)
      case 21 where key == "output_tokens_details":
        try readDetails(&cursor, isOutput: true)
      case 23 where key == "prompt_cache_hit_tokens": hitTokens = try cursor.count()
      case 23 where key == "cache_read_input_tokens":
        cacheReadInputTokens = try cursor.count()
      case 24 where key == "prompt_cache_miss_tokens": missTokens = try cursor.count()
      case 25 where key == "completion_tokens_details":
        try readDetails(&cursor, isOutput: true)
      case 27 where key == "cache_creation_input_tokens":
        cacheCreationInputTokens = try cursor.count()
      default:
        hasUnknownKeys = true
        try cursor.skipValue()
      }
    }
  }

  /// The meaning the names of the counters point to; `hint` decides where they are shared.
  mutating func form(hint: Form?) -> Form {
    if promptTokens != nil || completionTokens != nil || hitTokens != nil { return .chat }
    if cacheReadInputTokens != nil || cacheCreationInputTokens != nil || ephemeral5m != nil {
      return .messages
    }
    if let hint { return hint }
    return hasInputDetails || totalTokens != nil ? .responses : .messages
  }

  /// Reads the counters as disjoint classes.
  ///
  /// - Parameter isGoogle: Google's Chat form hides reasoning in the total, and leaves out zeros.
  /// - Parameter tellsNull: whether `null` details mean "nothing cached" rather than "not told".
  mutating func reading(as form: Form, isGoogle: Bool = false, tellsNull: Bool = false) -> Reading {
    switch form {
    case .chat: chatReading(isGoogle: isGoogle, tellsNull: tellsNull)
    case .responses: responsesReading()
    case .messages: messagesReading()
    }
  }

  private mutating func chatReading(isGoogle: Bool, tellsNull: Bool) -> Reading {
    let prompt = promptTokens ?? ((hitTokens ?? 0) + (missTokens ?? 0))
    let told = detailCached ?? hitTokens ?? cachedTokens ?? cacheReadInputTokens
    let written = detailCacheWrite ?? cacheCreationInputTokens ?? 0
    var output = completionTokens ?? 0
    var reasoning = self.reasoning ?? 0
    if isGoogle, let total = totalTokens, total > prompt + output {
      reasoning = max(reasoning, total - prompt - output)
      output = total - prompt
    }
    let tells =
      told != nil || missTokens != nil || isGoogle || (hasDetails && (!detailsAreNull || tellsNull))
    return inclusive(
      prompt: prompt, read: told ?? 0, written: written, output: output, reasoning: reasoning, tells
    )
  }

  private mutating func responsesReading() -> Reading {
    inclusive(
      prompt: inputTokens ?? 0, read: detailCached ?? 0, written: detailCacheWrite ?? 0,
      output: outputTokens ?? 0, reasoning: reasoning ?? 0, hasInputDetails)
  }

  /// Counters whose prompt holds what was read and written. More cached than prompt is cut to the prompt.
  private mutating func inclusive(
    prompt: Int64, read: Int64, written: Int64, output: Int64, reasoning: Int64, _ tells: Bool
  ) -> Reading {
    let read = min(read, prompt)
    let written = min(written, prompt - read)
    let writtenForHour = min(ephemeral1h ?? 0, written)
    return Reading(
      tokens: TokenCounts(
        input: prompt - read - written, cacheRead: read, cacheWrite5m: written - writtenForHour,
        cacheWrite1h: writtenForHour, output: output, reasoning: min(reasoning, output)),
      tellsCache: tells)
  }

  private mutating func messagesReading() -> Reading {
    let written = cacheCreationInputTokens ?? ((ephemeral5m ?? 0) + (ephemeral1h ?? 0))
    let writtenForHour = min(ephemeral1h ?? 0, written)
    let output = outputTokens ?? 0
    return Reading(
      tokens: TokenCounts(
        input: inputTokens ?? 0, cacheRead: cacheReadInputTokens ?? 0,
        cacheWrite5m: written - writtenForHour, cacheWrite1h: writtenForHour,
        output: output, reasoning: min(thinking ?? reasoning ?? 0, output)),
      tellsCache: true)
  }

  /// This usage with the counters of `later` in place of those it states: how a stream's last event counts.
  func updated(by later: UsageObject) -> UsageObject {
    var result = self
    result.inputTokens = later.inputTokens ?? inputTokens
    result.outputTokens = later.outputTokens ?? outputTokens
    result.cacheReadInputTokens = later.cacheReadInputTokens ?? cacheReadInputTokens
    result.cacheCreationInputTokens = later.cacheCreationInputTokens ?? cacheCreationInputTokens
    result.ephemeral5m = later.ephemeral5m ?? ephemeral5m
    result.ephemeral1h = later.ephemeral1h ?? ephemeral1h
    result.thinking = later.thinking ?? thinking
    guard later.hasRare || later.tier != nil else { return result }
    if !later.quantities.isEmpty { result.quantities = later.quantities }
    result.tier = later.tier ?? tier
    if !later.iterations.isEmpty { result.iterations = later.iterations }
    return result
  }

  // MARK: - Parts

  mutating func readTier(_ text: JSONString?) {
    guard let text else { return }
    if text == "batch" { tier = tier ?? .batch }
    if text == "priority" { tier = tier ?? .priority }
    if text == "flex" { tier = tier ?? .flex }
  }

  /// A stated cost in US dollars; `nil` if it is no number, or none that can be true.
  static func readCost(_ cursor: inout JSONCursor) throws(DecodeError) -> Amount? {
    let text = cursor.next == .string ? try cursor.string()?.bytes : try cursor.numberText()
    return text.flatMap { ExactDecimal(bytes: $0) }.flatMap { Amount(stated: $0) }
  }

  private mutating func note(
    _ path: WritableKeyPath<Quantities, Int64> & Sendable, _ count: Int64?
  ) {
    if let count, count > 0 { quantities.append(Quantity(path: path, count: count)) }
  }

  /// The length of speech; of a second that has begun the whole is billed.
  private mutating func readSeconds(_ cursor: inout JSONCursor) throws(DecodeError) {
    guard let text = try cursor.numberText(), let value = ExactDecimal(bytes: text),
      value.digits > 0, let milliseconds = value.scaledRounding(by: 3)
    else { return }
    guard milliseconds <= Int128(TokenCounts.largestPlausibleCount) * 1000 else {
      throw .contradiction("a length is too large to be true")
    }
    note(\.audioSeconds, Int64((milliseconds + 999) / 1000))
  }

  /// What was used beside text tokens.
  var besideText: Quantities {
    var result = Quantities()
    for quantity in quantities { result[keyPath: quantity.path] = quantity.count }
    return result
  }

  private mutating func readDetails(_ cursor: inout JSONCursor, isOutput: Bool = false)
    throws(DecodeError)
  {
    guard cursor.next == .object else { return try cursor.skipValue() }
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 13 where key == "cached_tokens": detailCached = try cursor.count()
      case 15 where key == "thinking_tokens": thinking = try cursor.count()
      case 12 where key == "audio_tokens":
        note(isOutput ? \.audioOutput : \.audioInput, try cursor.count())
      case 12 where key == "image_tokens":
        note(isOutput ? \.imageOutput : \.imageInput, try cursor.count())
      case 12 where key == "video_tokens" && !isOutput: note(\.videoInput, try cursor.count())
      case 16 where key == "reasoning_tokens": reasoning = try cursor.count()
      case 18 where key == "cache_write_tokens": detailCacheWrite = try cursor.count()
      case 21 where key == "cache_creation_tokens":
        detailCacheWrite = try cursor.count() ?? detailCacheWrite
      case 28 where key == "cache_creation_token_details": try readWrites(&cursor)
      default:
        hasUnknownKeys = true
        try cursor.skipValue()
      }
    }
  }

  private mutating func readWrites(_ cursor: inout JSONCursor) throws(DecodeError) {
    guard cursor.next == .object else { return try cursor.skipValue() }
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == "ephemeral_5m_input_tokens" {
        ephemeral5m = try cursor.count()
      } else if key == "ephemeral_1h_input_tokens" {
        ephemeral1h = try cursor.count()
      } else {
        try cursor.skipValue()
      }
    }
  }

  private mutating func readSearches(_ cursor: inout JSONCursor, _ name: StaticString)
    throws(DecodeError)
  {
    guard cursor.next == .object else { return try cursor.skipValue() }
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == name { note(\.webSearches, try cursor.count()) } else { try cursor.skipValue() }
    }
  }

  private mutating func readCostDetails(_ cursor: inout JSONCursor) throws(DecodeError) {
    guard cursor.next == .object else { return try cursor.skipValue() }
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == "upstream_inference_cost" {
        upstreamCost = try Self.readCost(&cursor)
      } else {
        hasUnknownKeys = true
        try cursor.skipValue()
      }
    }
  }

  /// Iterations of type `message` are parts of the counters beside them; all others are calls of their own.
  private mutating func readIterations(_ cursor: inout JSONCursor) throws(DecodeError) {
    guard cursor.next == .array else { return try cursor.skipValue() }
    try cursor.beginArray()
    while try cursor.nextElement() {
      guard cursor.next == .object else {
        try cursor.skipValue()
        continue
      }
      var lookahead = cursor
      var model: JSONString?
      var isPart = true
      try lookahead.beginObject()
      while let key = try lookahead.nextKey() {
        if key == "type" {
          isPart = try lookahead.string().map { $0 == "message" } ?? true
        } else if key == "model" {
          model = try lookahead.string()
        } else {
          try lookahead.skipValue()
        }
      }
      if isPart {
        cursor = lookahead
      } else {
        iterations.append(Iteration(usage: try UsageObject.read(&cursor), model: model))
      }
    }
  }
}

extension Amount {
  /// A cost as a log states it, to 18 decimals; `nil` if it is negative or no call can have cost as much. That
  /// limit also keeps every sum of costs within what an amount can hold.
  init?(stated value: ExactDecimal) {
    guard value.digits >= 0, let atto = value.scaledRounding(by: 18),
      atto <= Amount.largestPlausibleCost.atto
    else { return nil }
    self.init(atto: atto)
  }

  /// A billion dollars.
  static let largestPlausibleCost = Amount(whole: 1_000_000_000)
}

/// An optional counter in eight bytes instead of sixteen: dozens of them are written for each line, and
/// counters are never negative.
@propertyWrapper
struct Compact: Sendable {
  private var value: Int64 = -1

  var wrappedValue: Int64? {
    @inline(__always) get { value < 0 ? nil : value }
    @inline(__always) set { value = newValue ?? -1 }
  }

  init() {}
}

/// An optional that takes eight bytes while it is `nil`: for what few lines have.
@propertyWrapper
struct Seldom<Value: Sendable>: Sendable {
  private final class Box: Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }

  private var box: Box?

  var wrappedValue: Value? {
    get { box?.value }
    set { box = newValue.map { Box($0) } }
  }

  @inline(__always) var isNil: Bool { box == nil }

  init() {}

  /// Changes a part of the value, which is `empty` where there is none.
  mutating func change(_ empty: Value, _ change: (inout Value) -> Void) {
    var value = wrappedValue ?? empty
    change(&value)
    wrappedValue = value
  }
}
