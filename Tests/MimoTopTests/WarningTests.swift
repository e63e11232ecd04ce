import Foundation
import MimoScreen
import MimoTestSupport
import Testing

extension EndToEnd {
  /// The warning when prompts no longer come out of the cache.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct WarningTests {
    let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      try sandbox.fixPrices()
    }

    /// Calls of one session, of 10,000 prompt tokens each.
    private func calls(_ name: String, _ count: Int, cached: Int, minutesAgo: Int) -> String {
      (0..<count).map {
        LogLines.service(
          "\(name)\($0)", "mimo-v2.6-pro", project: "shop", session: "s1", prompt: 10_000,
          cached: cached, at: .minutesAgo(minutesAgo))
      }.joined()
    }

    /// A good time half an hour ago; the first call of a session finds nothing in the cache.
    private var goodTime: String {
      calls("first", 1, cached: 0, minutesAgo: 41) + calls("good", 6, cached: 9000, minutesAgo: 40)
    }

    private func waitForRequests(_ count: Int, on terminal: PseudoTerminal) throws {
      try terminal.wait(for: "\(count) requests", within: patience) {
        $0.words(in: "By model", of: "mimo-v2.6-pro").dropFirst().first == String(count)
      }
    }

    @Test func `it appears when the rate sinks, says all that matters, and goes when it recovers`()
      throws
    {
      try sandbox.write(goodTime, to: "app.jsonl")
      let terminal = try sandbox.start(["app.jsonl"])
      try waitForRequests(7, on: terminal)
      let start = Moment.minutesAgo(5)
      try sandbox.append(calls("bad", 4, cached: 500, minutesAgo: 5), to: "app.jsonl")
      try waitForRequests(11, on: terminal)
      // Four calls are too few to judge.
      #expect(!terminal.screen.contains("WARNING"))

      try sandbox.append(calls("worse", 1, cached: 500, minutesAgo: 5), to: "app.jsonl")
      try terminal.see("WARNING: cache hit rate 5.0%, below 20%")
      #expect(terminal.screen.contains("since \(start.minute)"))
      #expect(terminal.screen.contains("mimo-v2.6-pro in shop: 100% of the misses"))
      // Five times 9000 instead of 500 tokens from the cache, four times an hour.
      let extra = cost((5 * 8500, "0.435")) - cost((5 * 8500, "0.0036"))
      #expect(
        terminal.screen.contains(
          "costs \(Shown.money(extra * 4))/h more than at the 90.0% of the last good hour"))
      terminal.type("a")
      try terminal.see("Alert log")
      #expect(terminal.screen.contains("\(start.dayAndMinute), still standing"))
      terminal.press(.escape)
      try terminal.seeNo("Alert log")

      // Above the limit, but not by enough to be sure.
      try sandbox.append(calls("fine", 1, cached: 10_000, minutesAgo: 2), to: "app.jsonl")
      try terminal.see("WARNING: cache hit rate 20.8%")
      try sandbox.append(calls("finer", 1, cached: 10_000, minutesAgo: 2), to: "app.jsonl")
      try terminal.seeNo("WARNING")

      terminal.type("a")
      try terminal.see("Alert log")
      let end = Moment.minutesAgo(2)
      // The test may have gone on into the next minute since.
      let ends = [end, Moment(end.date.addingTimeInterval(-60))].map(\.dayAndMinute)
      #expect(
        ends.contains { terminal.screen.contains("\(start.dayAndMinute) to \($0)  lowest 5.0%") })
      #expect(terminal.screen.contains("raised at 5.0%, below 20%"))
      terminal.type("q")
      try terminal.seeNo("Alert log")
      terminal.type("q")
      #expect(try terminal.waitForExit() == .status(0))
    }

    @Test(
      arguments: [
        ("xterm-256color", "1", "C.UTF-8"), ("vt100", nil, "C.UTF-8"), ("vt100", "1", "C"),
      ] as [(String, String?, String)]
    )
    func `it cannot be overlooked without colour`(term: String, noColor: String?, locale: String)
      throws
    {
      try sandbox.write(
        goodTime + calls("bad", 6, cached: 500, minutesAgo: 2), to: "app.jsonl")
      let terminal = try sandbox.start(
        ["app.jsonl"], columns: 100, rows: 30,
        environment: ["TERM": term, "NO_COLOR": noColor, "LANG": locale])
      try terminal.see("WARNING: cache hit rate 5.0%, below 20%")
      terminal.settle()
      let place = try #require(terminal.screen.find("WARNING"))
      // The whole line stands out, from edge to edge, by more than colour.
      for x in [0, 1, place.x, 50, 99] {
        let style = terminal.screen.cell(x: x, y: place.y).style
        #expect(!style.attributes.isDisjoint(with: [.reverse, .bold]), "column \(x)")
        #expect(style.foreground == .default && style.background == .default, "column \(x)")
      }
    }

    @Test(arguments: [(40, 10), (80, 24), (200, 60)])
    func `it is there at any size`(columns: Int, rows: Int) throws {
      try sandbox.write(
        goodTime + calls("bad", 6, cached: 500, minutesAgo: 2), to: "app.jsonl")
      let terminal = try sandbox.start(["app.jsonl"], columns: columns, rows: rows)
      // A small screen has fewer words for it, but the same number.
      try terminal.see("WARNING: ")
      #expect(terminal.screen.rows[1].contains("hit rate 5.0%"))
    }

    @Test func `the limit is an option`() throws {
      // 40 %: fine as it is, too low for who wants half.
      try sandbox.write(goodTime + calls("so", 6, cached: 4000, minutesAgo: 2), to: "app.jsonl")
      let terminal = try sandbox.start(["app.jsonl", "--warn-below", "50"])
      try terminal.see("WARNING: cache hit rate 40.0%, below 50%")
      let relaxed = try sandbox.start(["app.jsonl"])
      try waitForRequests(13, on: relaxed)
      #expect(!relaxed.screen.contains("WARNING"))
      #expect(relaxed.screen.contains("20%"))
    }

    @Test func `the window is an option`() throws {
      try sandbox.write(goodTime + calls("bad", 6, cached: 500, minutesAgo: 9), to: "app.jsonl")
      let usual = try sandbox.start(["app.jsonl"])
      try usual.see("WARNING: cache hit rate 5.0%")
      #expect(usual.screen.contains("now (15m)"))
      let short = try sandbox.start(["app.jsonl", "--window", "5m"])
      try waitForRequests(13, on: short)
      #expect(short.screen.contains("now (5m)"))
      #expect(!short.screen.contains("WARNING"))
      // With an hour the good time counts too: six good and six bad calls.
      let long = try sandbox.start(["app.jsonl", "--window", "1h"])
      try waitForRequests(13, on: long)
      #expect(long.screen.box("Cache hit rate").contains { $0.contains("47.5%") })
      #expect(!long.screen.contains("WARNING"))
    }

    @Test func `calls that do not tell about the cache, and first calls, raise nothing`() throws {
      let silent = (0..<6).map {
        #"{"id":"n\#($0)","created":\#(Moment.minutesAgo(2).seconds),"model":"some-model","object":"chat.completion","usage":{"prompt_tokens":9000,"completion_tokens":9}}"#
          + "\n"
      }
      let first = (0..<6).map {
        LogLines.service(
          "f\($0)", "mimo-v2.6-pro", project: "shop", session: "s\($0)", prompt: 10_000, cached: 0,
          at: .minutesAgo(2))
      }
      try sandbox.write((silent + first).joined(), to: "app.jsonl")
      let terminal = try sandbox.start(["app.jsonl"])
      try waitForRequests(6, on: terminal)
      #expect(terminal.screen.contains("some-model"))
      #expect(!terminal.screen.contains("WARNING"))
    }
  }
}
