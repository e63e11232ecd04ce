import MimoDashboard
import MimoEngine
import MimoIngest
import MimoStore
import MimoThreads
import Synchronization

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Follows the logs on a thread of its own, so that reading gigabytes never delays a key, and hands out
/// the newest counts as values.
///
/// Nothing is handed out unasked: a snapshot makes the ledger copy what it changes next, so there are only
/// as many as are shown.
final class LocalFeed: Sendable {
  /// The newest counts, and what they were read from.
  struct News: Sendable {
    var snapshot: UsageSnapshot
    var ingest: IngestSummary
    /// Whether everything that was there has been read.
    var isCaughtUp: Bool
  }

  /// Readable when there is news.
  let descriptor: Int32
  private let bell: Int32
  private let remote: LogFollowerRemote
  private let mailbox = Mutex(Mailbox())

  private struct Mailbox {
    var news: News?
    /// The next news is waited for.
    var isWanted = true
    /// There was something new while nobody wanted to know.
    var isStale = false
    /// What of the history is shown; `nil` for all.
    var minutes: [Range<Minute>]?
    /// Whether the thread is done.
    var hasEnded = false
  }

  /// Starts following.
  ///
  /// - Parameter minutes: what of the history is shown at first; `nil` for all.
  /// - Throws: `LogError` if the system refuses what following needs.
  init(_ configuration: Configuration, showing minutes: [Range<Minute>]?) throws {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw LogError.failed(path: "wake-up pipe", code: errno) }
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    (descriptor, bell) = (ends[0], ends[1])
    remote = try LogFollowerRemote()
    mailbox.withLock { $0.minutes = minutes }
    let remote = remote
    let thread = WorkerThread.start { [weak self] in
      FeedThread(configuration, remote) { self }.run()
      self?.mailbox.withLock { $0.hasEnded = true }
    }
    precondition(thread != nil, "the system refuses another thread")
    thread?.detach()
  }

  /// Asks for the newest counts: at once if there are some not yet handed out, else as soon as there are.
  ///
  /// - Returns: whether there are.
  @discardableResult
  func request() -> Bool {
    let (isThere, isStale) = mailbox.withLock { mailbox in
      if mailbox.news != nil || mailbox.isWanted { return (mailbox.news != nil, false) }
      defer { (mailbox.isWanted, mailbox.isStale) = (true, false) }
      return (mailbox.isStale, mailbox.isStale)
    }
    if isStale { remote.ask() }
    return isThere
  }

  /// Says what of the history is shown from now on; `nil` for all of it. It comes with the next news.
  func show(_ minutes: [Range<Minute>]?) {
    let isNew = mailbox.withLock { mailbox in
      defer { mailbox.minutes = minutes }
      // The window of the last days ends later with each minute; what is there already goes on by itself.
      if mailbox.minutes?.map(\.lowerBound) == minutes?.map(\.lowerBound) { return false }
      mailbox.isStale = true
      return true
    }
    if isNew { remote.ask() }
  }

  /// The news that was asked for, if it has come.
  func take() -> News? {
    var bytes: (UInt64, UInt64) = (0, 0)
    while read(descriptor, &bytes, 16) > 0 {}
    return mailbox.withLock { mailbox in
      defer { mailbox.news = nil }
      return mailbox.news
    }
  }

  /// Ends following after the present round.
  func stop() { remote.stop() }

  /// Ends following and waits, at most so long, until what was read is stored.
  ///
  /// What is not stored then is read again by the next program.
  func finish(withinMilliseconds limit: Int64) {
    stop()
    let end = SystemClock.monotonicMilliseconds + limit
    while !mailbox.withLock({ $0.hasEnded }), SystemClock.monotonicMilliseconds < end {
      poll(nil, 0, 2)
    }
  }

  // MARK: - For the thread

  /// Whether somebody waits for news; from now on nobody does.
  fileprivate func isWanted() -> Bool {
    mailbox.withLock { mailbox in
      defer { (mailbox.isWanted, mailbox.isStale) = (false, !mailbox.isWanted) }
      return mailbox.isWanted
    }
  }

  fileprivate var minutes: [Range<Minute>]? { mailbox.withLock { $0.minutes } }

  fileprivate func publish(_ latest: News) {
    mailbox.withLock { $0.news = latest }
    var byte: UInt8 = 0
    _ = write(bell, &byte, 1)
  }
}

/// What goes on in the feed's thread: reading logs into the ledger on disk, or showing what another process reads
/// into it, or, if there is none to be had, reading logs into memory.
private final class FeedThread {
  private let configuration: Configuration
  private let remote: LogFollowerRemote
  private let feed: () -> LocalFeed?
  private var ingest: FollowedFiles
  private var reading = Reading()

  init(
    _ configuration: Configuration, _ remote: LogFollowerRemote, _ feed: @escaping () -> LocalFeed?
  ) {
    self.configuration = configuration
    self.remote = remote
    self.feed = feed
    ingest = FollowedFiles(configuration)
  }

  func run() {
    if !configuration.keepsLedger, !configuration.addsHistory {
      return readIntoMemory(nil) { false }
    }
    var failures = 0
    var lastFailure: Int64 = .min / 2
    while !remote.isStopped, ingest.failure == nil {
      if !configuration.keepsLedger {
        countInMemory(nil) { false }
        continue
      }
      do throws(StoreError) {
        let store = try LedgerStore.open(
          folder: UserFolders.state, access: .write, now: SystemClock.now)
        defer { store.close() }
        try keep(store)
      } catch .held(_, let holder) {
        followKeeper(holder)
      } catch {
        let now = SystemClock.monotonicMilliseconds
        failures = now - lastFailure < 60_000 ? failures + 1 : 1
        lastFailure = now
        // What is damaged is set aside by opening it again.
        if error.needsNewStore, failures <= 3 { continue }
        countInMemory("\(error.description) (counting in memory)") { Self.canBeKept }
      }
    }
  }

  /// Whether somebody can write the ledger now: this process, or the one that does.
  private static var canBeKept: Bool {
    do throws(StoreError) {
      try LedgerStore.open(folder: UserFolders.state, access: .write, now: SystemClock.now).close()
      return true
    } catch .held {
      return true
    } catch {
      return false
    }
  }

  /// Counts logs in memory, on top of the ledger's history if that is wanted and can be read.
  ///
  /// - Parameters:
  ///   - notice: why, if nobody asked for it.
  ///   - isOver: whether there is a better way now; asked every few seconds.
  private func countInMemory(_ notice: String?, until isOver: @escaping () -> Bool) {
    do throws(StoreError) {
      let store = try LedgerStore.open(
        folder: UserFolders.state, access: .read, now: SystemClock.now)
      defer { store.close() }
      try store.freeze()
      // What the keeper writes cannot go into the database as long as an old moment of it is read.
      let most = store.bytesWaiting + Self.mostBytesHeldUp
      try keep(store, notice) { isOver() || store.bytesWaiting > most }
    } catch {
      readIntoMemory(notice ?? "\(error.description) (shown without history)", until: isOver)
    }
  }

  private static let mostBytesHeldUp: Int64 = 64 << 20
  /// Milliseconds between two questions whether there is a better way.
  private static let trialPause: Int64 = 5000

  /// Counts into the ledger, or in memory on top of one that is only read, until the feed is stopped.
  private func keep(
    _ store: LedgerStore, _ notice: String? = nil, until isOver: @escaping () -> Bool = { false }
  ) throws(StoreError) {
    let keeper = try LedgerKeeper(store, configuration)
    ingest = FollowedFiles(configuration)
    ingest.ledgerNotice = notice ?? store.notices.first
    ingest.summary.isUnkept = configuration.keepsLedger && !store.isWriter
    var failure: StoreError?
    func attempt<R>(_ body: () throws(StoreError) -> R) -> R? {
      do throws(StoreError) { return try body() } catch {
        failure = failure ?? error
        return nil
      }
    }
    var isCaughtUp = false
    func show(_ collector: LogCollector) {
      guard let feed = feed(), feed.isWanted() else { return }
      let minutes = feed.minutes
      guard let snapshot = attempt({ () throws(StoreError) in try keeper.snapshot(minutes) }) else {
        return
      }
      ingest.trouble = keeper.trouble?.description
      if store.isWriter { ingest.summary.isUnkept = keeper.trouble != nil }
      ingest.note(collector, isCaughtUp: isCaughtUp)
      ingest.summary.history = LoadedHistory(
        first: keeper.coverage.first, loaded: keeper.coverage.loaded)
      ingest.summary.reading = reading.progress
      ingest.summary.alerts = keeper.alerts
      feed.publish(
        LocalFeed.News(snapshot: snapshot, ingest: ingest.summary, isCaughtUp: isCaughtUp))
    }
    // What is stored is on screen before the first log is looked at.
    show(keeper.collector)
    keeper.collector.onRound = { collector, caughtUp in
      isCaughtUp = caughtUp
      self.reading.note(collector.progress, isCaughtUp: caughtUp)
      show(collector)
    }
    do throws(LogError) {
      let follower = try LogFollower(
        sources: configuration.sources, places: keeper.places, remote: remote)
      var trials = Trials(every: Self.trialPause, isOver)
      follower.run(keeper.collector) {
        let due = attempt { () throws(StoreError) in
          try keeper.commitIfDue(isCaughtUp: isCaughtUp)
        }
        if !store.isWriter, trials.isOver { follower.end() }
        if failure != nil { follower.end() }
        // Logs may rest for hours; that nothing can be stored is news by itself.
        if keeper.trouble?.description != ingest.trouble { show(keeper.collector) }
        return store.isWriter ? due ?? nil : Self.trialPause
      }
    } catch {
      ingest.failure = error
      isCaughtUp = true
      show(keeper.collector)
      return
    }
    if let failure { throw failure }
    try keeper.commit(isCaughtUp: isCaughtUp, judgesAlerts: isCaughtUp)
  }

  /// Shows what another process keeps, until that ends.
  private func followKeeper(_ holder: String) {
    let notice = "the ledger is kept by \(holder), which this one follows"
    ingest = FollowedFiles(configuration)
    ingest.ledgerNotice = notice
    var reader: LedgerReader?
    var lastTry = SystemClock.monotonicMilliseconds
    var lastRead = lastTry
    while !remote.isStopped, ingest.failure == nil {
      let now = SystemClock.monotonicMilliseconds
      do throws(StoreError) {
        // The keeper may have set a damaged file aside.
        if reader?.isCurrent != true {
          reader = try LedgerReader(
            try LedgerStore.open(folder: UserFolders.state, access: .read, now: SystemClock.now),
            configuration)
        }
        if let feed = feed(), try reader!.hasNews(feed.minutes), feed.isWanted() {
          let snapshot = try reader!.snapshot(feed.minutes)
          ingest.note(reader!)
          feed.publish(
            LocalFeed.News(
              snapshot: snapshot, ingest: ingest.summary, isCaughtUp: !reader!.isStillReading))
        }
        lastRead = now
      } catch {
        // The other process may just be making it, or setting a damaged one aside; or it keeps none at all.
        reader = nil
        if now - lastRead >= Self.trialPause {
          countInMemory("\(notice); but \(error.description)") { !Self.isHeld || Self.canBeRead }
          return
        }
      }
      poll(nil, 0, 100)
      if now - lastTry >= 1000 {
        lastTry = now
        if !Self.isHeld { return }
      }
    }
  }

  private static var isHeld: Bool { LedgerStore.isHeld(folder: UserFolders.state) }

  private static var canBeRead: Bool {
    do throws(StoreError) {
      try LedgerStore.open(folder: UserFolders.state, access: .read, now: SystemClock.now).close()
      return true
    } catch {
      return false
    }
  }

  /// Follows the logs from their beginnings, and forgets all at the end.
  private func readIntoMemory(_ notice: String?, until isOver: @escaping () -> Bool) {
    let collector = LogCollector(
      ledger: Ledger(promptEdges: configuration.catalog.promptEdges),
      sources: configuration.sources, formats: configuration.formats,
      clock: { SystemClock.now })
    ingest = FollowedFiles(configuration)
    ingest.ledgerNotice = notice
    ingest.summary.isUnkept = configuration.keepsLedger
    func show(_ collector: LogCollector, _ isCaughtUp: Bool) {
      guard let feed = feed(), feed.isWanted() else { return }
      ingest.note(collector, isCaughtUp: false)
      ingest.summary.reading = reading.progress
      feed.publish(
        LocalFeed.News(
          snapshot: collector.ledger.snapshot(), ingest: ingest.summary, isCaughtUp: isCaughtUp))
    }
    collector.onRound = { collector, isCaughtUp in
      self.reading.note(collector.progress, isCaughtUp: isCaughtUp)
      show(collector, isCaughtUp)
    }
    do throws(LogError) {
      let follower = try LogFollower(sources: configuration.sources, remote: remote)
      guard configuration.keepsLedger else { return follower.run(collector) }
      var trials = Trials(every: Self.trialPause, isOver)
      follower.run(collector) {
        if trials.isOver { follower.end() }
        return Self.trialPause
      }
    } catch {
      ingest.failure = error
      show(collector, true)
    }
  }
}

/// Asks now and then.
private struct Trials {
  private let pause: Int64
  private let question: () -> Bool
  private var last = SystemClock.monotonicMilliseconds

  init(every pause: Int64, _ question: @escaping () -> Bool) {
    (self.pause, self.question) = (pause, question)
  }

  /// Whether the answer is yes, if it is time to ask.
  var isOver: Bool {
    mutating get {
      let now = SystemClock.monotonicMilliseconds
      guard now - last >= pause else { return false }
      last = now
      return question()
    }
  }
}

/// What is known of the followed files, as the interface shows it.
private struct FollowedFiles {
  var summary = IngestSummary()
  /// How the ledger is kept, if that is worth saying.
  var ledgerNotice: String?
  /// Why nothing can be stored at present.
  var trouble: String?
  /// Why nothing can be followed.
  var failure: LogError?

  private let namesLogs: Bool
  private var followed: [IngestSummary.File] = []
  /// Places in `followed` by the follower's file ids.
  private var places: [Int: Int] = [:]
  private var gone: [IngestSummary.File] = []
  private var goneKeys: Set<String> = []
  private var lastLook: Int64 = .min / 2

  init(_ configuration: Configuration) {
    namesLogs = configuration.namesLogs
    summary.sources = configuration.placeNames
  }

  /// Notes what is new since the last time.
  mutating func note(_ collector: LogCollector, isCaughtUp: Bool) {
    // Of thousands of files few have changed.
    let changes = collector.takeChanges()
    for id in changes {
      let file = IngestSummary.File(collector.files[id]!)
      if let place = places[id] {
        // Something was written to it, so it is there.
        followed[place] = file
      } else {
        places[id] = followed.count
        followed.append(file)
      }
    }
    let hasLooked = isCaughtUp && lookForGone { collector.goneFiles }
    if hasLooked || !changes.isEmpty { summary.files = followed + gone }
    summary.note(
      collector.sourceErrors + (failure.map { [$0] } ?? []), namesLogs: namesLogs)
    noteLedger()
  }

  /// Notes what another process has stored.
  mutating func note(_ reader: LedgerReader) {
    lookForGone { reader.files.filter(\.place.isGone).map { (nil, $0) } }
    summary.files = reader.files.map { state in
      var file = IngestSummary.File(state.report)
      file.isGone = goneKeys.contains(state.key)
      return file
    }
    summary.history = LoadedHistory(first: reader.coverage.first, loaded: reader.coverage.loaded)
    summary.alerts = reader.alerts
    trouble = nil
    (summary.errors, summary.notices) = ([], [])
    noteLedger()
  }

  private mutating func noteLedger() {
    summary.notices += [ledgerNotice, trouble].compactMap { $0 }
  }

  /// Looks which logs are gone; once a minute at most, because each is looked for on the disk.
  @discardableResult
  private mutating func lookForGone(_ look: () -> [(id: Int?, state: FileState)]) -> Bool {
    let now = SystemClock.monotonicMilliseconds
    guard now - lastLook >= 60_000 else { return false }
    lastLook = now
    let files = look()
    goneKeys = Set(files.map(\.state.key))
    let goneIDs = Set(files.compactMap(\.id))
    for (id, place) in places { followed[place].isGone = goneIDs.contains(id) }
    gone = files.filter { $0.id.map { places[$0] == nil } ?? true }.map { _, state in
      var file = IngestSummary.File(state.report)
      file.isGone = true
      return file
    }
    return true
  }
}

/// Tells how the reading of what is there already comes along; of lines that are only just written it
/// says nothing.
private struct Reading {
  /// So many bytes behind is more than a moment's work.
  private static let much: Int64 = 16 << 20

  private(set) var progress: ReadingProgress?
  private var isFirst = true
  private var begin: (milliseconds: Int64, bytes: Int64) = (SystemClock.monotonicMilliseconds, 0)
  private var last: Int64 = 0

  mutating func note(_ now: LogProgress?, isCaughtUp: Bool) {
    let time = SystemClock.monotonicMilliseconds
    guard let now, !isCaughtUp, now.bytesTotal > 0,
      isFirst || now.bytesTotal - now.bytesRead >= Self.much
    else {
      isFirst = isFirst && !isCaughtUp
      (progress, last) = (nil, now?.bytesRead ?? last)
      return
    }
    if progress == nil, !isFirst { begin = (time, last) }
    last = now.bytesRead
    progress = ReadingProgress(
      bytesRead: now.bytesRead, bytesTotal: now.bytesTotal, filesRead: now.filesRead,
      filesTotal: now.filesTotal, recentBytes: now.bytesRead - begin.bytes,
      milliseconds: time - begin.milliseconds)
  }
}

extension IngestSummary {
  /// What is known of files.
  init(_ reports: [FileReport], errors: [LogError], sources: [String], namesLogs: Bool) {
    self.init()
    files = reports.map { File($0) }
    note(errors, namesLogs: namesLogs)
    self.sources = sources
  }

  /// Keeps what is to be said of places.
  mutating func note(_ errors: [LogError], namesLogs: Bool) {
    let told = errors.filter { namesLogs || !$0.isAbsence }
    self.errors = told.filter { !$0.isAboutEvents }.map(\.description)
    notices = told.filter(\.isAboutEvents).map(\.description)
  }
}

extension IngestSummary.File {
  /// What is known of a file.
  init(_ file: FileReport) {
    var problems = file.tally.badLines.prefix(5).map { "at \($0.place): \($0.reason)" }
    if let error = file.error { problems.append(error) }
    self.init(
      path: file.path, formats: file.formats.joined(separator: ", "), lines: file.tally.lines,
      records: file.records, duplicates: file.duplicates, malformed: file.tally.malformed,
      problems: problems)
  }
}
