import MimoEngine
import MimoStore

/// The part of the stored history that a screen or a report needs, brought from the store by days.
///
/// What a ledger holds itself is left out, because there it may be newer.
struct ShownHistory {
  private var history = ArchivedHistory()
  /// The hours that have cells in the store.
  private var stored: Set<Hour> = []
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
    let ahead = daysAhead(of: store, until: commit)
    var changed: Set<Int32> = []
    if let ahead {
      (self.commit, stored, history) = (ahead.commit, Set(ahead.hours), ahead.history)
      for day in Set(stored.map(\.day)) where day >= ahead.first { leftOut[day] = [] }
    }
    if commit != self.commit {
      // Hours can go too: what was forgotten.
      let hours = try store.hours(changedSince: self.commit)
      stored.formUnion(hours)
      changed = Set(hours.map(\.day))
    }
    let heldByDay = Dictionary(grouping: held, by: \.day).mapValues { Set($0) }
    var wanted = Set(stored.map(\.day))
    if let needed {
      wanted = wanted.filter { day in needed.contains { $0.overlaps(Self.minutes(ofDay: day)) } }
    }
    for day in Array(leftOut.keys) where !wanted.contains(day) {
      leftOut[day] = nil
      history.remove(day)
    }
    for day in wanted {
      let heldHours = heldByDay[day] ?? []
      // What the ledger holds it has brought up to date itself.
      if leftOut[day] == heldHours, !changed.contains(day) || heldHours.count == 24 { continue }
      let hours = Hour(day * 24)..<Hour(day * 24 + 24)
      // Addresses after the cells: then all that these refer to are there.
      try history.replace(
        day, with: store.cells(in: hours, except: heldHours),
        addresses: store.storedAddresses(at:), names: store.storedNames(at:))
      leftOut[day] = heldHours
    }
    self.commit = commit
    first = stored.union(held).min()?.minutes.lowerBound
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

  private static func minutes(ofDay day: Int32) -> Range<Minute> {
    Minute(day * 1440)..<Minute(day * 1440 + 1440)
  }
}
