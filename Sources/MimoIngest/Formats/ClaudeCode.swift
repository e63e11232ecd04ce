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
  fileprivate struct Line {
    var type: JSONString?
    var timestamp: Instant?
    var requestID: JSONString?
    var sessionID: JSONString?
    var project: JSONString?
    var agentID: JSONString?
    var isSidechain = false
    @Seldom var statedCost: Amount?
    var message = Message()
    @Seldom var copy: Copy?
    /// Keys that other writers use too.
    var hasCommonTraits = false
    /// Keys that nobody else writes.
    var hasOwnTraits = false
    /// A line of Qwen Code, whose lines are alike but for this.
    var isForeign = false
  }

  fileprivate struct Message {
    var id: JSONString?
    var model: JSONString?
    /// Empty if there is none.
    var usage = UsageObject()
  }

  fileprivate struct Copy {
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
    var fields = Line()
    try fields.read(line)
    if fields.isForeign { return .foreign }
    let hasTraits = fields.hasOwnTraits || fields.hasCommonTraits
    if !fields.message.usage.isUntouched, isAnswer(fields.type),
      hasTraits || fields.timestamp != nil
    {
      return emitAnswer(&fields, into: &output)
    }
    if hasTraits, let copy = fields.copy, !copy.message.usage.isUntouched {
      return emit(copy, of: &fields, into: &output)
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

  // Lines are large: they are passed in place.
  private func emitAnswer(_ line: inout Line, into output: inout DecodedLines) -> LineKind {
    if line.message.usage.isEmpty { return .notUsage }
    if let model = line.message.model, model == "<synthetic>" { return .notUsage }
    var record = UsageRecord(time: line.timestamp ?? output.readTime)
    let session = output.intern(line.sessionID)
    record.labels = Labels(
      model: output.intern(line.message.model), source: output.internSource(Self.name),
      project: output.intern(line.project), session: session)
    record.conversation = line.agentID == nil ? session : output.intern(line.agentID)
    if let cost = line.statedCost { record.statedCost = cost }
    if let id = line.message.id, id.count > 0 {
      // A file of a sub-agent may repeat its parent's messages under other request ids.
      if let request = line.requestID, request.count > 0, !line.isSidechain {
        record.identity = CallIdentity(
          message: id.fingerprint, request: request.fingerprint.value,
          rank: .request)
      } else {
        record.identity = CallIdentity(message: id.fingerprint)
      }
    }
    record.append(&line.message.usage, as: .messages, to: &output)
    return .usage
  }

  private func emit(
    _ copy: Copy, of line: inout Line, into output: inout DecodedLines
  ) -> LineKind {
    var usage = copy.message.usage
    guard let id = copy.message.id, id.count > 0, !usage.isEmpty,
      copy.message.model.map({ !($0 == "<synthetic>") }) ?? true
    else { return .notUsage }
    var record = UsageRecord(time: copy.timestamp ?? line.timestamp ?? output.readTime)
    let session = output.intern(line.sessionID)
    record.labels = Labels(
      model: output.intern(copy.message.model), source: output.internSource(Self.name),
      project: output.intern(line.project), session: session)
    record.conversation = copy.agentID == nil ? session : output.intern(copy.agentID)
    record.identity = CallIdentity(message: id.fingerprint, rank: .embeddedCopy)
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
}

extension ClaudeCodeDecoder.Line {
  /// Reads a whole line into this one, of which nothing has been read yet.
  fileprivate mutating func read(_ bytes: UnsafeRawBufferPointer) throws(DecodeError) {
    var cursor = JSONCursor(bytes)
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 3 where key == "cwd": project = try cursor.string()
      case 4 where key == "type": type = try cursor.string()
      case 4 where key == "data": copy = try ClaudeCodeDecoder.Copy.read(&cursor)
      case 4 where key == "uuid":
        hasCommonTraits = true
        try cursor.skipValue()
      case 7 where key == "message": try message.read(&cursor)
      case 7 where key == "agentId": agentID = try cursor.string()
      case 7 where key == "costUSD": statedCost = try UsageObject.readCost(&cursor)
      case 9 where key == "timestamp": timestamp = try LogTime.read(&cursor)
      case 9 where key == "requestId":
        hasCommonTraits = true
        requestID = try cursor.string()
      case 9 where key == "sessionId":
        hasCommonTraits = true
        sessionID = try cursor.string()
      case 10 where key == "parentUuid":
        hasOwnTraits = true
        try cursor.skipValue()
      case 11 where key == "isSidechain":
        hasOwnTraits = true
        isSidechain = try cursor.bool() ?? false
      case 13 where key == "usageMetadata":
        isForeign = true
        try cursor.skipValue()
      default: try cursor.skipValue()
      }
    }
    try cursor.expectEnd()
  }
}

extension ClaudeCodeDecoder.Message {
  /// Reads the object at the cursor, if it is one; a later one replaces what was read before.
  fileprivate mutating func read(_ cursor: inout JSONCursor) throws(DecodeError) {
    guard cursor.next == .object else { return try cursor.skipValue() }
    if !usage.isUntouched { self = Self() }
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 2 where key == "id": id = try cursor.string()
      case 5 where key == "model": model = try cursor.string()
      case 5 where key == "usage" && cursor.next == .object:
        if !usage.isUntouched { usage = UsageObject() }
        try usage.read(from: &cursor)
      default: try cursor.skipValue()
      }
    }
  }
}

extension ClaudeCodeDecoder.Copy {
  /// Reads `data.message.message` of a progress line, which quotes an answer of a sub-agent.
  fileprivate static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> Self? {
    guard cursor.next == .object else {
      try cursor.skipValue()
      return nil
    }
    var copy: Self?
    var agentID: JSONString?
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == "agentId" {
        agentID = try cursor.string()
      } else if key == "message", cursor.next == .object {
        var found = Self(message: ClaudeCodeDecoder.Message())
        try cursor.beginObject()
        while let key = try cursor.nextKey() {
          if key == "timestamp" {
            found.timestamp = try LogTime.read(&cursor)
          } else if key == "message" {
            try found.message.read(&cursor)
          } else {
            try cursor.skipValue()
          }
        }
        copy = found
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
    _ usage: inout UsageObject, as form: UsageObject.Form, to output: inout DecodedLines
  ) {
    take(&usage, as: form)
    output.records.append(self)
    if usage.hasRare { output.appendHidden(in: &usage) }
  }

  /// Takes the counters of `usage`, as in `UsageObject.reading`.
  mutating func take(
    _ usage: inout UsageObject, as form: UsageObject.Form, isGoogle: Bool = false,
    tellsNull: Bool = false
  ) {
    let reading = usage.reading(as: form, isGoogle: isGoogle, tellsNull: tellsNull)
    tokens = reading.tokens
    tellsCache = reading.tellsCache
    tier = usage.tier ?? tier
    guard usage.hasRare else { return }
    if !usage.quantities.isEmpty { quantities = usage.besideText }
    // With the caller's own key a router charges nothing: the real cost is the upstream one.
    if let cost = usage.isOwnKey ? usage.upstreamCost : usage.cost { statedCost = cost }
  }
}

extension DecodedLines {
  /// Adds a record for each hidden call inside the answer of the last record.
  mutating func appendHidden(in usage: inout UsageObject) {
    guard let visible = records.last else { return }
    for (index, var iteration) in usage.iterations.enumerated() {
      var hidden = visible
      let reading = iteration.usage.reading(as: .messages)
      hidden.tokens = reading.tokens
      hidden.statedCost = nil
      hidden.quantities = iteration.usage.besideText
      hidden.conversation = .none
      if let model = iteration.model { hidden.labels.model = intern(model) }
      if let identity = visible.identity {
        hidden.identity?.message = identity.message.combined(with: UInt64(index) + 1)
      }
      records.append(hidden)
    }
  }
}
