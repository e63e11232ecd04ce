import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// Costs of fixed days, worked out here from the vendors' lists, to the last digit.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct MoneyTests {
    let sandbox: Sandbox

    init() throws { sandbox = try Sandbox() }

    private func report(_ log: String, _ arguments: String...) throws -> JSONReport {
      try sandbox.write(log, to: "app.jsonl")
      let run = try sandbox.run(["report", "app.jsonl", "--json", "--by", "model"] + arguments)
      #expect(run.ending == .status(0), "\(run.errors)")
      return try JSONReport(run.output)
    }

    private func call(
      _ id: String, _ model: String, _ time: String, fresh: Int, read: Int, output: Int
    ) -> String {
      #"{"ts":"\#(time)","response":{"id":"\#(id)","object":"chat.completion","model":"\#(model)","usage":{"prompt_tokens":\#(fresh + read),"completion_tokens":\#(output),"prompt_tokens_details":{"cached_tokens":\#(read)}}}}"#
        + "\n"
    }

    @Test func `the list prices of today's models`() throws {
      let log =
        call("a", "mimo-v2.6-pro", "2026-11-18T11:00:00Z", fresh: 537, read: 11_520, output: 712)
        + call("b", "mimo-v2.6-flash", "2026-11-18T11:00:00Z", fresh: 260, read: 640, output: 35)
      let dollars = try report(log)
      let pro = cost((537, "0.435"), (11_520, "0.0036"), (712, "0.87"))
      let flash = cost((260, "0.14"), (640, "0.0028"), (35, "0.28"))
      #expect(dollars.row("mimo-v2.6-pro").text("cost") == "\(pro)")
      #expect(dollars.row("mimo-v2.6-flash").text("cost") == "\(flash)")
      #expect(dollars.totals.text("cost") == "\(pro + flash)")
      #expect(dollars.totals.text("cost") == "0.000942499")
      let saved = cost((11_520, "0.4314"), (640, "0.1372"))
      #expect(dollars.totals.text("saved_by_cache") == "\(saved)")
      let yuan = try report(log, "--currency", "CNY")
      let proYuan = cost((537, "3"), (11_520, "0.025"), (712, "6"))
      #expect(yuan.row("mimo-v2.6-pro").text("cost") == "\(proYuan)")
      #expect(yuan.plan.text("currency") == "CNY")
    }

    @Test func `prices change at the minute they do`() throws {
      // 2026-05-27 begins in China at 16:00 UTC of the day before.
      let log =
        call("a", "mimo-v2.5-pro", "2026-05-26T15:59:59.999Z", fresh: 1000, read: 5000, output: 70)
        + call("b", "mimo-v2.5-pro", "2026-05-27T00:00:00+08:00", fresh: 100, read: 7000, output: 9)
      let before = cost((1000, "1"), (5000, "0.2"), (70, "3"))
      let after = cost((100, "0.435"), (7000, "0.0036"), (9, "0.87"))
      #expect(try report(log).totals.text("cost") == "\(before + after)")
      #expect(
        try report(log, "--until", "2026-05-27T00:00:00+08:00").totals.text("cost") == "\(before)")
      #expect(
        try report(log, "--since", "2026-05-26T16:00:00Z").totals.text("cost") == "\(after)")
      let yuan =
        cost((1000, "7"), (5000, "1.4"), (70, "21"))
        + cost((100, "3"), (7000, "0.025"), (9, "6"))
      #expect(
        try report(log, "--plan", "xiaomi-payg", "--currency", "CNY").totals.text("cost")
          == "\(yuan)")
    }

    @Test func `a long prompt is dearer as a whole where the list says so`() throws {
      let log =
        call("a", "mimo-v2.5-pro", "2026-05-01T00:00:00Z", fresh: 56_000, read: 200_000, output: 9)
        + call(
          "b", "mimo-v2.5-pro", "2026-05-01T00:00:00Z", fresh: 56_001, read: 200_000, output: 9)
      let sum =
        cost((56_000, "1"), (200_000, "0.2"), (9, "3"))
        + cost((56_001, "2"), (200_000, "0.4"), (9, "6"))
      #expect(try report(log).totals.text("cost") == "\(sum)")
    }

    @Test func `hours and holidays of a list count where the vendor is`() throws {
      // Wednesday 10:00 and 12:00 in China; a public holiday at 10:00; Saturday at 10:00.
      let times = [
        ("2026-11-18T02:00:00Z", true), ("2026-11-18T04:00:00Z", false),
        ("2026-10-01T02:00:00Z", false), ("2026-11-21T02:00:00Z", false),
        ("2026-11-18T09:59:59Z", true), ("2026-11-18T10:00:00Z", false),
      ]
      for (time, isPeak) in times {
        let log = call("a", "deepseek-v4-pro", time, fresh: 1001, read: 5003, output: 77)
        let expected =
          isPeak
          ? cost((1001, "1.32"), (5003, "0.044"), (77, "3.96"))
          : cost((1001, "0.66"), (5003, "0.022"), (77, "1.98"))
        #expect(try report(log).totals.text("cost") == "\(expected)", "\(time)")
      }
    }

    @Test func `credits of a token plan are exact, and fewer at night`() throws {
      // 16:30 UTC is half past midnight in China.
      let log =
        call("a", "mimo-v2.6-pro", "2026-11-20T10:00:00Z", fresh: 1001, read: 5003, output: 77)
        + call("b", "mimo-v2.6-flash", "2026-11-20T16:30:00Z", fresh: 1003, read: 501, output: 11)
      let report = try report(log, "--plan", "mimo-token-plan-standard")
      // Half credits come from 2.5 a cached token: 5003 is odd.
      let day = Decimal(1001 * 300) + Decimal(5003) * 5 / 2 + Decimal(77 * 600)
      let night = Decimal(1003 * 100 + 501 * 2 + 11 * 200) * 4 / 5
      #expect(report.row("mimo-v2.6-pro").text("credits") == "\(day)")
      #expect(report.row("mimo-v2.6-flash").text("credits") == "\(night)")
      #expect(report.totals.text("credits") == "\(day + night)")
      #expect(report.totals.text("cost") == "16")
      #expect(report.plan.text("kind") == "subscription")
      #expect(report.plan.text("fee") == "16")
      #expect(report.plan.number("credits_included") == 11_000_000_000)
      #expect(report.row("mimo-v2.6-pro")["cost"] is NSNull)
    }

    @Test func `a model nobody lists is unpriced with its tokens, never free`() throws {
      let log =
        call("a", "my-own-model", "2026-11-18T11:00:00Z", fresh: 10, read: 20, output: 30)
        + call("b", "my-own-model", "2026-11-18T11:01:00Z", fresh: 1, read: 2, output: 3)
      let alone = try report(log)
      #expect(alone.totals["cost"] is NSNull)
      #expect(alone.row("my-own-model")["cost"] is NSNull)
      #expect(alone.totals.number("unpriced_requests") == 2)
      let list = try #require(alone.document["unpriced"] as? [[String: Any]])
      #expect(list.count == 1)
      #expect(list[0].text("model") == "my-own-model")
      #expect(list[0].number("requests") == 2)
      #expect(list[0].object("tokens").number("cache_read") == 22)
      let mixed = try report(
        log + call("c", "mimo-v2.6-pro", "2026-11-18T11:02:00Z", fresh: 10, read: 0, output: 0))
      #expect(mixed.totals.text("cost") == "\(cost((10, "0.435")))")
      let table = try sandbox.run(["report", "app.jsonl", "--by", "model"])
      #expect(table.output.contains("no price: my-own-model, 2 requests, 66 tokens"))
      #expect(table.output.contains("$0.00000435+?"))
    }

    @Test func `the user's own price file wins over ours`() throws {
      try sandbox.fixPrices()
      let log = call("a", "deepseek-v4-pro", "2026-11-18T02:00:00Z", fresh: 1, read: 0, output: 1)
      // At this hour our list has the peak price.
      #expect(try report(log).totals.text("cost") == "\(cost((1, "0.66"), (1, "1.98")))")
    }
  }
}
