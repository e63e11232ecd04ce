import Foundation
import MimoEngine
import MimoSQLite
import Testing

@testable import MimoIngest

/// An answer as the tools write it.
private func answer(
  id: String? = nil, session: String? = nil, input: Int = 100, output: Int = 10,
  reasoning: Int = 4, read: Int = 1000, total: Int? = nil, created: Int = 1_795_100_000_000,
  extra: String = ""
) -> String {
  let ids =
    (id.map { #""id":"\#($0)","# } ?? "") + (session.map { #""sessionID":"\#($0)","# } ?? "")
  let total = total.map { #""total":\#($0),"# } ?? ""
  return """
    {\(ids)"role":"assistant","time":{"created":\(created),"completed":\(created + 4200)},\
    "modelID":"mimo-v2.6-pro","providerID":"xiaomi","path":{"cwd":"/home/ana/shop"},\(extra)\
    "cost":0.5,"tokens":{\(total)"input":\(input),"output":\(output),"reasoning":\(reasoning),\
    "cache":{"read":\(read),"write":0}}}
    """
}

private let schema = """
  CREATE TABLE session (id TEXT PRIMARY KEY, directory TEXT NOT NULL, time_updated INTEGER);
  CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, time_created INTEGER,
    time_updated INTEGER, data TEXT NOT NULL);
  """
private let importTables = """
  CREATE TABLE external_import (source TEXT, source_key TEXT, session_id TEXT, message_ids TEXT);
  CREATE TABLE claude_import (source_uuid TEXT, session_id TEXT);
  """

private func row(
  _ id: String, _ session: String = "s", updated: Int = 1_795_100_000_000, data: String = answer()
) -> String {
  "INSERT INTO message VALUES ('\(id)', '\(session)', \(updated), \(updated), '\(data)');"
}

@Suite struct OpenCodeTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private func calls(_ path: String) throws -> [RecentCall] {
    try collect(.file(path)).ledger.snapshot().recent
  }

  @Test(
    arguments: [
      (nil, 14, 4), (1114, 14, 4), (1110, 10, 4), (99, 14, 4),
    ] as [(Int?, Int64, Int64)])
  func `the total tells whether the output holds the reasoning`(
    total: Int?, output: Int64, reasoning: Int64
  ) throws {
    let text = answer(id: "m", session: "s", total: total)
    let path = try scratch.write("m.json", bytes: Data(text.utf8))
    let tokens = scanned(.file(path)).tokens
    #expect(tokens.output == output)
    #expect(tokens.reasoning == reasoning)
    #expect(tokens.input == 100)
    #expect(tokens.cacheRead == 1000)
  }

  @Test func `old fields of other types cost no message`() throws {
    let text = """
      {"id":"m","sessionID":"s","role":"assistant","path":"/home/ana","model":{"modelID":"m1","providerID":"p"},
      "cost":{"total":1},"time":{"created":1795100000.5},"tokens":{"input":5,"output":2,"cache":0,"reasoning":null}}
      """
    let path = try scratch.write("m.json", bytes: Data(text.utf8))
    let collector = try collect(.file(path))
    let snapshot = collector.ledger.snapshot()
    let call = try #require(snapshot.recent.first)
    let series = snapshot.cube.series[Int(call.series)]
    #expect(snapshot.names[series.labels.model] == "m1")
    #expect(snapshot.names[series.labels.provider] == "p")
    #expect(snapshot.names[series.labels.project] == "/home/ana")
    #expect(call.tokens == TokenCounts(input: 5, output: 2))
    #expect(call.statedCost == nil)
    #expect(call.time.milliseconds == 1_795_100_000_500)
  }

  @Test
  func `messages of users, empty answers and what was stopped are no calls; failures are errors`()
    throws
  {
    let nothing = #""tokens":{"input":0,"output":0,"reasoning":0,"cache":{"read":0,"write":0}}"#
    func message(_ id: String, _ fields: String) throws {
      try scratch.write(
        "\(id).json", bytes: Data(#"{"id":"\#(id)","sessionID":"s",\#(fields)}"#.utf8))
    }
    try message("a", #""role":"user","time":{"created":1}"#)
    try message("b", #""role":"assistant",\#(nothing)"#)
    try message("c", #""role":"assistant",\#(nothing),"error":{"name":"MessageAbortedError"}"#)
    try message("d", #""role":"assistant",\#(nothing),"error":{"name":"APIError","data":{}}"#)
    let totals = scanned(scratch.source)
    #expect(totals.requests == 0)
    #expect(totals.errors == 1)
  }

  @Test func `files and databases with the same messages count once, whatever comes first`() throws
  {
    try scratch.write(
      "old/storage/message/s/m1.json", bytes: Data(answer(id: "m1", session: "s").utf8))
    try scratch.write(
      "old/storage/message/s/m2.json", bytes: Data(answer(id: "m2", session: "s").utf8))
    let new = try scratch.database("old/opencode.db", schema + row("m1") + row("m2") + row("m3"))
    let mirror = try scratch.database(
      "kilo/kilo.db", schema + row("m3") + row("m4", data: answer(input: 7)))
    defer { withExtendedLifetime((new, mirror)) {} }
    let parts: [LogSource] = [
      .folder(scratch.path("old/storage"), suffixes: [".json"]),
      .file(scratch.path("old/opencode.db")), .file(scratch.path("kilo/kilo.db")),
    ]
    var dice = Dice(seed: 4)
    var reports: Set<String> = []
    for threads in [1, 2, 1, 2, 1, 2] {
      let scan = ParallelScan(
        of: parts.shuffled(using: &dice), ledger: Ledger(promptEdges: []),
        readTime: Decoded.readTime, threads: threads)
      let totals = sums(scan.snapshot)
      #expect(totals.requests == 4)
      #expect(totals.tokens.input == 307)
      #expect(IngestTotals(scan.files).records == 4)
      #expect(IngestTotals(scan.files).duplicates == 3)
      let tariff = Tariff(plan: .asBilled, book: PriceBook(providers: []), currency: .usd)
      let report = Report(of: scan.snapshot, tariff: tariff, by: .source)
      reports.insert(
        "\(report.rows.map { ($0.key ?? "", $0.measures.requests) }.sorted { $0.0 < $1.0 })")
    }
    #expect(reports.count == 1, "\(reports)")
  }

  /// An id as the tools make it at a moment.
  private func id(_ milliseconds: Int, _ end: Character) -> String {
    let digits = String((milliseconds << 12 | 1) & 0xFFFF_FFFF_FFFF, radix: 16)
    let zeros = String(repeating: "0", count: 12 - digits.count)
    return "msg_" + zeros + digits + String(repeating: end, count: 14)
  }

  @Test func `messages that a fork copied under new ids count once`() throws {
    let times = (0..<3).map { 1_795_100_000_000 + $0 * 10_000 }
    let fork = 1_795_100_900_000
    func call(_ number: Int, _ session: String, at moment: Int, _ end: Character) -> String {
      row(id(moment, end), session, data: answer(created: times[number]))
    }
    let originals = [
      call(0, "one", at: times[0], "a"), call(1, "one", at: times[1], "a"),
    ]
    let copies = [
      call(0, "two", at: fork, "a"), call(1, "two", at: fork, "b"),
      call(2, "two", at: times[2], "d"),
    ]
    let more = [call(0, "three", at: fork + 500, "a"), call(2, "three", at: fork + 500, "b")]
    for (name, rows) in [
      ("a", originals + copies + more), ("b", more + copies + originals),
      ("c", copies + originals + more),
    ] {
      let database = try scratch.database("\(name)/opencode.db", schema + rows.joined())
      let watch = try Watch(.file(scratch.path("\(name)/opencode.db")))
      #expect(watch.sums.requests == 3, "\(name)")
      // An original that changes later does not come back as a call of its own.
      try database.execute(
        "UPDATE message SET data = '\(answer(output: 12))', time_updated = 1795100900000 WHERE id = '\(id(times[0], "a"))'"
      )
      watch.wait("the change is seen") { $0.tokens.output == 14 * 2 + 16 }
      #expect(watch.sums.requests == 3)
    }
  }

  @Test func `rows that come or change while watching count once and as they are now`() throws {
    let database = try scratch.database(
      "opencode.db", schema + "INSERT INTO session VALUES ('s', '/home/ana', 1);" + row("m1"))
    let watch = try Watch(.file(scratch.path("opencode.db")))
    #expect(watch.sums.requests == 1)
    // In write-ahead mode the file itself does not change.
    try database.execute(
      row("m2", updated: 1_795_100_001_000, data: answer(input: 1, output: 0, reasoning: 0)))
    watch.wait("the second call is seen") { $0.requests == 2 }
    try database.execute(
      "UPDATE message SET data = '\(answer(input: 1, output: 50))', time_updated = 1795100002000 WHERE id = 'm2'"
    )
    watch.wait("the second call has grown") { $0.tokens.output == 14 + 54 }
    // Counters that shrink give way, too.
    try database.execute(
      "UPDATE message SET data = '\(answer(input: 1, output: 20))', time_updated = 1795100003000 WHERE id = 'm2'"
    )
    watch.wait("the second call has shrunk") { $0.tokens.output == 14 + 24 }
    try database.execute("DELETE FROM message WHERE id = 'm1'")
    try database.execute(row("m3", updated: 1))
    watch.wait("a row with an old time is seen") { $0.requests == 3 }
    #expect(watch.sums.tokens.input == 201)
    #expect(watch.collector.fileReports.first?.duplicates == 0)
    #expect(watch.collector.fileReports.first?.records == 3)
  }

  @Test func `after the clock was set back changes are seen as before`() throws {
    func update(_ id: String, output: Int, at time: Int) -> String {
      "UPDATE message SET data = '\(answer(output: output))', time_updated = \(time) WHERE id = '\(id)';"
    }
    let year = 31_536_000_000
    let database = try scratch.database(
      "opencode.db", schema + row("ahead", updated: 1_795_100_000_000 + year))
    let watch = try Watch(.file(scratch.path("opencode.db")))
    let output = Int(watch.sums.tokens.output)
    let rows = (0...40).map { row("m\($0)") }
    try database.execute(rows.joined())
    watch.wait("the calls of the right time are seen") { $0.requests == 42 }
    // One of the last rows, and one that is not.
    for (index, id) in ["m40", "m1"].enumerated() {
      try database.execute(update(id, output: 1010, at: 1_795_100_000_000 + index))
      let grown = Int64(42 * output) + Int64(index + 1) * 1000
      watch.wait("\(id) has grown") { $0.tokens.output == grown }
    }
  }

  @Test func `a checkpoint, a closed database and a new one in its place change nothing twice`()
    throws
  {
    var database: SQLiteConnection? = try scratch.database("opencode.db", schema + row("m1"))
    let watch = try Watch(scratch.source)
    try database?.execute(row("m2"))
    watch.wait("the second call is seen") { $0.requests == 2 }
    try database?.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    watch.settle()
    database = nil
    watch.settle()
    #expect(watch.sums.requests == 2)
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.url.path)
    #expect(names == ["opencode.db"], "reading leaves no files behind")
    let next = try scratch.database("next.db", schema + row("m2") + row("m9"))
    try next.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    #expect(rename(scratch.path("next.db"), scratch.path("opencode.db")) == 0)
    watch.wait("the new database is read") { $0.requests == 3 }
  }

  @Test func `the sums of a session that stands in both tables count once, as the newer has them`()
    throws
  {
    func sums(_ table: String, input: Int) -> String {
      """
      CREATE TABLE \(table) (id TEXT PRIMARY KEY, tokens_input, tokens_output, tokens_cache_read,
        tokens_cache_write);
      INSERT INTO \(table) VALUES ('s', \(input), 5, 0, 0);
      """
    }
    let database = try scratch.database(
      "opencode.db",
      "CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT, data TEXT);"
        + sums("session", input: 100) + sums("session_v2", input: 120))
    let watch = try Watch(scratch.source)
    #expect(watch.tokens.input == 120)
    try database.execute("UPDATE session_v2 SET tokens_input = 130")
    watch.wait("it has grown") { $0.tokens.input == 130 }
    #expect(watch.sums.requests == 2)
    #expect(watch.collector.fileReports.first?.tally.lines == 2)
  }

  @Test func `a database whose owner has locked it is read when it lets go`() throws {
    let path = scratch.path("opencode.db")
    let owner = try SQLiteConnection(path: path, access: .readWrite)
    try owner.execute(schema + row("m1") + "BEGIN EXCLUSIVE")
    var options = LogFollower.Options()
    options.retryMilliseconds = 20
    let collector = LogCollector(
      ledger: Ledger(promptEdges: []), sources: [.file(path)], clock: { Decoded.readTime })
    let follower = try LogFollower(sources: [.file(path)], options: options)
    follower.step(collector, timeoutMilliseconds: 0)
    #expect(collector.fileReports.first?.error == "\(path): database is locked")
    try owner.execute("COMMIT")
    let deadline = monotonicMilliseconds() + 10_000
    while sums(collector.ledger.snapshot()).requests == 0, monotonicMilliseconds() < deadline {
      follower.step(collector, timeoutMilliseconds: 50)
    }
    #expect(sums(collector.ledger.snapshot()).requests == 1)
    #expect(collector.fileReports.first?.error == nil)
  }

  @Test func `what was imported is left out, what was added to it counts`() throws {
    let database = try scratch.database(
      "mimocode.db",
      schema + importTables + row("m1", "own") + row("m2", "part") + row("m3", "part")
        + row("m4", "whole") + row("m5", "old")
          + """
          INSERT INTO external_import VALUES ('cc', 'a', 'part', '["m2","gone"]');
          INSERT INTO external_import VALUES ('codex', 'b', 'whole', NULL);
          INSERT INTO claude_import VALUES ('c', 'old');
          """)
    let watch = try Watch(.file(scratch.path("mimocode.db")))
    #expect(watch.sums.requests == 2)
    // Importing writes the rows and the note of them in one transaction.
    try database.execute(
      "BEGIN;" + row("m6", "more")
        + #"INSERT INTO external_import VALUES ('cc', 'd', 'more', '["m6"]'); COMMIT;"#
        + row("m7", "more"))
    watch.wait("the added row is seen") { $0.requests == 3 }
    watch.settle()
    #expect(watch.sums.requests == 3)
    #expect(scanned(.file(scratch.path("mimocode.db"))).requests == 3)
    #expect(watch.collector.fileReports.first?.formats == ["mimocode"])
  }

  @Test func `bad rows are counted with their place and stop nothing`() throws {
    let database = try scratch.database(
      "opencode.db", schema + row("m1", data: "{") + row("m2", data: answer(input: -1)) + row("m3"))
    defer { withExtendedLifetime(database) {} }
    let collector = try collect(.file(scratch.path("opencode.db")))
    let tally = try #require(collector.fileReports.first).tally
    #expect(tally.malformed == 2)
    #expect(tally.badLines.map(\.offset) == [1, 2])
    #expect(sums(collector.ledger.snapshot()).requests == 1)
  }

  @Test func `many rows are read in steps`() throws {
    let database = try scratch.database(
      "opencode.db",
      schema
        + """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3500)
        INSERT INTO message SELECT 'm' || i, 's', i, i, '\(answer())' FROM n;
        """)
    let watch = try Watch(.file(scratch.path("opencode.db")))
    #expect(watch.sums.requests == 3500)
    try database.execute(
      "UPDATE message SET data = '\(answer(input: 200))', time_updated = 4000000 WHERE rowid % 2 = 0"
    )
    watch.wait("half of the rows have changed") { $0.tokens.input == 1750 * 300 }
    #expect(watch.sums.requests == 3500)
  }

  // MARK: - Newer stores

  private let newSchema = """
    CREATE TABLE session (id TEXT PRIMARY KEY, directory TEXT, model TEXT, cost REAL DEFAULT 0,
      tokens_input INTEGER DEFAULT 0, tokens_output INTEGER DEFAULT 0, tokens_reasoning INTEGER DEFAULT 0,
      tokens_cache_read INTEGER DEFAULT 0, tokens_cache_write INTEGER DEFAULT 0, time_created INTEGER,
      time_updated INTEGER);
    CREATE TABLE session_message (id TEXT PRIMARY KEY, session_id TEXT, type TEXT, time_created INTEGER,
      time_updated INTEGER, data TEXT);
    INSERT INTO session VALUES ('s', '/home/ana', '{"id":"mimo-v2.6-pro","providerID":"xiaomi"}', 0.25,
      100, 20, 5, 900, 3, 1795100000000, 1795100009000);
    INSERT INTO session_message VALUES ('a', 's', 'user', 1, 1, '{}');
    INSERT INTO session_message VALUES ('b', 's', 'assistant', 2, 2, '{"time":{"created":2}}');
    INSERT INTO session_message VALUES ('c', 's', 'assistant', 3, 3, '{"time":{"created":3}}');
    """

  @Test func `sums of a session count where its messages tell nothing`() throws {
    let database = try scratch.database("kilo.db", newSchema)
    let watch = try Watch(.file(scratch.path("kilo.db")))
    #expect(watch.sums.requests == 2)
    #expect(
      watch.tokens
        == TokenCounts(input: 100, cacheRead: 900, cacheWrite5m: 3, output: 25, reasoning: 5))
    #expect(watch.sums.statedCost.exactText == "0.25")
    let snapshot = watch.collector.ledger.snapshot()
    let labels = try #require(snapshot.cube.series.first?.labels)
    #expect(snapshot.names[labels.model] == "mimo-v2.6-pro")
    #expect(snapshot.names[labels.source] == "kilo")
    // Growth is filed when it was.
    try database.execute(
      """
      INSERT INTO session_message VALUES ('d', 's', 'assistant', 4, 4, '{}');
      UPDATE session SET tokens_input = 130, cost = 0.3, time_updated = 1795103600000
      """)
    watch.wait("the session has grown") { $0.tokens.input == 130 }
    #expect(watch.sums.requests == 3)
    #expect(watch.sums.statedCost.exactText == "0.3")
    let last = try #require(watch.collector.ledger.snapshot().recent.last)
    #expect(last.time.milliseconds == 1_795_103_600_000)
    #expect(last.tokens == TokenCounts(input: 30))
    // Once the messages tell, the sums are taken back.
    try database.execute(
      """
      UPDATE session_message SET data = '{"model":{"id":"m","providerID":"p"},"tokens":{"input":7,"output":1}}',
        time_updated = 1795103700000 WHERE id = 'd'
      """)
    watch.wait("the messages count instead") { $0.tokens == TokenCounts(input: 7, output: 1) }
    #expect(watch.sums.requests == 1)
    #expect(watch.sums.statedCost == .zero)
  }
}
