import Foundation
import MimoScreen
import MimoTestSupport
import Testing

extension EndToEnd {
  /// Without any argument: the transcripts of Claude Code, wherever they are.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct ClaudeCodeTests {
    let sandbox: Sandbox
    private let shop = "/home/ana/shop"
    private let docs = "/home/ana/docs"

    init() throws {
      sandbox = try Sandbox()
      try sandbox.fixPrices()
    }

    private func call(
      _ id: String, _ session: String, in project: String, read: Int = 9000, output: Int = 100,
      agent: String? = nil, request: String? = nil
    ) -> String {
      LogLines.claudeCode(
        id, "mimo-v2.6-pro", session: session, project: project, fresh: 1000, read: read,
        output: output, request: request, agent: agent)
    }

    private func projects(_ name: String) -> String {
      sandbox.home + "/.claude/projects/" + name
    }

    private func requests(_ count: Int, of row: String, on terminal: PseudoTerminal) throws {
      try terminal.wait(for: "\(count) requests of \(row)", within: patience) { screen in
        let title = ["By model", "By project", "By session"].first { !screen.box($0).isEmpty }
        let words = screen.words(in: title ?? "", of: row)
        return words.dropFirst().first == String(count)
      }
    }

    @Test func `sessions, sub-agents and resumed sessions are found, and each answer counts once`()
      throws
    {
      // An answer is written while it streams, with the output so far.
      let answer = [8, 120, 472].map {
        call("m1", "one", in: shop, output: $0, request: "req1")
      }.joined()
      try sandbox.write(
        #"{"type":"summary","summary":"a shop","leafUuid":"x"}"# + "\n" + answer
          + call("m2", "one", in: shop), to: projects("-home-ana-shop/one.jsonl"))
      // A sub-agent begins with a copy of its parent's answer under another request id.
      try sandbox.write(
        call("m1", "one", in: shop, output: 472, agent: "a1", request: "req9")
          + call("m3", "one", in: shop, agent: "a1", request: "req3"),
        to: projects("-home-ana-shop/one/subagents/agent-a1.jsonl"))
      // A resumed session repeats what was before.
      try sandbox.write(
        answer + call("m2", "one", in: shop) + call("m4", "two", in: shop),
        to: projects("-home-ana-shop/two.jsonl"))
      try sandbox.write(
        call("m5", "three", in: docs),
        to: sandbox.home + "/.config/claude/projects/-home-ana-docs/three.jsonl")

      let terminal = try sandbox.startWithAllTime()
      try requests(5, of: "mimo-v2.6-pro", on: terminal)
      let sum = cost((5000, "0.435"), (45_000, "0.0036"), (472 + 4 * 100, "0.87"))
      try terminal.waitForSpend(allTime, Shown.money(sum))
      terminal.type("g")
      try terminal.see("By project")
      try requests(4, of: shop, on: terminal)
      try requests(1, of: docs, on: terminal)
      let ofShop = cost((4000, "0.435"), (36_000, "0.0036"), (472 + 3 * 100, "0.87"))
      #expect(
        terminal.screen.words(in: "By project", of: shop).contains(Shown.money(ofShop)))
      terminal.type("g")
      try terminal.see("By session")
      // Each call belongs to the session that made it, not to those that copied it.
      try requests(3, of: "one", on: terminal)
      try requests(1, of: "two", on: terminal)
      try requests(1, of: "three", on: terminal)

      let report = try sandbox.run(["report", "--json", "--by", "session"])
      #expect(report.ending == .status(0) && report.errors == "")
      let json = try JSONReport(report.output)
      #expect(json.keys == ["one", "three", "two"])
      #expect(json.totals.text("cost") == "\(sum)")
      #expect(json.ingest["duplicates"] == 7)
    }

    @Test func `new sessions and new projects appear while it runs`() throws {
      try sandbox.write(call("m1", "one", in: shop), to: projects("-home-ana-shop/one.jsonl"))
      let terminal = try sandbox.startWithAllTime()
      try requests(1, of: "mimo-v2.6-pro", on: terminal)
      terminal.type("gg")
      try terminal.see("By session")
      try sandbox.append(call("m2", "one", in: shop), to: projects("-home-ana-shop/one.jsonl"))
      try requests(2, of: "one", on: terminal)
      try sandbox.write(call("m3", "two", in: shop), to: projects("-home-ana-shop/two.jsonl"))
      try requests(1, of: "two", on: terminal)
      try sandbox.write(call("m4", "three", in: docs), to: projects("-home-ana-docs/three.jsonl"))
      try requests(1, of: "three", on: terminal)
      try sandbox.write(
        call("m5", "three", in: docs, agent: "a1"),
        to: projects("-home-ana-docs/three/subagents/agent-a1.jsonl"))
      try requests(2, of: "three", on: terminal)
      try sandbox.append(call("m6", "three", in: docs), to: projects("-home-ana-docs/three.jsonl"))
      try requests(3, of: "three", on: terminal)
      terminal.type("G")
      try terminal.see("By project")
      try requests(3, of: shop, on: terminal)
      try requests(3, of: docs, on: terminal)
    }

    @Test func `a home without transcripts says where it looks, and begins when there is one`()
      throws
    {
      let terminal = try sandbox.startWithAllTime()
      try terminal.see("No usage yet")
      #expect(terminal.screen.contains(sandbox.home + "/.claude/projects"))
      #expect(!terminal.screen.header.contains("unreadable"))
      try sandbox.write(call("m1", "one", in: shop), to: projects("-home-ana-shop/one.jsonl"))
      try requests(1, of: "mimo-v2.6-pro", on: terminal)
      terminal.type("q")
      #expect(try terminal.waitForExit() == .status(0))
    }

    @Test func `CLAUDE_CONFIG_DIR may name several folders, and only these are read`() throws {
      try sandbox.write(call("m0", "zero", in: shop), to: projects("-home-ana-shop/zero.jsonl"))
      try sandbox.write(call("m1", "one", in: shop), to: "work/projects/-home-ana-shop/one.jsonl")
      try sandbox.write(call("m2", "two", in: docs), to: "play/projects/-home-ana-docs/two.jsonl")
      let list = sandbox.path("work") + ", " + sandbox.path("play")
      let report = try sandbox.run(
        ["report", "--json", "--by", "session"], environment: ["CLAUDE_CONFIG_DIR": list])
      #expect(try JSONReport(report.output).keys == ["one", "two"])
      let terminal = try sandbox.start(environment: ["CLAUDE_CONFIG_DIR": list])
      try requests(2, of: "mimo-v2.6-pro", on: terminal)
      try sandbox.append(
        call("m3", "two", in: docs), to: "play/projects/-home-ana-docs/two.jsonl")
      try requests(3, of: "mimo-v2.6-pro", on: terminal)
    }
  }
}
