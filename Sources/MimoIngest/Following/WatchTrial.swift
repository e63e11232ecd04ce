/// Whether the system tells of changes to logs, found out by asking it to as a follower would.
public struct WatchTrial: Sendable {
  /// Folders that the system watches for us.
  public private(set) var folders = 0
  /// Where changes are looked for on a timer instead, and why.
  public private(set) var problems: [LogError] = []

  /// Tries it with what can be followed of `sources`, and gives everything back. Nothing is read.
  ///
  /// Cost: a walk through all folders of the sources.
  public init(of sources: [LogSource]) {
    let consumer = Listener()
    do throws(LogError) {
      let follower = try LogFollower(sources: sources.filter(\.isSeekable))
      follower.consumer = consumer
      follower.start()
      follower.consumer = nil
      folders = follower.watcher.folderCount
    } catch {
      consumer.errors.append(error)
    }
    problems = consumer.errors.filter(\.isAboutEvents)
  }

  private final class Listener: LogConsumer {
    var errors: [LogError] = []
    func opened(_ file: LogFile, reason: OpenReason) {}
    func consume(lines: UnsafeRawBufferPointer, of file: LogFile, at offset: Int64) {}
    func closed(_ file: LogFile, reason: CloseReason) {}
    func failed(_ error: LogError, of file: LogFile?) { errors.append(error) }
    func caughtUp() {}
  }
}
