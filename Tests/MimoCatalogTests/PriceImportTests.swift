import Foundation
import MimoEngine
import Testing

@testable import MimoCatalog

/// Imports a fixture, and asks the catalogue it makes.
struct Imported {
  var book: PriceImport
  var catalog: Catalog

  init(
    _ bytes: [UInt8], name: String = "/tmp/book.json", only: Set<String> = [],
    overriding: Bool = false
  ) throws {
    book = try PriceImport(
      CatalogFile(name: name, bytes: bytes), date: CivilDate("2026-11-21")!, only: only,
      overriding: overriding)
    catalog = Catalog(userPrices: book.lists.map(\.file))
  }

  init(fixture name: String, overriding: Bool = false) throws {
    try self.init(
      Array(MimoCatalogTests.fixture("imports/" + name)), name: name, overriding: overriding)
  }

  func span(
    _ model: String, at iso: String = "2026-11-24T12:00:00Z", provider: String? = nil,
    promptTokens: Int64 = 1000, tier: ServiceTier = .standard
  ) -> RateSpan {
    Tariff(plan: .asBilled, book: catalog.book, currency: .usd).span(
      model: model, provider: provider, promptTokens: promptTokens, tier: tier, at: minute(iso))
  }

  /// Prices per million tokens as texts: input, cache read, write, write of an hour, output.
  func prices(
    _ model: String, at iso: String = "2026-11-24T12:00:00Z", provider: String? = nil,
    promptTokens: Int64 = 1000, tier: ServiceTier = .standard
  ) -> [String]? {
    let rates = span(
      model, at: iso, provider: provider, promptTokens: promptTokens, tier: tier
    ).rates
    return rates.map {
      [$0.input, $0.cacheRead, $0.cacheWrite5m, $0.cacheWrite1h, $0.output].map {
        ExactDecimal(digits: Int128($0), decimals: 9).text
      }
    }
  }

  /// Why models were left out.
  var dropped: [String: String] {
    Dictionary(
      book.omissions.filter(\.isWholeModel).map { ($0.model, $0.reason) }, uniquingKeysWith: { $1 })
  }

  /// What models were taken without.
  var parts: [String: [String]] {
    Dictionary(grouping: book.omissions.filter { !$0.isWholeModel }, by: \.model)
      .mapValues { $0.map(\.reason) }
  }
}

@Suite struct LiteLLMImportTests {
  let imported: Imported

  init() throws { imported = try Imported(fixture: "litellm.json") }

  @Test func `the book is recognised, and its lists have no mistakes`() {
    #expect(imported.book.format == .liteLLM)
    #expect(imported.catalog.problems.map(\.description) == [])
    #expect(imported.book.lists.map(\.provider) == ["acme", "reseller", "xiaomi"])
    #expect(imported.book.lists.map(\.file.name).first == "acme-import.json")
  }

  @Test func `costs per token in exponent notation become exact prices per million`() {
    #expect(imported.prices("plain-1") == ["0.15", "0.003625", "0.1875", "0.3", "0.6"])
    #expect(imported.span("plain-1").rates?.perWebSearch == 10_000_000_000_000)
  }

  @Test func `a service tier is a factor only if all its rates are stated and agree`() {
    #expect(
      imported.prices("plain-1", tier: .batch) == ["0.075", "0.0018125", "0.09375", "0.15", "0.3"])
    #expect(imported.prices("plain-1", tier: .flex) == nil)
    #expect(
      imported.parts["acme/plain-1"] == ["flex prices that are not one factor on the standard ones"]
    )
  }

  @Test func `of two names for one model the plainer wins, and another price is told`() {
    #expect(imported.dropped["acme/eu/plain-1"] == "another price under the same name")
  }

  @Test func `a step by prompt size keeps the rates it does not state`() {
    #expect(
      imported.prices("long-1", provider: "acme", promptTokens: 200_000) == [
        "1", "0.1", "1", "1", "4",
      ])
    #expect(
      imported.prices("long-1", provider: "acme", promptTokens: 200_001) == [
        "2", "0.1", "2", "2", "6",
      ])
    #expect(imported.parts["acme/long-1"] == ["audio"])
  }

  @Test func `ranges of prompt sizes become steps`() {
    #expect(imported.prices("steps-1", promptTokens: 32_000)?.first == "1")
    #expect(imported.prices("steps-1", promptTokens: 32_001)?.first == "3")
  }

  @Test(arguments: [
    ("2026-11-24T00:59:00Z", "1"), ("2026-11-24T01:00:00Z", "2"), ("2026-11-24T15:59:00Z", "2"),
    ("2026-11-24T16:00:00Z", "1"), ("2026-11-24T23:59:00Z", "1"), ("2026-11-22T12:00:00Z", "1"),
  ]) func `off-peak hours hold on their weekdays`(_ time: String, _ input: String) {
    #expect(imported.prices("night-1", at: time)?.first == input)
  }

  @Test func `a model that embeds has no output to pay for`() {
    #expect(imported.prices("embed-1")?.last == "0")
  }

  @Test func `what cannot be said is left out with its reason, never guessed`() {
    #expect(imported.dropped["acme/paint-1"] == "no price per token")
    #expect(imported.dropped["acme/think-1"] == "reasoning at another price than output")
    #expect(imported.dropped["acme/search-1"] == "a fee per request")
    #expect(
      imported.dropped["acme/rounded-1"] == "a price with more than 9 decimals per million tokens")
    #expect(imported.dropped["sample_spec"] == nil)
    for model in ["paint-1", "think-1", "search-1", "rounded-1"] {
      #expect(imported.prices(model) == nil)
    }
  }

  @Test func `a name that several sell at different prices needs its seller`() {
    #expect(imported.book.ambiguousNames == ["long-1"])
    #expect(imported.prices("long-1") == nil)
    #expect(imported.prices("long-1", provider: "reseller")?.first == "9")
    #expect(imported.prices("reseller/long-1")?.first == "9")
    #expect(imported.prices("long-1", provider: "somebody else") == nil)
  }

  @Test func `a model of ours stays ours, and a new one of a known seller is added`() {
    #expect(imported.prices("mimo-v2.6-pro")?.first == "0.435")
    #expect(imported.prices("mimo-v9")?.first == "1")
    #expect(
      imported.book.kept == [
        PriceImport.Kept(
          provider: "xiaomi", model: "mimo-v2.6-pro", theirs: "0.5 / 1", ours: "0.435 / 0.87")
      ])
  }

  @Test func `overriding changes prices from the day of the import on and not before`() throws {
    let imported = try Imported(fixture: "litellm.json", overriding: true)
    #expect(imported.catalog.problems.map(\.description) == [])
    #expect(imported.book.kept == [])
    #expect(imported.prices("mimo-v2.6-pro", at: "2026-11-20T23:59:00Z")?.first == "0.435")
    #expect(imported.prices("mimo-v2.6-pro", at: "2026-11-21T00:00:00Z")?.first == "0.5")
    // The list in yuan is not theirs.
    let yuan = Tariff(plan: .asBilled, book: imported.catalog.book, currency: .cny).span(
      model: "mimo-v2.6-pro", provider: nil, promptTokens: 1, at: minute("2026-11-24T00:00:00Z"))
    #expect(yuan.rates == rates("mimo-v2.6-pro", at: "2026-11-24T00:00:00Z", .cny))
  }

  @Test func `every price says where it comes from, when it was taken and how sure it is`() throws {
    let evidence = try #require(imported.span("plain-1").evidence)
    let hash = SHA256.hex(Array(try fixture("imports/litellm.json")))
    #expect(
      evidence
        == Evidence(
          sources: ["litellm.json (LiteLLM), SHA-256 \(hash)", "https://acme.example/prices"],
          asOf: "2026-11-21", confidence: .medium))
  }
}

@Suite struct ModelsDevImportTests {
  let imported: Imported

  init() throws { imported = try Imported(fixture: "models-dev.json") }

  @Test func `the book is recognised, and its lists have no mistakes`() {
    #expect(imported.book.format == .modelsDev)
    #expect(imported.catalog.problems.map(\.description) == [])
    #expect(imported.book.lists.map(\.models) == [4, 1])
  }

  @Test func `prices are taken as printed`() {
    #expect(
      imported.prices("plain-1", provider: "acme") == [
        "0.15", "0.003625", "0.1875", "0.1875", "0.6",
      ])
    #expect(imported.prices("free-1")?.first == "0")
    #expect(imported.catalog.plan(id: "acme-payg")?.name == "Acme pay-as-you-go")
  }

  @Test func `a seller is known by the address of its interface`() {
    #expect(imported.prices("plain-1", provider: "https://api.acme.example/v1")?.first == "0.15")
  }

  @Test func `steps by context size come from the list, or else from the field for 200,000`() {
    #expect(imported.prices("long-1", promptTokens: 200_000)?.first == "1")
    #expect(imported.prices("long-1", promptTokens: 200_001) == ["2", "0.1", "2", "2", "6"])
    #expect(imported.prices("steps-1", promptTokens: 272_000)?.first == "5")
    #expect(imported.prices("steps-1", promptTokens: 272_001)?.first == "10")
  }

  @Test func `what cannot be said is left out with its reason`() {
    #expect(
      imported.dropped == [
        "think-1": "reasoning at another price than output", "unsold-1": "no price per token",
      ])
    #expect(imported.parts == ["long-1": ["audio"]])
  }

  @Test func `a single provider can be chosen`() throws {
    let bytes = Array(try fixture("imports/models-dev.json"))
    let chosen = try Imported(bytes, only: ["broker"])
    #expect(chosen.book.lists.map(\.provider) == ["broker"])
    #expect(chosen.book.providers == ["acme", "broker"])
    #expect(chosen.book.omissions == [])
    #expect(chosen.prices("plain-1")?.first == "0.2")
  }
}

@Suite struct GenAIPricesImportTests {
  let imported: Imported

  init() throws { imported = try Imported(fixture: "genai-prices.json") }

  @Test func `the book is recognised in both of its forms`() throws {
    #expect(imported.book.format == .genAIPrices)
    #expect(imported.catalog.problems.map(\.description) == [])
    let list = String(decoding: try fixture("imports/genai-prices.json"), as: UTF8.self)
    let wrapped = try Imported(Array(#"{"units": {}, "providers": \#(list)}"#.utf8))
    #expect(wrapped.book.format == .genAIPrices)
    #expect(wrapped.book.omissions == imported.book.omissions)
    #expect(wrapped.prices("dated-1") == imported.prices("dated-1"))
  }

  @Test func `a price holds from midnight of its day on`() {
    #expect(
      imported.prices("dated-1", at: "2026-06-09T23:59:00Z") == ["2", "0.2", "2", "2", "8"])
    #expect(
      imported.prices("dated-1", at: "2026-06-10T00:00:00Z") == ["1.5", "0.15", "1.5", "3", "6"])
  }

  @Test func `a variant for batches becomes a factor, from its own day on`() {
    #expect(imported.prices("dated-1", at: "2026-10-13T23:59:00Z", tier: .batch) == nil)
    #expect(
      imported.prices("dated-1", at: "2026-10-14T00:00:00Z", tier: .batch) == [
        "0.75", "0.075", "0.75", "1.5", "3",
      ])
  }

  @Test func `exact names are matched, and a date behind them`() {
    #expect(imported.prices("dated-one")?.first == "1.5")
    #expect(imported.prices("dated-1-20260101")?.first == "1.5")
    #expect(imported.prices("dated-12") == nil)
    #expect(imported.parts["dated-1"] == nil)
    #expect(imported.parts["night-1"] == ["names by pattern: only exact names are matched"])
  }

  @Test(arguments: [
    ("2026-11-24T00:29:00Z", "0.135"), ("2026-11-24T00:30:00Z", "0.27"),
    ("2026-11-24T16:29:00Z", "0.27"), ("2026-11-24T16:30:00Z", "0.135"),
  ]) func `hours of the day have prices of their own`(_ time: String, _ input: String) {
    #expect(imported.prices("night-1", at: time)?.first == input)
  }

  @Test(arguments: [
    ("2026-02-28T12:00:00Z", "1"), ("2026-02-28T14:00:00Z", "0.5"), ("2026-02-28T22:00:00Z", "1"),
    ("2026-03-01T12:00:00Z", "3"), ("2026-03-01T21:59:00Z", "0.5"),
  ]) func `hours by another clock hold under every date`(_ time: String, _ input: String) {
    #expect(imported.prices("east-1", at: time)?.first == input)
  }

  @Test func `steps of single rates become steps of the whole price`() {
    #expect(
      imported.prices("long-1", promptTokens: 200_000) == ["1.25", "0.125", "1.25", "1.25", "10"])
    #expect(
      imported.prices("long-1", promptTokens: 200_001) == ["2.5", "0.125", "2.5", "2.5", "15"])
  }

  @Test func `a search price of the provider holds for its models`() {
    #expect(imported.span("embed-1").rates?.perWebSearch == 10_000_000_000_000)
  }

  @Test func `what cannot be said is left out with its reason`() {
    #expect(
      imported.dropped == [
        "search-1": "a fee per request", "moon-1": "a condition other than date and hour",
        "free-1": "no price per token",
      ])
  }
}

@Suite struct PriceImportTests {
  private func problem(_ text: String) -> String? {
    do throws(PriceImportError) {
      _ = try PriceImport(
        CatalogFile(name: "x.json", bytes: Array(text.utf8)), date: CivilDate("2026-11-21")!)
      return nil
    } catch { return error.description }
  }

  @Test func `a file that is no price book says what was looked for`() {
    #expect(
      problem("{}")
        == "x.json is no price book: looked for LiteLLM's model_prices_and_context_window.json, a models.dev api.json and a genai-prices data file"
    )
    #expect(problem("[1, 2]")?.hasPrefix("x.json is no price book") == true)
    #expect(problem("3")?.hasPrefix("x.json is no price book") == true)
  }

  @Test func `a file that is no JSON names the line`() {
    #expect(problem("{\n\"a\": }") == "x.json:2: expected a value")
  }

  @Test func `a price file of ours is told to be copied`() {
    #expect(
      problem(#"{"schema": "mimo-top.prices/1", "id": "a", "models": []}"#)
        == "x.json has the format of mimo-top already; copy it into the folder prices of the configuration"
    )
  }

  @Test func `names with quotes, slashes and control characters make a file that can be read`()
    throws
  {
    let text =
      #"{"a \"b\"/..": {"id": "a \"b\"/..", "name": "A\nB \\", "models": {"x\ty": {"name": "\"", "cost": {"input": 1, "output": 2}}}}}"#
    let imported = try Imported(Array(text.utf8))
    #expect(imported.catalog.problems.map(\.description) == [])
    #expect(imported.book.lists.map(\.file.name) == ["a--b--..-import.json"])
  }

  @Test func `a domain of two sellers tells neither`() throws {
    let seller =
      #""api": "https://shared.example/v1", "models": {"m": {"cost": {"input": 1, "output": 1}}}"#
    let imported = try Imported(Array(#"{"a": {\#(seller)}, "b": {\#(seller)}}"#.utf8))
    #expect(imported.catalog.book.provider(named: "https://shared.example/v1") == nil)
  }

  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ]) func `files are known by their SHA-256`(_ text: String, _ digest: String) {
    #expect(SHA256.hex(Array(text.utf8)) == digest)
  }
}

@Suite struct ExtendingTests {
  @Test func `a model that extends ours keeps our rows before its own`() {
    let mine = OverlayTests.prices(
      "mine.json",
      #""id": "xiaomi", "models": [{"id": "mimo-v2.6-pro", "extends": true, "prices": [{"from": "2027-01-01T00:00:00Z", "currency": "USD", "input": "9", "output": "9"}]}]"#
    )
    let catalog = Catalog(userPrices: [mine])
    #expect(catalog.problems == [])
    let tariff = Tariff(plan: .asBilled, book: catalog.book, currency: .usd)
    func input(_ iso: String) -> Int64? {
      tariff.span(model: "mimo-v2.6-pro", provider: nil, promptTokens: 1, at: minute(iso)).rates?
        .input
    }
    #expect(input("2026-12-31T23:59:00Z") == perMillion("0.435"))
    #expect(input("2027-01-01T00:00:00Z") == perMillion("9"))
  }

  @Test func `extending a model that is not there is the model itself`() {
    let mine = OverlayTests.prices(
      "mine.json",
      #""id": "acme", "models": [{"id": "one", "extends": true, "prices": [{"currency": "USD", "input": "9", "output": "9"}]}]"#
    )
    let catalog = Catalog(userPrices: [mine])
    #expect(catalog.problems == [])
    #expect(catalog.book.model(named: "one", soldBy: "acme") != nil)
  }
}

@Suite struct ManyTiersTests {
  @Test func `a file with more tiers than usage can be kept by is skipped and named`() {
    let tiers = (1...250).map { #"{"above_prompt_tokens": \#($0), "input": "1", "output": "1"}"# }
    let mine = OverlayTests.prices(
      "mine.json",
      #""id": "acme", "models": [{"id": "one", "prices": [{"currency": "USD", "input": "1", "output": "1", "tiers": [\#(tiers.joined(separator: ","))]}]}]"#
    )
    let catalog = Catalog(userPrices: [mine])
    #expect(
      catalog.problems.map(\.description) == [
        #"mine.json: "above_prompt_tokens": expected at most 200 different sizes in all price files (file skipped)"#
      ])
    #expect(catalog.promptEdges == MimoCatalogTests.catalog.promptEdges)
  }
}
