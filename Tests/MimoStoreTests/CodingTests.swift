import MimoEngine
import MimoTestSupport
import Testing

@testable import MimoStore

/// What is read is what was written, or nothing: whatever happened to the bytes.
@Suite struct CodingTests {
  private var generator = ChangeGenerator(seed: 21)

  init() {
    for index in 1..<1000 { _ = generator.names.intern("n\(index)") }
    generator.series = (0..<1000).map { index in
      Series(labels: Labels(model: NameID(UInt32(index))), tier: .flex, band: 0, flags: [])
    }
  }

  private static let hour = Hour(494_400)

  private mutating func cells(_ count: Int) -> [ArchivedCell] {
    var cells: [ArchivedCell] = []
    for index in 0..<count {
      cells.append(
        generator.cell(Minute(Self.hour.number * 60 + Int32(index % 60)), UInt32(index / 7)))
    }
    return cells
  }

  private static func decodedSlab(_ bytes: [UInt8], of hour: Hour = Self.hour) -> [ArchivedCell]? {
    let unpacked = bytes.withUnsafeBytes { SlabCoding.decode([($0, hour)]) }
    guard let unpacked else { return nil }
    var decoded: [ArchivedCell] = []
    CellChunk(unpacked.cells).forEach { decoded.append($0) }
    return decoded
  }

  @Test mutating func `an hour of another hour is damage`() {
    let bytes = SlabCoding.encode(cells(100), of: Self.hour)
    #expect(Self.decodedSlab(bytes)?.count == 100)
    #expect(Self.decodedSlab(bytes, of: Hour(Self.hour.number + 1)) == nil)
  }

  @Test func `a cell of a few calls takes a dozen bytes`() {
    let cells = (0..<120).map { index in
      var cell = ArchivedCell(
        minute: Minute(Self.hour.number * 60 + Int32(index % 20)), series: UInt32(index / 20))
      cell.requests = 1
      cell.tokens = TokenCounts(
        input: 1200, cacheRead: 90_000, cacheWrite5m: 2400, output: 700, reasoning: 0)
      return cell
    }
    #expect(SlabCoding.encode(cells, of: Self.hour).count <= cells.count * 12)
  }

  /// One of each kind of value, with the number that its checksum has as a seed, how many bytes that is, and
  /// whether some bytes are read as what was written.
  private mutating func values() -> [(
    bytes: [UInt8], seal: Int, place: UInt64, reads: ([UInt8]) -> Bool?
  )] {
    let cells = cells(40)
    let sorted = cells.sorted { ($0.series, $0.minute) < ($1.series, $1.minute) }
    let call = generator.call(99)
    let opening = ArchivedOpening(call: 7, nameless: generator.call(0))
    let recent = (0..<9).map {
      ArchivedRecent(call: generator.call($0), hasID: $0 != 0, durationMilliseconds: -5)
    }
    let names: [[UInt8]] = [[1, 2, 3], [], [255]]
    let series = (0..<9).map { _ in
      Series(
        labels: Labels(model: generator.name(), key: generator.name()),
        conversation: generator.name(), tier: .fast, band: 3, flags: [.cacheUnknown])
    }
    func decoded(call bytes: [UInt8]) -> Bool? {
      switch bytes.withUnsafeBytes({ CallCoding.decode($0, of: 99) }) {
      case .call(let read): read == call
      case .redirect(let target): target == 5
      case nil: nil
      }
    }
    return [
      (
        SlabCoding.encode(cells, of: Self.hour), 4, UInt64(Self.hour.number),
        { Self.decodedSlab($0).map { $0 == sorted } }
      ),
      (CallCoding.encode(call), 1, 99, decoded(call:)),
      (CallCoding.encode(redirect: 5, of: 99), 1, 99, decoded(call:)),
      (
        CallCoding.encode(opening, of: NameID(3)), 1, 3,
        {
          $0.withUnsafeBytes { CallCoding.decode(opening: $0, of: NameID(3)) }.map { $0 == opening }
        }
      ),
      (
        CallCoding.encode(recent), 4, 0,
        { $0.withUnsafeBytes { CallCoding.decode(recent: $0) }.map { $0 == recent } }
      ),
      (
        PageCoding.encode(names: names, page: 6), 4, 6,
        { bytes in
          var read: [[UInt8]] = []
          let count = bytes.withUnsafeBytes {
            PageCoding.decode(names: $0, page: 6) { read.append(Array($1)) }
          }
          return count.map { $0 == names.count && read == names }
        }
      ),
      (
        PageCoding.encode(series: series, page: 6), 4, 6,
        { bytes in
          var read: [Series] = []
          let count = bytes.withUnsafeBytes {
            PageCoding.decode(series: $0, page: 6) { read.append($1) }
          }
          return count.map { $0 == series.count && read == series }
        }
      ),
    ]
  }

  @Test mutating func `what was written is read`() {
    for _ in 0..<50 {
      for value in values() { #expect(value.reads(value.bytes) == true) }
    }
  }

  @Test mutating func `other bytes are noticed`() {
    var noticed = 0
    var changed = 0
    for _ in 0..<20 {
      for value in values() {
        for cut in 0..<value.bytes.count {
          // What is sealed with one byte may be cut by chance so that it fits.
          let read = value.reads(Array(value.bytes.prefix(cut)))
          if value.seal == 4 { #expect(read == nil) }
        }
        for _ in 0..<20 {
          var bytes = value.bytes
          bytes[generator.number(0...bytes.count - 1)] ^= generator.number(1...255)
          changed += 1
          if value.reads(bytes) == nil {
            noticed += 1
          } else if value.seal == 4 {
            Issue.record("a change was not noticed")
          }
        }
      }
    }
    // Of those with one byte for a checksum one in 256 is not noticed.
    #expect(noticed > changed * 98 / 100)
  }

  /// Nothing in it may trap or run away, not even where the checksum fits.
  @Test mutating func `bytes of any kind are survived`() {
    for _ in 0..<60 {
      for value in values() {
        var content = Array(value.bytes.dropLast(value.seal))
        for _ in 0..<generator.number(1...4) {
          switch generator.number(0...3) {
          case 0 where content.count > 1:
            content.removeLast(generator.number(1...content.count - 1))
          case 1:
            let new = (0..<generator.number(1...20)).map { _ in generator.number(0...255) as UInt8 }
            content.insert(contentsOf: new, at: generator.number(0...content.count))
          case 2:
            content.insert(
              contentsOf: Array(repeating: 0xFF, count: 9) + [0x7F],
              at: generator.number(0...content.count))
          default:
            if content.isEmpty { continue }
            content[generator.number(0...content.count - 1)] = generator.number(0...255)
          }
        }
        let seal = content.withUnsafeBytes { checksum($0, value.place) }
        let bytes =
          content + withUnsafeBytes(of: seal.littleEndian) { Array($0.prefix(value.seal)) }
        _ = value.reads(bytes)
      }
    }
  }
}
