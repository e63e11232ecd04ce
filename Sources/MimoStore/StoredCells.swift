import MimoEngine
import MimoSQLite

/// The cells of a ledger for whoever goes over them once or twice: hours are decoded one after the other, and few of
/// them are in memory.
///
/// What cannot be read is left out and remembered as the store's `readError`: ask for that before a number is used.
public struct StoredCells: CellSource {
  private let store: LedgerStore
  private let leftOut: Set<Hour>
  /// The first and the last minute with usage.
  public let span: ClosedRange<Minute>?

  /// The cells of a store.
  ///
  /// - Parameters:
  ///   - store: stays open as long as this is in use.
  ///   - hours: the hours that have cells, in order.
  ///   - leftOut: hours whose cells are known from elsewhere.
  public init(of store: LedgerStore, hours: [Hour], except leftOut: Set<Hour>) {
    self.store = store
    self.leftOut = leftOut
    let mine = hours.filter { !leftOut.contains($0) }
    func minutes(of hour: Hour?) -> [Minute] {
      hour.map { store.cells(of: $0).map(\.minute) } ?? []
    }
    let ends = (minutes(of: mine.first).min(), minutes(of: mine.last).max())
    span = ends.0.flatMap { first in ends.1.map { first...$0 } }
  }

  /// Calls `body` with the cells of each hour that touches these minutes.
  public func forEachChunk(in minutes: Range<Minute>?, _ body: (CellChunk) -> Void) {
    if let minutes, minutes.isEmpty { return }
    let hours = minutes.map {
      Hour(of: $0.lowerBound)..<Hour(Hour(of: $0.upperBound.advanced(by: -1)).number + 1)
    }
    // Called before this returns, and by this thread.
    withoutActuallyEscaping(body) { body in
      nonisolated(unsafe) let body = body
      let leftOut = leftOut
      store.answer { (database) throws(SQLiteError) -> Void? in
        try database.forEachChunk(in: hours, except: leftOut, SlabDecoder(), body)
      }
    }
  }
}
