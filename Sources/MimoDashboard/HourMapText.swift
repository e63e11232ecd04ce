import MimoEngine
import MimoScreen

/// The map of hours and weekdays, in cells and words; the command and the screen show the same.
///
///           00    03    06    09    12    15    18    21          cost
///     Mon   · · · · · · · · · █^▓^▒^░ · ▒^▓^▒^░^· · · · · ·      $4.12
public enum HourMapText {
  /// The map, its legend and what moving usage would save, as lines of at most `columns` columns;
  /// sentences may be longer and wrap.
  public static func lines(
    _ map: HourMap, plan: String, movingPercent percent: Int, columns: Int, glyphs: Glyphs
  ) -> [[Span]] {
    let drawing = Drawing(map, columns: columns, glyphs: glyphs)
    var lines = [drawing.header]
    lines += (0..<7).map(drawing.row)
    lines.append(drawing.sums)
    lines.append([])
    lines += drawing.legend
    lines.append([])
    lines += sentences(map, plan, percent).enumerated().map { index, text in
      [Span(text, (index == 0 ? Role.value : .label).style)]
    }
    return lines
  }

  /// What moving usage to the cheapest hours would save.
  static func sentences(_ map: HourMap, _ plan: String, _ percent: Int) -> [String] {
    let apart = map.totals.subscriptionRequests
    return savings(map, plan, percent)
      + (apart == 0
        ? []
        : [
          "\(NumberFormat.counted(apart, "call")) on a subscription left out: choose its plan to see credits."
        ])
  }

  private static func savings(_ map: HourMap, _ plan: String, _ percent: Int) -> [String] {
    func amount(_ amount: Amount) -> String { NumberFormat.amount(amount, map.unit) }
    var sentences: [String] = []
    if let levels = map.levels {
      sentences.append("Cheapest hours: \(hours(levels, .cheapest)).")
      sentences.append("Dearest hours: \(hours(levels, .dearest)).")
    } else if map.movable.isEmpty {
      return [
        "\(plan) has one price at all hours for the models of this usage: moving it saves nothing."
      ]
    }
    let calls = map.movable.reduce(0) { $0 + $1.requests }
    guard calls > 0 else {
      return sentences + ["All of this usage is in the cheapest hours of its day already."]
    }
    let cost = map.movable.reduce(Amount.zero) { $0 + $1.cost }
    let saving = map.saving(movingPercent: percent)
    let share = Ratio(wide: saving.atto, over: map.totals.costFemto * 1000)
    sentences.insert(
      "Moving \(percent)% of what is not in the cheapest hour of its day saves \(amount(saving)), \(NumberFormat.percent(share)) of \(amount(Amount(femto: map.totals.costFemto))).",
      at: 0)
    sentences.append(
      "That is \(NumberFormat.counted(calls, "call")) for \(amount(cost)): "
        + map.movable.prefix(4).map {
          "\(TextWidth.sanitized($0.model ?? "(not stated)")) \(amount($0.cost)) -> \(amount($0.cheapest))"
        }.joined(separator: ", ") + (map.movable.count > 4 ? ", and others" : "")
        + " if all moved.")
    return sentences
  }

  /// The hours of a level: `Mon-Fri 09-12 14-18, Sat-Sun 00-24`.
  static func hours(_ levels: [HourMap.Level], _ level: HourMap.Level) -> String {
    func spans(_ day: Int) -> String {
      var parts: [String] = []
      var start: Int?
      for hour in 0...24 {
        let isIn = hour < 24 && levels[day * 24 + hour] == level
        if isIn, start == nil { start = hour }
        if !isIn, let first = start {
          parts.append("\(two(first))-\(two(hour))")
          start = nil
        }
      }
      return parts.joined(separator: " ")
    }
    var parts: [String] = []
    var day = 0
    while day < 7 {
      let text = spans(day)
      let end = (day..<7).first { spans($0) != text } ?? 7
      let days =
        end == day + 1
        ? NumberFormat.weekdays[day]
        : "\(NumberFormat.weekdays[day])-\(NumberFormat.weekdays[end - 1])"
      if !text.isEmpty {
        let span = day == 0 && end == 7 ? "every day" : days
        parts.append(text == "00-24" && span != "every day" ? "\(span) all day" : "\(span) \(text)")
      }
      day = end
    }
    return parts.joined(separator: ", ")
  }

  static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  /// The cells of a map in some columns.
  private struct Drawing {
    let map: HourMap
    let glyphs: Glyphs
    /// Whether the shades tell cost; they tell tokens where all is free or without a price.
    let showsCost: Bool
    let most: Int128
    let levels: [HourMap.Level]?
    /// Columns of an hour; the last one of two or more has the mark of its price.
    let cell: Int
    let showsSums: Bool
    private let label = 4
    private let sum = 11

    init(_ map: HourMap, columns: Int, glyphs: Glyphs) {
      self.map = map
      self.glyphs = glyphs
      levels = map.levels
      let showsCost = map.hours.contains { $0.costFemto > 0 }
      self.showsCost = showsCost
      most = map.hours.map { Self.value($0, showsCost) }.max() ?? 0
      showsSums = columns >= label + 24 + sum + 1
      cell = max(1, min(4, (columns - label - sum - 1) / 24))
    }

    private static func value(_ sums: Measures, _ showsCost: Bool) -> Int128 {
      showsCost ? sums.costFemto : Int128(sums.tokens.prompt) + Int128(sums.tokens.output)
    }

    private func text(_ value: Int128) -> String {
      showsCost
        ? NumberFormat.amount(Amount(femto: value), map.unit)
        : NumberFormat.count(Int64(clamping: value))
    }

    var header: [Span] {
      let step = cell > 2 ? 1 : 3
      var text = String(repeating: " ", count: label)
      for hour in stride(from: 0, to: 24, by: step) {
        text += TextWidth.padded(HourMapText.two(hour), to: cell * step)
      }
      let title = showsCost ? "cost" : "tokens"
      if showsSums { text += TextWidth.padded(title, to: sum + 1, alignment: .trailing) }
      return [Span(text, Role.tableHeader.style)]
    }

    func row(_ day: Int) -> [Span] {
      var spans = [
        Span(TextWidth.padded(NumberFormat.weekdays[day], to: label), Role.label.style)
      ]
      for hour in 0..<24 { spans += self.hour(day * 24 + hour) }
      let sums = map.weekday(day)
      if showsSums {
        let text = sums.isEmpty ? "" : self.text(Self.value(sums, showsCost))
        spans.append(
          Span(TextWidth.padded(text, to: sum + 1, alignment: .trailing), Role.money.style))
      }
      return spans
    }

    private func hour(_ slot: Int) -> [Span] {
      let sums = map.hours[slot]
      let value = Self.value(sums, showsCost)
      let style = self.style(levels?[slot])
      let isUnknown = showsCost && sums.unpricedRequests > 0 && sums.pricedRequests == 0
      var sign = String(Character(glyphs.empty))
      var signStyle = Role.track.style
      if isUnknown {
        (sign, signStyle) = (NumberFormat.unknown, Role.warning.style)
      } else if value > 0 {
        let step = Self.step(value, of: most, in: glyphs.shade.count)
        sign = String(repeating: Character(glyphs.shade[step - 1]), count: max(1, cell - 1))
        signStyle = style
      }
      guard cell > 1 else { return [Span(sign, signStyle)] }
      return [
        Span(TextWidth.padded(sign, to: cell - 1), signStyle),
        Span(Self.mark(levels?[slot]), style),
      ]
    }

    /// Which of so many steps a value above 0 falls into, from 1 up.
    private static func step(_ value: Int128, of most: Int128, in count: Int) -> Int {
      max(1, Int((value * Int128(count) + most - 1) / most))
    }

    private static func mark(_ level: HourMap.Level?) -> String {
      switch level {
      case .dearest: "^"
      case .between: "'"
      case .cheapest, nil: " "
      }
    }

    private func style(_ level: HourMap.Level?) -> StyleID {
      switch level {
      case .dearest: Role.rateLow.style
      case .between: Role.rateMiddle.style
      case .cheapest: Role.rateHigh.style
      case nil: Role.chart.style
      }
    }

    /// Each hour over all weekdays, as a chart of one row.
    var sums: [Span] {
      let hours = (0..<24).map { hour in
        (0..<7).reduce(Int128(0)) { $0 + Self.value(map.hours[$1 * 24 + hour], showsCost) }
      }
      let most = hours.max() ?? 0
      var spans = [Span(TextWidth.padded("all", to: label), Role.label.style)]
      for value in hours {
        let step = value > 0 ? Self.step(value, of: most, in: glyphs.spark.count) : 0
        let sign = step == 0 ? glyphs.empty : glyphs.spark[step - 1]
        let signs = String(
          repeating: Character(sign), count: step == 0 ? 1 : max(1, cell - 1))
        spans.append(
          Span(TextWidth.padded(signs, to: cell), (step == 0 ? Role.track : .chart).style))
      }
      if showsSums {
        spans.append(
          Span(
            TextWidth.padded(
              text(Self.value(map.totals, showsCost)), to: sum + 1, alignment: .trailing),
            Role.money.style))
      }
      return spans
    }

    var legend: [[Span]] {
      guard most > 0 else { return [] }
      let steps = Int128(glyphs.shade.count)
      var shades: [Span] = []
      for (index, shade) in glyphs.shade.enumerated() {
        shades.append(Span(String(Character(shade)), Role.chart.style))
        let limit = text(most * Int128(index + 1) / steps)
        shades.append(Span(index == 0 ? " up to \(limit)  " : " \(limit)  ", Role.muted.style))
      }
      shades.append(Span("an hour of the week", Role.muted.style))
      var lines = [shades]
      if let factors = map.factors, let levels, let least = factors.min() {
        var marks: [Span] = []
        if cell > 1 {
          marks = [Span("^", Role.rateLow.style), Span(" dearest  ", Role.muted.style)]
          if levels.contains(.between) {
            marks += [Span("'", Role.rateMiddle.style), Span(" between  ", Role.muted.style)]
          }
        }
        marks.append(
          Span(
            "cheapest hours cost \(NumberFormat.percent(least)) of the dearest", Role.muted.style))
        lines.append(marks)
      }
      return lines
    }
  }
}
