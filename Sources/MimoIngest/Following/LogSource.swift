/// Where log lines come from, as the user named it.
public enum LogSource: Hashable, Sendable {
  /// One file. It may be a symbolic link, need not exist yet, and may be a named pipe.
  case file(String)
  /// Every log below a folder, new ones and new sub-folders included.
  ///
  /// `suffixes` are the ends of file names to accept, for example `[".jsonl"]`. One that holds `*` or `/`
  /// is a pattern of the whole path below the folder: `state*.db` is in the folder itself, `*/chats/*.json`
  /// two folders down, `**` stands for any number of folders. An empty list accepts
  /// each regular file whose name does not begin with a dot and does not end like a file that is
  /// surely no log.
  case folder(String, suffixes: [String])
  /// An open descriptor that is read until it ends: standard input or a pipe. It is not closed.
  case stream(Int32)

  /// Creates the source a command-line argument means: `-` is standard input, an existing folder is
  /// followed with all that is in it, anything else is a file.
  public init(argument: String) {
    if argument == "-" {
      self = .stream(0)
    } else if let status = try? FileStatus(path: argument), status.kind == .folder {
      self = .folder(argument, suffixes: [])
    } else {
      self = .file(argument)
    }
  }

  /// What messages call this source: the path, or `standard input`.
  public var description: String {
    switch self {
    case .file(let path), .folder(let path, _): path
    case .stream(0): "standard input"
    case .stream(let descriptor): "descriptor \(descriptor)"
    }
  }
}

/// Decides by names alone which files below a folder are logs, and which folders are entered.
struct PathFilter: Sendable {
  private let root: String
  private let suffixes: [String]
  private let patterns: [[Substring]]

  /// - Parameter root: the source's folder, without trailing slashes.
  /// - Parameter names: as in `LogSource.folder`.
  init(root: String, names: [String]) {
    self.root = root
    suffixes = names.filter { !$0.contains("*") && !$0.contains("/") }
    patterns = names.filter { $0.contains("*") || $0.contains("/") }.map {
      $0.split(separator: "/")
    }
  }

  private var acceptsAll: Bool { suffixes.isEmpty && patterns.isEmpty }

  /// Whether a file of this name in this folder is read.
  func accepts(file name: Substring, in folder: String) -> Bool {
    if acceptsAll {
      return !name.hasPrefix(".") && !name.hasSuffix("~")
        && !foreignSuffixes.contains { name.hasSuffix($0) }
    }
    if suffixes.contains(where: { name.hasSuffix($0) }) { return true }
    let place = place(of: name, in: folder)
    return patterns.contains { Self.matches(place[...], $0[...], isWhole: true) }
  }

  /// Whether a sub-folder of this name is entered. Hidden ones (`.git`) are not, unless the caller
  /// said what it is looking for.
  func accepts(folder name: Substring, in folder: String) -> Bool {
    if acceptsAll { return !name.hasPrefix(".") }
    if !suffixes.isEmpty { return true }
    let place = place(of: name, in: folder)
    return patterns.contains { Self.matches(place[...], $0[...], isWhole: false) }
  }

  private func place(of name: Substring, in folder: String) -> [Substring] {
    folder.dropFirst(root.count).split(separator: "/") + [name]
  }

  /// Whether the names on the way to a file follow a pattern, or (not `isWhole`) may lead to one that does.
  private static func matches(
    _ place: ArraySlice<Substring>, _ pattern: ArraySlice<Substring>, isWhole: Bool
  ) -> Bool {
    guard let first = pattern.first else { return place.isEmpty && isWhole }
    if first == "**" {
      return !isWhole || matches(place, pattern.dropFirst(), isWhole: true)
        || (!place.isEmpty && matches(place.dropFirst(), pattern, isWhole: true))
    }
    guard let name = place.first else { return !isWhole }
    return matches(name, first) && matches(place.dropFirst(), pattern.dropFirst(), isWhole: isWhole)
  }

  /// Whether a name follows a pattern in which `*` stands for any characters.
  private static func matches(_ name: Substring, _ pattern: Substring) -> Bool {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard parts.count > 1 else { return name == pattern }
    guard name.count >= parts[0].count + parts.last!.count, name.hasPrefix(parts[0]),
      name.hasSuffix(parts.last!)
    else { return false }
    var rest = name.dropFirst(parts[0].count).dropLast(parts.last!.count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let found = rest.firstRange(of: part) else { return false }
      rest = rest[found.upperBound...]
    }
    return true
  }
}

/// Names of files that are no logs: compressed, parts of databases, pictures, programs.
private let foreignSuffixes = [
  ".tar.gz", ".tar.zst", ".bz2", ".xz", ".lz4", ".br", ".zip", ".tar", ".tgz", ".7z", "-wal",
  "-shm",
  "-journal", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf", ".mp3",
  ".mp4", ".wav", ".parquet", ".so", ".dylib", ".o", ".a", ".exe", ".pyc", ".class", ".jar",
  ".wasm",
  ".lock", ".swp", ".pid",
]
