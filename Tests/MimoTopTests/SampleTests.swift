import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// Every sample of a format counts as its format says.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct SampleTests {
    /// Written once, read only.
    nonisolated(unsafe) static let expected: [String: [String: Any]] = {
      let data = try? Data(contentsOf: URL(fileURLWithPath: Sandbox.fixture("expected.json")))
      let object = data.flatMap { try? JSONSerialization.jsonObject(with: $0) }
      return object as? [String: [String: Any]] ?? [:]
    }()

    @Test func `there are samples`() { #expect(Self.expected.count >= 13) }

    @Test(arguments: SampleTests.expected.keys.sorted())
    func `a sample counts as its format says`(name: String) throws {
      let sandbox = try Sandbox()
      let expected = try #require(Self.expected[name])
      let run = try sandbox.run(["report", "--json", "--by", "total", Sandbox.fixture(name)])
      #expect(run.ending == .status(0), "\(run.errors)")
      let totals = try JSONReport(run.output).totals
      let tokens = totals.object("tokens")
      #expect(totals.number("requests") == expected.number("requests"))
      #expect(tokens.number("input") == expected.number("input_uncached"))
      #expect(tokens.number("cache_read") == expected.number("cache_read"))
      #expect(
        (tokens.number("cache_write_5m") ?? 0) + (tokens.number("cache_write_1h") ?? 0)
          == expected.number("cache_write"))
      #expect(tokens.number("cache_write_1h") == expected.number("cache_write_1h"))
      #expect(tokens.number("output") == expected.number("output"))
      #expect(tokens.number("reasoning") == expected.number("reasoning"))
      #expect(totals.text("hit_rate") == expected.text("cache_hit_rate"))
      #expect(totals.object("stated_cost").text("USD") == expected.text("reported_cost_usd"))
    }

    @Test(arguments: SampleTests.expected.keys.filter { $0.hasSuffix(".jsonl") }.sorted())
    func `the name of a file does not matter, nor how its lines end`(name: String) throws {
      let sandbox = try Sandbox()
      let text = try String(contentsOfFile: Sandbox.fixture(name), encoding: .utf8)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      try sandbox.write("\u{FEFF}" + lines.joined(separator: "\r\n"), to: "renamed.log")
      func totals(_ path: String) throws -> String {
        let run = try sandbox.run(["report", "--csv", "--by", "total", path])
        #expect(run.ending == .status(0), "\(run.errors)")
        return run.output
      }
      #expect(try totals("renamed.log") == totals(Sandbox.fixture(name)))
      let piped = try sandbox.run(["report", "--csv", "--by", "total", "-"], input: .text(text))
      #expect(try piped.output == totals(Sandbox.fixture(name)))
    }
  }
}
