import MimoEngine

/// Sentences about plans, the same on screen and in print.
public struct PlanWords {
  private let clock: LocalClock
  private let now: Instant

  /// Creates words about the plans as they stand at `now`.
  public init(clock: LocalClock, now: Instant) {
    self.clock = clock
    self.now = now
  }

  // MARK: - Which plan

  /// Which plan is cheapest at the present pace, in a few sentences.
  public func text(_ recommendation: Recommendation) -> String {
    let days = recommendation.historyDays
    guard days >= Recommendation.fewestDays else {
      return
        "Too little history to recommend a plan: \(NumberFormat.counted(Int64(days), "full day")), \(Recommendation.fewestDays) are needed."
    }
    var text = "At the pace of the last \(days) days"
    if recommendation.end != now { text += " to \(day(recommendation.end))" }
    if let credits = recommendation.options.compactMap(\.credits).first {
      text += " (\(NumberFormat.credits(credits)) credits a month)"
    }
    text += " " + clauses(recommendation).joined(separator: "; ") + "."
    return ([text] + reservations(recommendation)).joined(separator: " ")
  }

  private func clauses(_ recommendation: Recommendation) -> [String] {
    let options = recommendation.options
    func money(_ option: Recommendation.Option) -> String {
      NumberFormat.money(option.monthly, recommendation.currency)
    }
    guard let best = recommendation.best else { return ["no plan is known to fit"] }
    var clauses: [String] = []
    if let spare = best.used.flatMap({ Ratio($0.denominator - $0.numerator, $0.denominator) }) {
      clauses.append(
        "\(best.plan.name) fits with \(NumberFormat.percent(spare)) to spare (\(money(best)) a month)"
      )
    } else {
      clauses.append("\(best.plan.name) is cheapest (\(money(best)) a month)")
    }
    // The largest plan that is too small says how near the choice was.
    let small = options.filter { $0.runsOutOnDay != nil }.max {
      ($0.included ?? .zero, $1.place) < ($1.included ?? .zero, $0.place)
    }
    if let small, let day = small.runsOutOnDay {
      clauses.append("\(small.plan.name) (\(money(small))) would run out on day \(day)")
    }
    let others = options.filter { $0.fits && $0.place != best.place }
    if best.plan.isSubscription {
      if let list = others.first(where: { !$0.plan.isSubscription }) {
        clauses.append("\(list.plan.name) would cost \(money(list))")
      }
    } else if let plan = others.first(where: \.plan.isSubscription) {
      let used = plan.used.map { ", used to \(NumberFormat.percent($0))" } ?? ""
      clauses.append(
        "the cheapest subscription that fits is \(plan.plan.name) (\(money(plan))\(used))")
    }
    return clauses
  }

  private func reservations(_ recommendation: Recommendation) -> [String] {
    var texts: [String] = []
    if recommendation.otherRequests > 0 {
      texts.append(
        "Without \(NumberFormat.counted(recommendation.otherRequests, "request")) of models that these plans do not sell."
      )
    }
    if recommendation.best?.isEstimate == true {
      texts.append("An estimate: models stand for others, or a price is uncertain.")
    }
    if !recommendation.inOtherCurrencies.isEmpty {
      let names = recommendation.inOtherCurrencies.joined(separator: ", ")
      texts.append("Not sold in \(recommendation.currency.rawValue): \(names).")
    }
    return texts
  }

  // MARK: - What credits are worth

  /// What credits are worth at list prices, and from which use on the plan pays off.
  public func text(_ value: PlanValue, of plan: Plan) -> [String] {
    let currency = value.currency
    var texts = [Self.creditsWorth(value)]
    let worth = Self.range(value.worth, currency)
    let above = value.paysOffAbove
    let fee = NumberFormat.money(value.fee, currency)
    if above.lowerBound > Ratio(1, 1)! {
      texts.append(
        "\(plan.name) costs \(fee) for credits worth \(worth): it pays off only in hours with a discount"
      )
    } else {
      let (low, high) = (above.lowerBound, above.upperBound)
      var use = NumberFormat.percent(low)
      if high > Ratio(1, 1)! {
        use += " use at the earliest"
      } else {
        use += (high == low ? "" : " to \(NumberFormat.percent(high))") + " use"
      }
      texts.append("\(plan.name) costs \(fee) for credits worth \(worth): it pays off above \(use)")
    }
    if value.lapses == true { texts.append("what is unused lapses") }
    return texts
  }

  /// How many credits are worth one unit of money.
  public static func creditsWorth(_ value: PlanValue) -> String {
    let rate = value.creditsPerUnit
    let ends = [rate.lowerBound, rate.upperBound].map {
      NumberFormat.full(Int64(clamping: $0.atto / Amount.scale))
    }
    let credits = ends[0] == ends[1] ? ends[0] : "\(ends[0]) to \(ends[1])"
    return "\(credits) credits are worth \(value.currency.sign)1 of pay-as-you-go"
  }

  /// How much of a subscription is used at the present pace, and whether it pays off.
  ///
  /// - Returns: `nil` for plans without credits, and those that the recommendation is not about.
  public func use(of tariff: Tariff, in recommendation: Recommendation) -> String? {
    guard recommendation.historyDays >= Recommendation.fewestDays,
      recommendation.currency == tariff.currency,
      let option = recommendation.options.first(where: { $0.plan.id == tariff.plan.id }),
      let used = option.used, let fee = option.monthly
    else { return nil }
    let currency = recommendation.currency
    let list = recommendation.options.first { !$0.plan.isSubscription && $0.unpricedRequests == 0 }
    if let day = option.runsOutOnDay {
      return
        "At this pace \(option.plan.name) runs out on day \(day): a month takes \(NumberFormat.percent(used)) of it."
    }
    var text = "At this pace you use \(NumberFormat.percent(used)) of \(option.plan.name) a month"
    if let list = list?.monthly, option.unpricedRequests == 0 {
      text += list > fee ? ": it pays off" : ": it does not pay off"
      text += ", list prices would be \(NumberFormat.money(list, currency))"
    }
    if let value = PlanValue(of: tariff, at: now), value.lapses == true,
      let credits = option.credits, let included = option.included, included > credits
    {
      let left = included - credits
      text += "; \(NumberFormat.credits(left)) credits worth "
      text += "\(Self.range(value.worth(of: left), currency)) lapse"
    }
    return text + "."
  }

  // MARK: - Hit rate

  /// What a point of hit rate is worth, and what the best day would have saved.
  public func text(_ worth: HitRateWorth, _ currency: Currency) -> [String] {
    let point = NumberFormat.money(worth.pointPerDay, currency)
    var texts = [
      "One point of hit rate is worth \(point) a day at the usage of the last \(HitRateWorth.days) days"
    ]
    if let rate = worth.bestRate, let day = worth.bestDay,
      let multiplier = worth.multiplierHundredths
    {
      texts.append(
        "its \(NumberFormat.percent(worth.rate)) costs \(NumberFormat.hundredths(multiplier)) times what the best day's \(NumberFormat.percent(rate)) (\(day.text)) would"
      )
    }
    return texts
  }

  // MARK: - Estimates

  /// Why an estimate is a range.
  public static func reasons(_ band: HonestyBand) -> [String] {
    func factor(_ ratio: Ratio) -> String { ratio.text(decimals: 2) }
    let (low, high) = (band.tokenRatio.lowerBound, band.tokenRatio.upperBound)
    var reasons = [
      "another tokeniser makes \(factor(low)) to \(factor(high)) tokens of one"
    ]
    if let minutes = band.cacheMinutes, let late = band.lateReads {
      let share = NumberFormat.percent(Ratio(late, band.cacheRead) ?? Ratio(0, 1)!)
      reasons.append("a cache of \(minutes) minutes would have missed \(share) of the cache reads")
    } else {
      reasons.append("how long its cache lasts is not known")
    }
    return reasons
  }

  /// A range of money; one amount if both ends are equal.
  public static func range(_ range: ClosedRange<Amount>, _ currency: Currency) -> String {
    let ends = [range.lowerBound, range.upperBound].map { NumberFormat.money($0, currency) }
    return ends[0] == ends[1] ? ends[0] : "\(ends[0]) to \(ends[1])"
  }

  private func day(_ instant: Instant) -> String { String(clock.text(instant).prefix(10)) }
}
