import MimoEngine
import MimoScreen

/// One line about the subscription's period: used, left, when it ends and whether it lasts.
enum PlanStrip: Panel {
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    guard !rect.isEmpty, let status = model.figures.status else { return }
    let lines = [items(status, model, isShort: false), items(status, model, isShort: true)]
    var spans: [Span] = []
    // In full where there is room, else in short and without the last ones: never a cut number.
    for item in lines.first(where: { columns($0) <= rect.columns }) ?? lines[1] {
      if spans.columns + item.columns > rect.columns { break }
      spans += item + [Span("  ")]
    }
    buffer.write(spans, x: rect.x, y: rect.y, maxColumns: rect.columns)
  }

  private static func columns(_ items: [[Span]]) -> Int {
    items.reduce(-2) { $0 + $1.columns + 2 }
  }

  /// Labels with their values, the most wanted first.
  private static func items(_ status: PlanStatus, _ model: Model, isShort: Bool) -> [[Span]] {
    var items: [[Span]] = []
    func add(_ label: String, _ value: String, _ role: Role = .value) {
      items.append([Span(label + " ", Role.label.style), Span(value, role.style)])
    }
    let isOver = status.left.map { $0 < .zero } ?? false
    if let included = status.included {
      let share = NumberFormat.percent(status.usedRatio)
      let sum = "\(NumberFormat.credits(status.used)) of \(NumberFormat.credits(included)) cr"
      add("used", isShort ? share : "\(sum) (\(share))", isOver ? .critical : .value)
      add(
        isOver ? "over by" : "left",
        NumberFormat.credits(isOver ? .zero - status.left! : status.left!),
        isOver ? .critical : .value)
    } else if model.plan.plan.kind == .credits {
      add("credits", NumberFormat.unknown)
    }
    if let end = status.runsOutAt, !isOver {
      let day = day(end, model)
      add("gone by", isShort ? String(day.prefix(5)) : "\(day) at this pace", .warning)
    } else if !isShort, status.included != nil, !isOver, let pace = status.perDay {
      add("lasts at", "\(NumberFormat.credits(pace)) a day")
    }
    let hours = (status.resetsAt.milliseconds - model.now.milliseconds) / 3_600_000
    let day = day(status.resetsAt, model)
    add(
      "renews",
      isShort ? String(day.prefix(5)) : "\(day) (\(NumberFormat.span(seconds: hours * 3600)))")
    add("fee", NumberFormat.money(status.fee, model.plan.currency), .money)
    if status.requestsNotOnPlan > 0 {
      add("not on it", NumberFormat.counted(status.requestsNotOnPlan, "call"), .warning)
    }
    return items
  }

  /// A day and time without seconds, the year left out.
  static func day(_ instant: Instant, _ model: Model) -> String {
    let text = model.clock.text(instant)
    return "\(text.dropFirst(5).prefix(5)) \(text.dropFirst(11).prefix(5))"
  }
}
