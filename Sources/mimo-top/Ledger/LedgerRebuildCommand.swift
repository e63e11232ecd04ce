import ArgumentParser
import MimoDashboard
import MimoEngine
import MimoIngest
import MimoStore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// `mimo-top ledger rebuild`.
struct LedgerRebuildCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild",
    abstract: "Count all logs anew; what no log tells any more is taken over from the old ledger.",
    discussion: """
      The old ledger is set aside in a folder of its own beside the new one, and never deleted.
      """)

  func run() throws {
    let configuration = try Configuration(CommonOptions.parse([]))
    let aside = try LedgerCommand.attempt { () throws(StoreError) in
      try LedgerStore.setAside(folder: UserFolders.state, now: SystemClock.now)
    }
    let scan = try LedgerCommand.attempt { () throws(StoreError) in
      try LedgerScan(configuration)
    }
    for notice in scan.notices { StandardStreams.complain(notice) }
    var text =
      "counted \(NumberFormat.counted(scan.snapshot.requests, "call")) in \(NumberFormat.counted(Int64(scan.files.count), "log"))\n"
    if let aside {
      let kept = try takeOver(aside, scan.snapshot, configuration)
      text += "took over \(NumberFormat.counted(kept, "call")) that no log tells any more\n"
      text += "the old ledger is in \(aside)\n"
    }
    StandardStreams.print(text)
  }

  /// Adds what the old ledger has and no log tells.
  private func takeOver(
    _ folder: String, _ recount: UsageSnapshot, _ configuration: Configuration
  ) throws -> Int64 {
    let store = try LedgerCommand.openForWriting()
    defer { store.close() }
    var bytes: [UInt8] = []
    try LedgerCommand.attempt { () throws(StoreError) in
      let old = try LedgerStore.open(folder: folder, access: .read, now: SystemClock.now)
      defer { old.close() }
      try old.freeze()
      let sessions = recount.sessions
      _ = try LedgerExport(
        of: old, promptEdges: configuration.catalog.promptEdges, now: SystemClock.now,
        includesOld: true,
        where: { entry in
          switch entry {
          case .call(let key): return store.call(key) == nil
          // Of calls without ids the sessions tell whether they were counted anew.
          case .sum(let source, let session):
            return !sessions.contains(UsageSnapshot.Session(source: source, session: session))
          }
        }
      ) { bytes += Array($0.utf8) }
    }
    let path = UserFolders.state + "/rebuild-\(getpid()).jsonl"
    defer { unlink(path) }
    try AtomicFile.write(bytes, to: path, mode: 0o600, replacing: true)
    return try LedgerAddition.count([path], into: store).reduce(0) { $0 + Int64($1.records) }
  }
}

extension UsageSnapshot {
  struct Session: Hashable {
    var source: String
    var session: String
  }

  /// The sessions with usage.
  fileprivate var sessions: Set<Session> {
    var used: Set<UInt32> = []
    cube.forEachCell { cell, _ in used.insert(cell.series) }
    return Set(
      used.map { position in
        let labels = cube.series[Int(position)].labels
        return Session(source: names[labels.source], session: names[labels.session])
      })
  }

  fileprivate var requests: Int64 {
    var requests: Int64 = 0
    cube.forEachCell { cell, _ in requests += Int64(cell.requests) }
    return requests
  }
}
