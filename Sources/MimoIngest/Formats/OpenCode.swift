import MimoEngine
import MimoSQLite

/// OpenCode's messages as files of their own: `storage/message/SESSION/MESSAGE.json`.
///
/// After the move to a database both hold the same messages under the same ids.
/// Source: format notes of the project, section 4.
enum OpenCodeMessages: DocumentDecoder {
  static let name = "opencode"
  static let title = "OpenCode and Kilo CLI messages"

  static func decode(_ document: Document, into output: inout DecodedLines) throws(DecodeError)
    -> LineTally?
  {
    guard document.opening == UInt8(ascii: "{") else { return nil }
    var cursor = JSONCursor(document.bytes)
    var tally = LineTally()
    do throws(DecodeError) {
      let message = try OpenCodeMessage.read(&cursor)
      try cursor.expectEnd()
      guard let session = message.sessionID, message.role != nil else { return nil }
      tally.lines = 1
      var record = message.record(into: &output, source: name)
      record?.labels.session = output.intern(session)
      record?.conversation = output.intern(session)
      if message.id == nil {
        record?.identity = document.name(without: ".json").map {
          CallIdentity(message: Fingerprint(of: $0))
        }
      }

      guard let record else {
        tally.notUsage = 1
        return tally
      }
      output.records.append(record)
      tally.usageLines = 1
    } catch {
      // JSON with impossible counters is a bad message; anything else is no message yet.
      guard case .contradiction = error else { throw error }
      tally.lines = 1
      tally.noteBadLine(at: 0, error)
    }
    return tally
  }
}

/// Databases of OpenCode, and of Kilo CLI, which has its tables.
///
/// The message tables count; the sums on the row of a session only where these have no usage of it.
/// Source: format notes of the project, section 4; OpenCode's schema.
struct OpenCodeDatabase: DatabaseReader {
  static let name = "opencode"
  static let title = OpenCodeMessages.title

  private var messages: [OpenCodeTable]
  private var sums: OpenCodeSessionSums?

  init?(_ tables: DatabaseTables, path: String) {
    guard
      tables.has("message", "id", "session_id", "data")
        || tables.has("session_message", "id", "session_id", "data")
    else { return nil }
    let source = split(path).name.hasPrefix("kilo") ? "kilo" : Self.name
    messages = ["message", "session_message"].compactMap {
      OpenCodeTable(tables, $0, source: source)
    }
    sums = OpenCodeSessionSums(tables, source: source)
  }

  mutating func read(
    _ database: SQLiteConnection, into output: inout DecodedLines, _ tally: inout LineTally,
    flush: (inout DecodedLines) -> Void
  ) throws(SQLiteError) {
    for index in messages.indices {
      try messages[index].read(database, into: &output, &tally, flush: flush)
    }
    let sessions = messages.map(\.sessionsWithUsage)
    try sums?.read(database, into: &output, &tally) { session in
      sessions.contains { $0.contains(session) }
    }
  }

  func write(to state: inout StateWriter, names: NameTable) {
    state.add(each: messages) { state, table in
      var content = StateWriter()
      table.write(to: &content)
      state.add(table.table)
      state.add(content.bytes)
    }
    sums?.write(to: &state, names: names)
  }

  mutating func restore(
    from state: inout StateReader, names: inout NameTable
  ) throws(StateDamage) {
    // Tables come and go with the versions of the tool.
    for _ in 0..<(try state.count()) {
      let table = try state.text()
      var content = StateReader(try state.content())
      guard let index = messages.firstIndex(where: { $0.table == table }) else { continue }
      try messages[index].restore(from: &content)
    }
    if !state.isAtEnd { try sums?.restore(from: &state, names: &names) }
  }
}

/// One message of OpenCode and the tools derived from it, in a file or in the `data` column of a row.
struct OpenCodeMessage {
  var id: JSONString?
  var sessionID: JSONString?
  var role: JSONString?
  private var model: JSONString?
  private var provider: JSONString?
  private var cost: Amount?
  private var created: Instant?
  private var completed: Instant?
  private var folder: JSONString?
  private var error: JSONString?
  private var hasError = false
  private var tokens: TokenCounts?

  /// Reads the object that comes next. Fields that had another type in old versions are passed over.
  static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> OpenCodeMessage {
    var message = OpenCodeMessage()
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 2 where key == "id": message.id = try cursor.string()
      case 4 where key == "role": message.role = try cursor.string()
      case 4 where key == "cost": message.cost = try UsageObject.readCost(&cursor)
      case 4 where key == "time": try message.readTime(&cursor)
      case 4 where key == "path": try message.readPath(&cursor)
      case 5 where key == "error": try message.readError(&cursor)
      case 5 where key == "model": try message.readModel(&cursor)
      case 6 where key == "tokens": message.tokens = try readTokens(&cursor)
      case 7 where key == "modelID": message.model = try cursor.string() ?? message.model
      case 9 where key == "sessionID": message.sessionID = try cursor.string()
      case 10 where key == "providerID": message.provider = try cursor.string() ?? message.provider
      default: try cursor.skipValue()
      }
    }
    return message
  }

  /// The call of an answer; `nil` for other messages and for answers that have not cost anything yet.
  ///
  /// - Parameter isAnswer: whether the row says so; otherwise the message's role does.
  func record(
    into output: inout DecodedLines, source: String, isAnswer: Bool = false
  ) -> UsageRecord? {
    guard isAnswer || role.map({ $0 == "assistant" }) ?? false else { return nil }
    let hasTokens = tokens.map { !$0.isZero } ?? false
    // An answer the user stopped before anything came is no failure.
    let hasFailed = hasError && !(error.map { $0 == "MessageAbortedError" } ?? false)
    guard hasTokens || hasFailed else { return nil }
    var record = UsageRecord(time: created ?? output.readTime)
    record.labels = Labels(
      model: output.intern(model), provider: output.internSeller(provider),
      source: output.names.intern(source), project: output.intern(folder))
    record.tokens = tokens ?? TokenCounts()
    record.tellsCache = hasTokens
    record.failed = hasFailed
    record.statedCost = hasTokens ? cost : nil
    if let created, let completed, completed >= created {
      record.durationMilliseconds = Int32(
        clamping: completed.milliseconds - created.milliseconds)
    }
    if let id, id.count > 0 { record.identity = id.withUnescaped(identity) }
    return record
  }

  /// The identity of a message: its id and, beside that, what it has in common with its copies. Forking a
  /// session writes its messages anew, times included, under other ids.
  func identity(id: UnsafeRawBufferPointer) -> CallIdentity {
    var identity = CallIdentity(message: Fingerprint(of: id))
    identity.alias = isMoment(id) ? content : nil
    return identity
  }

  private var content: Fingerprint? {
    guard let created, let completed, let tokens, !tokens.isZero else { return nil }
    let counts = [
      created.milliseconds, completed.milliseconds, tokens.input, tokens.cacheRead,
      tokens.cacheWrite5m, tokens.output, tokens.reasoning,
    ]
    let numbers = counts.reduce(Fingerprint(of: OpenCodeMessages.name)) {
      $0.combined(with: UInt64(bitPattern: $1))
    }
    return numbers.combined(with: model?.fingerprint.value ?? 0)
      .combined(with: provider?.fingerprint.value ?? 0)
      .combined(with: UInt64(truncatingIfNeeded: cost?.atto ?? -1))
  }

  /// Whether an id was made by the tool: it begins with a time.
  ///
  /// It is a word, twelve hexadecimal digits of its time and fourteen other characters. Source: OpenCode's
  /// `Identifier`.
  private func isMoment(_ id: UnsafeRawBufferPointer) -> Bool {
    guard let underscore = id.lastIndex(of: UInt8(ascii: "_")), id.count - underscore == 27 else {
      return false
    }
    return id[(underscore + 1)...].prefix(12).allSatisfy {
      UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
    }
  }

  /// The model and the provider of a column that holds `{id, providerID}` or a plain name.
  static func modelLabels(
    _ text: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) -> (model: NameID, provider: NameID) {
    var message = OpenCodeMessage()
    var cursor = JSONCursor(text)
    guard cursor.next == .object || cursor.next == .string,
      (try? message.readModel(&cursor)) != nil
    else { return (output.names.intern(text), .none) }
    return (output.intern(message.model), output.internSeller(message.provider))
  }

  // MARK: - Parts

  private mutating func readTime(_ cursor: inout JSONCursor) throws(DecodeError) {
    guard cursor.next == .object else { return try cursor.skipValue() }
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == "created" {
        created = try LogTime.read(&cursor)
      } else if key == "completed" {
        completed = try LogTime.read(&cursor)
      } else {
        try cursor.skipValue()
      }
    }
  }

  private mutating func readPath(_ cursor: inout JSONCursor) throws(DecodeError) {
    guard cursor.next == .object else {
      folder = try cursor.string()
      return
    }
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == "cwd" { folder = try cursor.string() } else { try cursor.skipValue() }
    }
  }

  private mutating func readError(_ cursor: inout JSONCursor) throws(DecodeError) {
    guard cursor.next == .object else {
      hasError = cursor.next == .string
      return try cursor.skipValue()
    }
    hasError = true
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == "name" || key == "type" {
        error = try cursor.string() ?? error
      } else {
        try cursor.skipValue()
      }
    }
  }

  /// `{id, providerID}` in newer stores, a plain name in very old ones.
  private mutating func readModel(_ cursor: inout JSONCursor) throws(DecodeError) {
    guard cursor.next == .object else {
      model = try cursor.string() ?? model
      return
    }
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if key == "id" || key == "modelID" {
        model = try cursor.string() ?? model
      } else if key == "providerID" {
        provider = try cursor.string() ?? provider
      } else {
        try cursor.skipValue()
      }
    }
  }

  private static func readTokens(_ cursor: inout JSONCursor) throws(DecodeError) -> TokenCounts? {
    guard cursor.next == .object else {
      try cursor.skipValue()
      return nil
    }
    var tokens = TokenCounts()
    var total: Int64?
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 5 where key == "total": total = try cursor.count()
      case 5 where key == "input": tokens.input = try cursor.count() ?? 0
      case 5 where key == "cache" && cursor.next == .object:
        try cursor.beginObject()
        while let key = try cursor.nextKey() {
          if key == "read" {
            tokens.cacheRead = try cursor.count() ?? 0
          } else if key == "write" {
            tokens.cacheWrite5m = try cursor.count() ?? 0
          } else {
            try cursor.skipValue()
          }
        }
      case 6 where key == "output": tokens.output = try cursor.count() ?? 0
      case 9 where key == "reasoning": tokens.reasoning = try cursor.count() ?? 0
      default: try cursor.skipValue()
      }
    }
    tokens.includeReasoning(total: total)
    return tokens
  }
}

extension TokenCounts {
  /// Makes the output hold the reasoning. In newer versions it stands beside the output; the total, where
  /// there is one, tells.
  mutating func includeReasoning(total: Int64?) {
    let holdsReasoning = total == prompt + output && reasoning <= output
    if !holdsReasoning { output += reasoning }
  }
}
