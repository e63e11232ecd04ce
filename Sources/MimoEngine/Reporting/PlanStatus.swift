/// Where a subscription with credits stands in its current billing period.
///
/// Amounts of credits and money are exact. A forecast needs usage in the period; without it, or when the
/// credits outlast the period, `runsOutAt` is `nil`.
public struct PlanStatus: Hashable, Sendable {
  /// First instant of the period.
  public var start: Instant
  /// First instant after it, when the credits are renewed.
  public var resetsAt: Instant
  /// The fee of the period in the tariff's currency; `nil` if the plan has none in it.
  public var fee: Amount?
  /// Credits of the period; `nil` if the plan was not sold then.
  public var included: Amount?
  /// From when on credits count: the start of the period, or the vendor's last reset in it.
  public var countsFrom: Minute
  /// Credits used from the start of the period up to now: by the logs alone, or from the anchor on.
  public var used: Amount
  /// The console's figure that `used` goes on from; `nil` if there is none for this period.
  public var anchor: PlanAnchor?
  /// What the console counted more than the logs up to the anchor; negative if it counted less.
  public var anchorGap: Amount?
  /// Credits used per day since the first use in the last seven days of the period.
  public var perDay: Amount?
  /// When the credits end at that pace, if that is before the period does.
  public var runsOutAt: Instant?
  /// The same at the use of the busiest and of the slowest of the last days; `nil` if the credits last even
  /// at the busiest one's, or if `historyDays` is less than `RunOut.fewestDays`.
  public var runsOutBetween: RunOut?
  /// Full days of 24 hours before now with logs, at most `RunOut.days`.
  public var historyDays: Int
  /// Requests in the period for which the plan has no weights.
  public var requestsNotOnPlan: Int64
  /// Fees of all billing periods in which the window has usage; `nil` if one of them is not known.
  public var feesOfWindow: Amount?
  /// How many periods these are.
  public var periodsOfWindow: Int

  /// Credits left; negative when more was used than the plan holds.
  public var left: Amount? { included.map { $0 - used } }

  /// Credits used per credit included.
  public var usedRatio: Ratio? {
    guard let included, included.atto > 0 else { return nil }
    // Whole micro-credits are precise enough for a share, and fit 64 bits.
    return Ratio(
      Int64(clamping: used.atto / Self.micro), max(1, Int64(clamping: included.atto / Self.micro)))
  }

  private static let micro: Int128 = 1_000_000_000_000
  private static let dayMilliseconds: Int64 = 86_400_000

  /// Works out the status of a plan that counts credits.
  ///
  /// - Parameters:
  ///   - tariff: a tariff whose unit is credits or a flat fee.
  ///   - currency: of the fee.
  ///   - window: the minutes whose billing periods' fees are summed; `nil` takes all usage.
  ///   - anchor: the console's latest figure. One from before the period, or before the vendor reset the
  ///     used credits, or from after now, is not regarded. Its whole minute counts as known to the console.
  public init(
    of snapshot: UsageSnapshot, tariff: Tariff, periods: BillingPeriods,
    window: Range<Minute>? = nil, now: Instant, anchor: PlanAnchor? = nil
  ) {
    let plan = tariff.plan
    let period = periods.period(containing: now)
    start = period.start
    resetsAt = period.end
    fee = plan.fee(at: now, in: tariff.currency)
    included = plan.credits(at: now)
    // A reset by the vendor in mid-period sets the used credits to zero.
    let first = period.start.minute
    let countFrom = plan.rules.resets.filter { $0 >= first && $0 <= now.minute }.max() ?? first
    countsFrom = countFrom
    let sums = Self.sums(of: snapshot, tariff, from: countFrom, to: now)
    var used = Amount(femto: sums.costFemto)
    if let anchor, plan.kind == .credits, anchor.at.minute >= countFrom, anchor.at <= now {
      let counted = Self.sums(of: snapshot, tariff, from: countFrom, to: anchor.at)
      self.anchor = anchor
      let gap = anchor.used - Amount(femto: counted.costFemto)
      anchorGap = gap
      used += gap
    }
    self.used = used
    requestsNotOnPlan = sums.unpricedRequests

    var paceStart = max(countFrom, now.minute.advanced(by: -7 * 1440))
    var firstUse = now.minute
    snapshot.cube.forEachCell(in: paceStart..<now.minute) { cell, _ in
      firstUse = min(firstUse, cell.minute)
    }
    paceStart = firstUse
    let recent = Self.sums(of: snapshot, tariff, from: paceStart, to: now)
    if recent.costFemto > 0 {
      // Some busy hours are no measure of a day: what was used in less than a day counts as a day's use.
      let elapsed = max(now.milliseconds - paceStart.start.milliseconds, Self.dayMilliseconds)
      let pace = Amount(femto: recent.costFemto)
        .scaled(by: Int128(Self.dayMilliseconds), over: Int128(elapsed))
      perDay = pace
      runsOutAt = included.flatMap { Self.end(of: $0 - used, at: pace, from: now) }
        .flatMap { $0 < period.end ? $0 : nil }
    }
    let weekBefore = now.minute.advanced(by: -RunOut.days * 1440)
    let firstLogged = snapshot.cube.span?.lowerBound ?? now.minute
    historyDays = max(0, max(firstLogged, weekBefore).distance(to: now.minute) / 1440)
    if historyDays >= RunOut.fewestDays, let included {
      let days = Timeline(
        of: snapshot, tariff: tariff, from: now.minute.advanced(by: -historyDays * 1440),
        stepMinutes: 1440, count: historyDays)
      // The present pace is one of the paces seen, so that the range always holds what it leads to.
      let paces = days.steps.map { Amount(femto: $0.costFemto) } + [perDay].compactMap { $0 }
      func end(_ pace: Amount?) -> Instant? {
        pace.flatMap { Self.end(of: included - used, at: $0, from: now) }
          .flatMap { $0 < period.end ? $0 : nil }
      }
      runsOutBetween = end(paces.max()).map { RunOut(earliest: $0, latest: end(paces.min())) }
    }

    var periodsUsed: [Instant: Minute] = [:]
    // Cells come in any order; the first usage of a period decides which fee was paid for it.
    var last: Range<Minute> = .distantPast ..< .distantPast
    snapshot.cube.forEachCell(in: window) { cell, _ in
      guard !last.contains(cell.minute) else { return }
      let period = periods.period(containing: cell.minute.start)
      last = cell.minute..<period.end.minute
      periodsUsed[period.start] = min(periodsUsed[period.start] ?? cell.minute, cell.minute)
    }
    periodsOfWindow = periodsUsed.count
    let fees = periodsUsed.values.map { plan.fee(at: $0.start, in: tariff.currency) }
    feesOfWindow = fees.contains { $0 == nil } ? nil : fees.reduce(.zero) { $0 + ($1 ?? .zero) }
  }

  private static func sums(
    of snapshot: UsageSnapshot, _ tariff: Tariff, from: Minute, to now: Instant
  ) -> Measures {
    Pricer(snapshot, tariff: tariff).total(in: from..<max(from, now.minute.advanced(by: 1)))
  }

  /// When `left` is used up at `perDay`; at most 400 days ahead, now if nothing is left.
  private static func end(of left: Amount, at perDay: Amount, from now: Instant) -> Instant? {
    guard perDay.atto >= micro else { return nil }
    let milliseconds = max(0, left.atto) / micro * Int128(dayMilliseconds) / (perDay.atto / micro)
    return now.advanced(
      byMilliseconds: Int64(clamping: min(milliseconds, Int128(400 * dayMilliseconds))))
  }

  /// The minutes at which its sums begin and end, whichever the plan: edges to condense usage at.
  ///
  /// - Parameter span: first and last minute with usage, or `nil` if there is none.
  static func edges(
    _ periods: BillingPeriods, now: Instant, anchors: [PlanAnchor], span: ClosedRange<Minute>?
  ) -> Set<Minute> {
    var edges = Set((0...RunOut.days).map { now.minute.advanced(by: -$0 * 1440) })
    edges.insert(now.minute.advanced(by: 1))
    for anchor in anchors { edges.insert(anchor.at.minute.advanced(by: 1)) }
    let last = max(now, span?.upperBound.start ?? now)
    var period = periods.period(containing: min(now, span?.lowerBound.start ?? now))
    while period.start <= last {
      edges.insert(period.start.minute)
      edges.insert(period.end.minute)
      period = periods.period(containing: period.end)
    }
    return edges
  }
}
