#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Writing to the standard streams, whole texts at a time.
enum StandardStreams {
  /// Prints a text on standard output; a closed pipe ends the program normally.
  static func print(_ text: String) { write(text, to: 1) }

  /// Prints a message on standard error, with the program's name.
  static func complain(_ text: String) { write("mimo-top: \(text)\n", to: 2) }

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
          return
        }
      }
    }
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
