import MimoEngine
import MimoSQLite

// What a ledger asks.
extension LedgerStore: LedgerArchive {
  /// The call with this key, or the one it turned out to be. Cost: about a microsecond.
  public func call(_ key: UInt64) -> ArchivedCall? {
    answer { (database) throws(SQLiteError) in try database.call(key) }
  }

  /// All cells of an hour, in order of series and minute.
  public func cells(of hour: Hour) -> [ArchivedCell] {
    answer { (database) throws(SQLiteError) in
      var cells: [ArchivedCell] = []
      try database.cells(of: hour) { cells.append($0) }
      return cells
    } ?? []
  }

  /// The calls that may open a conversation.
  public func opening(of conversation: NameID) -> ArchivedOpening? {
    answer { (database) throws(SQLiteError) in try database.opening(of: conversation) }
  }

  /// All calls with an id that are filed under one of these series. Cost: linear in all calls.
  public func calls(of series: Set<UInt32>) -> [ArchivedCall] {
    answer { (database) throws(SQLiteError) in
      var calls: [ArchivedCall] = []
      try database.forEachCall { (_, entry) in
        if case .call(let call) = entry, series.contains(call.series) { calls.append(call) }
      }
      return calls
    } ?? []
  }
}

// What a ledger begins with and leaves behind.
extension LedgerStore {
  /// What a ledger begins with.
  ///
  /// - Parameter promptEdges: prompt sizes at which some price changes, ascending. The base has these and the
  ///   ones stored; a stored band becomes that of its smallest prompt. A writer stores the result.
  /// - Parameter now: when this is.
  /// - Parameter ahead: the same as it was read ahead, which is taken if nothing was stored since.
  public func base(
    promptEdges: [Int64], now: Instant, ahead: BaseAhead? = nil
  ) throws(StoreError) -> LedgerBase {
    let (base, isSettled) = try reading { (database) throws(SQLiteError) in
      let base = try database.base(promptEdges: promptEdges, ahead: ahead)
      return (base, try database.storedEdges() == base?.promptEdges)
    }
    guard let base else { throw .tooManyEdges(path: path) }
    if isWriter, !isSettled {
      try writing(now: now) { (database) throws(SQLiteError) in
        try database.settle(base)
        return true
      }
    }
    return base
  }

  /// Stores changes and notes in one transaction.
  ///
  /// - Parameter now: how far the span in which this writer keeps the ledger reaches from now on.
  /// - Throws: `StoreError`; nothing is stored then, and the same may be tried again. After `lost`, `outOfStep`
  ///   and `damaged` only a new store can go on.
  public func commit(
    _ changes: LedgerChanges, notes: [StoreNote] = [], now: Instant
  ) throws(StoreError) {
    try writing(now: now) { (database) throws(SQLiteError) in try database.commit(changes, notes) }
  }

  /// The notes of a kind, in the order of their keys.
  public func notes(kind: String) throws(StoreError) -> [StoreNote] {
    try reading { (database) throws(SQLiteError) in try database.notes(kind: kind) }
  }
}

// What a screen shows.
extension LedgerStore {
  /// The cells of some hours, or all, in order of hour, series and minute.
  ///
  /// Names and addresses are to be read afterwards, with `refresh`: those of a later moment have all that a cell
  /// refers to.
  public func cells(
    in hours: Range<Hour>? = nil, except leftOut: Set<Hour> = []
  ) throws(StoreError) -> CellList {
    try reading { (database) throws(SQLiteError) in
      var list = CellList()
      try database.forEachChunk(in: hours, except: leftOut) { list.append($0) }
      return list
    }
  }

  /// All calls, and the keys that lead to one of another key. Cost: linear in all calls.
  public func allCalls() throws(StoreError) -> (
    calls: [ArchivedCall], redirects: [UInt64: UInt64]
  ) {
    try reading { (database) throws(SQLiteError) in
      var calls: [ArchivedCall] = []
      var redirects: [UInt64: UInt64] = [:]
      try database.forEachCall { (key, entry) in
        switch entry {
        case .call(let call): if !call.isForgotten { calls.append(call) }
        case .redirect(let target): redirects[key] = target
        }
      }
      return (calls, redirects)
    }
  }

  /// The number of the last commit; grows with each one that changed something.
  public var commitNumber: Int64 {
    get throws(StoreError) {
      try reading { (database) throws(SQLiteError) in try database.number(.commit) ?? 0 }
    }
  }

  /// The hours that were written since a commit, in order, also those that have no cells any more; since commit 0
  /// those that have any.
  public func hours(changedSince commit: Int64) throws(StoreError) -> [Hour] {
    try reading { (database) throws(SQLiteError) in try database.hours(changedSince: commit) }
  }

  /// Brings a base of this store to the present moment; what it has keeps its place.
  public func refresh(_ base: inout LedgerBase) throws(StoreError) {
    let old = base
    let new = try reading { (database) throws(SQLiteError) in
      var new = old
      guard try database.refresh(&new) else {
        return try database.base(promptEdges: old.promptEdges)
      }
      return new
    }
    guard let new else { throw .tooManyEdges(path: path) }
    base = new
  }
}
