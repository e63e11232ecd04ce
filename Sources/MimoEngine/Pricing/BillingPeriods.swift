/// The months of a subscription, each beginning on the same day.
///
/// A period begins at 00:00 UTC on the renewal day and ends where the next begins. (The vendor's
/// console gives an end as 23:59:59 UTC of the day before.)
public struct BillingPeriods: Hashable, Sendable {
  /// The day of the month on which a period begins, 1 to 31. A month without that day begins its
  /// period on its last day; the month after has the full day again.
  public let renewalDay: Int

  /// Creates the periods that begin on this day of the month; days outside 1...31 are clamped.
  public init(renewalDay: Int) { self.renewalDay = min(max(renewalDay, 1), 31) }

  /// The period that holds `instant`; `end` is the first instant outside it.
  public func period(containing instant: Instant) -> (start: Instant, end: Instant) {
    let today = CivilDate(dayNumber: instant.minute.day)
    var month = today.year * 12 + today.month - 1
    if today < start(ofMonth: month) { month -= 1 }
    return (start(ofMonth: month).startInUTC, start(ofMonth: month + 1).startInUTC)
  }

  /// The renewal day in a month counted from year 0. Counted from a January, which has all 31 days.
  private func start(ofMonth month: Int) -> CivilDate {
    let january = CivilDate(year: 2000, month: 1, day: renewalDay)!
    return january.addingMonths(month - 24_000)
  }
}
