import FoundationEssentials
import MimoEngine

/// The plan that was active in the dashboard last, in a file of the state folder: the next one begins with it.
///
/// Not in the ledger, because the process that keeps that may be another one.
enum PlanMemory {
  private static let schema = "mimo-top.choice/1"

  private struct File: Codable {
    var schema: String
    var plan: String
    var currency: String
  }

  private static var path: String { UserFolders.state + "/choice.json" }

  /// The plan's id and its currency; `nil` if none was chosen, or the file is broken.
  static func load() -> (plan: String, currency: Currency)? {
    guard let bytes = UserFolders.read(path),
      let file = try? JSONDecoder().decode(File.self, from: Data(bytes)), file.schema == schema,
      let currency = Currency(rawValue: file.currency)
    else { return nil }
    return (file.plan, currency)
  }

  /// Keeps a choice.
  static func save(plan: String, currency: Currency) throws(Failure) {
    try UserFolders.makeState()
    let document = JSONOutput.object([
      ("schema", .string(schema)), ("plan", .string(plan)),
      ("currency", .string(currency.rawValue)),
    ])
    try AtomicFile.write(
      Array((document.text + "\n").utf8), to: path, mode: 0o600, replacing: true)
  }
}
