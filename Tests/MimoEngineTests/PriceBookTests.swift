import MimoEngine
import Testing

/// A minute by its day since the epoch and its time of day. Day 4 is a Monday.
private func at(_ day: Int32, _ hour: Int32 = 0, _ minute: Int32 = 0) -> Minute {
  Minute(day * 1440 + hour * 60 + minute)
}

private func entry(
  _ price: Int64, from: Minute = .distantPast, to: Minute = .distantFuture,
  in unit: PricingUnit = .money(.usd), tiers: [(Int64, Int64)] = [], schedule: PriceSchedule? = nil
) -> PriceEntry {
  PriceEntry(
    unit: unit, validity: from..<to, rates: Rates(input: price, output: price),
    tiers: tiers.map {
      PriceTier(abovePromptTokens: $0.0, rates: Rates(input: $0.1, output: $0.1))
    }, schedule: schedule, evidence: Evidence(confidence: .high))
}

private func book(_ models: ModelPrices...) -> PriceBook {
  PriceBook(providers: [ProviderPrices(id: "acme", name: "Acme", models: models)])
}

@Suite struct PriceBookTests {
  private func span(
    _ book: PriceBook, _ model: String = "one", prompt: Int64 = 1, tier: ServiceTier = .standard,
    at minute: Minute
  ) -> RateSpan {
    book.span(
      of: book.model(named: model)!, currency: .usd, promptTokens: prompt, tier: tier, at: minute)
  }

  @Test func `a dated price holds from its first minute to before its last`() {
    let book = book(
      ModelPrices(
        id: "one", name: "One", entries: [entry(1, to: at(10)), entry(2, from: at(10), to: at(20))])
    )
    #expect(span(book, at: at(9, 23, 59)).rates?.input == 1)
    #expect(span(book, at: at(9)).from == .distantPast)
    #expect(span(book, at: at(9)).until == at(10))
    #expect(span(book, at: at(10)).rates?.input == 2)
    let after = span(book, at: at(20))
    #expect(after.rates == nil)
    #expect(after.evidence == nil)
    #expect(after.from == at(20))
    #expect(after.until == .distantFuture)
  }

  @Test func `a price in another currency does not cut a span`() {
    let book = book(
      ModelPrices(
        id: "one", name: "One",
        entries: [entry(1), entry(7, from: at(10), in: .money(.cny)), entry(9, in: .credits)]))
    #expect(span(book, at: at(5)).until == .distantFuture)
  }

  @Test func `a tier is a cliff above its threshold`() {
    let book = book(
      ModelPrices(id: "one", name: "One", entries: [entry(1, tiers: [(100, 2), (200, 3)])]))
    let prices = [0, 100, 101, 200, 201].map { span(book, prompt: $0, at: at(1)).rates?.input }
    #expect(prices == [1, 1, 2, 2, 3])
    #expect(book.promptEdges == [100, 200])
  }

  @Test func `windows cut a day, and the day cuts the night`() {
    let window = ClockWindow(utcOffset: 480, weekdays: 0b000_0001, start: 540, end: 720)
    let hours = PriceSchedule.Hours(
      label: "peak", window: window, rates: Rates(input: 5, output: 5))
    let book = book(
      ModelPrices(
        id: "one", name: "One",
        entries: [entry(1, schedule: PriceSchedule(baseLabel: "low", hours: [hours]))]))
    // Monday 09:00 at +08:00 is Monday 01:00 UTC.
    let before = span(book, at: at(4, 0, 59))
    #expect((before.rates?.input, before.label) == (1, "low"))
    #expect((before.from, before.until) == (at(3, 16), at(4, 1)))
    let peak = span(book, at: at(4, 1))
    #expect((peak.rates?.input, peak.label) == (5, "peak"))
    #expect((peak.from, peak.until) == (at(4, 1), at(4, 4)))
    let tuesday = span(book, at: at(5, 1))
    #expect((tuesday.from, tuesday.until) == (at(4, 16), at(5, 16)))
  }

  @Test func `a window over midnight belongs to the day on which it begins`() {
    let window = ClockWindow(utcOffset: 0, weekdays: 0b000_0001, start: 1410, end: 30)
    let hours = PriceSchedule.Hours(
      label: "night", window: window, rates: Rates(input: 5, output: 5))
    let calendar = HolidayCalendar(days: [11], covers: 0...100)
    let schedule = PriceSchedule(baseLabel: "day", hours: [hours], daysOff: calendar)
    let book = book(ModelPrices(id: "one", name: "One", entries: [entry(1, schedule: schedule)]))
    func label(_ minute: Minute) -> String? { span(book, at: minute).label }
    #expect(label(at(4, 0, 15)) == "day")
    #expect(label(at(4, 23, 29)) == "day")
    #expect(label(at(4, 23, 30)) == "night")
    #expect(label(at(5, 0, 29)) == "night")
    #expect(label(at(5, 0, 30)) == "day")
    #expect(label(at(5, 23, 30)) == "day")
    // Day 11 is a Monday too, but a day off.
    #expect(label(at(11, 23, 45)) == "day")
    #expect(label(at(12, 0, 15)) == "day")
    #expect(span(book, at: at(12)).evidence?.confidence == .high)
    #expect(span(book, at: at(101)).evidence?.confidence == .low)
  }

  @Test func `times before 1970 fall into the right hours`() {
    let hours = PriceSchedule.Hours(
      label: "peak", window: ClockWindow(utcOffset: -90, start: 0, end: 60),
      rates: Rates(input: 5, output: 5))
    let schedule = PriceSchedule(baseLabel: "low", hours: [hours])
    let book = book(ModelPrices(id: "one", name: "One", entries: [entry(1, schedule: schedule)]))
    #expect(span(book, at: at(-3, 1, 29)).label == "low")
    #expect(span(book, at: at(-3, 1, 30)).label == "peak")
    #expect(span(book, at: at(-3, 2, 30)).label == "low")
    for absurd in [Minute.distantPast, Minute(.min + 5), Minute(.max - 5), .distantFuture] {
      #expect(span(book, at: absurd).label != "peak")
    }
  }

  @Test
  func `a route leads to the successor's price of that minute, and no further than retirement`() {
    let book = book(
      ModelPrices(
        id: "one", name: "One", retired: at(30),
        routes: [ModelRoute(validity: at(10)..<at(40), billedAs: "TWO")],
        entries: [entry(1, to: at(10))]),
      ModelPrices(
        id: "two", name: "Two", retired: at(25),
        entries: [entry(2, to: at(20)), entry(3, from: at(20))]))
    #expect(span(book, at: at(9)).billedAs == "one")
    #expect(span(book, at: at(15)).rates?.input == 2)
    #expect(span(book, at: at(15)).billedAs == "two")
    #expect((span(book, at: at(15)).from, span(book, at: at(15)).until) == (at(10), at(20)))
    #expect(span(book, at: at(22)).rates?.input == 3)
    #expect(span(book, at: at(25)).rates == nil)
    #expect(span(book, at: at(30)).rates == nil)
  }

  @Test func `routes in a circle, and to nowhere, end without a price`() {
    func routed(_ id: String, to target: String) -> ModelPrices {
      ModelPrices(
        id: id, name: id,
        routes: [ModelRoute(validity: .distantPast..<(.distantFuture), billedAs: target)],
        entries: [entry(1)])
    }
    let circle = book(routed("one", to: "two"), routed("two", to: "one"))
    #expect(span(circle, at: at(1)).rates == nil)
    #expect(span(book(routed("one", to: "gone")), at: at(1)).rates == nil)
  }

  @Test func `a service tier without a factor has no price`() {
    var batch = entry(100)
    batch.tierFactors = [.batch: ExactDecimal("0.5")!]
    let book = book(ModelPrices(id: "one", name: "One", entries: [batch]))
    #expect(span(book, tier: .batch, at: at(1)).rates?.input == 50)
    for tier in ServiceTier.allCases where tier != .standard && tier != .batch {
      #expect(span(book, tier: tier, at: at(1)).rates == nil)
    }
  }

  @Test func `the seller that is named is preferred, then the vendor before the slash`() {
    let model = ModelPrices(id: "one", name: "One", aliases: ["uno"], entries: [entry(1)])
    var other = model
    other.entries = [entry(7, in: .money(.cny))]
    let book = PriceBook(providers: [
      ProviderPrices(id: "acme", name: "Acme", models: [model]),
      ProviderPrices(
        id: "shop", name: "Shop", aliases: ["The-Shop"], hosts: ["shop.example"], models: [other]),
      ProviderPrices(id: "empty", name: "Empty", models: []),
    ])
    func seller(_ name: String, _ provider: String? = nil, _ currency: Currency? = nil) -> String? {
      book.model(named: name, provider: provider, currency: currency).map {
        book.provider(of: $0).id
      }
    }
    #expect(seller("one") == "acme")
    #expect(seller("UNO", "SHOP") == "shop")
    #expect(seller("shop/one") == "shop")
    #expect(seller("the-shop/uno-20260102") == "shop")
    #expect(seller("shop/one", "acme") == "acme")
    #expect(seller("one", "https://eu.shop.example:8443/v1") == "shop")
    #expect(seller("one", "empty") == "acme")
    #expect(seller("empty/one") == "acme")
    #expect(seller("one", nil, .cny) == "shop")
    #expect(seller("one", "acme", .cny) == "acme")
    #expect(seller("nobody/one") == nil)
    #expect(book.model(named: "one", soldBy: "empty") == nil)
  }
}
