import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// `compare` and `plans`: which plan to take, in words and in numbers.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct CompareTests {
    let sandbox: Sandbox

    init() throws { sandbox = try Sandbox() }

    /// Ten days of a call each, so many tokens of them fresh.
    private func writeDays(fresh: Int, read: Int, output: Int, model: String = "mimo-v2.6-pro")
      throws
    {
      let lines = (0..<10).map { day in
        LogLines.service(
          "c\(day)", model, project: "shop", session: "s", prompt: fresh + read, cached: read,
          output: output, at: .minutesAgo(day * 1440 + 10))
      }
      try sandbox.write(lines.joined(), to: "app.jsonl")
    }

    private func compare(_ options: String...) throws -> [String: Any] {
      let run = try sandbox.run(["compare", "app.jsonl", "--json"] + options)
      #expect(run.ending == .status(0) && run.errors == "")
      return try JSONReport(run.output).document
    }

    @Test func `the recommendation has a sentence and the numbers behind it`() throws {
      // 10 million fresh tokens a day: 30 yuan of list price, 900 a month.
      try writeDays(fresh: 10_000_000, read: 0, output: 0)
      let document = try compare("--currency", "CNY", "--plan", "mimo-token-plan-lite")
      let recommendation = try #require(document["recommendation"] as? [String: Any])
      #expect(recommendation["history_days"] as? Int == 9)
      #expect(recommendation["currency"] as? String == "CNY")
      let options = try #require(recommendation["options"] as? [[String: Any]])
      let lite = try #require(options.first { $0["id"] as? String == "mimo-token-plan-lite" })
      #expect(lite["fits"] as? Bool == false)
      #expect(lite["runs_out_on_day"] as? Int == 2)
      let best = try #require(recommendation["plan"] as? String)
      #expect(["mimo-token-plan-max", "xiaomi-payg"].contains(best))
      let text = try #require(recommendation["text"] as? String)
      #expect(text.hasPrefix("At the pace of the last 9 days ("))
      let run = try sandbox.run(["compare", "app.jsonl", "--currency", "CNY"])
      #expect(run.output.contains(text))
    }

    @Test func `with a day of history nothing is recommended, and that is said`() throws {
      try sandbox.write(
        LogLines.service(
          "c1", "mimo-v2.6-pro", project: "shop", session: "s", prompt: 1000, cached: 0, output: 5,
          at: Moment()), to: "app.jsonl")
      let recommendation = try #require(try compare()["recommendation"] as? [String: Any])
      #expect(recommendation["plan"] is NSNull)
      #expect((recommendation["text"] as? String)?.hasPrefix("Too little history") == true)
    }

    @Test func `an estimate lies in a range with reasons, a price of one's own does not`() throws {
      try writeDays(fresh: 20_000, read: 900_000, output: 3000)
      let plans = try #require(try compare()["plans"] as? [[String: Any]])
      func decimal(_ plan: [String: Any], _ field: String) -> Decimal? {
        (plan[field] as? String).flatMap { Decimal(string: $0) }
      }
      let own = try #require(plans.first { $0["id"] as? String == "xiaomi-payg" })
      #expect(own["band"] is NSNull && own["cost_low"] is NSNull)
      let mapped = try #require(plans.first { $0["id"] as? String == "anthropic-payg" })
      let cost = try #require(decimal(mapped, "cost"))
      #expect(decimal(mapped, "cost_low") == cost * Decimal(string: "0.85")!)
      let high = try #require(decimal(mapped, "cost_high"))
      // Nine of ten calls come a day after the one before them: their reads would be writes.
      #expect(high > cost * 2)
      let band = try #require(mapped["band"] as? [String: Any])
      #expect(band["cache_lifetime_minutes"] as? Int == 5)
      #expect(band["late_cache_reads"] as? Int == 8_100_000)
      #expect((band["reasons"] as? [String])?.count == 2)
    }

    @Test func `a point of hit rate is worth something a day`() throws {
      try writeDays(fresh: 500_000, read: 500_000, output: 0)
      let worth = try #require(try compare()["hit_rate_worth"] as? [String: Any])
      let point = try #require((worth["point_per_day"] as? String).flatMap { Decimal(string: $0) })
      #expect(point > 0)
      #expect(worth["hit_rate"] as? String == "0.500000")
      #expect(worth["best_day"] is NSNull, "a call a day is too few")
    }

    @Test func `lists without any of the models are left out unless asked for`() throws {
      try writeDays(fresh: 1000, read: 0, output: 0)
      func ids(_ options: String...) throws -> [String] {
        let run = try sandbox.run(["compare", "app.jsonl", "--json", "--no-mapping"] + options)
        let document = try JSONReport(run.output).document
        return (document["plans"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
      }
      let few = try ids()
      #expect(few.contains("xiaomi-payg") && few.contains("mimo-token-plan-max"))
      #expect(!few.contains("openai-payg"))
      #expect(try ids("--all").contains("openai-payg"))
      let table = try sandbox.run(["compare", "app.jsonl", "--no-mapping"])
      #expect(table.output.contains("--all shows them"))
    }

    // MARK: - Plans

    private func plans() throws -> [[String: Any]] {
      let run = try sandbox.run(["plans", "--json"])
      return try #require(try JSONReport(run.output).document["plans"] as? [[String: Any]])
    }

    @Test func `plans say from which use on they pay off`() throws {
      let lite = try #require(try plans().first { $0["id"] as? String == "mimo-token-plan-lite" })
      let worth = try #require(lite["worth"] as? [[String: Any]])
      let yuan = try #require(worth.first { $0["currency"] as? String == "CNY" })
      #expect(yuan["pays_off_above_low"] as? String == "0.951220")
      #expect(yuan["worth_low"] as? String == "41" && yuan["unused_lapses"] as? Bool == true)
      let text = try sandbox.run(["plans"]).output
      #expect(text.contains("100,000,000 credits are worth ¥1 of pay-as-you-go\n"))
      for share in ["95.1% use", "90.0% use", "86.6% use", "80.4% use"] {
        #expect(text.contains(share))
      }
      #expect(text.contains("unused credits: lapse"))
    }

    @Test func `seats and annual billing come from the settings`() throws {
      try sandbox.write(
        #"{"plans": {"mimo-token-plan-lite": {"billing": "annual"}, "mimo-token-plan-team-pro": {"seats": 5}, "x": {"seats": 1}}}"#,
        to: sandbox.home + "/.config/mimo-top/config.json")
      try writeDays(fresh: 1000, read: 0, output: 0)
      let run = try sandbox.run(["compare", "app.jsonl", "--json"])
      #expect(run.errors.contains("'plans', 'x': no subscription has this id"))
      let plans = try #require(
        try JSONReport(run.output).document["plans"] as? [[String: Any]])
      let lite = try #require(plans.first { $0["id"] as? String == "mimo-token-plan-lite" })
      #expect(lite["fee"] as? String == "5.28" && lite["billing"] as? String == "annual")
      let team = try #require(plans.first { $0["id"] as? String == "mimo-token-plan-team-pro" })
      #expect(team["fee"] as? String == "250")
      #expect(team["credits_included"] as? Int == 190_000_000_000)
    }
  }
}
