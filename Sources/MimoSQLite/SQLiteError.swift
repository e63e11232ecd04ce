import CSQLite

/// A failed call of SQLite.
public struct SQLiteError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The extended result code.
  public var code: Int32

  /// Creates the error of a result code.
  public init(code: Int32) { self.code = code }

  /// Whether another program is in the way for the moment: the same call may succeed a little later.
  public var isPassing: Bool {
    switch code & 0xFF {
    case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL, SQLITE_SCHEMA: true
    // A file that is cut or replaced under us reads short.
    case SQLITE_IOERR: true
    default: false
    }
  }

  /// SQLite's own words for the code; never text from the database.
  public var description: String { String(cString: sqlite3_errstr(code)) }
}
