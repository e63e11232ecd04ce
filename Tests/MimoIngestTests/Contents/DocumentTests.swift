import Foundation
import MimoEngine
import Testing

@testable import MimoIngest

private func answer(_ id: String, _ prompt: Int = 100) -> String {
  #"{"id":"\#(id)","model":"mimo-v2.6-pro","created":1795000060,"usage":{"prompt_tokens":\#(prompt),"completion_tokens":7}}"#
}
private func nameless(_ prompt: Int) -> String {
  #"{"model":"mimo-v2.6-pro","ts":1795000060,"usage":{"prompt_tokens":\#(prompt),"completion_tokens":7}}"#
}

@Suite struct DocumentTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private func kind(_ name: String, _ text: String) throws -> FileKind? {
    let path = try scratch.write(name, bytes: Data(text.utf8))
    return try OpenLog(path: path).kind
  }

  @Test func `content decides how a file is read`() throws {
    #expect(try kind("a.json", "") == nil)
    #expect(try kind("a.json", "[]") == .document)
    #expect(try kind("a.json", "\u{FEFF}\n {\n \"a\": 1}") == .document)
    #expect(try kind("a.json", answer("a")) == .document)
    #expect(try kind("a.json", answer("a") + "\n\n") == .document)
    #expect(try kind("a.json", answer("a") + "\n" + answer("b")) == .lines)
    #expect(try kind("a.json", "\u{FEFF}\n" + answer("a") + "\r\n" + answer("b") + "\n") == .lines)
    #expect(
      try kind("a.json", "{\"a\":\"\(String(repeating: "x", count: 200_000))\"}\n{}") == .lines)
    #expect(
      try kind("a.json", "{\"a\":\n\"\(String(repeating: "x", count: 200_000))\"}\n{}") == .document
    )
    #expect(try kind("a.jsonl", "[\n]") == .lines)
    #expect(try kind("a.log", "SQLite format 3") == .lines)
    #expect(try kind("a.log", "SQLite format 3\u{0}...") == .database)
  }

  @Test func `answers printed over many lines, or in one array, count`() throws {
    let pretty = """
      {
        "id": "a1",
        "model": "mimo-v2.6-pro",
        "usage": {
          "prompt_tokens": 40,
          "completion_tokens": 2
        }
      }
      """
    try scratch.write("one.json", bytes: Data(pretty.utf8))
    try scratch.write(
      "many.json", bytes: Data("[\n\(answer("b1")),\n{\"x\":1}, 3,\n\(answer("b2"))\n]\n".utf8))
    let collector = try collect(scratch.source)
    #expect(sums(collector.ledger.snapshot()).requests == 3)
    #expect(sums(collector.ledger.snapshot()).tokens.input == 240)
    #expect(collector.fileReports.flatMap(\.formats) == ["api", "api"])
  }

  @Test func `an array without ids counts each element once however often it is rewritten`() throws
  {
    func write(_ prompts: Int...) throws {
      let text = prompts.map(nameless).joined(separator: ",")
      try scratch.write("log.json", bytes: Data("[\(text)]".utf8))
    }
    try write(1, 2, 2)
    let watch = try Watch(scratch.source)
    #expect(watch.sums.requests == 3)
    try write(1, 2, 2, 2, 5)
    watch.wait("the new ones are seen") { $0.requests == 5 }
    #expect(watch.tokens.input == 12)
    #expect(watch.collector.fileReports.first?.duplicates == 0)
  }

  @Test func `a document that turns into lines goes on behind its first`() throws {
    let path = try scratch.write("log.json", [nameless(1)])
    let watch = try Watch(scratch.source)
    #expect(watch.sums.requests == 1)
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data((nameless(2) + "\n" + nameless(3) + "\n").utf8))
    watch.wait("the lines are seen") { $0.requests == 3 }
    #expect(watch.tokens.input == 6)
    #expect(watch.collector.fileReports.first?.tally.lines == 3)
  }

  @Test func `an empty file becomes what is written to it`() throws {
    try scratch.write("a.json", bytes: Data())
    let watch = try Watch(scratch.source)
    try scratch.write("a.json", bytes: Data("[\n\(answer("a")),\n\(answer("b"))]".utf8))
    watch.wait("the array is read") { $0.requests == 2 }
  }

  @Test func `a Gemini CLI session grows in place`() throws {
    func write(_ output: Int, _ more: String = "") throws {
      try scratch.write(
        "session-1.json",
        bytes: Data(
          """
          {"sessionId":"s","projectHash":"p","messages":[
            {"id":"1","type":"user","content":"x","tokens":null},
            {"id":"2","timestamp":"2026-11-20T12:30:09Z","type":"gemini","model":"gemini-3-flash",
             "tokens":{"input":100,"output":\(output),"cached":40,"thoughts":5,"tool":3,"total":0}}\(more)]}
          """.utf8))
    }
    try write(1)
    let watch = try Watch(scratch.source)
    #expect(watch.tokens == TokenCounts(input: 63, cacheRead: 40, output: 6, reasoning: 5))
    try write(20, #",{"id":"3","type":"gemini","tokens":{"input":7,"output":1}}"#)
    watch.wait("the next answer is seen") { $0.requests == 2 }
    #expect(watch.tokens.output == 26)
    #expect(watch.tokens.input == 70)
  }

  @Test func `documents that are damaged, deep or foreign stop nothing`() throws {
    try scratch.write("a.json", bytes: Data(String(repeating: "[", count: 300_000).utf8))
    try scratch.write("b.json", bytes: Data("{\"say\"".utf8))
    try scratch.write("c.json", bytes: Data([0xFF, 0xFE, 0x5B, 0x00, 0x5D, 0x00]))
    try scratch.write("d.json", bytes: Data("[{\"say\":1,\"ts\":{}}]".utf8))
    try scratch.write("e.json", bytes: Data(answer("e").utf8))
    try scratch.write(
      "f.db", bytes: Data("SQLite format 3\u{0}".utf8 + Array(repeating: 0, count: 4000)))
    let collector = try collect(scratch.source)
    #expect(sums(collector.ledger.snapshot()).requests == 1)
    #expect(collector.fileReports.count == 6)
  }
}
