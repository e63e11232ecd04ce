import MimoEngine
import MimoScreen

/// What another cache hit rate would have cost: the price of prompt tokens as a curve over the hit rate,
/// where the usage stands on it, and where it crosses the pinned plan.
enum WhatIfOverlay {
  /// The straight line of a plan, and what the screen calls it.
  struct Curve {
    var name: String
    var line: HitRateLine
  }

  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    guard let curve = curve(of: model.plan, model), let actual = rate(model) else {
      let text =
        "This needs usage whose log tells about the cache, and a price for all of it. m prices models a plan does not sell."
      for (index, line) in Overlays.wrapped([Span(text, Role.label.style)], columns: rect.columns)
        .prefix(rect.rows).enumerated()
      { buffer.write(line, x: rect.x, y: rect.y + index) }
      return
    }
    let other = model.referenceIndex.flatMap { index in
      index == model.planIndex ? nil : self.curve(of: model.plans[index], model)
    }.flatMap { isComparable(model) ? $0 : nil }
    let lines = words(model, curve, other, actual).flatMap {
      Overlays.wrapped($0, columns: rect.columns)
    }
    let (chart, text) = rect.splitTop(max(0, rect.rows - lines.count))
    drawChart(model, curve, other, actual, on: &buffer, in: chart)
    for (index, line) in lines.enumerated() where index < text.rows {
      buffer.write(
        line.truncated(to: text.columns, ellipsis: model.glyphs.ellipsis), x: text.x,
        y: text.y + index)
    }
  }

  /// The hit rate that is assumed: as chosen, else as it was.
  static func assumed(_ model: Model) -> Ratio? {
    model.assumedPoints.map { Ratio(Int64($0), 100)! } ?? rate(model)
  }

  private static func rate(_ model: Model) -> Ratio? { model.figures.report?.totals.hitRate }

  /// The line of a plan over the shown window. Of a subscription it is the fee.
  private static func curve(of choice: PlanChoice, _ model: Model) -> Curve? {
    let isActive = choice.name == model.plan.name
    if choice.plan.isSubscription {
      if isActive {
        // What the fee stands against: the same usage at list prices.
        guard let totals = model.figures.moneyReport?.totals, let line = HitRateLine(totals) else {
          return nil
        }
        return Curve(name: "\(model.plans[0].name) (list prices)", line: line)
      }
      guard let fee = model.figures.reference?.money, let totals = model.figures.report?.totals
      else { return nil }
      return Curve(
        name: choice.name + " (fee)",
        line: HitRateLine(fee: fee, promptTokens: totals.tokens.prompt))
    }
    let totals =
      isActive
      ? model.figures.report?.totals
      : Report(
        of: model.snapshot, tariff: model.tariff(choice), window: model.minutes,
        clock: model.clock, filters: model.filters
      ).totals
    return totals.flatMap(HitRateLine.init).map { Curve(name: choice.name, line: $0) }
  }

  private static func isComparable(_ model: Model) -> Bool {
    model.referenceIndex.map { model.plans[$0].currency == model.plan.currency } ?? false
  }

  // MARK: - Words

  private static func words(
    _ model: Model, _ curve: Curve, _ other: Curve?, _ actual: Ratio
  ) -> [[Span]] {
    let currency = model.plan.currency
    func money(_ amount: Amount?) -> String { NumberFormat.money(amount, currency) }
    let assumed = assumed(model) ?? actual
    let real = curve.line.cost(at: actual)
    let supposed = curve.line.cost(at: assumed)
    let change = supposed - real
    func line(_ label: String, _ value: String, _ role: Role = .value) -> [Span] {
      [Span(TextWidth.padded(label, to: 16), Role.label.style), Span(value, role.style)]
    }
    var lines = [
      line(
        "\(model.windowName), \(NumberFormat.percent(actual))",
        "\(money(real)), \(money(curve.line.pricePerMillion(at: actual))) per million prompt tokens"
      ),
      line(
        "at \(NumberFormat.percent(assumed))",
        "\(money(supposed)) (\(change > .zero ? "+" : "")\(money(change))), \(money(curve.line.pricePerMillion(at: assumed))) per million; < and > move it",
        change > .zero ? .warning : .good),
      line("one point", "is worth \(money(curve.line.worthOfOnePoint)) over \(model.windowName)"),
    ]
    if let worth = model.figures.hitRateWorth {
      let texts = PlanWords(clock: model.clock, now: model.now).text(worth, currency)
      lines.append(line("present pace", texts.joined(separator: "; ")))
    }
    if let other {
      let crossing = curve.line.crossing(other.line)
      let text =
        crossing.map {
          "\(curve.name) and \(other.name) cost the same at \(NumberFormat.percent($0))"
        }
        ?? "\(cheaper(curve, other)) is cheaper at every hit rate"
      lines.append(line("break-even", text, .money))
    } else {
      lines.append(
        line("break-even", "pin a plan of the same currency with = to compare with it", .muted))
    }
    return lines
  }

  private static func cheaper(_ a: Curve, _ b: Curve) -> String {
    let half = Ratio(1, 2)!
    return a.line.cost(at: half) <= b.line.cost(at: half) ? a.name : b.name
  }

  // MARK: - Chart

  private static func drawChart(
    _ model: Model, _ curve: Curve, _ other: Curve?, _ actual: Ratio,
    on buffer: inout CellBuffer, in rect: Rect
  ) {
    guard rect.rows >= 5, rect.columns >= 24 else { return }
    let (head, body) = rect.splitTop(1)
    let (plot, axis) = body.splitBottom(1)
    func price(_ curve: Curve, _ column: Int) -> Double {
      let rate = Ratio(Int64(column), Int64(max(1, plot.columns - 1)))!
      return Double(curve.line.pricePerMillion(at: rate)?.atto ?? 0)
    }
    let columns = 0..<plot.columns
    let highest = columns.map { max(price(curve, $0), other.map { price($0, 0) } ?? 0) }.max() ?? 1
    let top = max(
      highest, other.map { other in columns.map { price(other, $0) }.max() ?? 0 } ?? 0, 1)
    var legend = [Span("* \(curve.name)", Role.money.style)]
    if let other { legend.append(Span("   o \(other.name)", Role.output.style)) }
    legend.append(Span("   price per million prompt tokens over hit rate", Role.muted.style))
    buffer.write(
      legend.truncated(to: head.columns, ellipsis: model.glyphs.ellipsis), x: head.x, y: head.y)
    let here = Int((actual.fraction * Double(plot.columns - 1)).rounded())
    let there = assumed(model).map { Int(($0.fraction * Double(plot.columns - 1)).rounded()) }
    for y in 0..<plot.rows {
      buffer.put(model.glyphs.vertical, x: plot.x + here, y: plot.y + y, style: Role.muted.style)
      if let there, there != here {
        buffer.put(":", x: plot.x + there, y: plot.y + y, style: Role.warning.style)
      }
    }
    func put(_ curve: Curve, _ sign: Unicode.Scalar, _ role: Role) {
      for column in columns {
        let level = price(curve, column) / top * Double(plot.rows - 1)
        buffer.put(
          sign, x: plot.x + column, y: plot.endY - 1 - Int(level.rounded()), style: role.style)
      }
    }
    if let other { put(other, "o", .output) }
    put(curve, "*", .money)
    buffer.write("0%", x: axis.x, y: axis.y, style: Role.muted.style)
    buffer.write("100%", x: axis.endX - 4, y: axis.y, style: Role.muted.style)
    let label = "you are here"
    let x = max(axis.x + 4, min(plot.x + here - label.count / 2, axis.endX - 5 - label.count))
    buffer.write(label, x: x, y: axis.y, style: Role.value.style)
  }
}
