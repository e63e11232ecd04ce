import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reaches a follower from other threads.
///
/// Make it first, hand it to the thread that makes and runs the follower, and keep it.
public final class LogFollowerRemote: Sendable {
  /// Readable when the follower should wake up.
  let wakeUp: Int32
  private let bell: Int32
  private let state = Mutex(State())

  private struct State {
    var isStopped = false
    var isAsked = false
    var work: [@Sendable () -> Void] = []
  }

  /// Opens the pipe the follower is woken through.
  ///
  /// - Throws: `LogError.failed` if the process has no descriptors left.
  public init() throws(LogError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw .failed(path: "wake-up pipe", code: errno) }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    (wakeUp, bell) = (ends[0], ends[1])
  }

  deinit {
    close(wakeUp)
    close(bell)
  }

  /// Makes `run` return after its present round. Any thread; also before `run` is called.
  public func stop() {
    state.withLock { $0.isStopped = true }
    ring()
  }

  /// Has `work` called on the follower's thread, between two rounds. Any thread.
  public func post(_ work: @escaping @Sendable () -> Void) {
    state.withLock { $0.work.append(work) }
    ring()
  }

  /// Has the consumer told again where reading stands, by `progress` or `caughtUp`, once what is there
  /// now was read. Any thread.
  public func ask() {
    state.withLock { $0.isAsked = true }
    ring()
  }

  /// Whether `stop` was called.
  public var isStopped: Bool { state.withLock { $0.isStopped } }

  /// Does what was posted. Follower's thread only.
  ///
  /// - Returns: whether somebody asked where reading stands.
  func answer() -> Bool {
    var bytes: (UInt64, UInt64) = (0, 0)
    while read(wakeUp, &bytes, 16) > 0 {}
    let (work, isAsked) = state.withLock { state in
      defer { (state.work, state.isAsked) = ([], false) }
      return (state.work, state.isAsked)
    }
    for item in work { item() }
    return isAsked
  }

  private func ring() {
    var byte: UInt8 = 0
    // A full pipe rings as well.
    _ = write(bell, &byte, 1)
  }
}
