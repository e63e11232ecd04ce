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
      Calls with an id are compared one by one, others by minute, source, session and model. What only the ledger has, \
      because the logs are gone or were never here, is counted and no difference; what it does not go back to is left \
      out. Exit code 1 if there is a difference, or if something could not be stored.
      """)

  @OptionGroup var options: LedgerOptions

  func run() throws {
    let configuration = try options.configuration()
    guard try LedgerCommand.openForReading() != nil else {
      throw LedgerCommand.sayNothingIsThere()
    }
    let scan = try LedgerCommand.attempt { () throws(StoreError) in
      try LedgerScan(configuration, history: .kept([]))
    }
    for notice in scan.notices { StandardStreams.complain(notice) }
    guard let store = try LedgerCommand.openForReading() else {
      throw LedgerCommand.sayNothingIsThere()
    }
    let comparison = try LedgerCommand.attempt { () throws(StoreError) in
      try store.freeze()
      return try RecountComparison(of: store, with: LogRecount(configuration, store))
    }
    StandardStreams.print(comparison.text)
    if !comparison.differences.isEmpty || scan.hasTrouble { throw ExitCode(1) }
  }
}

extension RecountComparison {
  fileprivate var text: String {
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
      ? "the ledger has what the logs say, in \(NumberFormat.counted(Int64(agreeing), "sum")) by source, session and model\n"
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
