import Foundation
import MimoEngine
import MimoSQLite
import Testing

@testable import MimoStore

@Suite struct LedgerStoreTests {
  private let folder = TemporaryFolder()

  @Test func `what was committed is what is read`() throws {
    for seed in 1...4 as ClosedRange<UInt64> {
      let folder = TemporaryFolder()
      var generator = ChangeGenerator(seed: seed)
      var expected = Contents()
      var store = try LedgerStore.open(folder)
      for _ in 0..<20 {
        let (changes, notes) = (generator.next(), generator.notes())
        try store.commit(changes, notes: notes, now: testNow)
        expected.apply(changes, notes)
        switch generator.number(0...4) {
        case 0:
          store.close()
          store = try LedgerStore.open(folder)
        case 1: try store.commit(changes, notes: notes, now: testNow)
        default: break
        }
        let (found, wanted) = try (Contents(store), expected.readable)
        #expect(found == wanted, "seed \(seed)")
        if found != wanted { return }
        let numbers = try Contents.numbers(of: store.addressBook())
        for key in generator.keys {
          #expect(store.call(key)?.with { numbers[Int($0)] } == expected.call(key))
        }
      }
      let reader = try LedgerStore.open(folder, .read)
      #expect(try Contents(reader) == expected.readable, "seed \(seed)")
    }
  }

  @Test func `cells of a range come by the hour`() throws {
    let store = try LedgerStore.open(folder)
    var generator = ChangeGenerator(seed: 7)
    var changes = generator.next()
    for hour in [Hour(-5), Hour(-1), Hour(0), Hour(3), Hour(9)] {
      changes.hours[hour] = [
        generator.cell(Minute(hour.number * 60 + 59), 0),
        generator.cell(Minute(hour.number * 60), 0),
      ]
    }
    try store.commit(changes, now: testNow)
    func minutes(_ hours: Range<Hour>) throws -> [Int32] {
      try store.cells(in: hours).chunks.flatMap { $0.cells.map { $0.minute.number } }
    }
    #expect(try minutes(Hour(-1)..<Hour(9)) == [-60, -1, 0, 59, 180, 239])
    #expect(try minutes(Hour(10)..<Hour(20)) == [])
  }

  @Test func `a reader sees what a writer commits, and which hours`() throws {
    let writer = try LedgerStore.open(folder)
    let reader = try LedgerStore.open(folder, .read)
    #expect(reader.origin == writer.origin)
    #expect(reader.keySalt == writer.keySalt)
    var generator = ChangeGenerator(seed: 8)
    var known = try reader.commitNumber
    for _ in 0..<20 {
      let changes = generator.next()
      try writer.commit(changes, now: testNow)
      let changed = changes.hours.filter { known > 0 || !$0.value.isEmpty }
      #expect(try reader.hours(changedSince: known) == changed.keys.sorted())
      known = try reader.commitNumber
      #expect(try known == writer.commitNumber)
    }
    try writer.commit(LedgerChanges(), now: testNow)
    #expect(try reader.commitNumber == known)
    #expect(try Contents(reader) == Contents(writer))
  }

  @Test func `one writes, and the next can when it is gone`() throws {
    let writer = try LedgerStore.open(folder)
    let held = #expect(throws: StoreError.self) { _ = try LedgerStore.open(folder) }
    #expect("\(held!)".contains("kept by process \(getpid())"))
    #expect(LedgerStore.isHeld(folder: folder.ledger))
    writer.close()
    #expect(!LedgerStore.isHeld(folder: folder.ledger))
    _ = try LedgerStore.open(folder)
  }

  @Test func `names keep their bytes, and are found by them`() throws {
    var changes = LedgerChanges()
    let cut = Array(repeating: UInt8(ascii: "x"), count: 255) + [0xC3]
    let names: [[UInt8]] = [cut, [0xFF], [0xFE], Array("a".utf8)]
    for name in names { changes.addSeries(named: name) }
    let store = try LedgerStore.open(folder)
    try store.commit(changes, now: testNow)
    let book = try store.addressBook()
    #expect(book.names.count == 5)
    for (index, name) in names.enumerated() {
      #expect(book.names.withBytes(of: NameID(UInt32(index + 1))) { Array($0) } == name)
      #expect(
        try store.reading { (database) throws(SQLiteError) in
          try database.findName(name)
        } == UInt32(index + 1))
    }
    #expect(
      try store.reading { (database) throws(SQLiteError) in
        try database.findName([0xFD])
      } == nil)
  }

  @Test func `other prompt sizes are joined with those stored, and each series keeps its band`()
    throws
  {
    var store = try LedgerStore.open(folder)
    #expect(
      try store.base(promptEdges: [1000, 50_000], now: testNow).promptEdges == [1000, 50_000])
    var changes = LedgerChanges()
    changes.promptEdges = [1000, 50_000]
    for band in 0...2 as ClosedRange<UInt8> {
      changes.series.append(Series(labels: Labels(), tier: .standard, band: band, flags: []))
    }
    changes.useAllSeries()
    try store.commit(changes, now: testNow)
    store.close()
    for access in [LedgerStore.Access.read, .write, .read] {
      store = try LedgerStore.open(folder, access)
      let base = try store.base(promptEdges: [500, 1000, 20_000], now: testNow)
      #expect(base.promptEdges == [500, 1000, 20_000, 50_000])
      let book = try store.addressBook(promptEdges: [500, 1000, 20_000])
      #expect(book.promptEdges == base.promptEdges)
      #expect(book.series.map(\.band) == [0, 2, 4])
      #expect(store.addresses(at: [0, 1, 2]).map(\.smallestPrompt) == [0, 1001, 50_001])
      store.close()
    }
    // Whoever counts on finds the addresses, whatever their bands are called.
    store = try LedgerStore.open(folder)
    #expect(try store.commit(changes, now: testNow) == [0, 1, 2])
    changes.promptEdges = [500, 1000, 20_000, 50_000]
    for (row, band) in [0, 2, 4].enumerated() { changes.series[row].band = UInt8(band) }
    #expect(try store.commit(changes, now: testNow) == [0, 1, 2])
    store.close()
    // What a writer was given is stored.
    store = try LedgerStore.open(folder, .read)
    #expect(
      try store.base(promptEdges: [], now: testNow).promptEdges == [500, 1000, 20_000, 50_000])
    let many = Array(stride(from: 1 as Int64, to: 300, by: 1))
    #expect(throws: StoreError.tooManyEdges(path: store.path)) {
      _ = try store.base(promptEdges: many, now: testNow)
    }
  }

  @Test func `an address has one number, whoever stores it and however often`() throws {
    let store = try LedgerStore.open(folder)
    var first = LedgerChanges()
    for name in ["a", "b"] { first.addSeries(named: Array(name.utf8)) }
    #expect(try store.commit(first, now: testNow) == [0, 1])
    // As if the answer had got lost.
    #expect(try store.commit(first, now: testNow) == [0, 1])
    // Another ledger calls them otherwise.
    var second = LedgerChanges()
    for name in ["c", "b", "unused", "a"] { second.addSeries(named: Array(name.utf8)) }
    second.recent!.remove(at: 2)
    #expect(try store.commit(second, now: testNow) == [2, 1, LedgerChanges.unknownNumber, 0])
    second.numbers = [2]
    #expect(try store.commit(second, now: testNow) == [2, 1, LedgerChanges.unknownNumber, 0])
    #expect(try store.addressBook().names.count == 4)
    #expect(try store.addressBook().series.count == 3)
  }

  @Test func `a thousand names and series need several pages`() throws {
    let store = try LedgerStore.open(folder)
    var expected = Contents()
    var changes = LedgerChanges()
    for size in [127, 1, 1, 127, 128, 300, 0, 1] {
      for _ in 0..<size { changes.addSeries(named: Array("\(changes.series.count)".utf8)) }
      changes.numbers = try store.commit(changes, now: testNow)
      expected.apply(changes, [])
      #expect(try Contents(store) == expected.readable)
    }
    // Some of them, in order.
    let numbers: [UInt32] = [0, 1, 127, 128, 400, 684]
    let addresses = store.addresses(at: numbers)
    #expect(addresses.map(\.series.labels.model.index) == numbers.map { $0 + 1 })
    #expect(store.names(at: numbers.map { $0 + 1 }) == numbers.map { Array("\($0)".utf8) })
    #expect(store.readError == nil)
    #expect(store.addresses(at: [685]).isEmpty)
    #expect(store.readError == .damaged(path: store.path))
  }

  @Test func `pages of impossible numbers, and edges that bands cannot end at, are damage`() throws
  {
    for damage in [
      "INSERT INTO series_page VALUES (1 << 60, x'00')",
      "UPDATE series_page SET number = 1 << 23", "UPDATE name_page SET number = 1 << 62",
    ] {
      let folder = TemporaryFolder()
      var store = try LedgerStore.open(folder)
      var changes = LedgerChanges()
      changes.addSeries(named: [65])
      try store.commit(changes, now: testNow)
      store.close()
      try SQLiteConnection(path: store.path, access: .readWrite).execute(damage)
      store = try LedgerStore.open(folder, .read)
      #expect(throws: StoreError.damaged(path: store.path), "\(damage)") {
        _ = try store.addressBook()
      }
      store.close()
      // Set aside or used, but never a crash.
      store = try LedgerStore.open(folder)
      changes.addSeries(named: [66])
      _ = try? store.commit(changes, now: testNow)
    }
    for edges in [[-1], [5, 5], [7, 6], [.max]] as [[Int64]] {
      let folder = TemporaryFolder()
      let store = try LedgerStore.open(folder)
      try store.writing(now: testNow) { (database) throws(SQLiteError) in
        var writer = ByteWriter()
        for edge in edges { writer.append(folded: edge) }
        try database.set(.edges, writer.sealed(for: 0))
      }
      #expect(throws: StoreError.damaged(path: store.path), "\(edges)") {
        _ = try store.addressBook()
      }
    }
  }

  @Test func `names and addresses that are not found by what they say are damage`() throws {
    for damage in [
      "DELETE FROM name_key WHERE number = 2", "DELETE FROM series_key WHERE number = 0",
      "UPDATE name_key SET key = key + 1 WHERE number = 1", "INSERT INTO series_key VALUES (1, 1)",
      "INSERT INTO name_key VALUES (5, 77)",
    ] {
      let folder = TemporaryFolder()
      var store = try LedgerStore.open(folder)
      var changes = LedgerChanges()
      for name in ["a", "b"] { changes.addSeries(named: Array(name.utf8)) }
      try store.commit(changes, now: testNow)
      func verify() throws {
        try store.reading { (database) throws(SQLiteError) in try database.verify() }
      }
      try verify()
      store.close()
      try SQLiteConnection(path: store.path, access: .readWrite).execute(damage)
      store = try LedgerStore.open(folder, .read)
      #expect(throws: StoreError.damaged(path: store.path), "\(damage)") { try verify() }
      store.close()
      // Whoever keeps it mends that.
      store = try LedgerStore.open(folder)
      #expect(store.notices == [])
      try verify()
    }
  }
}

extension LedgerChanges {
  /// Adds an address with a model, which one of the latest calls has.
  mutating func addSeries(named name: [UInt8]) {
    let model = name.withUnsafeBytes { names.intern($0) }
    series.append(Series(labels: Labels(model: model), tier: .flex, band: 0, flags: []))
    useSeries(UInt32(series.count - 1))
  }

  /// Has one of the latest calls refer to an address.
  mutating func useSeries(_ number: UInt32) {
    let call = ArchivedCall(key: 0, time: testNow, series: number)
    recent = (recent ?? []) + [ArchivedRecent(call: call, hasID: false, durationMilliseconds: nil)]
  }

  /// Has one of the latest calls refer to each address.
  mutating func useAllSeries() { for number in series.indices { useSeries(UInt32(number)) } }
}
