/// Watches the cache hit rate over a rolling window and says when it is too low.
///
/// A pure function of the cells: the same history gives the same alerts, live or later. The rate is
/// weighted by tokens. Calls whose log tells nothing about the cache, and the first call of each
/// conversation, which can find nothing in it, do not count. An alert is raised below `raiseBelow` and
/// cleared above `clearAbove`; between them, and while there is too little traffic to judge, it stays as
/// it is. It also ends when the window holds no traffic any more.
public struct HitRateMonitor: Hashable, Sendable {
  /// Minutes of the rolling window, the running minute included.
  public var windowMinutes: Int32 = 15
  /// An alert is raised when the rate falls below this.
  public var raiseBelow = Ratio(20, 100)!
  /// An alert is cleared when the rate rises above this.
  public var clearAbove = Ratio(25, 100)!
  /// Fewer requests in the window are too few to judge.
  public var minimumRequests: Int64 = 5
  /// Fewer prompt tokens in the window are too few to judge.
  public var minimumPromptTokens: Int64 = 5000

  /// The usual settings.
  public init() {}

  /// Prompt tokens and reads of the calls that count.
  public struct Sums: Hashable, Sendable {
    /// Calls.
    public var requests: Int64 = 0
    /// Prompt tokens.
    public var prompt: Int64 = 0
    /// Prompt tokens read from the cache.
    public var read: Int64 = 0

    /// Creates sums.
    public init(requests: Int64 = 0, prompt: Int64 = 0, read: Int64 = 0) {
      self.requests = requests
      self.prompt = prompt
      self.read = read
    }

    /// The hit rate; `nil` without prompt tokens.
    public var rate: Ratio? { Ratio(read, prompt) }

    static func += (a: inout Sums, b: Sums) {
      a.requests += b.requests
      a.prompt += b.prompt
      a.read += b.read
    }

    static func -= (a: inout Sums, b: Sums) {
      a.requests -= b.requests
      a.prompt -= b.prompt
      a.read -= b.read
    }
  }

  /// Who drives an alert.
  public struct Driver: Hashable, Sendable {
    /// The model as the log names it; `nil` if it does not.
    public var model: String?
    /// The project; `nil` if the log does not say.
    public var project: String?
    /// Its share of the prompt tokens that missed.
    public var share: Ratio

    /// Describes who drives an alert.
    public init(model: String?, project: String?, share: Ratio) {
      self.model = model
      self.project = project
      self.share = share
    }
  }

  /// One time during which the rate was too low.
  public struct Alert: Hashable, Sendable {
    /// The minute at which it was raised.
    public var start: Minute
    /// The minute at which it ended; `nil` if it stands.
    public var end: Minute?
    /// The rate when it was raised.
    public var rateAtStart: Ratio
    /// The lowest rate while it stood.
    public var lowestRate: Ratio
    /// Sums of the last window while it stood that was enough to judge.
    public var window: Sums
    /// Who missed most in that window.
    public var driver: Driver?
    /// The rate of the last hour before the alert in which the rate was good; `nil` if there was none.
    public var goodRate: Ratio?
    /// What the misses cost per hour against `goodRate`, in the tariff's unit; `nil` if not known.
    public var extraCostPerHour: Amount?

    /// Describes an alert whose cost is not known.
    public init(
      start: Minute, end: Minute? = nil, rateAtStart: Ratio, lowestRate: Ratio, window: Sums,
      driver: Driver? = nil, goodRate: Ratio? = nil
    ) {
      self.start = start
      self.end = end
      self.rateAtStart = rateAtStart
      self.lowestRate = lowestRate
      self.window = window
      self.driver = driver
      self.goodRate = goodRate
    }
  }

  /// What the monitor sees.
  public struct Verdict: Sendable {
    /// Sums of the rolling window that ends now.
    public var now: Sums
    /// Whether these are enough to judge.
    public var isEnough: Bool
    /// All alerts in the range, the earliest first; the last one may still stand.
    public var alerts: [Alert]

    /// The alert that stands.
    public var standing: Alert? { alerts.last.flatMap { $0.end == nil ? $0 : nil } }
  }

  /// Judges the history from `since` to `now`.
  ///
  /// Cost: linear in the cells of that time.
  public func judge(_ snapshot: UsageSnapshot, tariff: Tariff, since: Minute, now: Instant)
    -> Verdict
  {
    let minutes = Self.activeMinutes(snapshot, since..<now.minute.advanced(by: 1))
    var alerts: [Alert] = []
    // Where the window of each alert ends: silence ends an alert, but does not explain it.
    var judged: [Minute] = []
    var window = Sums()
    var oldest = 0
    var lastGoodMinute: Minute?
    func close(at minute: Minute) {
      guard var alert = alerts.last, alert.end == nil else { return }
      alert.end = minute
      alerts[alerts.count - 1] = alert
    }
    func slide(to minute: Minute) {
      while oldest < minutes.count, minutes[oldest].minute.number <= minute.number - windowMinutes {
        window -= minutes[oldest].sums
        oldest += 1
      }
    }
    for (index, active) in minutes.enumerated() {
      // Without traffic for a whole window there is nothing to warn of.
      if index > 0, minutes[index - 1].minute.number + windowMinutes <= active.minute.number {
        close(at: minutes[index - 1].minute.advanced(by: Int(windowMinutes)))
      }
      slide(to: active.minute)
      window += active.sums
      guard isEnough(window), let rate = window.rate else { continue }
      if var alert = alerts.last, alert.end == nil {
        alert.window = window
        alert.lowestRate = min(alert.lowestRate, rate)
        alerts[alerts.count - 1] = alert
        judged[alerts.count - 1] = active.minute
        if rate > clearAbove { close(at: active.minute) }
      } else if rate < raiseBelow {
        let good = lastGoodMinute.flatMap {
          Self.rate(minutes, from: $0.advanced(by: -59), through: $0)
        }
        alerts.append(
          Alert(
            start: active.minute, rateAtStart: rate, lowestRate: rate, window: window,
            goodRate: good))
        judged.append(active.minute)
      }
      if rate > clearAbove { lastGoodMinute = active.minute }
    }
    if let last = minutes.last, last.minute.number + windowMinutes <= now.minute.number {
      close(at: last.minute.advanced(by: Int(windowMinutes)))
    }
    slide(to: now.minute)
    for index in alerts.indices {
      explain(&alerts[index], snapshot, tariff, end: judged[index])
    }
    return Verdict(now: window, isEnough: isEnough(window), alerts: alerts)
  }

  private func isEnough(_ sums: Sums) -> Bool {
    sums.requests >= minimumRequests && sums.prompt >= minimumPromptTokens
  }

  private static func isJudged(_ flags: Series.Flags) -> Bool {
    flags.isDisjoint(with: [.cacheUnknown, .answeredByProxyCache, .opensConversation])
  }

  private static func activeMinutes(
    _ snapshot: UsageSnapshot, _ range: Range<Minute>
  ) -> [(minute: Minute, sums: Sums)] {
    // By the hour, because most cells follow others of theirs: a search for each cell would take longer than all else.
    var places: [Hour: Int] = [:]
    var sums: [Sums] = []
    var (hour, place) = (Hour(.min), 0)
    snapshot.cube.forEachCell(in: range) { cell, _ in
      guard isJudged(snapshot.cube.series[Int(cell.series)].flags), cell.tokens.prompt > 0 else {
        return
      }
      if Hour(of: cell.minute) != hour || sums.isEmpty {
        hour = Hour(of: cell.minute)
        if let known = places[hour] {
          place = known
        } else {
          place = sums.count
          places[hour] = place
          sums += Array(repeating: Sums(), count: 60)
        }
      }
      sums[place + Int(cell.minute.number - hour.number * 60)] += Sums(
        requests: Int64(cell.requests), prompt: cell.tokens.prompt, read: cell.tokens.cacheRead)
    }
    return places.sorted { $0.key < $1.key }.flatMap { hour, place in
      hour.minutes.enumerated().compactMap { offset, minute in
        sums[place + offset].prompt > 0 ? (minute, sums[place + offset]) : nil
      }
    }
  }

  private static func rate(
    _ minutes: [(minute: Minute, sums: Sums)], from: Minute, through: Minute
  ) -> Ratio? {
    var sums = Sums()
    for active in minutes where active.minute >= from && active.minute <= through {
      sums += active.sums
    }
    return sums.rate
  }

  /// Finds who drove the alert and what it costs, from the window that ends with minute `end`.
  private func explain(
    _ alert: inout Alert, _ snapshot: UsageSnapshot, _ tariff: Tariff, end: Minute
  ) {
    let pricer = Pricer(snapshot, tariff: tariff)
    var misses: [Labels: Int64] = [:]
    var allMisses: Int64 = 0
    var extra: Int128 = 0
    var isPriced = false
    var spans: [UInt32: RateSpan] = [:]
    var isAbsurd = false
    let first = max(end.advanced(by: 1 - Int(windowMinutes)), Minute.distantPast)
    snapshot.cube.forEachCell(in: first..<end.advanced(by: 1)) { cell, _ in
      let series = snapshot.cube.series[Int(cell.series)]
      guard Self.isJudged(series.flags) else { return }
      let missed = cell.tokens.prompt - cell.tokens.cacheRead
      let key = Labels(model: series.labels.model, project: series.labels.project)
      misses[key, default: 0] += missed
      allMisses += missed
      guard let good = alert.goodRate else { return }
      if spans[cell.series].map({ cell.minute < $0.from || cell.minute >= $0.until }) ?? true {
        spans[cell.series] = pricer.span(ofSeries: Int(cell.series), at: cell.minute)
      }
      guard let rates = spans[cell.series]?.rates else { return }
      // With the good rate, prompt × good tokens would have been read instead of those that were.
      let lost =
        Int128(cell.tokens.prompt) * Int128(good.numerator) - Int128(cell.tokens.cacheRead)
        * Int128(good.denominator)
      // Only made-up counters are so large; they must not stop the program.
      let (cost, isTooLarge) = lost.multipliedReportingOverflow(
        by: Int128(rates.input) - Int128(rates.cacheRead))
      let (sum, overflows) = extra.addingReportingOverflow(cost)
      isAbsurd =
        isAbsurd || isTooLarge || overflows || sum.magnitude > Int128.max.magnitude / 60_000
      extra = isAbsurd ? 0 : sum
      isPriced = true
    }
    if isPriced, !isAbsurd, let good = alert.goodRate {
      alert.extraCostPerHour = Amount(
        atto: divideHalfEven(
          extra * 1000 * 60, by: Int128(good.denominator) * Int128(windowMinutes)))
    }
    func names(_ labels: Labels) -> (String, String) {
      (snapshot.names[labels.project], snapshot.names[labels.model])
    }
    // Of equal shares the first by name: the answer must not depend on the order of a dictionary.
    let worst = misses.max { a, b in
      a.value != b.value ? a.value < b.value : names(b.key) < names(a.key)
    }
    alert.driver = worst.flatMap { labels, missed in
      Ratio(missed, allMisses).map {
        Driver(
          model: labels.model == .none ? nil : snapshot.names[labels.model],
          project: labels.project == .none ? nil : snapshot.names[labels.project], share: $0)
      }
    }
  }
}
