import MimoEngine
import Testing

@Suite struct LedgerTests {
  private let some = TokenCounts(input: 100, cacheRead: 900, output: 50, reasoning: 20)

  // MARK: - Laws

  @Test(arguments: 0..<120)
  func `any order of the same records gives the same cube`(_ seed: UInt64) {
    var dice = Dice(seed: seed)
    let lines = dice.lines(Int.random(in: 1...40, using: &dice))
    let expected = snapshot(lines).cells
    for _ in 0..<6 {
      let cells = snapshot(lines.shuffled(using: &dice)).cells
      #expect(cells == expected, "seed \(seed)\n\(difference(cells, expected))")
    }
  }

  @Test(arguments: 0..<120)
  func `the cube is what all records together say`(_ seed: UInt64) {
    var dice = Dice(seed: 1000 + seed)
    let lines = dice.lines(Int.random(in: 1...60, using: &dice), distinctTimes: true)
    let cells = snapshot(lines).cells
    let expected = LedgerModel.cells(of: lines)
    #expect(cells == expected, "seed \(seed)\n\(difference(cells, expected))")
  }

  @Test(arguments: 0..<40)
  func `repeating records with an id changes nothing`(_ seed: UInt64) {
    var dice = Dice(seed: 2000 + seed)
    let lines = dice.lines(30)
    let repeats = lines.filter { $0.message != nil }.shuffled(using: &dice)
    let once = snapshot(lines).cells
    let twice = snapshot(lines + repeats).cells
    #expect(twice == once, "seed \(seed)\n\(difference(twice, once))")
  }

  @Test(arguments: 0..<20)
  func `sums by model, session, project and minute do not depend on the order`(_ seed: UInt64) {
    var dice = Dice(seed: 3000 + seed)
    let lines = dice.lines(60)
    let a = snapshot(lines)
    let b = snapshot(lines.reversed())
    #expect(a.sum == b.sum)
    #expect(a.sums(by: \.model) == b.sums(by: \.model))
    #expect(a.sums(by: \.session) == b.sums(by: \.session))
    #expect(a.sums(by: \.project) == b.sums(by: \.project))
    #expect(a.sums(by: \.minute) == b.sums(by: \.minute))
  }

  @Test(arguments: 0..<20)
  func `the names learned before do not matter`(_ seed: UInt64) {
    var dice = Dice(seed: 4000 + seed)
    let lines = dice.lines(40)
    var other = Ledger(promptEdges: [1000, 50_000])
    for name in ["z", "s3", "p2", "m2", "s1", "m1"] { _ = other.names.intern(name) }
    for line in lines { other.record(line.record(in: &other)) }
    #expect(other.snapshot().cells == snapshot(lines).cells)
  }

  // MARK: - Repeats

  @Test func `a repeated id keeps the largest value of each counter`() {
    let lines = [
      Line(message: "a", tokens: TokenCounts(input: 10, cacheRead: 7, output: 1)),
      Line(message: "a", tokens: TokenCounts(input: 4, cacheRead: 9, output: 300, reasoning: 5)),
      Line(message: "a", tokens: TokenCounts(input: 10, cacheRead: 7, output: 200)),
    ]
    let sum = snapshot(lines).sum
    #expect(sum.requests == 1)
    #expect(sum.tokens == TokenCounts(input: 10, cacheRead: 9, output: 300, reasoning: 5))
  }

  @Test func `records say whether their call was seen before`() {
    var ledger = Ledger(promptEdges: [])
    let first = Line(message: "a", tokens: some).record(in: &ledger)
    #expect(ledger.record(first) == .counted)
    #expect(ledger.record(first) == .repeated)
    #expect(ledger.record(Line(message: "b").record(in: &ledger)) == .counted)
    #expect(ledger.record(Line().record(in: &ledger)) == .counted)
    #expect(ledger.record(Line().record(in: &ledger)) == .counted)
    #expect(ledger.knownCalls == 2)
  }

  @Test func `what cannot be true is refused, and leaves the sums as they were`() {
    var ledger = Ledger(promptEdges: [])
    var searches = Line(message: "b").record(in: &ledger)
    searches.quantities.webSearches = .max
    let wrong = [
      Line(message: "a", tokens: TokenCounts(input: -1)),
      Line(message: "a", tokens: TokenCounts(cacheRead: .max)),
      Line(tokens: TokenCounts(output: .min)), Line(message: "a", calls: -1),
    ].map { $0.record(in: &ledger) }
    for record in wrong + [searches] { #expect(ledger.record(record) == .refused) }
    #expect(ledger.knownCalls == 0)
    #expect(ledger.snapshot().cube.span == nil)
  }

  @Test func `sums that are full take no more, until something is taken back`() {
    var ledger = Ledger(promptEdges: [])
    let large = TokenCounts(input: TokenCounts.largestPlausibleCount)
    var outcomes: [Ledger.Outcome] = []
    for call in 0..<2500 {
      outcomes.append(
        ledger.record(Line(message: "m\(call)", tokens: large).record(in: &ledger)))
    }
    let counted = outcomes.count { $0 == .counted }
    #expect(counted > 2200)
    #expect(outcomes.count { $0 == .refused } == 2500 - counted)
    #expect(ledger.snapshot().sum.tokens.input == Int64(counted) * large.input)
    // Repeats and small calls have their place.
    #expect(ledger.record(Line(message: "small", tokens: some).record(in: &ledger)) == .counted)
    var smaller = Line(message: "m0", tokens: some).record(in: &ledger)
    smaller.isRevision = true
    #expect(ledger.record(smaller) == .repeated)
    #expect(ledger.record(Line(message: "next", tokens: large).record(in: &ledger)) == .counted)
  }

  @Test func `no cell counts more calls than it can hold`() {
    var ledger = Ledger(promptEdges: [])
    let outcomes = (0..<3).map { call in
      ledger.record(Line(message: "m\(call)", tokens: some, calls: .max).record(in: &ledger))
    }
    #expect(outcomes == [.counted, .counted, .refused])
    #expect(ledger.snapshot().sum.requests == 2 * Int64(Int32.max))
  }

  @Test func `two different messages never merge`() {
    let lines = (0..<20_000).map { Line(message: "msg_\($0)", tokens: TokenCounts(input: 1)) }
    let sum = snapshot(lines).sum
    #expect(sum.requests == 20_000)
    #expect(sum.tokens.input == 20_000)
  }

  @Test func `two request ids under one message id are two calls`() {
    let lines = ["r1", "r2", "r1", "r2", "r3"].map {
      Line(message: "a", request: $0, rank: .request, tokens: some)
    }
    #expect(snapshot(lines).sum.requests == 3)
  }

  @Test(arguments: [
    (CallIdentity.Rank.embeddedCopy, CallIdentity.Rank.opening), (.opening, .message),
    (.message, .request), (.embeddedCopy, .request),
  ])
  func `lines of better evidence replace those of weaker, in any order`(
    _ weak: CallIdentity.Rank, _ strong: CallIdentity.Rank
  ) {
    let lines = [
      Line(
        message: "a", rank: weak, model: "other",
        tokens: TokenCounts(input: 999, cacheRead: 999, output: 999), webSearches: 9,
        statedCost: Amount(whole: 9)),
      Line(message: "a", rank: strong, tokens: some),
    ]
    for lines in [lines, lines.reversed()] {
      let result = snapshot(lines)
      #expect(result.sum == CellCounts(requests: 1, tokens: some))
      #expect(result.cells.keys.map(\.model) == ["m"])
    }
  }

  @Test func `a line without request id never adds to the calls of its message`() {
    let a = Line(message: "a", request: "r1", rank: .request, tokens: some)
    let b = Line(message: "a", request: "r2", rank: .request, tokens: some)
    let copy = Line(message: "a", tokens: TokenCounts(input: 5000, output: 5000))
    for lines in [[a, b, copy], [copy, a, b], [a, copy, b], [b, copy, a, copy]] {
      #expect(snapshot(lines).sum == CellCounts(requests: 2, tokens: some + some))
    }
  }

  @Test func `a repeat stays in the minute of the earliest line`() {
    let lines = [130_000, 59_999, 60_000].map { Line(at: $0, message: "a", tokens: some) }
    #expect(snapshot(lines).cells.keys.map(\.minute) == [0])
  }

  @Test func `a copy that names less does not file the call`() {
    let lines = [
      Line(message: "a", session: "", project: "", tokens: some),
      Line(message: "a", session: "s", project: "p", tokens: some),
    ]
    for lines in [lines, lines.reversed()] {
      #expect(snapshot(lines).cells.keys.map(\.session) == ["s"])
    }
  }

  @Test func `calls before 1970 fall into the minute they are in`() {
    let lines = [Line(at: -1, message: "a", tokens: some), Line(at: -60_000, tokens: some)]
    #expect(Set(snapshot(lines).cells.keys.map(\.minute)) == [-1])
  }

  // MARK: - What is counted

  @Test func `a failed call without tokens is an error and no request`() {
    let result = snapshot([Line(message: "a", failed: true), Line(failed: true)]).sum
    #expect(result == CellCounts(requests: 0, errors: 2))
  }

  @Test func `a failed call that billed tokens is both`() {
    let result = snapshot([Line(message: "a", tokens: some, failed: true)]).sum
    #expect(result == CellCounts(requests: 1, errors: 1, tokens: some))
  }

  @Test func `a call failed only if no line of it succeeded`() {
    let lines = [Line(message: "a", failed: true), Line(message: "a", tokens: some)]
    for lines in [lines, lines.reversed()] {
      #expect(snapshot(lines).sum == CellCounts(requests: 1, tokens: some))
    }
  }

  @Test func `a stated cost counts once, the largest of its call`() {
    let costs = ["0.02", "0.05", "0.01"]
    var lines = costs.map { Line(message: "a", tokens: some, statedCost: Amount(decimal: $0)) }
    lines.append(Line(message: "a", tokens: some))
    lines.append(Line(message: "b", tokens: some, statedCost: .zero))
    let sum = snapshot(lines).sum
    #expect(sum.statedCost == Amount(decimal: "0.05"))
    #expect(sum.statedCalls == 2)
  }

  @Test func `a call is told about the cache if any line of it tells`() {
    let lines = [
      Line(message: "a", tokens: some, tellsCache: false), Line(message: "a", tokens: some),
    ]
    for lines in [lines, lines.reversed()] {
      #expect(snapshot(lines).cells.keys.map(\.flags) == [Series.Flags.readsCache.rawValue])
    }
  }

  @Test func `a prompt that is not split gives way to one that is`() {
    let silent = Line(
      message: "a", tokens: TokenCounts(input: 5000, output: 60), tellsCache: false)
    let telling = Line(message: "a", tokens: TokenCounts(input: 500, cacheRead: 4500, output: 50))
    for lines in [[silent, telling], [telling, silent], [silent, telling, silent]] {
      #expect(
        snapshot(lines).sum.tokens == TokenCounts(input: 500, cacheRead: 4500, output: 60))
    }
  }

  @Test func `counters above 32 bits are kept`() {
    let large = TokenCounts(
      input: 1 << 40, cacheRead: (1 << 32) - 1, cacheWrite5m: 1 << 32, cacheWrite1h: 3,
      output: TokenCounts.largestPlausibleCount, reasoning: 1 << 33)
    let lines = [
      Line(message: "a", tokens: TokenCounts(input: 1, output: 1)),
      Line(message: "a", tokens: large), Line(message: "a", tokens: some),
    ]
    for lines in [lines, lines.reversed()] {
      #expect(snapshot(lines).sum.tokens == large.maximum(some))
    }
  }

  @Test func `web searches keep their largest number`() {
    let lines = [1, 3, 2].map { Line(message: "a", tokens: some, webSearches: $0) }
    #expect(snapshot(lines).sum.webSearches == 3)
  }

  // MARK: - Bands

  @Test func `a prompt on an edge belongs to the band below it`() {
    let lines = [1000, 1001, 50_000, 50_001].map { Line(tokens: TokenCounts(input: $0)) }
    let bands = lines.map { snapshot([$0]).cells.keys.first!.band }
    #expect(bands == [0, 1, 1, 2])
  }

  @Test func `a call moves to the band its grown counters belong to`() {
    let lines = [
      Line(message: "a", tokens: TokenCounts(input: 900)),
      Line(message: "a", tokens: TokenCounts(cacheRead: 900, output: 3)),
    ]
    let cells = snapshot(lines).cells
    #expect(cells.keys.map(\.band) == [1])
    #expect(cells.values.first?.tokens == TokenCounts(input: 900, cacheRead: 900, output: 3))
  }

  @Test func `a sum of several calls is in the band of their mean`() {
    let lines = [
      Line(message: "a", tokens: TokenCounts(input: 3000), calls: 3),
      Line(message: "a", tokens: TokenCounts(input: 2999), calls: 1),
    ]
    for lines in [lines, lines.reversed()] {
      #expect(snapshot(lines).cells.keys.map(\.band) == [0])
      #expect(snapshot(lines).sum.requests == 3)
    }
  }

  // MARK: - Openings

  private func openers(_ lines: [Line]) -> [String] {
    snapshot(lines).cells.filter {
      $0.key.flags & Series.Flags.opensConversation.rawValue != 0
    }.keys.sorted().map(\.model)
  }

  /// The openers of `lines`, which must be the same in every order.
  private func openersInAnyOrder(
    _ lines: [Line], sourceLocation: SourceLocation = #_sourceLocation
  ) -> [String] {
    let result = openers(lines)
    for order in permutations(lines) {
      #expect(openers(order) == result, sourceLocation: sourceLocation)
    }
    return result
  }

  @Test func `the earliest call opens the conversation`() {
    let lines = [
      Line(at: 3, message: "c", model: "third", session: "s", tokens: some),
      Line(at: 1, message: "a", model: "first", session: "s", tokens: some),
      Line(at: 2, message: "b", model: "second", session: "s", tokens: some),
      Line(at: 2, message: "d", model: "other", session: "t", tokens: some),
    ]
    #expect(openersInAnyOrder(lines) == ["first", "other"])
  }

  @Test func `a call without id opens it too`() {
    let lines = [
      Line(at: 2, message: "b", model: "second", session: "s", tokens: some),
      Line(at: 1, model: "first", session: "s", tokens: some),
      Line(at: 3, model: "third", session: "s", tokens: some),
      Line(at: 0, model: "failed", session: "s", failed: true),
    ]
    #expect(openersInAnyOrder(lines) == ["first"])
  }

  @Test func `calls without a conversation open none`() {
    #expect(openers([Line(message: "a", tokens: some), Line(tokens: some)]) == [])
  }

  @Test func `a repeat in a later minute does not make its call the first`() {
    let lines = [
      Line(at: 30_000, message: "b", model: "second", session: "s", tokens: some),
      Line(at: 10_000, message: "a", model: "first", session: "s", tokens: some),
      Line(at: 70_000, message: "b", model: "second", session: "s", tokens: some + some),
    ]
    #expect(openersInAnyOrder(lines) == ["first"])
  }

  @Test func `a copy of the parent's call does not open the sub-agent's conversation`() {
    let lines = [
      Line(at: 5, message: "p", model: "parent", session: "s", conversation: "agent", tokens: some),
      Line(
        at: 5, message: "p", request: "r", rank: .request, model: "parent", session: "s",
        tokens: some),
      Line(at: 1, message: "q", rank: .request, model: "opener", session: "s", tokens: some),
      Line(
        at: 9, message: "x", model: "agent's", session: "s", conversation: "agent", tokens: some),
      Line(
        at: 10, message: "y", model: "agent's 2", session: "s", conversation: "agent", tokens: some),
    ]
    #expect(openersInAnyOrder(lines) == ["agent's", "opener"])
  }

  @Test func `when the opening turns out to be later, the next call takes its place`() {
    let lines = [
      Line(at: 1, message: "a", rank: .embeddedCopy, model: "quoted", session: "s", tokens: some),
      Line(at: 9, message: "a", model: "quoted", session: "s", tokens: some),
      Line(at: 5, message: "b", model: "earlier", session: "s", tokens: some),
    ]
    #expect(openersInAnyOrder(lines) == ["earlier"])
  }

  @Test func `of calls of one instant the same one opens, whatever the order`() {
    let lines = [
      Line(message: "a", request: "1", rank: .request, model: "a1", session: "s", tokens: some),
      Line(message: "a", request: "2", rank: .request, model: "a2", session: "s", tokens: some),
      Line(message: "b", model: "b", session: "s", tokens: some),
    ]
    #expect(openersInAnyOrder(lines).count == 1)
    let nameless = [
      Line(model: "x", session: "s", tokens: some), Line(model: "y", session: "s", tokens: some),
      Line(model: "x", session: "s", tokens: some + some),
    ]
    #expect(openersInAnyOrder(nameless) == ["x"])
  }

  // MARK: - Snapshots

  @Test func `a snapshot is unaffected by later records`() {
    var dice = Dice(seed: 77)
    let lines = dice.lines(9000)
    var ledger = ledger(Array(lines.prefix(4500)))
    let before = ledger.snapshot()
    let cells = before.cells
    let recent = before.recent.map(\.time)
    for line in lines.dropFirst(4500) { ledger.record(line.record(in: &ledger)) }
    #expect(before.cells == cells)
    #expect(before.recent.map(\.time) == recent)
    #expect(ledger.snapshot().cells != cells)
  }

  @Test func `the revision grows with each record`() {
    var ledger = Ledger(promptEdges: [])
    let before = ledger.snapshot().revision
    ledger.record(Line(message: "a").record(in: &ledger))
    #expect(ledger.snapshot().revision > before)
  }

  @Test func `each minute and series has one cell`() {
    var dice = Dice(seed: 78)
    let cube = snapshot(dice.lines(3000)).cube
    var seen = Set<[Int64]>()
    cube.forEachCell { cell, _ in
      #expect(seen.insert([Int64(cell.minute.number), Int64(cell.series)]).inserted)
    }
  }

  @Test func `cells can be asked for by minutes, the end left out`() {
    let lines = (0..<5).map { Line(at: $0 * 60_000, tokens: TokenCounts(input: 1)) }
    let cube = snapshot(lines).cube
    var minutes: [Int32] = []
    cube.forEachCell(in: Minute(1)..<Minute(3)) { cell, _ in minutes.append(cell.minute.number) }
    #expect(minutes.sorted() == [1, 2])
    #expect(cube.span == Minute(0)...Minute(4))
    #expect(snapshot([]).cube.span == nil)
  }

  // MARK: - Latest calls

  @Test(arguments: 0..<10)
  func `the latest calls are the newest, each once, in order`(_ seed: UInt64) {
    var dice = Dice(seed: 5000 + seed)
    var lines = (0..<2500).map { index in
      Line(
        at: Int64(index) * 977, message: index % 5 == 0 ? nil : "msg\(index)",
        tokens: TokenCounts(input: Int64(index)))
    }
    if seed > 0 { lines.shuffle(using: &dice) }
    let recent = snapshot(lines).recent
    #expect(recent.count == Ledger.recentCapacity)
    #expect(recent.map(\.tokens.input) == (2500 - 256..<2500).map(Int64.init))
  }

  @Test func `a call that is repeated appears once, with its grown counters and its own time`() {
    let lines = [
      Line(at: 59_000, message: "a", tokens: TokenCounts(input: 5, output: 1)),
      Line(at: 59_500, message: "b", tokens: TokenCounts(input: 6)),
      Line(at: 61_000, message: "a", tokens: TokenCounts(input: 5, output: 70)),
    ]
    for lines in permutations(lines) {
      let recent = snapshot(lines).recent
      #expect(recent.map(\.time.milliseconds) == [59_000, 59_500])
      #expect(recent.map(\.tokens.output) == [70, 0])
    }
  }

  @Test func `a storm of repeats does not push other calls out`() {
    var lines = (0..<200).map { Line(at: Int64($0), message: "m\($0)", tokens: some) }
    lines += (0..<5000).map {
      Line(at: 500, message: "loud", tokens: TokenCounts(output: Int64($0)))
    }
    let recent = snapshot(lines).recent
    #expect(recent.count == 201)
    #expect(recent.last?.tokens.output == 4999)
  }
}

private func permutations<T>(_ items: [T]) -> [[T]] {
  if items.isEmpty { return [[]] }
  return items.indices.flatMap { index in
    var rest = items
    let item = rest.remove(at: index)
    return permutations(rest).map { [item] + $0 }
  }
}

private func difference(
  _ actual: [CellAddress: CellCounts], _ expected: [CellAddress: CellCounts]
) -> String {
  let addresses = Set(actual.keys).union(expected.keys).filter { actual[$0] != expected[$0] }
  return addresses.sorted().prefix(6).map { address in
    """
    \(address)
      - \(expected[address].map { "\($0)" } ?? "nothing")
      + \(actual[address].map { "\($0)" } ?? "nothing")
    """
  }.joined(separator: "\n")
}
