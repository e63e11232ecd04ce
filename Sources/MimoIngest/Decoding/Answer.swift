import MimoEngine

/// What is taken from one logged object: an answer, an envelope with an answer in it, or a stream event.
struct Answer: Sendable {
  enum EventType { case other, messageStart, messageDelta, messageStop, message, responses }

  var id: JSONString?
  var model: JSONString?
  var requestModel: JSONString?
  var type = EventType.other
  var formHint: UsageObject.Form?
  var created: Instant?
  var time: Instant?
  /// Empty if there is none.
  var usage = UsageObject()
  var tier: ServiceTier?
  var provider: JSONString?
  var project: JSONString?
  var session: JSONString?
  /// The key or user the call was made with.
  var caller: JSONString?
  @Seldom private var rare: Rare?
  var durationMilliseconds: Int32?
  var status: Int64?
  var hasError = false
  var hasErrorObject = false
  /// Whether there are keys that neither answers nor the usual envelopes have.
  var hasUnknownKeys = false
  /// Whether its request has keys whose values say nothing.
  private(set) var hasUnknownRequestKeys = false
  var hasTraits = false
  var hasRequest = false
  var isForeign = false
  /// Marks of logs that have answers in them and rules of their own.
  var marks: Marks = []

  /// What few answers have.
  private struct Rare: Sendable {
    var gemini: GeminiUsage?
    var statedCost: Amount?
    var copies: [TextCopy] = []
  }

  var gemini: GeminiUsage? {
    get { rare?.gemini }
    set { _rare.change(Rare()) { $0.gemini = newValue } }
  }

  var statedCost: Amount? {
    get { rare?.statedCost }
    set { _rare.change(Rare()) { $0.statedCost = newValue } }
  }

  /// What the strings above may point into, beside the line itself.
  var copies: [TextCopy] {
    get { rare?.copies ?? [] }
    set { _rare.change(Rare()) { $0.copies = newValue } }
  }

  /// Whether any of these is there.
  @inline(__always) var hasRare: Bool { !_rare.isNil }

  /// Keys of other formats, none of which means much alone.
  struct Marks: OptionSet {
    var rawValue: UInt8
    static let callType = Marks(rawValue: 1)
    static let route = Marks(rawValue: 2)
    static let proxy: Marks = [callType, route]
    static let trace = Marks(rawValue: 4)
    static let loudType = Marks(rawValue: 8)
    static let observation: Marks = [trace, loudType]
  }

  /// Whether the log marks the call as failed. An `error` in a line about something else is not one.
  var isFailure: Bool {
    mutating get {
      let isFailed = hasError || hasErrorObject || (status ?? 0) >= 400
      if hasErrorObject && usage.isEmpty && !hasUnknownKeys { return true }
      return isFailed && (model != nil || requestModel != nil || hasRequest || !usage.isEmpty)
    }
  }

  mutating func read(
    _ cursor: inout JSONCursor, depth: Int = 0
  ) throws(DecodeError) {
    // Few lines have any: an element is cheaper to leave out than an optional of this size.
    var bodies: [Answer] = []
    var messages: [Answer] = []
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 2 where key == "id": id = try cursor.string() ?? id
      case 2 where key == "ts": time = try LogTime.read(&cursor) ?? time
      case 3 where key == "key" || key == "app":
        if key == "key" {
          caller = try cursor.string()
        } else {
          project = try cursor.string()
        }
      case 3 where key == "raw": try Self.readBody(&cursor, depth, &bodies)
      case 3 where key == "url": readSeller(try cursor.string())
      case 4 where key == "type": readType(try cursor.string())
      case 4 where key == "time": time = try LogTime.read(&cursor) ?? time
      case 4 where key == "user": caller = try cursor.string() ?? caller
      case 4 where key == "cost":
        if let cost = try UsageObject.readCost(&cursor) { statedCost = cost }
      case 4 where key == "data" || key == "body":
        try Self.readBody(&cursor, depth, &bodies)
      case 5 where key == "model": model = try cursor.string()
      case 5 where key == "usage":
        hasTraits = hasTraits || cursor.next == .null
        if cursor.next == .object {
          try readUsage(&cursor)
        } else {
          try cursor.skipValue()
        }
      case 5 where key == "error":
        let kind = cursor.next
        if kind == .object {
          hasErrorObject = try Self.readError(&cursor)
          hasError = true
        } else {
          let text = try cursor.string()
          hasError = kind == .string && (text?.count ?? 0) > 0
        }
      case 5 where key == "chunk" || key == "event":
        try Self.readBody(&cursor, depth, &bodies)
      case 6 where key == "object": readObject(try cursor.string())
      case 6 where key == "status": try readStatus(&cursor)
      case 6 where key == "result" || key == "output":
        try Self.readBody(&cursor, depth, &bodies)
      case 6 where key == "x_groq": try readGroq(&cursor)
      case 7 where key == "choices":
        hasTraits = true
        try cursor.skipValue()
      case 7 where key == "created": created = try LogTime.read(&cursor)
      case 7 where key == "message": try Self.readBody(&cursor, depth, &messages)
      case 7 where key == "payload": try Self.readBody(&cursor, depth, &bodies)
      case 7 where key == "headers": try readHeaders(&cursor)
      case 7 where key == "project": project = try cursor.string()
      case 7 where key == "request": try readRequest(&cursor)
      case 7 where key == "user_id": caller = try cursor.string() ?? caller
      case 7 where key == "traceId":
        marks.insert(.trace)
        try cursor.skipValue()
      case 7 where key == "session": session = try cursor.string() ?? session
      case 7 where key == "elapsed": readDuration(try cursor.numberText(), scale: 3)
      case 7 where key == "api_key": caller = try cursor.string() ?? caller
      case 8 where key == "response": try Self.readBody(&cursor, depth, &bodies)
      case 8 where key == "provider" || key == "base_url" || key == "api_base" || key == "endpoint":
        readSeller(try cursor.string())
      case 8 where key == "cost_usd":
        if let cost = try UsageObject.readCost(&cursor) { statedCost = cost }
      case 9 where key == "timestamp": time = try LogTime.read(&cursor) ?? time
      case 9 where key == "call_type":
        marks.insert(.callType)
        try cursor.skipValue()
      case 10 where key == "created_at":
        // In a bare Responses answer this is the body's own time, in an envelope the caller's.
        time = try LogTime.read(&cursor) ?? time
      case 10 where key == "completion": try Self.readBody(&cursor, depth, &bodies)
      case 10 where key == "parentUuid":
        // A transcript of a tool, which has rules of its own.
        isForeign = true
        try cursor.skipValue()
      case 10 where key == "latency_ms" || key == "session_id":
        if key == "session_id" {
          session = try cursor.string() ?? session
        } else {
          readDuration(try cursor.numberText(), scale: 0)
        }
      case 10 where key == "responseId": id = try cursor.string()
      case 10 where key == "candidates":
        hasTraits = true
        try cursor.skipValue()
      case 11 where key == "duration_ms": readDuration(try cursor.numberText(), scale: 0)
      case 11 where key == "status_code": try readStatus(&cursor)
      case 11 where key == "model_group", 19 where key == "custom_llm_provider":
        marks.insert(.route)
        try cursor.skipValue()
      case 12 where key == "modelVersion": model = try cursor.string()
      case 12 where key == "service_tier":
        var usage = UsageObject()
        usage.readTier(try cursor.string())
        tier = usage.tier
      case 13 where key == "usageMetadata":
        if cursor.next == .object {
          gemini = try GeminiUsage.read(&cursor)
          hasTraits = true
        } else {
          try cursor.skipValue()
        }
      case 13 where key == "response_body": try Self.readBody(&cursor, depth, &bodies)
      case 13 where key == "response_cost":
        if let cost = try UsageObject.readCost(&cursor) { statedCost = cost }
      case 12 where key == "usageDetails", 18 where key == "request_created_at",
        23 where key == "standard_logging_object":
        isForeign = true
        try cursor.skipValue()
      case 15 where key == "conversation_id": session = try cursor.string() ?? session
      case 10 where key == "request_id": try cursor.skipValue()
      default:
        hasUnknownKeys = true
        try cursor.skipValue()
      }
    }
    if marks.isSuperset(of: .proxy) || marks.isSuperset(of: .observation) { isForeign = true }
    if !usage.isEmpty, model != nil || id != nil { hasTraits = true }
    if type == .messageStart {
      if !messages.isEmpty {
        messages[0].type = .messageStart
        bodies = messages
      }
    } else if !messages.isEmpty, !messages[0].usage.isEmpty {
      // So is a line whose message is an answer.
      isForeign = true
    }
    // Beside the usage of the call, an object without any is what the model wrote, not the answer.
    if bodies.isEmpty { return }
    if bodies[0].hasTraits || (usage.isEmpty && gemini == nil) { adopt(bodies[0]) }
  }

  /// Takes what the answer itself says from `body`, and keeps what the envelope says of the call.
  private mutating func adopt(_ body: Answer) {
    id = body.id ?? id
    model = body.model ?? model
    requestModel = requestModel ?? body.requestModel
    if body.type != .other { type = body.type }
    formHint = body.formHint ?? formHint
    created = body.time ?? body.created ?? created
    if !body.usage.isEmpty { usage = body.usage }
    if let usage = body.gemini { gemini = usage }
    tier = body.tier ?? tier
    provider = provider ?? body.provider
    project = project ?? body.project
    session = session ?? body.session
    caller = caller ?? body.caller
    if let cost = body.statedCost { statedCost = cost }
    durationMilliseconds = durationMilliseconds ?? body.durationMilliseconds
    status = status ?? body.status
    hasError = hasError || body.hasError
    if body.hasErrorObject {
      hasErrorObject = true
      hasUnknownKeys = body.hasUnknownKeys
    }
    hasTraits = hasTraits || body.hasTraits
    isForeign = isForeign || body.isForeign
    hasRequest = hasRequest || body.hasRequest
    if body.hasRare { copies += body.copies }
  }

  /// How deep answers in answers are looked for.
  static let deepest = 4

  private static func readBody(
    _ cursor: inout JSONCursor, _ depth: Int, _ bodies: inout [Answer]
  ) throws(DecodeError) {
    guard depth < deepest else { return try cursor.skipValue() }
    var found = Answer()
    switch cursor.next {
    case .object: try found.read(&cursor, depth: depth + 1)
    case .string:
      guard let text = try cursor.string(), text.hasPrefix("{") else { return }
      // The body as JSON text: what is taken from it points into the copy, which the answer keeps.
      let copy = text.withUnescaped { TextCopy($0) }
      var inner = JSONCursor(copy.bytes)
      guard (try? found.read(&inner, depth: depth + 1)) != nil else { return }
      found.copies.append(copy)
    default: return try cursor.skipValue()
    }
    // Of several candidates the one with usage is the answer.
    if bodies.isEmpty || (bodies[0].usage.isEmpty && bodies[0].gemini == nil) { bodies = [found] }
  }

  /// Reads a `usage` object; an empty one changes nothing.
  private mutating func readUsage(_ cursor: inout JSONCursor) throws(DecodeError) {
    if usage.isUntouched { return try usage.read(from: &cursor) }
    let other = try UsageObject.read(&cursor)
    if !other.isEmpty { usage = other }
  }

  private mutating func readRequest(_ cursor: inout JSONCursor) throws(DecodeError) {
    guard cursor.next == .object else { return try cursor.skipValue() }
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 5 where key == "model":
        requestModel = try cursor.string()
        hasRequest = true
      case 3 where key == "url", 8 where key == "base_url" || key == "api_base":
        readSeller(try cursor.string())
      case 7 where key == "headers": try readHeaders(&cursor)
      default:
        hasUnknownRequestKeys = true
        try cursor.skipValue()
      }
    }
  }

  /// The key of the call, of which only the prefix class and a hash are kept.
  private mutating func readHeaders(_ cursor: inout JSONCursor) throws(DecodeError) {
    guard cursor.next == .object else { return try cursor.skipValue() }
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == "authorization" || key == "Authorization" || key == "api-key" || key == "x-api-key"
      {
        let text = try cursor.string()
        caller = caller ?? text
      } else {
        try cursor.skipValue()
      }
    }
  }

  /// Takes what a line says about the seller. An address says more than a name, which often is only that of
  /// the dialect; the path alone says nothing.
  private mutating func readSeller(_ text: JSONString?) {
    guard let text, text.count > 0, !text.hasPrefix("/") else { return }
    if provider == nil || (text.contains("/") && provider?.contains("/") == false) {
      provider = text
    }
  }

  private mutating func readGroq(_ cursor: inout JSONCursor) throws(DecodeError) {
    guard cursor.next == .object else { return try cursor.skipValue() }
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == "usage", cursor.next == .object {
        let found = try UsageObject.read(&cursor)
        if usage.isEmpty { usage = found }
      } else {
        try cursor.skipValue()
      }
    }
  }

  /// Whether the object looks like an API's error: a message with a type or a code.
  private static func readError(_ cursor: inout JSONCursor) throws(DecodeError) -> Bool {
    var hasMessage = false
    var hasKind = false
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == "message" { hasMessage = true }
      if key == "type" || key == "code" { hasKind = true }
      try cursor.skipValue()
    }
    return hasMessage && hasKind
  }

  private mutating func readType(_ text: JSONString?) {
    guard let text else { return }
    if text.bytes.first.map({ 65...90 ~= $0 }) ?? false { marks.insert(.loudType) }
    if text == "message_start" {
      type = .messageStart
      hasTraits = true
    } else if text == "message_delta" {
      type = .messageDelta
      hasTraits = true
      formHint = .messages
    } else if text == "message_stop" {
      type = .messageStop
      hasTraits = true
    } else if text == "message" {
      type = .message
      formHint = .messages
    } else if text.hasPrefix("response.") {
      type = .responses
      hasTraits = true
      formHint = .responses
    } else if text.hasPrefix("content_block") || text == "ping" {
      hasTraits = true
    }
  }

  private mutating func readObject(_ text: JSONString?) {
    guard let text else { return }
    if text == "response" { formHint = .responses }
    if text.hasPrefix("chat.completion") || text == "response" || text == "text_completion" {
      hasTraits = true
    }
  }

  private mutating func readStatus(_ cursor: inout JSONCursor) throws(DecodeError) {
    if cursor.next == .number {
      guard let text = try cursor.numberText(), let value = ExactDecimal(bytes: text)?.scaled(by: 0)
      else { return }
      status = Int64(clamping: value)
    } else if let text = try cursor.string(),
      text == "failed" || text == "error" || text == "failure"
    {
      hasError = true
    }
  }

  mutating func readDuration(_ text: UnsafeRawBufferPointer?, scale: Int) {
    guard let text, let value = ExactDecimal(bytes: text)?.scaledRounding(by: scale), value >= 0
    else { return }
    durationMilliseconds = Int32(clamping: value)
  }
}
