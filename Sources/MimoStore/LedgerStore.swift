import MimoEngine
import MimoSQLite
import Synchronization

/// The ledger on disk: cells, calls and what belongs to them, in one SQLite database.
///
///     let store = try LedgerStore.open(folder: folder, access: .write, now: now)
///     var ledger = Ledger(restoring: try store.base(promptEdges: edges), archive: store)
///     ...
///     try store.commit(ledger.changes(), now: now)
///
/// One process at a time writes; any number read. What is committed is one change: a process that dies at any
/// instant leaves all of it or nothing. Values are absolute, so a commit whose answer got lost may be repeated.
///
/// Calls from different threads wait for each other. A program that shows while it writes opens a second store,
/// for reading. Whoever meets `StoreError.damaged` closes the store and opens it again: then the whole file is
/// looked at, and set aside if it is damaged indeed.
public final class LedgerStore: Sendable {
  /// What may be done.
  public enum Access: Sendable {
    /// Reading and writing. The folder and the database are made if they are not there.
    case write
    /// Reading beside a writer. Nothing is made.
    case read
  }

  /// The database file.
  public let path: String
  /// What happened at opening that the user should know: sentences.
  public let notices: [String]
  /// Whether it began anew at opening, in the place of one that was damaged or cut off.
  public let hasLostHistory: Bool
  /// Sixteen random bytes that name this ledger; a copy of the file has the same.
  public let origin: [UInt8]
  /// A random number, never 0, for the hashes of keys in this ledger.
  public let keySalt: UInt64

  /// Whether it was begun to take another one's place, which counts logs anew.
  public let isSuccessor: Bool

  let folder: StoreFolder
  let state: Mutex<StoreState>

  /// Opens the ledger of a folder.
  ///
  /// - Parameter folder: where it lies, empty if nowhere; for `.write` made with all folders above it, for the user alone.
  /// - Parameter now: for the span that begins, and for the name of a database that is set aside.
  /// - Throws: `StoreError`; nothing is open then.
  public static func open(
    folder: String, access: Access, now: Instant
  ) throws(StoreError) -> LedgerStore {
    try LedgerStore(StoreOpening(folder: StoreFolder(path: folder), access: access, now: now))
  }

  /// Opens the ledger of another machine or another user for reading, wherever it lies and whatever it is called.
  ///
  /// - Throws: `StoreError`; `damaged` also of a file that is no ledger.
  public static func open(another path: String, now: Instant) throws(StoreError) -> LedgerStore {
    let path = path.contains("/") ? path : "./" + path
    let slash = path.lastIndex(of: "/")!
    let folder = StoreFolder(
      path: slash == path.startIndex ? "/" : String(path[..<slash]),
      name: String(path[path.index(after: slash)...]), isOthers: true)
    return try LedgerStore(StoreOpening(folder: folder, access: .read, now: now))
  }

  init(_ opening: StoreOpening) throws(StoreError) {
    let state = Mutex(StoreState())
    let facts = try state.withLock { state throws(StoreError) in try opening.run(&state) }
    folder = opening.folder
    isSuccessor = opening.heritage != nil
    path = folder.database
    (notices, origin, keySalt) = (facts.notices, facts.origin, facts.keySalt)
    hasLostHistory = facts.hasLostHistory
    self.state = state
  }

  deinit { close() }

  /// Puts all changes into the database file itself, and lets go of it and of the lock. Once is enough.
  public func close() {
    state.withLock { state in
      if state.isWriter, let connection = state.database?.connection {
        if connection.isInTransaction { try? connection.execute("COMMIT") }
        // Not waited for: whoever reads meanwhile does the same when it closes.
        try? connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
      }
      state.database = nil
      // The lock goes last.
      state.lock = nil
    }
  }

  /// Whether this file is the database, whatever link leads to it.
  public func isStored(in file: String) -> Bool { Self.isSame(path, file) }

  /// Whether two paths lead to one file.
  public static func isSame(_ a: String, _ b: String) -> Bool {
    StoreFolder.identity(of: a).map { $0 == StoreFolder.identity(of: b) } ?? false
  }

  /// Whether there is a ledger in a folder, a damaged one included.
  public static func isThere(folder: String) -> Bool {
    StoreFolder(path: folder).databaseIdentity != nil
  }

  /// Whether a process has the right to write the ledger of a folder at this moment.
  public static func isHeld(folder: String) -> Bool {
    StoreLock.isHeld(path: StoreFolder(path: folder).lock)
  }

  /// Why a ledger was refused an answer, or `nil`. From then on nothing is committed.
  public var readError: StoreError? { state.withLock { $0.readError } }

  // MARK: - For the parts of the store

  /// Reads what is of one moment.
  func reading<R: Sendable>(
    _ body: @Sendable (LedgerDatabase) throws(SQLiteError) -> R
  ) throws(StoreError) -> R {
    try access { (state, database) throws(SQLiteError) in
      if state.isFrozen { return try body(database) }
      return try database.connection.transaction { () throws(SQLiteError) in try body(database) }
    }
  }

  /// Has all that is read from now on be of this moment, whatever a writer stores meanwhile: for a reader that counts
  /// further from there.
  public func freeze() throws(StoreError) {
    try state.withLock { state throws(StoreError) in
      precondition(!state.isWriter, "what a writer stores is of its own making")
      try use(&state) { (_, database) throws(SQLiteError) in
        try database.connection.execute("BEGIN")
        // The moment is that of the first reading.
        _ = try database.number(.commit)
      }
      state.isFrozen = true
    }
  }

  /// Writes all or nothing.
  @discardableResult
  func writing<R: Sendable>(
    now: Instant, _ body: @Sendable (LedgerDatabase) throws(SQLiteError) -> R
  ) throws(StoreError) -> R {
    // `nil` where the right to write is lost.
    let outcome = try access { (state, database) throws(SQLiteError) in
      precondition(state.isWriter, "a store that was opened for reading")
      guard folder.databaseIdentity == state.identity else { return R?.none }
      // Whoever only looks leaves nothing behind.
      let mark = state.hasWritten ? state.mark ?? 0 : Int64.random(in: 1...Int64.max)
      let before = state.mark
      let outcome = try database.connection.transaction(writes: true) {
        () throws(SQLiteError) -> R? in
        // Where locks do not work, a second writer may have come: it left another mark.
        guard try database.number(.writer) == before else { return nil }
        try database.set(.writer, mark)
        try database.keepSpan(now: now)
        return try body(database)
      }
      if outcome != nil { (state.mark, state.hasWritten) = (mark, true) }
      return outcome
    }
    guard let outcome else { throw .lost(path: path) }
    return outcome
  }

  /// Does what SQLite does not do in a transaction.
  func outsideTransaction(
    _ body: @Sendable (LedgerDatabase) throws(SQLiteError) -> Void
  ) throws(StoreError) {
    try access { (_, database) throws(SQLiteError) in try body(database) }
  }

  /// Whether the database is still the file that was opened: a keeper may have set a damaged one aside.
  public var isCurrent: Bool { state.withLock { folder.databaseIdentity == $0.identity } }

  /// The bytes of changes that are not in the database file itself yet: an old moment that somebody reads keeps them out.
  public var bytesWaiting: Int64 { folder.pendingBytes }

  /// Whether it was opened for writing.
  public var isWriter: Bool { state.withLock { $0.isWriter } }

  /// Answers a ledger; `nil` where that is impossible, which is remembered.
  func answer<R: Sendable>(_ body: @Sendable (LedgerDatabase) throws(SQLiteError) -> R?) -> R? {
    state.withLock { state in
      guard state.readError == nil else { return nil }
      do throws(StoreError) {
        return try use(&state, keepsMoment: state.isWriter) { (_, database) throws(SQLiteError) in
          try body(database)
        }
      } catch {
        state.readError = error
        return nil
      }
    }
  }

  private func access<R: Sendable>(
    _ body: @Sendable (inout StoreState, LedgerDatabase) throws(SQLiteError) -> R
  ) throws(StoreError) -> R {
    try state.withLock { state throws(StoreError) in
      if let error = state.readError, state.isWriter {
        if case .damaged = error { throw error }
        throw .unread(path: path, reason: error.description)
      }
      return try use(&state, body)
    }
  }

  /// - Parameter keepsMoment: whether the transaction in which a writer reads stays open: taking and leaving the
  ///   locks of one takes longer than finding a call. What else it does ends it.
  private func use<R: Sendable>(
    _ state: inout StoreState, keepsMoment: Bool = false,
    _ body: @Sendable (inout StoreState, LedgerDatabase) throws(SQLiteError) -> R
  ) throws(StoreError) -> R {
    guard let database = state.database else { throw .closed(path: path) }
    do throws(SQLiteError) {
      if state.isWriter, database.connection.isInTransaction != keepsMoment {
        try database.connection.execute(keepsMoment ? "BEGIN" : "COMMIT")
      }
      return try body(&state, database)
    } catch {
      if error.isDamage || error.isMistake { folder.markSuspect() }
      throw StoreError(path: path, error)
    }
  }
}

/// An open database, until the store is closed.
struct StoreState {
  var database: LedgerDatabase?
  var lock: HeldLock?
  /// The mark that the last writer left; this one's own once it has written.
  var mark: Int64?
  var hasWritten = false
  /// Which file the database was when it was opened.
  var identity: StoreFolder.Identity?
  /// Why an answer to a ledger was refused.
  var readError: StoreError?

  /// Whether a transaction of a reader is open all the time.
  var isFrozen = false

  var isWriter: Bool { lock != nil }

  /// Keeps a lock as long as somebody holds this.
  final class HeldLock {
    private let lock: StoreLock
    init(_ lock: consuming StoreLock) { self.lock = lock }
  }
}
