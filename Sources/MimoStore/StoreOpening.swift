import MimoEngine
import MimoSQLite

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The steps from a folder to an open ledger.
struct StoreOpening: Sendable {
  var folder: StoreFolder
  var access: LedgerStore.Access
  var now: Instant
  /// The layer through which SQLite reaches files; `nil` for the system's.
  var vfs: String?
  /// Whether to treat the folder as one on a network; `nil` asks the system.
  var isOnNetwork: Bool?
  /// What a new ledger takes over from the one whose place it is to take.
  var heritage: LedgerHeritage?
  /// How many milliseconds a call waits while others write.
  var patience: Int32 = 1000

  /// What is known from then on.
  struct Facts: Sendable {
    var notices: [String] = []
    /// Whether there was something that this ledger does not have.
    var hasLostHistory = false
    var origin: [UInt8]
    var keySalt: UInt64
  }

  init(folder: StoreFolder, access: LedgerStore.Access, now: Instant) {
    self.folder = folder
    self.access = access
    self.now = now
  }

  /// Opens the database, and makes what is missing for a writer.
  func run(_ state: inout StoreState) throws(StoreError) -> Facts {
    if folder.path.isEmpty { throw .homeless }
    switch access {
    case .read: return try connectForReading(&state)
    case .write: break
    }
    try folder.prepare()
    state.lock = StoreState.HeldLock(
      try StoreLock(path: folder.lock, owner: StoreLock.thisProcess))
    do throws(StoreError) {
      return try connectForWriting(&state)
    } catch {
      state.database = nil
      guard case .damaged = error else { throw error }
    }
    let name = try folder.setAside(now: now)
    folder.clearSuspicion()
    var facts = try connectForWriting(&state)
    let isWhole = state.database.map { takeOver(from: name, into: $0) } ?? false
    facts.hasLostHistory = true
    facts.notices.append(
      "\(folder.database): was damaged and is now \(name); `mimo-top ledger rebuild` recounts what logs still tell"
        + (isWhole ? "" : "; readings of consoles and old alerts could not all be taken over")
    )
    return facts
  }

  /// Takes over what no log tells, as far as it can be read; whether that was all.
  private func takeOver(from path: String, into database: LedgerDatabase) -> Bool {
    do throws(SQLiteError) {
      // Nothing is to come about beside it that need not.
      let hasChanges = StoreFolder.pendingBytes(beside: path) > 0
      let damaged = try SQLiteConnection(
        path: path, access: hasChanges ? .readOnly : .immutable, vfs: vfs)
      let (notes, isWhole) = LedgerDatabase(damaged).readableLastingNotes()
      try database.connection.transaction(writes: true) { () throws(SQLiteError) in
        for note in notes { try database.set(note) }
      }
      return isWhole
    } catch {
      return false
    }
  }

  private func connectForWriting(_ state: inout StoreState) throws(StoreError) -> Facts {
    try connected { (connection, wasEmpty) throws(SQLiteError) in
      let database = try migrated(connection)
      if folder.isSuspect {
        // What names and addresses are found by follows from them.
        try connection.transaction(writes: true) { () throws(SQLiteError) in
          try database.indexAgain()
        }
        try database.verify()
        folder.clearSuspicion()
      }
      state.mark = try database.number(.writer)
      state.identity = folder.databaseIdentity
      state.database = database
      var facts = try facts(of: database)
      // Whoever is killed while making the first ledger leaves an empty file, too, but no name beside it.
      let hadAnother = folder.keptIdentity != nil
      folder.keep(LedgerIdentity(origin: facts.origin, keySalt: facts.keySalt))
      if wasEmpty, hadAnother {
        facts.hasLostHistory = true
        facts.notices.append(
          "\(folder.database): was empty; a new ledger begins, and what was in an older one is not in it"
        )
      }
      return facts
    }
  }

  /// Calls `body` with a connection for writing, before anything is written, and whether there was an empty file.
  private func connected<R>(
    _ body: (SQLiteConnection, Bool) throws(SQLiteError) -> R
  ) throws(StoreError) -> R {
    if folder.isCutOff { throw .damaged(path: folder.database) }
    let wasEmpty = try folder.prepareDatabase()
    return try translatingErrors { () throws(SQLiteError) in
      let connection = try connection(.readWrite)
      // Without memory shared among machines a WAL, as a copied ledger may have, is for one process alone.
      if usesNetwork { try connection.execute("PRAGMA locking_mode = EXCLUSIVE") }
      if let problem = try problem(of: connection) { return .failure(problem) }
      return .success(try body(connection, wasEmpty))
    }
  }

  /// The ledger of a connection, made or brought to the present form; only for the one who has the right to write.
  private func migrated(_ connection: SQLiteConnection) throws(SQLiteError) -> LedgerDatabase {
    try setJournal(of: connection, isOnNetwork: usesNetwork)
    try connection.execute("PRAGMA cache_size = -4096; PRAGMA journal_size_limit = 8388608")
    let database = LedgerDatabase(connection)
    try Schema.migrate(connection) { () throws(SQLiteError) in
      try database.begin(now: now, folder, heritage)
    }
    return database
  }

  private var usesNetwork: Bool {
    isOnNetwork ?? SQLiteConnection.isOnNetwork(folder: folder.path)
  }

  private func connectForReading(_ state: inout StoreState) throws(StoreError) -> Facts {
    guard try folder.hasDatabase() else { throw .missing(path: folder.database) }
    return try translatingErrors { () throws(SQLiteError) in
      var connection = try connection(.readOnly)
      do throws(SQLiteError) {
        _ = try Schema.number("user_version", of: connection)
      } catch {
        // Where nothing can be made, what SQLite keeps beside the database neither; then nobody writes it either.
        guard error.isReadOnly || error.isOfSystem, !folder.hasPendingChanges else { throw error }
        connection = try self.connection(.immutable)
      }
      if let problem = try problem(of: connection) { return .failure(problem) }
      let version = try Schema.number("user_version", of: connection)
      if version == 0 { return .failure(.missing(path: folder.database)) }
      let database = LedgerDatabase(connection)
      state.identity = folder.databaseIdentity
      state.database = database
      return .success(try facts(of: database))
    }
  }

  private func connection(
    _ access: SQLiteConnection.Access
  ) throws(SQLiteError) -> SQLiteConnection {
    try SQLiteConnection(
      path: folder.database, access: access, busyMilliseconds: patience, vfs: vfs)
  }

  /// Why a database is not to be touched, or not to be trusted.
  private func problem(of connection: SQLiteConnection) throws(SQLiteError) -> StoreError? {
    let version = try Schema.number("user_version", of: connection)
    let application = try Schema.number("application_id", of: connection)
    if application == Schema.applicationID {
      return version <= Schema.version
        ? nil : .newer(path: folder.database, found: version, known: Schema.version)
    }
    // A new file has neither number, and no tables.
    let tables = try connection.prepare("SELECT 1 FROM sqlite_master")
    let hasTables = try tables.step()
    return (version, application) == (0, 0) && !hasTables ? nil : .damaged(path: folder.database)
  }

  /// With WAL a commit waits for no disk, and a power cut takes the last commits wholly or not at all.
  private func setJournal(
    of connection: SQLiteConnection, isOnNetwork: Bool
  ) throws(SQLiteError) {
    if !isOnNetwork {
      let query = try connection.prepare("PRAGMA journal_mode = WAL")
      if try query.step(), query.text(0) == "wal" {
        return try connection.execute("PRAGMA synchronous = NORMAL")
      }
    }
    // Readers take turns with the writer from here on.
    try connection.execute(
      "PRAGMA journal_mode = TRUNCATE; PRAGMA locking_mode = NORMAL; PRAGMA synchronous = FULL")
  }

  private func facts(of database: LedgerDatabase) throws(SQLiteError) -> Facts {
    guard let origin = try database.bytes(.origin), let salt = try database.number(.keySalt) else {
      throw .corrupt
    }
    return Facts(origin: origin, keySalt: UInt64(bitPattern: salt))
  }

  private func translatingErrors<R>(
    _ body: () throws(SQLiteError) -> Result<R, StoreError>
  ) throws(StoreError) -> R {
    let result: Result<R, StoreError>
    do throws(SQLiteError) {
      result = try body()
    } catch {
      if error.isDamage || error.isMistake, access == .read { folder.markSuspect() }
      throw StoreError(path: folder.database, error)
    }
    return try result.get()
  }

  // MARK: - Changes beside the writer

  /// Changes what no commit of counts touches, whoever keeps these; a ledger that is not there is made.
  ///
  /// The right to write is taken only to make one: who has it may keep it for months.
  func change<R>(
    _ body: (LedgerDatabase) throws(SQLiteError) -> R
  ) throws(StoreError) -> R {
    if folder.path.isEmpty { throw .homeless }
    try folder.prepare()
    if try !folder.hasDatabase() { try make() }
    do throws(StoreError) {
      for _ in 0..<20 {
        if let result = try changeIfMade(body) { return result }
        // Somebody was killed before it was made, or makes it at this moment.
        try make()
      }
    } catch {
      // Only the one who has the right to write may set it aside.
      if case .damaged = error { folder.markSuspect() }
      throw error
    }
    throw .busy(path: folder.database)
  }

  /// - Returns: `nil` if there is no more than an empty file.
  private func changeIfMade<R>(
    _ body: (LedgerDatabase) throws(SQLiteError) -> R
  ) throws(StoreError) -> R? {
    if folder.isCutOff { return nil }
    return try connected { (connection, _) throws(SQLiteError) in
      if try Schema.number("user_version", of: connection) == 0 { return nil }
      try keepWithoutWaiting(connection)
      return try connection.transaction(writes: true) { () throws(SQLiteError) in
        try body(LedgerDatabase(connection))
      }
    }
  }

  /// Makes an empty ledger. Where another process has the right to, that one does so.
  private func make() throws(StoreError) {
    var state = StoreState()
    do throws(StoreError) { _ = try run(&state) } catch {
      guard case .held = error else { throw error }
      usleep(50_000)
    }
    // The lock goes last.
    state.database = nil
  }

  /// Has a commit wait for the disk only where that is needed to keep the database whole: see `setJournal`.
  private func keepWithoutWaiting(_ connection: SQLiteConnection) throws(SQLiteError) {
    let query = try connection.prepare("PRAGMA journal_mode")
    let isWAL = try query.step() && query.text(0) == "wal"
    try connection.execute("PRAGMA synchronous = \(isWAL ? "NORMAL" : "FULL")")
  }
}
