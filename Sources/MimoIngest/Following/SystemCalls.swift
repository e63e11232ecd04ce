#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A failed system call: its `errno`.
struct SystemError: Error, Hashable {
  var code: Int32
}

/// What `stat` says about a file, reduced to what following needs.
struct FileStatus: Hashable {
  enum Kind: Hashable { case regular, folder, pipe, link, device, socket }

  var kind: Kind
  var identity: FileIdentity
  var size: Int64
  /// Nanoseconds since 1970; compared for equality and order only.
  var modified: Int64
  /// When content or permissions last changed, likewise.
  var changed: Int64

  /// The file a path leads to, or the link itself.
  init(path: String, followingLinks: Bool = true) throws(SystemError) {
    var raw = stat()
    let result = followingLinks ? stat(path, &raw) : lstat(path, &raw)
    guard result == 0 else { throw SystemError(code: errno) }
    self.init(raw)
  }

  /// The file behind an open descriptor.
  init(descriptor: Int32) throws(SystemError) {
    var raw = stat()
    guard fstat(descriptor, &raw) == 0 else { throw SystemError(code: errno) }
    self.init(raw)
  }

  private init(_ raw: stat) {
    switch raw.st_mode & S_IFMT {
    case S_IFREG: kind = .regular
    case S_IFDIR: kind = .folder
    case S_IFIFO: kind = .pipe
    case S_IFLNK: kind = .link
    case S_IFSOCK: kind = .socket
    default: kind = .device
    }
    identity = FileIdentity(
      device: UInt64(truncatingIfNeeded: raw.st_dev),
      inode: UInt64(truncatingIfNeeded: raw.st_ino)
    )
    size = Int64(raw.st_size)
    #if canImport(Darwin)
      let (content, status) = (raw.st_mtimespec, raw.st_ctimespec)
    #else
      let (content, status) = (raw.st_mtim, raw.st_ctim)
    #endif
    modified = Int64(content.tv_sec) &* 1_000_000_000 &+ Int64(content.tv_nsec)
    changed = Int64(status.tv_sec) &* 1_000_000_000 &+ Int64(status.tv_nsec)
  }
}

/// Opens a file for reading. Does not wait for the writer of a pipe, nor take over a terminal.
func openForReading(_ path: String) throws(SystemError) -> Int32 {
  while true {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    if descriptor >= 0 { return descriptor }
    if errno != EINTR { throw SystemError(code: errno) }
  }
}

/// Opens a file for reading and looks at what was opened.
func openWithStatus(_ path: String) throws(SystemError) -> (Int32, FileStatus) {
  let descriptor = try openForReading(path)
  do throws(SystemError) {
    return (descriptor, try FileStatus(descriptor: descriptor))
  } catch {
    close(descriptor)
    throw error
  }
}

/// `open` and `close`, for types that have methods of these names.
func openDescriptor(_ path: String, _ flags: Int32) -> Int32 { open(path, flags) }
func closeDescriptor(_ descriptor: Int32) { close(descriptor) }

/// One `pread`; 0 at the end of the file.
func readOnce(
  _ descriptor: Int32,
  _ start: UnsafeMutableRawPointer,
  _ count: Int,
  at offset: Int64
) throws(SystemError) -> Int {
  while true {
    let n = pread(descriptor, start, count, off_t(offset))
    if n >= 0 { return n }
    if errno != EINTR { throw SystemError(code: errno) }
  }
}

/// Reads until `count` bytes are there or the file ends.
func readFully(
  _ descriptor: Int32,
  _ start: UnsafeMutableRawPointer,
  _ count: Int,
  at offset: Int64
) throws(SystemError) -> Int {
  var done = 0
  while done < count {
    let n = try readOnce(descriptor, start + done, count - done, at: offset + Int64(done))
    if n == 0 { break }
    done += n
  }
  return done
}

/// The system's words for an `errno`.
func systemMessage(_ code: Int32) -> String {
  // `strerror_r` differs from system to system; this one is only unsafe for codes without a text.
  strerror(code).map { String(cString: $0).lowercased() } ?? "error \(code)"
}

/// Milliseconds of a clock that never jumps.
func monotonicMilliseconds() -> Int64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
}

/// Nanoseconds since 1970, as far as the machine's clock is right.
func realtimeNanoseconds() -> Int64 {
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  return Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
}

/// `folder/name`, without doubling the slash of the root.
func join(_ folder: String, _ name: some StringProtocol) -> String {
  folder.hasSuffix("/") ? folder + name : folder + "/" + name
}

/// A path's folder (`.` if it has none) and the name in it.
func split(_ path: String) -> (folder: String, name: String) {
  guard let slash = path.lastIndex(of: "/") else { return (".", path) }
  let name = String(path[path.index(after: slash)...])
  return (slash == path.startIndex ? "/" : String(path[..<slash]), name)
}

/// The path a symbolic link at `path` points to, or `nil` if it is not a link.
func linkTarget(_ path: String) -> String? {
  var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
  let count = bytes.withUnsafeMutableBytes {
    readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
  }
  guard count > 0 else { return nil }
  let target = String(decoding: bytes[..<count], as: UTF8.self)
  return target.hasPrefix("/") ? target : join(split(path).folder, target)
}
