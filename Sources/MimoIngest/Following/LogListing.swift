#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A log that exists at present.
public struct FoundLog: Hashable, Sendable {
  /// Its path, beginning with its source's.
  public var path: String
  /// Index of the source it was found through.
  public var source: Int
  /// Which file on disk it is.
  public var identity: FileIdentity
  /// Its size when listed, in bytes. An estimate for planning; reading never relies on it.
  public var size: Int64
  /// When it last changed: nanoseconds since 1970.
  public var modified: Int64
}

/// The logs that exist at present, each file once however many paths or sources lead to it.
///
/// For readers of their own, such as one that shares the files out among threads. Named pipes and
/// streams are not listed.
public struct LogListing: Sendable {
  /// The logs, sorted by source and path.
  public private(set) var logs: [FoundLog] = []
  /// Files and folders that could not be listed.
  public private(set) var errors: [LogError] = []

  /// Lists what `sources` lead to.
  public init(of sources: [LogSource]) {
    var seen: Set<FileIdentity> = []
    var errors: [LogError] = []
    for (index, source) in sources.enumerated() {
      var found: [(String, FileStatus)] = []
      switch source {
      case .stream: continue
      case .file(let path):
        do throws(SystemError) {
          let status = try FileStatus(path: path)
          if let error = status.notALog(path) { errors.append(error) }
          if status.kind == .regular { found = [(path, status)] }
        } catch {
          errors.append(LogError(path: path, code: error.code))
        }
      case .folder(let path, let suffixes):
        let root = trimmingSlashes(path)
        var walk = FolderWalk(filter: PathFilter(root: root, names: suffixes))
        walk.onFile = { path, status, _ in found.append((path, status)) }
        walk.onError = { errors.append($0) }
        walk.run(root)
      }
      for (path, status) in found.sorted(by: { $0.0 < $1.0 })
      where seen.insert(status.identity).inserted {
        logs.append(
          FoundLog(
            path: path,
            source: index,
            identity: status.identity,
            size: status.size,
            modified: status.modified
          )
        )
      }
    }
    self.errors = errors
  }
}

extension FileStatus {
  /// The error for something named as a file that has no lines, or `nil` if it can be read.
  func notALog(_ path: String) -> LogError? {
    switch kind {
    case .folder: .notALog(path: path, is: "folder")
    case .socket: .notALog(path: path, is: "socket")
    default: nil
    }
  }
}

/// Visits a folder and all that is below it, symbolic links followed, each folder once.
struct FolderWalk {
  let filter: PathFilter
  /// Called for a folder before it is listed, so that a watch can be in place first.
  var onFolder: (String) -> Void = { _ in }
  /// Called for each regular file the filter accepts. The last argument is whether it is a link.
  var onFile: (String, FileStatus, Bool) -> Void = { _, _, _ in }
  var onError: (LogError) -> Void = { _ in }

  init(filter: PathFilter) { self.filter = filter }

  /// Walks from `root`. A missing root is an error; folders that vanish during the walk are not.
  func run(_ root: String) {
    var pending = [root]
    var visited: Set<FileIdentity> = []
    while let folder = pending.popLast() {
      do throws(SystemError) {
        // Links can make a folder its own descendant.
        let status = try FileStatus(path: folder)
        guard visited.insert(status.identity).inserted else { continue }
        onFolder(folder)
        try list(folder, &pending)
      } catch {
        let vanished = folder != root && (error.code == ENOENT || error.code == ENOTDIR)
        if !vanished { onError(LogError(path: folder, code: error.code)) }
      }
    }
  }

  private func list(_ folder: String, _ pending: inout [String]) throws(SystemError) {
    guard let stream = opendir(folder) else { throw SystemError(code: errno) }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = entryName(entry)
      if name == "." || name == ".." { continue }
      let type = Int(entry.pointee.d_type)
      // Devices, pipes and sockets are never opened; some kinds of file system do not say what it is.
      guard type == DT_REG || type == DT_DIR || type == DT_LNK || type == DT_UNKNOWN else {
        continue
      }
      let isAcceptedFile = filter.accepts(file: name[...], in: folder)
      let isAcceptedFolder = filter.accepts(folder: name[...], in: folder)
      if type == DT_REG && !isAcceptedFile { continue }
      let path = join(folder, name)
      guard let status = try? FileStatus(path: path) else { continue }
      if status.kind == .folder {
        if isAcceptedFolder { pending.append(path) }
      } else if status.kind == .regular && isAcceptedFile {
        onFile(path, status, type == DT_LNK)
      }
    }
  }
}

/// The name in a folder entry.
func entryName(_ entry: UnsafeMutablePointer<dirent>) -> String {
  let offset = MemoryLayout<dirent>.offset(of: \.d_name)!
  return String(
    cString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)
  )
}

/// `a/b///` as `a/b`; the root stays.
func trimmingSlashes(_ path: String) -> String {
  var path = path[...]
  while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
  return String(path)
}
