import MimoEngine
import Testing

struct ExchangeRateTests {
  /// A model listed in yuan only: 8 fresh, 2 read, 28 output per million.
  private static let book = PriceBook(providers: [
    ProviderPrices(
      id: "acme", name: "Acme",
      models: [
        ModelPrices(
          id: "m", name: "M",
          entries: [
            PriceEntry(
              unit: .money(.cny),
              rates: Rates(input: 8_000_000_000, output: 28_000_000_000, cacheRead: 2_000_000_000),
              evidence: Evidence(confidence: .high))
          ])
      ])
  ])

  private func span(_ currency: Currency, _ rate: String?) -> RateSpan {
    let exchange = rate.flatMap { ExchangeRate(yuanPerDollar: ExactDecimal($0)!) }
    return Tariff(plan: .asBilled, book: Self.book, currency: currency, exchange: exchange)
      .span(model: "m", provider: nil, promptTokens: 1, at: Minute(30_000_000))
  }

  @Test func `without a rate nothing is converted`() {
    #expect(span(.usd, nil).rates == nil)
    #expect(span(.usd, nil).convertedFrom == nil)
  }

  @Test func `a price listed in yuan only is converted and marked`() {
    let span = span(.usd, "8")
    #expect(span.rates?.input == 1_000_000_000)
    #expect(span.rates?.output == 3_500_000_000)
    #expect(span.convertedFrom == .cny)
    #expect(span.evidence?.confidence == .low)
  }

  @Test func `a price listed in the currency asked for stays as it is`() {
    let span = span(.cny, "8")
    #expect(span.rates?.input == 8_000_000_000)
    #expect(span.convertedFrom == nil)
    #expect(span.evidence?.confidence == .high)
  }

  @Test func `a rate with decimals rounds half to even in the last digit`() {
    // 8 / 7.1 = 1.126760563380281690...
    #expect(span(.usd, "7.10").rates?.input == 1_126_760_563)
  }

  @Test(arguments: ["0", "-7", "0.00000000001"])
  func `a rate that cannot be one is refused`(text: String) {
    #expect(ExchangeRate(yuanPerDollar: ExactDecimal(text)!) == nil)
  }
}
