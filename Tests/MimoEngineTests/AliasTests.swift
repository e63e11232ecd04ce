import MimoEngine
import Testing

/// Calls that different files know under different ids.
@Suite struct AliasTests {
  private func line(
    _ message: String, _ alias: String? = nil, at: Int64 = 0, output: Int64 = 10,
    session: String = "s"
  ) -> Line {
    Line(
      at: at, message: message, alias: alias, session: session,
      tokens: TokenCounts(input: 100, output: output))
  }

  @Test func `lines that share either id are one call, in any order`() {
    let lines = [line("root"), line("root", "child"), line("child", "grandchild")]
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
      let sum = snapshot(order.map { lines[$0] }).sum
      #expect(sum.requests == 1, "\(order)")
      #expect(sum.tokens == TokenCounts(input: 100, output: 10), "\(order)")
    }
  }

  @Test func `a line with another id does not outweigh better evidence of its call`() {
    var better = line("root", at: 1000, output: 5)
    (better.rank, better.request) = (.request, "req")
    let lines = [better, line("root", "child"), line("child", output: 20)]
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
      let sum = snapshot(order.map { lines[$0] }).sum
      #expect(sum.tokens == TokenCounts(input: 100, output: 5), "\(order)")
    }
  }

  @Test func `siblings share what they copied of a parent that is gone`() {
    let lines = [line("root", "a"), line("root", "b"), line("root", "a", output: 20)]
    #expect(snapshot(lines).sum.tokens == TokenCounts(input: 100, output: 20))
  }

  @Test func `calls that turn out to be one appear once in the list of the latest`() {
    let lines = [line("child", "grandchild"), line("root"), line("root", "child")]
    let snapshot = snapshot(lines)
    #expect(snapshot.recent.count == 1)
    #expect(snapshot.cells.count == 1)
  }

  @Test func `the earliest line files calls that turn out to be one`() {
    let lines = [
      line("root", at: 1000, session: "old"),
      line("child", "grandchild", at: 600_000, session: "new"),
      line("root", "child", at: 500_000, session: "middle"),
    ]
    for lines in [lines, lines.reversed(), [lines[1], lines[0], lines[2]]] {
      #expect(snapshot(lines).cells.keys.map(\.session) == ["old"])
    }
  }

  @Test(arguments: 0..<60)
  func `any order of records with aliases gives the same cube`(_ seed: UInt64) {
    var dice = Dice(seed: seed)
    let lines = dice.lines(Int.random(in: 2...40, using: &dice), distinctTimes: true).map { line in
      var line = line
      // Of one message two requests would be two calls, of which nobody knows which one has the other id.
      line.request = "req"
      if line.message != nil, Bool.random(using: &dice) {
        line.rank = .message
        line.alias = "msg\(Int.random(in: 0..<12, using: &dice))"
      }
      return line
    }
    let expected = snapshot(lines).cells
    for _ in 0..<6 {
      let cells = snapshot(lines.shuffled(using: &dice)).cells
      #expect(cells == expected, "seed \(seed)")
    }
  }
}
