import Foundation
import MimoScreen
import MimoTestSupport
import Testing

extension EndToEnd {
  /// Data by a pipe, keys from the terminal.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct PipeTests {
    let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      try sandbox.fixPrices()
    }

    private func call(_ id: String, _ model: String = "mimo-v2.6-pro") -> String {
      LogLines.openAI(id, model, prompt: 1000, cached: 900, output: 10)
    }

    @Test func `lines of a pipe appear as they come, its end leaves the dashboard`() throws {
      var ends: [Int32] = [-1, -1]
      #expect(pipe(&ends) == 0)
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      var isOpen = true
      defer { if isOpen { close(ends[1]) } }
      let terminal = try sandbox.start(["-"], standardInput: ends[0])
      close(ends[0])
      func send(_ text: String) {
        let bytes = Array(text.utf8)
        #expect(write(ends[1], bytes, bytes.count) == bytes.count)
      }
      try terminal.see("No usage yet")
      #expect(terminal.screen.contains("standard input"))
      send(call("a1"))
      try terminal.see("mimo-v2.6-pro")
      // A line in two pieces.
      let line = call("a2", "mimo-v2.6-flash")
      send(String(line.prefix(100)))
      terminal.type("g")
      try terminal.see("By project")
      terminal.type("G")
      try terminal.see("By model")
      #expect(!terminal.screen.contains("mimo-v2.6-flash"))
      send(String(line.dropFirst(100)))
      try terminal.see("mimo-v2.6-flash")

      close(ends[1])
      isOpen = false
      // Keys are still heard after the end of the pipe.
      terminal.type("?")
      try terminal.see("next plan: re-price everything")
      terminal.press(.escape)
      try terminal.seeNo("next plan: re-price everything")
      #expect(terminal.screen.contains("mimo-v2.6-flash"))
      terminal.type("q")
      #expect(try terminal.waitForExit() == .status(0))
      expectGivenBack(terminal)
    }

    @Test func `in a shell's pipeline the keys come from the terminal`() throws {
      try sandbox.write(call("b1") + call("b2", "mimo-v2.6-flash"), to: "app.jsonl")
      let terminal = try PseudoTerminal(
        "/bin/bash",
        arguments: [
          "-c", "cat app.jsonl | \"$MIMO\" -; echo ended with ${PIPESTATUS[0]} ${PIPESTATUS[1]}",
        ],
        environment: sandbox.environment(["MIMO": Sandbox.program]), folder: sandbox.folder,
        size: Size(columns: 120, rows: 40))
      try terminal.see("mimo-v2.6-flash")
      terminal.type("q")
      try terminal.see("ended with 0 0")
      try terminal.waitForExit()
      expectGivenBack(terminal)
    }

    @Test func `leaving ends the pipeline though the writer goes on`() throws {
      try sandbox.write(call("c1"), to: "app.jsonl")
      let terminal = try PseudoTerminal(
        "/bin/bash",
        arguments: ["-c", "tail -n +1 -F app.jsonl 2>/dev/null | \"$MIMO\" -; echo ended"],
        environment: sandbox.environment(["MIMO": Sandbox.program]), folder: sandbox.folder,
        size: Size(columns: 120, rows: 40))
      try terminal.see("mimo-v2.6-pro")
      try sandbox.append(call("c2", "mimo-v2.6-flash"), to: "app.jsonl")
      try terminal.see("mimo-v2.6-flash")
      terminal.type("q")
      // The writer hears of it when it writes again, twice to be sure.
      for number in 0..<2 {
        try sandbox.append(call("c3\(number)"), to: "app.jsonl")
        terminal.settle(for: 1.5)
      }
      try terminal.see("ended")
      try terminal.waitForExit()
      expectGivenBack(terminal)
    }

    @Test func `a report reads a pipe to its end`() throws {
      let run = try sandbox.run(
        ["report", "-", "--json", "--by", "model"],
        input: .text(call("d1") + call("d2", "mimo-v2.6-flash") + call("d1")))
      #expect(run.ending == .status(0) && run.errors == "")
      let report = try JSONReport(run.output)
      #expect(report.keys == ["mimo-v2.6-flash", "mimo-v2.6-pro"])
      #expect(report.totals.number("requests") == 2)
      #expect(report.ingest["duplicates"] == 1)
      let piped = try sandbox.shell("printf '%s' '\(call("d1"))' | \"$MIMO\" report - --csv")
      #expect(piped.output.contains(",1,100,900,"))
    }
  }
}
