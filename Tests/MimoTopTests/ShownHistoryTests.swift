import Foundation
import MimoEngine
import MimoStore
import Testing

@testable import mimo_top

/// What was read ahead is shown as if it had been read when it was asked for.
@Suite struct ShownHistoryTests {
  private static let now = Instant(seconds: 1_779_874_200)
  private static let hour = Hour(of: now.minute)

  private let folder = FileManager.default.temporaryDirectory.path + "/mimo-shown-\(UUID())"

  private func ahead() throws -> CellsAhead {
    try LedgerStore.cellsAhead(folder: folder, from: Self.hour.day - 5, now: Self.now)
  }

  /// Stores one more model with one call in the hour, and in one a week ago.
  private func store(_ number: Int, in writer: LedgerStore) throws {
    var changes = LedgerChanges()
    for index in 1...number {
      let model = changes.names.intern("model-\(index)")
      changes.series.append(
        Series(labels: Labels(model: model), tier: .standard, band: 0, flags: []))
    }
    for hour in [Self.hour, Hour(Self.hour.number - 7 * 24)] {
      changes.hours[hour] = (0..<number).map { series in
        var cell = ArchivedCell(
          minute: hour.minutes.lowerBound.advanced(by: number), series: UInt32(series))
        cell.requests = 1
        return cell
      }
    }
    try writer.commit(changes, now: Self.now)
  }

  /// How many calls of each model are shown.
  private func shown(
    _ reader: LedgerStore, _ ahead: CellsAhead?
  ) throws -> [String: UInt32] {
    var asked = 0
    var history = ShownHistory {
      asked += 1
      return ahead
    }
    var counts: [String: UInt32] = [:]
    for _ in 0..<2 {
      try history.bring(nil, from: reader, held: [])
      let base = try reader.base(promptEdges: [], now: Self.now)
      let snapshot = try history.snapshot(base, from: reader, revision: 0)
      counts = [:]
      snapshot.cube.forEachCell { cell, _ in
        let model = snapshot.cube.series[Int(cell.series)].labels.model
        counts[snapshot.names[model], default: 0] += cell.requests
      }
    }
    #expect(asked == 1)
    return counts
  }

  @Test func `whatever was stored before or after, the cells of the store's moment are shown`()
    throws
  {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let writer = try LedgerStore.open(folder: folder, access: .write, now: Self.now)
    try store(1, in: writer)
    let before = try ahead()
    let frozen = try LedgerStore.open(folder: folder, access: .read, now: Self.now)
    try frozen.freeze()
    try store(2, in: writer)
    let after = try ahead()
    let present = try LedgerStore.open(folder: folder, access: .read, now: Self.now)
    for ahead in [nil, before, after] {
      #expect(try shown(frozen, ahead) == ["model-1": 2])
      #expect(try shown(present, ahead) == ["model-1": 2, "model-2": 2])
    }
  }
}
