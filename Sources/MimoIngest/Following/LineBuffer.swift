/// Memory to read into, shared by all the files one thread reads.
///
/// Not thread-safe: each reading thread has its own.
public final class LineBuffer {
  /// Bytes read at once.
  public let windowBytes: Int
  private(set) var start: UnsafeMutableRawPointer
  private(set) var capacity: Int

  /// Allocates a buffer.
  public init(windowBytes: Int = 1 << 20) {
    precondition(
      windowBytes >= 2 * Bookmark.tailLimit,
      "a window must hold more than a fingerprint"
    )
    self.windowBytes = windowBytes
    capacity = windowBytes
    start = .allocate(byteCount: windowBytes, alignment: 4096)
  }

  deinit { start.deallocate() }

  /// Makes room for `count` bytes. The content is lost.
  func reserve(_ count: Int) {
    guard count > capacity else { return }
    start.deallocate()
    start = .allocate(byteCount: count, alignment: 4096)
    capacity = count
  }

  /// Gives back what a long line needed.
  func shrink() {
    guard capacity > windowBytes else { return }
    start.deallocate()
    start = .allocate(byteCount: windowBytes, alignment: 4096)
    capacity = windowBytes
  }
}
