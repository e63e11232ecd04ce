import MimoTestSupport
import Testing

@testable import MimoIngest

/// Containers as writers write them, of a few forms and with texts that vary.
private struct Containers {
  var random: SplitMix

  mutating func pick(_ bound: UInt64) -> Int { Int(random.next() % bound) }

  mutating func text() -> String {
    let parts = [
      "a", "]", "}", "{", "\\\"", "\\\\", ",", ":", "word ", "\\u005d", "é", " \\\\\\\"",
    ]
    return (0..<pick(40)).map { _ in parts[pick(UInt64(parts.count))] }.joined()
  }

  mutating func next() -> String {
    let scalar = ["null", "true", "0", "17", "\"stop\""][pick(5)]
    switch pick(5) {
    case 0: return "[{\"index\":0,\"message\":{\"content\":\"\(text())\"}}]"
    case 1: return "[{\"content\":\"\(text())\",\"more\":\"\(text())\",\"x\":\(scalar)}]"
    case 2: return "[[\"\(text())\"], {\"a\": [\(scalar), {}]} ]"
    case 3: return "{\"\(text())\":[\"\(text())\",\(scalar)]}"
    default: return scalar
    }
  }
}

@Suite struct SkippedShapesTests {
  @Test(arguments: 0..<20)
  func `a container ends where it ends, whatever was skipped before`(_ seed: UInt64) throws {
    var containers = Containers(random: SplitMix(state: seed))
    var shapes = SkippedShapes()
    for _ in 0..<300 {
      let value = containers.next()
      let rest = [",\"y\":1}", "}", "]}}", " }"][containers.pick(4)]
      var text = value + rest
      let (plain, learned) = try text.withUTF8 { bytes in
        var plain = JSONCursor(UnsafeRawBufferPointer(bytes))
        var learned = plain
        try plain.skipValue()
        try shapes.skip(&learned)
        return (plain.offset, learned.offset)
      }
      #expect(plain == value.utf8.count)
      #expect(learned == plain, "\(text)")
    }
  }

  @Test func `a container that does not end throws, as it does without shapes`() throws {
    var shapes = SkippedShapes()
    let whole = "[{\"content\":\"a text of more than sixteen bytes\",\"n\":[1]}]"
    for length in (1..<whole.utf8.count).reversed() {
      var known = whole
      var cut = String(whole.prefix(length))
      try known.withUTF8 { bytes in
        var cursor = JSONCursor(UnsafeRawBufferPointer(bytes))
        try shapes.skip(&cursor)
        #expect(cursor.offset == whole.utf8.count)
      }
      cut.withUTF8 { bytes in
        var cursor = JSONCursor(UnsafeRawBufferPointer(bytes))
        #expect(throws: DecodeError.self) { try shapes.skip(&cursor) }
      }
    }
  }
}
