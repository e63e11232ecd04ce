import MimoEngine
import Testing

@testable import MimoIngest

/// Calls `body` with a cursor that stands before the value of the member `x` of an object.
private func atValue<R>(
  _ value: String, _ rest: String = "}", _ body: (inout JSONCursor) throws -> R
) throws -> R {
  var text = "{\"x\":" + value + rest
  return try text.withUTF8 { bytes in
    var cursor = JSONCursor(UnsafeRawBufferPointer(bytes))
    try cursor.beginObject()
    _ = try cursor.nextKey()
    return try body(&cursor)
  }
}

/// Walks a whole text, skipping all values.
private func walk(_ text: String) throws {
  var text = text
  try text.withUTF8 { bytes in
    var cursor = JSONCursor(UnsafeRawBufferPointer(bytes))
    try cursor.beginObject()
    while try cursor.nextKey() != nil { try cursor.skipValue() }
    try cursor.expectEnd()
  }
}

@Suite struct JSONCursorTests {
  // MARK: - Counters

  @Test(arguments: [
    ("0", 0), ("12", 12), ("12.0", 12), ("1e3", 1000), ("1.5e1", 15), ("120e-1", 12), ("-0", 0),
    (#""12""#, 12), ("1000000000000", 1_000_000_000_000), ("7 ", 7), ("9007199254740993e-4", nil),
    ("null", nil), ("true", nil), ("[1]", nil), (#"{"a":1}"#, nil), (#""many""#, nil),
    (#""""#, nil),
  ])
  func `a counter is a whole number, or none`(_ text: String, _ value: Int64?) throws {
    for rest in ["}", ",\"y\":1}", " \t}"] {
      if value == nil, text.contains("e-4") { continue }
      #expect(try atValue(text, rest) { try $0.count() } == value)
    }
  }

  @Test(arguments: [
    ("-1", "a counter is negative"), ("-5e3", "a counter is negative"),
    ("1.5", "a counter is not a whole number"), ("1e-3", "a counter is not a whole number"),
    ("1000000000001", "a counter is too large to be true"),
    ("9223372036854775808", "a counter is too large to be true"),
    ("18446744073709551616", "a counter is too large to be true"),
    ("1e400", "a counter is too large to be true"),
    ("99999999999999999999999999999999999999999", "a counter is too large to be true"),
    (#""-3""#, "a counter is negative"),
  ])
  func `a counter that cannot be true is an error`(_ text: String, _ reason: String) {
    #expect {
      try atValue(text) { _ = try $0.count() }
    } throws: {
      "\($0)" == "counters contradict: \(reason)"
    }
  }

  @Test(arguments: [
    "01", "+1", ".5", "1.", "1e", "1e+", "0x10", "1_000", "--1", "1.2.3", "NaN", "Infinity", "tru",
    "nul", "True", "", "-", "007",
  ])
  func `what JSON does not know as a number is malformed`(_ text: String) {
    #expect(throws: DecodeError.self) { try atValue(text) { _ = try $0.count() } }
    #expect(throws: DecodeError.self) { try walk("{\"x\":\(text)}") }
  }

  // MARK: - Structure

  @Test(arguments: [
    "{}", " { } ", #"{"a":1,"b":[1,2,{"c":null}],"d":"x","e":true,"f":-1.5e+3}"#,
    "{\r\n\t\"a\" : \"\\\"\\\\\" , \"b\":[ ] }\r", #"{"":""}"#, #"{"a":"\\"}"#, #"{"a":"]}"}"#,
  ])
  func `proper objects are walked to their end`(_ text: String) throws { try walk(text) }

  @Test(arguments: [
    "", "{", "[]", "{}x", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{"a":1 "b":2}"#, #"{a:1}"#,
    #"{"a":1"#, #"{"a":"x}"#, #"{"a":"x\"}"#, #"{"a":[1}"#, #"{"a":1}}"#, #"{"a":1}{"b":2}"#,
    #"{"a":[[]}"#, #"{'a':1}"#, #"{"a":[1}}"#, #"{"a":{"b":1]}"#, #"{"a":[{]}]}"#,
  ])
  func `broken objects are malformed`(_ text: String) {
    #expect(throws: DecodeError.self) { try walk(text) }
  }

  @Test func `an error tells the byte`() {
    #expect(throws: DecodeError.malformed(at: 7, "a comma was expected")) {
      try walk(#"{"a":1 "b":2}"#)
    }
  }

  @Test func `a hundred thousand levels are skipped without recursion`() throws {
    let levels = 100_000
    let arrays = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
    try walk("{\"a\":\(arrays)}")
    let objects =
      String(repeating: #"{"a":"#, count: levels) + "1" + String(repeating: "}", count: levels)
    try walk("{\"a\":\(objects)}")
  }

  // MARK: - Strings

  @Test(arguments: [
    (#"plain"#, "plain"), (#"\"\\\/"#, "\"\\/"), (#"\b\f\n\r\t"#, "\u{8}\u{c}\n\r\t"),
    (#"\u00e9\u4E2D"#, "é中"), (#"\ud83d\ude00"#, "😀"), (#"\ud83d"#, "\u{FFFD}"),
    (#"\ude00x"#, "\u{FFFD}x"), (#"\ud83d\u0041"#, "\u{FFFD}A"), ("中文", "中文"),
    (#"\Ux\'"#, "\u{FFFD}x\u{FFFD}"),
  ])
  func `escapes are resolved`(_ raw: String, _ text: String) throws {
    let read = try atValue("\"\(raw)\"") { cursor in
      try cursor.string().map { $0.withUnescaped { String(decoding: $0, as: UTF8.self) } }
    }
    #expect(read == text)
  }

  @Test func `keys are compared without their escapes`() throws {
    var text = #"{"\u0075sage":1,"\u0063ompletion_tokens_details":2,"a\"b":3}"#
    try text.withUTF8 { bytes in
      var cursor = JSONCursor(UnsafeRawBufferPointer(bytes))
      try cursor.beginObject()
      for name in ["usage", "completion_tokens_details", "a\"b"] as [StaticString] {
        let key = try #require(try cursor.nextKey())
        #expect(key == name)
        #expect(key.count == name.utf8CodeUnitCount)
        try cursor.skipValue()
      }
      #expect(try cursor.nextKey() == nil)
    }
  }

  @Test(arguments: 0..<40)
  func `a string ends at its quote wherever its backslashes stand`(_ length: Int) throws {
    for tail in [#"\\"#, #"\""#, #"\\\""#, "x"] {
      let text = String(repeating: "a", count: length) + tail
      try walk("{\"k\":\"\(text)\",\"\(text)\":1}")
    }
  }
}

@Suite struct ByteSearchTests {
  @Test func `a needle is found wherever it stands, and only there`() {
    for length in 0..<70 {
      for place in 0...length {
        var text = Array(repeating: UInt8(ascii: "\""), count: length)
        let without = text
        text.insert(contentsOf: Array("\"usage\"".utf8), at: place)
        text.withUnsafeBytes { #expect(ByteSearch.contains("\"usage\"", in: $0)) }
        without.withUnsafeBytes { #expect(!ByteSearch.contains("\"usage\"", in: $0)) }
      }
    }
  }

  @Test func `a needle that is cut off is not found`() {
    for text in ["\"usage", "usage\"", "\"usag\"e", "\"usagE\"", ""] {
      #expect(!Array(text.utf8).withUnsafeBytes { ByteSearch.contains("\"usage\"", in: $0) })
    }
  }
}

@Suite struct LogTimeTests {
  private func milliseconds(iso text: String) -> Int64? {
    Array(text.utf8).withUnsafeBytes { LogTime.parse(iso: $0)?.milliseconds }
  }

  @Test(arguments: [
    ("2026-11-20T10:00:05.000Z", 1_795_168_805_000), ("2026-11-20T10:00:05Z", 1_795_168_805_000),
    ("2026-11-20 10:00:05", 1_795_168_805_000), ("2026-11-20T10:00:05.123456Z", 1_795_168_805_123),
    ("2026-11-20T10:00:05,5Z", 1_795_168_805_500), ("2026-11-20T15:30:05+05:30", 1_795_168_805_000),
    ("2026-11-20T06:00:05-0400", 1_795_168_805_000), ("2026-11-20T18:00:05+08", 1_795_168_805_000),
    ("2026-11-20 10:00:05 +0000", 1_795_168_805_000), ("2026-11-20T10:00", 1_795_168_800_000),
    ("2026-11-20", 1_795_132_800_000), ("2024-02-29T23:59:60Z", 1_709_251_200_000),
  ])
  func `dates are read in the ways they are written`(_ text: String, _ value: Int64) {
    #expect(milliseconds(iso: text) == value)
  }

  @Test(arguments: [
    "", "2026", "2026-13-01", "2026-02-30T00:00:00Z", "20261120T100005Z", "2026-11-20T25:00:00Z",
    "2026-11-20T10:60:00Z", "2026-11-20T10:00:05 UTC", "11/20/2026", "9999-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z", "2026-11-20T", "now",
  ])
  func `other texts are no times`(_ text: String) { #expect(milliseconds(iso: text) == nil) }

  @Test(arguments: ["0", "-5", "12.5", "999999999", "1e40", "1e-40", "123456789012345678901234"])
  func `numbers out of reach are no times`(_ text: String) {
    #expect(Array(text.utf8).withUnsafeBytes { LogTime.parse(number: $0) } == nil)
  }

  @Test(arguments: [
    ("1795132801", 1_795_132_801_000), ("1795132801.0005", 1_795_132_801_000),
    ("1.795132801e9", 1_795_132_801_000), ("1795132801999", 1_795_132_801_999),
    ("1795132801999999", 1_795_132_801_999), ("1795132801999999999", 1_795_132_801_999),
  ])
  func `the unit of a number is told by its size`(_ text: String, _ value: Int64) {
    let instant = Array(text.utf8).withUnsafeBytes { LogTime.parse(number: $0) }
    #expect(instant?.milliseconds == value)
  }
}
