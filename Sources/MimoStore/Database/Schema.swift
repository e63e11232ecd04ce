import MimoSQLite

/// The tables of the ledger, and the way to them from every schema there ever was.
enum Schema {
  /// What the file's header says of its maker: "mimo" in ASCII.
  static let applicationID: Int64 = 0x6D69_6D6F

  /// Each makes the schema of the next number from the one before it; the first begins with an empty file.
  ///
  /// What has landed is not changed any more. A file of each number is kept among the tests' fixtures.
  static let migrations = [
    """
    -- Single values: see `StateValue`.
    CREATE TABLE state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    -- Names and addresses by position, some in each row: see `PageCoding`.
    CREATE TABLE name_page (number INTEGER PRIMARY KEY, entries BLOB NOT NULL);
    CREATE TABLE series_page (number INTEGER PRIMARY KEY, entries BLOB NOT NULL);
    -- All cells of an hour, and the number of the commit that wrote them, negative if it left none: see `SlabCoding`.
    CREATE TABLE hour (number INTEGER PRIMARY KEY, written INTEGER NOT NULL, cells BLOB NOT NULL);
    CREATE INDEX hour_written ON hour (written);
    -- What ids lead to, by fingerprint, and what opens conversations, by name: see `CallCoding`.
    CREATE TABLE call (key INTEGER PRIMARY KEY, entry BLOB NOT NULL);
    CREATE TABLE opening (conversation INTEGER PRIMARY KEY, entry BLOB NOT NULL);
    -- What others keep beside the counts, in the same commit.
    CREATE TABLE note (
      kind TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, key)
    ) WITHOUT ROWID;
    -- When somebody kept the ledger: a row for each process, in milliseconds since 1970.
    CREATE TABLE span (number INTEGER PRIMARY KEY, began INTEGER NOT NULL, ended INTEGER NOT NULL);
    """,
    """
    -- The numbers of names and addresses by what they say: see `LedgerDatabase.findName` and `findSeries`.
    CREATE TABLE name_key (
      key INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (key, number)
    ) WITHOUT ROWID;
    CREATE TABLE series_key (
      key INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (key, number)
    ) WITHOUT ROWID;
    """,
  ]

  /// The number of the present schema.
  static var version: Int64 { Int64(migrations.count) }

  /// Brings a file to the present schema, wholly or not at all.
  ///
  /// - Parameter begin: what a new ledger begins with, in the same transaction.
  static func migrate(
    _ connection: SQLiteConnection, begin: () throws(SQLiteError) -> Void
  ) throws(SQLiteError) {
    if try number("user_version", of: connection) == version { return }
    try connection.transaction(writes: true) { () throws(SQLiteError) in
      // Another process may have been faster.
      let found = try number("user_version", of: connection)
      for migration in migrations.dropFirst(Int(found)) { try connection.execute(migration) }
      // Before the second schema all names and addresses were in memory.
      if found == 1 { try LedgerDatabase(connection).indexAgain() }
      if found == 0 { try begin() }
      try connection.execute(
        "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
    }
  }

  /// A number of the file's header.
  static func number(_ name: String, of connection: SQLiteConnection) throws(SQLiteError) -> Int64 {
    let query = try connection.prepare("PRAGMA \(name)")
    return try query.step() ? query.integer(0) ?? 0 : 0
  }
}
