import CSQLite

/// A compiled statement: bind its parameters, step through its rows, read their columns.
///
/// Parameters count from 1, columns from 0, as in SQLite. A column that does not exist reads as null.
public final class SQLiteStatement {
  private let connection: SQLiteConnection
  private let handle: OpaquePointer

  init(_ connection: SQLiteConnection, _ sql: String) throws(SQLiteError) {
    self.connection = connection
    var prepared: OpaquePointer?
    try connection.check(sqlite3_prepare_v2(connection.handle, sql, -1, &prepared, nil))
    guard let prepared else { throw SQLiteError(code: SQLITE_MISUSE) }
    handle = prepared
  }

  deinit { sqlite3_finalize(handle) }

  // MARK: - Parameters

  /// Binds a whole number.
  public func bind(_ value: Int64, at index: Int32) {
    bound(sqlite3_bind_int64(handle, index, value))
  }

  /// Binds a text, or null.
  public func bind(_ value: String?, at index: Int32) {
    guard var value else { return bound(sqlite3_bind_null(handle, index)) }
    // SQLite makes a copy of its own.
    let copies = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    bound(
      value.withUTF8 { text in
        text.withMemoryRebound(to: CChar.self) {
          sqlite3_bind_text(handle, index, $0.baseAddress, Int32($0.count), copies)
        }
      })
  }

  /// Binds a blob, which SQLite copies.
  public func bind(_ value: [UInt8], at index: Int32) {
    // Without bytes there is no address, which would be null.
    if value.isEmpty { return bound(sqlite3_bind_zeroblob(handle, index, 0)) }
    let copies = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    bound(
      value.withUnsafeBytes {
        sqlite3_bind_blob64(handle, index, $0.baseAddress, UInt64($0.count), copies)
      })
  }

  /// Only a wrong index, or a bound text that exceeds the limit, can fail.
  private func bound(_ code: Int32) {
    precondition(code == SQLITE_OK, "a parameter that the statement does not have")
  }

  // MARK: - Rows

  /// Goes to the next row; `false` behind the last one.
  public func step() throws(SQLiteError) -> Bool {
    let code = sqlite3_step(handle)
    if code == SQLITE_ROW { return true }
    if code == SQLITE_DONE { return false }
    throw connection.error(code)
  }

  /// Runs a statement that returns nothing of interest, and makes it ready to run again.
  public func run() throws(SQLiteError) {
    defer { reset() }
    _ = try step()
  }

  /// Makes the statement ready to run again; the parameters keep their values.
  public func reset() { sqlite3_reset(handle) }

  /// Whether a column of the present row is null.
  public func isNull(_ column: Int32) -> Bool {
    sqlite3_column_type(handle, column) == SQLITE_NULL
  }

  /// A whole number; `nil` for null and for what is no number.
  public func integer(_ column: Int32) -> Int64? {
    sqlite3_column_type(handle, column) == SQLITE_INTEGER
      ? sqlite3_column_int64(handle, column) : nil
  }

  /// A text, repaired where it is not valid UTF-8; numbers come as SQLite writes them; `nil` for null.
  public func text(_ column: Int32) -> String? {
    withBytes(column) { $0.map { String(decoding: $0, as: UTF8.self) } }
  }

  /// Lends the bytes of a text or blob, or a number as SQLite writes it; `nil` for null.
  public func withBytes<R>(_ column: Int32, _ body: (UnsafeRawBufferPointer?) -> R) -> R {
    if isNull(column) { return body(nil) }
    let start = UnsafeRawPointer(sqlite3_column_text(handle, column))
    // The length is asked for after the text: a conversion may change it.
    let count = Int(sqlite3_column_bytes(handle, column))
    return body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
  }

  /// Lends the bytes of a blob as they are; `nil` for null. A text lends its bytes, too.
  public func withBlob<R>(_ column: Int32, _ body: (UnsafeRawBufferPointer?) -> R) -> R {
    if isNull(column) { return body(nil) }
    let start = sqlite3_column_blob(handle, column)
    let count = Int(sqlite3_column_bytes(handle, column))
    return body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
  }
}
