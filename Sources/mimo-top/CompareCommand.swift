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
      estimate of the result, shown with the range it lies in. Put your own model-classes.json into the folder \
      of your settings to change what stands for what.
      """)

  @OptionGroup var common: CommonOptions

  @OptionGroup var whatIf: WhatIfOptions

  @Flag(
    help:
      "Print one JSON document (schema mimo-top.compare/1, or .change/1, .changes/1, .hours/1).")
  var json = false

  @Flag(help: "Compare only plans that sell the models themselves, without any standing for them.")
  var noMapping = false

  @Flag(help: "Also list the plans of sellers that cannot price any of the usage.")
  var all = false

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
    let reference = tariff(PlanChoice(configuration.plan, configuration.currency))
    if let choice { return try run(choice, configuration, scan, reference) }
    let known = PlanChoice.choices(configuration)
    let choices =
      all ? known : PlanChoice.useful(known, for: scan.snapshot, book: catalog.book, map: map)
    let comparison = Comparison(
      of: scan.snapshot, tariffs: choices.map(tariff), reference: reference,
      periods: configuration.periods, window: configuration.window, filters: configuration.filters,
      clock: configuration.clock, now: configuration.now, anchors: configuration.anchors)
    // Of a subscription, what its credits stand for: the same usage at list prices.
    let worth = HitRateWorth(
      of: scan.snapshot,
      tariff: reference.plan.isSubscription
        ? tariff(PlanChoice(.asBilled, reference.currency)) : reference,
      filters: configuration.filters, clock: configuration.clock, now: configuration.now)
    for notice in configuration.notices { StandardStreams.complain(notice) }
    if json {
      let document = CompareJSON(
        comparison: comparison, worth: worth, configuration: configuration
      ).document
      StandardStreams.print(document.text + "\n")
    } else {
      let hidden = known.count - choices.count
      StandardStreams.print(
        table(comparison) + sentences(comparison, worth, configuration, hidden: hidden)
          + age(comparison, configuration))
    }
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

  // MARK: - Table

  /// What the numbers say, in words.
  private func sentences(
    _ comparison: Comparison, _ worth: HitRateWorth?, _ configuration: Configuration, hidden: Int
  ) -> String {
    let words = PlanWords(clock: configuration.clock, now: configuration.now)
    let currency = comparison.reference.currency
    var lines: [String] = []
    if let recommendation = comparison.recommendation {
      lines.append(words.text(recommendation))
      lines += [words.use(of: configuration.tariff, in: recommendation)].compactMap { $0 }
    }
    if let worth { lines.append(words.text(worth, currency).joined(separator: "; ") + ".") }
    if hidden > 0 {
      lines.append(
        "\(NumberFormat.counted(Int64(hidden), "plan")) of sellers without any of these models: --all shows them"
      )
    }
    return lines.map { "\n" + $0 }.joined() + (lines.isEmpty ? "" : "\n")
  }

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
      if let credits = entry.totals.subscriptionCredits {
        notes.append("beside \(NumberFormat.amount(credits, .credits)) of a subscription")
      }
      if entry.fits == false { notes.append("does not fit") }
      if !entry.mapped.isEmpty {
        if let band = entry.band, !entry.plan.isSubscription {
          notes.append(PlanWords.range(band.cost, entry.currency))
        }
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
