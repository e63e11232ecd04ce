import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// Whatever kills a process that keeps the ledger, at whatever instant: no call is lost, none counts twice.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct LedgerKillTests {
    private let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      try sandbox.fixPrices()
    }

    @Test(.tags(.slow))
    func `after two hundred kills under load the numbers are those of one run`() throws {
      var logs = try GrowingLogs(sandbox)
      // This one is never killed, and keeps a ledger of its own.
      let other = ["XDG_STATE_HOME": sandbox.home + "/other"]
      let steady = try sandbox.start(["watch"], environment: other)
      var schedule = KillSchedule(seed: 5)
      while schedule.kills < 200 {
        let isLong = schedule.kills % 6 == 5
        try schedule.run(
          sandbox, isLong ? ["watch"] : ["watch", "--once"], storesFirst: isLong
        ) { try logs.grow() }
      }
      try logs.finish()
      let commits = try sandbox.ledgerDatabase().prepare(
        "SELECT value FROM state WHERE name = 'commit'")
      #expect(try commits.step())
      #expect(try #require(commits.integer(0)) >= 10, "most were killed before they stored")

      let killed = try sandbox.usage()
      #expect(try #require(killed.requests) > 300)
      #expect(try killed == sandbox.usage(["--no-ledger"]))
      steady.send(signal: SIGTERM)
      #expect(try steady.waitForExit(within: patience) == .status(0))
      #expect(try killed == sandbox.usage(environment: other))
      #expect(try sandbox.succeed(["ledger", "verify"]).hasPrefix("the ledger has what the logs"))
      #expect(try sandbox.stateFiles("ledger.db.damaged") == [])
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `samples that come piece by piece, in any order, between kills, are counted once`(
      seed: UInt64
    ) throws {
      let whole = try Sandbox()
      try whole.furnish()
      var arrival = try ArrivingFiles(from: whole.home, to: sandbox.home, seed: seed)
      var schedule = KillSchedule(seed: seed)
      while !arrival.isComplete {
        try schedule.run(sandbox, ["watch", "--once"]) {
          for _ in 0..<4 { try arrival.advance() }
        }
      }
      try sandbox.keep()
      // What was read goes on under another name.
      let day = "sessions/2026/11/20"
      for name in try FileManager.default.contentsOfDirectory(
        atPath: sandbox.home + "/.codex/\(day)")
      {
        try sandbox.write("", to: sandbox.home + "/.codex/archived_sessions/x")
        try sandbox.rename(
          sandbox.home + "/.codex/\(day)/\(name)",
          to: sandbox.home + "/.codex/archived_sessions/\(name)")
      }
      let sessions = sandbox.home + "/.openclaw/agents/main/sessions/0f6a1c.jsonl"
      try sandbox.rename(sessions, to: sessions + ".reset.2026-11-20T13-00-00.000Z")
      try schedule.run(sandbox, ["watch", "--once"]) {}

      let usage = try sandbox.usage()
      #expect(try usage == sandbox.usage(["--no-ledger"]))
      // As `doctor` counts them.
      #expect(usage.requests == 28)
      #expect(try sandbox.succeed(["ledger", "verify"]).hasPrefix("the ledger has what the logs"))
    }
  }
}

/// Files that appear in another home bit by bit, in a shuffled order.
private struct ArrivingFiles {
  private struct File {
    var source: String
    var target: String
    var bytes: [UInt8]
    var written = 0
  }

  private var files: [File] = []
  private var random: SplitMix

  init(from source: String, to target: String, seed: UInt64) throws {
    random = SplitMix(state: seed)
    let paths = FileManager.default.enumerator(atPath: source)?.compactMap { $0 as? String } ?? []
    for path in paths.sorted() {
      guard let data = FileManager.default.contents(atPath: source + "/" + path) else { continue }
      files.append(
        File(source: source + "/" + path, target: target + "/" + path, bytes: Array(data)))
    }
    files.shuffle(using: &random)
  }

  var isComplete: Bool { files.isEmpty }

  /// Lines grow by some bytes; documents and databases are there at once, as those who write them take care of.
  mutating func advance() throws {
    guard let index = files.indices.randomElement(using: &random) else { return }
    let target = files[index].target
    try FileManager.default.createDirectory(
      atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    guard target.hasSuffix(".jsonl") else {
      try FileManager.default.copyItem(atPath: files[index].source, toPath: target + ".new")
      try FileManager.default.moveItem(atPath: target + ".new", toPath: target)
      files.remove(at: index)
      return
    }
    let rest = files[index].bytes.count - files[index].written
    let count = min(rest, Int.random(in: 1...1500, using: &random))
    let part = files[index].bytes[files[index].written..<files[index].written + count]
    let file = open(target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    try #require(file >= 0)
    let sent = Array(part).withUnsafeBytes { write(file, $0.baseAddress, count) }
    close(file)
    try #require(sent == count)
    files[index].written += count
    if rest == count { files.remove(at: index) }
  }
}
