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
  public func opening(of conversation: [UInt8]) -> ArchivedOpening? {
    answer { (database) throws(SQLiteError) in
      guard let number = try database.findName(conversation) else { return nil }
      return try database.opening(of: NameID(number))
    }
  }

  /// All calls with an id that are filed under a conversation. Cost: linear in all calls.
  public func calls(of conversation: [UInt8]) -> [ArchivedCall] {
    answer { (database) throws(SQLiteError) in
      guard let number = try database.findName(conversation) else { return [] }
      let series = try database.series(of: number)
      var calls: [ArchivedCall] = []
      try database.forEachCall { (_, entry) in
        if case .call(let call) = entry, series.contains(call.series) { calls.append(call) }
      }
      return calls
    } ?? []
  }

  /// The addresses with these numbers.
  public func addresses(at numbers: [UInt32]) -> [ArchivedAddress] {
    answer { (database) throws(SQLiteError) in try database.addresses(at: numbers) } ?? []
  }

  /// The names with these numbers.
  public func names(at numbers: [UInt32]) -> [[UInt8]] {
    answer { (database) throws(SQLiteError) in try database.names(at: numbers) } ?? []
  }
}

// What a ledger begins with and leaves behind.
extension LedgerStore {
  /// What a ledger begins with.
  ///
  /// - Parameter promptEdges: prompt sizes at which some price changes, ascending. The base has these and the
  ///   ones stored; a stored band becomes that of its smallest prompt. A writer stores the result.
  /// - Parameter now: when this is.
  public func base(promptEdges: [Int64], now: Instant) throws(StoreError) -> LedgerBase {
    let (base, isSettled) = try reading { (database) throws(SQLiteError) in
      let base = try database.base(promptEdges: promptEdges)
      return (base, try database.storedEdges() == base?.promptEdges)
    }
    guard let base else { throw .tooManyEdges(path: path) }
    if isWriter, !isSettled {
      try writing(now: now) { (database) throws(SQLiteError) in
        try database.settle(promptEdges: promptEdges)
      }
    }
    return base
  }

  /// All names and addresses. Cost: linear in all there ever were.
  ///
  /// - Parameter promptEdges: prompt sizes at which bands end, beside those stored.
  /// - Parameter ahead: the same as it was read ahead, which is taken if nothing was stored since.
  public func addressBook(
    promptEdges: [Int64] = [], ahead: BookAhead? = nil
  ) throws(StoreError) -> AddressBook {
    let book = try reading { (database) throws(SQLiteError) in
      try database.addressBook(promptEdges: promptEdges, ahead: ahead)
    }
    guard let book else { throw .tooManyEdges(path: path) }
    return book
  }

  /// Stores changes and notes in one transaction.
  ///
  /// - Parameter now: how far the span in which this writer keeps the ledger reaches from now on.
  /// - Returns: for each address in `changes` its number here, or `LedgerChanges.unknownNumber` if nothing has it.
  /// - Throws: `StoreError`; nothing is stored then, and the same may be tried again. After `lost` and `damaged` only a
  ///   new store can go on.
  @discardableResult
  public func commit(
    _ changes: LedgerChanges, notes: [StoreNote] = [], now: Instant
  ) throws(StoreError) -> [UInt32] {
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
  /// Names and addresses are to be looked up afterwards: those of a later moment have all that a cell refers to.
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

  /// Those of some hours that have cells, in order.
  public func hours(in hours: Range<Hour>) throws(StoreError) -> [Hour] {
    try reading { (database) throws(SQLiteError) in try database.hours(in: hours) }
  }

  /// The first hour that has cells; `nil` if none has.
  public var firstHour: Hour? {
    get throws(StoreError) {
      try reading { (database) throws(SQLiteError) in
        try database.number("SELECT number FROM hour WHERE written > 0 ORDER BY number LIMIT 1")
          .map { Hour(Int32(clamping: $0)) }
      }
    }
  }

  /// The addresses with these numbers, for who shows their cells.
  ///
  /// - Parameter numbers: ascending.
  public func storedAddresses(
    at numbers: [UInt32]
  ) throws(StoreError) -> [ArchivedAddress] {
    try reading { (database) throws(SQLiteError) in try database.addresses(at: numbers) }
  }

  /// The names with these numbers, for who shows their cells.
  ///
  /// - Parameter numbers: ascending.
  public func storedNames(at numbers: [UInt32]) throws(StoreError) -> [[UInt8]] {
    try reading { (database) throws(SQLiteError) in try database.names(at: numbers) }
  }
}
