import ArgumentParser
import MimoDashboard
import MimoEngine
import MimoScreen

/// What `compare` shows instead of plans: other dates, or other hours.
struct WhatIfOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The same usage at the prices right before and from a date on: a saving, or marketing?",
      valueName: "date"))
  var change: String?

  @Flag(help: "List the dated price changes, past and future, of the models in the usage.")
  var changes = false

  @Flag(help: "Spend by hour and weekday, and what the cheapest hours would save.")
  var hours = false

  @Option(
    help: ArgumentHelp(
      "With --hours: this many percent of the tokens of dear hours could be moved (default 100).",
      valueName: "percent"))
  var movable: Int?

  /// The one that was asked for.
  enum Choice {
    case change(CivilDate)
    case changes
    case hours(movablePercent: Int)
  }

  /// What was asked for; `nil` for the comparison of plans.
  ///
  /// - Throws: `Misuse` if it is no date or no percentage, or two things at once.
  func choice() throws -> Choice? {
    if [change != nil, changes, hours].count(where: { $0 }) > 1 {
      throw Misuse(description: "--change, --changes and --hours are three outputs; give one")
    }
    if movable != nil, !hours {
      throw Misuse(description: "--movable says how much could move to other --hours; give both")
    }
    if let change {
      guard let date = CivilDate(change) else {
        throw Misuse(
          description:
            "--change '\(change)': a date such as 2026-05-27 is expected (--changes lists them)")
      }
      return .change(date)
    }
    if let movable, !(0...100 ~= movable) {
      throw Misuse(description: "--movable \(movable): a percentage from 0 to 100 is expected")
    }
    return changes ? .changes : hours ? .hours(movablePercent: movable ?? 100) : nil
  }
}

/// The output of `compare --change`, `--changes` and `--hours`.
struct WhatIfOutput {
  let configuration: Configuration
  let snapshot: UsageSnapshot
  let tariff: Tariff

  /// Columns of printed tables.
  private static let columns = 112

  private var plan: Plan { tariff.plan }
  private var glyphs: Glyphs { configuration.unicode ? .unicode : .ascii }

  func text(_ choice: WhatIfOptions.Choice, json: Bool) throws -> String {
    switch choice {
    case .change(let date):
      let effect = try effect(of: date)
      return json ? document(effect).text + "\n" : text(effect)
    case .changes: return json ? document(changes).text + "\n" : text(changes)
    case .hours(let percent):
      let map = HourMap(
        of: snapshot, tariff: tariff, window: configuration.window, clock: configuration.clock,
        filters: configuration.filters)
      return json
        ? HourMapJSON(map: map, tariff: tariff, configuration: configuration)
          .document(movablePercent: percent).text + "\n"
        : text(map, percent)
    }
  }

  // MARK: - Price changes

  private var changes: [PriceChange] {
    PriceChange.all(
      of: snapshot, tariff: tariff, window: configuration.window, clock: configuration.clock,
      filters: configuration.filters)
  }

  private func effect(of date: CivilDate) throws -> PriceChangeEffect {
    let changes = changes
    guard let change = changes.first(on: date, clock: configuration.clock) else {
      let near = changes.nearest(3, to: date).map(\.date.text).joined(separator: ", ")
      throw Misuse(
        description: "--change \(date.text): no price of this usage changes on that day under "
          + "\(plan.name) \(tariff.currency.rawValue); "
          + (near.isEmpty ? "no change of its prices is known" : "the nearest changes are \(near)"))
    }
    return PriceChangeEffect(
      of: snapshot, tariff: tariff, change: change, window: configuration.window,
      clock: configuration.clock, filters: configuration.filters, now: configuration.now)
  }

  private func text(_ effect: PriceChangeEffect) -> String {
    let lines = PriceChangeText.lines(
      effect, currency: tariff.currency, columns: Self.columns, glyphs: glyphs)
    return
      "price change of \(heading(effect.change)), \(plan.name) \(tariff.currency.rawValue)\n\n"
      + Self.text(lines)
  }

  private func text(_ changes: [PriceChange]) -> String {
    if changes.isEmpty {
      return
        "\(plan.name) \(tariff.currency.rawValue): no price change is known for the models of this usage\n"
    }
    return changes.map { change in
      heading(change) + "\n"
        + PriceChangeText.terms(change, tariff.currency).map { "  \($0)\n" }.joined()
    }.joined()
  }

  private func heading(_ change: PriceChange) -> String {
    "\(change.date.text), \(PriceChangeText.distance(change, configuration.now))"
  }

  private func document(_ effect: PriceChangeEffect) -> JSONOutput {
    PriceChangeJSON(tariff: tariff, configuration: configuration).document(effect)
  }

  private func document(_ changes: [PriceChange]) -> JSONOutput {
    PriceChangeJSON(tariff: tariff, configuration: configuration).document(changes)
  }

  // MARK: - Hours

  private func text(_ map: HourMap, _ percent: Int) -> String {
    let lines = HourMapText.lines(
      map, plan: "\(plan.name) \(tariff.currency.rawValue)", movingPercent: percent,
      columns: Self.columns, glyphs: glyphs)
    return
      "plan: \(plan.name) \(tariff.currency.rawValue), hours in \(configuration.clock.name)\n\n"
      + Self.text(lines)
  }

  private static func text(_ lines: [[Span]]) -> String {
    lines.map { line in
      var text = line.map(\.text).joined()
      while text.hasSuffix(" ") { text.removeLast() }
      return text + "\n"
    }.joined()
  }
}
