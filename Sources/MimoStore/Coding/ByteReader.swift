import MimoEngine

/// Reads what `ByteWriter` wrote. What is not there reads as 0, and `isDamaged` says so afterwards.
struct ByteReader: NumberReader {
  private var next: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  /// Whether something was read that no writer wrote.
  private(set) var isDamaged = false

  /// Reads bytes that stay where they are meanwhile.
  init(_ bytes: UnsafeRawBufferPointer) {
    // Without bytes there is no address; nothing is read from this one.
    let start = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
    next = start.assumingMemoryBound(to: UInt8.self)
    end = next + bytes.count
  }

  /// Reads what `sealed(for:)` made, without the checksum; damaged from the start if that does not fit.
  init(sealed bytes: UnsafeRawBufferPointer, for place: UInt64) {
    guard bytes.count >= 4 else {
      self.init(UnsafeRawBufferPointer(start: nil, count: 0))
      isDamaged = true
      return
    }
    let content = UnsafeRawBufferPointer(rebasing: bytes.dropLast(4))
    self.init(content)
    let stored = UInt32(
      littleEndian: bytes.loadUnaligned(fromByteOffset: content.count, as: UInt32.self))
    if stored != checksum(content, place) { markDamaged() }
  }

  /// How many bytes are left.
  var bytesLeft: Int { end - next }

  /// Whether all is read.
  var isAtEnd: Bool { next == end }

  /// Says that what was read cannot be true; nothing more is read.
  mutating func markDamaged() {
    isDamaged = true
    next = end
  }

  @inline(__always)
  mutating func byte() -> UInt8 {
    if next == end {
      isDamaged = true
      return 0
    }
    defer { next += 1 }
    return next.pointee
  }

  @inline(__always)
  mutating func number() -> UInt64 {
    guard end - next >= 8 else { return numberNearEnd() }
    let (value, length) = Self.short(UnsafeRawPointer(next))
    if length == 0 { return numberNearEnd() }
    next += length
    return value
  }

  /// A number of at most eight bytes, and how many it has; 0 if these are more.
  ///
  /// - Precondition: there are eight bytes.
  @inline(__always)
  static func short(_ bytes: UnsafeRawPointer) -> (value: UInt64, length: Int) {
    let word = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    if word & 0x80 == 0 { return (word & 0x7F, 1) }
    // All groups at once: most counts have two or three.
    let ends = ~word & 0x8080_8080_8080_8080
    if ends == 0 { return (0, 0) }
    var value = word & (ends ^ (ends &- 1)) & 0x7F7F_7F7F_7F7F_7F7F
    value = value & 0x007F_007F_007F_007F | value >> 1 & 0x3F80_3F80_3F80_3F80
    value = value & 0x0000_3FFF_0000_3FFF | value >> 2 & 0x0FFF_C000_0FFF_C000
    value = value & 0x0FFF_FFFF | value >> 4 & 0x00FF_FFFF_F000_0000
    return (value, (ends.trailingZeroBitCount &+ 1) >> 3)
  }

  private mutating func numberNearEnd() -> UInt64 {
    let first = byte()
    return first < 0x80 ? UInt64(first) : longNumber(first)
  }

  private mutating func longNumber(_ first: UInt8) -> UInt64 {
    var value = UInt64(first & 0x7F)
    var shift: UInt64 = 7
    while shift < 64 {
      let group = byte()
      value |= UInt64(group & 0x7F) << shift
      if group < 0x80 { return value }
      shift += 7
    }
    markDamaged()
    return 0
  }

  mutating func folded() -> Int64 {
    let value = number()
    return Int64(bitPattern: value >> 1) ^ -Int64(value & 1)
  }

  mutating func foldedWide() -> Int128 {
    var value: UInt128 = 0
    var shift: UInt128 = 0
    while shift < 128 {
      let group = byte()
      value |= UInt128(group & 0x7F) << shift
      if group < 0x80 { return Int128(bitPattern: value >> 1) ^ -Int128(value & 1) }
      shift += 7
    }
    markDamaged()
    return 0
  }

  mutating func fixed<Number: FixedWidthInteger>(as type: Number.Type) -> Number {
    let size = MemoryLayout<Number>.size
    guard end - next >= size else {
      markDamaged()
      return 0
    }
    defer { next += size }
    return Number(
      littleEndian: UnsafeRawPointer(next).loadUnaligned(as: Number.self))
  }

  /// Lends so many bytes.
  mutating func text(_ count: Int) -> UnsafeRawBufferPointer {
    guard count >= 0, end - next >= count else {
      markDamaged()
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    defer { next += count }
    return UnsafeRawBufferPointer(start: next, count: count)
  }
}

/// Reads bytes and numbers one after the other.
protocol NumberReader {
  /// Says that what was read cannot be true.
  mutating func markDamaged()
  mutating func byte() -> UInt8
  mutating func number() -> UInt64
}

extension NumberReader {
  /// A number that fits the type.
  @inline(__always)
  mutating func number<Number: FixedWidthInteger>(as type: Number.Type) -> Number {
    let value = number()
    guard let number = Number(exactly: value) else {
      markDamaged()
      return 0
    }
    return number
  }
}

/// Reads where there are bytes enough for sure: without asking for the end, and what it reads stays in registers.
struct UncheckedReader: NumberReader {
  fileprivate var next: UnsafePointer<UInt8>
  fileprivate let end: UnsafePointer<UInt8>
  private(set) var isDamaged = false

  /// How many bytes are left.
  var bytesLeft: Int { end - next }

  mutating func markDamaged() { isDamaged = true }

  @inline(__always)
  mutating func byte() -> UInt8 {
    defer { next += 1 }
    return next.pointee
  }

  /// - Precondition: there are ten bytes.
  @inline(__always)
  mutating func number() -> UInt64 {
    let (value, length) = ByteReader.short(UnsafeRawPointer(next))
    if length == 0 { return longNumber() }
    next += length
    return value
  }

  private mutating func longNumber() -> UInt64 {
    var reader = ByteReader(UnsafeRawBufferPointer(start: next, count: 10))
    let value = reader.number()
    if reader.isDamaged { isDamaged = true }
    next += 10 - reader.bytesLeft
    return value
  }
}

extension ByteReader {
  /// Reads with the other reader from here on, and goes on where that one stopped.
  @inline(__always)
  mutating func unchecked<R>(_ body: (inout UncheckedReader) -> R) -> R {
    var reader = UncheckedReader(next: next, end: end)
    let result = body(&reader)
    next = reader.next
    if reader.isDamaged { markDamaged() }
    return result
  }
}
