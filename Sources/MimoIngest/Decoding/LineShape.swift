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
  fileprivate struct Step: Sendable {
    /// How many bytes stand before the value.
    var count: Int
    /// Which of them the last look at eight compares.
    var mask: UInt64
    /// What value it is; `nil` is behind the last piece.
    var hole: Hole?
  }

  /// Memory that stays where it is, so that a search need not hold on to it.
  private final class Storage: @unchecked Sendable {
    /// The pieces between the values, each with zeros behind it up to a multiple of eight bytes.
    let bytes: UnsafeMutableRawBufferPointer
    let steps: UnsafeMutableBufferPointer<Step>

    init(_ bytes: [UInt8], _ steps: [Step]) {
      self.bytes = .allocate(byteCount: bytes.count, alignment: 8)
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

  /// The shape of a line without a newline in it.
  ///
  /// - Parameter holes: the ranges of the values, in their order.
  init(_ line: UnsafeRawBufferPointer, holes: [(range: Range<Int>, hole: Hole)]) {
    var bytes: [UInt8] = []
    var steps: [Step] = []
    var start = 0
    func add(_ end: Int, _ hole: Hole?) {
      let count = end - start
      bytes.append(contentsOf: line[start..<end])
      bytes.append(contentsOf: repeatElement(0, count: Self.padded(count) - count))
      let last = (0..<8).map { Self.padded(count) - 8 + $0 < count ? UInt8.max : 0 }
      let mask = last.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
      steps.append(Step(count: count, mask: mask, hole: hole))
    }
    for (range, hole) in holes {
      add(range.lowerBound, hole)
      start = range.upperBound
    }
    add(line.count, nil)
    storage = Storage(bytes, steps)
    self.bytes = UnsafeRawPointer(storage.bytes.baseAddress!)
    self.steps = UnsafeBufferPointer(storage.steps)
  }

  @inline(__always)
  private static func padded(_ count: Int) -> Int { max(8, (count &+ 7) & ~7) }

  /// A place before or behind a piece.
  struct Place {
    fileprivate var step: UnsafePointer<Step>
    fileprivate var piece: UnsafeRawPointer

    /// Moves the cursor behind the next piece, if its bytes come next. Pieces are short: the library would take longer
    /// to begin than to compare.
    @inline(__always)
    mutating func pass(_ cursor: inout JSONCursor) -> Bool {
      let p = UnsafeRawPointer(cursor.p)
      let count = step.pointee.count
      let rest = cursor.end - cursor.p
      let padded = LineShape.padded(count)
      if rest < padded {
        guard rest >= count, memcmp(p, piece, count) == 0 else { return false }
      } else {
        var done = 0
        while done &+ 8 < count {
          if unlike(p, done) != 0 { return false }
          done &+= 8
        }
        if unlike(p, done) & step.pointee.mask != 0 { return false }
      }
      cursor.p += count
      piece += padded
      step += 1
      return true
    }

    @inline(__always)
    private func unlike(_ p: UnsafeRawPointer, _ offset: Int) -> UInt64 {
      p.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        ^ piece.load(fromByteOffset: offset, as: UInt64.self)
    }

    /// What value stands behind the piece; `nil` behind the last one.
    @inline(__always) var hole: Hole? { step[-1].hole }
  }

  /// The place before the first piece; valid as long as the shape.
  @inline(__always) var start: Place { Place(step: steps.baseAddress!, piece: bytes) }
}
