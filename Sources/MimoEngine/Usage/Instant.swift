/// A moment in time: whole milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
public struct Instant: Hashable, Comparable, Sendable {
  /// Milliseconds since the epoch; negative before it.
  public var milliseconds: Int64

  /// Creates an instant from milliseconds since the epoch.
  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// Creates an instant from whole seconds since the epoch.
  public init(seconds: Int64) { milliseconds = seconds * 1000 }

  /// The minute this instant falls into, counted from the epoch (rounds towards the past).
  public var minute: Minute {
    Minute(Int32(truncatingIfNeeded: floorDivide(milliseconds, 60_000)))
  }

  /// Whether the first is earlier.
  public static func < (a: Instant, b: Instant) -> Bool { a.milliseconds < b.milliseconds }

  /// The instant `milliseconds` later.
  public func advanced(byMilliseconds milliseconds: Int64) -> Instant {
    Instant(milliseconds: self.milliseconds + milliseconds)
  }
}

/// A whole minute in UTC, counted from 1970-01-01T00:00Z: the time resolution of the cube.
///
/// One minute divides every time zone offset in use and every edge of a published price, so local days
/// and price periods are exact unions of minutes.
public struct Minute: Hashable, Comparable, Sendable {
  /// Minutes since the epoch.
  public var number: Int32

  /// Creates the minute with this number.
  public init(_ number: Int32) { self.number = number }

  /// The first instant of the minute.
  public var start: Instant { Instant(milliseconds: Int64(number) * 60_000) }

  /// The UTC day this minute belongs to, counted from 1970-01-01.
  public var day: Int32 { floorDivide(number, 1440) }

  /// Whether the first is earlier.
  public static func < (a: Minute, b: Minute) -> Bool { a.number < b.number }
}

/// Integer division that rounds towards negative infinity, so times before 1970 fall into the right day.
@inlinable public func floorDivide<T: BinaryInteger>(_ a: T, _ b: T) -> T {
  let q = a / b
  return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q
}
