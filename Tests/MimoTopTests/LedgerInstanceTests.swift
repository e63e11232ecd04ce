import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// Several processes at one ledger: one keeps it, the others follow, and the next takes over.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct LedgerInstanceTests {
    private let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      try sandbox.fixPrices()
      try sandbox.writeTranscript(calls: 2)
    }

    private func append(_ id: String) throws {
      try sandbox.append(sandbox.call(id), to: sandbox.transcript("one"))
    }

    private func holder(_ terminal: PseudoTerminal) -> String {
      "the ledger is kept by process \(terminal.processID) on "
    }

    @Test
    func `a dashboard follows the one that keeps the ledger, and takes over when it is killed`()
      throws
    {
      let watch = try sandbox.start(["watch"])
      try sandbox.waitUntilStored(2)
      let dashboard = try sandbox.startWithAllTime()
      try dashboard.waitForCalls(2)
      try dashboard.waitForNotice(holder(watch))
      try append("three")
      // A report needs not wait until it is stored.
      #expect(try sandbox.usage().requests == 3)
      try dashboard.waitForCalls(3)
      try append("four")
      try dashboard.waitForCalls(4)

      watch.send(signal: SIGKILL)
      #expect(try watch.waitForExit(within: patience) == .signal(SIGKILL))
      try append("five")
      try dashboard.waitForCalls(5)
      try sandbox.waitUntilStored(5)
      // Who waits now is told of the new one.
      let second = try sandbox.start(["watch"])
      try second.see(holder(dashboard))
      try append("six")
      try dashboard.waitForCalls(6)
      try dashboard.quit()

      try append("seven")
      try sandbox.waitUntilStored(7)
      second.send(signal: SIGTERM)
      #expect(try second.waitForExit(within: patience) == .status(0))
      try sandbox.delete(sandbox.transcript("one"))
      #expect(try sandbox.usage().requests == 7)
    }

    @Test func `who follows a ledger goes on with the one that comes in its place`() throws {
      let keeper = try sandbox.start(["watch"])
      try sandbox.waitUntilStored(2)
      let dashboard = try sandbox.startWithAllTime()
      try dashboard.waitForCalls(2)
      for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        rename(sandbox.state + "/" + name, sandbox.path("moved-" + name))
      }
      try append("three")
      try dashboard.waitForCalls(3)
      keeper.send(signal: SIGTERM)
      #expect(try keeper.waitForExit(within: patience) == .status(0))
      try dashboard.quit()
    }

    @Test func `where somebody holds the lock and keeps nothing the logs are counted`() throws {
      try FileManager.default.createDirectory(
        atPath: sandbox.state, withIntermediateDirectories: true)
      let lock = open(sandbox.state + "/ledger.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
      let dashboard = try sandbox.startWithAllTime()
      try dashboard.waitForCalls(2)
      try dashboard.waitForNotice("there is no ledger yet")
      close(lock)
      try sandbox.waitUntilStored(2)
      try append("three")
      try dashboard.waitForCalls(3)
      try dashboard.quit()
    }

    @Test func `who follows is told that a log is gone`() throws {
      let keeper = try sandbox.start(["watch"])
      try sandbox.waitUntilStored(2)
      try sandbox.delete(sandbox.transcript("one"))
      let dashboard = try sandbox.startWithAllTime()
      try dashboard.waitForCalls(2)
      try dashboard.waitForNotice("its log is gone; what it told is kept")
      keeper.send(signal: SIGTERM)
      try keeper.waitForExit(within: patience)
      try dashboard.quit()
    }

    @Test func `what is typed to the ledger's commands waits for its keeper to end`() throws {
      let watch = try sandbox.start(["watch"])
      try sandbox.waitUntilStored(2)
      try sandbox.write(
        #"{"schema":"mimo-top.ledger/1","ledger_origin":"00ff","exported":"2026-11-22T05:16:56Z"}"#
          + "\n", to: "none.jsonl")
      for arguments in [
        ["import", "none.jsonl"], ["merge", "none.jsonl"], ["forget", "--source", "claude-code"],
        ["rebuild"],
      ] {
        let run = try sandbox.run(["ledger"] + arguments)
        #expect(run.ending == .status(1), "\(arguments)")
        #expect(run.errors.contains("kept by process \(watch.processID) on "), "\(run.errors)")
      }
      #expect(try sandbox.succeed(["ledger", "export"]).split(separator: "\n").count == 3)
      #expect(try sandbox.succeed(["ledger"]).contains("by another mimo-top at present"))
      #expect(try sandbox.succeed(["ledger", "verify"]).hasPrefix("the ledger has what the logs"))
      let doctor = try sandbox.succeed(["doctor"])
      #expect(doctor.contains("kept by another mimo-top at present"))
      watch.send(signal: SIGKILL)
      try watch.waitForExit(within: patience)
      try sandbox.succeed(["ledger", "import", "none.jsonl"])
      #expect(try sandbox.usage().requests == 2)
    }

    @Test func `many at once count each call once`() throws {
      // All begin the same ledger in the same moment, and one of them is killed.
      var all: [PseudoTerminal] = []
      for _ in 0..<4 { all.append(try sandbox.start(["watch"])) }
      for index in 0..<3 {
        try append("more-\(index)")
        #expect(try sandbox.usage().requests == 3 + index)
        let first = all.removeFirst()
        first.send(signal: index == 1 ? SIGTERM : SIGKILL)
        try first.waitForExit(within: patience)
      }
      try append("last")
      try sandbox.waitUntilStored(6)
      #expect(try sandbox.succeed(["ledger", "verify"]).hasPrefix("the ledger has what the logs"))
      #expect(try sandbox.stateFiles("ledger.db.damaged") == [])
    }

    @Test(.enabled(if: geteuid() == 0, "only the superuser can give files away"))
    func `the ledger of another user is left alone`() throws {
      try sandbox.keep()
      let before = FileManager.default.contents(atPath: sandbox.ledger)
      #expect(chown(sandbox.state, 12_345, 12_345) == 0)
      try expectInMemory(sandbox, "belongs to another user and is left alone")
      #expect(FileManager.default.contents(atPath: sandbox.ledger) == before)
    }
  }
}

/// Expects that each command works without the ledger and says why, with two calls in the logs.
func expectInMemory(
  _ sandbox: Sandbox, _ message: String, environment: [String: String?] = [:],
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let report = try sandbox.run(["report", "--json", "--by", "session"], environment: environment)
  #expect(report.ending == .status(1), sourceLocation: sourceLocation)
  #expect(
    report.errors.contains(message), "\(report.errors)", sourceLocation: sourceLocation)
  #expect(try ReportedUsage(report).requests == 2, sourceLocation: sourceLocation)
  let watch = try sandbox.run(["watch", "--once"], environment: environment)
  #expect(watch.ending == .status(1), sourceLocation: sourceLocation)
  #expect(watch.errors.contains(message), "\(watch.errors)", sourceLocation: sourceLocation)
  let doctor = try sandbox.run(["doctor"], environment: environment)
  #expect(doctor.ending == .status(1), sourceLocation: sourceLocation)
  #expect(
    doctor.output.contains(message), "\(doctor.output)", sourceLocation: sourceLocation)

  let dashboard = try sandbox.start(environment: environment)
  dashboard.type("w")
  try dashboard.waitForCalls(2)
  try dashboard.waitForNotice(message)
  try sandbox.append(sandbox.call("late"), to: sandbox.transcript("one"))
  try dashboard.waitForCalls(3)
  try dashboard.quit()
}
