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

  // A year has tens of thousands of addresses, a week a few hundred: what is shown has a list of its own, which only
  // grows, so that a position in it stays valid.
  /// The archive's positions of the addresses that are shown.
  private var shown: [UInt32] = []
  /// The addresses, as far as they were asked for.
  private var series: [Series] = []
  /// The place in `shown` by the archive's position; `.max` where there is none.
  private var places: [UInt32] = []
  /// Snapshots with so many addresses went through as they were, so that their positions are in use.
  private var passedOn = 0

  /// Nothing.
  public init() {}

  /// Puts cells in the place of those of a day.
  public mutating func replace(_ day: Int32, with cells: CellList) {
    // What was shown so far keeps its positions.
    if shown.isEmpty { for position in 0..<passedOn { _ = place(of: UInt32(position)) } }
    days[day] = cells.chunks.map { placed($0) }
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
    if days.isEmpty, shown.isEmpty {
      if !snapshot.cube.chunks.isEmpty { passedOn = snapshot.cube.series.count }
      return snapshot
    }
    let chunks = ordered ?? days.sorted { $0.key < $1.key }.flatMap(\.value)
    ordered = chunks
    var result = snapshot
    result.cube.chunks = chunks + snapshot.cube.chunks.map { placed($0) }
    for index in result.recent.indices {
      result.recent[index].series = place(of: result.recent[index].series)
    }
    while series.count < shown.count {
      series.append(snapshot.cube.series[Int(shown[series.count])])
    }
    result.cube.series = series
    result.revision &+= revision
    return result
  }

  private mutating func placed(_ chunk: CellChunk) -> CellChunk {
    var chunk = chunk
    for row in chunk.cells.indices {
      chunk.cells[row].series = place(of: chunk.cells[row].series)
    }
    return chunk
  }

  @inline(__always)
  private mutating func place(of position: UInt32) -> UInt32 {
    if Int(position) < places.count, places[Int(position)] != .max { return places[Int(position)] }
    return newPlace(of: position)
  }

  private mutating func newPlace(of position: UInt32) -> UInt32 {
    if Int(position) >= places.count {
      places += Array(repeating: .max, count: Int(position) + 1 - places.count)
    }
    let place = UInt32(shown.count)
    places[Int(position)] = place
    shown.append(position)
    return place
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
