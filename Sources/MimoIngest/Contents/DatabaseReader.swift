import MimoEngine
import MimoSQLite

/// Reads the databases of one tool, at first wholly and then what changed.
///
/// A value with the state of its database. Laws: read in any number of steps between changes, the records
/// add up to the same; a row that was rewritten gives a record that is a revision; a row that was deleted
/// stays counted.
protocol DatabaseReader: Sendable {
  /// As in `RecordDecoder`.
  static var name: String { get }
  /// As in `RecordDecoder`.
  static var title: String { get }

  /// A reader of a database with these tables, nothing of which was read yet; `nil` if they are not of
  /// this format.
  ///
  /// - Parameter path: where it lies: tools that share a format differ by the name of the file.
  init?(_ tables: DatabaseTables, path: String)

  /// Adds to `output` the calls of the rows that are new or changed since the last call.
  ///
  /// - Parameter tally: what rows turned out to be is added here; a bad row stands at its row id.
  /// - Parameter flush: to be called now and then with the records so far, which it removes.
  mutating func read(
    _ database: SQLiteConnection, into output: inout DecodedLines, _ tally: inout LineTally,
    flush: (inout DecodedLines) -> Void
  ) throws(SQLiteError)

  /// Adds what it knows of the rows it has read, for a reader in another process.
  ///
  /// - Parameter names: those of the output.
  func write(to state: inout StateWriter, names: NameTable)

  /// Takes over what another reader of this database has written; nothing was read yet.
  ///
  /// - Parameter names: those of the output to come.
  /// - Throws: if the state is damaged; the reader is of no use then.
  mutating func restore(from state: inout StateReader, names: inout NameTable) throws(StateDamage)
}

/// The tables of a database that a format may have, with their columns in lower case.
struct DatabaseTables: Sendable {
  private let columns: [String: [String]]

  /// The tables that formats know of.
  private static let names = [
    "message", "session", "session_message", "session_v2", "external_import", "claude_import",
    "sessions", "session_model_usage", "session_daily_usage",
  ]

  init(of database: SQLiteConnection) throws(SQLiteError) {
    var columns: [String: [String]] = [:]
    for name in Self.names {
      let found = try database.columns(of: name)
      if !found.isEmpty { columns[name] = found }
    }
    self.columns = columns
  }

  /// Whether there is such a table, with these columns at least.
  func has(_ table: String, _ names: String...) -> Bool {
    guard let found = columns[table] else { return false }
    return names.allSatisfy(found.contains)
  }

  /// The first of these columns that a table has.
  func first(of names: String..., in table: String) -> String? {
    names.first { columns[table]?.contains($0) ?? false }
  }

  /// An expression for a column that may be missing.
  func column(_ name: String, of table: String) -> String {
    has(table, name) ? "\(table).\(name)" : "NULL"
  }
}
