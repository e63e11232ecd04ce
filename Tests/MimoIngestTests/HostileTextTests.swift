import Foundation
import MimoEngine
import Testing

@testable import MimoIngest

private let answer =
  #"{"id":"a1","model":"m","created":1795000060,"usage":{"prompt_tokens":100,"completion_tokens":7}}"#

/// Texts that no honest program writes, or only a careless one.
@Suite struct HostileTextTests {
  // MARK: - Keys that come twice

  @Test(arguments: [
    #"{"id":"a","id":"b","model":"m","usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
    #"{"id":"a","model":"m","model":"n","usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
    #"{"id":"a","model":"m","usage":{"prompt_tokens":1,"completion_tokens":2,"prompt_tokens":9}}"#,
    #"{"id":"a","model":"m","usage":{"prompt_tokens":1,"prompt_\u0074okens":9,"completion_tokens":2}}"#,
    #"{"usage":{"prompt_tokens":1,"completion_tokens":2},"id":"a","model":"m","usage":{"prompt_tokens":5,"completion_tokens":6}}"#,
    #"{"id":"a","model":"m","usage":{"prompt_tokens":10,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1},"prompt_tokens_details":{"cached_tokens":3}}}"#,
    #"{"type":"assistant","uuid":"u","sessionId":"s","requestId":"r","requestId":"q","timestamp":"2026-11-20T10:00:05Z","message":{"id":"x","id":"y","model":"m","usage":{"input_tokens":3,"input_tokens":4,"output_tokens":5}}}"#,
  ])
  func `of a key that comes twice the last counts, as Foundation reads it`(line: String) throws {
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
    let data = try JSONSerialization.data(withJSONObject: object)
    let plain = Decoded(String(decoding: data, as: UTF8.self)).calls
    #expect(plain.count == 1)
    #expect(Decoded(line).calls == plain)
  }

  // MARK: - Encodings

  private func utf16(_ text: String, bigEndian: Bool, mark: Bool) -> [UInt8] {
    ((mark ? [0xFEFF] : []) + Array(text.utf16)).flatMap { unit in
      let bytes = [UInt8(unit & 0xFF), UInt8(unit >> 8)]
      return bigEndian ? bytes.reversed() : bytes
    }
  }

  @Test(arguments: [true, false], [true, false])
  func `UTF-16 is told, and nothing of it is counted`(bigEndian: Bool, mark: Bool) throws {
    let scratch = try ScratchFolder()
    let text = answer + "\r\n" + answer + "\r\n\r\n" + answer + "\r\n"
    let bytes = Data(utf16(text, bigEndian: bigEndian, mark: mark))
    for name in ["log.jsonl", "log.json", "log"] {
      let path = try scratch.write(name, bytes: bytes)
      let collector = try collect(.file(path))
      #expect(sums(collector.ledger.snapshot()).isEmpty)
      let report = try #require(collector.fileReports.first)
      #expect(report.tally.malformed > 0)
      #expect(report.tally.badLines.first?.reason.contains("iconv -f UTF-16") == true, "\(name)")
    }
  }

  @Test func `marks of the encoding lose no line, wherever files were joined`() throws {
    let scratch = try ScratchFolder()
    let line = "\u{FEFF}" + answer
    let path = try scratch.write("log.jsonl", [line, line.replacing("a1", with: "a2"), answer])
    let collector = try collect(.file(path))
    #expect(sums(collector.ledger.snapshot()).requests == 2)
    #expect(collector.fileReports.first?.tally.usageLines == 3)
    #expect(collector.fileReports.first?.tally.lines == 3)
    #expect(Decoded("\u{FEFF}text\n\u{FEFF}\n").tally.foreign == 1)
    #expect(Decoded("\n\u{FEFF}{").tally.badLines.map(\.offset) == [4])
  }

  // MARK: - Nesting

  @Test(arguments: [("[", "]"), (#"{"usage":"#, "}"), (#"{"messages":[{"tokens":"#, "}]}")])
  func `deep documents do not end the program`(open: String, close: String) throws {
    let scratch = try ScratchFolder()
    let deep =
      String(repeating: open, count: 10_000) + "1" + String(repeating: close, count: 10_000)
    let documents = [
      deep, "[\(deep),\n\(answer)]", #"{"sessionId":"s","messages":[\#n\#(deep)]}"#,
      #"[{"ts":1,"type":"say","say":"api_req_started","text":"{\"x\":\#(deep)"}]"#,
      #"{"sessionID":"s","role":"assistant","tokens":\#n\#(deep)}"#,
      #"{"api_call_count":1,"cache_read_tokens":1,"x":\#n\#(deep)}"#,
    ]
    for document in documents {
      for name in ["session-1.json", "ui_messages.json", "x.messages.json"] {
        let path = try scratch.write("d/\(name)", bytes: Data(document.utf8))
        let requests = sums(try collect(.file(path)).ledger.snapshot()).requests
        #expect(requests == (document.contains("prompt_tokens") ? 1 : 0))
      }
    }
    let map = try FieldMap("input=\(Array(repeating: "usage", count: 1000).joined(separator: "."))")
    #expect(Decoded(deep, formats: [PlainDecoder(map)]).calls.isEmpty)
  }

  // MARK: - Numbers

  @Test(arguments: [
    "1e400", "-1", "1.5", "9223372036854775807", "9223372036854775808", "18446744073709551617",
    "1e-1", "1000000000001", "100000000000000000000000000000000000000000",
  ])
  func `a counter that cannot be true makes a line an error in every form`(number: String) {
    let lines = [
      #"{"id":"a","model":"m","usage":{"prompt_tokens":#,"completion_tokens":7}}"#,
      #"{"id":"a","model":"m","usage":{"prompt_tokens":7,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":#}}}"#,
      #"{"id":"a","model":"m","usageMetadata":{"promptTokenCount":#,"candidatesTokenCount":2}}"#,
      #"{"type":"assistant","uuid":"u","sessionId":"s","message":{"id":"x","model":"m","usage":{"input_tokens":3,"output_tokens":#}}}"#,
      #"{"model":"m","input_tokens":#,"output_tokens":2}"#,
    ]
    for line in lines {
      let decoded = Decoded(line.replacing("#", with: number))
      #expect(decoded.calls.isEmpty, "\(line)")
      #expect(decoded.tally.malformed == 1, "\(line)")
    }
  }

  @Test(arguments: ["1.7e20", "170141183460469231731", "1e38", "1e400", "-5", "\"x\""])
  func `a cost that cannot be true is unknown, and many of them add up to nothing`(
    cost: String
  ) {
    let lines = (0..<4).map {
      #"{"id":"c\#($0)","model":"m","cost":\#(cost),"usage":{"prompt_tokens":1,"completion_tokens":2,"cost":\#(cost)}}"#
    }
    let sum = counted(lines)
    #expect(sum.requests == 4)
    #expect(sum.statedCalls == 0)
  }

  @Test func `a length that cannot be true is an error`() {
    for seconds in ["9223372036854775807", "1e30", "1000000000001"] {
      let line =
        #"{"id":"s","model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"seconds":\#(seconds)}}"#
      #expect(Decoded(line).tally.malformed == 1)
    }
  }

  @Test func `a table's sums end where they cannot be true`() {
    let head = "utc_date,model,type,price,amount,user_id\n"
    let dear = "2026-11-01,deepseek-chat,output_tokens,999,100000000000,u\n"
    let decoded = Decoded(head + String(repeating: dear, count: 50))
    #expect(decoded.tally.malformed == 50)
    let large = "2026-11-01,deepseek-chat,output_tokens,0.000001,300000000000,u\n"
    let sums = Decoded(head + String(repeating: large, count: 50))
    #expect(sums.tally.malformed == 47)
    #expect(sums.calls.last?.tokens.output == 900_000_000_000)
  }

  // MARK: - Tables

  @Test(arguments: [
    "\"", "a\"b\"\"", "\"\"\"", ",\",\"\",", "\"" + String(repeating: "x,", count: 9999),
  ])
  func `a quote that is not closed costs its row alone`(field: String) {
    let head =
      "usage_date_utc,model_version,usage_input_tokens_no_cache,usage_output_tokens,workspace\n"
    let row = "2026-11-01,m,5,6,"
    let decoded = Decoded(head + row + "a\n" + row + field + "\n" + row + "b\n")
    #expect(decoded.calls.count == 2)
    #expect(decoded.tally.malformed == 1)
  }
}

/// Sums are kept within what they can hold.
@Suite struct OverflowTests {
  private func line(_ id: Int, _ count: Int64) -> String {
    #"{"id":"o\#(id)","model":"m","created":1795000060,"usage":{"prompt_tokens":\#(count),"completion_tokens":\#(count)}}"#
  }

  @Test func `calls whose sums would overflow are left out and told`() throws {
    let scratch = try ScratchFolder()
    let largest = TokenCounts.largestPlausibleCount
    let lines = (0..<2000).map { line($0, largest) } + [line(5000, 1)]
    let path = try scratch.write("log.jsonl", lines)
    let collector = try collect(.file(path))
    let sum = sums(collector.ledger.snapshot())
    let report = try #require(collector.fileReports.first)
    #expect(report.refused > 800 && report.refused < 1000)
    #expect(sum.requests == Int64(2001 - report.refused))
    #expect(sum.tokens.input == (sum.requests - 1) * largest + 1)
    #expect(report.error?.contains("\(report.refused) calls were left out") == true)
    #expect(IngestTotals([report]).malformed == report.refused)
    let scan = ParallelScan(
      of: [.file(path)], ledger: Ledger(promptEdges: []), readTime: Decoded.readTime, threads: 2)
    #expect(scan.files.first?.refused == report.refused)
  }

  @Test func `rows that sum too many calls are left out and told`() throws {
    let scratch = try ScratchFolder()
    let head = "start_time,model,num_model_requests,input_tokens,output_tokens,user_id"
    let rows = (0..<6).map { "1795000000,m,999999999,5,5,u\($0)" }
    let report = try #require(
      try collect(.file(scratch.write("a.csv", [head] + rows))).fileReports.first)
    #expect(report.refused == 2)
    #expect(report.records == 4)
  }
}
