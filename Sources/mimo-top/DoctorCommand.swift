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
private struct Examination {
  private let configuration: Configuration
  private let scan: LogScan
  private let findings: [Finding]
  private let age: PriceAge?
  private let unpriced: [Report.Unpriced]

  /// One place and what was read there.
  private struct Finding {
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
    let scan = LogScan(configuration)
    self.scan = scan
    let files = Dictionary(grouping: scan.files, by: \.source)
    findings = configuration.places.enumerated().map { index, place in
      Finding(
        place: place, isThere: place.isThere, files: files[index] ?? [],
        errors: scan.sourceErrors.filter {
          !$0.isAbsence && $0.description.hasPrefix(place.source.description)
        })
    }
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
      } || !configuration.catalog.problems.isEmpty
    if unreadable { return 1 }
    return scan.snapshot.cube.span == nil ? 3 : 0
  }

  /// Why a file was not counted, or not wholly, one sentence each.
  private func remarks(_ file: FileReport) -> [String] {
    var remarks: [String] = []
    if let error = file.error { remarks.append(error) }
    let tally = file.tally
    if file.isForeign, file.error == nil, tally.lines > 0 { remarks.append("no known format") }
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
    if let unfinished = file.unfinished {
      remarks.append("the last line, at byte \(unfinished.offset), is not finished")
    }
    return remarks
  }

  private func counted(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
    guard let plural, count != 1 else { return NumberFormat.counted(Int64(count), noun) }
    return "\(NumberFormat.full(Int64(count))) \(plural)"
  }

  private func shown(_ text: String) -> String { TextWidth.sanitized(text) }

  // MARK: - Text

  var text: String { logs + prices + settings }

  private var logs: String {
    let found = findings.filter { $0.isThere || !$0.errors.isEmpty }
    var text = "logs\n"
    for finding in found {
      text += "  \(finding.place.tool.map { $0 + ": " } ?? "")\(shown(finding.path))\n"
      text += "    \(summary(finding))\n"
      for error in finding.errors { text += "    \(shown(error.description))\n" }
      // Of a folder with thousands of logs only those that something is to be said about.
      let remarkable = finding.files.filter { !remarks($0).isEmpty }
      for file in remarkable.prefix(20) {
        text += "    \(shown(file.path))\(formats(file))\n"
        for remark in remarks(file) { text += "      \(shown(remark))\n" }
      }
      if remarkable.count > 20 {
        text += "    and \(counted(remarkable.count - 20, "more file")) (--json lists all)\n"
      }
    }
    let missing = findings.filter { !$0.isThere && $0.errors.isEmpty }
    if !missing.isEmpty {
      text += found.isEmpty ? "  nothing was found\n" : ""
      text += "  looked for, and not there\n"
      var tools: [String] = []
      for tool in missing.map({ $0.place.tool ?? "" }) where !tools.contains(tool) {
        tools.append(tool)
      }
      for tool in tools {
        // Extensions may be in any of a dozen editors.
        let paths = missing.filter { ($0.place.tool ?? "") == tool }.map { shown($0.path) }
        let rest = paths.count > 4 ? ["and \(paths.count - 3) more places (--json lists all)"] : []
        for path in (rest.isEmpty ? paths : Array(paths.prefix(3))) + rest {
          text += "    \(tool.isEmpty ? "" : tool + ": ")\(path)\n"
        }
      }
    }
    return text
  }

  private func formats(_ file: FileReport) -> String {
    file.formats.isEmpty ? "" : ": " + file.formats.joined(separator: ", ")
  }

  private func summary(_ finding: Finding) -> String {
    let totals = finding.totals
    if finding.files.isEmpty { return "no log in it" }
    var parts = [
      counted(finding.files.count, "file"), counted(totals.records, "call"),
      counted(totals.duplicates, "repeat"),
    ]
    if totals.malformed > 0 { parts.append(counted(totals.malformed, "unreadable line")) }
    if finding.unknown > 0 { parts.append(counted(finding.unknown, "unknown line")) }
    if let newest = finding.newest { parts.append("newest \(configuration.clock.text(newest))") }
    let known = Set(finding.files.flatMap(\.formats)).sorted()
    if !known.isEmpty { parts.append("read as \(known.joined(separator: ", "))") }
    return parts.joined(separator: ", ")
  }

  private var prices: String {
    var text = "\nprices\n  price book of \(Catalog.asOf)"
    text += age.map { "; of the calls found: \(PriceText.age($0))" } ?? ""
    text += "\n"
    for file in configuration.priceFiles { text += "  your own: \(shown(file))\n" }
    let problems = configuration.catalog.problems
    text += problems.isEmpty ? "  no mistake in any price or plan file\n" : ""
    for problem in problems { text += "  \(shown(problem.description))\n" }
    for model in unpriced.prefix(10) {
      let name = shown(model.model ?? "(no model stated)")
      text += "  no price: \(name), \(NumberFormat.counted(model.requests, "request"))\n"
    }
    if unpriced.count > 10 { text += "  no price: \(counted(unpriced.count - 10, "more model"))\n" }
    return text
  }

  private var settings: String {
    let file = configuration.file
    var text = "\nsettings\n  \(shown(file))"
    text += access(file, F_OK) == 0 ? "\n" : " is not there: all as usual\n"
    text += "  plan \(configuration.plan.id), time zone \(shown(configuration.clock.name))\n"
    let problems = Set(configuration.catalog.problems.map(\.description))
    for notice in configuration.notices where !problems.contains(notice) {
      text += "  \(shown(notice))\n"
    }
    for (plan, anchor) in configuration.anchors.sorted(by: { $0.key < $1.key }) {
      text +=
        "  console of \(shown(plan)): \(NumberFormat.credits(anchor.used)) credits used at \(configuration.clock.text(anchor.at))\n"
    }
    return text
  }

  // MARK: - JSON

  var json: JSONOutput {
    .object([
      ("schema", .string("mimo-top.doctor/1")),
      ("places", .array(findings.map(place))),
      ("prices", pricesJSON), ("settings", settingsJSON),
    ])
  }

  private func place(_ finding: Finding) -> JSONOutput {
    let totals = finding.totals
    return .object([
      ("tool", .text(finding.place.tool)), ("path", .string(finding.path)),
      ("found", .bool(finding.isThere)), ("files", .integer(Int64(finding.files.count))),
      ("records", .integer(Int64(totals.records))),
      ("duplicates", .integer(Int64(totals.duplicates))),
      ("not_usage", .integer(Int64(totals.notUsage))),
      ("malformed", .integer(Int64(totals.malformed))),
      ("unknown", .integer(Int64(finding.unknown))),
      ("newest", .text(finding.newest.map(configuration.clock.text))),
      ("errors", .array(finding.errors.map { .string($0.description) })),
      ("logs", .array(finding.files.map(log))),
    ])
  }

  private func log(_ file: FileReport) -> JSONOutput {
    .object([
      ("path", .string(file.path)), ("formats", .array(file.formats.map(JSONOutput.string))),
      ("bytes", .integer(file.bytes)), ("lines", .integer(Int64(file.tally.lines))),
      ("records", .integer(Int64(file.records))), ("duplicates", .integer(Int64(file.duplicates))),
      ("not_usage", .integer(Int64(file.tally.notUsage))),
      ("malformed", .integer(Int64(file.tally.malformed))),
      ("unknown", .integer(Int64(file.tally.foreign))),
      ("imported", .integer(Int64(file.tally.imported))),
      ("newest", .text(file.newest.map(configuration.clock.text))),
      ("remarks", .array(remarks(file).map(JSONOutput.string))),
    ])
  }

  private var pricesJSON: JSONOutput {
    .object([
      ("as_of", .string(Catalog.asOf)), ("checked", .text(age?.checked.text)),
      ("days", age.map { .integer(Int64($0.days)) } ?? .null),
      ("is_stale", age.map { .bool($0.isStale) } ?? .null),
      ("own_files", .array(configuration.priceFiles.map(JSONOutput.string))),
      (
        "problems", .array(configuration.catalog.problems.map { .string($0.description) })
      ),
      (
        "unpriced",
        .array(
          unpriced.map {
            .object([("model", .text($0.model)), ("requests", .integer($0.requests))])
          })
      ),
    ])
  }

  private var settingsJSON: JSONOutput {
    .object([
      ("file", .string(configuration.file)), ("plan", .string(configuration.plan.id)),
      ("time_zone", .string(configuration.clock.name)),
      ("notices", .array(configuration.notices.map(JSONOutput.string))),
      (
        "anchors",
        .array(
          configuration.anchors.sorted { $0.key < $1.key }.map { plan, anchor in
            .object([
              ("plan", .string(plan)), ("at", .string(configuration.clock.text(anchor.at))),
              ("used", UsageJSON.credits(anchor.used)),
            ])
          })
      ),
    ])
  }
}
