/// A rate the user gives to convert prices that a vendor lists in another currency only.
///
/// Nothing is converted without one. Converted rates are rounded half to even to 10⁻¹⁵ of the unit.
public struct ExchangeRate: Hashable, Sendable {
  /// Yuan for one dollar, more than 0.
  public let yuanPerDollar: ExactDecimal

  /// Creates a rate, or `nil` if it is not more than 0 or has more than nine digits on either side.
  public init?(yuanPerDollar: ExactDecimal) {
    guard yuanPerDollar.digits > 0, yuanPerDollar.decimals <= 9,
      yuanPerDollar.digits < 1_000_000_000_000_000_000
    else { return nil }
    self.yuanPerDollar = yuanPerDollar
  }

  /// Rates in the other currency than `currency`, or `nil` if they are too large.
  func converted(_ rates: Rates, from currency: Currency) -> Rates? {
    let scale = ExactDecimal.power(yuanPerDollar.decimals)
    let (numerator, denominator) =
      currency == .usd ? (yuanPerDollar.digits, scale) : (scale, yuanPerDollar.digits)
    func convert(_ rate: Int64) -> Int64? {
      Int64(exactly: divideHalfEven(Int128(rate) * numerator, by: denominator))
    }
    guard let input = convert(rates.input), let output = convert(rates.output),
      let read = convert(rates.cacheRead), let write5m = convert(rates.cacheWrite5m),
      let write1h = convert(rates.cacheWrite1h)
    else { return nil }
    let hour = rates.perAudioHour.map { divideHalfEven($0 * numerator, by: denominator) }
    return Rates(
      input: input, output: output, cacheRead: read, cacheWrite5m: write5m, cacheWrite1h: write1h,
      perWebSearch: rates.perWebSearch.flatMap(convert),
      perAudioHour: hour)
  }
}
