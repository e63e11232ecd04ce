/// A currency or another unit that prices are stated in. Sums never cross units.
public enum Currency: String, Hashable, Sendable, CaseIterable, Codable {
  /// United States dollar.
  case usd = "USD"
  /// Chinese yuan.
  case cny = "CNY"

  /// The sign people write before an amount.
  public var sign: String {
    switch self {
    case .usd: "$"
    case .cny: "¥"
    }
  }
}

/// An exact amount: a whole number of 10⁻¹⁸ of its unit.
///
/// The unit (a currency, or credits) is kept by the owner, who never adds amounts of different units.
/// Eighteen decimals hold any price per million tokens with up to twelve decimals without rounding, and
/// 128 bits hold 1.7 × 10²⁰ units: more than all money, and more credits than any plan sells.
public struct Amount: Hashable, Comparable, Sendable, AdditiveArithmetic {
  /// Units of 10⁻¹⁸.
  public var atto: Int128

  /// Creates an amount from units of 10⁻¹⁸.
  @inlinable public init(atto: Int128) { self.atto = atto }

  /// Creates an amount from the units of 10⁻¹⁵ in which rates and costs are counted.
  @inlinable public init(femto: Int128) { atto = femto * 1000 }

  /// Creates a whole amount.
  @inlinable public init(whole: Int64) { atto = Int128(whole) * Amount.scale }

  /// Creates an amount from plain decimal or exponent notation (`0.025`, `-3`, `8e-05`).
  ///
  /// - Returns: `nil` if the text is no number, has more than 18 decimals that are not zero, or is out
  ///   of range.
  public init?(decimal text: some StringProtocol) {
    guard let value = ExactDecimal(text)?.scaled(by: 18) else { return nil }
    atto = value
  }

  /// One whole unit in atto units.
  @inlinable public static var scale: Int128 { 1_000_000_000_000_000_000 }

  /// Nothing.
  @inlinable public static var zero: Amount { Amount(atto: 0) }
  /// The sum of two amounts of one unit.
  @inlinable public static func + (a: Amount, b: Amount) -> Amount { Amount(atto: a.atto + b.atto) }
  /// The difference of two amounts of one unit.
  @inlinable public static func - (a: Amount, b: Amount) -> Amount { Amount(atto: a.atto - b.atto) }
  /// Whether the first amount is smaller.
  @inlinable public static func < (a: Amount, b: Amount) -> Bool { a.atto < b.atto }
  /// The amount `n` times.
  @inlinable public static func * (a: Amount, n: Int64) -> Amount {
    Amount(atto: a.atto * Int128(n))
  }

  /// The amount in plain decimal notation, exact, without an exponent and without trailing zeros.
  public var exactText: String { ExactDecimal(digits: atto, decimals: 18).text }

  /// The amount with exactly `decimals` decimals (0 to 18), rounded half to even.
  public func text(decimals: Int) -> String {
    ExactDecimal(
      digits: divideHalfEven(atto, by: ExactDecimal.power(18 - decimals)), decimals: decimals
    ).paddedText
  }

  /// `self × numerator ÷ denominator`, rounded half to even to 10⁻¹⁸.
  ///
  /// What no amount can hold, such as the pace of a month after a second of impossible counters, is the largest
  /// amount of the sign: 1.3 × 10¹⁸ units, a hundredth of the range, so that such amounts can be added up.
  ///
  /// - Precondition: `denominator > 0`, and `numerator × denominator` fits 128 bits.
  public func scaled(by numerator: Int128, over denominator: Int128) -> Amount {
    // Whole multiples first: the product of a large amount and a large number need not fit.
    let (whole, rest) = atto.quotientAndRemainder(dividingBy: denominator)
    let (part, remainder) = (rest * numerator).quotientAndRemainder(dividingBy: denominator)
    let (product, overflow) = whole.multipliedReportingOverflow(by: numerator)
    let limit: Int128 = 1 << 120
    if overflow || product.magnitude > limit.magnitude {
      return Amount(atto: (atto < 0) == (numerator < 0) ? limit : -limit)
    }
    let quotient = product + part
    let twice = remainder.magnitude * 2
    if twice < denominator.magnitude || (twice == denominator.magnitude && quotient % 2 == 0) {
      return Amount(atto: quotient)
    }
    return Amount(atto: remainder < 0 ? quotient - 1 : quotient + 1)
  }
}

/// An amount in a known currency.
public struct Money: Hashable, Sendable {
  /// How much.
  public var amount: Amount
  /// Of what.
  public var currency: Currency

  /// Creates an amount of a currency.
  public init(_ amount: Amount, _ currency: Currency) {
    self.amount = amount
    self.currency = currency
  }
}

/// A decimal number as printed: `digits × 10^-decimals`, without rounding.
///
/// Used to read prices and stated costs; floating point never touches money.
public struct ExactDecimal: Hashable, Sendable {
  /// All digits as one whole number.
  public var digits: Int128
  /// How many of them stand behind the point; never negative.
  public var decimals: Int

  /// Creates the number `digits × 10^-decimals`.
  public init(digits: Int128, decimals: Int) {
    self.digits = digits
    self.decimals = decimals
  }

  /// Reads plain or exponent notation, with an optional sign.
  ///
  /// - Returns: `nil` if the text is not a number or needs more than 38 digits.
  public init?(_ text: some StringProtocol) {
    var value = text.utf8.withContiguousStorageIfAvailable {
      ExactDecimal(bytes: UnsafeRawBufferPointer($0))
    }
    if value == nil { value = Array(text.utf8).withUnsafeBytes { ExactDecimal(bytes: $0) } }
    guard let value, let value else { return nil }
    self = value
  }

  /// Reads a number from ASCII bytes, as JSON writes it.
  ///
  /// - Returns: `nil` if the bytes are not a number or need more than 38 digits.
  public init?(bytes: UnsafeRawBufferPointer) {
    var index = 0
    var negative = false
    if index < bytes.count, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
      negative = bytes[index] == UInt8(ascii: "-")
      index += 1
    }
    var digits: Int128 = 0
    var decimals = 0
    var seenDigit = false
    var seenPoint = false
    var exponent = 0
    while index < bytes.count {
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        let (shifted, overflow) = digits.multipliedReportingOverflow(by: 10)
        let (sum, overflow2) = shifted.addingReportingOverflow(Int128(byte &- 48))
        if overflow || overflow2 { return nil }
        digits = sum
        if seenPoint { decimals += 1 }
        seenDigit = true
      case UInt8(ascii: ".") where !seenPoint: seenPoint = true
      case UInt8(ascii: "e") where seenDigit, UInt8(ascii: "E") where seenDigit:
        var exponentNegative = false
        index += 1
        if index < bytes.count,
          bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+")
        {
          exponentNegative = bytes[index] == UInt8(ascii: "-")
          index += 1
        }
        guard index < bytes.count else { return nil }
        while index < bytes.count {
          guard case UInt8(ascii: "0")...UInt8(ascii: "9") = bytes[index], exponent < 1000 else {
            return nil
          }
          exponent = exponent * 10 + Int(bytes[index] &- 48)
          index += 1
        }
        if exponentNegative { exponent = -exponent }
        continue
      default: return nil
      }
      index += 1
    }
    guard seenDigit else { return nil }
    decimals -= exponent
    while decimals < 0 {
      let (shifted, overflow) = digits.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      digits = shifted
      decimals += 1
    }
    self.init(digits: negative ? -digits : digits, decimals: decimals)
  }

  /// The number times `10^places` as a whole number, or `nil` if that would lose a digit or overflow.
  public func scaled(by places: Int) -> Int128? {
    if digits == 0 { return 0 }
    if places >= decimals {
      guard places - decimals <= 38 else { return nil }
      let (value, overflow) = digits.multipliedReportingOverflow(by: Self.power(places - decimals))
      return overflow ? nil : value
    }
    guard decimals - places <= 38 else { return nil }
    let (quotient, remainder) = digits.quotientAndRemainder(
      dividingBy: Self.power(decimals - places))
    return remainder == 0 ? quotient : nil
  }

  /// The number times `10^places`, rounded half to even, or `nil` on overflow.
  public func scaledRounding(by places: Int) -> Int128? {
    if let exact = scaled(by: places) { return exact }
    guard decimals > places else { return nil }
    guard decimals - places <= 38 else { return 0 }
    return divideHalfEven(digits, by: Self.power(decimals - places))
  }

  /// The product of two numbers, or `nil` on overflow.
  public func times(_ other: ExactDecimal) -> ExactDecimal? {
    let (value, overflow) = digits.multipliedReportingOverflow(by: other.digits)
    return overflow ? nil : ExactDecimal(digits: value, decimals: decimals + other.decimals)
  }

  /// 10 to the power of `exponent` (0 to 38).
  public static func power(_ exponent: Int) -> Int128 {
    var value: Int128 = 1
    for _ in 0..<exponent { value *= 10 }
    return value
  }

  /// Plain notation without trailing zeros.
  public var text: String {
    var trimmed = self
    while trimmed.decimals > 0, trimmed.digits % 10 == 0 {
      trimmed.digits /= 10
      trimmed.decimals -= 1
    }
    return trimmed.paddedText
  }

  /// Plain notation with all `decimals`.
  public var paddedText: String {
    var number = String(digits.magnitude)
    if decimals > 0 {
      if number.utf8.count <= decimals {
        number = String(repeating: "0", count: decimals - number.utf8.count + 1) + number
      }
      number.insert(".", at: number.index(number.endIndex, offsetBy: -decimals))
    }
    return digits < 0 ? "-" + number : number
  }
}

/// `value ÷ divisor` rounded half to even. `divisor` must be positive.
@inlinable func divideHalfEven(_ value: Int128, by divisor: Int128) -> Int128 {
  let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
  let twice = remainder.magnitude * 2
  if twice < divisor.magnitude || (twice == divisor.magnitude && quotient % 2 == 0) {
    return quotient
  }
  return value < 0 ? quotient - 1 : quotient + 1
}
