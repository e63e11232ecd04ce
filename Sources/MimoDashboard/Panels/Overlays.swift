import MimoEngine
import MimoScreen

/// The panels laid over the others.
enum Overlays {
  /// Draws an overlay in the middle, large enough for its content if the screen is.
  static func draw(_ overlay: Overlay, _ model: Model, on buffer: inout CellBuffer) {
    let (title, hint) = title(overlay, model)
    let width = overlayColumns(buffer.size.columns)
    let wanted: Int
    switch overlay {
    case .plans: wanted = PlansOverlay.rowCount(model, columns: width - 4) + 2
    case .whatIf: wanted = 24
    default: wanted = lines(overlay, model, columns: width - 4).count + 2
    }
    let height = min(buffer.size.rows - 2, max(6, wanted))
    let rect = Rect(
      x: (buffer.size.columns - width) / 2, y: (buffer.size.rows - height) / 2, columns: width,
      rows: height)
    buffer.fill(rect, style: Role.overlay.style)
    let inside = model.box(title, trailing: [Span(hint, Role.muted.style)], isFocused: true)
      .draw(on: &buffer, in: rect).inset(columns: 1, rows: 0)
    if overlay == .plans { return PlansOverlay.draw(model, on: &buffer, in: inside) }
    if overlay == .whatIf { return WhatIfOverlay.draw(model, on: &buffer, in: inside) }
    let lines = lines(overlay, model, columns: inside.columns)
    let scroll = max(0, min(model.overlayState.scroll, lines.count - inside.rows))
    for (index, line) in lines.dropFirst(scroll).prefix(inside.rows).enumerated() {
      buffer.write(
        line.truncated(to: inside.columns, ellipsis: model.glyphs.ellipsis), x: inside.x,
        y: inside.y + index)
    }
    if lines.count > inside.rows {
      let more = " \(scroll + 1)-\(min(lines.count, scroll + inside.rows)) of \(lines.count) "
      buffer.write(
        more, x: rect.endX - 2 - TextWidth.width(of: more), y: rect.endY - 1,
        style: Role.muted.style)
    }
  }

  /// A screen without room to spare is covered whole.
  private static func overlayColumns(_ columns: Int) -> Int {
    columns < 100 ? columns : min(columns - 4, 116)
  }

  /// How many lines an overlay has, for scrolling.
  static func rowCount(_ overlay: Overlay, _ model: Model) -> Int {
    let columns = overlayColumns(model.size.columns) - 4
    return max(1, lines(overlay, model, columns: columns).count - max(4, model.size.rows - 4) + 1)
  }

  private static func title(_ overlay: Overlay, _ model: Model) -> (String, String) {
    switch overlay {
    case .help: ("Keys", "Esc closes")
    case .plans: ("Plans, \(model.windowName)", "Enter chooses, = pins, Esc closes")
    case .alerts: (AlertOverlay.title(model), "Esc closes")
    case .files: ("What was read", "Esc closes")
    case .trace: ("How this cost was made", "Esc closes")
    case .whatIf: ("What if: \(model.plan.name)", "< > hit rate, Esc closes")
    case .change:
      ("Price change: \(model.plan.name), \(model.windowName)", "< > change, Esc closes")
    case .hours:
      (
        "Hours in \(model.clock.name): \(model.plan.name), \(model.windowName)",
        "< > \(model.movablePercent)% movable, Esc closes"
      )
    }
  }

  private static func lines(_ overlay: Overlay, _ model: Model, columns: Int) -> [[Span]] {
    let lines =
      switch overlay {
      case .help: helpLines()
      case .plans, .whatIf: [[Span]]()
      case .alerts: AlertOverlay.lines(model)
      case .files: fileLines(model, columns)
      case .trace: TraceOverlay.lines(model)
      case .change: ChangeOverlay.lines(model, columns: columns)
      case .hours: HoursOverlay.lines(model, columns: columns)
      }
    return lines.flatMap { wrapped($0, columns: columns) }
  }

  /// A line broken at spaces where it is too long; what goes on stands under its text, not its label.
  static func wrapped(_ line: [Span], columns: Int) -> [[Span]] {
    if line.columns <= columns || columns < 1 { return [line] }
    let first = TextWidth.sanitized(line[0].text)
    let isLabel = line.count > 1 && first.last == " "
    let indent = min(
      isLabel ? TextWidth.width(of: first) : first.prefix { $0 == " " }.count + 2, columns / 2)
    var lines: [[Span]] = [[]]
    var used = 0
    for span in line {
      var rest = TextWidth.sanitized(span.text)[...].unicodeScalars
      while !rest.isEmpty {
        let text = String(rest)
        var part = TextWidth.truncated(text, to: columns - used, ellipsis: "").unicodeScalars[...]
        let isWhole = part.count == rest.count
        // Behind the last space that fits; a word too long for any line is cut.
        if !isWhole, let space = part.lastIndex(of: " "), space > part.startIndex {
          part = part[...space]
        } else if !isWhole, used > indent {
          part = part.prefix(0)
        }
        lines[lines.count - 1].append(Span(String(part), span.style))
        used += TextWidth.width(of: String(part))
        rest = rest.dropFirst(part.count)
        if isWhole { break }
        lines.append([Span(String(repeating: " ", count: indent))])
        used = indent
        rest = rest.drop { $0 == " " }
      }
    }
    return lines
  }

  // MARK: - Help

  private static func helpLines() -> [[Span]] {
    var lines: [[Span]] = []
    for group in Keymap.Group.allCases {
      lines.append([Span(group.rawValue, Role.title.style)])
      for binding in Keymap.bindings where binding.group == group {
        let keys = binding.keys.map(\.name).joined(separator: " ")
        lines.append([
          Span("  " + TextWidth.padded(keys, to: 12), Role.key.style),
          Span(binding.help, Role.label.style),
        ])
      }
    }
    lines.append([])
    lines.append([Span("Words", Role.title.style)])
    let words = [
      ("hit rate", "cache read / (fresh + read + write); ? if the log does not tell"),
      ("fresh", "prompt tokens billed in full"),
      ("+ ?", "a part has no price: the sum is a lower bound"),
      ("saved", "what the same tokens cost without a cache, less the cost"),
    ]
    for (word, text) in words {
      lines.append([
        Span("  " + TextWidth.padded(word, to: 12), Role.key.style), Span(text, Role.label.style),
      ])
    }
    return lines
  }

  // MARK: - Files

  private static func fileLines(_ model: Model, _ columns: Int) -> [[Span]] {
    var lines: [[Span]] = []
    for notice in model.notices + model.ingest.notices + model.ingest.errors {
      lines.append([Span(notice, Role.warning.style)])
    }
    for file in model.ingest.files {
      let counts =
        [(file.records, "call"), (file.duplicates, "repeat"), (file.lines, "line")]
        .map { NumberFormat.counted(Int64($0.0), $0.1) }.joined(separator: ", ")
      let path = TextWidth.truncated(
        file.path, to: max(16, columns - TextWidth.width(of: counts) - file.formats.count - 6),
        ellipsis: String(Character(model.glyphs.ellipsis)), keeping: .end)
      lines.append([
        Span(path, Role.value.style),
        Span("  \(file.formats.isEmpty ? "no known format" : file.formats)", Role.label.style),
        Span("  \(counts)", Role.muted.style),
      ])
      if file.isGone {
        lines.append([Span("  its log is gone; what it told is kept", Role.label.style)])
      }
      if file.malformed > 0 {
        lines.append([
          Span(
            "  \(NumberFormat.counted(Int64(file.malformed), "line")) could not be read:",
            Role.warning.style)
        ])
      }
      for problem in file.problems { lines.append([Span("    \(problem)", Role.warning.style)]) }
    }
    if lines.isEmpty {
      lines.append([Span("Nothing was read yet. Looking in:", Role.label.style)])
      lines += model.ingest.sources.map { [Span("  " + $0, Role.value.style)] }
    }
    return lines
  }
}

/// How the cost of a request was made: counts, rates, and where these come from.
enum TraceOverlay {
  static func lines(_ model: Model) -> [[Span]] {
    guard let call = model.traced else { return [] }
    let series = model.snapshot.cube.series[Int(call.series)]
    let tariff = model.tariff(model.plan)
    let pricer = Pricer(model.snapshot, tariff: tariff)
    let span = pricer.span(ofSeries: Int(call.series), at: call.time.minute)
    let unit = pricer.unit(ofSeries: Int(call.series))
    func line(_ label: String, _ value: String, _ role: Role = .value) -> [Span] {
      [Span(TextWidth.padded(label, to: 14), Role.label.style), Span(value, role.style)]
    }
    var lines = [
      line("time", model.clock.text(call.time)), line("model", model.name(series.labels.model)),
      line("source", model.name(series.labels.source)),
      line("project", model.name(series.labels.project)),
      line("session", model.name(series.labels.session)),
      line("plan", model.plan.name), [],
    ]
    guard let rates = span.rates else {
      lines.append(
        line("price", "none: this plan does not price this model at that time", .warning))
      return lines
    }
    let tokens = call.tokens
    let parts: [(String, Int64, Int64)] = [
      ("fresh", tokens.input, rates.input), ("cache read", tokens.cacheRead, rates.cacheRead),
      ("write 5m", tokens.cacheWrite5m, rates.cacheWrite5m),
      ("write 1h", tokens.cacheWrite1h, rates.cacheWrite1h),
      ("output", tokens.output, rates.output),
    ]
    for (name, count, rate) in parts where count > 0 {
      // Femto-units a token are 10^-9 units per million tokens; credits are stated per token.
      let perUnit = unit == .credits ? 15 : 9
      let price = ExactDecimal(digits: Int128(rate), decimals: perUnit).text
      let cost = Amount(atto: Int128(count) * Int128(rate) * 1000).exactText
      lines.append(
        line(
          name,
          "\(NumberFormat.full(count)) x \(price)\(unit == .credits ? " a token" : " per million") = \(cost)"
        ))
    }
    for (name, path) in Quantities.counters where call.quantities[keyPath: path] > 0 {
      lines.append(
        line(String(name.map { $0 == "_" ? " " : $0 }), "\(call.quantities[keyPath: path])"))
    }
    lines.append(
      line(
        "cost",
        "\(pricer.bill(of: call)?.amount.exactText ?? NumberFormat.unknown) \(unitName(unit))",
        .money))
    lines.append([])
    if let billedAs = span.billedAs {
      lines.append(line("price of", billedAs + (span.label.map { ", \($0) hours" } ?? "")))
    }
    if let currency = span.convertedFrom {
      lines.append(
        line("converted", "from the \(currency.rawValue) list at your exchange rate", .warning))
    }
    if span.from > .distantPast {
      lines.append(line("holds from", model.clock.text(span.from.start)))
    }
    if span.until < .distantFuture {
      lines.append(line("until", model.clock.text(span.until.start)))
    }
    if let evidence = span.evidence {
      lines.append(
        line(
          "checked",
          "\(evidence.asOf ?? NumberFormat.unknown), confidence \(evidence.confidence.rawValue)"))
      for source in evidence.sources { lines.append(line("source", source)) }
      if let note = evidence.note { lines.append(line("note", note)) }
    }
    return lines
  }

  private static func unitName(_ unit: PricingUnit) -> String {
    switch unit {
    case .money(let currency): currency.rawValue
    case .credits: "credits"
    }
  }
}
