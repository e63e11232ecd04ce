import MimoEngine
import MimoScreen

/// Tokens of the window by class, and each class's share.
enum TokensPanel: Panel {
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    if rect.isEmpty { return }
    let inside = model.box("Tokens").draw(on: &buffer, in: rect)
    let tokens = model.figures.report?.totals.tokens ?? TokenCounts()
    let rows: [(String, Int64, Int64, Role)] = [
      ("fresh", tokens.input, tokens.prompt, .fresh),
      ("cache read", tokens.cacheRead, tokens.prompt, .cacheRead),
      ("cache write", tokens.cacheWrite5m + tokens.cacheWrite1h, tokens.prompt, .cacheWrite),
      ("output", tokens.output, tokens.prompt + tokens.output, .output),
      ("reasoning", tokens.reasoning, tokens.output, .reasoning),
    ]
    for (index, row) in rows.enumerated() where index < inside.rows {
      let (label, count, whole, role) = row
      // Shares: of the prompt, of all tokens for the output, of the output for its reasoning.
      let share = Ratio(count, whole)
      let value = TextWidth.padded(NumberFormat.percent(share), to: 6, alignment: .trailing)
      buffer.writePair(
        label, [Span(NumberFormat.count(count), role.style), Span(value, Role.muted.style)],
        in: inside.row(index))
    }
  }
}

/// Spend of the last hour; only on wide screens.
enum ActivityPanel: Panel {
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    if rect.isEmpty { return }
    let steps = model.figures.timeline?.steps ?? []
    var total = Measures()
    for step in steps { total += step }
    let trailing = [Span(model.amount(total.cost), Role.money.style)]
    let inside = model.box("Spend, last hour", trailing: trailing).draw(
      on: &buffer, in: rect)
    // Spend per minute: some columns stand for more minutes than others.
    let values = resampled(steps, to: inside.columns) { sum, minutes in
      sum.isEmpty ? nil : Double(sum.costFemto) / Double(minutes)
    }
    Sparkline(values, styles: [Role.chart.style], gapStyle: Role.track.style, glyphs: model.glyphs)
      .draw(on: &buffer, in: inside)
  }
}

/// The most wanted numbers without frames, for small screens.
enum SummaryPanel: Panel {
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    if rect.isEmpty { return }
    let figures = model.figures
    let spend = SpendPanel.lines(model)
    let tokens = figures.report?.totals.tokens ?? TokenCounts()
    func item(_ label: String, _ value: String, _ role: Role) -> [Span] {
      [Span(label + " ", Role.label.style), Span(value, role.style)]
    }
    func pair(_ line: (label: String, value: [Span])) -> [Span] {
      [Span(line.label + " ", Role.label.style)] + line.value
    }
    let rate = figures.verdict?.now.rate
    let overall = figures.report?.totals.hitRate
    let perMinute = NumberFormat.hundredths(figures.pace?.requestsPerMinuteHundredths ?? 0)
    // The most wanted first, in each line and among the lines.
    let lines = [
      [
        pair(spend[0]), pair(spend[3]),
        item("hit", NumberFormat.percent(rate), CachePanel.role(rate, model)),
      ],
      [pair(spend[1]), pair(spend[2])],
      [
        item("hit rate overall", NumberFormat.percent(overall), CachePanel.role(overall, model)),
        [Span("\(perMinute) req/min", Role.muted.style)], pair(spend[4]),
      ],
      [
        item("fresh", NumberFormat.count(tokens.input), .fresh),
        item("read", NumberFormat.count(tokens.cacheRead), .cacheRead),
        item("write", NumberFormat.count(tokens.cacheWrite5m + tokens.cacheWrite1h), .cacheWrite),
        item("out", NumberFormat.count(tokens.output), .output),
      ],
    ]
    for (index, items) in lines.enumerated() where index < rect.rows {
      // What does not fit as a whole is left out: a cut number would be a wrong one.
      var line: [Span] = []
      for item in items where line.columns + item.columns <= rect.columns {
        line += item + [Span("  ")]
      }
      buffer.write(line, x: rect.x, y: rect.y + index, maxColumns: rect.columns)
    }
  }
}
