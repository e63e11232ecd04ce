import MimoCatalog
import MimoEngine

/// The document of `mimo-top plans --json`.
enum CatalogJSON {
  static func document(_ configuration: Configuration) -> JSONOutput {
    let catalog = configuration.catalog
    let clock = configuration.clock
    return .object([
      ("schema", .string("mimo-top.plans/1")),
      ("price_book", .object([("as_of", .string(Catalog.asOf))])),
      ("plans", .array(catalog.plans.map { plan($0, catalog.book, clock) })),
      (
        "prices",
        .array(
          catalog.book.providers.flatMap { provider in
            provider.models.flatMap { model in
              model.entries.map { price($0, provider, model, clock) }
            }
          })
      ),
    ])
  }

  private static func plan(_ plan: Plan, _ book: PriceBook, _ clock: LocalClock) -> JSONOutput {
    .object([
      ("id", .string(plan.id)), ("name", .string(plan.name)), ("provider", .text(plan.provider)),
      ("kind", .string(plan.isSubscription ? "subscription" : "metered")),
      ("currencies", .array(plan.currencies(in: book).map { .string($0.rawValue) })),
      (
        "versions",
        .array(
          plan.versions.map { version in
            let offer = version.offers[.month]
            return .object(
              [
                (
                  "fee",
                  .object(
                    Currency.allCases.compactMap { currency in
                      offer?.fees[currency].map { (currency.rawValue, .decimal($0)) }
                    })
                ), ("credits", UsageJSON.credits(offer?.credits)),
              ] + evidence(version.validity, version.evidence, clock))
          })
      ),
    ])
  }

  private static func price(
    _ entry: PriceEntry, _ provider: ProviderPrices, _ model: ModelPrices, _ clock: LocalClock
  ) -> JSONOutput {
    .object(
      [
        ("provider", .string(provider.id)), ("model", .string(model.id)),
        ("currency", .string(PriceText.unit(entry.unit))),
        ("per_million_tokens", rates(entry.rates, entry.unit)), ("tiers", tiers(entry)),
        ("hours", hours(entry)),
      ] + evidence(entry.validity, entry.evidence, clock))
  }

  /// The rates of long prompts.
  static func tiers(_ entry: PriceEntry) -> JSONOutput {
    .array(
      entry.tiers.map { tier in
        .object([
          ("above_prompt_tokens", .integer(tier.abovePromptTokens)),
          ("rates", rates(tier.rates, entry.unit)),
        ])
      })
  }

  /// The hours with rates of their own.
  static func hours(_ entry: PriceEntry) -> JSONOutput {
    .array(
      (entry.schedule?.hours ?? []).map { hours in
        .object([
          ("label", .string(hours.label)), ("when", .string(PriceText.hours(hours.window))),
          ("rates", rates(hours.rates, entry.unit)),
        ])
      })
  }

  /// Money per million tokens, or credits per token.
  static func rates(_ rates: Rates?, _ unit: PricingUnit) -> JSONOutput {
    guard let rates else { return .null }
    func text(_ rate: Int64) -> JSONOutput {
      .string(
        unit == .credits
          ? ExactDecimal(digits: Int128(rate), decimals: 15).text : PriceText.perMillion(rate))
    }
    return .object([
      ("input", text(rates.input)), ("cache_read", text(rates.cacheRead)),
      ("cache_write_5m", text(rates.cacheWrite5m)), ("cache_write_1h", text(rates.cacheWrite1h)),
      ("output", text(rates.output)),
    ])
  }

  private static func evidence(
    _ validity: Range<Minute>, _ evidence: Evidence, _ clock: LocalClock
  ) -> [(String, JSONOutput)] {
    [
      (
        "from",
        validity.lowerBound == .distantPast ? .null : .string(clock.text(validity.lowerBound.start))
      ),
      (
        "to",
        validity.upperBound == .distantFuture
          ? .null : .string(clock.text(validity.upperBound.start))
      ),
      ("source", .array(evidence.sources.map(JSONOutput.string))),
      ("checked", .text(evidence.asOf)),
      ("confidence", .string(evidence.confidence.rawValue)), ("note", .text(evidence.note)),
    ]
  }
}
