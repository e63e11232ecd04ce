import MimoEngine
import Synchronization

/// An archive in dictionaries: what any other has to behave like.
final class MemoryArchive: LedgerArchive {
  private struct State {
    var base: LedgerBase
    var hours: [Hour: [ArchivedCell]] = [:]
    var calls: [UInt64: ArchivedCall] = [:]
    var redirects: [UInt64: UInt64] = [:]
    var openings: [NameID: ArchivedOpening] = [:]
    var lookups = 0
  }

  private let state: Mutex<State>

  init(promptEdges: [Int64] = [1000, 50_000]) {
    state = Mutex(State(base: LedgerBase(promptEdges: promptEdges)))
  }

  var base: LedgerBase { state.withLock { $0.base } }

  /// How many calls were asked for.
  var lookups: Int { state.withLock { $0.lookups } }

  func commit(_ changes: LedgerChanges) {
    state.withLock { state in
      precondition(changes.firstName == state.base.names.count)
      precondition(changes.firstSeries == state.base.series.count)
      for name in changes.names { name.withUnsafeBytes { state.base.names.restore($0) } }
      state.base.series += changes.series
      state.base.load = changes.load
      state.hours.merge(changes.hours) { $1 }
      for call in changes.calls {
        state.calls[call.key] = call
        state.redirects[call.key] = nil
      }
      for (key, target) in changes.redirects {
        state.redirects[key] = target
        state.calls[key] = nil
      }
      state.openings.merge(changes.openings) { $1 }
      if let recent = changes.recent { state.base.recent = recent }
    }
  }

  func call(_ key: UInt64) -> ArchivedCall? {
    state.withLock { state in
      state.lookups += 1
      var key = key
      while let next = state.redirects[key] { key = next }
      return state.calls[key]
    }
  }

  func cells(of hour: Hour) -> [ArchivedCell] { state.withLock { $0.hours[hour] ?? [] } }

  func opening(of conversation: NameID) -> ArchivedOpening? {
    state.withLock { $0.openings[conversation] }
  }

  func calls(of series: Set<UInt32>) -> [ArchivedCall] {
    state.withLock { state in state.calls.values.filter { series.contains($0.series) } }
  }

  /// Everything in it, as a ledger that holds all of it would show it.
  var snapshot: UsageSnapshot {
    var cells: [Int32: CellList] = [:]
    for (hour, list) in state.withLock({ $0.hours }) {
      for cell in list { cells[floorDivide(hour.number, 24), default: CellList()].append(cell) }
    }
    var history = ArchivedHistory()
    for (day, list) in cells { history.replace(day, with: list) }
    return history.before(UsageSnapshot(base, revision: 0))
  }
}
