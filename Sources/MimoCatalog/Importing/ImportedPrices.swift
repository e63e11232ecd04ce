import MimoEngine

/// One class of tokens a price can be for; raw values are the fields of our price files.
enum RateField: String, CaseIterable {
  case input, output
  case cacheRead = "cache_read"
  case cacheWrite = "cache_write"
  case cacheWrite5m = "cache_write_5m"
  case cacheWrite1h = "cache_write_1h"
}

/// Prices per million tokens; one that is missing is not stated.
typealias ImportedRates = [RateField: ExactDecimal]

/// A seller in somebody else's price book.
struct ImportedProvider {
  /// Its id there, in lower case; becomes our id where our book knows it by another name.
  var id: String
  var name: String?
  var hosts: [String] = []
  /// Pages its prices were taken from.
  var addresses: [String] = []
  var models: [ImportedModel] = []
}

/// A model with what of its prices our format can say.
struct ImportedModel {
  /// The name in the other book; its last part is what a log says.
  var key: String
  var name: String?
  var aliases: [String] = []
  var addresses: [String] = []
  /// Ascending in time, without gaps.
  var rows: [ImportedRow]
  /// Whether our own list has it too, and keeps what it says of the time before.
  var extendsOurs = false

  /// The name without the sellers before it.
  var id: String { Self.id(of: key) }

  /// The part of a name behind the last slash: what comes before it names sellers, regions, vendors.
  static func id(of key: String) -> String {
    key.split(separator: "/").last.map(String.init) ?? key
  }

  /// How many parts the name has before its last; the plainest of several names is the general one.
  var depth: Int { key.split(separator: "/").count }
}

/// A price in one stretch of time.
struct ImportedRow: Hashable {
  var from: Minute?
  var to: Minute?
  var rates: ImportedRates
  var tiers: [Tier] = []
  var hours: [Hours] = []
  var factors: [String: ExactDecimal] = [:]
  var webSearchPer1000: ExactDecimal?

  /// Rates for prompts above a size.
  struct Tier: Hashable {
    var above: Int64
    var rates: ImportedRates
  }

  /// Hours of the day, by a clock that shows UTC, with rates of their own.
  struct Hours: Hashable {
    var label: String
    var windows: [Window]
    var rates: ImportedRates
  }

  /// Minutes of the day on some weekdays; over midnight where the end is not after the start.
  struct Window: Hashable {
    /// Bit 0 is Monday.
    var weekdays: UInt8 = 0b111_1111
    /// 0 to 1439.
    var start: Int32
    /// 1 to 1440.
    var end: Int32
  }
}

/// Why a model cannot be taken over at all.
struct Unexpressed: Error {
  var reason: String
  init(_ reason: String) { self.reason = reason }
}

extension ImportedRow {
  /// Throws if one of the rates does not fit our format, or says more than it can.
  func check() throws(Unexpressed) {
    for rates in [rates] + tiers.map(\.rates) + hours.map(\.rates) {
      guard rates[.input] != nil, rates[.output] != nil else {
        throw Unexpressed("no price per token")
      }
      for price in rates.values {
        guard price.digits >= 0 else { throw Unexpressed("a negative price") }
        guard Rates.femto(price, perPowerOfTen: 6) != nil else {
          throw Unexpressed("a price with more than 9 decimals per million tokens")
        }
      }
    }
    if !tiers.isEmpty, !hours.isEmpty {
      throw Unexpressed("prices by prompt size and by hour at once")
    }
    let week = hours.flatMap(\.windows).flatMap(\.minutesOfWeek)
    guard Set(week).count == week.count else { throw Unexpressed("hours that overlap") }
  }

  /// The factor that leads from every standard rate to the rate of a service tier.
  ///
  /// - Parameter variant: rates by threshold, 0 for prompts of any size.
  /// - Returns: `nil` if there is no one factor, the tier leaves a rate unstated, or the factor does not
  ///   divide a rate exactly: our format cannot say such a tier.
  func factor(to variant: [Int64: ImportedRates]) -> ExactDecimal? {
    var factor: ExactDecimal?
    let steps = [Tier(above: 0, rates: rates)] + tiers
    for step in steps {
      for (field, standard) in step.rates {
        guard let price = variant[step.above]?[field] ?? (standard.digits == 0 ? standard : nil)
        else {
          return nil
        }
        if standard.digits == 0, price.digits == 0 { continue }
        guard let quotient = price.dividedExactly(by: standard) else { return nil }
        if let factor, factor.text != quotient.text { return nil }
        factor = quotient
        guard let femto = Rates.femto(standard, perPowerOfTen: 6),
          Rates(input: femto, output: femto).scaled(by: quotient) != nil
        else { return nil }
      }
    }
    return hours.isEmpty ? factor : nil
  }
}

extension ImportedRow.Window {
  /// Its minutes in a week that begins on Monday, and goes round.
  var minutesOfWeek: [Int] {
    let length = Int(end > start ? end - start : end - start + 1440)
    return (0..<7).filter { weekdays & (1 << $0) != 0 }.flatMap { day in
      (0..<length).map { (day * 1440 + Int(start) + $0) % (7 * 1440) }
    }
  }
}

extension ExactDecimal {
  /// The quotient, if it ends within nine decimals.
  func dividedExactly(by other: ExactDecimal) -> ExactDecimal? {
    guard other.digits > 0 else { return nil }
    let shift = 9 + other.decimals - decimals
    guard shift >= 0, shift <= 30 else { return nil }
    let (scaled, overflow) = digits.multipliedReportingOverflow(by: Self.power(shift))
    guard !overflow, scaled % other.digits == 0 else { return nil }
    return ExactDecimal(digits: scaled / other.digits, decimals: 9)
  }

  /// The number times `10^places`, as a decimal.
  func shifted(_ places: Int) -> ExactDecimal? {
    if decimals >= places { return ExactDecimal(digits: digits, decimals: decimals - places) }
    return scaled(by: places).map { ExactDecimal(digits: $0, decimals: 0) }
  }
}

extension JSONValue {
  var members: [String: JSONValue]? {
    if case .object(let members) = kind { return members }
    return nil
  }

  var elements: [JSONValue]? {
    if case .array(let elements) = kind { return elements }
    return nil
  }

  var text: String? {
    if case .string(let text) = kind { return text }
    return nil
  }

  /// A number exactly as written, in quotes or without: the text never becomes a binary fraction.
  var decimal: ExactDecimal? {
    switch kind {
    case .number(let text), .string(let text): ExactDecimal(text)
    default: nil
    }
  }

  /// A number that is whole, however it is written: `256000.0` is.
  var whole: Int64? { decimal?.scaled(by: 0).flatMap(Int64.init(exactly:)) }

  /// A member of an object that is not `null`.
  subscript(_ name: String) -> JSONValue? {
    guard let value = members?[name] else { return nil }
    if case .null = value.kind { return nil }
    return value
  }
}
