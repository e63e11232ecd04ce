/// Rows of text in columns, under a header.
///
///     MODEL              TOKENS     COST ▼
///     mimo-v2-pro       1 204 k      12.40
///     mimo-v2-flash       310 k       0.31
///
/// Column widths depend on the columns' own limits and on the room, never on the rows, so nothing
/// jumps when the contents change.
public struct Table: Sendable {
  /// One column: its title, and how wide it may be.
  public struct Column: Hashable, Sendable {
    /// Shown in the header.
    public var title: String
    /// For title and cells.
    public var alignment: TextWidth.Alignment
    /// Fewest columns it is shown with.
    public var minimum: Int
    /// Most columns it takes.
    public var maximum: Int
    /// Its share of the room beyond the minimums; 0 stays at its minimum.
    public var weight: Int
    /// When there is no room for all, the columns with the lowest priority go first; of equals, the last.
    public var priority: Int
    /// Which end of a cell's text remains when it is cut.
    public var keeping: TextWidth.Kept

    /// Creates a column of any width between the limits.
    public init(
      _ title: String,
      alignment: TextWidth.Alignment = .leading,
      minimum: Int,
      maximum: Int = .max,
      weight: Int = 1,
      priority: Int = 0,
      keeping: TextWidth.Kept = .start
    ) {
      self.title = title
      self.alignment = alignment
      self.minimum = max(0, minimum)
      self.maximum = max(0, minimum, maximum)
      self.weight = max(0, weight)
      self.priority = priority
      self.keeping = keeping
    }

    /// Creates a column that is always `width` wide.
    public init(
      _ title: String,
      alignment: TextWidth.Alignment = .trailing,
      width: Int,
      priority: Int = 0
    ) {
      self.init(
        title,
        alignment: alignment,
        minimum: width,
        maximum: width,
        weight: 0,
        priority: priority
      )
    }
  }

  /// Which column the rows are sorted by. The rows come sorted already.
  public struct Sorting: Hashable, Sendable {
    /// Index of the column.
    public var column: Int
    /// Smallest first.
    public var isAscending: Bool

    /// Creates a mark.
    public init(column: Int, isAscending: Bool) {
      self.column = column
      self.isAscending = isAscending
    }
  }

  /// Where a column was placed.
  public struct Placement: Hashable, Sendable {
    /// Index into `columns`.
    public let column: Int
    /// First screen column.
    public let x: Int
    /// Width.
    public let columns: Int
  }

  /// The columns from left to right.
  public var columns: [Column]
  /// Cells of each row in the order of `columns`; missing ones are blank, surplus ones ignored.
  public var rows: [[Span]]
  /// Index of the chosen row.
  public var selected: Int?
  /// Index of the first row shown.
  public var scroll: Int
  /// Mark in the header.
  public var sorting: Sorting?
  /// Whether there is a header.
  public var showsHeader: Bool
  /// Free columns between columns.
  public var gap: Int
  /// Style of the header.
  public var headerStyle: StyleID
  /// Style of the title of the sorted column.
  public var sortedStyle: StyleID
  /// Style of everything in the chosen row.
  public var selectedStyle: StyleID
  /// Style of places without text.
  public var style: StyleID
  /// Which signs to use.
  public var glyphs: Glyphs

  /// Creates a table.
  public init(
    columns: [Column],
    rows: [[Span]],
    selected: Int? = nil,
    scroll: Int = 0,
    sorting: Sorting? = nil,
    showsHeader: Bool = true,
    gap: Int = 1,
    headerStyle: StyleID = .plain,
    sortedStyle: StyleID? = nil,
    selectedStyle: StyleID = .plain,
    style: StyleID = .plain,
    glyphs: Glyphs = .unicode
  ) {
    self.columns = columns
    self.rows = rows
    self.selected = selected
    self.scroll = scroll
    self.sorting = sorting
    self.showsHeader = showsHeader
    self.gap = gap
    self.headerStyle = headerStyle
    self.sortedStyle = sortedStyle ?? headerStyle
    self.selectedStyle = selectedStyle
    self.style = style
    self.glyphs = glyphs
  }

  /// The columns shown in `rect`, from left to right. Use it to tell what was clicked.
  ///
  /// Columns are left out by priority until the rest fits; the last one left is shown however
  /// narrow it gets.
  public func placements(in rect: Rect) -> [Placement] {
    if rect.columns == 0 { return [] }
    let gap = max(0, gap)
    var shown = Array(columns.indices)
    while shown.count > 1,
      shown.reduce(gap * (shown.count - 1), { $0 + columns[$1].minimum }) > rect.columns
    {
      // `min` returns the first of equals, hence the reversal: of equals the last goes.
      let least = shown.indices.reversed().min {
        columns[shown[$0]].priority < columns[shown[$1]].priority
      }
      shown.remove(at: least!)
    }
    let lengths = shown.map { index in
      let column = columns[index]
      return Length.flexible(
        weight: column.weight,
        minimum: column.minimum,
        maximum: column.maximum
      )
    }
    return zip(shown, Length.places(for: lengths, in: rect.columns, gap: gap))
      .map { Placement(column: $0, x: rect.x + $1.start, columns: $1.count) }
  }

  /// The part of `rect` that shows rows.
  public func body(in rect: Rect) -> Rect {
    showsHeader ? rect.splitTop(1).rest : rect
  }

  /// The index of the row at screen row `y`, or `nil` if there is none.
  public func row(atY y: Int, in rect: Rect) -> Int? {
    let body = body(in: rect)
    guard y >= body.y, y < body.endY else { return nil }
    let index = max(0, scroll) + y - body.y
    return index < rows.count ? index : nil
  }

  /// The scroll offset nearest to `scroll` that shows row `selected` and no needless empty rows.
  public static func scroll(_ scroll: Int, showing selected: Int?, of count: Int, in visible: Int)
    -> Int
  {
    let visible = max(1, visible)
    var offset = scroll
    if let selected { offset = min(selected, max(offset, selected - visible + 1)) }
    return max(0, min(offset, count - visible))
  }

  /// Draws header and rows over the whole of `rect`.
  public func draw(on buffer: inout CellBuffer, in rect: Rect) {
    if rect.isEmpty { return }
    buffer.fill(rect, style: style)
    let placements = placements(in: rect)
    if showsHeader { drawHeader(on: &buffer, at: placements, in: rect.row(0)) }
    let body = body(in: rect)
    for line in 0..<body.rows {
      let index = max(0, scroll) + line
      if index >= rows.count { break }
      for placement in placements where placement.column < rows[index].count {
        let cell = rows[index][placement.column]
        let column = columns[placement.column]
        write(
          cell.text,
          at: placement,
          y: body.y + line,
          style: cell.style,
          alignment: column.alignment,
          keeping: column.keeping,
          on: &buffer
        )
      }
      if index == selected { buffer.restyle(body.row(line), selectedStyle) }
    }
  }

  private func drawHeader(
    on buffer: inout CellBuffer,
    at placements: [Placement],
    in rect: Rect
  ) {
    buffer.fill(rect, style: headerStyle)
    for placement in placements {
      let column = columns[placement.column]
      guard let sorting, sorting.column == placement.column else {
        write(
          column.title,
          at: placement,
          y: rect.y,
          style: headerStyle,
          alignment: column.alignment,
          keeping: .start,
          on: &buffer
        )
        continue
      }
      let sign = String(Character(sorting.isAscending ? glyphs.ascending : glyphs.descending))
      // The title gives way, never the mark.
      let title = TextWidth.truncated(
        column.title,
        to: placement.columns - 1,
        ellipsis: String(Character(glyphs.ellipsis))
      )
      write(
        title + sign,
        at: placement,
        y: rect.y,
        style: sortedStyle,
        alignment: column.alignment,
        keeping: .start,
        on: &buffer
      )
    }
  }

  private func write(
    _ text: String,
    at placement: Placement,
    y: Int,
    style: StyleID,
    alignment: TextWidth.Alignment,
    keeping: TextWidth.Kept,
    on buffer: inout CellBuffer
  ) {
    let text = TextWidth.truncated(
      text,
      to: placement.columns,
      ellipsis: String(Character(glyphs.ellipsis)),
      keeping: keeping
    )
    let free = placement.columns - TextWidth.width(of: text)
    let indent =
      switch alignment {
      case .leading: 0
      case .center: free / 2
      case .trailing: free
      }
    buffer.write(
      text,
      x: placement.x + indent,
      y: y,
      style: style,
      maxColumns: placement.columns - indent
    )
  }
}
