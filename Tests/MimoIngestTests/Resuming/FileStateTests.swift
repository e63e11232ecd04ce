import Foundation
import MimoEngine
import MimoSQLite
import Testing

@testable import MimoIngest

/// Bytes with the seal that a state of such content would have.
private func sealed(_ bytes: some Collection<UInt8>) -> [UInt8] {
  let body = Array(bytes)
  let seal = body.withUnsafeBytes { Fingerprint(of: $0) }.value
  return body + (0..<8).map { UInt8(truncatingIfNeeded: seal >> (8 * UInt64($0))) }
}

@Suite struct FileStateTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  /// States of files of each kind.
  private func states() throws -> [FileState] {
    for name in [
      "claude-code", "codex", "console", "gemini-cli", "openclaw", "anthropic-stream.jsonl",
    ] {
      try FileManager.default.copyItem(
        at: formatSamples.appendingPathComponent(name),
        to: scratch.url.appendingPathComponent(name))
    }
    let lines = #"{"model":"m","usage":{"prompt_tokens":3,"completion_tokens":7}}"# + "\n{bad\n"
    try scratch.write("c.jsonl.gz", bytes: Data(gzipMember(Array(lines.utf8))))
    let database = try SQLiteConnection(path: scratch.path("state.db"), access: .readWrite)
    try database.execute(
      """
      CREATE TABLE sessions (id TEXT, model TEXT, started_at REAL, input_tokens INTEGER, output_tokens INTEGER);
      INSERT INTO sessions VALUES ('s', 'm', 1795120000, 4000, 10), ('t', 'm', 1795120000, 4000, 10);
      """)
    let code = try SQLiteConnection(path: scratch.path("mimocode.db"), access: .readWrite)
    try code.execute(
      String(
        contentsOf: formatSamples.appendingPathComponent("mimocode/mimocode.sql"), encoding: .utf8))
    let process = try Process([scratch.source])
    process.settle()
    return process.collector.takeStates()
  }

  @Test func `a state is the same after it was stored`() throws {
    let states = try states()
    #expect(states.count > 10)
    for state in states {
      let copy = try #require(FileState(encoded: state.encoded))
      #expect(copy.key == state.key)
      #expect(copy.place == state.place)
      #expect(contents([copy.report]) == contents([state.report]))
      #expect(copy.report.bytes == state.report.bytes)
      #expect(copy.tally == state.tally)
      #expect(copy.anchor == state.anchor)
      #expect(copy.content == state.content)
      #expect(copy.encoded == state.encoded)
      #expect(
        state.report.tally.badLines.isEmpty
          ? state.encoded.count < 1000 + state.content.count : true)
    }
    #expect(Set(states.map(\.key)).count == states.count)
  }

  @Test func `cut, changed and foreign bytes are no states`() throws {
    let bytes = try #require(try states().first).encoded
    for count in bytes.indices { #expect(FileState(encoded: Array(bytes[..<count])) == nil) }
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= 1 << UInt8(index % 8)
      #expect(FileState(encoded: changed) == nil)
    }
    #expect(FileState(encoded: sealed([2] + bytes.dropFirst().dropLast(8))) == nil)
    #expect(FileState(encoded: sealed(bytes.dropLast(8) + [0])) == nil)
    var dice = Dice(seed: 5)
    for _ in 0..<2000 {
      let noise = (0..<Int.random(in: 0...300, using: &dice)).map { _ in
        UInt8.random(in: 0...255, using: &dice)
      }
      #expect(FileState(encoded: noise) == nil)
      // It may be a state by chance; it is never a trap.
      _ = FileState(encoded: sealed([1] + noise))
    }
  }

  @Test func `a state of nonsense does not stop anything`() throws {
    var dice = Dice(seed: 6)
    let states = try states()
    var read = 0
    for round in 0..<60 {
      let damaged = states.compactMap { state -> FileState? in
        var state = state
        var body = state.encoded.dropLast(8)
        for _ in 0..<Int.random(in: 0...2, using: &dice) {
          body[Int.random(in: 1..<body.count, using: &dice)] = .random(in: 0...255, using: &dice)
        }
        if let changed = FileState(encoded: sealed(body)) { state = changed }
        for _ in 0..<Int.random(in: 0...2, using: &dice) where !state.content.isEmpty {
          let place = Int.random(in: state.content.indices, using: &dice)
          state.content[place] = .random(in: 0...255, using: &dice)
        }
        if Bool.random(using: &dice) { state.place.seen = nil }
        return state
      }
      let collector = LogCollector(
        ledger: Ledger(promptEdges: []), sources: [scratch.source], restoring: damaged,
        clock: { Decoded.readTime })
      if round % 3 == 0 {
        let log = scratch.path("anthropic-stream.jsonl")
        store(Array("{\"type\":\"message_stop\"}\n".utf8), log, O_WRONLY | O_APPEND)
      }
      try LogFollower(sources: [scratch.source], places: damaged.map(\.place)).scanOnce(collector)
      for state in collector.takeStates() {
        #expect(FileState(encoded: state.encoded) != nil)
        read += 1
      }
      _ = collector.goneFiles
    }
    #expect(read > 100)
  }

  @Test func `numbers and names are what was written`() throws {
    var names = NameTable()
    let (one, two) = (names.intern("one"), names.intern("two"))
    let numbers: [Int64] = [0, 1, -1, 63, 64, -64, -65, 1 << 53, -1 << 53]
    var writer = StateWriter()
    for number in numbers { writer.add(number) }
    for number in [UInt64.max, 127, 128, 1 << 63] { writer.add(number) }
    for id in [one, two, one, .none, .none] { writer.add(id, of: names) }
    var record = UsageRecord(
      time: Instant(milliseconds: -5),
      identity: CallIdentity(message: Fingerprint(value: 9), request: .max, rank: .request),
      labels: Labels(model: two, session: one))
    record.conversation = one
    record.tokens = TokenCounts(
      input: 1, cacheRead: 2, cacheWrite5m: 3, cacheWrite1h: 4, output: 5, reasoning: 6)
    record.tellsCache = false
    record.tier = .flex
    record.failed = true
    record.calls = 7
    record.promptSize = 8
    record.durationMilliseconds = 9
    record.statedCost = Amount(atto: Int128(-3) << 70)
    record.quantities.webSearches = 10
    writer.add(record, names)
    var reader = StateReader(writer.bytes)
    for number in numbers { #expect(try reader.signed() == number) }
    for number in [UInt64.max, 127, 128, 1 << 63] { #expect(try reader.number() == number) }
    var others = NameTable()
    _ = others.intern("zero")
    let read = try (0..<5).map { _ in try reader.name(&others) }
    #expect(read.map { others[$0] } == ["one", "two", "one", "", ""])
    var copy = try reader.record(&others)
    #expect(reader.isAtEnd)
    #expect(others[copy.labels.model] == "two")
    #expect(others[copy.conversation] == "one")
    (copy.labels, copy.conversation) = (record.labels, record.conversation)
    #expect(copy == record)
  }

  @Test func `keys are hashed with the salt`() throws {
    let line =
      #"{"model":"m","api_key":"tp-abcdefghijklmnopqrstuvwxyz0123456789","usage":{"prompt_tokens":3,"completion_tokens":7}}"#
    try scratch.write("a.jsonl", [line])
    func key(_ salt: UInt64?) throws -> String {
      let sources = [scratch.source]
      let collector =
        salt.map {
          LogCollector(
            ledger: Ledger(promptEdges: []), sources: sources, keySalt: $0,
            clock: { Decoded.readTime })
        }
        ?? LogCollector(
          ledger: Ledger(promptEdges: []), sources: sources, clock: { Decoded.readTime })
      try LogFollower(sources: sources).scanOnce(collector)
      let snapshot = collector.ledger.snapshot()
      return snapshot.names[snapshot.cube.series[0].labels.key]
    }
    let keys = try [nil, 0, 1, 2].map { try key($0) }
    #expect(keys.allSatisfy { $0.hasPrefix("tp-#") && $0.count <= 10 })
    #expect(keys[0] == keys[1])
    #expect(Set(keys).count == 3)
  }
}
