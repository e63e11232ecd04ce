#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

import MimoEngine

extension LedgerStore {
  /// Moves the database of a folder into a folder of its own in it, so that the next store begins anew.
  ///
  /// - Returns: the new folder, which can be opened for reading like any other; `nil` if there is no database.
  /// - Throws: `StoreError`, also `held`; nothing was moved then, or only what is beside the database.
  public static func setAside(folder path: String, now: Instant) throws(StoreError) -> String? {
    let folder = StoreFolder(path: path)
    guard try folder.hasDatabase() else { return nil }
    _ = try StoreLock(path: folder.lock, owner: StoreLock.thisProcess)
    let stamp = StoreFolder.stamp(now)
    var target = "\(path)/before-\(stamp)"
    var number = 1
    while mkdir(target, 0o700) != 0 {
      guard errno == EEXIST else { throw StoreError(path: target, systemError: errno) }
      number += 1
      target = "\(path)/before-\(stamp)-\(number)"
    }
    let copy = StoreFolder(path: target)
    for companion in StoreFolder.companions where access(folder.database + companion, F_OK) == 0 {
      if rename(folder.database + companion, copy.database + companion) != 0 {
        throw StoreError(path: folder.database + companion, systemError: errno)
      }
    }
    if rename(folder.database, copy.database) != 0 {
      throw StoreError(path: folder.database, systemError: errno)
    }
    return target
  }
}
