import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// What can happen to the folder and the file of the ledger: a message that says what to do, and numbers that stay
  /// right.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct LedgerMishapTests {
    private let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      try sandbox.fixPrices()
      try sandbox.writeTranscript(calls: 2)
    }

    // MARK: - The file

    @Test func `a ledger of a newer program is not touched`() throws {
      try sandbox.keep()
      try sandbox.ledgerDatabase().execute(
        "PRAGMA user_version = 9999; PRAGMA wal_checkpoint(TRUNCATE)")
      let before = FileManager.default.contents(atPath: sandbox.ledger)
      try expectInMemory(sandbox, "made by a newer mimo-top (form 9999, this one knows ")
      #expect(FileManager.default.contents(atPath: sandbox.ledger) == before)
      for arguments in [[], ["export"], ["verify"]] {
        let run = try sandbox.run(["ledger"] + arguments)
        #expect(run.ending == .status(1), "\(arguments)")
        #expect(run.errors.contains("update mimo-top"), "\(run.errors)")
      }
    }

    @Test(arguments: ["a text", "cut", "half a page", "the middle", "another database"])
    func `a damaged ledger is set aside under a new name, and the logs are counted anew`(
      damage: String
    ) throws {
      try sandbox.writeTranscript("big", calls: 400)
      try sandbox.keep()
      let url = URL(fileURLWithPath: sandbox.ledger)
      let whole = try Data(contentsOf: url)
      switch damage {
      case "a text": try Data("no database".utf8).write(to: url)
      case "cut": try whole.prefix(whole.count / 2).write(to: url)
      case "half a page": try whole.prefix(2000).write(to: url)
      case "another database":
        try sandbox.delete(sandbox.ledger)
        try sandbox.ledgerDatabase().execute("CREATE TABLE a (b)")
      default:
        var random = SplitMix(state: 1)
        var bytes = whole
        for place in 4096..<whole.count * 3 / 4 {
          bytes[place] = UInt8.random(in: 0...255, using: &random)
        }
        try bytes.write(to: url)
      }
      let damaged = try Data(contentsOf: url)
      // Which of the two runs meets it depends on where it is; both have the right numbers.
      let runs = try (0..<2).map { _ in try sandbox.run(["report", "--json", "--by", "session"]) }
      for run in runs { #expect(try ReportedUsage(run).requests == 402) }
      let said = runs.map(\.errors).joined()
      #expect(said.contains("was damaged and is now \(sandbox.ledger).damaged-"), "\(said)")
      #expect(said.contains("`mimo-top ledger rebuild` recounts what logs still tell"))
      let aside = try sandbox.stateFiles("ledger.db.damaged-")
      #expect(aside.count == 1)
      #expect(try Data(contentsOf: URL(fileURLWithPath: sandbox.state + "/" + aside[0])) == damaged)
      #expect(try sandbox.usage() == sandbox.usage(["--no-ledger"]))
      try sandbox.succeed(["ledger", "verify"])
      try sandbox.succeed(["doctor"])
    }

    @Test func `damage that comes while a dashboard runs does not end it`() throws {
      try sandbox.writeTranscript("big", calls: 400)
      let dashboard = try sandbox.startWithAllTime()
      try dashboard.waitForCalls(402)
      try sandbox.waitUntilStored(402)
      // Behind its back, and with what is beside it.
      for name in ["ledger.db", "ledger.db-wal"] {
        try Data(repeating: 0x55, count: 200_000).write(
          to: URL(fileURLWithPath: sandbox.state + "/" + name))
      }
      for index in 0..<3 {
        try sandbox.append(sandbox.call("late-\(index)"), to: sandbox.transcript("one"))
        try dashboard.waitForCalls(403 + index)
      }
      try dashboard.quit()
      let runs = try (0..<2).map { _ in try sandbox.run(["report", "--json", "--by", "session"]) }
      for run in runs { #expect(try ReportedUsage(run).requests == 405) }
      #expect(try sandbox.usage() == sandbox.usage(["--no-ledger"]))
    }

    @Test func `one changed byte anywhere never changes a number`() throws {
      try sandbox.writeTranscript("big", calls: 60)
      try sandbox.keep()
      let url = URL(fileURLWithPath: sandbox.ledger)
      let whole = try Data(contentsOf: url)
      let expected = try sandbox.usage(["--no-ledger"])
      var random = SplitMix(state: 3)
      for _ in 0..<8 {
        var bytes = whole
        let place = bytes.indices.randomElement(using: &random)!
        bytes[place] ^= UInt8.random(in: 1...255, using: &random)
        try bytes.write(to: url)
        for name in ["-wal", "-shm"] { try? sandbox.delete(sandbox.ledger + name) }
        #expect(try sandbox.usage(status: nil) == expected, "byte \(place)")
        #expect(try sandbox.usage(status: nil) == expected, "byte \(place), second run")
      }
    }

    @Test func `an empty file is begun anew`() throws {
      try sandbox.keep()
      try Data().write(to: URL(fileURLWithPath: sandbox.ledger))
      for name in ["-wal", "-shm"] { try? sandbox.delete(sandbox.ledger + name) }
      let run = try sandbox.run(["report", "--json", "--by", "session"])
      #expect(try ReportedUsage(run).requests == 2)
      #expect(run.ending == .status(1))
      #expect(run.errors.contains("ledger.db: was empty; a new ledger begins"), "\(run.errors)")
      #expect(try sandbox.usage().requests == 2)
      try sandbox.succeed(["doctor"])
      try sandbox.delete(sandbox.transcript("one"))
      #expect(try sandbox.usage().requests == 2)
    }

    @Test func `a ledger without one of its tables is set aside`() throws {
      try sandbox.keep()
      try sandbox.ledgerDatabase().execute("DROP TABLE hour")
      let runs = try (0..<2).map { _ in try sandbox.run(["report", "--json", "--by", "session"]) }
      for run in runs { #expect(try ReportedUsage(run).requests == 2) }
      #expect(runs.map(\.errors).joined().contains("was damaged and is now"))
      #expect(try sandbox.usage().requests == 2)
      let aside = try sandbox.stateFiles("ledger.db.damaged-")
      #expect(aside.count == 1)
      #expect(try sandbox.succeed(["doctor"]).contains("set aside beside it, and not counted"))
    }

    @Test func `whoever only looks leaves nothing behind`() throws {
      try sandbox.keep()
      func spans() throws -> Int64? {
        let query = try sandbox.ledgerDatabase().prepare("SELECT count(*) FROM span")
        return try query.step() ? query.integer(0) : nil
      }
      for arguments in [["doctor"], ["report"], ["report", "--by", "month"], ["--once"]] {
        try sandbox.succeed(arguments)
        let rest = try? FileManager.default.attributesOfItem(atPath: sandbox.ledger + "-wal")
        #expect(rest?[.size] as? Int ?? 0 == 0, "\(arguments)")
      }
      #expect(try spans() == 1)
      // A doctor does not hide that nobody read logs meanwhile.
      let month = 31 * 86_400_000
      try sandbox.ledgerDatabase().execute(
        "UPDATE span SET began = began - \(month), ended = ended - \(month)")
      try sandbox.succeed(["doctor"])
      #expect(try spans() == 1)
      #expect(try sandbox.succeed(["ledger"]).contains("logs that were deleted meanwhile"))
    }

    @Test func `what a killed process left beside the file is part of it`() throws {
      let watch = try sandbox.start(["watch"])
      try sandbox.waitUntilStored(2)
      watch.send(signal: SIGKILL)
      try watch.waitForExit(within: patience)
      let wal = FileManager.default.contents(atPath: sandbox.ledger + "-wal")
      #expect(try #require(wal).count > 0)
      try sandbox.succeed(["doctor"])
      try sandbox.delete(sandbox.transcript("one"))
      #expect(try sandbox.usage().requests == 2)
    }

    // MARK: - The place

    @Test func `without a home nothing is kept, and nothing is written elsewhere`() throws {
      let folder = ["CLAUDE_CONFIG_DIR": sandbox.home + "/.claude", "HOME": nil]
      let elsewhere = FileManager.default.fileExists(atPath: "/.local/state/mimo-top")
      try expectInMemory(sandbox, "HOME and XDG_STATE_HOME are not set", environment: folder)
      #expect(FileManager.default.fileExists(atPath: "/.local/state/mimo-top") == elsewhere)
      let ledger = try sandbox.run(["ledger"], environment: folder)
      #expect(ledger.ending == .status(1))
      #expect(ledger.errors.contains("set XDG_STATE_HOME"), "\(ledger.errors)")
    }

    @Test func `a place that is no absolute path is no place`() throws {
      // As the XDG Base Directory Specification has it: such a value is invalid and to be ignored.
      try sandbox.succeed(["watch", "--once"], environment: ["XDG_STATE_HOME": "relative"])
      #expect(!FileManager.default.fileExists(atPath: sandbox.path("relative")))
      #expect(FileManager.default.fileExists(atPath: sandbox.ledger))
    }

    @Test func `the state folder may be a link to a folder of one's own`() throws {
      let elsewhere = sandbox.path("elsewhere")
      for path in [elsewhere, sandbox.home + "/.local/state"] {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      }
      try FileManager.default.createSymbolicLink(
        atPath: sandbox.state, withDestinationPath: elsewhere)
      try sandbox.keep()
      #expect(FileManager.default.fileExists(atPath: elsewhere + "/ledger.db"))
      #expect(try sandbox.usage().requests == 2)
    }

    @Test(arguments: ["nowhere", "file", "foreign"])
    func `the state folder may not be a link to anything else`(kind: String) throws {
      if kind == "foreign", geteuid() != 0 { return }
      let elsewhere = sandbox.path("elsewhere")
      try FileManager.default.createDirectory(
        atPath: sandbox.home + "/.local/state", withIntermediateDirectories: true)
      if kind == "file" { try sandbox.write("mine", to: elsewhere) }
      if kind == "foreign" {
        try FileManager.default.createDirectory(
          atPath: elsewhere, withIntermediateDirectories: true)
        #expect(chown(elsewhere, 12_345, 12_345) == 0)
      }
      try FileManager.default.createSymbolicLink(
        atPath: sandbox.state, withDestinationPath: elsewhere)
      try expectInMemory(
        sandbox, kind == "foreign" ? "belongs to another user" : "is a link to nowhere, or no plain"
      )
      #expect(FileManager.default.fileExists(atPath: elsewhere) == (kind != "nowhere"))
      if kind == "foreign" {
        #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere) == [])
      }
    }

    @Test func `a database that is a link to something foreign is not followed`() throws {
      try sandbox.keep()
      try sandbox.delete(sandbox.ledger)
      try FileManager.default.createSymbolicLink(
        atPath: sandbox.ledger, withDestinationPath: sandbox.path("nowhere.db"))
      try expectInMemory(sandbox, "is a link to nowhere, or no plain file")
      #expect(!FileManager.default.fileExists(atPath: sandbox.path("nowhere.db")))
    }

    // MARK: - Permission, as a user whom it binds

    /// Begins a command without the superuser's right to pass over permissions.
    private static let bound =
      geteuid() == 0
      ? "exec setpriv --bounding-set=-dac_override,-dac_read_search,-fowner " : "exec "

    private static let canBind: Bool = {
      let run = try? ProgramRun(
        "/bin/bash", arguments: ["-c", bound + "true"], environment: ["PATH": "/usr/bin:/bin"],
        folder: "/")
      return run?.ending == .status(0)
    }()

    @Test(.enabled(if: canBind)) func `without permission numbers come from the logs`() throws {
      try sandbox.keep()
      let parent = sandbox.home + "/.local/state"
      #expect(chmod(parent, 0o500) == 0)
      #expect(chown(sandbox.state, getuid(), getgid()) == 0)
      #expect(chmod(parent, 0) == 0)
      defer { chmod(parent, 0o700) }
      let run = try sandbox.shell(Self.bound + #""$MIMO" report --json --by session"#)
      #expect(run.ending == .status(1))
      #expect(run.errors.contains("permission denied; make it yours again"), "\(run.errors)")
      #expect(try ReportedUsage(run).requests == 2)
      let doctor = try sandbox.shell(Self.bound + #""$MIMO" doctor"#)
      #expect(doctor.ending == .status(1))
      #expect(doctor.output.contains("permission denied; make it yours again"))
      // The folder itself is opened again by the program: it is the user's own.
      #expect(chmod(parent, 0o700) == 0)
      #expect(chmod(sandbox.state, 0) == 0)
      #expect(try sandbox.shell(Self.bound + #""$MIMO" report"#).ending == .status(0))
    }

    @Test(.enabled(if: canBind)) func `permission lost while it runs costs no number`() throws {
      let dashboard = try sandbox.startShell(Self.bound + #""$MIMO""#)
      dashboard.type("w")
      try dashboard.waitForCalls(2)
      try sandbox.waitUntilStored(2)
      let parent = sandbox.home + "/.local/state"
      #expect(chmod(parent, 0) == 0)
      defer { chmod(parent, 0o700) }
      try sandbox.append(sandbox.call("three"), to: sandbox.transcript("one"))
      try dashboard.waitForCalls(3)
      try dashboard.waitForNotice("permission denied; make it yours again")
      try sandbox.append(sandbox.call("four"), to: sandbox.transcript("one"))
      try dashboard.waitForCalls(4)
      try dashboard.quit()
      #expect(chmod(parent, 0o700) == 0)
      #expect(try sandbox.usage().requests == 4)
    }

    // MARK: - The disk, in a name space with one of its own

    private static let canMount: Bool = {
      let run = try? ProgramRun(
        "/bin/bash", arguments: ["-c", "unshare -rm mount -t tmpfs none /mnt"],
        environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"], folder: "/")
      return run?.ending == .status(0)
    }()

    /// Runs a script in which `$STATE` is a disk of this size.
    private func disk(_ size: String, _ script: String) throws -> String {
      try FileManager.default.createDirectory(
        atPath: sandbox.state, withIntermediateDirectories: true)
      try sandbox.write(
        "PATH=/usr/bin:/bin:/usr/sbin:/sbin\nSTATE='\(sandbox.state)'\n"
          + "LOG='\(sandbox.transcript("one"))'\n"
          + "mount -t tmpfs -o size=\(size),mode=700 none \"$STATE\" || exit 99\n\(script)\n",
        to: "script.sh")
      return "exec unshare -rm /bin/bash script.sh"
    }

    @Test(.enabled(if: canMount), arguments: ["4k", "16k", "40k", "64k", "100k"])
    func `where there is no room for a ledger the numbers come from the logs`(size: String) throws {
      let run = try sandbox.shell(
        disk(size, #""$MIMO" report --json --by session; "$MIMO" doctor >&2"#))
      #expect(try ReportedUsage(run).requests == 2)
      if run.ending != .status(0) || !run.errors.contains("\nledger\n") {
        #expect(run.errors.contains("the disk is full; make room, nothing stored is lost"))
      }
      if size == "4k" { #expect(run.errors.contains("the disk is full; make room")) }
    }

    @Test(.enabled(if: canMount)) func `a disk that fills up and is emptied loses nothing`() throws
    {
      try sandbox.write(
        (0..<300).map { sandbox.call("more-\($0)") }.joined(), to: "more.jsonl")
      let run = try sandbox.shell(
        disk(
          "400k",
          """
          "$MIMO" watch --once || echo first failed
          dd if=/dev/zero of="$STATE/fill" bs=4k 2>/dev/null
          cat more.jsonl >> "$LOG"
          "$MIMO" watch --once; echo "status $?" >&2
          "$MIMO" report --json --by session
          rm "$STATE/fill"
          "$MIMO" watch --once || echo last failed
          rm "$LOG"
          "$MIMO" report --json --by session > after.json
          """))
      #expect(run.errors.contains("the disk is full; make room, nothing stored is lost"))
      #expect(run.errors.contains("status 1"), "\(run.errors)")
      let full = try ReportedUsage(run)
      #expect(full.requests == 302)
      let after = try JSONReport(
        String(contentsOfFile: sandbox.path("after.json"), encoding: .utf8))
      #expect(after.totals.number("requests") == 302)
    }

    @Test(.enabled(if: canMount)) func `a disk that fills up under a dashboard costs no number`()
      throws
    {
      let dashboard = try sandbox.startShell(
        disk(
          "400k",
          """
          (
            until [ -e fill ]; do sleep 0.05; done
            dd if=/dev/zero of="$STATE/fill" bs=4k 2>/dev/null
            touch filled
            until [ -e free ]; do sleep 0.05; done
            rm "$STATE/fill"
            touch freed
            until [ -e quit ]; do sleep 0.05; done
          ) &
          "$MIMO"
          rm "$LOG"
          "$MIMO" report --json --by session > after.json
          touch quit
          """))
      dashboard.type("w")
      try dashboard.waitForCalls(2)
      try sandbox.write("", to: "fill")
      try wait(for: "filled")
      // What a moment needs is there already; a lot is not.
      try sandbox.append(
        (0..<500).map { sandbox.call("more-\($0)", session: "s\($0)") }.joined(),
        to: sandbox.transcript("one"))
      try dashboard.waitForCalls(502)
      try dashboard.waitForNotice("the disk is full; make room, nothing stored is lost")
      try sandbox.append(sandbox.call("late"), to: sandbox.transcript("one"))
      try dashboard.waitForCalls(503)
      try sandbox.write("", to: "free")
      try wait(for: "freed")
      dashboard.type("q")
      #expect(try dashboard.waitForExit(within: patience) == .status(0))
      let after = try JSONReport(
        String(contentsOfFile: sandbox.path("after.json"), encoding: .utf8))
      #expect(after.totals.number("requests") == 503)
    }

    @Test(.enabled(if: canMount))
    func `a dashboard that began on a full disk keeps the ledger once there is room`() throws {
      let dashboard = try sandbox.startShell(
        disk(
          "400k",
          """
          dd if=/dev/zero of="$STATE/fill" bs=4k 2>/dev/null
          (
            until [ -e free ]; do sleep 0.05; done
            rm "$STATE/fill"
            until "$MIMO" ledger --json 2>/dev/null | grep -Eq '"requests": ?3\\b'; do sleep 0.2; done
            touch stored
          ) &
          "$MIMO"
          rm "$LOG"
          "$MIMO" report --json --by session > after.json
          """))
      dashboard.type("w")
      try dashboard.waitForCalls(2)
      try dashboard.see("not kept (i)")
      try sandbox.append(sandbox.call("three"), to: sandbox.transcript("one"))
      try dashboard.waitForCalls(3)
      try sandbox.write("", to: "free")
      try wait(for: "stored")
      try dashboard.seeNo("not kept")
      dashboard.type("q")
      #expect(try dashboard.waitForExit(within: patience) == .status(0))
      let after = try JSONReport(
        String(contentsOfFile: sandbox.path("after.json"), encoding: .utf8))
      #expect(after.totals.number("requests") == 3)
    }

    @Test(.enabled(if: canMount))
    func `a disk that cannot be written is read, and the logs on top`()
      throws
    {
      try sandbox.write(
        (0..<3).map { sandbox.call("new-\($0)") }.joined(), to: "more.jsonl")
      let run = try sandbox.shell(
        disk(
          "1m",
          """
          "$MIMO" watch --once
          mount -o remount,ro "$STATE" || exit 98
          cp more.jsonl "$LOG.jsonl"
          rm "$LOG"
          "$MIMO" report --json --by session; echo "status $?" >&2
          "$MIMO" doctor >&2
          "$MIMO" ledger --json > ledger.json
          """))
      #expect(try ReportedUsage(run).requests == 5)
      #expect(run.errors.contains("cannot be written; set XDG_STATE_HOME"), "\(run.errors)")
      #expect(run.errors.contains("its history is shown, nothing is stored"), "\(run.errors)")
      #expect(run.errors.contains("status 1"))
    }

    private func wait(for file: String) throws {
      let deadline = Date().addingTimeInterval(patience)
      while access(sandbox.path(file), F_OK) != 0 {
        try #require(Date() < deadline, "\(file) did not come")
        usleep(10_000)
      }
    }

    // MARK: - The clock

    @Test func `a clock that was a year ahead does no harm`() throws {
      try sandbox.keep()
      let year = 366 * 86_400_000
      try sandbox.ledgerDatabase().execute(
        "UPDATE span SET began = began + \(year), ended = ended + \(year)")
      // What was logged in that year.
      try sandbox.append(
        LogLines.claudeCode(
          "ahead", "mimo-v2.6-pro", session: "ahead", project: "/home/ana/shop", fresh: 1, read: 2,
          output: 3, at: .minutesAgo(-365 * 1440)), to: sandbox.transcript("ahead"))
      try sandbox.keep()
      try sandbox.append(sandbox.call("later"), to: sandbox.transcript("one"))
      #expect(try sandbox.usage() == sandbox.usage(["--no-ledger"]))
      try sandbox.succeed(["ledger", "verify"])
      #expect(try sandbox.succeed(["ledger"]).contains("no gap of a day or more"))
      try sandbox.succeed(["doctor"])
      let dashboard = try sandbox.startWithAllTime()
      try sandbox.append(sandbox.call("last"), to: sandbox.transcript("one"))
      try dashboard.wait(for: "the last call", within: patience) {
        ["4", "5"].contains($0.words(in: "By model", of: "mimo-v2.6-pro").dropFirst().first)
      }
      try dashboard.quit()
      #expect(try sandbox.usage() == sandbox.usage(["--no-ledger"]))
    }

    @Test func `a clock that was years ahead does not make the ledger forget ids`() throws {
      try sandbox.keep()
      let now = Int64(Date().timeIntervalSince1970)
      func setPruned(daysAgo: Int64) throws {
        try sandbox.ledgerDatabase().execute(
          "INSERT OR REPLACE INTO note VALUES ('state', CAST('pruned' AS BLOB), CAST('\(now - daysAgo * 86_400)' AS BLOB))"
        )
      }
      func prunedBefore() throws -> Int64? {
        let query = try sandbox.ledgerDatabase().prepare(
          "SELECT value FROM state WHERE name = 'pruned_before'")
        return try query.step() ? query.integer(0) : nil
      }
      // As it looks to a program whose clock is four years ahead: nobody kept the ledger for that long.
      let years: Int64 = 4 * 366 * 86_400_000
      try setPruned(daysAgo: 4 * 366)
      try sandbox.ledgerDatabase().execute(
        "UPDATE span SET began = began - \(years), ended = ended - \(years)")
      try sandbox.keep()
      #expect(try prunedBefore() == nil)
      // Kept all the time, it lets go of what is older than any log.
      try setPruned(daysAgo: 40)
      try sandbox.keep()
      let limit = try #require(try prunedBefore())
      #expect(abs(limit - (now / 60 - 400 * 1440)) < 3 * 60)
      // A limit that such a program left gives way.
      try sandbox.ledgerDatabase().execute(
        "UPDATE state SET value = \(now / 60 + 3 * 366 * 1440) WHERE name = 'pruned_before'")
      try sandbox.append(sandbox.call("today"), to: sandbox.transcript("one"))
      #expect(try sandbox.usage() == sandbox.usage(["--no-ledger"]))
      #expect(try sandbox.usage().requests == 3)
    }

    @Test func `another time zone, and the hour that comes twice, move days and no sum`() throws {
      try sandbox.delete(sandbox.transcript("one"))
      // Clocks in Berlin go from 03:00 back to 02:00 at 01:00 UTC.
      let times = [
        "2026-10-24T21:30:00Z", "2026-10-24T22:30:00Z", "2026-10-25T00:30:00Z",
        "2026-10-25T01:30:00Z", "2026-10-25T22:30:00Z", "2026-10-25T23:30:00Z",
      ]
      let calls = try times.enumerated().map { index, text in
        LogLines.claudeCode(
          "dst\(index)", "mimo-v2.6-pro", session: "dst", project: "/home/ana/shop", fresh: 100,
          read: 900, output: 1 << index, at: Moment(try Date(text, strategy: .iso8601)))
      }
      try sandbox.write(calls.prefix(3).joined(), to: sandbox.transcript("dst"))
      try sandbox.succeed(["watch", "--once"], environment: ["TZ": "Europe/Berlin"])
      try sandbox.append(calls.dropFirst(3).joined(), to: sandbox.transcript("dst"))
      try sandbox.succeed(["watch", "--once"], environment: ["TZ": "America/New_York"])
      var totals: Set<String> = []
      for (zone, outputs) in [
        ("UTC", [3, 60]), ("Europe/Berlin", [1, 30, 32]), ("America/New_York", [15, 48]),
      ] {
        for by in ["day", "hour"] {
          func report(_ arguments: [String]) throws -> ProgramRun {
            let run = try sandbox.run(
              ["report", "--json", "--by", by] + arguments, environment: ["TZ": zone])
            #expect(run.ending == .status(0), "\(run.errors)")
            return run
          }
          let ledger = try report([])
          #expect(try ReportedUsage(ledger) == ReportedUsage(report(["--no-ledger"])), "\(zone)")
          let json = try JSONReport(ledger.output)
          if by == "day" {
            #expect(json.rows.map { $0.object("tokens").number("output") } == outputs, "\(zone)")
          }
          totals.insert("\(json.totals.text("cost") ?? "?") \(json.totals.number("requests") ?? 0)")
        }
      }
      #expect(totals.count == 1, "\(totals)")
    }
  }
}
