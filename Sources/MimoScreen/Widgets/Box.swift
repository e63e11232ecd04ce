/// A border with a title at the left and another at the right of its top line.
///
///     ╭ Spend ─────────── today ╮
///     │                         │
///     ╰─────────────────────────╯
public struct Box: Sendable {
  /// Written into the top line after the left corner. Cut when there is no room.
  public var title: [Span]
  /// Written before the right corner. Left out when it does not fit beside the title.
  public var trailingTitle: [Span]
  /// Style of the lines.
  public var style: StyleID
  /// Which signs to use.
  public var glyphs: Glyphs

  /// Creates a box.
  public init(
    title: [Span] = [],
    trailingTitle: [Span] = [],
    style: StyleID = .plain,
    glyphs: Glyphs = .unicode
  ) {
    self.title = title
    self.trailingTitle = trailingTitle
    self.style = style
    self.glyphs = glyphs
  }

  /// What is inside a box drawn around `rect`; empty below three columns or rows.
  public static func inside(_ rect: Rect) -> Rect {
    rect.inset(columns: 1, rows: 1)
  }

  /// Draws the border, leaves the inside as it is, and returns the inside.
  ///
  /// One row is drawn as its top line, one column as a vertical line.
  @discardableResult
  public func draw(on buffer: inout CellBuffer, in rect: Rect) -> Rect {
    if rect.isEmpty { return Box.inside(rect) }
    let right = rect.endX - 1
    let bottom = rect.endY - 1
    if rect.columns == 1 {
      buffer.fill(rect, with: glyphs.vertical, style: style)
      return Box.inside(rect)
    }
    buffer.fill(rect.row(0), with: glyphs.horizontal, style: style)
    if rect.rows > 1 {
      buffer.fill(rect.row(rect.rows - 1), with: glyphs.horizontal, style: style)
      for x in [rect.x, right] {
        buffer.fill(
          Rect(x: x, y: rect.y + 1, columns: 1, rows: rect.rows - 2),
          with: glyphs.vertical,
          style: style
        )
      }
      buffer.put(glyphs.topLeft, x: rect.x, y: rect.y, style: style)
      buffer.put(glyphs.topRight, x: right, y: rect.y, style: style)
      buffer.put(glyphs.bottomLeft, x: rect.x, y: bottom, style: style)
      buffer.put(glyphs.bottomRight, x: right, y: bottom, style: style)
    }
    drawTitles(on: &buffer, in: rect)
    return Box.inside(rect)
  }

  private func drawTitles(on buffer: inout CellBuffer, in rect: Rect) {
    // A title has a space on each side, and a corner beyond that.
    let room = rect.columns - 4
    var taken = 0
    if room > 0, title.contains(where: { !$0.text.isEmpty }) {
      let x = rect.x + 2
      let spans = title.truncated(to: room, ellipsis: glyphs.ellipsis)
      taken = buffer.write(spans, x: x, y: rect.y, maxColumns: room)
      buffer.put(" ", x: x - 1, y: rect.y, style: style)
      buffer.put(" ", x: x + taken, y: rect.y, style: style)
      // The space behind it, and a bit of line before the next title.
      taken += 3
    }
    let width = trailingTitle.reduce(0) { $0 + TextWidth.width(of: $1.text) }
    if width > 0, taken + width <= room {
      let x = rect.endX - 2 - width
      buffer.write(trailingTitle, x: x, y: rect.y, maxColumns: width)
      buffer.put(" ", x: x - 1, y: rect.y, style: style)
      buffer.put(" ", x: x + width, y: rect.y, style: style)
    }
  }
}

extension [Span] {
  /// Columns they take one after the other.
  public var columns: Int { reduce(0) { $0 + TextWidth.width(of: $1.text) } }

  /// The spans cut to at most `columns`, with `ellipsis` in the style of the span that was cut.
  public func truncated(to columns: Int, ellipsis: Unicode.Scalar = "…") -> [Span] {
    if self.columns <= columns { return self }
    var result: [Span] = []
    var left = columns
    for (index, span) in enumerated() {
      let width = TextWidth.width(of: span.text)
      let isLast = self[(index + 1)...].allSatisfy { TextWidth.width(of: $0.text) == 0 }
      // Keep one column for the ellipsis unless this is the end.
      if width < left || (isLast && width <= left) {
        result.append(span)
        left -= width
        continue
      }
      let mark = String(Character(ellipsis))
      let text = TextWidth.truncated(span.text + (isLast ? "" : mark), to: left, ellipsis: mark)
      result.append(Span(text, span.style))
      break
    }
    return result
  }
}
