import Foundation
import MimoEngine
import MimoSQLite
import Testing

@testable import MimoIngest

private let sessions = """
  CREATE TABLE sessions (id TEXT PRIMARY KEY, source TEXT, model TEXT, billing_provider TEXT,
    billing_base_url TEXT, started_at REAL, message_count INTEGER, api_call_count INTEGER,
    input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER, cache_write_tokens INTEGER,
    reasoning_tokens INTEGER, estimated_cost_usd REAL, actual_cost_usd REAL);
  INSERT INTO sessions VALUES ('s', 'cli', 'mimo-v2.6-pro', 'xiaomi', NULL, 1795120000.25, 14, 7,
    4000, 2100, 90000, 10, 900, 0.0039, NULL);
  """
private let models = """
  CREATE TABLE session_model_usage (session_id TEXT, model TEXT, billing_provider TEXT, task TEXT DEFAULT '',
    api_call_count INTEGER, input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER,
    cache_write_tokens INTEGER, reasoning_tokens INTEGER, estimated_cost_usd REAL, first_seen REAL,
    last_seen REAL);
  """
private let whole = TokenCounts(
  input: 4000, cacheRead: 90_000, cacheWrite5m: 10, output: 2100, reasoning: 900)

private func part(
  _ model: String, task: String = "", calls: Int, input: Int, output: Int, read: Int,
  write: Int = 0, reasoning: Int = 0, first: Int = 1_795_120_100, last: Int = 1_795_120_200
) -> String {
  """
  INSERT INTO session_model_usage VALUES ('s', '\(model)', 'xiaomi', '\(task)', \(calls), \(input),
    \(output), \(read), \(write), \(reasoning), 0.001, \(first), \(last));
  """
}

@Suite struct HermesTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private var path: String { scratch.path("state.db") }

  private func requests(by grouping: Grouping, _ snapshot: UsageSnapshot) -> [String: Int64] {
    let tariff = Tariff(plan: .asBilled, book: PriceBook(providers: []), currency: .usd)
    let rows = Report(of: snapshot, tariff: tariff, by: grouping).rows
    return Dictionary(uniqueKeysWithValues: rows.map { ($0.key ?? "", $0.measures.requests) })
  }

  @Test func `a session without parts is filed where it began`() throws {
    let database = try scratch.database("state.db", sessions)
    defer { withExtendedLifetime(database) {} }
    let snapshot = try collect(.file(path)).ledger.snapshot()
    #expect(sums(snapshot).tokens == whole)
    #expect(sums(snapshot).requests == 7)
    #expect(sums(snapshot).statedCost.exactText == "0.0039")
    #expect(snapshot.recent.first?.time.milliseconds == 1_795_120_000_250)
  }

  @Test func `growth is filed when it is seen, and adds up to the row`() throws {
    let database = try scratch.database("state.db", sessions)
    let watch = try Watch(scratch.source)
    for step in 1...3 {
      try database.execute(
        """
        UPDATE sessions SET api_call_count = api_call_count + 2, input_tokens = input_tokens + 100,
          output_tokens = output_tokens + 10, estimated_cost_usd = estimated_cost_usd + 0.001
        """)
      watch.wait("step \(step) is seen") { $0.tokens.input == 4000 + 100 * Int64(step) }
    }
    #expect(watch.sums.requests == 13)
    #expect(watch.tokens.output == 2130)
    #expect(watch.sums.statedCost.exactText == "0.0069")
    let recent = watch.collector.ledger.snapshot().recent
    #expect(recent.count == 4)
    #expect(recent.last?.time == Decoded.readTime)
    #expect(recent.last?.tokens == TokenCounts(input: 100, output: 10))
    // A row that begins anew is taken as it is, as a fresh reading would.
    try database.execute(
      "UPDATE sessions SET input_tokens = 50, output_tokens = 5, reasoning_tokens = 1")
    watch.wait("the row has shrunk") { $0.tokens.input == 50 }
    #expect(watch.tokens == scanned(.file(path)).tokens)
  }

  @Test func `a counter of calls beyond all bounds stays where it is`() throws {
    let database = try scratch.database("state.db", sessions)
    try database.execute("UPDATE sessions SET api_call_count = 900000000000")
    let watch = try Watch(.file(path))
    try database.execute("UPDATE sessions SET input_tokens = input_tokens + 1")
    watch.wait("growth is seen") { $0.tokens.input == 4001 }
  }

  @Test func `parts by model replace the row, and what it has beyond them stays`() throws {
    let parts =
      part("mimo-v2.6-pro", calls: 4, input: 2500, output: 1500, read: 60_000)
      + part("mimo-v2.6-flash", calls: 2, input: 1000, output: 500, read: 20_000)
    let database = try scratch.database("state.db", sessions + models + parts)
    defer { withExtendedLifetime(database) {} }
    let snapshot = try collect(.file(path)).ledger.snapshot()
    #expect(sums(snapshot).tokens == whole)
    #expect(sums(snapshot).requests == 7)
    #expect(requests(by: .model, snapshot) == ["mimo-v2.6-pro": 5, "mimo-v2.6-flash": 2])
    #expect(
      snapshot.recent.map(\.time.milliseconds).sorted() == [
        1_795_120_000_250, 1_795_120_100_000, 1_795_120_100_000,
      ])
  }

  @Test func `auxiliary calls that the row does not hold come on top`() throws {
    let parts =
      part(
        "mimo-v2.6-pro", calls: 7, input: 4000, output: 2100, read: 90_000, write: 10,
        reasoning: 900)
      + part("mimo-v2.6-flash", task: "vision", calls: 1, input: 300, output: 30, read: 0)
    let database = try scratch.database("state.db", sessions + models + parts)
    defer { withExtendedLifetime(database) {} }
    let totals = scanned(.file(path))
    #expect(totals.requests == 8)
    #expect(totals.tokens.input == 4300)
    #expect(totals.tokens.output == 2130)
  }

  @Test func `parts that appear take the place of the row`() throws {
    let database = try scratch.database("state.db", sessions + models)
    let watch = try Watch(.file(path))
    #expect(watch.tokens == whole)
    try database.execute("UPDATE sessions SET input_tokens = 4100, api_call_count = 8")
    watch.wait("growth is seen") { $0.tokens.input == 4100 }
    try database.execute(
      part("a", calls: 5, input: 4000, output: 2000, read: 80_000)
        + part("b", calls: 3, input: 100, output: 100, read: 10_000))
    watch.wait("the models are told apart") { _ in
      requests(by: .model, watch.collector.ledger.snapshot())["a"] == 5
    }
    #expect(watch.tokens == scanned(.file(path)).tokens)
    #expect(watch.tokens.input == 4100)
    // A call of a model is filed when it was made.
    try database.execute(
      """
      UPDATE sessions SET input_tokens = 4150, api_call_count = 9;
      UPDATE session_model_usage SET input_tokens = 150, api_call_count = 4, last_seen = 1795129999
        WHERE model = 'b'
      """)
    watch.wait("the next call is seen") { $0.tokens.input == 4150 }
    let last = try #require(watch.collector.ledger.snapshot().recent.last)
    #expect(last.time.milliseconds == 1_795_129_999_000)
    #expect(last.tokens == TokenCounts(input: 50))
    #expect(watch.tokens == scanned(.file(path)).tokens)
  }

  @Test func `a session of one model is cut by day`() throws {
    let days = """
      CREATE TABLE session_daily_usage (session_id TEXT, day TEXT, api_call_count INTEGER,
        input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER);
      INSERT INTO session_daily_usage VALUES ('s', '2026-11-20', 3, 1000, 100, 40000);
      INSERT INTO session_daily_usage VALUES ('s', '2026-11-22', 4, 3000, 2000, 50000);
      """
    let database = try scratch.database(
      "state.db",
      sessions + models + part("mimo-v2.6-pro", calls: 7, input: 4000, output: 2100, read: 90_000)
        + days)
    defer { withExtendedLifetime(database) {} }
    let snapshot = try collect(.file(path)).ledger.snapshot()
    #expect(sums(snapshot).tokens == whole)
    #expect(requests(by: .day, snapshot)["2026-11-22"] == 4)
    #expect(requests(by: .model, snapshot).keys.sorted() == ["mimo-v2.6-pro"])
  }

  @Test func `parts that nothing tells apart add up, and stay as they are`() throws {
    let one = part("mimo-v2.6-pro", calls: 2, input: 1000, output: 500, read: 20_000)
    let database = try scratch.database("state.db", sessions + models + one + one)
    let watch = try Watch(.file(path))
    #expect(watch.tokens == whole)
    #expect(watch.sums.requests == 7)
    let records = watch.collector.fileReports.first?.records
    try database.execute("UPDATE sessions SET message_count = 15")
    watch.settle()
    #expect(watch.collector.fileReports.first?.records == records)
    #expect(watch.collector.fileReports.first?.tally.usageLines == 2)
  }

  @Test func `sessions in copies of a database count once`() throws {
    for name in ["a/state.db", "b/state.db"] {
      let database = try scratch.database(name, sessions)
      withExtendedLifetime(database) {}
    }
    #expect(scanned(scratch.source).tokens == whole)
  }
}
