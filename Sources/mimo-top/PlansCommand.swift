import ArgumentParser
import MimoCatalog
import MimoDashboard
import MimoEngine

/// `mimo-top plans`: the plans it knows, and what a vendor's console said of them.
struct PlansCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plans", abstract: "Show the plans it knows; note what a vendor's console says.",
    subcommands: [PlansListCommand.self, PlansAnchorCommand.self],
    defaultSubcommand: PlansListCommand.self)
}

/// `mimo-top plans list`: the plans it knows, each with source and date.
struct PlansListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the plans it knows, each with its source and date.")

  @Flag(help: "Print one JSON document (schema mimo-top.plans/1), prices included.")
  var json = false

  func run() throws {
    let configuration = try Configuration(CommonOptions.parse([]))
    for notice in configuration.notices { StandardStreams.complain(notice) }
    if json {
      StandardStreams.print(CatalogJSON.document(configuration).text + "\n")
      return
    }
    StandardStreams.print(list(configuration))
    StandardStreams.print(worth(configuration))
    StandardStreams.print(rules(configuration))
    StandardStreams.print("\nprice book of \(Catalog.asOf); mimo-top prices shows the lists\n")
  }

  /// Every plan with its fees.
  private func list(_ configuration: Configuration) -> String {
    var rows = [
      ["plan", "name", "fee a month", "first month", "fee a year", "credits a month", "checked"]
    ]
    for plan in configuration.catalog.plans {
      let version = plan.version(at: configuration.now)
      let offer = version?.offers[.month]
      func fees(_ fees: [Currency: Amount]?) -> String {
        Currency.allCases.compactMap { currency in
          fees?[currency].map { NumberFormat.money($0, currency) }
        }.joined(separator: " or ")
      }
      rows.append([
        plan.id, plan.name + (plan.per.map { " (per \($0))" } ?? ""), fees(offer?.fees),
        fees(offer?.firstFees), fees(version?.offers[.year]?.fees),
        (offer ?? version?.offers[.year])?.credits.map {
          NumberFormat.full(Int64(clamping: $0.atto / Amount.scale))
        } ?? "",
        version?.evidence.asOf ?? "",
      ])
    }
    return TextTable.text(rows, leading: [0, 1])
  }

  /// What credits are worth and from which use on they pay off, for the seats and the billing of the settings.
  private func worth(_ configuration: Configuration) -> String {
    let catalog = configuration.catalog
    var rows = [["plan", "bought", "fee", "worth at list prices", "pays off above"]]
    var rates: [String] = []
    for plan in catalog.plans where plan.kind == .credits {
      for currency in plan.currencies(in: catalog.book) {
        let tariff = Tariff(plan: plan, book: catalog.book, currency: currency)
        guard let value = PlanValue(of: tariff, at: configuration.now) else { continue }
        let above = value.paysOffAbove
        let isNever = above.lowerBound > Ratio(1, 1)!
        rows.append([
          plan.id,
          plan.term.billing + (plan.seats > 1 ? ", \(plan.seats) seats" : ""),
          NumberFormat.money(value.fee, currency), PlanWords.range(value.worth, currency),
          isNever ? "never at full weights" : NumberFormat.percent(above.lowerBound) + " use",
        ])
        let rate = PlanWords.creditsWorth(value)
        if !rates.contains(rate) { rates.append(rate) }
      }
    }
    if rates.isEmpty { return "" }
    return "\n" + TextTable.text(rows, leading: [0, 1]) + "\n"
      + rates.map { $0 + "\n" }.joined()
  }

  /// What the vendors state around the credits; families that share it have it once.
  private func rules(_ configuration: Configuration) -> String {
    var text = ""
    var seen: Set<Plan.Rules> = []
    for plan in configuration.catalog.plans where plan.kind == .credits {
      guard seen.insert(plan.rules).inserted else { continue }
      text += "\n\(plan.family ?? plan.id)\n"
      for line in CatalogJSON.rules(plan.rules) { text += "  \(line.name): \(line.text)\n" }
      for rule in plan.offPeak {
        text += "  credits times \(rule.factor.text): \(NumberFormat.hours(rule.window))\n"
      }
    }
    return text
  }
}
