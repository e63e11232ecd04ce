import MimoCatalog
import MimoEngine
import Testing

@Suite struct TokenPlanTests {
  @Test func `credits at night are four fifths, from midnight to eight in China`() {
    func credits(_ at: String) -> Int64? {
      rates("mimo-v2.6-pro", at: at, plan: "mimo-token-plan-pro")?.input
    }
    let one: Int64 = 1_000_000_000_000_000
    #expect(credits("2026-10-01T23:59:00+08:00") == 300 * one)
    #expect(credits("2026-10-02T00:00:00+08:00") == 240 * one)
    #expect(credits("2026-10-02T07:59:00+08:00") == 240 * one)
    #expect(credits("2026-10-02T08:00:00+08:00") == 300 * one)
    #expect(credits("2026-10-01T16:00:00Z") == 240 * one)
  }

  @Test func `a night has a name and two edges`() {
    let night = span("mimo-v2.6-pro", at: "2026-10-02T03:00:00+08:00", plan: "mimo-token-plan-lite")
    #expect(night.label == "off_peak")
    #expect(night.from == minute("2026-10-02T00:00:00+08:00"))
    #expect(night.until == minute("2026-10-02T08:00:00+08:00"))
  }

  @Test func `there was no night before the factor came`() {
    let before = rates("mimo-v2-pro", at: "2026-04-10T03:00:00+08:00", plan: "mimo-token-plan-lite")
    #expect(before?.input == 2_000_000_000_000_000)
  }

  @Test(arguments: [
    "mimo-v2.6-pro-ultraspeed", "mimo-v2.5-pro-ultraspeed", "mimo-v2-flash", "mimo-v2.6-pro:free",
    "claude-opus-5",
  ]) func `a model that is not on the plan has no credits`(_ model: String) {
    #expect(rates(model, at: "2026-06-20T12:00:00+08:00", plan: "mimo-token-plan-max") == nil)
    #expect(rates(model, at: "2026-10-01T12:00:00+08:00", plan: "mimo-token-plan-max") == nil)
  }

  @Test func `whoever served the call, the plan says what it would cost there`() {
    let span = span(
      "mimo-v2.6-flash", at: "2026-10-01T12:00:00+08:00", provider: "openrouter",
      plan: "mimo-token-plan-lite")
    #expect(span.rates?.output == 200_000_000_000_000_000)
  }

  @Test func `fees and credits are those of the version at the period's start`() throws {
    let lite = try #require(catalog.plan(id: "mimo-token-plan-lite"))
    let old = minute("2026-05-26T23:59:00+08:00").start
    let new = minute("2026-05-27T00:00:00+08:00").start
    #expect(lite.credits(at: old) == Amount(whole: 60_000_000))
    #expect(lite.credits(at: new) == Amount(whole: 4_100_000_000))
    #expect(lite.fee(at: new, in: .cny) == Amount(whole: 39))
    var annual = lite
    annual.term = .year
    #expect(annual.version(at: new)?.offers[.year]?.fees[.usd]?.exactText == "63.36")
    #expect(annual.fee(at: new, in: .usd)?.exactText == "5.28", "a twelfth")
    #expect(annual.credits(at: new) == Amount(whole: 4_100_000_000))
    #expect(lite.version(at: new)?.offers[.month]?.firstFees[.cny]?.exactText == "34.32")
    #expect(lite.fee(at: minute("2026-04-02T00:00:00Z").start, in: .usd) == nil)
    #expect(lite.rules.resets == [new.minute])
    #expect(lite.rules.rollsOver == false)
    #expect(lite.keyPrefix == "tp-")
    #expect(lite.hosts.count == 3)
  }

  @Test func `a team plan has the credits of its family and fees in dollars alone`() throws {
    let team = try #require(catalog.plan(id: "mimo-token-plan-team-pro"))
    let at = minute("2026-10-01T00:00:00Z").start
    #expect(team.per == "seat")
    #expect(team.keyPrefix == "ttp-")
    #expect(team.fee(at: at, in: .usd) == Amount(whole: 50))
    #expect(team.fee(at: at, in: .cny) == nil)
    #expect(
      rates("mimo-v2.6-pro", at: "2026-10-01T12:00:00+08:00", plan: team.id)
        == rates("mimo-v2.6-pro", at: "2026-10-01T12:00:00+08:00", plan: "mimo-token-plan-pro"))
  }

  @Test func `a hundred million credits are worth one yuan of the list`() throws {
    for model in ["mimo-v2.6-pro", "mimo-v2.6-flash"] {
      let at = "2026-10-01T12:00:00+08:00"
      let credits = try #require(rates(model, at: at, plan: "mimo-token-plan-lite"))
      let yuan = try #require(rates(model, at: at, .cny))
      #expect(Int128(credits.input) == Int128(yuan.input) * 100_000_000)
      #expect(Int128(credits.cacheRead) == Int128(yuan.cacheRead) * 100_000_000)
      #expect(Int128(credits.output) == Int128(yuan.output) * 100_000_000)
    }
  }

  private func planValue(_ plan: String, _ currency: Currency) throws -> PlanValue {
    let plan = try #require(catalog.plan(id: plan))
    return try #require(
      PlanValue(
        of: Tariff(plan: plan, book: catalog.book, currency: currency),
        at: minute("2026-11-01T00:00:00Z").start))
  }

  @Test(arguments: [
    ("lite", "39", "41", "95.1"), ("standard", "99", "110", "90.0"), ("pro", "329", "380", "86.6"),
    ("max", "659", "820", "80.4"),
  ])
  func `a tier pays off above a certain use`(
    _ tier: String, _ fee: String, _ worth: String, _ percent: String
  ) throws {
    let value = try planValue("mimo-token-plan-" + tier, .cny)
    #expect(value.fee.exactText == fee)
    #expect(value.worth.lowerBound.exactText == worth && value.worth.upperBound.exactText == worth)
    #expect(value.creditsPerUnit.lowerBound == Amount(whole: 100_000_000))
    #expect(value.creditsPerUnit.upperBound == Amount(whole: 100_000_000))
    let share = value.paysOffAbove.lowerBound
    #expect(share == value.paysOffAbove.upperBound)
    #expect(Ratio(share.numerator * 100, share.denominator)?.text(decimals: 1) == percent)
    #expect(value.lapses == true)
    #expect(value.worth(of: Amount(whole: 250_000_000)).lowerBound.exactText == "2.5")
  }

  @Test func `in dollars the models differ`() throws {
    let value = try planValue("mimo-token-plan-lite", .usd)
    #expect(value.worth.lowerBound.exactText == "5.74")
    #expect(value.worth.upperBound.exactText == "5.945")
    #expect(value.paysOffAbove.lowerBound > Ratio(1, 1)!)
  }

  @Test func `a team pays and holds by the seat`() throws {
    var catalog = catalog
    let isBought = catalog.buy("mimo-token-plan-team-pro", term: .month, seats: 5)
    #expect(isBought)
    let team = try #require(catalog.plan(id: "mimo-token-plan-team-pro"))
    let now = minute("2026-11-01T00:00:00Z").start
    #expect(team.fee(at: now, in: .usd) == Amount(whole: 250))
    #expect(team.credits(at: now) == Amount(whole: 190_000_000_000))
    let isAnnual = catalog.buy("mimo-token-plan-team-pro", term: .year, seats: 1)
    #expect(!isAnnual, "it is not sold by the year")
  }
}
