/// Sixty-four bits that stand for a text, the same on every machine and in every release.
///
/// Two different ids share a fingerprint with a chance of n² ÷ 3.7 × 10¹⁹: for a million ids, one in
/// thirty-seven million.
public struct Fingerprint: Hashable, Sendable {
  /// The bits; 0 never occurs and can mark an empty place.
  public var value: UInt64

  /// The fingerprint with these bits.
  @inlinable public init(value: UInt64) { self.value = value }

  /// The fingerprint of some bytes. Cost: one multiplication per eight bytes.
  @inlinable public init(of bytes: UnsafeRawBufferPointer, seed: UInt64 = 0x9E37_79B9_7F4A_7C15) {
    var state = seed ^ UInt64(truncatingIfNeeded: bytes.count) &* 0xD6E8_FEB8_6659_FD93
    var index = 0
    while index + 8 <= bytes.count {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      state = Self.mix(state ^ word, 0xA076_1D64_78BD_642F)
      index += 8
    }
    if index < bytes.count {
      var word: UInt64 = 0
      var shift: UInt64 = 0
      while index < bytes.count {
        word |= UInt64(bytes[index]) << shift
        shift += 8
        index += 1
      }
      state = Self.mix(state ^ word, 0xE703_7ED1_A0B4_28DB)
    }
    state = Self.mix(state ^ 0x8EBC_6AF0_9C88_C6E3, 0x5899_65CC_7537_4CC3)
    value = state == 0 ? 1 : state
  }

  /// The fingerprint of a text.
  public init(of text: String) {
    var text = text
    self = text.withUTF8 { Fingerprint(of: UnsafeRawBufferPointer($0)) }
  }

  /// A fingerprint of the pair.
  @inlinable public func combined(with other: UInt64) -> Fingerprint {
    let mixed = Self.mix(value ^ 0xA076_1D64_78BD_642F, other ^ 0xE703_7ED1_A0B4_28DB)
    return Fingerprint(value: mixed == 0 ? 1 : mixed)
  }

  @inlinable static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low ^ a
  }
}
