import MimoEngine
import MimoSQLite

// A start reads a ledger beside its other work, before it is known what is wanted of it.

/// A moment of a ledger: as long as it is the same, no names and addresses were stored or forgotten.
struct StoreMoment: Hashable, Sendable {
  var origin: [UInt8]
  var commit: Int64
  /// The mark of the last writer: one that forgets commits no counts, and yet leaves its own.
  var writer: Int64?
}

/// All names and addresses, read ahead: they count as long as the ledger is of the same moment.
public struct BookAhead: Sendable {
  let moment: StoreMoment
  let book: AddressBook
}

/// The cells of the latest days, read ahead: they count as long as the hours that were written since are read again.
public struct CellsAhead: Sendable {
  let file: StoreFolder.Identity?
  /// The number of the commit after which they were read.
  public let commit: Int64
  /// The days of which there are cells here, in UTC, counted from 1970-01-01.
  public let days: [Int32]
  /// The cells.
  public let history: ArchivedHistory
}

extension LedgerStore {
  /// To be called before ledgers are opened on other threads, while this one may still change the environment.
  public static func prepareThreads() { SQLiteConnection.prepareLibrary() }

  /// Reads ahead all names and addresses in the ledger of a folder.
  ///
  /// - Throws: `StoreError`; whoever opens the ledger afterwards meets the same and says so.
  public static func bookAhead(folder: String, now: Instant) throws(StoreError) -> BookAhead {
    let store = try open(folder: folder, access: .read, now: now)
    defer { store.close() }
    return try store.reading { (database) throws(SQLiteError) in
      BookAhead(moment: try database.moment(), book: try database.wholeBook())
    }
  }

  /// Reads ahead the cells in the ledger of a folder.
  ///
  /// - Parameter first: the first of the days that are wanted, in UTC, counted from 1970-01-01.
  /// - Throws: `StoreError`; whoever opens the ledger afterwards meets the same and says so.
  public static func cellsAhead(
    folder: String, from first: Int32, now: Instant
  ) throws(StoreError) -> CellsAhead {
    let store = try open(folder: folder, access: .read, now: now)
    defer { store.close() }
    let file = store.state.withLock { $0.identity }
    return try store.reading { (database) throws(SQLiteError) in
      let days = Set(
        try database.hours(in: Hour(first * 24)..<Hour(.max)).map(\.day)
      ).sorted()
      var history = ArchivedHistory(promptEdges: try database.storedEdges())
      var cells: [Int32: CellList] = [:]
      for day in days {
        var list = CellList()
        try database.forEachChunk(in: Hour(day * 24)..<Hour(day * 24 + 24)) { list.append($0) }
        cells[day] = list
      }
      try history.replace(
        with: consume cells, addresses: database.addresses(at:), names: database.names(at:))
      return CellsAhead(
        file: file, commit: try database.number(.commit) ?? 0,
        days: days, history: history)
    }
  }

  /// Whether these cells come from this database, and not from one that had its place before.
  public func isOrigin(of ahead: CellsAhead) -> Bool {
    state.withLock { $0.identity != nil && $0.identity == ahead.file }
  }
}

extension LedgerDatabase {
  func moment() throws(SQLiteError) -> StoreMoment {
    StoreMoment(
      origin: try bytes(.origin) ?? [], commit: try number(.commit) ?? 0,
      writer: try number(.writer))
  }
}
