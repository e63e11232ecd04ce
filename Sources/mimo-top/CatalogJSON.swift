import MimoCatalog
import MimoDashboard
import MimoEngine

/// The document of `mimo-top plans --json`.
enum CatalogJSON {
  static func document(_ configuration: Configuration) -> JSONOutput {
    let catalog = configuration.catalog
    let clock = configuration.clock
    return .object([
      ("schema", .string("mimo-top.plans/1")),
      ("price_book", .object([("as_of", .string(Catalog.asOf))])),
      ("plans", .array(catalog.plans.map { plan($0, configuration) })),
      ("families", .array(families(catalog.plans, clock))),
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

  private static func plan(_ plan: Plan, _ configuration: Configuration) -> JSONOutput {
    let book = configuration.catalog.book
    let currencies = plan.currencies(in: book)
    return .object([
      ("id", .string(plan.id)), ("name", .string(plan.name)), ("provider", .text(plan.provider)),
      ("kind", .string(plan.isSubscription ? "subscription" : "metered")),
      ("family", .text(plan.family)), ("per", .text(plan.per)),
      ("seats", plan.isSubscription ? .integer(plan.seats) : .null),
      ("billing", plan.isSubscription ? .string(plan.term.billing) : .null),
      ("currencies", .array(currencies.map { .string($0.rawValue) })),
      (
        "worth",
        .array(
          currencies.compactMap { currency in
            PlanValue(
              of: Tariff(plan: plan, book: book, currency: currency), at: configuration.now
            ).map(worth)
          })
      ), ("versions", .array(plan.versions.map { version($0, configuration.clock) })),
    ])
  }

  private static func version(_ version: Plan.Version, _ clock: LocalClock) -> JSONOutput {
    let (month, year) = (version.offers[.month], version.offers[.year])
    return .object(
      [
        ("fee", amounts(month?.fees)), ("first_purchase_fee", amounts(month?.firstFees)),
        ("annual_fee", amounts(year?.fees)),
        ("annual_first_purchase_fee", amounts(year?.firstFees)),
        ("credits", UsageJSON.credits(month?.credits)),
        ("annual_credits_per_month", UsageJSON.credits(year?.credits)),
      ] + evidence(version.validity, version.evidence, clock))
  }

  private static func amounts(_ fees: [Currency: Amount]?) -> JSONOutput {
    .object(
      Currency.allCases.compactMap { currency in
        fees?[currency].map { (currency.rawValue, .decimal($0)) }
      })
  }

  /// What the credits of a month are worth at list prices, as bought.
  private static func worth(_ value: PlanValue) -> JSONOutput {
    func share(_ ratio: Ratio) -> JSONOutput { .string(ratio.text(decimals: 6)) }
    return .object([
      ("currency", .string(value.currency.rawValue)), ("fee", .decimal(value.fee)),
      ("credits", UsageJSON.credits(value.credits)),
      ("worth_low", .decimal(value.worth.lowerBound)),
      ("worth_high", .decimal(value.worth.upperBound)),
      ("pays_off_above_low", share(value.paysOffAbove.lowerBound)),
      ("pays_off_above_high", share(value.paysOffAbove.upperBound)),
      ("unused_lapses", value.lapses.map(JSONOutput.bool) ?? .null),
      ("text", .string(PlanWords.creditsWorth(value))),
    ])
  }

  // MARK: - Families

  /// What the subscriptions of one family share.
  private static func families(_ plans: [Plan], _ clock: LocalClock) -> [JSONOutput] {
    var seen: Set<String> = []
    return plans.filter { plan in plan.family.map { seen.insert($0).inserted } ?? false }.map {
      plan in
      .object([
        ("id", .text(plan.family)), ("key_prefix", .text(plan.keyPrefix)),
        ("hosts", .array(plan.hosts.map(JSONOutput.string))),
        ("rules", .object(rulesJSON(plan.rules, clock))),
        (
          "off_peak",
          .array(
            plan.offPeak.map { rule in
              .object(
                [
                  ("factor", .string(rule.factor.text)),
                  ("when", .string(NumberFormat.hours(rule.window))),
                ] + evidence(rule.validity, rule.evidence, clock))
            })
        ), ("models", .array(plan.models.map { credits($0, clock) })),
      ])
    }
  }

  private static func credits(_ model: ModelPrices, _ clock: LocalClock) -> JSONOutput {
    .object([
      ("id", .string(model.id)),
      (
        "credits_per_token",
        .array(
          model.entries.map { entry in
            .object(
              [
                ("rates", entry.rates.map(perToken) ?? .null),
                (
                  "tiers",
                  .array(
                    entry.tiers.map {
                      .object([
                        ("above_prompt_tokens", .integer($0.abovePromptTokens)),
                        ("rates", perToken($0.rates)),
                      ])
                    })
                ),
              ] + evidence(entry.validity, entry.evidence, clock))
          })
      ),
    ])
  }

  private static func perToken(_ rates: Rates) -> JSONOutput {
    func text(_ rate: Int64) -> JSONOutput { .decimal(Amount(femto: Int128(rate))) }
    if let hour = rates.perAudioHour {
      return .object([("audio_hour", .decimal(Amount(femto: hour)))])
    }
    return .object([
      ("input", text(rates.input)), ("cache_read", text(rates.cacheRead)),
      ("cache_write_5m", text(rates.cacheWrite5m)), ("cache_write_1h", text(rates.cacheWrite1h)),
      ("output", text(rates.output)),
    ])
  }

  private static func rulesJSON(_ rules: Plan.Rules, _ clock: LocalClock) -> [(String, JSONOutput)]
  {
    [
      ("on_exhausted", .text(rules.onExhausted)),
      ("rollover", rules.rollsOver.map(JSONOutput.bool) ?? .null),
      ("period", .text(rules.periodNote)),
      ("resets", .array(rules.resets.map { .string(clock.text($0.start)) })),
    ]
      + rules.facts.map { fact in
        switch fact.value {
        case .flag(let flag): (fact.name, .bool(flag))
        case .texts(let texts) where texts.count == 1: (fact.name, .string(texts[0]))
        case .texts(let texts): (fact.name, .array(texts.map(JSONOutput.string)))
        }
      }
  }

  /// The same in words, without what is not known.
  static func rules(_ rules: Plan.Rules) -> [(name: String, text: String)] {
    var lines: [(name: String, text: String)] = []
    if let text = rules.onExhausted { lines.append(("when used up", text)) }
    if let rollsOver = rules.rollsOver {
      lines.append(("unused credits", rollsOver ? "are added to the next month" : "lapse"))
    }
    if let text = rules.periodNote { lines.append(("period", text)) }
    for fact in rules.facts {
      let name = fact.name.split(separator: "_").joined(separator: " ")
      switch fact.value {
      case .flag(let flag): lines.append((name, flag ? "yes" : "no"))
      case .texts(let texts): lines.append((name, texts.joined(separator: ", ")))
      }
    }
    return lines
  }

  // MARK: - Prices

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
          ("label", .string(hours.label)), ("when", .string(NumberFormat.hours(hours.window))),
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
