import MimoEngine
import Synchronization
import Testing

@testable import MimoIngest

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// All the ways in which a path can come to mean other bytes.
@Suite struct RotationTests {
  @Test(arguments: bothWays)
  func `a renamed file is read to its end, late lines too, and the new one from its start`(
    options: LogFollower.Options
  ) throws {
    let folder = TemporaryFolder()
    folder.write("log", "1\n")
    let following = try Following([.file(folder["log"])], options: options)
    let writer = open(folder["log"], O_WRONLY | O_APPEND)
    defer { close(writer) }
    folder.append("log", "2\n")
    folder.rename("log", "log.1")
    writeAll(writer, Array("3\n".utf8))
    folder.write("log", "4\n")
    following.wait(lines: 4)
    writeAll(writer, Array("5\n".utf8))
    following.wait(lines: 5)
    folder.append("log", "6\n")
    following.wait(lines: 6)
    following.stepLookingAtEverything()
    #expect(following.lines == ["1", "2", "3", "4", "5", "6"])
    #expect(following.events == ["opened log new", "opened log replaced"])
    #expect(following.follower.files.map(\.restarts) == [0, 1])
  }

  @Test func `a rotated file is closed when it has been quiet, and its rest reported`() throws {
    let folder = TemporaryFolder()
    var options = bothWays[1]
    options.quietMilliseconds = 0
    folder.write("log", "1\nunfin")
    let following = try Following([.file(folder["log"])], options: options)
    folder.rename("log", "log.1")
    folder.write("log", "2\n")
    following.wait("the old file is closed") { following.events.contains("closed log replaced") }
    #expect(following.recorder.rests.map(\.1) == ["unfin"])
    #expect(following.lines == ["1", "2"])
    #expect(following.follower.files.count == 1)
    folder.delete("log")
    following.wait("the file is closed") { following.events.contains("closed log removed") }
    #expect(following.follower.openFiles.isEmpty)
  }

  @Test(arguments: bothWays)
  func `copy and truncate, smaller and already longer`(options: LogFollower.Options) throws {
    let folder = TemporaryFolder()
    folder.write("log", "{\"old\":1}\n{\"old\":2}\n")
    let following = try Following([.file(folder["log"])], options: options)
    folder.write("log", "{\"new\":1}\n")
    following.wait(lines: 3)
    folder.write("log", (0..<500).map { "{\"newer\":\($0)}\n" }.joined())
    following.wait(lines: 503)
    #expect(following.lines.suffix(500).first == "{\"newer\":0}")
    #expect(
      following.events == ["opened log new", "opened log truncated", "opened log replaced"]
    )
    #expect(following.follower.files.map(\.restarts) == [2])
  }

  @Test func `lines written before a copy and truncate are found in the copy`() throws {
    let folder = TemporaryFolder()
    folder.write("app.log", "1\n2\n")
    let following = try Following([.file(folder["app.log"])])
    folder.append("app.log", "3\n4\n")
    folder.write("app.log.1", "1\n2\n3\n4\n")
    folder.write("app.log", "5\n")
    following.wait(lines: 5)
    following.stepLookingAtEverything()
    #expect(following.lines == ["1", "2", "3", "4", "5"])
  }

  @Test func `truncation to nothing and to the middle`() throws {
    let folder = TemporaryFolder()
    folder.write("log", "1\n2\n3\n")
    let following = try Following([.file(folder["log"])])
    #expect(truncate(folder["log"], 0) == 0)
    following.step()
    folder.append("log", "4\n5\n6\n")
    following.wait(lines: 6)
    #expect(following.lines == ["1", "2", "3", "4", "5", "6"])
    // What survives is delivered again, and the consumer is told so.
    #expect(truncate(folder["log"], 2) == 0)
    folder.append("log", "7\n")
    following.wait(lines: 8)
    #expect(following.lines.suffix(2) == ["4", "7"])
    #expect(following.events.last == "opened log truncated")
  }

  @Test func `truncation inside the unfinished line`() throws {
    let folder = TemporaryFolder()
    var options = LogFollower.Options()
    options.windowBytes = 1024
    folder.write("log", "1\n" + String(repeating: "x", count: 5000))
    let following = try Following([.file(folder["log"])], options: options)
    #expect(truncate(folder["log"], 2) == 0)
    following.step()
    folder.append("log", "2\n")
    following.wait(lines: 2)
    #expect(following.lines == ["1", "2"])
    #expect(following.events == ["opened log new"])
  }

  @Test func `a writer that keeps its place leaves a hole, and loses no line behind it`() throws {
    let folder = TemporaryFolder()
    let writer = open(folder["log"], O_WRONLY | O_CREAT, 0o644)
    defer { close(writer) }
    writeAll(writer, Array("{\"a\":1}\n{\"b\":2}\n".utf8))
    let following = try Following([.file(folder["log"])])
    ftruncate(writer, 0)
    writeAll(writer, Array("{\"c\":3}\n".utf8))
    following.wait(lines: 3)
    #expect(following.lines.last == "{\"c\":3}")
    #expect(following.follower.files[0].skippedNULs == 16)
  }

  @Test(arguments: bothWays)
  func `deletion and re-creation`(options: LogFollower.Options) throws {
    let folder = TemporaryFolder()
    folder.write("log", "1\n")
    let following = try Following([.file(folder["log"])], options: options)
    let writer = open(folder["log"], O_WRONLY | O_APPEND)
    folder.delete("log")
    writeAll(writer, Array("2\n".utf8))
    close(writer)
    following.wait(lines: 2)
    folder.write("log", "3\n")
    following.wait(lines: 3)
    folder.append("log", "4\n")
    following.wait(lines: 4)
    following.stepLookingAtEverything()
    #expect(following.lines == ["1", "2", "3", "4"])
  }

  @Test func `another file with the same inode is read from its start`() throws {
    let folder = TemporaryFolder()
    var options = bothWays[1]
    // With no descriptor held, the system is free to give the number away again.
    options.maximumOpenFiles = 4
    for i in 0..<8 { folder.write("\(i).log", "first \(i)\n") }
    let following = try Following([.folder(folder.path, suffixes: [".log"])], options: options)
    #expect(following.lines.count == 8)
    for i in 0..<8 { folder.delete("\(i).log") }
    for i in 0..<8 { folder.write("\(i).log", "second \(i) and longer\n") }
    following.wait(lines: 16)
    following.stepLookingAtEverything()
    #expect(following.lines.suffix(8).sorted() == (0..<8).map { "second \($0) and longer" })
  }

  @Test(arguments: bothWays)
  func `replacement by a longer file`(options: LogFollower.Options) throws {
    let folder = TemporaryFolder()
    folder.write("log", "1\n")
    let following = try Following([.file(folder["log"])], options: options)
    folder.write("log.new", "2\n3\n4\n")
    folder.rename("log.new", "log")
    following.wait(lines: 4)
    following.stepLookingAtEverything()
    #expect(following.lines == ["1", "2", "3", "4"])
  }

  @Test(arguments: bothWays)
  func `a link that is switched`(options: LogFollower.Options) throws {
    let folder = TemporaryFolder()
    folder.makeFolder("a")
    folder.makeFolder("b")
    folder.write("a/log", "1\n")
    folder.write("b/log", "2\n")
    folder.link("current", to: "a/log")
    let following = try Following([.file(folder["current"])], options: options)
    folder.append("a/log", "1b\n")
    following.wait(lines: 2)
    folder.append("a/log", "1c\n")
    folder.link("next", to: folder["b/log"])
    folder.rename("next", "current")
    following.wait(lines: 4)
    folder.append("b/log", "3\n")
    following.wait(lines: 5)
    folder.append("a/log", "late\n")
    following.stepLookingAtEverything()
    #expect(following.lines == ["1", "1b", "1c", "2", "3", "late"])
  }

  @Test func `a link in a folder is followed to where it leads`() throws {
    let folder = TemporaryFolder()
    folder.makeFolder("logs")
    folder.makeFolder("elsewhere")
    folder.write("elsewhere/real", "1\n")
    folder.link("logs/link.jsonl", to: "../elsewhere/real")
    let following = try Following(
      [.folder(folder["logs"], suffixes: [".jsonl"])],
      options: bothWays[0]
    )
    folder.append("elsewhere/real", "2\n")
    following.wait(lines: 2)
    #expect(following.lines == ["1", "2"])
  }

  @Test(arguments: bothWays)
  func `a file renamed inside a followed folder is not read again`(options: LogFollower.Options)
    throws
  {
    let folder = TemporaryFolder()
    folder.makeFolder("archive")
    folder.write("a.jsonl", "1\n")
    let following = try Following(
      [.folder(folder.path, suffixes: [".jsonl"])],
      options: options
    )
    folder.append("a.jsonl", "2\n")
    folder.rename("a.jsonl", "archive/z.jsonl")
    folder.write("a.jsonl", "3\n")
    following.wait(lines: 3)
    folder.append("archive/z.jsonl", "4\n")
    following.wait(lines: 4)
    folder.rename("archive", "attic")
    following.stepLookingAtEverything()
    folder.append("attic/z.jsonl", "5\n")
    following.wait(lines: 5)
    following.stepLookingAtEverything()
    #expect(following.lines == ["1", "2", "3", "4", "5"])
    #expect(Set(following.follower.files.map { split($0.path).name }) == ["a.jsonl", "z.jsonl"])
    #expect(!following.events.contains { $0.hasPrefix("closed") })
  }

  @Test(arguments: bothWays)
  func `numbered rotation inside a folder moves every file and reads none twice`(
    options: LogFollower.Options
  ) throws {
    let folder = TemporaryFolder()
    folder.write("app.log", "0\n")
    let following = try Following([.folder(folder.path, suffixes: [])], options: options)
    for round in 1...6 {
      for i in stride(from: round - 1, to: 0, by: -1) {
        folder.rename("app.log.\(i)", "app.log.\(i + 1)")
      }
      folder.append("app.log", "late \(round)\n")
      folder.rename("app.log", "app.log.1")
      folder.write("app.log", "\(round)\n")
      if round % 2 == 0 { following.wait(lines: 2 * round + 1) }
    }
    following.stepLookingAtEverything()
    #expect(following.lines.count == 13)
    #expect(Set(following.lines).count == 13)
  }

  @Test func `a renamed file is found again though it was not open`() throws {
    let folder = TemporaryFolder()
    var options = bothWays[0]
    options.maximumOpenFiles = 4
    for i in 0..<12 { folder.write("\(i).log", "\(i)\n") }
    let following = try Following([.folder(folder.path, suffixes: [".log"])], options: options)
    for i in 0..<12 {
      folder.append("\(i).log", "late \(i)\n")
      folder.rename("\(i).log", "\(i).log.1")
      folder.write("\(i).log", "new \(i)\n")
    }
    following.wait(lines: 36)
    following.stepLookingAtEverything()
    #expect(following.lines.count == 36)
    #expect(Set(following.lines).count == 36)
  }

  @Test func `a file moved out and in again continues where it was`() throws {
    let folder = TemporaryFolder()
    var options = bothWays[1]
    options.quietMilliseconds = 0
    folder.makeFolder("logs")
    folder.write("logs/a.jsonl", "1\n")
    let following = try Following(
      [.folder(folder["logs"], suffixes: [".jsonl"])],
      options: options
    )
    folder.rename("logs/a.jsonl", "a.jsonl")
    following.wait("it is closed") { following.events.contains("closed a.jsonl removed") }
    folder.append("a.jsonl", "2\n")
    folder.rename("a.jsonl", "logs/a.jsonl")
    following.wait(lines: 2)
    following.stepLookingAtEverything()
    #expect(following.lines == ["1", "2"])
    #expect(following.events.last == "opened a.jsonl resumed")
  }

  @Test(arguments: bothWays)
  func `a tree of folders deleted and made anew, while a writer keeps its file`(
    options: LogFollower.Options
  ) throws {
    let folder = TemporaryFolder()
    func make() {
      for name in ["logs", "logs/a", "logs/a/b"] { folder.makeFolder(name) }
    }
    make()
    folder.write("logs/a/b/x.jsonl", "1\n")
    folder.write("logs/a/y.jsonl", "2\n")
    let following = try Following(
      [.folder(folder["logs"], suffixes: [".jsonl"])], options: options)
    for round in 0..<3 {
      let writer = open(folder["logs/a/b/x.jsonl"], O_WRONLY | O_APPEND)
      for name in ["logs/a/b/x.jsonl", "logs/a/y.jsonl"] { folder.delete(name) }
      for name in ["logs/a/b", "logs/a", "logs"] { #expect(rmdir(folder[name]) == 0) }
      writeAll(writer, Array("late \(round)\n".utf8))
      close(writer)
      following.step()
      make()
      folder.write("logs/a/b/x.jsonl", "x \(round)\n")
      folder.write("logs/a/y.jsonl", "y \(round)\n")
      following.wait(lines: 2 + 4 * round + 3)
      folder.append("logs/a/y.jsonl", "more \(round)\n")
    }
    following.wait(lines: 14)
    following.stepLookingAtEverything()
    #expect(following.lines.count == 14)
    #expect(Set(following.lines).count == 14)
  }

  @Test func `two rotations between two looks lose nothing`() throws {
    let folder = TemporaryFolder()
    folder.write("log", "1\n")
    let following = try Following([.file(folder["log"])], options: bothWays[0])
    for round in 2...5 {
      for i in stride(from: round - 2, to: 0, by: -1) {
        folder.rename("log.\(i)", "log.\(i + 1)")
      }
      folder.rename("log", "log.1")
      folder.write("log", "\(round)\n")
    }
    following.wait(lines: 5)
    following.stepLookingAtEverything()
    #expect(following.lines.sorted() == ["1", "2", "3", "4", "5"])
  }

  // MARK: - At speed

  /// Counts numbered lines, each of which must come exactly once.
  private final class Tally {
    private var counts: [UInt8]
    private(set) var total = 0
    init(_ expected: Int) { counts = [UInt8](repeating: 0, count: expected) }
    func count(_ line: String) {
      guard let number = Int(line.dropFirst(5).dropLast()), counts.indices.contains(number) else {
        Issue.record("not a line of ours: \(line.prefix(80))")
        return
      }
      counts[number] &+= 1
      total += 1
    }
    var wrong: [Int] { counts.indices.filter { counts[$0] != 1 } }
  }

  @Test(arguments: bothWays)
  func `whatever happens in whatever order, each line comes once`(options: LogFollower.Options)
    throws
  {
    for seed in 0..<40 {
      var random = SplitMix(state: UInt64(seed))
      let folder = TemporaryFolder()
      var options = options
      options.windowBytes = [256, 4096, 1 << 20].randomElement(using: &random)!
      options.maximumOpenFiles = [4, 256].randomElement(using: &random)!
      let inFolder = Bool.random(using: &random)
      let following = try Following(
        [inFolder ? .folder(folder.path, suffixes: [".log"]) : .file(folder["a.log"])],
        options: options
      )
      var history: [String] = []
      var (number, rotation) = (0, 0)
      var writer = open(folder["a.log"], O_RDWR | O_CREAT | O_APPEND, 0o644)
      /// Whether the file that is there now has been looked at since it holds a line.
      var isKnown = false
      func replaceWriter() {
        close(writer)
        writer = open(folder["a.log"], O_RDWR | O_CREAT | O_APPEND, 0o644)
        isKnown = false
      }
      func line() -> String {
        number += 1
        let padding = String(repeating: "x", count: Int.random(in: 0..<600, using: &random))
        return "{\"n\":\(number - 1),\"x\":\"\(padding)\"}\n"
      }
      for _ in 0..<60 {
        let action = Int.random(in: 0..<12, using: &random)
        history.append("\(action)")
        switch action {
        case 0..<3: writeAll(writer, Array((0..<3).map { _ in line() }.joined().utf8))
        case 3..<5:
          let bytes = Array(line().utf8)
          let cut = Int.random(in: 0..<bytes.count, using: &random)
          writeAll(writer, Array(bytes[..<cut]))
          following.step()
          writeAll(writer, Array(bytes[cut...]))
        case 5..<8:
          following.stepLookingAtEverything()
          isKnown = number > 0 && fstatSize(writer) > 0
        case 8:
          // By rename; the last line goes to the old file. A timer may not look twice at once.
          if options.watching == .polling && !isKnown { continue }
          rotation += 1
          folder.rename("a.log", "a.log.\(rotation)")
          writeAll(writer, Array(line().utf8))
          replaceWriter()
        case 9:
          // By copy and truncate. Nobody recognises a copy of what was never seen.
          if !isKnown { continue }
          rotation += 1
          var bytes = [UInt8](repeating: 0, count: Int(fstatSize(writer)))
          _ = pread(writer, &bytes, bytes.count, 0)
          folder.writeBytes("a.log.\(rotation)", bytes)
          ftruncate(writer, 0)
          isKnown = false
          // What is emptied before it is looked at leaves no trace.
          writeAll(writer, Array(line().utf8))
          following.stepLookingAtEverything()
        case 10:
          // Deleted, with a last line after that. It must have been open to be read still.
          following.stepLookingAtEverything()
          guard following.follower.byPath[folder["a.log"]]?.descriptor ?? -1 >= 0 else { continue }
          folder.delete("a.log")
          writeAll(writer, Array(line().utf8))
          replaceWriter()
        default:
          // Replaced by another, longer file.
          if options.watching == .polling && !isKnown { continue }
          following.stepLookingAtEverything()
          guard following.follower.byPath[folder["a.log"]]?.descriptor ?? -1 >= 0 else { continue }
          folder.write("next", (0..<5).map { _ in line() }.joined())
          folder.rename("next", "a.log")
          replaceWriter()
        }
      }
      close(writer)
      following.stepLookingAtEverything()
      var counts = [Int](repeating: 0, count: number)
      for text in following.lines {
        counts[Int(text.dropFirst(5).prefix { $0 != "," }) ?? 0] += 1
      }
      let wrong = counts.indices.filter { counts[$0] != 1 }
      #expect(
        wrong.isEmpty,
        "seed \(seed): \(wrong.prefix(8).map { "\($0) came \(counts[$0]) times" }), actions \(history.joined(separator: " "))"
      )
    }
  }

  @Test func `a fast writer that renames its log loses and doubles nothing`() throws {
    let folder = TemporaryFolder()
    let path = folder["log"]
    let total = 200_000
    let tally = Tally(total)
    let following = try Following([.file(path)], options: bothWays[0])
    following.recorder.keepsLines = false
    following.recorder.onLine = { tally.count($0) }
    let writer = TestThread {
      var (number, rotation) = (0, 0)
      var log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
      while number < total {
        let lines = (number..<min(total, number + 40)).map { "{\"n\":\($0)}\n" }
        number += lines.count
        let half = lines.count / 2
        writeAll(log, Array(lines[..<half].joined().utf8))
        if number % 8000 == 0 {
          rotation += 1
          rename(path, path + ".\(rotation)")
          let next = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
          // The last lines go to the old file under its new name.
          writeAll(log, Array(lines[half...].joined().utf8))
          close(log)
          log = next
        } else {
          writeAll(log, Array(lines[half...].joined().utf8))
        }
      }
      close(log)
    }
    following.wait("all lines") { tally.total >= total }
    writer.join()
    following.stepLookingAtEverything()
    #expect(tally.wrong.isEmpty, "first wrong lines: \(tally.wrong.prefix(5))")
    #expect(tally.total == total)
  }

  /// The limit: what was written and emptied before anybody looked has a copy that nothing recognises, so the
  /// writer empties its log only after it was looked at. Lines told twice have ids and count once.
  @Test func `50,000 calls a second, copied and truncated on the way, count once each`() throws {
    let folder = TemporaryFolder()
    let path = folder["app.jsonl"]
    let (total, batch) = (40_000, 500)
    let counted = Atomic(0)
    let writer = TestThread {
      let log = open(path, O_RDWR | O_CREAT | O_APPEND, 0o644)
      var (rotation, sinceRotation, seen) = (0, 0, 0)
      for number in stride(from: 0, to: total, by: batch) {
        let lines = (number..<number + batch).map {
          #"{"id":"call-\#($0)","object":"chat.completion","created":1795000000,"model":"m","choices":[],"#
            + #""usage":{"prompt_tokens":10,"completion_tokens":1}}"# + "\n"
        }
        writeAll(log, Array(lines.joined().utf8))
        sinceRotation += batch
        if sinceRotation >= 4000, counted.load(ordering: .relaxed) > seen {
          rotation += 1
          var bytes = [UInt8](repeating: 0, count: 16 << 20)
          let count = pread(log, &bytes, bytes.count, 0)
          store(Array(bytes[..<count]), path + ".\(rotation)", O_WRONLY | O_CREAT)
          ftruncate(log, 0)
          (sinceRotation, seen) = (0, number + batch)
        }
        usleep(10_000)
      }
      close(log)
    }
    let collector = LogCollector(
      ledger: Ledger(promptEdges: []), sources: [.file(path)],
      clock: { Instant(seconds: 1_795_000_000) })
    collector.onRound = { collector, _ in
      counted.store(collector.ledger.knownCalls, ordering: .relaxed)
    }
    let follower = try LogFollower(sources: [.file(path)], options: bothWays[0])
    // The writer waits for what is counted: on a busy machine it takes its time, but comes to an end.
    let deadline = monotonicMilliseconds() + 300_000
    while collector.ledger.knownCalls < total, monotonicMilliseconds() < deadline {
      follower.step(collector, timeoutMilliseconds: 50)
    }
    writer.join()
    follower.lookAgain()
    follower.step(collector, timeoutMilliseconds: 0)
    let snapshot = collector.ledger.snapshot()
    var requests = 0
    snapshot.cube.forEachCell { cell, _ in requests += Int(cell.requests) }
    #expect(requests == total)
    #expect(collector.fileReports.allSatisfy { $0.tally.malformed == 0 && $0.error == nil })
  }

  @Test func `a fast writer whose log is copied and truncated loses and doubles nothing`() throws {
    let folder = TemporaryFolder()
    let path = folder["log"]
    let total = 200_000
    let tally = Tally(total)
    let following = try Following([.file(path)], options: bothWays[0])
    following.recorder.keepsLines = false
    final class Seen: @unchecked Sendable {
      // Written by one thread, read by the other, only to keep them roughly in step.
      var count = 0
    }
    let seen = Seen()
    following.recorder.onLine = {
      tally.count($0)
      seen.count += 1
    }
    let writer = TestThread {
      var rotation = 0
      let log = open(path, O_RDWR | O_CREAT | O_APPEND, 0o644)
      for number in stride(from: 0, to: total, by: 40) {
        writeAll(log, Array((number..<number + 40).map { "{\"n\":\($0)}\n" }.joined().utf8))
        // Two truncations between two looks would leave a copy nobody has a bookmark for.
        if number % 8000 == 0 && number > 0 && seen.count > number - 8000 {
          rotation += 1
          var bytes = [UInt8](repeating: 0, count: 1 << 20)
          let count = pread(log, &bytes, bytes.count, 0)
          store(Array(bytes[..<count]), path + ".\(rotation)", O_WRONLY | O_CREAT)
          ftruncate(log, 0)
        }
      }
      close(log)
    }
    following.wait("all lines") { tally.total >= total }
    writer.join()
    following.stepLookingAtEverything()
    #expect(tally.wrong.isEmpty, "first wrong lines: \(tally.wrong.prefix(5))")
    #expect(tally.total == total)
  }
}

private func fstatSize(_ descriptor: Int32) -> Int64 {
  (try? FileStatus(descriptor: descriptor).size) ?? 0
}

/// A small generator, so that a failing seed fails again.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
