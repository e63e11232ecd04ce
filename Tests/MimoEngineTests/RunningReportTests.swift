import MimoTestSupport
import Testing

@testable import MimoEngine

/// A report that follows a history is the same as one that is made anew.
@Suite struct RunningReportTests {
  @Test(arguments: [Grouping.total, .model, .session, .provider, .day, .month])
  func `each report of a growing history is what a new one would be`(grouping: Grouping) {
    var usage = MadeUpUsage()
    var random = SplitMix(state: 4711)
    let tariffs = MadeUpUsage.plans.map { plan in
      Tariff(
        plan: plan, book: MadeUpUsage.book,
        currency: plan.currencies(in: MadeUpUsage.book).first ?? .usd)
    }
    let windows: [Range<Minute>?] = [
      nil, MadeUpUsage.now.minute.advanced(by: -20_000)..<MadeUpUsage.now.minute,
    ]
    var running = tariffs.map { _ in windows.map { _ in RunningReport() } }
    // Steps from nothing to several chunks, with calls that fall into cells of long ago.
    for count in [0, 10, 5000, 3, 5000, 4000, 1, 1, 6000] {
      for _ in 0..<count {
        usage.call(
          ["alpha-pro", "alpha-mini", "beta-large", "gamma-9"].randomElement(using: &random)!,
          session: "s-\(Int.random(in: 0..<20, using: &random))",
          minutesAgo: Int.random(in: 0..<40_000, using: &random),
          fresh: Int64.random(in: 0..<10_000, using: &random),
          read: Int64.random(in: 0..<10_000, using: &random), output: 7,
          tellsCache: Bool.random(using: &random),
          failed: Int.random(in: 0..<9, using: &random) == 0,
          statedCost: Bool.random(using: &random) ? Amount(atto: 5) : nil)
      }
      let snapshot = usage.ledger.snapshot()
      for (index, tariff) in tariffs.enumerated() {
        for (place, window) in windows.enumerated() {
          let report = running[index][place].report(
            of: snapshot, tariff: tariff, window: window, by: grouping)
          let fresh = Report(of: snapshot, tariff: tariff, window: window, by: grouping)
          #expect(report.totals == fresh.totals)
          #expect(report.rows == fresh.rows)
          #expect(report.unpriced == fresh.unpriced)
          #expect(report.span == fresh.span)
          #expect(report.pricesChecked == fresh.pricesChecked)
        }
      }
    }
    #expect(usage.ledger.snapshot().cube.chunks.count > 4)
  }

  @Test func `what did not change is not counted again`() {
    var usage = MadeUpUsage()
    for index in 0..<40_000 { usage.call("alpha-pro", minutesAgo: 40_000 - index, fresh: 10) }
    let tariff = Tariff(plan: .asBilled, book: MadeUpUsage.book, currency: .usd)
    var running = RunningReport()
    var total = 40_000
    func counted() -> Int {
      let before = running.countedChunks
      let report = running.report(of: usage.ledger.snapshot(), tariff: tariff)
      #expect(report.totals.requests == total)
      return running.countedChunks - before
    }
    #expect(counted() == 10)
    #expect(counted() == 2)
    usage.call("alpha-mini", minutesAgo: 0, fresh: 10)
    total += 1
    #expect(counted() == 2)
    // A minute of long ago is in the first chunk, which is counted each time from then on.
    for _ in 0..<3 {
      usage.call("alpha-pro", minutesAgo: 39_990, fresh: 10)
      total += 1
    }
    #expect(counted() == 10)
    usage.call("alpha-pro", minutesAgo: 39_990, fresh: 10)
    total += 1
    #expect(counted() == 3)
    for index in 0..<5000 { usage.call("alpha-pro", minutesAgo: -index, fresh: 10) }
    total += 5000
    #expect(counted() == 4)
  }

  @Test func `another ledger is counted from the start`() {
    let tariff = Tariff(plan: .asBilled, book: MadeUpUsage.book, currency: .usd)
    var running = RunningReport()
    for count in [20_000, 9000, 100, 0] {
      var usage = MadeUpUsage()
      for index in 0..<count { usage.call("alpha-pro", minutesAgo: index, fresh: 10) }
      let report = running.report(of: usage.ledger.snapshot(), tariff: tariff)
      #expect(report.totals.requests == count)
    }
  }
}
