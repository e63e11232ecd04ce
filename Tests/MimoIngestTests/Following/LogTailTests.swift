import Testing

@testable import MimoIngest

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite struct LogTailTests {
  /// Lines of every awkward kind; the last one lacks its newline but is complete.
  private static let awkward: [UInt8] =
    Array("\u{FEFF}{\"first\":1}\n{\"crlf\":2}\r\n\n\0\0\0{\"hole\":3}\nplain text\n".utf8)
    + [0x22, 0xFF, 0xC3, 0x0A]
    + Array("{\"nested\":{\"a\":[\"}\\\"\",{}]}}\n{\"long\":\"".utf8)
    + [UInt8](repeating: 0x78, count: 700) + Array("\"}\n{\"é\":\"end\"}".utf8)

  private static let awkwardLines: [[UInt8]] = [
    Array("{\"first\":1}".utf8), Array("{\"crlf\":2}".utf8), Array("{\"hole\":3}".utf8),
    Array("plain text".utf8), [0x22, 0xFF, 0xC3], Array("{\"nested\":{\"a\":[\"}\\\"\",{}]}}".utf8),
    Array("{\"long\":\"".utf8) + [UInt8](repeating: 0x78, count: 700) + Array("\"}".utf8),
    Array("{\"é\":\"end\"}".utf8),
  ]

  /// Reads on to the end, collecting lines.
  private func read(
    _ tail: inout LogTail,
    _ descriptor: Int32,
    _ buffer: LineBuffer,
    _ lines: inout [[UInt8]],
    maximumLineBytes: Int = 1 << 20
  ) throws -> [LogTail.Step] {
    var found = lines
    var steps: [LogTail.Step] = []
    repeat {
      let step = try tail.advance(
        descriptor,
        buffer: buffer,
        maximumLineBytes: maximumLineBytes
      ) { run, _ in
        var splitter = LineSplitter(run)
        while let line = splitter.next() { found.append(Array(line)) }
      }
      if step != .advanced { steps.append(step) }
    } while steps.last != .upToDate && steps.last != .changed
    lines = found
    return steps
  }

  private func tail(of descriptor: Int32) throws -> LogTail {
    LogTail(bookmark: Bookmark(identity: try FileStatus(descriptor: descriptor).identity))
  }

  @Test(arguments: [128, 200, 1 << 20])
  func `cutting the writes anywhere gives the same lines`(windowBytes: Int) throws {
    let folder = TemporaryFolder()
    let buffer = LineBuffer(windowBytes: windowBytes)
    for cut in 0...Self.awkward.count {
      let writer = open(folder["log"], O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0o644)
      defer { close(writer) }
      var tail = try tail(of: writer)
      var lines: [[UInt8]] = []
      writeAll(writer, Array(Self.awkward[..<cut]))
      _ = try read(&tail, writer, buffer, &lines)
      writeAll(writer, Array(Self.awkward[cut...]))
      _ = try read(&tail, writer, buffer, &lines)
      #expect(lines == Self.awkwardLines, "cut at \(cut)")
      #expect(tail.bookmark.offset == Int64(Self.awkward.count))
      #expect(tail.skippedNULs <= 3)
      #expect(try tail.matches(writer))
    }
  }

  @Test(arguments: [128, 1 << 20])
  func `growing byte by byte gives the same lines`(windowBytes: Int) throws {
    let folder = TemporaryFolder()
    let buffer = LineBuffer(windowBytes: windowBytes)
    let writer = open(folder["log"], O_RDWR | O_CREAT | O_APPEND, 0o644)
    defer { close(writer) }
    var tail = try tail(of: writer)
    var lines: [[UInt8]] = []
    for byte in Self.awkward {
      writeAll(writer, [byte])
      _ = try read(&tail, writer, buffer, &lines)
    }
    #expect(lines == Self.awkwardLines)
  }

  @Test(arguments: [128, 200, 1 << 20])
  func `ranges that meet anywhere give each line once`(windowBytes: Int) throws {
    let folder = TemporaryFolder()
    folder.writeBytes("log", Self.awkward)
    let log = try OpenLog(path: folder["log"])
    let buffer = LineBuffer(windowBytes: windowBytes)
    func lines(in range: Range<Int64>) throws -> [[UInt8]] {
      var lines: [[UInt8]] = []
      _ = try log.read(range: range, buffer: buffer) { run, _ in
        var splitter = LineSplitter(run)
        while let line = splitter.next() { lines.append(Array(line)) }
      }
      return lines
    }
    let size = Int64(Self.awkward.count)
    for cut in 0...size {
      let both = try lines(in: 0..<cut) + lines(in: cut..<size)
      #expect(both == Self.awkwardLines, "cut at \(cut)")
    }
    let third = size / 3
    let parts = try lines(in: 0..<third) + lines(in: third..<(2 * third))
    #expect(try parts + lines(in: (2 * third)..<Int64.max) == Self.awkwardLines)
  }

  @Test func `two threads may read two ranges of one file`() throws {
    let folder = TemporaryFolder()
    let text = (0..<200_000).map { "{\"n\":\($0)}\n" }.joined()
    folder.write("log", text)
    let path = folder["log"]
    let half = Int64(text.utf8.count / 2)
    final class Sum: @unchecked Sendable {
      var values: [Int] = [0, 0]
      var counts: [Int] = [0, 0]
    }
    let sum = Sum()
    let threads = [0..<half, half..<Int64.max].enumerated().map { index, range in
      TestThread {
        var (total, count) = (0, 0)
        _ = try? OpenLog(path: path).read(range: range, buffer: LineBuffer()) { run, _ in
          var splitter = LineSplitter(run)
          while let line = splitter.next() {
            count += 1
            total += Int(String(decoding: line.dropFirst(5).dropLast(), as: UTF8.self))!
          }
        }
        sum.values[index] = total
        sum.counts[index] = count
      }
    }
    threads.forEach { $0.join() }
    #expect(sum.counts.reduce(0, +) == 200_000)
    #expect(sum.values.reduce(0, +) == 200_000 * 199_999 / 2)
    #expect(abs(sum.counts[0] - 100_000) < 5000)
  }

  @Test func `the rest of a range is lent only to the range it begins in`() throws {
    let folder = TemporaryFolder()
    folder.write("log", "one\ntwo\nthr")
    let log = try OpenLog(path: folder["log"])
    func rest(_ range: Range<Int64>) throws -> (Int64, String)? {
      var found: (Int64, String)?
      let end = try log.read(
        range: range,
        buffer: LineBuffer(),
        unfinished: { found = ($1, String(decoding: $0, as: UTF8.self)) },
        deliver: { _, _ in }
      )
      #expect(end.offset == 8)
      return found
    }
    #expect(try rest(0..<5) == nil)
    #expect(try rest(5..<100)?.0 == 8)
    #expect(try rest(5..<100)?.1 == "thr")
  }

  @Test func `a bookmark at an offset continues there`() throws {
    let folder = TemporaryFolder()
    folder.write("log", "one\ntwo\n")
    let bookmark = try OpenLog(path: folder["log"]).bookmark(at: 4)
    let recorder = try scan([.file(folder["log"])], bookmarks: [bookmark])
    #expect(recorder.lines == ["two"])
    #expect(recorder.events == ["opened log resumed", "closed log finished"])
  }

  @Test func `a bookmark of other content is ignored`() throws {
    let folder = TemporaryFolder()
    folder.write("log", "one\ntwo\n")
    let bookmark = try OpenLog(path: folder["log"]).bookmark(at: 4)
    folder.write("log", "eins\ntwo\nthree\n")
    let recorder = try scan([.file(folder["log"])], bookmarks: [bookmark])
    #expect(recorder.lines == ["eins", "two", "three"])
  }

  @Test func `content that changed under a bookmark is noticed whatever its length`() throws {
    let folder = TemporaryFolder()
    let old = (0..<100).map { "{\"old\":\($0)}\n" }.joined()
    folder.write("log", old)
    let writer = open(folder["log"], O_RDWR)
    defer { close(writer) }
    var tail = try tail(of: writer)
    var lines: [[UInt8]] = []
    #expect(try read(&tail, writer, LineBuffer(), &lines) == [.upToDate])
    // The same beginning, more than the head, but other bytes before the bookmark.
    let same = (0..<99).map { "{\"old\":\($0)}\n" }.joined()
    folder.write("log", same + (0..<50).map { "{\"new\":\($0)}\n" }.joined())
    #expect(try read(&tail, writer, LineBuffer(), &lines) == [.changed])
    #expect(lines.count == 100)
  }

  @Test func `a line over the limit is passed over and the next is read`() throws {
    let folder = TemporaryFolder()
    folder.write("log", "one\n" + String(repeating: "x", count: 5000) + "\ntwo\n")
    let descriptor = open(folder["log"], O_RDONLY)
    defer { close(descriptor) }
    var tail = try tail(of: descriptor)
    var lines: [[UInt8]] = []
    let steps = try read(
      &tail,
      descriptor,
      LineBuffer(windowBytes: 256),
      &lines,
      maximumLineBytes: 4000
    )
    #expect(steps == [.tooLong(offset: 4, length: 5001), .upToDate])
    #expect(lines == [Array("one".utf8), Array("two".utf8)])
    #expect(try tail.matches(descriptor))
  }

  @Test func `a hole of many windows does not hide the line behind it`() throws {
    let folder = TemporaryFolder()
    let descriptor = open(folder["log"], O_RDWR | O_CREAT, 0o644)
    defer { close(descriptor) }
    let line = Array("{\"behind\":1}\n".utf8)
    for size in [1, 127, 128, 129, 5000, 100_000, 3_000_000] {
      ftruncate(descriptor, 0)
      pwrite(descriptor, line, line.count, off_t(size))
      var tail = try tail(of: descriptor)
      var lines: [[UInt8]] = []
      #expect(try read(&tail, descriptor, LineBuffer(windowBytes: 128), &lines) == [.upToDate])
      #expect(lines == [Array(line.dropLast())], "hole of \(size)")
      #expect(tail.skippedNULs == Int64(size))
    }
  }

  @Test func `NULs at the end may still be filled in`() throws {
    let folder = TemporaryFolder()
    let descriptor = open(folder["log"], O_RDWR | O_CREAT, 0o644)
    defer { close(descriptor) }
    ftruncate(descriptor, 4096)
    var tail = try tail(of: descriptor)
    var lines: [[UInt8]] = []
    #expect(try read(&tail, descriptor, LineBuffer(), &lines) == [.upToDate])
    #expect(tail.bookmark.offset == 0)
    pwrite(descriptor, "{\"a\":1}\n", 8, 0)
    #expect(try read(&tail, descriptor, LineBuffer(), &lines) == [.upToDate])
    #expect(lines == [Array("{\"a\":1}".utf8)])
  }
}
