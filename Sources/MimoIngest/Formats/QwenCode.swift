import MimoEngine

/// Qwen Code's sessions: `~/.qwen/projects/PROJECT/chats/*.jsonl`.
///
/// Lines look like Claude Code's; usage is in the Gemini form.
/// Source: format notes of the project, section 10.
public struct QwenCodeDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "qwen-code"
  /// As in `RecordDecoder`.
  public static let title = "Qwen Code sessions"
  private static let ids = IdentitySpace(name)

  /// A decoder at the beginning of a file.
  public init() {}

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.beginsObject, ByteSearch.contains("\"usageMetadata\"", in: line),
      ByteSearch.contains("\"sessionId\"", in: line)
    else { return .foreign }
    var id: JSONString?
    var model: JSONString?
    var session: JSONString?
    var project: JSONString?
    var time: Instant?
    var usage: GeminiUsage?
    var isAnswer = false
    var cursor = JSONCursor(line)
    try cursor.readObject { key, cursor throws(DecodeError) in
      switch key.count {
      case 3 where key == "cwd": project = try cursor.string()
      case 4 where key == "type": isAnswer = try cursor.string().map { $0 == "assistant" } ?? false
      case 4 where key == "uuid": id = try cursor.string()?.ifStated
      case 5 where key == "model": model = try cursor.string()
      case 9 where key == "sessionId": session = try cursor.string()?.ifStated
      case 9 where key == "timestamp": time = try LogTime.read(&cursor)
      case 13 where key == "usageMetadata" && cursor.next == .object:
        usage = try GeminiUsage.read(&cursor)
      default: try cursor.skipValue()
      }
    }
    try cursor.expectEnd()
    guard let session, let id, isAnswer else { return .foreign }
    guard let usage, !usage.tokens.isZero else { return .notUsage }
    let name = output.intern(session)
    var record = UsageRecord(
      time: time ?? output.readTime,
      identity: Self.ids.identity(id, session.fingerprint.value),
      labels: Labels(
        model: output.intern(model), source: output.names.intern(Self.name),
        project: output.intern(project), session: name))
    record.conversation = name
    record.tokens = usage.tokens
    record.quantities = usage.quantities
    output.records.append(record)
    return .usage
  }
}
