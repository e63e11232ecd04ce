import MimoCatalog
import MimoEngine
import MimoTestSupport
import Testing

/// Price changes and hours of real lists, worked out by hand.
@Suite struct WhatIfTests {
  private func usage(_ calls: (model: String, at: String)...) -> UsageSnapshot {
    var ledger = Ledger(promptEdges: catalog.promptEdges)
    for call in calls {
      var record = UsageRecord(
        time: minute(call.at).start, labels: Labels(model: ledger.names.intern(call.model)))
      record.tokens = TokenCounts(input: 10_000, cacheRead: 90_000, output: 2000)
      ledger.record(record)
    }
    return ledger.snapshot()
  }

  private func tariff(_ plan: String = "as-billed", _ currency: Currency = .usd) -> Tariff {
    Tariff(plan: catalog.plan(id: plan)!, book: catalog.book, currency: currency)
  }

  private func effect(
    _ usage: UsageSnapshot, _ date: String, _ tariff: Tariff, now: String = "2026-11-21T12:00:00Z"
  ) throws -> PriceChangeEffect {
    let changes = PriceChange.all(of: usage, tariff: tariff)
    let change = try #require(changes.first { $0.date.text == date })
    return PriceChangeEffect(
      of: usage, tariff: tariff, change: change, now: minute(now).start)
  }

  @Test func `the cut of 27 May 2026 is a real saving`() throws {
    let usage = usage(
      ("mimo-v2.5-pro", "2026-05-20T10:00:00+08:00"), ("mimo-v2.5-pro", "2026-07-01T10:00:00+08:00")
    )
    let effect = try effect(usage, "2026-05-27", tariff())
    #expect(effect.scope == .sinceChange)
    // 10,000 x 1 + 90,000 x 0.2 + 2000 x 3, then x 0.435, x 0.0036 and x 0.87 a million.
    #expect(effect.before.exactText == "0.034")
    #expect(effect.after.exactText == "0.006414")
    #expect(effect.promise?.billingClass == .cacheRead)
    #expect(effect.promise?.cut == Ratio(982, 1000))
    #expect(effect.verdict == .saving)
  }

  @Test func `the same cut in yuan`() throws {
    let usage = usage(("mimo-v2.5-pro", "2026-07-01T10:00:00+08:00"))
    let effect = try effect(usage, "2026-05-27", tariff("xiaomi-payg", .cny))
    // 7, 1.4 and 21; then 3, 0.025 and 6.
    #expect(effect.before.exactText == "0.238")
    #expect(effect.after.exactText == "0.04425")
  }

  @Test func `the rise of 1 December 2026 doubles the cost`() throws {
    let usage = usage(("gemini-4-argon", "2026-11-02T10:00:00Z"))
    let effect = try effect(usage, "2026-12-01", tariff())
    #expect(effect.scope == .future)
    // 10,000 x 2 + 90,000 x 0.1 + 2000 x 10 a million.
    #expect(effect.before.exactText == "0.049")
    #expect(effect.after.exactText == "0.098")
    #expect(effect.verdict == .rise && effect.promise == nil)
  }

  @Test func `more credits a token are a saving where a month has many more of them`() throws {
    let usage = usage(("mimo-v2.5-pro", "2026-07-01T10:00:00+08:00"))
    let effect = try effect(usage, "2026-05-27", tariff("mimo-token-plan-lite"))
    // 2 credits for each of 102,000 tokens; then 300, 2.5 and 600.
    #expect(effect.replay.total.before == Amount(whole: 204_000))
    #expect(effect.replay.total.after == Amount(whole: 3_000_000 + 225_000 + 1_200_000))
    #expect(effect.change.offers?.before.credits == Amount(whole: 60_000_000))
    #expect(effect.change.offers?.after.credits == Amount(whole: 4_100_000_000))
    // 6 dollars a month: 0.0204, then 0.006475...
    #expect(effect.before.exactText == "0.0204")
    #expect(effect.after.text(decimals: 9) == "0.006475610")
    #expect(effect.verdict == .saving)
  }

  @Test func `hours of the call decide under the list of another date`() {
    let usage = usage(
      // A Thursday on which China is off, at ten.
      ("deepseek-v4-pro", "2026-10-01T10:00:00+08:00"))
    func cost(_ date: String) -> String? {
      Report(of: usage, tariff: tariff().withPrices(of: minute(date))).totals.cost?.exactText
    }
    #expect(cost("2026-05-01T00:00:00+08:00") == "0.00641625")
    // 1.32, 0.044 and 3.96 at peak: every day at first, later not on days off.
    #expect(cost("2026-08-17T00:00:00+08:00") == "0.02508")
    #expect(cost("2026-11-01T00:00:00+08:00") == "0.01254")
  }

  @Test func `moving calls out of peak hours halves their cost`() throws {
    let usage = usage(
      // A Wednesday at ten, and at night.
      ("deepseek-v4-pro", "2026-09-02T10:00:00+08:00"),
      ("deepseek-v4-pro", "2026-09-02T23:00:00+08:00"))
    let map = HourMap(of: usage, tariff: tariff())
    #expect(map.totals.cost?.exactText == "0.03762")
    #expect(map.saving(movingPercent: 100).exactText == "0.01254")
    #expect(map.saving(movingPercent: 30).exactText == "0.003762")
    let levels = try #require(map.levels)
    // 09:00 to 12:00 and 14:00 to 18:00 from Monday to Friday, eight hours ahead.
    for slot in 0..<168 {
      let isPeak = slot < 120 && [1, 2, 3, 6, 7, 8, 9].contains(slot % 24)
      #expect(levels[slot] == (isPeak ? .dearest : .cheapest))
    }
  }

  @Test func `a token plan's night is a fifth cheaper`() throws {
    let usage = usage(("mimo-v2.6-pro", "2026-10-05T12:00:00+08:00"))
    let map = HourMap(of: usage, tariff: tariff("mimo-token-plan-pro"))
    #expect(map.totals.cost == Amount(whole: 3_000_000 + 225_000 + 1_200_000))
    #expect(map.saving(movingPercent: 100) == Amount(whole: 885_000))
    #expect(map.factors?.min() == Ratio(4, 5))
    #expect(map.levels?[15] == .dearest && map.levels?[16] == .cheapest)
    #expect(HourMap(of: usage, tariff: tariff()).factors == nil)
  }
}
