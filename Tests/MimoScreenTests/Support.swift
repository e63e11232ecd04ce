import MimoScreen

/// A small generator with a seed, so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_F491_4F6C_DD1D
  }

  /// Text of what is hard to draw: wide, joined, invisible, harmful, and some ordinary letters.
  mutating func text(upTo length: Int = 12) -> String {
    let awkward: [Unicode.Scalar] = [
      "\u{0}", "\u{7}", "\t", "\n", "\r", "\u{1B}", "\u{7F}", "\u{85}", "\u{9B}", "\u{AD}",
      "\u{301}", "\u{308}", "\u{3099}", "\u{200B}", "\u{200D}", "\u{202E}", "\u{2066}", "\u{2028}",
      "\u{FE0F}", "\u{FEFF}", "\u{1F3FD}", "\u{1F1E9}", "\u{1F1EA}", "\u{20E3}", "\u{E0067}",
      "\u{1100}", "\u{1161}", "\u{11A8}", "漢", "字", "か", "ハ", "👩", "💻", "❤", "🔥", "\u{1FAE9}",
      "ｗ", "e", "A", " ", "…", "░", "\u{FFFE}",
    ]
    var scalars = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0...length, using: &self) {
      if Int.random(in: 0..<8, using: &self) == 0 {
        // Surrogates are no scalars.
        let value = UInt32.random(in: 0..<0x11_0000, using: &self)
        scalars.append(Unicode.Scalar(value) ?? "x")
      } else {
        scalars.append(awkward.randomElement(using: &self)!)
      }
    }
    return String(scalars)
  }

  mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

  mutating func rect() -> Rect {
    Rect(x: int(-4...14), y: int(-2...6), columns: int(0...14), rows: int(0...6))
  }

  mutating func style() -> StyleID { StyleID(rawValue: UInt16(int(0...5))) }
}

extension CellBuffer {
  /// What is wrong with it, if a glyph is cut or something else than a glyph got in.
  var flaw: String? {
    for y in 0..<size.rows {
      for x in 0..<size.columns {
        let cell = self[x, y]
        switch cell.width {
        case 0:
          if x == 0 || self[x - 1, y].width != 2 { return "right half alone at \(x),\(y)" }
          if cell.style != self[x - 1, y].style { return "two styles in one glyph at \(x),\(y)" }
        case 2:
          if x + 1 >= size.columns || self[x + 1, y].width != 0 {
            return "left half alone at \(x),\(y)"
          }
          fallthrough
        case 1:
          if TextWidth.width(of: cell.scalar) != Int(cell.width) {
            return "wrong width at \(x),\(y)"
          }
        default:
          return "strange width at \(x),\(y)"
        }
      }
    }
    return nil
  }

  /// Positions outside of `rect` whose cells differ from those of `other`, except where a wide
  /// glyph on the border lost its other half.
  func changes(from other: CellBuffer, outside rect: Rect) -> [String] {
    var found: [String] = []
    for y in 0..<size.rows {
      for x in 0..<size.columns where !rect.contains(x: x, y: y) {
        let (old, new) = (other[x, y], self[x, y])
        let wasCut = old.width != 1 && new.scalar == " " && new.width == 1 && old.style == new.style
        if old != new, !wasCut { found.append("\(x),\(y)") }
      }
    }
    return found
  }
}
