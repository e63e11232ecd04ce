#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads logs to their ends and, if asked to, on as they grow.
///
/// Delivers every line once, whatever happens to the files meanwhile: growth in pieces, rotation by
/// rename or by copy and truncate, deletion and re-creation, switched links, new files and folders. What
/// a path leads to is decided by looking at it; events only say when to look.
///
/// Belongs to one thread. Other threads reach it through its `remote`.
public final class LogFollower {
  /// What can be tuned.
  public struct Options: Sendable {
    /// How changes are noticed.
    public enum Watching: Sendable {
      /// By the system's events where there are any, otherwise on a timer.
      case events
      /// On a timer only.
      case polling
    }

    /// How changes are noticed.
    public var watching = Watching.events
    /// Milliseconds between two looks at everything when there are no events.
    public var pollMilliseconds: Int64 = 250
    /// Milliseconds between two looks at everything when there are events: the safety net. They double
    /// with each look that finds nothing the events had not told of, up to `longestSafetyPollMilliseconds`.
    public var safetyPollMilliseconds: Int64 = 5000
    /// The longest time between two such looks, in milliseconds.
    public var longestSafetyPollMilliseconds: Int64 = 300_000
    /// How long a renamed or deleted file must have been quiet to be let go, in milliseconds.
    public var quietMilliseconds: Int64 = 600_000
    /// How many renamed or deleted files are kept at most.
    public var maximumDetachedFiles = 64
    /// Bytes read at once.
    public var windowBytes = 1 << 20
    /// Longer lines are passed over.
    public var maximumLineBytes = 64 << 20
    /// Bytes after which a round ends, so that the consumer can publish.
    public var roundBytes = 4 << 20
    /// Descriptors kept open at most. Fewer are used if the process may not have that many.
    public var maximumOpenFiles = 256
    /// Of a file that is read wholly: milliseconds from one reading to the next, at least. They grow to
    /// twenty times what a reading takes, and to two seconds at most.
    public var rereadMilliseconds: Int64 = 50
    /// Milliseconds until a database that was busy is tried again.
    public var retryMilliseconds: Int64 = 500
    /// The longest pause of `run` between two rounds while lines keep coming, in milliseconds. Each round
    /// costs some 50 µs, which at 8 ms was half of what following 10,000 lines a second took.
    public var pauseMilliseconds: Int32 = 33

    /// The defaults.
    public init() {}
  }

  /// What is followed.
  public let sources: [LogSource]
  /// Reaches this follower from other threads.
  public let remote: LogFollowerRemote

  let options: Options
  let makeWatcher: () throws(WatchError) -> any FileWatcher
  /// Whether no event tells what other machines write there.
  let isShared: (FileStatus) -> Bool
  let buffer: LineBuffer
  /// Only set during a call from outside.
  var consumer: (any LogConsumer)!

  // Files. Each is in `byIdentity` until it is closed; in `byPath` unless it is detached.
  var byIdentity: [FileIdentity: LogFile] = [:]
  var byPath: [String: LogFile] = [:]
  var detachedFiles: [LogFile] = []
  var streams: [LogStream] = []
  /// Where files were left that are not followed now.
  var left: LeftFiles
  /// How far logs had been read that were emptied since.
  var emptied: [FilePlace] = []
  /// The keys of all files ever followed.
  var keys: Set<String> = []
  var nextID = 0
  var openFiles: [LogFile] = []
  var uses: UInt64 = 0
  let maximumOpenFiles: Int

  // Sources and what is watched for them.
  var states: [SourceState] = []
  var watcher: any FileWatcher = PollingWatcher()
  var folderSources: [String: Set<Int>] = [:]
  var namedSources: [String: Set<Int>] = [:]
  var ancestorSources: [String: Set<Int>] = [:]
  var aliases: [String: [String: Int]] = [:]

  // Work to do: files that just changed, and the backlog of the first scan, newest file last.
  private var urgent: [LogFile] = []
  private var urgentStart = 0
  private var backlog: [LogFile] = []
  /// Files that changed so soon after they were read that they have to wait.
  private var waiting: [LogFile] = []
  private var isStarting = false
  private var isStarted = false
  private var isCaughtUp = false
  private var isEnded = false
  /// Somebody wants to know where reading stands.
  private var isAsked = false
  /// An error came or went since the consumer last caught up.
  var hasNews = false
  /// Bytes accounted for since the last `progress`, streams included.
  var freshBytes = 0
  var bytesRead: Int64 = 0
  var bytesTotal: Int64 = 0

  /// Creates a follower; nothing is opened yet.
  ///
  /// - Parameter places: Where earlier runs stopped. A log of lines that no longer begins and continues
  ///   as one says is read from its first byte; a file that looks as it did then is not opened.
  /// - Parameter remote: A handle made beforehand, if other threads already hold it.
  /// - Throws: `LogError.failed` if the process has no descriptors left.
  public convenience init(
    sources: [LogSource],
    places: [FilePlace] = [],
    options: Options = Options(),
    remote: LogFollowerRemote? = nil
  ) throws(LogError) {
    func make() throws(WatchError) -> any FileWatcher {
      #if os(Linux)
        try InotifyWatcher()
      #else
        PollingWatcher()
      #endif
    }
    let mounts = Mounts()
    try self.init(
      sources: sources,
      places: places,
      options: options,
      remote: remote,
      makeWatcher: make
    ) {
      mounts.isShared(device: $0.identity.device)
    }
  }

  init(
    sources: [LogSource],
    places: [FilePlace],
    options: Options,
    remote: LogFollowerRemote?,
    makeWatcher: @escaping () throws(WatchError) -> any FileWatcher,
    isShared: @escaping (FileStatus) -> Bool = { _ in false }
  ) throws(LogError) {
    if let remote { self.remote = remote } else { self.remote = try LogFollowerRemote() }
    self.sources = sources
    self.options = options
    self.makeWatcher = makeWatcher
    self.isShared = isShared
    buffer = LineBuffer(windowBytes: options.windowBytes)
    left = LeftFiles(places)
    keys = Set(places.map(\.key))
    let allowed = sysconf(Int32(_SC_OPEN_MAX))
    maximumOpenFiles = max(4, min(options.maximumOpenFiles, allowed > 0 ? Int(allowed) / 4 : 256))
    states = sources.map { SourceState($0, restMilliseconds: options.safetyPollMilliseconds) }
  }

  deinit {
    for file in openFiles { close(file.descriptor) }
  }

  /// The files known at present, streams included, in order of discovery.
  public var files: [LogFile] {
    (Array(byIdentity.values) + streams.map(\.file)).sorted { $0.id < $1.id }
  }

  // MARK: - Reading once

  /// Reads everything that is there to its end and returns.
  ///
  /// Sources in their order, the files of a folder sorted by path, so that two scans of the same files
  /// make the same calls. A stream is read until it ends. Use a follower either for this or for
  /// following.
  public func scanOnce(_ consumer: any LogConsumer) {
    self.consumer = consumer
    defer { self.consumer = nil }
    let listing = LogListing(of: sources)
    for error in listing.errors { consumer.failed(error, of: nil) }
    let size = listing.logs.reduce(0) { $0 + $1.size }
    let listed = Set(listing.logs.map(\.identity))
    var next = 0
    func tellProgress(isLast: Bool = false) {
      freshBytes = 0
      consumer.progress(
        LogProgress(
          bytesRead: bytesRead,
          bytesTotal: max(bytesRead, size),
          filesRead: next,
          filesTotal: listing.logs.count,
          isLast: isLast
        )
      )
    }
    func read(_ path: String, _ identity: FileIdentity, _ index: Int) {
      let file = makeFile(path, index, identity, reason: .new)
      let status = left.isEmpty ? nil : try? FileStatus(path: path)
      if !(status.map { resumeUnchanged(file, $0) } ?? false) {
        while visit(file, budget: options.roundBytes) == .more { tellProgress() }
      }
      finish(file, .finished)
    }
    func readRenamed(from path: String, to inode: UInt64?, _ index: Int) {
      if left.isEmpty { return }
      for log in renamedLogs(from: path, to: inode, unless: { listed.contains($1) }) {
        read(log.path, log.identity, index)
      }
    }
    for (index, source) in sources.enumerated() {
      if case .file(let path) = source, listing.errors.contains(.noSuchFile(path: path)) {
        readRenamed(from: path, to: nil, index)
      }
      while next < listing.logs.count && listing.logs[next].source == index && !remote.isStopped {
        let log = listing.logs[next]
        readRenamed(from: log.path, to: log.identity.inode, index)
        read(log.path, log.identity, index)
        next += 1
        if freshBytes >= options.roundBytes { tellProgress() }
      }
      if let stream = stream(for: source, index, waitingForWriter: true) {
        while !remote.isStopped && advance(stream, isFollowing: false) {
          if freshBytes >= options.roundBytes { tellProgress() }
        }
      }
    }
    tellProgress(isLast: true)
    consumer.caughtUp()
  }

  // MARK: - Following

  /// Follows until `remote.stop()` is called. Uses no processor time while nothing changes.
  ///
  /// - Parameter between: is called between two rounds, and says in how many milliseconds it wants to be again,
  ///   even if nothing happens until then; `nil` for no need.
  public func run(
    _ consumer: any LogConsumer, between: () -> Int64? = { nil }
  ) {
    var pause: Int32 = 1
    while !remote.isStopped && !isEnded {
      let begun = monotonicMilliseconds()
      let bytes = step(consumer, timeoutMilliseconds: between())
      // A big round means that we are behind.
      if bytes == 0 || bytes >= 1 << 20 || hasWork { continue }
      // A lone line is delivered at once; a steady stream of small writes is taken in fewer reads.
      let hadToWait = monotonicMilliseconds() - begun > 2
      pause = hadToWait ? 1 : min(2 * pause, options.pauseMilliseconds)
      var bell = pollfd(fd: remote.wakeUp, events: Int16(POLLIN), revents: 0)
      poll(&bell, 1, pause)
    }
  }

  /// Makes `run` return after its present round. The follower's thread only; `remote.stop()` is for others.
  public func end() { isEnded = true }

  /// One round: waits for something to do, at most so long, then does up to `roundBytes` of it.
  ///
  /// - Parameter timeoutMilliseconds: 0 does not wait; `nil` waits until something happens.
  /// - Returns: The bytes accounted for.
  @discardableResult
  public func step(_ consumer: any LogConsumer, timeoutMilliseconds: Int64? = nil) -> Int {
    self.consumer = consumer
    defer { self.consumer = nil }
    let isFirst = !isStarted
    if isFirst {
      isStarted = true
      isStarting = true
      start()
      isStarting = false
      backlog.sort { ($0.modified, $1.id) < ($1.modified, $0.id) }
    }
    // Where there is nothing to read yet, that is told at once.
    let ready = wait(isFirst ? 0 : timeoutMilliseconds)
    handle(watcher.drain())
    lookIfDue()
    let now = monotonicMilliseconds()
    for file in waiting where file.notBefore <= now { enqueue(file) }
    waiting.removeAll { $0.notBefore <= now }

    var left = options.roundBytes
    for stream in ready where left > 0 {
      let before = freshBytes
      if !advance(stream, isFollowing: true) { streams.removeAll { $0 === stream } }
      left -= freshBytes - before
    }
    while left > 0, let (file, isUrgent) = nextFile() {
      let before = freshBytes
      if visit(file, budget: left) == .more { putBack(file, isUrgent: isUrgent) }
      // Opening a file costs about as much as reading a few pages of it.
      left -= freshBytes - before + 16 << 10
    }
    buffer.shrink()

    let bytes = freshBytes
    freshBytes = 0
    let isDone = !hasWork && waiting.isEmpty && !streams.contains(where: \.hasMore)
    isCaughtUp = isCaughtUp && bytes == 0 && !hasNews && !(isAsked && isDone)
    if bytes > 0 || (isAsked && !isDone) {
      consumer.progress(
        LogProgress(
          bytesRead: bytesRead,
          bytesTotal: max(bytesRead, bytesTotal),
          filesRead: byIdentity.count - backlog.count - (urgent.count - urgentStart),
          filesTotal: byIdentity.count,
          isLast: isDone
        )
      )
    }
    (hasNews, isAsked) = (false, false)
    if !isCaughtUp && isDone {
      isCaughtUp = true
      consumer.caughtUp()
    }
    return bytes
  }

  /// Looks at everything again, as the timer would, in the next round.
  public func lookAgain() {
    for index in states.indices where !states[index].isStream { states[index].nextLook = 0 }
  }

  // MARK: - The queue

  /// Whether files wait to be read.
  var hasWork: Bool { urgentStart < urgent.count || !backlog.isEmpty }

  /// Has `file` read in one of the next rounds.
  func enqueue(_ file: LogFile) {
    if file.isQueued { return }
    file.isQueued = true
    if isStarting { backlog.append(file) } else { urgent.append(file) }
  }

  /// Has `file` read when its time has come.
  func postpone(_ file: LogFile) {
    if !waiting.contains(where: { $0 === file }) { waiting.append(file) }
  }

  private func nextFile() -> (LogFile, isUrgent: Bool)? {
    if urgentStart < urgent.count {
      let file = urgent[urgentStart]
      urgentStart += 1
      if urgentStart == urgent.count {
        urgent.removeAll(keepingCapacity: true)
        urgentStart = 0
      }
      file.isQueued = false
      return (file, true)
    }
    guard let file = backlog.popLast() else { return nil }
    file.isQueued = false
    return (file, false)
  }

  /// A rotated file goes first, so that it is read before its successor; other big ones take turns.
  private func putBack(_ file: LogFile, isUrgent: Bool) {
    if file.isQueued { return }
    file.isQueued = true
    if !isUrgent {
      backlog.append(file)
    } else if file.detached != nil && urgentStart > 0 {
      urgentStart -= 1
      urgent[urgentStart] = file
    } else {
      urgent.append(file)
    }
  }

  /// Waits for events, streams, the remote or the next look; returns the streams that can be read.
  private func wait(_ timeoutMilliseconds: Int64?) -> [LogStream] {
    var timeout = timeoutMilliseconds ?? .max
    if let next = states.lazy.map(\.nextLook).min() {
      timeout = min(timeout, max(0, next - monotonicMilliseconds()))
    }
    if let next = waiting.lazy.map(\.notBefore).min() {
      timeout = min(timeout, max(0, next - monotonicMilliseconds()))
    }
    if hasWork || remote.isStopped || isEnded { timeout = 0 }
    var polled = [pollfd(fd: remote.wakeUp, events: Int16(POLLIN), revents: 0)]
    polled += streams.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    polled.append(pollfd(fd: watcher.descriptor, events: Int16(POLLIN), revents: 0))
    let count = poll(&polled, nfds_t(polled.count), Int32(clamping: timeout == .max ? -1 : timeout))
    guard count > 0 else { return [] }
    if polled[0].revents != 0, remote.answer() { isAsked = true }
    return streams.enumerated().compactMap { index, stream in
      polled[index + 1].revents == 0 ? nil : stream
    }
  }
}
