import CSQLite

/// A connection to one SQLite database, by the system's library.
///
/// Belongs to one thread. Closed when the last statement and the last reference are gone.
public final class SQLiteConnection {
  /// What may be done with the database.
  public enum Access: Sendable {
    /// Reading beside other programs, under SQLite's locks. The files are not created.
    case readOnly
    /// Reading a database that nobody writes: no locks are taken, no file beside it is looked at or made.
    ///
    /// The caller makes sure of that; what is read from a database that changes meanwhile is garbage.
    case immutable
    /// Reading and writing; the file is created if it is not there.
    case readWrite
  }

  /// Texts and blobs beyond this many bytes are an error where another program's database is read: a hostile one
  /// must not fill the memory.
  public static let maximumValueBytes: Int32 = 256 << 20

  let handle: OpaquePointer

  /// Has the library read its environment now, and not with the first connection: no thread may change the environment
  /// while another one reads it.
  public static func prepareLibrary() { sqlite3_initialize() }

  /// Opens the database at `path`.
  ///
  /// - Parameter busyMilliseconds: how long a call waits for another program's lock before it fails.
  /// - Parameter vfs: the name of the layer through which SQLite reaches files; `nil` for the system's.
  /// - Throws: `SQLiteError`. A file that is no database fails at the first statement, not here.
  public init(
    path: String, access: Access, busyMilliseconds: Int32 = 100, vfs: String? = nil
  ) throws(SQLiteError) {
    var name = path
    var flags: Int32
    switch access {
    case .readOnly: flags = SQLITE_OPEN_READONLY
    case .immutable:
      flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
      name = "file:\(Self.percentEncoded(path))?immutable=1"
    case .readWrite: flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    }
    flags |= SQLITE_OPEN_NOMUTEX
    var opened: OpaquePointer?
    let code = sqlite3_open_v2(name, &opened, flags, vfs)
    guard code == SQLITE_OK, let opened else {
      let error = SQLiteError(code: code, systemError: opened.map(sqlite3_system_errno) ?? 0)
      sqlite3_close_v2(opened)
      throw error
    }
    handle = opened
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_busy_timeout(handle, busyMilliseconds)
    if access != .readWrite {
      sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Self.maximumValueBytes)
    }
    // Functions with side effects do not run because a schema says so.
    try execute("PRAGMA trusted_schema = OFF")
  }

  deinit { sqlite3_close_v2(handle) }

  /// Runs one or more statements that return nothing of interest.
  public func execute(_ sql: String) throws(SQLiteError) {
    try check(sqlite3_exec(handle, sql, nil, nil, nil))
  }

  /// Compiles one statement.
  public func prepare(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
    try SQLiteStatement(self, sql)
  }

  /// Runs `body` in one transaction: all it reads is of one moment, and what it writes happens wholly or,
  /// if it throws, not at all.
  ///
  /// - Parameter writes: takes the lock of writers at once, instead of failing halfway where another has it.
  public func transaction<R>(
    writes: Bool = false, _ body: () throws(SQLiteError) -> R
  ) throws(SQLiteError) -> R {
    try execute(writes ? "BEGIN IMMEDIATE" : "BEGIN")
    do throws(SQLiteError) {
      let result = try body()
      try execute("COMMIT")
      return result
    } catch {
      // Some errors have ended the transaction already.
      if isInTransaction { try? execute("ROLLBACK") }
      throw error
    }
  }

  /// Whether a transaction is open.
  public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  /// A number that changes when another connection has written. Only comparable within one connection.
  public var dataVersion: Int64 {
    get throws(SQLiteError) {
      let query = try prepare("PRAGMA data_version")
      return try query.step() ? query.integer(0) ?? 0 : 0
    }
  }

  /// The names of the columns of a table, in lower case; empty if there is no such table.
  ///
  /// Only plain tables count: views and virtual tables of a database that is not ours may be made to do
  /// anything.
  public func columns(of table: String) throws(SQLiteError) -> [String] {
    let tables = try prepare(
      "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1 AND sql NOT LIKE 'create virtual%'"
    )
    tables.bind(table, at: 1)
    guard try tables.step() else { return [] }
    let info = try prepare("SELECT name FROM pragma_table_info(?1)")
    info.bind(table, at: 1)
    var names: [String] = []
    while try info.step() {
      if let name = info.text(0) { names.append(name.lowercased()) }
    }
    return names
  }

  /// Whether other machines may use the files in `folder` too: locks are uncertain there, and WAL does not work.
  public static func isOnNetwork(folder: String) -> Bool { csqlite_is_on_network(folder) != 0 }

  func check(_ code: Int32) throws(SQLiteError) {
    if code != SQLITE_OK { throw error(code) }
  }

  func error(_ code: Int32) -> SQLiteError {
    SQLiteError(code: code, systemError: sqlite3_system_errno(handle))
  }

  private static func percentEncoded(_ path: String) -> String {
    let digits = Array("0123456789ABCDEF")
    var text = ""
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."),
        UInt8(ascii: "-"), UInt8(ascii: "_"):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      default: text += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
      }
    }
    return text
  }
}
