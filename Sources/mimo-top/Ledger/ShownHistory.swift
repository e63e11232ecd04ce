import MimoEngine
import MimoStore

/// The part of the stored history that a screen or a report needs, brought from the store by days.
///
/// What a ledger holds itself is left out, because there it may be newer.
struct ShownHistory {
  private var history = ArchivedHistory()
  /// The days that are needed and have cells in the store.
  private var stored: Set<Int32> = []
  /// What was needed when they were looked up; `nil` if they never were.
  private var needed: [Range<Minute>]??
  /// Of the days that are here: the hours left out, because the ledger holds them.
  private var leftOut: [Int32: Set<Hour>] = [:]
  /// The commit after which nothing was looked at.
  private var commit: Int64 = 0
  /// The first minute with usage, to the hour.
  private var first: Minute?
  private var loaded: [Range<Minute>] = []
  /// Where the first days may come from.
  private var ahead: (() -> CellsAhead?)?

  /// Nothing yet.
  ///
  /// - Parameter ahead: is asked once for the latest days, which somebody may have read meanwhile.
  init(ahead: (() -> CellsAhead?)? = nil) { self.ahead = ahead }

  /// Brings what is needed and drops what is not.
  ///
  /// - Parameters:
  ///   - needed: minutes in order, apart from each other; `nil` for all.
  ///   - held: the hours whose cells a ledger holds.
  /// - Throws: `StoreError`; what is here is as it was, or partly newer.
  mutating func bring(
    _ needed: [Range<Minute>]?, from store: LedgerStore, held: Set<Hour>
  ) throws(StoreError) {
    let commit = try store.commitNumber
    if let ahead = daysAhead(of: store, until: commit) {
      (self.commit, history) = (ahead.commit, ahead.history)
      for day in ahead.days { leftOut[day] = [] }
    }
    let isOther = self.needed != .some(needed)
    // Hours can go too: what was forgotten.
    let changed: Set =
      commit == self.commit || isOther && leftOut.isEmpty
      ? [] : Set(try store.hours(changedSince: self.commit).map(\.day))
    if isOther {
      stored = try Self.days(of: needed, in: store)
    } else {
      stored.formUnion(changed.filter { Self.isNeeded($0, needed) })
    }
    let heldByDay = Dictionary(grouping: held, by: \.day).mapValues { Set($0) }
    for day in Array(leftOut.keys) where !stored.contains(day) {
      leftOut[day] = nil
      history.remove(day)
    }
    var cells: [Int32: CellList] = [:]
    for day in stored {
      let heldHours = heldByDay[day] ?? []
      // What the ledger holds it has brought up to date itself.
      if leftOut[day] == heldHours, !changed.contains(day) || heldHours.count == 24 { continue }
      let hours = Hour(day * 24)..<Hour(day * 24 + 24)
      cells[day] = try store.cells(in: hours, except: heldHours)
    }
    let days = Array(cells.keys)
    // Addresses after the cells: then all that these refer to are there.
    try history.replace(
      with: consume cells, addresses: store.storedAddresses(at:), names: store.storedNames(at:))
    for day in days { leftOut[day] = heldByDay[day] ?? [] }
    self.commit = commit
    self.needed = needed
    first = [try store.firstHour, held.min()].compactMap { $0 }.min()?.minutes.lowerBound
    loaded = needed ?? [.distantPast ..< .distantFuture]
    // What comes from now on comes by itself.
    if let last = loaded.popLast() { loaded.append(last.lowerBound ..< .distantFuture) }
  }

  /// What was read ahead, the first time it is asked for, of this database and not of a later moment: a frozen store
  /// and its ledger know nothing of what a keeper stored since.
  private mutating func daysAhead(of store: LedgerStore, until commit: Int64) -> CellsAhead? {
    defer { ahead = nil }
    guard let cells = ahead?(), store.isOrigin(of: cells), cells.commit <= commit else {
      return nil
    }
    return cells
  }

  /// These cells before those of a ledger.
  mutating func before(_ snapshot: UsageSnapshot) -> UsageSnapshot { history.before(snapshot) }

  /// These cells without a ledger, and the latest calls of a base.
  mutating func snapshot(
    _ base: LedgerBase, from store: LedgerStore, revision: UInt64
  ) throws(StoreError) -> UsageSnapshot {
    try history.snapshot(
      base, revision: revision, addresses: store.storedAddresses(at:), names: store.storedNames(at:)
    )
  }

  /// What is here, as the interface shows it.
  var coverage: (first: Minute?, loaded: [Range<Minute>]) { (first, loaded) }

  /// Whether one of these minutes, or of all, is of a day.
  private static func isNeeded(_ day: Int32, _ minutes: [Range<Minute>]?) -> Bool {
    minutes?.contains { $0.overlaps(Minute(day * 1440)..<Minute(day * 1440 + 1440)) } ?? true
  }

  /// The days that have cells among those that these minutes touch, or among all.
  private static func days(
    of minutes: [Range<Minute>]?, in store: LedgerStore
  ) throws(StoreError) -> Set<Int32> {
    var days: Set<Int32> = []
    for range in minutes ?? [.distantPast ..< .distantFuture] where !range.isEmpty {
      let first = Hour(of: range.lowerBound).day
      let last = Hour(of: range.upperBound.advanced(by: -1)).day
      days.formUnion(try store.hours(in: Hour(first * 24)..<Hour(last * 24 + 24)).map(\.day))
    }
    return days
  }
}
