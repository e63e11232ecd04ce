import MimoEngine
import MimoScreen

/// The first line: which plan, which window, what is read.
enum HeaderPanel: Panel {
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    let time = model.clock.text(model.now)
    var right: [Span] = []
    if let percent = model.ingest.percentRead {
      right.append(Span("reading \(percent)%, numbers are partial  ", Role.warning.style))
    }
    if model.ingest.problemCount > 0 {
      right.append(Span("\(model.ingest.problemCount) unreadable (i)  ", Role.warning.style))
    }
    if rect.columns >= 100 {
      let files = model.ingest.files.count
      right.append(Span(NumberFormat.counted(Int64(files), "log") + "  ", Role.muted.style))
    }
    right.append(Span("\(time.dropFirst(11).prefix(5)) \(model.clock.name)", Role.muted.style))
    var left = [
      Span("mimo-top ", Role.title.style), Span(" \(model.plan.name) ", Role.selected.style),
      Span(" \(model.windowName)", Role.value.style),
    ]
    if let index = model.referenceIndex {
      left.append(Span("  vs \(model.plans[index].name)", Role.label.style))
    }
    let width = right.columns
    if left.columns + 2 + width > rect.columns, right.count > 1 { right.removeLast() }
    let taken = buffer.write(left, x: rect.x, y: rect.y, maxColumns: rect.columns)
    let room = rect.columns - taken - 1
    let shown = right.truncated(to: max(0, room), ellipsis: model.glyphs.ellipsis)
    buffer.write(shown, x: rect.endX - shown.columns, y: rect.y)
  }
}

/// The last line: what keys there are, or a message.
enum FooterPanel: Panel {
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect) {
    if model.isBatch { return }
    if let message = model.message {
      buffer.write(
        message.text, x: rect.x, y: rect.y, style: Role.value.style, maxColumns: rect.columns)
      return
    }
    var x = rect.x
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
    for binding in shown + kept {
      x += buffer.write(binding.keys[0].name, x: x, y: rect.y, style: Role.key.style)
      x += buffer.write(" " + binding.hint! + "  ", x: x, y: rect.y, style: Role.keyText.style)
    }
  }
}
