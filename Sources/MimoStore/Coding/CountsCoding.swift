import MimoEngine

// The counts that cells and calls have in common.

/// Bits of the byte before the tokens: the lower six say which classes are not zero.
enum TokenMask {
  /// For the owner's use.
  static let first: UInt8 = 1 << 6
  /// For the owner's use.
  static let second: UInt8 = 1 << 7
}

extension ByteWriter {
  /// Writes a byte that says which classes are not zero, with bits of the owner.
  mutating func append(maskOf tokens: TokenCounts, with bits: UInt8) {
    var mask = bits
    if tokens.input != 0 { mask |= 1 }
    if tokens.cacheRead != 0 { mask |= 2 }
    if tokens.cacheWrite5m != 0 { mask |= 4 }
    if tokens.cacheWrite1h != 0 { mask |= 8 }
    if tokens.output != 0 { mask |= 16 }
    if tokens.reasoning != 0 { mask |= 32 }
    append(mask)
  }

  /// Writes the classes that are not zero.
  mutating func append(_ tokens: TokenCounts) {
    for count in [
      tokens.input, tokens.cacheRead, tokens.cacheWrite5m, tokens.cacheWrite1h, tokens.output,
      tokens.reasoning,
    ] where count != 0 { append(UInt64(bitPattern: count)) }
  }

  mutating func append(_ quantities: Quantities) {
    var mask: UInt64 = 0
    for (bit, counter) in Quantities.counters.enumerated()
    where quantities[keyPath: counter.path] != 0 {
      mask |= 1 << UInt64(bit)
    }
    append(mask)
    for (_, path) in Quantities.counters where quantities[keyPath: path] != 0 {
      append(UInt64(bitPattern: quantities[keyPath: path]))
    }
  }

  /// Writes how many decimal zeros end the number, and the digits before them: stated costs have few digits.
  mutating func append(_ amount: Amount) {
    var digits = amount.atto
    var zeros: UInt8 = 0
    while digits != 0, zeros < 30, digits % 10 == 0 {
      digits /= 10
      zeros += 1
    }
    append(zeros)
    append(folded: digits)
  }
}

extension NumberReader {
  @inline(__always)
  mutating func tokens(_ mask: UInt8) -> TokenCounts {
    var tokens = TokenCounts()
    if mask & 1 != 0 { tokens.input = Int64(bitPattern: number()) }
    if mask & 2 != 0 { tokens.cacheRead = Int64(bitPattern: number()) }
    if mask & 4 != 0 { tokens.cacheWrite5m = Int64(bitPattern: number()) }
    if mask & 8 != 0 { tokens.cacheWrite1h = Int64(bitPattern: number()) }
    if mask & 16 != 0 { tokens.output = Int64(bitPattern: number()) }
    if mask & 32 != 0 { tokens.reasoning = Int64(bitPattern: number()) }
    return tokens
  }
}

extension ByteReader {
  mutating func quantities() -> Quantities {
    var quantities = Quantities()
    let mask = number()
    if mask >> UInt64(Quantities.counters.count) != 0 { markDamaged() }
    for (bit, counter) in Quantities.counters.enumerated() where mask >> UInt64(bit) & 1 != 0 {
      quantities[keyPath: counter.path] = Int64(bitPattern: number())
    }
    return quantities
  }

  mutating func amount() -> Amount {
    let zeros = byte()
    var atto = foldedWide()
    for _ in 0..<min(zeros, 31) {
      let (product, overflow) = atto.multipliedReportingOverflow(by: 10)
      if overflow {
        markDamaged()
        return .zero
      }
      atto = product
    }
    if zeros > 30 { markDamaged() }
    return Amount(atto: atto)
  }
}
