import ArgumentParser
import MimoDashboard
import MimoEngine
import MimoScreen

/// `mimo-top compare`: the same usage priced under every plan.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Price the same usage under every plan, cheapest first.",
    discussion: """
      Differences and break-even hit rates are measured against --plan. Models that a plan does not sell are \
      priced as the models that stand for them (flagship, standard, fast), which are named; that makes an \
      estimate of the result.
      """)

  @OptionGroup var common: CommonOptions

  @OptionGroup var whatIf: WhatIfOptions

  @Flag(
    help:
      "Print one JSON document (schema mimo-top.compare/1, or .change/1, .changes/1, .hours/1).")
  var json = false

  @Flag(help: "Compare only plans that sell the models themselves, without any standing for them.")
  var noMapping = false

  func run() throws {
    let choice = try whatIf.choice()
    let configuration = try Configuration(common)
    let scan = LogScan(configuration)
    let catalog = configuration.catalog
    let map = noMapping ? nil : catalog.modelMap
    func tariff(_ choice: PlanChoice) -> Tariff {
      let isBilled = choice.plan.kind == .asBilled
      return Tariff(
        plan: choice.plan, book: catalog.book, currency: choice.currency,
        modelMap: isBilled ? nil : map, exchange: configuration.exchange)
    }
    if let choice {
      return try run(
        choice, configuration, scan, tariff(PlanChoice(configuration.plan, configuration.currency)))
    }
    let comparison = Comparison(
      of: scan.snapshot, tariffs: PlanChoice.choices(configuration).map(tariff),
      reference: tariff(PlanChoice(configuration.plan, configuration.currency)),
      periods: configuration.periods,
      window: configuration.window, filters: configuration.filters, now: configuration.now,
      anchors: configuration.anchors)
    for notice in configuration.notices { StandardStreams.complain(notice) }
    StandardStreams.print(
      json
        ? document(comparison, configuration).text + "\n"
        : table(comparison) + age(comparison, configuration))
    let code = scan.complain(noUsage: comparison.reference.totals.isEmpty, configuration)
    if code != 0 { throw ExitCode(code) }
  }

  private func run(
    _ choice: WhatIfOptions.Choice, _ configuration: Configuration, _ scan: LogScan,
    _ tariff: Tariff
  ) throws {
    for notice in configuration.notices { StandardStreams.complain(notice) }
    let totals = Report(
      of: scan.snapshot, tariff: tariff, window: configuration.window, clock: configuration.clock,
      filters: configuration.filters
    ).totals
    if !totals.isEmpty {
      let output = WhatIfOutput(
        configuration: configuration, snapshot: scan.snapshot, tariff: tariff)
      StandardStreams.print(try output.text(choice, json: json))
    }
    let code = scan.complain(noUsage: totals.isEmpty, configuration)
    if code != 0 { throw ExitCode(code) }
  }

  // MARK: - JSON

  private func document(_ comparison: Comparison, _ configuration: Configuration) -> JSONOutput {
    let clock = configuration.clock
    return .object([
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
      (
        "plans",
        .array(
          comparison.entries.map { entry in
            .object([
              ("id", .string(entry.plan.id)), ("name", .string(entry.plan.name)),
              ("provider", .text(entry.plan.provider)),
              ("kind", .string(entry.plan.isSubscription ? "subscription" : "metered")),
              ("currency", .string(entry.currency.rawValue)), ("fee", .decimal(entry.fee)),
              ("cost", .decimal(entry.money)),
              ("credits_used", UsageJSON.credits(entry.creditsUsed)),
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
              ),
              ("unpriced_requests", .integer(entry.unpricedRequests)),
              ("prices_checked", .text(entry.pricesChecked?.text)),
            ])
          })
      ),
    ])
  }

  // MARK: - Table

  /// The age of the oldest price in the comparison, and which plans are priced by old ones.
  private func age(_ comparison: Comparison, _ configuration: Configuration) -> String {
    func age(_ entry: Comparison.Entry) -> PriceAge? {
      PriceAge(checked: entry.pricesChecked, now: configuration.now, clock: configuration.clock)
    }
    let oldest = comparison.entries.compactMap(age).max { $0.days < $1.days }
    guard let oldest else { return "" }
    var text = "\n" + PriceText.age(oldest) + "\n"
    let stale = comparison.entries.filter { age($0)?.isStale == true }.map(\.plan.id)
    if !stale.isEmpty, stale.count < comparison.entries.count {
      text += "older prices than that are in: \(Set(stale).sorted().joined(separator: ", "))\n"
    }
    return text
  }

  private func table(_ comparison: Comparison) -> String {
    let base = comparison.reference
    var rows = [["plan", "cost", "credits", "vs \(base.plan.name)", "even at", ""]]
    for entry in comparison.entries {
      var notes: [String] = []
      if entry.totals.pricedRequests == 0, entry.totals.requests > 0 {
        notes.append("has none of these models")
      } else if entry.unpricedRequests > 0 {
        notes.append("without \(NumberFormat.counted(entry.unpricedRequests, "request"))")
      }
      if entry.fits == false { notes.append("does not fit") }
      if !entry.mapped.isEmpty {
        notes.append(
          "estimate: "
            + entry.mapped.map { "\(TextWidth.sanitized($0.from)) as \($0.to)" }.joined(
              separator: ", "))
      }
      let difference = entry.difference.map {
        ($0 > .zero ? "+" : "") + NumberFormat.money($0, entry.currency)
      }
      rows.append([
        "\(entry.plan.name) \(entry.currency.rawValue)",
        NumberFormat.money(entry.money, entry.currency),
        entry.creditsUsed.map {
          "\(NumberFormat.credits($0)) of \(NumberFormat.credits(entry.creditsIncluded))"
        } ?? "",
        difference ?? "", entry.breakEvenHitRate.map { NumberFormat.percent($0) } ?? "",
        notes.joined(separator: "; "),
      ])
    }
    return TextTable.text(rows, leading: [0, 5])
  }
}
