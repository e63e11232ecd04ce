import MimoEngine
import MimoScreen

/// The table: usage by model, project, session, ...
enum BreakdownPanel: Panel {
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    if rect.isEmpty { return }
    let title =
      "By \(model.grouping.rawValue)"
      + model.filters.map {
        " \($0.grouping.rawValue)=\($0.value.isEmpty ? "(not stated)" : $0.value)"
      }.joined()
    let isAscending = (model.sorting == .name) != model.isSortingReversed
    let sign = isAscending ? model.glyphs.ascending : model.glyphs.descending
    let order = "\(model.sorting.rawValue) \(Character(sign))"
    let inside = model.box(
      title, trailing: [Span(order, Role.muted.style)], isFocused: model.focus == .breakdown
    ).draw(on: &buffer, in: rect)
    let rows = model.figures.rows
    guard !rows.isEmpty else { return drawEmpty(model, on: &buffer, in: inside) }
    let table = table(model, visible: inside.rows - 1)
    table.draw(on: &buffer, in: inside)
  }

  static func table(_ model: Model, visible: Int) -> Table {
    let rows = model.figures.rows
    let credits = model.countsCredits
    var columns: [Table.Column] = [
      Table.Column(
        model.grouping.rawValue, minimum: 15, weight: 1, priority: 100,
        keeping: model.grouping == .project ? .end : .start),
      Table.Column("requests", width: 9, priority: 40),
      Table.Column("fresh", width: 6, priority: 60),
      Table.Column("read", width: 6, priority: 55), Table.Column("write", width: 6, priority: 20),
      Table.Column("output", width: 6, priority: 50),
      Table.Column("reason", width: 6, priority: 10),
      Table.Column("hit rate", width: 9, priority: 80),
      Table.Column(credits ? "credits" : "cost", width: 12, priority: 90),
    ]
    if credits { columns.append(Table.Column("list price", width: 11, priority: 70)) }
    columns.append(Table.Column("share", width: 6, priority: 15))
    columns.append(Table.Column("saved", width: 10, priority: 5))
    let total = model.figures.report?.totals.costFemto ?? 0
    let sortColumn: [BreakdownColumn: Int] = [
      .cost: 8, .requests: 1, .hitRate: 7, .name: 0,
    ]
    let state = model.state(.breakdown)
    let selected = min(state.selected, rows.count - 1)
    return Table(
      columns: columns,
      rows: rows.map { row in
        let sums = row.measures
        let isUnpriced = sums.cost == nil && sums.subscriptionCredits == nil
        var cells = [
          Span(row.key ?? "(not stated)", row.key == nil ? Role.muted.style : Role.value.style),
          Span(NumberFormat.count(sums.requests), Role.plain.style),
          Span(NumberFormat.count(sums.tokens.input), Role.fresh.style),
          Span(NumberFormat.count(sums.tokens.cacheRead), Role.cacheRead.style),
          Span(
            NumberFormat.count(sums.tokens.cacheWrite5m + sums.tokens.cacheWrite1h),
            Role.cacheWrite.style),
          Span(NumberFormat.count(sums.tokens.output), Role.output.style),
          Span(NumberFormat.count(sums.tokens.reasoning), Role.reasoning.style),
          Span(NumberFormat.percent(sums.hitRate), CachePanel.role(sums.hitRate, model).style),
          Span(model.cost(sums), (isUnpriced ? Role.warning : Role.money).style),
        ]
        if credits {
          cells.append(Span(NumberFormat.money(row.money, model.plan.currency), Role.value.style))
        }
        let share = Ratio(wide: sums.costFemto, over: total)
        cells.append(Span(sums.cost == nil ? "" : NumberFormat.percent(share), Role.muted.style))
        let saved = credits ? nil : sums.savedByCache
        cells.append(
          Span(
            saved == nil ? "" : NumberFormat.money(saved, model.plan.currency),
            CachePanel.savedRole(saved).style))
        return cells
      }, selected: model.focus == .breakdown ? selected : nil,
      scroll: Table.scroll(0, showing: selected, of: rows.count, in: visible),
      // All tokens together have no column.
      sorting: sortColumn[model.sorting].map {
        Table.Sorting(
          column: $0, isAscending: (model.sorting == .name) != model.isSortingReversed)
      },
      gap: 1, headerStyle: Role.tableHeader.style, sortedStyle: Role.tableSorted.style,
      selectedStyle: Role.selected.style, glyphs: model.glyphs)
  }

  /// What to say while there is nothing to show: where we look, and what the user can do.
  private static func drawEmpty(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    var lines: [String] = []
    let foreign = model.ingest.files.filter { $0.lines > 0 && $0.formats.isEmpty }
    if model.ingest.reading != nil || model.isHistoryMissing {
      lines.append("Reading...")
    } else if !model.filters.isEmpty {
      lines.append("No usage of this selection in this window. Esc shows all rows again.")
    } else if model.snapshot.cube.span != nil {
      lines.append(
        "No usage in this window (\(model.windowName)). w shows another, [ an earlier one.")
    } else if !foreign.isEmpty, foreign.count == model.ingest.files.count {
      lines.append("No line of a known format in:")
      lines += foreign.prefix(4).map {
        "  \($0.path) (\(NumberFormat.counted(Int64($0.lines), "line")))"
      }
      lines.append("--map reads lines of any JSON form: see mimo-top help dashboard")
    } else {
      lines.append("No usage yet. Waiting for logs in:")
      lines += model.ingest.sources.map { "  \($0)" }
      lines += ["Name a log on the command line, or try: mimo-top --demo"]
    }
    for (index, line) in (lines + model.ingest.errors).enumerated() where index < rect.rows {
      buffer.write(
        line, x: rect.x, y: rect.y + index, style: Role.label.style, maxColumns: rect.columns)
    }
  }
}
