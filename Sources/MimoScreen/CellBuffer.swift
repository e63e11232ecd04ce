/// A piece of text in one style.
public struct Span: Hashable, Sendable {
  /// The text, as it came; it is sanitised when drawn.
  public var text: String
  /// Its style.
  public var style: StyleID

  /// Creates a span.
  public init(_ text: String, _ style: StyleID = .plain) {
    self.text = text
    self.style = style
  }
}

/// A grid of cells: what a view returns and a screen shows.
///
/// Cells are stored row by row. Drawing outside of the grid is allowed and does nothing. A wide
/// glyph always lies with both halves in the grid, and whatever overwrites one half of it leaves a
/// space in the other, so no sequence of calls leaves half a glyph.
///
///     x  0   1   2   3   4
///        a  [漢   ] b   ␠        cells: a(1) 漢(2) right half(0) b(1) space(1)
public struct CellBuffer: Hashable, Sendable {
  /// Its width and height.
  public let size: Size
  /// All cells, row by row, `size.columns * size.rows` of them.
  public private(set) var cells: [Cell]

  /// Creates a grid with `fill` in every cell.
  public init(size: Size, fill: Cell = .blank) {
    self.size = size
    let blank = fill.isRightHalf || fill.width > 1 ? Cell(style: fill.style) : fill
    cells = Array(repeating: blank, count: size.columns * size.rows)
  }

  /// The rectangle of all its cells.
  public var bounds: Rect { Rect(size) }

  /// The cell at column `x`, row `y`. Traps outside of the grid.
  public subscript(x: Int, y: Int) -> Cell {
    precondition(bounds.contains(x: x, y: y), "no such cell")
    return cells[y * size.columns + x]
  }

  /// The row as text, one glyph for each cell except right halves; empty if there is no such row.
  public func rowText(_ y: Int) -> String {
    guard y >= 0, y < size.rows else { return "" }
    var text = String.UnicodeScalarView()
    for cell in cells[y * size.columns..<(y + 1) * size.columns] where !cell.isRightHalf {
      text.append(cell.scalar)
    }
    return String(text)
  }

  /// All rows without the spaces at their ends, joined by newlines.
  public var text: String {
    (0..<size.rows).map { y in
      var row = rowText(y)
      while row.last == " " { row.removeLast() }
      return row
    }.joined(separator: "\n")
  }

  // MARK: - Drawing

  /// Writes `text` from column `x` of row `y` on, and returns the columns it took.
  ///
  /// The text is sanitised (see `TextWidth`), never wraps, and ends before the right edge and before
  /// `maxColumns`. The result counts the columns left of column 0 too, which are not drawn, so `x`
  /// plus the result is where the next text goes. Linear in the columns written.
  @discardableResult
  public mutating func write(
    _ text: String,
    x: Int,
    y: Int,
    style: StyleID = .plain,
    maxColumns: Int = .max
  ) -> Int {
    guard y >= 0, y < size.rows, x < size.columns, maxColumns > 0 else { return 0 }
    let (sum, overflow) = x.addingReportingOverflow(maxColumns)
    let end = overflow ? size.columns : min(size.columns, sum)
    let row = y * size.columns
    if x >= 0, let taken = writePlain(text, from: row + x, limit: end - x, style: style) {
      return taken
    }
    var column = x
    for glyph in DrawnScalars(text) {
      if column + glyph.width > end { break }
      if column >= 0 {
        if column == max(0, x) { detach(row + column, in: row) }
        place(glyph.scalar, width: glyph.width, at: row + column, style: style)
      } else if column + glyph.width > 0 {
        // Only the right half of a wide glyph would be inside.
        detach(row, in: row)
        cells[row] = Cell(unchecked: " ", width: 1, style: style)
      }
      column += glyph.width
    }
    if column > 0 { repair(row + column, rowEnd: row + size.columns) }
    return column - x
  }

  /// Writes spans one after the other and returns the columns they took. See `write(_:x:y:style:maxColumns:)`.
  @discardableResult
  public mutating func write(_ spans: [Span], x: Int, y: Int, maxColumns: Int = .max) -> Int {
    var taken = 0
    for span in spans {
      let (start, overflow) = x.addingReportingOverflow(taken)
      if overflow { break }
      taken += write(span.text, x: start, y: y, style: span.style, maxColumns: maxColumns - taken)
    }
    return taken
  }

  /// Puts one glyph into the cell at column `x`, row `y`. A scalar that is not one column wide becomes a space.
  public mutating func put(_ scalar: Unicode.Scalar, x: Int, y: Int, style: StyleID = .plain) {
    fill(Rect(x: x, y: y, columns: 1, rows: 1), with: scalar, style: style)
  }

  /// Puts `scalar` into every cell of `rect`. A scalar that is not one column wide becomes a space.
  public mutating func fill(
    _ rect: Rect,
    with scalar: Unicode.Scalar = " ",
    style: StyleID = .plain
  ) {
    let area = rect.intersection(bounds)
    if area.isEmpty { return }
    let cell = Cell(scalar, style: style)
    for y in area.y..<area.endY {
      let row = y * size.columns
      detach(row + area.x, in: row)
      for index in row + area.x..<row + area.endX { cells[index] = cell }
      repair(row + area.endX, rowEnd: row + size.columns)
    }
  }

  /// Copies all of `source` so that its first cell lies at column `x`, row `y`.
  public mutating func blit(_ source: CellBuffer, x: Int, y: Int) {
    let area = Rect(x: x, y: y, columns: source.size.columns, rows: source.size.rows)
      .intersection(bounds)
    if area.isEmpty { return }
    for line in area.y..<area.endY {
      let row = line * size.columns
      let from = (line - y) * source.size.columns - x
      detach(row + area.x, in: row)
      for column in area.x..<area.endX { cells[row + column] = source.cells[from + column] }
      repair(row + area.endX, rowEnd: row + size.columns)
      // The source may have been cut through a wide glyph at either side.
      let first = row + area.x
      if cells[first].isRightHalf { blank(first) }
      let last = row + area.endX - 1
      if cells[last].width == 2 { blank(last) }
    }
  }

  /// Gives every glyph that begins in `rect` another style.
  public mutating func restyle(_ rect: Rect, _ style: StyleID) {
    let area = rect.intersection(bounds)
    if area.isEmpty { return }
    for y in area.y..<area.endY {
      for index in y * size.columns + area.x..<y * size.columns + area.endX
      where !cells[index].isRightHalf {
        cells[index].style = style
        if cells[index].width == 2 { cells[index + 1].style = style }
      }
    }
  }

  // MARK: - Keeping glyphs whole

  /// Writes `text` if it is printable ASCII, else changes nothing and returns `nil`.
  private mutating func writePlain(
    _ text: String,
    from start: Int,
    limit: Int,
    style: StyleID
  ) -> Int? {
    var text = text
    let columns = size.columns
    return text.withUTF8 { bytes -> Int? in
      for byte in bytes where byte < 0x20 || byte > 0x7E { return nil }
      let count = min(limit, bytes.count)
      if count == 0 { return 0 }
      let row = start - start % columns
      detach(start, in: row)
      for offset in 0..<count {
        cells[start + offset] = Cell(
          unchecked: Unicode.Scalar(bytes[offset]),
          width: 1,
          style: style
        )
      }
      repair(start + count, rowEnd: row + columns)
      return count
    }
  }

  private mutating func place(_ scalar: Unicode.Scalar, width: Int, at index: Int, style: StyleID) {
    cells[index] = Cell(unchecked: scalar, width: UInt8(width), style: style)
    if width == 2 { cells[index + 1] = Cell(unchecked: " ", width: 0, style: style) }
  }

  /// Call before overwriting the cell at `index`: frees it from a wide glyph that began before it.
  private mutating func detach(_ index: Int, in row: Int) {
    if index > row, cells[index].isRightHalf { blank(index - 1) }
  }

  /// Call after overwriting up to `index`: a right half there has lost its left half.
  private mutating func repair(_ index: Int, rowEnd: Int) {
    if index < rowEnd, cells[index].isRightHalf { blank(index) }
  }

  private mutating func blank(_ index: Int) {
    cells[index] = Cell(unchecked: " ", width: 1, style: cells[index].style)
  }
}
