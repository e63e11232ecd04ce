import MimoEngine
import MimoScreen

/// All state of the dashboard. A value: `update` changes it, `view` draws it, nothing else keeps any.
public struct Model: Sendable {
  // Given at the start.
  /// Price lists.
  public let book: PriceBook
  /// Plans to step through; the first is "as billed".
  public let plans: [PlanChoice]
  /// Billing periods of subscriptions.
  public let periods: BillingPeriods
  /// Settings of the hit-rate warning.
  public let monitor: HitRateMonitor
  /// The local time zone.
  public let clock: LocalClock
  /// Which signs to draw with.
  public let glyphs: Glyphs
  /// The themes to step through.
  public let themes: [Theme]

  // What happens outside.
  /// The newest counts.
  public var snapshot: UsageSnapshot
  /// What was read from where.
  public var ingest = IngestSummary()
  /// The present instant.
  public var now: Instant
  /// Columns and rows of the screen.
  public var size = Size.zero

  // What the user chose.
  /// Index of the active plan in `plans`.
  public var planIndex = 0
  /// Index of the plan that differences are measured against.
  public var referenceIndex: Int?
  /// Index of the theme.
  public var themeIndex = 0
  /// The time shown.
  public var window = WindowChoice.all
  /// The instant up to which a past window goes; `nil` shows the time up to now.
  public var asOf: Instant?
  /// Minutes outside of which nothing is shown, as asked for on the command line; `nil` for all.
  public var limits: Range<Minute>?
  /// Whether frames are printed rather than shown, so that no key can be pressed.
  public var isBatch = false
  /// What the rows of the table stand for.
  public var grouping = Grouping.model
  /// The column the table is ordered by.
  public var sorting = BreakdownColumn.cost
  /// Whether that order is reversed.
  public var isSortingReversed = false
  /// Conditions set by choosing rows.
  public var filters: [UsageFilter] = []
  /// The panel that hears the arrow keys.
  public var focus = PanelID.breakdown
  /// Scroll and selection of each panel.
  public var panels: [PanelID: PanelState] = [:]
  /// Whether models that a plan does not sell are priced as those that stand for them: an estimate.
  public var isMapping = false
  /// The cache hit rate, in percent, assumed on the what-if screen; `nil` takes it as it was.
  public var assumedPoints: Int?
  /// The date of the price change that is replayed; `nil` takes the most recent one.
  public var changeDate: CivilDate?
  /// Percent of the usage in dear hours that could be moved to cheap ones.
  public var movablePercent = 100
  /// The panel laid over all others.
  public var overlay: Overlay?
  /// Scroll and selection of the overlay.
  public var overlayState = PanelState()
  /// The request whose cost is explained.
  public var traced: RecentCall?
  /// A message in the footer, and until when.
  public var message: (text: String, until: Instant)?
  /// Things the user should know that stop nothing.
  public var notices: [String] = []

  // Worked out from all that.
  /// The numbers on screen.
  public internal(set) var figures = Figures()

  /// Which models stand for which on another vendor's list.
  public var modelMap = ModelMap()
  /// Converts prices that are listed in another currency only.
  public var exchange: ExchangeRate?
  /// Readings of the vendor's console by plan id.
  public var anchors: [String: PlanAnchor] = [:]

  /// Creates the state before anything was read.
  public init(
    book: PriceBook, plans: [PlanChoice], periods: BillingPeriods, monitor: HitRateMonitor,
    clock: LocalClock,
    glyphs: Glyphs, themes: [Theme], promptEdges: [Int64], now: Instant
  ) {
    precondition(!plans.isEmpty && !themes.isEmpty, "there is a plan and a theme")
    self.book = book
    self.plans = plans
    self.periods = periods
    self.monitor = monitor
    self.clock = clock
    self.glyphs = glyphs
    self.themes = themes
    self.now = now
    snapshot = .empty(promptEdges: promptEdges)
  }

  /// The active plan.
  public var plan: PlanChoice { plans[planIndex] }

  /// The places of the plans that are worth showing for this usage, the active and the pinned one included.
  var usefulPlans: [Int] {
    let useful = Set(
      PlanChoice.useful(plans, for: snapshot, book: book, map: modelMap).map(\.name))
    return plans.indices.filter {
      useful.contains(plans[$0].name) || $0 == planIndex || $0 == referenceIndex
    }
  }

  /// The looks of the chosen theme.
  public var palette: Palette { themes[themeIndex].palette }

  /// A plan resolved against the price lists.
  public func tariff(_ choice: PlanChoice) -> Tariff {
    Tariff(
      plan: choice.plan, book: book, currency: choice.currency,
      modelMap: isMapping ? modelMap : nil, exchange: exchange)
  }

  /// The state of a panel.
  func state(_ id: PanelID) -> PanelState { panels[id] ?? PanelState() }
}

/// A plan in one currency: what a key steps to.
public struct PlanChoice: Sendable {
  /// The plan.
  public let plan: Plan
  /// The currency of its prices or its fee.
  public let currency: Currency

  /// Creates a choice.
  public init(_ plan: Plan, _ currency: Currency) {
    self.plan = plan
    self.currency = currency
  }

  /// What the screen calls it.
  public var name: String { "\(plan.name) \(currency.rawValue)" }

  /// Those worth showing for some usage: as billed, all subscriptions, and the lists of sellers that have a
  /// price for any of it, or one that stands for it; all of them before there is usage.
  public static func useful(
    _ choices: [PlanChoice], for snapshot: UsageSnapshot, book: PriceBook, map: ModelMap?
  ) -> [PlanChoice] {
    if snapshot.cube.series.isEmpty { return choices }
    let sellers = snapshot.sellers(in: book, map: map)
    return choices.filter { choice in
      choice.plan.kind == .asBilled || choice.plan.isSubscription
        || choice.plan.provider.map(sellers.contains) == true
    }
  }
}

/// What was read from where, as the interface shows it.
public struct IngestSummary: Sendable, Equatable {
  /// One file or stream.
  public struct File: Sendable, Equatable {
    /// Its path.
    public var path: String
    /// The formats found in it.
    public var formats: String
    /// Lines read.
    public var lines: Int
    /// Distinct calls found.
    public var records: Int
    /// Calls that were counted already.
    public var duplicates: Int
    /// Lines that could not be read.
    public var malformed: Int
    /// Where and why, for the first of them.
    public var problems: [String]
    /// Whether the file is not there any more: what it told is kept.
    public var isGone = false

    /// Creates an entry.
    public init(
      path: String, formats: String, lines: Int, records: Int, duplicates: Int, malformed: Int,
      problems: [String]
    ) {
      self.path = path
      self.formats = formats
      self.lines = lines
      self.records = records
      self.duplicates = duplicates
      self.malformed = malformed
      self.problems = problems
    }
  }

  /// Files and streams, in order of discovery.
  public var files: [File] = []
  /// Errors that belong to no file.
  public var errors: [String] = []
  /// Things to know about how the logs are followed; nothing is wrong with what was read.
  public var notices: [String] = []
  /// How much of what was there has been read; `nil` once all has been.
  public var reading: ReadingProgress?
  /// What is followed, for a screen without usage.
  public var sources: [String] = []
  /// The alerts that the ledger keeps.
  public var alerts = AlertLog()
  /// What of the history is in the counts; `nil` if all of it is.
  public var history: LoadedHistory?
  /// Whether what is counted cannot be kept, although it should be.
  public var isUnkept = false

  /// Nothing yet.
  public init() {}

  var malformed: Int { files.reduce(0) { $0 + $1.malformed } }
  var problemCount: Int {
    malformed + errors.count + files.reduce(0) { $0 + ($1.malformed == 0 ? $1.problems.count : 0) }
  }
}

/// The panels, in the order in which Tab goes through those that can be scrolled.
public enum PanelID: String, CaseIterable, Sendable {
  case spend, cache, tokens, breakdown, requests
}

/// A panel laid over the others.
public enum Overlay: Hashable, Sendable {
  case help
  case plans
  case alerts
  case files
  case trace
  case whatIf
  case change
  case hours
}

/// Scroll and selection.
public struct PanelState: Hashable, Sendable {
  /// The first row shown.
  public var scroll = 0
  /// The chosen row.
  public var selected = 0

  /// At the beginning.
  public init() {}
}

/// Columns of the table that it can be ordered by.
public enum BreakdownColumn: String, CaseIterable, Sendable {
  case cost, requests, tokens, hitRate = "hit rate", name
}
