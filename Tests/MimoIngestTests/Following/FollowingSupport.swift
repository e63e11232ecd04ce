import Testing

@testable import MimoIngest

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A folder of its own for one test, deleted with all that is in it when the test ends.
final class TemporaryFolder {
  let path: String

  init() {
    var template = Array("/tmp/mimo-follow-XXXXXX".utf8CString)
    path = String(cString: mkdtemp(&template))
    chmod(path, 0o755)
  }

  deinit { removeTree(path) }

  /// The path of something inside.
  subscript(_ name: String) -> String { path + "/" + name }

  func makeFolder(_ name: String) { #expect(mkdir(self[name], 0o755) == 0) }

  /// Creates the file, or empties it and fills it anew.
  func write(_ name: String, _ text: String) { writeBytes(name, Array(text.utf8)) }

  func writeBytes(_ name: String, _ bytes: [UInt8]) {
    store(bytes, self[name], O_WRONLY | O_CREAT | O_TRUNC)
  }

  func append(_ name: String, _ text: String) {
    store(Array(text.utf8), self[name], O_WRONLY | O_CREAT | O_APPEND)
  }

  func rename(_ from: String, _ to: String) { #expect(renameFile(self[from], self[to]) == 0) }
  func delete(_ name: String) { #expect(unlink(self[name]) == 0) }
  func link(_ name: String, to target: String) { #expect(symlink(target, self[name]) == 0) }
}

func store(_ bytes: [UInt8], _ path: String, _ flags: Int32) {
  let descriptor = open(path, flags, 0o644)
  #expect(descriptor >= 0, "cannot open \(path)")
  writeAll(descriptor, bytes)
  close(descriptor)
}

func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) {
  bytes.withUnsafeBytes { bytes in
    var done = 0
    while done < bytes.count {
      let n = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if n < 0 && errno == EINTR { continue }
      precondition(n > 0, "cannot write")
      done += n
    }
  }
}

/// `rename`, for a type that has a method of that name.
private func renameFile(_ from: String, _ to: String) -> Int32 { rename(from, to) }

private func removeTree(_ path: String) {
  if let stream = opendir(path) {
    while let entry = readdir(stream) {
      let name = entryName(entry)
      if name == "." || name == ".." { continue }
      let child = path + "/" + name
      if (try? FileStatus(path: child, followingLinks: false).kind) == .folder {
        removeTree(child)
      } else {
        unlink(child)
      }
    }
    closedir(stream)
  }
  rmdir(path)
}

/// Keeps everything a follower says, and checks what `LogConsumer` promises about offsets.
final class Recorder: LogConsumer {
  private(set) var lines: [String] = []
  private(set) var events: [String] = []
  private(set) var errors: [LogError] = []
  private(set) var caughtUps = 0
  private(set) var runs = 0
  private(set) var progress: [LogProgress] = []
  private(set) var rests: [(Int64, String)] = []
  private var ends: [Int: Int64] = [:]
  private(set) var resolved: [LogError] = []
  private(set) var recoveries = 0
  var onLine: ((String) -> Void)?
  /// Called between the look at a file and the first read of it, and after each read.
  var onOpened: (() -> Void)?
  var onRun: (() -> Void)?
  var keepsLines = true

  func opened(_ file: LogFile, reason: OpenReason) {
    events.append("opened \(name(file)) \(reason)")
    ends[file.id] = file.bookmark.offset
    onOpened?()
  }

  func consume(lines run: UnsafeRawBufferPointer, of file: LogFile, at offset: Int64) {
    #expect(ends[file.id] != nil, "\(file.path) is consumed before it is opened")
    #expect(offset >= ends[file.id] ?? 0, "\(file.path) overlaps at \(offset)")
    ends[file.id] = offset + Int64(run.count)
    runs += 1
    var splitter = LineSplitter(run)
    while let line = splitter.next() {
      let text = String(decoding: line, as: UTF8.self)
      if keepsLines { lines.append(text) }
      onLine?(text)
    }
    onRun?()
  }

  func unfinished(_ rest: UnsafeRawBufferPointer, of file: LogFile, at offset: Int64) {
    rests.append((offset, String(decoding: rest, as: UTF8.self)))
  }

  func closed(_ file: LogFile, reason: CloseReason) {
    events.append("closed \(name(file)) \(reason)")
  }

  func failed(_ error: LogError, of file: LogFile?) { errors.append(error) }
  func resolved(_ error: LogError) { resolved.append(error) }
  func recovered(_ file: LogFile) { recoveries += 1 }
  func progress(_ progress: LogProgress) { self.progress.append(progress) }
  func caughtUp() { caughtUps += 1 }

  private func name(_ file: LogFile) -> String { split(file.path).name }
}

/// A follower, what it said, and the patience to wait for it without sleeping.
final class Following {
  let follower: LogFollower
  let recorder = Recorder()

  init(
    _ sources: [LogSource],
    bookmarks: [Bookmark] = [],
    options: LogFollower.Options = LogFollower.Options()
  ) throws {
    follower = try LogFollower(
      sources: sources, places: bookmarks.map { FilePlace(bookmark: $0) }, options: options)
    step()
  }

  init(
    _ sources: [LogSource],
    options: LogFollower.Options = LogFollower.Options(),
    isShared: @escaping (FileStatus) -> Bool = { _ in false },
    makeWatcher: @escaping () throws(WatchError) -> any FileWatcher
  ) throws {
    follower = try LogFollower(
      sources: sources,
      places: [],
      options: options,
      remote: nil,
      makeWatcher: makeWatcher,
      isShared: isShared
    )
    step()
  }

  /// A follower whose consumer does something while it is called.
  init(
    _ sources: [LogSource], options: LogFollower.Options, preparing prepare: (Recorder) -> Void
  ) throws {
    follower = try LogFollower(sources: sources, options: options)
    prepare(recorder)
    step()
  }

  var lines: [String] { recorder.lines }
  var events: [String] { recorder.events }

  /// Does all there is to do now, without waiting.
  func step() {
    repeat { follower.step(recorder, timeoutMilliseconds: 0) } while follower.hasWork
  }

  /// Does all there is to do, whether or not an event told of it.
  func stepLookingAtEverything() {
    step()
    follower.lookAgain()
    step()
    step()
  }

  /// Steps until `condition` holds; a failure after ten seconds.
  func wait(
    _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    until condition: () -> Bool
  ) {
    let deadline = monotonicMilliseconds() + 10_000
    while !condition() {
      guard monotonicMilliseconds() < deadline else {
        Issue.record(
          "waited in vain until \(what); lines \(lines.suffix(5)), events \(events.suffix(8))",
          sourceLocation: sourceLocation
        )
        return
      }
      follower.step(recorder, timeoutMilliseconds: 50)
    }
  }

  func wait(lines count: Int, sourceLocation: SourceLocation = #_sourceLocation) {
    wait("\(count) lines", sourceLocation: sourceLocation) { lines.count >= count }
  }
}

/// Reads sources once and returns what was said.
func scan(
  _ sources: [LogSource],
  bookmarks: [Bookmark] = [],
  options: LogFollower.Options = LogFollower.Options()
) throws -> Recorder {
  let recorder = Recorder()
  try LogFollower(
    sources: sources, places: bookmarks.map { FilePlace(bookmark: $0) }, options: options
  ).scanOnce(recorder)
  return recorder
}

/// A thread that runs `body`, to be joined.
final class TestThread {
  private var thread = pthread_t()
  private final class Box {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  init(_ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(Box(body))
    let result = pthread_create(
      &thread,
      nil,
      { argument in
        Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
        return nil
      },
      box.toOpaque()
    )
    precondition(result == 0)
  }

  func join() { pthread_join(thread, nil) }
}
