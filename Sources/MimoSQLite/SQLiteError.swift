import CSQLite

/// A failed call of SQLite.
public struct SQLiteError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The extended result code.
  public var code: Int32
  /// What the system said (`errno`) if it was asked for a file in vain; 0 or of an earlier call otherwise.
  public var systemError: Int32

  /// Creates the error of a result code.
  public init(code: Int32, systemError: Int32 = 0) {
    self.code = code
    self.systemError = systemError
  }

  /// What SQLite says of a database that contradicts itself, for readers who find that out themselves.
  public static let corrupt = SQLiteError(code: SQLITE_CORRUPT)

  /// Whether the file is no database, or a damaged one.
  public var isDamage: Bool { [SQLITE_CORRUPT, SQLITE_NOTADB].contains(code & 0xFF) }

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

extension SQLiteError {
  /// Whether a statement does not fit the tables: of statements that never change, the tables were.
  public var isMistake: Bool { code & 0xFF == SQLITE_ERROR }
  /// Whether there is no room left.
  public var isFull: Bool { code & 0xFF == SQLITE_FULL }
  /// Whether the file was moved or deleted while it was open.
  public var isMoved: Bool { code == SQLITE_READONLY | 4 << 8 }
  /// Whether the file cannot be written.
  public var isReadOnly: Bool { code & 0xFF == SQLITE_READONLY && !isMoved }
  /// Whether another connection has a lock.
  public var isBusy: Bool {
    [SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL].contains(code & 0xFF)
  }
  /// Whether the system failed, so that `systemError` tells more.
  public var isOfSystem: Bool {
    [SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_PERM].contains(code & 0xFF)
  }
}
