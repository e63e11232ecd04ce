import MimoDashboard
import MimoEngine

/// The document of `compare --hours`.
struct HourMapJSON {
  let map: HourMap
  let tariff: Tariff
  let configuration: Configuration

  func document(movablePercent percent: Int) -> JSONOutput {
    let totals = map.totals
    let saving = map.saving(movingPercent: percent)
    return .object([
      ("schema", .string("mimo-top.hours/1")),
      ("window", UsageJSON.window(configuration.window, configuration)),
      ("plan", UsageJSON.plan(tariff)), ("has_schedule", .bool(map.factors != nil)),
      ("movable_percent", .integer(Int64(percent))), ("cost", .decimal(totals.cost)),
      ("saving", .decimal(totals.cost.map { _ in saving })),
      ("cost_after_moving", .decimal(totals.cost.map { $0 - saving })),
      (
        "movable",
        .array(
          map.movable.map { row in
            .object([
              ("model", .text(row.model)), ("requests", .integer(row.requests)),
              ("cost", .decimal(row.cost)), ("cost_in_cheapest_hour", .decimal(row.cheapest)),
            ])
          })
      ),
      ("requests", .integer(totals.requests)),
      ("unpriced_requests", .integer(totals.unpricedRequests)),
      ("subscription_requests", .integer(totals.subscriptionRequests)),
      ("hours", .array(map.hours.indices.map(hour))),
    ])
  }

  private func hour(_ slot: Int) -> JSONOutput {
    let sums = map.hours[slot]
    return .object([
      ("weekday", .string(NumberFormat.weekdays[slot / 24].lowercased())),
      ("hour", .integer(Int64(slot % 24))),
      ("requests", .integer(sums.requests)), ("tokens", UsageJSON.tokens(sums.tokens)),
      ("cost", .decimal(sums.cost)), ("unpriced_requests", .integer(sums.unpricedRequests)),
      ("price_factor", .text(map.factors?[slot].text(decimals: 6))),
      ("level", .text(map.levels?[slot].rawValue)),
    ])
  }
}
