import MimoEngine
import MimoScreen
import MimoTestSupport
import Testing

@testable import MimoDashboard

/// What is true of every frame, tried on random models at random sizes.
@Suite struct ViewLawTests {
  @Test(arguments: 0..<12) func `every frame has its size and whole glyphs`(seed: UInt64) {
    var random = SplitMix(state: seed)
    var model = Model.random(&random)
    for overlay in Model.overlays {
      for _ in 0..<4 {
        model.overlay = overlay
        model.focus = [.breakdown, .requests].randomElement(using: &random)!
        model.size = Size(
          columns: Int.random(in: 1...220, using: &random),
          rows: Int.random(in: 1...70, using: &random))
        model.derive()
        expectSound(model)
      }
    }
  }

  @Test func `every size near the smallest is drawn`() {
    var random = SplitMix(state: 99)
    let models = [
      Model.random(&random), .made(.missing, plan: "small USD"),
      .made(MadeUpUsage(), plan: "large CNY"),
    ]
    for var model in models {
      for rows in 1...14 {
        for columns in [1, 2, 3, 5, 9, 20, 35, 39, 40, 41, 55, 72, 73, 74] {
          model.size = Size(columns: columns, rows: rows)
          expectSound(model)
        }
      }
    }
  }

  @Test func `every overlay is drawn on every small screen, scrolled or not`() {
    for var model in [Model.made(.missing, plan: "small USD"), .made(MadeUpUsage())] {
      model.traced = model.snapshot.recent.last
      for overlay in Model.overlays {
        for (columns, rows) in [(40, 10), (41, 11), (80, 12), (99, 30), (100, 30), (220, 70)] {
          model.size = Size(columns: columns, rows: rows)
          model.overlay = overlay
          model.overlayState = PanelState()
          model.derive()
          expectSound(model)
          model.press(.end)
          expectSound(model)
          model.overlayState.scroll = 10_000
          model.overlayState.selected = 10_000
          expectSound(model)
        }
      }
    }
  }

  @Test(arguments: 0..<6) func `a panel draws nowhere else`(seed: UInt64) {
    var random = SplitMix(state: seed)
    var model = Model.random(&random)
    model.size = Size(columns: 100, rows: 40)
    model.derive()
    let panels: [any Panel.Type] =
      Panels.cards + [
        HeaderPanel.self, Banner.self, PlanStrip.self, SummaryPanel.self, BreakdownPanel.self,
        RequestsPanel.self, FooterPanel.self,
      ]
    for panel in panels {
      for _ in 0..<8 {
        let rect = Rect(
          x: Int.random(in: 0...60, using: &random), y: Int.random(in: 0...20, using: &random),
          columns: Int.random(in: 0...120, using: &random),
          rows: Int.random(in: 0...30, using: &random)
        ).intersection(Rect(Size(columns: 100, rows: 40)))
        let before = CellBuffer(size: model.size, fill: Cell("@", style: Role.banner.style))
        var after = before
        panel.draw(model, on: &after, in: rect)
        let outside = after.cells.indices.filter { index in
          let (y, x) = index.quotientAndRemainder(dividingBy: model.size.columns)
          return after.cells[index] != before.cells[index] && !rect.contains(x: x, y: y)
        }
        #expect(outside.isEmpty, "\(panel) draws outside of \(rect)")
      }
    }
  }

  @Test(arguments: 0..<4) func `equal models give equal frames`(seed: UInt64) {
    func frame() -> CellBuffer {
      var random = SplitMix(state: seed)
      return view(Model.random(&random))
    }
    #expect(frame() == frame())
  }

  @Test func `drawing a frame changes nothing in the next`() {
    let model = Model.made()
    #expect(view(model) == view(model))
  }

  @Test(arguments: 0..<6) func `without Unicode only labels have other signs`(seed: UInt64) {
    var random = SplitMix(state: seed)
    var model = Model.random(&random, glyphs: .ascii, isPlain: true)
    for overlay in Model.overlays {
      for index in model.plans.indices {
        model.overlay = overlay
        model.planIndex = index
        model.derive()
        let odd = view(model).cells.filter { !$0.scalar.isASCII }.map(\.scalar)
        #expect(odd.isEmpty, "\(odd)")
      }
    }
  }

  @Test func `the looks of a frame are roles`() {
    let known = Set(Role.allCases.map(\.style))
    for model in [Model.made(), .made(.missing, 120, 40, plan: "small USD")] {
      #expect(view(model).cells.allSatisfy { known.contains($0.style) })
    }
  }

  @Test func `no line of an overlay is cut`() {
    let line = [
      Span("label       ", Role.label.style),
      Span("some words and a-word-that-is-much-longer-than-the-line 漢字漢字漢字 end", .plain),
    ]
    for columns in 4...80 {
      let lines = Overlays.wrapped(line, columns: columns)
      #expect(lines.allSatisfy { $0.columns <= columns })
      func letters(_ lines: [[Span]]) -> String {
        lines.joined().map(\.text).joined().filter { $0 != " " }
      }
      #expect(letters(lines) == letters([line]))
    }
  }

  /// Control characters cannot be in a cell: `CellBuffer` leaves them out, and here nothing goes around it.
  private func expectSound(_ model: Model, sourceLocation: SourceLocation = #_sourceLocation) {
    let buffer = view(model)
    #expect(buffer.size == model.size, sourceLocation: sourceLocation)
    var flaw: String?
    for (index, cell) in buffer.cells.enumerated() {
      let (y, x) = index.quotientAndRemainder(dividingBy: buffer.size.columns)
      if cell.isRightHalf {
        if x == 0 || buffer[x - 1, y].width != 2 { flaw = "half a glyph at \(x),\(y)" }
      } else if TextWidth.width(of: cell.scalar) != Int(cell.width) {
        flaw = "a glyph of another width at \(x),\(y)"
      }
      if cell.scalar.value < 0x20 || 0x7F..<0xA0 ~= cell.scalar.value {
        flaw = "a control character at \(x),\(y)"
      }
    }
    #expect(flaw == nil, sourceLocation: sourceLocation)
  }
}

extension Model {
  static let overlays: [Overlay?] = [
    nil, .help, .plans, .alerts, .files, .trace, .whatIf, .change, .hours,
  ]

  /// A dashboard in any state over any usage.
  static func random(
    _ random: inout SplitMix, glyphs: Glyphs = .unicode, isPlain: Bool = false
  ) -> Model {
    func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    func name() -> String? {
      if number(0...9) == 0 { return nil }
      let awkward: [Unicode.Scalar] = [
        "\u{0}", "\u{7}", "\t", "\n", "\u{1B}", "\u{7F}", "\u{9B}", "\u{301}", "\u{200D}",
        "\u{202E}", "漢", "字", "👩", "💻", "…", "¥", "é",
      ]
      var text = String.UnicodeScalarView()
      for _ in 0..<number(1...30) {
        if isPlain || number(0...2) > 0 {
          text.append(Unicode.Scalar(UInt8(number(0x20...0x7E))))
        } else {
          text.append(awkward.randomElement(using: &random)!)
        }
      }
      return String(text)
    }
    func tokens() -> Int64 {
      let bits = [4, 10, 17, 24, 39].randomElement(using: &random)!
      return Int64.random(in: 0...(1 << bits), using: &random)
    }
    let models = ["alpha-pro", "alpha-mini", "beta-large", name()]
    var usage = MadeUpUsage()
    for _ in 0..<number(0...120) {
      let failed = number(0...20) == 0
      usage.call(
        models.randomElement(using: &random)!, project: name(),
        session: number(0...1) == 0 ? "s" : name(),
        minutesAgo: number(0...[20, 90, 3000, 90_000].randomElement(using: &random)!),
        fresh: failed ? 0 : tokens(), read: failed ? 0 : tokens(), write: failed ? 0 : tokens(),
        output: failed ? 0 : tokens(), tellsCache: true, failed: failed,
        tookMilliseconds: number(0...1) == 0 ? nil : Int32(number(0...100_000_000)))
    }
    var ingest = IngestSummary()
    if number(0...2) == 0 {
      ingest.reading = ReadingProgress(
        bytesRead: tokens(), bytesTotal: tokens(), filesRead: number(0...100),
        filesTotal: number(0...100_000), recentBytes: tokens(),
        milliseconds: Int64(number(0...9999)))
    }
    for _ in 0..<number(0...4) {
      ingest.files.append(
        IngestSummary.File(
          path: name() ?? "", formats: number(0...1) == 0 ? "" : "api",
          lines: number(0...10_000_000), records: number(0...10_000), duplicates: number(0...9),
          malformed: number(0...2000), problems: [name() ?? ""]))
      ingest.sources.append(name() ?? "")
    }
    var model = Model.made(
      usage, number(40...200), number(10...60), glyphs: glyphs, ingest: ingest)
    model.planIndex = number(0...model.plans.count - 1)
    model.referenceIndex = number(0...1) == 0 ? nil : number(0...model.plans.count - 1)
    model.window = WindowChoice.allCases.randomElement(using: &random)!
    model.grouping = Self.groupings.randomElement(using: &random)!
    model.sorting = BreakdownColumn.allCases.randomElement(using: &random)!
    model.isSortingReversed = number(0...1) == 0
    if number(0...3) == 0 { model.filters = [UsageFilter(.model, equals: name() ?? "")] }
    if number(0...3) == 0 { model.say(name() ?? "") }
    for panel in [PanelID.breakdown, .requests] {
      model.panels[panel, default: PanelState()].selected = number(0...300)
    }
    model.traced = model.snapshot.recent.randomElement(using: &random)
    model.overlayState.scroll = number(0...50)
    model.modelMap = MadeUpUsage.modelMap
    model.isMapping = number(0...1) == 0
    model.assumedPoints = number(0...1) == 0 ? nil : number(0...100)
    model.derive()
    return model
  }
}
