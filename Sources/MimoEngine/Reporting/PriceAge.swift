/// How long ago the prices behind a number were checked against their source.
public struct PriceAge: Hashable, Sendable {
  /// Prices older than this many days are to be looked up again.
  public static let limitInDays = 60

  /// The day of the oldest check; of a check that only tells its month, the first of it.
  public var checked: CivilDate
  /// Whole days from then to today, never negative.
  public var days: Int

  /// The age at `now`, with days by `clock`; `nil` if no day is known.
  public init?(checked: CivilDate?, now: Instant, clock: LocalClock = .utc) {
    guard let checked else { return nil }
    self.checked = checked
    days = max(0, Int(clock.day(of: now.minute) - checked.dayNumber))
  }

  /// Whether they are older than the limit.
  public var isStale: Bool { days > Self.limitInDays }
}

extension Evidence {
  /// The day of the check; of one that only tells its month, the first of it.
  public var checked: CivilDate? { asOf.flatMap { CivilDate($0) ?? CivilDate($0 + "-01") } }
}
