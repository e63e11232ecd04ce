#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

import MimoEngine
import MimoSQLite

/// What a ledger takes over from the one whose place it is to take.
struct LedgerHeritage: Sendable {
  var identity: LedgerIdentity
  var created: Instant
  var spans: [StoreSpan]
  var forgottenBefore: Minute?
  var notes: [StoreNote]
  /// What remains of calls that were forgotten.
  var forgotten: [ArchivedCall]
}

// A ledger that is counted anew.
extension LedgerStore {
  /// Begins a ledger in another folder that is to take this one's place: with its name, salt and history of keeping,
  /// what may not come back, and all notes but those of some kinds.
  ///
  /// - Throws: `StoreError`; this ledger is as it was.
  public func successor(
    in folder: String, withoutNotes left: Set<String>, now: Instant
  ) throws(StoreError) -> LedgerStore {
    let identity = LedgerIdentity(origin: origin, keySalt: keySalt)
    let heritage = try reading { (database) throws(SQLiteError) in
      LedgerHeritage(
        identity: identity, created: Instant(milliseconds: try database.number(.created) ?? 0),
        spans: try database.spans(), forgottenBefore: try database.minute(.forgottenBefore),
        notes: try database.allNotes().filter { !left.contains($0.kind) },
        forgotten: try database.forgottenCalls())
    }
    var opening = StoreOpening(folder: StoreFolder(path: folder), access: .write, now: now)
    opening.heritage = heritage
    return try LedgerStore(opening)
  }

  /// Puts the ledger of another folder, which nobody has open, in the place of this one, and lets go of the lock. Until
  /// the last step, which is the change of one name, this ledger stays where it is, whatever happens.
  ///
  /// - Returns: the folder with the former ledger, which can be opened for reading like any other.
  /// - Throws: `StoreError`; nothing was replaced then.
  public func replace(byThatOf successor: String, now: Instant) throws(StoreError) -> String {
    try state.withLock { state throws(StoreError) in
      guard state.isWriter, state.database != nil else { throw .closed(path: path) }
      guard folder.databaseIdentity == state.identity else { throw .lost(path: path) }
      let new = StoreFolder(path: successor)
      if new.hasPendingChanges { throw .busy(path: new.database) }
      try settle(&state)
      defer { state.lock = nil }
      return try folder.exchange(for: new, now: now)
    }
  }

  /// Brings all into the database file itself and closes it, still with the right to write it.
  private func settle(_ state: inout StoreState) throws(StoreError) {
    var isSettled = false
    do throws(SQLiteError) {
      let connection = state.database!.connection
      if connection.isInTransaction { try connection.execute("COMMIT") }
      // Readers are waited for, as long as the connection waits for a lock; each is in the way for a moment only.
      for _ in 0..<10 where !isSettled { isSettled = try connection.isCheckpointed() }
    } catch {
      throw StoreError(path: path, error)
    }
    if !isSettled { throw .busy(path: path) }
    state.database = nil
  }
}

extension SQLiteConnection {
  /// Tries to bring all of the write-ahead log into the database; `false` if a reader is in the way.
  fileprivate func isCheckpointed() throws(SQLiteError) -> Bool {
    let query = try prepare("PRAGMA wal_checkpoint(TRUNCATE)")
    return try query.step() && query.integer(0) == 0
  }
}

extension StoreFolder {
  /// Keeps the database, which is whole without its companions, in a folder of its own, and puts that of another in
  /// its place.
  fileprivate func exchange(for new: StoreFolder, now: Instant) throws(StoreError) -> String {
    let aside = StoreFolder(path: try makeFolderForFormer(now))
    do throws(StoreError) {
      // A second name first, so that there is a ledger at any time. Some file systems have no second names.
      let isLinked = link(database, aside.database) == 0
      if !isLinked { try Self.move(database, to: aside.database) }
      for companion in Self.companions { unlink(database + companion) }
      do throws(StoreError) {
        try Self.move(new.database, to: database)
      } catch {
        if isLinked { unlink(aside.database) } else { rename(aside.database, database) }
        throw error
      }
    } catch {
      rmdir(aside.path)
      throw error
    }
    return aside.path
  }

  private static func move(_ old: String, to new: String) throws(StoreError) {
    if rename(old, new) != 0 { throw StoreError(path: old, systemError: errno) }
  }

  private func makeFolderForFormer(_ now: Instant) throws(StoreError) -> String {
    let name = "\(path)/before-\(Self.stamp(now))"
    var target = name
    var number = 1
    while mkdir(target, 0o700) != 0 {
      guard errno == EEXIST else { throw StoreError(path: target, systemError: errno) }
      number += 1
      target = "\(name)-\(number)"
    }
    return target
  }
}

extension LedgerDatabase {
  /// Fills a new ledger with what it takes over.
  func inherit(_ heritage: LedgerHeritage) throws(SQLiteError) {
    let insert = try statement("INSERT INTO span (began, ended) VALUES (?1, ?2)")
    for span in heritage.spans {
      insert.bind(span.began.milliseconds, at: 1)
      insert.bind(span.ended.milliseconds, at: 2)
      try insert.run()
    }
    if let minute = heritage.forgottenBefore { try set(.forgottenBefore, Int64(minute.number)) }
    for note in heritage.notes { try set(note) }
    if heritage.forgotten.isEmpty { return }
    // They have to have a series, which says nothing.
    try append(series: [Series(labels: Labels(), tier: .standard, band: 0, flags: [])])
    for call in heritage.forgotten {
      try set(
        call: call.key,
        CallCoding.encode(ArchivedCall(forgotten: call.key, time: call.time, series: 0)))
    }
  }

  fileprivate func forgottenCalls() throws(SQLiteError) -> [ArchivedCall] {
    var calls: [ArchivedCall] = []
    try forEachCall { (_, entry) in
      if case .call(let call) = entry, call.isForgotten { calls.append(call) }
    }
    return calls
  }

  fileprivate func allNotes() throws(SQLiteError) -> [StoreNote] {
    var kinds: [String] = []
    try forEachRow("SELECT DISTINCT kind FROM note ORDER BY kind") {
      kinds.append($0.text(0) ?? "")
    }
    var all: [StoreNote] = []
    for kind in kinds { all += try notes(kind: kind) }
    return all
  }
}
