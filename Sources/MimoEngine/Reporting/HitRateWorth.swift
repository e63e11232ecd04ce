/// What the cache hit rate is worth at the present usage: that of the last week, or since the first call in it.
public struct HitRateWorth: Hashable, Sendable {
  /// Local days looked at, today included.
  public static let days: Int32 = 7
  /// Fewer calls in a day say nothing about its hit rate.
  public static let fewestRequests: Int64 = 5
  /// Fewer prompt tokens in a day say nothing about its hit rate.
  public static let fewestPromptTokens: Int64 = 5000

  /// What one point (a hundredth) of hit rate saves in 24 hours, in the tariff's unit.
  public var pointPerDay: Amount
  /// The hit rate of these days.
  public var rate: Ratio
  /// The local day with the best hit rate, of those with enough calls; `nil` if none has.
  public var bestDay: CivilDate?
  /// The hit rate of that day.
  public var bestRate: Ratio?
  /// What the usage costs, per unit it would cost at the best day's hit rate, in hundredths.
  public var multiplierHundredths: Int64?

  /// Works it out.
  ///
  /// - Returns: `nil` without priced usage in these days whose log tells about the cache, or if some of it has no
  ///   price.
  /// Cost: one pass over the cells of these days.
  public init?(
    of snapshot: UsageSnapshot, tariff: Tariff, filters: [UsageFilter] = [], clock: LocalClock,
    now: Instant
  ) {
    let today = clock.day(of: now.minute)
    let first = clock.start(ofDay: today - Self.days + 1)
    let report = Report(
      of: snapshot, tariff: tariff, window: first..<now.minute.advanced(by: 1), by: .day,
      clock: clock, filters: filters)
    guard let line = HitRateLine(report.totals), let rate = report.totals.hitRate,
      let start = report.span?.lowerBound
    else { return nil }
    self.rate = rate
    let day: Int64 = 86_400_000
    let elapsed = max(day, now.milliseconds - start.start.milliseconds)
    pointPerDay = line.worthOfOnePoint.scaled(by: Int128(day), over: Int128(elapsed))
    let days = report.rows.filter {
      $0.measures.requests >= Self.fewestRequests
        && $0.measures.promptTold >= Self.fewestPromptTokens
    }
    guard let best = days.max(by: { $0.measures.hitRate! < $1.measures.hitRate! }),
      let bestRate = best.measures.hitRate
    else { return }
    bestDay = best.key.flatMap { CivilDate($0) }
    self.bestRate = bestRate
    let (actual, ideal) = (line.cost(at: rate), line.cost(at: bestRate))
    guard ideal > .zero else { return }
    multiplierHundredths = Int64(
      clamping: actual.scaled(by: 100, over: 1).atto / max(1, ideal.atto))
  }
}
