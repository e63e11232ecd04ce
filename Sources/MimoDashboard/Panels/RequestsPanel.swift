import MimoEngine
import MimoScreen

/// The latest calls, newest first, with what each cost.
enum RequestsPanel: Panel {
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    if rect.isEmpty { return }
    // The rows chosen in the table do not choose among these.
    let trailing = model.filters.isEmpty ? [] : [Span("of all", Role.muted.style)]
    let inside = model.box(
      "Last requests", trailing: trailing, isFocused: model.focus == .requests
    ).draw(on: &buffer, in: rect)
    let calls = model.snapshot.recent
    guard !calls.isEmpty else {
      buffer.write(
        "none yet", x: inside.x, y: inside.y, style: Role.muted.style, maxColumns: inside.columns)
      return
    }
    let credits = model.countsCredits
    var columns = [
      Table.Column("time", alignment: .leading, width: 8, priority: 90),
      Table.Column("model", minimum: 16, maximum: 40, weight: 2, priority: 100),
      Table.Column("project", minimum: 10, weight: 2, priority: 20, keeping: .end),
      Table.Column("session", minimum: 8, maximum: 36, weight: 1, priority: 10),
      Table.Column("fresh", width: 6, priority: 60), Table.Column("read", width: 6, priority: 55),
      Table.Column("write", width: 6, priority: 30), Table.Column("output", width: 6, priority: 50),
      Table.Column("hit rate", width: 8, priority: 70),
      Table.Column(credits ? "credits" : "cost", width: 11, priority: 95),
    ]
    if credits { columns.append(Table.Column("list price", width: 11, priority: 65)) }
    columns.append(Table.Column("took", width: 7, priority: 25))
    let visible = max(1, inside.rows - 1)
    let selected = min(model.state(.requests).selected, calls.count - 1)
    let scroll = Table.scroll(0, showing: selected, of: calls.count, in: visible)
    // Only what is seen is priced.
    let first = max(0, calls.count - scroll - visible)
    let shown = calls[first..<calls.count - scroll].reversed()
    let pricer = Pricer(model.snapshot, tariff: model.tariff(model.plan))
    let moneyPricer = credits ? Pricer(model.snapshot, tariff: model.moneyTariff) : nil
    let table = Table(
      columns: columns,
      rows: shown.map { call in
        let series = model.snapshot.cube.series[Int(call.series)]
        let told = !series.flags.contains(.cacheUnknown)
        let rate = told ? Ratio(call.tokens.cacheRead, call.tokens.prompt) : nil
        let bill = pricer.bill(of: call)
        let isBilled = !call.failed || !call.tokens.isZero
        var cells = [
          Span(time(of: call, model), Role.muted.style),
          Span(model.name(series.labels.model), Role.value.style),
          Span(model.name(series.labels.project, ""), Role.plain.style),
          Span(model.name(series.labels.session, ""), Role.muted.style),
          Span(NumberFormat.count(call.tokens.input), Role.fresh.style),
          Span(NumberFormat.count(call.tokens.cacheRead), Role.cacheRead.style),
          Span(
            NumberFormat.count(call.tokens.cacheWrite5m + call.tokens.cacheWrite1h),
            Role.cacheWrite.style),
          Span(NumberFormat.count(call.tokens.output), Role.output.style),
          Span(
            call.failed ? "failed" : NumberFormat.percent(rate),
            (call.failed ? Role.critical : CachePanel.role(rate, model)).style),
          isBilled
            ? Span(
              bill.map { NumberFormat.amount($0.amount, $0.unit) } ?? "no price",
              (bill == nil ? Role.warning : Role.money).style) : Span(""),
        ]
        if let moneyPricer {
          let money = NumberFormat.money(
            moneyPricer.bill(of: call)?.amount, model.plan.currency)
          cells.append(Span(isBilled ? money : "", Role.value.style))
        }
        let took = call.durationMilliseconds.map {
          $0 < 60_000
            ? "\($0 / 1000).\($0 / 100 % 10)s" : NumberFormat.span(seconds: Int64($0) / 1000)
        }
        cells.append(Span(took ?? "", Role.muted.style))
        return cells
      }, selected: model.focus == .requests ? selected - scroll : nil, gap: 1,
      headerStyle: Role.tableHeader.style,
      selectedStyle: Role.selected.style, glyphs: model.glyphs)
    table.draw(on: &buffer, in: inside)
  }

  /// The time of day, or the day if it is another than today.
  private static func time(of call: RecentCall, _ model: Model) -> String {
    model.clock.day(of: call.time.minute) == model.clock.day(of: model.now.minute)
      ? model.clock.timeOfDay(call.time) : String(PlanStrip.day(call.time, model).prefix(5))
  }
}
