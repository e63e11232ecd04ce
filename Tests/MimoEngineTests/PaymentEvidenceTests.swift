import MimoEngine
import Testing

/// Whose price, and money or credits: what a line tells about the seller and the key decides.
@Suite struct PaymentEvidenceTests {
  private static var plan: Plan {
    var plan = Toy.plan()
    plan.family = "toy"
    plan.keyPrefix = "tk-"
    plan.hosts = ["plan.acme.example"]
    plan.aliases = ["acme-plan"]
    return plan
  }

  private static let tariff = Tariff(
    plan: .asBilled(recognising: [plan]), book: Toy.book, currency: .usd)

  private func sums(
    _ calls: [(model: String, provider: String?, key: String?)], tariff: Tariff = tariff
  ) -> Measures {
    var ledger = Ledger(promptEdges: [50_000])
    for call in calls {
      var record = UsageRecord(time: Instant(milliseconds: 0))
      record.labels = Labels(
        model: ledger.names.intern(call.model),
        provider: call.provider.map { ledger.names.intern($0) } ?? .none,
        key: call.key.map { ledger.names.intern($0) } ?? .none)
      record.tokens = TokenCounts(input: 1000, cacheRead: 500)
      ledger.record(record)
    }
    return Pricer(ledger.snapshot(), tariff: tariff).total()
  }

  @Test(
    arguments: [
      ("acme.example", "tk-#12ab"), ("plan.acme.example", nil), ("eu.plan.acme.example", "sk-#1"),
      ("https://plan.acme.example/v1", nil), ("Acme-Plan", nil), (nil, "tk-#12ab"),
    ] as [(String?, String?)])
  func `a call on the plan costs its credits and no money`(provider: String?, key: String?) {
    let sums = sums([("m", provider, key)])
    #expect(sums.subscriptionCredits == Amount(whole: 1050))
    #expect(sums.subscriptionRequests == 1)
    #expect(sums.cost == nil, "not 0: no money was asked for")
    #expect(sums.pricedRequests == 0 && sums.unpricedRequests == 0)
  }

  @Test(
    arguments: [("acme.example", "sk-#1"), ("acme", nil), (nil, "tkx"), (nil, nil)]
      as [(String?, String?)])
  func `any other call costs money`(provider: String?, key: String?) {
    let sums = sums([("m", provider, key)])
    #expect(sums.subscriptionCredits == nil)
    #expect(sums.cost?.exactText == "0.0021")
  }

  @Test func `both together are kept apart`() {
    let sums = sums([("m", nil, "tk-#1"), ("m", nil, nil), ("o", nil, nil)])
    #expect(sums.subscriptionCredits == Amount(whole: 1050))
    #expect(sums.cost?.exactText == "0.0036")
    #expect(sums.requests == 3 && sums.pricedRequests == 2)
  }

  @Test func `a model that the plan refuses has no price`() {
    let sums = sums([("o", "plan.acme.example", nil)])
    #expect(sums.unpricedRequests == 1 && sums.cost == nil && sums.subscriptionCredits == nil)
  }

  @Test func `what if ignores how it was paid`() {
    let provider = Toy.book.providers[0]
    let metered = Tariff(plan: .metered(provider), book: Toy.book, currency: .usd)
    #expect(sums([("m", nil, "tk-#1")], tariff: metered).cost?.exactText == "0.0021")
  }

  @Test func `one call shows its bill in the unit it was billed in`() {
    var ledger = Ledger(promptEdges: [50_000])
    for key in ["tk-#1", "sk-#1"] {
      var record = UsageRecord(time: Instant(milliseconds: 0))
      record.labels = Labels(model: ledger.names.intern("m"), key: ledger.names.intern(key))
      record.tokens = TokenCounts(input: 1000)
      ledger.record(record)
    }
    let snapshot = ledger.snapshot()
    let pricer = Pricer(snapshot, tariff: Self.tariff)
    let bills = snapshot.recent.map { pricer.bill(of: $0) }
    #expect(bills[0]?.unit == .credits && bills[0]?.amount == Amount(whole: 1000))
    #expect(bills[1]?.unit == .money(.usd) && bills[1]?.amount.exactText == "0.002")
  }

  @Test func `money that leaves calls on a subscription out is compared with nothing`() throws {
    var ledger = Ledger(promptEdges: [50_000])
    for key in ["tk-#1", "sk-#1"] {
      var record = UsageRecord(time: Instant(milliseconds: 0))
      record.labels = Labels(model: ledger.names.intern("m"), key: ledger.names.intern(key))
      record.tokens = TokenCounts(input: 1000)
      ledger.record(record)
    }
    let metered = Tariff(
      plan: .metered(Toy.book.providers[0]), book: Toy.book, currency: .usd)
    let comparison = Comparison(
      of: ledger.snapshot(), tariffs: [Self.tariff, metered], reference: Self.tariff,
      periods: BillingPeriods(renewalDay: 1), now: Instant(milliseconds: 60_000))
    // The one that prices both calls comes first, although it is the dearer sum.
    #expect(comparison.entries.map(\.plan.id) == ["acme-payg", "as-billed"])
    #expect(comparison.entries.map(\.requestsApart) == [0, 1])
    #expect(comparison.entries.allSatisfy { $0.difference == nil })
  }

  // MARK: - Sellers

  private static let book = PriceBook(
    providers: Toy.book.providers + [
      {
        var reseller = ProviderPrices(
          id: "bazaar", name: "Bazaar", hosts: ["bazaar.example"], keyPrefix: "sk-ba-", models: [])
        reseller.isReseller = true
        return reseller
      }(),
      ProviderPrices(
        id: "third", name: "Third", keyPrefix: "sk-",
        models: [
          ModelPrices(
            id: "m", name: "M",
            entries: [
              PriceEntry(
                unit: .money(.usd), rates: Rates(input: 7 * Toy.micro, output: 0),
                evidence: Toy.evidence)
            ])
        ]),
    ])

  private func price(provider: String?, key: String? = nil) -> Measures {
    sums(
      [("m", provider, key)], tariff: Tariff(plan: .asBilled, book: Self.book, currency: .usd))
  }

  @Test func `a reseller's price is not its vendor's`() {
    #expect(price(provider: "bazaar").unpricedRequests == 1)
    #expect(price(provider: "https://bazaar.example/api").unpricedRequests == 1)
    #expect(price(provider: nil, key: "sk-ba-#7").unpricedRequests == 1)
  }

  @Test func `the longest prefix of a key tells the seller that the line does not`() {
    #expect(price(provider: nil, key: "sk-#7").cost?.exactText == "0.0105")
    #expect(price(provider: "acme", key: "sk-#7").cost?.exactText == "0.0021")
    #expect(price(provider: nil, key: "team-blue").cost?.exactText == "0.0021")
  }

  @Test func `a seller nobody knows leaves the vendor's list, marked as uncertain`() {
    let unknown = price(provider: "gateway.local")
    #expect(unknown.cost?.exactText == "0.0021" && unknown.uncertainRequests == 1)
    #expect(price(provider: "acme").uncertainRequests == 0)
    // A vendor of other models is the dialect the call was made in.
    let dialect = price(provider: "other")
    #expect(dialect.cost?.exactText == "0.0021" && dialect.uncertainRequests == 0)
  }
}
