import MimoEngine
import Testing

/// Three figures about caches that are often taken for one another.
@Suite struct CacheFiguresTests {
  private func totals(_ lines: [Line]) -> Measures {
    Report(of: snapshot(lines), tariff: Toy.tariff, by: .total, clock: .utc).totals
  }

  @Test func `tokens, calls and a proxy's answers are kept apart`() {
    let totals = totals([
      Line(message: "a", tokens: TokenCounts(input: 90, cacheRead: 10)),
      Line(message: "b", tokens: TokenCounts(input: 0, cacheRead: 200)),
      Line(message: "c", tokens: TokenCounts(input: 100)),
      Line(message: "d", tokens: TokenCounts(input: 500), tellsCache: false),
      Line(message: "e", tokens: TokenCounts(input: 70), isAnsweredByProxy: true),
    ])
    #expect(totals.hitRate == Ratio(210, 400))
    #expect(totals.readingRate == Ratio(2, 3))
    #expect(totals.answerCacheHits == 1)
  }

  @Test func `a sum of several calls does not tell how many read`() {
    var sum = Line(message: "a", tokens: TokenCounts(input: 90, cacheRead: 10))
    sum.calls = 7
    #expect(totals([sum]).readingRate == nil)
    #expect(
      totals([sum, Line(message: "b", tokens: TokenCounts(input: 1))]).readingRate == Ratio(0, 1))
  }

  @Test func `a call that reads only in a later line is one that reads`() {
    let lines = [
      Line(message: "a", tokens: TokenCounts(input: 9)),
      Line(message: "a", tokens: TokenCounts(input: 9, cacheRead: 5)),
    ]
    for lines in [lines, lines.reversed()] {
      #expect(totals(lines).readingRate == Ratio(1, 1))
    }
  }
}
