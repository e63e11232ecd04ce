import MimoDashboard
import MimoEngine

/// The document of `mimo-top compare --json`.
struct CompareJSON {
  let comparison: Comparison
  let worth: HitRateWorth?
  let configuration: Configuration

  private var clock: LocalClock { configuration.clock }
  private var words: PlanWords { PlanWords(clock: clock, now: configuration.now) }

  var document: JSONOutput {
    .object([
      ("schema", .string("mimo-top.compare/1")),
      (
        "window",
        .object([
          ("since", .text(configuration.since.map(clock.text))),
          ("until", .text(configuration.until.map(clock.text))), ("time_zone", .string(clock.name)),
        ])
      ),
      ("usage", .object(UsageJSON.counts(comparison.reference.totals))),
      ("reference", .string(comparison.reference.plan.id)),
      ("recommendation", comparison.recommendation.map(recommendation) ?? .null),
      ("hit_rate_worth", worth.map(hitRate) ?? .null),
      ("plans", .array(comparison.entries.map(plan))),
    ])
  }

  private func plan(_ entry: Comparison.Entry) -> JSONOutput {
    .object([
      ("id", .string(entry.plan.id)), ("name", .string(entry.plan.name)),
      ("provider", .text(entry.plan.provider)),
      ("kind", .string(entry.plan.isSubscription ? "subscription" : "metered")),
      ("currency", .string(entry.currency.rawValue)), ("fee", .decimal(entry.fee)),
      ("seats", entry.plan.isSubscription ? .integer(entry.plan.seats) : .null),
      ("billing", entry.plan.isSubscription ? .string(entry.plan.term.billing) : .null),
      ("cost", .decimal(entry.money)),
      ("cost_low", entry.plan.isSubscription ? .null : .decimal(entry.band?.cost.lowerBound)),
      ("cost_high", entry.plan.isSubscription ? .null : .decimal(entry.band?.cost.upperBound)),
      ("credits_used", UsageJSON.credits(entry.creditsUsed)),
      ("credits_low", credits(entry, \.lowerBound)),
      ("credits_high", credits(entry, \.upperBound)),
      ("credits_included", UsageJSON.credits(entry.creditsIncluded)),
      ("fits", entry.fits.map(JSONOutput.bool) ?? .null),
      ("runs_out_at", .text(entry.runsOutAt.map(clock.text))),
      ("difference", .decimal(entry.difference)),
      ("break_even_hit_rate", .text(entry.breakEvenHitRate?.text(decimals: 6))),
      (
        "mapped",
        .array(
          entry.mapped.map {
            .object([("from", .string($0.from)), ("to", .string($0.to))])
          })
      ), ("band", entry.band.map(band) ?? .null),
      ("unpriced_requests", .integer(entry.unpricedRequests)),
      ("prices_checked", .text(entry.pricesChecked?.text)),
    ])
  }

  private func credits(
    _ entry: Comparison.Entry, _ end: KeyPath<ClosedRange<Amount>, Amount>
  ) -> JSONOutput {
    entry.plan.kind == .credits ? UsageJSON.credits(entry.band?.cost[keyPath: end]) : .null
  }

  private func band(_ band: HonestyBand) -> JSONOutput {
    .object([
      (
        "token_ratio",
        .object([
          ("low", .string(band.tokenRatio.lowerBound.text(decimals: 2))),
          ("high", .string(band.tokenRatio.upperBound.text(decimals: 2))),
        ])
      ), ("cache_lifetime_minutes", band.cacheMinutes.map { .integer(Int64($0)) } ?? .null),
      ("cache_read", .integer(band.cacheRead)),
      ("late_cache_reads", band.lateReads.map(JSONOutput.integer) ?? .null),
      ("reasons", .array(PlanWords.reasons(band).map(JSONOutput.string))),
    ])
  }

  private func recommendation(_ recommendation: Recommendation) -> JSONOutput {
    .object([
      ("text", .string(words.text(recommendation))),
      ("provider", .string(recommendation.seller)),
      ("currency", .string(recommendation.currency.rawValue)),
      ("history_days", .integer(Int64(recommendation.historyDays))),
      ("until", .string(clock.text(recommendation.end))),
      ("covered_requests", .integer(recommendation.coveredRequests)),
      ("other_requests", .integer(recommendation.otherRequests)),
      ("plan", .text(recommendation.best?.plan.id)),
      (
        "options",
        .array(
          recommendation.options.map { option in
            .object([
              ("id", .string(option.plan.id)), ("monthly_cost", .decimal(option.monthly)),
              ("credits_per_month", UsageJSON.credits(option.credits)),
              ("credits_included", UsageJSON.credits(option.included)),
              ("used_ratio", .text(option.used?.text(decimals: 6))),
              ("fits", .bool(option.fits)),
              ("runs_out_on_day", option.runsOutOnDay.map { .integer(Int64($0)) } ?? .null),
              ("estimate", .bool(option.isEstimate)),
              ("unpriced_requests", .integer(option.unpricedRequests)),
            ])
          })
      ),
    ])
  }

  private func hitRate(_ worth: HitRateWorth) -> JSONOutput {
    .object([
      ("currency", .string(comparison.reference.currency.rawValue)),
      ("point_per_day", .decimal(worth.pointPerDay)),
      ("hit_rate", .string(worth.rate.text(decimals: 6))),
      ("best_day", .text(worth.bestDay?.text)),
      ("best_hit_rate", .text(worth.bestRate?.text(decimals: 6))),
      (
        "cost_multiplier",
        .text(
          worth.multiplierHundredths.map {
            ExactDecimal(digits: Int128($0), decimals: 2).paddedText
          })
      ),
    ])
  }
}

extension Plan.Term {
  /// The word in settings and documents.
  var billing: String { self == .month ? "monthly" : "annual" }
}
