import MimoEngine
import MimoScreen

/// One line about the subscription's period: used, left, when it ends and whether it lasts.
enum PlanStrip: Panel {
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    if rect.isEmpty { return }
    guard let status = model.figures.status else {
      buffer.write(
        estimate(model).truncated(to: rect.columns, ellipsis: model.glyphs.ellipsis), x: rect.x,
        y: rect.y)
      return
    }
    // The longest form in which the forecast and the renewal fit; the rest is left out, never cut.
    let forms = Form.allCases.map { items(status, model, $0) }
    let chosen = forms.first { columns($0.prefix(4)) <= rect.columns } ?? forms.last!
    var spans: [Span] = []
    for item in chosen {
      if spans.columns + item.columns > rect.columns { break }
      spans += item + [Span("  ")]
    }
    buffer.write(spans, x: rect.x, y: rect.y, maxColumns: rect.columns)
  }

  /// What stands for what: the numbers are estimates then.
  private static func estimate(_ model: Model) -> [Span] {
    let pairs = model.figures.substitutions.map { "\($0.from) as \($0.to)" }
    return [
      Span("estimate ", Role.warning.style),
      Span(pairs.joined(separator: ", "), Role.label.style),
    ]
  }

  /// How much is said.
  private enum Form: CaseIterable {
    case full, medium, short
  }

  private static func columns(_ items: ArraySlice<[Span]>) -> Int {
    items.reduce(-2) { $0 + $1.columns + 2 }
  }

  /// Labels with their values, the most wanted first.
  private static func items(_ status: PlanStatus, _ model: Model, _ form: Form) -> [[Span]] {
    var items: [[Span]] = []
    func add(_ label: String, _ value: String, _ role: Role = .value) {
      items.append([Span(label + " ", Role.label.style), Span(value, role.style)])
    }
    let isOver = status.left.map { $0 < .zero } ?? false
    if let included = status.included {
      let share = NumberFormat.percent(status.usedRatio)
      let sum = "\(NumberFormat.credits(status.used)) of \(NumberFormat.credits(included))"
      let used =
        switch form {
        case .full: "\(sum) cr (\(share))"
        case .medium: "\(sum) (\(share))"
        case .short: share
        }
      add("used", used, isOver ? .critical : .value)
      add(
        isOver ? "over by" : "left",
        NumberFormat.credits(isOver ? .zero - status.left! : status.left!),
        isOver ? .critical : .value)
    } else if model.plan.plan.kind == .credits {
      add("credits", NumberFormat.unknown)
    }
    if let end = status.runsOutAt, !isOver {
      let day = day(end, model)
      if form == .full, let range = status.runsOutBetween {
        // By the slowest and the busiest of the days seen.
        let latest = range.latest.map { Self.day($0, model) } ?? "renewal"
        add("gone", "\(Self.day(range.earliest, model)) to \(latest)", .warning)
        items[items.count - 1].append(
          Span(
            " (\(NumberFormat.counted(Int64(status.historyDays), "day")) seen)", Role.muted.style))
      } else {
        add("gone by", form == .full ? "\(day) at this pace" : String(day.prefix(5)), .warning)
      }
    } else if form == .medium, status.included != nil, !isOver, status.perDay != nil {
      items.append([Span("lasts", Role.value.style)])
    } else if form == .full, status.included != nil, !isOver, let pace = status.perDay {
      add("lasts at", "\(NumberFormat.credits(pace)) a day")
    }
    let hours = (status.resetsAt.milliseconds - model.now.milliseconds) / 3_600_000
    let day = day(status.resetsAt, model)
    add(
      "renews",
      form == .full
        ? "\(day) (\(NumberFormat.span(seconds: hours * 3600)))" : String(day.prefix(5)))
    add("fee", NumberFormat.money(status.fee, model.plan.currency), .money)
    if let gap = status.anchorGap, gap != .zero {
      let size = NumberFormat.credits(gap < .zero ? .zero - gap : gap)
      add("console", "\(gap < .zero ? "-" : "+")\(size) against the logs", .muted)
    }
    if status.requestsNotOnPlan > 0 {
      add("not on it", NumberFormat.counted(status.requestsNotOnPlan, "call"), .warning)
    }
    if !model.figures.substitutions.isEmpty { items.append(estimate(model)) }
    return items
  }

  /// A day and time without seconds, the year left out.
  static func day(_ instant: Instant, _ model: Model) -> String {
    let text = model.clock.text(instant)
    return "\(text.dropFirst(5).prefix(5)) \(text.dropFirst(11).prefix(5))"
  }
}
