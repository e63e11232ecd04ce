import MimoEngine
import MimoScreen
import MimoTestSupport
import Testing

@testable import MimoDashboard

extension Model {
  /// A dashboard over made-up usage, as it is a moment after the first numbers came in.
  static func made(
    _ usage: MadeUpUsage = .busy, _ columns: Int = 80, _ rows: Int = 24, glyphs: Glyphs = .unicode,
    plan: String = "as-billed USD", ingest: IngestSummary = .oneLog,
    book: PriceBook = MadeUpUsage.book
  ) -> Model {
    let plans = MadeUpUsage.plans.flatMap { plan in
      plan.currencies(in: book).map { PlanChoice(plan, $0) }
    }
    var model = Model(
      book: book, plans: plans, periods: BillingPeriods(renewalDay: 1),
      monitor: HitRateMonitor(), clock: .utc, glyphs: glyphs, themes: [.builtIn], promptEdges: [],
      now: MadeUpUsage.now)
    model.planIndex = model.index(of: plan)
    _ = update(&model, .resized(Size(columns: columns, rows: rows)))
    _ = update(&model, .usage(usage.ledger.snapshot(), ingest))
    return model
  }

  /// The place of a plan, written as its id and its currency.
  func index(of plan: String) -> Int {
    plans.firstIndex { "\($0.plan.id) \($0.currency.rawValue)" == plan }!
  }

  /// Presses keys one after the other and returns the effects of the last one.
  @discardableResult
  mutating func press(_ keys: Key...) -> [Effect] {
    var effects: [Effect] = []
    for key in keys { effects = update(&self, .key(key)) }
    return effects
  }

  /// Presses the keys of these characters.
  @discardableResult
  mutating func type(_ text: String) -> [Effect] {
    var effects: [Effect] = []
    for scalar in text.unicodeScalars { effects = press(.character(scalar)) }
    return effects
  }

  /// The frame as text.
  var text: String { view(self).text }

  /// The first row below the header that contains `part`.
  func line(with part: String) -> String {
    text.split(separator: "\n").dropFirst().first { $0.contains(part) }.map(String.init) ?? ""
  }
}

extension IngestSummary {
  /// One log, read whole.
  static var oneLog: IngestSummary {
    var summary = IngestSummary()
    summary.sources = ["/var/log/app.jsonl"]
    summary.files = [
      File(
        path: "/var/log/app.jsonl", formats: "api", lines: 70, records: 68, duplicates: 1,
        malformed: 0, problems: [])
    ]
    return summary
  }
}

extension ReadingProgress {
  /// Somewhat less than half of a gigabyte.
  static let made = ReadingProgress(
    bytesRead: 422_345_678, bytesTotal: 1_003_456_789, filesRead: 846, filesTotal: 2000,
    recentBytes: 422_345_678, milliseconds: 2345)
}

/// Compares a frame with its snapshot; styles are named by role.
func expectFrame(
  _ buffer: CellBuffer, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  expectSnapshot(
    buffer, named: name,
    styleName: { style in
      style == .plain ? nil : Role(rawValue: style.rawValue)?.name ?? "unknown-\(style.rawValue)"
    }, filePath: #filePath, sourceLocation: sourceLocation)
}

/// What `draw` paints on a blank screen of its own.
func painted(_ columns: Int, _ rows: Int, _ draw: (inout CellBuffer, Rect) -> Void) -> CellBuffer {
  var buffer = CellBuffer(size: Size(columns: columns, rows: rows))
  draw(&buffer, buffer.bounds)
  return buffer
}
