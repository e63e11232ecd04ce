import MimoEngine
import MimoTestSupport
import Testing

@testable import MimoDashboard

@Suite struct NumberFormatTests {
  @Test(
    arguments: [
      (0, "0"), (7, "7"), (9999, "9999"), (10_000, "10.0k"), (12_160, "12.2k"), (99_949, "99.9k"),
      (99_950, "100k"), (999_499, "999k"), (999_500, "1.00M"), (999_950, "1.00M"),
      (3_414_000, "3.41M"), (9_994_999, "9.99M"), (9_995_000, "10.0M"), (999_500_000, "1.00G"),
      (1_000_000_000_000, "1.00T"), (999_499_999_999_999, "999T"), (1_000_000_000_000_000, "1.00P"),
      (.max, "9223P"), (-12_160, "-12.2k"), (.min, "-9223P"),
    ] as [(Int64, String)])
  func `a count`(value: Int64, text: String) {
    #expect(NumberFormat.count(value) == text)
  }

  @Test func `no count up to 10^15 is wider than six columns, or 1000 of a unit`() {
    var generator = SplitMix(state: 1)
    var values: [Int64] = []
    var power: Int64 = 1
    while power <= 1_000_000_000_000_000 {
      for digits in [1000, 4995, 9500, 9949, 9950, 9994, 9995, 9999] as [Int64] {
        for offset in -2...2 as ClosedRange<Int64> { values.append(power / 1000 * digits + offset) }
      }
      for _ in 0..<200 { values.append(Int64.random(in: 0...power, using: &generator)) }
      power *= 10
    }
    for value in values where 0...1_000_000_000_000_000 ~= value {
      let text = NumberFormat.count(value)
      #expect(text.count <= 6, "\(value): \(text)")
      #expect(!text.hasPrefix("1000") || value < 10_000, "\(value): \(text)")
    }
  }

  @Test func `counts grow with what they count`() {
    var generator = SplitMix(state: 2)
    func size(_ text: String) -> Double {
      let unit = text.last.flatMap { "kMGTP".firstIndex(of: $0) }
      let exponent = unit.map { "kMGTP".distance(from: "kMGTP".startIndex, to: $0) + 1 } ?? 0
      return Double(text.filter { $0.isNumber || $0 == "." })!
        * (0..<exponent).reduce(1) { value, _ in value * 1000 }
    }
    for _ in 0..<3000 {
      let bits = UInt64.random(in: 1...50, using: &generator)
      let value = Int64.random(in: 0...(1 << bits), using: &generator)
      let shown = size(NumberFormat.count(value))
      #expect(abs(shown - Double(value)) <= Double(value) * 0.005 + 0.5, "\(value)")
    }
  }

  @Test(
    arguments: [
      (0, "0"), (999, "999"), (1000, "1,000"), (12_160, "12,160"), (1_234_567, "1,234,567"),
      (-1000, "-1,000"), (-999, "-999"), (.max, "9,223,372,036,854,775,807"),
      (.min, "-9,223,372,036,854,775,808"),
    ] as [(Int64, String)])
  func `a count with all its digits`(value: Int64, text: String) {
    #expect(NumberFormat.full(value) == text)
  }

  @Test func `one of a thing has no plural`() {
    #expect(NumberFormat.counted(0, "call") == "0 calls")
    #expect(NumberFormat.counted(1, "call") == "1 call")
    #expect(NumberFormat.counted(12_160, "call") == "12.2k calls")
  }

  @Test(arguments: [
    ("0", "$0"), ("1234.5", "$1,234.50"), ("12.345", "$12.34"), ("1", "$1.00"), ("0.9", "$0.900"),
    ("0.0064", "$0.00640"), ("0.00035512", "$0.000355"), ("0.000001", "$0.00000100"),
    ("0.00000099", "<$0.000001"), ("0.000000000000000001", "<$0.000001"),
    ("-0.000000000000000001", ">-$0.000001"), ("-0.25", "-$0.250"), ("-3", "-$3.00"),
    ("99998.99", "$99,998.99"), ("99999", "$99,999"), ("1234567.8", "$1,234,568"),
    ("9999998.4", "$9,999,998"), ("9999999", "$10.0M"), ("123456789", "$123M"),
    ("-123456789", "-$123M"), ("170141183460469231731", "$9223P"),
  ])
  func `money`(amount: String, text: String) throws {
    let amount: Amount = try #require(Amount(decimal: amount))
    #expect(NumberFormat.money(amount, .usd) == text)
  }

  @Test func `money keeps three digits, its size and its column`() {
    var generator = SplitMix(state: 3)
    for _ in 0..<3000 {
      let bits = Int.random(in: 40...110, using: &generator)
      let atto = Int128.random(in: 1...(Int128(1) << bits), using: &generator)
      let text = NumberFormat.money(Amount(atto: atto), .usd)
      #expect(text.count <= 11, "\(text)")
      guard !text.hasPrefix("<"), text.last!.isNumber else { continue }
      let digits = text.filter(\.isNumber).drop { $0 == "0" }
      #expect(digits.count >= 3, "\(text)")
      let shown = ExactDecimal(text.filter { $0.isNumber || $0 == "." })!.scaled(by: 18)!
      #expect((shown - atto).magnitude * 180 <= atto.magnitude, "\(text) for \(atto)")
    }
  }

  @Test func `what is not known is a question mark`() {
    #expect(NumberFormat.money(nil, .cny) == "?")
    #expect(NumberFormat.credits(nil) == "?")
    #expect(NumberFormat.amount(nil, .credits) == "?")
    #expect(NumberFormat.percent(nil) == "?")
  }

  @Test func `an amount names its unit`() {
    #expect(NumberFormat.amount(Amount(whole: 12), .money(.cny)) == "¥12.00")
    #expect(NumberFormat.amount(Amount(whole: 12_345), .credits) == "12.3k cr")
  }

  @Test(
    arguments: [
      (0, 5, "0%"), (5, 5, "100%"), (1, 2, "50.0%"), (938, 1000, "93.8%"), (1, 1_000_000, "0.1%"),
      (999_999, 1_000_000, "99.9%"), (3, 2, "150.0%"), (0, .max, "0%"), (1, .max, "0.1%"),
      (.max - 1, .max, "99.9%"),
    ] as [(Int64, Int64, String)])
  func `a share`(part: Int64, whole: Int64, text: String) {
    #expect(NumberFormat.percent(Ratio(part, whole)) == text)
  }

  @Test func `all and nothing are only said of exactly all and nothing`() {
    for whole in [1, 3, 10, 999, 1000, 1001, 100_000] as [Int64] {
      for part in [0, 1, whole / 2, whole - 1, whole] where part >= 0 {
        let text = NumberFormat.percent(Ratio(part, whole))
        #expect((text == "0%") == (part == 0), "\(part) of \(whole)")
        #expect((text == "100%") == (part == whole), "\(part) of \(whole)")
      }
    }
  }

  @Test func `a limit has no needless decimal`() {
    #expect(NumberFormat.limit(Ratio(20, 100)!) == "20%")
    #expect(NumberFormat.limit(Ratio(125, 1000)!) == "12.5%")
  }

  @Test(
    arguments: [
      (-5, "0s"), (0, "0s"), (45, "45s"), (60, "1m 00s"), (725, "12m 05s"), (3599, "59m 59s"),
      (3600, "1h 00m"), (12_000, "3h 20m"), (86_399, "23h 59m"), (86_400, "1d 0h"),
      (532_800, "6d 4h"),
    ] as [(Int64, String)])
  func `a span of time`(seconds: Int64, text: String) {
    #expect(NumberFormat.span(seconds: seconds) == text)
  }

  @Test func `a rate`() {
    #expect(NumberFormat.hundredths(0) == "0.00")
    #expect(NumberFormat.hundredths(325) == "3.25")
    #expect(NumberFormat.hundredths(9999) == "99.99")
    #expect(NumberFormat.hundredths(1_234_567) == "12,345")
  }
}
