/// What a ledger knows of its archive: what of it is in the ledger, and what the archive does not have yet.
struct Archiving: Sendable {
  /// What is asked; `nil` if nothing was ever archived.
  let archive: (any LedgerArchive)?
  /// Calls before this minute are not counted.
  var notBefore = Minute(.min)
  /// As in `LedgerBase`.
  var forgottenSources: [Fingerprint: Instant] = [:] {
    didSet { knowsForgotten = knowsForgotten || !forgottenSources.isEmpty }
  }
  /// Whether anything was met that was forgotten.
  var knowsForgotten = false
  /// Positions of the cells of each hour that is in the ledger.
  var hours: [Hour: [UInt32]] = [:]
  /// Conversations whose opening was asked for.
  var met: Set<NameID> = []
  /// What the ledger calls that which it met of the archive.
  var numbers = ArchiveNumbers()
  /// For each address its number in the archive; those behind the last have none that is known.
  var archived: [UInt32] = []

  // What changed since the last commit.
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

  init(_ archive: (any LedgerArchive)?) { self.archive = archive }

  /// A cell of this minute is about to change.
  @inline(__always)
  mutating func note(_ minute: Minute) {
    let hour = Hour(of: minute)
    if hour == latestHour { return }
    latestHour = hour
    changedHours.insert(hour)
  }

  /// Everything is in the archive from now on.
  mutating func committed(revision: UInt64) {
    recentRevision = revision
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
  /// - Parameter base: what is archived beside calls and cells.
  /// - Parameter archive: `nil` if there is nothing in it.
  public init(restoring base: LedgerBase, archive: (any LedgerArchive)?) {
    self.init(promptEdges: base.promptEdges)
    archiving = Archiving(archive)
    begin(base)
  }

  private mutating func begin(_ base: LedgerBase) {
    load = base.load
    archiving!.notBefore = base.notBefore ?? Minute(.min)
    archiving!.forgottenSources = base.forgottenSources
    learn(base.recent.map(\.call.series))
    for var entry in base.recent {
      entry.call.series = own(entry.call.series)
      remember(entry)
    }
    archiving!.committed(revision: revision)
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
    changes.names = names
    changes.promptEdges = cube.promptEdges
    changes.series = cube.series
    changes.numbers = a.archived
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
  ///
  /// - Parameter numbers: for each address that it had, the number in the archive, or `LedgerChanges.unknownNumber`.
  public mutating func didCommit(_ numbers: [UInt32]) {
    guard archiving != nil else { return }
    archiving!.archived = numbers
    for (own, archived) in numbers.enumerated() where archived != LedgerChanges.unknownNumber {
      if archiving!.numbers.series[archived] == nil {
        archiving!.numbers.series[archived] = UInt32(own)
      }
    }
    archiving!.committed(revision: revision)
  }

  /// A ledger that knows the same by asking the archive, and holds nothing itself.
  ///
  /// - Precondition: all is archived.
  public func emptied(archive: any LedgerArchive) -> Ledger {
    precondition(!hasChanges, "what is not archived would be lost")
    var base = LedgerBase(promptEdges: cube.promptEdges)
    base.recent = archivedRecent().compactMap { entry in
      var entry = entry
      guard let number = archivedNumber(of: entry.call.series) else { return nil }
      entry.call.series = number
      return entry
    }
    base.load = load
    base.notBefore = archiving!.notBefore
    base.forgottenSources = archiving!.forgottenSources
    var ledger = Ledger(promptEdges: cube.promptEdges)
    // Whoever decodes and whoever shows have them by their numbers.
    ledger.takeNamesAndAddresses(of: self)
    ledger.archiving = Archiving(archive)
    ledger.archiving!.numbers = archiving!.numbers
    ledger.archiving!.archived = archiving!.archived
    ledger.begin(base)
    ledger.revision = max(revision, ledger.revision)
    ledger.archiving!.recentRevision = ledger.revision
    return ledger
  }

  /// All that this ledger holds, with the numbers of an archive whose other cells come from elsewhere.
  ///
  /// - Parameter book: all that is in the archive.
  public func snapshot(among book: consuming AddressBook) -> UsageSnapshot {
    var snapshot = snapshot()
    let names = snapshot.names
    snapshot.names = NameTable()
    var places: [UInt32] = []
    for (own, series) in snapshot.cube.series.enumerated() {
      if let number = archivedNumber(of: UInt32(own)), number < book.series.count {
        places.append(number)
        continue
      }
      places.append(UInt32(book.series.count))
      book.series.append(
        series.renamed { id in names.withBytes(of: id) { book.names.intern($0) } })
    }
    snapshot.cube.renumber { places[Int($0)] }
    for index in snapshot.recent.indices {
      snapshot.recent[index].series = places[Int(snapshot.recent[index].series)]
    }
    snapshot.cube.series = book.series
    snapshot.names = book.names
    return snapshot
  }

  private func archivedNumber(of series: UInt32) -> UInt32? {
    guard let archived = archiving?.archived, Int(series) < archived.count,
      archived[Int(series)] != LedgerChanges.unknownNumber
    else { return nil }
    return archived[Int(series)]
  }

  /// Whether a call was forgotten: of one with an id its key remains, others belong to a source and a time.
  func isForgotten(_ record: UsageRecord) -> Bool {
    if let identity = record.identity {
      return isForgotten(identity.message) || identity.alias.map(isForgotten) ?? false
    }
    guard let limits = archiving?.forgottenSources, !limits.isEmpty else { return false }
    let source = names.withBytes(of: record.labels.source) { Fingerprint(of: $0) }
    return limits[source].map { record.time < $0 } ?? false
  }

  private func isForgotten(_ id: Fingerprint) -> Bool {
    guard let position = find(id.value), calls[position].hasExtras else { return false }
    return contribution(of: position).calls == 0
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
    let cells = archive.cells(of: hour)
    learn(cells.map(\.series))
    for cell in cells {
      let position = findOrAddCell(cell.minute, own(cell.series))
      cube.chunks[Int(position) / CellChunk.capacity].restore(
        Int(position) % CellChunk.capacity, cell)
    }
  }

  /// Takes the calls that may open a conversation from the archive.
  private mutating func meet(_ conversation: NameID) {
    guard let archive = archiving?.archive, conversation != .none,
      archiving!.met.insert(conversation).inserted,
      let opening = archive.opening(of: names.withBytes(of: conversation) { Array($0) })
    else { return }
    if let key = opening.call, openingCall(of: conversation) == nil, let position = recall(key) {
      setOpeningCall(of: conversation, position)
    }
    if let call = opening.nameless, namelessOpenings[conversation] == nil {
      hold(Hour(of: call.time.minute))
      learn([call.series])
      namelessOpenings[conversation] = NamelessCall(
        time: call.time,
        contribution: Contribution(
          tokens: call.tokens, beside: BesideTokens(call), calls: call.calls, failed: call.failed),
        cell: findOrAddCell(call.time.minute, own(call.series)))
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
    let name = names.withBytes(of: conversation) { Array($0) }
    for call in archive.calls(of: name) { restore(call) }
  }

  /// Makes an archived call one of this ledger's, unless it is.
  @discardableResult
  private mutating func restore(_ archived: ArchivedCall) -> UInt32 {
    if let known = callIndex.find(archived.key, isEqual: { calls[$0].key == archived.key }) {
      return known
    }
    if archived.isForgotten { archiving!.knowsForgotten = true }
    hold(Hour(of: archived.time.minute))
    var call = Call(key: archived.key, request: archived.request)
    call.rank = archived.rank
    call.isSecond = archived.isSecond
    call.failed = archived.failed
    call.milliseconds = Self.millisecondsInMinute(archived.time)
    learn([archived.series])
    let series = own(archived.series)
    call.cell = findOrAddCell(archived.time.minute, series)
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
    meet(cube.series[Int(series)].conversation)
    return position
  }

  /// Learns the addresses with these numbers of the archive.
  private mutating func learn(_ archived: [UInt32]) {
    guard let archive = archiving?.archive else { return }
    learn(archived, addresses: archive.addresses(at:), names: archive.names(at:))
  }

  /// The own number of an address met. One that the archive could not tell stands for nothing: whoever commits asks why.
  private mutating func own(_ archived: UInt32) -> UInt32 {
    archiving!.numbers.series[archived]
      ?? position(of: Series(labels: Labels(), tier: .standard, band: 0, flags: []))
  }

  private mutating func remember(_ entry: ArchivedRecent) {
    revision += 1
    if entry.hasID {
      recent.archived[revision] = entry
    } else {
      recent.nameless[revision] = RecentCall(entry)
    }
    recent.append(
      RecentCalls.Entry(time: entry.call.time, arrival: revision, call: nil, duration: nil))
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
    recent.latest(find: find, isGone: isWithdrawn).map { entry in
      if let position = entry.call {
        return ArchivedRecent(
          call: archived(call: position), hasID: true, durationMilliseconds: entry.duration)
      }
      if let archived = recent.archived[entry.arrival] { return archived }
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

extension Ledger: ArchiveReader {
  var numbers: ArchiveNumbers {
    get { archiving!.numbers }
    _modify { yield &archiving!.numbers }
  }

  mutating func number(of series: Series, smallestPrompt: Int64) -> UInt32 {
    var series = series
    series.band = cube.band(ofPrompt: smallestPrompt)
    return position(of: series)
  }

  mutating func note(_ archived: UInt32, is own: UInt32) {
    archiving!.numbers.series[archived] = own
    while archiving!.archived.count <= own {
      archiving!.archived.append(LedgerChanges.unknownNumber)
    }
    archiving!.archived[Int(own)] = archived
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
