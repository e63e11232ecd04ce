/// The only writer of a cube: counts every call once, however often and in whatever order it is logged.
///
/// Not safe to share between threads; hand out `snapshot()` values instead.
///
///     var ledger = Ledger(promptEdges: book.promptEdges)
///     let model = ledger.names.intern("mimo-v2.6-pro")
///     ledger.record(UsageRecord(time: now, identity: id, labels: Labels(model: model)))
///     let report = Report(of: ledger.snapshot(), ...)
public struct Ledger: Sendable {
  /// What became of a record.
  public enum Outcome: Sendable {
    /// A call not seen before.
    case counted
    /// A call seen before; counters that grew were added.
    case repeated
  }

  /// How many latest calls a snapshot keeps.
  public static let recentCapacity = 256

  /// The names used by `Labels` of the records. Intern here before recording.
  public var names = NameTable()
  /// How many distinct calls with an id are known.
  public var knownCalls: Int { calls.count }

  private var cube: UsageCube
  private var seriesIndex: [Series: UInt32] = [:]
  private var lastSeries: (series: Series, index: UInt32)?
  private var cellIndex = HashIndex()
  private var callIndex = HashIndex()
  private var calls = ChunkedArray<Call>()
  private var callExtras: [UInt32: CallExtras] = [:]
  private var openings: [NameID: Opening] = [:]
  private var recent: [RecentCall] = []
  private var recentFloor = Instant(milliseconds: .min)
  private var isRecentOrdered = true
  private var revision: UInt64 = 0

  /// What is remembered of one call, to add only what grows when it is logged again.
  ///
  /// 44 bytes. Counters beyond 32 bits and stated costs are rare and live in `callExtras`.
  private struct Call {
    var key: UInt64
    var request: UInt32
    var cell: UInt32
    var tokens: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0, 0)
    var rank: CallIdentity.Rank
    var flags: UInt8

    static let hasExtras: UInt8 = 1
    static let failed: UInt8 = 2
  }

  private struct CallExtras {
    var tokens: TokenCounts
    var statedCost: Amount?
    var webSearches: Int32
    var calls: Int32
  }

  /// The earliest call of a conversation, and where it is remembered (`nil` if it has no id).
  private struct Opening {
    var time: Instant
    var key: UInt64
    var call: UInt32?
  }

  /// Creates an empty ledger.
  ///
  /// - Parameter promptEdges: prompt sizes at which some price changes, ascending.
  public init(promptEdges: [Int64]) { cube = UsageCube(promptEdges: promptEdges) }

  /// All counted so far; cheap, and unaffected by later records.
  public func snapshot() -> UsageSnapshot {
    UsageSnapshot(
      cube: cube, names: names, recent: Self.latest(of: recent), revision: revision)
  }

  /// Counts a call, or what a repeat of it adds.
  @discardableResult
  public mutating func record(_ record: UsageRecord) -> Outcome {
    revision += 1
    guard let identity = record.identity else {
      let series = seriesPosition(of: record, opening: opens(record, key: 0, call: nil))
      add(Contribution(of: record), to: cell(record.time.minute, series))
      remember(record, series: series, key: 0)
      return .counted
    }
    let request = UInt32(truncatingIfNeeded: identity.request ^ identity.request >> 32)
    if let position = find(identity.message.value) {
      let known = calls[position]
      if known.rank == .request, identity.rank == .request, known.request != request {
        return recordSecondRequest(record, identity)
      }
      if identity.rank < known.rank { return .repeated }
      merge(record, identity.rank, request, into: position, replacing: identity.rank > known.rank)
      return .repeated
    }
    insert(record, key: identity.message.value, identity.rank, request)
    return .counted
  }

  // MARK: - Calls

  /// A second request id under one message id: a call of its own, filed under the pair.
  private mutating func recordSecondRequest(_ record: UsageRecord, _ identity: CallIdentity)
    -> Outcome
  {
    let key = identity.message.combined(with: identity.request).value
    let request = UInt32(truncatingIfNeeded: identity.request ^ identity.request >> 32)
    if let position = find(key) {
      merge(record, .request, request, into: position, replacing: false)
      return .repeated
    }
    insert(record, key: key, .request, request)
    return .counted
  }

  private func find(_ key: UInt64) -> UInt32? {
    callIndex.find(key) { self.calls[$0].key == key }
  }

  private mutating func insert(
    _ record: UsageRecord, key: UInt64, _ rank: CallIdentity.Rank, _ request: UInt32
  ) {
    let position = UInt32(calls.count)
    let series = seriesPosition(
      of: record, opening: opens(record, key: key, call: position))
    let cell = cell(record.time.minute, series)
    let contribution = Contribution(of: record)
    var call = Call(key: key, request: request, cell: cell, rank: rank, flags: 0)
    if record.failed { call.flags |= Call.failed }
    add(contribution, to: cell)
    remember(record, series: series, key: key)
    calls.append(call)
    store(contribution, in: position)
    callIndex.insert(key, position) { [calls] in calls[$0].key }
  }

  private mutating func merge(
    _ record: UsageRecord, _ rank: CallIdentity.Rank, _ request: UInt32, into position: UInt32,
    replacing: Bool
  ) {
    var call = calls[position]
    let old = contribution(of: position)
    let oldCell = self[call.cell]
    var merged = replacing ? Contribution(of: record) : old.maximum(Contribution(of: record))
    let oldSeries = cube.series[Int(oldCell.series)]
    var record = record
    if !replacing {
      // A call failed only if no line of it succeeded; it is told by the cache if any line tells.
      record.failed = record.failed && call.flags & Call.failed != 0
      merged.settle(failed: record.failed)
      if !oldSeries.flags.contains(.cacheUnknown) { record.tellsCache = true }
      // The earliest line files the call; among lines of one minute the order of the names decides.
      let isEarlier =
        record.time.minute < oldCell.minute
        || (record.time.minute == oldCell.minute && comesBefore(record.labels, oldSeries.labels))
      if !isEarlier {
        record.labels = oldSeries.labels
        record.tier = oldSeries.tier
        record.answeredByProxyCache = oldSeries.flags.contains(.answeredByProxyCache)
        if record.time.minute != oldCell.minute { record.time = oldCell.minute.start }
      }
    }
    record.tokens = merged.tokens
    let opening =
      opens(record, key: call.key, call: position)
      || oldSeries.flags.contains(.opensConversation)
    let series = seriesPosition(of: record, opening: opening)
    let target =
      record.time.minute == oldCell.minute && series == oldCell.series
      ? call.cell : cell(record.time.minute, series)
    subtract(old, from: call.cell)
    add(merged, to: target)
    call.cell = target
    call.rank = rank
    call.request = request
    call.flags = record.failed ? Call.failed : 0
    calls[position] = call
    store(merged, in: position)
    if replacing || merged != old {
      remember(record, series: series, key: call.key, merged)
    }
  }

  private func comesBefore(_ a: Labels, _ b: Labels) -> Bool {
    if a == b { return false }
    for path in [\Labels.session, \.project, \.source, \.model, \.provider, \.key]
    where a[keyPath: path] != b[keyPath: path] {
      // What is stated comes before what is not, so that a copy with fewer labels never wins.
      let (x, y) = (names[a[keyPath: path]], names[b[keyPath: path]])
      return x.isEmpty != y.isEmpty ? y.isEmpty : x < y
    }
    return false
  }

  private func contribution(of position: UInt32) -> Contribution {
    let call = calls[position]
    let failed = call.flags & Call.failed != 0
    if call.flags & Call.hasExtras != 0, let extras = callExtras[position] {
      return Contribution(
        tokens: extras.tokens, statedCost: extras.statedCost, webSearches: extras.webSearches,
        calls: extras.calls, failed: failed)
    }
    let t = call.tokens
    return Contribution(
      tokens: TokenCounts(
        input: Int64(t.0), cacheRead: Int64(t.1), cacheWrite5m: Int64(t.2),
        cacheWrite1h: Int64(t.3),
        output: Int64(t.4), reasoning: Int64(t.5)),
      statedCost: nil, webSearches: 0, calls: 1, failed: failed)
  }

  private mutating func store(_ contribution: Contribution, in position: UInt32) {
    let t = contribution.tokens
    let widest = t.input | t.cacheRead | t.cacheWrite5m | t.cacheWrite1h | t.output | t.reasoning
    if widest > Int64(UInt32.max) || contribution.statedCost != nil || contribution.webSearches != 0
      || contribution.calls != 1
    {
      calls[position].flags |= Call.hasExtras
      callExtras[position] = CallExtras(
        tokens: t, statedCost: contribution.statedCost, webSearches: contribution.webSearches,
        calls: contribution.calls)
    } else {
      calls[position].flags &= ~Call.hasExtras
      calls[position].tokens = (
        UInt32(t.input), UInt32(t.cacheRead), UInt32(t.cacheWrite5m), UInt32(t.cacheWrite1h),
        UInt32(t.output), UInt32(t.reasoning)
      )
    }
  }

  // MARK: - Conversations

  /// Whether the record is the earliest call of its conversation so far; takes that away from the last holder.
  private mutating func opens(_ record: UsageRecord, key: UInt64, call: UInt32?) -> Bool {
    guard record.conversation != .none, record.isRequest else { return false }
    if let opening = openings[record.conversation] {
      guard (record.time, key) < (opening.time, opening.key) else { return false }
      if let holder = opening.call, holder != call { moveOutOfOpening(holder) }
    }
    openings[record.conversation] = Opening(time: record.time, key: key, call: call)
    return true
  }

  private mutating func moveOutOfOpening(_ position: UInt32) {
    let old = self[calls[position].cell]
    var series = cube.series[Int(old.series)]
    guard series.flags.remove(.opensConversation) != nil
    else { return }
    let target = cell(old.minute, self.position(of: series))
    let contribution = contribution(of: position)
    subtract(contribution, from: calls[position].cell)
    add(contribution, to: target)
    calls[position].cell = target
  }

  // MARK: - Cells

  private struct Contribution: Equatable {
    var tokens: TokenCounts
    var statedCost: Amount?
    var webSearches: Int32
    var calls: Int32
    var requests: UInt32
    var errors: UInt32

    init(of record: UsageRecord) {
      self.init(
        tokens: record.tokens, statedCost: record.statedCost, webSearches: record.webSearches,
        calls: record.calls, failed: record.failed)
    }

    init(tokens: TokenCounts, statedCost: Amount?, webSearches: Int32, calls: Int32, failed: Bool) {
      self.tokens = tokens
      self.statedCost = statedCost
      self.webSearches = webSearches
      self.calls = calls
      requests = 0
      errors = 0
      settle(failed: failed)
    }

    mutating func settle(failed: Bool) {
      requests = failed && tokens.isZero ? 0 : UInt32(calls)
      errors = failed ? UInt32(calls) : 0
    }

    func maximum(_ other: Contribution) -> Contribution {
      var result = self
      result.tokens = tokens.maximum(other.tokens)
      if let a = statedCost, let b = other.statedCost {
        result.statedCost = max(a, b)
      } else {
        result.statedCost = statedCost ?? other.statedCost
      }
      result.webSearches = max(webSearches, other.webSearches)
      result.calls = max(calls, other.calls)
      return result
    }
  }

  private subscript(cell: UInt32) -> UsageCell {
    cube.chunks[Int(cell) / CellChunk.capacity].cells[Int(cell) % CellChunk.capacity]
  }

  private mutating func seriesPosition(of record: UsageRecord, opening: Bool) -> UInt32 {
    var flags: Series.Flags = []
    if !record.tellsCache { flags.insert(.cacheUnknown) }
    if record.answeredByProxyCache { flags.insert(.answeredByProxyCache) }
    if opening { flags.insert(.opensConversation) }
    // A sum of several calls has no prompt size of its own: the mean decides the band.
    let prompt =
      record.calls > 1 ? record.tokens.prompt / Int64(record.calls) : record.tokens.prompt
    return position(
      of: Series(
        labels: record.labels, tier: record.tier, band: cube.band(ofPrompt: prompt), flags: flags))
  }

  private mutating func position(of series: Series) -> UInt32 {
    if let last = lastSeries, last.series == series { return last.index }
    var position = UInt32(cube.series.count)
    if let known = seriesIndex[series] {
      position = known
    } else {
      cube.series.append(series)
      seriesIndex[series] = position
    }
    lastSeries = (series, position)
    return position
  }

  private mutating func cell(_ minute: Minute, _ series: UInt32) -> UInt32 {
    let key = Self.cellKey(minute, series)
    let found = cellIndex.find(key) { position in
      let cell = self[position]
      return cell.minute == minute && cell.series == series
    }
    if let found { return found }
    if cube.chunks.last.map({ $0.cells.count == CellChunk.capacity }) ?? true {
      cube.chunks.append(CellChunk())
    }
    let last = cube.chunks.count - 1
    let position = UInt32(last * CellChunk.capacity + cube.chunks[last].cells.count)
    cube.chunks[last].cells.append(
      UsageCell(minute: minute, series: series, requests: 0, errors: 0, tokens: TokenCounts()))
    if !cube.chunks[last].extras.isEmpty { cube.chunks[last].extras.append(CellExtras()) }
    cube.chunks[last].firstMinute = min(cube.chunks[last].firstMinute, minute)
    cube.chunks[last].lastMinute = max(cube.chunks[last].lastMinute, minute)
    cellIndex.insert(key, position) { [cube] in
      let cell = cube.chunks[Int($0) / CellChunk.capacity].cells[Int($0) % CellChunk.capacity]
      return Self.cellKey(cell.minute, cell.series)
    }
    return position
  }

  private static func cellKey(_ minute: Minute, _ series: UInt32) -> UInt64 {
    Fingerprint(value: UInt64(series) | 1 << 40).combined(
      with: UInt64(bitPattern: Int64(minute.number))
    ).value
  }

  private mutating func add(_ c: Contribution, to cell: UInt32) { apply(c, to: cell, sign: 1) }
  private mutating func subtract(_ c: Contribution, from cell: UInt32) {
    apply(c, to: cell, sign: -1)
  }

  private mutating func apply(_ c: Contribution, to cell: UInt32, sign: Int64) {
    let chunk = Int(cell) / CellChunk.capacity
    let row = Int(cell) % CellChunk.capacity
    if sign > 0 {
      cube.chunks[chunk].cells[row].tokens += c.tokens
      cube.chunks[chunk].cells[row].requests += c.requests
      cube.chunks[chunk].cells[row].errors += c.errors
    } else {
      cube.chunks[chunk].cells[row].tokens = cube.chunks[chunk].cells[row].tokens - c.tokens
      cube.chunks[chunk].cells[row].requests -= c.requests
      cube.chunks[chunk].cells[row].errors -= c.errors
    }
    guard c.statedCost != nil || c.webSearches != 0 else { return }
    if cube.chunks[chunk].extras.isEmpty {
      cube.chunks[chunk].extras = Array(
        repeating: CellExtras(), count: cube.chunks[chunk].cells.count)
    }
    if let stated = c.statedCost {
      cube.chunks[chunk].extras[row].statedCost += sign > 0 ? stated : .zero - stated
      cube.chunks[chunk].extras[row].statedCalls += sign
    }
    cube.chunks[chunk].extras[row].webSearches += sign * Int64(c.webSearches)
  }

  // MARK: - Latest calls

  private mutating func remember(
    _ record: UsageRecord, series: UInt32, key: UInt64, _ merged: Contribution? = nil
  ) {
    guard record.time >= recentFloor else { return }
    let isRepeat = merged != nil
    recent.append(
      RecentCall(
        time: record.time, series: series, tokens: merged?.tokens ?? record.tokens,
        failed: record.failed,
        statedCost: merged?.statedCost ?? record.statedCost,
        webSearches: merged?.webSearches ?? record.webSearches,
        durationMilliseconds: record.durationMilliseconds, identity: key))
    isRecentOrdered =
      isRecentOrdered && !isRepeat
      && (recent.dropLast().last.map { $0.time <= record.time } ?? true)
    guard recent.count >= Self.recentCapacity * 4 else { return }
    // Trimmed in bulk. A log read in order needs no sorting: the first are the oldest.
    if isRecentOrdered {
      recent.removeFirst(recent.count - Self.recentCapacity)
    } else {
      recent = Self.latest(of: recent)
      isRecentOrdered = true
    }
    recentFloor = recent.count == Self.recentCapacity ? recent[0].time : recentFloor
  }

  /// The newest calls, oldest first, each identity once in its latest form.
  private static func latest(of calls: [RecentCall]) -> [RecentCall] {
    var seen = Set<UInt64>()
    var unique: [RecentCall] = []
    for call in calls.reversed() where call.identity == 0 || seen.insert(call.identity).inserted {
      unique.append(call)
    }
    unique.reverse()
    // Stable by hand: equal times keep the order of arrival.
    let order = unique.indices.sorted { (unique[$0].time, $0) < (unique[$1].time, $1) }
    return order.suffix(recentCapacity).map { unique[$0] }
  }
}
