import MimoEngine

/// Sessions of Gemini CLI as one document: `tmp/PROJECT/chats/session-*.json`, an object with `messages`.
///
/// Source: format notes of the project, section 10.
enum GeminiCLIDocument: DocumentDecoder {
  static let name = "gemini-cli"
  static let title = "Gemini CLI sessions"

  static func decode(_ document: Document, into output: inout DecodedLines) throws(DecodeError)
    -> LineTally?
  {
    guard document.opening == UInt8(ascii: "{"),
      ByteSearch.contains("\"sessionId\"", in: document.bytes)
    else { return nil }
    var tally = LineTally()
    var messages: [GeminiCLIMessage] = []
    var session: JSONString?
    var project: JSONString?
    var isOurs = false
    var cursor = JSONCursor(document.bytes)
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == "sessionId" {
        session = try cursor.string()
      } else if key == "projectHash" {
        isOurs = true
        project = try cursor.string()
      } else if key == "messages", cursor.next == .array {
        try Document.forEachElement(&cursor, &tally) { element throws(DecodeError) in
          let message = try GeminiCLIMessage.read(&element)
          isOurs = isOurs || message.isAnswer
          guard message.isAnswer, message.tokens != nil else { return .notUsage }
          messages.append(message)
          return .usage
        }
      } else {
        try cursor.skipValue()
      }
    }
    try cursor.expectEnd()
    guard isOurs else { return nil }
    let sessionID = output.intern(session)
    let projectID = output.intern(project)
    for message in messages {
      let record = message.record(
        session: session?.fingerprint, labels: (sessionID, projectID), into: &output)
      if let record { output.records.append(record) }
    }
    return tally
  }
}

/// Gemini CLI sessions as lines: `tmp/PROJECT/chats/session-*.jsonl`, the first of which names the session.
///
/// Source: format notes of the project, section 10.
public struct GeminiCLIDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = GeminiCLIDocument.name
  /// As in `RecordDecoder`.
  public static let title = GeminiCLIDocument.title
  /// The first line names the session of all others.
  public static let readsInOrder = true

  private var session: Fingerprint?
  private var sessionName = NameID.none
  private var project = NameID.none

  /// A decoder at the beginning of a file.
  public init() {}

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.beginsObject else { return .foreign }
    let mayBeMessage = ByteSearch.contains("\"tokens\"", in: line)
    guard mayBeMessage || session != nil || ByteSearch.contains("\"projectHash\"", in: line)
    else { return .foreign }
    var id: JSONString?
    var folder: JSONString?
    var updates: JSONCursor?
    var isOurs = false
    var cursor = JSONCursor(line)
    try cursor.readObject { key, cursor throws(DecodeError) in
      switch key.count {
      case 4 where key == "$set":
        updates = cursor
        try cursor.skipValue()
      case 4 where key == "type":
        isOurs = try cursor.string().map { type in Self.types.contains { type == $0 } } ?? false
      case 9 where key == "$rewindTo":
        isOurs = true
        try cursor.skipValue()
      case 9 where key == "sessionId": id = try cursor.string()?.ifStated
      case 11 where key == "projectHash": folder = try cursor.string()?.ifStated
      default: try cursor.skipValue()
      }
    }
    try cursor.expectEnd()
    if let id, let folder {
      session = id.fingerprint
      sessionName = output.intern(id)
      project = output.intern(folder)
      return .notUsage
    }
    var records: [UsageRecord] = []
    if var updates, session != nil {
      // What the first line says is updated by lines of their own, which may hold messages again.
      isOurs = true
      try updates.readObject { key, cursor throws(DecodeError) in
        guard key == "messages" else { return try cursor.skipValue() }
        try cursor.readObjects { cursor throws(DecodeError) in
          if let record = try record(of: &cursor, into: &output) { records.append(record) }
        }
      }
    } else if mayBeMessage {
      var message = JSONCursor(line)
      if let record = try record(of: &message, into: &output) { records.append(record) }
    }
    output.records += records
    return !records.isEmpty ? .usage : session != nil && isOurs ? .notUsage : .foreign
  }

  private static let types: [StaticString] = ["user", "gemini", "info", "warning", "error"]

  private func record(of cursor: inout JSONCursor, into output: inout DecodedLines)
    throws(DecodeError) -> UsageRecord?
  {
    try GeminiCLIMessage.read(&cursor).record(
      session: session, labels: (sessionName, project), into: &output)
  }
}

/// One message of a Gemini CLI session, in a document or on a line of its own.
///
/// What was cached is inside the input; thoughts and the prompts of tools stand beside input and output.
/// A message is written again under the same id while its answer grows.
struct GeminiCLIMessage {
  /// The id; unique in its session.
  var id: JSONString?
  /// Whether the model said it.
  var isAnswer = false
  /// What was billed; `nil` as long as that is not known.
  var tokens: TokenCounts?
  private var time: Instant?
  private var model: JSONString?

  /// Reads the object that comes next.
  static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> GeminiCLIMessage {
    var message = GeminiCLIMessage()
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 2 where key == "id": message.id = try cursor.string()
      case 4 where key == "type":
        message.isAnswer = try cursor.string().map { $0 == "gemini" } ?? false
      case 5 where key == "model": message.model = try cursor.string()
      case 6 where key == "tokens" && cursor.next == .object:
        message.tokens = try readTokens(&cursor)
      case 9 where key == "timestamp": message.time = try LogTime.read(&cursor)
      default: try cursor.skipValue()
      }
    }
    return message
  }

  private static func readTokens(_ cursor: inout JSONCursor) throws(DecodeError) -> TokenCounts? {
    var input: Int64 = 0
    var cached: Int64 = 0
    var tool: Int64 = 0
    var output: Int64 = 0
    var thoughts: Int64 = 0
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 4 where key == "tool": tool = try cursor.count() ?? 0
      case 5 where key == "input": input = try cursor.count() ?? 0
      case 6 where key == "output": output = try cursor.count() ?? 0
      case 6 where key == "cached": cached = try cursor.count() ?? 0
      case 8 where key == "thoughts": thoughts = try cursor.count() ?? 0
      default: try cursor.skipValue()
      }
    }
    cached = min(cached, input)
    let tokens = TokenCounts(
      input: input - cached + tool, cacheRead: cached, output: output + thoughts,
      reasoning: thoughts)
    return tokens.isZero ? nil : tokens
  }

  /// The call of an answer; `nil` if nothing was billed for it.
  ///
  /// - Parameter session: the fingerprint of the session's id, which makes the message's id unique.
  /// - Parameter labels: the session and the project.
  func record(
    session: Fingerprint?, labels: (session: NameID, project: NameID),
    into output: inout DecodedLines
  ) -> UsageRecord? {
    guard isAnswer, let tokens else { return nil }
    var record = UsageRecord(time: time ?? output.readTime)
    record.labels = Labels(
      model: output.intern(model), source: output.names.intern(GeminiCLIDocument.name),
      project: labels.project, session: labels.session)
    record.conversation = labels.session
    record.tokens = tokens
    if let id, id.count > 0 {
      let place = session ?? Fingerprint(of: GeminiCLIDocument.name)
      record.identity = CallIdentity(message: place.combined(with: id.fingerprint.value))
    }
    return record
  }
}
