/// Which calls came last, gathered in bulk: a call in a long scan costs an entry of a few words.
struct RecentCalls: Sendable {
  struct Entry: Sendable {
    var time: Instant
    /// Grows with each entry.
    var arrival: UInt64
    /// The call's position in the ledger; `nil` if it has no id.
    var call: UInt32?
    var duration: Int32?
  }

  /// The calls without an id, by arrival.
  var nameless: [UInt64: RecentCall] = [:]
  /// Calls with an id as an archive has them, by arrival: most are never looked at again.
  var archived: [UInt64: ArchivedRecent] = [:]

  private var entries: [Entry] = []
  private var floor = Instant(milliseconds: .min)
  private var isOrdered = true

  /// Keeps none.
  static var never: RecentCalls {
    var recent = RecentCalls()
    recent.floor = Instant(milliseconds: .max)
    return recent
  }

  /// Whether a call of this time may still be among the last.
  @inline(__always)
  func wants(_ time: Instant) -> Bool { time >= floor }

  /// Whether it is time to trim.
  var isFull: Bool { entries.count >= Ledger.recentCapacity * 4 }

  /// Adds a call, or one known already in its latest form.
  mutating func append(_ entry: Entry) {
    isOrdered = isOrdered && (entries.last.map { $0.time <= entry.time } ?? true)
    entries.append(entry)
  }

  /// Leaves the newest calls.
  mutating func trim(find: (UInt64) -> UInt32?, isGone: (UInt32) -> Bool) {
    entries = latest(find: find, isGone: isGone)
    isOrdered = true
    if entries.count == Ledger.recentCapacity { floor = entries[0].time }
    if nameless.isEmpty, archived.isEmpty { return }
    let kept = Set(entries.lazy.filter { $0.call == nil }.map(\.arrival))
    nameless = nameless.filter { kept.contains($0.key) }
    archived = archived.filter { kept.contains($0.key) }
  }

  /// The newest calls, oldest first, each once in its latest form, without those that are gone.
  ///
  /// - Parameter find: the position of the call with a key, if the ledger has it by now.
  func latest(find: (UInt64) -> UInt32?, isGone: (UInt32) -> Bool) -> [Entry] {
    var seen = Set<UInt32>()
    var latest: [Entry] = []
    for var entry in entries.reversed() {
      // Read in order of time, the first found are the newest.
      if isOrdered, latest.count == Ledger.recentCapacity { break }
      if entry.call == nil, let archived = archived[entry.arrival] {
        entry.call = find(archived.call.key)
      }
      if let call = entry.call, !seen.insert(call).inserted || isGone(call) { continue }
      latest.append(entry)
    }
    // Equal times keep the order of arrival.
    latest.sort { ($0.time, $0.arrival) < ($1.time, $1.arrival) }
    return latest.suffix(Ledger.recentCapacity)
  }
}
