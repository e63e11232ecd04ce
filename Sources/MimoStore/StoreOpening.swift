import MimoEngine
import MimoSQLite

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
    facts.hasLostHistory = true
    facts.notices.append(
      "\(folder.database): was damaged and is now \(name); `mimo-top ledger rebuild` recounts what logs still tell"
    )
    return facts
  }

  private func connectForWriting(_ state: inout StoreState) throws(StoreError) -> Facts {
    if folder.isCutOff { throw .damaged(path: folder.database) }
    let wasEmpty = try folder.prepareDatabase()
    let isOnNetwork = self.isOnNetwork ?? SQLiteConnection.isOnNetwork(folder: folder.path)
    return try translatingErrors { () throws(SQLiteError) in
      let connection = try connection(.readWrite)
      // Without memory shared among machines a WAL, as a copied ledger may have, is for one process alone.
      if isOnNetwork { try connection.execute("PRAGMA locking_mode = EXCLUSIVE") }
      if let problem = try problem(of: connection) { return .failure(problem) }
      try setJournal(of: connection, isOnNetwork: isOnNetwork)
      try connection.execute("PRAGMA cache_size = -4096; PRAGMA journal_size_limit = 8388608")
      let database = LedgerDatabase(connection)
      try Schema.migrate(connection) { () throws(SQLiteError) in
        try database.begin(now: now, folder, heritage)
      }
      if folder.isSuspect {
        try database.verify()
        folder.clearSuspicion()
      }
      state.mark = try database.number(.writer)
      state.identity = folder.databaseIdentity
      state.database = database
      var facts = try facts(of: database)
      folder.keep(LedgerIdentity(origin: facts.origin, keySalt: facts.keySalt))
      if wasEmpty {
        facts.hasLostHistory = true
        facts.notices.append(
          "\(folder.database): was empty; a new ledger begins, and what was in an older one is not in it"
        )
      }
      return .success(facts)
    }
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
      if version < Schema.version { return .failure(.older(path: folder.database)) }
      let database = LedgerDatabase(connection)
      state.identity = folder.databaseIdentity
      state.database = database
      return .success(try facts(of: database))
    }
  }

  private func connection(
    _ access: SQLiteConnection.Access
  ) throws(SQLiteError) -> SQLiteConnection {
    try SQLiteConnection(path: folder.database, access: access, busyMilliseconds: 1000, vfs: vfs)
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

  private func translatingErrors(
    _ body: () throws(SQLiteError) -> Result<Facts, StoreError>
  ) throws(StoreError) -> Facts {
    let result: Result<Facts, StoreError>
    do throws(SQLiteError) {
      result = try body()
    } catch {
      if error.isDamage || error.isMistake, access == .read { folder.markSuspect() }
      throw StoreError(path: folder.database, error)
    }
    return try result.get()
  }
}
