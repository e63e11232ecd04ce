import Foundation
import MimoScreen
import MimoTestSupport
import Testing

extension EndToEnd {
  /// Exit codes, messages, and frames without a terminal.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct ScriptTests {
    let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      try sandbox.write(good, to: "app.jsonl")
    }

    private let good = LogLines.openAI(
      "a1", "mimo-v2.6-pro", prompt: 12_000, cached: 11_520, output: 640,
      at: Moment(Date(timeIntervalSince1970: 1_795_000_000)))

    // MARK: - Bad input

    @Test func `a missing log is named, the others are reported`() throws {
      let alone = try sandbox.run(["report", "missing.jsonl"])
      #expect(alone.ending == .status(1))
      #expect(alone.errors == "mimo-top: missing.jsonl: no such file\n")
      let both = try sandbox.run(["report", "missing.jsonl", "app.jsonl", "--json"])
      #expect(both.ending == .status(1))
      #expect(both.errors == "mimo-top: missing.jsonl: no such file\n")
      let report = try JSONReport(both.output)
      #expect(report.totals.number("requests") == 1)
      #expect(report.ingest["unreadable_files"] == 1)
    }

    @Test(.enabled(if: geteuid() != 0, "root may read everything"))
    func `a log that may not be read is named, the others are reported`() throws {
      try sandbox.write(good, to: "secret.jsonl")
      chmod(sandbox.path("secret.jsonl"), 0)
      let run = try sandbox.run(["report", "secret.jsonl", "app.jsonl", "--json"])
      #expect(run.ending == .status(1))
      #expect(run.errors.hasPrefix("mimo-top: secret.jsonl: permission denied"))
      #expect(try JSONReport(run.output).totals.number("requests") == 1)
    }

    @Test func `a log whose only line is not finished is not said to be empty`() throws {
      try sandbox.write("what follows is not there yet", to: "cut.log")
      let run = try sandbox.run(["report", "cut.log", "--json"])
      #expect(run.ending == .status(3))
      #expect(
        run.errors.hasSuffix("no usage recognised in cut.log: no line of it is finished\n"))
    }

    @Test(arguments: [
      ("", "it is empty\n"), ("\n\n\n", "it is empty\n"),
      ("hello\nworld\n", "2 lines, none of them a JSON object; mimo-top doctor lists"),
      (
        "{\"level\":\"info\",\"msg\":\"started\"}\n",
        "1 line of JSON, none with token counts we know; name them with --map, or see"
      ),
      ("1\n{\"a\":1}\n", "1 line of JSON and 1 of something else, none with token counts"),
    ])
    func `a log without usage is said to have none, and what it has`(content: String, seen: String)
      throws
    {
      try sandbox.write(content, to: "foreign.log")
      let run = try sandbox.run(["report", "foreign.log", "--json"])
      #expect(run.ending == .status(3))
      #expect(run.errors.hasPrefix("mimo-top: no usage recognised in foreign.log: \(seen)"))
      #expect(run.errors.split(separator: "\n").count == 1)
      #expect(run.errors.count < 170)
      #expect(try JSONReport(run.output).totals.number("requests") == 0)
    }

    @Test func `binary rubbish is no usage and no crash`() throws {
      let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7919 ^ $0 >> 3) }
      try Data(bytes).write(to: URL(fileURLWithPath: sandbox.path("rubbish")))
      let run = try sandbox.run(["report", "rubbish"])
      #expect(run.ending == .status(3), "\(run.errors)")
    }

    @Test func `a folder without usage, and an empty one, are said to have none`() throws {
      try sandbox.write("{\"level\":\"info\"}\n", to: "foreign/a.log")
      try FileManager.default.createDirectory(
        atPath: sandbox.path("empty"), withIntermediateDirectories: true)
      for (folder, seen) in [("foreign", "1 log there"), ("empty", "no log there")] {
        let run = try sandbox.run(["report", folder])
        #expect(run.ending == .status(3))
        #expect(run.errors.hasPrefix("mimo-top: no usage found in \(folder): \(seen); "))
      }
      let home = try sandbox.run(["report"])
      #expect(home.ending == .status(3))
      #expect(home.errors.hasPrefix("mimo-top: no usage found; looked in "))
      #expect(home.errors.contains(sandbox.home + "/.claude/projects"))
      #expect(home.errors.contains("mimo-top --demo"))
    }

    @Test func `a folder is read with all that is in it`() throws {
      try sandbox.write(good, to: "logs/deep/er/a.log")
      try sandbox.write("not usage", to: "logs/readme.txt")
      let run = try sandbox.run(["report", "logs", "--json"])
      #expect(run.ending == .status(0), "\(run.errors)")
      #expect(try JSONReport(run.output).totals.number("requests") == 1)
    }

    @Test func `lines that cannot be read are counted with their place`() throws {
      try sandbox.write(good + "{\"usage\":{\"prompt_tokens\":1,\n" + good, to: "cut.jsonl")
      let run = try sandbox.run(["report", "cut.jsonl", "--json"])
      #expect(run.ending == .status(0))
      #expect(
        run.errors.hasPrefix(
          "mimo-top: cut.jsonl: 1 line could not be read (byte \(good.utf8.count): "))
      let report = try JSONReport(run.output)
      #expect(report.ingest["malformed"] == 1)
      #expect(report.ingest["lines"] == 3)
      #expect(report.totals.number("requests") == 1)
    }

    @Test func `an unfinished last line is said and not counted`() throws {
      try sandbox.write(good + good.dropLast(30), to: "app.jsonl")
      let run = try sandbox.run(["report", "app.jsonl", "--json"])
      #expect(run.ending == .status(0))
      #expect(
        run.errors
          == "mimo-top: app.jsonl: the last line, at byte \(good.utf8.count), is not finished and was not counted\n"
      )
      #expect(try JSONReport(run.output).ingest["malformed"] == 0)
    }

    // MARK: - Misuse

    @Test(
      arguments: [
        (["--nonsense"], "--nonsense"), (["report", "--nonsense"], "--nonsense"),
        (["report", "--plan", "mimo-plan"], "did you mean mimo-token-plan-"),
        (["report", "--tz", "Mars/One"], "unknown time zone; use an IANA name"),
        (["report", "--tz", "../../etc/passwd"], "unknown time zone"),
        (["report", "--currency", "EUR"], "unknown currency; use USD or CNY"),
        (["report", "--by", "colour"], "one of total, model, provider"),
        (["report", "--sort", "colour"], "one of key, cost"),
        (["report", "--format", "xml"], "claude-code"),
        (["report", "--filter", "shop"], "write KEY=VALUE"),
        (["report", "--filter", "colour=red"], "write KEY=VALUE"),
        (["report", "--since", "yesterday"], "is expected"),
        (["report", "--last", "7"], "is expected"),
        (["report", "--last", "7d", "--since", "2026-01-01"], "give one of them"),
        (["report", "--since", "2026-02-01", "--until", "2026-01-01"], "--until lies before"),
        (["report", "--renewal-day", "32"], "a day from 1 to 31"),
        (["report", "--limit", "x"], "--limit"),
        (["report", "--json", "--csv"], "give one of them"),
        (["--warn-below", "101"], "a percentage from 0 to 95"),
        (["--window", "1s"], "a span from 1m to 1d"),
        (["--color", "blue"], "auto, always or never"),
        (["-b", "-n", "0"], "a number from 1 up"), (["-b", "-d", "0"], "seconds from 0.1 up"),
        (["--demo", "app.jsonl"], "leave the logs out"),
        (["--config", "missing.json"], "missing.json: No such file or directory"),
      ] as [([String], String)]
    )
    func `misuse is said in a sentence, with status 64`(arguments: [String], message: String) throws
    {
      let isComplete = arguments.contains("--demo")
      let run = try sandbox.run(arguments + (isComplete ? [] : ["app.jsonl"]))
      #expect(run.ending == .status(64))
      #expect(run.errors.contains(message), "\(run.errors)")
      #expect(run.output == "")
    }

    @Test(arguments: ["-v", "--version"])
    func `the version names the date of the prices`(option: String) throws {
      let run = try sandbox.run([option])
      #expect(run.ending == .status(0) && run.errors == "")
      #expect(run.output.hasPrefix("mimo-top "))
      #expect(run.output.contains("prices of 20"))
    }

    @Test func `help tells of both commands`() throws {
      let help = try sandbox.run(["--help"])
      #expect(help.ending == .status(0))
      #expect(help.output.contains("report"))
      let report = try sandbox.run(["report", "--help"])
      for option in ["--plan", "--since", "--by", "--json", "--csv", "--tz", "--filter"] {
        #expect(report.output.contains(option))
      }
    }

    // MARK: - Files of the user's

    private var configuration: String { sandbox.home + "/.config/mimo-top" }

    @Test(
      arguments: [
        (#"{"plan": 3}"#, "config.json: 'plan': expected a text in quotes"),
        (#"{"renewal_day": 1.5}"#, "config.json: 'renewal_day': expected a whole number"),
        ("{\n  \"plan\": ,\n}", "config.json:2: expected "),
        (#"{"plam": "as-billed"}"#, "unknown field 'plam' is ignored; did you mean 'plan'?"),
        (#"{"plan": "mimo-plan"}"#, "config.json: 'plan' 'mimo-plan': unknown plan; did you mean"),
        (#"{"currency": "EUR"}"#, "config.json: 'currency' 'EUR': unknown currency"),
        (#"{"time_zone": "Mars/One"}"#, "config.json: 'time_zone' 'Mars/One': unknown time zone"),
        (#"{"renewal_day": 40}"#, "config.json: 'renewal_day' 40: a day from 1 to 31"),
        (#"{"warn_below": 400}"#, "config.json: 'warn_below' 400: a percentage"),
        (#"{"window": "soon"}"#, "config.json: 'window' 'soon': a span"),
        (#"{"map": "input"}"#, "config.json: 'map': 'input' is not FIELD=PATH"),
        (#"{"color": "blue"}"#, "config.json: 'color' 'blue': auto, always or never"),
      ] as [(String, String)]
    )
    func `a wrong configuration file is named with its field, and the default is used`(
      content: String, message: String
    ) throws {
      try sandbox.write(content, to: configuration + "/config.json")
      let run = try sandbox.run(["report", "app.jsonl", "--json"])
      #expect(run.ending == .status(0))
      #expect(run.errors.hasPrefix("mimo-top: \(configuration)/"))
      #expect(run.errors.contains(message), "\(run.errors)")
      #expect(run.errors.split(separator: "\n").count == 1)
      #expect(try JSONReport(run.output).plan.text("id") == "as-billed")
    }

    @Test func `the configuration file is used, and options win over it`() throws {
      try sandbox.write(
        #"{"plan": "xiaomi-payg", "currency": "CNY", "time_zone": "Asia/Shanghai"}"#,
        to: configuration + "/config.json")
      let run = try sandbox.run(["report", "app.jsonl", "--json"])
      #expect(run.errors == "")
      let report = try JSONReport(run.output)
      #expect(report.plan.text("id") == "xiaomi-payg")
      #expect(report.plan.text("currency") == "CNY")
      #expect((report.document["window"] as? [String: Any])?.text("time_zone") == "Asia/Shanghai")
      let other = try sandbox.run(
        [
          "report", "app.jsonl", "--json", "--plan", "as-billed", "--currency", "USD", "--tz",
          "UTC",
        ])
      #expect(try JSONReport(other.output).plan.text("currency") == "USD")
      try sandbox.write(#"{"plan": "deepseek-payg"}"#, to: "mine.json")
      let named = try sandbox.run(["report", "app.jsonl", "--json", "--config", "mine.json"])
      #expect(try JSONReport(named.output).plan.text("id") == "deepseek-payg")
    }

    @Test func `a wrong price file is named with line and field, and ours is used`() throws {
      try sandbox.write(
        """
        {"schema": "mimo-top.prices/1", "id": "xiaomi", "models": [
          {"id": "mimo-v2.6-pro", "prices": [
            {"currency": "USD", "input": "dear", "output": "9"}]}]}
        """, to: configuration + "/prices/mine.json")
      try sandbox.write("{", to: configuration + "/prices/broken.json")
      let run = try sandbox.run(["report", "app.jsonl", "--json"])
      #expect(run.ending == .status(0))
      #expect(run.errors.contains("\(configuration)/prices/mine.json:3: "))
      #expect(run.errors.contains("\"input\": expected a decimal number in quotes"))
      #expect(run.errors.contains("\(configuration)/prices/broken.json:1: "))
      #expect(run.errors.split(separator: "\n").count == 2)
      let expected = cost((480, "0.435"), (11_520, "0.0036"), (640, "0.87"))
      #expect(try JSONReport(run.output).totals.text("cost") == "\(expected)")
    }

    @Test func `a wrong theme is named, and ours is used`() throws {
      try sandbox.write(#"{"name": "mine", "#, to: configuration + "/themes/mine.json")
      try sandbox.write(#"{"theme": "mine"}"#, to: configuration + "/config.json")
      let run = try sandbox.run(["--once", "app.jsonl"])
      #expect(run.ending == .status(0))
      #expect(run.errors.contains("\(configuration)/themes/mine.json"))
      #expect(run.errors.contains("there is no theme 'mine'; known are "))
      #expect(run.output.contains("mimo-v2.6-pro"))
      let terminal = try sandbox.start(["app.jsonl"])
      try terminal.see("mimo-v2.6-pro")
      terminal.type("i")
      try terminal.see("themes/mine.json")
    }

    // MARK: - Frames

    @Test func `one frame has all that the screen has`() throws {
      let run = try sandbox.run(["--once", "app.jsonl"])
      #expect(run.ending == .status(0) && run.errors == "")
      #expect(run.output.hasPrefix("mimo-top  As billed USD"))
      let amount = Shown.money(cost((480, "0.435"), (11_520, "0.0036"), (640, "0.87")))
      for part in ["By model", "Last requests", "Cache hit rate", amount, "96.0%"] {
        #expect(run.output.contains(part))
      }
      #expect(!run.output.utf8.contains(0x1B), "no escape sequences")
    }

    @Test func `without a terminal one frame is printed, and it says so`() throws {
      let run = try sandbox.run(["app.jsonl"])
      #expect(run.ending == .status(0))
      #expect(
        run.errors
          == "mimo-top: standard output is no terminal; printing one frame (--once)\n")
      #expect(run.output == (try sandbox.run(["--once", "app.jsonl"]).output))
    }

    @Test func `batch prints as many frames as asked for, of the size asked for`() throws {
      let run = try sandbox.run([
        "-b", "-n", "2", "-d", "0.2", "--columns", "90", "--rows", "25", "app.jsonl",
      ])
      #expect(run.ending == .status(0) && run.errors == "")
      let heads = run.output.split(separator: "\n").filter { $0.hasPrefix("mimo-top ") }
      #expect(heads.count == 2)
      let widths = run.output.split(separator: "\n").map(\.count)
      #expect(widths.max() == 90)
      #expect(!run.output.utf8.contains(0x1B))
      let narrow = try sandbox.run(
        ["--once", "app.jsonl"], environment: ["COLUMNS": "60", "LINES": "20"])
      #expect(narrow.output.split(separator: "\n").map(\.count).max() == 60)
    }

    @Test func `batch frames need no usage to begin`() throws {
      try sandbox.write("", to: "empty.jsonl")
      let run = try sandbox.run(["-b", "-n", "2", "-d", "0.1", "empty.jsonl"])
      #expect(run.ending == .status(0))
      #expect(run.output.contains("No usage yet"))
    }

    @Test func `a frame without Unicode is plain ASCII`() throws {
      for (arguments, locale) in [(["--no-unicode"], "C.UTF-8"), ([], "C")] {
        let run = try sandbox.run(
          ["--once", "app.jsonl"] + arguments, environment: ["LANG": locale])
        #expect(run.output.utf8.allSatisfy { $0 < 128 }, "\(locale)")
      }
    }

    @Test func `exit codes of a frame are those of a report`() throws {
      #expect(try sandbox.run(["--once", "missing.jsonl"]).ending == .status(1))
      try sandbox.write("hello\n", to: "foreign.log")
      #expect(try sandbox.run(["--once", "foreign.log"]).ending == .status(3))
    }

    // MARK: - Streams

    @Test func `a closed pipe is a normal end`() throws {
      var log = ""
      for number in 0..<3000 {
        log += LogLines.service(
          "p\(number)", "mimo-v2.6-pro", project: "a project with a long name \(number)",
          session: "s", prompt: 10, cached: 0, at: Moment())
      }
      try sandbox.write(log, to: "long.jsonl")
      for arguments in [
        "report long.jsonl --by project", "report long.jsonl --by project --json",
        "report long.jsonl --by project --csv", "-b -n 50 -d 0.1 long.jsonl",
      ] {
        let run = try sandbox.shell(
          "\"$MIMO\" \(arguments) | head -1 >/dev/null; echo ${PIPESTATUS[0]}")
        #expect(run.output == "0\n", "\(arguments)")
        #expect(run.errors == "", "\(arguments): \(run.errors)")
      }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func `a full disk is an error that is said`() throws {
      let run = try sandbox.shell("\"$MIMO\" report app.jsonl --json > /dev/full; echo $?")
      #expect(run.output == "1\n")
      #expect(run.errors.hasPrefix("mimo-top: standard output: "))
    }

    @Test func `closed standard streams do no harm`() throws {
      let run = try sandbox.shell("\"$MIMO\" report app.jsonl --json <&- 2>&- | tail -1")
      #expect(run.output == "}\n")
    }
  }
}
