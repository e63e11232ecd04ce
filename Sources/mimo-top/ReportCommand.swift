import ArgumentParser
import MimoDashboard
import MimoEngine
import MimoIngest
import MimoScreen

/// `mimo-top report`: the numbers of the dashboard as a table, JSON or CSV.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Print usage and cost as a table, or as JSON or CSV for scripts.",
    discussion: """
      Exit codes: 0 done, 1 something could not be read (the rest is still printed), 3 no usage found, 64 misuse.
      """)

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp(
      "Rows by total, model, provider, project, session, source, key, hour, day, week or month.",
      valueName: "grouping"))
  var by: String = "day"

  @Option(
    // What follows may begin with a dash itself.
    parsing: .unconditional,
    help: ArgumentHelp(
      "Order rows by key, cost, requests, tokens or hit-rate; a leading - reverses.",
      valueName: "field"))
  var sort: String = "key"

  @Option(help: ArgumentHelp("Print at most this many rows.", valueName: "n"))
  var limit: Int?

  @Option(
    help: ArgumentHelp(
      "Price every call at the list of one date (at its noon), a time, or today, whenever it was made.",
      valueName: "date"))
  var pricesAt: String?

  @Flag(help: "Print one JSON document (schema mimo-top.report/1).")
  var json = false

  @Flag(help: "Print comma-separated values.")
  var csv = false

  func run() throws {
    let ahead = ReportAhead.take()
    defer { ahead?.cancel() }
    var configuration = try Configuration(common, now: ahead?.readTime ?? SystemClock.now)
    if let pricesAt { try configuration.fixPrices(pricesAt) }
    guard let grouping = Grouping(rawValue: by) else {
      throw Misuse(
        description:
          "--by '\(by)': one of \(Grouping.allCases.map(\.rawValue).joined(separator: ", ")) is expected"
      )
    }
    guard let order = RowOrder(sort) else {
      throw Misuse(description: "--sort '\(sort)': one of \(RowOrder.names) is expected")
    }
    if json && csv {
      throw Misuse(description: "--json and --csv are two outputs; give one of them")
    }
    if let limit, limit < 0 {
      throw Misuse(description: "--limit \(limit): a number from 0 up is expected")
    }

    // A subscription has periods that may be older than the window. What ends somewhere and begins nowhere is nearly all.
    let isPart = configuration.window.map { $0.lowerBound > .distantPast } ?? false
    let minutes = isPart && !configuration.plan.isSubscription ? configuration.window : nil
    let (scan, result) = LogScan.withAll(
      configuration, only: minutes, with: configuration.reportLedger, ahead: ahead
    ) { scan in
      let result = ReportResult(
        configuration, grouping: grouping, scan: scan, order: order, limit: limit)
      let text = json ? result.json.text + "\n" : csv ? result.csv : result.table
      return (text: text, isEmpty: result.report.totals.isEmpty)
    }
    for notice in configuration.notices { StandardStreams.complain(notice) }
    StandardStreams.print(result.text)
    let code = scan.complain(noUsage: result.isEmpty, configuration)
    if code != 0 { throw ExitCode(code) }
  }
}

/// How the rows of a report are ordered.
struct RowOrder {
  enum Field: String, CaseIterable { case key, cost, requests, tokens, hitRate = "hit-rate" }

  var field: Field
  var isReversed: Bool

  static let names = Field.allCases.map(\.rawValue).joined(separator: ", ")

  init?(_ text: String) {
    isReversed = text.hasPrefix("-")
    guard let field = Field(rawValue: isReversed ? String(text.dropFirst()) : text) else {
      return nil
    }
    self.field = field
  }

  /// Rows in this order: keys ascend, all else descends; equal rows by key, which the input is ordered by.
  func sorted(_ rows: [Report.Row]) -> [Report.Row] {
    func isBefore(_ a: Measures, _ b: Measures) -> Bool {
      switch field {
      case .key: false
      case .cost: a.costFemto > b.costFemto
      case .requests: a.requests > b.requests
      case .tokens: a.tokens.prompt + a.tokens.output > b.tokens.prompt + b.tokens.output
      case .hitRate:
        switch (a.hitRate, b.hitRate) {
        case (let x?, let y?): x > y
        case (_?, nil): true
        default: false
        }
      }
    }
    let order = rows.indices.sorted { i, j in
      if isBefore(rows[i].measures, rows[j].measures) { return true }
      if isBefore(rows[j].measures, rows[i].measures) { return false }
      return i < j
    }
    let sorted = order.map { rows[$0] }
    return isReversed ? sorted.reversed() : sorted
  }
}

/// A report with all that its outputs say beside it.
struct ReportResult {
  let configuration: Configuration
  let grouping: Grouping
  let report: Report
  let rows: [Report.Row]
  let ingest: IngestTotals
  let status: PlanStatus?
  private let snapshot: UsageSnapshot

  init(
    _ configuration: Configuration, grouping: Grouping, scan: LogScan, order: RowOrder, limit: Int?
  ) {
    self.configuration = configuration
    self.grouping = grouping
    var totals = IngestTotals(scan.files)
    totals.unreadableFiles += scan.sourceErrors.count { configuration.namesLogs || !$0.isAbsence }
    ingest = totals
    snapshot = scan.snapshot
    report = Report(
      of: snapshot, tariff: configuration.tariff, window: configuration.window, by: grouping,
      clock: configuration.clock, filters: configuration.filters)
    let sorted = order.sorted(report.rows)
    rows = limit.map { Array(sorted.prefix($0)) } ?? sorted
    status =
      configuration.plan.isSubscription
      ? PlanStatus(
        of: snapshot, tariff: configuration.tariff, periods: configuration.periods,
        window: configuration.window,
        now: configuration.now, anchor: configuration.anchors[configuration.plan.id]) : nil
  }

  private var unit: PricingUnit { configuration.tariff.unit }
  private var isSubscription: Bool { configuration.plan.isSubscription }

  // MARK: - JSON

  var json: JSONOutput {
    let clock = configuration.clock
    return .object([
      ("schema", .string("mimo-top.report/1")),
      ("window", UsageJSON.window(configuration.window, configuration)),
      ("plan", plan), ("prices_at", .text(configuration.pricesAt.map(clock.text))),
      (
        "totals",
        .object(
          measures(report.totals, cost: isSubscription ? status?.feesOfWindow : report.totals.cost))
      ),
      ("by", .string(grouping.rawValue)),
      (
        "rows",
        .array(
          rows.map { row in
            .object(
              [("key", .text(row.key))]
                + measures(row.measures, cost: isSubscription ? nil : row.measures.cost))
          })
      ),
      ("unpriced", UsageJSON.unpriced(report.unpriced)),
      (
        "ingest",
        .object([
          ("files", .integer(Int64(ingest.files))), ("bytes", .integer(ingest.bytes)),
          ("lines", .integer(Int64(ingest.lines))), ("records", .integer(Int64(ingest.records))),
          ("duplicates", .integer(Int64(ingest.duplicates))),
          ("not_usage", .integer(Int64(ingest.notUsage))),
          ("malformed", .integer(Int64(ingest.malformed))),
          ("unreadable_files", .integer(Int64(ingest.unreadableFiles))),
        ])
      ),
    ])
  }

  private var plan: JSONOutput {
    let plan = configuration.plan
    var members: [(String, JSONOutput)] = [
      ("id", .string(plan.id)), ("name", .string(plan.name)),
      ("kind", .string(isSubscription ? "subscription" : "metered")),
      ("currency", .string(configuration.currency.rawValue)),
      ("prices_checked", .text(report.pricesChecked?.text)),
    ]
    if let status {
      let clock = configuration.clock
      members += [
        ("fee", .decimal(status.fee)),
        (
          "period",
          .object([
            ("from", .string(clock.text(status.start))),
            ("to", .string(clock.text(status.resetsAt))),
          ])
        ),
        ("credits_included", UsageJSON.credits(status.included)),
        ("credits_used", UsageJSON.credits(status.used)),
        ("credits_left", UsageJSON.credits(status.left)),
        ("used_ratio", .text(status.usedRatio?.text(decimals: 6))),
        ("resets_at", .string(clock.text(status.resetsAt))),
        ("runs_out_at", .text(status.runsOutAt.map(clock.text))),
      ]
      members += PlanStatusText(status, configuration, snapshot).json
    }
    return .object(members)
  }

  private func measures(_ sums: Measures, cost: Amount?) -> [(String, JSONOutput)] {
    let money: [(String, JSONOutput)] = [
      ("cost", .decimal(cost)),
      (
        "credits", UsageJSON.credits(unit == .credits ? sums.cost : sums.subscriptionCredits)
      ),
      ("saved_by_cache", isSubscription ? .null : .decimal(sums.savedByCache)),
      ("unpriced_requests", .integer(sums.unpricedRequests)),
      ("uncertain_price_requests", .integer(sums.uncertainRequests)),
    ]
    return UsageJSON.counts(sums) + money
  }

  // MARK: - CSV

  var csv: String {
    let header = [
      grouping.rawValue, "requests", "input", "cache_read", "cache_write_5m", "cache_write_1h",
      "output", "reasoning",
      "hit_rate", "cost", "unit", "stated_cost_usd", "saved_by_cache", "errors",
      "unpriced_requests", "subscription_credits",
    ]
    let unitName =
      switch unit {
      case .money(let currency): currency.rawValue
      case .credits: "credits"
      }
    var text = header.joined(separator: ",") + "\n"
    for row in rows {
      let sums = row.measures
      let tokens = sums.tokens
      let fields: [String] = [
        Self.quoted(row.key ?? ""), String(sums.requests), String(tokens.input),
        String(tokens.cacheRead),
        String(tokens.cacheWrite5m), String(tokens.cacheWrite1h), String(tokens.output),
        String(tokens.reasoning),
        sums.hitRate?.text(decimals: 6) ?? "", sums.cost?.exactText ?? "", unitName,
        sums.statedCalls == 0 ? "" : sums.statedCost.exactText, sums.savedByCache?.exactText ?? "",
        String(sums.errors), String(sums.unpricedRequests),
        sums.subscriptionCredits?.exactText ?? "",
      ]
      text += fields.joined(separator: ",") + "\n"
    }
    return text
  }

  /// A field with quotes where it needs them; a leading `=`, `+`, `-` or `@` must not become a formula.
  private static func quoted(_ text: String) -> String {
    var text = TextWidth.sanitized(text)
    if let first = text.first, "=+-@".contains(first) { text = "'" + text }
    guard text.contains(where: { "\",\n".contains($0) }) else { return text }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }

  // MARK: - Table

  var table: String {
    let titles = [
      "\(grouping.rawValue)", "requests", "input", "cache read", "cache write", "output",
      "hit rate", costTitle, "saved",
    ]
    var lines: [[String]] = rows.map {
      line(TextWidth.sanitized($0.key ?? "(not stated)"), $0.measures)
    }
    let hidden = report.rows.count - rows.count
    if hidden > 0 {
      lines.append(["… \(hidden) more rows"] + Array(repeating: "", count: titles.count - 1))
    }
    lines.append(line("total", report.totals))
    let widths = titles.indices.map { column in
      ([titles] + lines).map { TextWidth.width(of: $0[column]) }.max() ?? 0
    }
    func row(_ fields: [String]) -> String {
      let cells = fields.indices.map { index in
        TextWidth.padded(
          fields[index], to: widths[index], alignment: index == 0 ? .leading : .trailing)
      }
      var text = cells.joined(separator: "  ")
      while text.hasSuffix(" ") { text.removeLast() }
      return text + "\n"
    }
    let rule = String(repeating: "-", count: widths.reduce(0, +) + 2 * (widths.count - 1)) + "\n"
    var text = row(titles) + rule
    for line in lines.dropLast() { text += row(line) }
    text += rule + row(lines.last!)
    return text + notes
  }

  private var costTitle: String {
    switch unit {
    case .money(let currency): "cost \(currency.rawValue)"
    case .credits: "credits"
    }
  }

  private func line(_ key: String, _ sums: Measures) -> [String] {
    let tokens = sums.tokens
    return [
      key, NumberFormat.full(sums.requests), NumberFormat.full(tokens.input),
      NumberFormat.full(tokens.cacheRead),
      NumberFormat.full(tokens.cacheWrite5m + tokens.cacheWrite1h),
      NumberFormat.full(tokens.output),
      NumberFormat.percent(sums.hitRate),
      cost(sums),
      unit == .credits ? "" : amount(sums.savedByCache),
    ]
  }

  /// Money, or credits where calls were made on a subscription, or both; with a sign that a part has no price.
  private func cost(_ sums: Measures) -> String {
    var parts: [String] = []
    if sums.cost != nil { parts.append(amount(sums.cost)) }
    if let credits = sums.subscriptionCredits {
      parts.append(NumberFormat.amount(credits, .credits))
    }
    if parts.isEmpty { return NumberFormat.unknown }
    return parts.joined(separator: " + ") + (sums.unpricedRequests > 0 ? "+?" : "")
  }

  private func amount(_ amount: Amount?) -> String {
    switch unit {
    case .money(let currency): NumberFormat.money(amount, currency)
    case .credits:
      amount.map { NumberFormat.full(Int64(clamping: $0.atto / Amount.scale)) }
        ?? NumberFormat.unknown
    }
  }

  private var notes: String {
    var text = "\nplan: \(configuration.plan.name)"
    if let status {
      let currency = configuration.currency
      text +=
        ", fees of \(status.periodsOfWindow) billing period\(status.periodsOfWindow == 1 ? "" : "s"): "
      text += NumberFormat.money(status.feesOfWindow, currency)
      text += "\ncredits of the period to \(configuration.clock.text(status.resetsAt)): "
      text +=
        "\(NumberFormat.credits(status.used)) used, \(NumberFormat.credits(status.left)) left"
      text += " (\(NumberFormat.percent(status.usedRatio)))"
      if let end = status.runsOutAt {
        text += ", gone by \(configuration.clock.text(end)) at this pace"
      }
      if configuration.plan.kind == .credits {
        text += PlanStatusText(status, configuration, snapshot).notes
      }
    }
    text += "\n"
    if let date = configuration.pricesAt {
      text +=
        "every call at the prices of \(configuration.clock.text(date)), whenever it was made\n"
    }
    if let credits = report.totals.subscriptionCredits {
      let names = configuration.plan.recognised.map { $0.family ?? $0.id }.joined(separator: ", ")
      text += "made on a subscription, as key or address tell (\(names)): "
      text += NumberFormat.counted(report.totals.subscriptionRequests, "request")
      text += ", \(NumberFormat.amount(credits, .credits)) instead of money\n"
    }
    let age = PriceAge(
      checked: report.pricesChecked, now: configuration.now, clock: configuration.clock)
    if let age { text += PriceText.age(age) + "\n" }
    for entry in report.unpriced.prefix(10) {
      let model = TextWidth.sanitized(entry.model ?? "(no model stated)")
      text += "no price: \(model), \(NumberFormat.counted(entry.requests, "request")), "
      text += "\(NumberFormat.full(entry.tokens.prompt + entry.tokens.output)) tokens\n"
    }
    if report.unpriced.count > 10 {
      text += "no price: \(report.unpriced.count - 10) more models\n"
    }
    if let rate = report.totals.readingRate {
      text += "calls that read from the cache: \(NumberFormat.percent(rate))"
      if report.totals.answerCacheHits > 0 {
        text +=
          "; answered by a proxy's own cache: \(NumberFormat.full(report.totals.answerCacheHits))"
      }
      text += "\n"
    }
    if report.totals.hitRateUnknownRequests > 0 {
      text +=
        "hit rate leaves out \(NumberFormat.full(report.totals.hitRateUnknownRequests)) requests whose log does not tell\n"
    }
    if report.totals.errors > 0 {
      text += "failed calls: \(NumberFormat.full(report.totals.errors))\n"
    }
    text +=
      "read \(NumberFormat.full(Int64(ingest.files))) file\(ingest.files == 1 ? "" : "s"), \(NumberFormat.full(Int64(ingest.lines))) lines: "
      + "\(NumberFormat.full(Int64(ingest.records))) calls, \(NumberFormat.full(Int64(ingest.duplicates))) repeats, "
      + "\(NumberFormat.full(Int64(ingest.notUsage))) without usage, \(NumberFormat.full(Int64(ingest.malformed))) unreadable\n"
    return text
  }
}
