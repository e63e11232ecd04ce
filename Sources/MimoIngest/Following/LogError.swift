/// Something about following logs that the user should know; none of it stops the other files.
public enum LogError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A file named by the user is not there (one-shot scan).
  case noSuchFile(path: String)
  /// A file or folder named by the user is not there yet; it is read as soon as it appears.
  case waitingFor(path: String)
  /// We may not read this file or folder; it is tried again when its permissions change.
  case permissionDenied(path: String)
  /// A source named as a file is something that has no lines, such as a folder or a socket.
  case notALog(path: String, is: String)
  /// The system refused to open, read or list; `code` is its `errno`.
  case failed(path: String, code: Int32)
  /// A database or document that cannot be read; `reason` is a sentence without text from it.
  case unreadable(path: String, reason: String)
  /// A line longer than the limit was passed over whole.
  case lineTooLong(path: String, offset: Int64, length: Int64, limit: Int)
  /// The system gives no (more) change events, so files are looked at on a timer instead.
  case noEvents(reason: String)

  /// One lower-case sentence: where, what, and what to do.
  public var description: String {
    switch self {
    case .noSuchFile(let path): "\(path): no such file"
    case .waitingFor(let path): "\(path): not there yet; waiting for it to appear"
    case .permissionDenied(let path):
      "\(path): permission denied; it is read once its permissions allow it"
    case .notALog(let path, let kind): "\(path): is a \(kind), not a log file"
    case .failed(let path, let code): "\(path): \(systemMessage(code))"
    case .unreadable(let path, let reason): "\(path): \(reason)"
    case .lineTooLong(let path, let offset, let length, let limit):
      "\(path): the line at byte \(offset) is \(length) bytes long and was passed over; "
        + "lines up to \(limit) bytes are read"
    case .noEvents(let reason): "\(reason); looking at the files on a timer instead"
    }
  }

  /// Whether nothing failed: only how changes are noticed is not as usual.
  public var isAboutEvents: Bool {
    if case .noEvents = self { true } else { false }
  }

  /// The error for a failed call on `path`.
  init(path: String, code: Int32) {
    switch code {
    case ENOENT, ENOTDIR: self = .noSuchFile(path: path)
    case EACCES, EPERM: self = .permissionDenied(path: path)
    default: self = .failed(path: path, code: code)
    }
  }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif
