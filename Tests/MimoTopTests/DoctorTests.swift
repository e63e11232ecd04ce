import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// What is found on a machine without being named, and what is said about it.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct DoctorTests {
    let sandbox: Sandbox

    init() throws { sandbox = try Sandbox() }

    private func doctor(
      _ arguments: [String] = [], environment: [String: String?] = [:], status: Int32 = 0
    ) throws -> [String: Any] {
      let run = try sandbox.run(["doctor", "--json"] + arguments, environment: environment)
      #expect(run.ending == .status(status), "\(run.errors)")
      let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
      return try #require(object as? [String: Any])
    }

    private func places(_ document: [String: Any]) -> [[String: Any]] {
      document["places"] as? [[String: Any]] ?? []
    }

    @Test func `every tool's home is looked at, and each call counts once`() throws {
      try sandbox.furnish()
      let document = try doctor()
      var records: [String: Int] = [:]
      for place in places(document) {
        records[place.text("tool") ?? "", default: 0] += Int(place.number("records") ?? 0)
      }
      // One of OpenCode's messages is in the database of MiMo Code as well.
      #expect((records["OpenCode"] ?? 0) + (records["MiMo Code"] ?? 0) == 3)
      records["OpenCode"] = nil
      records["MiMo Code"] = nil
      #expect(
        records == [
          "Claude Code": 4, "Kilo CLI": 0, "OpenClaw": 1, "pi": 0, "Codex": 3, "Cline": 3,
          "Roo Code": 2, "Kilo Code": 0, "Hermes": 1, "Gemini CLI": 2, "Qwen Code": 1, "Kimi": 2,
        ])
      #expect(try #require(document["totals"] as? [String: Any]).number("records") == 22)
      let mimo = try #require(places(document).first { $0.text("tool") == "MiMo Code" })
      #expect(mimo.text("newest") == "2026-11-19T14:54:20Z")
      let log = try #require((mimo["logs"] as? [[String: Any]])?.first)
      #expect(log.number("imported") == 1)
      let report = try sandbox.run(["report", "--json", "--by", "total"])
      #expect(report.ending == .status(0))
      #expect(try JSONReport(report.output).totals.number("requests") == 28)
      let names = try FileManager.default.contentsOfDirectory(
        atPath: sandbox.home + "/.local/share/mimocode")
      #expect(names == ["mimocode-beta.db"], "reading leaves nothing behind")
    }

    @Test func `the text names what was found, what is wrong and what is not there`() throws {
      try sandbox.furnish()
      try sandbox.write(
        #"{"schema": "mimo-top.prices/1", "id": "xiaomi", "models": [{"id": 5}]}"#,
        to: sandbox.home + "/.config/mimo-top/prices/mine.json")
      try sandbox.write(
        "SQLite format 3\u{0} but no database", to: sandbox.home + "/.hermes/state.db")
      let run = try sandbox.run(["doctor"])
      #expect(run.ending == .status(1))
      for text in [
        "\n  MiMo Code        1 ", "\n    ~/.local/share/mimocode, read as mimocode\n",
        "\n  all  ",
        "\n      -home-ana-shop/5f0c2a10-0000-4000-8000-000000000001.jsonl\n",
        "1 imported call left to the logs of the tool that made them",
        "\n      state.db\n        file is not a database",
        "1 line could not be read (byte 5618: not valid JSON at byte 96",
        "\n  Codex        ~/.codex/archived_sessions\n",
        "\n               and 13 more places (--json lists all)\n\nledger\n  none yet",
        "the system tells of changes in ", "your own: ~/.config/mimo-top/prices/mine.json",
        "mine.json:1: ",
        "config.json is not there: all as usual",
      ] { #expect(run.output.contains(text), "\(text) is not in\n\(run.output)") }
    }

    @Test func `nothing found is status 3, a missing log status 1`() throws {
      #expect(places(try doctor(status: 3)).allSatisfy { $0["found"] as? Bool == false })
      let document = try doctor(["nowhere.jsonl"], status: 1)
      #expect(places(document).map { $0.text("path") } == ["nowhere.jsonl"])
      try sandbox.write("hello\n", to: "notes.txt")
      let log = try #require(places(try doctor(["notes.txt"], status: 3)).first?["logs"])
      let remark = "no known format: 1 line, none of them a JSON object"
      #expect((log as? [[String: Any]])?.first?["remarks"] as? [String] == [remark])
      let text = try sandbox.run(["doctor", "notes.txt"]).output
      #expect(text.contains(remark))
      #expect(text.contains("\nknown formats"))
      #expect(text.contains("\n  claude-code  Claude Code transcripts\n"))
    }

    @Test func `README shows what is printed for the samples`() throws {
      try sandbox.furnish()
      let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
      let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
      let example = try #require(
        readme.components(separatedBy: "$ mimo-top doctor\n").dropFirst().first?
          .components(separatedBy: "```").first)
      let printed = Set(try sandbox.run(["doctor"]).output.split(separator: "\n"))
      let shown = example.split(separator: "\n").filter { $0 != "..." }
      #expect(shown.count > 10)
      #expect(shown.filter { !printed.contains($0) } == [])
    }

    @Test func `tables and lists fit a screen of 80 columns`() throws {
      try sandbox.furnish()
      let lines = try sandbox.run(["doctor"]).output.split(separator: "\n")
      // Only paths, which are not cut, and what is said of a file may be longer.
      let long = lines.filter { $0.count > 80 && !$0.hasPrefix("        ") }
      #expect(long.filter { !$0.hasPrefix("    ~/") } == [])
      let table = lines.prefix { !$0.hasPrefix("  repeats:") }.filter { !$0.hasPrefix("    ") }
      #expect(Set(table.map(\.count)).count == 1, "the columns are aligned")
    }

    @Test(
      arguments: [
        ("CLAUDE_CONFIG_DIR", "~/a, /b/projects", ["H/a/projects", "/b/projects"]),
        (
          "XDG_CONFIG_HOME", "/c",
          ["/c/claude/projects", "/c/Code/User/globalStorage/kilocode.kilo-code"]
        ),
        ("MIMOCODE_DB", "/d/x.db", ["/d/x.db"]), ("MIMOCODE_HOME", "/e", ["/e/data"]),
        ("XDG_DATA_HOME", "/f", ["/f/mimocode", "/f/opencode", "/f/kilo"]),
        ("OPENCODE_DATA_DIR", "/g", ["/g"]), ("OPENCLAW_STATE_DIR", "/h", ["/h/agents"]),
        ("PI_CODING_AGENT_DIR", "/i", ["/i/sessions"]),
        ("CODEX_HOME", "/j", ["/j/sessions", "/j/archived_sessions"]),
        ("CLINE_DIR", "/k", ["/k/data"]), ("HERMES_HOME", "/l", ["/l", "H/.hermes"]),
        ("GEMINI_CLI_HOME", "/m", ["/m/.gemini/tmp"]), ("KIMI_SHARE_DIR", "/n", ["/n/sessions"]),
        ("KIMI_CODE_HOME", "/o", ["/o/sessions"]),
      ] as [(String, String, [String])])
    func `a variable moves the home of its tool`(name: String, value: String, paths: [String])
      throws
    {
      let usual = Set(places(try doctor(status: 3)).compactMap { $0.text("path") })
      let moved = Set(
        places(try doctor(environment: [name: value], status: 3)).compactMap { $0.text("path") })
      for path in paths {
        #expect(moved.contains(path.replacingOccurrences(of: "H/", with: sandbox.home + "/")))
      }
      #expect(!moved.subtracting(usual).isEmpty)
    }

    @Test func `homes that appear while it runs are followed`() throws {
      try sandbox.fixPrices()
      let terminal = try sandbox.startWithAllTime()
      try terminal.see("No usage yet")
      try sandbox.makeMiMoCode(".local/share/mimocode/mimocode.db")
      try terminal.waitFor("mimo-auto", within: patience)
      try sandbox.write(
        #"[{"ts":1795130000000,"say":"api_req_started","text":"{\"tokensIn\":5,\"tokensOut\":1}","modelInfo":{"modelId":"new-model","providerId":"x"}}]"#,
        to: sandbox.home + "/.cline/data/tasks/1/ui_messages.json")
      try terminal.waitFor("new-model", within: patience)
    }
  }
}
