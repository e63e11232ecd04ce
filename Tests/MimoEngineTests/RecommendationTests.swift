import MimoEngine
import Testing

@Suite struct RecommendationTests {
  /// Three tiers of credits for `m` at 10, 30 and 90 dollars.
  private static let tiers = [(10, 100_000), (30, 600_000), (90, 3_000_000)].map { fee, credits in
    var plan = Toy.plan(versions: [Toy.version(fee: Int64(fee), credits: Int64(credits))])
    plan.id = "toy-\(fee)"
    return plan
  }

  private func tariffs(_ currency: Currency = .usd, map: ModelMap? = nil) -> [Tariff] {
    ([.asBilled] + Toy.book.providers.map(Plan.metered) + Self.tiers).map {
      Tariff(plan: $0, book: Toy.book, currency: currency, modelMap: map)
    }
  }

  private func recommendation(
    _ lines: [Line], now: String = "2026-10-31T00:00", tariffs: [Tariff]? = nil,
    window: Range<Minute>? = nil
  ) -> Recommendation? {
    let tariffs = tariffs ?? self.tariffs()
    return Comparison(
      of: snapshot(lines), tariffs: tariffs, reference: tariffs[0],
      periods: BillingPeriods(renewalDay: 1), window: window, now: utc(now)
    ).recommendation
  }

  /// One call of so many tokens each day from the first to the last day of October.
  private func october(_ input: Int64, model: String = "m", days: ClosedRange<Int> = 1...30)
    -> [Line]
  {
    days.map { day in
      Line(
        at: utc("2026-10-01T00:00").milliseconds + Int64(day - 1) * 86_400_000, model: model,
        tokens: TokenCounts(input: input))
    }
  }

  @Test func `the cheapest that lasts the month is recommended`() throws {
    // 30 days of 10,000: 300,000 a month, 310,000 in the 31 days of October.
    let result = try #require(recommendation(october(10_000, model: "m")))
    #expect(result.seller == "acme" && result.historyDays == 30 && result.otherRequests == 0)
    let best = try #require(result.best)
    // From minute 1000 on `m` costs 1 a million: 0.31 a month at list prices.
    #expect(best.plan.id == "acme-payg" && best.monthly?.exactText == "0.31")
    let byId = Dictionary(uniqueKeysWithValues: result.options.map { ($0.plan.id, $0) })
    #expect(byId["toy-10"]?.fits == false && byId["toy-10"]?.runsOutOnDay == 11)
    #expect(byId["toy-30"]?.fits == true && byId["toy-30"]?.credits == Amount(whole: 310_000))
    #expect(byId["toy-30"]?.used == Ratio(31, 60))
    #expect(byId["toy-30"]?.monthly == Amount(whole: 30))
    #expect(byId["as-billed"] == nil && byId["other-payg"] == nil)
  }

  @Test func `a subscription is recommended where list prices cost more`() throws {
    let dear = Tariff(
      plan: .metered(Toy.book.providers[0]),
      book: PriceBook(
        providers: Toy.book.providers.map { provider in
          var provider = provider
          for index in provider.models.indices where provider.models[index].id == "m" {
            provider.models[index].entries = [
              PriceEntry(
                unit: .money(.usd),
                rates: Rates(input: 500 * Toy.micro, output: 500 * Toy.micro),
                evidence: Toy.evidence)
            ]
          }
          return provider
        }), currency: .usd)
    let tariffs = [dear] + Self.tiers.map { Tariff(plan: $0, book: dear.book, currency: .usd) }
    let result = try #require(recommendation(october(10_000), tariffs: tariffs))
    #expect(result.options.map(\.plan.id) == ["toy-10", "toy-30", "toy-90", "acme-payg"])
    #expect(result.best?.plan.id == "toy-30")
  }

  @Test func `with less than two days of history nothing is recommended`() throws {
    let result = try #require(recommendation(october(10_000, days: 30...30)))
    #expect(result.historyDays == 1)
    #expect(result.best == nil)
    #expect(recommendation(october(10_000, days: 29...30))?.best != nil)
  }

  @Test func `logs that ended long ago are judged by their own end`() throws {
    let result = try #require(recommendation(october(10_000), now: "2027-03-01T00:00"))
    #expect(result.end == utc("2026-10-30T00:01"))
    #expect(result.historyDays == 29)
  }

  @Test func `what the subscriptions do not sell is counted apart`() throws {
    let result = try #require(recommendation(october(10_000) + october(1, model: "o")))
    #expect(result.coveredRequests == 30 && result.otherRequests == 30)
    #expect(result.best?.monthly?.exactText == "0.31")
  }

  @Test func `models of others alone are an estimate, and need leave to stand in`() throws {
    let lines = october(10_000, model: "o")
    #expect(recommendation(lines) == nil)
    let map = ModelMap(classes: [
      ModelMap.Class(id: "all", members: ["acme": ["m"], "other": ["o"]])
    ])
    let result = try #require(recommendation(lines, tariffs: tariffs(map: map)))
    #expect(result.seller == "acme" && result.best?.plan.kind == .asBilled)
    #expect(result.options.first { $0.plan.id == "acme-payg" }?.isEstimate == true)
  }

  @Test func `currencies are not mixed`() throws {
    let tariffs = tariffs() + [Tariff(plan: Toy.plan(), book: Toy.book, currency: .cny)]
    let result = try #require(recommendation(october(10_000), tariffs: tariffs))
    #expect(result.inOtherCurrencies == ["Toy"])
    #expect(!result.options.contains { $0.plan.id == "toy" })
  }

  @Test func `the window limits what is looked back at`() throws {
    let window = utc("2026-10-21T00:00").minute..<utc("2026-10-31T00:00").minute
    let result = try #require(recommendation(october(10_000), window: window))
    #expect(result.coveredRequests == 10)
    #expect(result.historyDays == 10)
  }
}

@Suite struct HitRateWorthTests {
  private func judged(_ days: [(day: Int, calls: Int, fresh: Int64, read: Int64)]) -> HitRateWorth?
  {
    let lines = days.flatMap { day in
      (0..<day.calls).map { call in
        Line(
          at: utc("2026-10-01T08:00").milliseconds + Int64(day.day) * 86_400_000
            + Int64(call) * 60_000,
          model: "h", tokens: TokenCounts(input: day.fresh, cacheRead: day.read))
      }
    }
    return HitRateWorth(
      of: snapshot(lines), tariff: Toy.tariff, clock: .utc, now: utc("2026-10-08T08:00"))
  }

  @Test func `a point is worth a hundredth of the way from fresh to read, by the day`() throws {
    // Five days of 100,000 prompt tokens: 1.8 a million apart, so 0.009 for a point of all of them.
    let worth = try #require(judged((2...6).map { ($0, 10, 5000, 5000) }))
    #expect(worth.pointPerDay.exactText == "0.0018")
    #expect(worth.rate == Ratio(1, 2) && worth.bestRate == Ratio(1, 2))
    #expect(worth.multiplierHundredths == 100)
  }

  @Test func `the best day has enough calls`() throws {
    let worth = try #require(
      judged([(3, 10, 8000, 2000), (4, 10, 2000, 8000), (5, 4, 0, 9000), (6, 10, 10, 90)]))
    #expect(worth.bestDay?.text == "2026-10-05")
    #expect(worth.bestRate == Ratio(8, 10))
    let times = try #require(worth.multiplierHundredths)
    #expect(times > 150 && times < 200)
  }

  @Test func `without usage there is nothing to say`() {
    #expect(judged([]) == nil)
  }
}
