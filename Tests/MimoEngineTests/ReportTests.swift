import MimoEngine
import Testing

@Suite struct ReportTests {
  private let some = TokenCounts(input: 100, cacheRead: 300, output: 50)

  private func report(
    _ lines: [Line], by grouping: Grouping = .total, window: Range<Minute>? = nil,
    clock: LocalClock = .utc, filters: [UsageFilter] = []
  ) -> Report {
    Report(
      of: snapshot(lines), tariff: Toy.tariff, window: window, by: grouping, clock: clock,
      filters: filters)
  }

  private func lines(at times: [String], _ model: String = "m") -> [Line] {
    times.map { Line(at: utc($0).milliseconds, model: model, tokens: some) }
  }

  private func keys(_ report: Report) -> [String?] { report.rows.map(\.key) }

  /// Lines with models of all kinds, some of them without a price.
  private func randomLines(_ seed: UInt64, _ count: Int = 80) -> [Line] {
    var dice = Dice(seed: seed)
    return dice.lines(count).map { line in
      var line = line
      line.at = Int64.random(in: 0..<5000, using: &dice) * 60_000
      line.model = ["m", "h", "m2", "o", "mystery", ""].randomElement(using: &dice)!
      return line
    }
  }

  // MARK: - Sums

  @Test(arguments: Grouping.allCases, 0..<6)
  func `the rows of every grouping add up to the totals`(_ grouping: Grouping, _ seed: UInt64) {
    let report = report(randomLines(seed), by: grouping, clock: Clocks.berlin)
    var sum = Measures()
    for row in report.rows { sum += row.measures }
    #expect(sum == report.totals)
    #expect(report.totals == self.report(randomLines(seed)).totals)
  }

  @Test(arguments: 0..<20)
  func `cost of parts is cost of the whole`(_ seed: UInt64) {
    var lines = randomLines(100 + seed)
    for index in lines.indices {
      lines[index].message = nil
      lines[index].session = ""
      lines[index].conversation = nil
    }
    let cut = Int(seed) * 4
    var parts = report(Array(lines[..<cut])).totals
    parts += report(Array(lines[cut...])).totals
    #expect(parts == report(lines).totals)
  }

  @Test(arguments: 0..<20)
  func `the cost is that of each cell at its own minute and size`(_ seed: UInt64) {
    let snapshot = snapshot(randomLines(400 + seed, 150))
    var cost: Int128 = 0
    var unpriced: Int64 = 0
    snapshot.cube.forEachCell { cell, extras in
      let series = snapshot.cube.series[Int(cell.series)]
      // What a proxy answered itself costs nothing.
      guard !series.flags.contains(.answeredByProxyCache) else { return }
      let rates = Toy.tariff.span(
        model: snapshot.names[series.labels.model], provider: nil,
        promptTokens: snapshot.cube.smallestPrompt(ofBand: series.band), tier: series.tier,
        at: cell.minute
      ).rates
      if let rates {
        cost += rates.cost(of: cell.tokens)
        cost += Int128(extras?.quantities.webSearches ?? 0) * Int128(rates.perWebSearch ?? 0)
      } else {
        unpriced += Int64(cell.requests)
      }
    }
    for grouping in [Grouping.total, .session, .hour, .month] {
      let totals = Report(
        of: snapshot, tariff: Toy.tariff, by: grouping, clock: Clocks.kathmandu
      ).totals
      #expect(totals.costFemto == cost)
      #expect(totals.unpricedRequests == unpriced)
    }
  }

  @Test(arguments: 0..<20)
  func `windows side by side add up to the window around them`(_ seed: UInt64) {
    let lines = randomLines(200 + seed)
    let cut = Minute(Int32(seed) * 250)
    var parts = report(lines, window: .distantPast..<cut).totals
    parts += report(lines, window: cut ..< .distantFuture).totals
    #expect(parts == report(lines).totals)
  }

  @Test(arguments: Grouping.allCases)
  func `a row's key as a filter gives that row`(_ grouping: Grouping) {
    let lines = randomLines(300)
    let whole = report(lines, by: grouping, clock: Clocks.kathmandu)
    #expect(!whole.rows.isEmpty)
    for row in whole.rows {
      let filter = UsageFilter(grouping, equals: row.key ?? "")
      let part = report(lines, clock: Clocks.kathmandu, filters: [filter])
      #expect(part.totals == row.measures, "\(row.key ?? "not stated")")
    }
  }

  @Test func `all filters must hold`() {
    let lines = [
      Line(model: "m", session: "s", tokens: some), Line(model: "m", session: "t", tokens: some),
      Line(model: "o", session: "s", tokens: some),
    ]
    let filters = [UsageFilter(.model, equals: "m"), UsageFilter(.session, equals: "s")]
    #expect(report(lines, filters: filters).totals.requests == 1)
    let never = filters + [UsageFilter(.day, equals: "1999-01-01")]
    #expect(report(lines, filters: never).rows.isEmpty)
  }

  @Test func `a window takes its first minute and leaves out its end`() {
    let lines = (9...12).map { Line(at: $0 * 60_000 + 59_999, tokens: TokenCounts(input: 1)) }
    let report = report(lines, window: Minute(10)..<Minute(12))
    #expect(report.totals.requests == 2)
    #expect(report.span == Minute(10)...Minute(11))
  }

  @Test func `nothing counted is nothing, not unknown`() {
    let report = report([])
    #expect(report.totals == Measures())
    #expect(report.totals.cost == .zero)
    #expect(report.totals.hitRate == nil)
    #expect(report.rows.isEmpty && report.unpriced.isEmpty && report.span == nil)
  }

  // MARK: - Money

  @Test func `tokens of each class cost what the list says`() {
    let tokens = TokenCounts(
      input: 1000, cacheRead: 10_000, cacheWrite5m: 400, cacheWrite1h: 600, output: 500,
      reasoning: 400)
    let totals = report([Line(model: "m", tokens: tokens, webSearches: 3)]).totals
    // 0.002 + 0.002 + 0.0025 + 0.004 + 0.03
    #expect(totals.cost?.exactText == "0.0405")
    // 12,000 prompt tokens at 2 a million are 0.024, and 0.034 for the rest.
    #expect(totals.savedByCache?.exactText == "0.0175")
  }

  @Test func `a long prompt is billed as a whole at its tier, a price change from its minute on`() {
    func cost(_ line: Line) -> String? { report([line]).totals.cost?.exactText }
    #expect(cost(Line(tokens: TokenCounts(input: 50_000))) == "0.1")
    #expect(cost(Line(tokens: TokenCounts(input: 50_001))) == "0.200004")
    #expect(cost(Line(at: 999 * 60_000 + 59_999, tokens: TokenCounts(input: 1000))) == "0.002")
    #expect(cost(Line(at: 1000 * 60_000, tokens: TokenCounts(input: 1000))) == "0.001")
  }

  @Test func `what has no price is listed by model, most requests first`() {
    let lines = [
      Line(model: "mystery", tokens: some), Line(model: "", tokens: some),
      Line(model: "riddle", tokens: some), Line(model: "riddle", session: "s", tokens: some),
      Line(model: "m", tokens: some), Line(model: "m", tokens: some, tier: .batch),
      Line(model: "riddle", failed: true),
    ]
    let report = report(lines)
    #expect(report.unpriced.map(\.model) == ["riddle", nil, "m", "mystery"])
    #expect(report.unpriced.map(\.requests) == [2, 1, 1, 1])
    #expect(report.unpriced.first?.tokens == some + some)
    #expect(report.totals.unpricedRequests == 5)
    #expect(report.totals.pricedRequests == 1)
    #expect(report.totals.cost?.exactText == "0.00066")
  }

  @Test func `the cost is unknown if nothing has a price`() {
    let totals = report([Line(model: "mystery", tokens: some)]).totals
    #expect(totals.cost == nil)
    #expect(totals.savedByCache == nil)
  }

  @Test func `searches without a price are told`() {
    let totals = report([Line(model: "o", tokens: some, webSearches: 2)]).totals
    #expect(totals.unpricedSearches == 2)
    #expect(totals.quantities.webSearches == 2)
  }

  @Test func `a doubtful price is counted as such`() {
    #expect(report([Line(model: "m2", tokens: some)]).totals.uncertainRequests == 1)
  }

  @Test func `an answer of a proxy's cache costs nothing and does not touch the hit rate`() {
    let lines = [
      Line(model: "mystery", tokens: some, isAnsweredByProxy: true), Line(model: "m", tokens: some),
    ]
    let totals = report(lines).totals
    #expect(totals.answerCacheHits == 1)
    #expect(totals.requests == 2)
    #expect(totals.cost == report([lines[1]]).totals.cost)
    #expect(totals.hitRate == Ratio(300, 400))
  }

  @Test func `stated costs are summed beside the computed ones`() {
    let lines = ["0.1", "0.2"].map { Line(tokens: some, statedCost: Amount(decimal: $0)) }
    let totals = report(lines + [Line(tokens: some)]).totals
    #expect(totals.statedCost.exactText == "0.3")
    #expect(totals.statedCalls == 2)
  }

  // MARK: - Hit rate

  @Test func `the hit rate is exact and weighted by tokens`() {
    let lines = [
      Line(tokens: TokenCounts(input: 1, cacheRead: 2)),
      Line(tokens: TokenCounts(input: 700, cacheWrite5m: 200, cacheWrite1h: 100, output: 9)),
    ]
    #expect(report(lines).totals.hitRate == Ratio(2, 1003))
    #expect(report(lines).totals.hitRate?.text(decimals: 6) == "0.001994")
  }

  @Test func `the hit rate is unknown if no log tells, and zero if nothing hit`() {
    let told = Line(tokens: TokenCounts(input: 10))
    let untold = Line(tokens: TokenCounts(input: 10), tellsCache: false)
    #expect(report([untold]).totals.hitRate == nil)
    #expect(report([untold]).totals.hitRateUnknownRequests == 1)
    #expect(report([told, untold]).totals.hitRate == Ratio(0, 10))
    #expect(report([Line(tokens: TokenCounts(output: 5))]).totals.hitRate == nil)
  }

  // MARK: - Rows

  @Test func `rows are ordered by key, what is not stated last`() {
    let lines = ["b", "", "c", "a"].map { Line(project: $0, tokens: some) }
    #expect(keys(report(lines, by: .project)) == ["a", "b", "c", nil])
  }

  @Test func `a row tells its last minute`() {
    let lines = [5, 90, 7].map { Line(at: $0 * 60_000, tokens: some) }
    #expect(report(lines).rows.map(\.lastMinute) == [Minute(90)])
  }

  @Test func `a seller is named as the book does, else as the log does`() {
    var ledger = Ledger(promptEdges: [])
    for provider in ["acme-inc", "https://api.acme.example/v1", "unheard", ""] {
      var record = Line(model: "m", tokens: some).record(in: &ledger)
      record.labels.provider = ledger.names.intern(provider)
      ledger.record(record)
    }
    ledger.record(Line(model: "mystery", tokens: some).record(in: &ledger))
    let report = Report(of: ledger.snapshot(), tariff: Toy.tariff, by: .provider)
    #expect(keys(report) == ["acme", "unheard", nil])
    #expect(report.rows.map(\.measures.requests) == [3, 1, 1])
  }

  // MARK: - Local time

  /// The local date and hour, by arithmetic from the offset alone.
  private func local(_ minute: Minute, _ clock: LocalClock) -> (day: Int32, hour: Int32) {
    let shifted = minute.number + clock.offsetMinutes(at: minute)
    return (floorDivide(shifted, 1440), floorDivide(shifted, 60))
  }

  @Test(arguments: Clocks.all)
  func `each call is in the row of its local hour, day, week and month`(_ clock: LocalClock) {
    var dice = Dice(seed: 9)
    // Around each change of clocks, every few minutes.
    var times: [Instant] = []
    for day in ["2026-03-28", "2026-04-04", "2026-10-03", "2026-10-24", "2026-12-31"] {
      let start = utc("\(day)T00:00")
      for step in 0..<200 { times.append(start.advanced(byMilliseconds: Int64(step) * 900_000)) }
    }
    let lines = times.shuffled(using: &dice).map { Line(at: $0.milliseconds, tokens: some) }
    func count(_ key: (Minute) -> String) -> [String: Int64] {
      Dictionary(grouping: times) { key($0.minute) }.mapValues { Int64($0.count) }
    }
    func rows(_ grouping: Grouping, _ length: Int) -> [String: Int64] {
      var result: [String: Int64] = [:]
      for row in report(lines, by: grouping, clock: clock).rows {
        result[String(row.key!.prefix(length)), default: 0] += row.measures.requests
      }
      return result
    }
    func date(_ minute: Minute) -> CivilDate { CivilDate(dayNumber: local(minute, clock).day) }
    #expect(rows(.day, 99) == count { date($0).text })
    #expect(rows(.month, 99) == count { String(date($0).text.prefix(7)) })
    #expect(
      rows(.hour, 13)
        == count {
          let hour = local($0, clock).hour % 24
          return "\(date($0).text)T\(hour < 10 ? "0" : "")\(hour)"
        })
    // A year's week 1 holds 4 January.
    #expect(
      rows(.week, 99)
        == count {
          let day = date($0).dayNumber
          let monday = day - Int32(CivilDate.weekday(ofDay: day))
          let year = CivilDate(dayNumber: monday + 3).year
          let first = CivilDate(year: year, month: 1, day: 4)!.dayNumber
          let week = (monday + 6 - first) / 7 + 1
          return "\(year)-W\(week < 10 ? "0" : "")\(week)"
        })
  }

  @Test func `the day of the change has 23 or 25 hours`() {
    let spring = (0..<48).map {
      Line(at: utc("2026-03-28T12:00").milliseconds + $0 * 3_600_000, tokens: some)
    }
    let autumn = (0..<48).map {
      Line(at: utc("2026-10-24T12:00").milliseconds + $0 * 3_600_000, tokens: some)
    }
    func requests(_ lines: [Line], _ day: String) -> Int64? {
      report(lines, by: .day, clock: Clocks.berlin).rows.first { $0.key == day }?.measures.requests
    }
    #expect(requests(spring, "2026-03-29") == 23)
    #expect(requests(autumn, "2026-10-25") == 25)
  }

  @Test func `an hour that comes twice is two rows, told apart by the offset`() {
    let report = report(
      lines(at: ["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"]), by: .hour,
      clock: Clocks.berlin)
    #expect(
      keys(report) == [
        "2026-10-25T02:00+01:00", "2026-10-25T02:00+02:00", "2026-10-25T03:00+01:00",
      ])
  }

  @Test func `half an hour of change makes half an hour of row`() {
    let report = report(
      lines(at: ["2026-10-03T15:40", "2026-10-03T15:20", "2026-10-03T16:10"]), by: .hour,
      clock: Clocks.lordHowe)
    #expect(
      keys(report) == [
        "2026-10-04T01:00+10:30", "2026-10-04T02:30+11:00", "2026-10-04T03:00+11:00",
      ])
  }

  @Test func `days begin at local midnight, east and west`() {
    let times = lines(at: ["2026-06-30T09:29", "2026-06-30T09:30", "2026-06-30T10:00"])
    #expect(
      keys(report(times, by: .day, clock: Clocks.kiritimati)) == ["2026-06-30", "2026-07-01"])
    #expect(
      keys(report(times, by: .day, clock: Clocks.marquesas)) == ["2026-06-29", "2026-06-30"])
    #expect(
      keys(report(times, by: .month, clock: Clocks.kiritimati)) == ["2026-06", "2026-07"])
  }

  @Test func `a day whose midnight is skipped begins an hour later`() {
    let clock = Clocks.beirut
    let day = CivilDate("2026-03-29")!.dayNumber
    #expect(clock.start(ofDay: day).start == utc("2026-03-28T22:00"))
    #expect(clock.text(clock.start(ofDay: day).start) == "2026-03-29T01:00:00+03:00")
  }

  @Test(arguments: [
    ("2024-12-30", "2025-W01"), ("2026-12-31", "2026-W53"), ("2027-01-01", "2026-W53"),
    ("2027-01-04", "2027-W01"), ("2026-01-01", "2026-W01"), ("2025-12-28", "2025-W52"),
  ])
  func `weeks are those of the ISO calendar`(_ day: String, _ week: String) {
    #expect(keys(report(lines(at: ["\(day)T12:00"]), by: .week)) == [week])
  }
}

@Suite struct LocalClockTests {
  @Test func `instants are written with the offset that holds then`() {
    let instant = utc("2026-10-25T00:59:59")
    #expect(Clocks.berlin.text(instant) == "2026-10-25T02:59:59+02:00")
    #expect(
      Clocks.berlin.text(instant.advanced(byMilliseconds: 1000)) == "2026-10-25T02:00:00+01:00")
    #expect(Clocks.marquesas.text(instant) == "2026-10-24T15:29:59-09:30")
    #expect(LocalClock.utc.text(instant) == "2026-10-25T00:59:59Z")
    #expect(Clocks.kathmandu.timeOfDay(instant) == "06:44:59")
  }

  @Test(arguments: Clocks.all)
  func `days follow each other without gap or overlap`(_ clock: LocalClock) {
    for number in CivilDate("2026-03-20")!.dayNumber...CivilDate("2026-11-05")!.dayNumber {
      let start = clock.start(ofDay: number)
      #expect(clock.day(of: start) == number)
      #expect(clock.day(of: Minute(start.number - 1)) == number - 1)
    }
  }

  @Test func `today and this month are those of the clock`() {
    let now = utc("2026-10-31T23:30")
    let today = Clocks.berlin.today(now)
    #expect(today.lowerBound.start == utc("2026-10-31T23:00"))
    #expect(today.upperBound.start == utc("2026-11-01T23:00"))
    let month = Clocks.berlin.month(now)
    #expect(month.lowerBound.start == utc("2026-10-31T23:00"))
    #expect(month.upperBound.start == utc("2026-11-30T23:00"))
  }
}
