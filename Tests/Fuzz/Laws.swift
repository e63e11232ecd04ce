import MimoEngine

@testable import MimoIngest

/// What holds of all that decoders say.
enum Laws {
  static let readTime = Instant(milliseconds: 1_800_000_000_123)

  /// A class may be a sum of a few counters, each of which was found plausible.
  private static let largestCount = 4 * TokenCounts.largestPlausibleCount

  /// Each record alone can be true.
  ///
  /// - Parameter hasRests: whether records may be growth, or what a sum has beyond its parts: only all together are
  ///   in proportion.
  static func check(_ output: DecodedLines, hasRests: Bool = false) {
    for record in output.records {
      let t = record.tokens
      for count in [t.input, t.cacheRead, t.cacheWrite5m, t.cacheWrite1h, t.output, t.reasoning] {
        law(0...largestCount ~= count, "a count of \(count) in \(record)")
      }
      law(hasRests || t.reasoning <= t.output, "more reasoning than output in \(record)")
      for (name, path) in Quantities.counters {
        law(0...largestCount ~= record.quantities[keyPath: path], "\(name) in \(record)")
      }
      law(record.calls >= (record.isRevision ? 0 : 1), "calls in \(record)")
      law((record.promptSize ?? 0) >= 0, "the prompt's size in \(record)")
      law((record.durationMilliseconds ?? 0) >= 0, "the duration in \(record)")
      law((record.statedCost ?? .zero) >= .zero, "the cost in \(record)")
      law(0...100_000_000_000_000 ~= record.time.milliseconds, "the time in \(record)")
      let labels = record.labels
      for name in [
        labels.model, labels.provider, labels.source, labels.project, labels.session, labels.key,
        record.conversation,
      ] {
        law(Int(name.index) < output.names.count, "an unknown name in \(record)")
      }
      law(labels.source != .none, "no source in \(record)")
    }
  }

  /// Every line is of one kind.
  static func check(_ tally: LineTally) {
    law(tally.usageLines + tally.notUsage + tally.malformed == tally.lines, "\(tally)")
    law(tally.foreign + tally.blank <= tally.notUsage, "\(tally)")
    law(tally.badLines.count == min(tally.malformed, LineTally.keptBadLines), "\(tally)")
  }

  /// What is known by an id counts once, however often and in whatever order it comes.
  static func checkCountingOnce(_ output: DecodedLines) {
    var known = output
    known.records = output.records.filter { $0.identity != nil && !$0.isRevision }
    if known.records.isEmpty { return }
    let once = sums([known])
    law(sums([known, known]) == once, "what was counted twice differs")
    var reversed = known
    reversed.records.reverse()
    law(sums([reversed]) == once, "what was counted in reverse differs")
  }

  /// The sums of what decoders put out, one after the other.
  static func sums(_ outputs: [DecodedLines]) -> Measures {
    var ledger = Ledger(promptEdges: [200_000])
    for var output in outputs {
      var translation = NameTranslation()
      translation.record(&output, into: &ledger)
    }
    return Report(of: ledger.snapshot(), tariff: tariff).totals
  }

  private static let tariff = Tariff(
    plan: .asBilled, book: PriceBook(providers: []), currency: .usd)
}
