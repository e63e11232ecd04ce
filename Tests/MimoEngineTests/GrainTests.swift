import Testing

@testable import MimoEngine

@Suite struct GrainTests {
  /// Clocks were set forward at an odd minute, from an offset that no quarter of an hour divides.
  private static let odd = LocalClock(
    name: "Odd",
    stretches: [
      .init(from: .distantPast, offsetMinutes: 53),
      .init(from: utc("2026-04-11T13:37").minute, offsetMinutes: 60),
    ])
  /// Only the transition is odd.
  private static let moved = LocalClock(
    name: "Moved",
    stretches: [
      .init(from: .distantPast, offsetMinutes: 0),
      .init(from: utc("2026-04-11T13:37").minute, offsetMinutes: 60),
    ])

  private static let changes =
    ["2026-03-25T10:17", "2026-04-11T13:37", "2026-05-03T04:00", "2026-05-20T12:30"]
    // The peak hours of one list begin and end at these times, unless it is a day off.
    + ["2026-04-06T01:05", "2026-04-07T01:05", "2026-04-07T10:05", "2026-04-18T17:45"]
    + ["2026-03-29T01:00", "2026-04-04T15:00", "2026-04-09T18:15", "2026-04-10T08:00"]

  /// Calls around all minutes at which anything changes, with repeats and contradictions among them.
  private func lines(_ dice: inout Dice, near window: Range<Minute>) -> [Line] {
    let moments = Self.changes.map { utc($0) } + [window.lowerBound.start, window.upperBound.start]
    return dice.lines(400).map { line in
      var line = line
      line.at =
        moments.randomElement(using: &dice)!.milliseconds
        + .random(in: -1_500_000..<1_500_000, using: &dice)
      line.model = ["m", "h", "m2", "o", "w", "w", "old", "nobody"].randomElement(using: &dice)!
      line.key = ["", "tp-1…a", "sk-…c"].randomElement(using: &dice)!
      return line
    }
  }

  private func snapshot(_ lines: [Line], _ grain: Grain) -> UsageSnapshot {
    var ledger = Ledger(promptEdges: Changing.book.promptEdges, grain: grain)
    for line in lines { ledger.record(line.record(in: &ledger)) }
    return ledger.snapshot()
  }

  private func window(_ dice: inout Dice) -> Range<Minute> {
    let from = Changing.first.advanced(by: .random(in: 0..<40_000, using: &dice))
    return from..<from.advanced(by: .random(in: 1..<60_000, using: &dice))
  }

  private let toy = Tariff(plan: .metered(Toy.book.providers[0]), book: Toy.book, currency: .usd)

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `a report is what it is by the minute`(_ seed: UInt64) {
    var dice = Dice(seed: seed)
    let window = window(&dice)
    let lines = lines(&dice, near: window)
    let whole = snapshot(lines, .everyMinute)
    let clocks = Clocks.all + [Self.odd, Self.moved]
    let filters = ["2026-04-07", "2026-W15", "2026-04-11T14:00:00Z"].map {
      [UsageFilter(.day, equals: $0), UsageFilter(.week, equals: $0)].randomElement(using: &dice)!
    }
    for tariff in Changing.tariffs + [toy] where !tariff.plan.isSubscription {
      let clock = clocks.randomElement(using: &dice)!
      let fixed = tariff.withPrices(of: window.lowerBound)
      for (tariff, window) in [(tariff, nil), (tariff, window), (fixed, window), (fixed, nil)] {
        let coarse = snapshot(lines, Grain(for: tariff, window: window, clock: clock))
        #expect(coarse.recent.map(\.time) == whole.recent.map(\.time))
        for grouping in Grouping.allCases.shuffled(using: &dice).prefix(3) {
          let filters = Bool.random(using: &dice) ? [filters.randomElement(using: &dice)!] : []
          func report(_ usage: UsageSnapshot) -> Report {
            Report(
              of: usage, tariff: tariff, window: window, by: grouping, clock: clock,
              filters: filters)
          }
          let (a, b) = (report(whole), report(coarse))
          #expect(a.totals == b.totals, "\(tariff.plan.id), \(clock.name), \(grouping)")
          #expect(a.rows.map(\.key) == b.rows.map(\.key), "\(clock.name), \(grouping)")
          #expect(a.rows.map(\.measures) == b.rows.map(\.measures))
          #expect(a.unpriced == b.unpriced)
          #expect(a.pricesChecked == b.pricesChecked)
        }
      }
    }
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `a cell has what its minutes have`(_ seed: UInt64) {
    var dice = Dice(seed: seed)
    let window = window(&dice)
    let lines = lines(&dice, near: window)
    for tariff in [Changing.tariffs[0], toy] {
      let grain = Grain(for: tariff, window: window, clock: .utc)
      var expected: [CellAddress: CellCounts] = [:]
      for (address, counts) in snapshot(lines, .everyMinute).cells {
        var address = address
        address.minute = grain.start(of: Minute(address.minute)).number
        expected[address, default: CellCounts()] += counts
      }
      #expect(snapshot(lines, grain).cells == expected)
    }
  }

  @Test func `what nothing parts is a quarter of an hour`() {
    let grain = Grain(for: toy, window: Minute(1003)..<(.distantFuture), clock: Clocks.kathmandu)
    // The price of one model changes in minute 1000, the window begins in 1003.
    let starts = [-16, -15, -1, 0, 14, 15, 990, 999, 1000, 1002, 1003, 1004, 1005].map {
      grain.start(of: Minute($0)).number
    }
    #expect(starts == [-30, -15, -15, 0, 0, 15, 990, 990, 1000, 1000, 1003, 1003, 1005])
    #expect(grain.start(of: Minute(.min)) <= Minute(.min + 14))
    #expect(grain.start(of: Minute(.max)) >= Minute(.max - 14))
  }
}
