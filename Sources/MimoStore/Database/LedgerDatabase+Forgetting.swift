import MimoEngine
import MimoSQLite

extension LedgerDatabase {
  /// Deletes the calls made before a minute. Those that open a conversation remain as its opening.
  func prune(callsBefore minute: Minute) throws(SQLiteError) {
    let isPruned = { (call: ArchivedCall) in call.time.minute < minute }
    try changeOpenings { (_, opening) throws(SQLiteError) in
      guard let key = opening.call, let call = try self.call(key), isPruned(call) else {
        return opening
      }
      return opening.without(call, leaving: call)
    }
    try deleteCalls(where: isPruned)
    // They are shown without being asked for again.
    try changeRecent { entry in
      var entry = entry
      entry.hasID = entry.hasID && !isPruned(entry.call)
      return entry
    }
    try set(.prunedBefore, laterThan: minute)
    // Once a month: they have no check sums.
    try indexAgain()
  }

  /// Deletes the usage and the alerts before a minute, and the names that nothing else has.
  func forget(before minute: Minute) throws(SQLiteError) {
    try forget { time, _ in time < minute }
    try forgetAlerts(before: minute)
    try set(.forgottenBefore, laterThan: minute)
  }

  /// Deletes the usage of a source, and the names that nothing else has.
  func forget(source: String, now: Instant) throws(SQLiteError) {
    let book = try wholeBook()
    let isGone = book.series.map { book.names[$0.labels.source] == source }
    guard isGone.contains(true) else { return }
    try forget(leavingKeys: now) { _, series in isGone[Int(series)] }
    let (key, text) = (Fingerprint(of: source).value, String(now.milliseconds))
    try set(
      StoreNote(kind: Self.forgottenSource, key: String(key, radix: 16), value: Array(text.utf8)))
  }

  /// The kind of notes that tell when a source was forgotten, by the fingerprint of its name.
  private static let forgottenSource = "forgotten"

  /// When sources were forgotten, by the fingerprints of their names.
  func forgottenSources() throws(SQLiteError) -> [Fingerprint: Instant] {
    var sources: [Fingerprint: Instant] = [:]
    for note in try notes(kind: Self.forgottenSource) {
      guard let key = UInt64(String(decoding: note.key, as: UTF8.self), radix: 16),
        let time = Int64(String(decoding: note.value ?? [], as: UTF8.self))
      else { throw .corrupt }
      sources[Fingerprint(value: key)] = Instant(milliseconds: time)
    }
    return sources
  }

  private func set(_ name: StateValue, laterThan minute: Minute) throws(SQLiteError) {
    let earlier = try self.minute(name) ?? minute
    try set(name, Int64(max(earlier, minute).number))
  }

  // MARK: - Forgetting

  /// - Parameter now: given, the keys of calls remain, so that they are not counted again.
  private func forget(
    leavingKeys now: Instant? = nil, where isForgotten: @escaping (Minute, UInt32) -> Bool
  ) throws(SQLiteError) {
    let isGone = { (call: ArchivedCall) in isForgotten(call.time.minute, call.series) }
    guard var base = try base(promptEdges: []) else { throw .corrupt }
    base.recent.removeAll { isGone($0.call) }
    let book = try wholeBook()
    let needed = try neededSeries(base, isForgotten)
    try forgetOpenings(book, needed, isGone)
    try deleteCalls(leavingKeys: now, where: isGone)
    try deleteCells(where: isForgotten)
    try set(.recent, CallCoding.encode(base.recent))
    try forgetNames(book, needed)
  }

  /// Positions of the addresses that something has which remains.
  private func neededSeries(
    _ base: LedgerBase, _ isForgotten: (Minute, UInt32) -> Bool
  ) throws(SQLiteError) -> Set<UInt32> {
    var needed = Set(base.recent.map(\.call.series))
    try cells(in: nil) { cell in
      if !isForgotten(cell.minute, cell.series) { needed.insert(cell.series) }
    }
    try forEachCall { (_, entry) in
      if case .call(let call) = entry, !call.isForgotten,
        !isForgotten(call.time.minute, call.series)
      {
        needed.insert(call.series)
      }
    }
    return needed
  }

  private func deleteCells(where isForgotten: (Minute, UInt32) -> Bool) throws(SQLiteError) {
    let commit = try (number(.commit) ?? 0) + 1
    try set(.commit, commit)
    for hour in try hours(changedSince: 0) {
      var cells: [ArchivedCell] = []
      try self.cells(of: hour) { cells.append($0) }
      let kept = cells.filter { !isForgotten($0.minute, $0.series) }
      // An hour without cells stays as a row, for those who ask what changed.
      if kept.count < cells.count { try set(kept, of: hour, commit: commit) }
    }
  }

  private func deleteCalls(
    leavingKeys now: Instant? = nil, where isGone: (ArchivedCall) -> Bool
  ) throws(SQLiteError) {
    var gone: [UInt64] = []
    var redirects: [UInt64] = []
    try forEachCall { (key, entry) in
      switch entry {
      case .call(let call): if isGone(call) { gone.append(key) }
      case .redirect: redirects.append(key)
      }
    }
    for key in gone {
      if let now {
        let rest = ArchivedCall(forgotten: key, time: now, series: 0)
        try set(call: key, CallCoding.encode(rest))
      } else {
        try delete(call: key)
      }
    }
    for key in redirects where try call(key) == nil { try delete(call: key) }
  }

  /// A conversation that goes on keeps a mark that something opened it: without one its next call would.
  private func forgetOpenings(
    _ book: AddressBook, _ needed: Set<UInt32>, _ isGone: (ArchivedCall) -> Bool
  ) throws(SQLiteError) {
    var remaining: [NameID: UInt32] = [:]
    for position in needed { remaining[book.series[Int(position)].conversation] = position }
    try changeOpenings { (conversation, opening) throws(SQLiteError) in
      guard let series = remaining[conversation] else { return nil }
      var opening = opening
      if let call = opening.nameless, isGone(call) {
        opening.nameless = ArchivedCall(markAt: call.time, series)
      }
      guard let key = opening.call, let call = try self.call(key), isGone(call) else {
        return opening
      }
      return opening.without(call, leaving: ArchivedCall(markAt: call.time, series))
    }
  }

  /// Empties the names that no address has which is needed. They keep their places.
  private func forgetNames(_ book: AddressBook, _ needed: Set<UInt32>) throws(SQLiteError) {
    var isNeeded = Array(repeating: false, count: book.names.count)
    for position in needed {
      for name in book.series[Int(position)].names { isNeeded[Int(name.index)] = true }
    }
    let names = (1..<book.names.count).map { position in
      isNeeded[position]
        ? book.names.withBytes(of: NameID(UInt32(position))) { Array($0) } : []
    }
    try replace(names: names)
    try forgetDrivers(except: Set(names.map { String(decoding: $0, as: UTF8.self) }))
  }

  // MARK: - Changing many

  /// Puts what `change` returns in the place of each opening; `nil` deletes it.
  private func changeOpenings(
    _ change: (NameID, ArchivedOpening) throws(SQLiteError) -> ArchivedOpening?
  ) throws(SQLiteError) {
    var openings: [(NameID, ArchivedOpening)] = []
    try forEachOpening { openings.append(($0, $1)) }
    for (conversation, opening) in openings {
      let changed = try change(conversation, opening)
      if changed == opening { continue }
      if let changed {
        try set(changed, of: conversation)
      } else {
        let delete = try statement("DELETE FROM opening WHERE conversation = ?1")
        delete.bind(Int64(conversation.index), at: 1)
        try delete.run()
      }
    }
  }

  private func changeRecent(_ change: (ArchivedRecent) -> ArchivedRecent) throws(SQLiteError) {
    guard let base = try base(promptEdges: []) else { throw .corrupt }
    try set(.recent, CallCoding.encode(base.recent.map(change)))
  }
}

extension ArchivedOpening {
  /// The same when its call is not known by an id any more, and something else stands for it.
  fileprivate func without(_ call: ArchivedCall, leaving mark: ArchivedCall) -> ArchivedOpening {
    // Of two of one time the call without an id opens, as in a ledger.
    let isFirst = nameless.map { call.time < $0.time } ?? true
    return ArchivedOpening(call: nil, nameless: isFirst ? mark : nameless)
  }
}

extension ArchivedCall {
  /// A call that counts nothing.
  fileprivate init(markAt time: Instant, _ series: UInt32) {
    self.init(key: 0, time: time, series: series)
    calls = 0
  }
}
