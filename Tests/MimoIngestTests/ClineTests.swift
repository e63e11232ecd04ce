import Foundation
import MimoEngine
import Testing

@testable import MimoIngest

/// An entry with counters, as the extensions write it.
private func entry(
  _ time: Int, input: Int, output: Int = 10, read: Int = 0, write: Int = 0, provider: String? = nil,
  protocol: String? = nil, say: String = "api_req_started", cost: String = "0.01"
) -> String {
  let kind = `protocol`.map { #"\"apiProtocol\":\"\#($0)\","# } ?? ""
  let model = provider.map {
    #","modelInfo":{"providerId":"\#($0)","modelId":"mimo-v2.6-pro","mode":"act"}"#
  }
  return """
    {"ts":\(time),"type":"say","say":"\(say)","text":"{\(kind)\\"request\\":\\"a \\\\\\"b\\\\\\"\\",\
    \\"tokensIn\\":\(input),\\"tokensOut\\":\(output),\\"cacheWrites\\":\(write),\\"cacheReads\\":\(read),\
    \\"cost\\":\(cost)}"\(model ?? "")}
    """
}

private let waiting =
  #"{"ts":1795130060000,"type":"say","say":"api_req_started","text":"{\"request\":\"x\"}"}"#

@Suite struct ClineTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private func task(_ entries: String..., folder: String = "tasks/17") throws -> String {
    try scratch.write(
      folder + "/ui_messages.json", bytes: Data("[\(entries.joined(separator: ","))]".utf8))
  }

  @Test(
    arguments: [
      ("anthropic", 7200), ("openai", 200), ("litellm", 200), ("zai", 200), ("openai-native", 7200),
      (nil, 7200),
    ] as [(String?, Int64)])
  func `in Cline the provider decides what tokensIn holds`(provider: String?, fresh: Int64) throws {
    let path = try task(
      entry(1_795_130_000_000, input: 7200, read: 6900, write: 100, provider: provider))
    let tokens = scanned(.file(path)).tokens
    #expect(tokens == TokenCounts(input: fresh, cacheRead: 6900, cacheWrite5m: 100, output: 10))
  }

  @Test(
    arguments: [
      ("rooveterinaryinc.roo-cline", 1_761_955_199_000, "anthropic", 900),
      ("rooveterinaryinc.roo-cline", 1_761_955_200_000, "anthropic", 100),
      ("rooveterinaryinc.roo-cline", 1_700_000_000_000, "openai", 100),
      ("kilocode.kilo-code", 1_762_905_599_000, "anthropic", 900),
      ("kilocode.kilo-code", 1_762_905_600_000, "anthropic", 100),
      ("elsewhere", 1_795_130_000_000, "anthropic", 100),
    ] as [(String, Int, String, Int64)])
  func `in Roo and Kilo the date and the protocol decide`(
    place: String, time: Int, protocol: String, fresh: Int64
  ) throws {
    let path = try task(
      entry(time, input: 900, read: 800, protocol: `protocol`), folder: "\(place)/tasks/18")
    #expect(scanned(.file(path)).tokens.input == fresh)
  }

  @Test func `less than what came from the cache is fresh everywhere`() throws {
    let path = try task(
      entry(1_795_130_000_000, input: 50, read: 800, provider: "openai"),
      entry(1_795_130_001_000, input: 50, read: 800, protocol: "openai"))
    #expect(scanned(.file(path)).tokens.input == 100)
  }

  @Test func `an answer that comes in steps counts as it is at last`() throws {
    let path = try task(waiting)
    let watch = try Watch(scratch.source)
    #expect(watch.sums.requests == 0)
    _ = try task(entry(1_795_130_060_000, input: 7000, output: 1, provider: "openai"))
    watch.wait("the first counters are seen") { $0.requests == 1 }
    // What was the whole prompt turns out to be cached in large part.
    _ = try task(entry(1_795_130_060_000, input: 7000, output: 90, read: 6800, provider: "openai"))
    watch.wait("the cache is told") { $0.tokens.cacheRead == 6800 }
    #expect(watch.tokens == TokenCounts(input: 200, cacheRead: 6800, output: 90))
    #expect(watch.sums.requests == 1)
    // The file is rewritten through a file beside it, and entries are taken out of it.
    try scratch.write("tasks/17/new", bytes: Data("[\(entry(1_795_130_099_000, input: 5))]".utf8))
    #expect(rename(scratch.path("tasks/17/new"), path) == 0)
    watch.wait("the next call is seen") { $0.requests == 2 }
    #expect(watch.tokens.input == 205)
    #expect(watch.collector.fileReports.count == 1)
  }

  @Test func `a document cut off while it is written keeps what was read`() throws {
    let path = try task(entry(1, input: 5, provider: "x"), entry(2, input: 6, provider: "x"))
    let watch = try Watch(.file(path))
    #expect(watch.sums.requests == 2)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try scratch.write("tasks/17/ui_messages.json", bytes: Data(text.dropLast(40).utf8))
    watch.settle()
    #expect(watch.sums.requests == 2)
    #expect(watch.collector.fileReports.first?.tally.malformed == 1)
    _ = try task(
      entry(1, input: 5, provider: "x"), entry(2, input: 6, provider: "x"),
      entry(3, input: 7, provider: "x"))
    watch.wait("it is whole again") { $0.requests == 3 }
    #expect(watch.collector.fileReports.first?.tally.malformed == 0)
  }

  private func models(_ path: String) throws -> [String] {
    let snapshot = try collect(.file(path)).ledger.snapshot()
    return snapshot.recent.map {
      let labels = snapshot.cube.series[Int($0.series)].labels
      return "\(snapshot.names[labels.model]) of \(snapshot.names[labels.provider])"
    }
  }

  @Test func `Cline's metadata tells model and provider`() throws {
    try scratch.write(
      "tasks/17/task_metadata.json",
      bytes: Data(
        """
        {"files_in_context":[],"model_usage":[
          {"ts":1000000000000,"model_id":"m1","model_provider_id":"openai","mode":"act"},
          {"ts":1000000005000,"model_id":"m2","model_provider_id":"anthropic","mode":"plan"}]}
        """.utf8))
    let path = try task(
      entry(1_000_000_001_000, input: 100, read: 60), entry(1_000_000_006_000, input: 100, read: 60)
    )
    #expect(try models(path) == ["m1 of openai", "m2 of anthropic"])
    #expect(scanned(.file(path)).tokens.input == 140)
  }

  @Test func `Roo's conversation tells the model of each call`() throws {
    try scratch.write(
      "tasks/17/api_conversation_history.json",
      bytes: Data(
        #"""
        [{"role":"user","ts":1000000000100,"content":[{"type":"text","text":"<model>no</model>\n<environment_details>\n<model>m1</model>\n</environment_details>"}]},
         {"role":"assistant","ts":1000000001000,"content":"ok"},
         {"role":"user","ts":1000000002100,"content":[{"type":"text","text":"<environment_details><model>m2</model>"}]}]
        """#.utf8))
    let path = try task(
      entry(1_000_000_000_000, input: 10, protocol: "openai"),
      entry(1_000_000_002_000, input: 10, protocol: "openai"))
    #expect(try models(path) == ["m1 of ", "m2 of "])
  }

  @Test func `the files beside a task are no logs of their own`() throws {
    _ = try task(entry(1, input: 10, provider: "x"))
    try scratch.write("tasks/17/task_metadata.json", bytes: Data(#"{"model_usage":[]}"#.utf8))
    try scratch.write(
      "tasks/17/api_conversation_history.json",
      bytes: Data(#"[{"role":"assistant","content":[{"type":"text","text":"x"}]}]"#.utf8))
    let collector = try collect(scratch.source)
    #expect(sums(collector.ledger.snapshot()).requests == 1)
    #expect(collector.fileReports.filter { !$0.isForeign }.count == 1)
    #expect(IngestTotals(collector.fileReports).malformed == 0)
  }

  @Test func `sub-agents count, and entries of one time and kind are one`() throws {
    let path = try task(
      entry(1_795_130_000_000, input: 10, provider: "x"),
      entry(1_795_130_000_000, input: 10, provider: "x"),
      entry(1_795_130_000_000, input: 10, provider: "x", say: "subagent_usage"),
      entry(1_795_130_001_000, input: -1, provider: "x"))
    let collector = try collect(.file(path))
    #expect(sums(collector.ledger.snapshot()).requests == 2)
    #expect(IngestTotals(collector.fileReports).malformed == 1)
  }

  @Test func `a session of the command line has its folder from the file beside it`() throws {
    try scratch.write(
      "sessions/c1/c1.json", bytes: Data(#"{"cwd":"/home/ana/shop","model":"m"}"#.utf8))
    let path = try scratch.write(
      "sessions/c1/c1.messages.json",
      bytes: Data(
        """
        {"sessionId":"c1","messages":[{"id":"a","role":"assistant","ts":1795132005000,
         "modelInfo":{"id":"m","provider":"xiaomi"},
         "metrics":{"inputTokens":100,"outputTokens":5,"cacheReadTokens":60,"cacheWriteTokens":10,"cost":0.5}},
         {"id":"b","role":"assistant","ts":1795132006000,"metrics":{"inputTokens":0,"outputTokens":0}}]}
        """.utf8))
    let snapshot = try collect(.file(path)).ledger.snapshot()
    #expect(
      sums(snapshot).tokens
        == TokenCounts(input: 30, cacheRead: 60, cacheWrite5m: 10, output: 5))
    #expect(snapshot.names[snapshot.cube.series[0].labels.project] == "/home/ana/shop")
  }
}
