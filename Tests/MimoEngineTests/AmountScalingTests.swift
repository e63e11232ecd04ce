import MimoEngine
import Testing

struct AmountScalingTests {
  @Test func `amounts beyond all money are scaled without overflow`() {
    let credits = Amount(whole: 300_000_000_000_000)
    #expect(credits.scaled(by: 86_400_000, over: 604_800_000) == credits.scaled(by: 1, over: 7))
    #expect(credits.scaled(by: 1, over: 7).text(decimals: 3) == "42857142857142.857")
  }

  @Test func `what no amount can hold is the largest of its sign, with room to add it up`() {
    let large = Amount(whole: .max)
    let most = large.scaled(by: 86_400_000, over: 60_000)
    #expect(most == large.scaled(by: .max, over: 1))
    #expect(most > Amount(whole: 1_000_000_000_000_000_000))
    #expect((.zero - large).scaled(by: 86_400_000, over: 60_000) == .zero - most)
    #expect(large.scaled(by: -86_400_000, over: 60_000) == .zero - most)
    #expect((0..<100).reduce(Amount.zero) { sum, _ in sum + most } > most)
  }

  @Test func `scaling rounds half to even and keeps the sign`() {
    #expect(Amount(atto: 5).scaled(by: 1, over: 2).atto == 2)
    #expect(Amount(atto: 7).scaled(by: 1, over: 2).atto == 4)
    #expect(Amount(atto: -5).scaled(by: 1, over: 2).atto == -2)
    #expect(Amount(atto: -7).scaled(by: 3, over: 2).atto == -10)
  }
}
