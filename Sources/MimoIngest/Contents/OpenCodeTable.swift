import MimoEngine
import MimoSQLite

/// A table of messages as OpenCode and the tools derived from it have it: an id, a session, times in
/// milliseconds, and the message as JSON.
///
/// Read in steps of a bounded number of rows, each in a transaction of its own. Between full readings
/// only rows behind the last one known, or changed lately, are looked at.
struct OpenCodeTable: Sendable {
  /// The sessions of which a message with usage was seen, by fingerprint of their ids.
  private(set) var sessionsWithUsage: Set<UInt64> = []

  let table: String
  private let source: String
  private let columns: String
  private let hasUpdates: Bool
  /// What the rows held when they were last read, by row id: the chance to miss a change is one in four billion.
  private var rows: [Int64: UInt32] = [:]
  private var lastRow: Int64 = 0
  private var lastUpdate: Int64 = 0
  private var hasAll = false
  private var readingsSinceAll = 0

  /// Rows read in one transaction: a few milliseconds.
  private static let step: Int64 = 1000
  /// How far back changed rows are looked for: a transaction may have been open for a while.
  private static let overlapMilliseconds: Int64 = 600_000
  /// The last rows are those that are still written to, whatever their times say.
  private static let unfinishedRows: Int64 = 16
  /// After so many readings every row is looked at again, for writers that do not maintain their times.
  private static let readingsUntilAll = 64

  /// The table of this name, or `nil` if the database has none.
  init?(_ tables: DatabaseTables, _ table: String, source: String) {
    guard tables.has(table, "id", "session_id", "data") else { return nil }
    self.table = table
    self.source = source
    hasUpdates = tables.has(table, "time_updated")
    columns = [
      "rowid", "id", "session_id", "data",
      tables.has(table, "agent_id") ? "agent_id" : "NULL",
      tables.has(table, "type") ? "type" : "NULL",
      tables.has(table, "time_created") ? "time_created" : "NULL",
      hasUpdates ? "time_updated" : "NULL",
      tables.has("session", "id", "directory")
        ? "(SELECT directory FROM session WHERE session.id = session_id)" : "NULL",
    ].joined(separator: ", ")
  }

  /// As in `DatabaseReader`.
  func write(to state: inout StateWriter) {
    state.add(lastRow)
    state.add(lastUpdate)
    state.add(hasAll)
    state.add(readingsSinceAll)
    state.add(each: sessionsWithUsage) { $0.add(hash: $1) }
    var row: Int64 = 0
    state.add(each: rows.sorted { $0.key < $1.key }) { state, known in
      // Most follow the one before.
      state.add(known.key &- row)
      state.add(hash: known.value)
      row = known.key
    }
  }

  /// As in `DatabaseReader`.
  mutating func restore(from state: inout StateReader) throws(StateDamage) {
    lastRow = try state.wide()
    lastUpdate = max(0, try state.wide())
    hasAll = try state.flag()
    readingsSinceAll = try state.counter()
    for _ in 0..<(try state.count()) { sessionsWithUsage.insert(try state.hash()) }
    var row: Int64 = 0
    for _ in 0..<(try state.count()) {
      row &+= try state.wide()
      rows[row] = try state.shortHash()
    }
  }

  /// Adds the calls of new and changed rows.
  ///
  /// - Parameter isLeftOut: asked in the transaction of a step, so that what it looks up is of the same
  ///   moment as the rows.
  mutating func read(
    _ database: SQLiteConnection, into output: inout DecodedLines, _ tally: inout LineTally,
    begin: (SQLiteConnection) throws(SQLiteError) -> Void = { _ throws(SQLiteError) in },
    isLeftOut: (_ message: String, _ session: String) -> Bool = { _, _ in false },
    flush: (inout DecodedLines) -> Void
  ) throws(SQLiteError) {
    readingsSinceAll += 1
    let readsAll = !hasAll || !hasUpdates || readingsSinceAll >= Self.readingsUntilAll
    let news = readsAll ? "" : "AND (rowid > ?2 OR time_updated >= ?3)"
    let query = try database.prepare(
      "SELECT \(columns) FROM \(table) WHERE rowid > ?1 \(news) ORDER BY rowid LIMIT \(Self.step)")
    if !readsAll {
      query.bind(lastRow &- Self.unfinishedRows, at: 2)
      query.bind(lastUpdate - Self.overlapMilliseconds, at: 3)
    }
    var position: Int64 = .min
    while true {
      query.bind(position, at: 1)
      let count = try database.transaction { () throws(SQLiteError) -> Int64 in
        try begin(database)
        defer { query.reset() }
        var count: Int64 = 0
        while try query.step() {
          count += 1
          position = query.integer(0) ?? position
          add(Row(query), into: &output, &tally, isLeftOut)
        }
        return count
      }
      flush(&output)
      if count < Self.step { break }
    }
    if readsAll {
      hasAll = true
      readingsSinceAll = 0
    }
  }

  /// The columns of one row that were asked for.
  private struct Row {
    let query: SQLiteStatement
    init(_ query: SQLiteStatement) { self.query = query }
    var number: Int64 { query.integer(0) ?? 0 }
    var id: String { query.text(1) ?? "" }
    func withID<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
      query.withBytes(1) { body($0 ?? UnsafeRawBufferPointer(start: nil, count: 0)) }
    }
    var session: String { query.text(2) ?? "" }
    var agent: String { query.text(4) ?? "" }
    var type: String? { query.text(5) }
    var created: Instant? { query.withBytes(6) { $0.flatMap { LogTime.parse(number: $0) } } }
    var updated: Int64 { query.integer(7) ?? 0 }
    var folder: String? { query.text(8) }
    func withData<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
      query.withBytes(3) { body($0 ?? UnsafeRawBufferPointer(start: nil, count: 0)) }
    }
  }

  private mutating func add(
    _ row: Row, into output: inout DecodedLines, _ tally: inout LineTally,
    _ isLeftOut: (String, String) -> Bool
  ) {
    lastRow = max(lastRow, row.number)
    let content = row.withData { UInt32(truncatingIfNeeded: Fingerprint(of: $0).value) }
    let known = rows.updateValue(content, forKey: row.number)
    if known == content { return }
    // The time of the latest change, not the largest one: clocks are set back, too.
    if row.updated > 0 { lastUpdate = row.updated }
    tally.lines += 1
    if let type = row.type, type != "assistant" {
      tally.notUsage += 1
      return
    }
    do throws(DecodeError) {
      guard var record = try record(of: row, into: &output) else {
        tally.notUsage += 1
        return
      }
      if isLeftOut(row.id, row.session) {
        tally.notUsage += 1
        tally.imported += 1
        return
      }
      record.isRevision = known != nil
      output.records.append(record)
      tally.usageLines += 1
    } catch {
      tally.noteBadLine(at: row.number, isRow: true, error)
    }
  }

  private mutating func record(
    of row: Row, into output: inout DecodedLines
  ) throws(DecodeError) -> UsageRecord? {
    let result: Result<UsageRecord?, DecodeError> = row.withData { data in
      do throws(DecodeError) {
        var cursor = JSONCursor(data)
        let message = try OpenCodeMessage.read(&cursor)
        try cursor.expectEnd()
        var record = message.record(
          into: &output, source: source, isAnswer: row.type == "assistant")
        record?.identity = row.withID(message.identity)
        return .success(record)
      } catch {
        return .failure(error)
      }
    }
    guard var record = try result.get() else { return nil }
    let session = row.session
    if !record.tokens.isZero { sessionsWithUsage.insert(Fingerprint(of: session).value) }
    if record.time == output.readTime, let created = row.created { record.time = created }
    record.labels.session = output.names.intern(session)
    if record.labels.project == .none, let folder = row.folder {
      record.labels.project = output.names.intern(folder)
    }
    // Sub-agents of MiMo Code work in the session of their parent, with a context of their own.
    let agent = row.agent
    record.conversation =
      agent.isEmpty || agent == "main"
      ? record.labels.session : output.names.intern("\(session) \(agent)")
    return record
  }
}
