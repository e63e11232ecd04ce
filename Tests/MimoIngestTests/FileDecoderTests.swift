import Foundation
import MimoEngine
import Testing

@testable import MimoIngest

private let answer =
  #"{"id":"a1","model":"mimo-v2.6-pro","created":1795000060,"usage":{"prompt_tokens":100,"completion_tokens":7}}"#
private let transcript =
  #"{"type":"assistant","sessionId":"s","uuid":"u","requestId":"r","timestamp":"2026-11-20T10:00:05Z","message":{"id":"m1","model":"mimo-v2.6-pro","usage":{"input_tokens":3,"output_tokens":50}}}"#

@Suite struct FileDecoderTests {
  @Test func `bad lines are counted with their place and reason`() {
    let lines = [answer, "{\"id\":", answer, #"{"model":"m","usage":{"prompt_tokens":-5}}"#, "{x}"]
    let decoded = Decoded(lines.joined(separator: "\n"))
    let second = Int64(answer.utf8.count + 1)
    let fourth = second + 7 + second
    #expect(decoded.tally.malformed == 3)
    #expect(
      decoded.tally.badLines == [
        .init(offset: second, reason: "not valid JSON at byte 6: a value was expected"),
        .init(offset: fourth, reason: "counters contradict: a counter is negative"),
        .init(
          offset: fourth + Int64(lines[3].utf8.count) + 1,
          reason: "not valid JSON at byte 1: a key was expected"),
      ])
    #expect(decoded.calls.count == 2)
  }

  @Test func `all bad lines are counted, the first ones kept`() {
    let decoded = Decoded(String(repeating: "{\n", count: 100))
    #expect(decoded.tally.malformed == 100)
    #expect(decoded.tally.badLines.count == LineTally.keptBadLines)
    #expect(decoded.tally.badLines.last?.offset == 38)
  }

  @Test func `the place of an error in an event is that in its line`() {
    let decoded = Decoded(#"data: {"a":1 "b":2}"#)
    #expect(
      decoded.tally.badLines.map(\.reason) == ["not valid JSON at byte 13: a comma was expected"])
  }

  @Test func `lines of text are foreign, not broken`() {
    let decoded = Decoded("2026-11-20 INFO started\n[1,2]\n\"text\"\n12\nnull\nusage: 12\n")
    #expect(decoded.tally.foreign == 6)
    #expect(decoded.tally.malformed == 0)
    #expect(decoded.tally.lines == 6)
  }

  @Test func `blank lines are lines without usage`() {
    let decoded = Decoded("\n\n  \t \n\r\n" + answer + "\n\n")
    #expect(decoded.tally.lines == 6)
    #expect(decoded.tally.blank == 5)
    #expect(decoded.tally.notUsage == 5)
    #expect(decoded.tally.foreign == 0)
    #expect(decoded.calls.count == 1)
  }

  @Test func `lines may end in carriage returns`() {
    let decoded = Decoded([answer, transcript, ""].joined(separator: "\r\n"))
    #expect(decoded.calls.count == 2)
    #expect(decoded.tally.malformed == 0)
  }

  @Test func `a hole of NULs before a line is passed over`() {
    let hole = String(repeating: "\0", count: 5000)
    let decoded = Decoded(hole + answer + "\n" + hole + transcript + "\n" + hole)
    #expect(decoded.calls.count == 2)
    #expect(decoded.tally.malformed == 0)
    let bad = Decoded(hole + "{\n")
    #expect(bad.tally.badLines.map(\.offset) == [5000])
  }

  @Test func `formats may be mixed in a file`() {
    let lines = [answer, transcript, "text", answer, transcript]
    for lines in [lines, lines.reversed()] {
      let decoded = Decoded(lines.joined(separator: "\n"))
      #expect(decoded.calls.map(\.source).sorted() == ["api", "api", "claude-code", "claude-code"])
      #expect(Set(decoded.formats) == ["api", "claude-code"])
      #expect(decoded.tally.usageLines == 4)
    }
  }

  @Test func `what a line is does not depend on the lines before it`() {
    let odd = [
      answer, transcript,
      #"{"requestId":"r","model":"m","status":500}"#, #"{"type":"user","uuid":"u"}"#,
      #"{"uuid":"u","sessionId":"s","response":\#(answer)}"#,
      #"{"parentUuid":"p","data":{"model":"m","id":"x","usage":{"input_tokens":1}}}"#,
      #"{"type":"progress","uuid":"u","data":{"message":{"message":{"id":"q","usage":{"input_tokens":1}}}}}"#,
    ]
    for line in odd {
      let alone = Decoded(line).calls
      #expect(Array(Decoded(answer + "\n" + line).calls.dropFirst()) == alone, "\(line)")
      #expect(Array(Decoded(transcript + "\n" + line).calls.dropFirst()) == alone, "\(line)")
    }
  }

  @Test func `a very long line is read`() {
    let text = String(repeating: #"prompt \"usage\": {} \\ "#, count: 400_000)
    let line =
      #"{"id":"a1","model":"m","choices":[{"message":{"content":"\#(text)"}}],"usage":{"prompt_tokens":100,"completion_tokens":7}}"#
    #expect(line.utf8.count > 8_000_000)
    #expect(call(line)?.tokens == TokenCounts(input: 100, output: 7))
  }

  @Test func `deep nesting does not end the program`() {
    for (open, close) in [
      ("[", "]"), (#"{"usage":"#, "}"), (#"{"message":"#, "}"), (#"{"data":"#, "}"),
    ] {
      let deep =
        String(repeating: open, count: 100_000) + "1" + String(repeating: close, count: 100_000)
      for key in ["x", "usage", "message", "response", "data", "error", "iterations"] {
        let decoded = Decoded(
          "{\"type\":\"assistant\",\"uuid\":\"u\",\"\(key)\":\(deep)}\n" + answer)
        #expect(decoded.calls.count == 1, "\(key) \(open)")
      }
    }
    // Never closed.
    #expect(Decoded(String(repeating: "{\"a\":", count: 200_000)).tally.malformed == 1)
    #expect(Decoded(#"{"a":"# + String(repeating: "[", count: 200_000)).tally.malformed == 1)
  }

  @Test func `bytes that are no text do not end the program`() {
    var dice = Dice(seed: 3)
    let lines = [answer, transcript].map { Array($0.utf8) }
    for _ in 0..<3000 {
      var bytes = lines.randomElement(using: &dice)!
      for _ in 0..<Int.random(in: 1...6, using: &dice) {
        let place = Int.random(in: 0..<bytes.count, using: &dice)
        switch Int.random(in: 0..<3, using: &dice) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &dice)
        case 1: bytes.removeSubrange(place..<min(bytes.count, place + 9))
        default:
          bytes.insert(contentsOf: Array("\"\\{}[],:0-e".utf8).shuffled(using: &dice), at: place)
        }
        if bytes.isEmpty { bytes = [0] }
      }
      let tally = Decoded(bytes: bytes).tally
      #expect(tally.usageLines + tally.notUsage + tally.malformed == tally.lines)
    }
  }

  @Test(arguments: 0..<20)
  func `any cut into runs of whole lines gives the same calls`(_ seed: UInt64) throws {
    var dice = Dice(seed: seed)
    var bytes: [UInt8] = []
    let files = try FileManager.default.subpathsOfDirectory(atPath: formatSamples.path)
    for file in files.sorted().shuffled(using: &dice)
    where file.hasSuffix(".jsonl") || file.hasSuffix(".csv") {
      bytes += try Data(contentsOf: formatSamples.appendingPathComponent(file))
    }
    let whole = Decoded(bytes: bytes)
    let ends = bytes.indices.filter { bytes[$0] == 10 }.map { $0 + 1 }.dropLast()
    let pieces = ends.filter { _ in Int.random(in: 0..<3, using: &dice) == 0 }
    let cut = Decoded(bytes: bytes, pieces: pieces)
    #expect(cut.calls == whole.calls)
    #expect(cut.tally == whole.tally)
    #expect(cut.formats == whole.formats)
    #expect(whole.calls.count > 40)
  }

  @Test func `a named format alone is taken as given`() {
    var decoder = FileDecoder([AnswerDecoder()])
    var output = DecodedLines(readTime: Decoded.readTime)
    var text = transcript + "\n" + answer
    text.withUTF8 { decoder.decode(UnsafeRawBufferPointer($0), at: 0, into: &output) }
    #expect(output.records.count == 1)
    #expect(decoder.tally.foreign == 1)
  }

  @Test func `tallies add up`() {
    var sum = Decoded(answer + "\n{\n\ntext").tally
    sum += Decoded("{\n").tally
    #expect(sum.lines == 5 && sum.malformed == 2 && sum.usageLines == 1 && sum.blank == 1)
    #expect(sum.badLines.count == 2)
  }
}

@Suite struct LogCollectorTests {
  @Test func `reports say what became of each file`() throws {
    let scratch = try ScratchFolder()
    try scratch.write("a.jsonl", [answer, answer, "text", "{"])
    try scratch.write("b.jsonl", [answer, transcript])
    try scratch.write("c.txt", ["nothing", "here"])
    let collector = try collect(scratch.source)
    let reports = collector.fileReports
    #expect(
      reports.map { URL(fileURLWithPath: $0.path).lastPathComponent } == [
        "a.jsonl", "b.jsonl", "c.txt",
      ])
    #expect(reports.map(\.records) == [1, 1, 0])
    #expect(reports.map(\.duplicates) == [1, 1, 0])
    #expect(reports.map(\.isForeign) == [false, false, true])
    #expect(reports.map(\.formats) == [["api"], ["api", "claude-code"], []])
    let totals = IngestTotals(reports)
    #expect(totals.files == 3 && totals.lines == 8 && totals.malformed == 1)
    #expect(totals.records == 2 && totals.duplicates == 2 && totals.notUsage == 3)
    let bytes = 2 * (answer.utf8.count + 1) + 7
    #expect(reports[0].bytes == Int64(bytes))
  }

  @Test func `a last line without newline counts if it is whole, and is told if not`() throws {
    let scratch = try ScratchFolder()
    let whole = try scratch.write("whole.jsonl", bytes: Data((answer + "\n" + transcript).utf8))
    #expect(sums(try collect(.file(whole)).ledger.snapshot()).requests == 2)
    let cut = try scratch.write(
      "cut.jsonl", bytes: Data((answer + "\n" + transcript.dropLast()).utf8))
    let report = try #require(try collect(.file(cut)).fileReports.first)
    #expect(report.records == 1)
    #expect(report.unfinished.map { $0.offset } == Int64(answer.utf8.count + 1))
    #expect(report.unfinished.map { $0.length } == transcript.utf8.count - 1)
    #expect(report.tally.malformed == 0)
  }

  @Test func `a file that is not there is told, and the others are read`() throws {
    let scratch = try ScratchFolder()
    let path = try scratch.write("a.jsonl", [answer])
    let collector = try collect(.file(scratch.url.path + "/none.jsonl"), .file(path))
    #expect(sums(collector.ledger.snapshot()).requests == 1)
    #expect(collector.sourceErrors.count == 1)
  }

  @Test func `a folder counts the same as its files one after another`() throws {
    let scratch = try ScratchFolder()
    let a = try scratch.write("a.jsonl", [answer, transcript])
    let b = try scratch.write("b.jsonl", [transcript, answer.replacing("a1", with: "a2")])
    let whole = sums(try collect(scratch.source).ledger.snapshot())
    #expect(sums(try collect(.file(b), .file(a)).ledger.snapshot()) == whole)
    #expect(whole.requests == 3)
  }
}

@Suite struct ReopenedFileTests {
  private let file = LogFile(
    id: 4, source: 0, path: "app.jsonl", identity: FileIdentity(device: 1, inode: 2), reason: .new)

  private func consume(_ text: String, at offset: Int64 = 0, _ collector: LogCollector) {
    var text = text
    text.withUTF8 {
      collector.consume(lines: UnsafeRawBufferPointer($0), of: file, at: offset)
    }
  }

  private func collector(_ source: LogSource) -> LogCollector {
    LogCollector(
      ledger: Ledger(promptEdges: []), sources: [source], clock: { Decoded.readTime })
  }

  @Test func `a file that begins anew adds to its tally, and its calls count once`() {
    let collector = collector(.file("app.jsonl"))
    collector.opened(file, reason: .new)
    consume(answer + "\ntext\n", collector)
    collector.opened(file, reason: .truncated)
    consume(answer + "\n", collector)
    consume(transcript + "\n", at: Int64(answer.utf8.count + 1), collector)
    let report = collector.fileReports.first
    #expect(report?.tally.lines == 4)
    #expect(report?.records == 2)
    #expect(report?.duplicates == 1)
    #expect(report?.bytes == Int64(2 * (answer.utf8.count + 1) + 5 + transcript.utf8.count + 1))
  }

  @Test func `a stream that was open when its file began anew does not go on`() {
    let collector = collector(.file("app.jsonl"))
    collector.opened(file, reason: .new)
    consume(
      #"{"type":"message_start","message":{"id":"m","model":"x","usage":{"input_tokens":5,"output_tokens":1}}}"#
        + "\n", collector)
    collector.opened(file, reason: .replaced)
    consume(#"{"type":"message_delta","usage":{"output_tokens":900}}"# + "\n", collector)
    #expect(sums(collector.ledger.snapshot()).tokens == TokenCounts(input: 5, output: 1))
  }

  @Test func `an error of a file is told until it is opened again`() {
    let collector = collector(.file("app.jsonl"))
    collector.failed(.noSuchFile(path: "app.jsonl"), of: file)
    #expect(collector.fileReports.first?.error != nil)
    #expect(IngestTotals(collector.fileReports).unreadableFiles == 1)
    collector.opened(file, reason: .new)
    #expect(collector.fileReports.first?.error == nil)
  }
}
