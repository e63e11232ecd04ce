/// A small chart of a series, newest value at the right.
///
///     ▁▁▂▅█▆▃ ▂▁        a gap is "no data"; the lowest step is zero
///
/// Zero and "no data" look different, and so do zero and little, unless the chart has one step only.
public struct Sparkline: Sendable {
  /// The series, oldest first, one column each; the last ones that fit are shown. `nil` or not a
  /// number means no data. Negative numbers count as zero.
  public var values: [Double?]
  /// The value that fills the whole height; `nil` takes the greatest one shown.
  public var maximum: Double?
  /// Styles from low to high values; one entry is one colour.
  public var styles: [StyleID]
  /// Style of a gap.
  public var gapStyle: StyleID
  /// Which signs to use.
  public var glyphs: Glyphs

  /// Creates a chart.
  public init(
    _ values: [Double?],
    maximum: Double? = nil,
    styles: [StyleID] = [.plain],
    gapStyle: StyleID = .plain,
    glyphs: Glyphs = .unicode
  ) {
    self.values = values
    self.maximum = maximum
    self.styles = styles
    self.gapStyle = gapStyle
    self.glyphs = glyphs
  }

  /// Creates a chart of whole numbers.
  public init(
    _ values: [Int?],
    maximum: Int? = nil,
    styles: [StyleID] = [.plain],
    gapStyle: StyleID = .plain,
    glyphs: Glyphs = .unicode
  ) {
    self.init(
      values.map { $0.map(Double.init) },
      maximum: maximum.map(Double.init),
      styles: styles,
      gapStyle: gapStyle,
      glyphs: glyphs
    )
  }

  /// Draws it over the whole of `rect`; columns before the first value are gaps.
  public func draw(on buffer: inout CellBuffer, in rect: Rect) {
    if rect.isEmpty { return }
    buffer.fill(rect, style: gapStyle)
    let shown = values.suffix(rect.columns)
    let top = maximum ?? shown.reduce(0) { max($0, Sparkline.known($1) ?? 0) }
    let steps = glyphs.spark.count
    var x = rect.endX - shown.count
    for value in shown {
      defer { x += 1 }
      guard let value = Sparkline.known(value) else { continue }
      let fraction = top > 0 ? min(1, max(0, value / top)) : 0
      let height = Sparkline.height(of: fraction, in: rect.rows * steps)
      let style =
        styles.isEmpty
        ? .plain : styles[min(styles.count - 1, Int(fraction * Double(styles.count)))]
      for row in 0..<rect.rows {
        let part = min(steps, height - row * steps)
        if part <= 0 { break }
        buffer.put(glyphs.spark[part - 1], x: x, y: rect.endY - 1 - row, style: style)
      }
    }
  }

  /// The lowest step is zero; all others share the rest.
  private static func height(of fraction: Double, in total: Int) -> Int {
    fraction <= 0 ? 1 : max(min(2, total), Int((fraction * Double(total)).rounded()))
  }

  private static func known(_ value: Double?) -> Double? {
    guard let value, !value.isNaN else { return nil }
    return value
  }
}
