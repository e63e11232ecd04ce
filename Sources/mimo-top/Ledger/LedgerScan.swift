import MimoDashboard
import MimoEngine
import MimoIngest
import MimoStore

/// What is needed of the history in the ledger.
enum NeededHistory {
  /// These minutes, or all, in memory, for numbers that are made again and again.
  case kept([Range<Minute>]?)
  /// These minutes, or all, for a few passes.
  case passing(Range<Minute>?)
}

/// Everything that the ledger has and the logs say beyond it, read once.
struct LedgerScan {
  let snapshot: UsageSnapshot
  /// Open as long as the snapshot reads from it.
  private let store: LedgerStore
  let files: [FileReport]
  let sourceErrors: [LogError]
  /// What the user should know that stops nothing.
  private(set) var notices: [String]
  /// Whether something could not be stored, or what was stored is lost.
  var hasTrouble = false

  /// Reads on where the ledger stopped, and stores what is new. While another process keeps the ledger, or it cannot be
  /// written, that happens in memory.
  ///
  /// - Parameter history: what is needed of it.
  /// - Throws: `StoreError` if the ledger cannot be used at all; the logs were not read then.
  init(_ configuration: Configuration, history: NeededHistory = .kept(nil)) throws(StoreError) {
    guard configuration.keepsLedger else {
      try self.init(keeping: try Self.openFrozen(), configuration, history)
      return
    }
    do throws(StoreError) {
      let store = try LedgerStore.open(
        folder: UserFolders.state, access: .write, now: SystemClock.now)
      try self.init(keeping: store, configuration, history)
    } catch {
      let store: LedgerStore
      do throws(StoreError) { store = try Self.openFrozen() } catch let second {
        if case .held = error { throw second }
        throw error
      }
      try self.init(keeping: store, configuration, history)
      if case .held = error { return }
      hasTrouble = true
      notices.append("\(error.description) (its history is shown, nothing is stored)")
    }
  }

  private static func openFrozen() throws(StoreError) -> LedgerStore {
    let store = try LedgerStore.open(
      folder: UserFolders.state, access: .read, now: SystemClock.now)
    try store.freeze()
    return store
  }

  /// The same with a ledger that is open.
  init(
    keeping store: LedgerStore, _ configuration: Configuration, _ history: NeededHistory
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
    self.store = store
    switch history {
    case .kept(let minutes):
      snapshot = try keeper.snapshot(minutes)
      store.close()
    case .passing(let minutes): snapshot = try keeper.passingSnapshot(minutes)
    }
    files = collector.fileReports
    hasTrouble = keeper.trouble != nil || store.hasLostHistory
    notices = store.notices + (keeper.trouble.map { [$0.description] } ?? [])
    let tooOld = files.reduce(0) { $0 + $1.tooOld } - keeper.tooOldBefore
    if tooOld > 0 {
      notices.append(
        "\(NumberFormat.counted(Int64(tooOld), "call")) left out: of a time that the ledger was told to forget, or whose ids it does not know any more (mimo-top ledger)"
      )
    }
  }

  /// Lets go of the ledger, once no pass over the snapshot is needed any more.
  func close() { store.close() }

  /// Why a pass over the snapshot missed something.
  var readError: StoreError? { store.readError }
}
