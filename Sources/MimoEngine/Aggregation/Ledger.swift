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
    /// A call that was forgotten, or of before the time from which on calls are counted; see `LedgerBase.notBefore`.
    case tooOld
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

  var cube: UsageCube
  private let grain: Grain
  private var seriesIndex = HashIndex()
  var cellIndex = HashIndex()
  /// For each series the cell it was counted in last: logs are in order of time.
  private var latestCells: [UInt32] = []
  var callIndex = HashIndex()
  var calls = ChunkedArray<Call>()
  /// Made of what `expect` saw, so that it has to look.
  private var expected: UInt64 = 0
  private var callExtras: [UInt32: CallExtras] = [:]
  /// Calls by the ids they have beside their own.
  var aliases: [UInt64: UInt32] = [:]
  /// Calls that turned out to be others, seen before under another id.
  var joined: [UInt32: UInt32] = [:]
  /// For each conversation, by the number of its name, the earliest call with an id: its position plus one.
  var openingCalls: [UInt32] = []
  /// For each conversation the earliest call without an id. The earlier of the two opens the conversation.
  var namelessOpenings: [NameID: NamelessCall] = [:]
  var recent = RecentCalls()
  var revision: UInt64 = 0
  /// The sums over all cells, of which every other sum is a part.
  var load = LedgerLoad()
  /// What outlives the ledger and what of that is in it; `nil` for a ledger that keeps all to itself.
  var archiving: Archiving?

  struct NamelessCall {
    var time: Instant
    var contribution: Contribution
    var cell: UInt32
  }

  /// Creates an empty ledger.
  ///
  /// - Parameters:
  ///   - promptEdges: prompt sizes at which some price changes, ascending.
  ///   - grain: which minutes may share a cell.
  ///   - keepsRecent: whether snapshots have the latest calls.
  public init(promptEdges: [Int64], grain: Grain = .everyMinute, keepsRecent: Bool = true) {
    cube = UsageCube(promptEdges: promptEdges)
    self.grain = grain
    if !keepsRecent { recent = .never }
  }

  /// All counted so far; cheap, and unaffected by later records.
  public func snapshot() -> UsageSnapshot {
    UsageSnapshot(
      cube: cube, names: names, recent: latestCalls(), revision: revision)
  }

  /// Counts a call, or what a repeat of it adds.
  @discardableResult
  public mutating func record(_ record: UsageRecord) -> Outcome {
    var record = record
    return count(&record)
  }

  /// The same for a record that nobody needs afterwards: it is not copied, and may be changed.
  public mutating func count(_ record: inout UsageRecord) -> Outcome {
    revision += 1
    guard hasRoom(for: &record) else { return .refused }
    if let notBefore = archiving?.notBefore {
      if record.time.minute < notBefore { return .tooOld }
      prepare(for: record)
      if archiving!.knowsForgotten, isForgotten(record) { return .tooOld }
    }
    guard let identity = record.identity else {
      recordNameless(&record)
      return .counted
    }
    if let alias = identity.alias { return self.record(&record, identity.message, alias) }
    let request = UInt32(truncatingIfNeeded: identity.request ^ identity.request >> 32)
    if let position = find(identity.message.value) {
      let (rank, knownRequest) = (calls[position].rank, calls[position].request)
      if rank == .request, identity.rank == .request, knownRequest != request {
        return recordSecondRequest(&record, identity.message, request)
      }
      if identity.rank < rank { return .repeated }
      merge(
        &record, identity.rank, request, into: position,
        replacing: record.isRevision || identity.rank > rank)
      return .repeated
    }
    insert(&record, key: identity.message.value, identity.rank, request)
    return .counted
  }

  /// Looks at the places where searches for the next calls will begin. Each lies far away in memory; so they come
  /// together, where searches would wait for one after the other. (3 % of the cycles of a report on Chat answers.)
  public mutating func expect(_ records: ArraySlice<UsageRecord>) {
    for record in records {
      if let identity = record.identity { expected ^= callIndex.beginning(identity.message.value) }
    }
  }

  /// Takes note that what was counted so far is a part of what will be.
  ///
  /// - Parameter share: how many times as much there will be.
  public mutating func expect(share: Double) {
    guard 1...1_000_000 ~= share else { return }
    callIndex.expectedCount = Int(Double(calls.count) * share)
    cellIndex.expectedCount = Int(Double(cube.chunks.count * CellChunk.capacity) * share)
  }

  /// Whether the sums stay within what they can hold. `mutating`, and its record `inout`, for the same reason as in
  /// `wouldOpen`.
  private mutating func hasRoom(for record: inout UsageRecord) -> Bool {
    let t = record.tokens
    let widest = t.input | t.cacheRead | t.cacheWrite5m | t.cacheWrite1h | t.output | t.reasoning
    // A negative count has the highest bit.
    guard UInt64(bitPattern: widest) <= Quantities.largest, record.calls >= 0,
      record.beside.isNothing || record.quantities.arePlausible
    else { return false }
    let beside = record.beside.isNothing ? 0 : record.quantities.sum
    return load.counts + t.prompt + t.output + beside <= Self.capacity
      && load.calls + Int64(record.calls) <= UInt32.max
  }

  // MARK: - Calls

  private mutating func recordNameless(_ record: inout UsageRecord) {
    let opens = wouldOpen(&record, order: 0)
    let series = seriesPosition(of: &record, opening: opens)
    let cell = cell(grain.start(of: record.time.minute), series)
    let contribution = Contribution(of: record)
    add(contribution, to: cell)
    rememberNameless(record, series: series)
    guard record.isRequest, record.conversation != .none else { return }
    let call = NamelessCall(time: record.time, contribution: contribution, cell: cell)
    if let rival = namelessOpenings[record.conversation] {
      guard comesBefore(call, rival) else { return }
      setNamelessOpens(record.conversation, false)
    }
    namelessOpenings[record.conversation] = call
    archiving?.openings.insert(record.conversation)
    settleOpening(of: record.conversation)
  }

  /// A second request id under one message id: a call of its own, filed under the pair.
  private mutating func recordSecondRequest(
    _ record: inout UsageRecord, _ message: Fingerprint, _ request: UInt32
  ) -> Outcome {
    let key = Call.key(message, request)
    if let position = find(key) {
      merge(&record, .request, request, into: position, replacing: record.isRevision)
      return .repeated
    }
    insert(&record, key: key, .request, request, isSecond: true)
    return .counted
  }

  /// A call that other files know under another id.
  private mutating func record(
    _ record: inout UsageRecord, _ message: Fingerprint, _ alias: Fingerprint
  ) -> Outcome {
    let known = (find(message.value), find(alias.value))
    guard let position = known.0 ?? known.1 else {
      redirect(alias.value, to: UInt32(calls.count))
      insert(&record, key: message.value, .message, 0)
      return .counted
    }
    if known.0 == nil { redirect(message.value, to: position) }
    if known.1 == nil { redirect(alias.value, to: position) }
    if let other = known.1, other != position { join(other, to: position) }
    let rank = calls[position].rank
    if rank > .message { return .repeated }
    merge(
      &record, .message, 0, into: position, replacing: record.isRevision || rank < .message)
    return .repeated
  }

  /// Makes two calls one: what the other counted is taken back, and is from then on a line of the first.
  private mutating func join(_ other: UInt32, to position: UInt32) {
    let call = calls[other]
    let counted = contribution(of: other)
    let series = cube.series[Int(self[call.cell].series)]
    var record = UsageRecord(time: time(of: call), labels: series.labels)
    record.conversation = series.conversation
    record.tokens = counted.tokens
    record.beside = counted.beside
    record.calls = counted.calls
    record.readsCacheAlike = !series.flags.contains(.sumsCalls)
    record.failed = call.failed
    record.tier = series.tier
    record.tellsCache = !series.flags.contains(.cacheUnknown)
    record.answeredByProxyCache = series.flags.contains(.answeredByProxyCache)
    subtract(counted, from: call.cell)
    joined[other] = position
    archiving?.redirects.insert(call.key)
    if openingCall(of: series.conversation) == other { electOpening(of: series.conversation) }
    let rank = calls[position].rank
    if call.rank < rank { return }
    merge(&record, call.rank, call.request, into: position, replacing: call.rank > rank)
  }

  func find(_ key: UInt64) -> UInt32? {
    let known = callIndex.find(key) { self.calls[$0].key == key }
    // Nearly no ledger has any.
    if aliases.isEmpty, joined.isEmpty { return known }
    guard var position = known ?? aliases[key] else { return nil }
    while let next = joined[position] { position = next }
    return position
  }

  private mutating func insert(
    _ record: inout UsageRecord, key: UInt64, _ rank: CallIdentity.Rank, _ request: UInt32,
    isSecond: Bool = false
  ) {
    let position = UInt32(calls.count)
    var call = Call(key: key, request: request)
    call.rank = rank
    call.isSecond = isSecond
    let start = grain.start(of: record.time.minute)
    call.milliseconds = Self.milliseconds(of: record.time, since: start)
    call.failed = record.failed
    let opens = wouldOpen(&record, order: call.order)
    let series = seriesPosition(of: &record, opening: opens)
    let contribution = Contribution(of: record)
    call.cell = cell(start, series)
    add(contribution, to: call.cell)
    store(contribution, of: position, in: &call)
    calls.append(call)
    do {
      let calls = calls
      callIndex.append(key) { calls[$0].key }
    }
    archiving?.calls.insert(position)
    remember(position, &record)
    if record.isRequest, record.conversation != .none { compete(position) }
  }

  private mutating func merge(
    _ record: inout UsageRecord, _ rank: CallIdentity.Rank, _ request: UInt32,
    into position: UInt32,
    replacing: Bool
  ) {
    var call = calls[position]
    let old = contribution(of: position)
    let oldCell = self[call.cell]
    let oldSeries = cube.series[Int(oldCell.series)]
    let oldTime = time(of: call)
    let oldOrder = call.order
    let oldConversation = oldSeries.conversation
    var merged = replacing ? Contribution(of: record) : old.maximum(Contribution(of: record))
    if !replacing {
      // Of lines that stand for several calls none may leave open which of them read from the cache.
      record.readsCacheAlike =
        !oldSeries.flags.contains(.sumsCalls) && (record.calls <= 1 || record.readsCacheAlike)
      // A call failed only if no line of it succeeded; it is told by the cache if any line tells.
      record.failed = record.failed && call.failed
      merged.settle(failed: record.failed)
      let didTell = !oldSeries.flags.contains(.cacheUnknown)
      if didTell != record.tellsCache {
        // A prompt that is not split says nothing beside one that is.
        merged.tokens.takePrompt(of: didTell ? old.tokens : record.tokens)
        record.tellsCache = true
      }
      if !files(record, before: oldSeries, oldTime.minute) {
        record.labels = oldSeries.labels
        record.tier = oldSeries.tier
        record.answeredByProxyCache = oldSeries.flags.contains(.answeredByProxyCache)
        record.conversation = oldConversation
      }
      record.time = min(record.time, oldTime)
    }
    record.tokens = merged.tokens
    record.beside = merged.beside
    record.calls = merged.calls
    call.rank = rank
    call.request = request
    call.failed = record.failed
    let start = grain.start(of: record.time.minute)
    call.milliseconds = Self.milliseconds(of: record.time, since: start)

    let wasCandidate = openingCall(of: oldConversation) == position
    let stepsBack =
      wasCandidate
      && (record.conversation != oldConversation || !record.isRequest
        || (record.time, call.order) > (oldTime, oldOrder))
    let opens = oldSeries.flags.contains(.opensConversation) && !stepsBack
    let series = seriesPosition(of: &record, opening: opens)
    let target =
      start == oldCell.minute && series == oldCell.series ? call.cell : cell(start, series)
    subtract(old, from: call.cell)
    add(merged, to: target)
    let isNews = replacing || merged != old || target != call.cell || record.time != oldTime
    call.cell = target
    store(merged, of: position, in: &call)
    calls[position] = call
    archiving?.calls.insert(position)
    if stepsBack { electOpening(of: oldConversation) }
    if record.isRequest { compete(position) }
    if isNews { remember(position, &record) }
  }

  /// Whether a line files its call instead of the lines before it.
  ///
  /// The earliest line does; among lines of one minute the names decide, so that the order of reading
  /// does not.
  private func files(
    _ record: UsageRecord, before series: Series, _ minute: Minute
  ) -> Bool {
    if record.time.minute != minute { return record.time.minute < minute }
    if record.labels != series.labels { return comesBefore(record.labels, series.labels) }
    if record.tier != series.tier { return record.tier.rawValue < series.tier.rawValue }
    let isAnswered = series.flags.contains(.answeredByProxyCache)
    if record.answeredByProxyCache != isAnswered { return isAnswered }
    return comesBefore(record.conversation, series.conversation)
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

  func time(of call: Call) -> Instant {
    self[call.cell].minute.start.advanced(byMilliseconds: Int64(call.milliseconds))
  }

  private static func milliseconds(of time: Instant, since start: Minute) -> UInt32 {
    UInt32(time.minute.number &- start.number) * 60_000 + millisecondsInMinute(time)
  }

  static func millisecondsInMinute(_ time: Instant) -> UInt32 {
    UInt32(time.milliseconds - floorDivide(time.milliseconds, 60_000) * 60_000)
  }

  func contribution(of position: UInt32) -> Contribution {
    let call = calls[position]
    if call.hasExtras, let extras = callExtras[position] {
      return Contribution(
        tokens: extras.tokens, beside: extras.beside, calls: extras.calls, failed: call.failed)
    }
    return Contribution(
      tokens: call.tokens, beside: BesideTokens(), calls: 1, failed: call.failed)
  }

  mutating func store(
    _ contribution: Contribution, of position: UInt32, in call: inout Call
  ) {
    call.hasExtras =
      !contribution.beside.isNothing || contribution.calls != 1
      || !call.setTokens(contribution.tokens)
    if call.hasExtras {
      callExtras[position] = CallExtras(
        tokens: contribution.tokens, beside: contribution.beside, calls: contribution.calls)
    }
  }

  // MARK: - Conversations

  /// Whether a call that is not counted yet would be the earliest of its conversation.
  ///
  /// `mutating`, and the record `inout`, although nothing is changed: otherwise the compiler copies the ledger for each
  /// call, which was a fifth of the instructions for a line, and the record.
  private mutating func wouldOpen(_ record: inout UsageRecord, order: UInt64) -> Bool {
    let conversation = record.conversation
    guard conversation != .none, record.isRequest else { return false }
    if let nameless = namelessOpenings[conversation], nameless.time <= record.time { return false }
    guard let call = openingCall(of: conversation) else { return true }
    return (record.time, order) < (time(of: calls[call]), calls[call].order)
  }

  func openingCall(of conversation: NameID) -> UInt32? {
    let index = Int(conversation.index)
    guard index < openingCalls.count, openingCalls[index] != 0 else { return nil }
    return openingCalls[index] - 1
  }

  mutating func setOpeningCall(of conversation: NameID, _ position: UInt32?) {
    let index = Int(conversation.index)
    while openingCalls.count <= index { openingCalls.append(0) }
    openingCalls[index] = position.map { $0 + 1 } ?? 0
    archiving?.openings.insert(conversation)
  }

  /// Makes the call the one that may open its conversation, if it is earlier than the one that does.
  private mutating func compete(_ position: UInt32) {
    let call = calls[position]
    let conversation = cube.series[Int(self[call.cell].series)].conversation
    guard conversation != .none else { return }
    if let rival = openingCall(of: conversation), rival != position {
      guard (time(of: call), call.order) < (time(of: calls[rival]), calls[rival].order)
      else { return }
      setOpens(rival, false)
    }
    setOpeningCall(of: conversation, position)
    settleOpening(of: conversation)
  }

  /// Finds the call to open a conversation anew, after the one that did turned out to be a copy of
  /// a call elsewhere, or later than it seemed. Cost: linear in all calls; a few times per file at most.
  private mutating func electOpening(of conversation: NameID) {
    recallAll(of: conversation)
    var first: UInt32?
    for position in 0..<UInt32(calls.count) where joined[position] == nil {
      let series = self[calls[position].cell].series
      guard cube.series[Int(series)].conversation == conversation,
        contribution(of: position).requests > 0
      else { continue }
      let (call, best) = (calls[position], first.map { calls[$0] })
      if let best, (time(of: best), best.order) <= (time(of: call), call.order) { continue }
      first = position
    }
    setOpeningCall(of: conversation, first)
    settleOpening(of: conversation)
  }

  /// Flags the earlier of the two calls that may open a conversation.
  private mutating func settleOpening(of conversation: NameID) {
    let call = openingCall(of: conversation)
    let isNameless =
      namelessOpenings[conversation].map { nameless in
        call.map { nameless.time <= time(of: calls[$0]) } ?? true
      } ?? false
    if let call { setOpens(call, !isNameless) }
    setNamelessOpens(conversation, isNameless)
  }

  private mutating func setOpens(_ position: UInt32, _ opens: Bool) {
    let cell = calls[position].cell
    let target = moved(contribution(of: position), from: cell, opens: opens)
    if target == cell { return }
    calls[position].cell = target
    archiving?.calls.insert(position)
  }

  private mutating func setNamelessOpens(_ conversation: NameID, _ opens: Bool) {
    guard let call = namelessOpenings[conversation] else { return }
    let cell = moved(call.contribution, from: call.cell, opens: opens)
    if cell == call.cell { return }
    namelessOpenings[conversation]?.cell = cell
    archiving?.openings.insert(conversation)
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

  struct Contribution: Equatable {
    var tokens: TokenCounts
    var beside: BesideTokens
    var calls: Int32
    var requests: UInt32 = 0
    var errors: UInt32 = 0

    @inline(__always)
    init(of record: UsageRecord) {
      self.init(
        tokens: record.tokens, beside: record.beside, calls: record.calls, failed: record.failed)
    }

    @inline(__always)
    init(tokens: TokenCounts, beside: BesideTokens, calls: Int32, failed: Bool) {
      self.tokens = tokens
      self.beside = beside
      self.calls = calls
      settle(failed: failed)
    }

    @inline(__always)
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
      let (v, w) = (a.beside, b.beside)
      if v.quantities != w.quantities { return v.quantities < w.quantities }
      return (v.statedCost ?? Amount(atto: -1)) < (w.statedCost ?? Amount(atto: -1))
    }

    func maximum(_ other: Contribution) -> Contribution {
      var result = self
      result.tokens = tokens.maximum(other.tokens)
      result.beside = beside.maximum(other.beside)
      result.calls = max(calls, other.calls)
      return result
    }
  }

  subscript(cell: UInt32) -> UsageCell {
    cube.chunks[Int(cell) / CellChunk.capacity].cells[Int(cell) % CellChunk.capacity]
  }

  private mutating func seriesPosition(of record: inout UsageRecord, opening: Bool) -> UInt32 {
    var flags: Series.Flags = []
    if !record.tellsCache { flags.insert(.cacheUnknown) }
    if record.answeredByProxyCache { flags.insert(.answeredByProxyCache) }
    if record.beside.quantities.audioSeconds > 0 { flags.insert(.tellsSeconds) }
    if record.tokens.cacheRead > 0 { flags.insert(.readsCache) }
    if record.calls > 1, !record.readsCacheAlike { flags.insert(.sumsCalls) }
    if opening { flags.insert(.opensConversation) }
    // A sum of several calls has no prompt size of its own: the mean decides the band.
    let prompt =
      record.promptSize
      ?? (record.calls > 1 ? record.tokens.prompt / Int64(record.calls) : record.tokens.prompt)
    return position(
      of: Series(
        labels: record.labels, conversation: record.conversation, tier: record.tier,
        band: cube.band(ofPrompt: prompt), flags: flags))
  }

  mutating func position(of series: Series) -> UInt32 {
    let key = series.key
    if let known = seriesIndex.find(key, isEqual: { cube.series[Int($0)] == series }) {
      return known
    }
    cube.series.append(series)
    latestCells.append(.max)
    let all = cube.series
    seriesIndex.append(key) { all[Int($0)].key }
    return UInt32(all.count - 1)
  }

  /// Calls names and addresses as another ledger does. For a new one.
  mutating func takeNamesAndAddresses(of other: Ledger) {
    names = other.names
    cube.series = other.cube.series
    seriesIndex = other.seriesIndex
    latestCells = Array(repeating: .max, count: cube.series.count)
  }

  private mutating func cell(_ minute: Minute, _ series: UInt32) -> UInt32 {
    let latest = latestCells[Int(series)]
    if latest != .max, self[latest].minute == minute { return latest }
    let cell = findOrAddCell(minute, series)
    latestCells[Int(series)] = cell
    return cell
  }

  mutating func findOrAddCell(_ minute: Minute, _ series: UInt32) -> UInt32 {
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
    cube.chunks[last].append(
      UsageCell(minute: minute, series: series, requests: 0, errors: 0, tokens: TokenCounts()))
    do {
      let chunks = cube.chunks
      cellIndex.append(key) {
        let cell = chunks[Int($0) / CellChunk.capacity].cells[Int($0) % CellChunk.capacity]
        return Self.cellKey(cell.minute, cell.series)
      }
    }
    archiving?.hours[Hour(of: minute), default: []].append(position)
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

  @inline(__always)
  private mutating func apply(_ c: Contribution, to cell: UInt32, sign: Int64) {
    let beside = c.beside.isNothing ? 0 : c.beside.quantities.sum
    load.counts += sign * (c.tokens.prompt + c.tokens.output + beside)
    load.calls += sign * Int64(c.calls)
    let (chunk, row) = (Int(cell) / CellChunk.capacity, Int(cell) % CellChunk.capacity)
    cube.chunks[chunk].cells[row].change(
      by: c.tokens, requests: c.requests, errors: c.errors, isAdded: sign > 0)
    if !c.beside.isNothing { cube.chunks[chunk].change(row, by: c.beside, isAdded: sign > 0) }
    // To compare it with `nil` would copy it.
    let minute = cube.chunks[chunk].cells[row].minute
    archiving?.note(minute)
  }

  // MARK: - Latest calls

  /// The newest calls, oldest first.
  private func latestCalls() -> [RecentCall] {
    recent.latest(find: find, isGone: isWithdrawn).map { entry in
      guard let position = entry.call else {
        return recent.archived[entry.arrival].map(RecentCall.init)
          ?? recent.nameless[entry.arrival]!
      }
      let call = calls[position]
      let counted = contribution(of: position)
      return RecentCall(
        time: time(of: call), series: self[call.cell].series, tokens: counted.tokens,
        failed: call.failed, statedCost: counted.beside.statedCost,
        quantities: counted.beside.quantities, durationMilliseconds: entry.duration)
    }
  }

  /// Whether a call turned out to be told elsewhere: nothing is left of it here.
  func isWithdrawn(_ position: UInt32) -> Bool {
    if joined[position] != nil { return true }
    let counted = contribution(of: position)
    return counted.requests | counted.errors == 0
  }

  private mutating func remember(_ position: UInt32, _ record: inout UsageRecord) {
    guard recent.wants(record.time) else { return }
    recent.append(
      RecentCalls.Entry(
        time: record.time, arrival: revision, call: position, duration: record.durationMilliseconds)
    )
    if recent.isFull { trimRecent() }
  }

  private mutating func rememberNameless(_ record: UsageRecord, series: UInt32) {
    guard recent.wants(record.time) else { return }
    recent.nameless[revision] = RecentCall(
      time: record.time, series: series, tokens: record.tokens, failed: record.failed,
      statedCost: record.statedCost, quantities: record.quantities,
      durationMilliseconds: record.durationMilliseconds)
    recent.append(RecentCalls.Entry(time: record.time, arrival: revision, call: nil, duration: nil))
    if recent.isFull { trimRecent() }
  }

  /// Apart from its callers, because it needs a copy of the ledger, which might else be made for each record.
  @inline(never)
  private mutating func trimRecent() { recent.trim(find: find, isGone: isWithdrawn) }
}
