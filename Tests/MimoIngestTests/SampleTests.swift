import Foundation
import MimoEngine
import MimoSQLite
import Testing

@testable import MimoIngest

/// What the format notes say a correct reader makes of each sample.
private struct Expected: Decodable, Sendable {
  /// `nil` if the log does not tell.
  var requests: Int64?
  var input_uncached: Int64
  var cache_read: Int64
  var cache_write: Int64
  var cache_write_1h: Int64
  var output: Int64
  var reasoning: Int64
  var cache_hit_rate: String
  var reported_cost_usd: String?

  static let all: [String: Expected] = {
    let file = formatSamples.appendingPathComponent("expected.json")
    guard let data = try? Data(contentsOf: file) else { return [:] }
    return (try? JSONDecoder().decode([String: Expected].self, from: data)) ?? [:]
  }()
}

/// A sample as a log: of a database the file that its SQL makes.
private struct Sample {
  let path: String
  private var scratch: ScratchFolder?

  init(_ name: String) throws {
    let file = formatSamples.appendingPathComponent(name)
    guard name.hasSuffix(".sql") else {
      path = file.path
      return
    }
    let scratch = try ScratchFolder()
    path = scratch.url.appendingPathComponent("mimocode.db").path
    let database = try SQLiteConnection(path: path, access: .readWrite)
    try database.execute(String(contentsOf: file, encoding: .utf8))
    self.scratch = scratch
  }
}

@Suite struct SampleTests {
  @Test func `samples are there`() { #expect(Expected.all.count == 43) }

  @Test(arguments: Expected.all.keys.sorted())
  func `a sample counts as its notes say`(_ name: String) throws {
    let expected = try #require(Expected.all[name])
    let sample = try Sample(name)
    let collector = try collect(LogSource(argument: sample.path))
    let totals = sums(collector.ledger.snapshot())
    #expect(totals.requests == expected.requests ?? 1)
    #expect(
      totals.tokens
        == TokenCounts(
          input: expected.input_uncached, cacheRead: expected.cache_read,
          cacheWrite5m: expected.cache_write - expected.cache_write_1h,
          cacheWrite1h: expected.cache_write_1h, output: expected.output,
          reasoning: expected.reasoning))
    // The notes take calls whose log is silent about the cache, or that a proxy's own cache answered, for
    // calls without cached tokens; the hit rate leaves them out.
    let share = Ratio(totals.tokens.cacheRead, totals.tokens.prompt)
    #expect(share?.text(decimals: 6) == expected.cache_hit_rate)
    #expect((totals.hitRate == share) == (totals.hitRateUnknownRequests == 0))
    let stated = totals.statedCalls == 0 ? nil : totals.statedCost.exactText
    #expect(stated == expected.reported_cost_usd)
    // The transcript ends in a line that was cut off.
    let cut = name.hasPrefix("claude-code/") && !name.contains("subagents") ? 1 : 0
    #expect(IngestTotals(collector.fileReports).malformed == cut)
  }

  @Test func `failed calls of the samples are errors`() throws {
    for (name, errors) in [("mimo-openai", 1), ("mimo-openai-wrapped", 1), ("deepseek", 0)] {
      let path = formatSamples.appendingPathComponent(name + ".jsonl").path
      #expect(sums(try collect(.file(path)).ledger.snapshot()).errors == errors, "\(name)")
    }
  }

  @Test func `all samples in one folder are the sum of the samples`() throws {
    let collector = try collect(.folder(formatSamples.path, suffixes: [".jsonl", ".csv"]))
    // Two enveloped answers are also in the bare sample; one id is in a stream and in a transcript; a row of
    // the proxy's spend is one of its payload lines.
    let folders = ["claude-code/", "codex/"]
    let whole = Expected.all.filter { name, _ in
      folders.contains(name)
        || (name.hasSuffix(".jsonl") || name.hasSuffix(".csv"))
          && !folders.contains { name.hasPrefix($0) }
    }
    let requests = whole.values.reduce(0) { $0 + ($1.requests ?? 1) }
    // The export of a ledger is no vendor's format: ten calls.
    #expect(sums(collector.ledger.snapshot()).requests == requests - 4 + 10)
  }

  @Test func `the same sample twice counts once`() throws {
    let scratch = try ScratchFolder()
    let sample = try Data(contentsOf: formatSamples.appendingPathComponent("openai-chat.jsonl"))
    try scratch.write("a.jsonl", bytes: sample)
    try scratch.write("b.jsonl", bytes: sample)
    let collector = try collect(scratch.source)
    #expect(sums(collector.ledger.snapshot()).requests == 2)
    #expect(IngestTotals(collector.fileReports).records == 2)
    #expect(IngestTotals(collector.fileReports).duplicates == 2)
  }

  @Test func `a transcript named alone leaves out what it quotes of other files`() throws {
    let name = "claude-code/projects/-home-ana-shop/5f0c2a10-0000-4000-8000-000000000001.jsonl"
    let path = formatSamples.appendingPathComponent(name).path
    let report = try #require(try collect(.file(path)).fileReports.first)
    #expect(report.copiesLeftOut == 1)
    #expect(report.formats == ["claude-code"])
    #expect(
      report.tally.badLines.map(\.reason) == [
        "not valid JSON at byte 96: the text ends inside a string"
      ])
  }
}
