import MimoEngine
import MimoSQLite

extension LedgerDatabase {
  /// Stores changes; returns the numbers that the addresses have here, as far as something has them.
  func commit(_ changes: LedgerChanges, _ notes: [StoreNote]) throws(SQLiteError) -> [UInt32] {
    for note in notes { try set(note) }
    if changes.isEmpty && notes.isEmpty { return changes.numbers }
    let commit = try (number(.commit) ?? 0) + 1
    try set(.commit, commit)
    var numbers = try NumberAssignment(changes, in: self)
    func numbered(_ call: ArchivedCall) throws(SQLiteError) -> ArchivedCall {
      var call = call
      call.series = try numbers.number(of: call.series)
      return call
    }
    for (hour, cells) in changes.hours.sorted(by: { $0.key < $1.key }) {
      var cells = cells
      for index in cells.indices {
        cells[index].series = try numbers.number(of: cells[index].series)
      }
      try set(cells, of: hour, commit: commit)
    }
    // In the order of the table: a first scan fills it page by page.
    let keys = changes.calls.map { Int64(bitPattern: $0.key) }
    for index in keys.indices.sorted(by: { keys[$0] < keys[$1] }) {
      let call = changes.calls[index]
      try set(call: call.key, CallCoding.encode(numbered(call)))
    }
    for (key, target) in changes.redirects {
      try set(call: key, CallCoding.encode(redirect: target, of: key))
    }
    for (conversation, opening) in changes.openings {
      var opening = opening
      if let call = opening.nameless { opening.nameless = try numbered(call) }
      try set(opening, of: numbers.number(of: conversation))
    }
    if var recent = changes.recent {
      for index in recent.indices { recent[index].call = try numbered(recent[index].call) }
      try set(.recent, CallCoding.encode(recent))
    }
    try numbers.store()
    try set(.loadCounts, changes.load.counts)
    try set(.loadCalls, changes.load.calls)
    return numbers.numbers
  }

  // MARK: - Notes

  func set(_ note: StoreNote) throws(SQLiteError) {
    let change = try statement(
      note.value == nil
        ? "DELETE FROM note WHERE kind = ?1 AND key = ?2"
        : "INSERT OR REPLACE INTO note VALUES (?1, ?2, ?3)")
    change.bind(note.kind, at: 1)
    change.bind(note.key, at: 2)
    if let value = note.value { change.bind(value, at: 3) }
    try change.run()
  }

  /// All notes of a kind, in the order of their keys.
  func notes(kind: String) throws(SQLiteError) -> [StoreNote] {
    let query = try statement("SELECT key, value FROM note WHERE kind = ?1 ORDER BY key")
    defer { query.reset() }
    query.bind(kind, at: 1)
    var notes: [StoreNote] = []
    while try query.step() {
      notes.append(
        StoreNote(
          kind: kind, key: query.withBlob(0) { Array($0 ?? Self.nothing) },
          value: query.withBlob(1) { Array($0 ?? Self.nothing) }))
    }
    return notes
  }

  /// The notes that no log tells again, and whether all of them could be read.
  func readableLastingNotes() -> (notes: [StoreNote], isWhole: Bool) {
    var notes: [StoreNote] = []
    var isWhole = true
    for kind in StoreNote.lastingKinds {
      do throws(SQLiteError) { notes += try self.notes(kind: kind) } catch { isWhole = false }
    }
    return (notes, isWhole)
  }

  private static var nothing: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: nil, count: 0)
  }

  // MARK: - Looking at everything

  /// Reads all there is.
  ///
  /// - Throws: `SQLiteError.corrupt` if anything is damaged.
  func verify() throws(SQLiteError) {
    let check = try statement("PRAGMA quick_check(1)")
    defer { check.reset() }
    guard try check.step(), check.text(0) == "ok" else { throw .corrupt }
    guard try base(promptEdges: []) != nil else { throw .corrupt }
    let book = try wholeBook()
    try verifyKeys(of: book)
    try cells(in: nil) { _ in }
    var redirects: [UInt64] = []
    try forEachCall { (key, entry) in
      if case .redirect = entry { redirects.append(key) }
    }
    for key in redirects { _ = try call(key) }
    try forEachOpening { _, _ in }
    _ = try notes(kind: "")
    _ = try number("SELECT count(*) FROM span")
  }
}
