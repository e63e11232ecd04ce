import Foundation
import MimoCatalog
import MimoEngine
import Testing

/// What the vendors' pages say, asked of the loaded book.
@Suite struct FactsTests {
  /// `provider/model` to every name that logs are known to carry for it.
  static let names = try! JSONDecoder().decode(
    [String: [String]].self, from: fixture("model-names.json"))

  @Test func `every known name of a model leads to it`() throws {
    #expect(Self.names.count == 94)
    for (key, names) in Self.names {
      let (provider, id) = (key.prefix { $0 != "/" }, key.drop { $0 != "/" }.dropFirst())
      for name in names {
        for spelling in [name, name.uppercased(), name.lowercased()] {
          let index = catalog.book.model(named: spelling, provider: String(provider))
          let index2 = try #require(index, "\(spelling) of \(provider)")
          #expect(catalog.book.model(index2).id == id)
          #expect(catalog.book.provider(of: index2).id == provider)
        }
      }
    }
  }

  @Test(arguments: [
    "xiaomi/mimo-v2.6-pro", "XiaomiMiMo/MiMo-V2.6-Pro", "xiaomi_mimo/mimo-v2.6-pro",
    "openrouter/xiaomi/mimo-v2.6-pro", "openai/mimo-v2.6-pro", "mimo-v2.6-pro-20260922",
    "mimo-v2.6-pro@20260922", "mimo-v2.6-pro-2026-09-22", "MIMO-V2.6-PRO",
  ]) func `a prefix, a date and case do not hide a model`(_ name: String) throws {
    let index = try #require(catalog.book.model(named: name))
    #expect(catalog.book.model(index).id == "mimo-v2.6-pro")
  }

  @Test(arguments: [
    "mimo-v2.6-pro:free", "mimo-v2.6", "mimo-v2.6-pro-max", "mimo-v2.6-pro-2026", "mimo",
    "somebody/mimo-v2.6-pro", "mimo-v2.6-pro-20261399", "mimo-v2.6-pro@2026-09-22", "", "xiaomi/",
    "/", "mimo-v2.6-pro ", "-20260922", "-2026-09-22", "@", "claude-sonnet-4-20250514",
    "<synthetic>",
  ]) func `another name is another model`(_ name: String) {
    #expect(catalog.book.model(named: name) == nil)
  }

  @Test(arguments: [
    "xiaomi", "XiaomiMiMo", "https://api.xiaomimimo.com/v1", "api.xiaomimimo.com:443/v1",
    "token-plan-cn.xiaomimimo.com", "HTTPS://TOKEN-PLAN-SGP.XIAOMIMIMO.COM/anthropic",
  ]) func `a seller is known by its names and addresses`(_ text: String) throws {
    let index = try #require(catalog.book.provider(named: text))
    #expect(catalog.book.providers[index].id == "xiaomi")
  }

  @Test(arguments: ["", "notxiaomimimo.com", "https://xiaomimimo.com.example.org", "https://", "x"])
  func `another address is another seller`(_ text: String) {
    #expect(catalog.book.provider(named: text) == nil)
  }

  @Test func `an unknown seller leaves the model's own vendor`() throws {
    for provider in ["CUSTOM", "https://api.example.com/v1", "openai", nil] {
      let index = try #require(catalog.book.model(named: "deepseek-v4-pro", provider: provider))
      #expect(catalog.book.provider(of: index).id == "deepseek")
    }
  }

  @Test(arguments: ["openrouter", "https://openrouter.ai/api/v1", "together_ai", "siliconflow"])
  func `a reseller has prices of its own, which are not known`(_ provider: String) {
    #expect(catalog.book.model(named: "deepseek-v4-pro", provider: provider) == nil)
  }

  @Test(
    arguments: [
      ("tp-#12ab", nil), ("ttp-#12ab", nil), (nil, "token-plan-sgp.xiaomimimo.com"),
      (nil, "xiaomi-token-plan-cn"),
    ] as [(String?, String?)])
  func `calls on a Token Plan are known by key, address and name`(
    _ key: String?, _ provider: String?
  )
    throws
  {
    let tariff = Tariff(
      plan: try #require(catalog.plan(id: "as-billed")), book: catalog.book, currency: .usd)
    let model = try #require(tariff.model(named: "mimo-v2.6-pro", provider: provider, key: key))
    #expect(model.isOnSubscription)
    let noon = tariff.span(of: model, promptTokens: 1, at: minute("2026-10-01T12:00:00+08:00"))
    let night = tariff.span(of: model, promptTokens: 1, at: minute("2026-10-01T02:00:00+08:00"))
    #expect(noon.rates?.input == 300_000_000_000_000_000)
    #expect(night.rates?.input == 240_000_000_000_000_000)
    for key in ["sk-#12ab", "tpx"] {
      let metered = tariff.model(named: "mimo-v2.6-pro", provider: "api.xiaomimimo.com", key: key)
      #expect(metered?.isOnSubscription == false)
    }
  }

  @Test func `speech is billed by the hour`() {
    let at = "2026-09-01T00:00:00Z"
    #expect(rates("mimo-v2.5-asr", at: at)?.perAudioHour == 74_000_000_000_000)
    #expect(rates("mimo-v2.5-asr", at: at, .cny)?.perAudioHour == 500_000_000_000_000)
    let credits = rates("mimo-v2.5-asr", at: at, plan: "mimo-token-plan-lite")
    // At noon in Beijing; the night has a factor.
    #expect(credits?.perAudioHour == 30_000_000_000_000_000_000_000)
  }

  @Test func `one model of two sellers has the price of the one that is named`() {
    let at = "2026-10-01T00:00:00Z"
    #expect(rates("glm-5.3", at: at, .usd)?.input == perMillion("1.4"))
    #expect(rates("glm-5.3", at: at, .cny)?.input == perMillion("8"))
    #expect(rates("glm-5.3", at: at, .usd, provider: "zai")?.input == perMillion("1.4"))
    #expect(rates("glm-5.3", at: at, .usd, provider: "zhipu") == nil)
    #expect(rates("glm-5.3", at: at, .cny, provider: "open.bigmodel.cn")?.input == perMillion("8"))
    #expect(rates("glm-5.3", at: at, .cny, plan: "zhipu-payg")?.input == perMillion("8"))
  }

  @Test func `the cut of 27 May 2026 begins at midnight in China`() {
    #expect(rates("mimo-v2.5-pro", at: "2026-05-26T23:59:00+08:00")?.input == perMillion("1"))
    #expect(rates("mimo-v2.5-pro", at: "2026-05-27T00:00:00+08:00")?.input == perMillion("0.435"))
    #expect(
      rates("mimo-v2.5-pro", at: "2026-05-27T00:00:00+08:00", .cny)?.cacheRead
        == perMillion("0.025"))
  }

  @Test func `a prompt at the threshold is below it`() {
    func price(_ model: String, _ prompt: Int64, _ at: String = "2026-10-01T00:00:00Z") -> Int64? {
      rates(model, at: at, promptTokens: prompt)?.input
    }
    #expect(price("claude-haiku-5-5", 100_000) == perMillion("0.1"))
    #expect(price("claude-haiku-5-5", 100_001) == perMillion("0.5"))
    #expect(price("grok-4.7", 199_999) == perMillion("2"))
    #expect(price("grok-4.7", 200_000) == perMillion("4"))
    #expect(price("qwen3-coder-plus", 32_000) == perMillion("1"))
    #expect(price("qwen3-coder-plus", 32_001) == perMillion("1.8"))
    #expect(price("qwen3-coder-plus", 256_000) == perMillion("3"))
    #expect(price("qwen3-coder-plus", 900_000) == perMillion("6"))
    #expect(price("mimo-v2.5", 256_001, "2026-05-01T00:00:00Z") == perMillion("0.8"))
    #expect(price("mimo-v2.5", 256_001, "2026-06-01T00:00:00Z") == perMillion("0.14"))
  }

  @Test func `peak hours begin with their first minute and end before their last`() {
    func price(_ at: String) -> Int64? { rates("deepseek-v4-pro", at: at)?.input }
    let (peak, low) = (perMillion("1.32"), perMillion("0.66"))
    // Wednesday.
    #expect(price("2026-10-14T08:59:00+08:00") == low)
    #expect(price("2026-10-14T09:00:00+08:00") == peak)
    #expect(price("2026-10-14T11:59:00+08:00") == peak)
    #expect(price("2026-10-14T12:00:00+08:00") == low)
    #expect(price("2026-10-14T13:59:00+08:00") == low)
    #expect(price("2026-10-14T14:00:00+08:00") == peak)
    #expect(price("2026-10-14T18:00:00+08:00") == low)
    // Saturday, and Friday evening in UTC which is Saturday in China.
    #expect(price("2026-10-17T10:00:00+08:00") == low)
    #expect(price("2026-10-17T02:00:00Z") == low)
    // A holiday on a Friday; the Thursday after the holidays; a working Saturday stays off-peak.
    #expect(price("2026-10-02T10:00:00+08:00") == low)
    #expect(price("2026-10-08T10:00:00+08:00") == peak)
    #expect(price("2026-10-10T10:00:00+08:00") == low)
    // The first week of the schedule had no days off.
    #expect(price("2026-08-22T10:00:00+08:00") == peak)
  }

  @Test func `hours are named, and uncertain where the list of holidays ends`() {
    let peak = span("deepseek-flash", at: "2026-10-14T10:00:00+08:00")
    #expect(peak.label == "peak")
    #expect(peak.evidence?.confidence == .high)
    #expect(peak.from == minute("2026-10-14T09:00:00+08:00"))
    #expect(peak.until == minute("2026-10-14T12:00:00+08:00"))
    let newYear = span("deepseek-flash", at: "2027-01-01T10:00:00+08:00")
    #expect(newYear.label == "peak")
    #expect(newYear.evidence?.confidence == .low)
  }

  @Test func `a discount at night runs over midnight`() {
    func price(_ at: String) -> Int64? { rates("deepseek-chat", at: at)?.input }
    let (full, low) = (perMillion("0.27"), perMillion("0.135"))
    #expect(price("2025-08-01T16:29:00Z") == full)
    #expect(price("2025-08-01T16:30:00Z") == low)
    #expect(price("2025-08-01T23:59:00Z") == low)
    #expect(price("2025-08-02T00:00:00Z") == low)
    #expect(price("2025-08-02T00:29:00Z") == low)
    #expect(price("2025-08-02T00:30:00Z") == full)
  }

  @Test func `a routed name costs what its successor costs`() {
    let routed = span("mimo-v2-pro", at: "2026-06-10T12:00:00+08:00")
    #expect(routed.billedAs == "mimo-v2.5-pro")
    #expect(routed.rates?.input == perMillion("0.435"))
    #expect(routed.from == minute("2026-06-01T00:00:00+08:00"))
    #expect(routed.until == minute("2026-06-30T00:00:00+08:00"))
    let flash = span("deepseek-v4-flash", at: "2026-10-14T10:00:00+08:00")
    #expect(flash.billedAs == "deepseek-flash")
    #expect(flash.rates?.input == perMillion("0.3"))
  }

  @Test func `a retired name has no price`() {
    #expect(rates("mimo-v2-pro", at: "2026-06-29T23:59:00+08:00") != nil)
    #expect(rates("mimo-v2-pro", at: "2026-06-30T00:00:00+08:00") == nil)
    #expect(rates("mimo-v2.5", at: "2026-10-21T09:59:00+08:00") != nil)
    #expect(rates("mimo-v2.5", at: "2026-10-21T10:00:00+08:00") == nil)
    #expect(rates("deepseek-chat", at: "2026-07-24T15:58:00Z") != nil)
    #expect(rates("deepseek-chat", at: "2026-07-24T15:59:00Z") == nil)
  }

  @Test func `what nobody lists has no price`() {
    #expect(rates("mimo-v9", at: "2026-10-01T00:00:00Z") == nil)
    #expect(rates("gpt-5", at: "2026-10-01T00:00:00Z", .cny) == nil)
    #expect(rates("mimo-v2.6-pro", at: "2026-09-01T00:00:00Z") == nil)
    #expect(rates("gpt-5", at: "2026-10-01T00:00:00Z", plan: "xiaomi-payg") == nil)
    #expect(rates("deepseek-flash", at: "2026-10-01T00:00:00Z", plan: "mimo-token-plan-max") == nil)
  }

  @Test func `a free period is free and not unknown`() {
    #expect(rates("mimo-v2-flash", at: "2026-01-01T00:00:00Z")?.output == 0)
    #expect(rates("mimo-v2.5-tts", at: "2026-10-01T00:00:00Z")?.input == 0)
  }

  @Test func `a batch costs half where a price for it is known, and is unknown elsewhere`() {
    let at = "2026-10-01T00:00:00Z"
    #expect(rates("mimo-v2.6-flash", at: at, tier: .batch)?.cacheRead == perMillion("0.0014"))
    #expect(rates("mimo-v2.6-flash", at: at, .cny, tier: .batch)?.output == perMillion("1"))
    #expect(rates("mimo-v2.6-flash", at: at, tier: .priority) == nil)
    #expect(rates("gpt-6-sol", at: at, tier: .batch) == nil)
    #expect(rates("mimo-v2.6-pro", at: at, tier: .batch, plan: "mimo-token-plan-pro") == nil)
  }

  @Test func `writes to a cache have the rate of their lifetime`() {
    let at = "2026-10-01T00:00:00Z"
    let opus = rates("claude-opus-5", at: at)
    #expect(opus?.cacheWrite5m == perMillion("6.25"))
    #expect(opus?.cacheWrite1h == perMillion("10"))
    let sol = rates("gpt-6-sol", at: at)
    #expect(sol?.cacheWrite5m == perMillion("2.5"))
    #expect(sol?.cacheWrite1h == perMillion("2.5"))
    #expect(rates("mimo-v2.6-pro", at: at)?.cacheWrite5m == 0)
    #expect(rates("gpt-5", at: at)?.cacheWrite5m == perMillion("1.25"))
  }

  @Test func `a web search costs what the model's row or else the provider says`() {
    let at = "2026-11-02T00:00:00Z"
    let cent: Int64 = 10_000_000_000_000
    #expect(rates("claude-opus-5", at: at)?.perWebSearch == cent)
    #expect(rates("mimo-v2.6-pro", at: at)?.perWebSearch == cent / 2)
    #expect(rates("mimo-v2.6-pro", at: at, .cny)?.perWebSearch == cent * 16 / 10)
    #expect(rates("deepseek-flash", at: at, .cny)?.perWebSearch == cent / 2)
    #expect(rates("deepseek-flash", at: "2026-10-30T00:00:00Z", .cny)?.perWebSearch == nil)
    #expect(rates("kimi-k3", at: at)?.perWebSearch == nil)
  }

  @Test func `context bands begin at every tier`() {
    #expect(
      catalog.promptEdges == [
        32_000, 100_000, 128_000, 199_999, 200_000, 256_000, 272_000, 512_000,
      ])
  }

  @Test func `every provider has a plan for its list`() {
    let ids = catalog.plans.map(\.id)
    #expect(ids.first == "as-billed")
    #expect(Set(ids).count == ids.count)
    #expect(
      ids.filter { $0.hasSuffix("-payg") }.sorted() == [
        "alibaba-payg", "anthropic-payg", "deepseek-payg", "google-payg", "minimax-payg",
        "moonshot-payg", "openai-payg", "xai-payg", "xiaomi-payg", "zai-payg", "zhipu-payg",
      ])
    #expect(
      ids.filter { $0.hasPrefix("mimo-token-plan") } == [
        "mimo-token-plan-lite", "mimo-token-plan-standard", "mimo-token-plan-pro",
        "mimo-token-plan-max", "mimo-token-plan-team-standard", "mimo-token-plan-team-pro",
        "mimo-token-plan-team-max",
      ])
  }

  @Test func `a plan says in which currencies it can be had`() throws {
    func currencies(_ id: String) throws -> [Currency] {
      try #require(catalog.plan(id: id)).currencies(in: catalog.book)
    }
    #expect(try currencies("as-billed") == [.usd, .cny])
    #expect(try currencies("openai-payg") == [.usd])
    #expect(try currencies("mimo-token-plan-max") == [.usd, .cny])
    #expect(try currencies("mimo-token-plan-team-max") == [.usd])
  }

  @Test func `a provider says in which currencies it has a list`() throws {
    func currencies(_ id: String) throws -> [Currency] {
      try #require(catalog.book.providers.first { $0.id == id }).currencies
    }
    #expect(try currencies("xiaomi") == [.usd, .cny])
    #expect(try currencies("openai") == [.usd])
    #expect(try currencies("zhipu") == [.cny])
  }
}
