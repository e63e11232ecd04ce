import Foundation
import MimoSQLite
import Testing

@Suite struct SQLiteConnectionTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "mimo-sqlite-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  private func database(_ name: String = "a.db") throws -> SQLiteConnection {
    let database = try SQLiteConnection(path: path(name), access: .readWrite)
    try database.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER, x TEXT)")
    return database
  }

  private func count(_ database: SQLiteConnection) throws -> Int64? {
    let query = try database.prepare("SELECT count(*) FROM t")
    return try query.step() ? query.integer(0) : nil
  }

  @Test func `what is bound comes back`() throws {
    let database = try database()
    let insert = try database.prepare("INSERT INTO t VALUES (?1, ?2)")
    for (number, text) in [(Int64.max, "a'b\u{0}c"), (.min, ""), (0, nil)] as [(Int64, String?)] {
      insert.bind(number, at: 1)
      insert.bind(text, at: 2)
      #expect(try !insert.step())
      insert.reset()
    }
    let query = try database.prepare("SELECT n, x, 1.5 FROM t ORDER BY rowid")
    #expect(try query.step())
    #expect(query.integer(0) == .max)
    #expect(query.text(1) == "a'b\u{0}c")
    #expect(query.integer(1) == nil)
    #expect(query.text(2) == "1.5")
    #expect(try query.step())
    #expect(query.text(1) == "")
    #expect(try query.step())
    #expect(query.isNull(1))
    #expect(query.text(1) == nil)
    #expect(query.text(9) == nil)
    #expect(try !query.step())
  }

  @Test func `a transaction that throws leaves nothing`() throws {
    let database = try database()
    #expect(throws: SQLiteError.self) {
      try database.transaction { () throws(SQLiteError) in
        try database.execute("INSERT INTO t VALUES (1, 'x')")
        try database.execute("INSERT INTO nothing VALUES (1)")
      }
    }
    #expect(try count(database) == 0)
    try database.transaction { () throws(SQLiteError) in
      try database.execute("INSERT INTO t VALUES (1, 'x')")
    }
    #expect(try count(database) == 1)
  }

  @Test func `reading neither creates nor changes a file`() throws {
    #expect(throws: SQLiteError.self) {
      let missing = try SQLiteConnection(path: path("missing.db"), access: .readOnly)
      try missing.execute("SELECT 1 FROM t")
    }
    #expect(!FileManager.default.fileExists(atPath: path("missing.db")))
    do {
      let writer = try database()
      try writer.execute("PRAGMA journal_mode = WAL; INSERT INTO t VALUES (1, 'x')")
    }
    let reader = try SQLiteConnection(path: path("a.db"), access: .immutable)
    #expect(try count(reader) == 1)
    #expect(throws: SQLiteError.self) { try reader.execute("DELETE FROM t") }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.db"])
  }

  @Test func `a path may hold what means something in an address`() throws {
    let name = "50% of a?b#c &=é.db"
    do {
      let writer = try database(name)
      try writer.execute("PRAGMA journal_mode = WAL; INSERT INTO t VALUES (1, 'x')")
    }
    #expect(try count(SQLiteConnection(path: path(name), access: .immutable)) == 1)
    #expect(try count(SQLiteConnection(path: path(name), access: .readOnly)) == 1)
  }

  @Test func `a lock of somebody else is a passing error`() throws {
    let writer = try database()
    try writer.execute("BEGIN EXCLUSIVE")
    let reader = try SQLiteConnection(path: path("a.db"), access: .readOnly, busyMilliseconds: 0)
    #expect { try reader.execute("SELECT * FROM t") } throws: {
      ($0 as? SQLiteError)?.isPassing == true
    }
    try writer.execute("COMMIT")
    #expect(try count(reader) == 0)
  }

  @Test func `a file that is no database is a lasting error without its text`() throws {
    try Data("SQLite format 3\u{0} and then a secret".utf8).write(
      to: folder.appendingPathComponent("a.db"))
    let failure = #expect(throws: SQLiteError.self) {
      let reader = try SQLiteConnection(path: path("a.db"), access: .readOnly)
      try reader.execute("SELECT * FROM t")
    }
    #expect(failure?.isPassing == false)
    #expect(failure?.description == "file is not a database")
  }

  @Test func `the data version tells whether others have written`() throws {
    let writer = try database()
    let reader = try SQLiteConnection(path: path("a.db"), access: .readOnly)
    let before = try reader.dataVersion
    #expect(try reader.dataVersion == before)
    try writer.execute("INSERT INTO t VALUES (1, 'x')")
    #expect(try reader.dataVersion != before)
  }

  @Test func `columns are those of plain tables only`() throws {
    let database = try database()
    try database.execute("CREATE VIEW v AS SELECT n FROM t; CREATE TABLE Mixed (Id, \"b c\")")
    #expect(try database.columns(of: "t") == ["n", "x"])
    #expect(try database.columns(of: "Mixed") == ["id", "b c"])
    #expect(try database.columns(of: "v") == [])
    #expect(try database.columns(of: "nothing") == [])
  }
}
