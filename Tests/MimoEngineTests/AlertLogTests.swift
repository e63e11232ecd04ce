@testable import MimoEngine
import MimoTestSupport
import Testing

@Suite struct AlertLogTests {
  private static let day: Int64 = 1440

  /// Calls of some days whose hit rate is low for an hour or two now and then, and pauses.
  private func history(days: Int64, seed: UInt64) -> [Line] {
    var random = SplitMix(state: seed)
    var lines: [Line] = []
    var minute: Int64 = 0
    while minute < days * Self.day {
      let read = [0, 100, 240, 900, 900].randomElement(using: &random)! as Int64
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        for _ in 0..<6 {
          lines.append(
            Line(
              at: minute * 60_000 + Int64(lines.count % 60_000),
              model: ["m", "n"].randomElement(using: &random)!,
              tokens: TokenCounts(
                input: 1000 - read, cacheRead: max(0, read - .random(in: 0...20, using: &random))))
          )
        }
        minute += Int64.random(in: 1...12, using: &random)
      }
      minute += [1, 5, 30, 300].randomElement(using: &random)!
    }
    return lines
  }

  private func now(_ minute: Int64) -> Instant { Instant(milliseconds: minute * 60_000 + 30_000) }

  private func verdict(
    _ lines: [Line], _ minute: Int64, since: Minute? = nil
  ) -> HitRateMonitor.Verdict {
    let now = now(minute)
    return HitRateMonitor().judge(
      snapshot(lines), tariff: Toy.tariff, since: since ?? AlertLog.neededMinutes(now).lowerBound,
      now: now)
  }

  private func replace(_ log: inout AlertLog, _ lines: [Line], at minute: Int64) {
    log.replace(
      with: verdict(lines, minute), limit: HitRateMonitor().raiseBelow, now: now(minute))
  }

  private func entries(_ alerts: [HitRateMonitor.Alert]) -> [AlertLog.Entry] {
    alerts.map { AlertLog.Entry($0, limit: HitRateMonitor().raiseBelow) }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `a log that saw the last days now and then has what all of history has`(seed: UInt64) {
    let lines = history(days: 20, seed: seed)
    let whole = entries(verdict(lines, 20 * Self.day, since: Minute(0)).alerts)
    var log = AlertLog()
    var random = SplitMix(state: seed)
    var minute: Int64 = 0
    while minute < 20 * Self.day {
      minute = min(20 * Self.day, minute + .random(in: 1...6 * Self.day, using: &random))
      let until = minute * 60_000 + 30_000
      replace(&log, lines.filter { $0.at <= until }, at: minute)
    }
    #expect(whole.count > 30)
    #expect(log.entries == whole)
  }

  @Test(arguments: [4, 5] as [UInt64])
  func `late lines leave nothing of what was thought before`(seed: UInt64) {
    let lines = history(days: 6, seed: seed)
    var random = SplitMix(state: seed)
    var log = AlertLog()
    var known: [Line] = []
    for line in lines.shuffled(using: &random) {
      known.append(line)
      if Int.random(in: 0..<lines.count / 12, using: &random) == 0 {
        replace(&log, known, at: 6 * Self.day)
      }
    }
    replace(&log, known, at: 6 * Self.day)
    #expect(log.entries == entries(verdict(lines, 6 * Self.day, since: Minute(0)).alerts))
    #expect(!log.entries.isEmpty)
  }

  private func low(_ minutes: ClosedRange<Int64>, read: Int64 = 0) -> [Line] {
    minutes.flatMap { minute in
      (0..<10).map {
        Line(
          at: minute * 60_000 + Int64($0), tokens: TokenCounts(input: 1000 - read, cacheRead: read))
      }
    }
  }

  @Test func `an alert that stands longer than is judged keeps its beginning`() {
    let good = low(0...30, read: 900)
    // A call each ten minutes, for ten days.
    let lines = good + stride(from: 40, to: 10 * Self.day, by: 10).flatMap { low($0...$0) }
    var log = AlertLog()
    replace(&log, lines.filter { $0.at < Self.day * 60_000 }, at: Self.day)
    let first = log.entries
    #expect(first.count == 1 && first[0].start.number < 60 && first[0].alert.goodRate != nil)
    replace(&log, lines, at: 10 * Self.day - 5)
    #expect(log.entries.map(\.start) == first.map(\.start))
    #expect(log.standing?.alert.goodRate == first[0].alert.goodRate)
    replace(&log, lines, at: 10 * Self.day + 60)
    #expect(log.entries.map(\.alert.end) == [Minute(Int32(10 * Self.day + 5))])
    // And what lies behind is not touched any more.
    let kept = log
    replace(&log, [], at: 30 * Self.day)
    #expect(log == kept)
  }

  @Test func `an alert whose cells are gone does not stand for ever`() {
    var log = AlertLog()
    replace(&log, low(0...10), at: 10)
    #expect(log.standing != nil)
    replace(&log, [], at: 9 * Self.day)
    #expect(log.standing == nil && log.entries.count == 1)
  }

  @Test func `a clock that was set back deletes nothing that lies ahead`() {
    var log = AlertLog()
    replace(&log, low(20_000...20_010), at: 20_010)
    let ahead = log.entries
    replace(&log, low(5...10), at: 10)
    #expect(log.entries.map(\.start) == [Minute(5)] + ahead.map(\.start))
  }

  // MARK: - Telling

  private func alert(_ start: Int32, _ end: Int32? = nil) -> HitRateMonitor.Alert {
    HitRateMonitor.Alert(
      start: Minute(start), end: end.map { Minute($0) }, rateAtStart: Ratio(1, 10)!,
      lowestRate: Ratio(1, 20)!, window: .init(requests: 5, prompt: 6000, read: 600))
  }

  @Test func `each alert is told once when it is raised and once when it is over`() {
    var told = ToldAlerts()
    func news(_ alerts: [HitRateMonitor.Alert], _ minute: Int64) -> [ToldAlerts.News] {
      told.takeNews(alerts, now: now(minute))
    }
    // What was over before anybody looked is no news; what stands is.
    #expect(news([alert(10, 20), alert(90)], 100) == [.raised(alert(90))])
    #expect(news([alert(10, 20), alert(90)], 105) == [])
    // One came and went between two looks.
    let ended = [alert(10, 20), alert(90, 106), alert(107, 109)]
    #expect(news(ended, 110) == [.over(ended[1]), .raised(ended[2]), .over(ended[2])])
    #expect(news(ended, 111) == [])
    // Late lines move a beginning, or bring an old one to light.
    #expect(news([alert(50, 60), alert(88, 106), alert(107, 109)], 112) == [])
    #expect(news([alert(200)], 201) == [.raised(alert(200))])
    #expect(news([alert(198)], 202) == [])
    #expect(news([alert(198, 210)], 210) == [.over(alert(198, 210))])
    #expect(news([alert(198, 210)], 211) == [])
  }

  @Test func `an alert whose end nobody saw is not taken for a later one`() {
    var told = ToldAlerts()
    #expect(told.takeNews([alert(100)], now: now(101)).count == 1)
    let later: Int32 = 20 * 1440
    let news = told.takeNews([alert(later)], now: now(Int64(later)))
    #expect(news == [.raised(alert(later))])
    // One that stood all the time is.
    told = ToldAlerts()
    #expect(told.takeNews([alert(100)], now: now(101)).count == 1)
    let cut = AlertLog.neededMinutes(now(Int64(later))).lowerBound.number + 3
    #expect(told.takeNews([alert(cut)], now: now(Int64(later))) == [])
  }
}
