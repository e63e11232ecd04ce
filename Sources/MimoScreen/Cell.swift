/// One place of a screen: a glyph and the name of its look. Eight bytes.
public struct Cell: Hashable, Sendable {
  /// The glyph; a space in the right half of a wide glyph. Never a control character.
  public let scalar: Unicode.Scalar
  /// How it looks. The right half of a wide glyph has the style of its left half.
  public internal(set) var style: StyleID
  /// Columns the glyph takes: 1, 2 for the left half of a wide one, 0 for its right half.
  public let width: UInt8

  init(unchecked scalar: Unicode.Scalar, width: UInt8, style: StyleID) {
    self.scalar = scalar
    self.style = style
    self.width = width
  }

  /// Creates a cell one column wide. A scalar of another width becomes a space.
  public init(_ scalar: Unicode.Scalar = " ", style: StyleID = .plain) {
    let fits = TextWidth.width(of: scalar) == 1
    self.init(unchecked: fits ? scalar : " ", width: 1, style: style)
  }

  /// A space in the plain style.
  public static let blank = Cell()

  /// Whether it only continues the wide glyph on its left.
  public var isRightHalf: Bool { width == 0 }
}
