/// What a ledger knows of its archive: what of it is in the ledger, and what the archive does not have yet.
struct Archiving: Sendable {
  /// What is asked; `nil` if nothing was ever archived.
  let archive: (any LedgerArchive)?
  /// Calls before this minute are not counted.
  var notBefore = Minute(.min)
  /// Positions of the cells of each hour that is in the ledger.
  var hours: [Hour: [UInt32]] = [:]
  /// Conversations whose opening was asked for.
  var met: Set<NameID> = []

  // What changed since the last commit.
  var names: Int
  var series: Int
  var changedHours: Set<Hour> = []
  /// Positions.
  var calls: Set<UInt32> = []
  /// Keys that lead to a call of another key.
  var redirects: Set<UInt64> = []
  /// Conversations.
  var openings: Set<NameID> = []
  /// The revision at which the latest calls were committed.
  var recentRevision: UInt64 = 0

  private var latestHour = Hour(.min)

  init(_ archive: (any LedgerArchive)?, names: Int, series: Int) {
    self.archive = archive
    self.names = names
    self.series = series
  }

  /// A cell of this minute is about to change.
  @inline(__always)
  mutating func note(_ minute: Minute) {
    let hour = Hour(of: minute)
    if hour == latestHour { return }
    latestHour = hour
    changedHours.insert(hour)
  }

  /// Everything is in the archive from now on.
  mutating func committed(names: Int, series: Int, revision: UInt64) {
    (self.names, self.series, recentRevision) = (names, series, revision)
    changedHours = []
    calls = []
    redirects = []
    openings = []
    latestHour = Hour(.min)
  }
}

// A ledger that goes on where earlier ones stopped.
extension Ledger {
  /// Creates a ledger that goes on with what is archived, and says what changed.
  ///
  /// - Parameter base: what the archive refers to by position.
  /// - Parameter archive: `nil` if there is nothing in it.
  public init(restoring base: LedgerBase, archive: (any LedgerArchive)?) {
    self.init(promptEdges: base.promptEdges)
    names = base.names
    load = base.load
    archiving = Archiving(archive, names: base.names.count, series: base.series.count)
    archiving!.notBefore = base.notBefore ?? Minute(.min)
    cube.series = base.series
    for entry in base.recent { remember(entry) }
    archiving!.committed(names: names.count, series: cube.series.count, revision: revision)
  }

  /// The hours whose cells are all in this ledger and may differ from what is archived.
  public var heldHours: Set<Hour> { archiving.map { Set($0.hours.keys) } ?? [] }

  /// Whether something changed that is not archived.
  public var hasChanges: Bool {
    guard let a = archiving else { return false }
    return !a.changedHours.isEmpty || !a.calls.isEmpty || !a.redirects.isEmpty
      || !a.openings.isEmpty
  }

  /// What changed since the last `didCommit`.
  ///
  /// Cost: linear in the cells of the hours and the calls that changed.
  public func changes() -> LedgerChanges {
    guard let a = archiving else { return LedgerChanges() }
    var changes = LedgerChanges()
    changes.load = load
    changes.firstName = a.names
    changes.names = (a.names..<names.count).map { position in
      names.withBytes(of: NameID(UInt32(position))) { Array($0) }
    }
    changes.firstSeries = a.series
    changes.series = Array(cube.series[a.series...])
    for hour in a.changedHours {
      changes.hours[hour] = (a.hours[hour] ?? []).compactMap { position in
        let cell = archived(cell: position)
        return cell.isEmpty ? nil : cell
      }
    }
    changes.calls = a.calls.lazy.filter { joined[$0] == nil }.map(archived(call:))
    for key in a.redirects {
      // A line may name its own id as the other one.
      if let target = find(key).map({ calls[$0].key }), target != key {
        changes.redirects[key] = target
      }
    }
    for conversation in a.openings {
      changes.openings[conversation] = ArchivedOpening(
        call: openingCall(of: conversation).map { calls[$0].key },
        nameless: namelessOpenings[conversation].map(archived(nameless:)))
    }
    if a.recentRevision != revision { changes.recent = archivedRecent() }
    return changes
  }

  /// All that `changes()` told is archived now.
  public mutating func didCommit() {
    archiving?.committed(names: names.count, series: cube.series.count, revision: revision)
  }

  /// A ledger that knows the same by asking the archive, and holds nothing itself.
  ///
  /// - Precondition: all is archived.
  public func emptied(archive: any LedgerArchive) -> Ledger {
    precondition(!hasChanges, "what is not archived would be lost")
    var base = LedgerBase(
      promptEdges: cube.promptEdges, names: names, series: cube.series, recent: archivedRecent())
    base.load = load
    base.notBefore = archiving?.notBefore
    var ledger = Ledger(restoring: base, archive: archive)
    ledger.revision = max(revision, ledger.revision)
    ledger.archiving?.recentRevision = ledger.revision
    return ledger
  }

  // MARK: - Taking from the archive

  /// Takes from the archive all that counting a record may need.
  mutating func prepare(for record: UsageRecord) {
    guard archiving?.archive != nil else { return }
    hold(Hour(of: record.time.minute))
    meet(record.conversation)
    guard let identity = record.identity else { return }
    if let alias = identity.alias { recall(alias.value) }
    guard let position = recall(identity.message.value), identity.rank == .request else { return }
    let request = UInt32(truncatingIfNeeded: identity.request ^ identity.request >> 32)
    let call = calls[position]
    if call.rank == .request, call.request != request {
      recall(Call.key(identity.message, request))
    }
  }

  /// Takes the cells of an hour from the archive.
  private mutating func hold(_ hour: Hour) {
    guard let archive = archiving?.archive, archiving!.hours[hour] == nil else { return }
    archiving!.hours[hour] = []
    for cell in archive.cells(of: hour) {
      let position = findOrAddCell(cell.minute, cell.series)
      cube.chunks[Int(position) / CellChunk.capacity].restore(
        Int(position) % CellChunk.capacity, cell)
    }
  }

  /// Takes the calls that may open a conversation from the archive.
  private mutating func meet(_ conversation: NameID) {
    guard let archive = archiving?.archive, conversation != .none,
      archiving!.met.insert(conversation).inserted,
      let opening = archive.opening(of: conversation)
    else { return }
    if let key = opening.call, openingCall(of: conversation) == nil, let position = recall(key) {
      setOpeningCall(of: conversation, position)
    }
    if let call = opening.nameless, namelessOpenings[conversation] == nil {
      hold(Hour(of: call.time.minute))
      namelessOpenings[conversation] = NamelessCall(
        time: call.time,
        contribution: Contribution(
          tokens: call.tokens, beside: BesideTokens(call), calls: call.calls, failed: call.failed),
        cell: findOrAddCell(call.time.minute, call.series))
    }
    archiving!.openings.remove(conversation)
  }

  /// Takes the call with this key from the archive, unless it is here.
  @discardableResult
  private mutating func recall(_ key: UInt64) -> UInt32? {
    if let known = find(key) { return known }
    guard let call = archiving?.archive?.call(key) else { return nil }
    let position = restore(call)
    if call.key != key { aliases[key] = position }
    return position
  }

  /// Takes all calls of a conversation from the archive.
  mutating func recallAll(of conversation: NameID) {
    guard let archive = archiving?.archive else { return }
    let series = cube.series.indices.filter { cube.series[$0].conversation == conversation }
    for call in archive.calls(of: Set(series.map { UInt32($0) })) { restore(call) }
  }

  /// Makes an archived call one of this ledger's, unless it is.
  @discardableResult
  private mutating func restore(_ archived: ArchivedCall) -> UInt32 {
    if let known = callIndex.find(archived.key, isEqual: { calls[$0].key == archived.key }) {
      return known
    }
    hold(Hour(of: archived.time.minute))
    var call = Call(key: archived.key, request: archived.request)
    call.rank = archived.rank
    call.isSecond = archived.isSecond
    call.failed = archived.failed
    call.milliseconds = Self.millisecondsInMinute(archived.time)
    call.cell = findOrAddCell(archived.time.minute, archived.series)
    let position = UInt32(calls.count)
    store(
      Contribution(
        tokens: archived.tokens, beside: BesideTokens(archived), calls: archived.calls,
        failed: archived.failed), of: position, in: &call)
    calls.append(call)
    do {
      let calls = calls
      callIndex.append(archived.key) { calls[$0].key }
    }
    meet(cube.series[Int(archived.series)].conversation)
    return position
  }

  private mutating func remember(_ entry: ArchivedRecent) {
    revision += 1
    let call = entry.call
    guard entry.hasID else {
      recent.nameless[revision] = RecentCall(
        time: call.time, series: call.series, tokens: call.tokens, failed: call.failed,
        statedCost: call.statedCost, quantities: call.quantities,
        durationMilliseconds: entry.durationMilliseconds)
      recent.append(
        RecentCalls.Entry(time: call.time, arrival: revision, call: nil, duration: nil))
      return
    }
    guard let position = recall(call.key) else { return }
    recent.append(
      RecentCalls.Entry(
        time: call.time, arrival: revision, call: position, duration: entry.durationMilliseconds))
  }

  // MARK: - Giving to the archive

  /// Notes that a key leads to a call of another key.
  mutating func redirect(_ key: UInt64, to position: UInt32) {
    aliases[key] = position
    archiving?.redirects.insert(key)
  }

  private func archived(cell position: UInt32) -> ArchivedCell {
    let chunk = cube.chunks[Int(position) / CellChunk.capacity]
    let row = Int(position) % CellChunk.capacity
    return ArchivedCell(chunk.cells[row], chunk.extras(of: row))
  }

  private func archived(call position: UInt32) -> ArchivedCall {
    let call = calls[position]
    let counted = contribution(of: position)
    var archived = ArchivedCall(
      key: call.key, time: time(of: call), series: self[call.cell].series)
    archived.request = call.request
    archived.rank = call.rank
    archived.isSecond = call.isSecond
    archived.fill(counted, failed: call.failed)
    return archived
  }

  private func archived(nameless call: NamelessCall) -> ArchivedCall {
    var archived = ArchivedCall(key: 0, time: call.time, series: self[call.cell].series)
    archived.fill(call.contribution, failed: call.contribution.errors > 0)
    return archived
  }

  private func archivedRecent() -> [ArchivedRecent] {
    recent.latest(isGone: isWithdrawn).map { entry in
      if let position = entry.call {
        return ArchivedRecent(
          call: archived(call: position), hasID: true, durationMilliseconds: entry.duration)
      }
      let nameless = recent.nameless[entry.arrival]!
      var call = ArchivedCall(key: 0, time: nameless.time, series: nameless.series)
      call.tokens = nameless.tokens
      call.failed = nameless.failed
      call.statedCost = nameless.statedCost
      call.quantities = nameless.quantities
      return ArchivedRecent(
        call: call, hasID: false, durationMilliseconds: nameless.durationMilliseconds)
    }
  }
}

extension ArchivedCall {
  fileprivate mutating func fill(_ counted: Ledger.Contribution, failed: Bool) {
    self.failed = failed
    tokens = counted.tokens
    quantities = counted.beside.quantities
    statedCost = counted.beside.statedCost
    calls = counted.calls
  }
}

extension BesideTokens {
  fileprivate init(_ call: ArchivedCall) {
    self.init()
    quantities = call.quantities
    statedCost = call.statedCost
  }
}

extension CellChunk {
  /// Puts what is archived into a cell.
  fileprivate mutating func restore(_ row: Int, _ cell: ArchivedCell) {
    cells[row].requests = cell.requests
    cells[row].errors = cell.errors
    cells[row].tokens = cell.tokens
    restore(cell.extras, of: row)
  }
}
