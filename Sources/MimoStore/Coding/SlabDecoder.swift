import MimoEngine
import MimoSQLite
import MimoThreads

/// Hours as they are stored, one after the other, to be decoded at once.
struct PackedHours: Sendable {
  /// Their cells, and the largest position of a series; `nil` if an hour is damaged.
  typealias Unpacked = (cells: HourCells, largest: UInt32)

  private var bytes: [UInt8] = []
  private var hours: [(hour: Hour, end: Int)] = []

  var isEmpty: Bool { hours.isEmpty }
  /// Whether it is time to decode them: a few thousand cells.
  var isFull: Bool { bytes.count >= 32 << 10 }

  mutating func append(_ slab: UnsafeRawBufferPointer, of hour: Hour) {
    if isEmpty { bytes.reserveCapacity(36 << 10) }
    bytes.append(contentsOf: slab)
    hours.append((hour, bytes.count))
  }

  func unpacked() -> Unpacked? {
    bytes.withUnsafeBytes { bytes in
      var start = 0
      return SlabCoding.decode(
        hours.map { hour, end in
          defer { start = end }
          return (UnsafeRawBufferPointer(rebasing: bytes[start..<end]), hour)
        })
    }
  }

  /// What was packed; nothing remains.
  mutating func taken() -> PackedHours {
    var all = PackedHours()
    swap(&all, &self)
    return all
  }
}

/// Decodes stored hours on a thread of its own, while another one reads the next and adds up the last: over a year
/// decoding takes as long as these together.
final class SlabDecoder {
  private let packed = Channel<PackedHours>(capacity: 4)
  private let unpacked = Channel<PackedHours.Unpacked?>(capacity: 4)
  private let thread: WorkerThread
  private var inWork = 0

  /// As many times hours may be in work: fewer than the channels hold, so that no thread waits for the other's answer.
  private static let mostInWork = 6

  /// Starts the thread; `nil` if the system refuses one.
  init?() {
    let (packed, unpacked) = (packed, unpacked)
    let thread = WorkerThread.start {
      while let hours = packed.receive() { unpacked.send(hours.unpacked()) }
    }
    guard let thread else { return nil }
    self.thread = thread
  }

  deinit {
    packed.close()
    unpacked.close()
    thread.join()
  }

  /// Takes hours.
  ///
  /// - Parameter body: is called with hours that are done, in their order.
  func take(
    _ hours: PackedHours, _ body: (PackedHours.Unpacked?) throws(SQLiteError) -> Void
  ) throws(SQLiteError) {
    packed.send(hours)
    inWork += 1
    while let done = inWork < Self.mostInWork ? unpacked.receiveIfThere() : unpacked.receive() {
      inWork -= 1
      try body(done)
    }
  }

  /// Calls `body` with all that is left.
  func finish(_ body: (PackedHours.Unpacked?) throws(SQLiteError) -> Void) throws(SQLiteError) {
    while inWork > 0, let done = unpacked.receive() {
      inWork -= 1
      try body(done)
    }
  }
}
