import MimoEngine

/// A tiny made-up price list: `m`, `h` and `m2` sold by `acme`, `o` by `other`.
///
/// `m` costs 2, 0.2 (read), 2.5 (write) and 8 (output) a million, twice that above 50,000 prompt
/// tokens, and 1 of everything from minute 1000 on. A web search costs 0.01. `h` costs more from ten to
/// two by a clock eight hours ahead.
enum Toy {
  static let micro: Int64 = 1_000_000_000

  static func rates(_ factor: Int64 = 1) -> Rates {
    Rates(
      input: 2 * micro * factor, output: 8 * micro * factor, cacheRead: micro / 5 * factor,
      cacheWrite: 5 * micro / 2 * factor, perWebSearch: 10_000 * micro)
  }

  static let evidence = Evidence(confidence: .high)

  static let book = PriceBook(providers: [
    ProviderPrices(
      id: "acme", name: "Acme", aliases: ["acme-inc"], hosts: ["acme.example"],
      models: [
        ModelPrices(
          id: "m", name: "M",
          entries: [
            PriceEntry(
              unit: .money(.usd), validity: .distantPast..<Minute(1000), rates: rates(),
              tiers: [PriceTier(abovePromptTokens: 50_000, rates: rates(2))], evidence: evidence),
            PriceEntry(
              unit: .money(.usd), validity: Minute(1000)..<(.distantFuture),
              rates: Rates(input: micro, output: micro), evidence: evidence),
          ]),
        ModelPrices(
          id: "h", name: "H",
          entries: [
            PriceEntry(
              unit: .money(.usd), rates: rates(),
              schedule: PriceSchedule(
                baseLabel: "base",
                hours: [
                  PriceSchedule.Hours(
                    label: "peak", window: ClockWindow(utcOffset: 480, start: 600, end: 840),
                    rates: rates(3))
                ]), evidence: evidence)
          ]),
        ModelPrices(
          id: "m2", name: "M2",
          entries: [
            PriceEntry(
              unit: .money(.usd), rates: Rates(input: 3 * micro, output: 5 * micro),
              evidence: Evidence(confidence: .low))
          ]),
      ]),
    ProviderPrices(
      id: "other", name: "Other",
      models: [
        ModelPrices(
          id: "o", name: "O",
          entries: [
            PriceEntry(
              unit: .money(.usd), rates: Rates(input: micro, output: micro), evidence: evidence)
          ])
      ]),
  ])

  static let tariff = Tariff(plan: .asBilled, book: book, currency: .usd)

  /// A month for 10 dollars with a million credits: one credit a token, a tenth for reads.
  static func plan(
    versions: [Plan.Version] = [version(fee: 10)], resets: [Minute] = []
  ) -> Plan {
    let credit: Int64 = 1_000_000_000_000_000
    return Plan(
      id: "toy", name: "Toy", kind: .credits, provider: "acme", versions: versions,
      models: [
        ModelPrices(
          id: "m", name: "M",
          entries: [
            PriceEntry(
              unit: .credits, rates: Rates(input: credit, output: credit, cacheRead: credit / 10),
              evidence: evidence)
          ])
      ], rules: Plan.Rules(resets: resets))
  }

  static func version(
    fee: Int64, credits: Int64 = 1_000_000,
    _ validity: Range<Minute> = .distantPast..<(.distantFuture)
  ) -> Plan.Version {
    Plan.Version(
      validity: validity,
      offers: [
        .month: Plan.Offer(fees: [.usd: Amount(whole: fee)], credits: Amount(whole: credits))
      ], evidence: evidence)
  }
}

/// The instant of `2026-10-25T00:30` in UTC; seconds may follow.
func utc(_ text: String) -> Instant {
  let date = CivilDate(text.prefix(10))!
  let parts = text.dropFirst(11).split(separator: ":").map { Int64($0)! }
  let seconds = zip(parts, [3600, 60, 1]).map(*).reduce(0, +)
  return Instant(seconds: Int64(date.dayNumber) * 86_400 + seconds)
}

/// Zones whose clocks do what clocks do.
enum Clocks {
  static let berlin = LocalClock(
    name: "Europe/Berlin",
    stretches: [
      .init(from: .distantPast, offsetMinutes: 60),
      .init(from: utc("2026-03-29T01:00").minute, offsetMinutes: 120),
      .init(from: utc("2026-10-25T01:00").minute, offsetMinutes: 60),
    ])
  /// Changes by half an hour.
  static let lordHowe = LocalClock(
    name: "Australia/Lord_Howe",
    stretches: [
      .init(from: .distantPast, offsetMinutes: 660),
      .init(from: utc("2026-04-04T15:00").minute, offsetMinutes: 630),
      .init(from: utc("2026-10-03T15:30").minute, offsetMinutes: 660),
    ])
  /// Springs forward at midnight, so that a day begins at one o'clock.
  static let beirut = LocalClock(
    name: "Asia/Beirut",
    stretches: [
      .init(from: .distantPast, offsetMinutes: 120),
      .init(from: utc("2026-03-28T22:00").minute, offsetMinutes: 180),
    ])
  static let kathmandu = LocalClock(
    name: "Asia/Kathmandu", stretches: [.init(from: .distantPast, offsetMinutes: 345)])
  static let kiritimati = LocalClock(
    name: "Pacific/Kiritimati", stretches: [.init(from: .distantPast, offsetMinutes: 840)])
  static let marquesas = LocalClock(
    name: "Pacific/Marquesas", stretches: [.init(from: .distantPast, offsetMinutes: -570)])

  static let all = [LocalClock.utc, berlin, lordHowe, beirut, kathmandu, kiritimati, marquesas]
}
