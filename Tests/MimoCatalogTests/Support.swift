import Foundation
import MimoCatalog
import MimoEngine

/// What the program knows without the user's files. Loaded once: it is a value.
let catalog = Catalog()

func fixture(_ name: String) throws -> Data {
  let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
  return try Data(contentsOf: folder.appending(path: name))
}

/// The top of the package.
let packageFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

/// The minute of an ISO time, by the system's own reading of it.
func minute(_ iso: String) -> Minute {
  let date = try! Date.ISO8601FormatStyle().parse(iso)
  return Minute(Int32(date.timeIntervalSince1970 / 60))
}

/// The rates of a model by its name, or `nil`.
func rates(
  _ model: String, at iso: String, _ currency: Currency = .usd, provider: String? = nil,
  promptTokens: Int64 = 1000, tier: ServiceTier = .standard, plan: String = "as-billed"
) -> Rates? {
  span(
    model, at: iso, currency, provider: provider, promptTokens: promptTokens, tier: tier, plan: plan
  ).rates
}

/// The span of a model by its name.
func span(
  _ model: String, at iso: String, _ currency: Currency = .usd, provider: String? = nil,
  promptTokens: Int64 = 1000, tier: ServiceTier = .standard, plan: String = "as-billed"
) -> RateSpan {
  Tariff(plan: catalog.plan(id: plan)!, book: catalog.book, currency: currency).span(
    model: model, provider: provider, promptTokens: promptTokens, tier: tier, at: minute(iso))
}

/// A price per million tokens as a rate.
func perMillion(_ price: String) -> Int64 { Rates.femto(ExactDecimal(price)!, perPowerOfTen: 6)! }
