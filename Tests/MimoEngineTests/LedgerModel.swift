import MimoEngine

/// What a ledger must hold after some lines, worked out from all of them at once and without regard
/// to their order: slow, and short enough to believe.
enum LedgerModel {
  static func cells(of lines: [Line], edges: [Int64] = [1000, 50_000]) -> [CellAddress: CellCounts]
  {
    let calls = calls(of: lines)
    // The earliest request of each conversation opens it.
    var openers: [String: Int] = [:]
    for (index, call) in calls.enumerated() where call.counts.requests > 0 {
      guard !call.conversation.isEmpty else { continue }
      if let known = openers[call.conversation], calls[known].at <= call.at { continue }
      openers[call.conversation] = index
    }
    var result: [CellAddress: CellCounts] = [:]
    for (index, call) in calls.enumerated() {
      var flags: Series.Flags = []
      if !call.tellsCache { flags.insert(.cacheUnknown) }
      if call.filing.isAnsweredByProxy { flags.insert(.answeredByProxyCache) }
      if call.counts.tokens.cacheRead > 0 { flags.insert(.readsCache) }
      if call.calls > 1, !call.readsCacheAlike { flags.insert(.sumsCalls) }
      if openers[call.conversation] == index { flags.insert(.opensConversation) }
      let prompt = call.counts.tokens.prompt / Int64(call.calls)
      let address = CellAddress(
        minute: Int32(call.at / 60_000), model: call.filing.model, session: call.filing.session,
        project: call.filing.project, tier: call.filing.tier,
        band: UInt8(edges.count { prompt > $0 }), flags: flags.rawValue)
      result[address, default: CellCounts()] += call.counts
    }
    return result.filter { $0.value.requests + $0.value.errors > 0 }
  }

  private struct Call {
    var filing: Line
    var at: Int64
    var conversation: String
    var counts: CellCounts
    var calls: Int32
    var readsCacheAlike: Bool
    var tellsCache: Bool
  }

  private static func calls(of lines: [Line]) -> [Call] {
    var groups: [[Line]] = lines.filter { $0.message == nil }.map { [$0] }
    for (_, message) in Dictionary(grouping: lines.filter { $0.message != nil }, by: \.message) {
      let best = message.map(\.rank).max()!
      let counting = message.filter { $0.rank == best }
      if best == .request {
        groups += Dictionary(grouping: counting, by: \.request).values
      } else {
        groups.append(counting)
      }
    }
    return groups.map(call)
  }

  private static func call(_ lines: [Line]) -> Call {
    let filing = lines.min(by: filesBefore)!
    var counts = CellCounts()
    var calls: Int32 = 1
    for line in lines {
      counts.tokens = counts.tokens.maximum(line.tokens)
      counts.webSearches = max(counts.webSearches, Int64(line.webSearches))
      if let cost = line.statedCost {
        counts.statedCalls = 1
        counts.statedCost = max(counts.statedCost, cost)
      }
      calls = max(calls, line.calls)
    }
    // Lines that are silent about the cache say nothing of the prompt beside those that tell.
    if lines.contains(where: \.tellsCache) {
      let prompt = lines.filter(\.tellsCache).map(\.tokens).reduce(TokenCounts()) { $0.maximum($1) }
      counts.tokens = TokenCounts(
        input: prompt.input, cacheRead: prompt.cacheRead, cacheWrite5m: prompt.cacheWrite5m,
        cacheWrite1h: prompt.cacheWrite1h, output: counts.tokens.output,
        reasoning: counts.tokens.reasoning)
    }
    let failed = lines.allSatisfy(\.failed)
    counts.requests = failed && counts.tokens.isZero ? 0 : Int64(calls)
    counts.errors = failed ? Int64(calls) : 0
    return Call(
      filing: filing, at: lines.map(\.at).min()!,
      conversation: filing.conversation ?? filing.session, counts: counts, calls: calls,
      readsCacheAlike: lines.allSatisfy { $0.calls <= 1 || $0.readsCacheAlike },
      tellsCache: lines.contains(where: \.tellsCache))
  }

  private static func filesBefore(_ a: Line, _ b: Line) -> Bool {
    func key(_ line: Line) -> [String] {
      // What is not stated comes last.
      func name(_ text: String) -> String { text.isEmpty ? "~" : text }
      return [
        String(1_000_000 + line.at / 60_000), name(line.session), name(line.project),
        name(line.model), String(line.tier.rawValue), line.isAnsweredByProxy ? "1" : "0",
        name(line.conversation ?? line.session),
      ]
    }
    return key(a).lexicographicallyPrecedes(key(b))
  }
}
