#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads lines from a pipe, a terminal or whatever else has no offsets.
///
/// What was read is gone from the pipe, so unlike with a file the unfinished line is kept here.
final class LogStream {
  let file: LogFile
  private(set) var descriptor: Int32
  /// Opened by us from this path, and so ours to close and to open again.
  private let path: String?

  private var bytes: UnsafeMutableRawPointer
  private var capacity: Int
  /// Bytes of the unfinished line.
  private var count = 0
  /// Inside a line over the limit: bytes of it that were let go.
  private var discarded: Int64?

  /// Whether the last read filled the buffer, so that more is probably waiting.
  private(set) var hasMore = false

  /// What one read came to.
  enum Step {
    /// This many bytes came; it may be none.
    case read(Int)
    case ended
  }

  init(file: LogFile, descriptor: Int32, path: String?) {
    self.file = file
    self.descriptor = descriptor
    self.path = path
    capacity = 128 << 10
    bytes = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit {
    if path != nil && descriptor >= 0 { close(descriptor) }
    bytes.deallocate()
  }

  /// Reads once, delivering the lines that are complete. Waits if nothing is there: poll first.
  func advance(_ consumer: any LogConsumer, maximumLineBytes: Int) throws(SystemError) -> Step {
    if count == capacity { grow() }
    hasMore = false
    let got = read(descriptor, bytes + count, capacity - count)
    guard got >= 0 else {
      if errno == EINTR || errno == EAGAIN { return .read(0) }
      // A terminal that hung up ends like a pipe.
      if errno == EIO { return .ended }
      throw SystemError(code: errno)
    }
    if got == 0 { return .ended }
    hasMore = got == capacity - count
    file.bytes += Int64(got)
    let searched = count
    count += got
    if let gone = discarded {
      let fresh = UnsafeRawBufferPointer(start: bytes, count: count)
      guard let newline = firstNewline(in: fresh, from: 0) else {
        discarded = gone + Int64(count)
        drop(count)
        return .read(got)
      }
      let length = gone + Int64(newline) + 1
      drop(newline + 1)
      discarded = nil
      consumer.failed(
        .lineTooLong(
          path: file.path,
          offset: file.bookmark.offset - length,
          length: length,
          limit: maximumLineBytes
        ),
        of: file
      )
      deliver(consumer, searched: 0)
      return .read(got)
    }
    deliver(consumer, searched: searched)
    if count > maximumLineBytes {
      discarded = Int64(count)
      drop(count)
    }
    return .read(got)
  }

  /// Reports what is left of the stream after its end.
  func finish(_ consumer: any LogConsumer) {
    let rest = UnsafeRawBufferPointer(start: bytes, count: count)
    if let first = rest.firstIndex(where: { $0 > 0x20 }) {
      consumer.unfinished(
        UnsafeRawBufferPointer(rebasing: rest[first...]),
        of: file,
        at: file.bookmark.offset + Int64(first)
      )
    }
    drop(count)
  }

  /// Waits for the next writer of a named pipe. Returns whether there can be one.
  ///
  /// The pipe is opened before the old end is closed, so that nothing a quick writer left in it is lost.
  func reopen() -> Bool {
    guard let path, (try? FileStatus(descriptor: descriptor).kind) == .pipe,
      let next = try? openForReading(path)
    else { return false }
    close(descriptor)
    descriptor = next
    return true
  }

  private func deliver(_ consumer: any LogConsumer, searched: Int) {
    let window = UnsafeRawBufferPointer(start: bytes, count: count)
    // A long line that comes in many pieces must not be searched again for each.
    if searched > 64 << 10 && window.last != UInt8(ascii: "}")
      && firstNewline(in: window, from: searched) == nil
    {
      return
    }
    let frame = LineFramer(window, atFileStart: file.bookmark.offset == 0, reachesEnd: true)
    if frame.hasLines {
      consumer.consume(
        lines: UnsafeRawBufferPointer(rebasing: window[frame.dropped..<frame.end]),
        of: file,
        at: file.bookmark.offset + Int64(frame.dropped)
      )
      drop(frame.end)
    } else {
      drop(frame.lineStart)
    }
  }

  private func drop(_ length: Int) {
    guard length > 0 else { return }
    file.tail.moveStream(to: file.bookmark.offset + Int64(length))
    count -= length
    memmove(bytes, bytes + length, count)
  }

  private func grow() {
    let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity * 2, alignment: 16)
    larger.copyMemory(from: bytes, byteCount: count)
    bytes.deallocate()
    bytes = larger
    capacity *= 2
  }
}
