/// Which minutes may share a cell: those that nothing asked for tells apart.
///
/// Who counts logs for one report knows what will be asked for. A quarter of an hour is a cell then, unless prices,
/// the window or the clock part it; so calls share cells, where each has nearly one of its own by the minute.
public struct Grain: Sendable {
  /// How long a cell is at most; a divisor of 15 minutes.
  private let step: Int32
  /// Minutes that begin a cell although no step does, ascending.
  private let cuts: [Int32]

  private init(step: Int32, cuts: [Int32]) { (self.step, self.cuts) = (step, cuts) }

  /// Each minute has cells of its own.
  public static let everyMinute = Grain(step: 1, cuts: [])

  /// The coarsest grain in which a `Report` with these arguments is what it is by the minute, but for its span and
  /// the last minutes of its rows.
  public init(for tariff: Tariff, window: Range<Minute>?, clock: LocalClock) {
    var edges = PriceEdges()
    edges.add(tariff)
    if let window { edges.add(window) }
    for stretch in clock.stretches { edges.add(stretch.from) }
    let periods = edges.timesOfDay.union(clock.stretches.map(\.offsetMinutes))
    let step = periods.reduce(15, Self.commonDivisor)
    let cuts = edges.minutes.filter {
      $0.number % step != 0 && $0 != .distantPast && $0 != .distantFuture
    }
    self.init(step: step, cuts: cuts.map(\.number).sorted())
  }

  private static func commonDivisor(_ a: Int32, _ b: Int32) -> Int32 {
    b == 0 ? abs(a) : commonDivisor(b, a % b)
  }

  /// The minute that stands for this one.
  @inline(__always)
  func start(of minute: Minute) -> Minute {
    if step == 1 { return minute }
    let start = minute.number &- (minute.number % step &+ step) % step
    // One of the minimum of minutes would begin before it.
    if start > minute.number { return minute }
    if cuts.isEmpty { return Minute(start) }
    return Minute(cuts.last { $0 <= minute.number && $0 > start } ?? start)
  }
}
