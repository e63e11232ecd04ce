import MimoEngine

/// SGLang's log of requests.
///
/// The id is that of the answer, so that a caller's log of the same call counts once. Times without an
/// offset are taken as UTC.
/// Source: format notes of the project, section 12.
public struct SGLangDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "sglang"
  /// As in `RecordDecoder`.
  public static let title = "SGLang request logs"
  private static let ids = IdentitySpace(name)

  /// A decoder at the beginning of a file.
  public init() {}

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.beginsObject, ByteSearch.contains("\"event\"", in: line),
      ByteSearch.contains("\"request.", in: line)
    else { return .foreign }
    var event: JSONString?
    var id: JSONString?
    var model: JSONString?
    var time: Instant?
    var answers: [Answer] = []
    var cursor = JSONCursor(line)
    try cursor.readObject { key, cursor throws(DecodeError) in
      switch key.count {
      case 3 where key == "rid": id = try cursor.string()?.ifStated
      case 3 where key == "obj":
        try cursor.readObject { key, cursor throws(DecodeError) in
          if key == "model" {
            model = try cursor.string()?.ifStated
          } else {
            try cursor.skipValue()
          }
        }
      case 3 where key == "out":
        if cursor.next == .array {
          try cursor.readObjects { cursor throws(DecodeError) in
            answers.append(try Answer.read(&cursor))
          }
        } else {
          answers.append(try Answer.read(&cursor))
        }
      case 5 where key == "event": event = try cursor.string()
      case 9 where key == "timestamp": time = try LogTime.read(&cursor)
      default: try cursor.skipValue()
      }
    }
    try cursor.expectEnd()
    guard let event, event.hasPrefix("request.") else { return .foreign }
    guard event == "request.finished" else { return .notUsage }
    var records: [UsageRecord] = []
    for (index, answer) in answers.enumerated() {
      var record = UsageRecord(
        time: time ?? output.readTime,
        labels: Labels(model: output.intern(model), source: output.names.intern(Self.name)))
      record.tokens = try answer.counters.tokens(.inside)
      record.tellsCache = answer.counters.tellsCache
      record.failed = answer.isAborted && record.tokens.output == 0
      record.durationMilliseconds = answer.duration
      if let id = answer.id ?? id {
        var identity = Self.ids.identity(ofAnswer: id)
        // Several answers of one request may share its id.
        if index > 0 { identity.message = identity.message.combined(with: UInt64(index)) }
        record.identity = identity
      }
      if !record.tokens.isZero || record.failed { records.append(record) }
    }
    output.records += records
    return records.isEmpty ? .notUsage : .usage
  }

  private struct Answer {
    var id: JSONString?
    var counters = PromptCounters()
    var duration: Int32?
    var isAborted = false

    static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> Answer {
      var answer = Answer()
      try cursor.readObject { key, cursor throws(DecodeError) in
        guard key == "meta_info" else { return try cursor.skipValue() }
        try cursor.readObject { key, cursor throws(DecodeError) in
          switch key.count {
          case 2 where key == "id": answer.id = try cursor.string()?.ifStated
          case 11 where key == "e2e_latency": answer.duration = try cursor.span(decimals: 0)
          case 13 where key == "prompt_tokens": answer.counters.prompt = try cursor.count()
          case 13 where key == "cached_tokens": answer.counters.read = try cursor.count()
          case 13 where key == "finish_reason":
            try cursor.readObject { key, cursor throws(DecodeError) in
              if key == "type" {
                answer.isAborted = try cursor.string().map { $0 == "abort" } ?? false
              } else {
                try cursor.skipValue()
              }
            }
          case 16 where key == "reasoning_tokens": answer.counters.reasoning = try cursor.count()
          case 17 where key == "completion_tokens": answer.counters.output = try cursor.count()
          default: try cursor.skipValue()
          }
        }
      }
      return answer
    }
  }
}
