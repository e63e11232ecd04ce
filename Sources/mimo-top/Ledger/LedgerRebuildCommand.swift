import ArgumentParser
import MimoDashboard
import MimoEngine
import MimoIngest
import MimoStore

/// `mimo-top ledger rebuild`.
struct LedgerRebuildCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild",
    abstract: "Count all logs anew; what no log tells any more is taken over from the old ledger.",
    discussion: """
      The new ledger takes the old one's place when it is complete, and nobody else keeps the ledger meanwhile. The old \
      one is set aside in a folder of its own, and never deleted.
      """)

  @OptionGroup var options: LedgerOptions

  func run() throws {
    let configuration = try options.configuration()
    let hadLedger = LedgerStore.isThere(folder: UserFolders.state)
    let old = try LedgerCommand.openForWriting()
    defer { old.close() }
    for notice in old.notices { StandardStreams.complain(notice) }
    LedgerScratch.removeLeftovers(of: UserFolders.state)
    let scratch = try LedgerScratch.make("rebuild", in: UserFolders.state)
    defer { LedgerScratch.remove(scratch) }
    var text = try Self.count(configuration, old, in: scratch)
    let aside = try LedgerCommand.attempt { () throws(StoreError) in
      try old.replace(byThatOf: scratch, now: SystemClock.now)
    }
    if hadLedger { text += "the old ledger is in \(aside)\n" } else { LedgerScratch.remove(aside) }
    StandardStreams.print(text)
  }

  /// Makes the new ledger; returns what came of it.
  private static func count(
    _ configuration: Configuration, _ old: LedgerStore, in scratch: String
  ) throws -> String {
    let new = try LedgerCommand.attempt { () throws(StoreError) in
      try old.successor(
        in: scratch, withoutNotes: [LedgerKeeper.NoteKind.file, LedgerKeeper.NoteKind.state],
        now: SystemClock.now)
    }
    defer { new.close() }
    let scan = try LedgerCommand.attempt { () throws(StoreError) in
      try LedgerScan(keeping: new, configuration, .passing(nil))
    }
    for notice in scan.notices { StandardStreams.complain(notice) }
    if scan.hasTrouble {
      throw Failure(description: "the new ledger cannot be stored (nothing was changed)")
    }
    let counted = scan.snapshot.requests
    let export = scratch + "/old.jsonl"
    let takeover = try LedgerCommand.attempt { () throws(StoreError) in
      try LedgerTakeover(from: old, to: new)
    }
    _ = try LedgerExport.write(old, to: export, takeover.selection)
    _ = try LedgerAddition.count(
      [export], into: new, configuration,
      LedgerSumIntake(own: LedgerExport.origin(of: new), takesOwn: true), notes: takeover.files)
    return try LedgerCommand.attempt { () throws(StoreError) in
      if let minute = try old.identifiedFrom(now: SystemClock.now) {
        try new.prune(callsBefore: minute, now: SystemClock.now)
      }
      let kept = try new.statistics().requests - counted
      if let error = old.readError ?? new.readError { throw error }
      return
        "counted \(NumberFormat.counted(counted, "call")) in \(NumberFormat.counted(Int64(scan.files.count), "log"))\n"
        + "took over \(NumberFormat.counted(kept, "call")) that no log tells any more\n"
    }
  }
}

extension UsageSnapshot {
  fileprivate var requests: Int64 {
    var requests: Int64 = 0
    cube.forEachCell { cell, _ in requests += Int64(cell.requests) }
    return requests
  }
}
