#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Finds the whole lines in a window of bytes that begins where the last whole line ended.
///
/// ```
/// BOM \0\0\0 \n {"a":1}\n {"b":2}\n ... {"y":25}\n {"z":
/// |-- dropped --|------------- lines ------------|- rest -
/// ```
///
/// Hot path: looks only at the ends of the window, whatever its size.
struct LineFramer {
  /// Bytes to leave out in front: a byte-order mark, blank lines, NULs.
  private(set) var dropped: Int
  /// How many of these are NULs.
  private(set) var droppedNULs: Int
  /// Where the first line that is not blank begins; before its NULs, if it has any.
  private(set) var lineStart: Int
  /// The end of the lines to deliver, which start at `dropped`. At most `dropped` if there are none.
  private(set) var end: Int

  /// Frames `window`.
  ///
  /// - Parameter atFileStart: Whether the window's first byte is the file's first.
  /// - Parameter reachesEnd: Whether nothing comes behind the window at present. A complete JSON object
  ///   is then delivered without its newline: a file may legitimately lack the last one.
  init(_ window: UnsafeRawBufferPointer, atFileStart: Bool, reachesEnd: Bool) {
    var start = 0
    if atFileStart && window.starts(with: [0xEF, 0xBB, 0xBF]) { start = 3 }
    lineStart = start
    var nuls = 0
    scan: while start < window.count {
      switch window[start] {
      case 0x0A: lineStart = start + 1
      case 0x0D: break
      case 0: nuls += 1
      default: break scan
      }
      start += 1
    }
    guard start < window.count else {
      // Nothing but NULs so far: they may still be filled in, so they are not dropped for good.
      dropped = lineStart
      droppedNULs = 0
      end = lineStart
      return
    }
    dropped = start
    droppedNULs = nuls
    end = lastNewline(in: window, from: start).map { $0 + 1 } ?? lineStart
    if reachesEnd && end < window.count {
      let rest = UnsafeRawBufferPointer(rebasing: window[max(end, start)...])
      if JSONShape.isCompleteObject(rest) { end = window.count }
    }
  }

  /// Whether there are lines to deliver.
  var hasLines: Bool { end > dropped }
}

/// Walks the lines of a run as `LogConsumer.consume` gets it: without their ends, without NUL bytes and carriage
/// returns in front, and without blank ones.
public struct LineSplitter {
  private var rest: UnsafeRawBufferPointer

  /// Starts at the first line of `lines`, which must stay valid while the splitter is used.
  public init(_ lines: UnsafeRawBufferPointer) { rest = lines }

  /// The next line that is not blank, or `nil` after the last.
  public mutating func next() -> UnsafeRawBufferPointer? {
    while let base = rest.baseAddress, !rest.isEmpty {
      let newline = memchr(base, 0x0A, rest.count).map { UnsafeRawPointer($0) - base }
      var end = newline ?? rest.count
      var start = 0
      rest = UnsafeRawBufferPointer(rebasing: rest[(newline.map { $0 + 1 } ?? end)...])
      // In front of a window the framer leaves both out, too: where it is cut must not matter.
      while start < end, case let byte = base.load(fromByteOffset: start, as: UInt8.self),
        byte == 0 || byte == 0x0D
      {
        start += 1
      }
      if end > start && base.load(fromByteOffset: end - 1, as: UInt8.self) == 0x0D { end -= 1 }
      if end > start { return UnsafeRawBufferPointer(start: base + start, count: end - start) }
    }
    return nil
  }
}

/// The index of the first newline at or after `start`.
func firstNewline(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
  guard let base = bytes.baseAddress, start < bytes.count else { return nil }
  return memchr(base + start, 0x0A, bytes.count - start).map { UnsafeRawPointer($0) - base }
}

/// The index of the last newline not before `start`.
///
/// Eight bytes at a time: it normally looks at half a line, but at the whole window when a line is
/// longer than that. (`memrchr` does this too, but is not everywhere.)
func lastNewline(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
  let ones: UInt64 = 0x0101_0101_0101_0101
  let highs: UInt64 = 0x8080_8080_8080_8080
  var end = bytes.count
  while end - start >= 8 {
    let word = bytes.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) ^ (ones &* 0x0A)
    // Not zero exactly when one of the eight bytes is a newline.
    if (word &- ones) & ~word & highs != 0 { break }
    end -= 8
  }
  while end > start {
    end -= 1
    if bytes[end] == 0x0A { return end }
  }
  return nil
}
