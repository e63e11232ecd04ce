import Testing

@testable import MimoEngine

/// Prices that change by date, hour, weekday and day off, with routes, a retirement and tiers.
enum Changing {
  static let first = utc("2026-03-20T00:00").minute
  static let days = 75

  private static func at(_ text: String) -> Minute { utc(text).minute }
  private static func rates(_ factor: Int64) -> Rates { Toy.rates(factor) }

  private static let weekdays = PriceSchedule(
    baseLabel: "off_peak",
    hours: [
      PriceSchedule.Hours(
        label: "peak",
        window: ClockWindow(utcOffset: 480, weekdays: 0b001_1111, start: 545, end: 1085),
        rates: Toy.rates(5)),
      PriceSchedule.Hours(
        label: "late",
        window: ClockWindow(utcOffset: -210, weekdays: 0b110_0000, start: 1370, end: 75),
        rates: Toy.rates(7)),
    ],
    daysOff: HolidayCalendar(
      days: [at("2026-04-06T00:00").day, at("2026-05-01T00:00").day],
      covers: at("2026-01-01T00:00").day...at("2026-05-10T00:00").day))

  static let book = PriceBook(
    providers: Toy.book.providers + [
      ProviderPrices(
        id: "moody", name: "Moody",
        models: [
          ModelPrices(
            id: "w", name: "W",
            entries: [
              PriceEntry(
                unit: .money(.usd), validity: at("2026-03-25T10:17")..<at("2026-05-03T04:00"),
                rates: rates(2), schedule: weekdays,
                evidence: Evidence(asOf: "2026-03-01", confidence: .high)),
              PriceEntry(
                unit: .money(.usd), validity: at("2026-05-03T04:00")..<(.distantFuture),
                rates: rates(3), tiers: [PriceTier(abovePromptTokens: 50_000, rates: rates(4))],
                evidence: Evidence(asOf: "2026-05-04", confidence: .low)),
            ]),
          ModelPrices(
            id: "old", name: "Old", retired: at("2026-05-20T12:30"),
            routes: [
              ModelRoute(
                validity: at("2026-04-10T08:00")..<at("2026-05-25T00:00"), billedAs: "w")
            ],
            entries: [
              PriceEntry(unit: .money(.cny), rates: rates(6), evidence: Toy.evidence),
              PriceEntry(unit: .money(.usd), rates: rates(9), evidence: Toy.evidence),
            ]),
        ])
    ])

  static let night: Plan = {
    var plan = Toy.plan(
      versions: [
        Toy.version(fee: 10, .distantPast..<at("2026-04-18T07:00")),
        Toy.version(fee: 16, credits: 60_000, at("2026-04-18T07:00")..<(.distantFuture)),
      ], resets: [at("2026-05-27T00:00")])
    plan.keyPrefix = "tp-"
    plan.offPeak = [
      Plan.OffPeak(
        validity: at("2026-04-01T00:00")..<(.distantFuture),
        window: ClockWindow(utcOffset: 480, start: 0, end: 480), factor: ExactDecimal("0.8")!,
        evidence: Toy.evidence)
    ]
    return plan
  }()

  static let map = ModelMap(classes: [
    ModelMap.Class(
      id: "all", members: ["acme": ["m", "h"], "moody": ["old", "w"], "other": ["o"]])
  ])

  static let tariffs: [Tariff] =
    [Plan.asBilled(recognising: [night]), night, Toy.plan()].map {
      Tariff(plan: $0, book: book, currency: .usd)
    }
    + book.providers.map { Tariff(plan: .metered($0), book: book, currency: .usd) }
    + [
      Tariff(plan: .metered(book.providers[2]), book: book, currency: .usd, modelMap: map),
      Tariff(plan: night, book: book, currency: .usd, modelMap: map),
      Tariff(
        plan: .asBilled, book: book, currency: .cny,
        exchange: ExchangeRate(yuanPerDollar: ExactDecimal("7.1")!)),
      Tariff(
        plan: Plan(
          id: "flat", name: "Flat", kind: .flat, provider: "moody",
          versions: [Toy.version(fee: 20)]), book: book, currency: .usd),
    ]

  static func usage(_ dice: inout Dice) -> UsageSnapshot {
    var lines: [Line] = []
    for _ in 0..<1500 {
      var line = Line()
      let minute = first.number + Int32.random(in: 0..<Int32(days * 1440), using: &dice)
      line.at = Minute(minute).start.milliseconds + .random(in: 0..<60_000, using: &dice)
      line.model = ["m", "h", "m2", "o", "w", "w", "old", "nobody"].randomElement(using: &dice)!
      line.session = ["s1", "s2", "s3"].randomElement(using: &dice)!
      line.key = ["", "tp-1…a", "tp-2…b", "sk-…c"].randomElement(using: &dice)!
      line.project = ["p1", "p2"].randomElement(using: &dice)!
      line.tokens = TokenCounts(
        input: .random(in: 0..<3000, using: &dice),
        cacheRead: .random(in: 0..<60_000, using: &dice),
        cacheWrite5m: .random(in: 0..<300, using: &dice),
        cacheWrite1h: .random(in: 0..<300, using: &dice),
        output: .random(in: 0..<5000, using: &dice))
      line.failed = Int.random(in: 0..<20, using: &dice) == 0
      line.tellsCache = Int.random(in: 0..<9, using: &dice) > 0
      line.isAnsweredByProxy = Int.random(in: 0..<30, using: &dice) == 0
      if Int.random(in: 0..<20, using: &dice) == 0 {
        line.webSearches = 2
        line.statedCost = Amount(atto: 12_345)
      }
      if Int.random(in: 0..<9, using: &dice) == 0 { line.tier = .batch }
      lines.append(line)
    }
    return snapshot(lines)
  }
}

@Suite struct CondensedUsageTests {
  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `every plan prices it like the whole, in any window`(_ seed: UInt64) {
    var dice = Dice(seed: seed)
    let whole = Changing.usage(&dice)
    let from = Changing.first.advanced(by: .random(in: 0..<50_000, using: &dice))
    let window = from..<from.advanced(by: .random(in: 1..<60_000, using: &dice))
    for filters in [[], [UsageFilter(.session, equals: "s1")], [UsageFilter(.hour, equals: "x")]]
      as [[UsageFilter]]
    {
      let small = whole.condensed(
        for: Changing.tariffs, edges: [window.lowerBound, window.upperBound], filters: filters)
      for tariff in Changing.tariffs {
        for window in [nil, window] {
          let a = Report(of: whole, tariff: tariff, window: window, filters: filters)
          let b = Report(of: small, tariff: tariff, window: window)
          #expect(a.totals == b.totals, "\(tariff.plan.id), \(filters)")
          #expect(a.pricesChecked == b.pricesChecked)
          #expect(Set(a.unpriced) == Set(b.unpriced))
        }
      }
    }
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `a subscription stands where it stood`(_ seed: UInt64) {
    var dice = Dice(seed: seed)
    let whole = Changing.usage(&dice)
    let now = Changing.first.start.advanced(
      byMilliseconds: .random(in: 0..<Int64(Changing.days) * 86_400_000, using: &dice))
    let periods = BillingPeriods(renewalDay: .random(in: 1...31, using: &dice))
    let anchor = PlanAnchor(
      at: now.advanced(byMilliseconds: -.random(in: 0..<2_000_000_000, using: &dice)),
      used: Amount(whole: 777))
    let edges = PlanStatus.edges(periods, now: now, anchors: [anchor], span: whole.cube.span)
    let small = whole.condensed(for: Changing.tariffs, edges: edges)
    for tariff in Changing.tariffs where tariff.plan.isSubscription {
      for anchor in [nil, anchor] {
        func status(_ usage: UsageSnapshot) -> PlanStatus {
          PlanStatus(of: usage, tariff: tariff, periods: periods, now: now, anchor: anchor)
        }
        #expect(status(small) == status(whole), "\(tariff.plan.id)")
      }
    }
  }

  @Test func `days alike become one cell, days on which other hours begin do not`() {
    var lines: [Line] = []
    for day in 0..<28 {
      lines.append(
        Line(
          at: utc("2026-04-06T03:00").milliseconds + Int64(day) * 86_400_000, model: "w",
          tokens: TokenCounts(input: 1)))
    }
    let small = snapshot(lines).condensed(for: Changing.tariffs, edges: [])
    let cells = small.cells.values.map(\.requests).sorted()
    // Workdays, days off, Saturdays after a workday, and times before and after the plan's new fee.
    #expect(cells.reduce(0, +) == 28)
    #expect(cells.count < 20 && cells.count > 3)
  }

  @Test func `the first minute with usage stays, and an edge parts what it parts`() {
    let lines = ["2026-04-06T03:10", "2026-04-06T03:07", "2026-04-06T03:30"].map {
      Line(at: utc($0).milliseconds, tokens: TokenCounts(input: 1))
    }
    let edge = utc("2026-04-06T03:20").minute
    let small = snapshot(lines).condensed(for: [Toy.tariff], edges: [edge])
    #expect(
      small.cells.keys.map(\.minute).sorted() == [
        utc("2026-04-06T03:07").minute.number, utc("2026-04-06T03:30").minute.number,
      ])
  }

  private func reads(_ times: [String], minutes: Int32, sessions: [String] = ["s"]) -> Int64 {
    let lines = times.enumerated().map { index, time in
      Line(
        at: utc(time).milliseconds, session: sessions[index % sessions.count],
        tokens: TokenCounts(cacheRead: 100))
    }
    return snapshot(lines).condensed(for: [Toy.tariff], edges: [], cacheMinutes: minutes)
      .sum.tokens.cacheRead
  }

  @Test func `a read after the cache's life becomes a write, in any order of lines`() {
    let times = ["2026-04-06T03:00", "2026-04-06T03:04", "2026-04-06T03:09", "2026-04-06T03:20"]
    #expect(reads(times, minutes: 5) == 200)
    #expect(reads(times.reversed(), minutes: 5) == 200)
    #expect(reads(times, minutes: 60) == 400)
    #expect(reads(times, minutes: 5, sessions: ["a", "b"]) == 200)
    #expect(reads(times, minutes: 5, sessions: [""]) == 400, "no session tells nothing")
  }

  @Test func `of several calls in a minute one is late`() {
    let times = ["2026-04-06T03:00:00", "2026-04-06T03:30:01", "2026-04-06T03:30:40"]
    #expect(reads(times, minutes: 5) == 200)
  }
}
