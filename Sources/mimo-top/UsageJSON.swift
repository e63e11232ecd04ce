import MimoEngine

/// Parts that several documents have.
enum UsageJSON {
  /// Sums without money.
  static func counts(_ sums: Measures) -> [(String, JSONOutput)] {
    [
      ("requests", .integer(sums.requests)), ("tokens", tokens(sums.tokens)),
      ("hit_rate", .text(sums.hitRate?.text(decimals: 6))),
      ("hit_rate_unknown_requests", .integer(sums.hitRateUnknownRequests)),
      ("calls_reading_cache", .text(sums.readingRate?.text(decimals: 6))),
      ("answer_cache_hits", .integer(sums.answerCacheHits)),
      (
        "stated_cost",
        .object(sums.statedCalls == 0 ? [] : [("USD", .string(sums.statedCost.exactText))])
      ),
      ("errors", .integer(sums.errors)),
    ] + Quantities.counters.map { ($0.name, .integer(sums.quantities[keyPath: $0.path])) }
  }

  /// The minutes of a window, and the zone of days and hours.
  static func window(_ window: Range<Minute>?, _ configuration: Configuration) -> JSONOutput {
    func time(_ minute: Minute?) -> JSONOutput {
      guard let minute, minute > .distantPast, minute < .distantFuture else { return .null }
      return .string(configuration.clock.text(minute.start))
    }
    return .object([
      ("since", time(window?.lowerBound)), ("until", time(window?.upperBound)),
      ("time_zone", .string(configuration.clock.name)),
    ])
  }

  /// What a plan is, without where it stands; `unit` is a currency or `credits`.
  static func plan(_ tariff: Tariff) -> JSONOutput {
    .object([
      ("id", .string(tariff.plan.id)), ("name", .string(tariff.plan.name)),
      ("kind", .string(tariff.plan.isSubscription ? "subscription" : "metered")),
      ("currency", .string(tariff.currency.rawValue)),
      ("unit", .string(PriceText.unit(tariff.unit))),
    ])
  }

  /// Calls without a price, by model.
  static func unpriced(_ entries: [Report.Unpriced]) -> JSONOutput {
    .array(
      entries.map { entry in
        .object([
          ("model", .text(entry.model)), ("provider", .text(entry.provider)),
          ("requests", .integer(entry.requests)), ("tokens", tokens(entry.tokens)),
        ])
      })
  }

  /// Tokens by class.
  static func tokens(_ tokens: TokenCounts) -> JSONOutput {
    .object([
      ("input", .integer(tokens.input)), ("cache_read", .integer(tokens.cacheRead)),
      ("cache_write_5m", .integer(tokens.cacheWrite5m)),
      ("cache_write_1h", .integer(tokens.cacheWrite1h)),
      ("output", .integer(tokens.output)), ("reasoning", .integer(tokens.reasoning)),
    ])
  }

  /// Credits: an integer where they are whole, else a decimal text.
  static func credits(_ amount: Amount?) -> JSONOutput {
    guard let amount else { return .null }
    let (whole, rest) = amount.atto.quotientAndRemainder(dividingBy: Amount.scale)
    return rest == 0 ? .integer(Int64(clamping: whole)) : .string(amount.exactText)
  }
}
