import MimoEngine
import Testing

@Suite struct TimelineTests {
  private func lines(_ minutes: [Int64]) -> [Line] {
    minutes.map { Line(at: $0 * 60_000 + 5, tokens: TokenCounts(input: 1000)) }
  }

  @Test func `usage falls into equal steps, the end left out`() {
    let snapshot = snapshot(lines([9, 10, 14, 15, 15, 29, 30]))
    let timeline = Timeline(
      of: snapshot, tariff: Toy.tariff, from: Minute(10), stepMinutes: 5, count: 4)
    #expect(timeline.steps.map(\.requests) == [2, 2, 0, 1])
    #expect(timeline.steps.map { $0.cost?.exactText } == ["0.004", "0.004", "0", "0.002"])
  }

  @Test func `a timeline may begin before 1970 and be empty`() {
    let snapshot = snapshot([Line(at: -60_000, tokens: TokenCounts(input: 1))])
    let timeline = Timeline(
      of: snapshot, tariff: Toy.tariff, from: Minute(-3), stepMinutes: 1, count: 4)
    #expect(timeline.steps.map(\.requests) == [0, 0, 1, 0])
    #expect(
      Timeline(of: snapshot, tariff: Toy.tariff, from: Minute(0), stepMinutes: 1, count: 0)
        .steps.isEmpty)
  }

  @Test(arguments: 0..<10)
  func `the steps add up to a report of the same minutes`(_ seed: UInt64) {
    var dice = Dice(seed: seed)
    let snapshot = snapshot(dice.lines(60).map { $0 })
    let timeline = Timeline(
      of: snapshot, tariff: Toy.tariff, from: Minute(1), stepMinutes: 1, count: 3)
    var sum = Measures()
    for step in timeline.steps { sum += step }
    let report = Report(of: snapshot, tariff: Toy.tariff, window: Minute(1)..<Minute(4))
    #expect(sum == report.totals)
  }
}

@Suite struct PaceTests {
  private func pace(_ minutes: [Int64], nowSeconds: Int64) -> Pace {
    let lines = minutes.map { Line(at: $0 * 60_000, tokens: TokenCounts(input: 1000)) }
    return Pace(of: snapshot(lines), tariff: Toy.tariff, now: Instant(seconds: nowSeconds))
  }

  @Test func `the pace is that of the running minute and the four before`() {
    // 12:30 into minute 12: minutes 8 to 12 have lasted 270 seconds.
    let pace = pace([7, 8, 10, 12, 13], nowSeconds: 12 * 60 + 30)
    #expect(pace.seconds == 270)
    #expect(pace.measures.requests == 3)
    // 0.006 in 270 seconds are 0.08 an hour; 3 requests are two thirds a minute.
    #expect(pace.costPerHour?.exactText == "0.08")
    #expect(pace.requestsPerMinuteHundredths == 66)
  }

  @Test func `without usage nothing is spent, without a price it is unknown`() {
    #expect(pace([], nowSeconds: 600).costPerHour == .zero)
    let snapshot = snapshot([Line(at: 600_000, model: "mystery", tokens: TokenCounts(input: 1))])
    #expect(
      Pace(of: snapshot, tariff: Toy.tariff, now: Instant(seconds: 600)).costPerHour == nil)
  }
}
