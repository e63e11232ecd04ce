import FoundationEssentials
import MimoEngine
import MimoIngest
import MimoStore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What earlier versions kept in files of their own beside the ledger: `anchors.json` and `choice.json`.
///
/// It is taken over once; then the files have another name, so that nothing of them is lost.
struct FormerSettings {
  /// Why files cannot be used.
  private(set) var problems: [String] = []
  private var settings = StoreSettings()
  private var found: [String] = []
  private var broken: [String] = []

  private static var anchors: String { UserFolders.state + "/anchors.json" }
  private static var choice: String { UserFolders.state + "/choice.json" }

  /// Whether there is any such file.
  static var areThere: Bool { access(anchors, F_OK) == 0 || access(choice, F_OK) == 0 }

  private struct Anchors: Codable {
    struct Anchor: Codable {
      var at: String
      var used: String
    }
    var schema: String
    var anchors: [String: Anchor]
  }

  private struct Choice: Codable {
    var schema: String
    var plan: String
    var currency: String
  }

  /// Reads the files that are there.
  init() {
    if let bytes = open(Self.anchors), !readAnchors(bytes) {
      broken.append(Self.anchors)
      problems.append("\(Self.anchors): expected anchors in the form mimo-top.anchors/1")
    }
    if let bytes = open(Self.choice), !readChoice(bytes) { broken.append(Self.choice) }
  }

  private mutating func readAnchors(_ bytes: [UInt8]) -> Bool {
    guard let file = try? JSONDecoder().decode(Anchors.self, from: Data(bytes)),
      file.schema == "mimo-top.anchors/1"
    else { return false }
    var anchors: [String: PlanAnchor] = [:]
    for (id, anchor) in file.anchors {
      var at = anchor.at
      guard let used = Amount(decimal: anchor.used), used >= .zero,
        let instant = at.withUTF8({ LogTime.parse(iso: UnsafeRawBufferPointer($0)) })
      else { return false }
      anchors[id] = PlanAnchor(at: instant, used: used)
    }
    settings.anchors = anchors
    return true
  }

  private mutating func readChoice(_ bytes: [UInt8]) -> Bool {
    guard let file = try? JSONDecoder().decode(Choice.self, from: Data(bytes)),
      file.schema == "mimo-top.choice/1", let currency = Currency(rawValue: file.currency)
    else { return false }
    settings.plan = StoreSettings.ActivePlan(id: file.plan, currency: currency)
    return true
  }

  /// Adds what was read: the later reading of two, and the plan where none is known.
  func add(to settings: inout StoreSettings) {
    settings.anchors.merge(self.settings.anchors) { $0.at >= $1.at ? $0 : $1 }
    settings.plan = settings.plan ?? self.settings.plan
  }

  /// Gives the files other names; returns what there is to say of that.
  func retire() -> [String] {
    var notices: [String] = []
    for path in found {
      let isBroken = broken.contains(path)
      // Where that fails another process was faster, or it is not allowed; then it is read once more next time.
      let name = try? AtomicFile.setAside(path, as: isBroken ? "broken" : "imported")
      if isBroken, let name { notices.append("\(path): cannot be read (set aside as \(name))") }
    }
    return notices
  }

  private mutating func open(_ path: String) -> [UInt8]? {
    if let bytes = UserFolders.read(path) {
      found.append(path)
      return bytes
    }
    if errno != ENOENT, errno != ENOTDIR {
      problems.append("\(path): \(String(cString: strerror(errno)))")
    }
    return nil
  }
}
