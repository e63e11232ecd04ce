#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Files that are there as a whole or not at all, whatever interrupts the writing.
enum AtomicFile {
  /// Writes a file under a name of its own and then gives it its name.
  ///
  /// - Parameters:
  ///   - mode: the permissions of a new file.
  ///   - replacing: whether a file of that name may be replaced.
  /// - Throws: `Failure` with the path and the system's reason.
  static func write(_ bytes: [UInt8], to path: String, mode: mode_t, replacing: Bool)
    throws(Failure)
  {
    // In the same folder, because a name can only be given within one file system.
    var template = Array("\(path).new-XXXXXX".utf8CString)
    let file = mkstemp(&template)
    guard file >= 0 else { throw failure(path) }
    defer { unlink(template) }
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        systemWrite(file, $0.baseAddress! + sent, $0.count - sent)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure(path, closing: file) }
      sent += count
    }
    guard fchmod(file, mode) == 0, fsync(file) == 0 else { throw failure(path, closing: file) }
    guard close(file) == 0 else { throw failure(path) }
    // A link fails where the name is taken; a new name takes it over.
    guard (replacing ? rename(template, path) : link(template, path)) == 0 else {
      throw failure(path)
    }
  }

  /// Creates a folder and those it is in.
  ///
  /// - Parameter mode: the permissions of folders that are new.
  static func makeFolder(_ path: String, mode: mode_t) throws(Failure) {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += (made.isEmpty || made == "/" ? "" : "/") + part
      if mkdir(made, mode) != 0, errno != EEXIST, !isFolder(made) { throw failure(made) }
    }
    guard isFolder(path) else { throw Failure(description: "\(path) is no folder") }
  }

  /// Whether there is a folder of that name.
  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Gives a file the first free name `NAME.WORD-N`, so that nothing of it is lost.
  ///
  /// - Returns: the new name.
  static func setAside(_ path: String, as word: String) throws(Failure) -> String {
    for number in 1...9999 {
      let name = "\(path).\(word)-\(number)"
      if link(path, name) == 0 {
        unlink(path)
        return name
      }
      guard errno == EEXIST else { throw failure(path) }
    }
    throw Failure(description: "\(path): too many \(word) files beside it")
  }

  private static func failure(_ path: String, closing file: Int32? = nil) -> Failure {
    let reason = String(cString: strerror(errno))
    if let file { close(file) }
    return Failure(description: "\(path): \(reason)")
  }
}

private func systemWrite(_ file: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  write(file, bytes, count)
}
