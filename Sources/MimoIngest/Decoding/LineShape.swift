#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// All bytes of a line but the values that change from line to line.
///
/// A writer repeats keys, brackets and most words. Where all of these bytes come again, with any values between them,
/// the line has the same keys in the same places, so that nobody has to look at them: only the values are read.
struct LineShape<Hole: Sendable & BitwiseCopyable>: Sendable {
  private struct Step: Sendable {
    /// How many bytes stand before the value.
    var count: Int
    /// What value it is; `nil` is behind the last piece.
    var hole: Hole?
  }

  /// Memory that stays where it is, so that a search need not hold on to it.
  private final class Storage: @unchecked Sendable {
    /// The pieces between the values, one after another.
    let bytes: UnsafeMutableRawBufferPointer
    let steps: UnsafeMutableBufferPointer<Step>

    init(_ bytes: [UInt8], _ steps: [Step]) {
      // Seven bytes may be read behind any piece.
      self.bytes = .allocate(byteCount: bytes.count + 7, alignment: 8)
      self.bytes.initializeMemory(as: UInt8.self, repeating: 0)
      self.bytes.copyBytes(from: bytes)
      self.steps = .allocate(capacity: steps.count)
      _ = self.steps.initialize(from: steps)
    }

    deinit {
      bytes.deallocate()
      steps.deallocate()
    }
  }

  private let storage: Storage
  private nonisolated(unsafe) let bytes: UnsafeRawPointer
  private nonisolated(unsafe) let steps: UnsafeBufferPointer<Step>

  /// The shape of a line.
  ///
  /// - Parameter holes: the ranges of the values, in their order.
  init(_ line: UnsafeRawBufferPointer, holes: [(range: Range<Int>, hole: Hole)]) {
    var bytes: [UInt8] = []
    var steps: [Step] = []
    var start = 0
    for (range, hole) in holes {
      bytes.append(contentsOf: line[start..<range.lowerBound])
      steps.append(Step(count: range.lowerBound - start, hole: hole))
      start = range.upperBound
    }
    bytes.append(contentsOf: line[start...])
    steps.append(Step(count: line.count - start, hole: nil))
    storage = Storage(bytes, steps)
    self.bytes = UnsafeRawPointer(storage.bytes.baseAddress!)
    self.steps = UnsafeBufferPointer(storage.steps)
  }

  /// Whether a line has this shape.
  ///
  /// - Parameter read: reads the value at the cursor; `false` if it is none of that kind.
  @inline(__always)
  func matches(
    _ line: UnsafeRawBufferPointer,
    _ read: (Hole, inout JSONCursor) throws(DecodeError) -> Bool
  ) -> Bool {
    var cursor = JSONCursor(line)
    var piece = bytes
    for step in steps {
      guard Self.skip(piece, step.count, &cursor) else { return false }
      piece += step.count
      guard let hole = step.hole else { return cursor.p == cursor.end }
      guard (try? read(hole, &cursor)) ?? false else { return false }
    }
    return false
  }

  /// Moves the cursor behind a piece, if its bytes come next. Pieces are short: the library would take longer to begin
  /// than to compare.
  @inline(__always)
  private static func skip(
    _ piece: UnsafeRawPointer, _ count: Int, _ cursor: inout JSONCursor
  ) -> Bool {
    let p = UnsafeRawPointer(cursor.p)
    let rest = cursor.end - cursor.p
    guard rest >= max(count, 8) else {
      guard rest >= count, memcmp(p, piece, count) == 0 else { return false }
      cursor.p += count
      return true
    }
    if count < 8 {
      let unlike = UInt64(littleEndian: difference(p, piece, at: 0))
      guard unlike &<< UInt64(truncatingIfNeeded: 64 &- 8 &* count) == 0 || count == 0 else {
        return false
      }
    } else {
      let last = count &- 8
      var done = 0
      while done < last {
        if difference(p, piece, at: done) != 0 { return false }
        done &+= 8
      }
      // The last eight bytes, some of them perhaps again.
      if difference(p, piece, at: last) != 0 { return false }
    }
    cursor.p += count
    return true
  }

  @inline(__always)
  private static func difference(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, at offset: Int
  ) -> UInt64 {
    a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      ^ b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }
}
