import Foundation
import MimoEngine
import Testing

@testable import MimoIngest

/// A line of a transcript.
private struct Answer {
  var id = "msg_1"
  var request: String? = "req_1"
  var output = 50
  var session = "s1"
  var agent: String?
  var model = "mimo-v2.6-pro"
  var time = "2026-11-20T10:00:05.000Z"
  var extra = ""
  var type: String? = "assistant"

  var message: String {
    #"{"id":"\#(id)","type":"message","role":"assistant","model":"\#(model)","content":[],"usage":{"input_tokens":3,"cache_creation_input_tokens":800,"cache_read_input_tokens":17000,"output_tokens":\#(output)}}"#
  }

  var text: String {
    var members = [
      #""isSidechain":\#(agent != nil)"#, #""cwd":"/home/ana/shop""#,
      #""sessionId":"\#(session)""#, #""uuid":"u1""#, #""timestamp":"\#(time)""#,
      #""message":\#(message)"#,
    ]
    if let type { members.append(#""type":"\#(type)""#) }
    if let request { members.append(#""requestId":"\#(request)""#) }
    if let agent { members.append(#""agentId":"\#(agent)""#) }
    return "{" + members.joined(separator: ",") + extra + "}"
  }

  /// A progress line that quotes the answer.
  var quote: String {
    #"{"type":"progress","sessionId":"\#(session)","uuid":"p1","timestamp":"\#(time)","data":{"type":"agent_progress","agentId":"a1","message":{"type":"assistant","timestamp":"\#(time)","message":\#(message)}}}"#
  }
}

@Suite struct ClaudeCodeTests {
  @Test func `a line is read`() {
    let call = call(Answer().text)
    #expect(
      call?.tokens
        == TokenCounts(input: 3, cacheRead: 17_000, cacheWrite5m: 800, output: 50))
    #expect(call?.source == "claude-code")
    #expect(call?.project == "/home/ana/shop")
    #expect(call?.session == "s1" && call?.conversation == "s1")
    #expect(call?.time == 1_795_168_805_000)
    #expect(call?.identity?.rank == .request)
    #expect(call?.tellsCache == true)
  }

  @Test func `an answer that is written as it grows counts once, with its largest output`() {
    let lines = [8, 8, 472, 300].map { Answer(output: $0).text }
    let sum = counted(lines)
    #expect(sum.requests == 1)
    #expect(sum.tokens.output == 472)
    #expect(sum.tokens.cacheRead == 17_000)
  }

  @Test func `without a request id the message id is the key`() {
    let lines = [0, 310].map { Answer(id: "ebb3", request: nil, output: $0).text }
    #expect(counted(lines).requests == 1)
    #expect(call(lines[0])?.identity?.rank == .message)
  }

  @Test func `two requests under one message id are two calls`() {
    #expect(counted(Answer().text, Answer(request: "req_2").text).requests == 2)
  }

  @Test func `a sub-agent's copy under another request id is the parent's call`() {
    let parent = Answer(output: 472).text
    let copy = Answer(request: "req_9", output: 400, agent: "a1").text
    for lines in [[parent, copy], [copy, parent]] {
      #expect(counted(lines).requests == 1)
      #expect(counted(lines).tokens.output == 472)
    }
    #expect(call(copy)?.conversation == "a1")
  }

  @Test func `a resumed session repeats its calls under another session id`() {
    let sum = counted(Answer().text, Answer(session: "s2").text, Answer(id: "msg_2").text)
    #expect(sum.requests == 2)
  }

  @Test func `synthetic answers are no calls`() {
    let decoded = Decoded(Answer(model: "<synthetic>", extra: #","isApiErrorMessage":true"#).text)
    #expect(decoded.calls.isEmpty && decoded.tally.notUsage == 1)
  }

  @Test func `the result of a tool repeats what it used and is no call`() {
    let line =
      #"{"type":"user","sessionId":"s1","uuid":"u2","message":{"role":"user","content":[]},"toolUseResult":{"totalTokens":4065,"usage":{"input_tokens":5,"output_tokens":60}}}"#
    let decoded = Decoded(line)
    #expect(decoded.calls.isEmpty && decoded.tally.foreign == 0)
  }

  @Test(arguments: [nil, "assistant"] as [String?])
  func `lines of old writers without type or ids are read`(_ type: String?) {
    let type = type.map { #""type":"\#($0)","# } ?? ""
    let line =
      #"{\#(type)"timestamp":"2026-11-20T10:04:00.000Z","costUSD":0.0421,"message":{"model":"claude-3-opus","usage":{"input_tokens":10,"output_tokens":20}}}"#
    #expect(call(line)?.tokens == TokenCounts(input: 10, output: 20))
    #expect(call(line)?.statedCost == "0.0421")
    #expect(call(line)?.identity == nil)
  }

  @Test(arguments: ["user", "system", "new-kind"])
  func `messages of other types are no answers`(_ type: String) {
    #expect(calls(Answer(type: type).text) == [])
  }

  @Test func `new kinds of lines with usage in them are no calls`() {
    let line =
      #"{"parentUuid":null,"type":"agent_summary","sessionId":"s1","data":{"id":"x","model":"m","usage":{"input_tokens":5,"output_tokens":60}}}"#
    let decoded = Decoded(line)
    #expect(decoded.calls.isEmpty && decoded.tally.foreign == 0)
  }

  @Test(arguments: [
    #"{"type":"summary","summary":"a shop","leafUuid":"x"}"#,
    #"{"type":"file-history-snapshot","messageId":"m","snapshot":{}}"#,
    #"{"parentUuid":null,"isSidechain":false,"type":"user","message":{"content":"hi"}}"#,
    #"{"type":"system","subtype":"compact_boundary"}"#,
  ])
  func `lines without usage belong to the format`(_ line: String) {
    let decoded = Decoded(line)
    #expect(decoded.calls.isEmpty && decoded.tally.foreign == 0 && decoded.tally.malformed == 0)
  }

  @Test func `an answer without counters is no call`() {
    let line =
      #"{"type":"assistant","uuid":"u","message":{"id":"m","model":"x","usage":{}}}"#
    #expect(calls(line) == [])
  }

  @Test func `hidden calls are counted beside the answer, once`() {
    let usage =
      #"{"input_tokens":3,"output_tokens":50,"iterations":[{"type":"message","input_tokens":3,"output_tokens":50},{"type":"compaction","input_tokens":60000,"output_tokens":120}]}"#
    let line =
      #"{"type":"assistant","uuid":"u","requestId":"r","sessionId":"s","message":{"id":"m","model":"x","usage":\#(usage)}}"#
    #expect(counted(line, line).requests == 2)
    #expect(counted(line, line).tokens.input == 60_003)
  }

  // MARK: - Quotes of other files

  @Test func `a quoted answer does not count in a file named alone`() throws {
    let scratch = try ScratchFolder()
    let path = try scratch.write("s1.jsonl", [Answer().text, Answer(id: "msg_q").quote])
    let collector = try collect(.file(path))
    #expect(sums(collector.ledger.snapshot()).requests == 1)
    #expect(collector.fileReports.first?.copiesLeftOut == 1)
  }

  @Test func `a quoted answer counts in a folder if its id is nowhere else`() throws {
    let scratch = try ScratchFolder()
    try scratch.write("s1.jsonl", [Answer().text, Answer(id: "msg_q").quote])
    #expect(sums(try collect(scratch.source).ledger.snapshot()).requests == 2)
  }

  @Test(arguments: ["a/quote.jsonl", "z/quote.jsonl"])
  func `a quoted answer gives way to its original, in whatever order files are read`(
    _ name: String
  ) throws {
    let scratch = try ScratchFolder()
    try scratch.write(name, [Answer(id: "msg_q", output: 999).quote])
    try scratch.write(
      "m/agent.jsonl", [Answer(id: "msg_q", request: "r", output: 60, agent: "a1").text])
    let sum = sums(try collect(scratch.source).ledger.snapshot())
    #expect(sum.requests == 1)
    #expect(sum.tokens.output == 60)
  }

  @Test func `a copy and its original count once across files, in any order`() throws {
    let parent = Answer(output: 472).text
    let copies = [
      Answer(request: "req_9", output: 400, agent: "a1").text,
      Answer(id: "own", request: "req_8", agent: "a1").text,
    ]
    for (first, second) in [("a", "b"), ("b", "a")] {
      let scratch = try ScratchFolder()
      try scratch.write("\(first).jsonl", [parent])
      try scratch.write("\(second).jsonl", copies)
      let collector = try collect(scratch.source)
      #expect(sums(collector.ledger.snapshot()).requests == 2)
      // The sub-agent's own first call opens its conversation, not the copy.
      #expect(collector.ledger.snapshot().openingOutput == 472 + 50)
    }
  }
}

extension UsageSnapshot {
  /// Output tokens of the calls that open a conversation.
  fileprivate var openingOutput: Int64 {
    var result: Int64 = 0
    cube.forEachCell { cell, _ in
      if cube.series[Int(cell.series)].flags.contains(.opensConversation) {
        result += cell.tokens.output
      }
    }
    return result
  }
}
