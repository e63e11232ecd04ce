import Testing

@testable import MimoIngest

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Both ways of noticing changes: events with a safety net far away, and a timer that is always due.
let bothWays: [LogFollower.Options] = {
  var events = LogFollower.Options()
  events.safetyPollMilliseconds = 3_600_000
  var polling = LogFollower.Options()
  polling.watching = .polling
  polling.pollMilliseconds = 0
  return [events, polling]
}()

@Suite struct LogFollowerTests {
  // MARK: - Once

  @Test func `a scan reads the files of a folder by path and its unfinished rests`() throws {
    let folder = TemporaryFolder()
    folder.makeFolder("b")
    folder.write("b/2.jsonl", "{\"n\":2}\n{\"n\":")
    folder.write("a.jsonl", "{\"n\":1}\n")
    folder.write("c.jsonl", "{\"n\":3}")
    folder.write("c.txt", "not this\n")
    let recorder = try scan([.folder(folder.path + "//", suffixes: [".jsonl"])])
    #expect(recorder.lines == ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"])
    #expect(recorder.rests.map(\.0) == [8])
    #expect(recorder.rests.map(\.1) == ["{\"n\":"])
    #expect(
      recorder.events == [
        "opened a.jsonl new", "closed a.jsonl finished", "opened 2.jsonl new",
        "closed 2.jsonl finished", "opened c.jsonl new", "closed c.jsonl finished",
      ]
    )
    #expect(recorder.caughtUps == 1)
    #expect(
      recorder.progress.last
        == LogProgress(bytesRead: 23, bytesTotal: 28, filesRead: 3, filesTotal: 3, isLast: true)
    )
  }

  @Test func `a scan names what is missing and reads the rest`() throws {
    let folder = TemporaryFolder()
    folder.write("a", "1\n")
    let missing = folder["missing"]
    let recorder = try scan([
      .file(missing), .folder(folder["nowhere"], suffixes: []), .file(folder.path),
      .file(folder["a"]),
    ])
    #expect(recorder.lines == ["1"])
    #expect(
      recorder.errors.map(\.description) == [
        "\(missing): no such file", "\(folder["nowhere"]): no such file",
        "\(folder.path): is a folder, not a log file",
      ]
    )
  }

  @Test func `a file reached in several ways is read once`() throws {
    let folder = TemporaryFolder()
    folder.write("a.jsonl", "1\n")
    #expect(link(folder["a.jsonl"], folder["hard.jsonl"]) == 0)
    folder.link("soft.jsonl", to: "a.jsonl")
    folder.makeFolder("sub")
    folder.link("sub/up", to: "..")
    let sources = [
      LogSource.folder(folder.path, suffixes: [".jsonl"]), .file(folder["a.jsonl"]),
    ]
    #expect(try scan(sources).lines == ["1"])
    let following = try Following(sources)
    #expect(following.lines == ["1"])
    folder.append("hard.jsonl", "2\n")
    following.stepLookingAtEverything()
    #expect(following.lines == ["1", "2"])
  }

  @Test func `pipes, sockets, compressed and hidden files in a folder are passed by`() throws {
    let folder = TemporaryFolder()
    folder.write("app", "1\n")
    for name in ["app.tar.gz", "app.bz2", "app.db-wal", "app.db-shm", ".hidden", "app~"] {
      folder.write(name, "no\n")
    }
    folder.makeFolder(".git")
    folder.write(".git/config", "no\n")
    #expect(mkfifo(folder["fifo"], 0o644) == 0)
    folder.link("null", to: "/dev/null")
    folder.link("dangling", to: "nowhere")
    folder.link("circle", to: "circle")
    let recorder = try scan([.folder(folder.path, suffixes: [])])
    #expect(recorder.lines == ["1"])
    #expect(recorder.errors == [])
    #expect(try Following([.folder(folder.path, suffixes: [])]).lines == ["1"])
  }

  // MARK: - Growth

  @Test(arguments: bothWays)
  func `an unfinished last line is kept until it is complete`(options: LogFollower.Options) throws {
    let folder = TemporaryFolder()
    folder.write("log", "one\ntw")
    let following = try Following([.file(folder["log"])], options: options)
    #expect(following.lines == ["one"])
    folder.append("log", "o\nthr")
    following.wait(lines: 2)
    folder.append("log", "ee\n{\"four\":")
    following.wait(lines: 3)
    folder.append("log", "4}")
    following.wait(lines: 4)
    folder.append("log", "\n{\"five\":5}\n")
    following.wait(lines: 5)
    following.stepLookingAtEverything()
    #expect(following.lines == ["one", "two", "three", "{\"four\":4}", "{\"five\":5}"])
  }

  @Test func `a writer that pauses inside a character or a number is waited for`() throws {
    let folder = TemporaryFolder()
    let following = try Following([.file(folder["log"])])
    let line = Array("{\"é\":12345}\n".utf8)
    for byte in line {
      store([byte], folder["log"], O_WRONLY | O_CREAT | O_APPEND)
      following.step()
    }
    #expect(following.lines == ["{\"é\":12345}"])
  }

  @Test func `carriage returns, invalid UTF-8, NULs and a byte-order mark lose no line`() throws {
    let folder = TemporaryFolder()
    folder.writeBytes(
      "log",
      [0xEF, 0xBB, 0xBF] + Array("bom\r\n\0\0\0hole\n".utf8) + [0xFF, 0xC3, 0x28, 0x0A]
        + Array("end\n".utf8)
    )
    let following = try Following([.file(folder["log"])])
    #expect(following.lines == ["bom", "hole", "\u{FFFD}\u{FFFD}(", "end"])
  }

  @Test(arguments: [1 << 20, 4096])
  func `a line of many megabytes arrives whole, in pieces or at once`(windowBytes: Int) throws {
    let folder = TemporaryFolder()
    var options = LogFollower.Options()
    options.windowBytes = windowBytes
    let following = try Following([.file(folder["log"])], options: options)
    let piece = String(repeating: "0123456789abcdef", count: 20_000)
    folder.append("log", "{\"short\":1}\n{\"long\":\"")
    for _ in 0..<16 {
      folder.append("log", piece)
      following.step()
    }
    #expect(following.lines.count == 1)
    // No newline yet: the object is complete all the same.
    folder.append("log", "\"}")
    following.step()
    following.wait(lines: 2)
    #expect(following.lines.last?.utf8.count == 16 * 320_000 + 11)
    folder.append("log", "\n{\"again\":\"" + piece + piece + piece + piece + "\"}\n{\"short\":2}\n")
    following.wait(lines: 4)
    #expect(following.lines[2].utf8.count == 4 * 320_000 + 12)
    #expect(following.lines[3] == "{\"short\":2}")
  }

  @Test func `a line over the limit is named and passed over`() throws {
    let folder = TemporaryFolder()
    var options = LogFollower.Options()
    options.windowBytes = 4096
    options.maximumLineBytes = 100_000
    folder.write("log", "one\n" + String(repeating: "x", count: 200_000))
    let following = try Following([.file(folder["log"])], options: options)
    #expect(following.lines == ["one"])
    folder.append("log", "\ntwo\n")
    following.wait(lines: 2)
    let expected = LogError.lineTooLong(
      path: folder["log"],
      offset: 4,
      length: 200_001,
      limit: 100_000
    )
    #expect(following.recorder.errors == [expected])
  }

  @Test func `many writers appending to one file`() throws {
    let folder = TemporaryFolder()
    let path = folder["log"]
    let following = try Following([.file(path)])
    let writers = (0..<4).map { writer in
      TestThread {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        for i in 0..<5000 { writeAll(descriptor, Array("{\"w\":\(writer),\"i\":\(i)}\n".utf8)) }
        close(descriptor)
      }
    }
    following.wait(lines: 20_000)
    writers.forEach { $0.join() }
    following.stepLookingAtEverything()
    #expect(following.lines.count == 20_000)
    #expect(Set(following.lines).count == 20_000)
    for writer in 0..<4 {
      let own = following.lines.filter { $0.hasPrefix("{\"w\":\(writer),") }
      #expect(own == (0..<5000).map { "{\"w\":\(writer),\"i\":\($0)}" })
    }
  }

  // MARK: - Files that come, go and cannot be read

  @Test(arguments: bothWays)
  func `a file that appears later is read then`(options: LogFollower.Options) throws {
    let folder = TemporaryFolder()
    let path = folder["deep/er/log"]
    let following = try Following([.file(path)], options: options)
    #expect(following.recorder.errors == [.waitingFor(path: path)])
    #expect(following.recorder.caughtUps == 1)
    folder.makeFolder("deep")
    following.step()
    folder.makeFolder("deep/er")
    following.step()
    folder.write("deep/er/log", "1\n")
    following.wait(lines: 1)
    folder.append("deep/er/log", "2\n")
    following.wait(lines: 2)
    #expect(following.recorder.errors.count == 1)
    #expect(following.events == ["opened log new"])
  }

  @Test(arguments: bothWays)
  func `new files and folders are found, those of a new folder too`(options: LogFollower.Options)
    throws
  {
    let folder = TemporaryFolder()
    let following = try Following(
      [.folder(folder["logs"], suffixes: [".jsonl"])],
      options: options
    )
    #expect(following.recorder.errors == [.waitingFor(path: folder["logs"])])
    folder.makeFolder("logs")
    following.step()
    folder.write("logs/a.jsonl", "1\n")
    following.wait(lines: 1)
    folder.makeFolder("logs/sub")
    folder.makeFolder("logs/sub/sub")
    folder.write("logs/sub/sub/b.jsonl", "2\n")
    following.wait(lines: 2)
    folder.append("logs/sub/sub/b.jsonl", "3\n")
    following.wait(lines: 3)
    // A whole tree is moved in.
    folder.makeFolder("other")
    folder.makeFolder("other/sub")
    folder.write("other/sub/c.jsonl", "4\n")
    folder.rename("other", "logs/other")
    following.wait(lines: 4)
    folder.append("logs/other/sub/c.jsonl", "5\n")
    following.wait(lines: 5)
    following.stepLookingAtEverything()
    #expect(following.lines == ["1", "2", "3", "4", "5"])
  }

  @Test(arguments: bothWays)
  func `a folder deleted and made anew is followed again`(options: LogFollower.Options) throws {
    let folder = TemporaryFolder()
    folder.makeFolder("logs")
    folder.write("logs/a.jsonl", "1\n")
    let following = try Following(
      [.folder(folder["logs"], suffixes: [".jsonl"])],
      options: options
    )
    folder.delete("logs/a.jsonl")
    #expect(rmdir(folder["logs"]) == 0)
    following.step()
    folder.makeFolder("logs")
    folder.write("logs/a.jsonl", "2\n")
    following.wait(lines: 2)
    folder.append("logs/a.jsonl", "3\n")
    following.wait(lines: 3)
    following.stepLookingAtEverything()
    #expect(following.lines == ["1", "2", "3"])
  }

  @Test(arguments: bothWays)
  func `a file without permission is named once, and read when it is granted`(
    options: LogFollower.Options
  ) throws {
    let folder = TemporaryFolder()
    folder.write("a.jsonl", "1\n")
    folder.write("secret.jsonl", "2\n")
    #expect(chmod(folder["secret.jsonl"], 0) == 0)
    try withoutPrivileges {
      guard open(folder["secret.jsonl"], O_RDONLY) < 0 else { return }
      let following = try Following(
        [.folder(folder.path, suffixes: [".jsonl"])],
        options: options
      )
      following.stepLookingAtEverything()
      #expect(following.lines == ["1"])
      #expect(following.recorder.errors == [.permissionDenied(path: folder["secret.jsonl"])])
      withPrivileges { #expect(chmod(folder["secret.jsonl"], 0o644) == 0) }
      following.wait(lines: 2)
      #expect(following.lines == ["1", "2"])
      #expect(following.follower.files.allSatisfy { $0.error == nil })
    }
  }

  @Test(arguments: bothWays)
  func `a followed file that loses its permissions loses no line, and says so once`(
    options: LogFollower.Options
  ) throws {
    let folder = TemporaryFolder()
    var options = options
    options.maximumOpenFiles = 4
    for i in 0..<8 { folder.write("\(i).jsonl", "{\"n\":\(i)}\n") }
    // The others make room for themselves: this one has to be opened again.
    let name = "0.jsonl"
    try withoutPrivileges {
      let following = try Following(
        [.folder(folder.path, suffixes: [".jsonl"])], options: options)
      let file = try #require(following.follower.byPath[folder[name]])
      following.follower.release(file)
      withPrivileges {
        folder.append(name, "{\"late\":1}\n")
        #expect(chmod(folder[name], 0) == 0)
      }
      guard open(folder[name], O_RDONLY) < 0 else { return }
      following.wait("the message") { !following.recorder.errors.isEmpty }
      withPrivileges { folder.append(name, "{\"late\":2}\n") }
      following.stepLookingAtEverything()
      #expect(following.recorder.errors == [.permissionDenied(path: folder[name])])
      #expect(following.lines.count == 8)
      withPrivileges { #expect(chmod(folder[name], 0o644) == 0) }
      following.wait(lines: 10)
      following.stepLookingAtEverything()
      #expect(following.lines.suffix(2) == ["{\"late\":1}", "{\"late\":2}"])
      #expect(following.lines.count == 10)
      #expect(following.recorder.recoveries == 1)
      #expect(file.error == nil)
    }
  }

  @Test(arguments: bothWays)
  func `an open file whose permissions are taken away is read on`(options: LogFollower.Options)
    throws
  {
    let folder = TemporaryFolder()
    folder.write("log", "1\n")
    try withoutPrivileges {
      let following = try Following([.file(folder["log"])], options: options)
      withPrivileges {
        #expect(chmod(folder["log"], 0) == 0)
        folder.append("log", "2\n")
      }
      following.wait(lines: 2)
      withPrivileges {
        #expect(chmod(folder["log"], 0o644) == 0)
        folder.append("log", "3\n")
      }
      following.wait(lines: 3)
      following.stepLookingAtEverything()
      #expect(following.lines == ["1", "2", "3"])
    }
  }

  // MARK: - Times

  @Test(arguments: bothWays)
  func `a file that grows between the look at it and the read is neither lost nor doubled`(
    options: LogFollower.Options
  ) throws {
    let folder = TemporaryFolder()
    folder.write("log", "1\n")
    var written = 1
    func grow(to most: Int) {
      guard written < most else { return }
      written += 1
      folder.append("log", "\(written)\n")
    }
    let following = try Following([.file(folder["log"])], options: options) { recorder in
      recorder.onOpened = { grow(to: 5) }
      recorder.onRun = { grow(to: 5) }
    }
    following.wait(lines: 5)
    following.stepLookingAtEverything()
    #expect(following.lines == ["1", "2", "3", "4", "5"])
    let file = following.follower.files[0]
    #expect(file.bookmark.offset == 10)
    folder.append("log", "6\nunfinished")
    following.wait(lines: 6)
    following.stepLookingAtEverything()
    #expect(file.bookmark.offset == 12, "the offset stays before what is not finished")
  }

  @Test(arguments: bothWays)
  func `clocks that jump change nothing`(options: LogFollower.Options) throws {
    let folder = TemporaryFolder()
    folder.write("log", "1\n")
    folder.write("other", "a\n")
    let following = try Following(
      [.file(folder["log"]), .file(folder["other"])], options: options)
    // Years ahead, long ago, and where it was.
    for (number, second) in [4_000_000_000, 1, 0, 1_700_000_000, 1_700_000_000].enumerated() {
      folder.append("log", "\(number + 2)\n")
      let time = timespec(tv_sec: second, tv_nsec: 0)
      #expect(utimensat(AT_FDCWD, folder["log"], [time, time], 0) == 0)
      following.wait(lines: number + 3)
    }
    following.stepLookingAtEverything()
    #expect(following.lines.filter { $0 != "a" } == ["1", "2", "3", "4", "5", "6"])
    #expect(following.lines.count == 7)
  }

  @Test func `looking in vain is done less and less often`() throws {
    let folder = TemporaryFolder()
    folder.write("log", "1\n")
    var options = LogFollower.Options()
    options.safetyPollMilliseconds = 1000
    options.longestSafetyPollMilliseconds = 5000
    let following = try Following([.file(folder["log"])], options: options) {
      () throws(WatchError) in SilentWatcher()
    }
    var rests: [Int64] = []
    for _ in 0..<4 {
      following.stepLookingAtEverything()
      rests.append(following.follower.states[0].restMilliseconds)
    }
    #expect(rests == [2000, 4000, 5000, 5000])
    // A change that no event told of.
    folder.append("log", "2\n")
    following.stepLookingAtEverything()
    #expect(following.lines.count == 2)
    #expect(following.follower.states[0].restMilliseconds == 1000)
  }

  /// Has a descriptor, so that events are waited for; none ever come.
  private final class SilentWatcher: FileWatcher {
    let descriptor: Int32 = 1 << 20
    let folderCount = 0
    func watch(_ folder: String, namesOnly: Bool) throws(WatchError) {}
    func drain() -> [FileEvent] { [] }
  }

  @Test func `a folder without permission is named once and the rest goes on`() throws {
    let folder = TemporaryFolder()
    folder.write("a.jsonl", "1\n")
    folder.makeFolder("closed")
    folder.write("closed/b.jsonl", "2\n")
    #expect(chmod(folder["closed"], 0) == 0)
    try withoutPrivileges {
      guard opendir(folder["closed"]) == nil else { return }
      let following = try Following([.folder(folder.path, suffixes: [".jsonl"])])
      following.stepLookingAtEverything()
      #expect(following.lines == ["1"])
      #expect(following.recorder.errors == [.permissionDenied(path: folder["closed"])])
      withPrivileges { #expect(chmod(folder["closed"], 0o755) == 0) }
      following.wait(lines: 2)
    }
    chmod(folder["closed"], 0o755)
  }

  @Test func `thousands of files are read and followed with few descriptors`() throws {
    let folder = TemporaryFolder()
    for i in 0..<20 { folder.makeFolder("\(i)") }
    for i in 0..<2000 { folder.write("\(i % 20)/\(i).jsonl", "{\"n\":\(i)}\n") }
    var options = LogFollower.Options()
    options.maximumOpenFiles = 16
    let following = try Following(
      [.folder(folder.path, suffixes: [".jsonl"])],
      options: options
    )
    #expect(following.lines.count == 2000)
    #expect(following.follower.openFiles.count <= 16)
    for i in 0..<2000 { folder.append("\(i % 20)/\(i).jsonl", "{\"more\":\(i)}\n") }
    following.wait(lines: 4000)
    following.stepLookingAtEverything()
    #expect(Set(following.lines).count == 4000)
    #expect(following.lines.count == 4000)
    #expect(following.recorder.progress.last?.filesTotal == 2000)
    #expect(following.recorder.progress.last?.filesRead == 2000)
  }

  @Test func `the newest files are read first, and rounds are bounded`() throws {
    let folder = TemporaryFolder()
    let line = "{\"" + String(repeating: "x", count: 1000) + "\":1}\n"
    for name in ["old", "new", "middle"] {
      folder.write(name, "\(name)\n" + String(repeating: line, count: 300))
    }
    for (name, seconds) in [("old", 100), ("middle", 200), ("new", 300)] {
      let time = timespec(tv_sec: seconds, tv_nsec: 0)
      #expect(utimensat(AT_FDCWD, folder[name], [time, time], 0) == 0)
    }
    var options = LogFollower.Options()
    options.roundBytes = 100_000
    options.windowBytes = 50_000
    let follower = try LogFollower(
      sources: [.folder(folder.path, suffixes: [])],
      options: options
    )
    let recorder = Recorder()
    while recorder.caughtUps == 0 {
      let bytes = follower.step(recorder, timeoutMilliseconds: 0)
      #expect(bytes <= 150_000)
    }
    #expect(recorder.lines.filter { !$0.hasPrefix("{") } == ["new", "middle", "old"])
    #expect(recorder.progress.count >= 6)
    #expect(recorder.progress.last?.bytesRead == recorder.progress.last?.bytesTotal)
  }

  // MARK: - Other threads

  @Test func `who asks is told where reading stands, once what is there was read`() throws {
    let folder = TemporaryFolder()
    folder.write("log", "1\n")
    let following = try Following([.file(folder["log"])])
    #expect(following.recorder.caughtUps == 1)
    following.step()
    #expect(following.recorder.caughtUps == 1)
    following.follower.remote.ask()
    following.step()
    #expect(following.recorder.caughtUps == 2)
    var linesWhenTold: [Int] = []
    following.recorder.onRun = { linesWhenTold.append(following.recorder.caughtUps) }
    folder.append("log", "2\n")
    following.follower.remote.ask()
    following.step()
    #expect(following.recorder.caughtUps == 3)
    #expect(linesWhenTold == [2], "the line came before the answer")
  }

  @Test func `other threads stop a follower and have work done on its thread`() throws {
    let folder = TemporaryFolder()
    folder.write("log", "1\n")
    let remote = try LogFollowerRemote()
    let path = folder["log"]
    final class Flags: @unchecked Sendable {
      var answered = false
      var lines: [String] = []
    }
    let flags = Flags()
    let thread = TestThread {
      let recorder = Recorder()
      try? LogFollower(sources: [.file(path)], remote: remote).run(recorder)
      flags.lines = recorder.lines
    }
    remote.post {
      flags.answered = true
      remote.stop()
    }
    thread.join()
    #expect(flags.answered)
    #expect(remote.isStopped)
  }
}

// MARK: - Privileges

/// Tests often run as root, whom no permission stops. Linux lets a thread look at files as somebody
/// else, which is enough here; elsewhere these tests see that nothing is forbidden and return.
#if os(Linux)
  @_silgen_name("setfsuid") private func setfsuid(_ user: UInt32) -> Int32
#else
  private func setfsuid(_ user: UInt32) -> Int32 { 0 }
#endif

private func withoutPrivileges(_ body: () throws -> Void) rethrows {
  guard geteuid() == 0 else { return try body() }
  _ = setfsuid(65534)
  defer { _ = setfsuid(0) }
  try body()
}

private func withPrivileges(_ body: () -> Void) {
  guard geteuid() == 0 else { return body() }
  _ = setfsuid(0)
  body()
  _ = setfsuid(65534)
}
