import Foundation
import MimoEngine
import Testing

@testable import MimoStore

/// What is pruned or forgotten is gone, and what is left counts as if nothing had happened.
@Suite struct ForgettingTests {
  private let folder = TemporaryFolder()

  private struct Line {
    var minute: Int32
    var id: String?
    var session = "s1"
    var source = "chat"
    var output: Int64 = 10
  }

  private static let start = testNow.minute

  /// Counts lines on top of what is stored.
  private func count(_ lines: [Line], _ store: LedgerStore) throws {
    var ledger = Ledger(restoring: try store.base(promptEdges: [], now: testNow), archive: store)
    for line in lines {
      var record = UsageRecord(
        time: Self.start.advanced(by: Int(line.minute)).start,
        identity: line.id.map { CallIdentity(message: Fingerprint(of: $0)) })
      record.labels = Labels(
        model: ledger.names.intern("m"), source: ledger.names.intern(line.source),
        session: ledger.names.intern(line.session))
      record.conversation = record.labels.session
      record.tokens.output = line.output
      ledger.record(record)
    }
    try store.commit(ledger.changes(), now: testNow)
  }

  /// The usage in a store, a line for each cell; `!` marks the calls that open a conversation.
  private func usage(_ store: LedgerStore) throws -> [String] {
    let book = try store.addressBook()
    var lines: [String] = []
    for chunk in try store.cells().chunks {
      for cell in chunk.cells {
        let series = book.series[Int(cell.series)]
        let mark = series.flags.contains(.opensConversation) ? "!" : ""
        lines.append(
          "\(cell.minute.number - Self.start.number) \(book.names[series.labels.session])\(mark)"
            + " \(cell.requests) \(cell.tokens.output)")
      }
    }
    return lines.sorted()
  }

  private func bytesOnDisk() throws -> Data {
    var bytes = Data()
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.ledger) {
      bytes += FileManager.default.contents(atPath: folder.ledger + "/" + file) ?? Data()
    }
    return bytes
  }

  @Test(arguments: [false, true]) func `usage stays when its calls are pruned`(hasIDs: Bool) throws
  {
    func id(_ name: String) -> String? { hasIDs ? name : nil }
    var store = try LedgerStore.open(folder)
    try count(
      [Line(minute: 0, id: id("a")), Line(minute: 5, id: id("b")), Line(minute: 90, id: id("c"))],
      store)
    try store.prune(callsBefore: Self.start.advanced(by: 60), now: testNow)
    #expect(store.call(Fingerprint(of: "a").value) == nil)
    #expect((store.call(Fingerprint(of: "c").value) != nil) == hasIDs)
    #expect(try store.callsPrunedBefore == Self.start.advanced(by: 60))
    store.close()
    store = try LedgerStore.open(folder)
    try count([Line(minute: 100, id: id("d")), Line(minute: 90, id: id("c"), output: 12)], store)
    let grown = hasIDs ? ["90 s1 1 12"] : ["90 s1 2 22"]
    #expect(try usage(store) == ["0 s1! 1 10", "100 s1 1 10", "5 s1 1 10"] + grown)
    // An earlier one opens the conversation in its place.
    try count([Line(minute: -1, id: id("z"))], store)
    #expect(try usage(store) == ["-1 s1! 1 10", "0 s1 1 10", "100 s1 1 10", "5 s1 1 10"] + grown)
  }

  @Test func `redirects to pruned calls are pruned, too`() throws {
    let store = try LedgerStore.open(folder)
    var changes = LedgerChanges()
    changes.series = [Series(labels: Labels(), tier: .standard, band: 0, flags: [])]
    changes.calls = [
      ArchivedCall(key: 1, time: testNow, series: 0),
      ArchivedCall(key: 2, time: Instant(seconds: 0), series: 0),
    ]
    changes.redirects = [3: 1, 4: 3, 5: 2, 6: 5]
    try store.commit(changes, now: testNow)
    #expect([3, 4, 5, 6].map { store.call($0)?.key } == [1, 1, 2, 2])
    try store.prune(callsBefore: Self.start, now: testNow)
    #expect([3, 4, 5, 6].map { store.call($0)?.key } == [1, 1, nil, nil])
    #expect(try store.statistics().calls == 1)
  }

  @Test func `what was before a time is forgotten, names included`() throws {
    var store = try LedgerStore.open(folder)
    try count(
      [
        Line(minute: 0, id: "a"), Line(minute: 2, id: nil, session: "secret-session"),
        Line(minute: 61, id: "b"), Line(minute: 59, id: "x", session: "secret-session"),
        Line(minute: 125, id: "c", session: "s2"),
      ], store)
    store.close()
    #expect(try bytesOnDisk().range(of: Data("secret-session".utf8)) != nil)
    store = try LedgerStore.open(folder)
    let known = try store.commitNumber
    try store.forget(before: Self.start.advanced(by: 60), now: testNow)
    #expect(try usage(store) == ["125 s2! 1 10", "61 s1 1 10"])
    #expect(try bytesOnDisk().range(of: Data("secret-session".utf8)) == nil)
    #expect(
      try store.hours(changedSince: known)
        == [Self.start, Self.start.advanced(by: 59)].map(Hour.init(of:)))
    #expect(try store.hours(changedSince: 0).min() == Hour(of: Self.start.advanced(by: 61)))
    #expect(try store.forgottenBefore == Self.start.advanced(by: 60))
    // The conversation goes on, and nobody opens it again.
    try count([Line(minute: 70, id: "d"), Line(minute: 61, id: "b", output: 11)], store)
    #expect(try usage(store) == ["125 s2! 1 10", "61 s1 1 11", "70 s1 1 10"])
    // An earlier one, of whatever log, is counted and breaks nothing.
    try count([Line(minute: -9, id: "e")], store)
    #expect(try usage(store) == ["-9 s1! 1 10", "125 s2! 1 10", "61 s1 1 11", "70 s1 1 10"])
  }

  @Test func `a source is forgotten, names included`() throws {
    let store = try LedgerStore.open(folder)
    try count(
      [
        Line(minute: 0, id: "a"), Line(minute: 1, id: "b", session: "secret", source: "tool"),
        Line(minute: 2, id: nil, session: "s1", source: "tool"),
        Line(minute: 3, id: "c"),
      ], store)
    #expect(try store.statistics().sources.map(\.name) == ["chat", "tool"])
    try store.forget(source: "nobody", now: testNow)
    #expect(try store.statistics().cells == 4)
    try store.forget(source: "tool", now: testNow)
    #expect(try usage(store) == ["0 s1! 1 10", "3 s1 1 10"])
    #expect(try store.addressBook().names.find("secret") == nil)
    let statistics = try store.statistics()
    #expect(statistics.sources.map(\.name) == ["chat"])
    #expect(statistics.sources[0].requests == 2)
    #expect(statistics.calls == 2)
    #expect(statistics.span == Self.start...Self.start.advanced(by: 3))
    #expect(statistics.cells == 2)
  }

  @Test func `numbers of what is held`() throws {
    var store = try LedgerStore.open(folder)
    let empty = try store.statistics()
    #expect(empty.span == nil)
    #expect(empty.created == testNow)
    try count([Line(minute: 0, id: "a"), Line(minute: 200, id: nil)], store)
    store.close()
    let later = testNow.advanced(byMilliseconds: 5000)
    store = try LedgerStore.open(folder, now: later)
    // The clock may be set back meanwhile.
    try store.commit(LedgerChanges(), now: Instant(seconds: 0))
    let statistics = try store.statistics()
    #expect(statistics.hours == 2)
    #expect(statistics.calls == 1)
    #expect(statistics.spans.map(\.began) == [Instant(seconds: 0), testNow])
    #expect(statistics.spans.map(\.ended) == [Instant(seconds: 0), testNow])
    #expect(statistics.bytesOnDisk > 4096)
  }
}
