import MimoDashboard
import MimoEngine
import MimoIngest
import MimoStore
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
    if configuration.addsHistory, addToHistory() { return }
    guard configuration.keepsLedger else { return readIntoMemory() }
    var restarts = 0
    while !remote.isStopped {
      do throws(StoreError) {
        let store = try LedgerStore.open(
          folder: UserFolders.state, access: .write, now: SystemClock.now)
        defer { store.close() }
        try keep(store)
      } catch .held(_, let holder) {
        followKeeper(holder)
      } catch {
        restarts += 1
        // What is damaged is set aside by opening it again.
        if error.needsNewStore, restarts <= 3 { continue }
        ingest.ledgerNotice = "\(error.description) (counting in memory)"
        return readIntoMemory()
      }
    }
  }

  /// Counts named logs on top of the ledger's history, in memory.
  ///
  /// - Returns: whether there is a ledger.
  private func addToHistory() -> Bool {
    do throws(StoreError) {
      let store = try LedgerStore.open(
        folder: UserFolders.state, access: .read, now: SystemClock.now)
      defer { store.close() }
      try store.freeze()
      try keep(store)
      return true
    } catch {
      ingest.ledgerNotice = "\(error.description) (shown without history)"
      return false
    }
  }

  /// Counts into the ledger until the feed is stopped.
  private func keep(_ store: LedgerStore) throws(StoreError) {
    let keeper = try LedgerKeeper(store, configuration)
    ingest = FollowedFiles(configuration)
    ingest.ledgerNotice = store.notices.first
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
      follower.run(keeper.collector) {
        let due = attempt { () throws(StoreError) in
          try keeper.commitIfDue(isCaughtUp: isCaughtUp)
        }
        if failure != nil { follower.end() }
        // Logs may rest for hours; that nothing can be stored is news by itself.
        if keeper.trouble?.description != ingest.trouble { show(keeper.collector) }
        return due ?? nil
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
    ingest = FollowedFiles(configuration)
    ingest.ledgerNotice = "the ledger is kept by \(holder); this screen follows it"
    var reader: LedgerReader?
    var lastTry = SystemClock.monotonicMilliseconds
    while !remote.isStopped {
      do throws(StoreError) {
        if reader == nil {
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
      } catch {
        // The other process may just be making it, or setting a damaged one aside.
        reader = nil
        ingest.trouble = error.description
      }
      poll(nil, 0, 100)
      let now = SystemClock.monotonicMilliseconds
      if now - lastTry >= 1000 {
        lastTry = now
        if !LedgerStore.isHeld(folder: UserFolders.state) { return }
      }
    }
  }

  /// Follows the logs from their beginnings, and forgets all at the end.
  private func readIntoMemory() {
    let collector = LogCollector(
      ledger: Ledger(promptEdges: configuration.catalog.promptEdges),
      sources: configuration.sources, formats: configuration.formats,
      clock: { SystemClock.now })
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
      try LogFollower(sources: configuration.sources, remote: remote).run(collector)
    } catch {
      ingest.failure = error
      show(collector, true)
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
        followed[place] = file
      } else {
        places[id] = followed.count
        followed.append(file)
      }
    }
    let hasLooked = isCaughtUp && lookForGone(collector)
    if hasLooked || !changes.isEmpty { summary.files = followed + gone }
    summary.note(
      collector.sourceErrors + (failure.map { [$0] } ?? []), namesLogs: namesLogs)
    noteLedger()
  }

  /// Notes what another process has stored.
  mutating func note(_ reader: LedgerReader) {
    summary.files = reader.files.map { IngestSummary.File($0.report) }
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
  private mutating func lookForGone(_ collector: LogCollector) -> Bool {
    let now = SystemClock.monotonicMilliseconds
    guard now - lastLook >= 60_000 else { return false }
    lastLook = now
    gone = collector.goneFiles.map { state in
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
