import Foundation
import MimoEngine
import Testing

@testable import MimoStore

/// A ledger that takes another one's place, and what a folder keeps of its ledgers.
@Suite struct ReplacingTests {
  private let folder = TemporaryFolder()
  private var scratch: String { folder.ledger + "/rebuild-1" }

  private func count(_ id: String, _ store: LedgerStore, source: String = "chat") throws {
    var ledger = Ledger(restoring: try store.base(promptEdges: [], now: testNow), archive: store)
    var record = UsageRecord(
      time: testNow, identity: CallIdentity(message: Fingerprint(of: id)),
      labels: Labels(source: ledger.names.intern(source)))
    record.tokens.output = 10
    ledger.record(record)
    try store.commit(
      ledger.changes(),
      notes: [
        StoreNote(kind: "alert", key: "a", value: [1]),
        StoreNote(kind: "file", key: "f", value: [2]),
      ], now: testNow)
  }

  private func requests(_ store: LedgerStore) throws -> Int64 {
    try store.statistics().sources.reduce(0) { $0 + $1.requests }
  }

  @Test func `a successor has the name, the limits and the notes, and takes the place at once`()
    throws
  {
    let old = try LedgerStore.open(folder)
    try count("a", old)
    try count("b", old, source: "tool")
    try old.forget(source: "tool", now: testNow)
    try old.forget(before: testNow.minute.advanced(by: -100), now: testNow)
    let new = try old.successor(
      in: scratch, withoutNotes: ["file"], now: testNow.advanced(byMilliseconds: 60_000))
    #expect(new.origin == old.origin && new.keySalt == old.keySalt)
    #expect(new.isSuccessor)
    #expect(try new.forgottenBefore == old.forgottenBefore)
    #expect(try new.forgottenSources == old.forgottenSources)
    #expect(try new.notes(kind: "alert").count == 1)
    #expect(try new.notes(kind: "file").isEmpty)
    #expect(try new.statistics().created == testNow)
    #expect(try new.statistics().spans == old.statistics().spans)
    #expect(try requests(new) == 0)
    // What was forgotten is not counted; what is new is.
    for id in ["b", "c"] { try count(id, new, source: "tool") }
    #expect(try requests(new) == 1)
    #expect(try new.allCalls().calls.count == 1)
    new.close()

    // A reader keeps what it looks at.
    let reader = try LedgerStore.open(folder, .read)
    #expect(try requests(reader) == 1)
    #expect(LedgerStore.isHeld(folder: folder.ledger))
    let aside = try old.replace(byThatOf: scratch, now: testNow)
    #expect(!LedgerStore.isHeld(folder: folder.ledger))
    let present = try LedgerStore.open(folder)
    #expect(try present.allCalls().calls.map(\.key) == [Fingerprint(of: "c").value])
    let former = try LedgerStore.open(another: aside + "/ledger.db", now: testNow)
    #expect(try former.allCalls().calls.map(\.key) == [Fingerprint(of: "a").value])
    #expect(throws: StoreError.closed(path: old.path)) {
      _ = try old.replace(byThatOf: scratch, now: testNow)
    }
  }

  @Test func `what cannot be put in place changes nothing`() throws {
    let old = try LedgerStore.open(folder)
    try count("a", old)
    #expect(throws: StoreError.self) { try old.replace(byThatOf: scratch, now: testNow) }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.ledger).allSatisfy {
        !$0.hasPrefix("before")
      })
    #expect(try requests(LedgerStore.open(folder)) == 1)
  }

  @Test func `the next ledger of a folder goes by the same name`() throws {
    let first = try LedgerStore.open(folder)
    let (origin, salt) = (first.origin, first.keySalt)
    first.close()
    let file = folder.ledger + "/ledger.id"
    #expect(
      try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
    try FileManager.default.removeItem(atPath: folder.ledger + "/ledger.db")
    var next = try LedgerStore.open(folder)
    #expect(next.origin == origin && next.keySalt == salt)
    next.close()
    // One that came from elsewhere brings its own; nonsense is no name.
    for text in [
      "", "origin 00\nkey_salt 1\n", "origin \(String(repeating: "0g", count: 16))\nkey_salt 1\n",
    ] {
      try text.write(toFile: file, atomically: true, encoding: .utf8)
      #expect(StoreFolder(path: folder.ledger).keptIdentity == nil)
    }
    next = try LedgerStore.open(folder)
    #expect(next.origin == origin)
    next.close()
    #expect(StoreFolder(path: folder.ledger).keptIdentity?.origin == origin)
    try FileManager.default.removeItem(atPath: folder.ledger)
    #expect(try LedgerStore.open(folder).origin != origin)
  }
}
