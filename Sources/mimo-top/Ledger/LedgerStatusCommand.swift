import ArgumentParser
import MimoDashboard
import MimoEngine
import MimoIngest
import MimoScreen
import MimoStore

/// `mimo-top ledger`: size, span, sources and gaps.
struct LedgerStatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show size, span, sources and gaps (the default).")

  @Option(
    name: .customLong("tz"), help: ArgumentHelp("Time zone of the dates.", valueName: "name"))
  var timeZone: String?

  @Flag(help: "Print one JSON document (schema mimo-top.ledger-status/1).")
  var json = false

  @OptionGroup var options: LedgerOptions

  func run() throws {
    let configuration = try options.configuration(timeZone: timeZone)
    guard let store = try LedgerCommand.openForReading() else {
      throw LedgerCommand.sayNothingIsThere()
    }
    let status = try LedgerCommand.attempt { () throws(StoreError) in
      try store.freeze()
      let isHeld = LedgerStore.isHeld(folder: UserFolders.state)
      return LedgerStatus(
        path: store.path, clock: configuration.clock, now: configuration.now, isHeld: isHeld,
        statistics: try store.statistics(), files: try store.fileStates(),
        alerts: try store.alerts(),
        leftovers: isHeld ? [] : LedgerScratch.leftovers(of: UserFolders.state))
    }
    StandardStreams.print(json ? status.json.text + "\n" : status.text)
  }
}

/// What is said of a ledger.
struct LedgerStatus {
  var path: String
  var clock: LocalClock
  var now: Instant
  /// Whether a process keeps it at present.
  var isHeld: Bool
  var statistics: StoreStatistics
  var files: [FileState]
  var alerts: AlertLog
  /// Folders that a killed `merge` or `rebuild` left behind.
  var leftovers: [String] = []

  /// Claude Code deletes transcripts after thirty days: what was written in a longer gap may be gone unread.
  static let harmlessGap: Int64 = 30 * 86_400_000
  /// Shorter gaps are nights and weekends.
  private static let shortestGap: Int64 = 24 * 3_600_000

  /// A time in which nobody kept the ledger.
  struct Gap {
    var from: Instant
    var to: Instant
    var isLong: Bool { to.milliseconds - from.milliseconds > LedgerStatus.harmlessGap }
  }

  /// The gaps of a day and more, the earliest first.
  var gaps: [Gap] {
    var gaps: [Gap] = []
    var end: Instant?
    // What lies in the future was written while the clock was wrong.
    for span in statistics.spans where span.began <= now {
      let ended = min(span.ended, now)
      if let end, span.began.milliseconds - end.milliseconds >= Self.shortestGap {
        gaps.append(Gap(from: end, to: span.began))
      }
      end = max(end ?? ended, ended)
    }
    if let end, !isHeld, now.milliseconds - end.milliseconds >= Self.shortestGap {
      gaps.append(Gap(from: end, to: now))
    }
    return gaps
  }

  private var gone: Int { files.count { $0.place.isGone } }

  private func date(_ minute: Minute) -> String { String(clock.text(minute.start).prefix(10)) }
  private func date(_ instant: Instant) -> String { String(clock.text(instant).prefix(10)) }

  private var alertWords: String {
    guard let last = alerts.entries.last else { return "none" }
    let state = last.alert.end == nil ? "still standing" : "over"
    return
      "\(NumberFormat.full(Int64(alerts.entries.count))); the last of \(date(last.start)), lowest hit rate \(NumberFormat.percent(last.alert.lowestRate)), \(state)"
  }

  var text: String {
    let s = statistics
    var text = "ledger: \(path)\n"
    func line(_ label: String, _ value: String) {
      text += "  \(TextWidth.padded(label, to: 10)) \(value)\n"
    }
    line("size", NumberFormat.bytes(s.bytesOnDisk))
    line("kept", "since \(date(s.created))" + (isHeld ? ", by another mimo-top at present" : ""))
    if let span = s.span {
      line("usage", "\(date(span.lowerBound)) to \(date(span.upperBound))")
    } else {
      line("usage", "none yet")
    }
    line(
      "counts",
      "\(NumberFormat.full(Int64(s.cells))) cells in \(NumberFormat.full(Int64(s.hours))) hours; \(NumberFormat.full(s.calls)) calls known by id"
    )
    line(
      "logs",
      "\(NumberFormat.full(Int64(files.count))), \(NumberFormat.full(Int64(gone))) of them gone")
    if let before = s.callsPrunedBefore {
      line(
        "limit",
        "calls before \(date(before)) are not known by id any more; new lines about them do not count"
      )
    }
    if let before = s.forgottenBefore { line("forgotten", "all before \(date(before))") }
    line("alerts", alertWords)
    for path in leftovers { line("note", LedgerScratch.words(about: path)) }
    for source in s.sources {
      let name = source.name.isEmpty ? "(no source)" : source.name
      text +=
        "\n  \(TextWidth.padded(TextWidth.sanitized(name), to: 14)) \(TextWidth.padded(NumberFormat.counted(source.requests, "call"), to: 14)) \(date(source.firstMinute)) to \(date(source.lastMinute))"
    }
    if !s.sources.isEmpty { text += "\n" }
    let gaps = gaps
    text += gaps.isEmpty ? "\nno gap of a day or more\n" : "\ngaps, in which nobody kept it:\n"
    for gap in gaps {
      let days = (gap.to.milliseconds - gap.from.milliseconds) / 86_400_000
      text += "  \(date(gap.from)) to \(date(gap.to)), \(NumberFormat.counted(days, "day"))"
      text += gap.isLong ? ": logs that were deleted meanwhile were never read\n" : "\n"
    }
    return text
  }

  var json: JSONOutput {
    let s = statistics
    func time(_ instant: Instant?) -> JSONOutput { .text(instant.map(clock.text)) }
    return .object([
      ("schema", .string("mimo-top.ledger-status/1")),
      ("path", .string(path)),
      ("bytes", .integer(s.bytesOnDisk)),
      ("created", time(s.created)),
      ("kept_now", .bool(isHeld)),
      ("since", time(s.span?.lowerBound.start)),
      ("until", time(s.span?.upperBound.start)),
      ("cells", .integer(Int64(s.cells))),
      ("hours", .integer(Int64(s.hours))),
      ("calls", .integer(s.calls)),
      ("logs", .integer(Int64(files.count))),
      ("logs_gone", .integer(Int64(gone))),
      ("ids_pruned_before", time(s.callsPrunedBefore?.start)),
      ("forgotten_before", time(s.forgottenBefore?.start)),
      ("leftovers", .array(leftovers.map(JSONOutput.string))),
      ("alerts", .integer(Int64(alerts.entries.count))),
      (
        "last_alert",
        alerts.entries.last.map { entry in
          .object([
            ("since", time(entry.start.start)), ("until", time(entry.alert.end?.start)),
            ("lowest_hit_rate", .text(entry.alert.lowestRate.text(decimals: 6))),
          ])
        } ?? .null
      ),
      (
        "sources",
        .array(
          s.sources.map { source in
            .object([
              ("source", source.name.isEmpty ? .null : .string(source.name)),
              ("requests", .integer(source.requests)),
              ("since", time(source.firstMinute.start)), ("until", time(source.lastMinute.start)),
            ])
          })
      ),
      (
        "gaps",
        .array(
          gaps.map { gap in
            .object([
              ("from", time(gap.from)), ("to", time(gap.to)), ("may_lack_usage", .bool(gap.isLong)),
            ])
          })
      ),
    ])
  }
}
