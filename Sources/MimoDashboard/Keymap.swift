import MimoScreen

/// Every key with what it does and what help says of it, in one table: footer, help and README follow it.
public enum Keymap {
  /// One line of the table.
  public struct Binding: Sendable {
    /// The keys; the first is the one shown.
    public let keys: [Key]
    /// What they do.
    public let action: Action
    /// What help says.
    public let help: String
    /// What the footer says; `nil` keeps it out of the footer.
    public let hint: String?
    /// The heading in help.
    public let group: Group
  }

  /// Headings of the help screen.
  public enum Group: String, CaseIterable, Sendable {
    case plans = "Plans"
    case table = "Table"
    case screens = "Screens"
    case general = "General"
  }

  /// The table. The footer shows hints in this order, as many as fit.
  public static let bindings: [Binding] = [
    binding([.character("p")], .nextPlan, "next plan: re-price everything", .plans, hint: "plan"),
    binding([.character("P")], .previousPlan, "previous plan", .plans),
    binding(
      [.character("l")], .showPlans, "list of plans with their money for the shown window", .plans,
      hint: "plans"),
    binding(
      [.character("=")], .pinReference, "pin the plan as reference: differences are shown from it",
      .plans, hint: "pin"),
    binding([.character("0")], .asBilled, "back to as billed", .plans, hint: "billed"),
    binding([.character("c")], .toggleCurrency, "the same plan in the other currency", .plans),
    binding(
      [.character("m")], .toggleMapping,
      "let models stand for those a plan does not sell: an estimate", .plans),
    binding(
      [.character("b")], .showWhatIf,
      "what another hit rate would cost; break-even with the pin", .plans,
      hint: "what if"),
    binding(
      [.character("d")], .showChange, "what a dated price change saved or will cost", .plans),
    binding(
      [.character("H")], .showHours, "spend by hour and weekday; what cheaper hours would save",
      .plans),
    binding(
      [.left, .character("<")], .less, "what if, hours: a smaller share; changes: an earlier one",
      .plans),
    binding(
      [.right, .character(">")], .more, "what if, hours: a larger share; changes: a later one",
      .plans),
    binding(
      [.character("w")], .nextWindow, "next window: last hour, today, 24 h, 7 days, month, all",
      .table, hint: "window"),
    binding([.character("W")], .previousWindow, "previous window", .table),
    binding(
      [.character("[")], .earlier(.day), "the window a day earlier (a month: a month)", .table),
    binding([.character("]")], .later(.day), "the window a day later (a month: a month)", .table),
    binding([.character("{")], .earlier(.week), "a week earlier", .table),
    binding([.character("}")], .later(.week), "a week later", .table),
    binding([.character("(")], .earlier(.month), "a month earlier", .table),
    binding([.character(")")], .later(.month), "a month later", .table),
    binding([.character("n")], .backToNow, "back to now", .table),
    binding(
      [.character("g")], .nextGrouping,
      "group by model, project, session, provider, source, key, day", .table, hint: "group"),
    binding([.character("G")], .previousGrouping, "previous grouping", .table),
    binding(
      [.character("s")], .nextSorting, "order by cost, requests, tokens, hit rate, name", .table,
      hint: "sort"),
    binding([.character("r")], .reverseSorting, "reverse the order", .table),
    binding([.up, .character("k")], .moveUp, "up", .table),
    binding([.down, .character("j")], .moveDown, "down", .table),
    binding([.pageUp], .pageUp, "a page up", .table),
    binding([.pageDown], .pageDown, "a page down", .table),
    binding([.home], .moveToStart, "to the first row", .table),
    binding([.end], .moveToEnd, "to the last row", .table),
    binding([.tab], .focusNext, "next panel", .table, hint: "panel"),
    binding([.backTab], .focusPrevious, "previous panel", .table),
    binding([.enter], .choose, "show only this row; on a request: how its cost was made", .table),
    binding([.escape, .backspace], .back, "close what is open, or show all rows again", .table),
    binding([.character("a")], .showAlerts, "alert log", .screens, hint: "alerts"),
    binding(
      [.character("i")], .showFiles, "what was read from where, and what could not be", .screens,
      hint: "logs"),
    binding(
      [.character("?"), .function(1), .character("h")], .showHelp, "this help", .screens,
      hint: "help"),
    binding([.character("t")], .nextTheme, "next theme", .general),
    binding([.control("l")], .repaint, "draw everything anew", .general),
    binding([.control("z")], .suspend, "sleep; fg wakes it", .general),
    binding(
      [.character("q"), .function(10), .control("c")], .quit, "leave", .general, hint: "quit"),
  ]

  /// What a key means; `nil` if nothing.
  public static func action(for key: Key) -> Action? {
    bindings.first { $0.keys.contains(key) }?.action
  }

  private static func binding(
    _ keys: [Key], _ action: Action, _ help: String, _ group: Group, hint: String? = nil
  ) -> Binding {
    Binding(keys: keys, action: action, help: help, hint: hint, group: group)
  }
}
