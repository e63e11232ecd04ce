import MimoEngine

/// Numbers as people read them, in a few columns. Made from integers; what is unknown is shown as `?`.
public enum NumberFormat {
  /// What stands for a number that is not known.
  public static let unknown = "?"

  /// A count in at most six columns: `0`, `9999`, `12.2k`, `3.41M`, `1.20G`.
  public static func count(_ value: Int64) -> String {
    if value < 0 { return "-" + count(-max(value, -.max)) }
    if value < 10_000 { return String(value) }
    var unit: Int64 = 1000
    for suffix in ["k", "M", "G", "T", "P"] {
      // 999.5k would round to 1000k: it belongs to the next unit.
      if value < unit * 1000 - unit / 2 || suffix == "P" {
        let whole = Int128(value)
        let decimals = value < unit * 10 - unit / 200 ? 2 : value < unit * 100 - unit / 20 ? 1 : 0
        let digits = roundedQuotient(whole * power(decimals), Int128(unit))
        return ExactDecimal(digits: digits, decimals: decimals).paddedText + suffix
      }
      unit *= 1000
    }
    return String(value)
  }

  /// A size or a speed in bytes: `512 B`, `12.2 kB`, `1.20 GB`; a kilobyte is 1000 of them.
  public static func bytes(_ value: Int64) -> String {
    let text = count(value)
    guard let unit = text.last, unit.isLetter else { return text + " B" }
    return "\(text.dropLast()) \(unit)B"
  }

  /// A count with its noun: `1 request`, `12.2k requests`.
  public static func counted(_ value: Int64, _ noun: String) -> String {
    "\(count(value)) \(noun)\(value == 1 ? "" : "s")"
  }

  /// A count with all its digits in groups: `12,160`.
  public static func full(_ value: Int64) -> String {
    var digits = String(value.magnitude)
    var index = digits.utf8.count - 3
    while index > 0 {
      digits.insert(",", at: digits.index(digits.startIndex, offsetBy: index))
      index -= 3
    }
    return value < 0 ? "-" + digits : digits
  }

  /// An amount of money in at most eleven columns, with at least three digits that can be read.
  ///
  /// `$1,234.50`, `$0.00640`, `¥44.25`; from 100,000 up without cents, from ten millions up as `$12.3M`;
  /// `$0` for exactly nothing, `<$0.000001` for less than a millionth.
  public static func money(_ amount: Amount?, _ currency: Currency) -> String {
    guard let amount else { return unknown }
    if amount == .zero { return currency.sign + "0" }
    let negative = amount < .zero
    let size = negative ? .zero - amount : amount
    let sign = (negative ? "-" : "") + currency.sign
    if size.atto < Amount.scale / 1_000_000 { return (negative ? ">" : "<") + sign + "0.000001" }
    if size.atto >= 9_999_999 * Amount.scale {
      return sign + count(Int64(clamping: size.atto / Amount.scale))
    }
    var decimals = size.atto < 99_999 * Amount.scale ? 2 : 0
    var limit = Amount.scale
    while size.atto < limit {
      limit /= 10
      decimals += 1
    }
    let parts = size.text(decimals: decimals).split(separator: ".")
    return sign + full(Int64(parts[0])!) + (parts.count > 1 ? "." + parts[1] : "")
  }

  /// Credits, as a count.
  public static func credits(_ amount: Amount?) -> String {
    guard let amount else { return unknown }
    return count(Int64(clamping: roundedQuotient(amount.atto, Amount.scale)))
  }

  /// An amount in a tariff's unit.
  public static func amount(_ amount: Amount?, _ unit: PricingUnit) -> String {
    switch unit {
    case .money(let currency): money(amount, currency)
    case .credits: credits(amount) + (amount == nil ? "" : " cr")
    }
  }

  /// A share in percent with one decimal: `93.8%`; 100 and 0 are only shown for exactly all and nothing.
  public static func percent(_ ratio: Ratio?) -> String {
    guard let ratio else { return unknown }
    if ratio.numerator == 0 { return "0%" }
    if ratio.numerator == ratio.denominator { return "100%" }
    if ratio >= Ratio(10, 1)! { return "\(ratio.scaled(decimals: 2))%" }
    var tenths = Int64(clamping: ratio.scaled(decimals: 3))
    if ratio.numerator < ratio.denominator { tenths = min(max(tenths, 1), 999) }
    return "\(tenths / 10).\(tenths % 10)%"
  }

  /// A change in percent with its sign: `-87.5%`, `+100%`, `0%`.
  public static func signedPercent(_ ratio: Ratio?) -> String {
    guard let ratio, let size = Ratio(abs(ratio.numerator), ratio.denominator) else {
      return unknown
    }
    return (ratio.numerator < 0 ? "-" : ratio.numerator > 0 ? "+" : "") + percent(size)
  }

  /// A difference in a tariff's unit, with its sign: `+$1.20`, `-$3.00`, `$0`.
  public static func signedAmount(_ amount: Amount, _ unit: PricingUnit) -> String {
    (amount > .zero ? "+" : "") + self.amount(amount, unit)
  }

  /// A limit in percent, without a decimal if it has none: `20%`.
  public static func limit(_ ratio: Ratio) -> String {
    let text = percent(ratio)
    return text.hasSuffix(".0%") ? text.dropLast(3) + "%" : text
  }

  /// A rate given in hundredths: `3.25`, `120`.
  public static func hundredths(_ value: Int64) -> String {
    value >= 10_000
      ? full(value / 100) : ExactDecimal(digits: Int128(value), decimals: 2).paddedText
  }

  /// A time span in its two largest units: `45s`, `12m 05s`, `3h 20m`, `6d 4h`.
  public static func span(seconds: Int64) -> String {
    let seconds = max(0, seconds)
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    if seconds < 60 { return "\(seconds)s" }
    if seconds < 3600 { return "\(seconds / 60)m \(two(seconds % 60))s" }
    if seconds < 86_400 { return "\(seconds / 3600)h \(two(seconds / 60 % 60))m" }
    return "\(seconds / 86_400)d \(seconds / 3600 % 24)h"
  }

  /// The hours of a window: `09:00-12:00 UTC+08:00 Mon Tue Wed Thu Fri`.
  public static func hours(_ window: ClockWindow) -> String {
    func clock(_ minutes: Int32) -> String {
      let text = { (value: Int32) in value < 10 ? "0\(value)" : "\(value)" }
      return "\(text(minutes / 60)):\(text(minutes % 60))"
    }
    let days = weekdays.indices.filter { window.weekdays & (1 << $0) != 0 }.map { weekdays[$0] }
    let zone = "UTC\(window.utcOffset < 0 ? "-" : "+")\(clock(abs(window.utcOffset)))"
    return "\(clock(window.start))-\(clock(window.end)) \(zone)"
      + (days.count == 7 ? "" : " " + days.joined(separator: " "))
  }

  /// Weekdays in three letters, from Monday on.
  public static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

  private static func power(_ exponent: Int) -> Int128 { ExactDecimal.power(exponent) }

  private static func roundedQuotient(_ a: Int128, _ b: Int128) -> Int128 {
    let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
    let twice = remainder.magnitude * 2
    if twice < b.magnitude || (twice == b.magnitude && quotient % 2 == 0) { return quotient }
    return a < 0 ? quotient - 1 : quotient + 1
  }
}
