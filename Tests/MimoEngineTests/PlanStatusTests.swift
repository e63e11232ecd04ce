import MimoEngine
import Testing

@Suite struct PlanStatusTests {
  private func line(_ time: String, _ input: Int64, model: String = "m") -> Line {
    Line(at: utc(time).milliseconds, model: model, tokens: TokenCounts(input: input))
  }

  private func status(
    _ lines: [Line], plan: Plan = Toy.plan(), now: String, renewalDay: Int = 5,
    window: Range<Minute>? = nil, currency: Currency = .usd
  ) -> PlanStatus {
    PlanStatus(
      of: snapshot(lines), tariff: Tariff(plan: plan, book: Toy.book, currency: currency),
      periods: BillingPeriods(renewalDay: renewalDay), window: window, now: utc(now))
  }

  @Test func `a period runs from renewal day to renewal day`() {
    let status = status([], now: "2026-10-10T08:00")
    #expect(status.start == utc("2026-10-05T00:00"))
    #expect(status.resetsAt == utc("2026-11-05T00:00"))
    #expect(status.fee == Amount(whole: 10))
    #expect(status.included == Amount(whole: 1_000_000))
    #expect(status.used == .zero && status.perDay == nil && status.runsOutAt == nil)
  }

  @Test func `what is used counts from the start of the period to now`() {
    let lines = [
      line("2026-10-04T23:59", 1), line("2026-10-05T00:00", 20), line("2026-10-10T08:00", 300),
      line("2026-10-10T08:01", 4000),
    ]
    let status = status(lines, now: "2026-10-10T08:00:59")
    #expect(status.used == Amount(whole: 320))
    #expect(status.left == Amount(whole: 999_680))
    #expect(status.usedRatio == Ratio(32, 100_000))
  }

  @Test func `credits are counted exactly, fractions included`() {
    let tokens = TokenCounts(input: 3, cacheRead: 7, output: 2)
    let at = utc("2026-10-06T00:00").milliseconds
    let status = status([Line(at: at, tokens: tokens)], now: "2026-10-07T00:00")
    #expect(status.used.exactText == "5.7")
  }

  @Test func `credits used up early run out before the reset`() {
    // 500,000 in five days leaves five more.
    let status = status([line("2026-10-05T00:00", 500_000)], now: "2026-10-10T00:00")
    #expect(status.perDay == Amount(whole: 100_000))
    #expect(status.runsOutAt == utc("2026-10-15T00:00"))
  }

  @Test func `credits that outlast the period do not run out`() {
    #expect(status([line("2026-10-06T00:00", 50_000)], now: "2026-10-10T00:00").runsOutAt == nil)
  }

  @Test func `overdrawn credits ran out now`() {
    let status = status([line("2026-10-06T00:00", 1_200_000)], now: "2026-10-10T00:00")
    #expect(status.left == Amount(whole: -200_000))
    #expect(status.runsOutAt == utc("2026-10-10T00:00"))
  }

  @Test func `the pace is that of the last seven days`() {
    let lines = [line("2026-10-12T23:59", 300_000), line("2026-10-13T00:00", 70_000)]
    #expect(status(lines, now: "2026-10-20T00:00").perDay == Amount(whole: 10_000))
  }

  @Test func `the pace is measured from the first use in these days`() {
    let status = status([line("2026-10-16T00:00", 80_000)], now: "2026-10-20T00:00")
    #expect(status.perDay == Amount(whole: 20_000))
  }

  @Test func `what was used in less than a day counts as a day's use`() {
    let status = status([line("2026-10-05T00:00", 100)], now: "2026-10-05T00:01")
    #expect(status.perDay == Amount(whole: 100))
  }

  @Test func `models that are not on the plan are counted apart`() {
    let lines = [line("2026-10-06T00:00", 10), line("2026-10-06T00:00", 10, model: "m2")]
    let status = status(lines, now: "2026-10-07T00:00")
    #expect(status.used == Amount(whole: 10))
    #expect(status.requestsNotOnPlan == 1)
  }

  @Test func `a reset by the vendor starts the count anew`() {
    let plan = Toy.plan(resets: [utc("2026-10-08T12:00").minute])
    let lines = [line("2026-10-08T11:59", 7), line("2026-10-08T12:00", 90)]
    #expect(status(lines, plan: plan, now: "2026-10-09T00:00").used == Amount(whole: 90))
    #expect(status(lines, plan: plan, now: "2026-10-08T11:59").used == Amount(whole: 7))
  }

  @Test func `fees are those of the periods with usage in the window`() {
    let lines = ["2026-08-20", "2026-08-21", "2026-10-04", "2026-10-05"].map {
      line("\($0)T00:00", 1)
    }
    let whole = status(lines, now: "2026-10-10T00:00")
    #expect(whole.periodsOfWindow == 3)
    #expect(whole.feesOfWindow == Amount(whole: 30))
    let window = utc("2026-10-01T00:00").minute..<utc("2026-10-05T00:00").minute
    #expect(
      status(lines, now: "2026-10-10T00:00", window: window).feesOfWindow == Amount(whole: 10))
    #expect(status([], now: "2026-10-10T00:00").feesOfWindow == .zero)
  }

  @Test func `where a fee changes inside a period, its first usage decides, in any order`() {
    let change = utc("2026-10-20T00:00").minute
    let plan = Toy.plan(versions: [
      Toy.version(fee: 10, .distantPast..<change), Toy.version(fee: 16, change..<(.distantFuture)),
    ])
    let lines = [line("2026-10-10T00:00", 1), line("2026-10-25T00:00", 1)]
    for lines in [lines, lines.reversed()] {
      let status = status(lines, plan: plan, now: "2026-10-30T00:00")
      #expect(status.feesOfWindow == Amount(whole: 10))
    }
  }

  @Test func `a fee that is not known makes the sum unknown`() {
    let lines = [line("2026-10-06T00:00", 1)]
    let status = status(lines, now: "2026-10-10T00:00", currency: .cny)
    #expect(status.fee == nil)
    #expect(status.feesOfWindow == nil)
  }

  @Test func `a plan not sold then includes nothing known`() {
    let plan = Toy.plan(versions: [])
    let status = status([line("2026-10-06T00:00", 1)], plan: plan, now: "2026-10-10T00:00")
    #expect(status.included == nil && status.left == nil && status.usedRatio == nil)
    #expect(status.runsOutAt == nil)
  }
}
