import MimoDashboard
import MimoEngine
import MimoIngest
import MimoStore

/// Adds exports to a ledger.
enum LedgerAddition {
  /// Adds the files and prints what came of it.
  ///
  /// - Parameters:
  ///   - names: what messages call the files.
  ///   - takesOwn: whether the files have sums of this ledger that it lacks.
  static func add(
    _ files: [String], to store: LedgerStore, _ configuration: Configuration,
    names: [String]? = nil, takesOwn: Bool = false
  ) throws(Failure) {
    let sums = LedgerSumIntake(own: LedgerExport.origin(of: store), takesOwn: takesOwn)
    for (index, file) in try count(files, into: store, configuration, sums).enumerated() {
      var text =
        "\(names?[index] ?? file.path): \(NumberFormat.full(Int64(file.records))) new, "
        + "\(NumberFormat.full(Int64(file.duplicates))) known already"
      if file.tooOld > 0 {
        text +=
          ", \(NumberFormat.full(Int64(file.tooOld))) left out, because they were forgotten or the ledger does not go back so far"
      }
      StandardStreams.print(text + "\n")
    }
    if sums.leftOut > 0 {
      StandardStreams.print(
        "\(NumberFormat.counted(Int64(sums.leftOut), "sum")) left out, because this ledger counted the calls itself\n"
      )
    }
  }

  /// Reads the files and stores what they add, with some notes, in one commit.
  static func count(
    _ files: [String], into store: LedgerStore, _ configuration: Configuration,
    _ sums: LedgerSumIntake, notes: [StoreNote] = []
  ) throws(Failure) -> [FileReport] {
    let base = try LedgerCommand.attempt { () throws(StoreError) in
      try store.baseForCounting(promptEdges: configuration.catalog.promptEdges)
    }
    let sources = files.map { LogSource.file($0) }
    let collector = LogCollector(
      ledger: Ledger(restoring: base, archive: base.isEmpty ? nil : store),
      sources: sources, formats: LogFormats(ledgerExports: sums), keySalt: store.keySalt,
      keepsCopies: true, clock: { SystemClock.now })
    do throws(LogError) { try LogFollower(sources: sources).scanOnce(collector) } catch {
      throw Failure(description: error.description)
    }
    // All or nothing: half a file is nobody's wish.
    if let problem = problems(of: collector).first {
      throw Failure(description: "\(problem) (nothing was added)")
    }
    try LedgerCommand.attempt { () throws(StoreError) in
      _ = try store.commit(
        collector.ledger.changes(), notes: notes + store.notes(of: sums.taken), now: SystemClock.now
      )
    }
    return collector.fileReports
  }

  private static func problems(of collector: LogCollector) -> [String] {
    let reports = collector.fileReports
    let expected = "expected what mimo-top ledger export writes"
    return reports.compactMap { $0.error } + collector.sourceErrors.map(\.description)
      + reports.filter { $0.error == nil && $0.tally.foreign + $0.tally.malformed > 0 }.map {
        file in
        let count = NumberFormat.counted(
          Int64(file.tally.foreign + file.tally.malformed), "line")
        return "\(file.path): \(count) of another form; \(expected)"
      }
      + reports.compactMap { file in
        file.unfinished.map { "\(file.path): the last line, at byte \($0.offset), is not finished" }
      }
      + reports.filter { $0.tally.lines == 0 }.map { "\($0.path): is empty; \(expected)" }
  }
}

extension LedgerStore {
  /// What a ledger begins with that counts more calls.
  ///
  /// - Parameter readsAnew: whether it counts logs from their beginnings, so that what was forgotten could come back.
  func baseForCounting(
    promptEdges: [Int64], readsAnew: Bool = false
  ) throws(StoreError) -> LedgerBase {
    var base = try base(promptEdges: promptEdges, now: SystemClock.now)
    base.notBefore = try countedFrom(now: SystemClock.now)
    if readsAnew { base.forgottenSources = try forgottenSources }
    return base
  }
}
