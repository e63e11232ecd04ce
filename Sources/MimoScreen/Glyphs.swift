/// The signs that are not text: lines, bars, marks. Chosen once, before anything is drawn.
///
/// Each is one column wide. No meaning may hang on a sign that has no counterpart in `ascii`.
public struct Glyphs: Hashable, Sendable {
  /// Corners of a box.
  public var topLeft, topRight, bottomLeft, bottomRight: Unicode.Scalar
  /// Lines of a box, and of rules.
  public var horizontal, vertical: Unicode.Scalar
  /// A cell filled from the left, from the least to the whole: eight steps or fewer, never none.
  public var bar: [Unicode.Scalar]
  /// The part of a bar that is not filled.
  public var track: Unicode.Scalar
  /// A bar whose value is not known.
  public var unknown: Unicode.Scalar
  /// A cell filled from the bottom, from the least to the whole: eight steps or fewer, never none.
  public var spark: [Unicode.Scalar]
  /// A cell of a map, from the least to the most: four steps, never none.
  public var shade: [Unicode.Scalar]
  /// A cell of a map that has nothing.
  public var empty: Unicode.Scalar
  /// Where text was left out.
  public var ellipsis: Unicode.Scalar
  /// Arrows.
  public var up, down, left, right: Unicode.Scalar
  /// Order of a sorted column.
  public var ascending, descending: Unicode.Scalar
  /// The chosen row, or the start of an item.
  public var pointer, bullet: Unicode.Scalar
  /// Between items of a line.
  public var separator: Unicode.Scalar
  /// Something needs attention.
  public var warning: Unicode.Scalar
  /// Done, and not done.
  public var check, cross: Unicode.Scalar

  /// For terminals that show UTF-8: lines, blocks in eighths, arrows; no emoji.
  public static let unicode = Glyphs(
    topLeft: "╭",
    topRight: "╮",
    bottomLeft: "╰",
    bottomRight: "╯",
    horizontal: "─",
    vertical: "│",
    bar: ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    track: "░",
    unknown: "╌",
    spark: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    shade: ["░", "▒", "▓", "█"],
    empty: "·",
    ellipsis: "…",
    up: "↑",
    down: "↓",
    left: "←",
    right: "→",
    ascending: "▲",
    descending: "▼",
    pointer: "▸",
    bullet: "•",
    separator: "·",
    warning: "!",
    check: "✓",
    cross: "✗"
  )

  /// For all others.
  public static let ascii = Glyphs(
    topLeft: "+",
    topRight: "+",
    bottomLeft: "+",
    bottomRight: "+",
    horizontal: "-",
    vertical: "|",
    bar: ["=", "#"],
    track: ".",
    unknown: "?",
    spark: ["_", ".", ":", "-", "=", "+", "*", "#"],
    shade: ["-", "+", "*", "#"],
    empty: " ",
    ellipsis: "~",
    up: "^",
    down: "v",
    left: "<",
    right: ">",
    ascending: "^",
    descending: "v",
    pointer: ">",
    bullet: "*",
    separator: "|",
    warning: "!",
    check: "+",
    cross: "x"
  )
}
