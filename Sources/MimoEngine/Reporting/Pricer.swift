/// Sums and prices cells under one tariff: re-pricing the whole history is this, once over the cells.
///
/// The name of each series is matched once. Tokens of a series are summed for as long as its rates hold
/// and its cells belong to the same row, and only these sums are multiplied by rates: that is exact,
/// because cost is linear, and costs a few nanoseconds a cell.
public struct Pricer {
  /// The tariff.
  public let tariff: Tariff
  let snapshot: UsageSnapshot

  /// Prepares to price the cells of a snapshot.
  public init(_ snapshot: UsageSnapshot, tariff: Tariff) {
    self.tariff = tariff
    self.snapshot = snapshot
  }

  /// The row a cell is counted in.
  struct Placing {
    /// The row's number, or a negative one to leave the cell out.
    var place: Int
    /// Minutes for which the answer is the same for this series; they contain the one asked for.
    var minutes: Range<Minute>

    /// A row for all time.
    static func always(_ place: Int) -> Placing {
      Placing(place: place, minutes: .distantPast ..< .distantFuture)
    }
  }

  /// What cells add up to.
  struct Sums {
    /// Sums of each row; as many as the highest row number asks for.
    var rows: [Measures] = []
    /// The last minute with usage of each row.
    var lastMinutes: [Minute] = []
    /// First and last minute with usage.
    var first = Minute.distantFuture
    var last = Minute.distantPast
    /// Requests and tokens without a price, by series.
    var unpriced: [Int: (requests: Int64, tokens: TokenCounts)] = [:]
  }

  /// Sums of all cells in a window, in one row.
  public func total(in window: Range<Minute>? = nil) -> Measures {
    sum(in: window) { _, _ in .always(0) }.rows.first ?? Measures()
  }

  /// Sums the cells of a window by rows.
  ///
  /// - Parameter placing: says which row cells of a series belong to, from a minute on. Asked once for
  ///   each stretch of minutes, not for each cell.
  func sum(
    in window: Range<Minute>?, placing: (_ series: Int, _ minute: Minute) -> Placing
  ) -> Sums {
    var sums = Sums()
    var stretches = snapshot.cube.series.map { Stretch(series: $0) }
    var current = priceKeys(&stretches)
    let (from, end) = (window?.lowerBound.number ?? .min, window?.upperBound.number ?? .max)
    stretches.withUnsafeMutableBufferPointer { stretches in
      for chunk in snapshot.cube.chunks
      where chunk.lastMinute.number >= from && chunk.firstMinute.number < end {
        let hasExtras = !chunk.extras.isEmpty
        chunk.cells.withUnsafeBufferPointer { cells in
          for index in cells.indices {
            let minute = cells[index].minute.number
            guard cells[index].requests | cells[index].errors != 0, minute >= from, minute < end
            else { continue }
            let series = Int(cells[index].series)
            if minute < stretches[series].from || minute >= stretches[series].until {
              flush(stretches[series], series, into: &sums)
              begin(&stretches[series], series, cells[index].minute, &current, placing)
            }
            stretches[series].add(cells[index])
            if hasExtras { stretches[series].add(chunk.extras[index]) }
          }
        }
      }
      for series in stretches.indices { flush(stretches[series], series, into: &sums) }
    }
    return sums
  }

  /// What one series adds up to while its rates and its row stay the same.
  private struct Stretch {
    var from = Int32.max
    var until = Int32.min
    var place = -1
    var requests: Int64 = 0
    var errors: Int64 = 0
    var tokens = TokenCounts()
    var first = Int32.max
    var last = Int32.min
    var extras = CellExtras()
    var rates = Rates.free
    var isPriced = false
    var isUncertain = false
    var priceKey = 0
    let flags: Series.Flags

    init(series: Series) { flags = series.flags }

    @inline(__always)
    mutating func add(_ cell: UsageCell) {
      requests &+= Int64(cell.requests)
      errors &+= Int64(cell.errors)
      tokens.input &+= cell.tokens.input
      tokens.cacheRead &+= cell.tokens.cacheRead
      tokens.cacheWrite5m &+= cell.tokens.cacheWrite5m
      tokens.cacheWrite1h &+= cell.tokens.cacheWrite1h
      tokens.output &+= cell.tokens.output
      tokens.reasoning &+= cell.tokens.reasoning
      first = min(first, cell.minute.number)
      last = max(last, cell.minute.number)
    }

    mutating func add(_ more: CellExtras) {
      extras.statedCost += more.statedCost
      extras.statedCalls += more.statedCalls
      extras.webSearches += more.webSearches
    }
  }

  /// What a price depends on beside the minute. Many series share it: sessions do not change prices.
  private struct PriceKey: Hashable {
    var model: NameID
    var provider: NameID
    var tier: ServiceTier
    var band: UInt8
    var isFree: Bool
  }

  /// The rates that hold now for a price key.
  private struct Current {
    let series: Series
    let model: Tariff.Model?
    var from = Int32.max
    var until = Int32.min
    var rates = Rates.free
    var isPriced = false
    var isUncertain = false
  }

  private func priceKeys(_ stretches: inout [Stretch]) -> [Current] {
    var known: [PriceKey: Int] = [:]
    var current: [Current] = []
    for (index, series) in snapshot.cube.series.enumerated() {
      let key = PriceKey(
        model: series.labels.model, provider: series.labels.provider, tier: series.tier,
        band: series.band, isFree: series.flags.contains(.answeredByProxyCache))
      if let place = known[key] {
        stretches[index].priceKey = place
      } else {
        known[key] = current.count
        stretches[index].priceKey = current.count
        current.append(Current(series: series, model: match(series)))
      }
    }
    return current
  }

  private func begin(
    _ stretch: inout Stretch, _ index: Int, _ minute: Minute, _ current: inout [Current],
    _ placing: (Int, Minute) -> Placing
  ) {
    let key = stretch.priceKey
    if minute.number < current[key].from || minute.number >= current[key].until {
      let span = span(of: current[key].series, current[key].model, at: minute)
      current[key].from = span.from.number
      current[key].until = span.until.number
      current[key].rates = span.rates ?? .free
      current[key].isPriced = span.rates != nil
      current[key].isUncertain = span.evidence?.confidence == .low
    }
    let placed = placing(index, minute)
    stretch.place = placed.place
    stretch.from = max(placed.minutes.lowerBound.number, current[key].from)
    stretch.until = min(placed.minutes.upperBound.number, current[key].until)
    stretch.rates = current[key].rates
    stretch.isPriced = current[key].isPriced
    stretch.isUncertain = current[key].isUncertain
    stretch.requests = 0
    stretch.errors = 0
    stretch.tokens = TokenCounts()
    stretch.first = .max
    stretch.last = .min
    stretch.extras = CellExtras()
  }

  private func flush(_ stretch: Stretch, _ series: Int, into sums: inout Sums) {
    guard stretch.place >= 0, stretch.first <= stretch.last else { return }
    while sums.rows.count <= stretch.place {
      sums.rows.append(Measures())
      sums.lastMinutes.append(.distantPast)
    }
    sums.first = min(sums.first, Minute(stretch.first))
    sums.last = max(sums.last, Minute(stretch.last))
    sums.lastMinutes[stretch.place] = max(sums.lastMinutes[stretch.place], Minute(stretch.last))
    var part = Measures()
    part.requests = stretch.requests
    part.errors = stretch.errors
    part.tokens = stretch.tokens
    if stretch.flags.contains(.answeredByProxyCache) { part.answerCacheHits = stretch.requests }
    if stretch.flags.isDisjoint(with: [.cacheUnknown, .answeredByProxyCache]) {
      part.promptTold = stretch.tokens.prompt
      part.cacheReadTold = stretch.tokens.cacheRead
    } else {
      part.hitRateUnknownRequests = stretch.requests
    }
    part.statedCost = stretch.extras.statedCost
    part.statedCalls = stretch.extras.statedCalls
    part.webSearches = stretch.extras.webSearches
    if stretch.isPriced {
      let rates = stretch.rates
      let searches = Int128(stretch.extras.webSearches) * Int128(rates.perWebSearch ?? 0)
      if rates.perWebSearch == nil { part.unpricedSearches = stretch.extras.webSearches }
      part.pricedRequests = stretch.requests
      if stretch.isUncertain { part.uncertainRequests = stretch.requests }
      part.costFemto = rates.cost(of: stretch.tokens) + searches
      part.costWithoutCacheFemto = rates.costWithoutCache(of: stretch.tokens) + searches
      part.costFullyCachedFemto = rates.costFullyCached(of: stretch.tokens) + searches
      part.costOfOutputFemto =
        Rates.product(stretch.tokens.output, rates.output) + searches
    } else {
      part.unpricedSearches = stretch.extras.webSearches
      part.unpricedRequests = stretch.requests
      if stretch.requests > 0 {
        let before = sums.unpriced[series] ?? (0, TokenCounts())
        sums.unpriced[series] = (
          before.requests + stretch.requests, before.tokens + stretch.tokens
        )
      }
    }
    sums.rows[stretch.place] += part
  }

  // MARK: - Rates

  func match(_ series: Series) -> Tariff.Model? {
    let names = snapshot.names
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
      of: model, promptTokens: snapshot.cube.smallestPrompt(ofBand: series.band),
      tier: series.tier, at: minute)
  }

  /// The rates for a series at a minute, with where they come from; for showing how a number was made.
  public func span(ofSeries index: Int, at minute: Minute) -> RateSpan {
    let series = snapshot.cube.series[index]
    return span(of: series, match(series), at: minute)
  }

  /// The cost of one call, or `nil` if the plan has no price for it.
  public func cost(of call: RecentCall) -> Amount? {
    let span = span(ofSeries: Int(call.series), at: call.time.minute)
    guard let rates = span.rates else { return nil }
    guard call.webSearches == 0 || rates.perWebSearch != nil else { return nil }
    let searches = Int128(call.webSearches) * Int128(rates.perWebSearch ?? 0)
    return Amount(femto: rates.cost(of: call.tokens) + searches)
  }
}
