import MimoEngine

/// Usage, prices and plans that nobody sells, small enough to work out by hand.
///
/// Time stands still at noon (UTC) on Thursday, 2026-10-15.
///
///     var usage = MadeUpUsage()
///     usage.call("alpha-pro", minutesAgo: 5, fresh: 1000, read: 9000, output: 500)
///     usage.ledger.snapshot()
public struct MadeUpUsage {
  /// Counts what was added.
  public var ledger = Ledger(promptEdges: [])

  /// Nothing yet.
  public init() {}

  /// 2026-10-15T12:00:00Z.
  public static let now = Instant(seconds: 1_792_065_600)

  /// Adds one call.
  ///
  /// - Parameter tellsCache: `false` for a log that says nothing about the cache.
  public mutating func call(
    _ model: String?, project: String? = "/home/ana/shop", session: String? = "s-1",
    provider: String? = nil, source: String? = "api", minutesAgo: Int = 1, secondsAgo: Int = 0,
    fresh: Int64 = 0, read: Int64 = 0, write: Int64 = 0, output: Int64 = 0, reasoning: Int64 = 0,
    tellsCache: Bool = true, failed: Bool = false, tookMilliseconds: Int32? = nil,
    statedCost: Amount? = nil
  ) {
    func intern(_ name: String?) -> NameID { name.map { ledger.names.intern($0) } ?? .none }
    let labels = Labels(
      model: intern(model), provider: intern(provider), source: intern(source),
      project: intern(project), session: intern(session))
    let age = Int64(minutesAgo * 60 + secondsAgo) * 1000
    var record = UsageRecord(time: Self.now.advanced(byMilliseconds: -age), labels: labels)
    record.tokens = TokenCounts(
      input: fresh, cacheRead: read, cacheWrite5m: write, output: output, reasoning: reasoning)
    record.tellsCache = tellsCache
    record.failed = failed
    record.durationMilliseconds = tookMilliseconds
    record.statedCost = statedCost
    ledger.record(record)
  }

  /// Two sellers: Alpha in dollars and yuan, Beta in dollars. Alpha's pro model costs 1 dollar per million
  /// fresh tokens, a tenth of that from the cache, and 4 for output.
  public static let book = PriceBook(providers: [
    ProviderPrices(
      id: "alpha", name: "Alpha",
      models: [
        model("alpha-pro", usd: (1000, 100, 4000), cny: (7000, 700, 28_000)),
        model("alpha-mini", usd: (100, 10, 400), cny: (700, 70, 2800)),
      ]),
    ProviderPrices(
      id: "beta", name: "Beta", models: [model("beta-large", usd: (5000, 500, 25_000), cny: nil)]),
  ])

  /// Each call at its seller's list price; Alpha's and Beta's own lists; and Alpha's subscription.
  public static let plans: [Plan] =
    [.asBilled] + book.providers.map(Plan.metered)
    + [
      subscription("small", fee: 6, credits: 4_000_000),
      subscription("large", fee: 50, credits: 90_000_000),
    ]

  /// A subscription that renews on the first of a month: a credit a token, a tenth of it from the cache.
  public static func subscription(_ id: String, fee: Int64, credits: Int64) -> Plan {
    Plan(
      id: id, name: "Alpha \(id)", kind: .credits, provider: "alpha",
      versions: [
        Plan.Version(
          validity: .distantPast..<(.distantFuture),
          offers: [
            .month: Plan.Offer(
              fees: [.usd: Amount(whole: fee), .cny: Amount(whole: fee * 7)],
              credits: Amount(whole: credits))
          ], evidence: evidence)
      ],
      models: ["alpha-pro", "alpha-mini"].map { name in
        ModelPrices(
          id: name, name: name, entries: [entry(.credits, (1, 0, 4), unit: 1_000_000_000_000_000)])
      })
  }

  private static func model(
    _ id: String, usd: (Int64, Int64, Int64), cny: (Int64, Int64, Int64)?
  ) -> ModelPrices {
    ModelPrices(
      id: id, name: id,
      entries: [entry(.money(.usd), usd)] + (cny.map { [entry(.money(.cny), $0)] } ?? []))
  }

  /// The models of one vendor stand for those of the other.
  public static let modelMap = ModelMap(classes: [
    ModelMap.Class(
      id: "large", members: ["alpha": ["alpha-pro", "alpha-mini"], "beta": ["beta-large"]])
  ])

  /// Prices of fresh, read and output tokens; in money they are thousandths per million tokens.
  private static func entry(
    _ pricing: PricingUnit, _ price: (Int64, Int64, Int64), unit: Int64 = 1_000_000
  ) -> PriceEntry {
    PriceEntry(
      unit: pricing,
      rates: Rates(
        input: price.0 * unit, output: price.2 * unit,
        cacheRead: pricing == .credits ? unit / 10 : price.1 * unit),
      evidence: evidence)
  }

  private static let evidence = Evidence(
    sources: ["https://example.com/prices"], asOf: "2026-10-01", confidence: .high)
}

extension MadeUpUsage {
  /// Two good hours of several models, projects and sessions, ending now, with a bit of everything that
  /// is hard to show: no price, no word on the cache, a failure, long, wide and harmful names.
  public static var busy: MadeUpUsage {
    var usage = MadeUpUsage()
    for minute in stride(from: 120, through: 0, by: -4) {
      usage.call(
        "alpha-pro", session: "7d1f-checkout", minutesAgo: minute, secondsAgo: 30, fresh: 1200,
        read: 48_000 + Int64(minute) * 100, write: 800, output: 640, reasoning: 200,
        tookMilliseconds: 4200)
      usage.call(
        "alpha-mini", project: "/home/ana/search", session: "a90c-index", minutesAgo: minute,
        secondsAgo: 10, fresh: 5000, read: 9000, output: 300, tookMilliseconds: 950)
    }
    for minute in [100, 50, 2] {
      usage.call(
        "beta-large", project: "/home/ana/文档/review", session: "c4e2-review", source: "claude-code",
        minutesAgo: minute, fresh: 30_000, read: 10_000, output: 2000, tookMilliseconds: 73_000)
    }
    usage.call("gamma-9", project: nil, session: nil, minutesAgo: 30, fresh: 70_000, output: 900)
    usage.call(
      "alpha-mini", project: "old-gateway", session: nil, minutesAgo: 20, fresh: 4000, output: 100,
      tellsCache: false, statedCost: Amount(decimal: "0.0125"))
    usage.call("alpha-pro", session: "7d1f-checkout", minutesAgo: 3, failed: true)
    usage.call(
      "evil\u{1B}[31m\u{7}\u{202E}model", project: "line\nbreak\tand\u{9B}more", session: "\u{0}",
      minutesAgo: 1, fresh: 10, read: 10, output: 1)
    return usage
  }

  /// A good hour, then twenty minutes in which one project finds nothing in the cache.
  public static var missing: MadeUpUsage {
    var usage = MadeUpUsage()
    for minute in 21...80 {
      usage.call("alpha-pro", minutesAgo: minute, fresh: 1000, read: 19_000, output: 500)
    }
    for minute in 0...20 {
      usage.call("alpha-pro", minutesAgo: minute, fresh: 18_500, read: 1500, output: 500)
      usage.call(
        "alpha-mini", project: "/home/ana/search", session: "s-2", minutesAgo: minute, fresh: 4000,
        read: 1000, output: 100)
    }
    return usage
  }

  /// Three weeks of one vendor's models, with good and bad days and a pause every night.
  public static var weeks: MadeUpUsage {
    var usage = MadeUpUsage()
    for day in 0..<21 {
      for hour in [0, 2, 3, 7, 8] {
        let minutes = day * 1440 + hour * 60
        usage.call(
          "alpha-pro", minutesAgo: minutes + 5, fresh: 20_000 + Int64(day % 3) * 9000,
          read: 240_000, output: 8000)
        usage.call(
          "alpha-mini", session: "s-2", minutesAgo: minutes + 3, fresh: 6000, read: 30_000,
          output: 900)
      }
    }
    return usage
  }

  /// One call with so many tokens of each class.
  public static func single(tokens: Int64) -> MadeUpUsage {
    var usage = MadeUpUsage()
    usage.call(
      "alpha-pro", fresh: tokens, read: tokens, write: tokens, output: tokens, reasoning: tokens)
    return usage
  }
}
