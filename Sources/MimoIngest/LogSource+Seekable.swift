#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension LogSource {
  /// Whether it can be read in ranges: no stream, and no named pipe.
  public var isSeekable: Bool {
    switch self {
    case .stream: return false
    case .folder: return true
    case .file(let path):
      var status = stat()
      return stat(path, &status) != 0 || status.st_mode & S_IFMT != S_IFIFO
    }
  }
}
