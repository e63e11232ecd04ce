import Foundation
import MimoEngine
import MimoSQLite
import Testing

@testable import MimoIngest

private let answer =
  #"{"id":"a1","model":"m","created":1795000060,"usage":{"prompt_tokens":100,"completion_tokens":7}}"#

/// Files that are not what they seem.
@Suite struct HostileFileTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  /// Reads all that is in the folder in both ways, which have to agree.
  private func requests() throws -> Int64 {
    let scanned = scanned(scratch.source, threads: 2).requests
    #expect(sums(try collect(scratch.source).ledger.snapshot()).requests == scanned)
    return scanned
  }

  @Test func `loops, pipes, sockets and devices in a folder are passed by`() throws {
    try scratch.write("a.jsonl", [answer])
    try scratch.write("x.jsonl/y.jsonl", [answer.replacing("a1", with: "a2")])
    for (name, target) in [
      ("up", ".."), ("self", "self"), ("here.jsonl", "."), ("one", "two"), ("two", "one"),
      ("zero.jsonl", "/dev/zero"), ("zero.json", "/dev/zero"), ("tty.jsonl", "/dev/tty"),
      ("gone.jsonl", "/nowhere/at/all"),
    ] {
      #expect(
        symlink(target == ".." ? "../\(scratch.url.lastPathComponent)" : target, scratch.path(name))
          == 0)
    }
    for name in ["pipe.jsonl", "pipe.json", "pipe.db", "pipe.jsonl.gz"] {
      #expect(mkfifo(scratch.path(name), 0o644) == 0)
    }
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { bytes in
      // The name has to be short: it is made here and moved.
      "/tmp/mimo-\(getpid()).sock".utf8CString.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(bound == 0)
    #expect(rename("/tmp/mimo-\(getpid()).sock", scratch.path("socket.jsonl")) == 0)
    #expect(try requests() == 2)
    let watch = try Watch(scratch.source)
    #expect(watch.sums.requests == 2)
    watch.settle()
    #expect(watch.sums.requests == 2)
  }

  @Test func `a file that becomes a pipe does not block its follower`() throws {
    let path = try scratch.write("a.jsonl", [answer])
    let watch = try Watch(scratch.source)
    #expect(unlink(path) == 0)
    #expect(mkfifo(path, 0o644) == 0)
    try scratch.write("b.jsonl", [answer.replacing("a1", with: "b1")])
    watch.wait("the other file is read") { $0.requests == 2 }
  }

  // MARK: - Size

  @Test func `a line of a gigabyte is passed over and told, the next one counts`() throws {
    let path = try scratch.write("long.jsonl", bytes: Data(#"{"id":"x","text":""#.utf8))
    // A hole takes no room on disk and reads as NULs.
    #expect(truncate(path, 1 << 30) == 0)
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data("\"}\n\(answer)\n".utf8))
    let scan = ParallelScan(
      of: [.file(path)], ledger: Ledger(promptEdges: []), readTime: Decoded.readTime, threads: 2)
    #expect(sums(scan.snapshot).requests == 1)
    #expect(
      scan.files.first?.error?.contains("is 1073741827 bytes long and was passed over") == true)
  }

  @Test func `a document of a gigabyte is told, not read`() throws {
    let path = try scratch.write("big.json", bytes: Data("[\n1,".utf8))
    #expect(truncate(path, 1 << 30) == 0)
    let report = try #require(try collect(.file(path)).fileReports.first)
    #expect(report.error?.contains("a document of more than 512 MiB is not read") == true)
    // One that grows while it is read ends at the limit too.
    #expect(throws: LogError.self) { try WholeFile.read(path, atMost: 1000) }
  }

  // MARK: - Databases

  private static let schema = """
    CREATE TABLE session (id TEXT PRIMARY KEY, directory TEXT);
    CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER,
      time_updated INTEGER, data TEXT);
    """
  private static let message =
    #"{"role":"assistant","modelID":"m","time":{"created":1795100000000},"tokens":{"input":10,"output":5,"reasoning":0,"cache":{"read":90,"write":0}}}"#

  @discardableResult
  private func store(_ name: String, _ sql: String) throws -> String {
    let path = scratch.path(name)
    let database = try SQLiteConnection(path: path, access: .readWrite)
    try database.execute(sql)
    return path
  }

  @Test func `views, virtual tables and triggers of a database do nothing`() throws {
    let endless =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, i AS session_id, i AS data FROM n"
    try store("opencode-view.db", "CREATE VIEW message AS \(endless);")
    try store(
      "opencode-virtual.db",
      "CREATE VIRTUAL TABLE message USING fts5(id, session_id, data);")
    try store(
      "opencode-lookup.db",
      """
      CREATE TABLE message (id TEXT, session_id TEXT, data TEXT);
      CREATE VIEW session AS SELECT id, data AS directory FROM (\(endless));
      CREATE TRIGGER t AFTER INSERT ON message BEGIN DELETE FROM message; END;
      DROP TRIGGER t;
      INSERT INTO message VALUES ('m1', 's', '\(Self.message)');
      """)
    #expect(try requests() == 1)
  }

  @Test func `a value that is too large is an error of its file`() throws {
    let path = try store(
      "opencode.db",
      "\(Self.schema) INSERT INTO message VALUES ('m1', 's', 1, 1, zeroblob(300000000));")
    let report = try #require(try collect(.file(path)).fileReports.first)
    #expect(report.error?.contains("too big") == true)
  }

  @Test(arguments: 0..<24)
  func `a damaged database neither ends nor holds up the program`(_ seed: UInt64) throws {
    let rows = (0..<200).map {
      "INSERT INTO message VALUES ('m\($0)', 's\($0 % 7)', \($0), \($0), '\(Self.message)');"
    }
    let path = try store(
      "opencode.db", "PRAGMA page_size = 1024; BEGIN; \(Self.schema) \(rows.joined()) COMMIT;")
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    var dice = Dice(seed: seed)
    for _ in 0..<Int.random(in: 1...40, using: &dice) {
      // The header stays, so that it is taken for a database.
      bytes[Int.random(in: 100..<bytes.count, using: &dice)] = UInt8.random(
        in: 0...255, using: &dice)
    }
    if seed % 3 == 0 { bytes.removeLast(bytes.count / 3) }
    try scratch.write("opencode.db", bytes: Data(bytes))
    let report = try #require(try collect(.file(path)).fileReports.first)
    #expect(report.records <= 200)
    #expect(report.error != nil || report.tally.lines > 0)
  }
}
