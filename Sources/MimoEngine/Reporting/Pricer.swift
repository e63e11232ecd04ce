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

  /// Which series are in the same row at each minute.
  enum Likeness {
    /// All of them.
    case alike
    /// Those of equal numbers; a number for each series.
    case numbered([Int])
    /// Perhaps no two.
    case unlike

    func number(of series: Int) -> Int {
      switch self {
      case .alike: 0
      case .numbered(let numbers): numbers[series]
      case .unlike: series
      }
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
    /// Requests and tokens without a price, by one of the series of a model and seller.
    var unpriced: [Int: (requests: Int64, tokens: TokenCounts)] = [:]
    /// The oldest day on which a price that was used was checked, counted from 1970-01-01.
    var oldestCheck = Int32.max
  }

  /// Sums of all cells in a window, in one row.
  public func total(in window: Range<Minute>? = nil) -> Measures {
    sum(in: window, series: .alike) { _, _ in .always(0) }.rows.first ?? Measures()
  }

  /// Sums the cells of a window by rows.
  ///
  /// - Parameters:
  ///   - placed: which series get the same answer, so that they are added up together before they are priced.
  ///   - placing: says which row cells of a series belong to, from a minute on. Asked once for each stretch of
  ///     minutes, not for each cell.
  func sum(
    in window: Range<Minute>?, series placed: Likeness = .unlike,
    placing: (_ series: Int, _ minute: Minute) -> Placing
  ) -> Sums {
    var sums = Sums()
    var (current, stretches, lanes) = lanes(placed)
    let (from, end) = (window?.lowerBound.number ?? .min, window?.upperBound.number ?? .max)
    stretches.withUnsafeMutableBufferPointer { stretches in
      snapshot.cube.forEachChunk(in: window) { chunk in
        let hasStated = !chunk.stated.isEmpty
        let hasQuantities = !chunk.quantities.isEmpty
        chunk.cells.withUnsafeBufferPointer { cells in
          for index in cells.indices {
            let minute = cells[index].minute.number
            guard cells[index].requests | cells[index].errors != 0, minute >= from, minute < end
            else { continue }
            let lane = Int(lanes[Int(cells[index].series)])
            if minute < stretches[lane].from || minute >= stretches[lane].until {
              Self.flush(&stretches[lane], into: &sums)
              begin(&stretches[lane], cells[index].minute, &current, placing)
            }
            stretches[lane].add(cells[index])
            if hasStated { stretches[lane].add(chunk.stated[index]) }
            if hasQuantities { stretches[lane].add(chunk.quantities[index]) }
          }
        }
      }
      for lane in stretches.indices { Self.flush(&stretches[lane], into: &sums) }
    }
    return sums
  }

  /// What series that are priced and placed alike add up to while their rates and their row stay the same.
  private struct Stretch {
    var from = Int32.max
    var until = Int32.min
    var place = -1
    var requests: Int64 = 0
    var errors: Int64 = 0
    var tokens = TokenCounts()
    var first = Int32.max
    var last = Int32.min
    /// Whether there is anything in the next two.
    var hasExtras = false
    var stated = StatedCost()
    var quantities = Quantities()
    var rates = Rates.free
    var isPriced = false
    var isUncertain = false
    /// Whether the rates are credits of a subscription that calls were made on, beside money.
    var isOnSubscription = false
    /// The day the rates were checked, counted from 1970-01-01; the last one there is if it is not known.
    var checked = Int32.max
    /// The position of one of the series.
    let series: Int
    let priceKey: Int
    let flags: Series.Flags

    init(series: Int, priceKey: Int, flags: Series.Flags) {
      (self.series, self.priceKey, self.flags) = (series, priceKey, flags)
    }

    /// The price of the speech, in 3600ths of 10⁻¹⁵ units.
    var speechPrice: Int128 { Int128(quantities.audioSeconds) * (rates.perAudioHour ?? 0) }

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

    mutating func add(_ more: Quantities) {
      hasExtras = true
      quantities.add(more)
    }

    /// Adds the counts and their cost to a row.
    mutating func add(to row: inout Measures) {
      row.requests += requests
      row.errors += errors
      row.tokens += tokens
      if flags.contains(.answeredByProxyCache) { row.answerCacheHits += requests }
      if flags.isDisjoint(with: [.cacheUnknown, .answeredByProxyCache]) {
        row.promptTold += tokens.prompt
        row.cacheReadTold += tokens.cacheRead
        if !flags.contains(.sumsCalls) {
          row.callsTold += requests
          if flags.contains(.readsCache) { row.callsReading += requests }
        }
      } else {
        row.hitRateUnknownRequests += requests
      }
      if hasExtras {
        row.statedCost += stated.amount
        row.statedCalls += stated.calls
        row.quantities.add(quantities)
      }
      if !isPriced {
        row.unpricedSearches += quantities.webSearches
        row.unpricedRequests += requests
      } else if isOnSubscription {
        row.subscriptionRequests += requests
        row.subscriptionParts += rates.cost(of: tokens) * 3600 + speechPrice
      } else {
        if rates.perWebSearch == nil { row.unpricedSearches += quantities.webSearches }
        row.pricedRequests += requests
        if isUncertain { row.uncertainRequests += requests }
        let searches = Rates.product(quantities.webSearches, rates.perWebSearch ?? 0)
        row.costFemto += rates.cost(of: tokens) + searches
        row.costWithoutCacheFemto += rates.costWithoutCache(of: tokens) + searches
        row.costFullyCachedFemto += rates.costFullyCached(of: tokens) + searches
        row.costOfOutputFemto += Rates.product(tokens.output, rates.output) + searches
        if rates.perAudioHour != nil { row.addSeconds(speechPrice) }
      }
    }

    mutating func add(_ more: StatedCost) {
      hasExtras = true
      stated.amount += more.amount
      stated.calls += more.calls
    }
  }

  /// What a price depends on beside the minute. Many series share it: sessions do not change prices.
  private struct PriceKey: Equatable {
    var model: NameID
    var provider: NameID
    /// The key, where its prefix may decide.
    var key: NameID
    var tier: ServiceTier
    var band: UInt8
    var isFree: Bool
    var tellsSeconds: Bool

    init(_ series: Series, keyDecides: Bool) {
      (model, provider) = (series.labels.model, series.labels.provider)
      key = keyDecides ? series.labels.key : .none
      (tier, band) = (series.tier, series.band)
      isFree = series.flags.contains(.answeredByProxyCache)
      tellsSeconds = series.flags.contains(.tellsSeconds)
    }

    var hash: UInt64 {
      Fingerprint(value: UInt64(model.index) << 32 | UInt64(provider.index)).combined(
        with: UInt64(key.index) << 32 | UInt64(tier.rawValue) << 16 | UInt64(band) << 8
          | (isFree ? 2 : 0) | (tellsSeconds ? 1 : 0)
      ).value
    }
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
    let isOnSubscription: Bool
    var asOf: String?
    var checked = Int32.max
  }

  /// The price keys, the lanes in which series that are priced and placed alike run together, and the lane of each
  /// series.
  private func lanes(_ placed: Likeness) -> ([Current], [Stretch], [UInt32]) {
    let keyDecides = tariff.plan.kind == .asBilled
    let all = snapshot.cube.series
    var (current, stretches, lanes): ([Current], [Stretch], [UInt32]) = ([], [], [])
    var (keyIndex, laneIndex) = (HashIndex(), HashIndex())
    var (keyHashes, laneHashes): ([UInt64], [UInt64]) = ([], [])
    lanes.reserveCapacity(all.count)
    for (index, series) in all.enumerated() {
      let key = PriceKey(series, keyDecides: keyDecides)
      let hash = key.hash
      var place = keyIndex.find(hash) {
        PriceKey(current[Int($0)].series, keyDecides: keyDecides) == key
      }
      if place == nil {
        place = UInt32(current.count)
        keyIndex.append(hash) { keyHashes[Int($0)] }
        keyHashes.append(hash)
        let model = match(series)
        current.append(
          Current(
            series: series, model: model, isOnSubscription: model?.isOnSubscription ?? false))
      }
      let flags = series.flags.subtracting(.opensConversation)
      let row = placed.number(of: index)
      let laneHash = Fingerprint(value: UInt64(place!) << 8 | UInt64(flags.rawValue))
        .combined(with: UInt64(bitPattern: Int64(row))).value
      var lane = laneIndex.find(laneHash) {
        let lane = stretches[Int($0)]
        return lane.priceKey == Int(place!) && lane.flags == flags
          && placed.number(of: lane.series) == row
      }
      if lane == nil {
        lane = UInt32(stretches.count)
        laneIndex.append(laneHash) { laneHashes[Int($0)] }
        laneHashes.append(laneHash)
        stretches.append(Stretch(series: index, priceKey: Int(place!), flags: flags))
      }
      lanes.append(lane!)
    }
    return (current, stretches, lanes)
  }

  private func begin(
    _ stretch: inout Stretch, _ minute: Minute, _ current: inout [Current],
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
      // Hours of the day follow each other without end, their evidence is the same.
      if current[key].asOf != span.evidence?.asOf {
        current[key].asOf = span.evidence?.asOf
        current[key].checked = span.evidence?.checked?.dayNumber ?? .max
      }
    }
    let placed = placing(stretch.series, minute)
    stretch.place = placed.place
    stretch.from = max(placed.minutes.lowerBound.number, current[key].from)
    stretch.until = min(placed.minutes.upperBound.number, current[key].until)
    stretch.rates = current[key].rates
    stretch.isPriced = current[key].isPriced
    stretch.isUncertain = current[key].isUncertain
    stretch.isOnSubscription = current[key].isOnSubscription
    stretch.checked = current[key].checked
    stretch.requests = 0
    stretch.errors = 0
    stretch.tokens = TokenCounts()
    stretch.first = .max
    stretch.last = .min
    if stretch.hasExtras {
      stretch.hasExtras = false
      stretch.stated = StatedCost()
      stretch.quantities = Quantities()
    }
  }

  // In place, the stretch too: a history has a hundred thousand of these, and both values are large.
  private static func flush(_ stretch: inout Stretch, into sums: inout Sums) {
    guard stretch.place >= 0, stretch.first <= stretch.last else { return }
    while sums.rows.count <= stretch.place {
      sums.rows.append(Measures())
      sums.lastMinutes.append(.distantPast)
    }
    sums.first = min(sums.first, Minute(stretch.first))
    sums.last = max(sums.last, Minute(stretch.last))
    sums.lastMinutes[stretch.place] = max(sums.lastMinutes[stretch.place], Minute(stretch.last))
    stretch.add(to: &sums.rows[stretch.place])
    guard stretch.requests > 0 else { return }
    if !stretch.isPriced {
      let before = sums.unpriced[stretch.series] ?? (0, TokenCounts())
      sums.unpriced[stretch.series] = (
        before.requests + stretch.requests, before.tokens + stretch.tokens
      )
    } else if !stretch.isOnSubscription {
      sums.oldestCheck = min(sums.oldestCheck, stretch.checked)
    }
  }

  // MARK: - Rates

  func match(_ series: Series) -> Tariff.Model? {
    func name(_ id: NameID) -> String? { id == .none ? nil : snapshot.names[id] }
    return tariff.model(
      named: snapshot.names[series.labels.model], provider: name(series.labels.provider),
      key: name(series.labels.key))
  }

  private func span(of series: Series, _ model: Tariff.Model?, at minute: Minute) -> RateSpan {
    if series.flags.contains(.answeredByProxyCache) {
      // No model was called, so nothing was billed, whatever the plan.
      var span = RateSpan.unpriced
      span.rates = .free
      return span
    }
    guard let model else { return .unpriced }
    var span = tariff.span(
      of: model, promptTokens: snapshot.cube.smallestPrompt(ofBand: series.band),
      tier: series.tier, at: minute)
    // Billed by length, and the log does not tell how long it was.
    if span.rates?.perAudioHour != nil, !series.flags.contains(.tellsSeconds) { span.rates = nil }
    return span
  }

  /// The rates for a series at a minute, with where they come from; for showing how a number was made.
  public func span(ofSeries index: Int, at minute: Minute) -> RateSpan {
    let series = snapshot.cube.series[index]
    return span(of: series, match(series), at: minute)
  }

  /// What one call cost.
  public struct Bill: Sendable {
    /// Exact, in `unit`.
    public var amount: Amount
    /// The tariff's unit, or credits if the call was made on a subscription.
    public var unit: PricingUnit
  }

  /// What one call cost, or `nil` if the plan has no price for it.
  public func bill(of call: RecentCall) -> Bill? {
    let series = snapshot.cube.series[Int(call.series)]
    let model = match(series)
    guard let rates = span(of: series, model, at: call.time.minute).rates else { return nil }
    let used = call.quantities
    guard used.webSearches == 0 || rates.perWebSearch != nil else { return nil }
    let searches = Rates.product(used.webSearches, rates.perWebSearch ?? 0)
    let speech = Int128(used.audioSeconds) * (rates.perAudioHour ?? 0) / 3600
    return Bill(
      amount: Amount(femto: rates.cost(of: call.tokens) + searches + speech),
      unit: unit(of: model))
  }

  /// What the rates of a series count: credits where its calls were made on a subscription.
  public func unit(ofSeries index: Int) -> PricingUnit {
    unit(of: match(snapshot.cube.series[index]))
  }

  private func unit(of model: Tariff.Model?) -> PricingUnit {
    model?.isOnSubscription == true ? .credits : tariff.unit
  }
}
