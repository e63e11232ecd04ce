import Foundation
import MimoScreen
import MimoTestSupport
import Testing

extension EndToEnd {
  /// Other plans at the press of a key, equal to what `report` says of the same log.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct PlanTests {
    let sandbox: Sandbox
    static let sessions = ["s1", "s2", "s3", "s4"]

    init() throws {
      sandbox = try Sandbox()
      try sandbox.fixPrices()
      func call(_ session: String, _ model: String, _ prompt: Int, _ cached: Int, _ output: Int)
        -> String
      {
        LogLines.service(
          session, model, project: "shop", session: session, prompt: prompt, cached: cached,
          output: output, at: Moment())
      }
      try sandbox.write(
        call("s1", "mimo-v2.6-pro", 120_000, 115_200, 6400)
          + call("s2", "mimo-v2.6-flash", 90_000, 64_000, 3500)
          + call("s3", "deepseek-v4-pro", 5630, 5120, 1160)
          + call("s4", "mimo-v2.6-pro", 57_001, 0, 7203),
        to: "app.jsonl")
    }

    /// What `report` says under a plan.
    private struct Expected {
      var name: String
      var sign: String
      var byModel: JSONReport
      var bySession: JSONReport
      var listPrices: JSONReport
      var countsCredits: Bool

      var sum: String {
        if countsCredits {
          let money = Shown.money(listPrices.totals.text("cost"), sign)
          return Shown.credits(byModel.totals["credits"]) + " " + money
            + (byModel.totals.number("unpriced_requests") == 0 ? "" : " +?")
        }
        let isPartial =
          byModel.totals.number("unpriced_requests") != 0 && byModel.totals.text("cost") != nil
        return Shown.money(byModel.totals.text("cost"), sign) + (isPartial ? " +?" : "")
      }

      /// The amounts of a row of either report.
      func amounts(_ report: JSONReport, _ key: String, list: [String: Any]) -> String {
        let row = report.row(key)
        let amount =
          countsCredits ? Shown.credits(row["credits"]) : Shown.money(row.text("cost"), sign)
        let main = amount == "?" ? "no price" : amount
        return countsCredits ? "\(main) \(Shown.money(list.text("cost"), sign))" : main
      }
    }

    private func expected(_ plan: String, _ currency: String = "USD") throws -> Expected {
      func report(_ plan: String, _ by: String) throws -> JSONReport {
        let run = try sandbox.run([
          "report", "app.jsonl", "--json", "--by", by, "--plan", plan, "--currency", currency,
        ])
        #expect(run.ending == .status(0) && run.errors == "")
        return try JSONReport(run.output)
      }
      let byModel = try report(plan, "model")
      return Expected(
        name: "\(byModel.plan.text("name") ?? "") \(currency)", sign: currency == "CNY" ? "¥" : "$",
        byModel: byModel, bySession: try report(plan, "session"),
        listPrices: try report("as-billed", "session"),
        countsCredits: byModel.plan.text("kind") == "subscription")
    }

    /// All amounts on screen are those of `expected`.
    private func expectAmounts(_ expected: Expected, on terminal: PseudoTerminal) throws {
      try terminal.wait(for: expected.name, within: patience) {
        $0.header.hasPrefix("mimo-top  \(expected.name) ")
      }
      let screen = terminal.screen
      #expect(screen.spend(allTime) == expected.sum, "\(expected.name)")
      for model in ["mimo-v2.6-pro", "mimo-v2.6-flash", "deepseek-v4-pro"] {
        let list = expected.listPrices
        let sum = Self.sessions.indices.filter { Self.models[$0] == model }
          .reduce(Decimal(0)) { $0 + Decimal(string: list.row(Self.sessions[$1]).text("cost")!)! }
        let amounts = expected.amounts(expected.byModel, model, list: ["cost": "\(sum)"])
        let row = screen.words(in: "By model", of: model).joined(separator: " ")
        #expect(row.contains("% \(amounts)"), "\(expected.name), \(model): \(amounts)")
      }
      for (index, session) in Self.sessions.enumerated() {
        let amounts = expected.amounts(
          expected.bySession, session, list: expected.listPrices.row(session))
        let rows = screen.box("Last requests").map {
          $0.split(separator: " ").joined(separator: " ")
        }
        #expect(
          rows.contains {
            $0.contains("\(Self.models[index]) shop \(session) ") && $0.contains("% \(amounts)")
          }, "\(expected.name), \(session): \(amounts)")
      }
    }

    private static let models = [
      "mimo-v2.6-pro", "mimo-v2.6-flash", "deepseek-v4-pro", "mimo-v2.6-pro",
    ]

    /// Presses `key` until the header shows `name`.
    private func press(_ key: String, until name: String, on terminal: PseudoTerminal) throws {
      for _ in 0..<60 {
        let before = terminal.screen.header
        terminal.type(key)
        try terminal.wait(for: "another plan than \(before)", within: patience) {
          $0.header != before
        }
        if terminal.screen.header.hasPrefix("mimo-top  \(name) ") { return }
      }
      Issue.record("\(key) never leads to \(name)")
    }

    @Test func `each plan re-prices all that is on screen, without the log`() throws {
      let plans = try [
        expected("as-billed"), expected("xiaomi-payg"), expected("xiaomi-payg", "CNY"),
        expected("deepseek-payg"), expected("mimo-token-plan-lite"),
        expected("mimo-token-plan-standard"), expected("mimo-token-plan-pro"),
        expected("mimo-token-plan-max"),
      ]
      #expect(Set(plans.map(\.sum)).count >= 4, "the plans differ")
      let terminal = try sandbox.start(["app.jsonl"], columns: 170)
      try terminal.see("deepseek-v4-pro")
      // Whoever read the log again would find nothing.
      try sandbox.delete("app.jsonl")
      try expectAmounts(plans[0], on: terminal)
      for plan in plans.dropFirst() {
        try press("p", until: plan.name, on: terminal)
        try expectAmounts(plan, on: terminal)
      }
      for plan in plans.dropLast().reversed() {
        try press("P", until: plan.name, on: terminal)
        try expectAmounts(plan, on: terminal)
      }
      try press("p", until: plans[4].name, on: terminal)
      terminal.type("0")
      try expectAmounts(plans[0], on: terminal)
      terminal.type("q")
      #expect(try terminal.waitForExit() == .status(0))
    }

    @Test func `a token plan shows credits, money, and where the period stands`() throws {
      let lite = try expected("mimo-token-plan-lite")
      let terminal = try sandbox.start(
        ["app.jsonl", "--plan", "mimo-token-plan-lite", "--renewal-day", "15"], columns: 160)
      try terminal.see("deepseek-v4-pro")
      try expectAmounts(lite, on: terminal)
      let run = try sandbox.run([
        "report", "app.jsonl", "--json", "--plan", "mimo-token-plan-lite", "--renewal-day", "15",
      ])
      let plan = try JSONReport(run.output).plan
      let strip = terminal.screen.rows[1]
      let included = Shown.credits(plan["credits_included"])
      let used = Shown.credits(plan["credits_used"]).dropLast(3)
      #expect(strip.contains("used \(used) of \(included)"))
      #expect(strip.contains("left \(Shown.credits(plan["credits_left"]).dropLast(3)) "))
      let renewal = try #require(plan.text("resets_at"))
      #expect(renewal.dropFirst(8).hasPrefix("15T00:00:00"))
      #expect(strip.contains("renews \(renewal.dropFirst(5).prefix(5)) 00:00"))
      #expect(strip.contains("fee \(Shown.money(plan.text("fee")))"))
      #expect(plan.text("fee") == "6")
    }

    @Test func `the list shows every plan with its money, and Enter chooses`() throws {
      let terminal = try sandbox.start(["app.jsonl"], columns: 140, rows: 60)
      try terminal.see("deepseek-v4-pro")
      terminal.type("l")
      try terminal.see("Plans, ")
      let list = terminal.screen.box("Plans, ")
      for (id, currency) in [
        ("as-billed", "USD"), ("xiaomi-payg", "USD"), ("xiaomi-payg", "CNY"),
        ("mimo-token-plan-lite", "USD"), ("mimo-token-plan-max", "USD"),
      ] {
        let plan = try expected(id, currency)
        let money = Shown.money(plan.byModel.totals.text("cost"), plan.sign)
        let row = list.first { $0.contains(" \(plan.name) ") }
        #expect(row?.contains(" \(money)") == true, "\(plan.name): \(money) in \(row ?? "no row")")
        if plan.countsCredits {
          let used = Shown.credits(plan.byModel.totals["credits"]).dropLast(3)
          let included = Shown.credits(plan.byModel.plan["credits_included"]).dropLast(3)
          #expect(row?.contains("\(used) of \(included)") == true, "\(row ?? "no row")")
        }
      }
      // The first row holds the titles.
      let place = try #require(list.firstIndex { $0.contains(" Token Plan Max USD ") }) - 1
      for _ in 0..<place { terminal.press(.down) }
      terminal.press(.enter)
      try expectAmountsAfterList(terminal)
    }

    private func expectAmountsAfterList(_ terminal: PseudoTerminal) throws {
      try terminal.seeNo("Plans, ")
      try terminal.wait(for: "the chosen plan", within: patience) {
        $0.header.hasPrefix("mimo-top  Token Plan Max USD ")
      }
      #expect(terminal.screen.spend(allTime) == (try expected("mimo-token-plan-max").sum))
    }

    @Test func `a pinned plan is what others are compared with`() throws {
      let billed = try expected("as-billed")
      let lite = try expected("mimo-token-plan-lite")
      // All calls but DeepSeek's are on the plan; only like is compared with like.
      let terminal = try sandbox.start(["app.jsonl", "--filter", "provider=xiaomi"], columns: 170)
      try terminal.see("mimo-v2.6-flash")
      terminal.type("=")
      try terminal.see("reference: As billed USD")
      try terminal.wait(for: "the reference in the header", within: patience) {
        $0.header.contains("vs As billed USD")
      }
      try terminal.wait(for: "no difference to itself", within: patience) {
        $0.box("Spend").contains { $0.hasSuffix("the same") || $0.hasSuffix("this plan") }
      }
      try press("p", until: lite.name, on: terminal)
      let deepSeek = Decimal(string: billed.bySession.row("s3").text("cost")!)!
      let mine = Decimal(string: billed.byModel.totals.text("cost")!)! - deepSeek
      try terminal.wait(for: "the difference", within: patience) {
        $0.box("Spend").contains {
          $0.hasPrefix("vs As billed") && $0.hasSuffix(" +" + Shown.money(6 - mine))
        }
      }
      try press("P", until: "As billed USD", on: terminal)
      terminal.type("=")
      try terminal.wait(for: "no reference", within: patience) { !$0.header.contains("vs ") }
    }

    @Test func `the other currency is another price list, not a conversion`() throws {
      let dollars = try expected("xiaomi-payg")
      let yuan = try expected("xiaomi-payg", "CNY")
      let terminal = try sandbox.start(["app.jsonl", "--plan", "xiaomi-payg"], columns: 170)
      try terminal.see("deepseek-v4-pro")
      try terminal.wait(for: dollars.name, within: patience) {
        $0.header.hasPrefix("mimo-top  \(dollars.name) ")
      }
      #expect(terminal.screen.spend(allTime) == dollars.sum)
      terminal.type("c")
      try terminal.wait(for: yuan.name, within: patience) {
        $0.header.hasPrefix("mimo-top  \(yuan.name) ")
      }
      #expect(terminal.screen.spend(allTime) == yuan.sum)
      #expect(yuan.sum.hasPrefix("¥"))
      terminal.type("c")
      try terminal.wait(for: dollars.name, within: patience) {
        $0.header.hasPrefix("mimo-top  \(dollars.name) ")
      }
    }

    @Test func `how a cost was made can be read line by line`() throws {
      let terminal = try sandbox.start(["app.jsonl", "--filter", "session=s1"], columns: 140)
      try terminal.see("deepseek-v4-pro")
      terminal.press(.tab)
      terminal.press(.enter)
      try terminal.see("How this cost was made")
      // The newest call is the last line of the log.
      let sum = cost((57_001, "0.435"), (7203, "0.87"))
      try terminal.see("\(sum) USD")
      #expect(terminal.screen.contains("57,001 x 0.435 per million = \(cost((57_001, "0.435")))"))
      #expect(terminal.screen.contains("7,203 x 0.87 per million = \(cost((7203, "0.87")))"))
    }
  }
}
