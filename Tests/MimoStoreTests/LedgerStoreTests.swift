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
        for key in generator.keys { #expect(store.call(key) == expected.call(key)) }
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
    var base = try reader.base(promptEdges: [], now: testNow)
    var known = try reader.commitNumber
    for _ in 0..<20 {
      let changes = generator.next()
      try writer.commit(changes, now: testNow)
      #expect(try reader.hours(changedSince: known) == changes.hours.keys.sorted())
      try reader.refresh(&base)
      #expect(base.series.count == generator.series)
      #expect(base.names.count == generator.names)
      known = try reader.commitNumber
      #expect(try known == writer.commitNumber)
    }
    try writer.commit(LedgerChanges(following: generator), now: testNow)
    #expect(try reader.commitNumber == known)
  }

  @Test func `one writes, and the next can when it is gone`() throws {
    let writer = try LedgerStore.open(folder)
    let held = #expect(throws: StoreError.self) { _ = try LedgerStore.open(folder) }
    #expect("\(held!)".contains("kept by process \(getpid())"))
    writer.close()
    _ = try LedgerStore.open(folder)
  }

  @Test func `names keep their bytes, and their places if they are forgotten`() throws {
    var changes = LedgerChanges()
    let cut = Array(repeating: UInt8(ascii: "x"), count: 255) + [0xC3]
    changes.names = [cut, [0xFF], [0xFE], [], Array("a".utf8)]
    let store = try LedgerStore.open(folder)
    try store.commit(changes, now: testNow)
    var names = try store.base(promptEdges: [], now: testNow).names
    #expect(names.count == 6)
    for (index, name) in changes.names.enumerated() where !name.isEmpty {
      #expect(name.withUnsafeBytes { names.intern($0) } == NameID(UInt32(index + 1)))
    }
  }

  @Test func `other prompt sizes are joined with those stored, and each series keeps its band`()
    throws
  {
    var store = try LedgerStore.open(folder)
    #expect(
      try store.base(promptEdges: [1000, 50_000], now: testNow).promptEdges == [1000, 50_000])
    var changes = LedgerChanges()
    for band in 0...2 as ClosedRange<UInt8> {
      changes.series.append(Series(labels: Labels(), tier: .standard, band: band, flags: []))
    }
    try store.commit(changes, now: testNow)
    store.close()
    for access in [LedgerStore.Access.read, .write, .read] {
      store = try LedgerStore.open(folder, access)
      let base = try store.base(promptEdges: [500, 1000, 20_000], now: testNow)
      #expect(base.promptEdges == [500, 1000, 20_000, 50_000])
      #expect(base.series.map(\.band) == [0, 2, 4])
      store.close()
    }
    // What a writer was given is stored.
    store = try LedgerStore.open(folder, .read)
    #expect(
      try store.base(promptEdges: [], now: testNow).promptEdges == [500, 1000, 20_000, 50_000])
    let many = Array(stride(from: 1 as Int64, to: 300, by: 1))
    #expect(throws: StoreError.tooManyEdges(path: store.path)) {
      _ = try store.base(promptEdges: many, now: testNow)
    }
  }

  @Test func `changes that do not follow what is stored are refused`() throws {
    let store = try LedgerStore.open(folder)
    var changes = LedgerChanges()
    changes.names = [[1], [2]]
    try store.commit(changes, now: testNow)
    for first in [1, 2, 4, 300] {
      var wrong = LedgerChanges()
      wrong.firstName = first
      wrong.names = first > 3 ? [[9]] : []
      #expect(throws: StoreError.outOfStep(path: store.path)) {
        try store.commit(wrong, notes: [StoreNote(kind: "a", key: [1], value: [1])], now: testNow)
      }
    }
    #expect(try store.notes(kind: "a") == [])
    changes.firstName = 2
    changes.names = [[2], [3]]
    try store.commit(changes, now: testNow)
    #expect(try store.base(promptEdges: [], now: testNow).names.count == 4)
  }

  @Test func `a thousand names and series need several pages`() throws {
    let store = try LedgerStore.open(folder)
    var expected = Contents()
    for size in [127, 1, 1, 127, 128, 300, 0, 1] {
      var changes = LedgerChanges()
      changes.firstName = expected.names.count + 1
      changes.names = (0..<size).map { Array("\(expected.names.count + $0)".utf8) }
      changes.firstSeries = expected.series.count
      changes.series = (0..<size).map {
        Series(
          labels: Labels(model: NameID(UInt32(expected.names.count + $0 + 1))), tier: .flex,
          band: 0,
          flags: [])
      }
      try store.commit(changes, now: testNow)
      expected.apply(changes, [])
      #expect(try Contents(store) == expected.readable)
    }
  }
}

extension LedgerChanges {
  /// Nothing new after what a generator made.
  init(following generator: ChangeGenerator) {
    self.init()
    firstName = generator.names
    firstSeries = generator.series
  }
}
