import MimoEngine
import MimoScreen

/// What a dated price change saved or will cost: the shown usage at the lists before and after it.
enum ChangeOverlay {
  static func lines(_ model: Model, columns: Int) -> [[Span]] {
    let changes = model.figures.changes
    guard let effect = model.figures.changeEffect else {
      return [
        [
          Span(
            "\(model.plan.name): no price change is known for the models of this usage.",
            Role.label.style)
        ]
      ]
    }
    return [dates(changes, effect.change, model, columns), []]
      + PriceChangeText.lines(
        effect, currency: model.plan.currency, columns: columns, glyphs: model.glyphs)
  }

  /// The dates around the chosen one, as many as fit.
  private static func dates(
    _ changes: [PriceChange], _ chosen: PriceChange, _ model: Model, _ columns: Int
  ) -> [Span] {
    let width = chosen.date.text.count + 3
    let distance = PriceChangeText.distance(chosen, model.now)
    let fitting = max(1, (columns - 6 - distance.count) / width)
    let index = changes.firstIndex(of: chosen) ?? 0
    let start = max(0, min(index - fitting / 2, changes.count - fitting))
    let shown = changes[start..<min(changes.count, start + fitting)]
    func arrow(_ sign: Unicode.Scalar, _ isMore: Bool) -> Span {
      Span(isMore ? String(Character(sign)) : " ", Role.key.style)
    }
    return [arrow(model.glyphs.left, start > 0)]
      + shown.map { change in
        change == chosen
          ? Span(" [\(change.date.text)]", Role.key.style)
          : Span("  \(change.date.text) ", Role.muted.style)
      } + [
        Span(" "), arrow(model.glyphs.right, shown.endIndex < changes.count),
        Span(" \(distance)", Role.muted.style),
      ]
  }
}
