import MimoEngine
import MimoScreen

/// One line about the subscription's period: used, left, when it ends and whether it lasts.
enum PlanStrip: Panel {
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    guard !rect.isEmpty, let status = model.figures.status else { return }
    var spans: [Span] = []
    func add(_ label: String, _ value: String, _ role: Role = .value) {
      spans.append(Span(label + " ", Role.label.style))
      spans.append(Span(value + "  ", role.style))
    }
    let isOver = status.left.map { $0 < .zero } ?? false
    if let included = status.included {
      add(
        "used",
        "\(NumberFormat.credits(status.used)) of \(NumberFormat.credits(included)) cr (\(NumberFormat.percent(status.usedRatio)))",
        isOver ? .critical : .value)
      add(
        "left",
        isOver
          ? "none: \(NumberFormat.credits(.zero - status.left!)) over"
          : NumberFormat.credits(status.left), isOver ? .critical : .value)
    } else if model.plan.plan.kind == .credits {
      add("credits", NumberFormat.unknown)
    }
    if let end = status.runsOutAt {
      add("gone by", "\(day(end, model)) at this pace", .warning)
    } else if status.perDay != nil {
      add("pace", "\(NumberFormat.credits(status.perDay))/day, lasts")
    }
    let left = NumberFormat.span(
      seconds: (status.resetsAt.milliseconds - model.now.milliseconds) / 1000 / 3600 * 3600)
    add("renews", "\(day(status.resetsAt, model)) (\(left))")
    add("fee", NumberFormat.money(status.fee, model.plan.currency), .money)
    if status.requestsNotOnPlan > 0 {
      add("not on it", NumberFormat.counted(status.requestsNotOnPlan, "call"), .warning)
    }
    buffer.write(
      spans.truncated(to: rect.columns, ellipsis: model.glyphs.ellipsis), x: rect.x, y: rect.y)
  }

  /// A day and time without seconds, the year left out.
  static func day(_ instant: Instant, _ model: Model) -> String {
    let text = model.clock.text(instant)
    return "\(text.dropFirst(5).prefix(5)) \(text.dropFirst(11).prefix(5))"
  }
}
