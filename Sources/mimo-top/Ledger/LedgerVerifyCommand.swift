import ArgumentParser
import MimoDashboard
import MimoEngine
import MimoIngest
import MimoScreen
import MimoStore

/// `mimo-top ledger verify`.
struct LedgerVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Count the logs that are still there anew, and name each difference from the ledger.",
    discussion: """
      Sums are compared by source, session and model. What only the ledger has, because the logs are gone or were \
      never here, is counted and no difference. Exit code 1 if there is a difference.
      """)

  func run() throws {
    let configuration = try Configuration(CommonOptions.parse([]))
    guard try LedgerCommand.openForReading() != nil else {
      throw LedgerCommand.sayNothingIsThere()
    }
    let ledger = try LedgerCommand.attempt { () throws(StoreError) in
      try LedgerScan(configuration)
    }
    let recount = ParallelScan(
      of: configuration.sources.filter(\.isSeekable),
      ledger: Ledger(promptEdges: configuration.catalog.promptEdges),
      formats: configuration.formats, readTime: configuration.now)
    let comparison = RecountComparison(
      ledger: ledger.snapshot, logs: recount.snapshot, goneFormats: ledger.goneFormats)
    StandardStreams.print(comparison.text)
    if !comparison.differences.isEmpty { throw ExitCode(1) }
  }
}

/// What the ledger and a recount of the logs have in common and what not.
struct RecountComparison {
  /// What sums are compared by.
  struct Subject: Hashable {
    var source: String
    var session: String
    var model: String
  }

  struct Sums: Equatable {
    var requests: Int64 = 0
    var errors: Int64 = 0
    var tokens = TokenCounts()
    /// Whether each counter is at least that of the other.
    func covers(_ other: Sums) -> Bool {
      requests >= other.requests && errors >= other.errors
        && tokens.maximum(other.tokens) == tokens
    }
  }

  struct Difference {
    var subject: Subject
    var ledger: Sums
    var logs: Sums
  }

  private(set) var agreeing = 0
  private(set) var differences: [Difference] = []
  /// Calls that only the ledger tells.
  private(set) var kept: Int64 = 0

  /// - Parameter goneFormats: formats of which some log is gone.
  init(ledger: UsageSnapshot, logs: UsageSnapshot, goneFormats: Set<String>) {
    let (a, b) = (Self.sums(ledger), Self.sums(logs))
    for (subject, logs) in b.sorted(by: { Self.isBefore($0.key, $1.key) }) {
      let ledger = a[subject] ?? Sums()
      if ledger == logs {
        agreeing += 1
      } else if ledger.covers(logs), goneFormats.contains(subject.source) {
        agreeing += 1
        kept += ledger.requests - logs.requests
      } else {
        differences.append(Difference(subject: subject, ledger: ledger, logs: logs))
      }
    }
    for (subject, sums) in a where b[subject] == nil { kept += sums.requests }
  }

  private static func sums(_ snapshot: UsageSnapshot) -> [Subject: Sums] {
    var sums: [Subject: Sums] = [:]
    var subjects: [UInt32: Subject] = [:]
    snapshot.cube.forEachCell { cell, _ in
      let labels = snapshot.cube.series[Int(cell.series)].labels
      let subject =
        subjects[cell.series]
        ?? Subject(
          source: snapshot.names[labels.source], session: snapshot.names[labels.session],
          model: snapshot.names[labels.model])
      subjects[cell.series] = subject
      sums[subject, default: Sums()].requests += Int64(cell.requests)
      sums[subject, default: Sums()].errors += Int64(cell.errors)
      sums[subject, default: Sums()].tokens += cell.tokens
    }
    return sums
  }

  private static func isBefore(_ a: Subject, _ b: Subject) -> Bool {
    (a.source, a.session, a.model) < (b.source, b.session, b.model)
  }

  var text: String {
    var text = ""
    for difference in differences {
      let subject = difference.subject
      let names = [subject.source, subject.session, subject.model]
        .map { TextWidth.sanitized($0.isEmpty ? "(none)" : $0) }
      text +=
        "differs: \(names[0]), session \(names[1]), \(names[2])\n"
        + "  ledger \(Self.words(difference.ledger))\n  logs   \(Self.words(difference.logs))\n"
    }
    text +=
      differences.isEmpty
      ? "the ledger has what the logs say: \(NumberFormat.counted(Int64(agreeing), "sum")) compared\n"
      : "\(NumberFormat.counted(Int64(differences.count), "difference")), \(NumberFormat.counted(Int64(agreeing), "sum")) the same; mimo-top ledger rebuild counts anew\n"
    if kept > 0 {
      text += "only the ledger still tells \(NumberFormat.counted(kept, "call"))\n"
    }
    return text
  }

  private static func words(_ sums: Sums) -> String {
    let t = sums.tokens
    let counts = [
      ("input", t.input), ("cache read", t.cacheRead),
      ("cache write", t.cacheWrite5m + t.cacheWrite1h),
      ("output", t.output),
    ]
    return
      "\(NumberFormat.counted(sums.requests, "call")), \(NumberFormat.full(sums.errors)) failed; "
      + counts.map { "\($0.0) \(NumberFormat.full($0.1))" }.joined(separator: ", ")
  }
}
