import Testing

@testable import MimoIngest

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite struct FileWatcherTests {
  /// A watcher under control of the test.
  private final class FakeWatcher: FileWatcher {
    var events: [FileEvent] = []
    var limit: Int
    private(set) var folders: Set<String> = []
    var folderCount: Int { folders.count }
    let descriptor: Int32

    init(limit: Int = .max, descriptor: Int32 = 1 << 20) {
      self.limit = limit
      self.descriptor = descriptor
    }

    func watch(_ folder: String, namesOnly: Bool) throws(WatchError) {
      if folders.count >= limit { throw .exhausted(reason: "no watch left") }
      folders.insert(folder)
    }

    func drain() -> [FileEvent] {
      defer { events = [] }
      return events
    }
  }

  @Test func `with no watches left the files are looked at on a timer, and it says so`() throws {
    let folder = TemporaryFolder()
    for i in 0..<5 {
      folder.makeFolder("\(i)")
      folder.write("\(i)/log", "\(i)\n")
    }
    var options = LogFollower.Options()
    options.pollMilliseconds = 0
    let following = try Following([.folder(folder.path, suffixes: [])], options: options) {
      () throws(WatchError) in FakeWatcher(limit: 4)
    }
    #expect(following.lines.count == 5)
    let errors = following.recorder.errors.map(\.description)
    #expect(errors == ["no watch left; looking at the files on a timer instead"])
    for i in 0..<5 { folder.append("\(i)/log", "more \(i)\n") }
    folder.makeFolder("new")
    folder.write("new/log", "new\n")
    following.wait(lines: 11)
    #expect(following.recorder.errors.count == 1)
  }

  @Test func `without a watcher at all the files are looked at on a timer`() throws {
    let folder = TemporaryFolder()
    folder.write("log", "1\n")
    var options = LogFollower.Options()
    options.pollMilliseconds = 0
    let following = try Following([.file(folder["log"])], options: options) {
      () throws(WatchError) in throw .exhausted(reason: "no events here")
    }
    folder.append("log", "2\n")
    following.wait(lines: 2)
    #expect(following.recorder.errors == [.noEvents(reason: "no events here")])
  }

  @Test func `lost events are made up for by looking at everything`() throws {
    let folder = TemporaryFolder()
    folder.makeFolder("a")
    folder.write("a/log", "1\n")
    let watcher = FakeWatcher()
    var options = LogFollower.Options()
    options.safetyPollMilliseconds = 3_600_000
    let following = try Following([.folder(folder.path, suffixes: [])], options: options) {
      () throws(WatchError) in watcher
    }
    folder.append("a/log", "2\n")
    folder.makeFolder("b")
    folder.write("b/log", "3\n")
    following.step()
    #expect(following.lines == ["1"])
    watcher.events = [.overflow]
    following.wait(lines: 3)
    #expect(watcher.folders.contains(folder["b"]))
  }

  @Test func `what never has events is looked at more often, and it says so`() throws {
    let folder = TemporaryFolder()
    folder.write("log", "0\n")
    var options = LogFollower.Options()
    options.pollMilliseconds = 0
    options.safetyPollMilliseconds = 3_600_000
    let following = try Following([.file(folder["log"])], options: options) {
      () throws(WatchError) in FakeWatcher()
    }
    for i in 1...2 {
      folder.append("log", "\(i)\n")
      following.step()
      #expect(following.lines.count == i)
      following.stepLookingAtEverything()
      #expect(following.lines.count == i + 1)
    }
    folder.append("log", "3\n")
    following.wait(lines: 4)
    #expect(following.recorder.errors.count == 1)
  }

  @Test func `a network file system is looked at on a timer from the start, and it says so`() throws
  {
    let folder = TemporaryFolder()
    folder.write("log", "1\n")
    var options = LogFollower.Options()
    options.pollMilliseconds = 0
    options.safetyPollMilliseconds = 3_600_000
    let path = folder["later/log"]
    let following = try Following(
      [.file(folder["log"]), .file(path)], options: options, isShared: { _ in true }
    ) { () throws(WatchError) in FakeWatcher() }
    let reason = "other machines may write there unseen"
    let expected: [LogError] = [
      .noEvents(reason: "\(folder["log"]): \(reason)"), .waitingFor(path: path),
      .noEvents(reason: "\(path): \(reason)"),
    ]
    #expect(following.recorder.errors == expected)
    folder.append("log", "2\n")
    folder.makeFolder("later")
    folder.write("later/log", "3\n")
    following.wait(lines: 3)
    #expect(following.recorder.errors == expected)
    #expect(
      following.recorder.resolved == [.waitingFor(path: path)], "how it is followed stays said")
  }

  @Test func `a line of the mount table tells what kind of file system a device has`() {
    let table = MountTable(
      """
      22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
      97 22 0:52 / /mnt/team rw,relatime shared:50 master:3 - nfs4 10.0.0.1:/team rw,vers=4.2
      98 22 0:300 / /mnt/far rw - fuse.sshfs ana@far: rw
      99 22 8:17 / /mnt/usb rw - fuseblk /dev/sdb1 rw
      nonsense
      100 22 0:x / /a rw
      """)
    #expect(!table.isShared(device: 259 << 8 | 2))
    #expect(table.isShared(device: 52))
    #expect(table.isShared(device: 300 & 0xff | (300 & ~0xff) << 12))
    #expect(!table.isShared(device: 8 << 8 | 17))
    #expect(!table.isShared(device: 4711))
  }

  #if os(Linux)
    @Test func `where the logs of this test are the system tells of changes`() throws {
      let folder = TemporaryFolder()
      folder.makeFolder("a")
      folder.write("a/log", "1\n")
      let status = try FileStatus(path: folder.path)
      if MountTable.current.isShared(device: status.identity.device) { return }
      let trial = WatchTrial(of: [.folder(folder.path, suffixes: []), .file(folder["b/log"])])
      #expect(trial.problems == [])
      #expect(trial.folders >= 3, "the folder, the one in it, and the one above")
    }

    @Test func `a folder's files are told of by one watch`() throws {
      let folder = TemporaryFolder()
      folder.write("a", "1\n")
      let watcher = try InotifyWatcher()
      try watcher.watch(folder.path, namesOnly: false)
      try watcher.watch(folder.path, namesOnly: false)
      #expect(watcher.drain() == [])
      folder.append("a", "2\n")
      folder.append("a", "3\n")
      let here = folder.path
      #expect(watcher.drain() == [.touched(folder: here, name: "a", isFolder: false)])
      folder.rename("a", "b")
      #expect(
        watcher.drain() == [
          .gone(folder: here, name: "a", isFolder: false),
          .renamed(from: folder["a"], to: folder["b"]),
          .touched(folder: here, name: "b", isFolder: false),
        ]
      )
      folder.delete("b")
      #expect(watcher.drain() == [.gone(folder: here, name: "b", isFolder: false)])
    }

    @Test func `a folder that goes away is told of and can be watched again`() throws {
      let folder = TemporaryFolder()
      folder.makeFolder("sub")
      let watcher = try InotifyWatcher()
      try watcher.watch(folder["sub"], namesOnly: false)
      folder.rename("sub", "other")
      #expect((watcher.drain() + watcher.drain()).contains(.folderGone(folder["sub"])))
      folder.makeFolder("sub")
      try watcher.watch(folder["sub"], namesOnly: false)
      folder.write("sub/a", "")
      #expect(watcher.drain().contains(.touched(folder: folder["sub"], name: "a", isFolder: false)))
      #expect(throws: WatchError.self) { try watcher.watch(folder["nowhere"], namesOnly: false) }
    }

    @Test func `more events than the system keeps lose no line`() throws {
      let folder = TemporaryFolder()
      let following = try Following([.folder(folder.path, suffixes: [])], options: bothWays[0])
      // Alternating, because the system merges an event with an equal one right before it.
      let writers = ["a", "b"].map { open(folder[$0], O_WRONLY | O_CREAT | O_APPEND, 0o644) }
      for i in 0..<12_000 { for writer in writers { writeAll(writer, Array("\(i)\n".utf8)) } }
      folder.makeFolder("late")
      folder.write("late/c", "last\n")
      writers.forEach { close($0) }
      following.wait(lines: 24_001)
      following.stepLookingAtEverything()
      #expect(following.lines.count == 24_001)
    }
  #endif
}
