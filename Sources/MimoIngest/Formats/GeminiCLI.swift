import MimoEngine

/// Gemini CLI sessions that are lines: `chats/session-*.jsonl`.
///
/// A message is written again under its id while it grows. Older versions rewrite one document instead;
/// its messages are read by `GeminiCLIMessage` too, and have the same identities.
/// Source: format notes of the project, section 10.
public struct GeminiCLIDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "gemini-cli"
  /// As in `RecordDecoder`.
  public static let title = "Gemini CLI sessions"
  /// The first line names the session of all others.
  public static let readsInOrder = true

  private var session: GeminiCLISession?

  /// A decoder at the beginning of a file.
  public init() {}

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.beginsObject else { return .foreign }
    let isMessage = ByteSearch.contains("\"tokens\"", in: line)
    guard isMessage || session != nil || ByteSearch.contains("\"projectHash\"", in: line) else {
      return .foreign
    }
    var header = GeminiCLISession()
    var message = GeminiCLIMessage()
    var updates: JSONCursor?
    var isUpdate = false
    var cursor = JSONCursor(line)
    try cursor.readObject { key, cursor throws(DecodeError) in
      if key == "$set" || key == "$rewindTo" {
        isUpdate = true
        updates = key == "$set" ? cursor : updates
        try cursor.skipValue()
      } else if try !header.read(key, &cursor, into: &output) {
        try message.read(key, &cursor)
      }
    }
    try cursor.expectEnd()
    if header.isComplete {
      session = header
      return .notUsage
    }
    if isUpdate { return try decode(updates, into: &output) }
    if let record = try message.record(in: session ?? GeminiCLISession(), into: &output) {
      output.records.append(record)
      return .usage
    }
    return message.isKnown && session != nil ? .notUsage : .foreign
  }

  /// An update of what the first line says; it may hold messages again.
  private func decode(_ updates: JSONCursor?, into output: inout DecodedLines) throws(DecodeError)
    -> LineKind
  {
    guard let session else { return .foreign }
    guard var updates else { return .notUsage }
    var records: [UsageRecord] = []
    try updates.readObject { key, cursor throws(DecodeError) in
      guard key == "messages" else { return try cursor.skipValue() }
      records += try GeminiCLIMessage.records(&cursor, in: session, into: &output)
    }
    output.records += records
    return records.isEmpty ? .notUsage : .usage
  }
}

/// What the messages of a session share.
struct GeminiCLISession: Sendable {
  /// A number for the session's id; 0 if it is not stated.
  private(set) var number: UInt64 = 0
  private(set) var name = NameID.none
  private(set) var project = NameID.none

  /// Whether the lines so far name a session and its project, as only the head of a session does.
  var isComplete: Bool { number != 0 && project != .none }

  /// Takes a key of the session's head; `false`, with the value unread, if it is none.
  mutating func read(_ key: JSONString, _ cursor: inout JSONCursor, into output: inout DecodedLines)
    throws(DecodeError) -> Bool
  {
    if key == "sessionId" {
      guard let text = try cursor.string()?.ifStated else { return true }
      number = text.fingerprint.value
      name = output.intern(text)
    } else if key == "projectHash" {
      project = output.intern(try cursor.string())
    } else {
      return false
    }
    return true
  }
}

/// A message of a Gemini CLI session: cached tokens are inside the input, thoughts and tool prompts beside.
struct GeminiCLIMessage {
  private static let ids = IdentitySpace(GeminiCLIDecoder.name)

  private var id: JSONString?
  private var model: JSONString?
  private var time: Instant?
  private var isAnswer = false
  private var counters: PromptCounters?
  private var toolPrompt: Int64 = 0
  /// Whether the object has a type, as all messages do.
  private(set) var isKnown = false

  /// Takes a key of the message; others are skipped.
  mutating func read(_ key: JSONString, _ cursor: inout JSONCursor) throws(DecodeError) {
    switch key.count {
    case 2 where key == "id": id = try cursor.string()?.ifStated
    case 4 where key == "type":
      isKnown = true
      isAnswer = try cursor.string().map { $0 == "gemini" } ?? false
    case 5 where key == "model": model = try cursor.string()
    case 6 where key == "tokens": try readTokens(&cursor)
    case 9 where key == "timestamp": time = try LogTime.read(&cursor)
    default: try cursor.skipValue()
    }
  }

  /// The call the message is the answer of; `nil` if it is none.
  func record(in session: GeminiCLISession, into output: inout DecodedLines) throws(DecodeError)
    -> UsageRecord?
  {
    guard isAnswer, let counters else { return nil }
    var record = UsageRecord(time: time ?? output.readTime)
    record.labels = Labels(
      model: output.intern(model), source: output.names.intern(GeminiCLIDecoder.name),
      project: session.project, session: session.name)
    record.conversation = session.name
    record.tokens = try counters.tokens(.inside)
    record.tokens.input += toolPrompt
    record.tellsCache = counters.tellsCache
    record.identity = id.map { Self.ids.identity($0, session.number) }
    return record.tokens.isZero ? nil : record
  }

  /// The calls in a list of messages.
  static func records(
    _ cursor: inout JSONCursor, in session: GeminiCLISession, into output: inout DecodedLines
  ) throws(DecodeError) -> [UsageRecord] {
    var records: [UsageRecord] = []
    try cursor.readObjects { cursor throws(DecodeError) in
      var message = GeminiCLIMessage()
      try cursor.readObject { key, cursor throws(DecodeError) in try message.read(key, &cursor) }
      if let record = try message.record(in: session, into: &output) { records.append(record) }
    }
    return records
  }

  private mutating func readTokens(_ cursor: inout JSONCursor) throws(DecodeError) {
    var counters = PromptCounters()
    var output: Int64?
    try cursor.readObject { key, cursor throws(DecodeError) in
      switch key.count {
      case 4 where key == "tool": toolPrompt = try cursor.count() ?? 0
      case 5 where key == "input": counters.prompt = try cursor.count()
      case 6 where key == "output": output = try cursor.count()
      case 6 where key == "cached": counters.read = try cursor.count()
      case 8 where key == "thoughts": counters.reasoning = try cursor.count()
      default: try cursor.skipValue()
      }
    }
    guard counters.prompt != nil || output != nil else { return }
    counters.output = (output ?? 0) + (counters.reasoning ?? 0)
    self.counters = counters
  }
}
