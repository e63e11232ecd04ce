import MimoEngine
import MimoScreen
import MimoTestSupport
import Testing

@testable import MimoDashboard

/// The price list of Alpha with a cut this morning, a rise in December, and dear working hours.
private enum Changing {
  static let cut = MadeUpUsage.now.minute.advanced(by: -90)
  static let rise = CivilDate("2026-12-01")!.startInUTC.minute

  static let book = PriceBook(providers: [
    ProviderPrices(
      id: "alpha", name: "Alpha",
      models: [
        ModelPrices(
          id: "alpha-pro", name: "alpha-pro",
          entries: [
            entry(.distantPast..<cut, 2000, 400, 6000), entry(cut..<rise, 1000, 100, 4000, peak: 2),
            entry(rise..<(.distantFuture), 1500, 150, 6000, peak: 2),
          ]),
        ModelPrices(
          id: "alpha-mini", name: "alpha-mini",
          entries: [
            entry(.distantPast..<cut, 150, 60, 600), entry(cut..<(.distantFuture), 100, 10, 400),
          ]),
      ]),
    ProviderPrices(
      id: "beta", name: "Beta",
      models: [
        ModelPrices(
          id: "beta-large", name: "beta-large",
          entries: [entry(.distantPast ..< .distantFuture, 5000, 500, 25_000)])
      ]),
  ])

  /// Prices of fresh, read and output tokens in thousandths per million; `peak` times that on workdays.
  private static func entry(
    _ validity: Range<Minute>, _ input: Int64, _ read: Int64, _ output: Int64, peak: Int64? = nil
  ) -> PriceEntry {
    func rates(_ factor: Int64) -> Rates {
      Rates(
        input: input * factor * 1_000_000, output: output * factor * 1_000_000,
        cacheRead: read * factor * 1_000_000)
    }
    let hours = [(9 * 60, 12 * 60, peak), (14 * 60, 18 * 60, peak.map { $0 + 1 })]
      .compactMap { start, end, factor in
        factor.map {
          PriceSchedule.Hours(
            label: "peak",
            window: ClockWindow(
              utcOffset: 0, weekdays: 0b1_1111, start: Int32(start), end: Int32(end)),
            rates: rates($0))
        }
      }
    return PriceEntry(
      unit: .money(.usd), validity: validity, rates: rates(1),
      schedule: hours.isEmpty ? nil : PriceSchedule(baseLabel: "off_peak", hours: hours),
      evidence: Evidence(asOf: "2026-10-01", confidence: .high))
  }
}

extension MadeUpUsage {
  /// A working week, and a bit of the weekend.
  fileprivate static var week: MadeUpUsage {
    var usage = busy
    for hour in 0..<168 {
      let ofDay = (168 - hour + 12) % 24
      let calls = (8..<19).contains(ofDay) ? 3 + hour % 5 : ofDay > 20 ? 1 : 0
      for call in 0..<calls where hour < 100 || hour > 140 || call == 0 {
        usage.call(
          hour % 3 == 0 ? "alpha-mini" : "alpha-pro", minutesAgo: hour * 60 + 7 * call,
          fresh: 20_000, read: 180_000 + Int64(hour * 100), output: 1500)
      }
    }
    return usage
  }
}

@Suite struct WhatIfFrameTests {
  private func made(_ columns: Int, _ rows: Int, _ glyphs: Glyphs = .unicode) -> Model {
    .made(.week, columns, rows, glyphs: glyphs, book: Changing.book)
  }

  @Test(arguments: [(80, 24), (120, 40), (200, 60), (40, 10)])
  func `a price change has its saving by class and model`(columns: Int, rows: Int) {
    var model = made(columns, rows)
    model.type("d")
    expectFrame(view(model), "change-\(columns)x\(rows)")
  }

  @Test func `a rise to come is replayed on the shown usage`() {
    var model = made(80, 24)
    model.type("d>")
    expectFrame(view(model), "change-future-80x24")
  }

  @Test func `a price change without Unicode`() {
    var model = made(80, 24, .ascii)
    model.type("d")
    expectFrame(view(model), "change-ascii-80x24")
  }

  @Test func `without a known price change it says so`() {
    var model = Model.made()
    model.type("d")
    expectFrame(view(model), "change-none-80x24")
  }

  @Test(arguments: [(80, 24), (120, 40), (200, 60), (40, 10)])
  func `the map of hours has the prices over it`(columns: Int, rows: Int) {
    var model = made(columns, rows)
    model.type("H")
    expectFrame(view(model), "hours-\(columns)x\(rows)")
  }

  @Test func `the map of hours without Unicode, a part of it movable`() {
    var model = made(80, 24, .ascii)
    model.type("H<<")
    expectFrame(view(model), "hours-ascii-80x24")
  }

  @Test func `a plan with one price at all hours says so`() {
    var model = Model.made()
    model.type("H")
    expectFrame(view(model), "hours-no-schedule-80x24")
  }

  // MARK: - Keys

  @Test func `arrows step through the changes and stay at the ends`() {
    var model = made(120, 40)
    model.type("d")
    #expect(model.figures.changes.map(\.date.text) == ["2026-10-15", "2026-12-01"])
    func chosen() -> String? { model.figures.changeEffect?.change.date.text }
    #expect(chosen() == "2026-10-15")
    model.press(.left)
    #expect(chosen() == "2026-10-15")
    model.press(.right)
    #expect(chosen() == "2026-12-01")
    model.press(.right)
    #expect(chosen() == "2026-12-01")
    model.type("d")
    #expect(model.figures.changes.isEmpty && model.figures.changeEffect == nil)
  }

  @Test func `a change of plan re-prices what is open`() {
    var model = made(120, 40)
    model.type("d")
    let plan = model.plan.name
    model.type("p")
    #expect(model.plan.name != plan && model.overlay == .change)
    model.planIndex = model.index(of: "small USD")
    model.derive()
    #expect(model.figures.changes.isEmpty)
    model.type("0")
    #expect(model.figures.changes.count == 2)
  }

  @Test func `the movable share is from nothing to all`() {
    var model = made(120, 40)
    model.type("H")
    #expect(model.figures.hourMap != nil && model.movablePercent == 100)
    model.press(.right)
    #expect(model.movablePercent == 100)
    for _ in 0..<30 { model.press(.left) }
    #expect(model.movablePercent == 0)
    #expect(model.text.contains("Moving 0%"))
    model.press(.escape)
    #expect(model.figures.hourMap == nil)
  }
}
