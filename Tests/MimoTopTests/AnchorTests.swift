import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// What a vendor's console said, noted with `plans anchor`.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct AnchorTests {
    let sandbox: Sandbox
    static let plan = "mimo-token-plan-lite"

    init() throws {
      sandbox = try Sandbox()
      let before = LogLines.openAI(
        "a", "mimo-v2.6-flash", prompt: 3_000_000, cached: 0, output: 0, at: .minutesAgo(90))
      let after = LogLines.openAI(
        "b", "mimo-v2.6-flash", prompt: 2_000_000, cached: 0, output: 0, at: .minutesAgo(30))
      try sandbox.write(before + after, to: "app.jsonl")
    }

    private var folder: String { sandbox.home + "/.local/state/mimo-top" }
    private var file: String { folder + "/ledger.db" }
    /// Where earlier versions kept readings, and the plan.
    private var former: String { folder + "/anchors.json" }

    /// The billing period began days ago on every day of a month.
    private var renewalDay: String {
      let day = Calendar(identifier: .gregorian).dateComponents(
        in: TimeZone(identifier: "UTC")!, from: Date().addingTimeInterval(-86_400 * 9)
      ).day!
      return String(day)
    }

    private func anchor(_ arguments: String...) throws -> ProgramRun {
      try sandbox.run(["plans", "anchor"] + arguments)
    }

    private func report() throws -> JSONReport {
      let run = try sandbox.run([
        "report", "app.jsonl", "--json", "--plan", Self.plan, "--renewal-day", renewalDay,
      ])
      #expect(run.ending == .status(0) && run.errors == "")
      return try JSONReport(run.output)
    }

    private func permissions(_ path: String) throws -> Int {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test func `credits go on from the console's figure, and the gap is shown`() throws {
      let plain = try report()
      #expect(plain.plan["anchor"] is NSNull)
      let own = try #require(plain.plan.number("credits_used"))
      let time = Moment.minutesAgo(60)
      let noted = try anchor(Self.plan, "--used", "1,000,000,000", "--at", time.text)
      #expect(noted.ending == .status(0) && noted.errors == "")
      #expect(noted.output == "\(Self.plan): 1,000,000,000 credits used at \(time.text)\n")
      let anchored = try report()
      let entry = anchored.plan.object("anchor")
      #expect(entry.text("at") == time.text && entry.number("used") == 1_000_000_000)
      // Two of the five millions of tokens came after the reading; hours may have a factor of their own.
      let used = try #require(anchored.plan.number("credits_used"))
      let gap = try #require(entry.number("gap"))
      #expect(used == own + gap)
      #expect(used > 1_000_000_000 && used < 1_000_000_000 + own)
      let table = try sandbox.run([
        "report", "app.jsonl", "--plan", Self.plan, "--renewal-day", renewalDay,
      ])
      #expect(table.output.contains("\nconsole: 1.00G used at \(time.text), "))
      #expect(table.output.contains(" more than the logs count\n"))
    }

    @Test func `readings are private, listed, replaced and forgotten`() throws {
      #expect(try anchor("--list").output == "no readings\n")
      _ = try anchor(Self.plan, "--used", "5", "--at", "2h")
      #expect(try permissions(folder) == 0o700)
      #expect(try permissions(file) == 0o600)
      let second = try anchor(Self.plan, "--used", "1.5M", "--at", "2026-10-01T08:00:00+08:00")
      #expect(second.output.contains("before the present billing period"))
      let list = try anchor("--list").output
      #expect(list.contains("\(Self.plan)     1,500,000  2026-10-01T00:00:00Z\n"))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy {
          $0.hasPrefix("ledger.")
        })
      #expect(try anchor("--remove", Self.plan).output == "\(Self.plan): forgotten\n")
      #expect(try anchor("--list").output == "no readings\n")
      #expect(try anchor("--remove", Self.plan).ending == .status(64))
    }

    @Test func `what an earlier version kept in files is taken over once`() throws {
      let anchors =
        #"{"schema":"mimo-top.anchors/1","anchors":{"mimo-token-plan-pro":{"at":"2026-10-01T00:00:00Z","used":"77.5"},"#
        + #""\#(Self.plan)":{"at":"2026-10-01T00:00:00Z","used":"3"}}}"#
      try sandbox.write(anchors, to: former)
      try sandbox.write(
        #"{"schema":"mimo-top.choice/1","plan":"deepseek-payg","currency":"CNY"}"#,
        to: folder + "/choice.json")
      // Reading changes nothing.
      let list = try anchor("--list").output
      #expect(list.contains("mimo-token-plan-pro           77.5  2026-10-01T00:00:00Z\n"))
      #expect(!FileManager.default.fileExists(atPath: file))
      _ = try anchor(Self.plan, "--used", "5", "--at", "2h")
      _ = try anchor("--remove", "mimo-token-plan-pro")
      let after = try anchor("--list").output
      #expect(after.contains("\(Self.plan)             5  "))
      #expect(!after.contains("mimo-token-plan-pro"))
      #expect(try String(contentsOfFile: former + ".imported-1", encoding: .utf8) == anchors)
      #expect(FileManager.default.fileExists(atPath: folder + "/choice.json.imported-1"))
      #expect(!FileManager.default.fileExists(atPath: former))
      let dashboard = try sandbox.start()
      try dashboard.see("DeepSeek")
      try dashboard.see("CNY")
      try dashboard.quit()
    }

    @Test func `the one who keeps the ledger takes files over, too`() throws {
      try sandbox.write(
        #"{"schema":"mimo-top.anchors/1","anchors":{"\#(Self.plan)":{"at":"2026-10-01T00:00:00Z","used":"3"}}}"#,
        to: former)
      try sandbox.keep()
      #expect(!FileManager.default.fileExists(atPath: former))
      #expect(try anchor("--list").output.contains("\(Self.plan)             3  "))
    }

    @Test func `a reading is noted while another process keeps the ledger, and outlives a rebuild`()
      throws
    {
      try sandbox.writeTranscript(calls: 2)
      let watch = try sandbox.start(["watch"])
      try sandbox.waitUntilStored(2)
      #expect(try anchor(Self.plan, "--used", "5").ending == .status(0))
      try sandbox.append(sandbox.call("more"), to: sandbox.transcript("one"))
      try sandbox.waitUntilStored(3)
      watch.send(signal: SIGTERM)
      #expect(try watch.waitForExit(within: patience) == .status(0))
      try sandbox.succeed(["ledger", "rebuild"])
      #expect(try anchor("--list").output.contains(Self.plan))
      #expect(try sandbox.usage().requests == 3)
    }

    @Test func `the plan that was active is active again`() throws {
      try sandbox.writeTranscript(calls: 2)
      let first = try sandbox.start()
      try first.see("As billed")
      first.type("p")
      try first.see("mimo-top  Xiaomi MiMo pay-as-you-go USD")
      try first.quit()
      let second = try sandbox.start()
      try second.see("mimo-top  Xiaomi MiMo pay-as-you-go USD")
      try second.quit()
    }

    @Test func `a broken file is told, and set aside before anything is written`() throws {
      try sandbox.write("{ broken", to: former)
      let run = try sandbox.run(["report", "app.jsonl", "--plan", Self.plan])
      #expect(run.ending == .status(0))
      #expect(run.errors.contains("anchors.json: expected anchors in the form mimo-top.anchors/1"))
      let noted = try anchor(Self.plan, "--used", "5")
      #expect(noted.ending == .status(0))
      #expect(noted.errors.contains("(set aside as \(former).broken-1)"))
      #expect(try String(contentsOfFile: former + ".broken-1", encoding: .utf8) == "{ broken")
      #expect(try anchor("--list").output.contains(Self.plan))
    }

    @Test func `where nothing can be kept, that is said`() throws {
      let homeless = try sandbox.run(
        ["plans", "anchor", Self.plan, "--used", "5"], environment: ["HOME": nil])
      #expect(homeless.ending == .status(1))
      #expect(homeless.errors.contains("HOME and XDG_STATE_HOME are not set"))
      try sandbox.write("no ledger", to: file)
      let damaged = try anchor(Self.plan, "--used", "5")
      #expect(damaged.ending == .status(1))
      #expect(damaged.errors.contains("ledger.db: damaged"))
      #expect(damaged.errors.contains("(nothing was changed)"))
    }

    @Test(arguments: [
      (["mimo-token-plan-lit", "--used", "5"], "did you mean mimo-token-plan-lite"),
      (["xiaomi-payg", "--used", "5"], "counts no credits"),
      (["mimo-token-plan-lite"], "--used are needed"),
      (["mimo-token-plan-lite", "--used", "many"], "--used 'many'"),
      (["mimo-token-plan-lite", "--used", "5", "--at", "noon"], "--at 'noon'"),
      (["mimo-token-plan-lite", "--used", "5", "--at", "2999-01-01"], "lies in the future"),
      (["mimo-token-plan-lite", "--list"], "--list shows all readings"),
    ]) func `a mistyped reading names what is expected`(_ arguments: [String], _ message: String)
      throws
    {
      let run = try sandbox.run(["plans", "anchor"] + arguments)
      #expect(run.ending == .status(64))
      #expect(run.errors.contains(message))
      #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test func `a state folder of the user's choice is used`() throws {
      let run = try sandbox.run(
        ["plans", "anchor", Self.plan, "--used", "5"],
        environment: ["XDG_STATE_HOME": sandbox.home + "/state"])
      #expect(run.ending == .status(0))
      #expect(FileManager.default.fileExists(atPath: sandbox.home + "/state/mimo-top/ledger.db"))
    }

    @Test func `too little history for a range is said`() throws {
      let plan = try report().plan
      #expect(plan.number("history_days") == 0)
      #expect(plan["runs_out_between"] is NSNull)
      let table = try sandbox.run(["report", "app.jsonl", "--plan", Self.plan])
      #expect(
        table.output.contains(
          "\nrun-out: too little history for a range: 0 full days, 2 are needed"))
    }

    @Test func `with some days of history the end is a range`() throws {
      let lines = [(3, 400_000), (2, 3_000_000), (1, 400_000)].map { day, prompt in
        LogLines.openAI(
          "d\(day)", "mimo-v2.6-flash", prompt: prompt * 10, cached: 0, output: 0,
          at: .minutesAgo(1440 * day))
      }
      try sandbox.write(lines.joined(), to: "app.jsonl")
      let plan = try report().plan
      #expect(plan.number("history_days") == 3)
      // On the busiest day most of the credits went: what is left does not last another one, whether or not
      // the hours of this run have a discount.
      let range = try #require(plan["runs_out_between"] as? [String: Any])
      #expect(range.keys.sorted() == ["earliest", "latest"])
      let earliest = try #require(range.text("earliest"))
      #expect(earliest > Moment().text && earliest < Moment.minutesAgo(-1440).text)
      let table = try sandbox.run([
        "report", "app.jsonl", "--plan", Self.plan, "--renewal-day", renewalDay,
      ])
      #expect(table.output.contains("3 full days"))
    }

    @Test func `plans are still listed without a command`() throws {
      #expect(try sandbox.run(["plans"]).output.contains("mimo-token-plan-lite"))
      let json = try sandbox.run(["plans", "--json"])
      #expect(json.output.hasPrefix("{\n  \"schema\": \"mimo-top.plans/1\""))
    }
  }
}
