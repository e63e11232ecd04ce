import MimoEngine
import MimoSQLite
import MimoTestSupport
import Testing

@testable import MimoStore

/// What is read beside the other work of a start is what would be read afterwards, or is not used.
@Suite struct ReadAheadTests {
  private let folder = TemporaryFolder()

  /// What a book has, in values that can be compared.
  private struct Book: Equatable {
    var edges: [Int64]
    var names: [String]
    var series: [Series]

    init(_ book: AddressBook) {
      edges = book.promptEdges
      names = (0..<book.names.count).map { book.names[NameID(UInt32($0))] }
      series = book.series
    }
  }

  private func ahead() throws -> BookAhead {
    try LedgerStore.bookAhead(folder: folder.ledger, now: testNow)
  }

  /// Opens the ledger for reading, and expects the same book with and without what was read ahead.
  private func expectSameBook(_ ahead: BookAhead, isUsed: Bool, edges: [Int64] = []) throws {
    let store = try LedgerStore.open(folder, .read)
    defer { store.close() }
    let plain = try store.addressBook(promptEdges: edges)
    #expect(try Book(store.addressBook(promptEdges: edges, ahead: ahead)) == Book(plain))
    // With another content it shows which of the two was taken.
    var marked = ahead.book
    _ = marked.names.intern("marked")
    let taken = try store.addressBook(
      promptEdges: edges, ahead: BookAhead(moment: ahead.moment, book: marked))
    #expect(taken.names.count == (isUsed ? marked : plain).names.count)
  }

  @Test func `a book that was read ahead counts until something is stored or forgotten`() throws {
    for seed in 1...6 as ClosedRange<UInt64> {
      let store = try LedgerStore.open(folder)
      _ = try store.base(promptEdges: [1000, 50_000], now: testNow)
      if seed == 1 { try store.commit(LedgerChanges(), now: testNow) }
      var generator = ChangeGenerator(seed: seed)
      try store.commit(generator.next(), now: testNow)
      var ahead = try ahead()
      try expectSameBook(ahead, isUsed: true)
      try expectSameBook(ahead, isUsed: true, edges: [500, 50_000, 60_000])
      try store.commit(generator.next(), now: testNow)
      try expectSameBook(ahead, isUsed: false)
      ahead = try self.ahead()
      try store.forget(before: testNow.minute, now: testNow)
      try expectSameBook(ahead, isUsed: false)
      store.close()
    }
  }

  private func cells(_ history: ArchivedHistory, _ store: LedgerStore) throws -> [ArchivedCell] {
    var history = history
    let snapshot = try history.snapshot(
      store.base(promptEdges: [], now: testNow), revision: 0,
      addresses: store.storedAddresses(at:), names: store.storedNames(at:))
    // Series have other numbers on a screen: compared by their models, all of them different.
    var cells: [ArchivedCell] = []
    for chunk in snapshot.cube.chunks {
      chunk.forEach { cell in
        var cell = cell
        let series = snapshot.cube.series[Int(cell.series)]
        cell.series = UInt32(snapshot.names[series.labels.model].dropFirst())!
        cells.append(cell)
      }
    }
    return cells.sorted { ($0.minute, $0.series) < ($1.minute, $1.series) }
  }

  @Test func `cells that were read ahead are those of the last days`() throws {
    let store = try LedgerStore.open(folder)
    var changes = LedgerChanges()
    for number in 0..<50 { changes.addSeries(named: Array("m\(number)".utf8)) }
    var generator = ChangeGenerator(seed: 3)
    let now = Hour(of: testNow.minute)
    for hour in now.number - 24 * 9...now.number where generator.number(0...2) > 0 {
      changes.hours[Hour(hour)] = (0..<generator.number(1...9)).map { offset in
        generator.cell(Minute(hour * 60 + 6 * offset), generator.number(0...49))
      }
    }
    try store.commit(changes, now: testNow)
    let ahead = try LedgerStore.cellsAhead(
      folder: folder.ledger, from: now.day - 5, now: testNow)
    #expect(
      ahead.days == Set(changes.hours.keys.map(\.day)).filter { $0 >= now.day - 5 }.sorted())
    #expect(try ahead.commit == store.commitNumber)
    #expect(store.isOrigin(of: ahead))
    let expected = changes.hours.filter { $0.key.day >= now.day - 5 }.flatMap(\.value)
      .sorted { ($0.minute, $0.series) < ($1.minute, $1.series) }
    #expect(!expected.isEmpty)
    #expect(try cells(ahead.history, store) == expected)
    store.close()
    _ = try LedgerStore.replaced(in: folder)
    #expect(try !LedgerStore.open(folder, .read).isOrigin(of: ahead))
  }

  /// Many hours of many cells: more than is handed to the decoding thread at once.
  private func largeLedger() throws -> (store: LedgerStore, hours: [Hour: [ArchivedCell]]) {
    let store = try LedgerStore.open(folder)
    var generator = ChangeGenerator(seed: 5)
    var changes = LedgerChanges()
    for number in 0..<100 as Range<UInt8> { changes.addSeries(named: [number + 1]) }
    changes.numbers = try store.commit(changes, now: testNow)
    for hour in 1...300 as ClosedRange<Int32> {
      changes.hours[Hour(hour)] = (0..<60).map {
        generator.cell(Minute(hour * 60 + $0), UInt32($0))
      }
    }
    try store.commit(changes, now: testNow)
    return (store, changes.hours)
  }

  @Test(arguments: [nil, Minute(600)..<Minute(12_345), Minute(90)..<Minute(91)])
  func `a pass over stored cells sees each of them once`(minutes: Range<Minute>?) throws {
    let (store, hours) = try largeLedger()
    let all = try store.hours(changedSince: 0)
    let leftOut: Set = [Hour(20), Hour(21), Hour(299)]
    let source = StoredCells(of: store, hours: all, except: leftOut)
    var seen: [ArchivedCell] = []
    source.forEachChunk(in: minutes) { chunk in chunk.forEach { seen.append($0) } }
    let expected = hours.filter { hour, _ in
      !leftOut.contains(hour) && (minutes.map { $0.overlaps(hour.minutes) } ?? true)
    }
    #expect(seen == expected.sorted { $0.key < $1.key }.flatMap { $0.value })
    #expect(store.readError == nil)
  }

  @Test func `a pass over cells of which an hour is damaged ends there and says so`() throws {
    let (store, _) = try largeLedger()
    let connection = try SQLiteConnection(path: store.path, access: .readWrite)
    for damage in ["UPDATE hour SET cells = x'0102030405' WHERE number = 150"] {
      try connection.execute(damage)
    }
    let source = StoredCells(of: store, hours: [Hour(1), Hour(300)], except: [])
    var seen: Set<Hour> = []
    source.forEachChunk(in: nil) { chunk in chunk.forEach { seen.insert(Hour(of: $0.minute)) } }
    #expect(store.readError == .damaged(path: store.path))
    #expect(!seen.contains(Hour(150)) && seen.count < 300)
  }
}
