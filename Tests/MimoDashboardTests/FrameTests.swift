import MimoEngine
import MimoScreen
import MimoTestSupport
import Testing

@testable import MimoDashboard

/// Whole screens, as seen. Each situation is drawn in `Snapshots/`.
@Suite struct FrameTests {
  @Test(arguments: [(80, 24), (120, 40), (200, 60), (40, 10), (100, 20), (60, 16)])
  func `a busy day`(columns: Int, rows: Int) {
    expectFrame(view(.made(.busy, columns, rows)), "busy-\(columns)x\(rows)")
  }

  @Test(arguments: [(39, 10), (40, 9), (24, 3), (8, 1), (3, 2)])
  func `a screen that is too small says so in one line`(columns: Int, rows: Int) {
    expectFrame(view(.made(.busy, columns, rows)), "too-small-\(columns)x\(rows)")
  }

  @Test(arguments: [(80, 24), (40, 10)])
  func `before any usage the screen says where it looks`(columns: Int, rows: Int) {
    var ingest = IngestSummary()
    ingest.sources = ["~/.claude/projects", "~/.config/claude/projects"]
    expectFrame(
      view(.made(MadeUpUsage(), columns, rows, ingest: ingest)), "empty-\(columns)x\(rows)")
  }

  @Test func `a log that cannot be read is named on an empty screen`() {
    var ingest = IngestSummary()
    ingest.sources = ["app.jsonl"]
    ingest.errors = ["app.jsonl: permission denied"]
    expectFrame(view(.made(MadeUpUsage(), ingest: ingest)), "empty-with-error-80x24")
  }

  @Test func `a window without usage says which key shows another`() {
    var usage = MadeUpUsage()
    usage.call("alpha-pro", minutesAgo: 3 * 1440, fresh: 100, output: 10)
    var model = Model.made(usage)
    model.type("w")
    expectFrame(view(model), "empty-window-80x24")
  }

  @Test(arguments: [(80, 24), (40, 10), (40, 16), (120, 40)])
  func `while logs are read the numbers are called partial`(columns: Int, rows: Int) {
    var ingest = IngestSummary.oneLog
    ingest.reading = .made
    ingest.files[0].malformed = 3
    expectFrame(view(.made(.busy, columns, rows, ingest: ingest)), "reading-\(columns)x\(rows)")
  }

  @Test(arguments: [(80, 24), (120, 40)])
  func `before the first numbers the screen says how far reading has come`(
    columns: Int, rows: Int
  ) {
    var ingest = IngestSummary()
    ingest.reading = .made
    ingest.reading?.milliseconds = 100
    expectFrame(
      view(.made(MadeUpUsage(), columns, rows, ingest: ingest)), "reading-first-\(columns)x\(rows)")
  }

  @Test(arguments: [(80, 24), (120, 40), (40, 10), (40, 16)])
  func `a warning stands over everything while the hit rate is too low`(columns: Int, rows: Int) {
    expectFrame(view(.made(.missing, columns, rows)), "alert-\(columns)x\(rows)")
  }

  @Test func `a warning and a plan leave a row of the table on the smallest screen`() {
    expectFrame(view(.made(.missing, 40, 10, plan: "small USD")), "alert-credits-40x10")
  }

  @Test(arguments: [(80, 24), (120, 40), (200, 60), (40, 10)])
  func `under a plan with credits, credits and money stand side by side`(columns: Int, rows: Int) {
    expectFrame(view(.made(.busy, columns, rows, plan: "large USD")), "credits-\(columns)x\(rows)")
  }

  @Test(arguments: [(80, 24), (120, 40), (40, 10)])
  func `a plan that will not last says when it ends`(columns: Int, rows: Int) {
    var usage = MadeUpUsage.busy
    usage.call("alpha-pro", minutesAgo: 2 * 1440, fresh: 3_300_000, output: 1000)
    expectFrame(
      view(.made(usage, columns, rows, plan: "small USD")),
      "credits-nearly-exhausted-\(columns)x\(rows)")
  }

  @Test(arguments: [(80, 24), (120, 40), (40, 10)])
  func `a plan that is used up says by how much`(columns: Int, rows: Int) {
    var usage = MadeUpUsage.busy
    usage.call("alpha-pro", minutesAgo: 90, fresh: 6_000_000, output: 1000)
    expectFrame(
      view(.made(usage, columns, rows, plan: "small USD")), "credits-over-\(columns)x\(rows)")
  }

  @Test func `differences are shown from a pinned plan`() {
    var model = Model.made(onlyPriced)
    model.type("=")
    model.planIndex = model.index(of: "small USD")
    model.message = nil
    model.derive()
    expectFrame(view(model), "reference-80x24")
  }

  @Test func `differences across currencies are unknown`() {
    var model = Model.made(onlyPriced, plan: "alpha-payg USD")
    model.type("=p")
    model.message = nil
    expectFrame(view(model), "reference-other-currency-80x24")
  }

  @Test(arguments: [(80, 24), (120, 40), (40, 10)])
  func `the list of plans has the money of each`(columns: Int, rows: Int) {
    var model = Model.made(.busy, columns, rows)
    model.type("l")
    model.press(.down, .down)
    expectFrame(view(model), "plans-\(columns)x\(rows)")
  }

  @Test(arguments: [(80, 24), (120, 40), (200, 60)])
  func `the list of plans says which one to take`(columns: Int, rows: Int) {
    var model = Model.made(.weeks, columns, rows, plan: "small USD")
    model.type("l")
    expectFrame(view(model), "plans-recommended-\(columns)x\(rows)")
  }

  @Test(arguments: [(80, 24), (120, 40)])
  func `the list of plans says between what an estimate lies`(columns: Int, rows: Int) {
    var model = Model.made(.weeks, columns, rows)
    model.modelMap = MadeUpUsage.modelMap
    model.type("ml")
    model.message = nil
    model.overlayState.selected = model.index(of: "beta-payg USD")
    expectFrame(view(model), "plans-estimate-\(columns)x\(rows)")
  }

  @Test func `the list of plans has the difference of each from the reference`() {
    var model = Model.made(onlyPriced)
    model.type("=l")
    model.message = nil
    expectFrame(view(model), "plans-reference-80x24")
  }

  @Test(arguments: [(80, 24), (120, 40), (40, 10)])
  func `help has every key`(columns: Int, rows: Int) {
    var model = Model.made(.busy, columns, rows)
    model.type("?")
    expectFrame(view(model), "help-\(columns)x\(rows)")
  }

  @Test func `help can be scrolled to its end`() {
    var model = Model.made()
    model.type("?")
    model.press(.end)
    expectFrame(view(model), "help-end-80x24")
  }

  @Test(arguments: [(80, 24), (120, 40), (40, 10)])
  func `the alert log has start, end, depth and cause`(columns: Int, rows: Int) {
    var usage = MadeUpUsage.missing
    for minute in 300..<330 {
      usage.call("alpha-mini", project: nil, minutesAgo: minute, fresh: 9000, read: 10, output: 10)
    }
    var model = Model.made(usage, columns, rows)
    model.type("a")
    expectFrame(view(model), "alert-log-\(columns)x\(rows)")
  }

  @Test(arguments: [(80, 24), (40, 10)])
  func `the alert log goes on with what the ledger keeps`(columns: Int, rows: Int) {
    func entry(daysAgo days: Int, _ driver: HitRateMonitor.Driver?, _ goodRate: Ratio?)
      -> AlertLog.Entry
    {
      let start = MadeUpUsage.now.minute.advanced(by: -1440 * days)
      return AlertLog.Entry(
        HitRateMonitor.Alert(
          start: start, end: start.advanced(by: 40), rateAtStart: Ratio(19, 100)!,
          lowestRate: Ratio(7, 100)!, window: .init(requests: 40, prompt: 90_000, read: 6300),
          driver: driver, goodRate: goodRate), limit: Ratio(30, 100)!)
    }
    var ingest = IngestSummary.oneLog
    ingest.alerts = AlertLog([
      entry(daysAgo: 700, nil, nil),
      entry(
        daysAgo: 40, .init(model: "alpha-pro", project: "/home/ana/shop", share: Ratio(4, 5)!),
        Ratio(81, 100)),
      // What is judged anew from cells on screen is not shown twice.
      entry(daysAgo: 1, nil, nil),
    ])
    var model = Model.made(.missing, columns, rows, ingest: ingest)
    model.type("a")
    expectFrame(view(model), "alert-log-kept-\(columns)x\(rows)")
  }

  @Test func `an alert that began before the last days is shown with its beginning`() {
    var usage = MadeUpUsage()
    for minute in 9960..<10_080 {
      usage.call("alpha-mini", project: nil, minutesAgo: minute, fresh: 9000, read: 10, output: 10)
    }
    let cut = MadeUpUsage.now.minute.advanced(by: -7 * 1440)
    var model = Model.made(usage)
    model.type("a")
    let alone = model.text
    var ingest = IngestSummary.oneLog
    ingest.alerts = AlertLog([
      AlertLog.Entry(
        HitRateMonitor.Alert(
          start: cut.advanced(by: -100), end: cut.advanced(by: 130), rateAtStart: Ratio(1, 9)!,
          lowestRate: Ratio(1, 90)!, window: .init(requests: 40, prompt: 90_000, read: 1000)),
        limit: Ratio(1, 5)!)
    ])
    _ = update(&model, .usage(usage.ledger.snapshot(), ingest))
    #expect(alone.contains(" to ") && model.text != alone)
    #expect(model.text.components(separatedBy: "raised at").count == 2)
    #expect(model.line(with: "raised at").contains("raised at 11.1%"))
  }

  @Test func `an alert log without alerts says so`() {
    var model = Model.made()
    model.type("a")
    expectFrame(view(model), "alert-log-empty-80x24")
  }

  @Test(arguments: [(80, 24), (120, 40), (40, 10)])
  func `the list of logs has what could not be read`(columns: Int, rows: Int) {
    var ingest = IngestSummary.oneLog
    ingest.files.append(
      IngestSummary.File(
        path: "/home/ana/projects/a-rather-long-name/2026/10/15/transcripts/session.jsonl",
        formats: "claude-code", lines: 12_345, records: 1234, duplicates: 5678, malformed: 1002,
        problems: [
          "byte 120: not valid JSON: a string without an end", "byte 4096: negative token count",
        ]))
    ingest.files.append(
      IngestSummary.File(
        path: "notes.txt", formats: "", lines: 3, records: 0, duplicates: 0, malformed: 0,
        problems: []))
    ingest.errors = ["/logs/secret.jsonl: permission denied"]
    var model = Model.made(.busy, columns, rows, ingest: ingest)
    model.type("i")
    expectFrame(view(model), "files-\(columns)x\(rows)")
  }

  @Test(arguments: [(80, 24), (40, 10)])
  func `the trace of a request has counts, rates and their source`(columns: Int, rows: Int) {
    var model = Model.made(onlyPriced, columns, rows)
    model.press(.tab, .enter)
    expectFrame(view(model), "trace-\(columns)x\(rows)")
  }

  @Test func `the trace of a request without a price says so`() {
    var model = Model.made()
    model.press(.tab, .down, .down, .enter)
    expectFrame(view(model), "trace-no-price-80x24")
  }

  @Test func `without Unicode everything is still told`() {
    expectFrame(
      view(.made(.missing, glyphs: .ascii, plan: "as-billed CNY")), "ascii-80x24")
  }

  @Test func `chosen rows narrow the window and are named in the title`() {
    var model = Model.made()
    model.press(.enter, .enter)
    expectFrame(view(model), "filter-80x24")
  }

  @Test func `a selection without usage says how to see all rows again`() {
    var model = Model.made()
    model.filters = [UsageFilter(.model, equals: "")]
    model.derive()
    expectFrame(view(model), "filter-empty-80x24")
  }

  @Test func `usage of one known seller has no gaps`() {
    expectFrame(view(.made(onlyPriced, 120, 40)), "priced-120x40")
  }

  @Test func `counts and sums of any size keep their columns`() {
    expectFrame(view(.made(.single(tokens: 987_654_321_987), 120, 40)), "huge-120x40")
  }

  @Test func `a printed frame has no keys`() {
    var model = Model.made()
    model.isBatch = true
    expectFrame(view(model), "batch-80x24")
  }

  /// Usage for which every plan of Alpha has a price.
  @Test(arguments: [(80, 24), (120, 40), (40, 10)])
  func `what if has the curve, the place on it and the crossing`(columns: Int, rows: Int) {
    var model = Model.made(onlyPriced, columns, rows)
    model.modelMap = MadeUpUsage.modelMap
    model.type("m=p")
    model.planIndex = model.index(of: "beta-payg USD")
    model.type("b>>>")
    model.message = nil
    expectFrame(view(model), "what-if-\(columns)x\(rows)")
  }

  @Test func `what if says what a point is worth at the present pace`() {
    var model = Model.made(.weeks)
    model.type("b")
    expectFrame(view(model), "what-if-weeks-80x24")
  }

  @Test func `what if says what it needs when a price is missing`() {
    var model = Model.made()
    model.type("b")
    expectFrame(view(model), "what-if-no-price-80x24")
  }

  @Test func `models that stand for others are named`() {
    var model = Model.made(onlyPriced, plan: "beta-payg USD")
    model.modelMap = MadeUpUsage.modelMap
    model.type("m")
    model.message = nil
    expectFrame(view(model), "estimate-80x24")
  }

  private var onlyPriced: MadeUpUsage {
    var usage = MadeUpUsage()
    for minute in 0..<40 {
      usage.call(
        "alpha-pro", minutesAgo: minute, fresh: 1000, read: 40_000, output: 700,
        tookMilliseconds: 3100)
      usage.call("alpha-mini", session: "s-2", minutesAgo: minute, fresh: 9000, output: 200)
    }
    return usage
  }
}

/// Panels by themselves.
@Suite struct PanelTests {
  @Test(arguments: Model.groupings)
  func `the table by each grouping`(grouping: Grouping) {
    var model = Model.made(.busy, 100, 30)
    model.grouping = grouping
    model.derive()
    let frame = painted(100, 12) { BreakdownPanel.draw(model, on: &$0, in: $1) }
    expectFrame(frame, "table-by-\(grouping.rawValue)")
  }

  @Test(arguments: BreakdownColumn.allCases)
  func `the table in each order`(column: BreakdownColumn) {
    var model = Model.made(.busy, 100, 30)
    model.sorting = column
    model.derive()
    let frame = painted(100, 9) { BreakdownPanel.draw(model, on: &$0, in: $1) }
    expectFrame(frame, "table-ordered-by-\(column)")
  }

  @Test func `the cards of a narrow screen`() {
    let model = Model.made(.busy, 74, 24)
    expectFrame(painted(24, 7) { SpendPanel.draw(model, on: &$0, in: $1) }, "card-spend")
    expectFrame(painted(24, 7) { CachePanel.draw(model, on: &$0, in: $1) }, "card-cache")
    expectFrame(painted(25, 7) { TokensPanel.draw(model, on: &$0, in: $1) }, "card-tokens")
    expectFrame(painted(30, 7) { ActivityPanel.draw(model, on: &$0, in: $1) }, "card-activity")
  }

  @Test func `the cards before any usage`() {
    let model = Model.made(MadeUpUsage(), 74, 24)
    expectFrame(painted(24, 7) { SpendPanel.draw(model, on: &$0, in: $1) }, "card-spend-empty")
    expectFrame(painted(24, 7) { CachePanel.draw(model, on: &$0, in: $1) }, "card-cache-empty")
    expectFrame(painted(25, 7) { TokensPanel.draw(model, on: &$0, in: $1) }, "card-tokens-empty")
    expectFrame(
      painted(30, 7) { ActivityPanel.draw(model, on: &$0, in: $1) }, "card-activity-empty")
  }

  @Test func `the latest requests with all their columns`() {
    var model = Model.made(.busy, 180, 30)
    model.press(.tab)
    let frame = painted(160, 14) { RequestsPanel.draw(model, on: &$0, in: $1) }
    expectFrame(frame, "requests-160x14")
  }

  @Test func `few lines hold the most wanted numbers`() {
    let model = Model.made(.busy, 60, 16)
    expectFrame(painted(60, 4) { SummaryPanel.draw(model, on: &$0, in: $1) }, "summary-60x4")
  }
}
