import MimoIngest
import Synchronization

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Begins to read the log that a report is asked for, while the main thread finds out what was typed and reads
/// settings and prices: one core would be idle.
///
/// Nothing depends on it: whoever reads logs takes it over only if it reads the same in the same way.
enum ReportAhead {
  /// Smaller logs are read in less time than this saves.
  private static let leastBytes = 4 << 20

  private static let begun = Mutex<ScanAhead?>(nil)

  /// Begins, if the arguments look like a report on one large log; to be wrong costs a few milliseconds.
  static func begin(expecting arguments: [String]) {
    guard let log = log(in: arguments) else { return }
    let ahead = ScanAhead(of: [LogSource(argument: log)], readTime: SystemClock.now)
    begun.withLock { $0 = ahead }
  }

  /// What was begun, once.
  static func take() -> ScanAhead? {
    begun.withLock { begun in
      defer { begun = nil }
      return begun
    }
  }

  /// The large file that is named; `nil` if there is none or another beside it, or if it may be read in an unusual way.
  static func log(in arguments: [String]) -> String? {
    let unusual = ["-h", "--help", "--version", "--history", "--format", "--map"]
    guard arguments.first == "report",
      !arguments.contains(where: { argument in
        unusual.contains { argument == $0 || argument.hasPrefix($0 + "=") }
      })
    else { return nil }
    let files = arguments.dropFirst().filter { argument in
      var status = stat()
      return !argument.hasPrefix("-") && stat(argument, &status) == 0
        && status.st_mode & S_IFMT == S_IFREG && status.st_size >= leastBytes
    }
    return files.count == 1 ? files[0] : nil
  }
}
