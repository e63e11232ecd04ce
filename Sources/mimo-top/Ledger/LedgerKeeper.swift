import MimoEngine
import MimoIngest
import MimoStore

/// Keeps the ledger that outlives the logs: counts what they say, and stores the counts together with how far
/// each log was read.
///
/// Belongs to the thread of its follower.
final class LedgerKeeper {
  /// Counts.
  let collector: LogCollector
  /// Where reading goes on.
  let places: [FilePlace]
  /// Calls that earlier processes left out, because the ledger does not go back so far.
  let tooOldBefore: Int
  /// Why nothing can be stored at present; it is tried again, and nothing is lost meanwhile.
  private(set) var trouble: StoreError?

  /// The alerts that are kept.
  private(set) var alerts: AlertLog

  private let store: LedgerStore
  private let configuration: Configuration
  private var history: ShownHistory
  /// What has to be stored of files, by key.
  private var states: [String: FileState] = [:]
  private var lastCommit = SystemClock.monotonicMilliseconds
  private var isReadingStored = false
  /// What has to be stored of when old ids were looked for.
  private var pruning: StoreNote?
  /// Whether cells changed that alerts follow from.
  private var areAlertsDue = false
  private var lastJudgement = Int64.min / 2
  /// When it was stored last, by the clock, that somebody keeps the ledger.
  private var lastKept: Instant?

  /// Milliseconds between two commits while calls keep coming, and after one that failed.
  private static let commitPause: Int64 = 1000
  private static let retryPause: Int64 = 5000
  /// Milliseconds between two judgements of the last days: alerts are of minutes.
  private static let judgementPause: Int64 = 60_000
  /// Milliseconds between two commits while nothing happens: the ledger knows when nobody kept it.
  private static let idlePause: Int64 = 1_800_000
  /// A ledger that holds more calls than these forgets them once they are stored. While gigabytes are read,
  /// asking the store for each call would take longer than reading it.
  private static let mostCalls = (reading: 500_000, following: 20_000)

  /// The kinds of what is stored beside the counts.
  enum NoteKind {
    static let file = "file"
    static let state = "state"
    /// The key of a state that is there until all logs have been read once.
    static let reading = "reading"
    /// The key of the state that tells when old ids were looked for, in seconds since 1970.
    static let pruned = "pruned"
    /// The key of the state that tells the commit at which alerts were judged.
    static let judged = "judged"
  }

  /// Goes on with what is stored.
  ///
  /// - Parameter store: one for reading is counted further from in memory; nothing is stored then.
  init(_ store: LedgerStore, _ configuration: Configuration) throws(StoreError) {
    self.store = store
    self.configuration = configuration
    alerts = try store.alerts()
    if store.isWriter {
      KeptSettings.takeOverFiles()
      pruning = try store.pruneIfDue(now: SystemClock.now)
    }
    lastKept = try store.lastKept
    let base = try store.baseForCounting(
      promptEdges: configuration.catalog.promptEdges, readsAnew: store.isSuccessor)
    history = ShownHistory(ahead: configuration.ahead?.takeCells)
    let states = try store.fileStates()
    places = states.map(\.place)
    tooOldBefore = states.reduce(0) { $0 + $1.report.tooOld }
    isReadingStored = try store.isStillReading()
    if store.isWriter {
      let judged = try store.judgedCommit
      areAlertsDue = try store.hours(changedSince: judged).contains(where: Self.isJudged)
    }
    collector = LogCollector(
      ledger: Ledger(restoring: base, archive: base.isEmpty ? nil : store),
      sources: configuration.sources, formats: configuration.formats, restoring: states,
      keySalt: store.keySalt, clock: { SystemClock.now })
  }

  /// Whether there is something to store.
  private var hasNews: Bool { collector.ledger.hasChanges || !states.isEmpty }

  /// Whether alerts have to be judged: what they follow from changed, or one stands, which silence ends.
  private var hasAlertNews: Bool { areAlertsDue || alerts.standing != nil }

  /// In how many milliseconds alerts are to be judged; `nil` if there is no reason.
  private var judgementWait: Int64? {
    guard hasAlertNews else { return nil }
    return max(0, lastJudgement + Self.judgementPause - SystemClock.monotonicMilliseconds)
  }

  /// Stores what is new, unless that was done a moment ago.
  ///
  /// - Parameter isCaughtUp: whether all that was there has been read.
  /// - Returns: in how many milliseconds there will be something to store; `nil` if all is.
  /// - Throws: `StoreError` if only a store opened anew can go on.
  func commitIfDue(isCaughtUp: Bool) throws(StoreError) -> Int64? {
    guard store.isWriter else { return nil }
    for state in collector.takeStates() { states[state.key] = state }
    let isIdle = !hasNews && isReadingStored != isCaughtUp
    let pause = trouble != nil ? Self.retryPause : isIdle ? Self.idlePause : Self.commitPause
    var wait = lastCommit + pause - SystemClock.monotonicMilliseconds
    // While gigabytes are read, alerts can wait.
    let judgementWait = isCaughtUp ? judgementWait : nil
    if trouble == nil, let judgementWait { wait = min(wait, judgementWait) }
    if wait > 0 { return wait }
    try commit(isCaughtUp: isCaughtUp, judgesAlerts: judgementWait == 0)
    if trouble != nil { return Self.retryPause }
    return min(Self.idlePause, isCaughtUp ? self.judgementWait ?? .max : .max)
  }

  /// Stores what is new after all was read, if there is something.
  func commitNews() throws(StoreError) {
    for state in collector.takeStates() { states[state.key] = state }
    let isKept =
      lastKept.map {
        (0..<Self.idlePause).contains(SystemClock.now.milliseconds - $0.milliseconds)
      } ?? false
    if hasNews || isReadingStored || pruning != nil || hasAlertNews || !isKept {
      try commit(isCaughtUp: true, judgesAlerts: true)
    }
  }

  /// Stores what is new.
  ///
  /// - Parameter judgesAlerts: whether to look for alerts, if there may be others than before.
  /// - Throws: `StoreError` if only a store opened anew can go on; other failures are `trouble`.
  func commit(isCaughtUp: Bool, judgesAlerts: Bool) throws(StoreError) {
    guard store.isWriter else { return }
    for state in collector.takeStates() { states[state.key] = state }
    lastCommit = SystemClock.monotonicMilliseconds
    var notes = states.values.map {
      StoreNote(kind: NoteKind.file, key: $0.key, value: $0.encoded)
    }
    notes.append(
      StoreNote(kind: NoteKind.state, key: NoteKind.reading, value: isCaughtUp ? nil : [1]))
    if let pruning { notes.append(pruning) }
    let changes = collector.ledger.changes()
    areAlertsDue = areAlertsDue || changes.hours.keys.contains(where: Self.isJudged)
    var judged: AlertLog?
    let numbers: [UInt32]
    do throws(StoreError) {
      if judgesAlerts, hasAlertNews {
        let log = try judgeAlerts()
        notes += LedgerStore.notes(changing: alerts, to: log)
        notes.append(try store.noteOfJudgedCommit())
        judged = log
      }
      numbers = try store.commit(changes, notes: notes, now: SystemClock.now)
    } catch {
      if error.needsNewStore { throw error }
      trouble = error
      return
    }
    trouble = nil
    states = [:]
    pruning = nil
    if let judged { (alerts, areAlertsDue) = (judged, false) }
    isReadingStored = !isCaughtUp
    let store = store
    collector.withLedger { ledger in
      ledger.didCommit(numbers)
      let most = isCaughtUp ? Self.mostCalls.following : Self.mostCalls.reading
      if ledger.knownCalls > most { ledger = ledger.emptied(archive: store) }
    }
  }

  private static func isJudged(_ hour: Hour) -> Bool {
    hour >= Hour(of: AlertLog.neededMinutes(SystemClock.now).lowerBound)
  }

  /// The alerts that follow from what is counted, stored or not.
  private func judgeAlerts() throws(StoreError) -> AlertLog {
    lastJudgement = SystemClock.monotonicMilliseconds
    let now = SystemClock.now
    let minutes = AlertLog.neededMinutes(now)
    var days = ShownHistory()
    let ledger = collector.ledger
    if let error = store.readError { throw error }
    try days.bring([minutes], from: store, held: ledger.heldHours)
    let verdict = configuration.monitor.judge(
      days.before(ledger.snapshot()), tariff: configuration.tariff, since: minutes.lowerBound,
      now: now)
    var log = alerts
    log.replace(with: verdict, limit: configuration.monitor.raiseBelow, now: now)
    return log
  }

  /// The counts of these minutes, or of all, stored or not.
  func snapshot(_ minutes: [Range<Minute>]?) throws(StoreError) -> UsageSnapshot {
    if let error = store.readError { throw error }
    let ledger = collector.ledger
    try history.bring(minutes, from: store, held: ledger.heldHours)
    return history.before(ledger.snapshot())
  }

  /// The counts of these minutes, or of all, of which the stored ones are read anew by each pass over them.
  func passingSnapshot(_ minutes: Range<Minute>?) throws(StoreError) -> UsageSnapshot {
    if let error = store.readError { throw error }
    let ledger = collector.ledger
    let stored = StoredCells(
      of: store, hours: try store.hours(changedSince: 0), except: ledger.heldHours)
    if let minutes {
      var history = ArchivedHistory(promptEdges: configuration.catalog.promptEdges)
      let cells = try history.passing(
        stored, in: minutes, addresses: store.storedAddresses(at:), names: store.storedNames(at:))
      if let error = store.readError { throw error }
      var snapshot = history.before(ledger.snapshot())
      snapshot.cube.source = cells
      return snapshot
    }
    let book = try store.addressBook(
      promptEdges: configuration.catalog.promptEdges, ahead: configuration.ahead?.takeBook())
    var snapshot = ledger.snapshot(among: book)
    snapshot.cube.source = stored
    return snapshot
  }

  /// What of the history the last snapshot has.
  var coverage: (first: Minute?, loaded: [Range<Minute>]) { history.coverage }
}

extension LedgerStore {
  /// How long calls are known by their ids. Tools keep transcripts for a month unless told otherwise, and whoever keeps
  /// them longer does so for a year; as long may a resumed or forked session repeat their lines.
  private static let daysOfIDs = 400
  /// How often old ids are looked for: it takes a pass over all of them.
  private static let daysBetweenPrunings: Int64 = 30

  /// Lets go of ids so old that no log repeats them, once a month; never in a ledger's first month, which may begin with
  /// logs of many years.
  ///
  /// The clock may be wrong, and what is pruned does not come back: so the newest usage and the last time somebody kept
  /// the ledger have to agree with it.
  ///
  /// - Returns: what is to be stored of that, if it was done.
  func pruneIfDue(now: Instant) throws(StoreError) -> StoreNote? {
    let seconds = now.milliseconds / 1000
    let key = LedgerKeeper.NoteKind.pruned
    let last = try stateNumber(key)
    if let last, last <= seconds, seconds - last < Self.daysBetweenPrunings * 86_400 { return nil }
    let kept = try lastKept
    let isPlausible = kept.map { (seconds - $0.milliseconds / 1000) / 86_400 < 60 } ?? false
    if let last, last <= seconds, isPlausible, let newest = try newestMinute {
      try prune(callsBefore: min(now.minute, newest).advanced(by: -Self.daysOfIDs * 1440), now: now)
    }
    return Self.note(of: seconds, key)
  }

  /// The number of the commit at which alerts were judged last; 0 if they never were.
  fileprivate var judgedCommit: Int64 {
    get throws(StoreError) { try stateNumber(LedgerKeeper.NoteKind.judged) ?? 0 }
  }

  /// Says that alerts were judged at the commit to come.
  fileprivate func noteOfJudgedCommit() throws(StoreError) -> StoreNote {
    Self.note(of: try commitNumber + 1, LedgerKeeper.NoteKind.judged)
  }

  private func stateNumber(_ key: String) throws(StoreError) -> Int64? {
    try notes(kind: LedgerKeeper.NoteKind.state)
      .first { $0.key.elementsEqual(key.utf8) }?.value
      .flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
  }

  private static func note(of number: Int64, _ key: String) -> StoreNote {
    StoreNote(kind: LedgerKeeper.NoteKind.state, key: key, value: Array(String(number).utf8))
  }

  /// From when on calls are counted; `nil` for all.
  func countedFrom(now: Instant) throws(StoreError) -> Minute? {
    [try identifiedFrom(now: now), try forgottenBefore].compactMap { $0 }.max()
  }

  /// From when on calls are known by their ids; `nil` for all. A limit that a wrong clock set gives way.
  func identifiedFrom(now: Instant) throws(StoreError) -> Minute? {
    let oldest = now.minute.advanced(by: -Self.daysOfIDs * 1440)
    return try callsPrunedBefore.map { min($0, oldest) }
  }

  /// What is stored of files. One that another version wrote in another form is read anew.
  func fileStates() throws(StoreError) -> [FileState] {
    try notes(kind: LedgerKeeper.NoteKind.file).compactMap { note in
      note.value.flatMap { FileState(encoded: $0) }
    }
  }

  /// Whether the writer is still reading what was there when it began.
  func isStillReading() throws(StoreError) -> Bool {
    try notes(kind: LedgerKeeper.NoteKind.state).contains {
      $0.key.elementsEqual(LedgerKeeper.NoteKind.reading.utf8)
    }
  }
}

extension StoreError {
  /// Whether the store has to be opened anew to go on.
  var needsNewStore: Bool {
    switch self {
    case .lost, .damaged, .unread, .closed: true
    default: false
    }
  }
}
