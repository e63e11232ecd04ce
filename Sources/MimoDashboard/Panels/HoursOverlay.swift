import MimoEngine
import MimoScreen

/// Spend by hour of the day and weekday, with the price schedule over it.
enum HoursOverlay {
  static func lines(_ model: Model, columns: Int) -> [[Span]] {
    guard let map = model.figures.hourMap else { return [] }
    return HourMapText.lines(
      map, plan: model.plan.name, movingPercent: model.movablePercent, columns: columns,
      glyphs: model.glyphs)
  }
}
