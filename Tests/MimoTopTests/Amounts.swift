import Foundation
import Testing

/// Exact money of a call: tokens times units per million tokens, worked out apart from the program.
func cost(_ parts: (tokens: Int, perMillion: String)...) -> Decimal {
  parts.reduce(Decimal(0)) { sum, part in
    sum + Decimal(part.tokens) * Decimal(string: part.perMillion)! / 1_000_000
  }
}

/// Numbers as the screen shows them, made in another way than the program's own.
enum Shown {
  /// `$0.000807`: two decimals from one unit up, below that as many as three digits need, at most nine.
  static func money(_ text: String?, _ sign: String = "$") -> String {
    guard let text else { return "?" }
    return money(Decimal(string: text)!, sign)
  }

  static func money(_ amount: Decimal, _ sign: String = "$") -> String {
    if amount == 0 { return sign + "0" }
    let size = amount.magnitude
    var decimals = 2
    while decimals < 9, size * power(decimals - 2) < 1 { decimals += 1 }
    return (amount < 0 ? "-" : "") + sign + grouped(fixed(size, decimals))
  }

  /// `12.2k`: three digits and a unit from ten thousand up.
  static func count(_ value: Decimal) -> String {
    if value < 10_000 { return fixed(value, 0) }
    var unit = Decimal(1000)
    for suffix in ["k", "M", "G", "T"] {
      for decimals in [2, 1, 0] {
        let text = fixed(value / unit, decimals)
        let digits = text.filter(\.isNumber).count
        if digits == 3 { return text + suffix }
      }
      unit *= 1000
    }
    return "too much for this test"
  }

  /// Credits as JSON has them: a whole number or decimal text.
  static func credits(_ value: Any?) -> String {
    switch value {
    case let number as NSNumber: count(rounded(number.decimalValue, 0)) + " cr"
    case let text as String: count(rounded(Decimal(string: text)!, 0)) + " cr"
    default: "?"
    }
  }

  private static func power(_ exponent: Int) -> Decimal { pow(Decimal(10), exponent) }

  private static func rounded(_ value: Decimal, _ decimals: Int) -> Decimal {
    var (value, result) = (value, Decimal())
    NSDecimalRound(&result, &value, decimals, .bankers)
    return result
  }

  private static func fixed(_ value: Decimal, _ decimals: Int) -> String {
    var text = "\(rounded(value, decimals))"
    if decimals > 0 {
      if !text.contains(".") { text += "." }
      let missing = decimals - text.split(separator: ".", omittingEmptySubsequences: false)[1].count
      text += String(repeating: "0", count: missing)
    }
    return text
  }

  private static func grouped(_ text: String) -> String {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    var whole = String(parts[0])
    var index = whole.count - 3
    while index > 0 {
      whole.insert(",", at: whole.index(whole.startIndex, offsetBy: index))
      index -= 3
    }
    return whole + (parts.count > 1 ? "." + parts[1] : "")
  }
}

/// A JSON report, for looking into.
struct JSONReport {
  let document: [String: Any]

  init(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    document = try #require(
      JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)",
      sourceLocation: sourceLocation)
  }

  var plan: [String: Any] { document["plan"] as? [String: Any] ?? [:] }
  var totals: [String: Any] { document["totals"] as? [String: Any] ?? [:] }
  var rows: [[String: Any]] { document["rows"] as? [[String: Any]] ?? [] }
  var ingest: [String: Int] { document["ingest"] as? [String: Int] ?? [:] }
  var keys: [String?] { rows.map { $0["key"] as? String } }

  func row(_ key: String) -> [String: Any] { rows.first { $0["key"] as? String == key } ?? [:] }
}

extension [String: Any] {
  func text(_ key: String) -> String? { self[key] as? String }
  func number(_ key: String) -> Int? { self[key] as? Int }
  func object(_ key: String) -> [String: Any] { self[key] as? [String: Any] ?? [:] }
}
