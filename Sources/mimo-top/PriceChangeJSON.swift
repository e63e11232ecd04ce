import MimoEngine

/// The documents of `compare --change` and `compare --changes`.
struct PriceChangeJSON {
  let tariff: Tariff
  let configuration: Configuration

  func document(_ effect: PriceChangeEffect) -> JSONOutput {
    let replay = effect.replay
    let touched = replay.touched
    return .object([
      ("schema", .string("mimo-top.change/1")),
      ("window", UsageJSON.window(effect.window, configuration)),
      ("plan", UsageJSON.plan(tariff)),
      ("change", change(effect.change)),
      ("usage", .string(usage(effect.scope))),
      ("verdict", .string(effect.verdict.rawValue)),
      ("saved", .decimal(effect.before - effect.after)),
      (
        "largest_cut",
        effect.promise.map {
          .object([
            ("class", .string($0.billingClass.rawValue)),
            ("ratio", .string($0.cut.text(decimals: 6))),
          ])
        } ?? .null
      ),
      (
        "worth",
        effect.worth.map {
          .object([("before", .decimal($0.before)), ("after", .decimal($0.after))])
        } ?? .null
      ),
      ("classes", .array(touched.lines.map(line))),
      ("models", .array(replay.rows.map(row))),
      ("total", .object(costs(touched))),
      (
        "untouched",
        .object([
          ("requests", .integer(replay.untouched.requests)),
          ("cost", .decimal(replay.untouched.after)),
        ])
      ),
      ("unpriced", UsageJSON.unpriced(replay.unpriced)),
      ("subscription_requests", .integer(replay.subscriptionRequests)),
      ("unpriced_searches", .integer(replay.total.unpricedSearches)),
    ])
  }

  func document(_ changes: [PriceChange]) -> JSONOutput {
    .object([
      ("schema", .string("mimo-top.changes/1")),
      ("window", UsageJSON.window(configuration.window, configuration)),
      ("plan", UsageJSON.plan(tariff)), ("changes", .array(changes.map(change))),
    ])
  }

  private func usage(_ scope: PriceChangeEffect.Scope) -> String {
    switch scope {
    case .sinceChange: "since_change"
    case .beforeChange: "before_change"
    case .future: "future"
    }
  }

  private func change(_ change: PriceChange) -> JSONOutput {
    let offers = change.offers.map { offers in
      JSONOutput.object([("before", offer(offers.before)), ("after", offer(offers.after))])
    }
    return .object([
      ("date", .string(change.date.text)),
      ("at", .string(configuration.clock.text(change.first.start))),
      ("is_future", .bool(change.first > configuration.now.minute)),
      (
        "models",
        .array(
          change.models.map { model in
            .object([
              ("model", .string(model.name)), ("provider", .text(model.provider)),
              ("is_substituted", .bool(model.isSubstituted)),
              ("before", terms(model.before)), ("after", terms(model.after)),
            ])
          })
      ),
      ("plan", offers ?? .null),
    ])
  }

  private func offer(_ offer: PriceChange.Offer) -> JSONOutput {
    .object([
      ("fee", .decimal(offer.fee)), ("credits", UsageJSON.credits(offer.credits)),
    ])
  }

  private func terms(_ terms: PriceTerms) -> JSONOutput {
    .object([
      ("billed_as", .string(terms.billedAs)),
      (
        terms.entry.unit == .credits ? "credits_per_token" : "per_million_tokens",
        CatalogJSON.rates(terms.entry.rates, terms.entry.unit)
      ),
      ("tiers", CatalogJSON.tiers(terms.entry)), ("hours", CatalogJSON.hours(terms.entry)),
    ])
  }

  private func line(_ line: PriceReplay.Line) -> JSONOutput {
    func perMillion(_ cost: Amount) -> JSONOutput {
      line.count == 0 || !line.billingClass.isTokens
        ? .null : .decimal(cost.scaled(by: 1_000_000, over: Int128(line.count)))
    }
    return .object(
      [
        ("class", .string(line.billingClass.rawValue)), ("count", .integer(line.count)),
        ("per_million_before", perMillion(line.before)),
        ("per_million_after", perMillion(line.after)),
      ] + costs(line.before, line.after))
  }

  private func row(_ row: PriceReplay.Row) -> JSONOutput {
    .object(
      [
        ("model", .text(row.model)), ("provider", .text(row.provider)),
        ("is_touched", .bool(row.isTouched)),
      ] + costs(row) + [("classes", .array(row.lines.map(line)))])
  }

  private func costs(_ row: PriceReplay.Row) -> [(String, JSONOutput)] {
    [
      ("requests", .integer(row.requests)), ("tokens", .integer(row.tokens)),
      ("per_million_before", .decimal(row.perMillion(row.before))),
      ("per_million_after", .decimal(row.perMillion(row.after))),
    ] + costs(row.before, row.after)
  }

  private func costs(_ before: Amount, _ after: Amount) -> [(String, JSONOutput)] {
    let change = Ratio(wide: (after - before).atto, over: before.atto)
    return [
      ("cost_before", .decimal(before)), ("cost_after", .decimal(after)),
      ("difference", .decimal(after - before)), ("change_ratio", .text(change?.text(decimals: 6))),
    ]
  }
}
