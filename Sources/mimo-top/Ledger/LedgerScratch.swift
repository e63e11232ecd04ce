import FoundationEssentials
import MimoStore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What lies beside the ledger: folders that a `merge` or `rebuild` works in, which only who may write the ledger makes
/// or removes, and what was set aside.
enum LedgerScratch {
  private static let purposes = ["merge", "rebuild"]

  /// Makes one.
  static func make(_ purpose: String, in folder: String) throws(Failure) -> String {
    let path = "\(folder)/\(purpose)-\(getpid())"
    try AtomicFile.makeFolder(path, mode: 0o700)
    return path
  }

  /// Removes one with all that is in it.
  static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

  /// What processes left behind that were killed, or what others work with at present.
  static func leftovers(of folder: String) -> [String] {
    names(in: folder).map { "\(folder)/\($0)" }.filter { path in
      let parts = path.dropFirst(folder.count + 1).split(
        separator: "-", omittingEmptySubsequences: false)
      if parts.count == 2, purposes.contains(String(parts[0])), Int32(parts[1]) != nil {
        return true
      }
      // A rebuild that was killed just before its last step has given the ledger a second name.
      return parts[0] == "before" && LedgerStore.isSame(path + "/ledger.db", folder + "/ledger.db")
    }
  }

  /// The names of what was moved out of the way for good: damaged databases, and ledgers that were rebuilt.
  static func setAside(in folder: String) -> [String] {
    let leftovers = leftovers(of: folder)
    return names(in: folder).filter { name in
      name.hasPrefix("before-") && !leftovers.contains("\(folder)/\(name)")
        // What SQLite keeps beside a database went with it.
        || name.hasPrefix("ledger.db.damaged-")
          && !["-wal", "-shm", "-journal"].contains { name.hasSuffix($0) }
    }
  }

  private static func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  /// Removes what processes left behind that were killed.
  static func removeLeftovers(of folder: String) {
    for path in leftovers(of: folder) { remove(path) }
  }

  /// A sentence about one of them.
  static func words(about path: String) -> String {
    "\(path): left over from a merge or rebuild that was killed; the next one removes it"
  }
}
