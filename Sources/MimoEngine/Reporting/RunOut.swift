/// When the credits of a plan end, between the busiest and the slowest of the last days.
public struct RunOut: Hashable, Sendable {
  /// Days looked back at, each 24 hours up to now.
  public static let days = 7
  /// Fewer full days than this say nothing about how days differ.
  public static let fewestDays = 2

  /// If every day were like the busiest one.
  public var earliest: Instant
  /// If every day were like the slowest one; `nil` if the credits would then last to the reset.
  public var latest: Instant?

  /// Creates a range.
  public init(earliest: Instant, latest: Instant?) {
    self.earliest = earliest
    self.latest = latest
  }
}
