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
  /// Money of the shown window under each plan; only worked out while the list is open.
  var quotes: [Quote] = []

  /// What the figures were made from; equal keys need no new work.
  var heavyKey: HeavyKey?

  struct HeavyKey: Equatable {
    var revision: UInt64
    var minute: Minute
    var planIndex: Int
    var referenceIndex: Int?
    var window: WindowChoice
    var grouping: Grouping
    var filters: [UsageFilter]
    var showsQuotes: Bool
    var isMapping: Bool
  }

  /// What a plan costs for the shown window.
  struct Quote: Sendable {
    /// Metered: the cost. Subscription: the fees of the billing periods touched.
    var money: Amount?
    var currency: Currency
    var credits: Amount?
    var included: Amount?
    var unpricedRequests: Int64
    var requests: Int64
    var runsOutAt: Instant?
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
      window: window, grouping: grouping, filters: filters, showsQuotes: overlay == .plans,
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

  /// The list prices in the active currency: what a plan's credits would cost without it.
  var moneyTariff: Tariff {
    Tariff(plan: .asBilled, book: book, currency: plan.currency, exchange: exchange)
  }

  private mutating func deriveHistory(_ tariff: Tariff) {
    let minutes = minutes
    let report = Report(
      of: snapshot, tariff: tariff, window: minutes, by: grouping, clock: clock, filters: filters)
    let countsCredits = plan.plan.isSubscription
    let moneyReport =
      countsCredits
      ? Report(
        of: snapshot, tariff: moneyTariff, window: minutes, by: grouping, clock: clock,
        filters: filters) : nil
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
    figures.today = Report(of: snapshot, tariff: tariff, window: clock.today(now)).totals
    figures.month = Report(of: snapshot, tariff: tariff, window: clock.month(now)).totals
    figures.status =
      countsCredits
      ? PlanStatus(
        of: snapshot, tariff: tariff, periods: periods, window: minutes, now: now,
        anchor: anchors[tariff.plan.id]) : nil
    figures.reference = referenceIndex.map { quote(plans[$0], minutes) }
    figures.quotes = overlay == .plans ? plans.map { quote($0, minutes) } : []
    figures.verdict = monitor.judge(
      snapshot, tariff: tariff, since: now.minute.advanced(by: -7 * 1440), now: now)
    figures.timeline = Timeline(
      of: snapshot, tariff: tariff, from: now.minute.advanced(by: -59), stepMinutes: 1, count: 60)
  }

  /// What a plan would have cost for the shown window.
  func quote(_ choice: PlanChoice, _ minutes: Range<Minute>?) -> Figures.Quote {
    let tariff = tariff(choice)
    let totals = Report(
      of: snapshot, tariff: tariff, window: minutes, clock: clock, filters: filters
    ).totals
    var quote = Figures.Quote(
      money: totals.cost, currency: choice.currency, unpricedRequests: totals.unpricedRequests,
      requests: totals.requests)
    if choice.plan.isSubscription {
      let status = PlanStatus(
        of: snapshot, tariff: tariff, periods: periods, window: minutes, now: now,
        anchor: anchors[tariff.plan.id])
      quote.credits = totals.cost
      quote.money = status.feesOfWindow
      quote.included = status.included
      quote.runsOutAt = status.runsOutAt
    }
    return quote
  }

  /// The active plan's money for the shown window, to compare with a reference.
  var activeQuote: Figures.Quote? {
    guard let totals = figures.report?.totals else { return nil }
    return Figures.Quote(
      money: plan.plan.isSubscription ? figures.status?.feesOfWindow : totals.cost,
      currency: plan.currency,
      credits: totals.cost, unpricedRequests: totals.unpricedRequests, requests: totals.requests)
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
