import MimoCatalog
import MimoEngine

/// How long a change of plan takes: a report over the whole history under another tariff.
enum PlanBenchmark {
  /// A year of usage in `cells` cells: a hundred sessions, six models, prices of all kinds.
  static func snapshot(cells: Int, edges: [Int64]) -> UsageSnapshot {
    var ledger = Ledger(promptEdges: edges)
    let models = [
      "mimo-v2.6-pro", "mimo-v2.6-flash", "mimo-v2.5-pro", "deepseek-v4-pro", "deepseek-flash",
      "claude-opus-5",
    ].map { ledger.names.intern($0) }
    let sessions = (0..<100).map { ledger.names.intern("session-\($0)") }
    let projects = (0..<8).map { ledger.names.intern("/home/ana/project-\($0)") }
    let source = ledger.names.intern("claude-code")
    let last: Int64 = 1_795_000_000_000
    let span: Int64 = 365 * 86_400_000
    for index in 0..<cells {
      // One call a cell: each lies in a minute and session of its own.
      let session = index % sessions.count
      let step = Int64(index / sessions.count) * (span / Int64(max(1, cells / sessions.count)))
      var record = UsageRecord(time: Instant(milliseconds: last - span + step))
      record.labels = Labels(
        model: models[session % models.count], source: source,
        project: projects[session % projects.count],
        session: sessions[session])
      record.tokens = TokenCounts(
        input: Int64(index % 977), cacheRead: Int64(index % 60_000), output: Int64(index % 1009))
      ledger.record(record)
    }
    return ledger.snapshot()
  }

  /// Prints the median of nine runs for each plan, and for all plans together.
  static func run(cells: Int) {
    let catalog = Catalog()
    let snapshot = snapshot(cells: cells, edges: catalog.promptEdges)
    var count = 0
    snapshot.cube.forEachCell { _, _ in count += 1 }
    print(
      "\(count) cells, \(snapshot.cube.series.count) series, \(catalog.plans.count) plans; milliseconds, median of 9"
    )
    var total = 0.0
    for plan in catalog.plans {
      let tariff = Tariff(
        plan: plan, book: catalog.book, currency: plan.currencies(in: catalog.book).first ?? .usd)
      let time = median {
        let report = Report(of: snapshot, tariff: tariff, by: .model)
        precondition(report.totals.requests == cells, "every call is in the report")
      }
      total += time
      print("\(plan.id)  \(time)")
    }
    print("each after the other  \((total * 100).rounded() / 100)")
    compare(snapshot, catalog)
  }

  /// All plans at once in each of their currencies, with the status of subscriptions, as `compare` does it; and
  /// the part of it that is done once for all.
  private static func compare(_ snapshot: UsageSnapshot, _ catalog: Catalog) {
    let tariffs = catalog.plans.flatMap { plan in
      plan.currencies(in: catalog.book).map {
        Tariff(plan: plan, book: catalog.book, currency: $0, modelMap: catalog.modelMap)
      }
    }
    // Subscriptions are most work: more of them than there are make a round number.
    let subscriptions = tariffs.filter(\.plan.isSubscription)
    let more = (0..<max(0, 40 - tariffs.count)).map { subscriptions[$0 % subscriptions.count] }
    for tariffs in [tariffs, tariffs + more] {
      let time = median {
        let comparison = Comparison(
          of: snapshot, tariffs: tariffs, reference: tariffs[0],
          periods: BillingPeriods(renewalDay: 1), now: Instant(milliseconds: 1_795_000_000_000))
        precondition(comparison.entries.count == tariffs.count, "every plan is compared")
      }
      print("all \(tariffs.count) plans at once  \(time)")
    }
    let time = median {
      precondition(!snapshot.condensed(for: tariffs, edges: []).cube.chunks.isEmpty, "it has cells")
    }
    print("condensing  \(time)")
  }
}
