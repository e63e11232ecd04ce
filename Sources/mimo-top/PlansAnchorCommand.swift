import ArgumentParser
import MimoDashboard
import MimoEngine
import MimoStore

/// `mimo-top plans anchor ID --used N --at TIME`: what a vendor's console says of a plan.
struct PlansAnchorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "anchor", abstract: "Note the credits that a vendor's console shows as used.",
    discussion: """
      In the billing period of the reading, the credits used are then the console's figure and what the logs \
      add after it; report --plan ID shows how far console and logs were apart. A plan has one reading: a new \
      one replaces it. Example: mimo-top plans anchor mimo-token-plan-pro --used 1,234,567,890 --at 2026-11-20T18:00:00+08:00
      """)

  @Argument(help: ArgumentHelp("The plan.", valueName: "id"))
  var id: String?

  @Option(
    help: ArgumentHelp(
      "Credits used since the start of the billing period: 1234567890, 1,234,567,890 or 1.23G.",
      valueName: "credits"))
  var used: String?

  @Option(
    help: ArgumentHelp(
      "When the console showed them: a time with offset, or a span back from now (10m). Default: now.",
      valueName: "time"))
  var at: String?

  @Flag(help: "List the readings.")
  var list = false

  @Option(help: ArgumentHelp("Forget the reading of this plan.", valueName: "id"))
  var remove: String?

  func run() throws {
    let configuration = try Configuration(CommonOptions.parse([]))
    if let remove {
      guard id == nil, used == nil, at == nil, !list else {
        throw Misuse(description: "--remove \(remove): give nothing else with it")
      }
      for notice in configuration.notices { StandardStreams.complain(notice) }
      try self.remove(remove, configuration)
    } else if list || (id == nil && used == nil && at == nil) {
      guard id == nil, used == nil, at == nil else {
        throw Misuse(description: "--list shows all readings; give nothing else with it")
      }
      for notice in configuration.notices { StandardStreams.complain(notice) }
      show(configuration)
    } else {
      try note(configuration)
    }
  }

  private func note(_ configuration: Configuration) throws {
    guard let id, let used else {
      throw Misuse(
        description: "a plan and --used are needed: mimo-top plans anchor ID --used CREDITS")
    }
    guard let plan = configuration.catalog.plan(id: id) else {
      let ids = configuration.catalog.plans.filter { $0.kind == .credits }.map(\.id)
      throw Misuse(
        description:
          "unknown plan '\(id)'; did you mean \(Nearest.to(id, among: ids).joined(separator: ", "))?"
      )
    }
    guard plan.kind == .credits else {
      throw Misuse(
        description: "\(id) counts no credits; only subscriptions with credits have readings")
    }
    guard let amount = Self.credits(used) else {
      throw Misuse(
        description: "--used '\(used)': credits are expected, such as 1234567890 or 1.23G")
    }
    let instant = try at.map {
      try TimeArgument.instant($0, "--at", configuration.clock, configuration.now, endOfDay: false)
    }
    let anchor = PlanAnchor(at: instant ?? configuration.now, used: amount)
    guard anchor.at <= configuration.now else {
      throw Misuse(description: "--at '\(at ?? "")' lies in the future")
    }
    var notices: [String] = []
    try Self.change(&notices) { $0.anchors[id] = anchor }
    for notice in notices { StandardStreams.complain(notice) }
    var text =
      "\(id): \(Self.text(amount)) credits used at \(configuration.clock.text(anchor.at))\n"
    let period = configuration.periods.period(containing: configuration.now)
    if anchor.at < period.start {
      text +=
        "this is before the present billing period, which began \(configuration.clock.text(period.start)), so it changes nothing now; see --renewal-day\n"
    }
    StandardStreams.print(text)
  }

  private func remove(_ id: String, _ configuration: Configuration) throws {
    guard configuration.anchors[id] != nil else {
      let known = configuration.anchors.keys.sorted().joined(separator: ", ")
      throw Misuse(
        description: "no reading of '\(id)'" + (known.isEmpty ? "" : "; there is one of \(known)"))
    }
    var notices: [String] = []
    try Self.change(&notices) { $0.anchors[id] = nil }
    for notice in notices { StandardStreams.complain(notice) }
    StandardStreams.print("\(id): forgotten\n")
  }

  private func show(_ configuration: Configuration) {
    if configuration.anchors.isEmpty {
      StandardStreams.print("no readings\n")
      return
    }
    let rows = configuration.anchors.sorted { $0.key < $1.key }.map { id, anchor in
      [id, Self.text(anchor.used), configuration.clock.text(anchor.at)]
    }
    StandardStreams.print(
      TextTable.text([["plan", "credits used", "at"]] + rows, leading: [0, 2]))
  }

  private static func change(
    _ notices: inout [String], _ change: (inout StoreSettings) -> Void
  ) throws(Failure) {
    do throws(StoreError) {
      // A keeper that reads gigabytes stores them in large pieces.
      try KeptSettings.change(patience: 10_000, &notices, change)
    } catch {
      throw Failure(description: "\(error.description) (nothing was changed)")
    }
  }

  /// Credits with the separators and units that consoles show.
  static func credits(_ text: String) -> Amount? {
    let units: [Character: Int] = ["k": 3, "K": 3, "M": 6, "m": 6, "G": 9, "B": 9, "T": 12]
    var digits = text.filter { !",_ ".contains($0) }
    var places = 0
    if let unit = digits.last.flatMap({ units[$0] }) {
      places = unit
      digits.removeLast()
    }
    guard let number = ExactDecimal(digits), number.digits >= 0, number.decimals <= 18 + places,
      let atto = number.scaled(by: 18 + places)
    else { return nil }
    return Amount(atto: atto)
  }

  /// All digits, in groups.
  private static func text(_ amount: Amount) -> String {
    let (whole, rest) = amount.atto.quotientAndRemainder(dividingBy: Amount.scale)
    return rest == 0 ? NumberFormat.full(Int64(clamping: whole)) : amount.exactText
  }
}
