import MimoEngine

/// Claude Code transcripts: `PROJECT/SESSION.jsonl` and the files of sub-agents beside them.
///
/// An answer is written several times while it streams, copied into sub-agents and resumed sessions, and
/// quoted in `progress` lines; `toolUseResult.usage` repeats it as a sum. Only `message.usage` of an
/// answer counts, once.
/// Source: format notes of the project, section 1.
public struct ClaudeCodeDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "claude-code"

  /// As in `RecordDecoder`.
  public static let title = "Claude Code transcripts"
  /// As in `RecordDecoder`.
  public init() {}

  /// What is taken from a line, at its top level or inside a `progress` copy.
  private struct Line {
    var type: JSONString?
    var timestamp: Instant?
    var requestID: JSONString?
    var sessionID: JSONString?
    var project: JSONString?
    var agentID: JSONString?
    var isSidechain = false
    var statedCost: Amount?
    var message: Message?
    var copy: Copy?
    /// Keys that other writers use too.
    var hasCommonTraits = false
    /// Keys that nobody else writes.
    var hasOwnTraits = false
    /// A line of Qwen Code, whose lines are alike but for this.
    var isForeign = false
  }

  private struct Message {
    var id: JSONString?
    var model: JSONString?
    var usage: UsageObject?
  }

  private struct Copy {
    var timestamp: Instant?
    var agentID: JSONString?
    var message: Message
  }

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.first(where: { $0 > 32 }) == UInt8(ascii: "{") else { return .foreign }
    // Nine of ten bytes of a transcript are prompts and tool results: one search skips them.
    guard ByteSearch.contains("\"usage\"", in: line) else {
      return try isTranscript(line) ? .notUsage : .foreign
    }
    let fields = try read(line)
    if fields.isForeign { return .foreign }
    let hasTraits = fields.hasOwnTraits || fields.hasCommonTraits
    if let message = fields.message, let usage = message.usage, isAnswer(fields.type),
      hasTraits || fields.timestamp != nil
    {
      return emit(message, usage, of: fields, into: &output)
    }
    if hasTraits, let copy = fields.copy, let usage = copy.message.usage {
      return emit(copy, usage, of: fields, into: &output)
    }
    // A caller's envelope may have a request or session id too, and an answer in it.
    let isKnownType = fields.type.map { type in Self.lineTypes.contains { type == $0 } } ?? false
    return fields.hasOwnTraits || (isKnownType && fields.hasCommonTraits) ? .notUsage : .foreign
  }

  /// Very old and foreign writers leave `type` out.
  private func isAnswer(_ type: JSONString?) -> Bool {
    guard let type else { return true }
    return type == "assistant"
  }

  private func emit(
    _ message: Message, _ usage: UsageObject, of line: Line, into output: inout DecodedLines
  ) -> LineKind {
    if usage.isEmpty { return .notUsage }
    if let model = message.model, model == "<synthetic>" { return .notUsage }
    var record = UsageRecord(time: line.timestamp ?? output.readTime)
    let session = output.intern(line.sessionID)
    record.labels = Labels(
      model: output.intern(message.model), source: output.names.intern(Self.name),
      project: output.intern(line.project), session: session)
    record.conversation = line.agentID == nil ? session : output.intern(line.agentID)
    record.statedCost = line.statedCost
    if let id = message.id, id.count > 0 {
      // A file of a sub-agent may repeat its parent's messages under other request ids.
      if let request = line.requestID, request.count > 0, !line.isSidechain {
        record.identity = CallIdentity(
          message: id.fingerprint, request: request.fingerprint.value,
          rank: .request)
      } else {
        record.identity = CallIdentity(message: id.fingerprint)
      }
    }
    var usage = usage
    record.append(&usage, as: .messages, to: &output)
    return .usage
  }

  private func emit(
    _ copy: Copy, _ usage: UsageObject, of line: Line, into output: inout DecodedLines
  ) -> LineKind {
    guard let id = copy.message.id, id.count > 0, !usage.isEmpty,
      copy.message.model.map({ !($0 == "<synthetic>") }) ?? true
    else { return .notUsage }
    var record = UsageRecord(time: copy.timestamp ?? line.timestamp ?? output.readTime)
    let session = output.intern(line.sessionID)
    record.labels = Labels(
      model: output.intern(copy.message.model), source: output.names.intern(Self.name),
      project: output.intern(line.project), session: session)
    record.conversation = copy.agentID == nil ? session : output.intern(copy.agentID)
    record.identity = CallIdentity(message: id.fingerprint, rank: .embeddedCopy)
    var usage = usage
    record.append(&usage, as: .messages, to: &output)
    return .usage
  }

  // MARK: - Reading

  /// A line without usage belongs to the format if its first keys say so; the rest need not be read.
  private func isTranscript(_ line: UnsafeRawBufferPointer) throws(DecodeError) -> Bool {
    let trimmed = line.last { $0 > 32 }
    guard trimmed == UInt8(ascii: "}") else {
      throw .malformed(at: line.count, "the text ends inside an object")
    }
    var cursor = JSONCursor(line)
    try cursor.beginObject()
    var looked = 0
    var isOurs = false
    while let key = try cursor.nextKey() {
      if key == "type" {
        let type = try cursor.string()
        // Qwen Code's answers look the same; nobody else's come without usage.
        if let type, type == "assistant", ByteSearch.contains("\"usageMetadata\"", in: line) {
          return false
        }
        if let type, Self.lineTypes.contains(where: { type == $0 }) { return true }
      } else {
        isOurs = isOurs || Self.ownKeys.contains { key == $0 }
        try cursor.skipValue()
      }
      looked += 1
      if looked > 16 { return isOurs }
    }
    return isOurs
  }

  private static let lineTypes: [StaticString] = [
    "user", "assistant", "system", "summary", "progress", "file-history-snapshot", "attachment",
    "queue-operation",
  ]
  private static let ownKeys: [StaticString] = ["parentUuid", "leafUuid", "isSidechain"]

  private func read(_ bytes: UnsafeRawBufferPointer) throws(DecodeError) -> Line {
    var line = Line()
    var cursor = JSONCursor(bytes)
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 3 where key == "cwd": line.project = try cursor.string()
      case 4 where key == "type": line.type = try cursor.string()
      case 4 where key == "data": line.copy = try Self.readProgress(&cursor)
      case 4 where key == "uuid":
        line.hasCommonTraits = true
        try cursor.skipValue()
      case 7 where key == "message": line.message = try Self.readMessage(&cursor)
      case 7 where key == "agentId": line.agentID = try cursor.string()
      case 7 where key == "costUSD": line.statedCost = try UsageObject.readCost(&cursor)
      case 9 where key == "timestamp": line.timestamp = try LogTime.read(&cursor)
      case 9 where key == "requestId":
        line.hasCommonTraits = true
        line.requestID = try cursor.string()
      case 9 where key == "sessionId":
        line.hasCommonTraits = true
        line.sessionID = try cursor.string()
      case 10 where key == "parentUuid":
        line.hasOwnTraits = true
        try cursor.skipValue()
      case 11 where key == "isSidechain":
        line.hasOwnTraits = true
        line.isSidechain = try cursor.bool() ?? false
      case 13 where key == "usageMetadata":
        line.isForeign = true
        try cursor.skipValue()
      default: try cursor.skipValue()
      }
    }
    try cursor.expectEnd()
    return line
  }

  private static func readMessage(_ cursor: inout JSONCursor) throws(DecodeError) -> Message? {
    guard cursor.next == .object else {
      try cursor.skipValue()
      return nil
    }
    var message = Message()
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 2 where key == "id": message.id = try cursor.string()
      case 5 where key == "model": message.model = try cursor.string()
      case 5 where key == "usage" && cursor.next == .object:
        message.usage = try UsageObject.read(&cursor)
      default: try cursor.skipValue()
      }
    }
    return message
  }

  /// `data.message.message` of a progress line quotes an answer of a sub-agent.
  private static func readProgress(_ cursor: inout JSONCursor) throws(DecodeError) -> Copy? {
    guard cursor.next == .object else {
      try cursor.skipValue()
      return nil
    }
    var copy: Copy?
    var agentID: JSONString?
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == "agentId" {
        agentID = try cursor.string()
      } else if key == "message", cursor.next == .object {
        var timestamp: Instant?
        var message: Message?
        try cursor.beginObject()
        while let key = try cursor.nextKey() {
          if key == "timestamp" {
            timestamp = try LogTime.read(&cursor)
          } else if key == "message" {
            message = try readMessage(&cursor)
          } else {
            try cursor.skipValue()
          }
        }
        if let message { copy = Copy(timestamp: timestamp, message: message) }
      } else {
        try cursor.skipValue()
      }
    }
    copy?.agentID = agentID
    return copy
  }
}

extension UsageRecord {
  /// Adds this record with the counters of `usage`, and one more for each hidden call inside the answer.
  mutating func append(
    _ usage: inout UsageObject, as form: UsageObject.Form, isGoogle: Bool = false,
    tellsNull: Bool = false,
    to output: inout DecodedLines
  ) {
    let reading = usage.reading(as: form, isGoogle: isGoogle, tellsNull: tellsNull)
    tokens = reading.tokens
    tellsCache = reading.tellsCache
    tier = usage.tier ?? tier
    if !usage.quantities.isEmpty { quantities = usage.besideText }
    // With the caller's own key a router charges nothing: the real cost is the upstream one.
    if let cost = usage.isOwnKey ? usage.upstreamCost : usage.cost { statedCost = cost }
    output.records.append(self)
    if usage.iterations.isEmpty { return }
    for (index, var iteration) in usage.iterations.enumerated() {
      var hidden = self
      let reading = iteration.usage.reading(as: .messages)
      hidden.tokens = reading.tokens
      hidden.statedCost = nil
      hidden.quantities = iteration.usage.besideText
      hidden.conversation = .none
      if let model = iteration.model { hidden.labels.model = output.intern(model) }
      if let identity {
        hidden.identity?.message = identity.message.combined(with: UInt64(index) + 1)
      }
      output.records.append(hidden)
    }
  }
}
