import MimoEngine
import MimoSQLite
import MimoThreads

/// Decodes stored hours on a thread of its own, while another one reads the next and adds up the last: over a year
/// decoding takes as long as these together.
final class SlabDecoder {
  /// Hours as they are stored, one after the other.
  private struct Packed: Sendable {
    var bytes: [UInt8] = []
    var hours: [(hour: Hour, end: Int)] = []
  }

  /// Their cells, and the largest position of a series; `nil` if an hour is damaged.
  typealias Unpacked = (cells: HourCells, largest: UInt32)

  private let packed = Channel<Packed>(capacity: 4)
  private let unpacked = Channel<Unpacked?>(capacity: 4)
  private let thread: WorkerThread
  private var next = Packed()
  private var inWork = 0

  /// As many bytes of hours are handed over at once.
  private static let bytesAtOnce = 16 << 10
  /// As many times they may be in work: fewer than the channels hold, so that no thread waits for the other's answer.
  private static let mostInWork = 6

  /// Starts the thread; `nil` if the system refuses one.
  init?() {
    let (packed, unpacked) = (packed, unpacked)
    let thread = WorkerThread.start {
      while let hours = packed.receive() { unpacked.send(Self.decode(hours)) }
    }
    guard let thread else { return nil }
    self.thread = thread
  }

  deinit {
    packed.close()
    unpacked.close()
    thread.join()
  }

  /// Takes an hour.
  ///
  /// - Parameter body: is called with hours that are done.
  func add(
    _ bytes: UnsafeRawBufferPointer, of hour: Hour,
    _ body: (Unpacked?) throws(SQLiteError) -> Void
  ) throws(SQLiteError) {
    next.bytes.append(contentsOf: bytes)
    next.hours.append((hour, next.bytes.count))
    if next.bytes.count >= Self.bytesAtOnce { try handOver(body) }
  }

  /// Calls `body` with all that is left.
  func finish(_ body: (Unpacked?) throws(SQLiteError) -> Void) throws(SQLiteError) {
    if !next.hours.isEmpty { try handOver(body) }
    while inWork > 0, let done = unpacked.receive() {
      inWork -= 1
      try body(done)
    }
  }

  private func handOver(_ body: (Unpacked?) throws(SQLiteError) -> Void) throws(SQLiteError) {
    packed.send(next)
    next = Packed()
    inWork += 1
    while let done = inWork < Self.mostInWork ? unpacked.receiveIfThere() : unpacked.receive() {
      inWork -= 1
      try body(done)
    }
  }

  private static func decode(_ packed: Packed) -> Unpacked? {
    packed.bytes.withUnsafeBytes { bytes in
      var start = 0
      return SlabCoding.decode(
        packed.hours.map { hour, end in
          defer { start = end }
          return (UnsafeRawBufferPointer(rebasing: bytes[start..<end]), hour)
        })
    }
  }
}
