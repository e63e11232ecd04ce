import MimoScreen
import MimoTestSupport
import Testing

struct WidgetTests {
  private let red = StyleID(rawValue: 1)
  private let green = StyleID(rawValue: 2)
  private let grey = StyleID(rawValue: 3)

  private func drawn(
    _ columns: Int,
    _ rows: Int = 1,
    _ draw: (inout CellBuffer, Rect) -> Void
  ) -> String {
    var buffer = CellBuffer(size: Size(columns: columns, rows: rows))
    draw(&buffer, buffer.bounds)
    return (0..<rows).map(buffer.rowText).joined(separator: "\n")
  }

  // MARK: - Box

  @Test func `a box has titles in its top line`() {
    let box = Box(title: [Span("Spend")], trailingTitle: [Span("today")])
    #expect(
      drawn(20, 3) { box.draw(on: &$0, in: $1) } == """
        ╭ Spend ──── today ╮
        │                  │
        ╰──────────────────╯
        """
    )
    #expect(drawn(15, 2) { box.draw(on: &$0, in: $1) } == "╭ Spend ──────╮\n╰─────────────╯")
    #expect(drawn(8, 2) { box.draw(on: &$0, in: $1) } == "╭ Spe… ╮\n╰──────╯")
    #expect(drawn(2, 2) { box.draw(on: &$0, in: $1) } == "╭╮\n╰╯")
    #expect(drawn(1, 3) { box.draw(on: &$0, in: $1) } == "│\n│\n│")
    #expect(drawn(12, 1) { box.draw(on: &$0, in: $1) } == "─ Spend ────")
  }

  @Test func `a box tells what is inside`() {
    #expect(
      Box.inside(Rect(x: 1, y: 1, columns: 5, rows: 4)) == Rect(x: 2, y: 2, columns: 3, rows: 2)
    )
    #expect(Box.inside(Rect(x: 1, y: 1, columns: 2, rows: 2)).isEmpty)
  }

  @Test func `spans are cut where the room ends`() {
    let spans = [Span("abc", red), Span("def", green)]
    #expect(spans.truncated(to: 6) == spans)
    #expect(spans.truncated(to: 5) == [Span("abc", red), Span("d…", green)])
    #expect(spans.truncated(to: 4) == [Span("abc", red), Span("…", green)])
    #expect(spans.truncated(to: 3) == [Span("ab…", red)])
    #expect(spans.truncated(to: 0).columns == 0)
  }

  // MARK: - Gauge

  @Test(
    arguments: [
      (0.0, "░░░░░░░░"), (0.001, "▏░░░░░░░"), (0.5, "████░░░░"), (0.55, "████▍░░░"),
      (0.999, "███████▉"), (1.0, "████████"), (7.0, "████████"), (-1.0, "░░░░░░░░"),
      (Double.nan, "╌╌╌╌╌╌╌╌"), (.infinity, "████████"), (nil, "╌╌╌╌╌╌╌╌"),
    ] as [(Double?, String)]
  )
  func `a gauge is filled in eighths`(fraction: Double?, bar: String) {
    #expect(drawn(8) { Gauge(fraction: fraction).draw(on: &$0, in: $1) } == bar)
  }

  @Test func `a gauge says in words what it shows`() {
    let inside = Gauge(fraction: 0.5, label: "50 %")
    #expect(drawn(10) { inside.draw(on: &$0, in: $1) } == "█████░50 %")
    let after = Gauge(fraction: 0.5, label: "50 %", labelPlace: .after(columns: 5))
    #expect(drawn(14) { after.draw(on: &$0, in: $1) } == "████░░░░  50 %")
    #expect(drawn(5) { after.draw(on: &$0, in: $1) } == " 50 %")
    #expect(drawn(3) { after.draw(on: &$0, in: $1) } == "50…")
    let unknown = Gauge(
      fraction: nil,
      label: "unknown",
      labelPlace: .after(columns: 7),
      glyphs: .ascii
    )
    #expect(drawn(14) { unknown.draw(on: &$0, in: $1) } == "?????? unknown")
    #expect(drawn(4) { Gauge(fraction: 0.4, glyphs: .ascii).draw(on: &$0, in: $1) } == "#=..")
  }

  @Test func `a gauge changes colour along its length`() {
    var buffer = CellBuffer(size: Size(columns: 4, rows: 1))
    Gauge(fraction: 0.75, fill: [green, red], track: grey).draw(on: &buffer, in: buffer.bounds)
    #expect(buffer.cells.map(\.style) == [green, green, red, grey])
  }

  // MARK: - Sparkline

  @Test func `a sparkline tells zero from nothing and little from zero`() {
    let values: [Double?] = [0, 0.01, 1, nil, 4, 8, .nan, -3]
    #expect(drawn(10) { Sparkline(values).draw(on: &$0, in: $1) } == "  ▁▂▂ ▄█ ▁")
    #expect(drawn(3) { Sparkline(values).draw(on: &$0, in: $1) } == "█ ▁")
    #expect(
      drawn(8) { Sparkline(values, glyphs: .ascii).draw(on: &$0, in: $1) } == "_.. -# _"
    )
    #expect(drawn(3) { Sparkline([1, 2, nil] as [Int?]).draw(on: &$0, in: $1) } == "▄█ ")
    #expect(drawn(2) { Sparkline([0, 0] as [Int?]).draw(on: &$0, in: $1) } == "▁▁")
    #expect(drawn(2) { Sparkline([] as [Int?]).draw(on: &$0, in: $1) } == "  ")
  }

  @Test func `a tall sparkline spreads over its rows`() {
    let chart = Sparkline([0, 4, 8, 16], maximum: 16)
    #expect(drawn(4, 2) { chart.draw(on: &$0, in: $1) } == "   █\n▁▄██")
    let clipped = Sparkline([99, .infinity], maximum: 9)
    #expect(drawn(2, 2) { clipped.draw(on: &$0, in: $1) } == "██\n██")
  }

  // MARK: - Table

  private var models: Table {
    Table(
      columns: [
        Table.Column("MODEL", minimum: 6, maximum: 16, priority: 9),
        Table.Column("TOKENS", width: 7, priority: 2),
        Table.Column("COST", width: 6, priority: 5),
      ],
      rows: [
        [Span("mimo-v2-pro"), Span("1204 k"), Span("12.40", red)],
        [Span("mimo-v2-flash-preview"), Span("310 k"), Span("0.31")],
        [Span("漢字模型"), Span("—")],
      ],
      selected: 1,
      sorting: Table.Sorting(column: 2, isAscending: false),
      headerStyle: grey,
      selectedStyle: green
    )
  }

  @Test func `a table has columns under a header`() {
    var buffer = CellBuffer(size: Size(columns: 34, rows: 5))
    models.draw(on: &buffer, in: buffer.bounds)
    #expect(
      buffer.text == """
        MODEL             TOKENS  COST▼
        mimo-v2-pro       1204 k  12.40
        mimo-v2-flash-p…   310 k   0.31
        漢字模型               —

        """
    )
  }

  @Test func `the least important columns go first`() {
    #expect(drawn(16) { models.draw(on: &$0, in: $1) } == "MODEL      COST▼")
    #expect(drawn(13) { models.draw(on: &$0, in: $1) } == "MODEL   COST▼")
    #expect(drawn(12) { models.draw(on: &$0, in: $1) } == "MODEL       ")
    #expect(drawn(3) { models.draw(on: &$0, in: $1) } == "MO…")
    #expect(models.placements(in: Rect(x: 5, y: 0, columns: 16, rows: 1)).map(\.column) == [0, 2])
  }

  @Test func `contents do not move columns`() {
    let rect = Rect(x: 0, y: 0, columns: 30, rows: 4)
    var other = models
    other.rows = [[Span("x"), Span("123456789012345"), Span("y")]]
    #expect(models.placements(in: rect) == other.placements(in: rect))
  }

  @Test func `a table shows rows from its offset and marks the chosen one`() {
    var table = models
    table.scroll = 1
    var buffer = CellBuffer(size: Size(columns: 31, rows: 3))
    table.draw(on: &buffer, in: buffer.bounds)
    #expect(buffer.rowText(1).hasPrefix("mimo-v2-flash"))
    #expect(buffer.rowText(2).hasPrefix("漢字模型"))
    #expect((0..<31).allSatisfy { buffer[$0, 1].style == green && buffer[$0, 0].style == grey })
    #expect(table.row(atY: 1, in: buffer.bounds) == 1)
    #expect(table.row(atY: 0, in: buffer.bounds) == nil)
    #expect(models.row(atY: 4, in: Rect(x: 0, y: 0, columns: 9, rows: 9)) == nil)
  }

  @Test(
    arguments: [
      (0, 0, 100, 10, 0), (0, 15, 100, 10, 6), (50, 15, 100, 10, 15), (95, nil, 100, 10, 90),
      (5, nil, 3, 10, 0), (0, 99, 100, 1, 99), (3, 2, 100, 0, 2), (-4, nil, 100, 10, 0),
    ] as [(Int, Int?, Int, Int, Int)]
  )
  func `scrolling follows the chosen row`(
    scroll: Int,
    selected: Int?,
    count: Int,
    visible: Int,
    expected: Int
  ) {
    #expect(Table.scroll(scroll, showing: selected, of: count, in: visible) == expected)
  }

  // MARK: - All

  @Test func `a page of widgets looks like its snapshot`() {
    var buffer = CellBuffer(size: Size(columns: 40, rows: 10))
    let inside = Box(
      title: [Span("Models", green)],
      trailingTitle: [Span("as billed", grey)],
      style: grey
    ).draw(on: &buffer, in: buffer.bounds)
    let (top, rest) = inside.splitTop(4)
    models.draw(on: &buffer, in: top)
    let (gauge, chart) = rest.splitTop(1)
    Gauge(fraction: 0.62, label: "62 %", labelPlace: .after(columns: 6), fill: [green], track: grey)
      .draw(on: &buffer, in: gauge)
    Sparkline((0..<38).map { $0 % 9 }, styles: [green, red]).draw(on: &buffer, in: chart)
    expectSnapshot(buffer, named: "widgets-40x10") { style in
      [red: "alarm", green: "good", grey: "muted"][style]
    }
  }

  @Test func `any widget at any size stays in its place`() {
    var random = SeededGenerator(seed: 4)
    for round in 0..<1_000 {
      let size = Size(columns: random.int(0...20), rows: random.int(0...6))
      var buffer = CellBuffer(size: size)
      for y in 0..<size.rows { buffer.write("漢字漢字漢字漢字漢字漢字", x: random.int(-1...0), y: y) }
      let before = buffer
      let rect = random.rect()
      let glyphs: Glyphs = random.int(0...1) == 0 ? .unicode : .ascii
      let what: Comment = "round \(round) in \(rect) of \(size)"
      switch random.int(0...3) {
      case 0:
        Box(title: [Span(random.text())], trailingTitle: [Span(random.text())], glyphs: glyphs)
          .draw(on: &buffer, in: rect)
      case 1:
        let place: Gauge.LabelPlace =
          random.int(0...1) == 0 ? .inside : .after(columns: random.int(-1...9))
        let fraction = random.int(0...4) == 0 ? nil : Double(random.int(-1...9)) / 8
        Gauge(
          fraction: fraction,
          label: random.text(),
          labelPlace: place,
          fill: random.int(0...1) == 0 ? [] : [red, green, grey],
          glyphs: glyphs
        ).draw(on: &buffer, in: rect)
      case 2:
        let values = (0..<random.int(0...20)).map { _ in
          random.int(0...3) == 0 ? nil : random.int(-5...99)
        }
        Sparkline(values, styles: [red, green], glyphs: glyphs).draw(on: &buffer, in: rect)
      default:
        let columns = (0..<random.int(0...4)).map { _ in
          Table.Column(
            random.text(),
            alignment: [.leading, .center, .trailing][random.int(0...2)],
            minimum: random.int(-1...6),
            maximum: random.int(0...9),
            weight: random.int(0...2),
            priority: random.int(0...2),
            keeping: random.int(0...1) == 0 ? .start : .end
          )
        }
        let rows = (0..<random.int(0...9)).map { _ in
          (0..<random.int(0...5)).map { _ in Span(random.text()) }
        }
        Table(
          columns: columns,
          rows: rows,
          selected: random.int(-1...9),
          scroll: random.int(-1...9),
          sorting: Table.Sorting(column: random.int(-1...4), isAscending: false),
          showsHeader: random.int(0...1) == 0,
          gap: random.int(-1...2),
          glyphs: glyphs
        ).draw(on: &buffer, in: rect)
      }
      #expect(buffer.flaw == nil, what)
      #expect(buffer.changes(from: before, outside: rect).isEmpty, what)
    }
  }
}
