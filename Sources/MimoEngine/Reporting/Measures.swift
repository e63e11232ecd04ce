/// Sums over some calls, priced under one plan.
///
/// Money is in the unit of the tariff that made it (one currency, or credits).
public struct Measures: Hashable, Sendable {
  /// Calls after removing repeats.
  public var requests: Int64 = 0
  /// Calls the log marks as failed; those that billed tokens are in `requests` too.
  public var errors: Int64 = 0
  /// Calls answered by a proxy's own cache, part of `requests`.
  public var answerCacheHits: Int64 = 0
  /// Tokens billed.
  public var tokens = TokenCounts()
  /// Prompt tokens of the calls whose log tells about the cache.
  public var promptTold: Int64 = 0
  /// Of these, tokens read from the cache.
  public var cacheReadTold: Int64 = 0
  /// Single calls whose log tells about the cache.
  public var callsTold: Int64 = 0
  /// Of these, calls that read anything from the cache.
  public var callsReading: Int64 = 0
  /// Requests whose log says nothing about the cache, and those that a proxy's own cache answered.
  public var hitRateUnknownRequests: Int64 = 0
  /// What was used beside text.
  public var quantities = Quantities()
  /// Requests for which the plan has a price.
  public var pricedRequests: Int64 = 0
  /// Requests for which it has none: their cost is unknown, not zero.
  public var unpricedRequests: Int64 = 0
  /// Requests priced by an entry of low confidence.
  public var uncertainRequests: Int64 = 0
  /// Requests made on a subscription, as their key or host tells, where the tariff counts money: they cost
  /// credits instead and are in neither of the two above.
  public var subscriptionRequests: Int64 = 0
  /// Their credits, in 3600ths of 10⁻¹⁵ of one, so that speech by the second is exact too.
  var subscriptionParts: Int128 = 0
  /// Web searches for which the plan has no price.
  public var unpricedSearches: Int64 = 0
  /// Cost of the priced requests in 10⁻¹⁵ of the tariff's unit.
  public var costFemto: Int128 = 0
  /// The same with every prompt token at the fresh price.
  public var costWithoutCacheFemto: Int128 = 0
  /// The same with every prompt token at the price of a cache read.
  public var costFullyCachedFemto: Int128 = 0
  /// The part of the cost that is output and searches: what no hit rate changes.
  public var costOfOutputFemto: Int128 = 0
  /// What is left of the price of speech below 10⁻¹⁵ units, in 3600ths of them: an hour's price by the second
  /// is rarely a decimal number. Whole ones are in all four costs above.
  private var secondsRemainder: Int128 = 0
  /// Sum of the costs in US dollars that the logs state.
  public var statedCost = Amount.zero
  /// How many calls state a cost.
  public var statedCalls: Int64 = 0

  /// Sums of nothing.
  public init() {}

  /// Prompt tokens read from a cache, per prompt token, over the calls whose log tells: from 0 to 1.
  public var hitRate: Ratio? { Ratio(cacheReadTold, promptTold) }

  /// Calls that read anything from the provider's cache, per call whose log tells: from 0 to 1.
  public var readingRate: Ratio? { Ratio(callsReading, callsTold) }

  /// The cost, or `nil` if there were requests and none of them has a price in the tariff's unit.
  public var cost: Amount? {
    pricedRequests == 0 && unpricedRequests + subscriptionRequests > 0
      ? nil : Amount(femto: costFemto)
  }

  /// Credits of subscriptions used beside the cost; `nil` if no request was made on one.
  public var subscriptionCredits: Amount? {
    subscriptionRequests == 0 ? nil : Amount(femto: subscriptionParts / 3600)
  }

  /// What the cache saved: the cost with every prompt token fresh, less `cost`; negative if writes cost more.
  public var savedByCache: Amount? {
    cost == nil ? nil : Amount(femto: costWithoutCacheFemto - costFemto)
  }

  /// Whether nothing was counted.
  public var isEmpty: Bool { requests == 0 && errors == 0 }

  /// Adds the price of speech, in 3600ths of 10⁻¹⁵ units, to every cost: no cache changes it.
  mutating func addSeconds(_ price: Int128) {
    let sum = secondsRemainder + price
    guard sum != 0 else { return }
    let (whole, rest) = sum.quotientAndRemainder(dividingBy: 3600)
    secondsRemainder = rest
    costFemto += whole
    costWithoutCacheFemto += whole
    costFullyCachedFemto += whole
    costOfOutputFemto += whole
  }

  /// Adds the sums of other calls, priced under the same plan.
  public static func += (a: inout Measures, b: Measures) {
    a.requests += b.requests
    a.errors += b.errors
    a.answerCacheHits += b.answerCacheHits
    a.tokens += b.tokens
    a.promptTold += b.promptTold
    a.cacheReadTold += b.cacheReadTold
    a.callsTold += b.callsTold
    a.callsReading += b.callsReading
    a.hitRateUnknownRequests += b.hitRateUnknownRequests
    a.quantities.add(b.quantities)
    a.pricedRequests += b.pricedRequests
    a.unpricedRequests += b.unpricedRequests
    a.uncertainRequests += b.uncertainRequests
    a.subscriptionRequests += b.subscriptionRequests
    a.subscriptionParts += b.subscriptionParts
    a.unpricedSearches += b.unpricedSearches
    a.costFemto += b.costFemto
    a.costWithoutCacheFemto += b.costWithoutCacheFemto
    a.costFullyCachedFemto += b.costFullyCachedFemto
    a.costOfOutputFemto += b.costOfOutputFemto
    a.addSeconds(b.secondsRemainder)
    a.statedCost += b.statedCost
    a.statedCalls += b.statedCalls
  }
}

/// A quotient of two whole numbers, kept exact.
public struct Ratio: Hashable, Comparable, Sendable {
  /// The upper number.
  public var numerator: Int64
  /// The lower number, more than 0.
  public var denominator: Int64

  /// Creates a ratio, or `nil` if the denominator is not positive: a share of nothing is unknown.
  public init?(_ numerator: Int64, _ denominator: Int64) {
    guard denominator > 0 else { return nil }
    self.numerator = numerator
    self.denominator = denominator
  }

  /// Creates a ratio of wide numbers; both are halved until they fit, which leaves more digits than are shown.
  public init?(wide numerator: Int128, over denominator: Int128) {
    guard denominator > 0 else { return nil }
    let widest = max(numerator.magnitude, denominator.magnitude)
    let shift = max(0, 66 - widest.leadingZeroBitCount)
    guard denominator >> shift > 0 else { return nil }
    self.init(Int64(numerator >> shift), Int64(denominator >> shift))
  }

  /// Whether the first is smaller, compared exactly.
  public static func < (a: Ratio, b: Ratio) -> Bool {
    Int128(a.numerator) * Int128(b.denominator) < Int128(b.numerator) * Int128(a.denominator)
  }

  /// Whether both are the same number: 1/2 equals 2/4.
  public static func == (a: Ratio, b: Ratio) -> Bool {
    Int128(a.numerator) * Int128(b.denominator) == Int128(b.numerator) * Int128(a.denominator)
  }

  /// The ratio times 10^`decimals`, rounded half to even.
  public func scaled(decimals: Int) -> Int128 {
    divideHalfEven(Int128(numerator) * ExactDecimal.power(decimals), by: Int128(denominator))
  }

  /// Decimal text with exactly `decimals` decimals, rounded half to even.
  public func text(decimals: Int) -> String {
    ExactDecimal(digits: scaled(decimals: decimals), decimals: decimals).paddedText
  }

  /// For drawing only; never for money.
  public var fraction: Double { Double(numerator) / Double(denominator) }
}
