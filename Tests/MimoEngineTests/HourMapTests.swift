import MimoEngine
import MimoTestSupport
import Testing

@Suite struct HourMapTests {
  /// A call to `h`, which costs three times as much from 02:00 to 06:00 in UTC.
  private func call(_ day: Int64, _ minute: Int64, input: Int64 = 1000, _ model: String = "h")
    -> Line
  {
    Line(at: (day * 1440 + minute) * 60_000, model: model, tokens: TokenCounts(input: input))
  }

  private func map(_ lines: [Line], _ clock: LocalClock = .utc) -> HourMap {
    HourMap(of: snapshot(lines), tariff: Toy.tariff, clock: clock)
  }

  @Test func `a call is in its local hour and weekday`() {
    // 1970-01-01 was a Thursday.
    let lines = [call(0, 0), call(0, 59), call(3, 23 * 60), call(4, 120)]
    #expect(places(map(lines)) == [72: 2, 167: 1, 2: 1])
    // Nine and a half hours behind.
    #expect(places(map(lines, Clocks.marquesas)) == [62: 1, 63: 1, 157: 1, 160: 1])
  }

  private func places(_ map: HourMap) -> [Int: Int64] {
    map.hours.enumerated().reduce(into: [:]) {
      if $1.element.requests > 0 { $0[$1.offset] = $1.element.requests }
    }
  }

  @Test func `the schedule lies over the week`() throws {
    let map = map([call(40, 0)])
    let factors = try #require(map.factors)
    for slot in 0..<168 {
      #expect(factors[slot] == ((2..<6).contains(slot % 24) ? Ratio(1, 1) : Ratio(1, 3)))
    }
    let levels = try #require(map.levels)
    #expect(levels.count { $0 == .dearest } == 28 && levels.count { $0 == .cheapest } == 140)
  }

  @Test func `where hours are cut in halves, the longer price counts, and of equals the dearer`() {
    // 02:00 in UTC is 07:45 in Kathmandu, 06:00 is 11:45.
    let levels = map([call(40, 0)], Clocks.kathmandu).levels!
    #expect(levels[7] == .cheapest && levels[8] == .dearest)
    #expect(levels[11] == .dearest && levels[12] == .cheapest)
    // 16:30 and 20:30 on the Marquesas.
    let halves = map([call(40, 0)], Clocks.marquesas).levels!
    #expect(halves[15] == .cheapest && halves[16] == .dearest && halves[20] == .dearest)
  }

  @Test func `moving dear calls to the cheapest hour saves the difference`() {
    let map = map([call(0, 130, input: 10_000), call(0, 700), call(1, 130, input: 500)])
    // 6 a million at peak, 2 else: 10,500 tokens.
    #expect(map.movable.map(\.cost.exactText) == ["0.063"])
    #expect(map.movable.map(\.cheapest.exactText) == ["0.021"])
    #expect(map.movable.map(\.requests) == [2])
    #expect(map.saving(movingPercent: 100).exactText == "0.042")
    #expect(map.saving(movingPercent: 30).exactText == "0.0126")
    #expect(map.saving(movingPercent: 1).exactText == "0.00042")
    #expect(map.saving(movingPercent: 0) == .zero)
  }

  @Test func `one price at all hours is no schedule`() {
    let map = map([call(0, 130, "o"), call(0, 700, "m"), call(0, 700, "nobody's")])
    #expect(map.factors == nil && map.levels == nil && map.movable.isEmpty)
    #expect(map.totals.unpricedRequests == 1)
    #expect(self.map([]).factors == nil)
  }

  @Test func `another list of the same day is no cheaper hour`() {
    // `m` costs less from minute 1000 of this day on.
    #expect(map([call(0, 700, "m")]).movable.isEmpty)
  }

  @Test func `holidays do not decide what a usual week is`() {
    let thursday: Int32 = 30
    var book = Toy.book.providers
    book[0].models[1].entries[0].schedule?.daysOff = HolidayCalendar(
      days: Set(thursday - 6...thursday), covers: 0...100)
    let tariff = Tariff(plan: .asBilled, book: PriceBook(providers: book), currency: .usd)
    let map = HourMap(of: snapshot([call(Int64(thursday), 130, input: 3000)]), tariff: tariff)
    #expect(map.levels?.count { $0 == .dearest } == 28)
    // That call was made on a day off, when there is no dear hour.
    #expect(map.movable.isEmpty)
  }

  @Test(arguments: 0..<20)
  func `the hours add up to the report, and nothing gets dearer by moving`(_ seed: UInt64) {
    var dice = Dice(seed: seed)
    let usage = dice.calls(60)
    let clock = Clocks.all[Int(seed) % Clocks.all.count]
    let window = Minute(100)..<Minute(2400)
    let map = HourMap(of: usage, tariff: Toy.tariff, window: window, clock: clock)
    let totals = Report(of: usage, tariff: Toy.tariff, window: window, clock: clock).totals
    #expect(map.totals == totals)
    #expect((0..<7).reduce(into: Measures()) { $0 += map.weekday($1) } == totals)
    #expect(map.movable.allSatisfy { $0.cheapest < $0.cost })
    // All that can move is what is at peak: the same tokens at a third of the price.
    let peak = Minute(100)..<Minute(2400)
    var dear: Int128 = 0
    for hour in 2..<6 {
      for day in 0..<2 {
        let start = Minute(Int32(day * 1440 + hour * 60))
        let part = (start..<start.advanced(by: 60)).clamped(to: peak)
        dear +=
          Report(
            of: usage, tariff: Toy.tariff, window: part,
            filters: [UsageFilter(.model, equals: "h")]
          ).totals.costFemto
      }
    }
    #expect(map.saving(movingPercent: 100) == Amount(femto: dear - dear / 3))
  }
}
