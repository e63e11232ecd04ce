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
    var rows = [["plan", "name", "fee a month", "credits a month", "checked"]]
    for plan in configuration.catalog.plans {
      let version = plan.version(at: configuration.now)
      let offer = version?.offers[.month]
      let fees = Currency.allCases.compactMap { currency in
        offer?.fees[currency].map { NumberFormat.money($0, currency) }
      }
      rows.append([
        plan.id, plan.name + (plan.per.map { " (per \($0))" } ?? ""),
        fees.joined(separator: " or "),
        offer?.credits.map { NumberFormat.full(Int64(clamping: $0.atto / Amount.scale)) } ?? "",
        version?.evidence.asOf ?? "",
      ])
    }
    StandardStreams.print(TextTable.text(rows, leading: [0, 1]))
    StandardStreams.print("\nprice book of \(Catalog.asOf); mimo-top prices shows the lists\n")
  }
}
