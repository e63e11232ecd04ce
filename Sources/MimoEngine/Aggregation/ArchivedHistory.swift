/// Archived cells for a screen or a report: those of the days that are shown, beside what a ledger holds.
///
///     var history = ArchivedHistory()
///     history.replace(with: [day: cells], addresses: archive.addresses, names: archive.names)
///     let snapshot = history.before(ledger.snapshot())
public struct ArchivedHistory: Sendable, ArchiveReader {
  /// The cells of a day in UTC, counted from 1970-01-01.
  private var days: [Int32: [CellChunk]] = [:]
  /// The same in order, made when it is asked for.
  private var ordered: [CellChunk]? = []
  private var revision: UInt64 = 0

  // A year has tens of thousands of addresses, a week a few hundred: what is shown has a list of its own, which only
  // grows, so that a number in it stays valid.
  var names = NameTable()
  var numbers = ArchiveNumbers()
  /// The addresses with the names of here, each once; prompts and not bands tell them apart, which may end elsewhere yet.
  private var addresses: [ArchivedAddress] = []
  private var index = HashIndex()
  /// The same with the bands of now.
  private var series: [Series] = []
  private var bands: UsageCube
  /// The numbers here of the names and addresses of a ledger.
  private var ledger = LedgerNumbers()
  /// The last snapshot that went through as it was: its numbers are in use. Without its cells.
  private var passedOn: UsageSnapshot?

  private struct LedgerNumbers {
    var names = SparseNumbers()
    var series: [UInt32] = []
  }

  /// Nothing.
  ///
  /// - Parameter promptEdges: prompt sizes at which some price changes, ascending, if they are known yet.
  public init(promptEdges: [Int64] = []) { bands = UsageCube(promptEdges: promptEdges) }

  /// Puts cells in the place of those of some days.
  ///
  /// - Parameters:
  ///   - cells: by day in UTC, counted from 1970-01-01.
  ///   - addresses: looks up addresses by the archive's numbers.
  ///   - names: looks up names by the archive's numbers.
  public mutating func replace<Failure: Error>(
    with cells: consuming [Int32: CellList],
    addresses: ([UInt32]) throws(Failure) -> [ArchivedAddress],
    names: ([UInt32]) throws(Failure) -> [[UInt8]]
  ) throws(Failure) {
    if cells.isEmpty { return }
    keepNumbersPassedOn()
    // All at once: the addresses of several days may lie in the same places.
    try learn(unknownNumbers(in: cells), addresses: addresses, names: names)
    for day in Array(cells.keys) {
      guard var list = cells.removeValue(forKey: day) else { continue }
      list.renumber { numbers.series[$0] ?? noAddress() }
      days[day] = list.chunks
    }
    ordered = nil
    revision += 1
  }

  /// The archive's cells of some minutes with the numbers that `before` gives, for who goes over them without having
  /// them in memory.
  ///
  /// - Parameters:
  ///   - source: brings them with the archive's numbers; is gone through once here, to meet their addresses.
  ///   - addresses: looks up addresses by the archive's numbers.
  ///   - names: looks up names by the archive's numbers.
  public mutating func passing<Failure: Error>(
    _ source: any CellSource, in minutes: Range<Minute>,
    addresses: ([UInt32]) throws(Failure) -> [ArchivedAddress],
    names: ([UInt32]) throws(Failure) -> [[UInt8]]
  ) throws(Failure) -> any CellSource {
    keepNumbersPassedOn()
    var unknown: Set<UInt32> = []
    source.forEachChunk(in: minutes) { chunk in
      for cell in chunk.cells where numbers.series[cell.series] == nil {
        unknown.insert(cell.series)
      }
    }
    try learn(Array(unknown), addresses: addresses, names: names)
    return NumberedCells(
      source: source, minutes: minutes, numbers: numbers.series, noAddress: noAddress())
  }

  /// Forgets a day.
  public mutating func remove(_ day: Int32) {
    guard let chunks = days.removeValue(forKey: day), !chunks.isEmpty else { return }
    ordered = nil
    revision += 1
  }

  /// Adds these cells to those of a ledger that goes on with the same archive: the same one each time.
  public mutating func before(_ snapshot: UsageSnapshot) -> UsageSnapshot {
    setBands(snapshot.cube.promptEdges)
    if days.isEmpty, series.isEmpty {
      passedOn = snapshot.withoutCells
      return snapshot
    }
    adopt(snapshot)
    var result = snapshot
    result.cube.renumber { ledger.series[Int($0)] }
    for index in result.recent.indices {
      result.recent[index].series = ledger.series[Int(result.recent[index].series)]
    }
    complete(&result)
    return result
  }

  /// These cells as a snapshot without a ledger.
  ///
  /// - Parameters:
  ///   - base: says which calls are the latest.
  ///   - addresses: looks up addresses by the archive's numbers.
  ///   - names: looks up names by the archive's numbers.
  public mutating func snapshot<Failure: Error>(
    _ base: LedgerBase, revision: UInt64,
    addresses: ([UInt32]) throws(Failure) -> [ArchivedAddress],
    names: ([UInt32]) throws(Failure) -> [[UInt8]]
  ) throws(Failure) -> UsageSnapshot {
    setBands(base.promptEdges)
    try learn(base.recent.map(\.call.series), addresses: addresses, names: names)
    var result = UsageSnapshot(
      cube: UsageCube(promptEdges: base.promptEdges), names: self.names,
      recent: base.recent.map(RecentCall.init), revision: revision)
    for index in result.recent.indices {
      result.recent[index].series = numbers.series[result.recent[index].series] ?? noAddress()
    }
    complete(&result)
    return result
  }

  /// Puts the cells, names and addresses into a snapshot whose own cells have the numbers of here.
  private mutating func complete(_ snapshot: inout UsageSnapshot) {
    let chunks = ordered ?? days.sorted { $0.key < $1.key }.flatMap(\.value)
    ordered = chunks
    snapshot.cube.chunks = chunks + snapshot.cube.chunks
    snapshot.cube.series = series
    snapshot.names = names
    snapshot.revision &+= revision
  }

  // MARK: - Numbers

  mutating func number(of series: Series, smallestPrompt: Int64) -> UInt32 {
    var address = ArchivedAddress(series: series, smallestPrompt: smallestPrompt)
    address.series.band = 0
    let key = address.key
    if let known = index.find(key, isEqual: { addresses[Int($0)] == address }) { return known }
    addresses.append(address)
    self.series.append(address.series(in: bands))
    let all = addresses
    index.append(key) { all[Int($0)].key }
    return UInt32(all.count - 1)
  }

  /// The archive's numbers in cells that have none here yet, some of them repeated.
  private func unknownNumbers(in cells: [Int32: CellList]) -> [UInt32] {
    var unknown: [UInt32] = []
    for list in cells.values {
      for chunk in list.chunks {
        for cell in chunk.cells {
          // Cells of one address follow one another.
          if unknown.last != cell.series, numbers.series[cell.series] == nil {
            unknown.append(cell.series)
          }
        }
      }
    }
    return unknown
  }

  /// What stands for an address that could not be looked up.
  private mutating func noAddress() -> UInt32 {
    number(of: Series(labels: Labels(), tier: .standard, band: 0, flags: []), smallestPrompt: 0)
  }

  /// Gives numbers to what a ledger has that has none here yet.
  private mutating func adopt(_ snapshot: UsageSnapshot) {
    for series in snapshot.cube.series[ledger.series.count...] {
      let renamed = series.renamed { id in
        if let known = ledger.names[id.index] { return NameID(known) }
        let own = snapshot.names.withBytes(of: id) { names.intern($0) }
        ledger.names[id.index] = own.index
        return own
      }
      let smallest = snapshot.cube.smallestPrompt(ofBand: series.band)
      ledger.series.append(number(of: renamed, smallestPrompt: smallest))
    }
  }

  /// What was shown so far keeps its numbers.
  private mutating func keepNumbersPassedOn() {
    guard let snapshot = passedOn else { return }
    passedOn = nil
    names = snapshot.names
    for series in snapshot.cube.series {
      let smallest = snapshot.cube.smallestPrompt(ofBand: series.band)
      _ = number(of: series, smallestPrompt: smallest)
    }
  }

  /// Lets bands end at these prompt sizes.
  private mutating func setBands(_ promptEdges: [Int64]) {
    if bands.promptEdges == promptEdges { return }
    bands = UsageCube(promptEdges: promptEdges)
    series = addresses.map { $0.series(in: bands) }
  }
}

extension ArchivedAddress {
  /// A well mixed number: equal addresses have equal ones.
  fileprivate var key: UInt64 {
    Fingerprint(value: series.key).combined(with: UInt64(bitPattern: smallestPrompt)).value
  }

  /// The address with its band.
  fileprivate func series(in bands: UsageCube) -> Series {
    var series = series
    series.band = bands.band(ofPrompt: smallestPrompt)
    return series
  }
}

/// Cells of some minutes with other numbers.
private struct NumberedCells: CellSource {
  let source: any CellSource
  let minutes: Range<Minute>
  let numbers: SparseNumbers
  let noAddress: UInt32

  var span: ClosedRange<Minute>? { source.span }

  func forEachChunk(in wanted: Range<Minute>?, _ body: (CellChunk) -> Void) {
    source.forEachChunk(in: wanted.map { $0.clamped(to: minutes) } ?? minutes) { chunk in
      var chunk = chunk
      chunk.renumber { numbers[$0] ?? noAddress }
      body(chunk)
    }
  }
}

extension UsageSnapshot {
  fileprivate var withoutCells: UsageSnapshot {
    var result = self
    result.cube.chunks = []
    result.cube.source = nil
    result.recent = []
    return result
  }
}

extension UsageCube {
  /// Gives each cell in memory another series.
  mutating func renumber(_ number: (UInt32) -> UInt32) {
    for chunk in chunks.indices { chunks[chunk].renumber(number) }
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
