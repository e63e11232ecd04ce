import MimoEngine
import Testing

@Suite struct PriceRatesTests {
  @Test func `each class of tokens has its own rate, and reasoning is not billed twice`() {
    let rates = Rates(
      input: 100_000, output: 10_000_000, cacheRead: 1, cacheWrite5m: 100, cacheWrite1h: 1000)
    let tokens = TokenCounts(
      input: 1, cacheRead: 2, cacheWrite5m: 3, cacheWrite1h: 4, output: 5, reasoning: 5)
    #expect(rates.cost(of: tokens) == 50_104_302)
    #expect(rates.costWithoutCache(of: tokens) == 51_000_000)
  }

  @Test func `a missing rate is the next more general one`() {
    let bare = Rates(input: 7, output: 1)
    #expect((bare.cacheRead, bare.cacheWrite5m, bare.cacheWrite1h) == (7, 7, 7))
    let general = Rates(input: 7, output: 1, cacheWrite: 8, cacheWrite1h: 9)
    #expect((general.cacheWrite5m, general.cacheWrite1h) == (8, 9))
    #expect(Rates(input: 7, output: 1, cacheWrite: 0).cacheWrite5m == 0)
  }

  @Test func `the largest counts at the largest rate do not overflow`() {
    let rates = Rates(input: .max, output: 0)
    #expect(rates.cost(of: TokenCounts(input: .max)) == Int128(Int64.max) * Int128(Int64.max))
  }

  @Test func `a cost is the sum of the costs of its parts`() {
    var dice = Dice(seed: 3)
    func throwTokens() -> TokenCounts {
      TokenCounts(
        input: .random(in: 0...1 << 40, using: &dice),
        cacheRead: .random(in: 0...1 << 40, using: &dice),
        cacheWrite5m: .random(in: 0...1 << 40, using: &dice),
        cacheWrite1h: .random(in: 0...1 << 40, using: &dice),
        output: .random(in: 0...1 << 40, using: &dice))
    }
    for _ in 0..<1000 {
      let rates = Rates(
        input: .random(in: 0...1 << 60, using: &dice),
        output: .random(in: 0...1 << 60, using: &dice),
        cacheRead: .random(in: 0...1 << 60, using: &dice),
        cacheWrite5m: .random(in: 0...1 << 60, using: &dice),
        cacheWrite1h: .random(in: 0...1 << 60, using: &dice))
      let (a, b) = (throwTokens(), throwTokens())
      #expect(rates.cost(of: a) + rates.cost(of: b) == rates.cost(of: a + b))
    }
  }

  @Test func `a factor is applied exactly or not at all`() {
    let rates = Rates(input: 25, output: 5, cacheRead: 10, cacheWrite: 0, perWebSearch: 3)
    let scaled = rates.scaled(by: ExactDecimal("0.8")!)
    #expect(scaled == Rates(input: 20, output: 4, cacheRead: 8, cacheWrite: 0, perWebSearch: 3))
    #expect(rates.scaled(by: ExactDecimal("0.3")!) == nil)
    #expect(Rates(input: .max, output: 0).scaled(by: ExactDecimal("2")!) == nil)
    #expect(rates.scaled(by: ExactDecimal("1")!) == rates)
  }

  @Test func `a price is held exactly or refused`() {
    #expect(Rates.femto(ExactDecimal("0.0028")!, perPowerOfTen: 6) == 2_800_000)
    #expect(Rates.femto(ExactDecimal("0.000000001")!, perPowerOfTen: 6) == 1)
    #expect(Rates.femto(ExactDecimal("0.0000000001")!, perPowerOfTen: 6) == nil)
    #expect(Rates.femto(ExactDecimal("2.5")!, perPowerOfTen: 0) == 2_500_000_000_000_000)
    #expect(Rates.femto(ExactDecimal("9223")!, perPowerOfTen: 0) != nil)
    #expect(Rates.femto(ExactDecimal("9224")!, perPowerOfTen: 0) == nil)
  }
}
