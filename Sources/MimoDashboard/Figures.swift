import MimoEngine

/// The numbers on screen, worked out once for each change of what they depend on.
public struct Figures: Sendable {
  /// Sums of the local day and month.
  var today = Measures()
  var month = Measures()
  /// The shown window, grouped, under the active plan.
  var report: Report?
  /// The same in money where the active plan counts credits.
  var moneyReport: Report?
  /// Rows of the table in the order shown.
  var rows: [BreakdownRow] = []
  /// The subscription's period, if the plan is one.
  var status: PlanStatus?
  /// Money of the shown window under the reference plan.
  var reference: Quote?
  /// Models that are priced as others, which makes estimates of the numbers.
  var substitutions: [Substitution] = []
  /// How fast usage comes in.
  var pace: Pace?
  var moneyPace: Pace?
  /// The hit rate over the rolling window, and the alerts.
  var verdict: HitRateMonitor.Verdict?
  /// The last hour by minute.
  var timeline: Timeline?
  /// The shown window under the plans worth showing; only worked out while the list is open.
  var comparison: Comparison?
  /// The places in `plans` of the comparison's entries, in their order.
  var listedPlans: [Int] = []
  /// What the hit rate is worth; only worked out while the what-if screen is open.
  var hitRateWorth: HitRateWorth?

  /// Price changes that touch the shown usage, by date; only worked out while their overlay is open.
  var changes: [PriceChange] = []
  /// What the chosen one of them means to the shown usage; likewise.
  var changeEffect: PriceChangeEffect?
  /// The shown usage by hour of the week; only worked out while its overlay is open.
  var hourMap: HourMap?

  /// The reports above as they grow, by what each was made with.
  var running: [RunningKey: RunningReport] = [:]

  struct RunningKey: Hashable {
    var planIndex: Int
    /// Whether it is in money where that plan counts credits.
    var isMoney = false
    var isMapping: Bool
    var minutes: Range<Minute>?
    var grouping = Grouping.total
    var filters: [UsageFilter] = []
  }

  /// What the figures were made from; equal keys need no new work.
  var heavyKey: HeavyKey?

  struct HeavyKey: Equatable {
    var revision: UInt64
    var minute: Minute
    var planIndex: Int
    var referenceIndex: Int?
    var window: WindowChoice
    var asOf: Instant?
    var grouping: Grouping
    var filters: [UsageFilter]
    /// The overlay, if it is one with numbers of its own.
    var overlay: Overlay?
    var changeDate: CivilDate?
    var isMapping: Bool
  }

  /// What a plan costs for the shown window.
  struct Quote: Sendable {
    /// Metered: the cost. Subscription: the fees of the billing periods touched.
    var money: Amount?
    var currency: Currency
    var credits: Amount?
    var unpricedRequests: Int64
    var requests: Int64
  }
}

/// A row of the table.
struct BreakdownRow: Sendable {
  var key: String?
  var measures: Measures
  /// Cost in money where the plan counts credits.
  var money: Amount?
  var lastMinute: Minute
}

extension Model {
  /// Works out the figures anew. Cheap if nothing they depend on has changed.
  ///
  /// Heavy parts (everything that looks at the whole history) are made when the counts, the plan, the
  /// window or the minute change; light ones, which look at the last minutes, each time.
  public mutating func derive() {
    let tariff = tariff(plan)
    let key = Figures.HeavyKey(
      revision: snapshot.revision, minute: now.minute, planIndex: planIndex,
      referenceIndex: referenceIndex,
      window: window, asOf: asOf, grouping: grouping, filters: filters,
      overlay: overlay.flatMap { Self.derivedOverlays.contains($0) ? $0 : nil },
      changeDate: changeDate,
      isMapping: isMapping)
    if key != figures.heavyKey {
      deriveHistory(tariff)
      figures.heavyKey = key
    }
    orderRows()
    figures.pace = Pace(of: snapshot, tariff: tariff, now: now)
    figures.moneyPace =
      tariff.unit == .credits ? Pace(of: snapshot, tariff: moneyTariff, now: now) : nil
  }

  /// Overlays with figures of their own, which are worked out while they are open.
  private static let derivedOverlays: Set<Overlay> = [.plans, .whatIf, .change, .hours]

  /// The list prices in the active currency: what a plan's credits would cost without it.
  var moneyTariff: Tariff {
    Tariff(plan: .asBilled, book: book, currency: plan.currency, exchange: exchange)
  }

  private mutating func deriveHistory(_ tariff: Tariff) {
    let minutes = minutes
    // Those that are not asked for in this round end here.
    let former = figures.running
    figures.running = [:]
    func running(_ tariff: Tariff, _ key: Figures.RunningKey) -> Report {
      var report = figures.running[key] ?? former[key] ?? RunningReport()
      defer { figures.running[key] = report }
      return report.report(
        of: snapshot, tariff: tariff, window: key.minutes, by: key.grouping, clock: clock,
        filters: key.filters)
    }
    var key = Figures.RunningKey(
      planIndex: planIndex, isMapping: isMapping, minutes: minutes, grouping: grouping,
      filters: filters)
    let report = running(tariff, key)
    let countsCredits = plan.plan.isSubscription
    key.isMoney = true
    let moneyReport = countsCredits ? running(moneyTariff, key) : nil
    figures.report = report
    figures.moneyReport = moneyReport
    // Both reports have the same rows in the same order: grouping does not depend on the tariff.
    figures.rows = report.rows.enumerated().map { index, row in
      BreakdownRow(
        key: row.key, measures: row.measures, money: moneyReport?.rows[index].measures.cost,
        lastMinute: row.lastMinute)
    }
    figures.substitutions =
      isMapping ? Pricer(snapshot, tariff: tariff).substitutions(at: now) : []
    func totals(_ minutes: Range<Minute>) -> Measures {
      running(
        tariff,
        Figures.RunningKey(planIndex: planIndex, isMapping: isMapping, minutes: minutes)
      ).totals
    }
    figures.today = totals(clock.today(now))
    figures.month = totals(clock.month(now))
    figures.status =
      countsCredits
      ? PlanStatus(
        of: snapshot, tariff: tariff, periods: periods, window: minutes, now: now,
        anchor: anchors[tariff.plan.id]) : nil
    figures.reference = referenceIndex.map { index in
      let tariff = self.tariff(plans[index])
      let key = Figures.RunningKey(
        planIndex: index, isMapping: isMapping, minutes: minutes, filters: filters)
      return quote(plans[index], tariff, running(tariff, key).totals, minutes)
    }
    compare(minutes)
    deriveChange(tariff, minutes)
    figures.hourMap =
      overlay == .hours
      ? HourMap(of: snapshot, tariff: tariff, window: minutes, clock: clock, filters: filters) : nil
    figures.hitRateWorth =
      overlay == .whatIf
      ? HitRateWorth(
        of: snapshot, tariff: countsCredits ? moneyTariff : tariff, filters: filters, clock: clock,
        now: now) : nil
    figures.verdict = monitor.judge(
      snapshot, tariff: tariff, since: alertsSince, now: now)
    figures.timeline = Timeline(
      of: snapshot, tariff: tariff, from: now.minute.advanced(by: -59), stepMinutes: 1, count: 60)
  }

  /// The minute from which on alerts are looked for.
  var alertsSince: Minute { now.minute.advanced(by: -7 * 1440) }

  private mutating func deriveChange(_ tariff: Tariff, _ minutes: Range<Minute>?) {
    guard overlay == .change else {
      (figures.changes, figures.changeEffect) = ([], nil)
      return
    }
    let changes = PriceChange.all(
      of: snapshot, tariff: tariff, window: minutes, clock: clock, filters: filters)
    let chosen = changes.first { $0.date == changeDate } ?? changes.mostRecent(now)
    figures.changes = changes
    figures.changeEffect = chosen.map {
      PriceChangeEffect(
        of: snapshot, tariff: tariff, change: $0, window: minutes, clock: clock, filters: filters,
        now: now)
    }
  }

  /// Compares the plans worth showing with the pinned one, or else the active one, while the list is open.
  private mutating func compare(_ minutes: Range<Minute>?) {
    guard overlay == .plans else {
      figures.comparison = nil
      return
    }
    let useful = usefulPlans
    let comparison = Comparison(
      of: snapshot, tariffs: useful.map { tariff(plans[$0]) },
      reference: tariff(plans[referenceIndex ?? planIndex]), periods: periods, window: minutes,
      filters: filters, clock: clock, now: now, anchors: anchors)
    figures.comparison = comparison
    figures.listedPlans = comparison.entries.map { useful[$0.place] }
  }

  /// What a plan would have cost for the shown window.
  private func quote(
    _ choice: PlanChoice, _ tariff: Tariff, _ totals: Measures, _ minutes: Range<Minute>?
  ) -> Figures.Quote {
    var quote = Figures.Quote(
      money: totals.cost, currency: choice.currency,
      unpricedRequests: totals.unpricedRequests + totals.subscriptionRequests,
      requests: totals.requests)
    if choice.plan.isSubscription {
      let status = PlanStatus(
        of: snapshot, tariff: tariff, periods: periods, window: minutes, now: now,
        anchor: anchors[tariff.plan.id])
      quote.credits = totals.cost
      quote.money = status.feesOfWindow
    }
    return quote
  }

  /// The active plan's money for the shown window, to compare with a reference.
  var activeQuote: Figures.Quote? {
    guard let totals = figures.report?.totals else { return nil }
    return Figures.Quote(
      money: plan.plan.isSubscription ? figures.status?.feesOfWindow : totals.cost,
      currency: plan.currency,
      credits: totals.cost,
      unpricedRequests: totals.unpricedRequests + totals.subscriptionRequests,
      requests: totals.requests)
  }

  private mutating func orderRows() {
    func size(_ row: BreakdownRow) -> Int128 {
      switch sorting {
      case .cost: row.measures.costFemto
      case .requests: Int128(row.measures.requests)
      case .tokens: Int128(row.measures.tokens.prompt + row.measures.tokens.output)
      case .hitRate: row.measures.hitRate.map { $0.scaled(decimals: 9) } ?? -1
      case .name: 0
      }
    }
    let reversed = isSortingReversed
    figures.rows.sort { a, b in
      let (x, y) = (size(a), size(b))
      if x != y { return reversed ? x < y : x > y }
      let (k, l) = (a.key ?? "\u{10FFFF}", b.key ?? "\u{10FFFF}")
      return sorting == .name && reversed ? k > l : k < l
    }
  }
}
