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
  public mutating func replace(_ day: Int32, with cells: consuming CellList) {
    // What was shown so far keeps its positions.
    if shown.isEmpty { for position in 0..<passedOn { _ = place(of: UInt32(position)) } }
    cells.renumber { place(of: $0) }
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
    if days.isEmpty, shown.isEmpty {
      if !snapshot.cube.chunks.isEmpty { passedOn = snapshot.cube.series.count }
      return snapshot
    }
    let chunks = ordered ?? days.sorted { $0.key < $1.key }.flatMap(\.value)
    ordered = chunks
    var result = snapshot
    result.cube.chunks = chunks
    for var chunk in snapshot.cube.chunks {
      chunk.renumber { place(of: $0) }
      result.cube.chunks.append(chunk)
    }
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

/// Cells of some hours, and what some of them have beside their tokens.
public struct HourCells: Sendable {
  /// The cells.
  public var cells: [UsageCell] = []
  /// The rows of cells that have more, in order.
  public var extras: [(row: Int, CellExtras)] = []

  /// No cells.
  public init() {}
}

/// Cells in the form a cube has them in.
public struct CellList: Sendable {
  /// The cells.
  public private(set) var chunks: [CellChunk] = []

  /// No cells.
  public init() {}

  /// Calls `body` with each cell.
  public func forEach(_ body: (ArchivedCell) -> Void) {
    for chunk in chunks { chunk.forEach(body) }
  }

  /// Adds cells that are not in the list.
  public mutating func append(_ chunk: consuming CellChunk) { chunks.append(chunk) }

  /// Gives each cell another series.
  mutating func renumber(_ number: (UInt32) -> UInt32) {
    for chunk in chunks.indices { chunks[chunk].renumber(number) }
  }

  /// Adds a cell that is not in the list.
  public mutating func append(_ cell: ArchivedCell) {
    var last = chunks.count - 1
    if last < 0 || chunks[last].cells.count >= CellChunk.capacity {
      chunks.append(CellChunk())
      last += 1
    }
    chunks[last].append(
      UsageCell(
        minute: cell.minute, series: cell.series, requests: cell.requests, errors: cell.errors,
        tokens: cell.tokens))
    chunks[last].restore(cell.extras, of: chunks[last].cells.count - 1)
  }
}

extension CellChunk {
  mutating func renumber(_ number: (UInt32) -> UInt32) {
    for row in cells.indices { cells[row].series = number(cells[row].series) }
  }

  /// The cells of some hours.
  public init(_ hour: HourCells) {
    cells = hour.cells
    for cell in cells {
      firstMinute = min(firstMinute, cell.minute)
      lastMinute = max(lastMinute, cell.minute)
    }
    for (row, extras) in hour.extras { restore(extras, of: row) }
  }

  /// Calls `body` with each cell.
  public func forEach(_ body: (ArchivedCell) -> Void) {
    for (row, cell) in cells.enumerated() { body(ArchivedCell(cell, extras(of: row))) }
  }

  /// Puts what is archived beside the tokens of a cell.
  mutating func restore(_ extras: CellExtras, of row: Int) {
    if !extras.quantities.isZero {
      if quantities.isEmpty { quantities = Array(repeating: Quantities(), count: cells.count) }
      quantities[row] = extras.quantities
    }
    if extras.stated.calls != 0 || extras.stated.amount != .zero {
      if stated.isEmpty { stated = Array(repeating: StatedCost(), count: cells.count) }
      stated[row] = extras.stated
    }
  }
}
