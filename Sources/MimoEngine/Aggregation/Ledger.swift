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
    /// A call that no sum could hold, or with counters below 0 or far above what is plausible; nothing was
    /// counted.
    case refused
  }

  /// How many latest calls a snapshot keeps.
  public static let recentCapacity = 256

  /// How many tokens, and things beside text, all calls together may have: every sum, its price in any unit, and
  /// 3,600 times that fit their numbers. It is two thousand calls of the largest plausible count in each class.
  static let capacity: Int64 = 1 << 51

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
  /// Calls by the ids they have beside their own.
  private var aliases: [UInt64: UInt32] = [:]
  /// Calls that turned out to be others, seen before under another id.
  private var joined: [UInt32: UInt32] = [:]
  private var openings: [NameID: Opening] = [:]
  private var recent: [RecentCall] = []
  private var recentFloor = Instant(milliseconds: .min)
  private var isRecentOrdered = true
  private var revision: UInt64 = 0
  /// The sums over all cells, of which every other sum is a part.
  private var load: (counts: Int64, calls: Int64) = (0, 0)

  /// What is remembered of one call, to add only what grows when it is logged again.
  ///
  /// 48 bytes. Counters beyond 32 bits and stated costs are rare and live in `callExtras`.
  private struct Call {
    var key: UInt64
    var request: UInt32
    var cell: UInt32
    var tokens: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0, 0)
    var rank: CallIdentity.Rank
    var flags: UInt8
    /// When in the minute of its cell its earliest line was written.
    var milliseconds: UInt16
    /// The conversation of the line that files it.
    var conversation: NameID

    static let hasExtras: UInt8 = 1
    static let failed: UInt8 = 2
    /// Filed under message and request id, because another request came first.
    static let isSecond: UInt8 = 4

    /// Decides between calls of one instant; the same whichever request of a message came first.
    var order: UInt64 {
      guard rank == .request, flags & Call.isSecond == 0 else { return key }
      return Call.key(Fingerprint(value: key), request)
    }

    static func key(_ message: Fingerprint, _ request: UInt32) -> UInt64 {
      message.combined(with: UInt64(request)).value
    }
  }

  private struct CallExtras {
    var tokens: TokenCounts
    var statedCost: Amount?
    var quantities: Quantities
    var calls: Int32
  }

  /// The two calls that may open a conversation; the earlier one does.
  private struct Opening {
    /// The earliest call with an id.
    var call: UInt32?
    /// The earliest call without one.
    var nameless: NamelessCall?
  }

  private struct NamelessCall {
    var time: Instant
    var contribution: Contribution
    var cell: UInt32
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
    guard hasRoom(for: record) else { return .refused }
    guard let identity = record.identity else {
      recordNameless(record)
      return .counted
    }
    if let alias = identity.alias { return self.record(record, identity.message, alias) }
    let request = UInt32(truncatingIfNeeded: identity.request ^ identity.request >> 32)
    if let position = find(identity.message.value) {
      let known = calls[position]
      if known.rank == .request, identity.rank == .request, known.request != request {
        return recordSecondRequest(record, identity.message, request)
      }
      if identity.rank < known.rank { return .repeated }
      merge(
        record, identity.rank, request, into: position,
        replacing: record.isRevision || identity.rank > known.rank)
      return .repeated
    }
    insert(record, key: identity.message.value, identity.rank, request)
    return .counted
  }

  /// Whether the sums stay within what they can hold.
  private func hasRoom(for record: UsageRecord) -> Bool {
    let t = record.tokens
    let widest = t.input | t.cacheRead | t.cacheWrite5m | t.cacheWrite1h | t.output | t.reasoning
    // A negative count has the highest bit.
    guard UInt64(bitPattern: widest) <= Quantities.largest, record.calls >= 0,
      record.quantities.arePlausible
    else { return false }
    return load.counts + t.prompt + t.output + record.quantities.sum <= Self.capacity
      && load.calls + Int64(record.calls) <= UInt32.max
  }

  // MARK: - Calls

  private mutating func recordNameless(_ record: UsageRecord) {
    let opens =
      record.isRequest && wouldOpen(record.conversation, (record.time, 0))
    let series = seriesPosition(of: record, opening: opens)
    let cell = cell(record.time.minute, series)
    let contribution = Contribution(of: record)
    add(contribution, to: cell)
    remember(record, series: series, key: 0)
    guard record.isRequest, record.conversation != .none else { return }
    let call = NamelessCall(time: record.time, contribution: contribution, cell: cell)
    if let rival = openings[record.conversation]?.nameless {
      guard comesBefore(call, rival) else { return }
      setNamelessOpens(record.conversation, false)
    }
    openings[record.conversation, default: Opening()].nameless = call
    settleOpening(of: record.conversation)
  }

  /// A second request id under one message id: a call of its own, filed under the pair.
  private mutating func recordSecondRequest(
    _ record: UsageRecord, _ message: Fingerprint, _ request: UInt32
  ) -> Outcome {
    let key = Call.key(message, request)
    if let position = find(key) {
      merge(record, .request, request, into: position, replacing: record.isRevision)
      return .repeated
    }
    insert(record, key: key, .request, request, flags: Call.isSecond)
    return .counted
  }

  /// A call that other files know under another id.
  private mutating func record(
    _ record: UsageRecord, _ message: Fingerprint, _ alias: Fingerprint
  ) -> Outcome {
    let known = (find(message.value), find(alias.value))
    guard let position = known.0 ?? known.1 else {
      aliases[alias.value] = UInt32(calls.count)
      insert(record, key: message.value, .message, 0)
      return .counted
    }
    if known.0 == nil { aliases[message.value] = position }
    if known.1 == nil { aliases[alias.value] = position }
    if let other = known.1, other != position { join(other, to: position) }
    merge(record, .message, 0, into: position, replacing: record.isRevision)
    return .repeated
  }

  /// Makes two calls one: what the other counted is taken back, and is from then on a line of the first.
  private mutating func join(_ other: UInt32, to position: UInt32) {
    let call = calls[other]
    let counted = contribution(of: other)
    let series = cube.series[Int(self[call.cell].series)]
    var record = UsageRecord(time: time(of: call), labels: series.labels)
    record.conversation = call.conversation
    record.tokens = counted.tokens
    record.statedCost = counted.statedCost
    record.quantities = counted.quantities
    record.calls = counted.calls
    record.failed = call.flags & Call.failed != 0
    record.tier = series.tier
    record.tellsCache = !series.flags.contains(.cacheUnknown)
    record.answeredByProxyCache = series.flags.contains(.answeredByProxyCache)
    subtract(counted, from: call.cell)
    joined[other] = position
    calls[other].conversation = .none
    recent.removeAll { $0.identity == call.key }
    if call.conversation != .none, openings[call.conversation]?.call == other {
      electOpening(of: call.conversation)
    }
    merge(record, .message, 0, into: position, replacing: false)
  }

  private func find(_ key: UInt64) -> UInt32? {
    let known = callIndex.find(key) { self.calls[$0].key == key }
    // Nearly no ledger has any.
    if aliases.isEmpty, joined.isEmpty { return known }
    guard var position = known ?? aliases[key] else { return nil }
    while let next = joined[position] { position = next }
    return position
  }

  private mutating func insert(
    _ record: UsageRecord, key: UInt64, _ rank: CallIdentity.Rank, _ request: UInt32,
    flags: UInt8 = 0
  ) {
    let position = UInt32(calls.count)
    var call = Call(
      key: key, request: request, cell: 0, rank: rank, flags: flags,
      milliseconds: Self.millisecondsInMinute(record.time), conversation: record.conversation)
    if record.failed { call.flags |= Call.failed }
    let opens = record.isRequest && wouldOpen(record.conversation, (record.time, call.order))
    let series = seriesPosition(of: record, opening: opens)
    let contribution = Contribution(of: record)
    call.cell = cell(record.time.minute, series)
    add(contribution, to: call.cell)
    remember(record, series: series, key: key)
    calls.append(call)
    store(contribution, in: position)
    callIndex.insert(key, position)
    if record.isRequest { compete(position) }
  }

  private mutating func merge(
    _ record: UsageRecord, _ rank: CallIdentity.Rank, _ request: UInt32, into position: UInt32,
    replacing: Bool
  ) {
    var call = calls[position]
    let old = contribution(of: position)
    let oldCell = self[call.cell]
    let oldSeries = cube.series[Int(oldCell.series)]
    let oldTime = time(of: call)
    let oldOrder = call.order
    let oldConversation = call.conversation
    var merged = replacing ? Contribution(of: record) : old.maximum(Contribution(of: record))
    var record = record
    if !replacing {
      // A call failed only if no line of it succeeded; it is told by the cache if any line tells.
      record.failed = record.failed && call.flags & Call.failed != 0
      merged.settle(failed: record.failed)
      let didTell = !oldSeries.flags.contains(.cacheUnknown)
      if didTell != record.tellsCache {
        // A prompt that is not split says nothing beside one that is.
        merged.tokens.takePrompt(of: didTell ? old.tokens : record.tokens)
        record.tellsCache = true
      }
      if !files(record, before: call, oldCell.minute, oldSeries) {
        record.labels = oldSeries.labels
        record.tier = oldSeries.tier
        record.answeredByProxyCache = oldSeries.flags.contains(.answeredByProxyCache)
        record.conversation = call.conversation
      }
      record.time = min(record.time, oldTime)
    }
    record.tokens = merged.tokens
    record.quantities = merged.quantities
    record.calls = merged.calls
    call.rank = rank
    call.request = request
    call.flags = call.flags & Call.isSecond | (record.failed ? Call.failed : 0)
    call.milliseconds = Self.millisecondsInMinute(record.time)
    call.conversation = record.conversation

    let wasCandidate =
      oldConversation != .none && openings[oldConversation]?.call == position
    let stepsBack =
      wasCandidate
      && (call.conversation != oldConversation || !record.isRequest
        || (record.time, call.order) > (oldTime, oldOrder))
    let opens = oldSeries.flags.contains(.opensConversation) && !stepsBack
    let series = seriesPosition(of: record, opening: opens)
    let target =
      record.time.minute == oldCell.minute && series == oldCell.series
      ? call.cell : cell(record.time.minute, series)
    subtract(old, from: call.cell)
    add(merged, to: target)
    let isNews = replacing || merged != old || target != call.cell || record.time != oldTime
    call.cell = target
    calls[position] = call
    store(merged, in: position)
    if stepsBack { electOpening(of: oldConversation) }
    if record.isRequest { compete(position) }
    if isNews {
      remember(record, series: self[calls[position].cell].series, key: call.key, merged)
    }
  }

  /// Whether a line files its call instead of the lines before it.
  ///
  /// The earliest line does; among lines of one minute the names decide, so that the order of reading
  /// does not.
  private func files(
    _ record: UsageRecord, before call: Call, _ minute: Minute, _ series: Series
  ) -> Bool {
    if record.time.minute != minute { return record.time.minute < minute }
    if record.labels != series.labels { return comesBefore(record.labels, series.labels) }
    if record.tier != series.tier { return record.tier.rawValue < series.tier.rawValue }
    let isAnswered = series.flags.contains(.answeredByProxyCache)
    if record.answeredByProxyCache != isAnswered { return isAnswered }
    return comesBefore(record.conversation, call.conversation)
  }

  private func comesBefore(_ a: Labels, _ b: Labels) -> Bool {
    if a == b { return false }
    for path in [\Labels.session, \.project, \.source, \.model, \.provider, \.key]
    where a[keyPath: path] != b[keyPath: path] {
      return comesBefore(a[keyPath: path], b[keyPath: path])
    }
    return false
  }

  /// What is stated comes before what is not, so that a copy with fewer labels never wins.
  private func comesBefore(_ a: NameID, _ b: NameID) -> Bool {
    if a == b { return false }
    let (x, y) = (names[a], names[b])
    return x.isEmpty != y.isEmpty ? y.isEmpty : x < y
  }

  private func time(of call: Call) -> Instant {
    self[call.cell].minute.start.advanced(byMilliseconds: Int64(call.milliseconds))
  }

  private static func millisecondsInMinute(_ time: Instant) -> UInt16 {
    UInt16(time.milliseconds - floorDivide(time.milliseconds, 60_000) * 60_000)
  }

  private func contribution(of position: UInt32) -> Contribution {
    let call = calls[position]
    let failed = call.flags & Call.failed != 0
    if call.flags & Call.hasExtras != 0, let extras = callExtras[position] {
      return Contribution(
        tokens: extras.tokens, statedCost: extras.statedCost, quantities: extras.quantities,
        calls: extras.calls, failed: failed)
    }
    let t = call.tokens
    return Contribution(
      tokens: TokenCounts(
        input: Int64(t.0), cacheRead: Int64(t.1), cacheWrite5m: Int64(t.2),
        cacheWrite1h: Int64(t.3),
        output: Int64(t.4), reasoning: Int64(t.5)),
      statedCost: nil, quantities: Quantities(), calls: 1, failed: failed)
  }

  private mutating func store(_ contribution: Contribution, in position: UInt32) {
    let t = contribution.tokens
    let widest = t.input | t.cacheRead | t.cacheWrite5m | t.cacheWrite1h | t.output | t.reasoning
    if widest > Int64(UInt32.max) || contribution.statedCost != nil
      || !contribution.quantities.isZero || contribution.calls != 1
    {
      calls[position].flags |= Call.hasExtras
      callExtras[position] = CallExtras(
        tokens: t, statedCost: contribution.statedCost, quantities: contribution.quantities,
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

  /// Whether a call that is not counted yet would be the earliest of the conversation.
  private func wouldOpen(_ conversation: NameID, _ place: (time: Instant, order: UInt64)) -> Bool {
    guard conversation != .none else { return false }
    guard let opening = openings[conversation] else { return true }
    if let nameless = opening.nameless, nameless.time <= place.time { return false }
    return opening.call.map { place < (time(of: calls[$0]), calls[$0].order) } ?? true
  }

  /// Makes the call the one that may open its conversation, if it is earlier than the one that does.
  private mutating func compete(_ position: UInt32) {
    let call = calls[position]
    guard call.conversation != .none else { return }
    if let rival = openings[call.conversation]?.call, rival != position {
      guard (time(of: call), call.order) < (time(of: calls[rival]), calls[rival].order)
      else { return }
      setOpens(rival, false)
    }
    openings[call.conversation, default: Opening()].call = position
    settleOpening(of: call.conversation)
  }

  /// Finds the call to open a conversation anew, after the one that did turned out to be a copy of
  /// a call elsewhere, or later than it seemed. Cost: linear in all calls; a few times per file at most.
  private mutating func electOpening(of conversation: NameID) {
    var first: UInt32?
    for position in 0..<UInt32(calls.count) where calls[position].conversation == conversation {
      guard contribution(of: position).requests > 0 else { continue }
      let (call, best) = (calls[position], first.map { calls[$0] })
      if let best, (time(of: best), best.order) <= (time(of: call), call.order) { continue }
      first = position
    }
    openings[conversation]?.call = first
    settleOpening(of: conversation)
  }

  /// Flags the earlier of the two calls that may open a conversation.
  private mutating func settleOpening(of conversation: NameID) {
    guard let opening = openings[conversation] else { return }
    let isNameless =
      opening.nameless.map { nameless in
        opening.call.map { nameless.time <= time(of: calls[$0]) } ?? true
      } ?? false
    if let call = opening.call { setOpens(call, !isNameless) }
    setNamelessOpens(conversation, isNameless)
  }

  private mutating func setOpens(_ position: UInt32, _ opens: Bool) {
    let cell = calls[position].cell
    calls[position].cell = moved(contribution(of: position), from: cell, opens: opens)
  }

  private mutating func setNamelessOpens(_ conversation: NameID, _ opens: Bool) {
    guard let call = openings[conversation]?.nameless else { return }
    let cell = moved(call.contribution, from: call.cell, opens: opens)
    openings[conversation]?.nameless?.cell = cell
  }

  /// Moves a contribution to the cell that differs in this flag alone; returns where it is then.
  private mutating func moved(
    _ contribution: Contribution, from cell: UInt32, opens: Bool
  ) -> UInt32 {
    var series = cube.series[Int(self[cell].series)]
    guard series.flags.contains(.opensConversation) != opens else { return cell }
    series.flags.formSymmetricDifference(.opensConversation)
    let target = self.cell(self[cell].minute, position(of: series))
    subtract(contribution, from: cell)
    add(contribution, to: target)
    return target
  }

  /// The earlier of two calls without ids; of one instant, the smaller one.
  private func comesBefore(_ a: NamelessCall, _ b: NamelessCall) -> Bool {
    if a.time != b.time { return a.time < b.time }
    if a.contribution != b.contribution { return a.contribution < b.contribution }
    let (x, y) = (cube.series[Int(self[a.cell].series)], cube.series[Int(self[b.cell].series)])
    if x.labels != y.labels { return comesBefore(x.labels, y.labels) }
    if x.tier != y.tier { return x.tier.rawValue < y.tier.rawValue }
    let flags = (x.flags, y.flags)
    return flags.0.subtracting(.opensConversation).rawValue
      < flags.1.subtracting(.opensConversation).rawValue
  }

  // MARK: - Cells

  private struct Contribution: Equatable {
    var tokens: TokenCounts
    var statedCost: Amount?
    var quantities: Quantities
    var calls: Int32
    var requests: UInt32
    var errors: UInt32

    init(of record: UsageRecord) {
      self.init(
        tokens: record.tokens, statedCost: record.statedCost, quantities: record.quantities,
        calls: record.calls, failed: record.failed)
    }

    init(
      tokens: TokenCounts, statedCost: Amount?, quantities: Quantities, calls: Int32, failed: Bool
    ) {
      self.tokens = tokens
      self.statedCost = statedCost
      self.quantities = quantities
      self.calls = calls
      requests = 0
      errors = 0
      settle(failed: failed)
    }

    mutating func settle(failed: Bool) {
      requests = failed && tokens.isZero ? 0 : UInt32(clamping: calls)
      errors = failed ? UInt32(clamping: calls) : 0
    }

    /// Some order, the same on every machine.
    static func < (a: Contribution, b: Contribution) -> Bool {
      let (x, y) = (a.tokens, b.tokens)
      let counts = [
        (x.input, y.input), (x.cacheRead, y.cacheRead), (x.cacheWrite5m, y.cacheWrite5m),
        (x.cacheWrite1h, y.cacheWrite1h), (x.output, y.output), (x.reasoning, y.reasoning),
        (Int64(a.calls), Int64(b.calls)),
        (Int64(a.errors), Int64(b.errors)),
      ]
      if let difference = counts.first(where: { $0.0 != $0.1 }) {
        return difference.0 < difference.1
      }
      if a.quantities != b.quantities { return a.quantities < b.quantities }
      return (a.statedCost ?? Amount(atto: -1)) < (b.statedCost ?? Amount(atto: -1))
    }

    func maximum(_ other: Contribution) -> Contribution {
      var result = self
      result.tokens = tokens.maximum(other.tokens)
      if let a = statedCost, let b = other.statedCost {
        result.statedCost = max(a, b)
      } else {
        result.statedCost = statedCost ?? other.statedCost
      }
      result.quantities = quantities.maximum(other.quantities)
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
    if record.quantities.audioSeconds > 0 { flags.insert(.tellsSeconds) }
    if record.tokens.cacheRead > 0 { flags.insert(.readsCache) }
    if record.calls > 1 { flags.insert(.sumsCalls) }
    if opening { flags.insert(.opensConversation) }
    // A sum of several calls has no prompt size of its own: the mean decides the band.
    let prompt =
      record.promptSize
      ?? (record.calls > 1 ? record.tokens.prompt / Int64(record.calls) : record.tokens.prompt)
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
    if !cube.chunks[last].stated.isEmpty { cube.chunks[last].stated.append(StatedCost()) }
    if !cube.chunks[last].quantities.isEmpty { cube.chunks[last].quantities.append(Quantities()) }
    cube.chunks[last].firstMinute = min(cube.chunks[last].firstMinute, minute)
    cube.chunks[last].lastMinute = max(cube.chunks[last].lastMinute, minute)
    cellIndex.insert(key, position)
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
    load.counts += sign * (c.tokens.prompt + c.tokens.output + c.quantities.sum)
    load.calls += sign * Int64(c.calls)
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
    if !c.quantities.isZero {
      if cube.chunks[chunk].quantities.isEmpty {
        cube.chunks[chunk].quantities = Array(
          repeating: Quantities(), count: cube.chunks[chunk].cells.count)
      }
      cube.chunks[chunk].quantities[row].add(c.quantities, sign: sign)
    }
    if let stated = c.statedCost {
      if cube.chunks[chunk].stated.isEmpty {
        cube.chunks[chunk].stated = Array(
          repeating: StatedCost(), count: cube.chunks[chunk].cells.count)
      }
      cube.chunks[chunk].stated[row].amount += sign > 0 ? stated : .zero - stated
      cube.chunks[chunk].stated[row].calls += sign
    }
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
        quantities: merged?.quantities ?? record.quantities,
        durationMilliseconds: record.durationMilliseconds, identity: key,
        isWithdrawn: merged.map { $0.requests | $0.errors == 0 } ?? false))
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
    unique.removeAll(where: \.isWithdrawn)
    unique.reverse()
    // Stable by hand: equal times keep the order of arrival.
    let order = unique.indices.sorted { (unique[$0].time, $0) < (unique[$1].time, $1) }
    return order.suffix(recentCapacity).map { unique[$0] }
  }
}
