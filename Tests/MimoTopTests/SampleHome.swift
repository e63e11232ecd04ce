import Foundation
import MimoSQLite
import Testing

extension Sandbox {
  /// Samples of all agents at their usual places.
  func furnish() throws {
    let samples = Sandbox.fixture("../../MimoIngestTests/Fixtures/formats/")
    func copy(_ sample: String, to place: String) throws {
      let target = URL(fileURLWithPath: home + "/" + place)
      try FileManager.default.createDirectory(
        at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: samples + "/" + sample, toPath: target.path)
    }
    try copy("claude-code/projects", to: ".claude/projects")
    try copy("opencode/storage", to: ".local/share/opencode/storage")
    try copy("cline/tasks", to: ".config/Cursor/User/globalStorage/saoudrizwan.claude-dev/tasks")
    try copy(
      "roo/tasks", to: ".vscode-server/data/User/globalStorage/rooveterinaryinc.roo-cline/tasks")
    try copy("cline-cli/sessions", to: ".cline/data/sessions")
    for name in ["session-2026-11-20T12-30-abcd1234.json", "session-2026-11-20T12-40-ef.jsonl"] {
      try copy("gemini-cli/" + name, to: ".gemini/tmp/shop/chats/" + name)
    }
    try copy("codex/sessions", to: ".codex/sessions")
    try copy("openclaw/agents", to: ".openclaw/agents")
    try copy("qwen-code/chats", to: ".qwen/projects/shop/chats")
    try copy("kimi/sessions", to: ".kimi/sessions")
    try copy("kimi-code/sessions", to: ".kimi-code/sessions")
    try makeMiMoCode(".local/share/mimocode/mimocode-beta.db")
    try makeHermes(samples + "/hermes-sessions.json")
  }

  /// Hermes' database, with the rows of an export of it.
  private func makeHermes(_ export: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: export))
    let row = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    func sql(_ value: Any) -> String {
      if value is NSNull { return "NULL" }
      return (value as? String).map { "'\($0)'" } ?? "\(value)"
    }
    let path = home + "/.hermes/state.db"
    try FileManager.default.createDirectory(
      atPath: home + "/.hermes", withIntermediateDirectories: true)
    let columns = row.keys.sorted()
    try SQLiteConnection(path: path, access: .readWrite).execute(
      "CREATE TABLE sessions (\(columns.joined(separator: ", ")));"
        + "INSERT INTO sessions VALUES (\(columns.map { sql(row[$0]!) }.joined(separator: ", ")));"
    )
  }

  /// The database of MiMo Code, with the rows of its sample.
  func makeMiMoCode(_ name: String) throws {
    let sample = Sandbox.fixture("../../MimoIngestTests/Fixtures/formats/mimocode/mimocode.sql")
    let path = home + "/" + name
    try FileManager.default.createDirectory(
      atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path,
      withIntermediateDirectories: true)
    let database = try SQLiteConnection(path: path, access: .readWrite)
    try database.execute(
      "PRAGMA journal_mode = WAL;" + String(contentsOfFile: sample, encoding: .utf8))
  }
}
