import Foundation
import MimoEngine
import MimoSQLite
import Testing

@testable import MimoIngest

/// Two of the same: followed by one process, and by many.
private struct Both {
  let whole: Process
  let parts: Processes

  init(
    _ sources: [LogSource], seed: UInt64 = 1, roundBytes: Int = 4 << 20, windowBytes: Int = 1 << 20
  ) throws {
    whole = try Process(sources)
    parts = try Processes(sources, seed: seed, roundBytes: roundBytes, windowBytes: windowBytes)
  }

  func settle() {
    whole.settle()
    parts.process.settle()
  }

  func expectSame(_ what: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
    settle()
    let (one, many) = (whole.collector, parts.process.collector)
    difference(
      contents(one.ledger.snapshot()), contents(many.ledger.snapshot()), what, sourceLocation)
    difference(contents(whole.reports), contents(parts.process.reports), what, sourceLocation)
  }

  private func difference(
    _ a: [String], _ b: [String], _ what: String, _ sourceLocation: SourceLocation
  ) {
    let missing = Set(a).subtracting(b).sorted().prefix(3).joined(separator: "\n")
    let extra = Set(b).subtracting(a).sorted().prefix(3).joined(separator: "\n")
    #expect(
      a == b, "\(what)\nonly in one process:\n\(missing)\nonly in many:\n\(extra)",
      sourceLocation: sourceLocation)
  }
}

private func nameless(_ prompt: Int) -> String {
  #"{"model":"mimo-v2.6-pro","ts":1795000060,"usage":{"prompt_tokens":\#(prompt),"completion_tokens":7}}"#
    + "\n"
}

private func append(_ text: String, _ path: String) throws {
  try FileManager.default.createDirectory(
    atPath: split(path).folder, withIntermediateDirectories: true)
  store(Array(text.utf8), path, O_WRONLY | O_CREAT | O_APPEND)
}

@Suite struct ResumingTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  /// The samples, by their path in the folder of samples.
  private static func samples() -> [(name: String, bytes: [UInt8])] {
    let root = formatSamples.path
    let names = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    return names.sorted().compactMap { name in
      guard !name.hasSuffix(".sql"), name != "expected.json", let dot = name.lastIndex(of: "."),
        !name[dot...].contains("/"),
        let data = FileManager.default.contents(atPath: "\(root)/\(name)")
      else { return nil }
      return (name, Array(data))
    }
  }

  @Test(arguments: [1, 2] as [UInt64])
  func `samples that grow in pieces count as in one process`(seed: UInt64) throws {
    var dice = Dice(seed: seed)
    let both = try Both([scratch.source], seed: seed, roundBytes: 300, windowBytes: 1024)
    var rest = Self.samples()
    #expect(rest.count > 30)
    while !rest.isEmpty {
      // Several files grow between two looks.
      for _ in 0..<min(rest.count, 4) {
        let index = Int.random(in: rest.indices, using: &dice)
        let size = rest[index].bytes.count
        let count = Int.random(in: (size + 2) / 3...max(1, size), using: &dice)
        let path = scratch.path(rest[index].name)
        try append("", path)
        store(Array(rest[index].bytes.prefix(count)), path, O_WRONLY | O_APPEND)
        rest[index].bytes.removeFirst(count)
        if rest[index].bytes.isEmpty { rest.remove(at: index) }
        if rest.isEmpty { break }
      }
      both.whole.settle()
      if Bool.random(using: &dice) { both.parts.process.settle() }
      if Int.random(in: 0..<3, using: &dice) > 0 { try both.parts.restart() }
    }
    both.expectSame("seed \(seed)")
  }

  /// Streams of events of which only the first tells whose they are, long ones and unfinished ones.
  private static func events(of name: String, _ dice: inout Dice) -> String {
    var text = ""
    for stream in 0..<12 {
      let id = stream % 3 == 0 ? "" : #""id":"msg_\#(name)_\#(stream)_0123456789","#
      text +=
        #"{"type":"message_start","message":{\#(id)"type":"message","model":"\#(name)","usage":{"input_tokens":\#(100 + stream),"output_tokens":1}}}"#
        + "\n"
      for _ in 0..<Int.random(in: 0...20, using: &dice) {
        text +=
          #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}"#
          + "\n"
      }
      if stream % 5 != 4 {
        text +=
          #"{"type":"message_delta","delta":{},"usage":{"output_tokens":\#(10 + stream)}}"# + "\n"
      }
      if Bool.random(using: &dice) { text += #"{"type":"message_stop"}"# + "\n" }
      if Bool.random(using: &dice) { text += nameless(stream + (name == "mixed" ? 100 : 0)) }
    }
    return text
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `a log that is cut anywhere goes on with what its decoder remembered`(seed: UInt64) throws {
    var dice = Dice(seed: seed)
    let both = try Both([scratch.source], seed: seed, roundBytes: 200, windowBytes: 256)
    let codex = try #require(Self.samples().first { $0.name.contains("00000000000b.jsonl") })
    let events = ["events", "mixed"].map { Array(Self.events(of: $0, &dice).utf8) }
    var rest = [("events.jsonl", events[0]), ("mixed.jsonl", codex.bytes + events[1])]
    while !rest.isEmpty {
      for index in rest.indices {
        let count = min(rest[index].1.count, Int.random(in: 1...1500, using: &dice))
        store(
          Array(rest[index].1.prefix(count)), scratch.path(rest[index].0),
          O_WRONLY | O_CREAT | O_APPEND)
        rest[index].1.removeFirst(count)
      }
      rest.removeAll { $0.1.isEmpty }
      both.settle()
      try both.parts.restart()
    }
    both.expectSame("seed \(seed)")
    #expect(sums(both.whole.collector.ledger.snapshot()).requests > 15)
  }

  @Test func `what looks as it was left is not opened`() throws {
    let past = Date(timeIntervalSinceNow: -100)
    try scratch.write("a.jsonl", [nameless(1)], ending: "")
    try scratch.write("b.json", bytes: Data("[\(nameless(2)),\(nameless(3))]".utf8))
    try scratch.write("c.jsonl.gz", bytes: Data(gzipMember(Array(nameless(4).utf8))))
    try scratch.write("empty.jsonl", [])
    var database: SQLiteConnection? = try SQLiteConnection(
      path: scratch.path("state.db"), access: .readWrite)
    try database?.execute(
      hermesSchema + "INSERT INTO sessions VALUES ('s', 'm', 1795120000, 7, 4000, 10);")
    database = nil
    for name in ["b.json", "state.db"] {
      try FileManager.default.setAttributes(
        [.modificationDate: past], ofItemAtPath: scratch.path(name))
    }
    let both = try Both([scratch.source])
    both.settle()
    #expect(sums(both.whole.collector.ledger.snapshot()).requests == 11)
    both.parts.store()
    for _ in 0..<2 {
      try both.parts.restart()
      both.parts.process.settle()
      #expect(both.parts.process.follower.uses == 0)
      #expect(both.parts.process.collector.takeStates().isEmpty)
      #expect(both.parts.process.collector.goneFiles.isEmpty)
    }
    both.expectSame()
    // Of those that changed, only these are read.
    try append(nameless(5), scratch.path("a.jsonl"))
    try scratch.write("b.json", bytes: Data("[\(nameless(2)),\(nameless(3)), \(nameless(6))]".utf8))
    both.whole.settle()
    try both.parts.restart()
    both.expectSame()
    let read = both.parts.process.follower.files.filter { $0.lastUse > 0 }
    #expect(read.map { split($0.path).name }.sorted() == ["a.jsonl", "b.json"])
    #expect(sums(both.whole.collector.ledger.snapshot()).requests == 13)
  }

  @Test func `a scan goes on where another one stopped`() throws {
    try scratch.write("a.jsonl", [nameless(1)], ending: "")
    try scratch.write("b.json", bytes: Data("[\(nameless(2))]".utf8))
    var states: [FileState] = []
    var ledger = Ledger(promptEdges: [])
    for round in 0..<3 {
      let collector = LogCollector(
        ledger: ledger, sources: [scratch.source], restoring: states,
        clock: { Decoded.readTime })
      try LogFollower(sources: [scratch.source], places: states.map(\.place)).scanOnce(collector)
      let changed = collector.takeStates()
      let keys = Set(changed.map(\.key))
      states = states.filter { !keys.contains($0.key) } + changed
      ledger = collector.ledger
      #expect(sums(ledger.snapshot()).requests == 2 + Int64(round))
      #expect(IngestTotals(collector.fileReports).records == 2 + round)
      try append(nameless(10 + round), scratch.path("a.jsonl"))
    }
  }

  // MARK: - Files that are read wholly

  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func `documents that are rewritten count as in one process`(seed: UInt64) throws {
    var dice = Dice(seed: seed)
    let both = try Both([scratch.source], seed: seed)
    var named: [Int: Int] = [:]
    var anonymous = 0
    for step in 0..<16 {
      named[Int.random(in: 0..<8, using: &dice)] = Int.random(in: 1...1000, using: &dice)
      anonymous += Int.random(in: 0...2, using: &dice)
      for name in ["in-place", "replaced"] {
        var entries = named.sorted { $0.key < $1.key }.map { id, tokens in
          #"{"id":"answer-\#(name)-\#(id)","model":"m","created":\#(1_795_000_000 + id),"usage":{"prompt_tokens":\#(tokens),"completion_tokens":1}}"#
        }
        entries += (0..<anonymous).map { nameless($0 / 2) }
        // Each text is longer than the one before: clocks of file systems are coarse.
        let text = "[\(entries.joined(separator: ","))]" + String(repeating: " ", count: 200 * step)
        let file = name == "replaced" ? "new" : "in-place.json"
        try scratch.write(file, bytes: Data(text.utf8))
      }
      #expect(rename(scratch.path("new"), scratch.path("replaced.json")) == 0)
      both.whole.settle()
      if Bool.random(using: &dice) { both.parts.process.settle() }
      if Bool.random(using: &dice) { try both.parts.restart() }
    }
    both.expectSame("seed \(seed)")
  }

  @Test func `a document to which lines are appended is read as lines from there`() throws {
    let both = try Both([scratch.source])
    let path = scratch.path("a.json")
    for step in 0..<4 {
      try append(nameless(step), path)
      both.settle()
      both.parts.store()
      try both.parts.restart()
    }
    both.expectSame()
    #expect(sums(both.whole.collector.ledger.snapshot()).requests == 4)
  }

  @Test(arguments: 1...2 as ClosedRange<UInt64>)
  func `databases that grow and shrink count as in one process`(seed: UInt64) throws {
    var dice = Dice(seed: seed)
    let hermes = try scratch.database("hermes/state.db", hermesSchema)
    let code = try scratch.database("opencode.db", codeSchema)
    let agent = try scratch.database("mimocode.db", codeSchema)
    defer { withExtendedLifetime((hermes, code, agent)) {} }
    let both = try Both([scratch.source], seed: seed)
    func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &dice) }
    for step in 0..<14 {
      let time = 1_795_100_000_000 + step * 60_000
      for database in [code, agent] {
        let message =
          #"{"role":"assistant","time":{"created":\#(time)},"modelID":"m\#(number(1...3))","cost":0.25,"tokens":{"input":\#(number(0...500)),"output":\#(number(0...50)),"reasoning":0,"cache":{"read":7,"write":0}}}"#
        let session = number(1...3)
        try database.execute(
          """
          INSERT OR REPLACE INTO message VALUES ('m\(number(1...15))', 's\(session)', \(time), \(time), '\(message)');
          UPDATE session SET tokens_input = \(number(0...1) == 0 ? "tokens_input + 100" : "50"), time_updated = \(time)
            WHERE id = 's\(number(1...6))'
          """)
      }
      let session = number(1...4)
      try hermes.execute(
        """
        INSERT OR IGNORE INTO sessions VALUES ('s\(session)', 'm\(session)', 1795120000, 0, 0, 0);
        UPDATE sessions SET api_call_count = api_call_count + 1, output_tokens = output_tokens + 3,
          input_tokens = \(number(0...4) == 0 ? "5" : "input_tokens + 100") WHERE id = 's\(session)'
        """)
      both.settle()
      both.parts.store()
      if Bool.random(using: &dice) { try both.parts.restart() }
    }
    both.expectSame("seed \(seed)")
    #expect(sums(both.whole.collector.ledger.snapshot()).requests > 25)
  }

  @Test func `what took a database's place is another one, and a renamed one is not`() throws {
    func message(_ id: Int) -> String {
      let data =
        #"{"role":"assistant","time":{"created":1795100000000},"tokens":{"input":\#(id),"output":1}}"#
      return "INSERT INTO message VALUES ('m\(id)', 's1', 1, 1, '\(data)');"
    }
    func write(_ name: String, _ sql: String) throws {
      let database = try SQLiteConnection(path: scratch.path(name), access: .readWrite)
      try database.execute(codeSchema + sql)
    }
    let sources: [LogSource] = [.folder(scratch.url.path, suffixes: [".db"])]
    let both = try Both(sources)
    try write("opencode.db", message(1) + message(2))
    both.settle()
    both.parts.store()
    for step in 0..<2 {
      try write("next", message(2) + message(5 + step))
      #expect(rename(scratch.path("opencode.db"), scratch.path("kept-\(step).db")) == 0)
      #expect(rename(scratch.path("next"), scratch.path("opencode.db")) == 0)
      both.whole.settle()
      try both.parts.restart()
      both.settle()
      both.parts.store()
      let counts = [both.whole, both.parts.process].map {
        sums($0.collector.ledger.snapshot()).tokens.input
      }
      // Five sessions whose messages tell no usage are told by their sums.
      #expect(counts == [58 + 5 * Int64(step) + Int64(step), 58 + 5 * Int64(step) + Int64(step)])
    }
  }

  @Test(arguments: 1...2 as ClosedRange<UInt64>)
  func `compressed logs that grow count as in one process`(seed: UInt64) throws {
    var dice = Dice(seed: seed)
    let both = try Both([scratch.source], seed: seed)
    let codex = try #require(Self.samples().first { $0.name.contains("00000000000b.jsonl") })
    var rest = codex.bytes
    for step in 0..<12 {
      let piece = Array(rest.prefix(Int.random(in: 1...1500, using: &dice)))
      rest.removeFirst(piece.count)
      let lines = Array((nameless(step) + nameless(step)).utf8)
      for (name, bytes) in [
        ("a.jsonl.gz", gzipMember(lines)), ("b.jsonl.zst", zstdFrame(lines)),
        ("rollout.jsonl.gz", gzipMember(piece)),
      ] { store(bytes, scratch.path(name), O_WRONLY | O_CREAT | O_APPEND) }
      both.whole.settle()
      if Bool.random(using: &dice) { both.parts.process.settle() }
      if Bool.random(using: &dice) { try both.parts.restart() }
    }
    both.expectSame("seed \(seed)")
    #expect(sums(both.whole.collector.ledger.snapshot()).requests > 48)
  }

  // MARK: - While nobody looks

  enum Rotation: CaseIterable { case rename, copyAndTruncate, replace, compress, copyAndCompress }

  @Test(arguments: Rotation.allCases, [true, false])
  func `a log that was rotated while nobody looked counts once`(
    _ rotation: Rotation, isFolder: Bool
  ) throws {
    // What was compressed is only found by who looks at the whole folder.
    if !isFolder, rotation == .compress || rotation == .copyAndCompress { return }
    let log = scratch.path("app.log")
    let sources = [isFolder ? scratch.source : .file(log)]
    let parts = try Processes(sources)
    var text = nameless(1) + nameless(2)
    try append(text, log)
    parts.process.settle()
    parts.store()
    for round in 0..<3 {
      // Read up to here; more follows before the log is rotated, and after that.
      text += nameless(10 * round + 3)
      try append(nameless(10 * round + 3), log)
      let old = scratch.path("app.log.\(round)")
      switch rotation {
      case .rename: #expect(rename(log, old) == 0)
      case .copyAndTruncate:
        store(Array(text.utf8), old, O_WRONLY | O_CREAT)
        #expect(truncate(log, 0) == 0)
      case .replace:
        // What was written last is lost.
        #expect(unlink(log) == 0)
      case .compress:
        #expect(unlink(log) == 0)
        store(gzipMember(Array(text.utf8)), old + ".gz", O_WRONLY | O_CREAT)
      case .copyAndCompress:
        store(gzipMember(Array(text.utf8)), old + ".gz", O_WRONLY | O_CREAT)
        #expect(truncate(log, 0) == 0)
      }
      text = nameless(10 * round + 4)
      try append(text, log)
      try parts.restart()
      parts.process.settle()
      parts.store()
      let lost: Int64 = rotation == .replace ? Int64(round) + 1 : 0
      #expect(
        sums(parts.process.collector.ledger.snapshot()).requests == 4 + 2 * Int64(round) - lost,
        "round \(round)")
    }
    if isFolder {
      let records = IngestTotals(parts.process.reports).records
      #expect(records == (rotation == .replace ? 5 : 8))
    }
  }

  @Test func `a renamed file is known by its content, and another one of its number is not`() throws
  {
    try append(nameless(1), scratch.path("a.jsonl"))
    try append(nameless(2), scratch.path("b.jsonl"))
    let parts = try Processes([scratch.source])
    parts.process.settle()
    parts.store()
    #expect(rename(scratch.path("a.jsonl"), scratch.path("c.jsonl")) == 0)
    try append(nameless(3), scratch.path("c.jsonl"))
    // The same number, and other content under another name.
    #expect(rename(scratch.path("b.jsonl"), scratch.path("d.jsonl")) == 0)
    store(Array((nameless(44) + nameless(55)).utf8), scratch.path("d.jsonl"), O_WRONLY | O_TRUNC)
    try parts.restart()
    parts.process.settle()
    parts.store()
    #expect(sums(parts.process.collector.ledger.snapshot()).requests == 5)
    #expect(parts.process.collector.fileReports.map(\.records) == [2, 2])
    #expect(parts.process.collector.goneFiles.map(\.state.report.path) == [scratch.path("b.jsonl")])
    #expect(
      Set(parts.stored.map(\.place.path))
        == Set(["b", "c", "d"].map { scratch.path($0 + ".jsonl") }))
  }

  @Test func `a log that is gone is told of`() throws {
    for name in ["a", "b"] { try append(nameless(1) + nameless(2), scratch.path("\(name).jsonl")) }
    let parts = try Processes([scratch.source])
    parts.process.settle()
    parts.store()
    #expect(parts.process.collector.goneFiles.isEmpty)
    #expect(unlink(scratch.path("a.jsonl")) == 0)
    for _ in 0..<2 {
      try parts.restart()
      parts.process.settle()
      parts.store()
      #expect(parts.process.collector.fileReports.map(\.path) == [scratch.path("b.jsonl")])
      let gone = parts.process.collector.goneFiles.map(\.state)
      #expect(gone.map(\.report.path) == [scratch.path("a.jsonl")])
      #expect(gone.map(\.report.records) == [2])
      #expect(gone.first?.report.formats == ["api"])
    }
    #expect(parts.stored.count == 2)
  }
}

private let hermesSchema = """
  CREATE TABLE sessions (id TEXT PRIMARY KEY, model TEXT, started_at REAL, api_call_count INTEGER,
    input_tokens INTEGER, output_tokens INTEGER);
  """
private let codeSchema = """
  CREATE TABLE session (id TEXT PRIMARY KEY, directory TEXT NOT NULL, time_created INTEGER, time_updated INTEGER,
    tokens_input INTEGER, tokens_output INTEGER, tokens_cache_read INTEGER, tokens_cache_write INTEGER);
  CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, time_created INTEGER,
    time_updated INTEGER, data TEXT NOT NULL);
  WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 6)
  INSERT INTO session SELECT 's' || n, '/home/ana', 1795000000000, 1795000000000, 10, 1, 0, 0 FROM numbers;
  """
