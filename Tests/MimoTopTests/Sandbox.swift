import Foundation
import MimoScreen
import MimoTestSupport
import Testing

/// All tests that run the real program, one after the other: each has a terminal or watches files.
@Suite(.serialized) enum EndToEnd {}

/// How long anything on screen is waited for; slow machines get their time.
let patience = 20.0

/// What the screen calls the window without limits.
let allTime = "all time"

/// A made-up home with a working folder, in which the program runs. It goes away with the object.
final class Sandbox {
  /// The working folder.
  let folder: String
  /// `HOME`.
  let home: String

  private let root: String

  init() throws {
    // The real path: a program that asks where it is must get the same text.
    var path = Array("\(NSTemporaryDirectory())/mimo-top-e2e-XXXXXX".utf8CString)
    root = String(cString: try #require(realpath(mkdtemp(&path), nil)))
    folder = root + "/work"
    home = root + "/home"
    for path in [folder, home] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  /// The environment of every run: nothing of the user's.
  var environment: [String: String] {
    [
      "HOME": home, "XDG_CONFIG_HOME": home + "/.config", "TZ": "UTC", "LANG": "C.UTF-8",
      "PATH": "/usr/bin:/bin", "TERM": "xterm-256color",
    ]
  }

  /// The program lies beside the test program, wherever that was built.
  static let program: String = {
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    while folder.path != "/" {
      let program = folder.appendingPathComponent("mimo-top").path
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: program, isDirectory: &isFolder),
        !isFolder.boolValue, FileManager.default.isExecutableFile(atPath: program)
      {
        return program
      }
      folder.deleteLastPathComponent()
    }
    return "mimo-top is not beside \(CommandLine.arguments[0])"
  }()

  // MARK: - Running

  /// Starts the dashboard on a terminal of its own. `nil` takes a variable out of the environment.
  func start(
    _ arguments: [String] = [], columns: Int = 140, rows: Int = 45,
    environment changes: [String: String?] = [:], standardInput: Int32 = -1
  ) throws -> PseudoTerminal {
    try PseudoTerminal(
      Self.program, arguments: arguments, environment: environment(changes), folder: folder,
      size: Size(columns: columns, rows: rows), standardInput: standardInput)
  }

  /// Starts the dashboard on the ledger and has it show all time instead of the week it begins with.
  func startWithAllTime() throws -> PseudoTerminal {
    let terminal = try start()
    terminal.type("ww")
    return terminal
  }

  /// Starts a shell command with the program as `$MIMO` on a terminal of its own.
  func startShell(_ command: String, columns: Int = 140, rows: Int = 45) throws -> PseudoTerminal {
    try PseudoTerminal(
      "/bin/bash", arguments: ["-c", command], environment: environment(["MIMO": Self.program]),
      folder: folder, size: Size(columns: columns, rows: rows))
  }

  /// Runs the program to its end without a terminal.
  func run(
    _ arguments: [String], environment changes: [String: String?] = [:],
    input: ProgramRun.Input = .nothing
  ) throws -> ProgramRun {
    try ProgramRun(
      Self.program, arguments: arguments, environment: environment(changes), folder: folder,
      input: input)
  }

  /// Runs a shell command with the program as `$MIMO`.
  func shell(_ command: String) throws -> ProgramRun {
    try ProgramRun(
      "/bin/bash", arguments: ["-c", command], environment: environment(["MIMO": Self.program]),
      folder: folder)
  }

  func environment(_ changes: [String: String?]) -> [String: String] {
    var all = environment
    for (name, value) in changes { all[name] = value }
    return all
  }

  // MARK: - Files

  /// A path in the working folder, unless it is absolute.
  func path(_ name: String) -> String { name.hasPrefix("/") ? name : folder + "/" + name }

  /// Creates or replaces a file, and the folders it is in.
  func write(_ text: String, to name: String) throws {
    let parent = URL(fileURLWithPath: path(name)).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    try text.write(toFile: path(name), atomically: false, encoding: .utf8)
  }

  /// Adds text to a file in one write, as a program that logs does.
  func append(_ text: String, to name: String) throws {
    let file = open(path(name), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    try #require(file >= 0, "\(name) cannot be opened")
    defer { close(file) }
    let bytes = Array(text.utf8)
    #expect(Foundation.write(file, bytes, bytes.count) == bytes.count)
  }

  func rename(_ old: String, to new: String) throws {
    try FileManager.default.moveItem(atPath: path(old), toPath: path(new))
  }

  func delete(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

  /// A file of `Fixtures`.
  static func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/\(name)").path
  }

  /// Prices of the user's own that hold at any time, so that calls of today cost the same every day.
  func fixPrices() throws {
    func price(_ currency: String, _ input: String, _ read: String, _ output: String) -> String {
      #"{"currency": "\#(currency)", "input": "\#(input)", "cache_read": "\#(read)", "#
        + #""cache_write": "0", "output": "\#(output)"}"#
    }
    func file(_ provider: String, _ models: [(String, [String])]) throws {
      let list = models.map { #"{"id": "\#($0)", "prices": [\#($1.joined(separator: ","))]}"# }
      try write(
        #"{"schema": "mimo-top.prices/1", "id": "\#(provider)", "models": [\#(list.joined(separator: ","))]}"#,
        to: home + "/.config/mimo-top/prices/\(provider).json")
    }
    try file(
      "xiaomi",
      [
        (
          "mimo-v2.6-pro",
          [price("USD", "0.435", "0.0036", "0.87"), price("CNY", "3", "0.025", "6")]
        ),
        (
          "mimo-v2.6-flash",
          [price("USD", "0.14", "0.0028", "0.28"), price("CNY", "1", "0.02", "2")]
        ),
      ])
    try file(
      "deepseek",
      [
        (
          "deepseek-v4-pro",
          [price("USD", "0.66", "0.022", "1.98"), price("CNY", "4.5", "0.15", "13.5")]
        )
      ])
  }
}

// MARK: - What is on screen

extension TerminalEmulator {
  /// The rows inside the box with this title; empty if there is none.
  func box(_ title: String) -> [String] {
    for y in 0..<size.rows {
      for x in 0..<size.columns where isCorner("╭┌+", x, y) {
        let head = (x..<size.columns).map { cell(x: $0, y: y).text }.joined()
        guard head.dropFirst().hasPrefix(" \(title)"),
          let end = (x + 1..<size.columns).first(where: { isCorner("╮┐+", $0, y) })
        else { continue }
        var rows: [String] = []
        for below in y + 1..<size.rows where !isCorner("╰└+", x, below) {
          rows.append((x + 1..<end).map { cell(x: $0, y: below).text }.joined())
          if below + 1 < size.rows, isCorner("╰└+", x, below + 1) { break }
        }
        return rows
      }
    }
    return []
  }

  private func isCorner(_ corners: String, _ x: Int, _ y: Int) -> Bool {
    let text = cell(x: x, y: y).text
    return !text.isEmpty && corners.contains(text)
  }

  /// The words of the first row of a box that begins with `word`, or has it as its second word.
  func words(in title: String, of word: String) -> [String] {
    box(title).map { $0.split(separator: " ").map(String.init) }
      .first { $0.prefix(2).contains(word) } ?? []
  }

  /// The words behind a label of the spend card. `+?` behind an amount means that a part has no price.
  func spend(_ label: String) -> String {
    for row in box("Spend") where row.hasPrefix(label + " ") {
      let words = row.dropFirst(label.count).split(separator: " ").joined(separator: " ")
      return words.replacingOccurrences(of: " + ?", with: " +?")
    }
    return ""
  }

  /// The first row: plan, window, what is read.
  var header: String { rows.first ?? "" }
}

extension PseudoTerminal {
  /// Waits until the row of `word` in a box has exactly these words.
  func waitForRow(
    of word: String, in title: String, _ expected: String, within seconds: Double = patience
  ) throws {
    try wait(for: "'\(expected)' in '\(title)'", within: seconds) {
      $0.words(in: title, of: word).joined(separator: " ") == expected
    }
  }

  /// Waits for a value of the spend card.
  func waitForSpend(_ label: String, _ expected: String, within seconds: Double = patience) throws {
    try wait(for: "\(label) '\(expected)' in the spend card", within: seconds) {
      $0.spend(label) == expected
    }
  }

  /// Waits with the patience of these tests.
  func see(_ text: String) throws { try waitFor(text, within: patience) }

  func seeNo(_ text: String) throws { try waitForAbsence(of: text, within: patience) }
}

/// What a shell expects to find after any program.
func expectGivenBack(
  _ terminal: PseudoTerminal, sourceLocation: SourceLocation = #_sourceLocation
) {
  let screen = terminal.screen
  #expect(!screen.isAlternateScreenActive, sourceLocation: sourceLocation)
  #expect(screen.isCursorVisible, sourceLocation: sourceLocation)
  #expect(!screen.isMouseReporting, sourceLocation: sourceLocation)
  #expect(!screen.isKeypadTransmitting, sourceLocation: sourceLocation)
  #expect(!screen.isSynchronizing, sourceLocation: sourceLocation)
  #expect(terminal.isCooked, sourceLocation: sourceLocation)
}
