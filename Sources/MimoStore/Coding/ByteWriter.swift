import MimoEngine

/// Appends numbers to bytes, small numbers as few of them.
///
/// A whole number is written in groups of seven bits, the lowest first; all but the last have the highest bit
/// set (LEB128). What may be negative is folded first, so that -1 is as short as 1.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ byte: UInt8) { bytes.append(byte) }

  mutating func append(_ text: UnsafeRawBufferPointer) { bytes.append(contentsOf: text) }

  mutating func append<Number: FixedWidthInteger>(fixed value: Number) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func append<Number: FixedWidthInteger & UnsignedInteger>(_ value: Number) {
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func append(folded value: Int64) {
    append(UInt64(bitPattern: value << 1 ^ value >> 63))
  }

  mutating func append(folded value: Int128) {
    append(UInt128(bitPattern: value << 1 ^ value >> 127))
  }

  /// The bytes with their checksum, which says where they belong, too.
  func sealed(for place: UInt64) -> [UInt8] {
    var sealed = self
    sealed.append(fixed: bytes.withUnsafeBytes { checksum($0, place) })
    return sealed.bytes
  }
}

/// Thirty-two bits of what stands in a place of the ledger: SQLite itself does not notice a changed byte.
func checksum(_ bytes: UnsafeRawBufferPointer, _ place: UInt64) -> UInt32 {
  UInt32(truncatingIfNeeded: Fingerprint(of: bytes, seed: place &+ 0x9E37_79B9_7F4A_7C15).value)
}
