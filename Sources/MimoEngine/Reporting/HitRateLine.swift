/// What usage would cost at any cache hit rate, under one plan.
///
/// With the same prompts and answers, cost is a straight line over the hit rate: each point of it moves
/// one hundredth of the prompt tokens from the fresh price to the price of a cache read. (What is written
/// to a cache counts as fresh here; a subscription's fee does not move at all.)
public struct HitRateLine: Hashable, Sendable {
  /// Cost at a hit rate of 0, in 10⁻¹⁵ of the unit.
  public var atNoneFemto: Int128
  /// Cost at a hit rate of 1.
  public var atAllFemto: Int128
  /// The part of either that is not prompt tokens.
  public var fixedFemto: Int128
  /// Prompt tokens of the usage.
  public var promptTokens: Int64

  /// The line of usage priced under a metered plan, or a plan that counts credits.
  ///
  /// - Returns: `nil` if some of the usage has no price, or there is none.
  public init?(_ sums: Measures) {
    guard sums.requests > 0, sums.unpricedRequests == 0 else { return nil }
    atNoneFemto = sums.costWithoutCacheFemto
    atAllFemto = sums.costFullyCachedFemto
    fixedFemto = sums.costOfOutputFemto
    promptTokens = sums.tokens.prompt
  }

  /// The line of a fee: the same at each hit rate.
  public init(fee: Amount, promptTokens: Int64) {
    atNoneFemto = fee.atto / 1000
    atAllFemto = atNoneFemto
    fixedFemto = 0
    self.promptTokens = promptTokens
  }

  /// The cost of all usage at a hit rate.
  public func cost(at rate: Ratio) -> Amount {
    let change = divideHalfEven(
      (atAllFemto - atNoneFemto) * Int128(rate.numerator), by: Int128(rate.denominator))
    return Amount(femto: atNoneFemto + change)
  }

  /// The price of a million prompt tokens at a hit rate; `nil` without prompt tokens.
  public func pricePerMillion(at rate: Ratio) -> Amount? {
    guard promptTokens > 0 else { return nil }
    let prompt = cost(at: rate) - Amount(femto: fixedFemto)
    return prompt.scaled(by: 1_000_000, over: Int128(promptTokens))
  }

  /// What one point (a hundredth) of hit rate saves over all usage.
  public var worthOfOnePoint: Amount {
    Amount(femto: divideHalfEven(atNoneFemto - atAllFemto, by: 100))
  }

  /// The hit rate at which two plans cost the same; `nil` if they cross nowhere from 0 to 1.
  public func crossing(_ other: HitRateLine) -> Ratio? {
    var rise = (atAllFemto - atNoneFemto) - (other.atAllFemto - other.atNoneFemto)
    var gap = other.atNoneFemto - atNoneFemto
    if rise < 0 { (rise, gap) = (-rise, -gap) }
    guard rise > 0, gap >= 0, gap <= rise else { return nil }
    return Ratio(wide: gap, over: rise)
  }
}
