/// Columns and rows of something on a screen. Never negative.
public struct Size: Hashable, Sendable {
  /// Width in columns.
  public let columns: Int
  /// Height in rows.
  public let rows: Int

  /// Creates a size; negative numbers become zero.
  public init(columns: Int, rows: Int) {
    self.columns = max(0, columns)
    self.rows = max(0, rows)
  }

  /// No columns and no rows.
  public static let zero = Size(columns: 0, rows: 0)

  /// Whether there is no cell in it.
  public var isEmpty: Bool { columns == 0 || rows == 0 }
}

/// A rectangle of cells. `x` counts columns to the right and `y` rows downwards, both from zero.
///
/// A rectangle may lie outside of the buffer it is used with; drawing is clipped. Every way of
/// splitting one returns parts inside of it that never overlap, empty ones when there is no room.
public struct Rect: Hashable, Sendable {
  /// First column.
  public let x: Int
  /// First row.
  public let y: Int
  /// Width in columns, never negative.
  public let columns: Int
  /// Height in rows, never negative.
  public let rows: Int

  /// Creates a rectangle; a negative width or height becomes zero.
  public init(x: Int, y: Int, columns: Int, rows: Int) {
    self.x = x
    self.y = y
    self.columns = max(0, columns)
    self.rows = max(0, rows)
  }

  /// Creates the rectangle of `size` whose first cell is at column 0, row 0.
  public init(_ size: Size) {
    self.init(x: 0, y: 0, columns: size.columns, rows: size.rows)
  }

  /// The column after the last one.
  public var endX: Int { x + columns }
  /// The row after the last one.
  public var endY: Int { y + rows }
  /// Its width and height.
  public var size: Size { Size(columns: columns, rows: rows) }
  /// Whether there is no cell in it.
  public var isEmpty: Bool { columns == 0 || rows == 0 }

  /// Whether the cell at column `x`, row `y` is in it.
  public func contains(x: Int, y: Int) -> Bool {
    x >= self.x && x < endX && y >= self.y && y < endY
  }

  /// The cells that are in both, possibly none.
  public func intersection(_ other: Rect) -> Rect {
    let left = max(x, other.x)
    let top = max(y, other.y)
    return Rect(
      x: left,
      y: top,
      columns: min(endX, other.endX) - left,
      rows: min(endY, other.endY) - top
    )
  }

  /// The rectangle without `columns` at its left and right and `rows` at its top and bottom.
  public func inset(columns: Int, rows: Int) -> Rect {
    let dx = min(max(0, columns), self.columns / 2)
    let dy = min(max(0, rows), self.rows / 2)
    return Rect(
      x: x + dx,
      y: y + dy,
      columns: self.columns - 2 * max(0, columns),
      rows: self.rows - 2 * max(0, rows)
    )
  }

  /// The row number `index` counted from its top, empty if there is no such row.
  public func row(_ index: Int) -> Rect {
    guard index >= 0, index < rows else { return Rect(x: x, y: endY, columns: columns, rows: 0) }
    return Rect(x: x, y: y + index, columns: columns, rows: 1)
  }

  /// Cuts at most `rows` rows off the top: those and what is left.
  public func splitTop(_ rows: Int) -> (top: Rect, rest: Rect) {
    let cut = min(max(0, rows), self.rows)
    return (
      Rect(x: x, y: y, columns: columns, rows: cut),
      Rect(x: x, y: y + cut, columns: columns, rows: self.rows - cut)
    )
  }

  /// Cuts at most `rows` rows off the bottom: what is left and those.
  public func splitBottom(_ rows: Int) -> (rest: Rect, bottom: Rect) {
    let cut = min(max(0, rows), self.rows)
    let (rest, bottom) = splitTop(self.rows - cut)
    return (rest, bottom)
  }

  /// Cuts at most `columns` columns off the left: those and what is left.
  public func splitLeft(_ columns: Int) -> (left: Rect, rest: Rect) {
    let cut = min(max(0, columns), self.columns)
    return (
      Rect(x: x, y: y, columns: cut, rows: rows),
      Rect(x: x + cut, y: y, columns: self.columns - cut, rows: rows)
    )
  }

  /// Cuts at most `columns` columns off the right: what is left and those.
  public func splitRight(_ columns: Int) -> (rest: Rect, right: Rect) {
    let cut = min(max(0, columns), self.columns)
    let (rest, right) = splitLeft(self.columns - cut)
    return (rest, right)
  }

  /// Divides it from top to bottom, one part per length, `gap` rows between parts.
  public func dividedIntoRows(_ lengths: [Length], gap: Int = 0) -> [Rect] {
    Length.places(for: lengths, in: rows, gap: gap).map { start, count in
      Rect(x: x, y: y + start, columns: columns, rows: count)
    }
  }

  /// Divides it from left to right, one part per length, `gap` columns between parts.
  public func dividedIntoColumns(_ lengths: [Length], gap: Int = 0) -> [Rect] {
    Length.places(for: lengths, in: columns, gap: gap).map { start, count in
      Rect(x: x + start, y: y, columns: count, rows: rows)
    }
  }
}

/// How many rows or columns a part of a divided rectangle gets.
public enum Length: Hashable, Sendable {
  /// This many, or fewer if there are not so many left.
  case fixed(Int)
  /// A share, by weight, of what the fixed parts leave, but at least `minimum` and at most `maximum`.
  case flexible(weight: Int = 1, minimum: Int = 0, maximum: Int = .max)

  /// The least it asks for.
  var minimum: Int {
    switch self {
    case .fixed(let count): max(0, count)
    case .flexible(_, let minimum, _): max(0, minimum)
    }
  }

  /// The most it takes.
  var maximum: Int {
    switch self {
    case .fixed(let count): max(0, count)
    case .flexible(_, let minimum, let maximum): max(0, minimum, maximum)
    }
  }

  /// Its share of what is left over.
  var weight: Int {
    switch self {
    case .fixed: 0
    case .flexible(let weight, _, _): max(0, weight)
    }
  }

  /// How many of `total` each length gets, when `gap` are left free between neighbours.
  ///
  /// The result is as long as `lengths`. When the minimums do not fit, the first ones are served
  /// first. The same input gives the same numbers, so nothing moves while the size stays.
  public static func distribute(_ lengths: [Length], over total: Int, gap: Int = 0) -> [Int] {
    var left = max(0, total - max(0, gap) * max(0, lengths.count - 1))
    var counts = lengths.map { length in
      let count = min(length.minimum, left)
      left -= count
      return count
    }
    // Hand out shares until nothing is left or everyone has its maximum. A part that reaches its
    // maximum returns the rest of its share, hence the loop.
    while left > 0 {
      let growing = lengths.indices.filter {
        lengths[$0].weight > 0 && counts[$0] < lengths[$0].maximum
      }
      var weights = growing.reduce(0) { $0 + lengths[$1].weight }
      if weights == 0 { break }
      var shareable = left
      for index in growing {
        let weight = lengths[index].weight
        // Dividing what is left by the weights left spreads the rounding evenly.
        let share = (shareable * weight + weights - 1) / weights
        let taken = min(share, shareable, lengths[index].maximum - counts[index])
        counts[index] += taken
        left -= taken
        shareable -= share < shareable ? share : shareable
        weights -= weight
      }
    }
    return counts
  }

  /// Start and count of each part.
  static func places(for lengths: [Length], in total: Int, gap: Int) -> [(start: Int, count: Int)] {
    var start = 0
    return distribute(lengths, over: total, gap: gap).map { count in
      let here = min(start, max(0, total))
      start = here + count + max(0, gap)
      return (here, count)
    }
  }
}
