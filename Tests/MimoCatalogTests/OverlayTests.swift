import MimoCatalog
import MimoEngine
import Testing

@Suite struct OverlayTests {
  static func prices(_ name: String, _ body: String) -> CatalogFile {
    CatalogFile(name: name, bytes: Array(#"{"schema": "mimo-top.prices/1", \#(body)}"#.utf8))
  }

  static func plans(_ name: String, _ body: String) -> CatalogFile {
    CatalogFile(name: name, bytes: Array(#"{"schema": "mimo-top.plans/1", \#(body)}"#.utf8))
  }

  private func input(_ model: String, in catalog: Catalog) -> Int64? {
    Tariff(plan: .asBilled, book: catalog.book, currency: .usd).span(
      model: model, provider: nil, promptTokens: 1, at: minute("2026-10-01T00:00:00Z")
    ).rates?.input
  }

  @Test func `a user's price replaces ours for that model alone`() {
    let mine = Self.prices(
      "mine.json",
      #""id": "xiaomi", "models": [{"id": "MIMO-V2.6-PRO", "prices": [{"currency": "USD", "input": "9", "output": "9"}]}]"#
    )
    let catalog = Catalog(userPrices: [mine])
    #expect(catalog.problems == [])
    #expect(input("mimo-v2.6-pro", in: catalog) == perMillion("9"))
    #expect(input("mimo-v2.6-flash", in: catalog) == perMillion("0.14"))
  }

  @Test func `a user's provider has a plan of its own`() {
    let mine = Self.prices(
      "mine.json",
      #""id": "acme", "hosts": ["api.acme.example"], "models": [{"id": "mimo-v2.6-pro", "prices": [{"currency": "USD", "input": "7", "output": "9"}]}]"#
    )
    let catalog = Catalog(userPrices: [mine])
    #expect(catalog.plan(id: "acme-payg") != nil)
    #expect(input("mimo-v2.6-pro", in: catalog) == perMillion("0.435"))
    let tariff = Tariff(plan: .asBilled, book: catalog.book, currency: .usd)
    let span = tariff.span(
      model: "mimo-v2.6-pro", provider: "https://api.acme.example/v1", promptTokens: 1,
      at: minute("2026-10-01T00:00:00Z"))
    #expect(span.rates?.input == perMillion("7"))
  }

  @Test func `of two files that contradict each other the later wins, and both are named`() {
    let files = ["8", "9"].map { price in
      Self.prices(
        "\(price).json",
        #""id": "xiaomi", "models": [{"id": "mimo-v2.6-pro", "prices": [{"currency": "USD", "input": "\#(price)", "output": "9"}]}]"#
      )
    }
    let catalog = Catalog(userPrices: files)
    #expect(input("mimo-v2.6-pro", in: catalog) == perMillion("9"))
    #expect(
      catalog.problems.map(\.description) == [
        #"9.json: model "mimo-v2.6-pro" of xiaomi: expected it once only, but 8.json has it too; this one wins (kept)"#
      ])
  }

  @Test func `a broken file leaves ours as they are`() {
    let catalog = Catalog(
      userPrices: [CatalogFile(name: "a.json", bytes: [0x7B])],
      userPlans: [CatalogFile(name: "b.json", bytes: [])])
    #expect(catalog.problems.map(\.file) == ["a.json", "b.json"])
    #expect(input("mimo-v2.6-pro", in: catalog) == perMillion("0.435"))
    #expect(catalog.plan(id: "mimo-token-plan-max") != nil)
  }

  @Test func `a user's route may lead to a model of ours`() {
    let mine = Self.prices(
      "mine.json",
      #""id": "xiaomi", "models": [{"id": "my-mimo", "routes": [{"billed_as": "mimo-v2.6-pro"}]}]"#)
    let catalog = Catalog(userPrices: [mine])
    #expect(catalog.problems == [])
    #expect(input("my-mimo", in: catalog) == perMillion("0.435"))
  }

  @Test func `a user's plan may be flat, or belong to a family of ours`() throws {
    let mine = Self.plans(
      "mine.json",
      #""plans": [{"id": "club", "kind": "flat", "provider": "xiaomi", "versions": [{"monthly": {"fee": {"USD": "9.99"}}}]}, {"id": "mini", "family": "mimo-token-plan", "versions": [{"monthly": {"fee": {"CNY": "9"}, "credits": "1000000000"}}]}]"#
    )
    let catalog = Catalog(userPlans: [mine])
    #expect(catalog.problems == [])
    let at = minute("2026-10-01T12:00:00+08:00")
    let flat = Tariff(
      plan: try #require(catalog.plan(id: "club")), book: catalog.book, currency: .usd)
    let free = flat.span(model: "mimo-v2.6-pro", provider: nil, promptTokens: 1, at: at)
    #expect(free.rates == .free)
    #expect(flat.plan.fee(at: at.start, in: .usd)?.exactText == "9.99")
    let mini = Tariff(
      plan: try #require(catalog.plan(id: "mini")), book: catalog.book, currency: .cny)
    let credits = mini.span(model: "mimo-v2.6-pro", provider: nil, promptTokens: 1, at: at)
    #expect(credits.rates?.input == 300_000_000_000_000_000)
  }

  @Test func `one small file may hold a plan of each kind`() throws {
    let mine = Self.plans(
      "mine.json",
      #"""
      "families": [{"id": "club", "provider": "deepseek", "models": [
        {"id": "deepseek-v4-pro", "credits_per_token": [
          {"input": "10", "cache_read": "1", "output": "30", "source": [], "confidence": "high"}]}]}],
      "plans": [
        {"id": "club-month", "family": "club", "versions": [
          {"monthly": {"fee": {"USD": "20"}, "credits": "900000000"}}]},
        {"id": "all-in", "kind": "flat", "provider": "xiaomi", "versions": [
          {"monthly": {"fee": {"USD": "9.99"}}}]},
        {"id": "our-gateway", "kind": "metered", "name": "Our gateway", "models": [
          {"id": "mimo-v2.6-pro", "prices": [
            {"currency": "USD", "input": "0.4", "cache_read": "0.003", "output": "0.8",
             "source": [], "confidence": "high"}]}]}]
      """#)
    let catalog = Catalog(userPlans: [mine])
    #expect(catalog.problems == [])
    let at = minute("2026-10-01T12:00:00+08:00")
    func rates(_ plan: String, _ model: String) throws -> Rates? {
      Tariff(plan: try #require(catalog.plan(id: plan)), book: catalog.book, currency: .usd)
        .span(model: model, provider: nil, promptTokens: 1, at: at).rates
    }
    #expect(try rates("our-gateway", "mimo-v2.6-pro")?.input == perMillion("0.4"))
    #expect(try rates("our-gateway", "mimo-v2.6-flash") == nil)
    #expect(try rates("club-month", "deepseek-v4-pro")?.cacheRead == 1_000_000_000_000_000)
    #expect(try rates("all-in", "mimo-v2.6-pro") == .free)
    #expect(catalog.plan(id: "our-gateway-payg") == nil)
    // What the plan charges is nobody else's price.
    #expect(input("mimo-v2.6-pro", in: catalog) == perMillion("0.435"))
    #expect(catalog.plan(id: "our-gateway")?.currencies(in: catalog.book) == [.usd])
  }

  @Test func `a metered plan needs prices and an id of its own`() {
    let mine = Self.plans(
      "mine.json",
      #""plans": [{"id": "none", "kind": "metered"}, {"id": "openai", "kind": "metered", "models": [{"id": "x", "prices": [{"currency": "USD", "input": "1", "output": "1", "source": [], "confidence": "high"}]}]}]"#
    )
    let catalog = Catalog(userPlans: [mine])
    #expect(catalog.problems.count == 2)
    #expect(catalog.problems.allSatisfy { $0.outcome == .skipped })
    #expect(catalog.plan(id: "none") == nil && catalog.plan(id: "openai") == nil)
    #expect(catalog.plan(id: "openai-payg") != nil)
  }

  @Test func `a plan cannot take the name of a price list, nor a provider that is not there`() {
    let mine = Self.plans(
      "mine.json",
      #""plans": [{"id": "as-billed", "kind": "flat", "provider": "xiaomi", "versions": [{"monthly": {"fee": {}}}]}, {"id": "x", "kind": "flat", "provider": "nobody", "versions": [{"monthly": {"fee": {}}}]}]"#
    )
    #expect(
      Catalog(userPlans: [mine]).problems.map(\.description) == [
        #"mine.json: plan "as-billed": expected another id, this one means a price list (skipped)"#,
        #"mine.json: plan "x": expected a provider with a price list, not "nobody" (skipped)"#,
      ])
  }
}
