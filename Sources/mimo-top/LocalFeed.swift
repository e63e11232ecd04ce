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
  private let news = Mutex<News?>(nil)

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

  /// The news since the last call, if any.
  func take() -> News? {
    var bytes: (UInt64, UInt64) = (0, 0)
    while read(descriptor, &bytes, 16) > 0 {}
    return news.withLock { news in
      defer { news = nil }
      return news
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
      var lastPublished: Int64 = 0
      collector.onRound = { collector, isCaughtUp in
        // Thirty times a second is more than anybody sees; the last round is always shown.
        let time = SystemClock.monotonicMilliseconds
        if !isCaughtUp, time - lastPublished < 33 { return }
        lastPublished = time
        self?.publish(
          News(
            snapshot: collector.ledger.snapshot(),
            ingest: IngestSummary(
              collector, sources: placeNames, namesLogs: namesLogs, isCaughtUp: isCaughtUp),
            isCaughtUp: isCaughtUp))
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

  private func publish(_ latest: News) {
    news.withLock { $0 = latest }
    var byte: UInt8 = 0
    _ = write(bell, &byte, 1)
  }
}

extension IngestSummary {
  /// What a collector has read so far.
  init(_ collector: LogCollector, sources: [String], namesLogs: Bool, isCaughtUp: Bool) {
    self.init(
      collector.fileReports, errors: collector.sourceErrors, sources: sources, namesLogs: namesLogs)
    if !isCaughtUp, let progress = collector.progress, progress.bytesTotal > 0 {
      percentRead = Int(min(99, progress.bytesRead * 100 / progress.bytesTotal))
    }
  }

  /// What is known of files.
  init(_ reports: [FileReport], errors: [LogError], sources: [String], namesLogs: Bool) {
    self.init()
    files = reports.map { file in
      var problems = file.tally.badLines.prefix(5).map { "at \($0.place): \($0.reason)" }
      if let error = file.error { problems.append(error) }
      return File(
        path: file.path, formats: file.formats.joined(separator: ", "), lines: file.tally.lines,
        records: file.records, duplicates: file.duplicates, malformed: file.tally.malformed,
        problems: problems)
    }
    self.errors = errors.filter { namesLogs || !$0.isAbsence }.map(\.description)
    self.sources = sources
  }
}
