import Foundation
import MimoEngine

@testable import MimoIngest

/// Sources followed by one process.
final class Process {
  let collector: LogCollector
  let follower: LogFollower
  /// Called between two rounds.
  var onRound: (LogCollector) -> Void = { _ in }
  private var isCaughtUp = false

  init(
    _ sources: [LogSource], ledger: Ledger = Ledger(promptEdges: []), states: [FileState] = [],
    roundBytes: Int = 4 << 20, windowBytes: Int = 1 << 20
  ) throws {
    var options = LogFollower.Options()
    options.watching = .polling
    // Looked at when a test says so.
    options.pollMilliseconds = 100_000
    options.rereadMilliseconds = 0
    options.roundBytes = roundBytes
    options.windowBytes = windowBytes
    collector = LogCollector(
      ledger: ledger, sources: sources, restoring: states, clock: { Decoded.readTime })
    follower = try LogFollower(
      sources: sources, places: states.map(\.place), options: options)
    collector.onRound = { [unowned self] collector, isCaughtUp in
      self.isCaughtUp = isCaughtUp
      onRound(collector)
    }
  }

  /// Follows until everything that is there has been read.
  func settle() {
    // What was found by the first look is read by then, and what that led to.
    for _ in 0..<2 {
      follower.lookAgain()
      isCaughtUp = false
      follower.remote.ask()
      repeat { follower.step(collector, timeoutMilliseconds: 5) } while !isCaughtUp
    }
  }

  /// The files that were followed, gone ones included.
  var reports: [FileReport] { collector.fileReports + collector.goneFiles.map(\.state.report) }
}

/// Sources followed by many processes one after another, of which each takes up what the last has stored.
final class Processes {
  private(set) var process: Process
  /// What is stored: a ledger, and the states that belong to it.
  private var ledger = Ledger(promptEdges: [])
  private var states: [String: [UInt8]] = [:]
  private let sources: [LogSource]
  private var dice: Dice
  private let roundBytes: Int
  private let windowBytes: Int

  init(
    _ sources: [LogSource], seed: UInt64 = 1, roundBytes: Int = 4 << 20, windowBytes: Int = 1 << 20
  ) throws {
    self.sources = sources
    self.roundBytes = roundBytes
    self.windowBytes = windowBytes
    dice = Dice(seed: seed)
    process = try Process(sources)
    try start()
  }

  private func start() throws {
    let stored = states.values.map { FileState(encoded: $0)! }
    process = try Process(
      sources, ledger: ledger, states: stored, roundBytes: roundBytes, windowBytes: windowBytes)
    process.onRound = { [unowned self] collector in
      if Bool.random(using: &dice) { store(collector) }
    }
  }

  private func store(_ collector: LogCollector) {
    for state in collector.takeStates() { states[state.key] = state.encoded }
    ledger = collector.ledger
  }

  /// Stores what is known now.
  func store() { store(process.collector) }

  /// Ends the process without warning: what was not stored is lost. Another one begins.
  func restart() throws { try start() }

  /// How many files are stored.
  var stored: [FileState] { states.values.compactMap { FileState(encoded: $0) } }
}

/// All that a ledger has counted, as texts in some order.
func contents(_ snapshot: UsageSnapshot) -> [String] {
  func text(_ position: UInt32) -> String {
    let series = snapshot.cube.series[Int(position)]
    let names = Labels.names.map { snapshot.names[series.labels[keyPath: $0]] }
    return
      "\(names) \(snapshot.names[series.conversation]) \(series.tier) \(series.flags.rawValue)"
  }
  var lines: [String] = []
  snapshot.cube.forEachCell { cell, extras in
    let stated = extras.map { "\($0.stated.amount.exactText) \($0.stated.calls)" } ?? "0 0"
    let things = extras?.quantities ?? Quantities()
    lines.append(
      "\(cell.minute.number) \(text(cell.series)) \(cell.requests) \(cell.errors) \(cell.tokens) \(stated) \(things)"
    )
  }
  for call in snapshot.recent {
    lines.append(
      "call \(call.time.milliseconds) \(text(call.series)) \(call.tokens) \(call.failed) \(call.statedCost?.exactText ?? "-")"
    )
  }
  return lines.sorted()
}

/// What is told of files, as texts in some order; without those of which there is nothing to tell.
///
/// Bytes are left out: a newline may be read with its line or later, and what is read wholly is read more often.
///
/// Which of two files a call counts for that is in both depends on the order of reading; the sum does not.
func contents(_ reports: [FileReport]) -> [String] {
  reports.filter { $0.tally.lines > 0 }.map { report in
    "\(report.path) \(report.tally) \(report.formats) \(report.records + report.duplicates) \(report.copiesLeftOut) \(report.refused) \(report.newest?.milliseconds ?? 0) \(report.error ?? "")"
  }.sorted()
}
