import MimoEngine
import Testing

@Suite struct PlanAnchorTests {
  private func status(
    _ lines: [(time: String, credits: Int64)], anchor: (at: String, used: Int64)?,
    now: String = "2026-10-20T12:00:30", plan: Plan = Toy.plan()
  ) -> PlanStatus {
    let lines = lines.map {
      Line(at: utc($0.time).milliseconds, tokens: TokenCounts(input: $0.credits))
    }
    return PlanStatus(
      of: snapshot(lines), tariff: Tariff(plan: plan, book: Toy.book, currency: .usd),
      periods: BillingPeriods(renewalDay: 5), now: utc(now),
      anchor: anchor.map { PlanAnchor(at: utc($0.at), used: Amount(whole: $0.used)) })
  }

  private let lines: [(time: String, credits: Int64)] = [
    ("2026-10-04T23:59", 1), ("2026-10-06T00:00", 20), ("2026-10-10T08:00:45", 300),
    ("2026-10-10T08:01", 4000),
  ]

  @Test func `from an anchor on the logs go on counting`() {
    let status = status(lines, anchor: ("2026-10-10T08:00:10", 1000))
    #expect(status.used == Amount(whole: 5000))
    #expect(status.left == Amount(whole: 995_000))
    // The minute of the reading is known to the console: cells are no finer.
    #expect(status.anchorGap == Amount(whole: 680))
    #expect(status.anchor == PlanAnchor(at: utc("2026-10-10T08:00:10"), used: Amount(whole: 1000)))
  }

  @Test func `a console that counts less leaves a negative gap`() {
    let status = status(lines, anchor: ("2026-10-10T09:00", 320))
    #expect(status.anchorGap == Amount(whole: -4000))
    #expect(status.used == Amount(whole: 320))
  }

  @Test func `a console that agrees changes nothing`() {
    let with = status(lines, anchor: ("2026-10-10T09:00", 4320))
    let without = status(lines, anchor: nil)
    #expect(with.anchorGap == .zero)
    #expect(with.used == without.used)
    #expect(without.anchor == nil && without.anchorGap == nil)
  }

  @Test(arguments: ["2026-10-04T23:59:59", "2026-10-20T12:00:31"])
  func `a reading from another period or from later is not regarded`(_ at: String) {
    let status = status(lines, anchor: (at, 999))
    #expect(status.anchor == nil && status.anchorGap == nil)
    #expect(status.used == Amount(whole: 4320))
  }

  @Test(arguments: ["2026-10-05T00:00", "2026-10-20T12:00:30"])
  func `a reading from the first or the last moment counts`(_ at: String) {
    #expect(status(lines, anchor: (at, 999)).anchor != nil)
  }

  @Test func `a reading from before the vendor's reset is not regarded`() {
    let plan = Toy.plan(resets: [utc("2026-10-10T08:01").minute])
    let status = status(lines, anchor: ("2026-10-10T08:00", 1000), plan: plan)
    #expect(status.anchor == nil)
    #expect(status.used == Amount(whole: 4000))
  }

  @Test func `the run-out follows the console's figure`() {
    let lines = [("2026-10-15T12:00", Int64(500_000))]
    // Half a million in five days: another half a million lasts five days, a quarter half as long.
    #expect(status(lines, anchor: nil).runsOutAt.map { $0 < utc("2026-10-25T13:00") } == true)
    let anchored = status(lines, anchor: ("2026-10-20T12:00", 1_000_000))
    #expect(anchored.left == .zero)
    #expect(anchored.runsOutAt == utc("2026-10-20T12:00:30"))
  }

  @Test func `a comparison regards the readings of its plans`() throws {
    let tariff = Tariff(plan: Toy.plan(), book: Toy.book, currency: .usd)
    let usage = snapshot([
      Line(at: utc("2026-10-15T12:00").milliseconds, tokens: TokenCounts(input: 100))
    ])
    func entry(_ anchors: [String: PlanAnchor]) throws -> Comparison.Entry {
      try #require(
        Comparison(
          of: usage, tariffs: [tariff], reference: tariff, periods: BillingPeriods(renewalDay: 5),
          now: utc("2026-10-20T12:00"), anchors: anchors
        ).entries.first)
    }
    #expect(try entry([:]).runsOutAt == nil)
    let anchor = PlanAnchor(at: utc("2026-10-20T00:00"), used: Amount(whole: 1_000_000))
    #expect(try entry(["toy": anchor]).runsOutAt == utc("2026-10-20T12:00"))
    #expect(try entry(["other": anchor]).runsOutAt == nil)
  }
}

@Suite struct RunOutTests {
  /// Usage on the days before `2026-10-20T12:00`, the latest first, each an hour into its 24 hours.
  private func status(_ days: [Int64], plan: Plan = Toy.plan()) -> PlanStatus {
    let now = utc("2026-10-20T12:00")
    let lines = days.enumerated().filter { $0.element > 0 }.map { index, credits in
      Line(
        at: now.advanced(byMilliseconds: Int64(-24 * (index + 1)) * 3_600_000).milliseconds,
        tokens: TokenCounts(input: credits))
    }
    return PlanStatus(
      of: snapshot(lines), tariff: Tariff(plan: plan, book: Toy.book, currency: .usd),
      periods: BillingPeriods(renewalDay: 5), now: now)
  }

  @Test func `the busiest and the slowest day give the two ends`() throws {
    // 400,000 of the million are left after 600,000 in the period.
    let status = status([100_000, 200_000, 300_000])
    #expect(status.historyDays == 3)
    #expect(status.left == Amount(whole: 400_000))
    #expect(
      status.runsOutBetween
        == RunOut(earliest: utc("2026-10-21T20:00"), latest: utc("2026-10-24T12:00")))
    let pace = try #require(status.runsOutAt)
    let range = try #require(status.runsOutBetween)
    #expect(pace >= range.earliest && pace <= range.latest!)
  }

  @Test func `a slowest day that outlasts the period leaves the late end open`() {
    let status = status([1, 300_000, 300_000])
    #expect(
      status.runsOutBetween?.earliest == utc("2026-10-21T19:59:59").advanced(byMilliseconds: 712))
    #expect(status.runsOutBetween?.latest == nil)
  }

  @Test func `a day without use is a slowest day`() {
    #expect(status([300_000, 0, 300_000]).runsOutBetween.map { $0.latest == nil } == true)
  }

  @Test func `credits that last at the busiest day's use have no range`() {
    let status = status([10, 20, 30])
    #expect(status.historyDays == 3)
    #expect(status.runsOutBetween == nil)
  }

  @Test func `at least two full days are needed`() {
    #expect(status([900_000]).historyDays == 1)
    #expect(status([900_000]).runsOutBetween == nil)
    #expect(status([]).historyDays == 0)
    #expect(status([400_000, 400_000]).runsOutBetween != nil)
  }

  @Test func `at most seven days are looked back at`() {
    let status = status([50_000, 50_000, 50_000, 50_000, 50_000, 50_000, 50_000, 600_000])
    #expect(status.historyDays == 7)
    #expect(status.runsOutBetween?.earliest == status.runsOutBetween?.latest)
  }

  @Test func `overdrawn credits ran out now`() {
    let now = utc("2026-10-20T12:00")
    #expect(
      status([600_000, 600_000]).runsOutBetween == RunOut(earliest: now, latest: now))
  }

  @Test func `credits that are not known have no range`() {
    #expect(status([100_000, 100_000], plan: Toy.plan(versions: [])).runsOutBetween == nil)
  }
}
