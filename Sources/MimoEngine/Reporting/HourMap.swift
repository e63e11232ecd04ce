/// Usage by hour of the day and weekday, with the price schedule over it, and what other hours would save.
public struct HourMap: Sendable {
  /// How dear an hour is, among the hours of a week.
  public enum Level: String, Hashable, Sendable, CaseIterable {
    /// No hour is cheaper.
    case cheapest
    /// Some are cheaper and some are dearer.
    case between
    /// No hour is dearer.
    case dearest
  }

  /// Calls to one model that would have been cheaper in another hour of their day.
  public struct Movable: Hashable, Sendable {
    /// The model as the log names it; `nil` if it does not.
    public let model: String?
    /// How many.
    public internal(set) var requests: Int64 = 0
    /// What they cost, in the tariff's unit.
    public internal(set) var cost = Amount.zero
    /// What they would have cost in the cheapest hour of the same day.
    public internal(set) var cheapest = Amount.zero
  }

  /// What the costs count.
  public let unit: PricingUnit
  /// Sums of each hour of the week by local clocks, from Monday 00:00 to Sunday 23:00: always 168.
  public let hours: [Measures]
  /// The price of an hour relative to the dearest one, above 0 and at most 1, in the order of `hours`;
  /// `nil` if no model of the usage has a price that depends on the hour.
  ///
  /// It is what the tokens of the models with a schedule would cost in that hour, by the lists at their
  /// latest calls and in a usual week: of the last three, each hour's most frequent price.
  public let factors: [Ratio]?
  /// By model, what can be saved at most first.
  public let movable: [Movable]

  /// All usage.
  public var totals: Measures { hours.reduce(into: Measures()) { $0 += $1 } }

  /// The sums of one weekday, 0 is Monday.
  public func weekday(_ day: Int) -> Measures {
    hours[day * 24..<day * 24 + 24].reduce(into: Measures()) { $0 += $1 }
  }

  /// How dear the hours are; `nil` without a schedule.
  public var levels: [Level]? {
    guard let factors, let least = factors.min() else { return nil }
    let most = factors.max()!
    return factors.map { $0 == most ? .dearest : $0 == least ? .cheapest : .between }
  }

  /// What it saves if so many percent of the tokens of dear hours move to the cheapest hour of their day: exact.
  ///
  /// - Parameter percent: 0 to 100.
  public func saving(movingPercent percent: Int) -> Amount {
    let most = movable.reduce(Amount.zero) { $0 + $1.cost - $1.cheapest }
    // Costs are whole femto-units, so that a hundredth of them is whole in the units of an amount.
    return Amount(atto: most.atto / 100 * Int128(percent))
  }

  /// Sums usage by hour of the week.
  ///
  /// Cost: linear in the cells, about three times that of pricing them.
  public init(
    of usage: UsageSnapshot, tariff: Tariff, window: Range<Minute>? = nil,
    clock: LocalClock = .utc, filters: [UsageFilter] = []
  ) {
    let edges = Self.hourEdges(of: usage, window, Labeller(usage, book: tariff.book, clock: clock))
    let snapshot = usage.condensed(for: [tariff], edges: edges, filters: filters, clock: clock)
    let labeller = Labeller(snapshot, book: tariff.book, clock: clock)
    var days = DayPrices(snapshot, tariff: tariff, clock: clock)
    var groups: [Group] = []
    var places: [Group: Int] = [:]
    let sums = Pricer(snapshot, tariff: tariff).sum(in: window) { series, minute in
      let period = labeller.period(.hour, around: minute)
      let span = days.lookup.span(ofSeries: series, at: minute)
      let group = Group(
        slot: Self.slot(of: minute, clock), day: clock.day(of: minute),
        part: days.part(ofSeries: series, around: minute), key: days.lookup.keys[series],
        rates: span.rates)
      let place = places[group] ?? groups.count
      if place == groups.count {
        places[group] = place
        groups.append(group)
      }
      return Pricer.Placing(place: place, minutes: period.clamped(to: span.from..<span.until))
    }

    var hours = Array(repeating: Measures(), count: 168)
    var movable: [NameID: Movable] = [:]
    var usage: [Int: (series: Int, tokens: TokenCounts, last: Minute)] = [:]
    for (place, sum) in sums.rows.enumerated() {
      let group = groups[place]
      hours[group.slot] += sum
      // Credits of a subscription have no place in a sum of money.
      guard let rates = group.rates, sum.requests > 0, sum.subscriptionRequests == 0 else {
        continue
      }
      let series = days.series(ofKey: group.key)
      var known = usage[group.key] ?? (series, TokenCounts(), .distantPast)
      known.tokens += sum.tokens
      known.last = max(known.last, sums.lastMinutes[place])
      usage[group.key] = known
      let prices = days.prices(ofSeries: series, day: group.day, part: group.part)
      let cost = rates.cost(of: sum)
      let least = prices.map { $0.cost(of: sum) }.min() ?? cost
      guard least < cost else { continue }
      let model = snapshot.cube.series[series].labels.model
      var row = movable[model] ?? Movable(model: model == .none ? nil : snapshot.names[model])
      row.requests += sum.requests
      row.cost += Amount(femto: cost)
      row.cheapest += Amount(femto: least)
      movable[model] = row
    }
    unit = tariff.unit
    self.hours = hours
    self.movable = movable.values.sorted {
      let (a, b) = ($0.cost - $0.cheapest, $1.cost - $1.cheapest)
      return a != b ? a > b : ($0.model ?? "") < ($1.model ?? "")
    }
    factors = UsualWeek(snapshot, tariff, clock).factors(of: Array(usage.values))
  }

  /// Where the hours with usage begin and end, and the window: what may not be merged into one cell.
  private static func hourEdges(
    of snapshot: UsageSnapshot, _ window: Range<Minute>?, _ labeller: Labeller
  ) -> Set<Minute> {
    var edges: Set<Minute> = []
    if let window { edges = [window.lowerBound, window.upperBound] }
    var hour = Minute(0)..<Minute(0)
    snapshot.cube.forEachCell(in: window) { cell, _ in
      guard !hour.contains(cell.minute) else { return }
      hour = labeller.period(.hour, around: cell.minute)
      edges.insert(hour.lowerBound)
      edges.insert(hour.upperBound)
    }
    return edges
  }

  /// The place in `hours` of a minute.
  static func slot(of minute: Minute, _ clock: LocalClock) -> Int {
    let day = clock.day(of: minute)
    let local = minute.number + clock.offsetMinutes(at: minute) - day * 1440
    return CivilDate.weekday(ofDay: day) * 24 + Int(local / 60)
  }

  /// Calls of one price in one hour.
  private struct Group: Hashable {
    var slot: Int
    var day: Int32
    var part: Int
    var key: Int
    var rates: Rates?
  }
}

extension Rates {
  /// The cost of tokens and of searches that have a price, in femto-units.
  fileprivate func cost(of sums: Measures) -> Int128 {
    cost(of: sums.tokens) + Rates.product(sums.quantities.webSearches, perWebSearch ?? 0)
  }
}

/// The prices that a model has on one local day at one list.
private struct DayPrices {
  var lookup: SpanLookup
  private let snapshot: UsageSnapshot
  private let tariff: Tariff
  private let clock: LocalClock
  /// By price key: a series, and the minutes at which its list changes.
  private var seriesOfKey: [Int: Int] = [:]
  private var edgesOfKey: [Int: [Minute]] = [:]
  private var known: [Day: [Rates]] = [:]

  private struct Day: Hashable {
    var key: Int
    var day: Int32
    var part: Int
  }

  init(_ snapshot: UsageSnapshot, tariff: Tariff, clock: LocalClock) {
    lookup = SpanLookup(snapshot, tariff: tariff)
    self.snapshot = snapshot
    self.tariff = tariff
    self.clock = clock
  }

  func series(ofKey key: Int) -> Int { seriesOfKey[key]! }

  /// Which of the lists that a model has had is in force: a price of another list is no price of the day.
  mutating func part(ofSeries series: Int, around minute: Minute) -> Int {
    edges(ofSeries: series).count { $0 <= minute }
  }

  /// Every price that the model of a series has on a local day at one list.
  mutating func prices(ofSeries series: Int, day: Int32, part: Int) -> [Rates] {
    let place = Day(key: lookup.keys[series], day: day, part: part)
    if let prices = known[place] { return prices }
    let edges = edges(ofSeries: series)
    var minute = clock.start(ofDay: day)
    var end = clock.start(ofDay: day + 1)
    if part > 0 { minute = max(minute, edges[part - 1]) }
    if part < edges.count { end = min(end, edges[part]) }
    var prices: Set<Rates> = []
    while minute < end {
      let span = lookup.span(ofSeries: series, at: minute)
      if let rates = span.rates { prices.insert(rates) }
      minute = span.until
    }
    known[place] = Array(prices)
    return known[place]!
  }

  private mutating func edges(ofSeries series: Int) -> [Minute] {
    let key = lookup.keys[series]
    if let edges = edgesOfKey[key] { return edges }
    seriesOfKey[key] = series
    let model = Pricer(snapshot, tariff: tariff).match(snapshot.cube.series[series])
    let edges = model.map(tariff.edges) ?? []
    edgesOfKey[key] = edges
    return edges
  }
}

/// The price schedule of a week as it usually is.
private struct UsualWeek {
  private let snapshot: UsageSnapshot
  private let tariff: Tariff
  private let clock: LocalClock
  /// Enough that a week of holidays does not decide.
  private static let hours = 3 * 168

  init(_ snapshot: UsageSnapshot, _ tariff: Tariff, _ clock: LocalClock) {
    self.snapshot = snapshot
    self.tariff = tariff
    self.clock = clock
  }

  /// The price of each hour of the week relative to the dearest one; `nil` if all are the same.
  func factors(
    of usage: [(series: Int, tokens: TokenCounts, last: Minute)]
  ) -> [Ratio]? {
    var sums = Array(repeating: Int128(0), count: 168)
    for (series, tokens, last) in usage {
      guard let costs = costs(of: tokens, series, before: last), Set(costs).count > 1 else {
        continue
      }
      for slot in sums.indices { sums[slot] += costs[slot] }
    }
    guard let most = sums.max(), most > 0 else { return nil }
    return sums.map { Ratio(wide: $0, over: most)! }
  }

  /// What tokens would cost in each hour of the week; `nil` if some hour has no price, or none differs.
  private func costs(of tokens: TokenCounts, _ series: Int, before last: Minute) -> [Int128]? {
    let pricer = Pricer(snapshot, tariff: tariff.withPrices(of: last))
    let end = last.advanced(by: 1)
    var minute = end.advanced(by: -Self.hours * 60)
    let whole = pricer.span(ofSeries: series, at: minute)
    if whole.from <= minute, whole.until >= end { return nil }
    var minutesAtCost = Array(repeating: [Int128: Int](), count: 168)
    while minute < end {
      let span = pricer.span(ofSeries: series, at: minute)
      guard let rates = span.rates else { return nil }
      let cost = rates.cost(of: tokens)
      let until = min(span.until, end)
      while minute < until {
        let slot = HourMap.slot(of: minute, clock)
        let local = minute.number + clock.offsetMinutes(at: minute)
        let rest = 60 - Int(local - floorDivide(local, 60) * 60)
        let next = min(until, minute.advanced(by: rest))
        minutesAtCost[slot][cost, default: 0] += minute.distance(to: next)
        minute = next
      }
    }
    // Of prices that hold for equally long the dearer one: nobody is sent into an hour that is half dear.
    return minutesAtCost.map { costs in
      costs.max { ($0.value, $0.key) < ($1.value, $1.key) }!.key
    }
  }
}
