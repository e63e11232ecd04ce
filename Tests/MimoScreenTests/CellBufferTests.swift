import MimoScreen
import Testing

struct CellBufferTests {
  private func buffer(_ columns: Int, _ rows: Int = 1) -> CellBuffer {
    CellBuffer(size: Size(columns: columns, rows: rows))
  }

  private let loud = StyleID(rawValue: 7)

  @Test func `a new buffer is full of what it was filled with`() {
    #expect(buffer(3, 2).cells == Array(repeating: .blank, count: 6))
    let dots = CellBuffer(size: Size(columns: 2, rows: 1), fill: Cell(".", style: loud))
    #expect(dots.rowText(0) == "..")
    #expect(dots[1, 0].style == loud)
    #expect(CellBuffer(size: Size(columns: 2, rows: 1), fill: Cell("漢")).rowText(0) == "  ")
    #expect(CellBuffer(size: .zero).text == "")
    #expect(buffer(-3, 2).cells.isEmpty)
  }

  @Test func `text is written in place and its columns are told`() {
    var buffer = buffer(8)
    #expect(buffer.write("a漢b", x: 1, y: 0, style: loud) == 4)
    #expect(buffer.rowText(0) == " a漢b   ")
    #expect(buffer[1, 0] == Cell("a", style: loud))
    #expect(buffer[2, 0].width == 2)
    #expect(buffer[3, 0].isRightHalf)
    #expect(buffer[3, 0].style == loud)
    #expect(buffer.text == " a漢b")
  }

  @Test func `text is clipped at every edge`() {
    var buffer = buffer(4, 2)
    #expect(buffer.write("abcdef", x: 2, y: 0) == 2)
    #expect(buffer.write("abcdef", x: -2, y: 1) == 6)
    #expect(buffer.text == "  ab\ncdef")
    for (x, y) in [(0, -1), (0, 2), (4, 0), (Int.max, 0)] {
      #expect(buffer.write("x", x: x, y: y) == 0)
    }
    #expect(buffer.write("x", x: Int.min, y: 0) == 1)
    #expect(buffer.write("xyz", x: 0, y: 0, maxColumns: 2) == 2)
    #expect(buffer.write("xyz", x: 0, y: 0, maxColumns: 0) == 0)
    #expect(buffer.write("xyz", x: 0, y: 0, maxColumns: -1) == 0)
    #expect(buffer.text == "xyab\ncdef")
  }

  @Test func `a wide glyph is never cut`() {
    var buffer = buffer(4)
    #expect(buffer.write("abc漢", x: 0, y: 0) == 3)
    #expect(buffer.rowText(0) == "abc ")
    #expect(buffer.write("a漢", x: 0, y: 0, maxColumns: 2) == 1)
    #expect(buffer.write("漢b", x: -1, y: 0) == 3)
    #expect(buffer.rowText(0) == " bc ")
  }

  @Test func `overwriting half of a glyph blanks the other half`() {
    for (x, expected) in [(0, "x 字"), (1, " x字"), (2, "漢x "), (3, "漢 x")] {
      var buffer = buffer(4)
      buffer.write("漢字", x: 0, y: 0)
      buffer.write("x", x: x, y: 0)
      #expect(buffer.rowText(0) == expected)
      #expect(buffer.flaw == nil)
    }
    var filled = buffer(6)
    filled.write("漢漢漢", x: 0, y: 0)
    filled.fill(Rect(x: 1, y: 0, columns: 4, rows: 1), with: "-")
    #expect(filled.rowText(0) == " ---- ")
    var wide = buffer(5)
    wide.write("漢漢", x: 0, y: 0)
    wide.write("字", x: 1, y: 0)
    #expect(wide.rowText(0) == " 字  ")
  }

  @Test func `filling takes only glyphs of one column`() {
    var buffer = buffer(3)
    buffer.fill(buffer.bounds, with: "漢")
    #expect(buffer.rowText(0) == "   ")
    buffer.fill(buffer.bounds, with: "\u{1B}")
    #expect(buffer.rowText(0) == "   ")
    buffer.put("#", x: 1, y: 0)
    #expect(buffer.rowText(0) == " # ")
  }

  @Test func `a buffer is copied into another and clipped`() {
    var source = buffer(4, 2)
    source.write("漢字", x: 0, y: 0, style: loud)
    source.write("abcd", x: 0, y: 1)
    for (x, y, expected) in [
      (0, 0, "漢字..\nabcd.."), (1, 1, "......\n.漢字."), (-1, 0, " 字...\nbcd..."),
      (3, 0, "...漢 \n...abc"), (0, -1, "abcd..\n......"), (9, 9, "......\n......"),
    ] {
      var target = CellBuffer(size: Size(columns: 6, rows: 2), fill: Cell("."))
      target.blit(source, x: x, y: y)
      #expect((0..<2).map(target.rowText).joined(separator: "\n") == expected)
      #expect(target.flaw == nil)
    }
  }

  @Test func `restyling changes looks and nothing else`() {
    var buffer = buffer(5)
    buffer.write("a漢b", x: 0, y: 0)
    buffer.restyle(Rect(x: 1, y: 0, columns: 1, rows: 1), loud)
    #expect(buffer.rowText(0) == "a漢b ")
    #expect(buffer.cells.map { $0.style == loud } == [false, true, true, false, false])
    buffer.restyle(Rect(x: 2, y: 0, columns: 9, rows: 9), .plain)
    #expect(buffer.cells.map { $0.style == loud } == [false, true, true, false, false])
  }

  @Test func `spans are written one after the other`() {
    var buffer = buffer(6)
    let taken = buffer.write(
      [Span("ab"), Span("漢", loud), Span("cdef")],
      x: 0,
      y: 0,
      maxColumns: 5
    )
    #expect(taken == 5)
    #expect(buffer.rowText(0) == "ab漢c ")
    #expect(buffer[2, 0].style == loud)
  }

  @Test func `no sequence of calls cuts a glyph or draws outside of its place`() {
    var random = SeededGenerator(seed: 2)
    for round in 0..<2_000 {
      var buffer = buffer(random.int(0...12), random.int(0...4))
      for step in 0..<8 {
        let before = buffer
        let rect = random.rect()
        let what: Comment
        switch random.int(0...3) {
        case 0:
          let text = random.text()
          let taken = buffer.write(
            text,
            x: rect.x,
            y: rect.y,
            style: random.style(),
            maxColumns: rect.columns
          )
          what = "round \(round), step \(step): wrote \(text.debugDescription) in \(rect)"
          #expect(taken >= 0 && taken <= rect.columns, what)
          let written = Rect(x: rect.x, y: rect.y, columns: taken, rows: 1)
          #expect(buffer.changes(from: before, outside: written).isEmpty, what)
          var clean = before
          clean.write(
            TextWidth.sanitized(text),
            x: rect.x,
            y: rect.y,
            maxColumns: rect.columns
          )
          #expect(clean.text == buffer.text, what)
        case 1:
          buffer.fill(rect, with: random.text().unicodeScalars.first ?? "x", style: random.style())
          what = "round \(round), step \(step): filled \(rect)"
          #expect(buffer.changes(from: before, outside: rect).isEmpty, what)
        case 2:
          var source = CellBuffer(size: rect.size)
          for y in 0..<rect.rows { source.write(random.text(), x: random.int(-2...3), y: y) }
          buffer.blit(source, x: rect.x, y: rect.y)
          what = "round \(round), step \(step): copied into \(rect)"
          #expect(buffer.changes(from: before, outside: rect).isEmpty, what)
        default:
          buffer.restyle(rect, random.style())
          what = "round \(round), step \(step): restyled \(rect)"
          #expect(buffer.text == before.text, what)
        }
        #expect(buffer.flaw == nil, what)
        #expect(buffer.cells.count == buffer.size.columns * buffer.size.rows)
      }
    }
  }
}
