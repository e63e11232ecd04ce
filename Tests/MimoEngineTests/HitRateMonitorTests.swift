@testable import MimoEngine
import Testing

@Suite struct HitRateMonitorTests {
  /// Some calls of 1000 prompt tokens each in one minute.
  private func calls(
    _ count: Int = 10, in minute: Int64, read: Int64, prompt: Int64 = 1000, model: String = "m",
    project: String = "", session: String = "", tells: Bool = true, proxy: Bool = false
  ) -> [Line] {
    (0..<count).map {
      Line(
        at: minute * 60_000 + Int64($0), model: model, session: session, project: project,
        tokens: TokenCounts(input: prompt - read, cacheRead: read), tellsCache: tells,
        isAnsweredByProxy: proxy)
    }
  }

  private func judge(
    _ lines: [Line], now: Int64? = nil, window: Int32 = 15, since: Int32 = 0
  ) -> HitRateMonitor.Verdict {
    var monitor = HitRateMonitor()
    monitor.windowMinutes = window
    let last = now ?? (lines.map(\.at).max() ?? 0) / 60_000
    return monitor.judge(
      snapshot(lines), tariff: Toy.tariff, since: Minute(since),
      now: Instant(milliseconds: last * 60_000 + 30_000))
  }

  // MARK: - When

  @Test func `an alert is raised below the threshold and not at it`() {
    #expect(judge(calls(in: 3, read: 200)).standing == nil)
    let standing = judge(calls(in: 3, read: 199)).standing
    #expect(standing?.start == Minute(3))
    #expect(standing?.rateAtStart == Ratio(199, 1000))
    #expect(standing?.end == nil)
  }

  @Test func `it is cleared above the upper threshold and not at it`() {
    // Windows of two minutes: the mean of 10 and 40 percent is 25.
    let rates: [Int64] = [100, 400, 100, 400]
    var lines = rates.enumerated().flatMap { calls(in: Int64($0.offset), read: $0.element) }
    #expect(judge(lines, window: 2).standing?.start == Minute(0))
    lines += calls(in: 4, read: 101)
    let alerts = judge(lines, window: 2).alerts
    #expect(alerts.map(\.end) == [Minute(4)])
    #expect(alerts.first?.lowestRate == Ratio(1, 10))
  }

  @Test func `between the thresholds nothing is raised`() {
    #expect(judge(calls(in: 0, read: 220)).alerts.isEmpty)
  }

  @Test func `a rate that falls again after clearing is a second alert`() {
    let rates: [Int64] = [0, 0, 900, 900, 0, 0, 0]
    let lines = rates.enumerated().flatMap { calls(in: Int64($0.offset), read: $0.element) }
    let alerts = judge(lines, window: 2).alerts
    #expect(alerts.map(\.start) == [Minute(0), Minute(5)])
    #expect(alerts.map(\.end) == [Minute(2), nil])
  }

  @Test func `too few requests or tokens are not judged`() {
    #expect(judge(calls(4, in: 0, read: 0, prompt: 100_000)).alerts.isEmpty)
    #expect(judge(calls(5, in: 0, read: 0, prompt: 999)).alerts.isEmpty)
    #expect(judge(calls(5, in: 0, read: 0, prompt: 1000)).alerts.count == 1)
    #expect(judge(calls(4, in: 0, read: 0)).isEnough == false)
  }

  @Test func `an alert ends a window after the last traffic`() {
    let lines = calls(in: 10, read: 0)
    #expect(judge(lines, now: 24).standing != nil)
    #expect(judge(lines, now: 25).alerts.map(\.end) == [Minute(25)])
    #expect(judge(lines, now: 25).now == HitRateMonitor.Sums())
  }

  @Test func `traffic after a silence is judged on its own`() {
    let lines = calls(in: 0, read: 0) + calls(in: 100, read: 900)
    #expect(judge(lines).alerts.map(\.end) == [Minute(15)])
    let again = calls(in: 0, read: 0) + calls(in: 100, read: 0)
    #expect(judge(again).alerts.map(\.start) == [Minute(0), Minute(100)])
  }

  @Test func `minutes before the beginning and after now do not count`() {
    let lines = calls(in: 5, read: 0) + calls(in: 30, read: 0)
    #expect(judge(lines, since: 6).alerts.map(\.start) == [Minute(30)])
    #expect(judge(lines, now: 29).alerts.map(\.start) == [Minute(5)])
  }

  // MARK: - Who counts

  @Test func `first calls of conversations do not count`() {
    let lines = (0..<20).flatMap {
      calls(1, in: Int64($0) / 4, read: 0, prompt: 10_000, session: "s\($0)")
    }
    let verdict = judge(lines)
    #expect(verdict.alerts.isEmpty)
    #expect(verdict.now == HitRateMonitor.Sums())
  }

  @Test func `calls that tell nothing about the cache do not count, nor those of a proxy's cache`()
  {
    #expect(judge(calls(in: 0, read: 0, tells: false)).alerts.isEmpty)
    #expect(judge(calls(in: 0, read: 0, proxy: true)).alerts.isEmpty)
  }

  @Test func `the driver is who missed most`() {
    let lines =
      calls(6, in: 0, read: 0, model: "m", project: "shop")
      + calls(3, in: 0, read: 0, model: "m2", project: "shop")
      + calls(1, in: 0, read: 0, model: "m", project: "blog")
    let driver = judge(lines).standing?.driver
    #expect(driver == .init(model: "m", project: "shop", share: Ratio(6, 10)!))
  }

  @Test func `of equal shares the first by name drives`() {
    let lines = ["b", "a", "c"].flatMap { project in
      ["m2", "m"].flatMap { calls(5, in: 0, read: 0, model: $0, project: project) }
    }
    for _ in 0..<5 {
      let driver = judge(lines.shuffled()).standing?.driver
      #expect(driver == .init(model: "m", project: "a", share: Ratio(1, 6)!))
    }
  }

  @Test func `a driver without names has none`() {
    let driver = judge(calls(in: 0, read: 0, model: "")).standing?.driver
    #expect(driver == .init(model: nil, project: nil, share: Ratio(1, 1)!))
  }

  // MARK: - What it costs

  /// Ninety percent for ten minutes, then nothing from minute 60 on.
  private var fall: [Line] {
    (0..<10).flatMap { calls(in: $0, read: 900) } + calls(in: 60, read: 0)
  }

  @Test func `the extra cost is that of the reads a good hour would have had`() {
    let alert = judge(fall).standing
    #expect(alert?.goodRate == Ratio(9, 10))
    // 9000 tokens at 2 instead of 0.2 a million are 0.0162 in a quarter of an hour.
    #expect(alert?.extraCostPerHour?.exactText == "0.0648")
  }

  @Test func `an alert that ended with the traffic still tells who drove it and what it cost`() {
    let alert = judge(fall, now: 200).alerts.first
    #expect(alert?.end == Minute(75))
    #expect(alert?.extraCostPerHour?.exactText == "0.0648")
    #expect(alert?.driver?.model == "m")
    #expect(alert?.window.prompt == 10_000)
  }

  @Test func `a good hour ends with its last good minute and is an hour long`() {
    let lines =
      calls(in: 0, read: 0) + calls(in: 100, read: 800) + calls(in: 130, read: 400)
      + calls(in: 150, read: 0)
    // Minute 130 is the last good one; minute 100 is in its hour, minute 0 is not.
    #expect(judge(lines).standing?.goodRate == Ratio(1200, 2000))
  }

  @Test func `without a good hour or a price the extra cost is unknown`() {
    let never = judge(calls(in: 0, read: 0)).standing
    #expect(never != nil && never?.goodRate == nil && never?.extraCostPerHour == nil)
    let unpriced = fall.map { line in
      var line = line
      line.model = "mystery"
      return line
    }
    #expect(judge(unpriced).standing?.goodRate == Ratio(9, 10))
    #expect(judge(unpriced).standing?.extraCostPerHour == nil)
  }

  @Test func `absurd counters give no cost and no crash`() {
    let large = TokenCounts.largestPlausibleCount
    let lines =
      calls(20, in: 0, read: large, prompt: large) + calls(20, in: 60, read: 0, prompt: large)
    let alert = judge(lines).standing
    #expect(alert != nil && alert?.extraCostPerHour == nil)
  }
}
