import MimoEngine
import Testing

struct HitRateLineTests {
  /// 1,000,000 prompt tokens and 100,000 of output at 3 (fresh), 0.3 (read) and 15 per million.
  private func line(input: Int64 = 3, read: String = "0.3", output: Int64 = 15) -> HitRateLine {
    let rates = Rates(
      input: input * 1_000_000_000, output: output * 1_000_000_000,
      cacheRead: Rates.femto(ExactDecimal(read)!, perPowerOfTen: 6)!)
    let tokens = TokenCounts(input: 400_000, cacheRead: 600_000, output: 100_000)
    var sums = Measures()
    sums.requests = 10
    sums.pricedRequests = 10
    sums.tokens = tokens
    sums.costFemto = rates.cost(of: tokens)
    sums.costWithoutCacheFemto = rates.costWithoutCache(of: tokens)
    sums.costFullyCachedFemto = rates.costFullyCached(of: tokens)
    sums.costOfOutputFemto = Int128(tokens.output) * Int128(rates.output)
    return HitRateLine(sums)!
  }

  @Test func `the ends are all fresh and all read`() {
    #expect(line().cost(at: Ratio(0, 1)!).exactText == "4.5")
    #expect(line().cost(at: Ratio(1, 1)!).exactText == "1.8")
  }

  @Test func `at the rate that was, it is the cost that was`() {
    #expect(line().cost(at: Ratio(600_000, 1_000_000)!).exactText == "2.88")
  }

  @Test func `a price per million leaves the output out`() {
    #expect(line().pricePerMillion(at: Ratio(50, 100)!)?.exactText == "1.65")
  }

  @Test func `a point is a hundredth of the way`() {
    #expect(line().worthOfOnePoint.exactText == "0.027")
  }

  @Test func `lines cross where both cost the same`() throws {
    let cheapReads = line(input: 4, read: "0.1")
    let crossing = try #require(line().crossing(cheapReads))
    // 3 - 2.7h = 4 - 3.9h
    #expect(crossing == Ratio(10, 12)!)
    #expect(cheapReads.crossing(line()) == crossing)
    #expect(line().cost(at: crossing) == cheapReads.cost(at: crossing))
  }

  @Test func `lines that keep their distance have no crossing`() {
    #expect(line().crossing(line(input: 4, read: "1.3")) == nil)
    #expect(line().crossing(line(input: 30, read: "3")) == nil)
  }

  @Test func `a fee is crossed where usage costs as much`() {
    let fee = HitRateLine(fee: Amount(decimal: "2.88")!, promptTokens: 1_000_000)
    #expect(line().crossing(fee) == Ratio(60, 100)!)
  }

  @Test func `usage without a price has no line`() {
    var sums = Measures()
    sums.requests = 2
    sums.unpricedRequests = 1
    #expect(HitRateLine(sums) == nil)
    #expect(HitRateLine(Measures()) == nil)
  }
}
