import MimoEngine

/// OpenTelemetry as JSON, one export request a line: spans of model calls with `gen_ai.*` attributes, and
/// the events of Claude Code.
///
/// In spans the input count holds what was cached, in Claude Code's events it does not. Spans of agents and
/// workflows repeat the sum of their children, metrics repeat everything: they do not count. Claude Code's
/// transcripts have the same calls as its events, without an id in common: read one of the two.
/// Source: format notes of the project, section 11; OpenTelemetry's semantic conventions for generative AI.
public struct TelemetryDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "otel"
  /// As in `RecordDecoder`.
  public static let title = "OpenTelemetry JSON lines"
  fileprivate static let ids = IdentitySpace(name)

  /// A decoder at the beginning of a file.
  public init() {}

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.beginsObject, ByteSearch.contains("\"resource", in: line) else { return .foreign }
    var records: [UsageRecord] = []
    var isOurs = false
    var cursor = JSONCursor(line)
    try cursor.readObject { key, cursor throws(DecodeError) in
      let isSpans = key == "resourceSpans"
      guard isSpans || key == "resourceLogs" || key == "resourceMetrics" else {
        return try cursor.skipValue()
      }
      isOurs = true
      if key == "resourceMetrics" { return try cursor.skipValue() }
      try cursor.readObjects { cursor throws(DecodeError) in
        records += try Self.records(&cursor, areSpans: isSpans, into: &output)
      }
    }
    try cursor.expectEnd()
    output.records += records
    return records.isEmpty ? (isOurs ? .notUsage : .foreign) : .usage
  }

  /// The calls of one resource.
  private static func records(
    _ cursor: inout JSONCursor, areSpans: Bool, into output: inout DecodedLines
  ) throws(DecodeError) -> [UsageRecord] {
    var service: JSONString?
    var scopes: JSONCursor?
    try cursor.readObject { key, cursor throws(DecodeError) in
      if key == "resource" {
        try cursor.readObject { key, cursor throws(DecodeError) in
          guard key == "attributes" else { return try cursor.skipValue() }
          try cursor.readAttributes { name, value throws(DecodeError) in
            if name == "service.name" { service = try value.attributeText() }
          }
        }
      } else {
        if key == "scopeSpans" || key == "scopeLogs" { scopes = cursor }
        try cursor.skipValue()
      }
    }
    var records: [UsageRecord] = []
    try scopes?.readObjects { cursor throws(DecodeError) in
      try cursor.readObject { key, cursor throws(DecodeError) in
        guard key == "spans" || key == "logRecords" else { return try cursor.skipValue() }
        try cursor.readObjects { cursor throws(DecodeError) in
          let record =
            areSpans
            ? try Span.read(&cursor).record(of: service, into: &output)
            : try Event.read(&cursor).record(of: service, into: &output)
          if let record { records.append(record) }
        }
      }
    }
    return records
  }
}

/// A span, if it is of a call to a model.
private struct Span {
  var trace: JSONString?
  var span: JSONString?
  var start: Instant?
  var end: Instant?
  var failed = false
  var operation: JSONString?
  var system: JSONString?
  var address: JSONString?
  var requestModel: JSONString?
  var responseModel: JSONString?
  var answer: JSONString?
  var conversation: JSONString?
  var user: JSONString?
  var counters = PromptCounters()
  var cost: Amount?

  /// Others repeat what their children say. Old instrumentations do not name the operation.
  private static let calls: [StaticString] = [
    "chat", "generate_content", "text_completion", "embeddings",
  ]

  private var isCall: Bool {
    guard let operation else { return system != nil }
    return Self.calls.contains { operation == $0 }
  }

  func record(of service: JSONString?, into output: inout DecodedLines) throws(DecodeError)
    -> UsageRecord?
  {
    guard isCall, let model = responseModel ?? requestModel, failed || !counters.isEmpty else {
      return nil
    }
    var record = UsageRecord(time: start ?? end ?? output.readTime)
    let session = output.intern(conversation)
    record.labels = Labels(
      model: output.intern(model), provider: output.internSeller(named: system, at: address),
      source: output.names.intern(TelemetryDecoder.name), project: output.intern(service),
      session: session, key: output.internKey(user))
    record.conversation = session
    // The conventions put the cached tokens inside; some instrumentations of Anthropic's form do not.
    record.tokens = counters.tokens(usually: .inside)
    record.tellsCache = counters.tellsCache
    record.statedCost = cost
    record.failed = failed
    if let start, let end, end >= start {
      record.durationMilliseconds = Int32(clamping: end.milliseconds - start.milliseconds)
    }
    if let answer {
      record.identity = TelemetryDecoder.ids.identity(ofAnswer: answer)
    } else if let trace, let span {
      record.identity = TelemetryDecoder.ids.identity(span, trace.fingerprint.value)
    }
    return record.tokens.isZero && !failed ? nil : record
  }

  static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> Span {
    var span = Span()
    try cursor.readObject { key, cursor throws(DecodeError) in
      switch key.count {
      case 6 where key == "spanId": span.span = try cursor.string()?.ifStated
      case 6 where key == "status":
        try cursor.readObject { key, cursor throws(DecodeError) in
          guard key == "code" else { return try cursor.skipValue() }
          if cursor.next == .string {
            span.failed = try cursor.string().map { $0 == "STATUS_CODE_ERROR" } ?? false
          } else {
            span.failed = try cursor.numberText().map { $0.elementsEqual("2".utf8) } ?? false
          }
        }
      case 7 where key == "traceId": span.trace = try cursor.string()?.ifStated
      case 10 where key == "attributes":
        try cursor.readAttributes { name, value throws(DecodeError) in
          try span.readAttribute(name, &value)
        }
      case 15 where key == "endTimeUnixNano": span.end = try LogTime.read(&cursor)
      case 17 where key == "startTimeUnixNano": span.start = try LogTime.read(&cursor)
      default: try cursor.skipValue()
      }
    }
    return span
  }

  private mutating func readAttribute(_ name: JSONString, _ value: inout JSONCursor)
    throws(DecodeError)
  {
    guard name.hasPrefix("gen_ai.") else {
      if name == "server.address" { address = try value.attributeText() }
      if name == "user.id" || name == "enduser.id" { user = try value.attributeText() }
      return
    }
    if name == "gen_ai.operation.name" {
      operation = try value.attributeText()
    } else if name == "gen_ai.provider.name" {
      system = try value.attributeText() ?? system
    } else if name == "gen_ai.system" {
      let text = try value.attributeText()
      system = system ?? text
    } else if name == "gen_ai.request.model" {
      requestModel = try value.attributeText()
    } else if name == "gen_ai.response.model" {
      responseModel = try value.attributeText()
    } else if name == "gen_ai.response.id" {
      answer = try value.attributeText()
    } else if name == "gen_ai.conversation.id" {
      conversation = try value.attributeText()
    } else if name == "gen_ai.usage.cost" {
      cost = try value.attributeCost()
    } else if name.hasPrefix("gen_ai.usage.") {
      try readCounter(name, &value)
    }
  }

  /// The names of today, and after each those of older instrumentations.
  private mutating func readCounter(_ name: JSONString, _ value: inout JSONCursor)
    throws(DecodeError)
  {
    if name == "gen_ai.usage.input_tokens" {
      counters.prompt = try value.attributeCount() ?? counters.prompt
    } else if name == "gen_ai.usage.prompt_tokens" {
      let count = try value.attributeCount()
      counters.prompt = counters.prompt ?? count
    } else if name == "gen_ai.usage.output_tokens" {
      counters.output = try value.attributeCount() ?? counters.output
    } else if name == "gen_ai.usage.completion_tokens" {
      let count = try value.attributeCount()
      counters.output = counters.output ?? count
    } else if name == "gen_ai.usage.cache_read.input_tokens"
      || name == "gen_ai.usage.cache_read_input_tokens"
    {
      counters.read = try value.attributeCount() ?? counters.read
    } else if name == "gen_ai.usage.cache_creation.input_tokens"
      || name == "gen_ai.usage.cache_creation_input_tokens"
    {
      counters.written = try value.attributeCount() ?? counters.written
    } else if name == "gen_ai.usage.reasoning.output_tokens"
      || name == "gen_ai.usage.reasoning_tokens"
    {
      counters.reasoning = try value.attributeCount() ?? counters.reasoning
    }
  }
}

/// A log record, if it is Claude Code's event of a call.
private struct Event {
  var time: Instant?
  var isCall = false
  var model: JSONString?
  var session: JSONString?
  var request: JSONString?
  var email: JSONString?
  var user: JSONString?
  var counters = PromptCounters()
  var cost: Amount?
  var duration: Int32?
  var isFast = false

  func record(of service: JSONString?, into output: inout DecodedLines) throws(DecodeError)
    -> UsageRecord?
  {
    guard isCall, let model, !counters.isEmpty else { return nil }
    var record = UsageRecord(time: time ?? output.readTime)
    let name = output.intern(session)
    record.labels = Labels(
      model: output.intern(model), source: output.names.intern(TelemetryDecoder.name),
      project: output.intern(service), session: name, key: output.internKey(email ?? user))
    record.conversation = name
    record.tokens = try counters.tokens(.beside)
    record.tier = isFast ? .fast : .standard
    record.statedCost = cost
    record.durationMilliseconds = duration
    if record.tokens.isZero { return nil }
    record.identity =
      request.map { TelemetryDecoder.ids.identity($0) }
      ?? TelemetryDecoder.ids.identity(
        record.time.number, [session?.fingerprint.value ?? 0] + record.tokens.numbers)
    return record
  }

  static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> Event {
    var event = Event()
    var observed: Instant?
    try cursor.readObject { key, cursor throws(DecodeError) in
      switch key.count {
      case 4 where key == "body":
        let text = try cursor.attributeText()
        event.readName(text)
        try cursor.skipValue()
      case 10 where key == "attributes":
        try cursor.readAttributes { name, value throws(DecodeError) in
          try event.readAttribute(name, &value)
        }
      case 9 where key == "eventName": event.readName(try cursor.string())
      case 12 where key == "timeUnixNano": event.time = try LogTime.read(&cursor)
      case 20 where key == "observedTimeUnixNano": observed = try LogTime.read(&cursor)
      default: try cursor.skipValue()
      }
    }
    event.time = event.time ?? observed
    return event
  }

  private mutating func readName(_ text: JSONString?) {
    guard let text else { return }
    if text == "claude_code.api_request" || text == "api_request" { isCall = true }
  }

  private mutating func readAttribute(_ name: JSONString, _ value: inout JSONCursor)
    throws(DecodeError)
  {
    switch name.count {
    case 5 where name == "model": model = try value.attributeText()
    case 5 where name == "speed":
      isFast = try value.attributeText().map { $0 == "fast" } ?? false
    case 7 where name == "user.id": user = try value.attributeText()
    case 8 where name == "cost_usd": cost = try value.attributeCost()
    case 10 where name == "event.name": readName(try value.attributeText())
    case 10 where name == "session.id": session = try value.attributeText()
    case 10 where name == "request_id": request = try value.attributeText()
    case 10 where name == "user.email": email = try value.attributeText()
    case 11 where name == "duration_ms":
      duration = try value.attributeCount().map { Int32(clamping: $0) }
    case 12 where name == "input_tokens": counters.prompt = try value.attributeCount()
    case 13 where name == "output_tokens": counters.output = try value.attributeCount()
    case 17 where name == "cache_read_tokens": counters.read = try value.attributeCount()
    case 21 where name == "cache_creation_tokens": counters.written = try value.attributeCount()
    default: break
    }
  }
}

/// Attributes: a list of `{"key": ..., "value": {"stringValue": ...}}`. Whole numbers are text.
extension JSONCursor {
  /// Calls `body` with the name of each attribute and a cursor before its value, which need not be read.
  fileprivate mutating func readAttributes(
    _ body: (_ name: JSONString, _ value: inout JSONCursor) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    try readObjects { cursor throws(DecodeError) in
      var name: JSONString?
      var value: JSONCursor?
      try cursor.readObject { key, cursor throws(DecodeError) in
        if key == "key" {
          name = try cursor.string()
        } else {
          if key == "value", cursor.next == .object { value = cursor }
          try cursor.skipValue()
        }
      }
      if let name, var value { try body(name, &value) }
    }
  }

  /// The text of the value at the cursor, which stays there.
  fileprivate func attributeText() throws(DecodeError) -> JSONString? {
    var result: JSONString?
    var cursor = self
    try cursor.readObject { key, cursor throws(DecodeError) in
      if key == "stringValue" {
        result = try cursor.string()?.ifStated
      } else {
        try cursor.skipValue()
      }
    }
    return result
  }

  /// The value at the cursor as a counter.
  fileprivate func attributeCount() throws(DecodeError) -> Int64? {
    var result: Int64?
    var cursor = self
    try cursor.readObject { key, cursor throws(DecodeError) in
      if key == "intValue" || key == "doubleValue" || key == "stringValue" {
        result = try cursor.count()
      } else {
        try cursor.skipValue()
      }
    }
    return result
  }

  /// The value at the cursor as a cost in US dollars.
  fileprivate func attributeCost() throws(DecodeError) -> Amount? {
    var result: Amount?
    var cursor = self
    try cursor.readObject { key, cursor throws(DecodeError) in
      if key == "intValue" || key == "doubleValue" || key == "stringValue" {
        result = try cursor.statedCost()
      } else {
        try cursor.skipValue()
      }
    }
    return result
  }
}
