import MimoEngine
import MimoScreen

/// The warning over everything while the hit rate is too low. Words carry it; colour only helps.
enum Banner: Panel {
  /// The lines of the warning, or `nil` if no alert stands.
  static func lines(_ model: Model, columns: Int, limit: Int) -> [String]? {
    guard let alert = model.figures.verdict?.standing else { return nil }
    let rate = NumberFormat.percent(alert.window.rate)
    let since = "since \(model.clock.text(alert.start.start).dropFirst(11).prefix(5))"
    var parts: [String]
    if columns < 72 {
      parts = ["WARNING: hit rate \(rate) \(since)"]
      parts += [shortCost(alert, model), alert.driver.map { $0.model ?? "unknown model" }]
        .compactMap(\.self)
    } else {
      parts = [
        "WARNING: cache hit rate \(rate), below \(NumberFormat.limit(model.monitor.raiseBelow))",
        "\(since), \(age(alert.start, model))",
      ]
      if let driver = alert.driver { parts.append(words(driver, model)) }
      parts.append(cost(alert, model))
    }
    return wrap(parts, columns: columns - 4, limit: limit).map {
      TextWidth.truncated(
        $0, to: max(1, columns - 4), ellipsis: String(Character(model.glyphs.ellipsis)))
    }
  }

  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    guard !rect.isEmpty, let lines = lines(model, columns: rect.columns, limit: rect.rows) else {
      return
    }
    buffer.fill(rect, style: Role.banner.style)
    for (index, line) in lines.enumerated() where index < rect.rows {
      let mark = String(Character(model.glyphs.warning))
      buffer.write(
        "\(index == 0 ? mark : " ") \(line)", x: rect.x, y: rect.y + index, style: Role.banner.style
      )
      buffer.write(mark, x: rect.endX - 1, y: rect.y + index, style: Role.banner.style)
    }
  }

  /// Who drives an alert, in words. Of long names the ends that tell them apart are shown.
  static func words(_ driver: HitRateMonitor.Driver, _ model: Model) -> String {
    let ellipsis = String(Character(model.glyphs.ellipsis))
    let name = TextWidth.truncated(driver.model ?? "unknown model", to: 26, ellipsis: ellipsis)
    let place = driver.project.map {
      " in " + TextWidth.truncated($0, to: 24, ellipsis: ellipsis, keeping: .end)
    }
    return "\(name)\(place ?? ""): \(NumberFormat.percent(driver.share)) of the misses"
  }

  /// What an alert costs, in words.
  static func cost(_ alert: HitRateMonitor.Alert, _ model: Model) -> String {
    guard let good = alert.goodRate else { return "no good hour before it to compare with" }
    let rate = NumberFormat.percent(good)
    guard let extra = alert.extraCostPerHour else {
      return "extra cost unknown (no price); last good hour \(rate)"
    }
    return "costs \(model.amount(extra))/h more than at the \(rate) of the last good hour"
  }

  private static func shortCost(_ alert: HitRateMonitor.Alert, _ model: Model) -> String? {
    alert.extraCostPerHour.map { "costs \(model.amount($0))/h more" }
  }

  private static func age(_ start: Minute, _ model: Model) -> String {
    let minutes = Int64(start.distance(to: model.now.minute))
    return minutes < 60 ? "\(max(1, minutes)) min" : NumberFormat.span(seconds: minutes * 60)
  }

  /// Puts parts on as few lines as they fit; a part too long for a line is cut.
  private static func wrap(_ parts: [String], columns: Int, limit: Int) -> [String] {
    var lines: [String] = []
    for part in parts {
      if let last = lines.last,
        TextWidth.width(of: last) + 3 + TextWidth.width(of: part) <= columns || lines.count == limit
      {
        lines[lines.count - 1] = last + " - " + part
      } else {
        lines.append(part)
      }
    }
    return lines
  }
}
