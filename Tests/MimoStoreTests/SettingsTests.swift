import Foundation
import MimoEngine
import MimoSQLite
import Testing

@testable import MimoStore

/// What any process may change, whoever keeps the counts.
@Suite struct SettingsTests {
  private let folder = TemporaryFolder()

  private var database: String { folder.ledger + "/ledger.db" }

  private func anchor(_ used: Int) -> PlanAnchor {
    PlanAnchor(at: testNow, used: Amount(decimal: "\(used)")!)
  }

  private func change<R>(
    patience: Int32 = 1000, _ change: (inout StoreSettings) -> R
  ) throws(StoreError) -> R {
    try LedgerStore.change(
      settingsIn: folder.ledger, patience: patience, now: testNow, change)
  }

  private func settings() throws(StoreError) -> StoreSettings {
    try LedgerStore.settings(folder: folder.ledger, now: testNow)
  }

  private func mode(_ path: String) throws -> Int {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as! Int
  }

  @Test func `what is set is read, replaced and removed`() throws {
    let plan = StoreSettings.ActivePlan(id: "pro", currency: .cny)
    let huge = PlanAnchor(at: Instant(milliseconds: -1), used: Amount(atto: .max))
    try change { $0.anchors = ["a": anchor(1), "b": huge] }
    try change { $0.plan = plan }
    #expect(try settings().anchors == ["a": anchor(1), "b": huge])
    #expect(try settings().plan == plan)
    let returned = try change { settings in
      settings.anchors["a"] = nil
      settings.anchors["b"] = anchor(7)
      settings.plan = nil
      return settings.anchors.count
    }
    #expect(returned == 1)
    var expected = StoreSettings()
    expected.anchors = ["b": anchor(7)]
    #expect(try settings() == expected)
  }

  @Test func `reading makes nothing, the first change a ledger for the user alone`() throws {
    #expect(try settings() == StoreSettings())
    #expect(!FileManager.default.fileExists(atPath: folder.ledger))
    try change { $0.anchors["a"] = anchor(1) }
    #expect(try mode(folder.ledger) == 0o700)
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.ledger) {
      #expect(try mode(folder.ledger + "/" + file) == 0o600, "\(file)")
    }
    // Nobody keeps it, and nobody has kept it.
    #expect(!LedgerStore.isHeld(folder: folder.ledger))
    let store = try LedgerStore.open(folder)
    #expect(try store.statistics().spans.isEmpty)
    #expect(try settings().anchors == ["a": anchor(1)])
  }

  @Test func `an empty file that somebody left is made a ledger`() throws {
    try FileManager.default.createDirectory(
      atPath: folder.ledger, withIntermediateDirectories: true)
    FileManager.default.createFile(atPath: database, contents: nil)
    try change { $0.anchors["a"] = anchor(1) }
    #expect(try settings().anchors == ["a": anchor(1)])
  }

  @Test func `settings change beside the one who keeps the counts, and neither loses anything`()
    async throws
  {
    let store = try LedgerStore.open(folder)
    var random = ChangeGenerator(seed: 8)
    random.most = 5
    var contents = Contents()
    let folder = folder.ledger
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<3 {
        group.addTask {
          for index in 0..<15 {
            try LedgerStore.change(settingsIn: folder, patience: 20_000, now: testNow) {
              $0.anchors["\(task)-\(index)"] = PlanAnchor(
                at: testNow, used: Amount(decimal: "\(index)")!)
            }
          }
        }
      }
      for _ in 0..<30 {
        let (changes, notes) = (random.next(), random.notes())
        // A ledger that asks leaves a transaction open.
        _ = store.call(1)
        try store.commit(changes, notes: notes, now: testNow)
        contents.apply(changes, notes)
        await Task.yield()
      }
      try await group.waitForAll()
    }
    #expect(try settings().anchors.count == 45)
    #expect(try settings().anchors["2-14"] == anchor(14))
    #expect(try Contents(store) == contents.readable)
    #expect(try store.commitNumber <= 30)
  }

  @Test func `while somebody else writes, a change waits and then says so`() throws {
    try change { $0.anchors["a"] = anchor(1) }
    let other = try SQLiteConnection(path: database, access: .readWrite)
    try other.execute("BEGIN IMMEDIATE")
    #expect(throws: StoreError.busy(path: database)) {
      try change(patience: 0) { $0.anchors["a"] = anchor(2) }
    }
    #expect(try settings().anchors == ["a": anchor(1)])
    try other.execute("COMMIT")
    try change(patience: 0) { $0.anchors["a"] = anchor(2) }
    #expect(try settings().anchors == ["a": anchor(2)])
  }

  @Test func `on a network one after the other changes them`() throws {
    var opening = StoreOpening(
      folder: StoreFolder(path: folder.ledger), access: .write, now: testNow)
    opening.isOnNetwork = true
    let note = StoreNote(kind: "a", key: "b", value: [1])
    try opening.change { (database) throws(SQLiteError) in try database.set(note) }
    let keeper = try LedgerStore.open(folder, isOnNetwork: true)
    let other = StoreNote(kind: "a", key: "c", value: [2])
    try opening.change { (database) throws(SQLiteError) in try database.set(other) }
    #expect(try keeper.notes(kind: "a") == [note, other])
    #expect(!FileManager.default.fileExists(atPath: database + "-shm"))
  }

  @Test func `a ledger of an earlier form is left in it`() throws {
    try FileManager.default.createDirectory(
      atPath: folder.ledger, withIntermediateDirectories: true)
    let fixture = URL(filePath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/schema-1.db")
    try FileManager.default.copyItem(atPath: fixture.path, toPath: database)
    try change { $0.anchors["a"] = anchor(1) }
    let connection = try SQLiteConnection(path: database, access: .readWrite)
    #expect(try Schema.number("user_version", of: connection) == 1)
    #expect(try settings().anchors == ["a": anchor(1)])
    let store = try LedgerStore.open(folder)
    #expect(try store.addressBook().names.count > 1)
    #expect(try settings().anchors == ["a": anchor(1)])
  }

  @Test func `where nothing can be kept, that is said`() throws {
    #expect(throws: StoreError.homeless) {
      try LedgerStore.change(settingsIn: "", patience: 0, now: testNow) { _ in }
    }
    #expect(try LedgerStore.settings(folder: "", now: testNow) == StoreSettings())
    try change { $0.anchors["a"] = anchor(1) }
    try SQLiteConnection(path: database, access: .readWrite).execute("PRAGMA user_version = 99")
    let newer = StoreError.newer(path: database, found: 99, known: Schema.version)
    #expect(throws: newer) { _ = try settings() }
    #expect(throws: newer) { try change { $0.anchors["a"] = nil } }
    try Data("no database".utf8).write(to: URL(filePath: database))
    #expect(throws: StoreError.damaged(path: database)) { _ = try settings() }
    #expect(throws: StoreError.damaged(path: database)) { try change { $0.anchors["a"] = nil } }
    #expect(try Data(contentsOf: URL(filePath: database)) == Data("no database".utf8))
  }

  @Test func `a reading that cannot be read is named, and the others stay`() throws {
    try change { $0.anchors = ["a": anchor(1), "b": anchor(2), "c": anchor(3)] }
    let connection = try SQLiteConnection(path: database, access: .readWrite)
    // Another's value, and one of a form that is still to come.
    try connection.execute(
      """
      UPDATE note SET value = (SELECT value FROM note WHERE key = x'62') WHERE key = x'61';
      UPDATE note SET value = x'02000000' WHERE key = x'63'
      """)
    let found = try settings()
    #expect(found.anchors == ["b": anchor(2)])
    #expect(found.unreadable == ["a", "c"])
    try change { $0.anchors["b"] = nil }
    #expect(try settings().unreadable == ["a", "c"])
    try change { $0.anchors["a"] = anchor(9) }
    #expect(try settings().anchors == ["a": anchor(9)])
    #expect(try settings().unreadable == ["c"])
  }

  @Test func `a ledger that begins anew takes them over`() throws {
    try change { $0.anchors["a"] = anchor(1) }
    let aside = try LedgerStore.replaced(in: folder)
    #expect(try settings().anchors == ["a": anchor(1)])
    #expect(try LedgerStore.settings(folder: aside, now: testNow).anchors == ["a": anchor(1)])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: aside).allSatisfy {
        $0.hasPrefix("ledger.db")
      })
    // Damage elsewhere in the file is no reason to lose them.
    var store = try LedgerStore.open(folder)
    var changes = LedgerChanges()
    changes.addSeries(named: [1])
    try store.commit(changes, now: testNow)
    store.close()
    try SQLiteConnection(path: database, access: .readWrite)
      .execute("UPDATE name_page SET entries = x'00'")
    store = try LedgerStore.open(folder)
    #expect(throws: StoreError.damaged(path: database)) {
      _ = try store.addressBook()
    }
    store.close()
    store = try LedgerStore.open(folder)
    #expect(store.notices.count == 1 && !store.notices[0].contains("taken over"))
    #expect(try settings().anchors == ["a": anchor(1)])
    store.close()
    // What is no database has none; that is said.
    try Data("no database".utf8).write(to: URL(filePath: database))
    store = try LedgerStore.open(folder)
    #expect(store.notices.count == 1)
    #expect(store.notices[0].contains("could not all be taken over"))
  }
}
