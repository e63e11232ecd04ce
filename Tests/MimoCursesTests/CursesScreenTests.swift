import Foundation
import MimoScreen
import MimoTestSupport
import Testing

/// The real thing: the probe program on a terminal of its own.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct CursesScreenTests {
  static let size = Size(columns: 60, rows: 12)

  /// The probe lies beside the test program, wherever that was built.
  static var folderOfProducts: URL {
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    while folder.path != "/" {
      let probe = folder.appendingPathComponent("CursesScreenProbe").path
      if FileManager.default.isExecutableFile(atPath: probe) { break }
      folder.deleteLastPathComponent()
    }
    return folder
  }

  static func start(
    _ arguments: [String] = [],
    term: String? = "xterm-256color",
    environment: [String: String] = [:],
    standardInput: Int32 = -1
  ) throws -> PseudoTerminal {
    var all = ["LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"]
    all["TERM"] = term
    all.merge(environment) { $1 }
    return try PseudoTerminal(
      folderOfProducts.appendingPathComponent("CursesScreenProbe").path,
      arguments: arguments,
      environment: all,
      size: size,
      standardInput: standardInput
    )
  }

  /// What a shell expects to find after any program.
  func expectGivenBack(_ terminal: PseudoTerminal) {
    #expect(!terminal.screen.isAlternateScreenActive)
    #expect(terminal.screen.isCursorVisible)
    #expect(!terminal.screen.isMouseReporting)
    #expect(!terminal.screen.isKeypadTransmitting)
    #expect(!terminal.screen.isSynchronizing)
    #expect(terminal.isCooked)
  }

  @Test(arguments: [
    "xterm-256color", "xterm", "screen", "screen-256color", "linux", "vt100", "tmux-256color",
  ])
  func `the frame looks the same on every kind of terminal`(term: String) throws {
    let terminal = try Self.start(term: term)
    try terminal.waitFor("end")
    #expect(
      terminal.screen.text == """
        ╭ probe ───────────────────────────────────────────────────╮
        │ size 60x12                                               │
        │ heard nothing                                            │
        │ turn 0                                                   │
        │ wide 漢字 café 🚀 end                                    │
        │                                                          │
        │                                                          │
        │                                                          │
        │                                                          │
        │                                                          │
        │                                                          │
        ╰──────────────────────────────────────────────────────────╯
        """
    )
    terminal.type("q")
    try terminal.waitFor("goodbye")
    #expect(try terminal.waitForExit() == .status(0))
    expectGivenBack(terminal)
  }

  @Test func `a later frame writes only what changed`() throws {
    let terminal = try Self.start()
    try terminal.waitFor("end")
    terminal.settle()
    let before = terminal.output.count
    terminal.type("t")
    try terminal.waitFor("turn 1")
    terminal.settle()
    let written = terminal.output.count - before
    #expect(written < 150, "\(written) bytes for a changed digit and word")
  }

  @Test func `an equal frame writes nothing`() throws {
    let terminal = try Self.start()
    try terminal.waitFor("end")
    terminal.type("n")
    try terminal.waitFor("heard n")
    terminal.settle()
    let before = terminal.output.count
    let updates = terminal.screen.synchronizedUpdates
    terminal.type("nnn")
    terminal.settle()
    #expect(terminal.output.count == before)
    #expect(terminal.screen.synchronizedUpdates == updates)
  }

  @Test(arguments: [
    (Key.up, "Up"), (.down, "Down"), (.left, "Left"), (.right, "Right"), (.home, "Home"),
    (.end, "End"), (.pageUp, "PgUp"), (.pageDown, "PgDn"), (.enter, "Enter"), (.escape, "Esc"),
    (.tab, "Tab"), (.backTab, "S-Tab"), (.backspace, "Bksp"), (.delete, "Del"), (.insert, "Ins"),
    (.function(1), "F1"), (.function(5), "F5"), (.function(12), "F12"), (.control("r"), "^R"),
    (.character("p"), "p"), (.character("é"), "é"), (.character("漢"), "漢"),
    (.mouse(MouseEvent(.press, x: 7, y: 3)), "Click at 7,3"),
    (.mouse(MouseEvent(.secondaryPress, x: 0, y: 0)), "Right click at 0,0"),
    (.mouse(MouseEvent(.wheelUp, x: 59, y: 11)), "Wheel up at 59,11"),
    (.mouse(MouseEvent(.wheelDown, x: 1, y: 2)), "Wheel down at 1,2"),
  ])
  func `keys arrive by name`(key: Key, name: String) throws {
    let terminal = try Self.start()
    try terminal.waitFor("end")
    terminal.press(key)
    try terminal.waitFor("heard \(name) ")
  }

  @Test(arguments: ["xterm-256color", "xterm", "tmux-256color", "linux"])
  func `arrow keys are understood in either of their forms`(term: String) throws {
    let terminal = try Self.start(term: term)
    try terminal.waitFor("end")
    for (code, name) in [("\u{1B}[A", "Up"), ("\u{1B}[B", "Down")] {
      terminal.type(code)
      try terminal.waitFor("heard \(name) ")
    }
    if !term.hasPrefix("linux") {
      #expect(terminal.screen.isKeypadTransmitting)
      terminal.type("\u{1B}OA")
      try terminal.waitFor("heard Up ")
    }
  }

  @Test func `a mouse beyond column 223 is heard where it is`() throws {
    let terminal = try Self.start()
    try terminal.waitFor("end")
    terminal.resize(to: Size(columns: 300, rows: 12))
    try terminal.waitFor("heard size 300x12")
    terminal.press(.mouse(MouseEvent(.press, x: 250, y: 4)))
    try terminal.waitFor("heard Click at 250,4")
  }

  @Test func `a new size is taken over at once`() throws {
    let terminal = try Self.start()
    try terminal.waitFor("end")
    for size in [
      Size(columns: 100, rows: 30), Size(columns: 1, rows: 1), Size(columns: 39, rows: 9),
      Size(columns: 500, rows: 200), Size(columns: 40, rows: 6),
    ] {
      terminal.resize(to: size)
      if size.columns > 20 {
        try terminal.waitFor("heard size \(size.columns)x\(size.rows)")
        #expect(terminal.screen.rows[size.rows - 1].count == size.columns)
      }
    }
    terminal.type("q")
    #expect(try terminal.waitForExit() == .status(0))
  }

  @Test func `lines and columns of the environment do not win over the window`() throws {
    let terminal = try Self.start(environment: ["LINES": "10", "COLUMNS": "50"])
    try terminal.waitFor("size 60x12")
  }

  // MARK: - Colours

  @Test func `colours are the nearest the terminal has`() throws {
    let wanted: [String: (Color, Color, Color)] = [
      "xterm-256color": (.indexed(196), .indexed(2), .indexed(4)),
      "xterm": (.indexed(1), .indexed(2), .indexed(4)),
      "vt100": (.default, .default, .default),
    ]
    for (term, (red, green, blue)) in wanted {
      let terminal = try Self.start(term: term)
      try terminal.waitFor("end")
      #expect(terminal.screen.style(of: "heard")?.foreground == red, "\(term)")
      #expect(terminal.screen.style(of: "heard")?.attributes == .bold, "\(term)")
      #expect(terminal.screen.style(of: "╭")?.foreground == green, "\(term)")
      #expect(terminal.screen.style(of: "╭")?.background == blue, "\(term)")
    }
  }

  @Test(arguments: ["xterm-256color", "tmux-256color", "alacritty", "xterm"])
  func `a terminal that says so gets any colour`(term: String) throws {
    let terminal = try Self.start(term: term, environment: ["COLORTERM": "truecolor"])
    try terminal.waitFor("end")
    #expect(terminal.screen.style(of: "heard")?.foreground == .rgb(255, 0, 0))
    #expect(terminal.screen.style(of: "╭")?.foreground == .indexed(2))
    #expect(terminal.screen.style(of: "╭")?.background == .indexed(4))
    for (key, name) in [(Key.home, "Home"), (.up, "Up"), (.function(5), "F5")] {
      // Home is one of the keys in which the two families differ.
      if key == .home, term.hasPrefix("tmux") {
        terminal.type("\u{1B}[1~")
      } else {
        terminal.press(key)
      }
      try terminal.waitFor("heard \(name) ")
    }
    terminal.type("q")
    #expect(try terminal.waitForExit() == .status(0))
    #expect(terminal.screen.paletteChanges == 0, "a palette the user has set is left alone")
    expectGivenBack(terminal)
  }

  @Test(
    arguments: [
      ([], ["NO_COLOR": "1"], false), ([], ["NO_COLOR": ""], true), (["--never"], [:], false),
      (["--always"], ["NO_COLOR": "1"], true),
    ] as [([String], [String: String], Bool)]
  )
  func `colours can be switched off, attributes stay`(
    arguments: [String],
    environment: [String: String],
    isColoured: Bool
  ) throws {
    let terminal = try Self.start(arguments, environment: environment)
    try terminal.waitFor("end")
    #expect((terminal.screen.style(of: "heard")?.foreground != .default) == isColoured)
    #expect(terminal.screen.style(of: "heard")?.attributes == .bold)
    #expect(terminal.screen.style(of: "turn")?.attributes == [.reverse, .underline])
  }

  // MARK: - Character sets

  @Test func `without utf-8 everything is ascii`() throws {
    let terminal = try Self.start(environment: ["LANG": "C"])
    try terminal.waitFor("end")
    #expect(terminal.screen.rows[0].hasPrefix("+ probe ---"))
    #expect(terminal.screen.rows[4].hasPrefix("| wide ? ?  caf? ?  end"))
  }

  @Test func `a locale that is not installed still shows letters beyond ascii`() throws {
    let terminal = try Self.start(environment: ["LANG": "xx_YY.UTF-8"])
    try terminal.waitFor("漢字 café 🚀 end")
  }

  // MARK: - Ways out

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT])
  func `a signal ends it with the terminal given back`(signal: Int32) throws {
    let terminal = try Self.start()
    try terminal.waitFor("end")
    terminal.send(signal: signal)
    #expect(try terminal.waitForExit() == .signal(signal))
    expectGivenBack(terminal)
  }

  @Test func `control-c is a signal`() throws {
    let terminal = try Self.start()
    try terminal.waitFor("end")
    terminal.press(.control("c"))
    #expect(try terminal.waitForExit() == .signal(SIGINT))
    expectGivenBack(terminal)
  }

  @Test func `leaving by exit gives the terminal back`() throws {
    let terminal = try Self.start()
    try terminal.waitFor("end")
    terminal.type("x")
    #expect(try terminal.waitForExit() == .status(3))
    expectGivenBack(terminal)
  }

  @Test func `a crash gives the terminal back and says why`() throws {
    let terminal = try Self.start()
    try terminal.waitFor("end")
    terminal.type("f")
    let ending = try terminal.waitForExit()
    #expect(ending == .signal(SIGILL) || ending == .signal(SIGTRAP))
    expectGivenBack(terminal)
    #expect(terminal.screen.contains("the reason"))
    #expect(terminal.screen.contains("probe: crashed (signal"))
  }

  @Test func `a call to abort gives the terminal back`() throws {
    let terminal = try Self.start()
    try terminal.waitFor("end")
    terminal.type("a")
    #expect(try terminal.waitForExit() == .signal(SIGABRT))
    expectGivenBack(terminal)
  }

  @Test func `running out of stack gives the terminal back`() throws {
    let terminal = try Self.start()
    try terminal.waitFor("end")
    terminal.type("o")
    let ending = try terminal.waitForExit()
    #expect(ending == .signal(SIGSEGV) || ending == .signal(SIGBUS))
    expectGivenBack(terminal)
  }

  @Test func `standard error waits until the terminal is given back`() throws {
    let terminal = try Self.start()
    try terminal.waitFor("end")
    terminal.type("w")
    try terminal.waitFor("heard w")
    #expect(!terminal.screen.contains("a warning"))
    terminal.type("q")
    try terminal.waitForExit()
    #expect(terminal.screen.contains("a warning"))
  }

  /// A shell with job control; without one there is nobody to come back from.
  func shell(running program: String) throws -> PseudoTerminal {
    let terminal = try PseudoTerminal(
      "/bin/bash",
      arguments: ["--norc", "--noprofile", "-i"],
      environment: ["TERM": "xterm-256color", "LANG": "C.UTF-8", "PS1": "ready> ", "PATH": "/bin"],
      size: Self.size
    )
    try terminal.waitFor("ready>")
    terminal.type(Self.folderOfProducts.appendingPathComponent(program).path + "\r")
    return terminal
  }

  @Test func `a stopped program can be ended without touching the shell's terminal`() throws {
    let terminal = try shell(running: "CursesScreenProbe")
    try terminal.waitFor("end")
    terminal.press(.control("z"))
    try terminal.wait(for: "the shell") { !$0.isAlternateScreenActive && $0.contains("Stopped") }
    // Not `wait` at once: the shell may still believe that the job is stopped.
    terminal.type(
      "p=$(jobs -p %1); kill %1; while kill -0 $p; do :; done; wait $p; echo status $?\r"
    )
    try terminal.waitFor("status 143")
    #expect(!terminal.screen.isAlternateScreenActive)
    #expect(!terminal.screen.isMouseReporting)
  }

  @Test func `control-z gives the terminal to the shell and fg takes it again`() throws {
    let terminal = try shell(running: "CursesScreenProbe")
    try terminal.waitFor("end")
    terminal.press(.control("z"))
    try terminal.wait(for: "the shell") { !$0.isAlternateScreenActive && $0.contains("Stopped") }
    #expect(terminal.screen.isCursorVisible)
    #expect(!terminal.screen.isMouseReporting)
    terminal.resize(to: Size(columns: 70, rows: 14))
    terminal.type("fg\r")
    try terminal.waitFor("heard size 70x14")
    #expect(terminal.screen.isAlternateScreenActive)
    #expect(!terminal.screen.isCursorVisible)
    #expect(terminal.screen.isMouseReporting)
    #expect(terminal.screen.isKeypadTransmitting)
    #expect(terminal.screen.mainScreenText.contains("Stopped"))
    terminal.press(.up)
    try terminal.waitFor("heard Up")
    terminal.type("q")
    try terminal.waitFor("goodbye")
  }

  @Test(arguments: [false, true])
  func `a lost terminal ends it`(ignoresHangUp: Bool) throws {
    let probe = Self.folderOfProducts.appendingPathComponent("CursesScreenProbe").path
    let terminal = try PseudoTerminal(
      "/bin/sh",
      arguments: ["-c", ignoresHangUp ? "trap '' HUP; exec \(probe)" : "exec \(probe)"],
      environment: ["TERM": "xterm-256color", "LANG": "C.UTF-8"],
      size: Self.size
    )
    try terminal.waitFor("end")
    terminal.hangUp()
    let ending = try terminal.waitForExit()
    // The loss may be seen before the signal that tells of it.
    #expect(ending == .status(2) || !ignoresHangUp && ending == .signal(SIGHUP))
  }

  @Test func `being stopped and continued by others repaints`() throws {
    let terminal = try Self.start()
    try terminal.waitFor("end")
    terminal.send(signal: SIGSTOP)
    #expect(try terminal.waitForStop() == SIGSTOP)
    terminal.send(signal: SIGCONT)
    try terminal.waitFor("heard size 60x12")
    terminal.type("q")
    #expect(try terminal.waitForExit() == .status(0))
  }

  // MARK: - Opening

  @Test(
    arguments: [
      (nil, "TERM is not set"), ("", "TERM is not set"), ("dumb", "cannot move its cursor"),
      ("no-such-terminal", "unknown kind of terminal 'no-such-terminal'"),
    ] as [(String?, String)]
  )
  func `a terminal that cannot be used is said plainly`(term: String?, message: String) throws {
    let terminal = try Self.start(term: term)
    #expect(try terminal.waitForExit() == .status(1))
    #expect(terminal.screen.text.replacingOccurrences(of: "\n", with: "").contains(message))
    expectGivenBack(terminal)
    #expect(!terminal.output.contains(0x1B), "nothing but the message is written")
  }

  @Test(arguments: ["xterm-ghostty-of-tomorrow", "alacritty", "tmux-of-tomorrow"])
  func `a terminal that is too new is taken for its relative`(term: String) throws {
    let terminal = try Self.start(term: term)
    try terminal.waitFor("end")
    terminal.press(.up)
    try terminal.waitFor("heard Up")
  }

  @Test func `keys come from the terminal when standard input is data`() throws {
    var ends: [Int32] = [-1, -1]
    #expect(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    let terminal = try Self.start(standardInput: ends[0])
    try terminal.waitFor("end")
    terminal.press(.down)
    try terminal.waitFor("heard Down")
    terminal.type("q")
    #expect(try terminal.waitForExit() == .status(0))
    expectGivenBack(terminal)
  }
}
