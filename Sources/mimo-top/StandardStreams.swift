import MimoScreen

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Writing to the standard streams, whole texts at a time.
enum StandardStreams {
  /// Makes a closed pipe an error that `print` sees, instead of a signal that kills.
  static func prepare() { signal(SIGPIPE, SIG_IGN) }

  /// Prints a text on standard output; a closed pipe ends the program normally, a full disk with status 1.
  static func print(_ text: String) { write(text, to: 1) }

  /// Prints a message on standard error, with the program's name. Names of files in it cannot act on the terminal.
  static func complain(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let shown = lines.map { TextWidth.sanitized(String($0)) }.joined(separator: "\n")
    write("mimo-top: \(shown)\n", to: 2)
  }

  private static func write(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = systemWrite(descriptor, bytes.baseAddress! + sent, bytes.count - sent)
        if count > 0 {
          sent += count
        } else if errno == EPIPE {
          exit(0)
        } else if errno != EINTR {
          // Nobody hears of a standard error that cannot be written.
          if descriptor != 1 { return }
          complain("standard output: \(String(cString: strerror(errno)))")
          exit(1)
        }
      }
    }
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
