import MimoCatalog
import MimoDashboard
import MimoEngine
import MimoIngest

extension Examination {
  /// The findings as JSON, schema `mimo-top.doctor/1`.
  var json: JSONOutput {
    .object([
      ("schema", .string("mimo-top.doctor/1")),
      ("places", .array(findings.map(place))),
      ("totals", totalsJSON),
      ("ledger", ledger?.json ?? .null),
      (
        "watching",
        .object([
          ("folders", .integer(Int64(watching.folders))),
          ("problems", .array(watching.problems.map { .string($0.description) })),
        ])
      ),
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

  private var totalsJSON: JSONOutput {
    let totals = IngestTotals(findings.flatMap(\.files))
    return .object([
      ("files", .integer(Int64(totals.files))), ("records", .integer(Int64(totals.records))),
      ("duplicates", .integer(Int64(totals.duplicates))),
      ("malformed", .integer(Int64(totals.malformed))),
      ("unknown", .integer(Int64(findings.reduce(0) { $0 + $1.unknown }))),
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
