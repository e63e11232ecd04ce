import MimoEngine
import MimoSQLite

// What is not kept for ever. A ledger that was restored before has to begin anew after any of these.
extension LedgerStore {
  /// Does not know calls any more by their ids that were made before a minute; their usage stays.
  ///
  /// Cost: linear in all calls.
  public func prune(callsBefore minute: Minute, now: Instant) throws(StoreError) {
    try writing(now: now) { (database) throws(SQLiteError) in
      try database.prune(callsBefore: minute)
      return true
    }
  }

  /// Forgets all usage before a minute, the alerts that were over by then, and the names that nothing else has.
  ///
  /// Cost: linear in the ledger.
  public func forget(before minute: Minute, now: Instant) throws(StoreError) {
    try forget(now: now) { (database) throws(SQLiteError) in try database.forget(before: minute) }
  }

  /// Forgets all usage of a source, and the names that nothing else has. So that it does not
  /// come back, fingerprints of the ids of its calls and of its name remain.
  ///
  /// Cost: linear in the ledger.
  public func forget(source: String, now: Instant) throws(StoreError) {
    try forget(now: now) { (database) throws(SQLiteError) in
      try database.forget(source: source, now: now)
    }
  }

  private func forget(
    now: Instant, _ body: @Sendable (LedgerDatabase) throws(SQLiteError) -> Void
  ) throws(StoreError) {
    // What is deleted is overwritten: forgotten means more than not found any more.
    try outsideTransaction { (database) throws(SQLiteError) in
      try database.connection.execute("PRAGMA secure_delete = ON")
    }
    try writing(now: now) { (database) throws(SQLiteError) in
      try body(database)
      return true
    }
    // The old pages are in what SQLite keeps beside the database, too. Where readers are in the way, or the disk
    // is full, that is overwritten later, and the file stays as large as it was.
    try? outsideTransaction { (database) throws(SQLiteError) in
      try database.connection.execute("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
    }
  }
}
