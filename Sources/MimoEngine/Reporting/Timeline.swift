/// Usage in equal steps of time, for charts and rates.
public struct Timeline: Sendable {
  /// The first minute of the first step.
  public var start: Minute
  /// Minutes in a step.
  public var stepMinutes: Int32
  /// Sums of each step, the earliest first.
  public var steps: [Measures]

  /// Sums usage from `start` in `count` steps.
  public init(
    of snapshot: UsageSnapshot, tariff: Tariff, from start: Minute, stepMinutes: Int32, count: Int
  ) {
    self.start = start
    self.stepMinutes = stepMinutes
    let end = start.advanced(by: Int(stepMinutes) * count)
    let sums = Pricer(snapshot, tariff: tariff).sum(in: start..<end, series: .alike) { _, minute in
      let step = Int((minute.number - start.number) / stepMinutes)
      let first = start.advanced(by: step * Int(stepMinutes))
      return Pricer.Placing(place: step, minutes: first..<first.advanced(by: Int(stepMinutes)))
    }
    steps = sums.rows + Array(repeating: Measures(), count: count - sums.rows.count)
  }
}

/// How fast usage comes in just now.
public struct Pace: Hashable, Sendable {
  /// Minutes looked back at, the running one included.
  public static let minutes: Int32 = 5

  /// Sums of these minutes.
  public var measures = Measures()
  /// Seconds that these minutes have lasted so far.
  public var seconds: Int64

  /// The pace at `now`, from the running minute and the four before it.
  public init(of snapshot: UsageSnapshot, tariff: Tariff, now: Instant) {
    let first = now.minute.advanced(by: 1 - Int(Self.minutes))
    seconds = max(1, (now.milliseconds - first.start.milliseconds) / 1000)
    measures = Pricer(snapshot, tariff: tariff).total(in: first..<now.minute.advanced(by: 1))
  }

  /// Cost per hour in the tariff's unit; `nil` if it is unknown.
  public var costPerHour: Amount? { measures.cost?.scaled(by: 3600, over: Int128(seconds)) }

  /// Requests per minute, in hundredths.
  public var requestsPerMinuteHundredths: Int64 { measures.requests * 6000 / seconds }
}
