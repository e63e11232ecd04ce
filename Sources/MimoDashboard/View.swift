import MimoEngine
import MimoScreen

/// Draws the dashboard: a pure function of the state. Every cell of the result is painted.
public func view(_ model: Model) -> CellBuffer {
  var buffer = CellBuffer(size: model.size)
  let layout = ScreenLayout(model)
  if layout.isTooSmall {
    let need = ScreenLayout.smallest
    buffer.write(
      "\(model.size.columns)x\(model.size.rows) is too small; \(need.columns)x\(need.rows) is needed",
      x: 0, y: 0)
    return buffer
  }
  HeaderPanel.draw(model, on: &buffer, in: layout.header)
  Banner.draw(model, on: &buffer, in: layout.banner)
  PlanStrip.draw(model, on: &buffer, in: layout.strip)
  for (panel, rect) in zip(Panels.cards, layout.cards) { panel.draw(model, on: &buffer, in: rect) }
  SummaryPanel.draw(model, on: &buffer, in: layout.summary)
  BreakdownPanel.draw(model, on: &buffer, in: layout.breakdown)
  RequestsPanel.draw(model, on: &buffer, in: layout.requests)
  FooterPanel.draw(model, on: &buffer, in: layout.footer)
  if let overlay = model.overlay { Overlays.draw(overlay, model, on: &buffer) }
  return buffer
}
