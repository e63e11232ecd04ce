import MimoEngine

/// The time a window shows.
public enum WindowChoice: String, CaseIterable, Sendable {
  case hour = "last hour"
  case today = "today"
  case day = "last 24 hours"
  case week = "last 7 days"
  case month = "this month"
  case all = "all time"

  /// The minutes of it; `nil` for all.
  func minutes(_ clock: LocalClock, _ now: Instant) -> Range<Minute>? {
    let end = now.minute.advanced(by: 1)
    return switch self {
    case .hour: end.advanced(by: -60)..<end
    case .today: clock.today(now)
    case .day: end.advanced(by: -1440)..<end
    case .week: end.advanced(by: -7 * 1440)..<end
    case .month: clock.month(now)
    case .all: nil
    }
  }
}

/// What of a history that is longer than what is shown has been brought to the screen.
public struct LoadedHistory: Sendable, Equatable {
  /// The first minute with usage in all of the history; `nil` if it is empty.
  public var first: Minute?
  /// The minutes whose counts are there, in order, apart from each other.
  public var loaded: [Range<Minute>]

  /// Describes what is there.
  public init(first: Minute?, loaded: [Range<Minute>]) {
    self.first = first
    self.loaded = loaded
  }

  /// Whether all usage of these minutes is there; `nil` stands for all minutes.
  func covers(_ minutes: Range<Minute>?) -> Bool {
    guard let first else { return true }
    guard let minutes else { return loaded.contains { $0.contains(first) } }
    let needed = max(first, minutes.lowerBound)..<max(first, minutes.upperBound)
    return needed.isEmpty
      || loaded.contains {
        $0.lowerBound <= needed.lowerBound && $0.upperBound >= needed.upperBound
      }
  }
}

/// A step through the history.
public enum TimeStep: Hashable, Sendable {
  case day, week, month
}

extension Model {
  /// The minutes shown; `nil` for all.
  var minutes: Range<Minute>? {
    let shown = window.minutes(clock, asOf ?? now)
    guard let limits else { return shown }
    return shown.map { $0.clamped(to: limits) } ?? limits
  }

  /// The minutes that the figures are made of, apart from each other; `nil` for all there are.
  ///
  /// Whatever window is shown, the month, the subscription's period and the last days are on screen too.
  public var neededMinutes: [Range<Minute>]? {
    guard let minutes else { return nil }
    let recent = now.minute.advanced(by: -35 * 1440)..<now.minute.advanced(by: 1)
    if minutes.upperBound < recent.lowerBound { return [minutes, recent] }
    return [min(minutes.lowerBound, recent.lowerBound)..<max(minutes.upperBound, recent.upperBound)]
  }

  /// Whether the counts of the shown window are still to come.
  var isHistoryMissing: Bool { ingest.history.map { !$0.covers(minutes) } ?? false }

  /// What the screen calls the time shown.
  var windowName: String {
    guard let asOf else { return window == .all && limits != nil ? "given time" : window.rawValue }
    let date = CivilDate(dayNumber: clock.day(of: asOf.minute))
    return switch window {
    case .today: "\(Self.weekdays[date.weekday]) \(date.text)"
    case .month: String(date.text.prefix(7))
    case .week: "7 days to \(date.text)"
    case .hour: "hour to \(date.text) \(clock.timeOfDay(asOf).prefix(5))"
    case .day: "24 h to \(date.text) \(clock.timeOfDay(asOf).prefix(5))"
    case .all: window.rawValue
    }
  }

  /// The same in at most eight columns.
  var shortWindowName: String {
    if let asOf, window != .all {
      let date = CivilDate(dayNumber: clock.day(of: asOf.minute)).text
      return switch window {
      case .today: String(date.dropFirst(5))
      case .month: String(date.prefix(7))
      default: "to \(date.dropFirst(5))"
      }
    }
    return switch window {
    case .hour: "1 hour"
    case .day: "24 hours"
    case .week: "7 days"
    case .month: "month"
    case .all where limits != nil: "given"
    case .today, .all: window.rawValue
    }
  }

  private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

  /// Shows an earlier or later time.
  mutating func moveTime(by step: TimeStep, earlier: Bool) {
    if window == .all {
      // All time cannot be moved; what is moved by is shown.
      window =
        switch step {
        case .day: .today
        case .week: .week
        case .month: .month
        }
    }
    // Within a month a step would show the same month.
    let step = window == .month ? .month : step
    let target = clock.moved(asOf ?? now, by: step, earlier: earlier)
    guard target < now else { return backToNow() }
    if let first = ingest.history?.first ?? snapshot.cube.span?.lowerBound,
      clock.today(target).upperBound <= first, window.minutes(clock, target)!.upperBound <= first
    {
      let day = CivilDate(dayNumber: clock.day(of: first))
      return say("the history begins on \(day.text)")
    }
    asOf = target
    say("\(windowName); n goes back to now")
  }

  /// Shows the time up to now.
  mutating func backToNow() { asOf = nil }
}

extension LocalClock {
  /// The same time of another day; the last of the month where a month is shorter.
  fileprivate func moved(_ instant: Instant, by step: TimeStep, earlier: Bool) -> Instant {
    let sign: Int32 = earlier ? -1 : 1
    let day = day(of: instant.minute)
    let target =
      switch step {
      case .day: day + sign
      case .week: day + 7 * sign
      case .month: CivilDate(dayNumber: day).addingMonths(Int(sign)).dayNumber
      }
    let time = instant.milliseconds - start(ofDay: day).start.milliseconds
    // A day on which clocks are set forward is shorter.
    let end = start(ofDay: target + 1).start.advanced(byMilliseconds: -1)
    return min(start(ofDay: target).start.advanced(byMilliseconds: time), end)
  }
}
