import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// The ledger outlives the logs, and what it tells can be carried to other machines.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct LedgerHistoryTests {
    private let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      try sandbox.fixPrices()
    }

    /// Deletes everything at home but the ledger and the settings.
    private func deleteLogs() throws {
      for name in try FileManager.default.contentsOfDirectory(atPath: sandbox.home)
      where ![".local", ".config"].contains(name) {
        try sandbox.delete(sandbox.home + "/" + name)
      }
      try sandbox.delete(sandbox.home + "/.local/share")
      try? sandbox.delete(sandbox.home + "/.config/Cursor")
    }

    @Test func `what was read once is told when all logs are gone`() throws {
      try sandbox.furnish()
      try sandbox.keep()
      let usage = try sandbox.usage()
      #expect(usage.requests == 28)
      try deleteLogs()
      #expect(try sandbox.usage() == usage)
      #expect(try sandbox.run(["report", "--no-ledger"]).ending == .status(3))
      let verify = try sandbox.succeed(["ledger", "verify"])
      #expect(verify.contains("only the ledger still tells 28 calls"), "\(verify)")
      #expect(try sandbox.succeed(["ledger"]).contains(" of them gone"))
      let dashboard = try sandbox.startWithAllTime()
      try dashboard.see("mimo-auto")
      dashboard.type("i")
      try dashboard.see("its log is gone; what it told is kept")
      dashboard.type("i")
      try dashboard.quit()
      #expect(try sandbox.usage() == usage)
    }

    @Test func `a log that comes back counts no call again`() throws {
      try sandbox.writeTranscript(calls: 3)
      try sandbox.keep()
      let text = try String(contentsOfFile: sandbox.transcript("one"), encoding: .utf8)
      try sandbox.delete(sandbox.transcript("one"))
      try sandbox.keep()
      try sandbox.write(text + sandbox.call("new"), to: sandbox.transcript("again"))
      #expect(try sandbox.usage().requests == 4)
      try sandbox.succeed(["ledger", "verify"])
    }

    @Test func `an export tells another ledger everything, once`() throws {
      try sandbox.furnish()
      let usage = try sandbox.usage()
      let file = sandbox.path("export.jsonl")
      try sandbox.succeed(["ledger", "export", file])
      #expect(try sandbox.usage([file]) == usage, "an export is a log like any other")
      let other = try Sandbox()
      try other.fixPrices()
      for _ in 0..<2 {
        try other.succeed(["ledger", "import", file])
        #expect(try other.usage() == usage)
      }
      // And back again, by way of the other ledger's own export and its file.
      let back = sandbox.path("back.jsonl")
      try other.succeed(["ledger", "export", back])
      try sandbox.succeed(["ledger", "merge", other.state])
      #expect(try sandbox.usage() == usage)
      try sandbox.succeed(["ledger", "merge", back])
      #expect(try sandbox.usage() == usage)
      #expect(try sandbox.stateFiles("merge-") == [])
    }

    @Test func `ledgers of several machines merge in any order, any number of times`() throws {
      var machines: [Sandbox] = []
      let all = try Sandbox()
      try all.fixPrices()
      for index in 0..<3 {
        let machine = try Sandbox()
        // Each has calls of its own, and those of sessions that were carried about.
        for session in ["own-\(index)", "shared-\(index)", "shared-\((index + 1) % 3)"] {
          try machine.writeTranscript(session, calls: 3)
          try all.writeTranscript(session, calls: 3)
        }
        machines.append(machine)
      }
      // Calls without ids are on one of them.
      let rollout = "/.codex/sessions/2026/11/20/rollout-1.jsonl"
      let sample = Sandbox.fixture(
        "../../MimoIngestTests/Fixtures/formats/codex/sessions/2026/11/20/rollout-2026-11-20T11-00-00-01990000-0000-7000-8000-00000000000a.jsonl"
      )
      for target in [machines[1], all] {
        try target.write(
          String(contentsOfFile: sample, encoding: .utf8), to: target.home + rollout)
      }
      for machine in machines { try machine.keep() }
      let expected = try all.usage()
      let export = machines[2].path("export.jsonl")
      try machines[2].succeed(["ledger", "export", export])
      let files = [machines[0].state, machines[1].ledger, export]
      for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2, 1, 0], [2, 0, 1, 2, 2]] {
        let target = try Sandbox()
        try target.fixPrices()
        for index in order { try target.succeed(["ledger", "merge", files[index]]) }
        #expect(try target.usage() == expected, "\(order)")
        try target.succeed(["ledger", "merge"] + files)
        #expect(try target.usage() == expected, "\(order), and all at once")
      }
      // A ledger that has counted the logs itself learns nothing new from another.
      try all.succeed(["ledger", "merge", machines[0].ledger, export])
      #expect(try all.usage() == expected)
    }

    @Test func `nonsense is refused as a whole`() throws {
      try sandbox.writeTranscript(calls: 3)
      try sandbox.keep()
      let usage = try sandbox.usage()
      let other = try Sandbox()
      try other.writeTranscript("two", calls: 3)
      try other.keep()
      let export = try other.succeed(["ledger", "export"])
      let lines = export.split(separator: "\n").map { $0 + "\n" }
      let cases: [(String, String)] = [
        ("text", "no export\n"), ("a log", sandbox.call("stranger")),
        ("cut", String(export.dropLast(20))),
        ("with something else", export + "{\"ledger_call\":5}\n"),
        (
          "with another schema",
          lines[0].replacingOccurrences(of: "/1\"", with: "/99\"")
            + lines.dropFirst().joined()
        ),
        (
          "with impossible counters",
          export.replacingOccurrences(of: "\"output\":100", with: "\"output\":-100")
        ),
      ]
      for (name, text) in cases {
        try sandbox.write(text, to: "nonsense.jsonl")
        for command in ["import", "merge"] {
          let run = try sandbox.run(["ledger", command, "nonsense.jsonl"])
          #expect(run.ending == .status(1), "\(name), \(command): \(run.output)")
          #expect(run.errors.contains("(nothing was added)"), "\(name): \(run.errors)")
        }
        #expect(try sandbox.usage() == usage, "\(name)")
      }
      let missing = try sandbox.run(["ledger", "import", "missing.jsonl"])
      #expect(missing.ending == .status(1))
      #expect(missing.errors.contains("missing.jsonl"))
      // A database that is no ledger.
      try other.delete(other.ledger)
      try other.ledgerDatabase().execute("CREATE TABLE a (b)")
      #expect(try sandbox.run(["ledger", "merge", other.ledger]).ending == .status(1))
      #expect(try sandbox.usage() == usage)
      #expect(try sandbox.stateFiles("merge-") == [])
    }

    @Test func `rebuild counts anew and keeps what no log tells`() throws {
      try sandbox.furnish()
      try sandbox.writeTranscript("lost", calls: 5)
      try sandbox.writeTranscript("kept", calls: 2)
      try sandbox.keep()
      let usage = try sandbox.usage()
      try sandbox.delete(sandbox.transcript("lost"))
      // Calls without ids, too.
      try sandbox.delete(sandbox.home + "/.codex")
      let said = try sandbox.succeed(["ledger", "rebuild"])
      #expect(said.contains("the old ledger is in \(sandbox.state)/before-"), "\(said)")
      #expect(try sandbox.usage() == usage)
      try sandbox.succeed(["ledger", "verify"])
      #expect(try sandbox.stateFiles("before-").count == 1)
      try sandbox.succeed(["ledger", "rebuild"])
      #expect(try sandbox.usage() == usage)
      #expect(try sandbox.stateFiles("before-").count == 2)
      #expect(try sandbox.stateFiles("rebuild-") == [])
    }

    @Test func `rebuild mends a ledger that says something else than the logs`() throws {
      try sandbox.writeTranscript(calls: 4)
      try sandbox.keep()
      let usage = try sandbox.usage()
      // As if it had been read to the end by a program that counted nothing.
      try sandbox.ledgerDatabase().execute("DELETE FROM hour; DELETE FROM call")
      let verify = try sandbox.run(["ledger", "verify"])
      #expect(verify.ending == .status(1))
      #expect(verify.output.contains("differs: claude-code, session one, mimo-v2.6-pro"))
      #expect(verify.output.contains("mimo-top ledger rebuild counts anew"))
      try sandbox.succeed(["ledger", "rebuild"])
      try sandbox.succeed(["ledger", "verify"])
      #expect(try sandbox.usage() == usage)
    }

    @Test func `what is forgotten does not come back`() throws {
      try sandbox.furnish()
      try sandbox.writeTranscript("now", calls: 3)
      let before = try JSONReport(try sandbox.succeed(["report", "--json", "--by", "source"]))
      #expect(before.keys.contains("codex"))
      try sandbox.succeed(["ledger", "forget", "--source", "codex"])
      func sources() throws -> [String?] {
        try JSONReport(try sandbox.succeed(["report", "--json", "--by", "source"])).keys
      }
      #expect(try sources() == before.keys.filter { $0 != "codex" })
      try sandbox.keep()
      #expect(try sources() == before.keys.filter { $0 != "codex" })

      let old = sandbox.call("old", session: "a-session-of-old").replacingOccurrences(
        of: Moment.minutesAgo(60).text, with: Moment.minutesAgo(100 * 1440).text)
      try sandbox.write(old, to: sandbox.transcript("then"))
      try sandbox.keep()
      #expect(try sandbox.succeed(["ledger", "export"]).contains("a-session-of-old"))
      try sandbox.succeed(["ledger", "forget", "--before", "2h"])
      #expect(try sandbox.usage().requests == 3)
      // Names that only the forgotten had are overwritten.
      try expectAbsent(["a-session-of-old", "mimo-auto"], in: sandbox.state)
      // A repeat of what was forgotten is not news; what is new is.
      try sandbox.append(old + sandbox.call("new", session: "now"), to: sandbox.transcript("now"))
      #expect(try sandbox.usage().requests == 4)
      let unknown = try sandbox.run(["ledger", "forget", "--source", "codex"])
      #expect(unknown.ending == .status(64))
      #expect(unknown.errors.contains("the ledger has claude-code"))
      for arguments in [[], ["--before", "2h", "--source", "x"], ["--before", "2999-01-01"]] {
        #expect(try sandbox.run(["ledger", "forget"] + arguments).ending == .status(64))
      }
      #expect(try sandbox.usage().requests == 4)
    }

    // MARK: - What is not kept

    /// Expects that no file below a folder has one of these texts.
    private func expectAbsent(_ texts: [String], in folder: String) throws {
      let paths =
        FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
      #expect(paths.contains("ledger.db"))
      for path in paths {
        guard let data = FileManager.default.contents(atPath: folder + "/" + path) else { continue }
        for text in texts {
          #expect(data.range(of: Data(text.utf8)) == nil, "\(path) has \(text)")
        }
      }
    }

    @Test func `no key and no prompt gets into the ledger, its exports or its messages`() throws {
      let secrets = [
        "sk-live-4f6e2b9d8c7a", "9d8c7a", "tp-c0ffee0ddba11", "0ddba11", "the quarterly numbers",
        "as you asked", "hunter2",
      ]
      try sandbox.write(
        #"{"logs": ["~/app.jsonl", "~/gateway.jsonl"]}"#,
        to: sandbox.home + "/.config/mimo-top/config.json")
      let usage = #""usage":{"prompt_tokens":100,"completion_tokens":7}"#
      try sandbox.write(
        #"{"id":"k1","model":"mimo-v2.6-pro","api_key":"sk-live-4f6e2b9d8c7a","prompt":"the quarterly numbers","created":\#(Moment.minutesAgo(50).seconds),\#(usage)}"#
          + "\n"
          + #"{"id":"k2","model":"mimo-v2.6-pro","headers":{"authorization":"Bearer tp-c0ffee0ddba11","api-key":"tp-c0ffee0ddba11"},"key":"tp-c0ffee0ddba11","created":\#(Moment.minutesAgo(50).seconds),\#(usage)}"#
          + "\n" + #"{"api_key":"sk-live-4f6e2b9d8c7a","prompt":"the quarterly numbers"# + "\n",
        to: sandbox.home + "/app.jsonl")
      try sandbox.write(
        #"{"request_id":"g1","call_type":"acompletion","api_key":"sk-live-4f6e2b9d8c7a","model":"mimo-v2.6-pro","messages":"the quarterly numbers","response":{"content":"as you asked"},"startTime":"\#(Moment.minutesAgo(50).text)","endTime":"\#(Moment.minutesAgo(50).text)","total_tokens":30,"prompt_tokens":20,"completion_tokens":10,"spend":0.1}"#
          + "\n", to: sandbox.home + "/gateway.jsonl")
      try sandbox.write(
        #"{"type":"user","sessionId":"one","cwd":"/home/ana/shop","message":{"role":"user","content":"the quarterly numbers, password hunter2"},"timestamp":"\#(Moment.minutesAgo(60).text)"}"#
          + "\n"
          + sandbox.call("m1").replacingOccurrences(
            of: #""text":"...""#, with: #""text":"as you asked: sk-live-4f6e2b9d8c7a""#)
          + #"{"type":"assistant","message":{"content":"as you asked, hunter2 "# + "\n",
        to: sandbox.transcript("one"))

      let watch = try sandbox.start(["watch"])
      try sandbox.waitUntilStored(4)
      watch.send(signal: SIGKILL)
      try watch.waitForExit(within: patience)
      try expectAbsent(secrets, in: sandbox.state)
      let dashboard = try sandbox.startWithAllTime()
      try dashboard.waitForCalls(4)
      dashboard.type("i")
      try dashboard.see("What was read")
      dashboard.type("iggggq")
      try dashboard.waitForExit(within: patience)
      var said = String(decoding: watch.output + dashboard.output, as: UTF8.self)
      for arguments in [
        ["ledger", "export"], ["ledger"], ["ledger", "--json"], ["ledger", "verify"], ["doctor"],
        ["doctor", "--json"], ["report", "--by", "key", "--json"], ["report", "--by", "session"],
        ["ledger", "rebuild"],
      ] {
        let run = try sandbox.run(arguments)
        said += run.output + run.errors
      }
      for secret in secrets { #expect(!said.contains(secret), "\(secret) is told") }
      try expectAbsent(secrets, in: sandbox.state)
      // Keys are told apart all the same.
      let keys = try JSONReport(sandbox.run(["report", "--by", "key", "--json"]).output).keys
      #expect(keys.contains { $0?.hasPrefix("tp-#") == true }, "\(keys)")
    }
  }
}
