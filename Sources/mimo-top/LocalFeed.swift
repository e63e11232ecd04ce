import MimoDashboard
import MimoEngine
import MimoIngest
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
  }

  /// Starts following.
  ///
  /// - Throws: `LogError` if the system refuses what following needs.
  init(_ configuration: Configuration) throws {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw LogError.failed(path: "wake-up pipe", code: errno) }
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    (descriptor, bell) = (ends[0], ends[1])
    remote = try LogFollowerRemote()
    start(configuration)
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

  private func start(_ configuration: Configuration) {
    let sources = configuration.sources
    let placeNames = configuration.placeNames
    let formats = configuration.formats
    let edges = configuration.catalog.promptEdges
    let namesLogs = configuration.namesLogs
    let remote = remote
    let thread = WorkerThread.start { [weak self] in
      let collector = LogCollector(
        ledger: Ledger(promptEdges: edges), sources: sources, formats: formats,
        clock: { SystemClock.now })
      var files: [Int: Int] = [:]
      var ingest = IngestSummary()
      ingest.sources = placeNames
      var reading = Reading()
      collector.onRound = { collector, isCaughtUp in
        reading.note(collector.progress, isCaughtUp: isCaughtUp)
        guard let self, self.isWanted() else { return }
        // Of thousands of files few have changed.
        for id in collector.takeChanges() {
          let file = IngestSummary.File(collector.files[id]!)
          if let place = files[id] {
            ingest.files[place] = file
          } else {
            files[id] = ingest.files.count
            ingest.files.append(file)
          }
        }
        ingest.note(collector.sourceErrors, namesLogs: namesLogs)
        ingest.reading = reading.progress
        self.publish(
          News(snapshot: collector.ledger.snapshot(), ingest: ingest, isCaughtUp: isCaughtUp))
      }
      do throws(LogError) {
        try LogFollower(sources: sources, remote: remote).run(collector)
      } catch {
        var ingest = IngestSummary()
        ingest.errors = [error.description]
        self?.publish(News(snapshot: collector.ledger.snapshot(), ingest: ingest, isCaughtUp: true))
      }
    }
    precondition(thread != nil, "the system refuses another thread")
    thread?.detach()
  }

  private func isWanted() -> Bool {
    mailbox.withLock { mailbox in
      defer { (mailbox.isWanted, mailbox.isStale) = (false, !mailbox.isWanted) }
      return mailbox.isWanted
    }
  }

  private func publish(_ latest: News) {
    mailbox.withLock { $0.news = latest }
    var byte: UInt8 = 0
    _ = write(bell, &byte, 1)
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
