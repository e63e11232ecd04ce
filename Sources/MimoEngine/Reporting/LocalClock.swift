/// A time zone as data: how far local clocks are ahead of UTC, and from which minute on.
public struct LocalClock: Hashable, Sendable {
  /// One stretch of constant offset.
  public struct Stretch: Hashable, Sendable {
    /// The first minute it holds for.
    public var from: Minute
    /// Minutes by which local clocks are ahead of UTC.
    public var offsetMinutes: Int32

    /// Creates a stretch.
    public init(from: Minute, offsetMinutes: Int32) {
      self.from = from
      self.offsetMinutes = offsetMinutes
    }
  }

  /// The zone's IANA name.
  public let name: String
  let stretches: [Stretch]

  /// Creates a clock from its stretches, the earliest first; before the first one its offset holds too.
  public init(name: String, stretches: [Stretch]) {
    precondition(!stretches.isEmpty, "a clock has an offset")
    self.name = name
    self.stretches = stretches
  }

  /// The clock that shows UTC.
  public static let utc = LocalClock(
    name: "UTC", stretches: [Stretch(from: .distantPast, offsetMinutes: 0)])

  /// Minutes by which local clocks are ahead of UTC in this minute.
  public func offsetMinutes(at minute: Minute) -> Int32 {
    var index = stretches.count - 1
    while index > 0, stretches[index].from > minute { index -= 1 }
    return stretches[index].offsetMinutes
  }

  /// The minutes for which the offset at `minute` holds.
  func stretch(around minute: Minute) -> (range: Range<Minute>, offset: Int32) {
    var index = stretches.count - 1
    while index > 0, stretches[index].from > minute { index -= 1 }
    let from = index == 0 ? Minute.distantPast : stretches[index].from
    let until = index + 1 < stretches.count ? stretches[index + 1].from : .distantFuture
    return (from..<max(until, from), stretches[index].offsetMinutes)
  }

  /// The local day this minute falls into, counted from 1970-01-01.
  public func day(of minute: Minute) -> Int32 {
    floorDivide(minute.number + offsetMinutes(at: minute), 1440)
  }

  /// The first minute of a local day. Where clocks skip midnight, the first minute after it.
  public func start(ofDay day: Int32) -> Minute {
    var minute = Minute(day * 1440 - offsetMinutes(at: Minute(day * 1440)))
    // Near a change of clocks the first guess can be off by the change.
    minute = Minute(day * 1440 - offsetMinutes(at: minute))
    while self.day(of: minute) < day { minute.number += 1 }
    while self.day(of: Minute(minute.number - 1)) >= day { minute.number -= 1 }
    return minute
  }

  /// The minutes of the local day that `instant` falls into.
  public func today(_ instant: Instant) -> Range<Minute> {
    let day = day(of: instant.minute)
    return start(ofDay: day)..<start(ofDay: day + 1)
  }

  /// The minutes of the local calendar month that `instant` falls into.
  public func month(_ instant: Instant) -> Range<Minute> {
    let date = CivilDate(dayNumber: day(of: instant.minute))
    let first = CivilDate(year: date.year, month: date.month, day: 1)!
    return start(ofDay: first.dayNumber)..<start(ofDay: first.addingMonths(1).dayNumber)
  }

  /// An instant as ISO 8601 with offset, to the second: `2026-10-01T00:00:00+08:00`.
  public func text(_ instant: Instant) -> String {
    let offset = offsetMinutes(at: instant.minute)
    let local = instant.advanced(byMilliseconds: Int64(offset) * 60_000)
    let day = CivilDate(dayNumber: local.minute.day)
    let second = floorDivide(local.milliseconds, 1000) - Int64(local.minute.day) * 86_400
    return
      "\(day.text)T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))\(Self.text(offset: offset))"
  }

  /// The time of day of an instant as `14:05:09`.
  public func timeOfDay(_ instant: Instant) -> String {
    String(text(instant).dropFirst(11).prefix(8))
  }

  static func text(offset: Int32) -> String {
    if offset == 0 { return "Z" }
    return
      "\(offset < 0 ? "-" : "+")\(two(Int64(abs(offset)) / 60)):\(two(Int64(abs(offset)) % 60))"
  }
}

/// A number below 100 with two digits.
func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
