/// The same usage priced under several plans.
///
/// Pure arithmetic over the cells, condensed once for all plans; models a plan does not sell are priced as those that stand for them
/// (`Tariff.modelMap`), which makes an estimate of the result.
public struct Comparison: Sendable {
  /// One plan's answer.
  public struct Entry: Sendable {
    /// Its place in the list of tariffs that were compared; -1 for the reference.
    public var place: Int
    /// The plan.
    public var plan: Plan
    /// The currency of fee and cost.
    public var currency: Currency
    /// The fee of one billing period now; `nil` for metered plans.
    public var fee: Amount?
    /// Metered: the cost of the usage. Subscription: the fees of the billing periods with usage.
    /// `nil` if nothing could be priced or a fee is not known.
    public var money: Amount?
    /// Credits the usage would have taken; `nil` for plans that do not count any.
    public var creditsUsed: Amount?
    /// Credits of one billing period now.
    public var creditsIncluded: Amount?
    /// Whether each billing period's usage fits its credits; `nil` if the plan has no limit or it is not known.
    public var fits: Bool?
    /// When the present period's credits end at the present pace, if before the period does.
    public var runsOutAt: Instant?
    /// Money less the reference's; `nil` across currencies, or where either leaves usage out.
    public var difference: Amount?
    /// The hit rate at which this plan and the reference cost the same; `nil` if there is none from 0 to 1.
    public var breakEvenHitRate: Ratio?
    /// Models priced as another one: the name in the log, the model that stands for it now.
    public var mapped: [Substitution]
    /// Between what the estimate lies, in the unit of `totals`; `nil` if nothing is mapped.
    public var band: HonestyBand?
    /// Requests without a price here.
    public var unpricedRequests: Int64
    /// Sums under this plan.
    public var totals: Measures
    /// The oldest day on which a price used for it was checked; `nil` if not known.
    public var pricesChecked: CivilDate?
  }

  /// The entries, cheapest first; those without a figure come last. Currencies are not mixed: entries in
  /// the reference's currency come first.
  public let entries: [Entry]
  /// The plan that differences are measured against.
  public let reference: Entry
  /// The cheapest way to pay at the pace of the last days; `nil` if no subscription covers any of it.
  public let recommendation: Recommendation?

  /// Compares plans.
  ///
  /// - Parameters:
  ///   - tariffs: the plans, each in its currency.
  ///   - reference: the plan to measure differences from.
  ///   - clock: the time zone of filters by time.
  ///   - anchors: what consoles said, by plan id.
  public init(
    of snapshot: UsageSnapshot, tariffs: [Tariff], reference: Tariff, periods: BillingPeriods,
    window: Range<Minute>? = nil, filters: [UsageFilter] = [], clock: LocalClock = .utc,
    now: Instant, anchors: [String: PlanAnchor] = [:]
  ) {
    let basis = Basis(
      snapshot, tariffs + [reference], periods, window, filters, clock, now, anchors)
    let base = basis.entry(reference, place: -1)
    self.reference = base
    entries = tariffs.enumerated().map { basis.entry($1, place: $0).compared(with: base) }
      .sorted { a, b in
        let (x, y) = (a.rank(base), b.rank(base))
        return x != y ? x < y : a.place < b.place
      }
    recommendation = Recommendation(
      of: basis.shown, whole: snapshot, tariffs: tariffs, currency: reference.currency,
      periods: periods, window: window, now: now)
  }
}

/// Usage condensed for the plans that are compared.
private struct Basis {
  /// All usage: what the status of a subscription is about.
  let all: UsageSnapshot
  /// The usage that is compared.
  let shown: UsageSnapshot
  /// The same with late cache reads as writes, by lifetime of the cache in minutes.
  let forgetful: [Int32: UsageSnapshot]
  let periods: BillingPeriods
  let window: Range<Minute>?
  let now: Instant
  let anchors: [String: PlanAnchor]

  init(
    _ snapshot: UsageSnapshot, _ tariffs: [Tariff], _ periods: BillingPeriods,
    _ window: Range<Minute>?, _ filters: [UsageFilter], _ clock: LocalClock, _ now: Instant,
    _ anchors: [String: PlanAnchor]
  ) {
    var edges = PlanStatus.edges(
      periods, now: now, anchors: Array(anchors.values), span: snapshot.cube.span)
    if let window { edges.formUnion([window.lowerBound, window.upperBound]) }
    edges.formUnion(Recommendation.edges(snapshot, window: window, now: now))
    all = snapshot.condensed(for: tariffs, edges: edges)
    shown =
      filters.isEmpty
      ? all : snapshot.condensed(for: tariffs, edges: edges, filters: filters, clock: clock)
    let usage = shown
    let lifetimes = Set(
      tariffs.filter { Pricer(usage, tariff: $0).isMapped }.compactMap(\.cacheMinutes))
    forgetful = Dictionary(
      uniqueKeysWithValues: lifetimes.map { minutes in
        let usage = snapshot.condensed(
          for: tariffs, edges: edges, filters: filters, clock: clock, cacheMinutes: minutes)
        return (minutes, usage)
      })
    self.periods = periods
    self.window = window
    self.now = now
    self.anchors = anchors
  }

  func entry(_ tariff: Tariff, place: Int) -> Comparison.Entry {
    let report = Report(of: shown, tariff: tariff, window: window)
    let totals = report.totals
    var entry = Comparison.Entry(
      place: place, plan: tariff.plan, currency: tariff.currency, money: totals.cost,
      mapped: Pricer(shown, tariff: tariff).substitutions(at: now),
      band: HonestyBand(
        shown, forgetful: tariff.cacheMinutes.flatMap { forgetful[$0] }, tariff: tariff,
        window: window),
      unpricedRequests: totals.unpricedRequests, totals: totals, pricesChecked: report.pricesChecked
    )
    guard tariff.plan.isSubscription else { return entry }
    let status = PlanStatus(
      of: all, tariff: tariff, periods: periods, window: window, now: now,
      anchor: anchors[tariff.plan.id])
    entry.fee = status.fee
    entry.money =
      totals.pricedRequests == 0 && totals.unpricedRequests > 0 ? nil : status.feesOfWindow
    if tariff.plan.kind == .credits {
      entry.creditsUsed = totals.cost
      entry.creditsIncluded = status.included
      entry.runsOutAt = status.runsOutAt
      entry.fits = totals.pricedRequests == 0 ? nil : fits(tariff)
    }
    return entry
  }

  /// Whether no billing period takes more credits than it has.
  private func fits(_ tariff: Tariff) -> Bool? {
    var starts: [Minute] = []
    let sums = Pricer(all, tariff: tariff).sum(in: window, series: .alike) { _, minute in
      let period = periods.period(containing: minute.start)
      let minutes = period.start.minute..<period.end.minute
      let place = starts.firstIndex(of: minutes.lowerBound) ?? starts.count
      if place == starts.count { starts.append(minutes.lowerBound) }
      return Pricer.Placing(place: place, minutes: minutes)
    }
    var fits = true
    for (index, row) in sums.rows.enumerated() where row.pricedRequests > 0 {
      guard let included = tariff.plan.credits(at: sums.lastMinutes[index].start) else {
        return nil
      }
      fits = fits && row.costFemto * 1000 <= included.atto
    }
    return fits
  }
}

extension UsageSnapshot {
  /// The ids of the providers that sell any of the models used, or one that stands for any of them.
  public func sellers(in book: PriceBook, map: ModelMap?) -> Set<String> {
    var seen: Set<Labels> = []
    var sellers: Set<String> = []
    for labels in cube.series.lazy.map(\.labels)
    where seen.insert(Labels(model: labels.model, provider: labels.provider)).inserted {
      let name = names[labels.model]
      sellers.formUnion(book.sellers(of: name))
      guard let map, let index = book.model(named: name, provider: names[labels.provider]) else {
        continue
      }
      sellers.formUnion(map.class(of: book.model(index).id)?.members.keys.map { $0 } ?? [])
    }
    return sellers
  }
}

/// A model that is priced as another vendor's.
public struct Substitution: Hashable, Sendable {
  /// The name in the log.
  public var from: String
  /// The model whose price is taken.
  public var to: String
}

extension Pricer {
  /// Whether any model of the snapshot is priced as another one.
  fileprivate var isMapped: Bool {
    tariff.modelMap != nil && snapshot.cube.series.contains { match($0)?.isSubstituted == true }
  }

  /// The models of the snapshot that are priced as another one, by name.
  public func substitutions(at now: Instant) -> [Substitution] {
    var seen: Set<Labels> = []
    var result: [Substitution] = []
    for series in snapshot.cube.series {
      let key = Labels(model: series.labels.model, provider: series.labels.provider)
      guard seen.insert(key).inserted, let model = match(series), model.isSubstituted else {
        continue
      }
      let span = tariff.span(of: model, promptTokens: 0, at: now.minute)
      result.append(
        Substitution(from: snapshot.names[key.model], to: span.billedAs ?? tariff.plan.name))
    }
    return result.sorted { $0.from < $1.from }
  }
}

extension Comparison.Entry {
  /// Requests that the money says nothing of: without a price, or made on a subscription and paid in credits.
  public var requestsApart: Int64 { unpricedRequests + totals.subscriptionRequests }

  /// First those in the reference's currency with a figure for all usage, then those that leave some out.
  fileprivate func rank(_ base: Comparison.Entry) -> (Int, Int128) {
    guard let money, totals.pricedRequests > 0 || totals.requests == 0 else { return (4, 0) }
    let isForeign = currency != base.currency ? 2 : 0
    return (isForeign + (requestsApart > 0 ? 1 : 0), money.atto)
  }

  fileprivate func compared(with base: Comparison.Entry) -> Comparison.Entry {
    var entry = self
    guard currency == base.currency, requestsApart == 0, base.requestsApart == 0 else {
      return entry
    }
    if let money, let other = base.money { entry.difference = money - other }
    if let line, let other = base.line { entry.breakEvenHitRate = line.crossing(other) }
    return entry
  }

  /// The cost over the hit rate.
  private var line: HitRateLine? {
    if plan.isSubscription {
      return money.map { HitRateLine(fee: $0, promptTokens: totals.tokens.prompt) }
    }
    return HitRateLine(totals)
  }
}
