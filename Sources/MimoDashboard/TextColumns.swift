import MimoScreen

/// A small table as lines of text, of the columns there is room for.
struct TextColumns {
  /// One column.
  struct Column {
    var title: String
    var width: Int
    /// When there is no room for all, the columns with the lowest priority go first.
    var priority: Int
    /// A cell for each row.
    var cells: [Span]
  }

  /// From left to right; the first is aligned at its left, the others at their right.
  var columns: [Column]

  /// The header and the rows, none wider than `width` unless a single column is.
  func lines(width: Int, ellipsis: Unicode.Scalar) -> [[Span]] {
    var shown = columns
    while shown.count > 1, shown.reduce(shown.count - 1, { $0 + $1.width }) > width {
      let least = shown.indices.min { shown[$0].priority < shown[$1].priority }!
      shown.remove(at: least)
    }
    func line(_ cell: (Column) -> Span) -> [Span] {
      var spans: [Span] = []
      for (index, column) in shown.enumerated() {
        let span = cell(column)
        let text = TextWidth.truncated(
          TextWidth.sanitized(span.text), to: column.width, ellipsis: String(Character(ellipsis)))
        spans.append(
          Span(
            TextWidth.padded(
              text, to: column.width, alignment: index == 0 ? .leading : .trailing), span.style))
        if index + 1 < shown.count { spans.append(Span(" ")) }
      }
      return spans
    }
    return [line { Span($0.title, Role.tableHeader.style) }]
      + (shown.first?.cells.indices.map { row in line { $0.cells[row] } } ?? [])
  }
}
