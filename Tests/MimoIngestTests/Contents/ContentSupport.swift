import Foundation
import MimoEngine
import MimoSQLite
import Testing

@testable import MimoIngest

/// The sums of what sources hold now, read as `report` does.
func scanned(_ sources: LogSource..., threads: Int = 1) -> Measures {
  sums(
    ParallelScan(
      of: sources, ledger: Ledger(promptEdges: []), readTime: Decoded.readTime, threads: threads
    ).snapshot)
}

/// Sources followed live, and what they came to.
final class Watch {
  let collector: LogCollector
  private let follower: LogFollower

  init(_ sources: LogSource..., options: LogFollower.Options = LogFollower.Options()) throws {
    collector = LogCollector(
      ledger: Ledger(promptEdges: []), sources: sources, clock: { Decoded.readTime })
    follower = try LogFollower(sources: sources, options: options)
    var isCaughtUp = false
    collector.onRound = { isCaughtUp = $1 }
    while !isCaughtUp { follower.step(collector, timeoutMilliseconds: 50) }
    collector.onRound = { _, _ in }
  }

  var sums: Measures { MimoIngestTests.sums(collector.ledger.snapshot()) }
  var tokens: TokenCounts { sums.tokens }

  /// Follows until the condition holds; a failure after ten seconds.
  func wait(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
    until condition: (Measures) -> Bool
  ) {
    let deadline = monotonicMilliseconds() + 10_000
    while !condition(sums) {
      guard monotonicMilliseconds() < deadline else {
        Issue.record("waited in vain until \(what): \(sums)", sourceLocation: sourceLocation)
        return
      }
      follower.step(collector, timeoutMilliseconds: 50)
    }
  }

  /// Follows until nothing is left to do, events and pauses included.
  func settle() {
    let end = monotonicMilliseconds() + 200
    while monotonicMilliseconds() < end { follower.step(collector, timeoutMilliseconds: 20) }
  }
}

extension ScratchFolder {
  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// A database in write-ahead mode, as the tools have it, that stays open as long as the value.
  func database(_ name: String, _ sql: String) throws -> SQLiteConnection {
    let file = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    let database = try SQLiteConnection(path: file.path, access: .readWrite)
    try database.execute("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; \(sql)")
    return database
  }
}
