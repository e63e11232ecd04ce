import MimoEngine
import MimoScreen

/// What was spent today, this month and in the window, and how fast it goes on.
enum SpendPanel: Panel {
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    if rect.isEmpty { return }
    let requests = NumberFormat.hundredths(model.figures.pace?.requestsPerMinuteHundredths ?? 0)
    let inside = model.box("Spend", trailing: [Span("\(requests) req/min", Role.muted.style)])
      .draw(on: &buffer, in: rect)
    for (index, line) in lines(model).enumerated() where index < inside.rows {
      buffer.writePair(line.label, line.value, in: inside.row(index))
    }
  }

  /// The lines of the card, the most wanted first.
  static func lines(_ model: Model) -> [(label: String, value: [Span])] {
    let figures = model.figures
    var lines: [(String, [Span])] = [
      ("today", sums(figures.today, model)),
      ("month", sums(figures.month, model)),
      (
        // Rows chosen in the table narrow the window's numbers, but not those of today and the month.
        model.filters.isEmpty ? model.shortWindowName : "selected",
        sums(figures.report?.totals ?? Measures(), model, money: figures.moneyReport?.totals.cost)
      ),
    ]
    var now = [Span("\(model.amount(figures.pace?.costPerHour))/h", Role.money.style)]
    if let money = figures.moneyPace {
      now.append(
        Span("  \(NumberFormat.money(money.costPerHour, model.plan.currency))/h", Role.value.style))
    }
    lines.append(("now", now))
    lines.append(last(model))
    return lines
  }

  private static func sums(_ sums: Measures, _ model: Model, money: Amount? = nil) -> [Span] {
    let isOnCredits = sums.cost == nil && sums.subscriptionCredits != nil
    var spans = isOnCredits ? [] : [Span(model.amount(sums.cost), Role.money.style)]
    if model.countsCredits, let money {
      spans.append(Span("  \(NumberFormat.money(money, model.plan.currency))", Role.value.style))
    }
    if let credits = sums.subscriptionCredits {
      spans.append(Span("  \(NumberFormat.amount(credits, .credits))", Role.value.style))
    }
    // The sum is a lower bound, and says so: logs are still read, or a part of the calls has no price.
    if model.ingest.reading != nil {
      spans.append(Span(" + \(Character(model.glyphs.ellipsis))", Role.warning.style))
    } else if sums.unpricedRequests > 0, sums.cost != nil {
      spans.append(Span(" + ?", Role.warning.style))
    }
    return spans
  }

  /// The difference to the reference plan, else what the logs themselves state, else what has no price.
  private static func last(_ model: Model) -> (String, [Span]) {
    if let index = model.referenceIndex, let reference = model.figures.reference {
      return (
        "vs \(model.plans[index].name)",
        index == model.planIndex
          ? [Span("the same", Role.value.style)] : difference(model.activeQuote, reference)
      )
    }
    let totals = model.figures.report?.totals ?? Measures()
    if totals.unpricedRequests > 0 {
      return (
        "no price",
        [Span(NumberFormat.counted(totals.unpricedRequests, "request"), Role.warning.style)]
      )
    }
    if totals.statedCalls > 0 {
      return (
        "stated by logs", [Span(NumberFormat.money(totals.statedCost, .usd), Role.value.style)]
      )
    }
    return ("failed calls", [Span(NumberFormat.count(totals.errors), Role.muted.style)])
  }

  /// How much more or less a plan costs than the reference; unknown across currencies.
  static func difference(_ quote: Figures.Quote?, _ reference: Figures.Quote) -> [Span] {
    guard let quote, quote.currency == reference.currency, let money = quote.money,
      let base = reference.money,
      quote.unpricedRequests == 0, reference.unpricedRequests == 0
    else { return [Span(NumberFormat.unknown, Role.muted.style)] }
    let difference = money - base
    if difference == .zero { return [Span("the same", Role.value.style)] }
    let text = (difference > .zero ? "+" : "") + NumberFormat.money(difference, quote.currency)
    return [Span(text, (difference > .zero ? Role.warning : Role.good).style)]
  }
}
