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
  /// Sixteen places at a time are tested for the needle's first and last byte; a quote at both ends of a
  /// key makes false alarms rare.
  @inline(__always)
  static func firstIndex(
    of needle: StaticString, in text: UnsafeRawBufferPointer
  ) -> Int? {
    let length = needle.utf8CodeUnitCount
    guard let base = text.baseAddress, text.count >= length else { return nil }
    let first = SIMD16<UInt8>(repeating: needle.utf8Start[0])
    let last = SIMD16<UInt8>(repeating: needle.utf8Start[length - 1])
    var index = 0
    let vectorEnd = text.count - length - 15
    while index <= vectorEnd {
      let a = base.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self)
      let b = base.loadUnaligned(fromByteOffset: index + length - 1, as: SIMD16<UInt8>.self)
      if any((a .== first) .& (b .== last)) {
        for offset in index..<index + 16 where memcmp(base + offset, needle.utf8Start, length) == 0
        {
          return offset
        }
      }
      index += 16
    }
    while index + length <= text.count {
      if memcmp(base + index, needle.utf8Start, length) == 0 { return index }
      index += 1
    }
    return nil
  }
}
