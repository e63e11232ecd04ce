import MimoEngine
import MimoIngest
import MimoStore

/// Everything that the ledger has and the logs say beyond it, read once.
struct LedgerScan {
  let snapshot: UsageSnapshot
  let files: [FileReport]
  let sourceErrors: [LogError]
  /// What the user should know that stops nothing.
  let notices: [String]
  /// The formats of logs that are gone.
  var goneFormats: Set<String> = []
  /// Whether something could not be stored.
  var hasTrouble = false

  /// Reads on where the ledger stopped, and stores what is new; while another process keeps the ledger, that
  /// does so.
  ///
  /// - Parameter minutes: what is needed of the history; `nil` for all.
  /// - Throws: `StoreError` if the ledger cannot be used at all; the logs were not read then.
  init(_ configuration: Configuration, minutes: [Range<Minute>]? = nil) throws(StoreError) {
    do throws(StoreError) {
      guard configuration.keepsLedger else { throw .held(path: "", by: "") }
      let store = try LedgerStore.open(
        folder: UserFolders.state, access: .write, now: SystemClock.now)
      defer { store.close() }
      try self.init(keeping: store, configuration, minutes)
    } catch .held {
      let store = try LedgerStore.open(
        folder: UserFolders.state, access: .read, now: SystemClock.now)
      defer { store.close() }
      try store.freeze()
      try self.init(keeping: store, configuration, minutes)
    }
  }

  private init(
    keeping store: LedgerStore, _ configuration: Configuration, _ minutes: [Range<Minute>]?
  ) throws(StoreError) {
    let keeper = try LedgerKeeper(store, configuration)
    let collector = keeper.collector
    var failure: StoreError?
    collector.onRound = { _, isCaughtUp in
      guard failure == nil else { return }
      do throws(StoreError) {
        _ = try keeper.commitIfDue(isCaughtUp: isCaughtUp)
      } catch {
        failure = error
      }
    }
    do throws(LogError) {
      try LogFollower(sources: configuration.sources, places: keeper.places).scanOnce(collector)
      sourceErrors = collector.sourceErrors
    } catch {
      sourceErrors = [error]
    }
    if let failure { throw failure }
    try keeper.commitNews()
    snapshot = try keeper.snapshot(minutes)
    files = collector.fileReports
    goneFormats = Set(collector.goneFiles.flatMap(\.report.formats))
    hasTrouble = keeper.trouble != nil
    notices = store.notices + (keeper.trouble.map { [$0.description] } ?? [])
  }
}
