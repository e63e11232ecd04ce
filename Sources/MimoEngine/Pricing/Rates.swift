/// What one token of each class costs, one web search, and one hour of speech.
///
/// All rates are whole femto-units (10⁻¹⁵ of the unit, which the owner knows): a price per million
/// tokens with up to nine decimals, or up to 9223 credits per token, is held exactly. One scale for
/// money and credits, so that the pricing loop has no branch on it.
public struct Rates: Hashable, Sendable {
  /// Femto-units per fresh prompt token.
  public let input: Int64
  /// Femto-units per prompt token read from the cache.
  public let cacheRead: Int64
  /// Femto-units per prompt token written to a cache of five minutes, or of an unstated time.
  public let cacheWrite5m: Int64
  /// Femto-units per prompt token written to a cache of one hour.
  public let cacheWrite1h: Int64
  /// Femto-units per output token, reasoning included.
  public let output: Int64
  /// Femto-units per web search; `nil` if no price for searches is known.
  public let perWebSearch: Int64?
  /// Femto-units per hour of speech heard, billed by the second; `nil` where tokens are billed.
  public let perAudioHour: Int128?

  /// Creates rates from what a price list states.
  ///
  /// A list without a rate for cached tokens bills them like any prompt token, so a missing cache
  /// read is `input`; a missing write of one lifetime is the general write, or else `input`.
  public init(
    input: Int64, output: Int64, cacheRead: Int64? = nil, cacheWrite: Int64? = nil,
    cacheWrite5m: Int64? = nil, cacheWrite1h: Int64? = nil, perWebSearch: Int64? = nil,
    perAudioHour: Int128? = nil
  ) {
    self.input = input
    self.output = output
    self.cacheRead = cacheRead ?? input
    self.cacheWrite5m = cacheWrite5m ?? cacheWrite ?? input
    self.cacheWrite1h = cacheWrite1h ?? cacheWrite ?? input
    self.perWebSearch = perWebSearch
    self.perAudioHour = perAudioHour
  }

  /// Rates under which every token is free.
  public static let free = Rates(input: 0, output: 0)

  /// Femto-units per single thing, from a price per `10^power` of them.
  ///
  /// - Returns: `nil` if the price has more decimals, or is larger, than a rate can hold.
  public static func femto(_ price: ExactDecimal, perPowerOfTen power: Int) -> Int64? {
    price.scaled(by: 15 - power).flatMap(Int64.init(exactly:))
  }

  /// The exact cost of `tokens` in femto-units.
  @inlinable public func cost(of tokens: TokenCounts) -> Int128 {
    Rates.product(tokens.input, input) + Rates.product(tokens.cacheRead, cacheRead)
      + Rates.product(tokens.cacheWrite5m, cacheWrite5m)
      + Rates.product(tokens.cacheWrite1h, cacheWrite1h) + Rates.product(tokens.output, output)
  }

  /// What `tokens` would have cost with every prompt token at the fresh price, in femto-units.
  @inlinable public func costWithoutCache(of tokens: TokenCounts) -> Int128 {
    Rates.product(tokens.prompt, input) + Rates.product(tokens.output, output)
  }

  /// The cost if every prompt token had been read from the cache, in femto-units.
  @inlinable public func costFullyCached(of tokens: TokenCounts) -> Int128 {
    Rates.product(tokens.prompt, cacheRead) + Rates.product(tokens.output, output)
  }

  /// Two 64-bit factors cannot overflow 128 bits; the unchecked operator makes it one instruction.
  @inlinable static func product(_ a: Int64, _ b: Int64) -> Int128 { Int128(a) &* Int128(b) }

  /// Every rate times `factor`, or `nil` if that would lose a digit or overflow.
  public func scaled(by factor: ExactDecimal) -> Rates? {
    func times(_ rate: Int64) -> Int64? {
      factor.times(ExactDecimal(digits: Int128(rate), decimals: 0))?.scaled(by: 0).flatMap(
        Int64.init(exactly:))
    }
    var hour: Int128?
    if let perAudioHour {
      guard
        let scaled = factor.times(ExactDecimal(digits: perAudioHour, decimals: 0))?.scaled(by: 0)
      else { return nil }
      hour = scaled
    }
    guard let input = times(input), let output = times(output), let read = times(cacheRead),
      let write5m = times(cacheWrite5m), let write1h = times(cacheWrite1h)
    else { return nil }
    return Rates(
      input: input, output: output, cacheRead: read, cacheWrite5m: write5m, cacheWrite1h: write1h,
      perWebSearch: perWebSearch, perAudioHour: hour)
  }
}

extension Minute {
  /// Before every price; stands for an open beginning.
  public static let distantPast = Minute(.min)
  /// After every price; stands for an open end.
  public static let distantFuture = Minute(.max)
}

/// The rates that hold from one minute to another, and where they come from.
///
/// Every minute in `from..<until` has these rates. Whoever prices many minutes keeps spans and asks
/// again only outside them.
public struct RateSpan: Sendable {
  /// The first minute.
  public internal(set) var from = Minute.distantPast
  /// The first minute after the span.
  public internal(set) var until = Minute.distantFuture
  /// The rates; `nil` if no price is known, which is not the same as free.
  public internal(set) var rates: Rates?
  /// What the source calls these hours (`peak`, `off_peak`), if the price depends on the hour.
  public internal(set) var label: String?
  /// The id of the model whose list holds the price: another one than asked for after a route.
  public internal(set) var billedAs: String?
  /// The currency the list is in, if the user's exchange rate was needed.
  public internal(set) var convertedFrom: Currency?
  /// Where the price comes from; `nil` exactly if no entry covers the span.
  public internal(set) var evidence: Evidence?

  /// No price at any time: the span of what nobody lists.
  public static let unpriced = RateSpan()

  /// Ends the span at `edge`, on the side away from `minute`.
  mutating func cut(at edge: Minute, keeping minute: Minute) {
    if edge <= minute { from = max(from, edge) } else { until = min(until, edge) }
  }

  /// Ends the span at both ends of `range`.
  mutating func cut(at range: Range<Minute>, keeping minute: Minute) {
    cut(at: range.lowerBound, keeping: minute)
    cut(at: range.upperBound, keeping: minute)
  }
}
