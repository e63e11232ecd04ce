import Testing

@testable import MimoIngest

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite struct LogStreamTests {
  private func makePipe() -> (reader: Int32, writer: Int32) {
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0)
    return (ends[0], ends[1])
  }

  @Test func `a pipe is read as it fills, and files go on after its end`() throws {
    let folder = TemporaryFolder()
    folder.write("log", "file 1\n")
    let (reader, writer) = makePipe()
    defer { close(reader) }
    let following = try Following([.stream(reader), .file(folder["log"])])
    #expect(following.lines == ["file 1"])
    writeAll(writer, Array("pipe 1\npipe".utf8))
    following.wait(lines: 2)
    writeAll(writer, Array(" 2\n{\"pipe\":3}".utf8))
    following.wait(lines: 4)
    writeAll(writer, Array("\nrest".utf8))
    close(writer)
    following.wait("the end") { following.events.contains { $0.hasSuffix("endOfStream") } }
    #expect(following.recorder.rests.map(\.1) == ["rest"])
    #expect(following.recorder.rests.map(\.0) == [25])
    folder.append("log", "file 2\n")
    following.wait(lines: 5)
    #expect(following.lines == ["file 1", "pipe 1", "pipe 2", "{\"pipe\":3}", "file 2"])
    #expect(fcntl(reader, F_GETFL) & O_NONBLOCK == 0)
  }

  @Test func `cutting a stream anywhere gives the same lines`() throws {
    let text = Array("\u{FEFF}{\"a\":1}\r\n\n\0\0{\"b\":\"}\"}\nplain\n{\"c\":{}}".utf8)
    for cut in 0...text.count {
      let (reader, writer) = makePipe()
      defer { close(reader) }
      let following = try Following([.stream(reader)], options: bothWays[1])
      writeAll(writer, Array(text[..<cut]))
      following.step()
      writeAll(writer, Array(text[cut...]))
      close(writer)
      following.wait("the end") { following.events.count == 2 }
      #expect(following.lines == ["{\"a\":1}", "{\"b\":\"}\"}", "plain", "{\"c\":{}}"])
      #expect(following.recorder.rests.isEmpty)
    }
  }

  @Test func `a fast stream with long lines arrives whole`() throws {
    let (reader, writer) = makePipe()
    defer { close(reader) }
    let line = "{\"x\":\"" + String(repeating: "y", count: 700_000) + "\"}\n"
    let thread = TestThread {
      for i in 0..<20 { writeAll(writer, Array("{\"i\":\(i)}\n\(line)".utf8)) }
      close(writer)
    }
    let recorder = try scan([.stream(reader)])
    thread.join()
    #expect(recorder.lines.count == 40)
    #expect(recorder.lines.filter { $0.utf8.count == line.utf8.count - 1 }.count == 20)
    #expect(recorder.events.last == "closed descriptor \(reader) endOfStream")
  }

  @Test func `a line over the limit in a stream is named and passed over`() throws {
    let (reader, writer) = makePipe()
    defer { close(reader) }
    var options = LogFollower.Options()
    options.maximumLineBytes = 200_000
    let thread = TestThread {
      writeAll(writer, Array("one\n".utf8) + [UInt8](repeating: 0x78, count: 900_000))
      writeAll(writer, Array("\ntwo\n".utf8))
      close(writer)
    }
    let recorder = try scan([.stream(reader)], options: options)
    thread.join()
    #expect(recorder.lines == ["one", "two"])
    #expect(
      recorder.errors == [
        .lineTooLong(
          path: "descriptor \(reader)",
          offset: 4,
          length: 900_001,
          limit: 200_000
        )
      ]
    )
  }

  @Test func `a named pipe serves one writer after another`() throws {
    let folder = TemporaryFolder()
    #expect(mkfifo(folder["fifo"], 0o644) == 0)
    let following = try Following([.file(folder["fifo"])])
    for i in 1...3 {
      store(Array("\(i)\n".utf8), folder["fifo"], O_WRONLY)
      following.wait(lines: i)
    }
    #expect(following.lines == ["1", "2", "3"])
    #expect(following.events == ["opened fifo new"])
    // With no writer it waits, and does not turn in circles.
    #expect(following.follower.step(following.recorder, timeoutMilliseconds: 0) == 0)
  }
}
