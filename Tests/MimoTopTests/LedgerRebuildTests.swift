import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// A ledger that is counted anew has all that the old one had, and what was forgotten stays so.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct LedgerRebuildTests {
    private let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      try sandbox.fixPrices()
      try sandbox.followPlainLogs("~/logs")
    }

    private var logs: String { sandbox.home + "/logs" }

    @Test func `sums of logs that are gone are taken over, to the minute`() throws {
      try sandbox.write(sandbox.plainCall(60), to: logs + "/kept.jsonl")
      try sandbox.write(
        sandbox.plainCall(60) + sandbox.plainCall(50) + sandbox.plainCall(40 * 1440),
        to: logs + "/gone.jsonl")
      let usage = try sandbox.usage()
      #expect(usage.requests == 4)
      try sandbox.delete(logs + "/gone.jsonl")
      let said = try sandbox.succeed(["ledger", "rebuild"])
      #expect(said.contains("counted 1 call in 1 log"), "\(said)")
      #expect(said.contains("took over 3 calls"), "\(said)")
      #expect(try sandbox.usage() == usage)
      try sandbox.succeed(["ledger", "verify"])
      try sandbox.succeed(["ledger", "rebuild"])
      #expect(try sandbox.usage() == usage)
    }

    @Test func `a log that comes back after a rebuild goes on where it was`() throws {
      try sandbox.write(sandbox.plainCall(60) + sandbox.plainCall(59), to: logs + "/a.jsonl")
      let usage = try sandbox.usage()
      try sandbox.rename(logs + "/a.jsonl", to: sandbox.path("a.jsonl"))
      try sandbox.succeed(["ledger", "rebuild"])
      try sandbox.rename(sandbox.path("a.jsonl"), to: logs + "/a.jsonl")
      #expect(try sandbox.usage() == usage)
      try sandbox.append(sandbox.plainCall(58), to: logs + "/a.jsonl")
      #expect(try sandbox.usage().requests == 3)
    }

    @Test func `a rebuild that is killed leaves the old ledger or the new one`() throws {
      for session in 0..<20 { try sandbox.writeTranscript("s\(session)", calls: 50) }
      try sandbox.write(sandbox.plainCall(60), to: logs + "/a.jsonl")
      try sandbox.keep()
      let usage = try sandbox.usage()
      for session in 0..<10 { try sandbox.delete(sandbox.transcript("s\(session)")) }
      try sandbox.delete(logs + "/a.jsonl")
      var schedule = KillSchedule(seed: 7)
      while schedule.kills < 12 {
        try schedule.run(sandbox, ["ledger", "rebuild"]) {}
        #expect(try sandbox.usage() == usage)
      }
      // What was left behind is told, and goes with the next one.
      try sandbox.write("", to: sandbox.state + "/rebuild-99999/ledger.db")
      for command in [["ledger"], ["ledger", "--json"], ["doctor"]] {
        #expect(try sandbox.run(command).output.contains("rebuild-99999"), "\(command)")
      }
      try sandbox.succeed(["ledger", "rebuild"])
      #expect(try sandbox.stateFiles("rebuild-") == [])
      #expect(try !sandbox.run(["ledger"]).output.contains("left over"))
      #expect(try sandbox.usage() == usage)
      try sandbox.succeed(["ledger", "verify"])
    }

    @Test func `nobody else keeps the ledger while it is rebuilt`() throws {
      try sandbox.writeTranscript(calls: 3)
      let watch = try sandbox.start(["watch"])
      try sandbox.waitUntilStored(3)
      let run = try sandbox.run(["ledger", "rebuild"])
      #expect(run.ending == .status(1))
      #expect(run.errors.contains("end that first (nothing was changed)"), "\(run.errors)")
      watch.send(signal: SIGTERM)
      try watch.waitForExit(within: patience)
      try sandbox.succeed(["ledger", "rebuild"])
      #expect(try sandbox.stateFiles("rebuild-") == [])
      #expect(try sandbox.usage().requests == 3)
    }

    @Test func `what was forgotten stays forgotten`() throws {
      let old = sandbox.call("old").replacingOccurrences(
        of: Moment.minutesAgo(60).text, with: Moment.minutesAgo(50 * 1440).text)
      try sandbox.write(
        old + sandbox.call("m1") + sandbox.call("m2"), to: sandbox.transcript("one"))
      try sandbox.write(sandbox.plainCall(90) + sandbox.plainCall(30), to: logs + "/a.jsonl")
      #expect(try sandbox.usage().requests == 5)
      try sandbox.succeed(["ledger", "forget", "--before", "40d"])
      try sandbox.succeed(["ledger", "verify"])
      try sandbox.succeed(["ledger", "forget", "--source", "claude-code"])
      try sandbox.succeed(["ledger", "forget", "--source", "plain"])
      #expect(try sandbox.usage(status: 3).requests == 0)
      // A session that is resumed repeats its past in a new file.
      try sandbox.write(
        old + sandbox.call("m1") + sandbox.call("m2", session: "two") + sandbox.call("m3"),
        to: sandbox.transcript("two"))
      try sandbox.append(sandbox.plainCall(20), to: logs + "/a.jsonl")
      let usage = try sandbox.usage()
      #expect(usage.requests == 2)
      try sandbox.succeed(["ledger", "verify"])
      for _ in 0..<2 {
        try sandbox.succeed(["ledger", "rebuild"])
        #expect(try sandbox.usage() == usage)
        try sandbox.succeed(["ledger", "verify"])
      }
      #expect(try sandbox.succeed(["ledger"]).contains("forgotten  all before"))
      try sandbox.write(sandbox.call("m1") + sandbox.call("m4"), to: sandbox.transcript("three"))
      #expect(try sandbox.usage().requests == 3)
    }

    @Test func `verify compares what the logs of this machine can say`() throws {
      let other = try Sandbox()
      try other.followPlainLogs("~/logs")
      try other.write(
        other.plainCall(60) + other.call("there"), to: other.home + "/logs/theirs.jsonl")
      try other.keep()
      try sandbox.write(sandbox.plainCall(60) + sandbox.plainCall(50), to: logs + "/new.jsonl")
      try sandbox.write(sandbox.plainCall(3000), to: logs + "/old.jsonl")
      try sandbox.keep()
      try sandbox.succeed(["ledger", "merge", other.ledger])
      let said = try sandbox.succeed(["ledger", "verify"])
      #expect(said.contains("only the ledger still tells 2 calls"), "\(said)")
      // With a log that is gone, more than the others tell is no agreement where that one told nothing.
      try sandbox.delete(logs + "/old.jsonl")
      try sandbox.succeed(["ledger", "verify"])
      let copy = try String(contentsOfFile: logs + "/new.jsonl", encoding: .utf8)
      try sandbox.write(copy, to: logs + "/copy.jsonl")
      try sandbox.keep()
      try sandbox.write("", to: logs + "/copy.jsonl")
      try sandbox.keep()
      let run = try sandbox.run(["ledger", "verify"])
      #expect(run.ending == .status(1), "\(run.output)")
      #expect(run.output.contains("differs: plain, session (none), mimo-v2.6-pro"))
    }

    @Test func `verify says so when nothing can be stored`() throws {
      try sandbox.writeTranscript(calls: 2)
      try sandbox.keep()
      try sandbox.ledgerDatabase().execute(
        "CREATE TRIGGER full BEFORE INSERT ON hour BEGIN SELECT RAISE(ABORT, 'no'); END")
      try sandbox.append(sandbox.call("more"), to: sandbox.transcript("one"))
      let run = try sandbox.run(["ledger", "verify"])
      #expect(run.ending == .status(1), "\(run.output)")
      #expect(run.errors.contains("ledger.db"), "\(run.errors)")
      #expect(!run.output.contains("the ledger has what the logs say"))
    }
  }
}
