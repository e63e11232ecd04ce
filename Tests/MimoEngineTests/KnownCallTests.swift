import MimoTestSupport
import Testing

@testable import MimoEngine

@Suite struct KnownCallTests {
  @Test func `a known call takes 32 bytes and its place in the index eight`() {
    #expect(MemoryLayout<Ledger.Call>.stride == 32)
    var index = HashIndex()
    var random = SplitMix(state: 1)
    let keys = (0..<300_000).map { _ in random.next() }
    var most = 0
    for (number, key) in keys.enumerated() {
      index.append(key) { keys[Int($0)] }
      // The smallest table has room for the first forty.
      most = max(most, index.bytes - max(323, (number + 1) * 8))
    }
    #expect(most <= 0)
  }

  @Test(arguments: [0, 1_000, 90_000, 100_000, 130_000, 1_000_000])
  func `an expected number of entries is met, and a wrong one wastes little`(_ expected: Int) {
    var index = HashIndex()
    index.expectedCount = expected
    var random = SplitMix(state: 3)
    let keys = (0..<100_000).map { _ in random.next() }
    for key in keys { index.append(key) { keys[Int($0)] } }
    // Four times what is needed, at most.
    #expect(index.bytes <= keys.count * (expected > 400_000 ? 25 : expected > 100_000 ? 9 : 8))
    if expected == 100_000 { #expect(index.bytes <= keys.count * 6 + 20_000) }
    #expect(keys.indices.allSatisfy { place in index.find(keys[place]) { $0 == place } != nil })
  }

  @Test(arguments: 0..<8)
  func `what a call remembers is what it was told, or refused`(_ seed: UInt64) {
    var random = SplitMix(state: seed)
    func number(_ bits: UInt64) -> Int64 { Int64(random.next() >> (64 - bits)) }
    for _ in 0..<2000 {
      let written = number(1 + random.next() % 24)
      let isForHour = random.next() % 2 == 0
      let tokens = TokenCounts(
        input: number(1 + random.next() % 26), cacheRead: number(1 + random.next() % 26),
        cacheWrite5m: isForHour ? 0 : written, cacheWrite1h: isForHour ? written : 0,
        output: number(1 + random.next() % 22), reasoning: number(1 + random.next() % 19))
      var call = Ledger.Call(key: random.next(), request: UInt32(truncatingIfNeeded: random.next()))
      call.rank = [.embeddedCopy, .opening, .message, .request][Int(random.next() % 4)]
      call.milliseconds = UInt32(random.next() % 900_000)
      call.failed = random.next() % 2 == 0
      call.isSecond = random.next() % 2 == 0
      let before = call
      let fits =
        max(tokens.input, tokens.cacheRead) < 1 << 22 && written < 1 << 21
        && tokens.output < 1 << 20 && tokens.reasoning < 1 << 17
      #expect(call.setTokens(tokens) == fits)
      #expect(call.tokens == (fits ? tokens : before.tokens))
      call.hasExtras = !fits
      #expect(call.hasExtras == !fits)
      #expect(call.key == before.key && call.request == before.request)
      #expect(call.rank == before.rank && call.milliseconds == before.milliseconds)
      #expect(call.failed == before.failed && call.isSecond == before.isSecond)
    }
  }

  @Test func `both kinds of writes to the cache, and wide counters, are counted like all others`() {
    for tokens in [
      TokenCounts(input: 1, cacheWrite5m: 5, cacheWrite1h: 7, output: 2),
      TokenCounts(input: 1 << 30, cacheRead: 1 << 40, output: 1 << 33, reasoning: 1 << 32),
    ] {
      var ledger = Ledger(promptEdges: [])
      for part in [TokenCounts(input: 1), tokens, TokenCounts(output: 1), tokens] {
        var record = UsageRecord(
          time: Instant(seconds: 1_790_000_000),
          identity: CallIdentity(message: Fingerprint(of: "one")))
        record.tokens = part
        ledger.record(record)
      }
      var sum = TokenCounts()
      ledger.snapshot().cube.forEachCell { cell, _ in sum += cell.tokens }
      #expect(sum == tokens)
      #expect(ledger.snapshot().recent.map(\.tokens) == [tokens])
    }
  }

  @Test func `an index finds each key, and none that is not there`() {
    var index = HashIndex()
    var random = SplitMix(state: 2)
    // Keys that share their lowest byte and keys that share their place.
    let keys = (0..<2000).map { (number: UInt64) -> UInt64 in
      number % 2 == 0 ? random.next() << 8 : (0xAAAA_0000 << 32) | number
    }
    for key in keys { index.append(key) { keys[Int($0)] } }
    for (position, key) in keys.enumerated() where position % 50 < 4 {
      #expect(index.find(key) { keys[Int($0)] == key } == UInt32(position))
      let missing: UInt64 = key ^ 0x80_0000
      #expect(index.find(missing) { keys[Int($0)] == missing } == nil)
    }
  }
}
