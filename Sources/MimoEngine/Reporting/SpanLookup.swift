/// The rates of series under one tariff, asked for once in each stretch: what a session or a project is
/// called changes no price.
struct SpanLookup {
  /// Which series have the same prices at all times: the place of each in `spans`.
  let keys: [Int]
  private let pricer: Pricer
  private var spans: [RateSpan?]
  /// By key: whether the rates count another unit than the tariff.
  private var isForeign: [Bool]

  init(_ snapshot: UsageSnapshot, tariff: Tariff) {
    let pricer = Pricer(snapshot, tariff: tariff)
    var places: [Series: Int] = [:]
    var isForeign: [Bool] = []
    keys = snapshot.cube.series.indices.map { index in
      let series = snapshot.cube.series[index]
      var key = series
      (key.labels.project, key.labels.session, key.labels.source) = (.none, .none, .none)
      let place = places[key] ?? places.count
      if place == places.count {
        places[key] = place
        isForeign.append(pricer.unit(ofSeries: index) != tariff.unit)
      }
      return place
    }
    spans = Array(repeating: nil, count: places.count)
    self.pricer = pricer
    self.isForeign = isForeign
  }

  /// Whether calls of a series cost credits of a subscription where the tariff counts money: no sum of money
  /// has a place for them.
  func isOnSubscription(_ series: Int) -> Bool { isForeign[keys[series]] }

  mutating func span(ofSeries series: Int, at minute: Minute) -> RateSpan {
    if let span = spans[keys[series]], span.from <= minute, minute < span.until { return span }
    let span = pricer.span(ofSeries: series, at: minute)
    spans[keys[series]] = span
    return span
  }
}
