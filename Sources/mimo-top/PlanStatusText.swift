import MimoDashboard
import MimoEngine

/// The anchor of a plan and the range of its end, in words and as JSON.
struct PlanStatusText {
  private let status: PlanStatus
  private let clock: LocalClock
  /// The credits of the period by class, as the logs count them.
  private let classes: [PriceReplay.Line]

  init(_ status: PlanStatus, _ configuration: Configuration, _ snapshot: UsageSnapshot) {
    self.status = status
    clock = configuration.clock
    let end = configuration.now.minute.advanced(by: 1)
    // At the same list before and after: what each class takes.
    classes =
      configuration.plan.kind == .credits
      ? PriceReplay(
        of: snapshot, before: configuration.tariff, after: configuration.tariff,
        window: status.countsFrom..<max(status.countsFrom, end)
      ).total.lines : []
  }

  /// Lines for a table, each with a line break before it.
  var notes: String {
    let used = classes.filter { $0.before != .zero }.map {
      "\(PriceChangeText.name($0.billingClass)) \(NumberFormat.credits($0.before))"
    }
    var text = used.isEmpty ? "" : "\nby class: " + used.joined(separator: ", ")
    text += "\nrun-out: " + runOut
    if let anchor = status.anchor, let gap = status.anchorGap {
      text += "\nconsole: \(NumberFormat.credits(anchor.used)) used at \(clock.text(anchor.at)), "
      text += Self.gap(gap)
    }
    return text
  }

  private var runOut: String {
    let history = NumberFormat.counted(Int64(status.historyDays), "full day")
    guard status.historyDays >= RunOut.fewestDays else {
      return
        "too little history for a range: \(history), \(RunOut.fewestDays) are needed"
    }
    guard let range = status.runsOutBetween else {
      let why = status.included == nil ? "the credits are not known" : "not before the reset"
      return "\(why), from \(history)"
    }
    let latest = range.latest.map(clock.text) ?? "the reset"
    return
      "between \(clock.text(range.earliest)) and \(latest), by the busiest and the slowest of \(history)"
  }

  /// How far console and logs are apart.
  private static func gap(_ gap: Amount) -> String {
    if gap == .zero { return "as the logs count" }
    let size = NumberFormat.credits(gap < .zero ? .zero - gap : gap)
    return gap < .zero ? "\(size) less than the logs count" : "\(size) more than the logs count"
  }

  /// Members of `plan` in a report.
  var json: [(String, JSONOutput)] {
    [
      (
        "runs_out_between",
        status.runsOutBetween.map {
          .object([
            ("earliest", .string(clock.text($0.earliest))),
            ("latest", .text($0.latest.map(clock.text))),
          ])
        } ?? .null
      ),
      (
        "credits_by_class",
        classes.isEmpty
          ? .null
          : .object(classes.map { ($0.billingClass.rawValue, UsageJSON.credits($0.before)) })
      ),
      ("history_days", .integer(Int64(status.historyDays))),
      (
        "anchor",
        status.anchor.map { anchor in
          .object([
            ("at", .string(clock.text(anchor.at))), ("used", UsageJSON.credits(anchor.used)),
            ("gap", UsageJSON.credits(status.anchorGap)),
          ])
        } ?? .null
      ),
    ]
  }
}
