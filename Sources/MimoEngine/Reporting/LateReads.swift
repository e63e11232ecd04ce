/// The cache reads that a cache of some lifetime would have missed: those that come too long after the request
/// before them in their session.
///
/// A session is followed by all its labels; calls without a session tell nothing about each other and stay as
/// they are, as does the first call of a session. Times are whole minutes, so a read exactly at the end
/// of the lifetime counts as late. Of a minute with several calls the first one alone is late: their mean.
struct LateReads {
  private let cacheMinutes: Int32
  /// The session of each series; negative if it has none.
  private let group: [Int]
  /// The last minute seen of each session.
  private var last: [Int32]
  /// Whether cells are late, by chunk and place in it, for sessions whose cells are not in order of time.
  private var known: [[Int]: Bool] = [:]
  private var isDisordered: [Bool]

  init(_ cube: UsageCube, cacheMinutes: Int32) {
    self.cacheMinutes = cacheMinutes
    var groups: [Labels: Int] = [:]
    group = cube.series.map { series in
      guard series.labels.session != .none else { return -1 }
      let number = groups[series.labels] ?? groups.count
      groups[series.labels] = number
      return number
    }
    last = Array(repeating: .min, count: groups.count)
    isDisordered = Array(repeating: false, count: groups.count)
    cube.forEachCell { cell, _ in
      let group = group[Int(cell.series)]
      guard group >= 0, cell.requests != 0 else { return }
      if cell.minute.number < last[group] { isDisordered[group] = true }
      last[group] = cell.minute.number
    }
    if isDisordered.contains(true) { sortDisordered(cube) }
    last = Array(repeating: .min, count: groups.count)
  }

  private mutating func sortDisordered(_ cube: UsageCube) {
    var places: [(group: Int, minute: Int32, chunk: Int, index: Int)] = []
    var number = -1
    cube.forEachChunk { chunk in
      number += 1
      for (index, cell) in chunk.cells.enumerated() where cell.requests != 0 {
        let group = group[Int(cell.series)]
        guard group >= 0, isDisordered[group] else { continue }
        places.append((group, cell.minute.number, number, index))
      }
    }
    places.sort { ($0.group, $0.minute) < ($1.group, $1.minute) }
    for (before, place) in zip(places, places.dropFirst())
    where before.group == place.group && place.minute - before.minute >= cacheMinutes {
      known[[place.chunk, place.index]] = true
    }
  }

  /// How many of a cell's cache reads come too late. To be asked for each cell in the order of the cube.
  mutating func reads(of cell: UsageCell, chunk: Int, index: Int) -> Int64 {
    let group = group[Int(cell.series)]
    guard group >= 0, cell.requests != 0 else { return 0 }
    let isLate: Bool
    if isDisordered[group] {
      isLate = known[[chunk, index]] ?? false
    } else {
      isLate = last[group] != .min && cell.minute.number - last[group] >= cacheMinutes
      last[group] = cell.minute.number
    }
    guard isLate else { return 0 }
    let calls = Int64(cell.requests)
    return (cell.tokens.cacheRead + calls - 1) / calls
  }
}
