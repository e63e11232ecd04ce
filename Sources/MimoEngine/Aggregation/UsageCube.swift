/// The address of a cell without its minute: who called what, in all respects a price, a table or the count of
/// conversations asks for.
public struct Series: Hashable, Sendable {
  /// The names the calls are filed under.
  public var labels: Labels
  /// The conversation whose growing prompt the cache holds: the session, or a sub-agent in it.
  public var conversation: NameID = .none
  /// The way of service.
  public var tier: ServiceTier
  /// The context band: how many of the cube's `promptEdges` the prompt was larger than.
  public var band: UInt8
  /// Yes-or-no facts about the calls.
  public var flags: Flags

  /// Creates an address.
  public init(
    labels: Labels, conversation: NameID = .none, tier: ServiceTier, band: UInt8, flags: Flags
  ) {
    self.labels = labels
    self.conversation = conversation
    self.tier = tier
    self.band = band
    self.flags = flags
  }

  /// A well mixed number: equal series have equal ones. Ledgers on disk find addresses by it: it never changes.
  public var key: UInt64 {
    func pair(_ a: NameID, _ b: NameID) -> UInt64 { UInt64(a.index) << 32 | UInt64(b.index) }
    return Fingerprint(value: pair(labels.model, labels.provider))
      .combined(with: pair(labels.source, labels.project))
      .combined(with: pair(labels.session, labels.key))
      .combined(
        with: UInt64(conversation.index) << 32 | UInt64(tier.rawValue) << 16 | UInt64(band) << 8
          | UInt64(flags.rawValue)
      ).value
  }

  /// Facts about a call that split cells.
  public struct Flags: OptionSet, Hashable, Sendable {
    /// The bits.
    public var rawValue: UInt8
    /// Creates flags from bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The log says nothing about the cache: left out of hit rates.
    public static let cacheUnknown = Flags(rawValue: 1)
    /// A proxy's own answer cache replied; nothing was billed.
    public static let answeredByProxyCache = Flags(rawValue: 2)
    /// The first call of a conversation, which can find nothing in a cache.
    public static let opensConversation = Flags(rawValue: 4)
    /// The log tells how long the speech was that was heard: what models billed by length need for a price.
    public static let tellsSeconds = Flags(rawValue: 8)
    /// Something of the prompt came from the provider's cache.
    public static let readsCache = Flags(rawValue: 16)
    /// A row that sums several calls, of which nobody knows how many read from the cache.
    public static let sumsCalls = Flags(rawValue: 32)
  }
}

/// Counts of one series in one minute: 64 bytes, one cache line.
public struct UsageCell: Sendable {
  /// The minute, in UTC.
  public var minute: Minute
  /// Position of the series in the cube's table.
  public var series: UInt32
  /// Calls answered or billed.
  public var requests: UInt32
  /// Calls the log marks as failed; those that billed tokens are requests too.
  public var errors: UInt32
  /// The tokens of these calls.
  public var tokens: TokenCounts

  /// Creates a cell.
  @inlinable public init(
    minute: Minute, series: UInt32, requests: UInt32, errors: UInt32, tokens: TokenCounts
  ) {
    (self.minute, self.series, self.tokens) = (minute, series, tokens)
    (self.requests, self.errors) = (requests, errors)
  }

  @inline(__always)
  mutating func change(by other: TokenCounts, requests: UInt32, errors: UInt32, isAdded: Bool) {
    if isAdded {
      tokens += other
      self.requests += requests
      self.errors += errors
    } else {
      tokens = tokens - other
      self.requests -= requests
      self.errors -= errors
    }
  }
}

/// The costs that logs state themselves.
public struct StatedCost: Sendable {
  /// Their sum in US dollars.
  public var amount = Amount.zero
  /// How many calls state a cost.
  public var calls: Int64 = 0

  /// A sum; nothing unless told.
  public init(amount: Amount = .zero, calls: Int64 = 0) {
    self.amount = amount
    self.calls = calls
  }
}

/// What only some logs tell, kept beside the cells that have it.
public struct CellExtras: Sendable {
  /// The costs that the log states.
  public var stated = StatedCost()
  /// What was used beside text.
  public var quantities = Quantities()

  /// Creates the extras of a cell.
  public init(stated: StatedCost = StatedCost(), quantities: Quantities = Quantities()) {
    self.stated = stated
    self.quantities = quantities
  }
}

/// A run of up to `capacity` cells, in the order in which they were first filled.
///
/// A snapshot shares chunks with the ledger; the next write copies one chunk, not the history.
public struct CellChunk: Sendable {
  /// Cells per chunk: 256 KiB to copy at most when a snapshot is held.
  public static let capacity = 4096

  /// The cells; one whose counts have moved elsewhere is left with all zeros.
  public internal(set) var cells: [UsageCell] = []
  /// Empty if no log of these calls states a cost, or one entry for each cell.
  public internal(set) var stated: [StatedCost] = []
  /// Empty if nothing but text was used, or one entry for each cell.
  public internal(set) var quantities: [Quantities] = []
  /// The earliest minute of any cell.
  public internal(set) var firstMinute = Minute(.max)
  /// The latest minute of any cell.
  public internal(set) var lastMinute = Minute(.min)

  mutating func append(_ cell: UsageCell) {
    cells.append(cell)
    if !stated.isEmpty { stated.append(StatedCost()) }
    if !quantities.isEmpty { quantities.append(Quantities()) }
    firstMinute = min(firstMinute, cell.minute)
    lastMinute = max(lastMinute, cell.minute)
  }

  /// Adds what few calls have to a cell, or takes away what was added before.
  mutating func change(_ row: Int, by beside: BesideTokens, isAdded: Bool) {
    if !beside.quantities.isZero {
      if quantities.isEmpty { quantities = Array(repeating: Quantities(), count: cells.count) }
      quantities[row].add(beside.quantities, sign: isAdded ? 1 : -1)
    }
    if let cost = beside.statedCost {
      if stated.isEmpty { stated = Array(repeating: StatedCost(), count: cells.count) }
      stated[row].amount += isAdded ? cost : .zero - cost
      stated[row].calls += isAdded ? 1 : -1
    }
  }

  /// What only some logs tell of a cell.
  @inlinable func extras(of index: Int) -> CellExtras? {
    if stated.isEmpty, quantities.isEmpty { return nil }
    return CellExtras(
      stated: stated.isEmpty ? StatedCost() : stated[index],
      quantities: quantities.isEmpty ? Quantities() : quantities[index])
  }
}

/// Cells that are not in memory: they come each time somebody goes over them.
public protocol CellSource: Sendable {
  /// The first and the last minute with usage, or `nil` if there is none.
  var span: ClosedRange<Minute>? { get }
  /// Calls `body` with cells, those of these minutes or of all among them; none of it outlives the call.
  func forEachChunk(in minutes: Range<Minute>?, _ body: (_ chunk: CellChunk) -> Void)
}

/// Counts of usage by minute and series. Counts only, never cost: any plan can be priced from it.
///
/// Cells come in no particular order and each (minute, series) occurs once.
public struct UsageCube: Sendable {
  /// Prompt sizes at which some price changes: a band is the number of edges the prompt is larger than.
  public let promptEdges: [Int64]
  /// The addresses; a cell's `series` is a position in here.
  public internal(set) var series: [Series] = []
  /// The cells that are in memory.
  public internal(set) var chunks: [CellChunk] = []
  /// Where more cells come from.
  public var source: (any CellSource)?

  /// Creates an empty cube.
  ///
  /// - Parameter promptEdges: ascending; at most 254.
  public init(promptEdges: [Int64]) {
    precondition(promptEdges.count < 255 && promptEdges == promptEdges.sorted(), "edges ascend")
    self.promptEdges = promptEdges
  }

  /// The band a prompt of this size belongs to.
  public func band(ofPrompt tokens: Int64) -> UInt8 {
    var band = 0
    while band < promptEdges.count, tokens > promptEdges[band] { band += 1 }
    return UInt8(band)
  }

  /// The smallest prompt of a band: every price tier treats it as it treats the whole band.
  public func smallestPrompt(ofBand band: UInt8) -> Int64 {
    band == 0 ? 0 : promptEdges[Int(band) - 1] + 1
  }

  /// Calls `body` with each cell that is not empty and starts in `minutes`, and with its extras.
  ///
  /// Cost: linear in the cells of the chunks that touch the range.
  @inlinable public func forEachCell(
    in minutes: Range<Minute>? = nil, _ body: (_ cell: UsageCell, _ extras: CellExtras?) -> Void
  ) {
    forEachChunk(in: minutes) { chunk in
      for (index, cell) in chunk.cells.enumerated() where cell.requests | cell.errors != 0 {
        if let minutes, !minutes.contains(cell.minute) { continue }
        body(cell, chunk.extras(of: index))
      }
    }
  }

  /// Calls `body` with each chunk that has cells of these minutes, or with all.
  @inlinable public func forEachChunk(
    in minutes: Range<Minute>? = nil, _ body: (_ chunk: CellChunk) -> Void
  ) {
    source?.forEachChunk(in: minutes, body)
    for chunk in chunks {
      if let minutes,
        chunk.lastMinute < minutes.lowerBound || chunk.firstMinute >= minutes.upperBound
      {
        continue
      }
      body(chunk)
    }
  }

  /// The first and the last minute with usage, or `nil` if there is none.
  public var span: ClosedRange<Minute>? {
    var first = source?.span?.lowerBound ?? Minute(.max)
    var last = source?.span?.upperBound ?? Minute(.min)
    for chunk in chunks {
      first = min(first, chunk.firstMinute)
      last = max(last, chunk.lastMinute)
    }
    return first <= last ? first...last : nil
  }
}

extension Minute: Strideable {
  /// Minutes from this one to `other`.
  public func distance(to other: Minute) -> Int { Int(other.number) - Int(number) }
  /// The minute `n` later.
  public func advanced(by n: Int) -> Minute { Minute(Int32(clamping: Int(number) + n)) }
}

/// One call for the list of latest calls.
public struct RecentCall: Sendable {
  /// When.
  public var time: Instant
  /// Position of its series in the cube.
  public var series: UInt32
  /// What was billed.
  public var tokens: TokenCounts
  /// Whether the log marks it as failed.
  public var failed: Bool
  /// The cost in US dollars that the log states.
  public var statedCost: Amount?
  /// What it used beside text.
  public var quantities: Quantities
  /// How long it took, if the log tells.
  public var durationMilliseconds: Int32?
}

/// Everything counted so far, as a value: what reports and panels are made from.
public struct UsageSnapshot: Sendable {
  /// The counts.
  public var cube: UsageCube
  /// The texts of the labels in `cube.series`.
  public var names: NameTable
  /// The latest calls, oldest first; at most `Ledger.recentCapacity`.
  public var recent: [RecentCall]
  /// Grows with each change; equal revisions of one ledger hold equal counts.
  public var revision: UInt64

  /// A snapshot without usage.
  public static func empty(promptEdges: [Int64] = []) -> UsageSnapshot {
    UsageSnapshot(
      cube: UsageCube(promptEdges: promptEdges), names: NameTable(), recent: [], revision: 0)
  }
}
