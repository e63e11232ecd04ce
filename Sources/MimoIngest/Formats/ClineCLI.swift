import MimoEngine

/// Sessions of Cline's command line: `sessions/ID/ID.messages.json`, one object with an array of messages.
///
/// `inputTokens` is the whole prompt. Source: format notes of the project, section 8.
enum ClineCLI: DocumentDecoder {
  static let name = "cline-cli"
  static let title = "Cline CLI sessions"

  static func decode(_ document: Document, into output: inout DecodedLines) throws(DecodeError)
    -> LineTally?
  {
    guard document.opening == UInt8(ascii: "{"),
      ByteSearch.contains("\"inputTokens\"", in: document.bytes)
    else { return nil }
    var tally = LineTally()
    var messages: [Message] = []
    var session: JSONString?
    var hasMessages = false
    var cursor = JSONCursor(document.bytes)
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == "sessionId" {
        session = try cursor.string()
      } else if key == "messages", cursor.next == .array {
        hasMessages = true
        try Document.forEachElement(&cursor, &tally) { element throws(DecodeError) in
          let message = try Message.read(&element)
          guard message.isCall else { return .notUsage }
          messages.append(message)
          return .usage
        }
      } else {
        try cursor.skipValue()
      }
    }
    try cursor.expectEnd()
    guard hasMessages else { return nil }
    let id = session?.text ?? document.name(without: ".messages.json") ?? ""
    let project = document.neighbour(id + ".json").flatMap(workingFolder) ?? ""
    for message in messages {
      output.records.append(message.record(session: id, project: project, into: &output))
    }
    return tally
  }

  /// Where the session began, from the file that describes it.
  private static func workingFolder(_ bytes: [UInt8]) -> String? {
    bytes.withUnsafeBytes { text in
      var cursor = JSONCursor(text)
      var folder: String?
      do throws(DecodeError) {
        try cursor.beginObject()
        while let key = try cursor.nextKey() {
          if key == "cwd" {
            folder = try cursor.string()?.text ?? folder
          } else if key == "workspace_root", folder == nil {
            folder = try cursor.string()?.text
          } else {
            try cursor.skipValue()
          }
        }
      } catch { return nil }
      return folder
    }
  }

  private struct Message {
    private var id: JSONString?
    private var isAnswer = false
    private var time: Instant?
    private var model: JSONString?
    private var provider: JSONString?
    private var prompt: Int64 = 0
    private var read: Int64 = 0
    private var write: Int64 = 0
    private var output: Int64 = 0
    private var cost: Amount?

    var isCall: Bool { isAnswer && prompt | read | write | output != 0 }

    static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> Message {
      var message = Message()
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        switch key.count {
        case 2 where key == "id": message.id = try cursor.string()
        case 2 where key == "ts": message.time = try LogTime.read(&cursor)
        case 4 where key == "role":
          message.isAnswer = try cursor.string().map { $0 == "assistant" } ?? false
        case 7 where key == "metrics" && cursor.next == .object: try message.readMetrics(&cursor)
        case 9 where key == "modelInfo" && cursor.next == .object: try message.readModel(&cursor)
        default: try cursor.skipValue()
        }
      }
      return message
    }

    private mutating func readMetrics(_ cursor: inout JSONCursor) throws(DecodeError) {
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        switch key.count {
        case 4 where key == "cost": cost = try UsageObject.readCost(&cursor)
        case 11 where key == "inputTokens": prompt = try cursor.count() ?? 0
        case 12 where key == "outputTokens": output = try cursor.count() ?? 0
        case 15 where key == "cacheReadTokens": read = try cursor.count() ?? 0
        case 16 where key == "cacheWriteTokens": write = try cursor.count() ?? 0
        default: try cursor.skipValue()
        }
      }
    }

    private mutating func readModel(_ cursor: inout JSONCursor) throws(DecodeError) {
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        if key == "id" {
          model = try cursor.string()
        } else if key == "provider" {
          provider = try cursor.string()
        } else {
          try cursor.skipValue()
        }
      }
    }

    func record(
      session: String, project: String, into lines: inout DecodedLines
    ) -> UsageRecord {
      var record = UsageRecord(time: time ?? lines.readTime)
      let name = lines.names.intern(session)
      record.labels = Labels(
        model: lines.intern(model), provider: lines.internSeller(provider),
        source: lines.names.intern(ClineCLI.name), project: lines.names.intern(project),
        session: name)
      record.conversation = name
      // Less than what came from the cache can only be what did not.
      let fresh = prompt >= read + write ? prompt - read - write : prompt
      record.tokens = TokenCounts(
        input: fresh, cacheRead: read, cacheWrite5m: write, output: output)
      record.statedCost = cost
      // Ids may be short; the session makes them unique.
      let place = Fingerprint(of: session)
      if let id, id.count > 0 {
        record.identity = CallIdentity(message: place.combined(with: id.fingerprint.value))
      } else if let time {
        record.identity = CallIdentity(
          message: place.combined(with: UInt64(bitPattern: time.milliseconds)))
      }
      return record
    }
  }
}
