import MimoEngine
import MimoSQLite

/// Databases of MiMo Code, Xiaomi's terminal agent: OpenCode's message table, with an agent on each row.
///
/// Sessions imported from Claude Code, Codex and OpenCode are left out: they count in the logs of these
/// tools. What the user added to such a session counts.
/// Source: format notes of the project, section 2; MiMo Code's schema.
struct MimoCodeDatabase: DatabaseReader {
  static let name = "mimocode"
  static let title = "MiMo Code messages"

  private var messages: OpenCodeTable
  private let importQueries: [String]

  init?(_ tables: DatabaseTables, path: String) {
    let isOurs =
      tables.has("message", "agent_id") || tables.has("external_import", "session_id")
      || tables.has("claude_import", "session_id") || split(path).name.hasPrefix("mimocode")
    guard isOurs, let messages = OpenCodeTable(tables, "message", source: Self.name) else {
      return nil
    }
    self.messages = messages
    var queries: [String] = []
    if tables.has("external_import", "session_id") {
      let ids = tables.has("external_import", "message_ids") ? "message_ids" : "NULL"
      queries.append("SELECT session_id, \(ids) FROM external_import")
    }
    // Older stores do not say which messages were imported: all of the session was.
    if tables.has("claude_import", "session_id") {
      queries.append("SELECT session_id, NULL FROM claude_import")
    }
    importQueries = queries
  }

  mutating func read(
    _ database: SQLiteConnection, into output: inout DecodedLines, _ tally: inout LineTally,
    flush: (inout DecodedLines) -> Void
  ) throws(SQLiteError) {
    var imports = Imports()
    try messages.read(
      database, into: &output, &tally,
      begin: { database throws(SQLiteError) in try imports.update(database, importQueries) },
      isLeftOut: { imports.holds($0, of: $1) }, flush: flush)
  }

  func write(to state: inout StateWriter, names: NameTable) { messages.write(to: &state) }

  mutating func restore(
    from state: inout StateReader, names: inout NameTable
  ) throws(StateDamage) {
    try messages.restore(from: &state)
  }

  /// What was imported: whole sessions, and messages.
  private struct Imports {
    private var sessions: Set<String> = []
    private var messages: Set<String> = []
    private var version: Int64?

    func holds(_ message: String, of session: String) -> Bool {
      sessions.contains(session) || messages.contains(message)
    }

    /// Looks again if somebody has written since the last look.
    mutating func update(_ database: SQLiteConnection, _ queries: [String]) throws(SQLiteError) {
      let present = try database.dataVersion
      if present == version { return }
      for query in queries { try read(database, query) }
      version = present
    }

    private mutating func read(_ database: SQLiteConnection, _ query: String) throws(SQLiteError) {
      let rows = try database.prepare(query)
      while try rows.step() {
        guard let session = rows.text(0) else { continue }
        let ids = rows.withBytes(1) { $0.flatMap(Self.texts) }
        if let ids { messages.formUnion(ids) } else { sessions.insert(session) }
      }
    }

    /// The elements of a JSON array of texts; `nil` if it is none.
    private static func texts(_ array: UnsafeRawBufferPointer) -> [String]? {
      var cursor = JSONCursor(array)
      var texts: [String] = []
      do throws(DecodeError) {
        try cursor.beginArray()
        while try cursor.nextElement() {
          guard let text = try cursor.string() else { continue }
          texts.append(text.withUnescaped { String(decoding: $0, as: UTF8.self) })
        }
        return texts
      } catch {
        return nil
      }
    }
  }
}
