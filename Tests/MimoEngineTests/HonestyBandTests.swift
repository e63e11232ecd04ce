import MimoEngine
import Testing

@Suite struct HonestyBandTests {
  private static let map = ModelMap(classes: [
    ModelMap.Class(id: "all", members: ["acme": ["m"], "other": ["o"]])
  ])

  /// The cost of a call to `o` and one to `m`, both in October, on the list of `acme`, at 1 a million.
  private func estimate(
    _ lines: [Line], cacheMinutes: Int32? = nil, map: ModelMap? = HonestyBandTests.map
  ) -> HonestyBand? {
    var providers = Toy.book.providers
    providers[0].cacheMinutes = cacheMinutes
    let h = providers[0].models.firstIndex { $0.id == "h" }!
    providers[0].models[h].id = "m"
    providers[0].models.removeAll { $0.name == "M" }
    providers[0].models[providers[0].models.firstIndex { $0.name == "H" }!].entries[0].schedule =
      nil
    let tariff = Tariff(
      plan: .metered(providers[0]), book: PriceBook(providers: providers), currency: .usd,
      modelMap: map)
    return Comparison(
      of: snapshot(lines), tariffs: [tariff], reference: tariff,
      periods: BillingPeriods(renewalDay: 1), now: utc("2026-10-20T00:00")
    ).entries[0].band
  }

  private func line(
    _ time: String, _ model: String, input: Int64 = 0, read: Int64 = 0, session: String = "s"
  ) -> Line {
    Line(
      at: utc(time).milliseconds, model: model, session: session,
      tokens: TokenCounts(input: input, cacheRead: read))
  }

  @Test func `what is mapped counts 0.85 to 1.25 times, what is not counts once`() throws {
    let lines = [
      line("2026-10-10T00:00", "o", input: 1_000_000),
      line("2026-10-10T00:01", "m", input: 1_000_000),
    ]
    let band = try #require(estimate(lines))
    #expect(band.cost.lowerBound.exactText == "3.7")
    #expect(band.cost.upperBound.exactText == "4.5")
    #expect(band.cacheMinutes == nil && band.lateReads == nil)
  }

  @Test func `the ratios can be set`() throws {
    var map = Self.map
    map.tokenRatio = Ratio(1, 1)!...Ratio(2, 1)!
    let band = try #require(estimate([line("2026-10-10T00:00", "o", input: 1_000_000)], map: map))
    #expect(band.cost == Amount(whole: 2)...Amount(whole: 4))
  }

  @Test func `a read that comes too late for the other cache costs a write at the upper end`()
    throws
  {
    let lines = [
      line("2026-10-10T00:00", "o", input: 1_000_000),
      line("2026-10-10T00:04", "o", read: 1_000_000),
      line("2026-10-10T00:30", "o", read: 1_000_000),
    ]
    let band = try #require(estimate(lines, cacheMinutes: 5))
    #expect(band.cacheMinutes == 5 && band.lateReads == 1_000_000 && band.cacheRead == 2_000_000)
    // 2 + 0.2 + 0.2 at the lower end; 2 + 0.2 + 2.5 at the upper.
    #expect(band.cost.lowerBound.exactText == "2.04")
    #expect(band.cost.upperBound.exactText == "5.875")
  }

  @Test func `what the plan sells itself has no band`() {
    #expect(estimate([line("2026-10-10T00:00", "m", input: 1)]) == nil)
    #expect(estimate([line("2026-10-10T00:00", "o", input: 1)], map: nil) == nil)
  }
}
