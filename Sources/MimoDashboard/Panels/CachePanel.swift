import MimoEngine
import MimoScreen

/// The cache hit rate now and overall, and what it is worth.
enum CachePanel: Panel {
  /// How many calls read anything from the cache, and how many a proxy answered itself: neither is the hit rate.
  private static func calls(_ model: Model) -> String {
    guard let totals = model.figures.report?.totals else { return "" }
    let proxy = totals.answerCacheHits
    let reading = totals.readingRate.map { "\(NumberFormat.percent($0)) of calls" }
    return [reading, proxy > 0 ? "+\(NumberFormat.count(proxy)) by proxy" : nil]
      .compactMap { $0 }.joined(separator: " ")
  }

  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    if rect.isEmpty { return }
    let inside = model.box("Cache hit rate", trailing: [Span(calls(model), Role.muted.style)])
      .draw(on: &buffer, in: rect)
    let verdict = model.figures.verdict
    let rows: [(label: String, rate: Ratio?)] = [
      ("now (\(span(model.monitor.windowMinutes)))", verdict?.now.rate),
      ("window", model.figures.report?.totals.hitRate),
    ]
    for (index, row) in rows.enumerated() where index < inside.rows {
      let line = inside.row(index)
      let (name, bar) = line.splitLeft(10)
      buffer.write(
        row.label, x: name.x, y: name.y, style: Role.label.style, maxColumns: name.columns)
      Gauge(
        fraction: row.rate?.fraction, label: NumberFormat.percent(row.rate),
        labelPlace: .after(columns: 6),
        fill: [role(row.rate, model).style], track: Role.track.style,
        labelStyle: role(row.rate, model).style,
        glyphs: model.glyphs
      ).draw(on: &buffer, in: bar)
    }
    if inside.rows > 2 {
      let (name, chart) = inside.row(2).splitLeft(10)
      buffer.write(
        "last hour", x: name.x, y: name.y, style: Role.label.style, maxColumns: name.columns)
      hourChart(model, columns: chart.columns).draw(on: &buffer, in: chart)
    }
    if inside.rows > 3 {
      let money = (model.figures.moneyReport ?? model.figures.report)?.totals
      buffer.writePair(
        "saved by cache",
        [
          Span(
            NumberFormat.money(money?.savedByCache, model.plan.currency),
            savedRole(money?.savedByCache).style)
        ],
        in: inside.row(3))
    }
    if inside.rows > 4 {
      let (label, value) = state(model)
      buffer.writePair(label, [Span(value, Role.muted.style)], in: inside.row(4))
    }
  }

  /// A window in at most four columns: `15m`, `2h`.
  private static func span(_ minutes: Int32) -> String {
    minutes % 60 == 0 ? "\(minutes / 60)h" : "\(minutes)m"
  }

  static func role(_ rate: Ratio?, _ model: Model) -> Role {
    guard let rate else { return .muted }
    if rate < model.monitor.raiseBelow { return .rateLow }
    return rate < Ratio(60, 100)! ? .rateMiddle : .rateHigh
  }

  /// Writes to a cache that are never read cost more than they save.
  static func savedRole(_ saved: Amount?) -> Role {
    saved.map { $0 < .zero } ?? false ? .warning : .good
  }

  private static func hourChart(_ model: Model, columns: Int) -> Sparkline {
    let steps = model.figures.timeline?.steps ?? []
    let values = resampled(steps, to: columns) { sum, _ in sum.hitRate.map { $0.fraction * 100 } }
    return Sparkline(
      values, maximum: 100,
      styles: [Role.rateLow.style, Role.rateMiddle.style, Role.rateHigh.style],
      gapStyle: Role.track.style, glyphs: model.glyphs)
  }

  private static func state(_ model: Model) -> (String, String) {
    let label = "warn <\(NumberFormat.limit(model.monitor.raiseBelow))"
    if let verdict = model.figures.verdict, !verdict.isEnough, verdict.standing == nil {
      return (label, "few calls")
    }
    let alerts = Int64(model.figures.verdict?.alerts.count ?? 0)
    return (label, alerts == 0 ? "no alerts" : NumberFormat.counted(alerts, "alert") + " (a)")
  }
}

/// Sums neighbouring steps so that they fill `columns`, and takes a value of each sum and of how many
/// steps it is made of.
func resampled(_ steps: [Measures], to columns: Int, _ value: (Measures, _ count: Int) -> Double?)
  -> [Double?]
{
  guard columns > 0, !steps.isEmpty else { return [] }
  if columns >= steps.count { return steps.map { value($0, 1) } }
  return (0..<columns).map { column in
    let range = column * steps.count / columns..<(column + 1) * steps.count / columns
    var sum = Measures()
    for index in range { sum += steps[index] }
    return value(sum, range.count)
  }
}
