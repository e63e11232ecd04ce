import MimoEngine
import MimoSQLite

/// The sums that newer stores of OpenCode and Kilo CLI keep on the row of a session.
///
/// They count only for sessions whose messages tell no usage.
struct OpenCodeSessionSums: Sendable {
  private let query: String
  private let source: String
  private var sums = GrowingSums()

  /// The sums of the tables that have them, or `nil` if none has.
  init?(_ tables: DatabaseTables, source: String) {
    let counters = ["tokens_input", "tokens_output", "tokens_cache_read", "tokens_cache_write"]
    let answers =
      tables.has("session_message", "session_id", "type")
      ? "(SELECT count(*) FROM session_message AS m WHERE m.session_id = s.id AND m.type = 'assistant')"
      : "NULL"
    // A session may be in both: the first row of it counts.
    let queries = ["session_v2", "session"].compactMap { table -> String? in
      guard tables.has(table, "id"), counters.allSatisfy({ tables.has(table, $0) }) else {
        return nil
      }
      func column(_ name: String) -> String { tables.has(table, name) ? "s.\(name)" : "NULL" }
      return """
        SELECT s.id, s.tokens_input, s.tokens_output, s.tokens_cache_read, s.tokens_cache_write,
        \(column("tokens_reasoning")), \(column("cost")), \(column("model")),
        \(column("directory")), \(column("time_created")), \(column("time_updated")), \(answers)
        FROM \(table) AS s
        WHERE s.tokens_input + s.tokens_output + s.tokens_cache_read + s.tokens_cache_write > 0
        """
    }
    if queries.isEmpty { return nil }
    query = queries.joined(separator: " UNION ALL ")
    self.source = source
  }

  /// As in `DatabaseReader`.
  func write(to state: inout StateWriter, names: NameTable) { sums.write(to: &state, names: names) }

  /// As in `DatabaseReader`.
  mutating func restore(
    from state: inout StateReader, names: inout NameTable
  ) throws(StateDamage) {
    try sums.restore(from: &state, names: &names)
  }

  /// Adds what the sums have grown by.
  ///
  /// - Parameter hasMessages: whether the messages of a session tell its usage.
  mutating func read(
    _ database: SQLiteConnection, into output: inout DecodedLines, _ tally: inout LineTally,
    hasMessages: (UInt64) -> Bool
  ) throws(SQLiteError) {
    let rows = try database.prepare(query)
    var seen: Set<Fingerprint> = []
    while try rows.step() {
      guard let id = rows.text(0) else { continue }
      let session = Fingerprint(of: id)
      guard seen.insert(session).inserted else { continue }
      let key = session.combined(with: 0x5E55_1045)
      if hasMessages(session.value) {
        sums.withdraw(key, into: &output)
        continue
      }
      do throws(DecodeError) {
        guard let sum = try sum(rows, session: id, into: &output) else { continue }
        let now = rows.instant(10) ?? output.readTime
        if sums.note(key, sum, now: now, into: &output) {
          tally.lines += 1
          tally.usageLines += 1
        }
      } catch {
        tally.lines += 1
        tally.noteBadLine(at: 0, isRow: true, error)
      }
    }
  }

  private func sum(
    _ row: SQLiteStatement, session: String, into output: inout DecodedLines
  ) throws(DecodeError) -> UsageRecord? {
    var record = UsageRecord(time: row.instant(9) ?? output.readTime)
    var tokens = TokenCounts(
      input: try row.count(1), cacheRead: try row.count(3), cacheWrite5m: try row.count(4),
      output: try row.count(2), reasoning: try row.count(5))
    tokens.includeReasoning(total: nil)
    record.tokens = tokens
    record.statedCost = row.cost(6)
    record.calls = Int32(clamping: max(1, row.integer(11) ?? 1))
    let (model, provider) = row.withBytes(7) { text in
      text.map { OpenCodeMessage.modelLabels($0, into: &output) } ?? (.none, .none)
    }
    let name = output.names.intern(session)
    record.labels = Labels(
      model: model, provider: provider, source: output.names.intern(source),
      project: output.names.intern(row.text(8) ?? ""), session: name)
    record.conversation = name
    return record
  }
}

extension SQLiteStatement {
  /// A counter; null is 0.
  ///
  /// - Throws: `DecodeError.contradiction` if it is negative or too large to be true.
  func count(_ column: Int32) throws(DecodeError) -> Int64 {
    guard let value = integer(column) else { return 0 }
    guard value >= 0 else { throw .contradiction("a counter is negative") }
    guard value <= TokenCounts.largestPlausibleCount else {
      throw .contradiction("a counter is too large to be true")
    }
    return value
  }

  /// A time as a number of seconds or of a finer unit, or as ISO text; `nil` if it is none.
  func instant(_ column: Int32) -> Instant? {
    withBytes(column) { $0.flatMap { LogTime.parse(number: $0) ?? LogTime.parse(iso: $0) } }
  }

  /// A stated cost in US dollars; `nil` if there is none, or it is negative.
  func cost(_ column: Int32) -> Amount? {
    // SQLite writes a number with the fifteen digits that a double holds.
    withBytes(column) { text in
      text.flatMap { ExactDecimal(bytes: $0) }.flatMap { Amount(stated: $0) }
    }
  }
}
