#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The right to write a ledger: held until the value is gone, or its process.
///
/// The system itself lets go of the lock of a dead process, however it died; the file stays.
struct StoreLock: ~Copyable {
  private let descriptor: Int32

  /// Takes the lock.
  ///
  /// - Parameter owner: who wants it, for the messages of others.
  /// - Throws: `StoreError.held`, or why the file cannot be locked.
  init(path: String, owner: String) throws(StoreError) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
    if descriptor < 0 { throw StoreError(path: path, systemError: errno) }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      let error = errno
      let holder = Self.holder(descriptor)
      if error == EWOULDBLOCK { throw .held(path: path, by: holder) }
      throw StoreError(path: path, systemError: error)
    }
    // For messages alone: a full disk is told where it matters.
    _ = fchmod(descriptor, 0o600)
    if ftruncate(descriptor, 0) == 0 {
      let line = owner + "\n"
      _ = line.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }
  }

  deinit { close(descriptor) }

  /// This process, in words.
  static var thisProcess: String {
    var name = [CChar](repeating: 0, count: 256)
    let isNamed = gethostname(&name, name.count - 1) == 0
    let host = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return "process \(getpid())" + (isNamed ? " on \(host)" : "")
  }

  /// What the owner wrote, as far as it can be shown.
  private static func holder(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 120)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let text = bytes.prefix(max(count, 0)).prefix { (0x20..<0x7F).contains($0) }
    return text.isEmpty ? "another process" : String(decoding: text, as: UTF8.self)
  }
}
