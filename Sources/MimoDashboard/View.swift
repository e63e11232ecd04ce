import MimoEngine
import MimoScreen

/// Draws the dashboard: a pure function of the state. Every cell of the result is painted.
public func view(_ model: Model) -> CellBuffer {
  var buffer = CellBuffer(size: model.size)
  let layout = ScreenLayout(model)
  if layout.isTooSmall {
    let (size, need) = (model.size, ScreenLayout.smallest)
    let needed = "\(need.columns)x\(need.rows)"
    let texts = [
      "\(size.columns)x\(size.rows) is too small; \(needed) is needed", "\(needed) is needed",
      needed,
      "?",
    ]
    buffer.write(texts.first { $0.utf8.count <= size.columns } ?? "", x: 0, y: 0)
    return buffer
  }
  HeaderPanel.draw(model, on: &buffer, in: layout.header)
  Banner.draw(model, on: &buffer, in: layout.banner)
  ReadingStrip.draw(model, on: &buffer, in: layout.reading)
  PlanStrip.draw(model, on: &buffer, in: layout.strip)
  for (panel, rect) in zip(Panels.cards, layout.cards) { panel.draw(model, on: &buffer, in: rect) }
  SummaryPanel.draw(model, on: &buffer, in: layout.summary)
  BreakdownPanel.draw(model, on: &buffer, in: layout.breakdown)
  RequestsPanel.draw(model, on: &buffer, in: layout.requests)
  FooterPanel.draw(model, on: &buffer, in: layout.footer)
  if let overlay = model.overlay { Overlays.draw(overlay, model, on: &buffer) }
  if model.glyphs == .ascii { replaceYuanSigns(in: &buffer) }
  return buffer
}

/// `Y12.50` for `¥12.50`: where it has no glyph a terminal shows `?`, which means unknown here.
private func replaceYuanSigns(in buffer: inout CellBuffer) {
  for (index, cell) in buffer.cells.enumerated() where cell.scalar == "¥" {
    let (y, x) = index.quotientAndRemainder(dividingBy: buffer.size.columns)
    buffer.put("Y", x: x, y: y, style: cell.style)
  }
}
