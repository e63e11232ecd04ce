#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Searches in raw bytes. (`memmem` is hidden from Swift on Linux, and slower for this.)
enum ByteSearch {
  /// Whether `needle` (2 to 64 ASCII bytes) occurs in `text`.
  @inline(__always)
  static func contains(_ needle: StaticString, in text: UnsafeRawBufferPointer) -> Bool {
    firstIndex(of: needle, in: text) != nil
  }

  /// Where `needle` (2 to 64 ASCII bytes) first occurs in `text`.
  ///
  /// Sixty-four places at a time are tested for the needle's first and last byte; a quote at both ends of a
  /// key makes false alarms rare. (6 % fewer instructions for a transcript than with sixteen.)
  @inline(__always)
  static func firstIndex(
    of needle: StaticString, in text: UnsafeRawBufferPointer
  ) -> Int? {
    let length = needle.utf8CodeUnitCount
    guard let base = text.baseAddress, text.count >= length else { return nil }
    let first = SIMD16<UInt8>(repeating: needle.utf8Start[0])
    let last = SIMD16<UInt8>(repeating: needle.utf8Start[length - 1])
    // As two words: `any` of a mask is a function call.
    @inline(__always)
    func hits(_ index: Int) -> SIMD2<UInt64> {
      let a = base.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self)
      let b = base.loadUnaligned(fromByteOffset: index + length - 1, as: SIMD16<UInt8>.self)
      return unsafeBitCast((a .== first) .& (b .== last), to: SIMD2<UInt64>.self)
    }
    var index = 0
    let blockEnd = text.count - length - 63
    while index <= blockEnd {
      let found = hits(index) | hits(index + 16) | hits(index + 32) | hits(index + 48)
      if found[0] | found[1] != 0 {
        for offset in index..<index + 64
        where base.load(fromByteOffset: offset, as: UInt8.self) == needle.utf8Start[0]
          && memcmp(base + offset, needle.utf8Start, length) == 0
        {
          return offset
        }
      }
      index += 64
    }
    while index + length <= text.count {
      if memcmp(base + index, needle.utf8Start, length) == 0 { return index }
      index += 1
    }
    return nil
  }

  /// Whether there is a newline from `p` on, before `end`. For a few dozen bytes.
  @inline(__always)
  static func hasNewline(_ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
    var q = p
    while end - q >= 8 {
      let word = UnsafeRawPointer(q).loadUnaligned(as: UInt64.self) ^ 0x0A0A_0A0A_0A0A_0A0A
      if (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0 { return true }
      q += 8
    }
    while q < end {
      if q.pointee == 10 { return true }
      q += 1
    }
    return false
  }
}
