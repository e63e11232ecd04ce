/// The name of a cell's look. What it looks like is the business of a `Palette`.
///
/// Whoever draws decides what the numbers mean; only `plain` is given.
public struct StyleID: RawRepresentable, Hashable, Sendable {
  /// The index of its style in a `Palette`.
  public let rawValue: UInt16

  /// Creates the name with this number.
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// The look of a cell that nobody styled. Number zero.
  public static let plain = StyleID(rawValue: 0)
}

/// A colour as a theme states it. A screen shows the nearest one its terminal has.
public enum Color: Hashable, Sendable {
  /// Whatever the terminal uses for unstyled text or background.
  case `default`
  /// An entry of the terminal's palette: 0–7 the basic colours, 8–15 their bright variants, then the
  /// usual 6×6×6 cube and 24 greys.
  case indexed(UInt8)
  /// Red, green and blue.
  case rgb(UInt8, UInt8, UInt8)
}

/// How a cell is shown: colours and attributes.
public struct Style: Hashable, Sendable {
  /// Ways to set text apart that need no colour.
  public struct Attributes: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt8
    /// Creates a set from its bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Heavier strokes, on some terminals a brighter colour.
    public static let bold = Attributes(rawValue: 1 << 0)
    /// Fainter than usual.
    public static let dim = Attributes(rawValue: 1 << 1)
    /// Slanted.
    public static let italic = Attributes(rawValue: 1 << 2)
    /// With a line below.
    public static let underline = Attributes(rawValue: 1 << 3)
    /// Foreground and background exchanged.
    public static let reverse = Attributes(rawValue: 1 << 4)
  }

  /// The colour of the glyph.
  public var foreground: Color
  /// The colour behind it.
  public var background: Color
  /// Everything else.
  public var attributes: Attributes

  /// Creates a style.
  public init(
    foreground: Color = .default,
    background: Color = .default,
    attributes: Attributes = []
  ) {
    self.foreground = foreground
    self.background = background
    self.attributes = attributes
  }

  /// The terminal's own colours, no attributes.
  public static let plain = Style()
}

/// What each `StyleID` looks like.
public struct Palette: Hashable, Sendable {
  /// The styles; the one at index `n` belongs to the `StyleID` numbered `n`.
  public var styles: [Style]

  /// Creates a palette from styles in the order of their numbers.
  public init(_ styles: [Style] = []) { self.styles = styles }

  /// The style of that name, `Style.plain` if the palette is too short to have it.
  public subscript(id: StyleID) -> Style {
    Int(id.rawValue) < styles.count ? styles[Int(id.rawValue)] : .plain
  }
}
