import MimoDashboard
import MimoEngine
import MimoIngest

/// Everything that the logs hold now, read once.
struct LogScan {
  let snapshot: UsageSnapshot
  let files: [FileReport]
  let sourceErrors: [LogError]
  let ingest: IngestSummary

  /// Reads all sources of a configuration to their end.
  init(_ configuration: Configuration) {
    let collector = LogCollector(
      ledger: Ledger(promptEdges: configuration.catalog.promptEdges),
      sources: configuration.sources,
      formats: configuration.formats, clock: { SystemClock.now })
    do throws(LogError) {
      try LogFollower(sources: configuration.sources).scanOnce(collector)
      sourceErrors = collector.sourceErrors
    } catch {
      sourceErrors = [error]
    }
    snapshot = collector.ledger.snapshot()
    files = collector.fileReports
    ingest = IngestSummary(
      collector, sources: configuration.sources, namesLogs: configuration.namesLogs,
      isCaughtUp: true)
  }

  /// Sources that could not be read at all.
  var unreadableSources: Int { sourceErrors.count }

  /// Says on standard error what could not be read.
  ///
  /// - Returns: the exit code: 0, 1 if something could not be read, 3 if there is no usage.
  func complain(noUsage: Bool, _ configuration: Configuration) -> Int32 {
    var isIncomplete = false
    for error in sourceErrors {
      // Of the places we look at on our own, those that do not exist are no news.
      if !configuration.namesLogs, case .noSuchFile = error { continue }
      StandardStreams.complain(error.description)
      isIncomplete = true
    }
    for file in files {
      if let error = file.error {
        StandardStreams.complain(error)
        isIncomplete = true
      }
      if file.tally.malformed > 0 {
        let bad = file.tally.badLines.prefix(3).map { "byte \($0.offset): \($0.reason)" }.joined(
          separator: "; ")
        StandardStreams.complain(
          "\(file.path): \(file.tally.malformed) lines could not be read (\(bad))")
      }
      if let unfinished = file.unfinished {
        StandardStreams.complain(
          "\(file.path): the last line, at byte \(unfinished.offset), is not finished and was not counted"
        )
      }
      if configuration.namesLogs, file.isForeign, file.error == nil,
        case .folder? = sourceKind(configuration)
      {
        continue
      }
      if configuration.namesLogs, file.isForeign, file.error == nil {
        let known = Decoders.all.map { $0.name }.joined(separator: ", ")
        StandardStreams.complain("no usage recognised in \(file.path), looked for: \(known)")
      }
    }
    if isIncomplete { return 1 }
    if noUsage {
      if !configuration.namesLogs {
        let places = configuration.sources.map(\.description).joined(separator: ", ")
        StandardStreams.complain(
          "no usage found; looked in \(places). Name a log, or try mimo-top --demo")
      }
      return 3
    }
    return 0
  }

  private func sourceKind(_ configuration: Configuration) -> LogSource? {
    configuration.sources.first
  }
}
