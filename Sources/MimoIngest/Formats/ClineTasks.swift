import MimoEngine

/// Task files of the editor extensions Cline, Roo Code and Kilo Code: `tasks/TASK/ui_messages.json`.
///
/// One array of what the extension shows, written anew with each change. A call is an entry whose `text`
/// is JSON with counters; it stands there empty until the answer comes.
/// Source: format notes of the project, section 8.
enum ClineTasks: DocumentDecoder {
  static let name = "cline"
  static let title = "Cline, Roo Code and Kilo Code tasks"

  static func decode(_ document: Document, into output: inout DecodedLines) throws(DecodeError)
    -> LineTally?
  {
    guard document.opening == UInt8(ascii: "["), ByteSearch.contains("\"say\"", in: document.bytes)
    else { return nil }
    var tally = LineTally()
    var entries: [Entry] = []
    var cursor = JSONCursor(document.bytes)
    try Document.forEachElement(&cursor, &tally) { element throws(DecodeError) in
      var entry = Entry()
      guard try entry.read(&element) else { return .foreign }
      guard entry.isCall else { return .notUsage }
      entries.append(entry)
      return entry.isPlaceholder ? .notUsage : .usage
    }
    try cursor.expectEnd()
    // An array of other things: a neighbour of the file, or somebody else's.
    if tally.foreign == tally.lines - tally.malformed, tally.lines > 0 { return nil }
    let task = Task(document, entries)
    for (index, entry) in entries.enumerated() where !entry.isPlaceholder {
      let next = index + 1 < entries.count ? entries[index + 1].time : nil
      output.records.append(task.record(of: entry, before: next, into: &output))
    }
    return tally
  }
}

/// One entry of `ui_messages.json`.
private struct Entry {
  var time: Instant?
  var isCall = false
  var say: JSONString?
  var usage = Usage()
  var model: JSONString?
  var provider: JSONString?
  /// What the strings of the inner text point into.
  private var text: TextCopy?

  struct Usage {
    var input: Int64?
    var output: Int64 = 0
    var read: Int64?
    var write: Int64?
    var cost: Amount?
    var `protocol`: JSONString?
    var hasFailed = false
    var isKilo = false
  }

  /// A call whose answer has not come: nothing of it is known yet.
  var isPlaceholder: Bool {
    guard let input = usage.input else { return true }
    return input | usage.output | (usage.read ?? 0) | (usage.write ?? 0) == 0 && !usage.hasFailed
  }

  /// Reads the object. Returns whether it is an entry at all.
  mutating func read(_ cursor: inout JSONCursor) throws(DecodeError) -> Bool {
    var type: JSONString?
    var inner: JSONString?
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 2 where key == "ts": time = try LogTime.read(&cursor)
      case 3 where key == "say": say = try cursor.string()
      case 3 where key == "ask": type = try cursor.string()
      case 4 where key == "type": type = try cursor.string()
      case 4 where key == "text": inner = try cursor.string()
      case 9 where key == "modelInfo" && cursor.next == .object: try readModel(&cursor)
      default: try cursor.skipValue()
      }
    }
    guard let say else { return type != nil }
    isCall = say == "api_req_started" || say == "subagent_usage"
    if isCall, let inner { try readUsage(inner) }
    return true
  }

  private mutating func readModel(_ cursor: inout JSONCursor) throws(DecodeError) {
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == "modelId" {
        model = try cursor.string()
      } else if key == "providerId" {
        provider = try cursor.string()
      } else {
        try cursor.skipValue()
      }
    }
  }

  private mutating func readUsage(_ inner: JSONString) throws(DecodeError) {
    let copy = inner.withUnescaped { TextCopy($0) }
    text = copy
    var cursor = JSONCursor(copy.bytes)
    // In old versions a plain text stood here.
    guard cursor.hasMore, cursor.next == .object else { return }
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 4 where key == "cost": usage.cost = try UsageObject.readCost(&cursor)
      case 8 where key == "tokensIn": usage.input = try cursor.count()
      case 9 where key == "tokensOut": usage.output = try cursor.count() ?? 0
      case 10 where key == "cacheReads": usage.read = try cursor.count()
      case 11 where key == "cacheWrites": usage.write = try cursor.count()
      case 11 where key == "apiProtocol": usage.protocol = try cursor.string()
      case 12 where key == "cancelReason":
        usage.hasFailed = try cursor.string().map { $0 == "streaming_failed" } ?? false
      case 17 where key == "inferenceProvider":
        usage.isKilo = true
        try cursor.skipValue()
      default: try cursor.skipValue()
      }
    }
  }
}

/// The task a document belongs to: which extension wrote it, and what the files beside it tell.
private struct Task {
  private enum Extension { case cline, roo, kilo }

  private let id: String
  private let tool: Extension
  private let models: ModelHistory

  init(_ document: Document, _ entries: [Entry]) {
    id = document.folderName
    let path = document.path
    if path.contains("kilocode.") || entries.contains(where: \.usage.isKilo) {
      tool = .kilo
    } else if path.contains("rooveterinaryinc.")
      || entries.contains(where: { $0.usage.protocol != nil })
    {
      tool = .roo
    } else {
      tool = .cline
    }
    let needsModels = entries.contains { !$0.isPlaceholder && $0.model == nil }
    models = needsModels ? ModelHistory(of: document, isCline: tool == .cline) : ModelHistory()
  }

  func record(
    of entry: Entry, before next: Instant?, into output: inout DecodedLines
  ) -> UsageRecord {
    var record = UsageRecord(time: entry.time ?? output.readTime)
    let past = models.model(of: entry.time, before: next)
    let provider = entry.provider.map { $0.withUnescaped { String(decoding: $0, as: UTF8.self) } }
    record.tokens = tokens(of: entry, provider: provider ?? past?.provider)
    record.failed = entry.usage.hasFailed
    record.tellsCache = entry.usage.read != nil || entry.usage.write != nil
    record.statedCost = record.tokens.isZero ? nil : entry.usage.cost
    let session = output.names.intern(id)
    record.labels = Labels(
      model: entry.model == nil
        ? output.names.intern(past?.model ?? "") : output.intern(entry.model),
      provider: entry.provider == nil
        ? output.names.intern(past?.provider ?? "") : output.internSeller(entry.provider),
      source: output.names.intern(name), session: session)
    record.conversation = session
    if let time = entry.time {
      // The time is the id of an entry in its task.
      let place = Fingerprint(of: "cline task").combined(with: Fingerprint(of: id).value)
      let kind = entry.say?.fingerprint.value ?? 0
      record.identity = CallIdentity(
        message: place.combined(with: kind).combined(with: UInt64(bitPattern: time.milliseconds)))
    }
    return record
  }

  private var name: String {
    switch tool {
    case .cline: ClineTasks.name
    case .roo: "roo-code"
    case .kilo: "kilo-code"
    }
  }

  /// Providers whose `tokensIn` is the whole prompt in Cline.
  private static let clineWholePrompt: Set<String> = [
    "openai", "litellm", "doubao", "fireworks", "hicap", "lmstudio", "qwen", "xai", "zai",
  ]
  /// Since when `tokensIn` is the whole prompt under both protocols: Roo 3.29.5 and Kilo 4.119.0.
  private static let rooWholePrompt = Instant(seconds: 1_761_955_200)
  private static let kiloWholePrompt = Instant(seconds: 1_762_905_600)

  private func tokens(of entry: Entry, provider: String?) -> TokenCounts {
    let usage = entry.usage
    let input = usage.input ?? 0
    let (read, write) = (usage.read ?? 0, usage.write ?? 0)
    let cached = read + write
    // Less than what came from the cache can only be what did not.
    let isWhole = input >= cached && holdsCache(entry, provider)
    return TokenCounts(
      input: isWhole ? input - cached : input, cacheRead: read, cacheWrite5m: write,
      output: usage.output)
  }

  private func holdsCache(_ entry: Entry, _ provider: String?) -> Bool {
    switch tool {
    case .cline: provider.map(Self.clineWholePrompt.contains) ?? false
    case .roo:
      entry.usage.protocol.map { $0 == "openai" } ?? false || isLater(entry, Self.rooWholePrompt)
    case .kilo:
      entry.usage.protocol.map { $0 == "openai" } ?? false || isLater(entry, Self.kiloWholePrompt)
    }
  }

  private func isLater(_ entry: Entry, _ change: Instant) -> Bool {
    entry.time.map { $0 >= change } ?? true
  }
}

/// Which models a task used when, from the files beside it.
private struct ModelHistory {
  struct Use {
    var time: Instant?
    var model: String
    var provider: String?
  }

  private var uses: [Use] = []
  /// Cline notes the model before each call; the others tell it in the prompt, after the entry is made.
  private var isNotedBefore = false

  init() {}

  init(of document: Document, isCline: Bool) {
    if isCline, let bytes = document.neighbour("task_metadata.json") {
      uses = bytes.withUnsafeBytes { Self.metadata($0) ?? [] }
      isNotedBefore = true
    }
    if uses.isEmpty, let bytes = document.neighbour("api_conversation_history.json") {
      isNotedBefore = false
      uses = bytes.withUnsafeBytes { Self.conversation($0) ?? [] }
    }
  }

  /// The model of a call: the last one told before the call, or before the next call.
  func model(of time: Instant?, before next: Instant?) -> Use? {
    guard uses.contains(where: { $0.time != nil }) else { return uses.last }
    let end = isNotedBefore ? time?.advanced(byMilliseconds: 1) : next
    return uses.last { use in
      guard let used = use.time else { return false }
      return end.map { used < $0 } ?? true
    } ?? uses.first
  }

  /// Cline: `model_usage` of `task_metadata.json`.
  private static func metadata(_ text: UnsafeRawBufferPointer) -> [Use]? {
    var uses: [Use] = []
    var cursor = JSONCursor(text)
    do throws(DecodeError) {
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        guard key == "model_usage", cursor.next == .array else {
          try cursor.skipValue()
          continue
        }
        var tally = LineTally()
        try Document.forEachElement(&cursor, &tally) { element throws(DecodeError) in
          var use = Use(model: "")
          try element.beginObject()
          while let key = try element.nextKey() {
            if key == "ts" {
              use.time = try LogTime.read(&element)
            } else if key == "model_id" {
              use.model = try element.string()?.text ?? ""
            } else if key == "model_provider_id" {
              use.provider = try element.string()?.text
            } else {
              try element.skipValue()
            }
          }
          if !use.model.isEmpty { uses.append(use) }
          return .usage
        }
      }
    } catch { return nil }
    return uses
  }

  /// Roo and Kilo: `<model>` in what the conversation tells the model about its surroundings.
  private static func conversation(_ text: UnsafeRawBufferPointer) -> [Use]? {
    var uses: [Use] = []
    var cursor = JSONCursor(text)
    do throws(DecodeError) {
      try cursor.beginArray()
      while try cursor.nextElement() {
        let entry = try cursor.rawValue()
        guard let model = lastModel(in: entry) else { continue }
        var element = JSONCursor(entry)
        var use = Use(model: model)
        guard element.next == .object else { continue }
        try element.beginObject()
        while let key = try element.nextKey() {
          if key == "ts" { use.time = try LogTime.read(&element) } else { try element.skipValue() }
        }
        uses.append(use)
      }
    } catch { return nil }
    return uses
  }

  private static func lastModel(in text: UnsafeRawBufferPointer) -> String? {
    var rest = text
    var model: UnsafeRawBufferPointer?
    while let start = ByteSearch.firstIndex(of: "<model>", in: rest) {
      let name = UnsafeRawBufferPointer(rebasing: rest[(start + 7)...])
      guard let end = ByteSearch.firstIndex(of: "</model>", in: name) else { break }
      // A longer one is talk about models.
      if end > 0, end <= NameTable.maximumBytes {
        model = UnsafeRawBufferPointer(rebasing: name[..<end])
      }
      rest = UnsafeRawBufferPointer(rebasing: name[end...])
    }
    return model.map { String(decoding: $0, as: UTF8.self) }
  }
}

extension JSONString {
  /// The text, escapes resolved.
  var text: String { withUnescaped { String(decoding: $0, as: UTF8.self) } }
}
