import Foundation
import MimoEngine
import MimoSQLite
import MimoTestSupport
import Synchronization

@testable import MimoStore

/// A folder of its own for a test, gone with the test.
final class TemporaryFolder {
  let path: String

  init() {
    path =
      FileManager.default.temporaryDirectory.appendingPathComponent(
        "mimo-store-\(UUID().uuidString)"
      ).path
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Where a ledger can be: a folder that is not there yet.
  var ledger: String { path + "/state/mimo-top" }
}

/// 2026-05-27T09:30:00Z.
let testNow = Instant(seconds: 1_779_874_200)

extension LedgerStore {
  static func open(
    _ folder: TemporaryFolder, _ access: Access = .write, now: Instant = testNow,
    vfs: String? = nil, isOnNetwork: Bool? = nil
  ) throws(StoreError) -> LedgerStore {
    var opening = StoreOpening(folder: StoreFolder(path: folder.ledger), access: access, now: now)
    opening.vfs = vfs
    opening.isOnNetwork = isOnNetwork
    return try LedgerStore(opening)
  }
}

extension LedgerStore {
  /// Puts a ledger that counted nothing in the place of a folder's own; returns where that is from then on.
  static func replaced(in folder: TemporaryFolder) throws -> String {
    let old = try open(folder)
    let scratch = folder.ledger + "/rebuild-1"
    try old.successor(in: scratch, withoutNotes: [], now: testNow).close()
    let aside = try old.replace(byThatOf: scratch, now: testNow)
    try FileManager.default.removeItem(atPath: scratch)
    return aside
  }
}

/// An address by what it says, so that those of a ledger and of its store can be compared.
struct Spelling: Hashable {
  var names: [[UInt8]]
  var tier: ServiceTier
  var smallestPrompt: Int64
  var flags: Series.Flags

  init(_ series: Series, _ table: NameTable, _ promptEdges: [Int64]) {
    names = series.names.map { table.withBytes(of: $0) { Array($0) } }
    tier = series.tier
    smallestPrompt = UsageCube(promptEdges: promptEdges).smallestPrompt(ofBand: series.band)
    flags = series.flags
  }

  private static let all = Mutex<[Spelling: UInt32]>([:])

  /// The same for the same address, whoever has it under which number.
  var number: UInt32 {
    Self.all.withLock { all in
      if let known = all[self] { return known }
      all[self] = UInt32(all.count)
      return UInt32(all.count - 1)
    }
  }
}

/// What a ledger has, in dictionaries: what a store has to be like. Addresses have the numbers of their spellings.
struct Contents: Equatable {
  var names: Set<[UInt8]> = []
  var series: Set<UInt32> = []
  var hours: [Hour: [ArchivedCell]] = [:]
  var calls: [UInt64: ArchivedCall] = [:]
  var redirects: [UInt64: UInt64] = [:]
  var openings: [[UInt8]: ArchivedOpening] = [:]
  var recent: [ArchivedRecent] = []
  var load = LedgerLoad()
  var notes: [String: [[UInt8]: [UInt8]]] = [:]

  init() {}

  mutating func apply(_ changes: LedgerChanges, _ new: [StoreNote]) {
    /// What something refers to is stored, other names and addresses are not.
    func number(_ own: UInt32) -> UInt32 {
      let spelling = Spelling(changes.series[Int(own)], changes.names, changes.promptEdges)
      names.formUnion(spelling.names.filter { !$0.isEmpty })
      series.insert(spelling.number)
      return spelling.number
    }
    for (hour, cells) in changes.hours {
      let cells = cells.map { cell in
        var cell = cell
        cell.series = number(cell.series)
        return cell
      }
      hours[hour] = cells.isEmpty ? nil : Self.sorted(cells)
    }
    for call in changes.calls {
      calls[call.key] = call.with(number)
      redirects[call.key] = nil
    }
    for (key, target) in changes.redirects {
      redirects[key] = target
      calls[key] = nil
    }
    for (conversation, opening) in changes.openings {
      let name = changes.names.withBytes(of: conversation) { Array($0) }
      if !name.isEmpty { names.insert(name) }
      openings[name] = opening.with(number)
    }
    recent = changes.recent.map { $0.map { $0.with(number) } } ?? recent
    if !changes.isEmpty || !new.isEmpty { load = changes.load }
    for note in new { notes[note.kind, default: [:]][note.key] = note.value }
  }

  private static func sorted(_ cells: [ArchivedCell]) -> [ArchivedCell] {
    cells.sorted { ($0.series, $0.minute) < ($1.series, $1.minute) }
  }

  /// What a key leads to.
  func call(_ key: UInt64) -> ArchivedCall? {
    var key = key
    while let next = redirects[key] { key = next }
    return calls[key]
  }

  /// All that a store has, read through every door it has.
  init(_ store: LedgerStore, kinds: [String] = ["a", "b"]) throws {
    let base = try store.base(promptEdges: [], now: testNow)
    let book = try store.addressBook()
    for name in 1..<book.names.count {
      names.insert(book.names.withBytes(of: NameID(UInt32(name))) { Array($0) })
    }
    let numbers = Self.numbers(of: book)
    func number(_ stored: UInt32) -> UInt32 { numbers[Int(stored)] }
    series = Set(numbers)
    recent = base.recent.map { $0.with(number) }
    load = base.load
    for hour in try store.hours(changedSince: 0) {
      let cells = store.cells(of: hour).map { cell in
        var cell = cell
        cell.series = number(cell.series)
        return cell
      }
      if !cells.isEmpty { hours[hour] = Self.sorted(cells) }
    }
    let conversations = Set(
      book.series.map { series in book.names.withBytes(of: series.conversation) { Array($0) } })
    for conversation in conversations {
      for call in store.calls(of: conversation) { calls[call.key] = call.with(number) }
    }
    for kind in kinds {
      for note in try store.notes(kind: kind) { notes[kind, default: [:]][note.key] = note.value }
    }
    for name in names.union([[]]) { openings[name] = store.opening(of: name)?.with(number) }
    if let error = store.readError { throw error }
  }

  /// The numbers of a store's addresses here, in their order there.
  static func numbers(of book: AddressBook) -> [UInt32] {
    book.series.map { Spelling($0, book.names, book.promptEdges).number }
  }

  /// The same without what is not read as a whole.
  var readable: Contents {
    var copy = self
    copy.redirects = [:]
    copy.notes = notes.filter { !$0.value.isEmpty }
    return copy
  }
}

extension ArchivedCall {
  func with(_ number: (UInt32) -> UInt32) -> ArchivedCall {
    var call = self
    call.series = number(series)
    return call
  }
}

extension ArchivedOpening {
  func with(_ number: (UInt32) -> UInt32) -> ArchivedOpening {
    ArchivedOpening(call: call, nameless: nameless.map { $0.with(number) })
  }
}

extension ArchivedRecent {
  func with(_ number: (UInt32) -> UInt32) -> ArchivedRecent {
    var entry = self
    entry.call = call.with(number)
    return entry
  }
}

/// Changes as no ledger would make them, but as a store has to keep them.
struct ChangeGenerator {
  var random: SplitMix
  var names = NameTable()
  var series: [Series] = []
  var keys: [UInt64] = []
  /// At most so many new names and series at a time.
  var most = 400

  init(seed: UInt64) { random = SplitMix(state: seed) }

  mutating func number<T: FixedWidthInteger>(_ range: ClosedRange<T>) -> T {
    .random(in: range, using: &random)
  }

  /// Mostly small, sometimes as large as it gets.
  mutating func count() -> Int64 {
    switch number(0...9) {
    case 0...2: 0
    case 3...8: number(0...Int64(1) << number(1...40))
    default: [Int64.max, 1 << 62, -1, .min].randomElement(using: &random)!
    }
  }

  mutating func tokens() -> TokenCounts {
    TokenCounts(
      input: count(), cacheRead: count(), cacheWrite5m: count(), cacheWrite1h: count(),
      output: count(), reasoning: count())
  }

  mutating func quantities() -> Quantities {
    var quantities = Quantities()
    if number(0...4) > 0 { return quantities }
    for (_, path) in Quantities.counters { quantities[keyPath: path] = count() }
    return quantities
  }

  mutating func cost() -> Amount {
    switch number(0...3) {
    case 0: .zero
    case 1: Amount(atto: Int128(number(-1_000_000...1_000_000)) * 1_000_000_000_000)
    case 2: Amount(atto: Int128(count()))
    default: [Amount(atto: .max), Amount(atto: .min)].randomElement(using: &random)!
    }
  }

  mutating func instant() -> Instant {
    number(0...20) == 0
      ? Instant(milliseconds: number(-1_000_000_000_000...1_000_000_000_000))
      : testNow.advanced(byMilliseconds: number(-100_000_000...0))
  }

  mutating func position() -> UInt32 { number(0...UInt32(series.count - 1)) }

  mutating func name() -> NameID { NameID(number(0...UInt32(names.count - 1))) }

  mutating func cell(_ minute: Minute, _ series: UInt32) -> ArchivedCell {
    var cell = ArchivedCell(minute: minute, series: series)
    cell.requests = number(0...3) == 0 ? number(0...UInt32.max) : 1
    cell.errors = number(0...9) == 0 ? number(0...UInt32.max) : 0
    cell.tokens = tokens()
    cell.quantities = quantities()
    if number(0...5) == 0 {
      cell.statedCalls = number(0...100)
      cell.statedCost = cost()
    }
    return cell
  }

  mutating func call(_ key: UInt64) -> ArchivedCall {
    var call = ArchivedCall(key: key, time: instant(), series: position())
    call.request = number(0...1) == 0 ? 0 : number(0...UInt32.max)
    call.rank = CallIdentity.Rank(rawValue: number(0...3))!
    call.isSecond = number(0...5) == 0
    call.failed = number(0...5) == 0
    call.tokens = tokens()
    call.quantities = quantities()
    if number(0...4) == 0 { call.statedCost = cost() }
    if number(0...4) == 0 { call.calls = number(0...Int32.max) }
    return call
  }

  mutating func next() -> LedgerChanges {
    var changes = LedgerChanges()
    for _ in 0..<number(0...[2, 2, most].randomElement(using: &random)!) {
      let name: [UInt8] = (0..<number(1...40)).map { _ in number(0...255) }
      _ = name.withUnsafeBytes { names.intern($0) }
    }
    for _ in 0..<number(series.isEmpty ? 1...3 : 0...[2, most].randomElement(using: &random)!) {
      let one = Series(
        labels: Labels(
          model: name(), provider: name(), source: name(), project: name(), session: name(),
          key: name()), conversation: name(),
        tier: ServiceTier.allCases.randomElement(using: &random)!, band: 0,
        flags: Series.Flags(rawValue: number(0...63)))
      // A ledger has each once.
      if !series.contains(one) { series.append(one) }
    }
    (changes.names, changes.series) = (names, series)
    for _ in 0..<number(0...3) {
      let hour = Hour(of: instant().minute)
      var places = Set<[Int32]>()
      for _ in 0..<number(0...[0, 5, 50].randomElement(using: &random)!) {
        places.insert([number(0...59), Int32(position())])
      }
      changes.hours[hour] = places.map { place in
        cell(Minute(hour.number * 60 + place[0]), UInt32(place[1]))
      }
    }
    for _ in 0..<number(0...10) {
      let key = number(0...4) == 0 ? keys.randomElement(using: &random) : nil
      if changes.calls.contains(where: { $0.key == key }) { continue }
      let new = call(key ?? number(0...UInt64.max))
      keys.append(new.key)
      changes.calls.append(new)
    }
    if number(0...3) == 0, keys.count > 4 {
      // Only ever to a younger key, so that no circle comes about.
      let target = keys.count - 1
      let key = keys[number(0...target - 1)]
      if key != keys[target] { changes.redirects[key] = keys[target] }
    }
    for _ in 0..<number(0...3) {
      changes.openings[name()] = ArchivedOpening(
        call: number(0...1) == 0 ? nil : number(0...UInt64.max),
        nameless: number(0...1) == 0 ? nil : call(0))
    }
    if number(0...2) == 0 {
      changes.recent = (0..<number(0...20)).map { _ in
        let hasID = number(0...1) == 0
        return ArchivedRecent(
          call: call(hasID ? number(0...UInt64.max) : 0), hasID: hasID,
          durationMilliseconds: number(0...1) == 0 ? nil : number(Int32.min...Int32.max))
      }
    }
    changes.load = LedgerLoad(counts: number(0...1 << 51), calls: number(0...1 << 32))
    return changes
  }

  mutating func notes() -> [StoreNote] {
    (0..<number(0...3)).map { _ in
      StoreNote(
        kind: ["a", "b"].randomElement(using: &random)!, key: [number(0...5)],
        value: number(0...3) == 0 ? nil : (0..<number(0...20)).map { _ in number(0...255) })
    }
  }
}
