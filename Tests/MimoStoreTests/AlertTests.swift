import Foundation
import MimoEngine
import MimoSQLite
import MimoTestSupport
import Testing

@testable import MimoStore

/// Alerts and what was told of them.
@Suite struct AlertTests {
  private let folder = TemporaryFolder()
  private var random = SplitMix(state: 12)

  private mutating func ratio() -> Ratio {
    let denominator = Int64.random(in: 1...1 << 50, using: &random)
    return Ratio(.random(in: 0...denominator, using: &random), denominator)!
  }

  private mutating func entry(_ start: Int32) -> AlertLog.Entry {
    func maybe<Value>(_ value: @autoclosure () -> Value) -> Value? {
      Bool.random(using: &random) ? value() : nil
    }
    let names = ["mimo-v2.6-pro", "", "/home/ana/\u{1F40E}"]
    var alert = HitRateMonitor.Alert(
      start: Minute(start), end: maybe(Minute(start + 5)), rateAtStart: ratio(),
      lowestRate: ratio(), window: .init(requests: 7, prompt: 1 << 50, read: 12),
      goodRate: maybe(Ratio(1, 2)!))
    if Bool.random(using: &random) {
      alert.driver = HitRateMonitor.Driver(
        model: maybe(names.randomElement(using: &random)!),
        project: maybe(names.randomElement(using: &random)!), share: Ratio(3, 4)!)
    }
    return AlertLog.Entry(alert, limit: Ratio(20, 100)!)
  }

  @Test mutating func `a log is what it was, in order, and changes by what is new`() throws {
    let store = try LedgerStore.open(folder)
    var log = AlertLog()
    for round in 0..<8 {
      let kept = log.entries.filter { _ in Bool.random(using: &random) }
      let starts = Set((0..<20).map { _ in Int32.random(in: -9...400, using: &random) * 1000 })
        .subtracting(kept.map(\.start.number))
      let next = AlertLog(kept + starts.map { entry($0) })
      let notes = LedgerStore.notes(changing: log, to: next)
      #expect(notes.count == log.entries.count - kept.count + starts.count || round > 0)
      try store.commit(LedgerChanges(), notes: notes, now: testNow)
      log = next
      #expect(try store.alerts() == log)
      #expect(LedgerStore.notes(changing: log, to: log) == [])
    }
  }

  @Test mutating func `a damaged alert is left out, the others stay`() throws {
    let store = try LedgerStore.open(folder)
    let log = AlertLog([entry(1), entry(2), entry(3)])
    try store.commit(
      LedgerChanges(), notes: LedgerStore.notes(changing: AlertLog(), to: log), now: testNow)
    let connection = try SQLiteConnection(
      path: folder.ledger + "/ledger.db", access: .readWrite)
    try connection.execute(
      """
      UPDATE note SET value = (SELECT value FROM note WHERE kind = 'alert' AND key = x'80000002')
      WHERE kind = 'alert' AND key = x'80000001'
      """)
    #expect(try store.alerts().entries == Array(log.entries.dropFirst()))
  }

  @Test func `of two that would tell the same, one gets the news`() throws {
    let alert = HitRateMonitor.Alert(
      start: testNow.minute, rateAtStart: Ratio(1, 9)!, lowestRate: Ratio(1, 9)!,
      window: .init(requests: 5, prompt: 5000, read: 1))
    func take(_ alert: HitRateMonitor.Alert) throws -> Int {
      try LedgerStore.change(toldAlertsIn: folder.ledger, patience: 1000, now: testNow) { told in
        told.takeNews([alert], now: testNow).count
      }
    }
    #expect(try LedgerStore.toldAlerts(folder: folder.ledger, now: testNow) == ToldAlerts())
    let keeper = try LedgerStore.open(folder)
    #expect(try take(alert) == 1)
    #expect(try take(alert) == 0)
    var over = alert
    over.end = testNow.minute.advanced(by: 20)
    #expect(try take(over) == 1)
    #expect(try take(over) == 0)
    let told = try LedgerStore.toldAlerts(folder: folder.ledger, now: testNow)
    #expect(told.since == testNow.minute)
    #expect(told.states == [alert.start: .over(over.end!)])
    // And the keeper goes on.
    try keeper.commit(LedgerChanges(), now: testNow)
    keeper.close()
    _ = try LedgerStore.replaced(in: folder)
    #expect(try LedgerStore.toldAlerts(folder: folder.ledger, now: testNow) == told)
  }

  @Test mutating func `what is forgotten is forgotten in alerts, too`() throws {
    let store = try LedgerStore.open(folder)
    let minute = testNow.minute
    func entry(_ start: Int, _ end: Int?, project: String) -> AlertLog.Entry {
      AlertLog.Entry(
        HitRateMonitor.Alert(
          start: minute.advanced(by: start), end: end.map { minute.advanced(by: $0) },
          rateAtStart: Ratio(1, 9)!, lowestRate: Ratio(1, 9)!,
          window: .init(requests: 5, prompt: 5000, read: 1),
          driver: .init(model: "m", project: project, share: Ratio(1, 2)!)), limit: Ratio(1, 5)!)
    }
    let log = AlertLog([
      entry(-90, -80, project: "gone"), entry(-50, -10, project: "gone"),
      entry(-5, nil, project: "kept"),
    ])
    var ledger = Ledger(restoring: try store.base(promptEdges: [], now: testNow), archive: nil)
    for (start, source, project) in [(-60, "a", "gone"), (-5, "b", "kept")] {
      var record = UsageRecord(time: minute.advanced(by: start).start)
      record.labels = Labels(
        model: ledger.names.intern("m"), source: ledger.names.intern(source),
        project: ledger.names.intern(project))
      record.tokens.output = 1
      ledger.record(record)
    }
    try store.commit(
      ledger.changes(), notes: LedgerStore.notes(changing: AlertLog(), to: log), now: testNow)
    _ = try LedgerStore.change(toldAlertsIn: folder.ledger, patience: 1000, now: testNow) { told in
      told.since = .distantPast
      return told.takeNews(log.entries.map(\.alert), now: testNow)
    }
    try store.forget(before: minute.advanced(by: -80), now: testNow)
    #expect(try store.alerts().entries == Array(log.entries.dropFirst()))
    let told = try LedgerStore.toldAlerts(folder: folder.ledger, now: testNow)
    #expect(told.states.keys.sorted() == [-50, -5].map { minute.advanced(by: $0) })
    try store.forget(source: "a", now: testNow)
    #expect(
      try store.alerts().entries.map(\.alert.driver?.project) == [nil, "kept"])
    #expect(try store.alerts().entries.map(\.alert.driver?.model) == ["m", "m"])
    // Nothing of the name is left in the file.
    store.close()
    let bytes = try Data(contentsOf: URL(filePath: folder.ledger + "/ledger.db"))
    #expect(bytes.range(of: Data("gone".utf8)) == nil)
  }
}
