#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

import MimoEngine
import MimoSQLite

extension LedgerStore {
  /// Moves the database of a folder into a folder of its own in it, so that the next store begins anew.
  ///
  /// What no log tells (settings, alerts) is in the new one, as far as it can be read.
  ///
  /// - Returns: the new folder, which can be opened for reading like any other; `nil` if there is no database.
  /// - Throws: `StoreError`, also `held`; nothing was moved then, or only what is beside the database.
  public static func setAside(folder path: String, now: Instant) throws(StoreError) -> String? {
    let folder = StoreFolder(path: path)
    guard try folder.hasDatabase() else { return nil }
    let lock = StoreState.HeldLock(
      try StoreLock(path: folder.lock, owner: StoreLock.thisProcess))
    defer { withExtendedLifetime(lock) {} }
    let stamp = StoreFolder.stamp(now)
    var target = "\(path)/before-\(stamp)"
    var number = 1
    while mkdir(target, 0o700) != 0 {
      guard errno == EEXIST else { throw StoreError(path: target, systemError: errno) }
      number += 1
      target = "\(path)/before-\(stamp)-\(number)"
    }
    // The new one is whole before the old one goes.
    let successor = StoreFolder(path: "\(target)/new")
    defer {
      for file in [successor.database, successor.lock] { unlink(file) }
      rmdir(successor.path)
    }
    let hasSuccessor = try makeSuccessor(of: folder, in: successor, now: now)
    let copy = StoreFolder(path: target)
    for companion in StoreFolder.companions { try move(folder, copy, companion) }
    try move(folder, copy, "")
    if hasSuccessor { try move(successor, folder, "") }
    return target
  }

  /// Begins a ledger with what no log tells; `false` if there is none of that.
  private static func makeSuccessor(
    of folder: StoreFolder, in successor: StoreFolder, now: Instant
  ) throws(StoreError) -> Bool {
    var notes: [StoreNote] = []
    do throws(StoreError) {
      notes = try reading(folder: folder.path, now: now, or: []) { (database) throws(SQLiteError) in
        database.readableLastingNotes().notes
      }
    } catch {
      // Whoever looks into the old one next will say so.
    }
    if notes.isEmpty { return false }
    try changing(folder: successor.path, patience: 1000, now: now) {
      (database) throws(SQLiteError) in
      for note in notes { try database.set(note) }
    }
    return true
  }

  /// Gives a database, or what is beside it, to another folder.
  private static func move(
    _ folder: StoreFolder, _ other: StoreFolder, _ companion: String
  ) throws(StoreError) {
    let file = folder.database + companion
    if !companion.isEmpty, access(file, F_OK) != 0 { return }
    if rename(file, other.database + companion) != 0 {
      throw StoreError(path: file, systemError: errno)
    }
  }
}
