import MimoEngine

/// OpenClaw's and pi's sessions: `agents/AGENT/sessions/*.jsonl`, `~/.pi/agent/sessions/*/*.jsonl`.
///
/// Cached tokens are beside the input. Ids of lines are short, so that only together with their time they
/// tell calls of different sessions apart; archived and forked sessions copy both.
/// Source: format notes of the project, section 5.
public struct OpenClawDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "openclaw"
  /// As in `RecordDecoder`.
  public static let title = "OpenClaw and pi sessions"
  /// Lines name neither their session nor, always, their model.
  public static let readsInOrder = true

  private static let ids = IdentitySpace(name)

  private var session = NameID.none
  private var project = NameID.none
  private var model = NameID.none
  private var provider = NameID.none
  private var hasHeader = false

  /// A decoder at the beginning of a file.
  public init() {}

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.beginsObject, hasHeader || Self.mayBeOurs(line) else { return .foreign }
    var cursor = JSONCursor(line)
    let entry = try Entry.read(&cursor)
    try cursor.expectEnd()
    guard let type = entry.type else { return .foreign }
    if type == "message", let message = entry.message, message.hasRole {
      return emit(message, of: entry, into: &output)
    } else if type == "session", entry.isHeader {
      hasHeader = true
      session = output.intern(entry.id)
      project = output.intern(entry.folder)
    } else if type == "model_change" || (type == "custom" && entry.choice != nil) {
      if let choice = entry.choice {
        model = output.intern(choice.model)
        provider = output.internSeller(choice.provider)
      }
    } else if !Self.otherTypes.contains(where: { type == $0 }) {
      // Kinds to come have a place in the tree of entries too.
      return hasHeader && entry.hasParent ? .notUsage : .foreign
    } else if !hasHeader {
      return .foreign
    }
    return .notUsage
  }

  private static let otherTypes: [StaticString] = [
    "branch_summary", "compaction", "custom", "custom_message", "label", "session", "session_info",
    "thinking_level_change",
  ]

  private static func mayBeOurs(_ line: UnsafeRawBufferPointer) -> Bool {
    ByteSearch.contains("\"message\"", in: line) || ByteSearch.contains("\"session\"", in: line)
      || ByteSearch.contains("\"model_change\"", in: line)
      || ByteSearch.contains("\"model-snapshot\"", in: line)
  }

  private func emit(_ message: Message, of entry: Entry, into output: inout DecodedLines)
    -> LineKind
  {
    guard message.isAssistant, let counters = message.counters else {
      return hasHeader || message.isAssistant ? .notUsage : .foreign
    }
    let time = entry.time ?? message.time ?? output.readTime
    var record = UsageRecord(time: time)
    record.labels = Labels(
      model: message.model.map { output.intern($0) } ?? model,
      provider: message.provider.map { output.internSeller($0) } ?? provider,
      source: output.names.intern(Self.name), project: project, session: session)
    record.conversation = session
    record.tokens = counters.tokens(usually: .beside)
    record.statedCost = message.cost
    record.failed = message.failed
    // What was aborted before it began, and messages that no model wrote.
    if record.tokens.isZero, !record.failed { return .notUsage }
    record.identity =
      entry.id.map { Self.ids.identity($0, time.number) }
      ?? Self.ids.identity(time.number, record.tokens.numbers)
    output.records.append(record)
    return .usage
  }
}

/// What is taken from a line.
private struct Entry {
  var type: JSONString?
  var id: JSONString?
  var time: Instant?
  var folder: JSONString?
  /// The model and its seller, of a line that says which is used from here on.
  var choice: (model: JSONString, provider: JSONString?)?
  var message: Message?
  var isHeader = false
  var hasParent = false

  static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> Entry {
    var entry = Entry()
    var model: JSONString?
    var provider: JSONString?
    var isSnapshot = true
    try cursor.readObject { key, cursor throws(DecodeError) in
      switch key.count {
      case 2 where key == "id": entry.id = try cursor.string()?.ifStated
      case 3 where key == "cwd":
        entry.isHeader = true
        entry.folder = try cursor.string()
      case 4 where key == "type": entry.type = try cursor.string()
      case 4 where key == "data":
        try cursor.readObject { key, cursor throws(DecodeError) in
          if key == "modelId" {
            model = try cursor.string()?.ifStated
          } else if key == "provider" {
            provider = try cursor.string()?.ifStated
          } else {
            try cursor.skipValue()
          }
        }
      case 7 where key == "message":
        if cursor.next == .object {
          entry.message = try Message.read(&cursor)
        } else {
          try cursor.skipValue()
        }
      case 7 where key == "modelId": model = try cursor.string()?.ifStated
      case 7 where key == "version":
        entry.isHeader = true
        try cursor.skipValue()
      case 8 where key == "parentId":
        entry.hasParent = true
        try cursor.skipValue()
      case 8 where key == "provider": provider = try cursor.string()?.ifStated
      case 9 where key == "timestamp": entry.time = try LogTime.read(&cursor)
      case 10 where key == "customType":
        isSnapshot = try cursor.string().map { $0 == "model-snapshot" } ?? false
      default: try cursor.skipValue()
      }
    }
    if let model, isSnapshot { entry.choice = (model, provider) }
    return entry
  }
}

private struct Message {
  var hasRole = false
  var isAssistant = false
  var model: JSONString?
  var provider: JSONString?
  var time: Instant?
  var counters: PromptCounters?
  var cost: Amount?
  var failed = false

  static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> Message {
    var message = Message()
    try cursor.readObject { key, cursor throws(DecodeError) in
      switch key.count {
      case 4 where key == "role":
        message.hasRole = true
        message.isAssistant = try cursor.string().map { $0 == "assistant" } ?? false
      case 5 where key == "model": message.model = try cursor.string()?.ifStated
      case 5 where key == "usage": try message.readUsage(&cursor)
      case 8 where key == "provider": message.provider = try cursor.string()?.ifStated
      case 9 where key == "timestamp": message.time = try LogTime.read(&cursor)
      case 10 where key == "stopReason":
        message.failed = try cursor.string().map { $0 == "error" } ?? false
      default: try cursor.skipValue()
      }
    }
    return message
  }

  private mutating func readUsage(_ cursor: inout JSONCursor) throws(DecodeError) {
    var counters = PromptCounters()
    var isOurs = false
    try cursor.readObject { key, cursor throws(DecodeError) in
      switch key.count {
      case 4 where key == "cost":
        try cursor.readObject { key, cursor throws(DecodeError) in
          if key == "total" { cost = try cursor.statedCost() } else { try cursor.skipValue() }
        }
      case 5 where key == "input":
        isOurs = true
        counters.prompt = try cursor.count()
      case 6 where key == "output":
        isOurs = true
        counters.output = try cursor.count()
      case 9 where key == "cacheRead": counters.read = try cursor.count()
      case 9 where key == "reasoning": counters.reasoning = try cursor.count()
      case 10 where key == "cacheWrite": counters.written = try cursor.count()
      case 12 where key == "cacheWrite1h": counters.writtenForHour = try cursor.count()
      default: try cursor.skipValue()
      }
    }
    if isOurs { self.counters = counters }
  }
}
