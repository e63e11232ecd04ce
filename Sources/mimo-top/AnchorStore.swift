import FoundationEssentials
import MimoEngine
import MimoIngest

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What the user read in vendors' consoles: one anchor a plan, in a file of the state folder.
enum AnchorStore {
  static let schema = "mimo-top.anchors/1"

  /// The file.
  static var path: String { UserFolders.state + "/anchors.json" }

  /// The form of the file. Times are ISO 8601 with offset, credits decimal texts.
  private struct File: Codable {
    struct Anchor: Codable {
      var at: String
      var used: String
    }
    var schema: String
    var anchors: [String: Anchor]
  }

  /// Why the file cannot be used.
  private struct Broken: Error { var description: String }

  /// The anchors by plan id; a broken file is a notice and counts as empty.
  static func load(_ notices: inout [String]) -> [String: PlanAnchor] {
    do {
      return try read()
    } catch {
      notices.append("\(error.description) (no console reading is used)")
      return [:]
    }
  }

  /// Changes the anchors. A broken file is set aside under a new name first, which `notices` then tells.
  static func update(
    _ notices: inout [String], _ change: (inout [String: PlanAnchor]) -> Void
  ) throws(Failure) {
    try UserFolders.makeState()
    var anchors: [String: PlanAnchor] = [:]
    do throws(Broken) { anchors = try read() } catch {
      let name = try AtomicFile.setAside(path)
      notices.append("\(error.description) (set aside as \(name))")
    }
    change(&anchors)
    let members = anchors.sorted { $0.key < $1.key }.map { id, anchor in
      (
        id,
        JSONOutput.object([
          ("at", .string(LocalClock.utc.text(anchor.at))), ("used", .string(anchor.used.exactText)),
        ])
      )
    }
    let document = JSONOutput.object([
      ("schema", .string(schema)), ("anchors", .object(members)),
    ])
    try AtomicFile.write(Array((document.text + "\n").utf8), to: path, mode: 0o600, replacing: true)
  }

  private static func read() throws(Broken) -> [String: PlanAnchor] {
    guard let bytes = UserFolders.read(path) else {
      if errno == ENOENT || errno == ENOTDIR { return [:] }
      throw Broken(description: "\(path): \(String(cString: strerror(errno)))")
    }
    guard let file = try? JSONDecoder().decode(File.self, from: Data(bytes)), file.schema == schema
    else { throw Broken(description: "\(path): expected anchors in the form \(schema)") }
    var anchors: [String: PlanAnchor] = [:]
    for (id, anchor) in file.anchors {
      var at = anchor.at
      guard let used = Amount(decimal: anchor.used), used >= .zero,
        let instant = at.withUTF8({ LogTime.parse(iso: UnsafeRawBufferPointer($0)) })
      else {
        throw Broken(description: "\(path): '\(id)': expected a time and an amount of credits")
      }
      anchors[id] = PlanAnchor(at: instant, used: used)
    }
    return anchors
  }
}
