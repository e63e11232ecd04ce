import ArgumentParser
import MimoCatalog
import MimoDashboard
import MimoEngine
import MimoIngest
import MimoScreen

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// `mimo-top doctor`: what was looked for where, what was found, and why something was left out.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract:
      "Show what is read from where, what could not be read and why, and how old the prices are.",
    discussion: """
      Reads everything once. Without LOG: all places where the known tools keep logs on this machine. \
      Exit code 0 if all is well, 1 if something could not be read, 3 if there is no usage.
      """)

  @OptionGroup var common: CommonOptions

  @Flag(help: "Print one JSON document (schema mimo-top.doctor/1).")
  var json = false

  func run() throws {
    let configuration = try Configuration(common)
    let examination = Examination(configuration)
    StandardStreams.print(json ? examination.json.text + "\n" : examination.text)
    if examination.exitCode != 0 { throw ExitCode(examination.exitCode) }
  }
}

/// What a doctor finds.
struct Examination {
  let configuration: Configuration
  private let scan: LogScan
  let findings: [Finding]
  let age: PriceAge?
  let unpriced: [Report.Unpriced]
  /// The ledger, unless the user leaves it out.
  let ledger: LedgerFinding?
  /// Whether the system would tell the dashboard of changes there.
  let watching: WatchTrial

  /// One place and what was read there.
  struct Finding {
    let place: Discovery.Place
    let isThere: Bool
    let files: [FileReport]
    let errors: [LogError]

    var totals: IngestTotals { IngestTotals(files) }
    var newest: Instant? { files.compactMap(\.newest).max() }
    /// Lines, entries and rows of no known format.
    var unknown: Int { files.reduce(0) { $0 + $1.tally.foreign } }
    var path: String { place.source.description }
  }

  init(_ configuration: Configuration) {
    self.configuration = configuration
    ledger = configuration.keepsLedger ? LedgerFinding(folder: UserFolders.state) : nil
    // What is wrong with a log shows when it is read, not in what was read of it before.
    var fresh = configuration
    fresh.keepsLedger = false
    let scan = LogScan(fresh)
    self.scan = scan
    let files = Dictionary(grouping: scan.files, by: \.source)
    findings = configuration.places.enumerated().map { index, place in
      Finding(
        place: place, isThere: place.isThere, files: files[index] ?? [],
        errors: scan.sourceErrors.filter {
          !$0.isAbsence && $0.description.hasPrefix(place.source.description)
        })
    }
    watching = WatchTrial(of: configuration.sources)
    let report = Report(of: scan.snapshot, tariff: configuration.tariff, clock: configuration.clock)
    age = PriceAge(
      checked: report.pricesChecked, now: configuration.now, clock: configuration.clock)
    unpriced = report.unpriced
  }

  /// As for all commands that read logs.
  var exitCode: Int32 {
    let unreadable =
      findings.contains { finding in
        finding.files.contains { $0.error != nil } || !finding.errors.isEmpty
          || (configuration.namesLogs && !finding.isThere)
      } || !configuration.catalog.problems.isEmpty || ledger?.error != nil
    if unreadable { return 1 }
    return scan.snapshot.cube.span == nil ? 3 : 0
  }

  /// Why a file was not counted, or not wholly, one sentence each.
  func remarks(_ file: FileReport) -> [String] {
    var remarks: [String] = []
    if let error = file.error { remarks.append(error) }
    let tally = file.tally
    if file.isForeign, file.error == nil {
      remarks.append("no known format: " + file.foreignContent(configuration.formats))
    }
    if tally.malformed > 0 {
      let places = tally.badLines.prefix(3).map { "\($0.place): \($0.reason)" }
      remarks.append(
        "\(counted(tally.malformed, "line")) could not be read (\(places.joined(separator: "; ")))")
    }
    if tally.imported > 0 {
      remarks.append(
        "\(counted(tally.imported, "imported call")) left to the logs of the tool that made them")
    }
    if file.copiesLeftOut > 0 {
      remarks.append(
        "\(counted(file.copiesLeftOut, "copy", "copies")) of calls of other files left out, because the file was named alone"
      )
    }
    if file.tooOld > 0 {
      remarks.append(
        "\(counted(file.tooOld, "call")) left out: the ledger does not go back so far (mimo-top ledger says why)"
      )
    }
    if let unfinished = file.unfinished {
      remarks.append("the last line, at byte \(unfinished.offset), is not finished")
    }
    return remarks
  }

  func counted(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
    guard let plural, count != 1 else { return NumberFormat.counted(Int64(count), noun) }
    return "\(NumberFormat.full(Int64(count))) \(plural)"
  }

}
