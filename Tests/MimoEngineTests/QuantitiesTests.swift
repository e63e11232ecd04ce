import MimoEngine
import Testing

@Suite struct QuantitiesTests {
  /// `ear` hears for a tenth an hour and its third, which no decimal number of seconds is.
  private static let tariff = Tariff(
    plan: .asBilled,
    book: PriceBook(providers: [
      ProviderPrices(
        id: "acme", name: "Acme",
        models: [
          ModelPrices(
            id: "ear", name: "Ear",
            entries: [
              PriceEntry(
                unit: .money(.usd),
                rates: Rates(input: 0, output: 0, perAudioHour: 100_000_000_000_001),
                evidence: Toy.evidence)
            ])
        ])
    ]), currency: .usd)

  private func snapshot(_ calls: [(minute: Int64, seconds: Int64, session: String)])
    -> UsageSnapshot
  {
    var ledger = Ledger(promptEdges: [])
    for (index, call) in calls.enumerated() {
      var record = UsageRecord(
        time: Instant(milliseconds: call.minute * 60_000),
        identity: CallIdentity(message: Fingerprint(of: "\(index)")))
      record.labels = Labels(
        model: ledger.names.intern("ear"), session: ledger.names.intern(call.session))
      record.quantities.audioSeconds = call.seconds
      ledger.record(record)
    }
    return ledger.snapshot()
  }

  private func report(_ snapshot: UsageSnapshot, by grouping: Grouping) -> Report {
    Report(of: snapshot, tariff: Self.tariff, by: grouping, clock: .utc)
  }

  @Test func `an hour in odd pieces costs an hour`() {
    let totals = report(
      snapshot([(0, 1, "a"), (1, 1799, "b"), (9000, 7, "a"), (9001, 1793, "c")]), by: .total
    ).totals
    #expect(totals.cost?.exactText == "0.100000000000001")
    #expect(totals.quantities.audioSeconds == 3600)
  }

  @Test func `rows add up to the total in every grouping`() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<50 {
      let calls = (0..<40).map { _ in
        (
          Int64.random(in: 0..<100_000, using: &random), Int64.random(in: 1..<9999, using: &random),
          ["a", "b", "c"].randomElement()!
        )
      }
      let snapshot = snapshot(calls)
      let seconds = calls.reduce(0) { $0 + $1.1 }
      for grouping in [Grouping.total, .session, .hour, .day] {
        let report = report(snapshot, by: grouping)
        var sum = Measures()
        for row in report.rows { sum += row.measures }
        #expect(sum.costFemto == report.totals.costFemto)
        #expect(report.totals.costFemto == Int128(seconds) * 100_000_000_000_001 / 3600)
      }
    }
  }

  @Test func `without its length speech has no price`() {
    let totals = report(snapshot([(0, 0, "a"), (1, 3600, "a")]), by: .total).totals
    #expect(totals.unpricedRequests == 1 && totals.pricedRequests == 1)
    #expect(totals.cost?.exactText == "0.100000000000001")
  }

  @Test func `a repeated answer counts its quantities once`() {
    var ledger = Ledger(promptEdges: [])
    for images in [3, 9, 5] as [Int64] {
      var record = UsageRecord(
        time: Instant(milliseconds: 0), identity: CallIdentity(message: Fingerprint(of: "x")))
      record.labels.model = ledger.names.intern("ear")
      record.quantities.imageInput = images
      ledger.record(record)
    }
    #expect(report(ledger.snapshot(), by: .total).totals.quantities.imageInput == 9)
  }
}
