/// Between what usage of mapped models would cost on another vendor's list: tokenisers count differently, and
/// caches forget at different times.
public struct HonestyBand: Hashable, Sendable {
  /// Least and most, in the tariff's unit. What is not mapped counts the same in both.
  public var cost: ClosedRange<Amount>
  /// How many tokens the other tokeniser may make of one.
  public var tokenRatio: ClosedRange<Ratio>
  /// After how many minutes the other vendor's cache forgets; `nil` if not known, and then not regarded.
  public var cacheMinutes: Int32?
  /// Prompt tokens read from a cache, of the mapped models.
  public var cacheRead: Int64
  /// How many of these such a cache would have missed; `nil` if its lifetime is not known.
  public var lateReads: Int64?

  /// The band of a plan.
  ///
  /// - Parameters:
  ///   - forgetful: the same usage with late reads as writes, if the vendor's lifetime is known.
  /// - Returns: `nil` if nothing of it is mapped.
  init?(
    _ snapshot: UsageSnapshot, forgetful: UsageSnapshot?, tariff: Tariff, window: Range<Minute>?
  ) {
    guard let map = tariff.modelMap,
      let (own, mapped) = Self.parts(snapshot, tariff, window), mapped.requests > 0
    else { return nil }
    tokenRatio = map.tokenRatio
    cacheRead = mapped.tokens.cacheRead
    var highest = mapped.costFemto
    if let forgetful, let (_, late) = Self.parts(forgetful, tariff, window) {
      cacheMinutes = tariff.cacheMinutes
      lateReads = mapped.tokens.cacheRead - late.tokens.cacheRead
      highest = max(highest, late.costFemto)
    }
    func scaled(_ femto: Int128, _ ratio: Ratio) -> Amount {
      Amount(femto: own.costFemto)
        + Amount(femto: femto).scaled(by: Int128(ratio.numerator), over: Int128(ratio.denominator))
    }
    let least = scaled(mapped.costFemto, tokenRatio.lowerBound)
    cost = least...max(least, scaled(highest, tokenRatio.upperBound))
  }

  /// Sums of what the plan sells itself and of what others stand for.
  private static func parts(
    _ snapshot: UsageSnapshot, _ tariff: Tariff, _ window: Range<Minute>?
  ) -> (own: Measures, mapped: Measures)? {
    let pricer = Pricer(snapshot, tariff: tariff)
    let isMapped = snapshot.cube.series.map { pricer.match($0)?.isSubstituted == true }
    guard isMapped.contains(true) else { return nil }
    let rows = pricer.sum(in: window) { series, _ in .always(isMapped[series] ? 1 : 0) }.rows
    return (rows.first ?? Measures(), rows.count > 1 ? rows[1] : Measures())
  }
}

extension Tariff {
  /// After how many minutes the seller's cache forgets; `nil` if not known.
  var cacheMinutes: Int32? {
    plan.provider.flatMap { seller in book.providers.first { $0.id == seller }?.cacheMinutes }
  }
}
