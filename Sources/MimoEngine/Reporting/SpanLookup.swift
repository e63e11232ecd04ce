/// The rates of series under one tariff, asked for once in each stretch: what a session or a project is
/// called changes no price.
struct SpanLookup {
  /// Which series have the same prices at all times: the place of each in `spans`.
  let keys: [Int]
  private let pricer: Pricer
  private var spans: [RateSpan?]

  init(_ snapshot: UsageSnapshot, tariff: Tariff) {
    pricer = Pricer(snapshot, tariff: tariff)
    var places: [Series: Int] = [:]
    keys = snapshot.cube.series.map { series in
      var key = series
      (key.labels.project, key.labels.session, key.labels.source) = (.none, .none, .none)
      let place = places[key] ?? places.count
      places[key] = place
      return place
    }
    spans = Array(repeating: nil, count: places.count)
  }

  mutating func span(ofSeries series: Int, at minute: Minute) -> RateSpan {
    if let span = spans[keys[series]], span.from <= minute, minute < span.until { return span }
    let span = pricer.span(ofSeries: series, at: minute)
    spans[keys[series]] = span
    return span
  }
}
