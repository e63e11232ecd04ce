/// How far the reading of what is there already has come.
public struct ReadingProgress: Sendable, Equatable {
  /// Bytes read.
  public var bytesRead: Int64
  /// Bytes there are, as far as known; it grows with the logs.
  public var bytesTotal: Int64
  /// Logs read to their ends.
  public var filesRead: Int
  /// Logs there are.
  public var filesTotal: Int
  /// How many of the bytes were read in the last `milliseconds`, which tells the speed.
  public var recentBytes: Int64
  /// How long that took.
  public var milliseconds: Int64

  /// Creates a progress.
  public init(
    bytesRead: Int64, bytesTotal: Int64, filesRead: Int, filesTotal: Int, recentBytes: Int64,
    milliseconds: Int64
  ) {
    self.bytesRead = bytesRead
    self.bytesTotal = bytesTotal
    self.filesRead = filesRead
    self.filesTotal = filesTotal
    self.recentBytes = recentBytes
    self.milliseconds = milliseconds
  }

  /// The part that is read: from 0 to 1.
  var fraction: Double {
    bytesTotal > 0 ? min(1, Double(max(0, bytesRead)) / Double(bytesTotal)) : 0
  }

  /// The same in percent; 100 is never said before the end.
  var percent: Int { min(99, Int(fraction * 100)) }

  /// Bytes a second; `nil` as long as it is too early to tell.
  var bytesPerSecond: Int64? {
    guard milliseconds >= 300, recentBytes > 0 else { return nil }
    return Int64(Double(recentBytes) / Double(milliseconds) * 1000)
  }

  /// Seconds until all is read, rounded up; `nil` if the speed is not known.
  var secondsLeft: Int64? {
    guard let speed = bytesPerSecond, speed > 0 else { return nil }
    return (max(0, bytesTotal - bytesRead) + speed - 1) / speed
  }
}
