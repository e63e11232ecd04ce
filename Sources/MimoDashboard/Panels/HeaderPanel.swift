import MimoEngine
import MimoScreen

/// The first line: which plan, which window, what is read.
enum HeaderPanel: Panel {
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    if rect.isEmpty { return }
    var left = [
      Span("mimo-top ", Role.title.style), Span(" \(model.plan.name) ", Role.selected.style),
      Span(" \(model.windowName)", Role.value.style),
    ]
    if let index = model.referenceIndex {
      left.append(Span("  vs \(model.plans[index].name)", Role.label.style))
    }
    var right = state(model, columns: rect.columns)
    // What does not fit goes: the clock, our name, the reference. What went wrong stays to the last.
    func isTooWide() -> Bool {
      left.columns + right.reduce(0) { $0 + 2 + TextWidth.width(of: $1.text) } > rect.columns
    }
    if isTooWide(), right.count > 1 { right.removeLast() }
    if isTooWide() { left.removeFirst() }
    if isTooWide(), left.count > 2 { left.removeLast() }
    while isTooWide(), !right.isEmpty { right.removeLast() }
    buffer.write(
      left.truncated(to: rect.columns, ellipsis: model.glyphs.ellipsis), x: rect.x, y: rect.y)
    var end = rect.endX
    for span in right.reversed() {
      end -= TextWidth.width(of: span.text)
      buffer.write([span], x: end, y: rect.y)
      end -= 2
    }
  }

  /// What is read and what went wrong with it, then the time.
  private static func state(_ model: Model, columns: Int) -> [Span] {
    let isWide = columns >= 100
    var spans: [Span] = []
    if let reading = model.ingest.reading {
      let hasStrip = model.size.rows >= ScreenLayout.rowsForReading
      let text = hasStrip ? "numbers are partial" : "reading \(reading.percent)%"
      spans.append(Span(hasStrip && !isWide ? "partial" : text, Role.warning.style))
    }
    if model.isHistoryMissing {
      spans.append(Span("reading history", Role.warning.style))
    }
    if model.ingest.problemCount > 0 {
      let count = NumberFormat.count(Int64(model.ingest.problemCount))
      spans.append(Span("\(count) \(columns < 60 ? "bad" : "unreadable") (i)", Role.warning.style))
    }
    if model.ingest.isUnkept {
      spans.append(Span(columns < 60 ? "unkept (i)" : "not kept (i)", Role.warning.style))
    }
    // Prices that nobody has looked up for two months may be wrong by now.
    let age = PriceAge(
      checked: model.figures.report?.pricesChecked, now: model.now, clock: model.clock)
    if let age, age.isStale {
      spans.append(
        Span(columns < 60 ? "old prices" : "prices \(age.days) days old", Role.warning.style))
    }
    if isWide {
      let files = Int64(model.ingest.files.count)
      spans.append(Span(NumberFormat.counted(files, "log"), Role.muted.style))
    }
    let time = model.clock.text(model.now).dropFirst(11).prefix(5)
    return spans + [Span("\(time) \(model.clock.name)", Role.muted.style)]
  }
}

/// The last line: what keys there are, or a message.
enum FooterPanel: Panel {
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    if model.isBatch || rect.isEmpty { return }
    if let message = model.message {
      let text = [Span(message.text, Role.value.style)]
      buffer.write(
        text.truncated(to: rect.columns, ellipsis: model.glyphs.ellipsis), x: rect.x, y: rect.y)
      return
    }
    // Help and quit are always there; the others as long as they fit.
    let hints = Keymap.bindings.filter { $0.hint != nil }
    let kept = hints.filter { $0.action == .showHelp || $0.action == .quit }
    func width(_ binding: Keymap.Binding) -> Int {
      TextWidth.width(of: binding.keys[0].name + " " + binding.hint!) + 2
    }
    let keptWidth = kept.reduce(0) { $0 + width($1) }
    var shown: [Keymap.Binding] = []
    var used = keptWidth
    for binding in hints where !kept.contains(where: { $0.action == binding.action }) {
      if used + width(binding) > rect.columns { break }
      used += width(binding)
      shown.append(binding)
    }
    let spans = (shown + kept).flatMap {
      [Span($0.keys[0].name, Role.key.style), Span(" \($0.hint!)  ", Role.keyText.style)]
    }
    buffer.write(spans, x: rect.x, y: rect.y, maxColumns: rect.columns)
  }
}
