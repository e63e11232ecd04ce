import MimoEngine

/// Sums that a tool keeps instead of calls, and that grow with each call: one row a session, for example.
///
/// ```
/// first reading      all of the sum so far, filed where the row says
/// later readings     what was added since, filed when it was seen
/// ```
///
/// At any time the calls filed for a sum add up to it. One that shrank was corrected, or its parts are
/// told elsewhere now: then all that was filed for it gives way to what it says now.
struct GrowingSums: Sendable {
  private struct Filed: Sendable {
    /// The first record, with the whole sum so far in place of its own.
    var whole: UsageRecord
    /// The times of the differences filed after it.
    var times: [Instant] = []
    /// Calls the records stand for: at least one each.
    var calls: Int32
  }

  private var filed: [Fingerprint: Filed] = [:]

  /// As in `DatabaseReader`.
  func write(to state: inout StateWriter, names: NameTable) {
    state.add(each: filed) { state, sum in
      state.add(hash: sum.key.value)
      state.add(sum.value.whole, names)
      state.add(each: sum.value.times) { $0.add($1) }
      state.add(Int64(sum.value.calls))
    }
  }

  /// As in `DatabaseReader`.
  mutating func restore(
    from state: inout StateReader, names: inout NameTable
  ) throws(StateDamage) {
    for _ in 0..<(try state.count()) {
      let key = Fingerprint(value: try state.hash())
      let whole = try state.record(&names)
      let times = try state.array { state throws(StateDamage) in try state.time() }
      filed[key] = Filed(whole: whole, times: times, calls: Int32(clamping: try state.size()))
    }
  }

  /// Notes what a sum is now.
  ///
  /// - Parameters:
  ///   - key: what the sum is of: the same at each reading, in each copy of the database.
  ///   - sum: labels, counters and cost of the whole sum, and the time to file it at when it is new.
  ///   - now: the time to file at what was added since the last reading.
  /// - Returns: whether there was news.
  @discardableResult
  mutating func note(
    _ key: Fingerprint, _ sum: UsageRecord, now: Instant, into output: inout DecodedLines
  ) -> Bool {
    guard let before = filed[key] else {
      var record = sum
      record.identity = CallIdentity(message: key)
      filed[key] = Filed(whole: record, calls: sum.tokens.isZero ? 0 : sum.calls)
      if !sum.tokens.isZero { output.records.append(record) }
      return !sum.tokens.isZero
    }
    let old = before.whole
    if old.tokens == sum.tokens && old.statedCost == sum.statedCost { return false }
    var difference = sum
    difference.tokens = sum.tokens - old.tokens
    difference.statedCost = sum.statedCost.map { $0 - (old.statedCost ?? .zero) }
    let hasShrunk = sum.tokens.maximum(old.tokens) != sum.tokens
    if hasShrunk || difference.tokens.isZero || (difference.statedCost ?? .zero) < .zero {
      correct(key, to: sum, into: &output)
      return true
    }
    // The call counter may lag behind the tokens.
    difference.calls = max(1, sum.calls - before.calls)
    difference.time = now
    difference.identity = CallIdentity(
      message: key.combined(with: UInt64(before.times.count) + 1))
    output.records.append(difference)
    filed[key]!.whole.tokens = sum.tokens
    filed[key]!.whole.statedCost = sum.statedCost
    filed[key]!.calls = Int32(clamping: Int64(before.calls) + Int64(difference.calls))
    filed[key]!.times.append(now)
    return true
  }

  /// Takes back all that was filed for a sum, because the calls are told elsewhere.
  mutating func withdraw(_ key: Fingerprint, into output: inout DecodedLines) {
    guard var nothing = filed[key]?.whole, !nothing.tokens.isZero else { return }
    nothing.tokens = TokenCounts()
    nothing.statedCost = nil
    correct(key, to: nothing, into: &output)
  }

  /// Files `sum` in place of all that was filed before.
  private mutating func correct(
    _ key: Fingerprint, to sum: UsageRecord, into output: inout DecodedLines
  ) {
    guard let before = filed[key] else { return }
    for (index, time) in before.times.enumerated() {
      var nothing = UsageRecord(
        time: time, identity: CallIdentity(message: key.combined(with: UInt64(index) + 1)),
        labels: before.whole.labels)
      nothing.calls = 0
      nothing.isRevision = true
      output.records.append(nothing)
    }
    var record = sum
    record.identity = CallIdentity(message: key)
    record.time = before.whole.time
    record.isRevision = true
    if record.tokens.isZero { record.calls = 0 }
    output.records.append(record)
    filed[key]!.whole = record
    filed[key]!.calls = record.calls
  }
}
