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
    var pricer = Pricer(snapshot, tariff: tariff)
    var steps = Array(repeating: Measures(), count: count)
    let end = start.advanced(by: Int(stepMinutes) * count)
    snapshot.cube.forEachCell(in: start..<end) { cell, extras in
      pricer.add(cell, extras, to: &steps[Int((cell.minute.number - start.number) / stepMinutes)])
    }
    self.steps = steps
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
    var pricer = Pricer(snapshot, tariff: tariff)
    var sums = Measures()
    snapshot.cube.forEachCell(in: first..<now.minute.advanced(by: 1)) { cell, extras in
      pricer.add(cell, extras, to: &sums)
    }
    measures = sums
  }

  /// Cost per hour in the tariff's unit; `nil` if it is unknown.
  public var costPerHour: Amount? { measures.cost?.scaled(by: 3600, over: Int128(seconds)) }

  /// Requests per minute, in hundredths.
  public var requestsPerMinuteHundredths: Int64 { measures.requests * 6000 / seconds }
}
