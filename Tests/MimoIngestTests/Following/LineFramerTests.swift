import Testing

@testable import MimoIngest

@Suite struct LineFramerTests {
  private func frame(
    _ text: String,
    atFileStart: Bool = false,
    reachesEnd: Bool = true
  ) -> (dropped: Int, end: Int) {
    Array(text.utf8).withUnsafeBytes {
      let frame = LineFramer($0, atFileStart: atFileStart, reachesEnd: reachesEnd)
      return (frame.dropped, frame.end)
    }
  }

  @Test(arguments: [
    ("", 0, 0),
    ("abc", 0, 0),
    ("abc\n", 0, 4),
    ("abc\ndef", 0, 4),
    ("\n\nabc\n", 2, 6),
    ("\r\n\r\n", 4, 4),
    ("\0\0abc\n", 2, 6),
    ("\0\0", 0, 0),
    ("\n\0", 1, 1),
    ("\n\0abc", 2, 1),
  ])
  func `whole lines are delivered and blanks in front are not`(text: String, dropped: Int, end: Int)
  {
    let frame = frame(text)
    #expect(frame.dropped == dropped)
    #expect(frame.end == end)
  }

  @Test(arguments: [
    (#"{"a":1}"#, true),
    (#"{"a":1}  "#, true),
    (#"{"a":1"#, false),
    (#"{"a":"}"#, false),
    (#"{"a":"\"}"#, false),
    (#"{"a":"\\"}"#, true),
    (#"{"a":[1,{"b":2}]}"#, true),
    (#"{"a":[1,{"b":2}}"#, false),
    (#"{"a":{}"#, false),
    (#"{"a":1}{"b":2}"#, false),
    (#"text {"a":1}"#, false),
    ("[1]", false),
    ("12", false),
  ])
  func `a last line without newline counts only as one complete object`(
    text: String,
    isComplete: Bool
  ) {
    #expect((frame(text).end == text.utf8.count) == isComplete)
    #expect((frame("x\n" + text).end == text.utf8.count + 2) == isComplete)
    #expect(frame(text, reachesEnd: false).end == 0)
  }

  @Test func `the shape of an object is the same however its bytes are cut`() {
    let text = Array(#" {"a":"x\\\"}{","b":[{},{"c":"\u00e9"}],"d":"é"} "#.utf8)
    text.withUnsafeBytes { bytes in
      for cut in 0...bytes.count {
        var shape = JSONShape()
        shape.feed(UnsafeRawBufferPointer(rebasing: bytes[..<cut]))
        #expect(shape.isComplete == (cut >= bytes.count - 1))
        shape.feed(UnsafeRawBufferPointer(rebasing: bytes[cut...]))
        #expect(shape.isComplete)
      }
    }
  }

  @Test func `a byte-order mark is dropped only at the start of a file`() {
    #expect(frame("\u{FEFF}abc\n", atFileStart: true).dropped == 3)
    #expect(frame("\u{FEFF}abc\n", atFileStart: false).dropped == 0)
  }

  @Test func `the last newline is found wherever it is`() {
    for count in 0...40 {
      for position in 0..<max(1, count) {
        var bytes = [UInt8](repeating: 0x8A, count: count)
        if count > 0 { bytes[position] = 0x0A }
        bytes.withUnsafeBytes {
          #expect(lastNewline(in: $0, from: 0) == (count > 0 ? position : nil))
          #expect(lastNewline(in: $0, from: position + 1) == nil)
        }
      }
    }
  }

  @Test func `lines are split without their ends, NULs in front and blanks`() {
    let text = "a\r\n\0\0b\n\n\r\nc\0\n\0\n\r\0\rd\n\r\rlast"
    Array(text.utf8).withUnsafeBytes { bytes in
      var splitter = LineSplitter(bytes)
      var lines: [String] = []
      while let line = splitter.next() { lines.append(String(decoding: line, as: UTF8.self)) }
      #expect(lines == ["a", "b", "c\0", "d", "last"])
    }
  }
}
