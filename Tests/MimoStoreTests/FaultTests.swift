import CFaultVFS
import Foundation
import MimoEngine
import MimoSQLite
import Testing

@testable import MimoStore

private let isRegistered: Void = fault_vfs_register()

extension fault_kind: @retroactive CustomTestStringConvertible {
  /// The fault in the name of a test case.
  public var testDescription: String {
    switch self {
    case FAULT_DISK_FULL: "disk full"
    case FAULT_IO_ERROR: "I/O error"
    case FAULT_SHORT: "short write"
    default: "killed"
    }
  }
}

/// Whatever operation of the file system fails, and however: the ledger ends as if none had.
@Suite struct FaultTests {
  /// What is committed one after the other.
  private static let commits: [(LedgerChanges, [StoreNote])] = {
    var generator = ChangeGenerator(seed: 11)
    generator.most = 20
    return (0..<4).map { _ in (generator.next(), generator.notes()) }
  }()

  private static let expected: Contents = {
    var contents = Contents()
    for (changes, notes) in commits { contents.apply(changes, notes) }
    return contents.readable
  }()

  /// Opens a store whose WAL is put into the database after a few pages, so that this happens in the script, too.
  private func open(_ folder: TemporaryFolder, _ isOnNetwork: Bool) throws(StoreError)
    -> LedgerStore
  {
    _ = isRegistered
    let store = try LedgerStore.open(folder, vfs: "fault", isOnNetwork: isOnNetwork)
    try store.outsideTransaction { (database) throws(SQLiteError) in
      try database.connection.execute("PRAGMA wal_autocheckpoint = 20")
    }
    return store
  }

  /// Runs the script with a fault; what failed is tried again once with the same store, then with a new one.
  ///
  /// - Returns: how often something failed that the store told of.
  private func run(
    _ folder: TemporaryFolder, _ number: Int, _ kind: fault_kind, _ isOnNetwork: Bool
  ) throws -> (failures: Int, operations: Int) {
    var failures = 0
    fault_vfs_arm(number, kind)
    var store: LedgerStore?
    var done = 0
    var triesLeft = 1
    while done < Self.commits.count {
      do throws(StoreError) {
        if store == nil { store = try open(folder, isOnNetwork) }
        let (changes, notes) = Self.commits[done]
        try store!.commit(changes, notes: notes, now: testNow)
        done += 1
      } catch {
        failures += 1
        // Nothing that was stored may read as damaged.
        if case .damaged = error { throw error }
        if failures > 4 { throw error }
        if triesLeft > 0, kind != FAULT_DEAD {
          triesLeft -= 1
        } else {
          store?.close()
          store = nil
          fault_vfs_arm(0, kind)
        }
      }
    }
    let operations = fault_vfs_count()
    store?.close()
    fault_vfs_arm(0, kind)
    return (failures, operations)
  }

  private static let kinds = [FAULT_DISK_FULL, FAULT_IO_ERROR, FAULT_SHORT, FAULT_DEAD]

  /// Changes settings one after the other, with a fault; what failed is tried again without.
  ///
  /// - Returns: how often something failed that was told.
  private func change(
    _ folder: TemporaryFolder, _ number: Int, _ kind: fault_kind
  ) throws -> (failures: Int, operations: Int) {
    _ = isRegistered
    var opening = StoreOpening(
      folder: StoreFolder(path: folder.ledger), access: .write, now: testNow)
    opening.vfs = "fault"
    var failures = 0
    fault_vfs_arm(number, kind)
    defer { fault_vfs_arm(0, kind) }
    for step in 0..<3 {
      let note = StoreNote(kind: "a", key: "\(step)", value: [UInt8(step)])
      while true {
        do throws(StoreError) {
          try opening.change { (database) throws(SQLiteError) in try database.set(note) }
          break
        } catch {
          failures += 1
          if case .damaged = error { throw error }
          if failures > 2 { throw error }
          if kind == FAULT_DEAD { fault_vfs_arm(0, kind) }
        }
      }
    }
    return (failures, fault_vfs_count())
  }

  @Test(arguments: kinds) func `settings are changed whatever fails, and counts stay`(
    kind: fault_kind
  ) throws {
    for hasLedger in [false, true] {
      func make() throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        if hasLedger {
          let store = try LedgerStore.open(folder)
          for (changes, notes) in Self.commits.prefix(1) {
            try store.commit(changes, notes: notes, now: testNow)
          }
          store.close()
        }
        return folder
      }
      var before = Contents()
      if hasLedger { before.apply(Self.commits[0].0, Self.commits[0].1) }
      let operations = try change(try make(), 0, kind).operations
      #expect(operations > 10)
      var told = 0
      for number in 1...operations {
        let folder = try make()
        told += try change(folder, number, kind).failures
        var expected = before.readable
        for step in 0..<3 {
          expected.notes["a", default: [:]][Array("\(step)".utf8)] = [UInt8(step)]
        }
        let found = try Contents(try LedgerStore.open(folder))
        #expect(found == expected, "operation \(number)")
        if found != expected { return }
      }
      #expect(told > operations / 3)
    }
  }

  @Test(arguments: kinds, [false, true])
  func `each operation fails once`(kind: fault_kind, isOnNetwork: Bool) throws {
    let (failures, operations) = try run(TemporaryFolder(), 0, kind, isOnNetwork)
    #expect(failures == 0)
    #expect(operations > 40)
    var told = 0
    for number in 1...operations {
      let folder = TemporaryFolder()
      told += try run(folder, number, kind, isOnNetwork).failures
      let store = try LedgerStore.open(folder, .read)
      let found = try Contents(store)
      #expect(found == Self.expected, "operation \(number)")
      if found != Self.expected { return }
    }
    // Most faults are told; some are of no importance, such as when a WAL is put into the database.
    #expect(told > operations / 3)
  }
}
