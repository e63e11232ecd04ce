import MimoEngine
import MimoSQLite

/// Databases of Hermes: `state.db`, with one row a session that grows with each call.
///
/// Newer stores also have the parts of a session by model and by day. The finest parts that are there are
/// filed, and what the row has beyond them; never both. While watching, growth is filed when it is seen.
/// Source: format notes of the project, section 9; Hermes' schema.
struct HermesDatabase: DatabaseReader {
  static let name = "hermes"
  static let title = "Hermes sessions"

  private let sessions: String
  private let models: String?
  private let days: String?
  /// Older stores do not count what came from the cache.
  private let tellsCache: Bool
  private var sums = GrowingSums()
  /// The parts that are filed, by session.
  private var filed: [String: Set<Fingerprint>] = [:]

  init?(_ tables: DatabaseTables, path: String) {
    guard tables.has("sessions", "id", "started_at", "input_tokens", "output_tokens") else {
      return nil
    }
    tellsCache = tables.has("sessions", "cache_read_tokens")
    sessions = Self.query(tables, "sessions", id: "id", begun: "started_at", last: nil)
    models =
      tables.has("session_model_usage", "session_id", "model", "input_tokens", "output_tokens")
      ? Self.query(
        tables, "session_model_usage", id: "session_id", begun: "first_seen", last: "last_seen")
      : nil
    let day = tables.first(
      of: "day", "date", "local_day", "local_date", "usage_date", in: "session_daily_usage")
    days =
      tables.has("session_daily_usage", "session_id", "input_tokens", "output_tokens")
      ? day.map {
        Self.query(tables, "session_daily_usage", id: "session_id", begun: $0, last: nil)
      }
      : nil
  }

  private static func query(
    _ tables: DatabaseTables, _ table: String, id: String, begun: String, last: String?
  ) -> String {
    let columns = [
      id, "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
      "reasoning_tokens", "api_call_count", "actual_cost_usd", "estimated_cost_usd", "model",
      "billing_provider", "billing_base_url", begun, last ?? "NULL", "task", "billing_mode",
    ].map { $0 == "NULL" ? $0 : tables.column($0, of: table) }
    return "SELECT \(columns.joined(separator: ", ")) FROM \(table)"
  }

  mutating func read(
    _ database: SQLiteConnection, into output: inout DecodedLines, _ tally: inout LineTally,
    flush: (inout DecodedLines) -> Void
  ) throws(SQLiteError) {
    var rows: [HermesSession] = []
    var byModel: [String: [HermesSession]] = [:]
    var byDay: [String: [HermesSession]] = [:]
    // The tables are of one moment: otherwise a call between two queries would be in one of them only.
    try database.transaction { () throws(SQLiteError) in
      rows = try Self.rows(database, sessions, &tally)
      if let models {
        byModel = Dictionary(grouping: try Self.rows(database, models, &tally), by: \.id)
      }
      if let days { byDay = Dictionary(grouping: try Self.rows(database, days, &tally), by: \.id) }
    }
    for session in rows {
      let parts = session.parts(models: byModel[session.id] ?? [], days: byDay[session.id] ?? [])
      let keys = Set(parts.map(\.key))
      for gone in filed[session.id, default: []].subtracting(keys) {
        sums.withdraw(gone, into: &output)
      }
      filed[session.id] = keys
      for part in parts {
        let now = part.lastSeen ?? output.readTime
        var record = part.record(into: &output)
        record.tellsCache = tellsCache
        if sums.note(part.key, record, now: now, into: &output) {
          tally.lines += 1
          tally.usageLines += 1
        }
      }
    }
  }

  func write(to state: inout StateWriter, names: NameTable) {
    sums.write(to: &state, names: names)
    state.add(each: filed) { state, session in
      state.add(session.key)
      state.add(each: session.value) { $0.add(hash: $1.value) }
    }
  }

  mutating func restore(
    from state: inout StateReader, names: inout NameTable
  ) throws(StateDamage) {
    try sums.restore(from: &state, names: &names)
    for _ in 0..<(try state.count()) {
      let session = try state.text()
      let parts = try state.array { state throws(StateDamage) in
        Fingerprint(value: try state.hash())
      }
      filed[session] = Set(parts)
    }
  }

  private static func rows(
    _ database: SQLiteConnection, _ sql: String, _ tally: inout LineTally
  ) throws(SQLiteError) -> [HermesSession] {
    let query = try database.prepare(sql)
    var rows: [HermesSession] = []
    while try query.step() {
      do throws(DecodeError) {
        guard let row = try HermesSession(query) else { continue }
        rows.append(row)
      } catch {
        tally.lines += 1
        tally.noteBadLine(at: Int64(rows.count) + 1, isRow: true, error)
      }
    }
    return rows
  }
}

/// Rows of Hermes' `sessions` table, exported as JSON: an object, or an array of them.
enum HermesRows: DocumentDecoder {
  static let name = HermesDatabase.name
  static let title = HermesDatabase.title

  static func decode(_ document: Document, into output: inout DecodedLines) throws(DecodeError)
    -> LineTally?
  {
    guard ByteSearch.contains("\"api_call_count\"", in: document.bytes),
      ByteSearch.contains("\"cache_read_tokens\"", in: document.bytes)
    else { return nil }
    var tally = LineTally()
    var sessions: [HermesSession] = []
    var cursor = JSONCursor(document.bytes)
    func add(_ element: inout JSONCursor) throws(DecodeError) -> LineKind {
      guard let session = try HermesSession(&element) else { return .foreign }
      guard !session.tokens.isZero else { return .notUsage }
      sessions.append(session)
      return .usage
    }
    if document.opening == UInt8(ascii: "[") {
      try Document.forEachElement(&cursor, &tally, add)
    } else {
      let kind = try add(&cursor)
      tally.lines = 1
      if case .usage = kind { tally.usageLines = 1 } else { tally.notUsage = 1 }
      if case .foreign = kind { return nil }
    }
    try cursor.expectEnd()
    for session in sessions {
      var record = session.record(into: &output)
      record.identity = CallIdentity(message: session.key)
      output.records.append(record)
    }
    return tally
  }
}

/// A row of `sessions`, or a finer part of one.
private struct HermesSession {
  var id: String
  var tokens: TokenCounts
  var calls: Int64
  var cost: Amount?
  var model: String
  var provider: String
  var begun: Instant?
  var lastSeen: Instant?
  /// What tells parts of one session apart; empty for what only the row tells.
  var part = ""
  private var task: String

  /// A row, by the columns of `HermesDatabase.query`; `nil` if it has no id.
  init?(_ row: SQLiteStatement) throws(DecodeError) {
    guard let id = row.text(0), !id.isEmpty else { return nil }
    self.id = id
    tokens = try Self.tokens(
      input: row.count(1), output: row.count(2), read: row.count(3), write: row.count(4),
      reasoning: row.count(5))
    calls = try row.count(6)
    cost = Self.cost(actual: row.cost(7), estimated: row.cost(8))
    model = row.text(9) ?? ""
    let seller = row.text(10) ?? ""
    provider = seller.isEmpty ? row.text(11) ?? "" : seller
    begun = row.instant(12)
    lastSeen = row.instant(13)
    task = row.text(14) ?? ""
    part = [model, seller, row.text(11) ?? "", row.text(15) ?? "", task, row.text(12) ?? ""]
      .joined(separator: "\n")
  }

  /// A row as JSON; `nil` if it is none.
  init?(_ cursor: inout JSONCursor) throws(DecodeError) {
    var counts: (Int64, Int64, Int64, Int64, Int64) = (0, 0, 0, 0, 0)
    var costs: (actual: Amount?, estimated: Amount?)
    var address = ""
    (id, model, provider, task, calls) = ("", "", "", "", 0)
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 2 where key == "id": id = try cursor.string()?.text ?? ""
      case 5 where key == "model": model = try cursor.string()?.text ?? ""
      case 10 where key == "started_at": begun = try LogTime.read(&cursor)
      case 12 where key == "input_tokens": counts.0 = try cursor.count() ?? 0
      case 13 where key == "output_tokens": counts.1 = try cursor.count() ?? 0
      case 14 where key == "api_call_count": calls = try cursor.count() ?? 0
      case 15 where key == "actual_cost_usd": costs.actual = try UsageObject.readCost(&cursor)
      case 16 where key == "reasoning_tokens": counts.4 = try cursor.count() ?? 0
      case 16 where key == "billing_provider": provider = try cursor.string()?.text ?? ""
      case 16 where key == "billing_base_url": address = try cursor.string()?.text ?? ""
      case 17 where key == "cache_read_tokens": counts.2 = try cursor.count() ?? 0
      case 18 where key == "cache_write_tokens": counts.3 = try cursor.count() ?? 0
      case 18 where key == "estimated_cost_usd": costs.estimated = try UsageObject.readCost(&cursor)
      default: try cursor.skipValue()
      }
    }
    if id.isEmpty { return nil }
    tokens = try Self.tokens(
      input: counts.0, output: counts.1, read: counts.2, write: counts.3, reasoning: counts.4)
    cost = Self.cost(actual: costs.actual, estimated: costs.estimated)
    if provider.isEmpty { provider = address }
  }

  /// The output holds the reasoning.
  private static func tokens(
    input: Int64, output: Int64, read: Int64, write: Int64, reasoning: Int64
  ) throws(DecodeError) -> TokenCounts {
    TokenCounts(
      input: input, cacheRead: read, cacheWrite5m: write, output: output,
      reasoning: min(reasoning, output))
  }

  /// What was paid, else the tool's own estimate. A stated 0 is a cost that is not known.
  private static func cost(actual: Amount?, estimated: Amount?) -> Amount? {
    [actual, estimated].lazy.compactMap { $0 }.first { $0 > .zero }
  }

  /// What this is the sum of; the same at each reading.
  var key: Fingerprint {
    let session = Fingerprint(of: "hermes session").combined(with: Fingerprint(of: id).value)
    return part.isEmpty ? session : session.combined(with: Fingerprint(of: part).value)
  }

  /// This row of `sessions` as its finest parts, and the rest of it that they do not cover.
  ///
  /// The rows by model tell the price, so they come before those by day; a session of one model is cut
  /// by day. Auxiliary calls (a task) may be inside the row or beside it; what the parts have beyond
  /// the row counts, what the row has beyond the parts is the rest.
  func parts(models: [HermesSession], days: [HermesSession]) -> [HermesSession] {
    let models = models.filter { !$0.tokens.isZero }
    let days = days.filter { !$0.tokens.isZero }
    var parts = models
    if !days.isEmpty, Set(models.map(\.model)).subtracting([model]).isEmpty {
      parts = days.map { day in
        var day = day
        if day.model.isEmpty { (day.model, day.provider) = (model, provider) }
        // The date is the user's; noon by UTC is that date nearly everywhere.
        day.begun = day.begun.map { max($0.advanced(byMilliseconds: 43_200_000), begun ?? $0) }
        return day
      }
      // By day the auxiliary calls are not told apart.
      parts += models.filter { !$0.task.isEmpty }
    }
    for index in parts.indices {
      parts[index].begun = parts[index].begun ?? begun
      if parts[index].model.isEmpty { parts[index].model = model }
      if parts[index].provider.isEmpty { parts[index].provider = provider }
    }
    parts = Self.joined(parts)
    var rest = self
    rest.part = ""
    let all = Sum(parts)
    let main = Sum(parts.filter(\.task.isEmpty))
    let covered = all.fits(in: tokens) ? all : main
    rest.tokens = tokens.remainder(after: covered.tokens)
    rest.calls = max(0, calls - covered.calls)
    rest.cost = cost.flatMap { total in
      let rest = total - (covered.cost ?? .zero)
      return rest > .zero ? rest : nil
    }
    return parts + [rest]
  }

  /// The parts with those added up that nothing tells apart.
  private static func joined(_ parts: [HermesSession]) -> [HermesSession] {
    var result: [HermesSession] = []
    var places: [Fingerprint: Int] = [:]
    for part in parts {
      guard let place = places[part.key] else {
        places[part.key] = result.count
        result.append(part)
        continue
      }
      result[place].tokens += part.tokens
      result[place].calls += part.calls
      result[place].cost = Sum([result[place], part]).cost
      result[place].lastSeen = [result[place].lastSeen, part.lastSeen].compactMap { $0 }.max()
    }
    return result
  }

  private struct Sum {
    var tokens = TokenCounts()
    var calls: Int64 = 0
    var cost: Amount?

    init(_ parts: [HermesSession]) {
      for part in parts {
        tokens += part.tokens
        calls += part.calls
        if let more = part.cost { cost = (cost ?? .zero) + more }
      }
    }

    func fits(in whole: TokenCounts) -> Bool { tokens.maximum(whole) == whole }
  }

  /// The sum as one record, without an identity.
  func record(into output: inout DecodedLines) -> UsageRecord {
    var record = UsageRecord(time: begun ?? output.readTime)
    let session = output.names.intern(id)
    record.labels = Labels(
      model: output.names.intern(model), provider: output.internSeller(provider),
      source: output.names.intern(HermesDatabase.name), session: session)
    record.conversation = session
    record.tokens = tokens
    record.statedCost = cost
    record.calls = Int32(clamping: max(1, calls))
    return record
  }
}

extension TokenCounts {
  /// What is left of each count; nothing where the part is larger.
  fileprivate func remainder(after part: TokenCounts) -> TokenCounts {
    maximum(part) - part
  }
}
