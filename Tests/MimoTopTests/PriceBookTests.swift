import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// Taking prices from another book, and how old prices are.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct PriceBookTests {
    let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      try sandbox.write(
        #"""
        {"acme": {"id": "acme", "name": "Acme", "api": "https://api.acme.example/v1", "models": {
          "plain-1": {"name": "Plain 1", "cost": {"input": 0.15, "output": 0.6, "cache_read": 0.015}},
          "voice-1": {"name": "Voice 1"}}},
         "beta": {"id": "beta", "name": "Beta", "models": {
          "plain-2": {"name": "Plain 2", "cost": {"input": 3e-1, "output": 1.2e0}}}}}
        """#, to: "api.json")
      try sandbox.write(
        LogLines.openAI("a", "plain-1", prompt: 1_000_000, cached: 400_000, output: 100_000),
        to: "app.jsonl")
    }

    private var folder: String { sandbox.home + "/.config/mimo-top/prices" }

    private func report(_ arguments: String...) throws -> JSONReport {
      let run = try sandbox.run(["report", "app.jsonl", "--json"] + arguments)
      #expect(run.ending == .status(0) && run.errors == "")
      return try JSONReport(run.output)
    }

    @Test func `an imported price is used by the next report`() throws {
      #expect(try report().totals["cost"] is NSNull)
      let run = try sandbox.run(["prices", "import", "api.json"])
      #expect(run.ending == .status(0) && run.errors == "")
      #expect(run.output.contains("took 2 models of 2 providers"))
      #expect(run.output.contains("no price per token: 1 model left out\n    acme: voice-1\n"))
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(names == ["acme-import.json", "beta-import.json"])
      // 600,000 at 0.15, 400,000 at 0.015 and 100,000 at 0.6 a million.
      #expect(try report().totals.text("cost") == "0.156")
      let shown = try sandbox.run(["prices", "show", "plain-1"])
      #expect(shown.output.contains("api.json (models.dev), SHA-256 "))
      #expect(shown.output.contains("confidence medium"))
    }

    @Test func `files that are there stay, unless they may be replaced`() throws {
      try sandbox.write("mine", to: folder + "/acme-import.json")
      let first = try sandbox.run(["prices", "import", "api.json"])
      #expect(first.ending == .status(1))
      #expect(
        first.errors
          == "mimo-top: \(folder)/acme-import.json is there already; --force replaces it\n")
      #expect(first.output.contains("took 1 model of 1 provider"))
      #expect(try String(contentsOfFile: folder + "/acme-import.json", encoding: .utf8) == "mine")
      let second = try sandbox.run(["prices", "import", "api.json", "--force"])
      #expect(second.ending == .status(0) && second.errors == "")
      #expect(try report().totals.text("cost") == "0.156")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
    }

    @Test func `one provider can be written to a file of any name`() throws {
      let both = try sandbox.run(["prices", "import", "api.json", "--out", "new.json"])
      #expect(both.ending == .status(64))
      #expect(both.errors.contains("one file for 2 providers"))
      let one = try sandbox.run([
        "prices", "import", "api.json", "--provider", "beta", "--out", "new.json",
      ])
      #expect(one.ending == .status(0) && one.errors == "")
      #expect(
        try String(contentsOfFile: sandbox.path("new.json"), encoding: .utf8).contains(
          #""input": "0.3", "output": "1.2""#))
      let other = try sandbox.run(["prices", "import", "api.json", "--provider", "bet"])
      #expect(other.ending == .status(64))
    }

    @Test func `a book can come through a pipe`() throws {
      let text = try String(contentsOfFile: sandbox.path("api.json"), encoding: .utf8)
      let run = try sandbox.run(["prices", "import", "-"], input: .text(text))
      #expect(run.ending == .status(0) && run.errors == "")
      #expect(try report().totals.text("cost") == "0.156")
    }

    @Test func `what is no price book is refused with what was looked for`() throws {
      let run = try sandbox.run(["prices", "import", "app.jsonl"])
      #expect(run.ending == .status(1) && run.output == "")
      #expect(run.errors.contains("app.jsonl is no price book"))
      let absent = try sandbox.run(["prices", "import", "nowhere.json"])
      #expect(absent.ending == .status(1))
      #expect(absent.errors == "mimo-top: nowhere.json: No such file or directory\n")
    }

    // MARK: - Age

    /// A price of the user's own, checked some days ago.
    private func price(checked days: Int) throws -> String {
      let day = String(
        Moment(Date().addingTimeInterval(Double(-86_400 * days))).text.prefix(10))
      try sandbox.write(
        #"{"schema": "mimo-top.prices/1", "id": "acme", "models": [{"id": "plain-1", "prices": [{"currency": "USD", "input": "1", "output": "1", "as_of": "\#(day)"}]}]}"#,
        to: folder + "/acme.json")
      return day
    }

    @Test func `a report says when its prices were checked`() throws {
      let day = try price(checked: 3)
      #expect(try report().plan.text("prices_checked") == day)
      let table = try sandbox.run(["report", "app.jsonl"])
      #expect(table.output.contains("\nprices checked 3 days ago (\(day))\n"))
      #expect(!table.output.contains("warning"))
    }

    @Test func `prices older than sixty days are warned of`() throws {
      let day = try price(checked: 61)
      let table = try sandbox.run(["report", "app.jsonl"])
      #expect(table.output.contains("\nwarning: prices checked 61 days ago (\(day)), "))
      let compared = try sandbox.run(["compare", "app.jsonl", "--no-mapping"])
      #expect(compared.output.contains("\nwarning: prices checked 61 days ago (\(day)), "))
      let document = try JSONReport(try sandbox.run(["compare", "app.jsonl", "--json"]).output)
      let plans = try #require(document.document["plans"] as? [[String: Any]])
      #expect(plans.first { $0.text("id") == "acme-payg" }?.text("prices_checked") == day)
    }

    @Test func `prices of an unknown date have an unknown age`() throws {
      try sandbox.write(
        #"{"schema": "mimo-top.prices/1", "id": "acme", "models": [{"id": "plain-1", "prices": [{"currency": "USD", "input": "1", "output": "1"}]}]}"#,
        to: folder + "/acme.json")
      #expect(try report().plan["prices_checked"] is NSNull)
      #expect(try !sandbox.run(["report", "app.jsonl"]).output.contains("prices checked"))
    }
  }
}
