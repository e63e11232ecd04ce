/// Prices cells under one tariff: re-pricing the whole history is this, once over the cells.
///
/// The name of each series is matched once, and its rates are looked up again only when a cell lies
/// outside the minutes for which the last ones hold. Cost: a few nanoseconds a cell.
public struct Pricer {
  /// The tariff.
  public let tariff: Tariff
  private let cube: UsageCube
  private let names: NameTable
  private var known: [Known]

  private struct Known {
    var model: Tariff.Model?
    var isMatched = false
    var from = Int32.max
    var until = Int32.min
    var rates = Rates.free
    var isPriced = false
    var isUncertain = false
    var flags: Series.Flags
  }

  /// Prepares to price the cells of a snapshot.
  public init(_ snapshot: UsageSnapshot, tariff: Tariff) {
    self.tariff = tariff
    cube = snapshot.cube
    names = snapshot.names
    known = cube.series.map { Known(flags: $0.flags) }
  }

  /// Adds a cell and its cost to `sums`.
  @inline(__always)
  public mutating func add(_ cell: UsageCell, _ extras: CellExtras?, to sums: inout Measures) {
    let series = Int(cell.series)
    if cell.minute.number < known[series].from || cell.minute.number >= known[series].until {
      lookUp(series, cell.minute)
    }
    let requests = Int64(cell.requests)
    sums.requests &+= requests
    sums.errors &+= Int64(cell.errors)
    sums.tokens.input &+= cell.tokens.input
    sums.tokens.cacheRead &+= cell.tokens.cacheRead
    sums.tokens.cacheWrite5m &+= cell.tokens.cacheWrite5m
    sums.tokens.cacheWrite1h &+= cell.tokens.cacheWrite1h
    sums.tokens.output &+= cell.tokens.output
    sums.tokens.reasoning &+= cell.tokens.reasoning
    let flags = known[series].flags
    if flags.isDisjoint(with: [.cacheUnknown, .answeredByProxyCache]) {
      sums.promptTold &+= cell.tokens.prompt
    } else {
      if flags.contains(.cacheUnknown) { sums.hitRateUnknownRequests &+= requests }
      if flags.contains(.answeredByProxyCache) { sums.answerCacheHits &+= requests }
      sums.cacheReadUntold &+= cell.tokens.cacheRead
    }
    if known[series].isPriced {
      sums.pricedRequests &+= requests
      if known[series].isUncertain { sums.uncertainRequests &+= requests }
      sums.costFemto &+= known[series].rates.cost(of: cell.tokens)
      sums.costWithoutCacheFemto &+= known[series].rates.costWithoutCache(of: cell.tokens)
    } else {
      sums.unpricedRequests &+= requests
    }
    if let extras { add(extras, of: series, to: &sums) }
  }

  private func add(_ extras: CellExtras, of series: Int, to sums: inout Measures) {
    sums.statedCost += extras.statedCost
    sums.statedCalls += extras.statedCalls
    guard extras.webSearches != 0 else { return }
    sums.webSearches += extras.webSearches
    if known[series].isPriced, let fee = known[series].rates.perWebSearch {
      sums.costFemto += Int128(extras.webSearches) * Int128(fee)
      sums.costWithoutCacheFemto += Int128(extras.webSearches) * Int128(fee)
    } else {
      sums.unpricedSearches += extras.webSearches
    }
  }

  @inline(never)
  private mutating func lookUp(_ index: Int, _ minute: Minute) {
    let series = cube.series[index]
    if !known[index].isMatched {
      known[index].isMatched = true
      known[index].model = match(series)
    }
    let span = span(of: series, known[index].model, at: minute)
    known[index].from = span.from.number
    known[index].until = span.until.number
    known[index].isPriced = span.rates != nil
    known[index].isUncertain = span.evidence?.confidence == .low
    known[index].rates = span.rates ?? .free
  }

  private func match(_ series: Series) -> Tariff.Model? {
    let provider = series.labels.provider == .none ? nil : names[series.labels.provider]
    return tariff.model(named: names[series.labels.model], provider: provider)
  }

  private func span(of series: Series, _ model: Tariff.Model?, at minute: Minute) -> RateSpan {
    if series.flags.contains(.answeredByProxyCache) {
      // No model was called, so nothing was billed, whatever the plan.
      var span = RateSpan.unpriced
      span.rates = .free
      return span
    }
    guard let model else { return .unpriced }
    return tariff.span(
      of: model, promptTokens: cube.smallestPrompt(ofBand: series.band), tier: series.tier,
      at: minute)
  }

  /// The rates for a series at a minute, with where they come from; for showing how a number was made.
  public func span(ofSeries index: Int, at minute: Minute) -> RateSpan {
    span(of: cube.series[index], match(cube.series[index]), at: minute)
  }

  /// The cost of one call, or `nil` if the plan has no price for it.
  public func cost(of call: RecentCall) -> Amount? {
    let span = span(ofSeries: Int(call.series), at: call.time.minute)
    guard let rates = span.rates else { return nil }
    guard call.webSearches == 0 || rates.perWebSearch != nil else { return nil }
    let searches = Int128(call.webSearches) * Int128(rates.perWebSearch ?? 0)
    return Amount(atto: (rates.cost(of: call.tokens) + searches) * 1000)
  }
}
