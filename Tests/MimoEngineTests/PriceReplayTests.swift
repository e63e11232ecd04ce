import MimoEngine
import MimoTestSupport
import Testing

extension Toy {
  /// The list up to minute 999, and the one from then on.
  static let before = tariff.withPrices(of: Minute(999))
  static let after = tariff.withPrices(of: Minute(1000))
}

extension Dice {
  /// Calls to models of the toy list over two days.
  mutating func calls(_ count: Int) -> UsageSnapshot {
    var lines = lines(count)
    for index in lines.indices {
      lines[index].at = Int64.random(in: 0..<2880, using: &self) * 60_000
      lines[index].model = ["m", "h", "o", "m2", "nobody's"].randomElement(using: &self)!
      lines[index].webSearches = 0
    }
    return snapshot(lines)
  }
}

@Suite struct FixedPricesTests {
  private func cost(_ tariff: Tariff, at minute: Int32, _ model: String = "m") -> String? {
    tariff.span(model: model, provider: nil, promptTokens: 1, at: Minute(minute)).rates.map {
      Amount(femto: Int128($0.output) * 1_000_000).exactText
    }
  }

  @Test func `the list of one minute holds at all times`() {
    for minute in [-5, 0, 999, 1000, 900_000] as [Int32] {
      #expect(cost(Toy.before, at: minute) == "8")
      #expect(cost(Toy.after, at: minute) == "1")
    }
  }

  @Test func `the hour of the call still decides`() {
    let fixed = Toy.tariff.withPrices(of: Minute(180))
    #expect(cost(fixed, at: 119, "h") == "8")
    #expect(cost(fixed, at: 120, "h") == "24")
    #expect(cost(fixed, at: 1440 * 90 + 359, "h") == "24")
    #expect(cost(fixed, at: 1440 * 90 + 360, "h") == "8")
  }

  @Test func `what is not sold at that time has no price at any`() {
    var model = ModelPrices(
      id: "late", name: "Late", retired: Minute(50),
      entries: [
        PriceEntry(
          unit: .money(.usd), validity: Minute(20)..<Minute(90), rates: Rates(input: 1, output: 1),
          evidence: Toy.evidence)
      ])
    func rates(of list: Int32) -> Rates? {
      let book = PriceBook(providers: [ProviderPrices(id: "a", name: "A", models: [model])])
      return Tariff(plan: .asBilled, book: book, currency: .usd)
        .withPrices(of: Minute(list)).span(
          model: "late", provider: nil, promptTokens: 1, at: Minute(70)
        ).rates
    }
    #expect(rates(of: 19) == nil)
    #expect(rates(of: 20) != nil)
    #expect(rates(of: 49) != nil)
    #expect(rates(of: 50) == nil)
    model.retired = nil
    #expect(rates(of: 89) != nil)
    #expect(rates(of: 90) == nil)
  }

  @Test func `routes are those of that time`() {
    let models = [("old", Int64(1)), ("new", 2)].map { id, rate in
      ModelPrices(
        id: id, name: id,
        routes: id == "old"
          ? [ModelRoute(validity: Minute(50)..<(.distantFuture), billedAs: "NEW")] : [],
        entries: [
          PriceEntry(
            unit: .money(.usd), rates: Rates(input: rate, output: rate), evidence: Toy.evidence)
        ])
    }
    let tariff = Tariff(
      plan: .asBilled,
      book: PriceBook(providers: [ProviderPrices(id: "a", name: "A", models: models)]),
      currency: .usd)
    func input(_ list: Int32, at minute: Int32) -> Int64? {
      tariff.withPrices(of: Minute(list)).span(
        model: "old", provider: nil, promptTokens: 1, at: Minute(minute)
      )
      .rates?.input
    }
    #expect(input(49, at: 99) == 1)
    #expect(input(50, at: 0) == 2)
  }

  @Test func `a plan has the fee and the credits of that time`() {
    let plan = Toy.plan(versions: [
      Toy.version(fee: 10, credits: 5, .distantPast..<Minute(100)),
      Toy.version(fee: 20, credits: 7, Minute(100)..<(.distantFuture)),
    ])
    let tariff = Tariff(plan: plan, book: Toy.book, currency: .usd)
    let early = tariff.withPrices(of: Minute(99)).plan
    #expect(early.fee(at: Minute(5000).start, in: .usd)?.exactText == "10")
    #expect(
      tariff.withPrices(of: Minute(100)).plan.credits(at: Minute(0).start)?.exactText == "7")
  }
}

@Suite struct PriceReplayTests {
  /// 10,000 fresh, 20,000 read, 4,000 written and 5,000 out, and a search.
  private let call = Line(
    at: 2000 * 60_000,
    tokens: TokenCounts(input: 10_000, cacheRead: 20_000, cacheWrite5m: 4000, output: 5000),
    webSearches: 1)

  private func replay(
    _ lines: [Line], _ before: Tariff = Toy.before, _ after: Tariff = Toy.after,
    window: Range<Minute>? = nil, filters: [UsageFilter] = []
  ) -> PriceReplay {
    PriceReplay(
      of: snapshot(lines), before: before, after: after, window: window, filters: filters)
  }

  @Test func `each class is priced at both lists`() {
    let replay = replay([call])
    let lines = replay.touched.lines.filter { $0.count > 0 }
    #expect(lines.map(\.billingClass) == [.input, .cacheRead, .cacheWrite5m, .output])
    #expect(lines.map(\.count) == [10_000, 20_000, 4000, 5000])
    // 2, 0.2, 2.5 and 8 a million; then 1 for each.
    #expect(lines.map(\.before.exactText) == ["0.02", "0.004", "0.01", "0.04"])
    #expect(lines.map(\.after.exactText) == ["0.01", "0.02", "0.004", "0.005"])
    #expect(replay.total.before.exactText == "0.074")
    #expect(replay.total.after.exactText == "0.039")
    #expect(replay.total.tokens == 39_000)
    #expect(replay.total.perMillion(replay.total.after)?.exactText == "1")
    // Only the first list has a price for searches.
    #expect(replay.total.unpricedSearches == 1)
  }

  @Test func `the same list twice changes nothing`() {
    var dice = Dice(seed: 7)
    let usage = dice.calls(80)
    let replay = PriceReplay(of: usage, before: Toy.tariff, after: Toy.tariff)
    #expect(replay.touched.requests == 0)
    #expect(replay.rows.allSatisfy { $0.before == $0.after })
    let report = Report(of: usage, tariff: Toy.tariff)
    #expect(replay.untouched.before == Amount(femto: report.totals.costFemto))
    #expect(replay.untouched.requests == report.totals.pricedRequests)
    #expect(replay.unpriced == report.unpriced)
  }

  @Test(arguments: 0..<20)
  func `the parts add up to reports at either list`(_ seed: UInt64) {
    var dice = Dice(seed: seed)
    let usage = dice.calls(60)
    let window = Minute(100)..<Minute(2400)
    let replay = PriceReplay(of: usage, before: Toy.before, after: Toy.after, window: window)
    for (tariff, cost) in [
      (Toy.before, replay.total.before), (Toy.after, replay.total.after),
    ] {
      let totals = Report(of: usage, tariff: tariff, window: window).totals
      #expect(cost == Amount(femto: totals.costFemto))
      #expect(replay.total.requests == totals.pricedRequests)
      #expect(replay.unpriced.reduce(0) { $0 + $1.requests } == totals.unpricedRequests)
    }
    #expect(replay.touched.before + replay.untouched.before == replay.total.before)
    #expect(replay.untouched.before == replay.untouched.after)
    for row in replay.rows where row.model != "m" { #expect(!row.isTouched) }
  }

  @Test func `calls without a price at either list are left out and said`() {
    let replay = replay([call, Line(model: "nobody's", tokens: TokenCounts(input: 7))])
    #expect(replay.total.requests == 1)
    #expect(replay.unpriced.map(\.model) == ["nobody's"])
    #expect(replay.unpriced.map(\.tokens.input) == [7])
  }

  @Test func `filters and window hold`() {
    var other = call
    other.session = "s2"
    other.at += 60_000
    #expect(
      replay([call, other], filters: [UsageFilter(.session, equals: "s2")]).total.requests == 1)
    #expect(replay([call, other], window: Minute(0)..<Minute(2001)).total.requests == 1)
  }
}

@Suite struct PriceChangeTests {
  private let usage = snapshot([
    Line(model: "m", tokens: TokenCounts(input: 1)),
    Line(model: "h", tokens: TokenCounts(input: 1)),
  ])

  @Test func `a change of a model in the usage is found, with what it was and is`() throws {
    let changes = PriceChange.all(of: usage, tariff: Toy.tariff)
    #expect(changes.count == 1)
    let change = try #require(changes.first)
    #expect(change.first == Minute(1000) && change.last == Minute(1000))
    // 16:40 in UTC is the next day in China.
    #expect(change.date.text == "1970-01-02")
    #expect(change.models.map(\.name) == ["m"])
    #expect(change.models[0].before.entry.rates == Toy.rates())
    #expect(change.models[0].after.entry.rates?.output == Toy.micro)
    #expect(change.offers == nil)
  }

  @Test func `what the usage has nothing of is not listed`() {
    let filters = [UsageFilter(.model, equals: "h")]
    #expect(PriceChange.all(of: usage, tariff: Toy.tariff, filters: filters).isEmpty)
    let later = Minute(5)..<Minute(6)
    #expect(PriceChange.all(of: usage, tariff: Toy.tariff, window: later).isEmpty)
  }

  @Test func `rows with the same prices are no change`() {
    let entries = [Minute.distantPast..<Minute(10), Minute(10)..<Minute.distantFuture].map {
      PriceEntry(
        unit: .money(.usd), validity: $0, rates: Toy.rates(),
        evidence: Evidence(sources: ["\($0)"], confidence: .low))
    }
    let book = PriceBook(providers: [
      ProviderPrices(
        id: "a", name: "A", models: [ModelPrices(id: "m", name: "M", entries: entries)])
    ])
    let tariff = Tariff(plan: .asBilled, book: book, currency: .usd)
    #expect(PriceChange.all(of: usage, tariff: tariff).isEmpty)
  }

  @Test func `a plan's change has fee and credits`() throws {
    let plan = Toy.plan(versions: [
      Toy.version(fee: 10, credits: 5, .distantPast..<Minute(100)),
      Toy.version(fee: 20, credits: 7, Minute(100)..<(.distantFuture)),
    ])
    let tariff = Tariff(plan: plan, book: Toy.book, currency: .usd)
    let change = try #require(PriceChange.all(of: usage, tariff: tariff).first)
    #expect(change.models.isEmpty)
    #expect(change.offers?.before.credits == Amount(whole: 5))
    #expect(change.offers?.after.fee == Amount(whole: 20))
  }

  @Test func `a date means the vendor's day, or else the reader's`() throws {
    let changes = PriceChange.all(of: usage, tariff: Toy.tariff)
    func found(_ date: String) -> Bool {
      changes.first(on: CivilDate(date)!, clock: Clocks.marquesas) != nil
    }
    #expect(found("1970-01-02"))
    #expect(found("1970-01-01"))
    #expect(!found("1970-01-03"))
    #expect(changes.nearest(3, to: CivilDate("1990-05-05")!).map(\.date.day) == [2])
    #expect(changes.mostRecent(Minute(0).start) == changes[0])
  }

  private func effect(
    _ lines: [Line], _ tariff: Tariff = Toy.tariff, now: Minute = Minute(5000)
  ) throws -> PriceChangeEffect {
    let usage = snapshot(lines)
    let change = try #require(PriceChange.all(of: usage, tariff: tariff).first)
    return PriceChangeEffect(of: usage, tariff: tariff, change: change, now: now.start)
  }

  private func call(at minute: Int64, input: Int64 = 0, read: Int64 = 0, output: Int64 = 0) -> Line
  {
    Line(
      at: minute * 60_000,
      tokens: TokenCounts(input: input, cacheRead: read, output: output))
  }

  @Test func `a past change is about usage since then`() throws {
    let effect = try effect([call(at: 999, input: 5000), call(at: 1000, input: 10_000)])
    #expect(effect.scope == .sinceChange)
    #expect(effect.before.exactText == "0.02" && effect.after.exactText == "0.01")
    // Output fell from 8 to 1, input from 2 to 1.
    #expect(effect.promise?.billingClass == .output)
    #expect(effect.promise?.cut == Ratio(7, 8))
    #expect(effect.reduction == Ratio(1, 2))
    #expect(effect.verdict == .saving)
  }

  @Test func `without usage since then it is about usage before`() throws {
    let effect = try effect([call(at: 999, input: 5000)])
    #expect(effect.scope == .beforeChange)
    #expect(effect.before.exactText == "0.01" && effect.after.exactText == "0.005")
  }

  @Test func `a future change is about all usage`() throws {
    let effect = try effect(
      [call(at: 10, input: 5000), call(at: 20, input: 5000)], now: Minute(999))
    #expect(effect.scope == .future)
    #expect(effect.after.exactText == "0.01")
  }

  @Test func `a large cut of what is hardly used is marketing`() throws {
    // A read token rose from 0.2 to 1, an output token fell from 8 to 1.
    #expect(try effect([call(at: 1000, read: 8000, output: 1000)]).verdict == .marketing)
    #expect(try effect([call(at: 1000, read: 7000, output: 1000)]).verdict == .partialSaving)
    #expect(try effect([call(at: 1000, read: 1000, output: 1000)]).verdict == .saving)
    #expect(try effect([call(at: 1000, read: 8750, output: 1000)]).verdict == .same)
    #expect(try effect([call(at: 1000, read: 8751, output: 1000)]).verdict == .rise)
  }

  @Test func `credits are weighed by what they cost`() throws {
    let credit: Int64 = 1_000_000_000_000_000
    var plan = Toy.plan(versions: [
      Toy.version(fee: 10, credits: 1000, .distantPast..<Minute(1000)),
      Toy.version(fee: 10, credits: 100_000, Minute(1000)..<(.distantFuture)),
    ])
    plan.models[0].entries = [
      PriceEntry(
        unit: .credits, validity: .distantPast..<Minute(1000),
        rates: Rates(input: credit, output: credit), evidence: Toy.evidence),
      PriceEntry(
        unit: .credits, validity: Minute(1000)..<(.distantFuture),
        rates: Rates(input: 20 * credit, output: 20 * credit), evidence: Toy.evidence),
    ]
    let tariff = Tariff(plan: plan, book: Toy.book, currency: .usd)
    let effect = try effect([call(at: 2000, input: 100)], tariff)
    #expect(effect.replay.total.before == Amount(whole: 100))
    #expect(effect.replay.total.after == Amount(whole: 2000))
    // A tenth of 10 dollars, then a fiftieth.
    #expect(effect.before.exactText == "1" && effect.after.exactText == "0.2")
    #expect(effect.verdict == .saving)
  }
}
