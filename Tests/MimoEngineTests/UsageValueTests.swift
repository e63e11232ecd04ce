import MimoEngine
import Testing

@Suite struct NameTableTests {
  @Test func `a name keeps its id, and an id its name`() {
    var table = NameTable()
    let names = (0..<5000).map { "model-\($0)" } + ["é", "漢字", " "]
    let ids = names.map { table.intern($0) }
    #expect(Set(ids).count == names.count)
    #expect(names.map { table.intern($0) } == ids)
    #expect(ids.map { table[$0] } == names)
    #expect(table.count == names.count + 1)
  }

  @Test func `the empty name is what is not stated`() {
    var table = NameTable()
    #expect(table.intern("") == .none)
    #expect(table[.none] == "")
    #expect(table.withBytes(of: .none) { $0.count } == 0)
    #expect(table.find("") == NameID.none)
  }

  @Test func `a name that was never learned is not found`() {
    var table = NameTable()
    let id = table.intern("a")
    #expect(table.find("a") == id)
    #expect(table.find("b") == nil)
  }

  @Test func `a copy learns for itself`() {
    var table = NameTable()
    let a = table.intern("a")
    var copy = table
    let b = copy.intern("b")
    let c = table.intern("c")
    #expect(copy[a] == "a" && copy[b] == "b" && table[c] == "c")
    #expect(table.find("b") == nil)
  }

  @Test func `long names are cut, broken ones repaired when read`() {
    var table = NameTable()
    let long = table.intern(String(repeating: "x", count: 1000))
    #expect(table[long].utf8.count == NameTable.maximumBytes)
    let broken: [UInt8] = [0x61, 0xFF, 0x62]
    let id = broken.withUnsafeBytes { table.intern($0) }
    #expect(table[id] == "a\u{FFFD}b")
    #expect(table.withBytes(of: id) { Array($0) } == broken)
  }
}

@Suite struct FingerprintTests {
  // Stores keep fingerprints, so these may never change.
  @Test(
    arguments: [
      ("", 0x78A5_322B_041B_739F), ("a", 0x505F_E797_D2E1_18B2),
      ("a1b2c3d4", 0x9F6A_2158_E1C4_BB56),
      ("cb0527bb6cba470c0d7b2eed99873d84", 0x5E27_C9A4_3213_E5C4),
    ] as [(String, UInt64)])
  func `a fingerprint is the same on every machine and in every release`(
    _ text: String, _ value: UInt64
  ) {
    #expect(Fingerprint(of: text).value == value)
  }

  @Test func `pairs have fingerprints of their own, in their order`() {
    let (a, b) = (Fingerprint(of: "a"), Fingerprint(of: "b"))
    #expect(a.combined(with: b.value) != b.combined(with: a.value))
    #expect(a.combined(with: 0) != a)
  }

  @Test func `texts that differ in a byte, a length or a zero differ`() {
    var seen = Set<Fingerprint>()
    var count = 0
    for length in 0..<40 {
      let zeros = [UInt8](repeating: 0, count: length)
      seen.insert(zeros.withUnsafeBytes { Fingerprint(of: $0) })
      count += 1
      for place in 0..<length {
        for bit in 0..<8 {
          var bytes = zeros
          bytes[place] = 1 << UInt8(bit)
          seen.insert(bytes.withUnsafeBytes { Fingerprint(of: $0) })
          count += 1
        }
      }
    }
    #expect(seen.count == count)
    #expect(!seen.contains { $0.value == 0 })
  }
}

@Suite struct InstantTests {
  @Test(
    arguments: [
      (0, 0, 0), (59_999, 0, 0), (60_000, 1, 0), (-1, -1, -1), (-60_000, -1, -1),
      (-60_001, -2, -1), (86_400_000, 1440, 1), (-86_400_000, -1440, -1), (-86_400_001, -1441, -2),
    ] as [(Int64, Int32, Int32)])
  func `minutes and days round towards the past`(_ at: Int64, _ minute: Int32, _ day: Int32) {
    let instant = Instant(milliseconds: at)
    #expect(instant.minute == Minute(minute))
    #expect(instant.minute.day == day)
    #expect(instant.minute.start <= instant)
  }

  @Test func `minutes are counted on and clamped at their ends`() {
    #expect(Minute(5).advanced(by: -7) == Minute(-2))
    #expect(Minute(5).distance(to: Minute(-2)) == -7)
    #expect(Minute.distantFuture.advanced(by: 1) == .distantFuture)
    #expect(Minute.distantPast.advanced(by: -1) == .distantPast)
  }
}

@Suite struct RatioTests {
  @Test func `ratios are compared exactly`() {
    #expect(Ratio(1, 2) == Ratio(2, 4))
    #expect(Ratio(1, 3)! < Ratio(333_333_333_333_333_334, 1_000_000_000_000_000_000)!)
    #expect(Ratio(.max - 1, .max)! < Ratio(.max, .max)!)
    #expect(Ratio(-1, 2)! < Ratio(0, 5)!)
  }

  @Test func `a share of nothing is unknown`() {
    #expect(Ratio(0, 0) == nil)
    #expect(Ratio(1, -1) == nil)
  }

  @Test(
    arguments: [
      (1, 3, 4, "0.3333"), (2, 3, 4, "0.6667"), (1, 8, 2, "0.12"), (3, 8, 2, "0.38"),
      (5, 5, 2, "1.00"),
      (-1, 8, 2, "-0.12"), (7, 2, 0, "4"),
    ] as [(Int64, Int64, Int, String)])
  func `ratios are written rounded half to even`(
    _ a: Int64, _ b: Int64, _ decimals: Int, _ text: String
  ) {
    #expect(Ratio(a, b)?.text(decimals: decimals) == text)
  }
}

@Suite struct TokenCountsTests {
  private let a = TokenCounts(
    input: 1, cacheRead: 2, cacheWrite5m: 3, cacheWrite1h: 4, output: 5, reasoning: 6)
  private let b = TokenCounts(
    input: 6, cacheRead: 1, cacheWrite5m: 5, cacheWrite1h: 0, output: 5, reasoning: 9)

  @Test func `the prompt is all but the output`() { #expect(a.prompt == 10) }

  @Test func `sums, differences and maxima go class by class`() {
    #expect(a + b - b == a)
    #expect(
      a.maximum(b)
        == TokenCounts(
          input: 6, cacheRead: 2, cacheWrite5m: 5, cacheWrite1h: 4, output: 5, reasoning: 9))
    #expect(a.maximum(b) == b.maximum(a))
  }

  @Test func `any count makes them more than nothing`() {
    #expect(TokenCounts().isZero)
    for tokens in [TokenCounts(input: 1), TokenCounts(cacheWrite1h: 1), TokenCounts(reasoning: 1)] {
      #expect(!tokens.isZero)
    }
  }
}
