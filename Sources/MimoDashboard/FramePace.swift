/// When news may be drawn: at once if there was little of it lately, and less often the more there is and
/// the more a frame costs.
///
/// Keys and signals are not slowed down by it.
public struct FramePace: Sendable {
  /// Milliseconds between two frames while news keeps coming.
  static let frameMilliseconds: Int64 = 33
  /// So many frames may follow each other at once after a pause.
  static let burst: Int64 = 8
  /// Nobody can follow more calls than this one by one, so that fewer frames show as much.
  static let manyCalls: UInt64 = 50
  /// Milliseconds between two frames then.
  static let crowdedMilliseconds: Int64 = 150

  /// When the frames drawn so far would have been due at `frameMilliseconds` each.
  private var due: Int64 = 0
  private var next: Int64 = 0

  /// The first frame may be drawn at once.
  public init() {}

  /// Notes a frame.
  ///
  /// - Parameters:
  ///   - time: when it was finished, in milliseconds of a clock that only goes forward.
  ///   - microseconds: the processor time it took. Expensive ones have a twentieth of a core at most.
  ///   - calls: how many calls it was the first to show.
  public mutating func drew(at time: Int64, work microseconds: Int64, calls: UInt64) {
    due = max(due, time) + Self.frameMilliseconds
    next = due - Self.burst * Self.frameMilliseconds
    if calls > Self.manyCalls { next = max(next, time + Self.crowdedMilliseconds) }
    if microseconds >= 5000 { next = max(next, time + min(microseconds / 50, 1000)) }
  }

  /// Milliseconds to wait for the next frame; 0 or less if it may be drawn.
  public func pause(at time: Int64) -> Int64 { next - time }
}
