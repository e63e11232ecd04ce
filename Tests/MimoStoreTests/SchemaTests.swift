import Foundation
import MimoEngine
import MimoSQLite
import Testing

@testable import MimoStore

/// Ledgers of every schema that ever landed are opened and keep what they have.
///
/// A new schema adds a file of the one before it. Recorded with `MIMO_RECORD_SCHEMA=1` while that is the present
/// one; files that are there are not written again.
@Suite struct SchemaTests {
  private let folder = TemporaryFolder()

  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  /// A little of everything.
  private static var changes: LedgerChanges {
    var changes = LedgerChanges()
    for name in ["mimo-v2.6-pro", "chat", "s1", "s2"] {
      _ = changes.names.intern(name)
    }
    changes.promptEdges = [1000, 200_000]
    for conversation in [3, 4] as [UInt32] {
      changes.series.append(
        Series(
          labels: Labels(
            model: NameID(1), source: NameID(2), session: NameID(conversation)),
          conversation: NameID(conversation), tier: .batch, band: 1,
          flags: [.opensConversation, .readsCache]))
    }
    let hour = Hour(of: testNow.minute)
    var cell = ArchivedCell(minute: Minute(hour.number * 60 + 59), series: 1)
    cell.requests = 2
    cell.tokens = TokenCounts(
      input: 300, cacheRead: 1 << 40, cacheWrite5m: 1, cacheWrite1h: 2, output: 70_000, reasoning: 5
    )
    var other = ArchivedCell(minute: hour.minutes.lowerBound, series: 0)
    other.errors = 1
    other.statedCost = Amount(decimal: "0.0125")!
    other.statedCalls = 1
    other.quantities.webSearches = 3
    changes.hours[hour] = [other, cell]
    var call = ArchivedCall(key: .max - 1, time: testNow, series: 1)
    call.request = 77
    call.rank = .request
    call.tokens = cell.tokens
    call.statedCost = Amount(decimal: "0.0125")!
    changes.calls = [call]
    changes.redirects[5] = call.key
    var nameless = call
    nameless.key = 0
    changes.openings[NameID(3)] = ArchivedOpening(call: call.key, nameless: nameless)
    changes.recent = [ArchivedRecent(call: call, hasID: true, durationMilliseconds: 1500)]
    changes.load = LedgerLoad(counts: 123, calls: 4)
    return changes
  }

  private static let note = StoreNote(kind: "a", key: "file", value: [1, 2, 3])

  private func make() throws {
    let store = try LedgerStore.open(folder)
    _ = try store.base(promptEdges: [1000, 200_000], now: testNow)
    try store.commit(Self.changes, notes: [Self.note], now: testNow)
    store.close()
  }

  @Test func `the present schema has a file`() throws {
    let file = Self.fixtures.appendingPathComponent("schema-\(Schema.version).db")
    if ProcessInfo.processInfo.environment["MIMO_RECORD_SCHEMA"] != nil,
      !FileManager.default.fileExists(atPath: file.path)
    {
      try make()
      try FileManager.default.copyItem(atPath: folder.ledger + "/ledger.db", toPath: file.path)
    }
    #expect(FileManager.default.fileExists(atPath: file.path))
  }

  @Test(arguments: 1...Schema.version) func `a ledger of an earlier schema goes on`(
    version: Int64
  ) throws {
    try FileManager.default.createDirectory(
      atPath: folder.ledger, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: Self.fixtures.appendingPathComponent("schema-\(version).db").path,
      toPath: folder.ledger + "/ledger.db")
    let store = try LedgerStore.open(folder)
    var expected = Contents()
    expected.apply(Self.changes, [Self.note])
    #expect(try Contents(store) == expected.readable)
    #expect(store.call(5) == Self.changes.calls[0])
    #expect(try store.base(promptEdges: [], now: testNow).promptEdges == [1000, 200_000])
    // And goes on: what is there is found, what is new comes behind it.
    #expect(store.opening(of: Array("s1".utf8))?.call == Self.changes.calls[0].key)
    var more = Self.changes
    more.addSeries(named: [7])
    #expect(try store.commit(more, now: testNow) == [0, 1, 2])
    #expect(try store.addressBook().names.count == 6)
    try store.reading { (database) throws(SQLiteError) in try database.verify() }
  }

  @Test(arguments: 1...Schema.version) func `a ledger of an earlier schema is read as it is`(
    version: Int64
  ) throws {
    let file = folder.path + "/other.db"
    try FileManager.default.copyItem(
      atPath: Self.fixtures.appendingPathComponent("schema-\(version).db").path, toPath: file)
    let before = FileManager.default.contents(atPath: file)
    let store = try LedgerStore.open(another: file, now: testNow)
    var expected = Contents()
    expected.apply(Self.changes, [Self.note])
    #expect(try Contents(store) == expected.readable)
    #expect(store.opening(of: Array("s1".utf8))?.call == Self.changes.calls[0].key)
    #expect(store.opening(of: Array("s3".utf8)) == nil)
    // Whoever counts on in memory goes on where it stopped.
    var ledger = Ledger(
      restoring: try store.base(promptEdges: [1000, 200_000], now: testNow), archive: store)
    var record = UsageRecord(
      time: testNow.advanced(byMilliseconds: 1),
      identity: CallIdentity(message: Fingerprint(value: .max - 1)))
    record.labels.session = ledger.names.intern("s1")
    record.conversation = record.labels.session
    #expect(ledger.record(record) == .repeated)
    #expect(store.readError == nil)
    store.close()
    #expect(FileManager.default.contents(atPath: file) == before)
  }

  @Test func `a ledger of a newer schema is not touched`() throws {
    try make()
    let path = folder.ledger + "/ledger.db"
    do {
      let other = try SQLiteConnection(path: path, access: .readWrite)
      try other.execute("PRAGMA user_version = 99; CREATE TABLE future (x)")
    }
    let before = FileManager.default.contents(atPath: path)
    for access in [LedgerStore.Access.write, .read] {
      #expect(throws: StoreError.newer(path: path, found: 99, known: Schema.version)) {
        _ = try LedgerStore.open(folder, access)
      }
    }
    #expect(FileManager.default.contents(atPath: path) == before)
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.ledger)
    #expect(!files.contains { $0.contains("damaged") })
  }

  @Test func `a migration that fails leaves nothing`() throws {
    let connection = try SQLiteConnection(path: folder.path + "/a.db", access: .readWrite)
    #expect(throws: SQLiteError.self) {
      try Schema.migrate(connection) { () throws(SQLiteError) in throw .corrupt }
    }
    #expect(try Schema.number("user_version", of: connection) == 0)
    let tables = try connection.prepare("SELECT count(*) FROM sqlite_master")
    #expect(try tables.step())
    #expect(tables.integer(0) == 0)
  }
}
