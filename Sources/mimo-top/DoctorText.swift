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

extension Examination {
  /// The findings in words, made for 80 columns; only paths and what is said of a file may be longer.
  var text: String { found + missing + formats + ledgerText + watchingText + prices + settings }

  /// A path as people write it.
  private func shown(_ path: String) -> String {
    let home = UserFolders.home + "/"
    return TextWidth.sanitized(path.hasPrefix(home) ? "~/" + path.dropFirst(home.count) : path)
  }

  // MARK: - Logs

  private var found: String {
    let found = findings.filter { $0.isThere || !$0.errors.isEmpty }
    if found.isEmpty { return "logs\n  none were found\n" }
    let titles = [
      "logs", "files", "calls", "repeats", "unreadable", "unknown",
      "newest (\(configuration.clock.name))",
    ]
    let sums = row("  all", found)
    let rows = [titles] + found.map { row("  " + name($0), [$0]) } + [sums]
    let widths = titles.indices.map { column in
      rows.map { TextWidth.width(of: $0[column]) }.max() ?? 0
    }
    func line(_ row: [String]) -> String {
      let cells = row.indices.map { column in
        TextWidth.padded(
          row[column], to: widths[column], alignment: column == 0 ? .leading : .trailing)
      }
      return cells.joined(separator: "  ") + "\n"
    }
    var text = line(titles)
    for (finding, row) in zip(found, rows.dropFirst()) {
      text += line(row) + "    " + shown(finding.path) + readAs(finding.files) + "\n"
      text += remarks(finding)
    }
    if found.count > 1 { text += line(sums) }
    return text
      + "  repeats: calls told again, which count once; unknown: lines of no known format\n"
  }

  private func name(_ finding: Finding) -> String {
    TextWidth.truncated(
      finding.place.tool ?? String(finding.path.split(separator: "/").last ?? "/"), to: 18,
      ellipsis: "~")
  }

  private func row(_ name: String, _ findings: [Finding]) -> [String] {
    let totals = IngestTotals(findings.flatMap(\.files))
    let counts = [
      findings.reduce(0) { $0 + $1.files.count }, totals.records, totals.duplicates,
      totals.malformed, findings.reduce(0) { $0 + $1.unknown },
    ]
    let newest = findings.compactMap(\.newest).max().map { newest in
      String(configuration.clock.text(newest).prefix(16).map { $0 == "T" ? " " : $0 })
    }
    return [name] + counts.map { NumberFormat.full(Int64($0)) } + [newest ?? "-"]
  }

  private func readAs(_ files: [FileReport]) -> String {
    let known = Set(files.flatMap(\.formats)).sorted()
    return known.isEmpty ? "" : ", read as " + known.joined(separator: ", ")
  }

  /// What is wrong with a place, and with its files: of thousands only those of which something is to be said.
  private func remarks(_ finding: Finding) -> String {
    var text = ""
    for error in finding.errors { text += "      \(shown(error.description))\n" }
    if finding.isThere, finding.files.isEmpty, finding.errors.isEmpty {
      text += "      no log in it\n"
    }
    let remarkable = finding.files.filter { !remarks($0).isEmpty }
    for file in remarkable.prefix(20) {
      let isInside = file.path.hasPrefix(finding.path + "/")
      if file.path != finding.path {
        let path = isInside ? String(file.path.dropFirst(finding.path.count + 1)) : file.path
        text += "      \(shown(path))\n"
      }
      for remark in remarks(file) {
        // An error begins with the path, which was just said.
        let rest =
          remark.hasPrefix(file.path + ": ") ? remark.dropFirst(file.path.count + 2) : remark[...]
        text += "        \(TextWidth.sanitized(String(rest)))\n"
      }
    }
    if remarkable.count > 20 {
      text += "      and \(counted(remarkable.count - 20, "more file")) (--json lists all)\n"
    }
    return text
  }

  private var ledgerText: String {
    guard let (summary, path, more) = ledger?.lines else { return "" }
    let rest = more.map { "        \(TextWidth.sanitized($0))\n" }.joined()
    return "\nledger\n  \(summary)\n    \(shown(path))\n\(rest)"
  }

  private var missing: String {
    let missing = findings.filter { !$0.isThere && $0.errors.isEmpty }
    if missing.isEmpty { return "" }
    var text =
      configuration.namesLogs
      ? "\nnot there\n" : "\nnot there; what appears while mimo-top runs is noticed\n"
    var tools: [String] = []
    for tool in missing.map({ $0.place.tool ?? "" }) where !tools.contains(tool) {
      tools.append(tool)
    }
    for tool in tools {
      // Extensions may be in any of a dozen editors.
      let paths = missing.filter { ($0.place.tool ?? "") == tool }.map { shown($0.path) }
      let rest = paths.count > 4 ? ["and \(paths.count - 3) more places (--json lists all)"] : []
      for (index, path) in ((rest.isEmpty ? paths : Array(paths.prefix(3))) + rest).enumerated() {
        let label = index == 0 ? tool : ""
        text += "  \(tool.isEmpty ? "" : TextWidth.padded(label, to: 13))\(path)\n"
      }
    }
    return text
  }

  /// For who has logs that are not recognised, or none.
  private var formats: String {
    let isForeign = findings.contains { $0.files.contains { $0.isForeign && $0.error == nil } }
    guard isForeign || exitCode == 3 else { return "" }
    var text = "\nknown formats (--format NAME takes a log as one of them)\n"
    for format in LogFormats.all.list {
      text += "  \(TextWidth.padded(format.name, to: 13))\(format.title)\n"
    }
    return text
  }

  private var watchingText: String {
    var text = "\nwatching\n"
    if watching.folders > 0 {
      text += "  the system tells of changes in \(counted(watching.folders, "folder"))\n"
    }
    for problem in watching.problems { text += "  \(shown(problem.description))\n" }
    if watching.folders == 0, watching.problems.isEmpty {
      text += "  logs are looked at on a timer\n"
    }
    return text
  }

  // MARK: - Prices and settings

  private var prices: String {
    var text = "\nprices\n  price book of \(Catalog.asOf)"
    text += age.map { "\n  of the calls found: \(PriceText.age($0))" } ?? ""
    text += "\n"
    for file in configuration.priceFiles { text += "  your own: \(shown(file))\n" }
    let problems = configuration.catalog.problems
    text += problems.isEmpty ? "  no mistake in any price or plan file\n" : ""
    for problem in problems { text += "  \(shown(problem.description))\n" }
    for model in unpriced.prefix(10) {
      let name = TextWidth.sanitized(model.model ?? "(no model stated)")
      text += "  no price: \(name), \(NumberFormat.counted(model.requests, "request"))\n"
    }
    if unpriced.count > 10 { text += "  no price: \(counted(unpriced.count - 10, "more model"))\n" }
    return text
  }

  private var settings: String {
    let file = configuration.file
    var text = "\nsettings\n  \(shown(file))"
    text += access(file, F_OK) == 0 ? "\n" : " is not there: all as usual\n"
    text +=
      "  plan \(configuration.plan.id), time zone \(TextWidth.sanitized(configuration.clock.name))\n"
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
}
