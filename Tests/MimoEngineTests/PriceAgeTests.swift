import MimoEngine
import Testing

@Suite struct PriceAgeTests {
  /// Two models: one checked on a day, one in a month, one at an unknown time.
  private static let book = PriceBook(providers: [
    ProviderPrices(
      id: "acme", name: "Acme",
      models: [
        model("m", [(nil, "2026-03-05", 0), ("2026-06-01", "2026-09-24", 1)]),
        model("m2", [(nil, "2026-08", 0)]), model("m3", [(nil, nil, 0)]),
      ])
  ])

  private static func model(_ id: String, _ rows: [(from: String?, asOf: String?, Int)])
    -> ModelPrices
  {
    let starts = rows.map { $0.from.map { utc($0 + "T00:00").minute } ?? .distantPast }
    return ModelPrices(
      id: id, name: id,
      entries: rows.indices.map { index in
        PriceEntry(
          unit: .money(.usd),
          validity: starts[index]..<(index + 1 < rows.count ? starts[index + 1] : .distantFuture),
          rates: Toy.rates(), evidence: Evidence(asOf: rows[index].asOf, confidence: .high))
      })
  }

  private func checked(
    _ lines: [(time: String, model: String)], window: Range<Minute>? = nil,
    filters: [UsageFilter] = []
  ) -> CivilDate? {
    let lines = lines.map {
      Line(at: utc($0.time).milliseconds, model: $0.model, tokens: TokenCounts(input: 1))
    }
    return Report(
      of: snapshot(lines), tariff: Tariff(plan: .asBilled, book: Self.book, currency: .usd),
      window: window, filters: filters
    ).pricesChecked
  }

  @Test func `the oldest check is that of a row that was used`() {
    let early = ("2026-05-31T23:59", "m")
    let late = ("2026-06-01T00:00", "m")
    #expect(checked([late]) == CivilDate("2026-09-24"))
    #expect(checked([early, late]) == CivilDate("2026-03-05"))
    let june = utc("2026-06-01T00:00").minute..<(.distantFuture)
    #expect(checked([early, late], window: june) == CivilDate("2026-09-24"))
  }

  @Test func `usage that a filter leaves out uses no row`() {
    let lines = [("2026-05-01T00:00", "m"), ("2026-07-01T00:00", "m2")]
    #expect(checked(lines, filters: [UsageFilter(.model, equals: "m2")]) == CivilDate("2026-08-01"))
  }

  @Test func `of a month its first day counts, and a check at an unknown time not at all`() {
    #expect(checked([("2026-07-01T00:00", "m2")]) == CivilDate("2026-08-01"))
    #expect(checked([("2026-07-01T00:00", "m3")]) == nil)
    #expect(
      checked([("2026-07-01T00:00", "m3"), ("2026-07-01T00:00", "m2")]) == CivilDate("2026-08-01"))
    #expect(checked([("2026-07-01T00:00", "unknown")]) == nil)
    #expect(checked([]) == nil)
  }

  @Test func `an age counts local days and is never negative`() throws {
    let day = CivilDate("2026-09-22")
    func age(_ now: String, _ clock: LocalClock = .utc) throws -> PriceAge {
      try #require(PriceAge(checked: day, now: utc(now), clock: clock))
    }
    #expect(try age("2026-09-22T23:59").days == 0)
    #expect(try age("2026-09-23T00:00").days == 1)
    #expect(try age("2026-09-22T23:59", Clocks.berlin).days == 1)
    #expect(try age("2026-09-01T00:00").days == 0)
    #expect(PriceAge(checked: nil, now: utc("2026-09-22T00:00")) == nil)
  }

  @Test func `prices are old after sixty days`() throws {
    let day = CivilDate("2026-09-22")
    #expect(try #require(PriceAge(checked: day, now: utc("2026-11-21T00:00"))).isStale == false)
    #expect(try #require(PriceAge(checked: day, now: utc("2026-11-22T00:00"))).isStale)
  }

  @Test func `a comparison tells the age of each plan's prices`() {
    let lines = [Line(at: utc("2026-07-01T00:00").milliseconds, tokens: TokenCounts(input: 1))]
    let tariff = Tariff(plan: .asBilled, book: Self.book, currency: .usd)
    let comparison = Comparison(
      of: snapshot(lines), tariffs: [tariff], reference: tariff,
      periods: BillingPeriods(renewalDay: 1), now: utc("2026-11-22T00:00"))
    #expect(comparison.entries.map(\.pricesChecked) == [CivilDate("2026-09-24")])
  }
}
