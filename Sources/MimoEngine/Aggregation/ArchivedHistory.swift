/// Archived cells for a screen or a report: those of the days that are shown, beside what a ledger holds.
///
///     var history = ArchivedHistory()
///     history.replace(day, with: cells)
///     let snapshot = history.before(ledger.snapshot())
public struct ArchivedHistory: Sendable {
  /// The cells of a day in UTC, counted from 1970-01-01.
  private var days: [Int32: [CellChunk]] = [:]
  /// The same in order, made when it is asked for.
  private var ordered: [CellChunk]? = []
  private var revision: UInt64 = 0

  /// Nothing.
  public init() {}

  /// The days it has, whether or not there are cells.
  public var heldDays: some Collection<Int32> { days.keys }

  /// Puts cells in the place of those of a day.
  public mutating func replace(_ day: Int32, with cells: CellList) {
    days[day] = cells.chunks
    ordered = nil
    revision += 1
  }

  /// Forgets a day.
  public mutating func remove(_ day: Int32) {
    guard let chunks = days.removeValue(forKey: day), !chunks.isEmpty else { return }
    ordered = nil
    revision += 1
  }

  /// Adds these cells to those of a snapshot with the same names and addresses.
  public mutating func before(_ snapshot: UsageSnapshot) -> UsageSnapshot {
    let chunks = ordered ?? days.sorted { $0.key < $1.key }.flatMap(\.value)
    ordered = chunks
    var result = snapshot
    result.cube.chunks = chunks + snapshot.cube.chunks
    result.revision &+= revision
    return result
  }
}

extension UsageSnapshot {
  /// A snapshot without cells of a base.
  public init(_ base: LedgerBase, revision: UInt64) {
    self.init(
      cube: UsageCube(promptEdges: base.promptEdges), names: base.names,
      recent: base.recent.map(RecentCall.init), revision: revision)
    cube.series = base.series
  }
}

extension RecentCall {
  init(_ entry: ArchivedRecent) {
    let call = entry.call
    self.init(
      time: call.time, series: call.series, tokens: call.tokens, failed: call.failed,
      statedCost: call.statedCost, quantities: call.quantities,
      durationMilliseconds: entry.durationMilliseconds)
  }
}

/// Cells in the form a cube has them in.
public struct CellList: Sendable {
  /// The cells.
  public private(set) var chunks: [CellChunk] = []

  /// No cells.
  public init() {}

  /// Calls `body` with each cell.
  public func forEach(_ body: (ArchivedCell) -> Void) {
    for chunk in chunks {
      for (row, cell) in chunk.cells.enumerated() {
        body(ArchivedCell(cell, chunk.extras(of: row)))
      }
    }
  }

  /// Adds the cells of another list, none of which is in this one.
  public mutating func append(contentsOf other: CellList) {
    if chunks.isEmpty { return chunks = other.chunks }
    other.forEach { append($0) }
  }

  /// Adds a cell that is not in the list.
  @inline(__always)
  public mutating func append(_ cell: ArchivedCell) {
    var last = chunks.count - 1
    // Asked in place: a copy of the chunk would count references for each cell.
    if last < 0 || chunks[last].cells.count == CellChunk.capacity {
      chunks.append(CellChunk())
      last += 1
    }
    chunks[last].append(
      UsageCell(
        minute: cell.minute, series: cell.series, requests: cell.requests, errors: cell.errors,
        tokens: cell.tokens))
    if cell.statedCalls != 0 || !cell.quantities.isZero {
      chunks[last].restoreExtras(chunks[last].cells.count - 1, cell)
    }
  }
}

extension CellChunk {
  /// Puts what is archived beside the tokens of a cell.
  mutating func restoreExtras(_ row: Int, _ cell: ArchivedCell) {
    if !cell.quantities.isZero {
      if quantities.isEmpty { quantities = Array(repeating: Quantities(), count: cells.count) }
      quantities[row] = cell.quantities
    }
    if cell.statedCalls != 0 {
      if stated.isEmpty { stated = Array(repeating: StatedCost(), count: cells.count) }
      stated[row].amount = cell.statedCost
      stated[row].calls = cell.statedCalls
    }
  }
}
