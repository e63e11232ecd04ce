import Foundation
import MimoScreen
import MimoTestSupport
import Testing

extension Tag {
  /// Takes up to a minute.
  @Tag static var slow: Self
}

extension EndToEnd {
  /// What the terminal is like during and after.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct TerminalTests {
    let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      // Of the past, so that nothing on screen fades with time.
      try sandbox.write(
        LogLines.openAI(
          "a1", "mimo-v2.6-pro", prompt: 12_000, cached: 11_520, output: 640,
          at: Moment(Date(timeIntervalSince1970: 1_795_000_000))), to: "app.jsonl")
    }

    private func start(
      _ size: Size = Size(columns: 100, rows: 30), environment: [String: String?] = [:]
    ) throws -> PseudoTerminal {
      let terminal = try sandbox.start(
        ["app.jsonl"], columns: size.columns, rows: size.rows, environment: environment)
      try terminal.see("mimo-v2.6-pro")
      return terminal
    }

    @Test(arguments: [Key.character("q"), .function(10)])
    func `a key leaves and gives the terminal back`(key: Key) throws {
      let terminal = try start()
      #expect(terminal.screen.isAlternateScreenActive)
      #expect(!terminal.screen.isCursorVisible)
      terminal.press(key)
      #expect(try terminal.waitForExit(within: patience) == .status(0))
      expectGivenBack(terminal)
      #expect(terminal.screen.text.allSatisfy { $0.isWhitespace }, "nothing is left on the screen")
    }

    @Test(arguments: [SIGTERM, SIGHUP, SIGINT])
    func `a signal ends it, with the terminal given back`(signal: Int32) throws {
      let terminal = try start()
      terminal.send(signal: signal)
      #expect(try terminal.waitForExit(within: patience) == .signal(signal))
      expectGivenBack(terminal)
    }

    @Test func `control-c ends it, with the terminal given back`() throws {
      let terminal = try start()
      terminal.type("?")
      try terminal.see("next plan: re-price everything")
      terminal.press(.control("c"))
      #expect(try terminal.waitForExit(within: patience) == .signal(SIGINT))
      expectGivenBack(terminal)
    }

    @Test func `control-z gives the terminal to the shell, and fg goes on`() throws {
      let terminal = try PseudoTerminal(
        "/bin/bash", arguments: ["--norc", "--noprofile", "-i"],
        environment: sandbox.environment(["MIMO": Sandbox.program, "PS1": "ready> "]),
        folder: sandbox.folder, size: Size(columns: 100, rows: 30))
      try terminal.see("ready>")
      terminal.type("\"$MIMO\" app.jsonl\r")
      try terminal.see("mimo-v2.6-pro")
      terminal.press(.control("z"))
      try terminal.wait(for: "the shell", within: patience) {
        !$0.isAlternateScreenActive && $0.contains("Stopped")
      }
      #expect(terminal.screen.isCursorVisible)
      #expect(!terminal.screen.isMouseReporting)
      // The log goes on while the program sleeps.
      try sandbox.append(
        LogLines.openAI("a2", "mimo-v2.6-flash", prompt: 100, cached: 0, output: 9), to: "app.jsonl"
      )
      terminal.resize(to: Size(columns: 120, rows: 40))
      terminal.type("fg\r")
      try terminal.wait(for: "the dashboard", within: patience) {
        $0.isAlternateScreenActive && $0.contains("mimo-v2.6-flash")
          && $0.rows[0].hasPrefix("mimo-top") && $0.rows[39].contains("quit")
      }
      #expect(!terminal.screen.isCursorVisible)
      terminal.type("q")
      try terminal.wait(for: "the shell", within: patience) { !$0.isAlternateScreenActive }
      terminal.type("echo status $?\r")
      try terminal.see("status 0")
    }

    @Test func `any size can come at any time`() throws {
      let terminal = try start()
      var sizes = (0..<40).map { Size(columns: 20 + $0 * 37 % 180, rows: 3 + $0 * 17 % 60) }
      sizes += [
        Size(columns: 1, rows: 1), Size(columns: 500, rows: 1), Size(columns: 1, rows: 200),
        Size(columns: 40, rows: 10), Size(columns: 500, rows: 200),
      ]
      for size in sizes {
        terminal.resize(to: size)
        terminal.type("pg")
      }
      terminal.resize(to: Size(columns: 100, rows: 30))
      try terminal.wait(for: "a whole picture", within: patience) {
        $0.rows[0].hasPrefix("mimo-top") && $0.rows[29].contains("quit")
          && $0.contains("Last requests")
      }
      terminal.type("q")
      #expect(try terminal.waitForExit(within: patience) == .status(0))
      expectGivenBack(terminal)
    }

    @Test func `a screen too small says so in one line and comes back`() throws {
      let terminal = try start()
      terminal.resize(to: Size(columns: 39, rows: 9))
      try terminal.see("39x9 is too small; 40x10 is needed")
      #expect(terminal.screen.rows.dropFirst().allSatisfy { $0.isEmpty })
      terminal.resize(to: Size(columns: 40, rows: 10))
      try terminal.see("mimo-v2.6-pro")
      terminal.resize(to: Size(columns: 1, rows: 1))
      terminal.settle()
      terminal.resize(to: Size(columns: 80, rows: 24))
      try terminal.see("Last requests")
      terminal.resize(to: Size(columns: 1, rows: 1))
      terminal.type("q")
      #expect(try terminal.waitForExit(within: patience) == .status(0))
    }

    @Test func `a screen of one place is enough to start and to leave`() throws {
      let terminal = try sandbox.start(["app.jsonl"], columns: 1, rows: 1)
      try terminal.wait(for: "the first frame", within: patience) { $0.isAlternateScreenActive }
      terminal.type("q")
      #expect(try terminal.waitForExit(within: patience) == .status(0))
      expectGivenBack(terminal)
    }

    @Test func `a lost terminal ends it`() throws {
      let terminal = try start()
      terminal.hangUp()
      let ending = try terminal.waitForExit(within: patience)
      // The loss may be seen before the signal that tells of it.
      #expect(ending == .signal(SIGHUP) || ending == .status(0), "\(ending)")
    }

    @Test(
      arguments: [
        ("no-such-terminal", "unknown kind of terminal 'no-such-terminal'"),
        (nil, "TERM is not set"), ("", "TERM is not set"), ("dumb", "cannot move its cursor"),
      ] as [(String?, String)]
    )
    func `a terminal that cannot be used is said in one line`(term: String?, message: String) throws
    {
      let terminal = try sandbox.start(
        ["app.jsonl"], columns: 200, rows: 10, environment: ["TERM": term])
      #expect(try terminal.waitForExit(within: patience) == .status(1))
      let lines = terminal.screen.rows.filter { !$0.isEmpty }
      #expect(lines.count == 1)
      #expect(lines.first?.hasPrefix("mimo-top: ") == true)
      #expect(lines.first?.contains(message) == true)
      #expect(
        ["--once", "xterm-256color"].contains { lines.first?.contains($0) == true },
        "no way out is named")
      #expect(!terminal.output.contains(0x1B), "nothing but the message is written")
      expectGivenBack(terminal)
    }

    @Test(arguments: ["vt100", "linux", "screen", "xterm", "tmux-256color"])
    func `every kind of terminal shows the same rows`(term: String) throws {
      let terminal = try start(environment: ["TERM": term])
      // Not all of them can be told where a frame ends.
      try terminal.wait(for: "the whole frame", within: patience) {
        $0.words(in: "By model", of: "mimo-v2.6-pro").dropFirst().first == "1"
          && $0.rows[29].contains("quit")
      }
      terminal.type("q")
      #expect(try terminal.waitForExit(within: patience) == .status(0))
      expectGivenBack(terminal)
    }

    @Test func `nothing is written to the terminal while nothing changes`() throws {
      let terminal = try start()
      terminal.settle(for: 0.5)
      // The clock in the header changes with the minute: at most one attempt can meet that.
      for attempt in 1...2 {
        let minute = Moment().minute
        let before = terminal.output.count
        terminal.settle(for: 2)
        let written = terminal.output.count - before
        if written == 0 { return }
        if attempt == 2 || minute == Moment().minute {
          Issue.record("\(written) bytes were written:\n\(terminal.screen.text)")
          return
        }
      }
    }

    @Test func `the mouse chooses rows, and can be left to the terminal`() throws {
      try sandbox.append(
        LogLines.openAI("a2", "mimo-v2.6-flash", prompt: 100, cached: 0, output: 9), to: "app.jsonl"
      )
      let terminal = try start()
      try terminal.see("mimo-v2.6-flash")
      #expect(terminal.screen.isMouseReporting)
      let place = try #require(terminal.screen.find("mimo-v2.6-flash"))
      let plain = terminal.screen.cell(x: 3, y: place.y).style
      terminal.press(.mouse(MouseEvent(.press, x: place.x, y: place.y)))
      try terminal.wait(for: "the row to be marked", within: patience) {
        $0.cell(x: 3, y: place.y).style != plain
      }
      let without = try sandbox.start(["app.jsonl", "--no-mouse"])
      try without.see("mimo-v2.6-pro")
      #expect(!without.screen.isMouseReporting)
    }

    @Test func `a wrong price file is told of in the footer and in the list of logs`() throws {
      try sandbox.write(
        #"{"schema": "mimo-top.prices/1", "id": "xiaomi", "models": 3}"#,
        to: sandbox.home + "/.config/mimo-top/prices/mine.json")
      let terminal = try sandbox.start(["app.jsonl"], columns: 200)
      try terminal.see("mine.json")
      terminal.type("i")
      try terminal.see("What was read")
      #expect(terminal.screen.box("What was read").contains { $0.contains("mine.json") })
    }

    @Test(.tags(.slow)) func `the demo warns within a minute`() throws {
      let terminal = try sandbox.start(["--demo"], columns: 120, rows: 40)
      try terminal.see("mimo-v2.6-pro")
      #expect(!terminal.screen.contains("WARNING"))
      try terminal.waitFor("WARNING: cache hit rate", within: 60)
      terminal.type("q")
      #expect(try terminal.waitForExit(within: patience) == .status(0))
      expectGivenBack(terminal)
    }
  }
}
