#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Turns the signals that ask a program to end into something to wait for, so that it can store what it has.
final class EndSignals {
  /// Readable once such a signal came.
  let descriptor: Int32

  /// Takes over the signals of this process.
  ///
  /// - Throws: `Failure` if the process has no descriptors left.
  init() throws(Failure) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw Failure(description: "no pipe for signals: \(String(cString: strerror(errno)))")
    }
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    (descriptor, bell) = (ends[0], ends[1])
    for number in [SIGTERM, SIGINT, SIGHUP] { signal(number, ring) }
  }
}

/// The end of the pipe that the handler writes to.
private nonisolated(unsafe) var bell: Int32 = -1

private func ring(_ signal: Int32) {
  let error = errno
  var byte: UInt8 = 0
  _ = write(bell, &byte, 1)
  errno = error
}
