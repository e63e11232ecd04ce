extension UsageSnapshot {
  /// The same usage in a few thousand cells, which prices like the whole under each of `tariffs`.
  ///
  /// Projects, sessions, sources and what tells keys apart are dropped, and minutes merge wherever no tariff tells them
  /// apart: within hours of constant rates, and over the days between two edges. Pricing a plan takes
  /// microseconds then. Sums over any range of minutes whose ends are edges are exactly those of the whole;
  /// the earliest minute with usage between two edges stays as it is. There are no latest calls.
  ///
  /// - Parameters:
  ///   - edges: minutes that are not merged with those before them, beside those at which prices change.
  ///   - filters: only calls that meet all of them are taken.
  ///   - cacheMinutes: if given, a read that comes this long or longer after the request before it in its
  ///     session becomes a write: what a cache of that lifetime would have done.
  ///
  /// Cost: linear in the cells, about twice that of pricing one plan.
  public func condensed(
    for tariffs: [Tariff], edges: Set<Minute>, filters: [UsageFilter] = [],
    clock: LocalClock = .utc, cacheMinutes: Int32? = nil
  ) -> UsageSnapshot {
    guard let tariff = tariffs.first else { return self }
    let (pricedSeries, places) = priced(under: tariffs)
    var priceEdges = PriceEdges()
    for edge in edges { priceEdges.add(edge) }
    for tariff in tariffs { priceEdges.add(tariff.plan) }
    for labels in Set(pricedSeries.map(\.labels)) {
      for tariff in tariffs {
        if let model = Pricer(self, tariff: tariff).match(
          Series(labels: labels, tier: .standard, band: 0, flags: []))
        {
          priceEdges.add(model, under: tariff)
        }
      }
    }
    let selection = CallSelection(
      Labeller(self, book: tariff.book, clock: clock), filters)
    var condenser = Condenser(self, pricedSeries, places, Stretches(priceEdges), selection)
    condenser.takeAll(lateReads: cacheMinutes.map { LateReads(cube, cacheMinutes: $0) })
    return condenser.result
  }

  /// The series without what no price and no hit rate depends on, each once, and the place there of each series.
  private func priced(under tariffs: [Tariff]) -> (series: [Series], places: [UInt32]) {
    let prefixes = Set(
      tariffs.flatMap { $0.plan.recognised.compactMap(\.keyPrefix) }
        + tariffs.prefix(1).flatMap { $0.book.providers.compactMap(\.keyPrefix) })
    var keys: [Set<String>: NameID] = [:]
    var known: [Series: UInt32] = [:]
    var result: [Series] = []
    let places = cube.series.map { series in
      var series = series
      // Of keys that begin alike, one stands for all.
      let beginnings = prefixes.filter { names[series.labels.key].hasPrefix($0) }
      let key = beginnings.isEmpty ? .none : keys[beginnings] ?? series.labels.key
      keys[beginnings] = key
      series.labels = Labels(
        model: series.labels.model, provider: series.labels.provider, key: key)
      series.flags.remove(.opensConversation)
      if known[series] == nil {
        known[series] = UInt32(result.count)
        result.append(series)
      }
      return known[series]!
    }
    return (result, places)
  }
}

/// Time cut at edges into stretches of constant prices; stretches alike on different days are of one class.
private struct Stretches {
  private struct Class: Hashable {
    var segment: Int
    var time: Int
    var signature: UInt64
  }

  private let edges: [Int32]
  private let times: [Int32]
  private let dayRules: [PriceEdges.DayRule]
  private var classes: [Class: Int] = [:]
  private var known: [Int32: Int] = [:]
  /// Cells of one time mostly stand together.
  private var last: (minutes: Range<Int32>, place: Int) = (0..<0, 0)

  init(_ edges: PriceEdges) {
    self.edges = ([.min] + edges.minutes.map(\.number)).sorted()
    times = edges.timesOfDay.sorted()
    dayRules = Array(edges.dayRules)
  }

  /// The stretch that holds a minute, and its class.
  mutating func stretch(around minute: Minute) -> (minutes: Range<Int32>, place: Int) {
    let number = minute.number
    if last.minutes.contains(number) { return last }
    let segment = Self.last(edges, notAfter: number)
    let day = floorDivide(number, 1440)
    let time = Self.last(times, notAfter: number - day * 1440)
    let end = time + 1 < times.count ? times[time + 1] : 1440
    // In 64 bits: the last day that can be counted ends behind the last minute that can.
    let from = max(Int64(edges[segment]), Int64(day) * 1440 + Int64(times[time]))
    let until = min(
      segment + 1 < edges.count ? Int64(edges[segment + 1]) : .max, Int64(day) * 1440 + Int64(end))
    let minutes = Int32(clamping: from)..<Int32(clamping: until)
    if let place = known[minutes.lowerBound] {
      last = (minutes, place)
      return last
    }
    let key = Class(segment: segment, time: time, signature: signature(day, at: minute))
    let place = classes[key] ?? classes.count
    classes[key] = place
    known[minutes.lowerBound] = place
    last = (minutes, place)
    return last
  }

  private func signature(_ day: Int32, at minute: Minute) -> UInt64 {
    // More rules than fit are not worth telling apart: then no two days are alike.
    guard dayRules.count <= 21 else { return UInt64(bitPattern: Int64(day)) }
    return dayRules.reduce(0) { $0 << 3 | $1.signature(at: minute) }
  }

  private static func last(_ sorted: [Int32], notAfter value: Int32) -> Int {
    var (low, high) = (0, sorted.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if sorted[middle] <= value { low = middle } else { high = middle }
    }
    return low
  }
}

/// Adds cells up by condensed series and class of time.
private struct Condenser {
  private struct Spot {
    var from = Int32.max
    var until = Int32.min
    var target = -1
  }

  private let source: UsageSnapshot
  private let selection: CallSelection
  private var stretches: Stretches
  private let series: [Series]
  private let seriesOf: [UInt32]
  /// The cell of each condensed series, by class of time; -1 if there is none yet.
  private var targets: [[Int]] = []
  private var cells: [UsageCell] = []
  private var stated: [StatedCost] = []
  private var quantities: [Quantities] = []

  init(
    _ source: UsageSnapshot, _ series: [Series], _ places: [UInt32], _ stretches: Stretches,
    _ selection: CallSelection
  ) {
    self.source = source
    self.series = series
    seriesOf = places
    self.stretches = stretches
    self.selection = selection
  }

  mutating func takeAll(lateReads: LateReads?) {
    var late = lateReads
    var spots = Array(repeating: Spot(), count: source.cube.series.count)
    var number = -1
    source.cube.forEachChunk { chunk in
      number += 1
      let hasStated = !chunk.stated.isEmpty
      let hasQuantities = !chunk.quantities.isEmpty
      chunk.cells.withUnsafeBufferPointer { buffer in
        for index in buffer.indices where buffer[index].requests | buffer[index].errors != 0 {
          let place = Int(buffer[index].series)
          let minute = buffer[index].minute
          if minute.number < spots[place].from || minute.number >= spots[place].until {
            spots[place] = spot(place, minute)
          }
          var target = spots[place].target
          guard target >= 0 else { continue }
          if cells[target].requests > .max - buffer[index].requests
            || cells[target].errors > .max - buffer[index].errors
          {
            target = open(cells[target].series)
            spots[place].target = target
          }
          cells[target].minute = min(cells[target].minute, minute)
          cells[target].requests &+= buffer[index].requests
          cells[target].errors &+= buffer[index].errors
          cells[target].tokens += buffer[index].tokens
          if late != nil {
            let reads = late!.reads(of: buffer[index], chunk: number, index: index)
            cells[target].tokens.cacheRead &-= reads
            cells[target].tokens.cacheWrite5m &+= reads
          }
          if hasStated {
            stated[target].amount += chunk.stated[index].amount
            stated[target].calls += chunk.stated[index].calls
          }
          if hasQuantities { quantities[target].add(chunk.quantities[index]) }
        }
      }
    }
  }

  private mutating func spot(_ place: Int, _ minute: Minute) -> Spot {
    let (isAdmitted, minutes) = selection.admits(place, minute)
    guard isAdmitted else {
      return Spot(from: minutes.lowerBound.number, until: minutes.upperBound.number, target: -1)
    }
    let (stretch, time) = stretches.stretch(around: minute)
    while targets.count <= time { targets.append(Array(repeating: -1, count: series.count)) }
    let number = Int(seriesOf[place])
    if targets[time][number] < 0 { targets[time][number] = open(seriesOf[place]) }
    let target = targets[time][number]
    return Spot(
      from: max(stretch.lowerBound, minutes.lowerBound.number),
      until: min(stretch.upperBound, minutes.upperBound.number), target: target)
  }

  private mutating func open(_ series: UInt32) -> Int {
    cells.append(
      UsageCell(
        minute: .distantFuture, series: series, requests: 0, errors: 0, tokens: TokenCounts()))
    stated.append(StatedCost())
    quantities.append(Quantities())
    return cells.count - 1
  }

  var result: UsageSnapshot {
    var cube = UsageCube(promptEdges: source.cube.promptEdges)
    cube.series = series
    let hasStated = stated.contains { $0.calls != 0 }
    let hasQuantities = quantities.contains { !$0.isZero }
    for start in stride(from: 0, to: cells.count, by: CellChunk.capacity) {
      let range = start..<min(cells.count, start + CellChunk.capacity)
      var chunk = CellChunk()
      chunk.cells = Array(cells[range])
      if hasStated { chunk.stated = Array(stated[range]) }
      if hasQuantities { chunk.quantities = Array(quantities[range]) }
      chunk.firstMinute = chunk.cells.map(\.minute).min() ?? chunk.firstMinute
      chunk.lastMinute = chunk.cells.map(\.minute).max() ?? chunk.lastMinute
      cube.chunks.append(chunk)
    }
    return UsageSnapshot(
      cube: cube, names: source.names, recent: [], revision: source.revision)
  }
}
