import MimoScreen

/// Where everything is on a screen of a given size.
///
///     header
///     banner            only while an alert stands
///     reading           only while what is there already is read, where there are rows for it
///     plan strip        only under a subscription
///     cards             spend, cache, tokens (and activity when wide); a few plain lines when small
///     breakdown
///     requests
///     footer
struct ScreenLayout {
  /// The smallest screen with a useful picture.
  static let smallest = Size(columns: 40, rows: 10)
  /// Screens with fewer rows tell in the header how far reading has come.
  static let rowsForReading = 16

  private(set) var header = Rect(.zero)
  private(set) var banner = Rect(.zero)
  private(set) var reading = Rect(.zero)
  private(set) var strip = Rect(.zero)
  private(set) var cards: [Rect] = []
  private(set) var summary = Rect(.zero)
  private(set) var breakdown = Rect(.zero)
  private(set) var requests = Rect(.zero)
  private(set) var footer = Rect(.zero)
  let isTooSmall: Bool

  init(_ model: Model) {
    let size = model.size
    isTooSmall = size.columns < Self.smallest.columns || size.rows < Self.smallest.rows
    if isTooSmall { return }
    var rest = Rect(size)
    (header, rest) = rest.splitTop(1)
    (rest, footer) = rest.splitBottom(1)
    if let lines = Banner.lines(model, columns: size.columns, limit: size.rows < 16 ? 2 : 3) {
      (banner, rest) = rest.splitTop(lines.count)
    }
    if model.ingest.reading != nil, size.rows >= Self.rowsForReading {
      (reading, rest) = rest.splitTop(1)
    }
    if model.plan.plan.isSubscription || !model.figures.substitutions.isEmpty {
      (strip, rest) = rest.splitTop(1)
    }
    if size.columns >= 74, size.rows >= 20 {
      let top: Rect
      (top, rest) = rest.splitTop(7)
      let wide = size.columns >= 116
      // Credits and money stand side by side.
      let spend = model.plan.plan.isSubscription && size.columns >= 80 ? 30 : 24
      cards = top.dividedIntoColumns(
        [
          .flexible(weight: 10, minimum: spend, maximum: 44),
          .flexible(weight: 12, minimum: 24, maximum: 52),
          .flexible(weight: 10, minimum: 25, maximum: wide ? 36 : .max),
        ] + (wide ? [.flexible(weight: 14, minimum: 24)] : []))
    } else {
      // The table keeps its frame, its header and a row, whatever stands above it.
      (summary, rest) = rest.splitTop(max(1, min(size.rows < 14 ? 3 : 4, rest.rows - 4)))
    }
    // With little room the panel that hears the arrows has all of it. With much, the latest requests
    // have what a short table leaves.
    if rest.rows >= 11 {
      let most = rest.rows - max(5, rest.rows * 2 / 5)
      (breakdown, requests) = rest.splitTop(min(most, max(8, model.figures.rows.count + 3)))
    } else if model.focus == .requests {
      requests = rest
    } else {
      breakdown = rest
    }
  }

  /// The panel at a place.
  func panel(atX x: Int, y: Int) -> PanelID? {
    if breakdown.contains(x: x, y: y) { return .breakdown }
    if requests.contains(x: x, y: y) { return .requests }
    return nil
  }

  /// The row of a panel's table at screen row `y`.
  func row(of panel: PanelID, atY y: Int, in model: Model) -> Int? {
    let rect = panel == .breakdown ? breakdown : requests
    let count = panel == .breakdown ? model.figures.rows.count : model.snapshot.recent.count
    let line = y - rect.y - 2
    guard line >= 0, line < rect.rows - 3 else { return nil }
    let visible = max(1, rect.rows - 3)
    let index = Table.scroll(0, showing: model.state(panel).selected, of: count, in: visible) + line
    return index < count ? index : nil
  }
}
