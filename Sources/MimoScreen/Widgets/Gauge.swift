/// A horizontal bar that shows a fraction.
///
///     ████████████▌░░░░░░░░░  54 %        ╌╌╌╌╌╌╌╌╌╌╌  unknown
///
/// A fraction above 0 shows at least the smallest step and one below 1 at least one step less than
/// the whole, so "nothing" and "all" are never shown by rounding.
public struct Gauge: Sendable {
  /// Where the label goes.
  public enum LabelPlace: Hashable, Sendable {
    /// Over the right end of the bar.
    case inside
    /// Behind the bar, right-aligned in this many columns and one space before it.
    case after(columns: Int)
  }

  /// Filled part, from 0 to 1; other numbers count as the nearest of these. `nil` or not a number: unknown.
  public var fraction: Double?
  /// Text that says the same in words. Meaning must not hang on the bar alone.
  public var label: String
  /// Where the label goes.
  public var labelPlace: LabelPlace
  /// Styles of the filled part from the bar's left end to its right end; one entry is one colour.
  public var fill: [StyleID]
  /// Style of the part that is not filled, and of an unknown bar.
  public var track: StyleID
  /// Style of the label.
  public var labelStyle: StyleID
  /// Which signs to use.
  public var glyphs: Glyphs

  /// Creates a gauge.
  public init(
    fraction: Double?,
    label: String = "",
    labelPlace: LabelPlace = .inside,
    fill: [StyleID] = [.plain],
    track: StyleID = .plain,
    labelStyle: StyleID = .plain,
    glyphs: Glyphs = .unicode
  ) {
    self.fraction = fraction
    self.label = label
    self.labelPlace = labelPlace
    self.fill = fill
    self.track = track
    self.labelStyle = labelStyle
    self.glyphs = glyphs
  }

  /// Draws it in every row of `rect`, the label in the middle one.
  public func draw(on buffer: inout CellBuffer, in rect: Rect) {
    if rect.isEmpty { return }
    var bar = rect
    var labelArea = rect
    switch labelPlace {
    case .inside:
      break
    case .after(let columns):
      // Where there is no room for both, the words say more than the bar.
      (bar, labelArea) = rect.splitRight(columns)
      bar = bar.splitRight(1).rest
      buffer.fill(Rect(x: bar.endX, y: rect.y, columns: rect.endX - bar.endX, rows: rect.rows))
    }
    for y in bar.y..<bar.endY { drawBar(on: &buffer, x: bar.x, y: y, columns: bar.columns) }
    let text = TextWidth.truncated(
      label,
      to: labelArea.columns,
      ellipsis: String(Character(glyphs.ellipsis))
    )
    let width = TextWidth.width(of: text)
    buffer.write(
      text,
      x: labelArea.endX - width,
      y: rect.y + (rect.rows - 1) / 2,
      style: labelStyle,
      maxColumns: width
    )
  }

  private func drawBar(on buffer: inout CellBuffer, x: Int, y: Int, columns: Int) {
    let steps = glyphs.bar.count
    guard let fraction, !fraction.isNaN else {
      buffer.fill(
        Rect(x: x, y: y, columns: columns, rows: 1),
        with: glyphs.unknown,
        style: track
      )
      return
    }
    let filled = Gauge.steps(of: fraction, in: columns * steps)
    for column in 0..<columns {
      let part = min(steps, filled - column * steps)
      if part > 0 {
        let style = fill.isEmpty ? .plain : fill[column * fill.count / columns]
        buffer.put(glyphs.bar[part - 1], x: x + column, y: y, style: style)
      } else {
        buffer.put(glyphs.track, x: x + column, y: y, style: track)
      }
    }
  }

  /// How many of `total` steps stand for `fraction`; none and all only for 0 and 1.
  static func steps(of fraction: Double, in total: Int) -> Int {
    if fraction <= 0 || total == 0 { return 0 }
    if fraction >= 1 { return total }
    // With a single step there is nothing between none and all; something is more than none.
    return max(1, min(total - 1, Int((fraction * Double(total)).rounded())))
  }
}
