import MimoScreen
import Testing

struct TextWidthTests {
  @Test(arguments: [
    ("plain", "plain", 5),
    ("", "", 0),
    ("漢字", "漢字", 4),
    ("café", "café", 4),
    ("cafe\u{301}", "café", 4),
    ("x\u{301}\u{302}", "x", 1),
    ("a\u{323}\u{302}", "ậ", 1),
    ("か\u{3099}", "が", 2),
    ("\u{1112}\u{1161}\u{11AB}", "한", 2),
    ("a\tb\nc\r\nd", "a b c d", 7),
    ("\u{1B}[31mred\u{7}", "[31mred", 7),
    ("\u{9B}31m", "31m", 3),
    ("soft\u{AD}hyphen", "softhyphen", 10),
    ("\u{202E}reverse\u{202C}", "reverse", 7),
    ("zero\u{200B}width\u{FEFF}", "zerowidth", 9),
    ("❤\u{FE0F}", "❤", 1),
    ("👩\u{200D}💻!", "👩!", 3),
    ("👨\u{200D}👩\u{200D}👧\u{200D}👦", "👨", 2),
    ("❤\u{FE0F}\u{200D}🔥", "❤", 1),
    ("👍🏽", "👍", 2),
    ("🏽", "🏽", 2),
    ("🇩🇪 🇨🇳", "DE CN", 5),
    ("1\u{FE0F}\u{20E3}", "1", 1),
    ("ｗｉｄｅ", "ｗｉｄｅ", 8),
    ("क्\u{200D}ष", "कष", 2),
    ("\u{1FAE9}", "\u{1FAE9}", 2),
  ])
  func `text is reduced to what cells can hold`(text: String, drawn: String, width: Int) {
    #expect(Array(TextWidth.sanitized(text).unicodeScalars) == Array(drawn.unicodeScalars))
    #expect(TextWidth.width(of: text) == width)
  }

  @Test(arguments: [
    (0x00, 0), (0x1F, 0), (0x20, 1), (0x7E, 1), (0x7F, 0), (0x9F, 0), (0xA0, 1), (0xAD, 0),
    (0x2FF, 1), (0x300, 0), (0x36F, 0), (0x370, 1), (0x10FF, 1), (0x1100, 2), (0x115E, 2),
    (0x2500, 1), (0x2588, 1), (0x2800, 1), (0x3000, 2), (0x3042, 2), (0x4E00, 2), (0x9FFF, 2),
    (0xAC00, 2), (0xD7A3, 2), (0xD7A4, 1), (0xE000, 1), (0xFE00, 0), (0xFE0F, 0), (0xFF01, 2),
    (0xFF61, 1), (0x1F300, 2), (0x1F680, 2), (0x20000, 2), (0x3FFFD, 2), (0x3FFFE, 0),
    (0xE0001, 0), (0x10FFFD, 1),
  ])
  func `scalars have the width unicode gives them`(value: UInt32, width: Int) {
    #expect(TextWidth.width(of: Unicode.Scalar(value)!) == width)
  }

  @Test func `text is cut without cutting a glyph`() {
    #expect(TextWidth.truncated("mimo-v2-flash", to: 8) == "mimo-v2…")
    #expect(TextWidth.truncated("mimo-v2-flash", to: 8, keeping: .end) == "…2-flash")
    #expect(TextWidth.truncated("mimo", to: 4) == "mimo")
    #expect(TextWidth.truncated("漢字漢字", to: 5) == "漢字…")
    #expect(TextWidth.truncated("漢字漢字", to: 4) == "漢…")
    #expect(TextWidth.truncated("漢字", to: 1) == "…")
    #expect(TextWidth.truncated("漢字", to: 0) == "")
    #expect(TextWidth.truncated("word", to: -3) == "")
    #expect(TextWidth.truncated("words", to: 2, ellipsis: "...") == "..")
    #expect(TextWidth.truncated("a\u{1B}b", to: 2) == "ab")
  }

  @Test func `text is padded to an exact width`() {
    #expect(TextWidth.padded("ab", to: 5) == "ab   ")
    #expect(TextWidth.padded("ab", to: 5, alignment: .trailing) == "   ab")
    #expect(TextWidth.padded("ab", to: 5, alignment: .center) == " ab  ")
    #expect(TextWidth.padded("漢字", to: 3) == "漢 ")
    #expect(TextWidth.padded("abcdef", to: 3) == "abc")
    #expect(TextWidth.padded("ab", to: -1) == "")
  }

  @Test func `any text obeys the laws`() {
    var random = SeededGenerator(seed: 1)
    for round in 0..<2_000 {
      let text = random.text()
      let columns = random.int(-1...14)
      let once = TextWidth.sanitized(text)
      let what: Comment = "round \(round): \(text.debugDescription) to \(columns)"
      #expect(
        Array(TextWidth.sanitized(once).unicodeScalars) == Array(once.unicodeScalars),
        what
      )
      #expect(
        TextWidth.width(of: text) == once.unicodeScalars.reduce(0) { $0 + TextWidth.width(of: $1) },
        what
      )
      #expect(once.unicodeScalars.allSatisfy { TextWidth.width(of: $0) > 0 }, what)
      for kept in [TextWidth.Kept.start, .end] {
        let cut = TextWidth.truncated(text, to: columns, keeping: kept)
        #expect(TextWidth.width(of: cut) <= max(0, columns), what)
      }
      let padded = TextWidth.padded(text, to: columns, alignment: .center)
      #expect(TextWidth.width(of: padded) == max(0, columns), what)
    }
  }
}
