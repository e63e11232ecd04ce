import MimoEngine
import MimoIngest
import MimoStore

/// Shows a ledger that another process keeps, as far as that has stored it.
struct LedgerReader {
  private let store: LedgerStore
  private let promptEdges: [Int64]
  private var history: ShownHistory
  private var revision: UInt64 = 0
  private(set) var files: [FileState] = []
  /// The alerts that are kept.
  private(set) var alerts = AlertLog()
  /// Whether the other process is still reading what was there when it began.
  private(set) var isStillReading = false
  private var commit: Int64 = -1
  private var minutes: [Range<Minute>]?

  /// Begins to read.
  init(_ store: LedgerStore, _ configuration: Configuration) throws(StoreError) {
    self.store = store
    promptEdges = configuration.catalog.promptEdges
    history = ShownHistory(ahead: configuration.ahead?.takeCells)
  }

  /// Whether the ledger is still the one that was opened.
  var isCurrent: Bool { store.isCurrent }

  /// Whether something was stored, or other minutes are wanted, since the last snapshot.
  mutating func hasNews(_ minutes: [Range<Minute>]?) throws(StoreError) -> Bool {
    try store.commitNumber != commit || minutes != self.minutes
  }

  /// The counts of these minutes, or of all.
  mutating func snapshot(_ minutes: [Range<Minute>]?) throws(StoreError) -> UsageSnapshot {
    commit = try store.commitNumber
    self.minutes = minutes
    try history.bring(minutes, from: store, held: [])
    let base = try store.base(promptEdges: promptEdges, now: SystemClock.now)
    files = try store.fileStates()
    alerts = try store.alerts()
    isStillReading = try store.isStillReading()
    revision += 1
    return try history.snapshot(base, from: store, revision: revision)
  }

  /// What of the history the last snapshot has.
  var coverage: (first: Minute?, loaded: [Range<Minute>]) { history.coverage }
}
