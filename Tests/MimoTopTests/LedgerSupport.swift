import Foundation
import MimoSQLite
import MimoTestSupport
import Testing

/// Usage as `report` tells it, for comparing.
struct ReportedUsage: Equatable, CustomStringConvertible {
  /// The rows and the totals, always written alike.
  let description: String
  let requests: Int?

  init(_ run: ProgramRun) throws {
    let report = try JSONReport(run.output)
    let data = try JSONSerialization.data(
      withJSONObject: ["rows": report.rows, "totals": report.totals],
      options: [.sortedKeys, .prettyPrinted])
    description = String(decoding: data, as: UTF8.self)
    requests = report.totals.number("requests")
  }
}

extension Sandbox {
  /// The folder of the ledger.
  var state: String { home + "/.local/state/mimo-top" }
  /// The ledger.
  var ledger: String { state + "/ledger.db" }
  /// A transcript of Claude Code.
  func transcript(_ session: String) -> String {
    home + "/.claude/projects/-home-ana-shop/\(session).jsonl"
  }

  /// A call in such a transcript, made an hour ago, so that each report has it.
  func call(_ id: String, session: String = "one", output: Int = 100) -> String {
    LogLines.claudeCode(
      id, "mimo-v2.6-pro", session: session, project: "/home/ana/shop", fresh: 1000, read: 9000,
      output: output, at: .minutesAgo(60))
  }

  /// Writes a transcript with this many calls.
  func writeTranscript(_ session: String = "one", calls: Int) throws {
    try write(
      (0..<calls).map { call("\(session)-\($0)", session: session) }.joined(),
      to: transcript(session))
  }

  /// What a report tells of each session.
  ///
  /// - Parameter status: the exit code it has to have; `nil` for any.
  func usage(
    _ arguments: [String] = [], environment: [String: String?] = [:], status: Int32? = 0,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> ReportedUsage {
    let run = try run(
      ["report", "--json", "--by", "session"] + arguments, environment: environment)
    if let status {
      #expect(run.ending == .status(status), "\(run.errors)", sourceLocation: sourceLocation)
    }
    return try ReportedUsage(run)
  }

  /// Runs a command and expects that it succeeds.
  @discardableResult
  func succeed(
    _ arguments: [String], environment: [String: String?] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let run = try run(arguments, environment: environment)
    #expect(
      run.ending == .status(0), "\(arguments): \(run.errors)\n\(run.output)",
      sourceLocation: sourceLocation)
    return run.output
  }

  /// Waits until the ledger on disk has so many calls.
  func waitUntilStored(_ requests: Int) throws {
    let deadline = Date().addingTimeInterval(patience)
    while true {
      let run = try run(["ledger", "--json"])
      let status =
        try? JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
      let sources = status?["sources"] as? [[String: Any]] ?? []
      if sources.reduce(0, { $0 + ($1.number("requests") ?? 0) }) == requests { return }
      try #require(
        Date() < deadline, "\(requests) calls are not stored: \(run.output)\(run.errors)")
      usleep(20_000)
    }
  }

  /// Makes the ledger from what is there now.
  func keep() throws { try succeed(["watch", "--once"]) }

  /// The names in the ledger's folder that begin so.
  func stateFiles(_ prefix: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: state).filter { $0.hasPrefix(prefix) }
      .sorted()
  }

  /// A connection to the ledger, beside the program.
  func ledgerDatabase() throws -> SQLiteConnection {
    try SQLiteConnection(path: ledger, access: .readWrite)
  }
}

extension PseudoTerminal {
  /// Waits until this many calls of the model are shown.
  func waitForCalls(_ count: Int, of model: String = "mimo-v2.6-pro") throws {
    try wait(for: "\(count) calls of \(model)", within: patience) {
      $0.words(in: "By model", of: model).dropFirst().first == String(count)
    }
  }

  /// Opens what was read, waits for a text there, and closes it again.
  func waitForNotice(_ text: String) throws {
    type("i")
    // Long sentences are broken into lines.
    try wait(for: "'\(text)' in what was read", within: patience) { screen in
      screen.box("What was read").map { $0.trimmingCharacters(in: .whitespaces) }
        .joined(separator: " ").contains(text)
    }
    type("i")
    try seeNo("What was read")
  }

  /// Leaves by the key for it.
  func quit() throws {
    type("q")
    #expect(try waitForExit(within: patience) == .status(0))
  }
}

/// Which processes end when, for tests that end them by force.
struct KillSchedule {
  /// About how many microseconds a run takes that nobody ends.
  private(set) var runTime = 200_000.0
  private(set) var kills = 0
  private var random: SplitMix

  init(seed: UInt64) { random = SplitMix(state: seed) }

  /// Starts a command and kills it somewhere between its first instruction and its end.
  ///
  /// - Parameters:
  ///   - storesFirst: whether it is asked to end, so that it stores what it has, before it is killed.
  ///   - work: what happens meanwhile.
  mutating func run(
    _ sandbox: Sandbox, _ arguments: [String], storesFirst: Bool = false, _ work: () throws -> Void
  ) throws {
    let begin = Date()
    let terminal = try sandbox.start(arguments)
    let life = runTime * Double.random(in: 0..<1, using: &random)
    for _ in 0..<2 {
      try work()
      usleep(UInt32(life / 2))
    }
    if storesFirst {
      terminal.send(signal: SIGTERM)
      usleep(UInt32.random(in: 0..<40_000, using: &random))
    }
    terminal.send(signal: SIGKILL)
    let ending = try terminal.waitForExit(within: patience)
    if case .signal(let signal) = ending, [SIGKILL, SIGTERM].contains(signal) {
      kills += 1
      runTime *= 1.01
    } else {
      #expect(ending == .status(0), "\(terminal.screen.text)")
      // It was faster: aim at shorter lives.
      let time = Date().timeIntervalSince(begin) * 1_000_000
      if !storesFirst { runTime = max(10_000, min(runTime, time) * 0.9) }
    }
  }
}
