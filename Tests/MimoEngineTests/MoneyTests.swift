import MimoEngine
import Testing

@Suite struct MoneyTests {
  @Test(arguments: [
    ("0", "0"), ("0.0", "0"), ("-0", "0"), ("+3", "3"), ("3.", "3"), (".5", "0.5"),
    ("0.025", "0.025"), ("007.10", "7.1"), ("8e-05", "0.00008"), ("1E3", "1000"), ("-1.50", "-1.5"),
    ("-0.000000000000000001", "-0.000000000000000001"),
    ("170141183460469231731.687303715884105727", "170141183460469231731.687303715884105727"),
    ("1.0000000000000000000000", "1"),
  ]) func `a number is read and written without loss`(_ text: String, _ written: String) throws {
    #expect(try #require(Amount(decimal: text)).exactText == written)
  }

  @Test(arguments: [
    "", " ", "-", ".", "1,0", "1.0.0", "1 ", " 1", "0x10", "1e", "1e+", "e5", "NaN", "inf", "--1",
    "0.0000000000000000001", "1701411834604692317317", "1e40", "1e99999", "9e-9999", "１",
  ]) func `what is no number, or too long for one, is none`(_ text: String) {
    #expect(Amount(decimal: text) == nil)
  }

  @Test func `writing and reading again gives the same amount`() {
    var dice = Dice(seed: 1)
    for _ in 0..<2000 {
      let bits = Int.random(in: 1...126, using: &dice)
      let magnitude = Int128(UInt128.random(in: 0..<(UInt128(1) << UInt128(bits)), using: &dice))
      for amount in [Amount(atto: magnitude), Amount(atto: -magnitude)] {
        #expect(Amount(decimal: amount.exactText) == amount)
        #expect(Amount(decimal: amount.text(decimals: 18)) == amount)
      }
    }
  }

  @Test(arguments: [
    ("0.005", 2, "0.00"), ("0.015", 2, "0.02"), ("0.025", 2, "0.02"), ("0.0250001", 2, "0.03"),
    ("-0.025", 2, "-0.02"), ("-0.035", 2, "-0.04"), ("2.5", 0, "2"), ("3.5", 0, "4"),
    ("0.999", 2, "1.00"), ("-0.004", 2, "0.00"), ("1234.5678", 3, "1234.568"),
    ("0.0000000000000000005", 18, "0.000000000000000000"),
  ]) func `rounding goes to the nearest, and from the middle to the even`(
    _ text: String, _ decimals: Int, _ rounded: String
  ) throws {
    let value = try #require(ExactDecimal(text)?.scaledRounding(by: 18))
    #expect(Amount(atto: value).text(decimals: decimals) == rounded)
  }

  @Test func `rounding is never off by more than half a unit`() {
    var dice = Dice(seed: 2)
    for _ in 0..<1000 {
      let amount = Amount(atto: Int128(Int64.random(in: .min ... .max, using: &dice)) * 97)
      for decimals in 0...18 {
        let rounded = Amount(decimal: amount.text(decimals: decimals))!
        let off = (rounded - amount).atto.magnitude * 2
        #expect(off <= ExactDecimal.power(18 - decimals).magnitude)
      }
    }
  }

  @Test func `adding and scaling obey the laws of arithmetic`() {
    let a = Amount(decimal: "0.1")!
    let b = Amount(decimal: "0.2")!
    #expect(a + b == Amount(decimal: "0.3"))
    #expect(a + b - b == a)
    #expect(a * 3 == a + a + a)
    #expect(a < b)
    #expect(a.scaled(by: 1, over: 3) * 3 == Amount(decimal: "0.099999999999999999"))
    #expect(Amount(femto: 1) * 1000 == Amount(atto: 1_000_000))
    #expect([a, b, .zero].reduce(.zero, +).exactText == "0.3")
  }
}

/// Always the same throws, so that a failure can be repeated.
struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
