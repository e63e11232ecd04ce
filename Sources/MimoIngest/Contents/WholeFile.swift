#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Files that are read at once.
enum WholeFile {
  /// The content of a regular file.
  ///
  /// - Throws: `LogError`; `unreadable` if it is larger than `limit`.
  static func read(_ path: String, atMost limit: Int) throws(LogError) -> [UInt8] {
    let descriptor: Int32
    let status: FileStatus
    do throws(SystemError) {
      (descriptor, status) = try openWithStatus(path)
    } catch {
      throw LogError(path: path, code: error.code)
    }
    defer { closeDescriptor(descriptor) }
    guard status.kind == .regular else { throw .notALog(path: path, is: "special file") }
    var bytes: [UInt8] = []
    // It may grow while it is read: read until there is no more.
    var room = max(4096, Int(status.size) + 1)
    while true {
      if bytes.count + room > limit + 1 {
        throw .unreadable(
          path: path, reason: "a document of more than \(limit >> 20) MiB is not read")
      }
      var failure: SystemError?
      let more = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        do throws(SystemError) {
          count = try readFully(descriptor, buffer.baseAddress!, room, at: Int64(bytes.count))
        } catch {
          failure = error
        }
      }
      if let failure { throw LogError(path: path, code: failure.code) }
      if bytes.isEmpty { bytes = more } else { bytes += more }
      if more.count < room { return bytes }
      room = bytes.count
    }
  }
}
