import MimoDashboard
import MimoEngine
import MimoIngest
import MimoStore

/// Everything that the ledger has and the logs say beyond it, or that named logs hold now, read once.
struct LogScan {
  let snapshot: UsageSnapshot
  let files: [FileReport]
  let sourceErrors: [LogError]
  /// What there is to say of the ledger.
  private(set) var notices: [String] = []
  /// Why the logs were read without the ledger.
  private(set) var ledgerError: StoreError?
  private var ledger: LedgerScan?

  /// Reads all sources of a configuration to their end, and works something out of them.
  ///
  /// - Parameters:
  ///   - minutes: the only ones of the ledger's history that are looked at; `nil` for all.
  ///   - counting: an empty ledger for what is not in the one on disk.
  ///   - ahead: what may have begun to read named logs.
  ///   - body: may be called twice, if what has to be read of the ledger's history meanwhile cannot be.
  ///   - scan: what was read.
  static func withAll<Result>(
    _ configuration: Configuration, only minutes: Range<Minute>? = nil, with counting: Ledger,
    ahead: ScanAhead? = nil,
    _ body: (_ scan: LogScan) -> Result
  ) -> (scan: LogScan, result: Result) {
    var scan = LogScan(configuration, history: .passing(minutes), with: counting, ahead: ahead)
    var result = body(scan)
    defer { scan.ledger?.close() }
    if let error = scan.ledger?.readError {
      scan = LogScan(configuration, unusable: error, with: counting)
      result = body(scan)
    }
    return (scan, result)
  }

  /// Reads all sources of a configuration to their end.
  ///
  /// - Parameters:
  ///   - history: what is needed of that in the ledger.
  ///   - unusable: why the ledger is not to be used.
  ///   - counting: an empty ledger, used unless the one on disk is; by default one that keeps all that any screen needs.
  init(
    _ configuration: Configuration, history: NeededHistory = .kept(nil),
    unusable: StoreError? = nil, with counting: Ledger? = nil, ahead: ScanAhead? = nil
  ) {
    ledgerError = unusable
    if unusable == nil, configuration.keepsLedger || configuration.addsHistory {
      do throws(StoreError) {
        let scan = try LedgerScan(configuration, history: history)
        ledger = scan
        (snapshot, files, sourceErrors) = (scan.snapshot, scan.files, scan.sourceErrors)
        notices = scan.notices
        return
      } catch .missing {
        // Somebody is just beginning one.
      } catch {
        ledgerError = error
      }
    }
    let ledger = counting ?? Ledger(promptEdges: configuration.catalog.promptEdges)
    if configuration.sources.allSatisfy(\.isSeekable) {
      let scan = ParallelScan(
        of: configuration.sources, ledger: ledger, formats: configuration.formats,
        readTime: configuration.now, ahead: ahead)
      (snapshot, files, sourceErrors) = (scan.snapshot, scan.files, scan.errors)
      return
    }
    let collector = LogCollector(
      ledger: ledger, sources: configuration.sources, formats: configuration.formats,
      clock: { SystemClock.now })
    do throws(LogError) {
      try LogFollower(sources: configuration.sources).scanOnce(collector)
      sourceErrors = collector.sourceErrors
    } catch {
      sourceErrors = [error]
    }
    snapshot = collector.ledger.snapshot()
    files = collector.fileReports
  }

  /// What was read, as the interface shows it.
  func summary(_ configuration: Configuration) -> IngestSummary {
    IngestSummary(
      files, errors: sourceErrors, sources: configuration.placeNames,
      namesLogs: configuration.namesLogs)
  }

  /// Says on standard error what could not be read.
  ///
  /// - Returns: the exit code: 0, 1 if something could not be read, 3 if there is no usage.
  func complain(noUsage: Bool, _ configuration: Configuration) -> Int32 {
    var isIncomplete = ledgerError != nil || ledger?.hasTrouble == true
    if let ledgerError {
      StandardStreams.complain("\(ledgerError.description) (the logs were read without it)")
    }
    for notice in notices { StandardStreams.complain(notice) }
    var isForeignSaid = false
    for error in sourceErrors where configuration.namesLogs || !error.isAbsence {
      StandardStreams.complain(error.description)
      isIncomplete = true
    }
    for file in files {
      if let error = file.error {
        StandardStreams.complain(error)
        isIncomplete = true
      }
      if file.tally.malformed > 0 {
        let bad = file.tally.badLines.prefix(3).map { "\($0.place): \($0.reason)" }
        let count = NumberFormat.counted(Int64(file.tally.malformed), "line")
        StandardStreams.complain(
          "\(file.path): \(count) could not be read (\(bad.joined(separator: "; ")))")
      }
      if let unfinished = file.unfinished {
        StandardStreams.complain(
          "\(file.path): the last line, at byte \(unfinished.offset), is not finished and was not counted"
        )
      }
      // In a folder other files are to be expected.
      if file.isForeign, file.error == nil, configuration.sources.contains(.file(file.path)) {
        StandardStreams.complain(
          "no usage recognised in \(file.path): "
            + file.foreignContent(configuration.formats) + advice(file, configuration))
        isForeignSaid = true
      }
    }
    if isIncomplete { return 1 }
    guard noUsage else { return 0 }
    if snapshot.cube.span != nil {
      let what = configuration.filters.isEmpty ? "this window" : "this selection"
      StandardStreams.complain(
        "no usage in \(what); the logs have \(NumberFormat.counted(recordCount, "call"))")
    } else if !configuration.namesLogs {
      let places = configuration.placeNames.joined(separator: ", ")
      StandardStreams.complain(
        "no usage found; looked in \(places). Name a log, or try mimo-top --demo")
    } else if !isForeignSaid {
      let places = configuration.placeNames.joined(separator: ", ")
      let read = NumberFormat.counted(Int64(files.count), "log")
      StandardStreams.complain(
        "no usage found in \(places): \(files.isEmpty ? "no log" : read) there; mimo-top doctor says more"
      )
    }
    return 3
  }

  private var recordCount: Int64 { files.reduce(0) { $0 + Int64($1.records) } }

  /// What the user can do about a file without usage.
  private func advice(_ file: FileReport, _ configuration: Configuration) -> String {
    if file.bytes == 0 { return "" }
    if configuration.formats.names.count == 1 { return "; without --format it is recognised" }
    return file.tally.foreignObjects > 0
      ? "; name them with --map, or see mimo-top doctor"
      : "; mimo-top doctor lists the known formats"
  }
}

extension FileReport {
  /// What was seen in a file in which no format was recognised, without its text.
  func foreignContent(_ formats: LogFormats) -> String {
    let (objects, lines) = (Int64(tally.foreignObjects), Int64(tally.lines - tally.blank))
    if bytes == 0, unfinished != nil { return "no line of it is finished" }
    if bytes == 0 || tally.lines > 0 && lines == 0 { return "it is empty" }
    if lines == 0 { return "no lines, and no database of a known tool" }
    let counted = NumberFormat.counted(lines, "line")
    if let name = formats.names.first, formats.names.count == 1 {
      return "\(counted), none of the format \(name)"
    }
    if objects == 0 { return "\(counted), none of them a JSON object" }
    let other =
      lines > objects ? " and \(NumberFormat.count(lines - objects)) of something else" : ""
    return
      "\(NumberFormat.counted(objects, "line")) of JSON\(other), none with token counts we know"
  }
}

extension LogError {
  /// Whether it only says that something is not there. Of the places looked at unasked, that is no news.
  var isAbsence: Bool {
    switch self {
    case .noSuchFile, .waitingFor: true
    default: false
    }
  }
}
