import Foundation
import MimoEngine
import MimoSQLite
import Testing

@testable import MimoStore

/// What can go wrong with a ledger's files: each has a message, and nothing is lost.
@Suite struct MishapTests {
  private let folder = TemporaryFolder()

  private var database: String { folder.ledger + "/ledger.db" }

  private func mode(_ path: String) throws -> Int {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as! Int
  }

  private func files() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.ledger).sorted()
  }

  /// A ledger with a name that is not there by chance.
  private func make(_ count: Int = 500) throws {
    let store = try LedgerStore.open(folder)
    var changes = LedgerChanges()
    for index in 0..<count { changes.addSeries(named: Array("name-\(index)".utf8)) }
    for index in 0..<count {
      changes.calls.append(
        ArchivedCall(key: UInt64(index) << 32, time: testNow, series: 0))
    }
    try store.commit(changes, now: testNow)
    store.close()
  }

  private func names(_ store: LedgerStore) throws -> Int {
    try store.addressBook().names.count
  }

  @Test func `folder and files are the user's alone, whatever the mask`() throws {
    // The mask is the process's: other tests must not meet it.
    try FileManager.default.createDirectory(
      atPath: folder.ledger, withIntermediateDirectories: true)
    #expect(chmod(folder.ledger, 0o755) == 0)
    FileManager.default.createFile(atPath: database, contents: nil)
    #expect(chmod(database, 0o644) == 0)
    let store = try LedgerStore.open(folder)
    try store.commit(LedgerChanges(), now: testNow)
    #expect(try mode(folder.ledger) == 0o700)
    for file in try files() { #expect(try mode(folder.ledger + "/" + file) == 0o600, "\(file)") }
    #expect(try files().contains("ledger.db-wal"))
  }

  @Test func `there is nothing to read before somebody wrote`() throws {
    #expect(throws: StoreError.missing(path: database)) {
      _ = try LedgerStore.open(folder, .read)
    }
    #expect(!FileManager.default.fileExists(atPath: folder.ledger))
  }

  @Test(arguments: ["no database", "no ledger", "cut", "gone but its changes", "half a page"])
  func `what is damaged is set aside and kept`(damage: String) throws {
    try make()
    let whole = FileManager.default.contents(atPath: database)!
    switch damage {
    case "no database":
      try Data("not a database, but a text".utf8).write(to: URL(filePath: database))
    case "no ledger":
      try FileManager.default.removeItem(atPath: database)
      try SQLiteConnection(path: database, access: .readWrite).execute("CREATE TABLE a (b)")
    case "cut": try whole.prefix(whole.count / 2).write(to: URL(filePath: database))
    case "half a page": try whole.prefix(2000).write(to: URL(filePath: database))
    default:
      try Data().write(to: URL(filePath: database))
      try whole.write(to: URL(filePath: database + "-wal"))
    }
    let damaged = FileManager.default.contents(atPath: database)
    let store = try openAsProgram()
    #expect(try names(store) == 1)
    let name = "ledger.db.damaged-20260527-093000"
    #expect(FileManager.default.contents(atPath: folder.ledger + "/" + name) == damaged)
    #expect(store.notices.count == 1)
    #expect(store.notices[0].contains(name))
    store.close()
    // And once more in the same second.
    try Data("nonsense".utf8).write(to: URL(filePath: database))
    _ = try openAsProgram()
    #expect(try files().contains(name + "-2"))
  }

  @Test func `a ledger whose maker was killed at once is not taken for a damaged one`() throws {
    try FileManager.default.createDirectory(
      atPath: folder.ledger, withIntermediateDirectories: true)
    for pages in [0, 3] as [UInt8] {
      for file in [database, database + "-wal"] {
        try? FileManager.default.removeItem(atPath: file)
      }
      try Data().write(to: URL(filePath: database))
      // The header of a journal: what it is and how much is in it is written last.
      var journal = Data(repeating: 0, count: 512)
      journal[19] = pages
      try journal.write(to: URL(filePath: database + "-journal"))
      let store = try LedgerStore.open(folder)
      #expect(try names(store) == 1)
      store.close()
      #expect(try files().contains { $0.contains("damaged") } == (pages > 0))
    }
  }

  @Test func `an empty file is the loss of a ledger only where there was one`() throws {
    try FileManager.default.createDirectory(
      atPath: folder.ledger, withIntermediateDirectories: true)
    // Its maker was killed at once, and later somebody emptied it.
    for isLoss in [false, true] {
      for file in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: database + file) }
      try Data().write(to: URL(filePath: database))
      let store = try LedgerStore.open(folder)
      #expect(store.hasLostHistory == isLoss)
      #expect(store.notices.isEmpty != isLoss)
      store.close()
    }
  }

  /// Opens it, and once more if it turns out to be damaged.
  private func openAsProgram() throws(StoreError) -> LedgerStore {
    for _ in 0..<2 {
      let store = try LedgerStore.open(folder)
      do throws(StoreError) {
        _ = try store.base(promptEdges: [], now: testNow)
        return store
      } catch .damaged {
        store.close()
      }
    }
    throw .damaged(path: database)
  }

  @Test func `a changed byte anywhere is noticed or of no importance, and nothing is made up`()
    throws
  {
    try make()
    let whole = FileManager.default.contents(atPath: database)!
    var noticed = 0
    for offset in stride(from: 64, to: whole.count, by: 613) {
      var bytes = whole
      bytes[offset] ^= 0x55
      try bytes.write(to: URL(filePath: database))
      if try isNoticed() { noticed += 1 }
    }
    #expect(noticed > 10)
  }

  /// Reads what `make` made; whether anything is missing that it says is missing.
  private func isNoticed() throws -> Bool {
    guard let store = try? LedgerStore.open(folder) else { return true }
    defer { store.close() }
    if !store.notices.isEmpty { return true }
    guard let book = try? store.addressBook() else { return true }
    for index in 1..<book.names.count {
      #expect(book.names[NameID(UInt32(index))] == "name-\(index - 1)")
    }
    for index in 0..<500 {
      if let call = store.call(UInt64(index) << 32) { #expect(call.time == testNow) }
    }
    return store.readError != nil
  }

  @Test func `damage met while running stops commits, and the next start sets it aside`() throws {
    try make()
    do {
      let other = try SQLiteConnection(path: database, access: .readWrite)
      try other.execute("UPDATE call SET entry = x'00112233' WHERE key = 0")
    }
    let store = try LedgerStore.open(folder)
    #expect(store.call(1 << 32) != nil)
    #expect(store.readError == nil)
    #expect(store.call(0) == nil)
    #expect(store.readError == .damaged(path: database))
    #expect(throws: StoreError.damaged(path: database)) {
      try store.commit(LedgerChanges(), now: testNow)
    }
    store.close()
    let next = try LedgerStore.open(folder)
    #expect(next.notices.count == 1)
    #expect(try names(next) == 1)
    next.close()
    #expect(try LedgerStore.open(folder).notices == [])
  }

  @Test func `an answer that was refused stops commits, because they would be made without it`()
    throws
  {
    try make()
    let store = try LedgerStore.open(folder, isOnNetwork: true)
    let other = try SQLiteConnection(path: database, access: .readWrite)
    try other.execute("BEGIN EXCLUSIVE")
    #expect(store.call(1 << 32) == nil)
    #expect(store.readError == .busy(path: database))
    try other.execute("COMMIT")
    #expect {
      try store.commit(LedgerChanges(), now: testNow)
    } throws: {
      if case .unread = $0 as? StoreError { true } else { false }
    }
    store.close()
    #expect(try LedgerStore.open(folder, isOnNetwork: true).call(1 << 32) != nil)
  }

  @Test func `a suspicion without a reason is dropped`() throws {
    try make()
    StoreFolder(path: folder.ledger).markSuspect()
    let store = try LedgerStore.open(folder)
    #expect(store.notices == [])
    #expect(try names(store) == 501)
    #expect(try !files().contains("ledger.suspect"))
  }

  @Test func `links and what is no file are refused`() throws {
    let fileManager = FileManager.default
    try fileManager.createDirectory(
      atPath: folder.path + "/state", withIntermediateDirectories: true)
    try fileManager.createSymbolicLink(
      atPath: folder.ledger, withDestinationPath: folder.path + "/nowhere")
    #expect(throws: StoreError.misplaced(path: folder.ledger)) { _ = try LedgerStore.open(folder) }
    #expect(throws: StoreError.misplaced(path: folder.ledger)) {
      try StoreFolder(path: folder.ledger + "/in/it").prepare()
    }
    try fileManager.removeItem(atPath: folder.ledger)
    fileManager.createFile(atPath: folder.ledger, contents: Data())
    #expect(throws: StoreError.misplaced(path: folder.ledger)) { _ = try LedgerStore.open(folder) }
    try fileManager.removeItem(atPath: folder.ledger)
    // A folder of the user's own may lie elsewhere.
    try fileManager.createDirectory(
      atPath: folder.path + "/elsewhere", withIntermediateDirectories: true)
    try fileManager.createSymbolicLink(
      atPath: folder.ledger, withDestinationPath: folder.path + "/elsewhere")
    try make()
    try fileManager.removeItem(atPath: database)
    try fileManager.createSymbolicLink(
      atPath: database, withDestinationPath: folder.path + "/nowhere")
    for access in [LedgerStore.Access.write, .read] {
      #expect(throws: StoreError.misplaced(path: database)) {
        _ = try LedgerStore.open(folder, access)
      }
    }
    #expect(!fileManager.fileExists(atPath: folder.path + "/nowhere"))
    try fileManager.removeItem(atPath: database)
    try fileManager.createDirectory(atPath: database, withIntermediateDirectories: true)
    #expect(throws: StoreError.misplaced(path: database)) { _ = try LedgerStore.open(folder) }
  }

  @Test(.enabled(if: geteuid() == 0, "only the superuser can give files away"))
  func `what belongs to somebody else is left alone`() throws {
    try make()
    #expect(chown(database, 12_345, 12_345) == 0)
    for access in [LedgerStore.Access.write, .read] {
      #expect(throws: StoreError.foreign(path: database)) {
        _ = try LedgerStore.open(folder, access)
      }
    }
    #expect(chown(folder.ledger, 12_345, 12_345) == 0)
    #expect(throws: StoreError.foreign(path: folder.ledger)) { _ = try LedgerStore.open(folder) }
  }

  @Test(.enabled(if: geteuid() != 0, "nobody forbids the superuser anything"))
  func `without permission there is a message, and reading goes on`() throws {
    try make()
    #expect(chmod(database, 0o400) == 0)
    #expect(chmod(folder.ledger, 0o500) == 0)
    defer { _ = chmod(folder.ledger, 0o700) }
    let store = try LedgerStore.open(folder, .read)
    #expect(try names(store) == 501)
    #expect(chmod(folder.path, 0o500) == 0)
    defer { _ = chmod(folder.path, 0o700) }
    #expect(throws: StoreError.noPermission(path: folder.path + "/a")) {
      try StoreFolder(path: folder.path + "/a/b").prepare()
    }
  }

  @Test func `a database that is moved away or deleted is not written any more`() throws {
    let store = try LedgerStore.open(folder)
    try FileManager.default.moveItem(atPath: database, toPath: database + ".moved")
    #expect(throws: StoreError.lost(path: database)) {
      try store.commit(LedgerChanges(), now: testNow)
    }
    store.close()
    let next = try LedgerStore.open(folder)
    #expect(try next.statistics().calls == 0)
    // Exports of both are of one ledger.
    #expect(next.origin == store.origin)
  }

  @Test func `of two writers, where locks do not work, the one that comes late is stopped`() throws
  {
    let lock = folder.ledger + "/ledger.lock"
    let first = try LedgerStore.open(folder)
    try FileManager.default.removeItem(atPath: lock)
    let second = try LedgerStore.open(folder)
    try first.commit(LedgerChanges(), now: testNow)
    #expect(throws: StoreError.lost(path: database)) {
      try second.commit(LedgerChanges(), now: testNow)
    }
    try first.commit(LedgerChanges(), now: testNow)
    try FileManager.default.removeItem(atPath: lock)
    let third = try LedgerStore.open(folder)
    try third.commit(LedgerChanges(), now: testNow)
    #expect(throws: StoreError.lost(path: database)) {
      try first.commit(LedgerChanges(), now: testNow)
    }
    try third.commit(LedgerChanges(), now: testNow)
  }

  @Test func `on a network nothing is shared but the file`() throws {
    try make()
    // A copy of a ledger with changes that are not in the file yet.
    let local = try LedgerStore.open(folder)
    let copy = TemporaryFolder()
    var changes = LedgerChanges()
    changes.addSeries(named: [1])
    try local.commit(changes, now: testNow)
    try FileManager.default.createDirectory(
      atPath: copy.path + "/state", withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: folder.ledger, toPath: copy.ledger)
    try? FileManager.default.removeItem(atPath: copy.ledger + "/ledger.db-shm")
    let writer = try LedgerStore.open(copy, isOnNetwork: true)
    #expect(try names(writer) == 502)
    #expect(!FileManager.default.fileExists(atPath: copy.ledger + "/ledger.db-wal"))
    let reader = try LedgerStore.open(copy, .read, isOnNetwork: true)
    changes.addSeries(named: [2])
    try writer.commit(changes, now: testNow)
    #expect(try names(reader) == 503)
    #expect(!FileManager.default.fileExists(atPath: copy.ledger + "/ledger.db-shm"))
  }

  @Test func `each message says where and what to do`() {
    let errors: [StoreError] = [
      .missing(path: "/p"), .held(path: "/p", by: "process 1"), .foreign(path: "/p"),
      .misplaced(path: "/p"), .noPermission(path: "/p"), .readOnly(path: "/p"),
      .diskFull(path: "/p"), .newer(path: "/p", found: 9, known: 1),
      .damaged(path: "/p"), .unread(path: "/p", reason: "why"), .busy(path: "/p"),
      .lost(path: "/p"),
      .tooManyEdges(path: "/p"), .failed(path: "/p", reason: "why"),
    ]
    for error in errors { #expect("\(error)".hasPrefix("/p: ")) }
    #expect(StoreError(path: "/p", systemError: EROFS) == .readOnly(path: "/p"))
    #expect(StoreError(path: "/p", systemError: ENOSPC) == .diskFull(path: "/p"))
    #expect(StoreError(path: "/p", systemError: EACCES) == .noPermission(path: "/p"))
  }
}
