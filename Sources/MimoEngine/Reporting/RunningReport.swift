/// A report of a history that grows: what has not changed since the last one is not counted and priced again.
///
/// Calls land in the last chunk of a cube, and for a minute after the start in the one of the newest log; all
/// others keep their sums. Over a million cells that makes a report of what is new a hundred times cheaper.
///
///     var running = RunningReport()
///     let report = running.report(of: snapshot, tariff: tariff, by: .model)
///
/// Give all calls on one value the same arguments, the snapshot excepted, which must be of the same ledger.
public struct RunningReport: Sendable {
  /// The sum of chunks that have not changed for a while.
  private var settled: Report?
  /// These chunks as they were, by place; `nil` for one that is counted each time.
  private var chunks: [CellChunk?] = []
  /// How many chunks were counted so far.
  private(set) var countedChunks = 0

  /// More changed chunks than these are counted once and taken for settled.
  private static let mostUnsettled = 8

  /// Nothing counted yet.
  public init() {}

  /// The same as `Report(of:...)`.
  ///
  /// Cost: linear in the cells of the chunks that changed lately.
  public mutating func report(
    of snapshot: UsageSnapshot, tariff: Tariff, window: Range<Minute>? = nil,
    by grouping: Grouping = .total, clock: LocalClock = .utc, filters: [UsageFilter] = []
  ) -> Report {
    precondition(
      snapshot.cube.source == nil, "cells that only pass by cannot be told from new ones")
    func report(_ places: [Int]) -> Report {
      var part = snapshot
      part.cube.chunks = places.map { snapshot.cube.chunks[$0] }
      countedChunks += places.count
      return Report(
        of: part, tariff: tariff, window: window, by: grouping, clock: clock, filters: filters)
    }
    let now = snapshot.cube.chunks
    // A call of a moment ago, which may be told again, is in one of the last two.
    let end = max(0, now.count - 2)
    let changed = chunks.indices.filter { place in
      place >= end || chunks[place].map { !$0.isSame(as: now[place]) } ?? false
    }
    if !changed.isEmpty {
      let unsettled = chunks.indices.filter { chunks[$0] == nil } + changed
      settled = nil
      chunks = now[..<end].map(\.self)
      if unsettled.count <= Self.mostUnsettled {
        for place in unsettled where place < end { chunks[place] = nil }
      }
      settled = report(chunks.indices.filter { chunks[$0] != nil })
    } else if end > chunks.count {
      let more = report(Array(chunks.count..<end))
      settled = settled?.merged(with: more) ?? more
      chunks += now[chunks.count..<end].map(\.self)
    }
    let rest = report(chunks.indices.filter { chunks[$0] == nil } + Array(end..<now.count))
    return settled?.merged(with: rest) ?? rest
  }
}

extension CellChunk {
  /// Whether nothing was written since one was copied from the other. May be false without need.
  ///
  /// Whoever writes to a chunk that somebody else holds writes to a copy, so the place tells.
  func isSame(as other: CellChunk) -> Bool {
    cells.count == other.cells.count
      && cells.withUnsafeBufferPointer(\.baseAddress)
        == other.cells.withUnsafeBufferPointer(\.baseAddress)
  }
}

extension Report {
  /// The report of two parts of a history, made with the same arguments, as one.
  func merged(with other: Report) -> Report {
    var result = self
    result.totals += other.totals
    result.rows = Self.merged(rows, other.rows)
    result.unpriced = Self.merged(unpriced, other.unpriced)
    if let (a, b) = span.flatMap({ a in other.span.map { (a, $0) } }) {
      result.span = min(a.lowerBound, b.lowerBound)...max(a.upperBound, b.upperBound)
    } else {
      result.span = span ?? other.span
    }
    result.pricesChecked = [pricesChecked, other.pricesChecked].compactMap(\.self).min()
    return result
  }

  private static func merged(_ rows: [Row], _ others: [Row]) -> [Row] {
    var places: [String?: Int] = [:]
    for (place, row) in rows.enumerated() { places[row.key] = place }
    var result = rows
    for row in others {
      if let place = places[row.key] {
        result[place].measures += row.measures
        result[place].lastMinute = max(result[place].lastMinute, row.lastMinute)
      } else {
        result.append(row)
      }
    }
    return result.count == rows.count ? result : result.sorted(by: Row.comesBefore)
  }

  private static func merged(_ rows: [Unpriced], _ others: [Unpriced]) -> [Unpriced] {
    if others.isEmpty { return rows }
    var result = rows
    for row in others {
      let place = result.firstIndex { $0.model == row.model && $0.provider == row.provider }
      if let place {
        result[place].requests += row.requests
        result[place].tokens += row.tokens
      } else {
        result.append(row)
      }
    }
    return result.sorted(by: Unpriced.comesBefore)
  }
}
