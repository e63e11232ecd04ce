import ArgumentParser
import MimoCatalog
import MimoDashboard
import MimoEngine

/// `mimo-top prices`: the price lists it knows.
struct PricesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prices", abstract: "Show the price lists it knows.",
    subcommands: [PricesShowCommand.self, PricesListCommand.self, PricesImportCommand.self],
    defaultSubcommand: PricesListCommand.self)
}

/// `mimo-top prices list`: what every model costs now.
struct PricesListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List what every model costs now, per million tokens.")

  @Option(help: ArgumentHelp("Only this provider's.", valueName: "id"))
  var provider: String?

  func run() throws {
    let configuration = try Configuration(CommonOptions.parse([]))
    for notice in configuration.notices { StandardStreams.complain(notice) }
    let book = configuration.catalog.book
    if let provider, !book.providers.contains(where: { $0.id == provider }) {
      throw Misuse(
        description:
          "unknown provider '\(provider)'; known are \(book.providers.map(\.id).joined(separator: ", "))"
      )
    }
    var rows = [
      ["provider", "model", "", "input", "cache read", "write 5m", "write 1h", "output", "checked"]
    ]
    for seller in book.providers where provider == nil || seller.id == provider {
      for model in seller.models {
        guard let index = book.model(named: model.id, soldBy: seller.id) else { continue }
        for currency in seller.currencies {
          let span = book.span(
            of: index, currency: currency, promptTokens: 0, at: configuration.now.minute)
          guard let rates = span.rates else { continue }
          let numbers = [
            rates.input, rates.cacheRead, rates.cacheWrite5m, rates.cacheWrite1h, rates.output,
          ]
          rows.append(
            [seller.id, model.id, currency.rawValue] + numbers.map(PriceText.perMillion)
              + [span.evidence?.asOf ?? ""])
        }
      }
    }
    StandardStreams.print(TextTable.text(rows, leading: [0, 1, 2]))
  }
}

/// `mimo-top prices show MODEL`: every dated price of a model, with sources.
struct PricesShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show every dated price of a model with its sources.")

  @Argument(help: ArgumentHelp("A model as a log names it.", valueName: "model"))
  var model: String

  func run() throws {
    let configuration = try Configuration(CommonOptions.parse([]))
    for notice in configuration.notices { StandardStreams.complain(notice) }
    let book = configuration.catalog.book
    let indices = book.providers.compactMap { book.model(named: model, soldBy: $0.id) }
    if indices.isEmpty {
      let known = book.providers.flatMap { $0.models.map(\.id) }
      throw Misuse(
        description:
          "no price for '\(model)'; did you mean \(Nearest.to(model, among: known).joined(separator: ", "))?"
      )
    }
    for index in indices { StandardStreams.print(text(book, index, configuration.clock)) }
  }

  private func text(_ book: PriceBook, _ index: ModelIndex, _ clock: LocalClock) -> String {
    let model = book.model(index)
    var text = "\(model.id) (\(model.name)), sold by \(book.provider(of: index).name)\n"
    if !model.aliases.isEmpty { text += "  also: \(model.aliases.joined(separator: ", "))\n" }
    if let retired = model.retired { text += "  retired \(clock.text(retired.start))\n" }
    for route in model.routes {
      text +=
        "  billed as \(route.billedAs) from \(bound(route.validity.lowerBound, clock)) to \(bound(route.validity.upperBound, clock))\n"
    }
    for entry in model.entries {
      text +=
        "\n  \(bound(entry.validity.lowerBound, clock)) to \(bound(entry.validity.upperBound, clock))"
      text += "  per million tokens, \(PriceText.unit(entry.unit))\n"
      if let rates = entry.rates { text += "    \(PriceText.line(rates))\n" }
      for tier in entry.tiers {
        text +=
          "    above \(NumberFormat.full(tier.abovePromptTokens)) prompt tokens: \(PriceText.line(tier.rates))\n"
      }
      if let schedule = entry.schedule {
        for hours in schedule.hours {
          text +=
            "    \(hours.label), \(NumberFormat.hours(hours.window)): \(PriceText.line(hours.rates))\n"
        }
      }
      text +=
        "    checked \(entry.evidence.asOf ?? "?"), confidence \(entry.evidence.confidence.rawValue)\n"
      for source in entry.evidence.sources { text += "    \(source)\n" }
      if let note = entry.evidence.note { text += "    note: \(note)\n" }
    }
    return text + "\n"
  }

  private func bound(_ minute: Minute, _ clock: LocalClock) -> String {
    if minute == .distantPast { return "the beginning" }
    return minute == .distantFuture ? "now on" : clock.text(minute.start)
  }
}
