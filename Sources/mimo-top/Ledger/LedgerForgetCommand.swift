import ArgumentParser
import MimoDashboard
import MimoEngine
import MimoStore

/// `mimo-top ledger forget`.
struct LedgerForgetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forget",
    abstract: "Delete usage before a time, or that of one source, for good.",
    discussion: """
      Alerts that were over before the time go, too. What is deleted is overwritten on disk, and does not come back: \
      logs that were read are not read again, and what logs or exports repeat of it is recognised and not counted. \
      mimo-top ledger export writes what there is beforehand.
      """)

  @Option(
    help: ArgumentHelp(
      "Delete what is before: a date, a time with offset, or a span back from now (400d).",
      valueName: "time"))
  var before: String?

  @Option(
    help: ArgumentHelp(
      "Delete what this source told; mimo-top ledger lists them.", valueName: "name"))
  var source: String?

  @Option(
    name: .customLong("tz"), help: ArgumentHelp("Time zone of a date.", valueName: "name"))
  var timeZone: String?

  @OptionGroup var options: LedgerOptions

  func run() throws {
    guard (before == nil) != (source == nil) else {
      throw Misuse(
        description: "forget: say what, with --before TIME or --source NAME (one of them)")
    }
    let configuration = try options.configuration(timeZone: timeZone)
    let minute = try before.map { text in
      try TimeArgument.instant(
        text, "--before", configuration.clock, configuration.now, endOfDay: false
      ).minute
    }
    if let minute, minute > configuration.now.minute {
      throw Misuse(description: "--before '\(before ?? "")' lies in the future")
    }
    guard try LedgerCommand.openForReading() != nil else {
      throw LedgerCommand.sayNothingIsThere()
    }
    let store = try LedgerCommand.openForWriting()
    defer { store.close() }
    let (had, has) = try LedgerCommand.attempt { () throws(StoreError) in
      let had = try store.statistics()
      if let source {
        guard had.sources.contains(where: { $0.name == source }) else { return (had, had) }
        try store.forget(source: source, now: SystemClock.now)
      } else if let minute {
        try store.forget(before: minute, now: SystemClock.now)
      }
      return (had, try store.statistics())
    }
    if let source, !had.sources.contains(where: { $0.name == source }) {
      let known = had.sources.map(\.name).joined(separator: ", ")
      throw Misuse(
        description: "--source '\(source)': the ledger has \(known.isEmpty ? "none" : known)")
    }
    let calls = had.requests - has.requests
    StandardStreams.print(
      "forgot \(NumberFormat.counted(calls, "call")) in \(NumberFormat.counted(Int64(had.cells - has.cells), "cell")); \(NumberFormat.counted(has.requests, "call")) left\n"
    )
  }
}

extension StoreStatistics {
  var requests: Int64 { sources.reduce(0) { $0 + $1.requests } }
}
