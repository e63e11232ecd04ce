import MimoEngine

/// Carries records from a decoder's output into a ledger, whose names have other numbers.
public struct NameTranslation: Sendable {
  private var ids: [NameID] = [.none]
  /// So many calls are looked for in memory at the same time.
  private static let recordsAtOnce = 16

  /// A translation for one output into one ledger.
  public init() {}

  /// What became of records.
  public struct Outcome: Equatable, Sendable {
    /// Calls not seen before.
    public var counted = 0
    /// Calls seen before, in another place or on an earlier line; revisions are neither.
    public var repeated = 0
    /// Calls that the sums have no room for.
    public var refused = 0
    /// Calls of before the time from which on the ledger counts.
    public var tooOld = 0
    /// The time of the latest of them all.
    public var newest: Instant?

    static func += (a: inout Outcome, b: Outcome) {
      a.counted += b.counted
      a.repeated += b.repeated
      a.refused += b.refused
      a.tooOld += b.tooOld
      a.newest = [a.newest, b.newest].compactMap { $0 }.max()
    }
  }

  /// Counts the records of `output` in `ledger` and removes them from `output`.
  @discardableResult
  public mutating func record(_ output: inout DecodedLines, into ledger: inout Ledger) -> Outcome {
    while ids.count < output.names.count {
      let id = NameID(UInt32(ids.count))
      ids.append(output.names.withBytes(of: id) { ledger.names.intern($0) })
    }
    var outcome = Outcome()
    var newest = Instant(milliseconds: .min)
    for index in output.records.indices {
      if index % Self.recordsAtOnce == 0 {
        ledger.expect(output.records[index...].prefix(Self.recordsAtOnce))
      }
      translate(&output.records[index])
      newest = max(newest, output.records[index].time)
      switch ledger.count(&output.records[index]) {
      case .counted: outcome.counted += 1
      case .repeated: outcome.repeated += output.records[index].isRevision ? 0 : 1
      case .refused: outcome.refused += 1
      case .tooOld: outcome.tooOld += 1
      }
    }
    if !output.records.isEmpty { outcome.newest = newest }
    output.removeAll()
    return outcome
  }

  @inline(__always)
  private func translate(_ record: inout UsageRecord) {
    record.labels.model = ids[Int(record.labels.model.index)]
    record.labels.provider = ids[Int(record.labels.provider.index)]
    record.labels.source = ids[Int(record.labels.source.index)]
    record.labels.project = ids[Int(record.labels.project.index)]
    record.labels.session = ids[Int(record.labels.session.index)]
    record.labels.key = ids[Int(record.labels.key.index)]
    record.conversation = ids[Int(record.conversation.index)]
  }
}
