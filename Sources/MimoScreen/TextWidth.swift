/// How many columns text takes on a screen, the same on every system.
///
/// A cell holds one scalar, so text is drawn as a sequence of scalars one or two columns wide. What
/// cannot be shown that way is reduced: a letter and its accent to the composed letter if there is
/// one, an emoji built of several to its first, a flag to its two letters. Control characters,
/// direction controls and everything invisible are left out, so no text can reach the terminal as
/// a command or reorder what stands beside it. Tabs and line ends become spaces.
public enum TextWidth {
  /// Which side of its columns text keeps to.
  public enum Alignment: Hashable, Sendable {
    /// At the left.
    case leading
    /// In the middle, one column further left if it cannot be exact.
    case center
    /// At the right.
    case trailing
  }

  /// Which end of a text remains when it is cut.
  public enum Kept: Hashable, Sendable {
    /// The beginning.
    case start
    /// The end, for paths.
    case end
  }

  /// Columns one scalar takes by itself: 0, 1 or 2. Control characters take none.
  public static func width(of scalar: Unicode.Scalar) -> Int {
    let value = scalar.value
    if value < 0x300 {
      return value < 0x20 || (value >= 0x7F && value < 0xA0) || value == 0xAD ? 0 : 1
    }
    if value >= 0x1100, WidthTable.contains(value, in: WidthTable.wide) { return 2 }
    return WidthTable.contains(value, in: WidthTable.none) ? 0 : 1
  }

  /// Columns `text` takes when drawn. Linear in its length.
  public static func width(of text: String) -> Int {
    if let count = plainCount(of: text) { return count }
    return DrawnScalars(text).reduce(0) { $0 + $1.width }
  }

  /// The scalars that are drawn for `text`, and nothing else. Doing it twice changes nothing.
  public static func sanitized(_ text: String) -> String {
    if plainCount(of: text) != nil { return text }
    var result = String.UnicodeScalarView()
    for glyph in DrawnScalars(text) { result.append(glyph.scalar) }
    return String(result)
  }

  /// `text`, sanitised, at most `columns` wide, with `ellipsis` where something was left out.
  ///
  /// A wide glyph is never cut, so the result may be one column narrower. If the ellipsis itself
  /// does not fit, the result is its beginning.
  public static func truncated(
    _ text: String,
    to columns: Int,
    ellipsis: String = "…",
    keeping kept: Kept = .start
  ) -> String {
    guard columns > 0 else { return "" }
    if width(of: text) <= columns { return sanitized(text) }
    let mark = prefix(of: DrawnScalars(ellipsis), columns: columns)
    let room = columns - mark.columns
    switch kept {
    case .start:
      return prefix(of: DrawnScalars(text), columns: room).text + mark.text
    case .end:
      let reversed = prefix(of: Array(DrawnScalars(text)).reversed(), columns: room).text
      return mark.text + String(String.UnicodeScalarView(reversed.unicodeScalars.reversed()))
    }
  }

  /// `text`, sanitised, with spaces to be exactly `columns` wide; a longer text is cut at its end.
  public static func padded(
    _ text: String,
    to columns: Int,
    alignment: Alignment = .leading
  ) -> String {
    let (text, used) = prefix(of: DrawnScalars(text), columns: columns)
    let free = max(0, columns) - used
    let before =
      switch alignment {
      case .leading: 0
      case .center: free / 2
      case .trailing: free
      }
    return String(repeating: " ", count: before) + text
      + String(repeating: " ", count: free - before)
  }

  /// As many glyphs as fit into `columns`, and the columns they take.
  private static func prefix(
    of glyphs: some Sequence<DrawnScalars.Element>,
    columns: Int
  ) -> (text: String, columns: Int) {
    var text = String.UnicodeScalarView()
    var used = 0
    for glyph in glyphs {
      if used + glyph.width > columns { break }
      text.append(glyph.scalar)
      used += glyph.width
    }
    return (String(text), used)
  }

  /// The length of a text of printable ASCII, `nil` for any other: the usual case needs no tables.
  private static func plainCount(of text: String) -> Int? {
    for byte in text.utf8 where byte < 0x20 || byte > 0x7E { return nil }
    return text.utf8.count
  }
}

/// The scalars drawn for a text, each with its width of 1 or 2. See `TextWidth`.
struct DrawnScalars: Sequence, IteratorProtocol {
  typealias Element = (scalar: Unicode.Scalar, width: Int)

  private var scalars: String.UnicodeScalarView.Iterator
  /// The glyph found last. It waits, because a combining mark may still change it.
  private var last: Element?
  private var followsJoiner = false
  private var followsReturn = false

  init(_ text: String) { scalars = text.unicodeScalars.makeIterator() }

  mutating func next() -> Element? {
    while let scalar = scalars.next() {
      guard let found = glyph(for: scalar) else { continue }
      let ready = last
      last = found
      if let ready { return ready }
    }
    defer { last = nil }
    return last
  }

  /// What to draw for `scalar`, `nil` for nothing. May change `last` instead.
  private mutating func glyph(for scalar: Unicode.Scalar) -> Element? {
    let value = scalar.value
    let joined = followsJoiner
    let returned = followsReturn
    followsJoiner = false
    followsReturn = false
    switch value {
    case 0x20..<0x7F:
      return (scalar, 1)
    case 0x0D:
      followsReturn = true
      return (" ", 1)
    case 0x0A where returned:
      return nil
    case 0x09...0x0D, 0x85, 0x2028, 0x2029:
      return (" ", 1)
    case 0x200D:
      followsJoiner = true
      return nil
    case 0x1F1E6...0x1F1FF:
      // Terminals disagree on flags by up to two columns; letters are the same everywhere.
      return (Unicode.Scalar(UInt8(value - 0x1F1E6 + 0x41)), 1)
    case 0x1F3FB...0x1F3FF where last.map { Self.isPicture($0.scalar) } ?? false:
      return nil
    default:
      break
    }
    let width = TextWidth.width(of: scalar)
    if width == 0 {
      if let base = last, let composed = Composition.compose(base.scalar, scalar) {
        last = (composed, base.width)
      }
      return nil
    }
    if joined, Self.isPicture(scalar), let base = last, Self.isPicture(base.scalar) { return nil }
    return (scalar, width)
  }

  /// Whether `scalar` can be a part of an emoji built of several.
  private static func isPicture(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x2190...0x2BFF, 0x3030, 0x303D, 0x3297, 0x3299, 0x1F000...0x1FAFF: true
    default: false
    }
  }
}

/// Joining a letter and a mark. File names from some systems come taken apart.
enum Composition {
  /// The scalar that is canonically the same as `base` followed by `mark`.
  static func compose(_ base: Unicode.Scalar, _ mark: Unicode.Scalar) -> Unicode.Scalar? {
    switch mark.value {
    case 0x1161...0x1175 where (0x1100...0x1112).contains(base.value):
      return Unicode.Scalar(
        0xAC00 + ((base.value - 0x1100) * 21 + (mark.value - 0x1161)) * 28
      )
    case 0x11A8...0x11C2
    where (0xAC00...0xD7A3).contains(base.value) && (base.value - 0xAC00) % 28 == 0:
      return Unicode.Scalar(base.value + mark.value - 0x11A7)
    case 0x300...0x36F, 0x3099, 0x309A:
      var pair = String.UnicodeScalarView()
      pair.append(base)
      pair.append(mark)
      return composed[String(pair)]
    default:
      return nil
    }
  }

  /// Strings compare by canonical equivalence, so a composed letter is found by its parts.
  private static let composed: [String: Unicode.Scalar] = {
    var table: [String: Unicode.Scalar] = [:]
    let blocks: [ClosedRange<UInt32>] = [
      0xC0...0x24F, 0x386...0x3CE, 0x400...0x4F9, 0x1E00...0x1EFF, 0x3041...0x30FE,
    ]
    for block in blocks {
      for value in block {
        if let scalar = Unicode.Scalar(value), TextWidth.width(of: scalar) > 0 {
          table[String(Character(scalar))] = scalar
        }
      }
    }
    return table
  }()
}
