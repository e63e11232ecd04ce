/// Days off, on which no clock window begins.
public struct HolidayCalendar: Hashable, Sendable {
  /// The days off, counted from 1970-01-01.
  public var days: Set<Int32>
  /// The days for which the list is complete.
  public var covers: ClosedRange<Int32>

  /// Creates a calendar.
  public init(days: Set<Int32>, covers: ClosedRange<Int32>) {
    self.days = days
    self.covers = covers
  }
}

/// Hours of the day on certain weekdays, by a clock with a fixed offset from UTC.
public struct ClockWindow: Hashable, Sendable {
  /// Minutes that the clock is ahead of UTC.
  public var utcOffset: Int32
  /// The weekdays on which the window begins: bit 0 is Monday, bit 6 is Sunday.
  public var weekdays: UInt8
  /// The minute of the day at which it begins, 0 to 1439.
  public var start: Int32
  /// The first minute after it, 1 to 1440; not after `start` if it runs over midnight.
  public var end: Int32

  /// Creates a window.
  public init(utcOffset: Int32, weekdays: UInt8 = 0b111_1111, start: Int32, end: Int32) {
    self.utcOffset = utcOffset
    self.weekdays = weekdays
    self.start = start
    self.end = end
  }

  private static let latest = Minute(.max - 3 * 1440)

  /// The day of the window's clock, counted from 1970-01-01.
  func day(of minute: Minute) -> Int32 { floorDivide(minute.number &+ utcOffset, 1440) }

  /// Whether `minute` is in the window, which does not begin on days off.
  ///
  /// Ends `span` where this changes, and at the ends of the day: so the spans of all minutes of a
  /// day are the same ones, whichever minute is asked for.
  func covers(_ minute: Minute, except daysOff: HolidayCalendar?, cutting span: inout RateSpan)
    -> Bool
  {
    // No price list is about the first and last days that can be counted, and there is no day beyond.
    guard abs(minute.start.milliseconds) < ClockWindow.latest.start.milliseconds else {
      return false
    }
    let day = day(of: minute)
    func begins(on day: Int32) -> Bool {
      weekdays & (1 << UInt8(CivilDate.weekday(ofDay: day))) != 0
        && daysOff?.days.contains(day) != true
    }
    var parts: [Range<Int32>] = []
    if start < end {
      if begins(on: day) { parts = [start..<end] }
    } else {
      if begins(on: day - 1) { parts.append(0..<end) }
      if begins(on: day) { parts.append(start..<1440) }
    }
    let midnight = day * 1440 - utcOffset
    span.cut(at: Minute(midnight)..<Minute(midnight + 1440), keeping: minute)
    for part in parts {
      let edges = Minute(midnight + part.lowerBound)..<Minute(midnight + part.upperBound)
      span.cut(at: edges, keeping: minute)
    }
    return parts.contains { $0.contains(minute.number - midnight) }
  }
}

/// Hours with rates of their own; outside them the rates of the price entry hold.
public struct PriceSchedule: Hashable, Sendable {
  /// Some hours, their name and their rates.
  public struct Hours: Hashable, Sendable {
    /// What the source calls them, such as `peak`.
    public var label: String
    /// When they are.
    public var window: ClockWindow
    /// What tokens cost then.
    public var rates: Rates

    /// Creates hours.
    public init(label: String, window: ClockWindow, rates: Rates) {
      self.label = label
      self.window = window
      self.rates = rates
    }
  }

  /// What the source calls the time outside all hours.
  public var baseLabel: String
  /// Hours that do not overlap.
  public var hours: [Hours]
  /// Days on which none of them begin.
  public var daysOff: HolidayCalendar?

  /// Creates a schedule.
  public init(baseLabel: String, hours: [Hours], daysOff: HolidayCalendar? = nil) {
    self.baseLabel = baseLabel
    self.hours = hours
    self.daysOff = daysOff
  }

  /// Puts the rates and the name of the hours at `minute` into `span`, and ends it with them.
  func apply(at minute: Minute, to span: inout RateSpan) {
    span.label = baseLabel
    for hours in hours {
      // Where the list of days off ends, peak hours are a guess.
      if let daysOff, !daysOff.covers.contains(hours.window.day(of: minute)) {
        span.evidence?.confidence = .low
      }
      if hours.window.covers(minute, except: daysOff, cutting: &span) {
        span.label = hours.label
        span.rates = hours.rates
      }
    }
  }
}
