/// Which way of paying one seller is cheapest at the pace of the last days.
///
/// It is about the usage that the seller's subscriptions cover; what they do not sell is counted apart. The
/// seller is the one whose own models were used most; if none was, and models may stand for others, the
/// one that can stand for most. Usage is priced at its own dates, fees and credits are those at the end.
public struct Recommendation: Sendable {
  /// Days looked back at.
  public static let days = 30
  /// With fewer full days of usage nothing is recommended.
  public static let fewestDays = RunOut.fewestDays

  /// One way of paying, for a month at this pace.
  public struct Option: Sendable {
    /// Its place in the list of tariffs that were compared.
    public var place: Int
    /// The plan.
    public var plan: Plan
    /// A subscription's fee, or what the usage costs at list prices; `nil` if not known.
    public var monthly: Amount?
    /// Credits taken; `nil` for plans that do not count any.
    public var credits: Amount?
    /// Credits included.
    public var included: Amount?
    /// The day of the month, from 1, on which the credits end; `nil` if they last.
    public var runsOutOnDay: Int?
    /// Requests of the covered usage that have no price here.
    public var unpricedRequests: Int64
    /// Whether models stand for others, or a price used is uncertain.
    public var isEstimate: Bool

    /// Whether it is known to serve all the covered usage for a month at a known price.
    public var fits: Bool {
      monthly != nil && unpricedRequests == 0 && runsOutOnDay == nil
        && (credits == nil || included != nil)
    }

    /// Credits taken per credit included.
    public var used: Ratio? {
      guard let credits, let included, included > .zero else { return nil }
      // Whole credits are precise enough for a share, and fit 64 bits.
      return Ratio(
        Int64(clamping: credits.atto / Amount.scale),
        max(1, Int64(clamping: included.atto / Amount.scale)))
    }
  }

  /// The id of the seller.
  public var seller: String
  /// The currency of all amounts.
  public var currency: Currency
  /// The first instant behind the usage looked at: now, or the end of the logs or of the window before it.
  public var end: Instant
  /// Full days of 24 hours from the first usage to the end, at most `days`.
  public var historyDays: Int
  /// Requests that the seller's subscriptions cover, in these days.
  public var coveredRequests: Int64
  /// Requests of other models.
  public var otherRequests: Int64
  /// Ways of paying, cheapest first; those that leave usage out or run out are among them.
  public var options: [Option]
  /// Names of plans of the seller that are sold in other currencies only.
  public var inOtherCurrencies: [String]

  /// The cheapest option that fits; `nil` if none does, or the history is too short to say.
  public var best: Option? {
    historyDays >= Self.fewestDays ? options.first(where: \.fits) : nil
  }

  /// Edges to condense usage at, so that it comes out the same.
  static func edges(_ snapshot: UsageSnapshot, window: Range<Minute>?, now: Instant) -> [Minute] {
    guard let span = span(snapshot, window, now) else { return [] }
    return [span.lowerBound, span.upperBound]
  }

  /// The last days before now, or else before the end of the logs.
  private static func span(
    _ snapshot: UsageSnapshot, _ window: Range<Minute>?, _ now: Instant
  ) -> Range<Minute>? {
    var end = now.minute.advanced(by: 1)
    if let window { end = min(end, window.upperBound) }
    guard let logs = snapshot.cube.span, logs.lowerBound < end else { return nil }
    // The running minute comes on top: whole days lie behind it.
    let minutes = days * 1440 + 1
    if logs.upperBound < end.advanced(by: -minutes) { end = logs.upperBound.advanced(by: 1) }
    let first = end.advanced(by: -minutes)
    return (window.map { max($0.lowerBound, first) } ?? first)..<end
  }

  /// Works it out.
  ///
  /// - Parameters:
  ///   - snapshot: the usage, condensed at `edges`.
  ///   - whole: the same before.
  ///   - tariffs: the plans to choose from.
  ///   - currency: of the amounts; plans in another one are left out.
  /// - Returns: `nil` if no subscription among `tariffs` covers any usage of these days.
  init?(
    of snapshot: UsageSnapshot, whole: UsageSnapshot, tariffs: [Tariff], currency: Currency,
    periods: BillingPeriods, window: Range<Minute>?, now: Instant
  ) {
    guard let span = Self.span(whole, window, now),
      let choice = Self.choice(snapshot, tariffs, span)
    else { return nil }
    seller = choice.seller
    self.currency = currency
    let isCurrent = span.upperBound == now.minute.advanced(by: 1)
    end = isCurrent ? now : span.upperBound.start
    var covered: Int64 = 0
    var other: Int64 = 0
    var first = span.upperBound
    snapshot.cube.forEachCell(in: span) { cell, _ in
      if choice.covers[Int(cell.series)] {
        covered += Int64(cell.requests)
        first = min(first, cell.minute)
      } else {
        other += Int64(cell.requests)
      }
    }
    coveredRequests = covered
    otherRequests = other
    let elapsed = Int128(end.milliseconds - first.start.milliseconds)
    historyDays = Int(elapsed / 86_400_000)
    let period = periods.period(containing: end)
    let pace = Pace(
      elapsed: max(elapsed, 86_400_000),
      month: Int128(period.end.milliseconds - period.start.milliseconds))

    let offered = tariffs.enumerated().filter {
      $1.plan.provider == choice.seller || choice.isMapped && $1.plan.kind == .asBilled
    }
    let end = end
    options = offered.filter { $1.currency == currency }.map { place, tariff in
      Self.option(place, tariff, snapshot, choice.covers, span, pace, at: end)
    }.sorted { a, b in
      switch (a.monthly, b.monthly) {
      case (let x?, let y?) where x != y: x < y
      case (_?, nil): true
      case (nil, _?): false
      default: a.place < b.place
      }
    }
    let here = Set(offered.filter { $1.currency == currency }.map(\.element.plan.id))
    inOtherCurrencies = offered.map(\.element.plan).filter { !here.contains($0.id) }.map(\.name)
  }

  /// How long usage was looked at, and how long a month is, in milliseconds.
  private struct Pace {
    var elapsed: Int128
    var month: Int128

    func aMonth(_ amount: Amount) -> Amount { amount.scaled(by: month, over: elapsed) }
  }

  /// Whose subscriptions it is about, and which series they cover.
  private struct Choice {
    var seller: String
    var covers: [Bool]
    var isMapped: Bool
  }

  private static func choice(
    _ snapshot: UsageSnapshot, _ tariffs: [Tariff], _ span: Range<Minute>
  ) -> Choice? {
    var requests = Array(repeating: Int64(0), count: snapshot.cube.series.count)
    snapshot.cube.forEachCell(in: span) { cell, _ in
      requests[Int(cell.series)] += Int64(cell.requests)
    }
    for isMapped in [false, true] {
      var best: (requests: Int64, choice: Choice)?
      for tariff in tariffs where tariff.plan.isSubscription {
        let pricer = Pricer(snapshot, tariff: tariff)
        let covers = snapshot.cube.series.map { series in
          pricer.match(series).map { isMapped || !$0.isSubstituted } ?? false
        }
        let count = zip(requests, covers).reduce(0) { $0 + ($1.1 ? $1.0 : 0) }
        guard count > best?.requests ?? 0, let seller = tariff.plan.provider else { continue }
        best = (count, Choice(seller: seller, covers: covers, isMapped: isMapped))
      }
      if let best { return best.choice }
    }
    return nil
  }

  private static func option(
    _ place: Int, _ tariff: Tariff, _ snapshot: UsageSnapshot, _ covers: [Bool],
    _ span: Range<Minute>, _ pace: Pace, at end: Instant
  ) -> Option {
    let pricer = Pricer(snapshot, tariff: tariff)
    let sums =
      pricer.sum(in: span) { series, _ in .always(covers[series] ? 0 : -1) }.rows.first
      ?? Measures()
    let isMapped = zip(snapshot.cube.series, covers).contains { series, isCovered in
      isCovered && pricer.match(series)?.isSubstituted == true
    }
    var option = Option(
      place: place, plan: tariff.plan, monthly: sums.cost.map(pace.aMonth),
      unpricedRequests: sums.unpricedRequests, isEstimate: isMapped || sums.uncertainRequests > 0)
    guard tariff.plan.isSubscription else { return option }
    option.monthly = tariff.plan.fee(at: end, in: tariff.currency)
    guard tariff.plan.kind == .credits, let used = sums.cost else { return option }
    option.credits = pace.aMonth(used)
    option.included = tariff.plan.credits(at: end)
    if let credits = option.credits, let included = option.included, credits > included {
      let lasts = included.atto / Amount.scale * pace.elapsed / max(1, used.atto / Amount.scale)
      option.runsOutOnDay = Int(clamping: lasts / 86_400_000) + 1
    }
    return option
  }
}
