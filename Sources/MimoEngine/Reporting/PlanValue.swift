/// What the credits of a plan are worth at the seller's own list prices, at the hours without a discount.
///
/// Where the seller charges every token in the same proportion under both, as Xiaomi does in yuan, the two
/// ends of each range are equal.
public struct PlanValue: Hashable, Sendable {
  /// The currency of fee and worth.
  public var currency: Currency
  /// The fee of a month.
  public var fee: Amount
  /// The credits of a month.
  public var credits: Amount
  /// What all credits of a month buy at list prices: by the tokens with which they buy least, and most.
  public var worth: ClosedRange<Amount>
  /// How many credits buy what one unit of the currency buys: at the upper end of `worth` first.
  public var creditsPerUnit: ClosedRange<Amount>
  /// Whether credits that are left at the end of a month are lost; `nil` if not known.
  public var lapses: Bool?

  /// The share of the credits above which the fee is less than list prices would be; more than 1 where even all
  /// of them are worth less than the fee. The first is by the tokens that credits are worth most for.
  public var paysOffAbove: ClosedRange<Ratio> {
    let (low, high) = (Self.share(fee, of: worth.upperBound), Self.share(fee, of: worth.lowerBound))
    return low...max(low, high)
  }

  /// What some credits are worth.
  public func worth(of some: Amount) -> ClosedRange<Amount> {
    func part(_ all: Amount) -> Amount {
      // Whole credits: fractions of one are worth less than 10⁻⁸ of anything.
      all.scaled(by: some.atto / Amount.scale, over: max(1, credits.atto / Amount.scale))
    }
    return part(worth.lowerBound)...part(worth.upperBound)
  }

  /// The worth of a plan's credits at an instant.
  ///
  /// - Returns: `nil` for a plan without credits or without a fee in the currency then, and if the seller lists
  ///   none of its models in it.
  public init?(of tariff: Tariff, at now: Instant) {
    let plan = tariff.plan
    guard plan.kind == .credits, let seller = plan.provider,
      let fee = plan.fee(at: now, in: tariff.currency), let credits = plan.credits(at: now)
    else { return nil }
    var worths: [Amount] = []
    var perUnit: [Amount] = []
    for model in plan.models {
      guard
        let credit = model.entries.baseRates(in: .credits, at: now.minute),
        let index = tariff.book.model(named: model.id, soldBy: seller),
        let money = tariff.book.model(index).entries.baseRates(
          in: .money(tariff.currency), at: now.minute)
      else { continue }
      for path in [\Rates.input, \.cacheRead, \.output] {
        let (price, weight) = (Int128(money[keyPath: path]), Int128(credit[keyPath: path]))
        guard price > 0, weight > 0 else { continue }
        worths.append(credits.scaled(by: price, over: weight))
        perUnit.append(Amount(whole: 1).scaled(by: weight, over: price))
      }
    }
    guard let least = worths.min(), let most = worths.max(), least > .zero else { return nil }
    currency = tariff.currency
    self.fee = fee
    self.credits = credits
    worth = least...most
    creditsPerUnit = perUnit.min()!...perUnit.max()!
    lapses = plan.rules.rollsOver.map { !$0 }
  }

  private static func share(_ a: Amount, of b: Amount) -> Ratio {
    // Millionths of the unit are precise enough for a share, and fit 64 bits.
    let millionth = Amount.scale / 1_000_000
    return Ratio(Int64(clamping: a.atto / millionth), Int64(clamping: max(1, b.atto / millionth)))!
  }
}

extension [PriceEntry] {
  /// The rates of the row that holds at `minute`, without factors by hour and for a short prompt.
  fileprivate func baseRates(in unit: PricingUnit, at minute: Minute) -> Rates? {
    first { $0.unit == unit && $0.validity.contains(minute) }?.rates
  }
}
