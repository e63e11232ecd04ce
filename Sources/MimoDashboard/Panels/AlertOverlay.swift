import MimoEngine
import MimoScreen

/// The alerts, the latest first: those of the last days with what they cost under the active plan, and those that the
/// ledger keeps from before.
enum AlertOverlay {
  static func title(_ model: Model) -> String {
    guard let first = model.keptAlerts.first else { return "Alert log, last 7 days" }
    return "Alert log since \(CivilDate(dayNumber: model.clock.day(of: first.start)).text)"
  }

  static func lines(_ model: Model) -> [[Span]] {
    let alerts = model.recentAlerts
    let kept = model.keptAlerts
    let limit = model.monitor.raiseBelow
    if alerts.isEmpty, kept.isEmpty {
      let text = "The hit rate has not fallen below \(NumberFormat.limit(limit)) in this time."
      return [[Span(text, Role.label.style)]]
    }
    return alerts.reversed().flatMap { lines($0, limit, Banner.cost($0, model), model) }
      + kept.reversed().flatMap { lines($0.alert, $0.limit, cost($0.alert), model) }
  }

  private static func lines(
    _ alert: HitRateMonitor.Alert, _ limit: Ratio, _ cost: String, _ model: Model
  ) -> [[Span]] {
    let start = time(alert.start, model)
    let end = alert.end.map { " to " + time($0, model) } ?? ", still standing"
    let driver = alert.driver.map { Banner.words($0, model) + "; " } ?? ""
    return [
      [
        Span(start + end, (alert.end == nil ? Role.critical : Role.value).style),
        Span("  lowest \(NumberFormat.percent(alert.lowestRate))", Role.rateLow.style),
        Span(
          "  raised at \(NumberFormat.percent(alert.rateAtStart)), below \(NumberFormat.limit(limit))",
          Role.muted.style),
      ],
      [Span("  " + driver + cost, Role.label.style)],
    ]
  }

  /// A time with its year, where that is not the present one.
  private static func time(_ minute: Minute, _ model: Model) -> String {
    let date = model.clock.text(minute.start)
    let short = PlanStrip.day(minute.start, model)
    return date.prefix(5) == model.clock.text(model.now).prefix(5) ? short : date.prefix(5) + short
  }

  /// What is known of the cost when the cells of that time are not on screen.
  private static func cost(_ alert: HitRateMonitor.Alert) -> String {
    guard let good = alert.goodRate else { return "no good hour before it to compare with" }
    return "extra cost not kept; last good hour \(NumberFormat.percent(good))"
  }
}

extension Model {
  /// The alerts of the last days; one that began before as the ledger knows it.
  fileprivate var recentAlerts: [HitRateMonitor.Alert] {
    var alerts = figures.verdict?.alerts ?? []
    if let first = alerts.first, let known = ingest.alerts.entry(before: alertsSince),
      known.reaches(first.start)
    {
      alerts[0].start = known.start
      alerts[0].rateAtStart = known.alert.rateAtStart
      alerts[0].goodRate = first.goodRate ?? known.alert.goodRate
    }
    return alerts
  }

  /// The alerts before these.
  fileprivate var keptAlerts: ArraySlice<AlertLog.Entry> {
    let recent = recentAlerts.first?.start ?? .distantFuture
    return ingest.alerts.entries.prefix { $0.start < min(alertsSince, recent) }
  }
}
