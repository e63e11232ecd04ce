import MimoEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The folder of a ledger and the files in it: whose they are, and who may read them.
struct StoreFolder {
  /// The folder, without a slash at the end.
  let path: String
  /// What the database is called in it.
  var name = "ledger.db"
  /// Whether it is the ledger of another machine or user, which is read and nothing more.
  var isOthers = false

  /// The database.
  var database: String { path + "/" + name }
  /// The file that its writer locks.
  var lock: String { path + "/ledger.lock" }

  /// The file that tells of damage.
  private var suspicion: String { path + "/ledger.suspect" }

  /// What SQLite keeps beside a database.
  static let companions = ["-wal", "-shm", "-journal"]

  /// Makes the folder, if it is not there, and closes it to others.
  func prepare() throws(StoreError) {
    try makeFolder(path)
    try check(path, S_IFDIR)
    if chmod(path, 0o700) != 0 { throw StoreError(path: path, systemError: errno) }
  }

  private func makeFolder(_ path: String) throws(StoreError) {
    if mkdir(path, 0o700) == 0 {
      // The mask may have taken away the owner's own rights.
      _ = chmod(path, 0o700)
      return
    }
    let error = errno
    // A parent may be readable by everybody and yet not be made again.
    if error == EEXIST { return }
    guard error == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      // Some file systems answer so for a folder that is there.
      if access(path, F_OK) == 0 { return }
      throw StoreError(path: path, systemError: error)
    }
    let parent = String(path[..<slash])
    try makeFolder(parent)
    if mkdir(path, 0o700) != 0, errno != EEXIST {
      // A link to nowhere is there, and yet cannot be entered.
      throw errno == ENOENT ? .misplaced(path: parent) : StoreError(path: path, systemError: errno)
    }
    _ = chmod(path, 0o700)
  }

  /// Makes an empty database file that only the user can read, or closes the one there to others.
  ///
  /// - Returns: whether there was one without bytes: something else cut it off.
  func prepareDatabase() throws(StoreError) -> Bool {
    let descriptor = open(database, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    if descriptor >= 0 {
      _ = fchmod(descriptor, 0o600)
      close(descriptor)
      return false
    }
    if errno != EEXIST { throw StoreError(path: database, systemError: errno) }
    try check(database, S_IFREG)
    for file in [database] + Self.companions.map({ database + $0 }) { _ = chmod(file, 0o600) }
    if access(database, R_OK | W_OK) != 0 { throw StoreError(path: database, systemError: errno) }
    var about = stat()
    return stat(database, &about) == 0 && about.st_size == 0
  }

  /// Whether there is a database, one without bytes included.
  ///
  /// Nobody but SQLite opens the file: the system drops a process's locks on a file when any descriptor of it is
  /// closed (sqlite.org/howtocorrupt.html, section 2.2, read 2026-11-22).
  func hasDatabase() throws(StoreError) -> Bool {
    var about = stat()
    if stat(path, &about) == 0 || isLink(path) { try check(path, S_IFDIR) }
    if stat(database, &about) != 0, errno == ENOENT, !isLink(database) { return false }
    try check(database, S_IFREG)
    return true
  }

  /// Whether the database has no bytes, although there are changes to it.
  var isCutOff: Bool {
    var about = stat()
    return stat(database, &about) == 0 && about.st_size == 0 && hasPendingChanges && !isUnmade
  }

  /// Whether somebody was killed who had only begun to make the database: its journal says that it had no pages before.
  ///
  /// Source: sqlite.org/fileformat2.html, section 3, the size of the database at offset 16; read 2026-11-22.
  private var isUnmade: Bool {
    var about = stat()
    if stat(database + "-wal", &about) == 0, about.st_size > 0 { return false }
    let journal = open(database + "-journal", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    if journal < 0 { return false }
    defer { close(journal) }
    var pages: UInt32 = .max
    return pread(journal, &pages, 4, 16) == 4 && pages == 0
  }

  /// Renames the database and what is beside it; returns the new name.
  func setAside(now: Instant) throws(StoreError) -> String {
    let name = database + ".damaged-" + Self.stamp(now)
    var target = name
    var number = 1
    while access(target, F_OK) == 0 || isLink(target) {
      number += 1
      target = "\(name)-\(number)"
    }
    // The companions first: without the database they mean nothing, but a new one must not meet them.
    for companion in Self.companions where access(database + companion, F_OK) == 0 {
      if rename(database + companion, target + companion) != 0 {
        throw StoreError(path: database + companion, systemError: errno)
      }
    }
    if rename(database, target) != 0 { throw StoreError(path: database, systemError: errno) }
    return target
  }

  /// Which file something is, whatever it is called.
  struct Identity: Equatable {
    var device: UInt64
    var number: UInt64
  }

  /// Which file the database is; `nil` if it is not there.
  var databaseIdentity: Identity? { Self.identity(of: database) }

  /// Which file this is; `nil` if it is not there.
  static func identity(of path: String) -> Identity? {
    var about = stat()
    guard stat(path, &about) == 0 else { return nil }
    return Identity(
      device: UInt64(truncatingIfNeeded: about.st_dev),
      number: UInt64(truncatingIfNeeded: about.st_ino))
  }

  /// Whether somebody met damage, so that the whole database has to be looked at before it is used again.
  var isSuspect: Bool { access(suspicion, F_OK) == 0 }

  /// Notes damage, for whoever opens the database next.
  func markSuspect() {
    if isOthers { return }
    let descriptor = open(suspicion, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    if descriptor >= 0 { close(descriptor) }
  }

  /// The database was looked at, or set aside.
  func clearSuspicion() { _ = unlink(suspicion) }

  /// The bytes of the database and what is beside it.
  var bytesOnDisk: Int64 {
    var sum: Int64 = 0
    for file in [database] + Self.companions.map({ database + $0 }) {
      var about = stat()
      if stat(file, &about) == 0 { sum += Int64(about.st_size) }
    }
    return sum
  }

  /// Whether what is beside the database holds changes that are not in it.
  var hasPendingChanges: Bool { pendingBytes > 0 }

  /// The bytes of these changes.
  var pendingBytes: Int64 { Self.pendingBytes(beside: database) }

  /// The bytes of changes to a database that are not in it.
  static func pendingBytes(beside database: String) -> Int64 {
    ["-wal", "-journal"].reduce(0) { sum, companion in
      var about = stat()
      return stat(database + companion, &about) == 0 ? sum + Int64(about.st_size) : sum
    }
  }

  /// Makes sure that something is of this kind and belongs to the user, whatever link led there.
  private func check(_ path: String, _ kind: mode_t) throws(StoreError) {
    var about = stat()
    if stat(path, &about) != 0 {
      let error = errno
      throw error == ENOENT && isLink(path)
        ? .misplaced(path: path) : StoreError(path: path, systemError: error)
    }
    guard about.st_mode & S_IFMT == kind else { throw .misplaced(path: path) }
    guard isOthers || about.st_uid == geteuid() else { throw .foreign(path: path) }
  }

  private func isLink(_ path: String) -> Bool {
    var about = stat()
    return lstat(path, &about) == 0 && about.st_mode & S_IFMT == S_IFLNK
  }

  /// `20260527-093000`, in UTC.
  static func stamp(_ now: Instant) -> String {
    let seconds = floorDivide(now.milliseconds, 1000)
    let day = floorDivide(seconds, 86_400)
    let date = CivilDate(dayNumber: Int32(clamping: day))
    let second = Int(seconds - day * 86_400)
    func digits(_ number: Int, _ width: Int = 2) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    return digits(date.year, 4) + digits(date.month) + digits(date.day) + "-"
      + digits(second / 3600) + digits(second / 60 % 60) + digits(second % 60)
  }
}
