/// Where log lines come from, as the user named it.
public enum LogSource: Hashable, Sendable {
  /// One file. It may be a symbolic link, need not exist yet, and may be a named pipe.
  case file(String)
  /// Every log below a folder, new ones and new sub-folders included.
  ///
  /// `suffixes` are the ends of file names to accept, for example `[".jsonl"]`. An empty list accepts
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

/// Decides by name alone which files of a folder are logs.
struct NameFilter: Sendable {
  private let suffixes: [String]

  init(suffixes: [String]) { self.suffixes = suffixes }

  /// Whether a file of this name is read.
  func accepts(file name: Substring) -> Bool {
    if !suffixes.isEmpty { return suffixes.contains { name.hasSuffix($0) } }
    return !name.hasPrefix(".") && !name.hasSuffix("~")
      && !foreignSuffixes.contains { name.hasSuffix($0) }
  }

  /// Whether a sub-folder of this name is entered. Hidden ones (`.git`) are not, unless the caller
  /// said what it is looking for.
  func accepts(folder name: Substring) -> Bool { !suffixes.isEmpty || !name.hasPrefix(".") }
}

/// Names of files that are no logs: compressed, parts of databases, pictures, programs.
private let foreignSuffixes = [
  ".gz", ".zst", ".bz2", ".xz", ".lz4", ".br", ".zip", ".tar", ".tgz", ".7z", "-wal", "-shm",
  "-journal", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf", ".mp3",
  ".mp4", ".wav", ".parquet", ".so", ".dylib", ".o", ".a", ".exe", ".pyc", ".class", ".jar",
  ".wasm",
  ".lock", ".swp", ".pid",
]
