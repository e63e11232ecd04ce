import MimoEngine
import MimoScreen
import MimoTestSupport
import Testing

@testable import MimoDashboard

/// Going back in the history and forward again. Now is noon of Thursday, 2026-10-15.
@Suite struct ShownTimeTests {
  /// A call in each of the last 400 days, of as many output tokens as days have passed.
  private static var year: MadeUpUsage {
    var usage = MadeUpUsage()
    for day in 0..<400 {
      usage.call("alpha-pro", minutesAgo: 1 + day * 1440, fresh: 100, output: Int64(day))
    }
    return usage
  }

  private func output(_ model: Model) -> Int64? { model.figures.report?.totals.tokens.output }

  @Test func `the window moves by days and back to now`() {
    var model = Model.made(Self.year)
    model.type("ww")
    #expect(model.window == .today)
    #expect(output(model) == 0)
    model.type("[[[")
    #expect(output(model) == 3)
    #expect(model.windowName == "Mon 2026-10-12")
    #expect(model.text.contains("Mon 2026-10-12"))
    model.type("]")
    #expect(output(model) == 2)
    model.type("n")
    #expect(model.asOf == nil)
    #expect(output(model) == 0)
  }

  @Test func `by weeks and months, and never beyond now`() {
    var model = Model.made(Self.year)
    model.type("ww{")
    #expect(output(model) == 7)
    model.type("(")
    #expect(model.windowName == "Tue 2026-09-08")
    #expect(output(model) == 37)
    model.type(")}")
    #expect(model.asOf == nil)
    model.type("]")
    #expect(model.asOf == nil)
  }

  @Test func `all time becomes what it is moved by`() {
    var model = Model.made(Self.year)
    #expect(model.window == .all)
    model.type("(")
    #expect(model.window == .month)
    #expect(model.windowName == "2026-09")
    // Days 15 to 44 ago.
    #expect(output(model) == (15...44).reduce(0, +))
    model.type("[")
    #expect(model.windowName == "2026-08")
    var other = Model.made(Self.year)
    other.type("{")
    #expect(other.window == .week)
    #expect(output(other) == (7...13).reduce(0, +))
  }

  @Test func `a window that is moved stays where it is when another is chosen`() {
    var model = Model.made(Self.year)
    model.type("ww[[[w")
    #expect(model.windowName == "24 h to 2026-10-12 12:00")
    model.type("ww")
    #expect(model.windowName == "2026-10")
    model.type("w")
    #expect(model.window == .all && model.asOf == nil)
  }

  @Test func `it stops where the history begins`() {
    var model = Model.made(Self.year)
    for _ in 0..<30 { model.type("(") }
    #expect(model.windowName == "2025-09")
    #expect(model.message?.text == "the history begins on 2025-09-11")
  }

  @Test func `the end of a month and a day of 23 hours are no trap`() {
    let berlin = LocalClock(
      name: "Europe/Berlin",
      stretches: [
        LocalClock.Stretch(from: Minute(.min), offsetMinutes: 60),
        // 2026-03-29T01:00Z
        LocalClock.Stretch(from: Minute(29_579_100), offsetMinutes: 120),
      ])
    #expect(berlin.today(Minute(29_579_100).start).count == 23 * 60)
    var model = Model.made(Self.year)
    model = Model(
      book: model.book, plans: model.plans, periods: model.periods, monitor: model.monitor,
      clock: berlin, glyphs: .unicode, themes: [.builtIn], promptEdges: [],
      // 2026-03-31T02:30 there.
      now: Minute(29_579_100 + 1440 + 1410).start)
    _ = update(&model, .usage(Self.year.ledger.snapshot(), .oneLog))
    model.type("ww(")
    #expect(model.windowName == "Sat 2026-02-28")
    model.type("n[[")
    #expect(model.windowName == "Sun 2026-03-29")
    #expect(model.minutes?.count == 23 * 60)
  }

  @Test func `what is needed is the window and what always is on screen`() {
    var model = Model.made(Self.year)
    #expect(model.neededMinutes == nil)
    model.type("ww")
    let recent = MadeUpUsage.now.minute.advanced(by: -35 * 1440)
    #expect(model.neededMinutes?.count == 1)
    #expect(model.neededMinutes?[0].lowerBound == recent)
    model.type("(((")
    #expect(model.neededMinutes?.count == 2)
    #expect(model.neededMinutes?[0] == model.minutes)
  }

  @Test func `what was not brought to the screen yet is said, not shown as nothing`() {
    var ingest = IngestSummary.oneLog
    let now = MadeUpUsage.now.minute
    ingest.history = LoadedHistory(
      first: now.advanced(by: -400 * 1440),
      loaded: [now.advanced(by: -35 * 1440)..<now.advanced(by: 1)])
    var model = Model.made(.busy, ingest: ingest)
    model.type("www")
    #expect(!model.isHistoryMissing)
    model.type("((")
    #expect(model.isHistoryMissing)
    #expect(model.text.contains("reading history"))
    ingest.history!.loaded = model.neededMinutes!
    _ = update(&model, .usage(model.snapshot, ingest))
    #expect(!model.isHistoryMissing)
  }

  @Test func `a log that is gone is shown as such`() {
    var ingest = IngestSummary.oneLog
    ingest.files[0].isGone = true
    var model = Model.made(.busy, ingest: ingest)
    model.type("i")
    #expect(model.text.contains("its log is gone; what it told is kept"))
  }

  @Test func `a foreign file is named as such`() {
    var ingest = IngestSummary.oneLog
    ingest.files[0].formats = ""
    ingest.files[0].records = 0
    let model = Model.made(MadeUpUsage(), ingest: ingest)
    #expect(model.text.contains("No line of a known format in:"))
    #expect(model.text.contains("/var/log/app.jsonl (70 lines)"))
  }
}
