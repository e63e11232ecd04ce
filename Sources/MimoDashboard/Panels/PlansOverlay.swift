import MimoEngine
import MimoScreen

/// The plans with their money for the shown window, cheapest first, and in words which one to take.
enum PlansOverlay {
  /// Fewer plans than these give way to the words below them.
  private static let fewestPlans = 4

  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    guard let comparison = model.figures.comparison else { return }
    let entries = comparison.entries
    let words = words(model, comparison, columns: rect.columns)
    let room = max(0, rect.rows - 1 - min(entries.count, fewestPlans))
    let (list, text) = rect.splitBottom(min(words.count, room))
    let order = model.figures.listedPlans
    let selected = order.firstIndex(of: model.overlayState.selected) ?? 0
    Table(
      columns: columns(model, comparison),
      rows: zip(entries, order).map { row($0, plan: $1, model, comparison) }, selected: selected,
      scroll: Table.scroll(0, showing: selected, of: entries.count, in: max(1, list.rows - 1)),
      headerStyle: Role.tableHeader.style, selectedStyle: Role.selected.style,
      style: Role.overlay.style, glyphs: model.glyphs
    ).draw(on: &buffer, in: list)
    for (index, line) in words.prefix(text.rows).enumerated() {
      buffer.write(
        line.truncated(to: text.columns, ellipsis: model.glyphs.ellipsis), x: text.x,
        y: text.y + index)
    }
  }

  /// How many rows it would fill.
  static func rowCount(_ model: Model, columns: Int) -> Int {
    guard let comparison = model.figures.comparison else { return 1 }
    return comparison.entries.count + 1 + words(model, comparison, columns: columns).count
  }

  // MARK: - List

  private static func columns(_ model: Model, _ comparison: Comparison) -> [Table.Column] {
    [
      Table.Column("", alignment: .leading, width: 2, priority: 90),
      Table.Column("plan", minimum: 20, maximum: 42, priority: 100),
      Table.Column("money", width: 11, priority: 95),
      Table.Column(
        model.referenceIndex == nil ? "vs active" : "vs pinned", width: 11, priority: 50),
      Table.Column("credits", width: 14, priority: 40),
      Table.Column("", alignment: .leading, width: 16, priority: 45),
    ]
  }

  private static func row(
    _ entry: Comparison.Entry, plan index: Int, _ model: Model, _ comparison: Comparison
  ) -> [Span] {
    let choice = model.plans[index]
    var mark = index == model.planIndex ? String(Character(model.glyphs.pointer)) : " "
    if index == model.referenceIndex { mark += "=" }
    let isPartial = entry.requestsApart > 0 && entry.money != nil
    let credits =
      entry.plan.kind == .credits
      ? "\(NumberFormat.credits(entry.creditsUsed)) of \(NumberFormat.credits(entry.creditsIncluded))"
      : ""
    let (note, role) = note(entry, model)
    return [
      Span(mark, Role.key.style), Span(choice.name, Role.value.style),
      Span(
        NumberFormat.money(entry.money, entry.currency) + (isPartial ? "+?" : ""), Role.money.style),
      difference(entry, index, model, comparison), Span(credits, Role.plain.style),
      Span(note, role.style),
    ]
  }

  private static func difference(
    _ entry: Comparison.Entry, _ index: Int, _ model: Model, _ comparison: Comparison
  ) -> Span {
    if index == model.referenceIndex ?? model.planIndex {
      return Span("reference", Role.muted.style)
    }
    guard let difference = entry.difference else { return Span("", Role.muted.style) }
    let text = (difference > .zero ? "+" : "") + NumberFormat.money(difference, entry.currency)
    return Span(text, (difference > .zero ? Role.warning : .good).style)
  }

  private static func note(_ entry: Comparison.Entry, _ model: Model) -> (String, Role) {
    let totals = entry.totals
    if totals.requests == 0 { return ("", .muted) }
    if entry.unpricedRequests == totals.requests { return ("none of these", .muted) }
    if let credits = entry.totals.subscriptionCredits {
      return ("beside \(NumberFormat.amount(credits, .credits))", .muted)
    }
    if entry.unpricedRequests > 0 {
      return ("\(NumberFormat.count(entry.unpricedRequests)) unpriced", .muted)
    }
    if entry.fits == false { return ("does not fit", .warning) }
    if let end = entry.runsOutAt {
      return ("gone by \(PlanStrip.day(end, model).prefix(5))", .warning)
    }
    if entry.fits == true { return (entry.mapped.isEmpty ? "fits" : "fits, estimate", .good) }
    if !entry.mapped.isEmpty { return ("estimate", .muted) }
    return (entry.plan.isSubscription ? "fee of periods" : "", .muted)
  }

  // MARK: - Words

  private static func words(
    _ model: Model, _ comparison: Comparison, columns: Int
  ) -> [[Span]] {
    let words = PlanWords(clock: model.clock, now: model.now)
    var lines: [[Span]] = []
    func add(_ text: String, _ role: Role = .label) { lines.append([Span(text, role.style)]) }
    if let recommendation = comparison.recommendation {
      add(words.text(recommendation), .value)
      let active = model.tariff(model.plan)
      if let text = words.use(of: active, in: recommendation) { add(text) }
    }
    let order = model.figures.listedPlans
    if let place = order.firstIndex(of: model.overlayState.selected) {
      let entry = comparison.entries[place]
      let tariff = model.tariff(model.plans[order[place]])
      if let value = PlanValue(of: tariff, at: model.now) {
        add(words.text(value, of: entry.plan).joined(separator: "; ") + ".")
      }
      if let text = estimate(entry) { add(text, .warning) }
    }
    let hidden = model.plans.count - comparison.entries.count
    if hidden > 0 {
      add(
        "Not listed: \(NumberFormat.counted(Int64(hidden), "plan")) of sellers without any of these models.",
        .muted)
    }
    return lines.flatMap { Overlays.wrapped($0, columns: columns) }
  }

  private static func estimate(_ entry: Comparison.Entry) -> String? {
    guard let band = entry.band else { return nil }
    let range =
      entry.plan.kind == .credits
      ? "\(NumberFormat.credits(band.cost.lowerBound)) to \(NumberFormat.credits(band.cost.upperBound)) credits"
      : PlanWords.range(band.cost, entry.currency)
    let pairs = entry.mapped.map { "\($0.from) as \($0.to)" }.joined(separator: ", ")
    let reasons = PlanWords.reasons(band).joined(separator: "; ")
    return
      "Estimate \(range): \(pairs); \(reasons). Your model-classes.json says what stands for what."
  }
}
