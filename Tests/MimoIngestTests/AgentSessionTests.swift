import MimoEngine
import Testing

@testable import MimoIngest

@Suite struct OpenClawTests {
  private let header =
    #"{"type":"session","version":3,"id":"0f6a1c","timestamp":"2026-11-20T12:00:00Z","cwd":"/home/ana/shop"}"#
  private let change =
    #"{"type":"model_change","id":"c1","timestamp":"2026-11-20T12:00:01Z","provider":"xiaomi","modelId":"mimo-v2.6-pro"}"#

  private func message(
    _ usage: String, id: String = "m1", stop: String = "stop", names: String = "",
    time: String = "2026-11-20T12:00:09Z"
  ) -> String {
    #"{"type":"message","id":"\#(id)","timestamp":"\#(time)","message":{"role":"assistant"\#(names),"usage":\#(usage),"stopReason":"\#(stop)"}}"#
  }

  @Test func `cached tokens are beside the input`() {
    let line = message(
      #"{"input":700,"output":90,"cacheRead":12800,"cacheWrite":50,"totalTokens":13640,"cost":{"total":0.0004}}"#
    )
    let call = calls(header, change, line).first
    #expect(
      call?.tokens == TokenCounts(input: 700, cacheRead: 12800, cacheWrite5m: 50, output: 90))
    #expect(call?.model == "mimo-v2.6-pro" && call?.provider == "xiaomi")
    #expect(call?.session == "0f6a1c" && call?.project == "/home/ana/shop")
    #expect(call?.statedCost == "0.0004")
  }

  @Test func `the message's own model wins, and the last change holds for those without`() {
    let usage = #"{"input":1,"output":1,"cacheRead":0,"cacheWrite":0}"#
    let snapshot =
      #"{"type":"custom","customType":"model-snapshot","data":{"provider":"p2","modelId":"m2"}}"#
    let found = calls(
      header, change, message(usage, names: #","model":"own","provider":"p""#), snapshot,
      message(usage, id: "m2"))
    #expect(found.map(\.model) == ["own", "m2"] && found.map(\.provider) == ["p", "p2"])
  }

  @Test func `a stated cost of 0 is unknown`() {
    let usage = #"{"input":5,"output":1,"cost":{"total":0}}"#
    #expect(call(message(usage))?.statedCost == nil)
  }

  @Test func `what was aborted or not billed is no call, an error is one that failed`() {
    let none = #"{"input":0,"output":0,"cacheRead":0,"cacheWrite":0}"#
    #expect(Decoded(message(none, stop: "aborted")).calls.isEmpty)
    #expect(Decoded(message(none)).calls.isEmpty)
    #expect(counted(message(none, stop: "error")).errors == 1)
    #expect(counted(message(none, stop: "error")).requests == 0)
    #expect(counted(message(#"{"input":9,"output":1}"#, stop: "aborted")).requests == 1)
  }

  @Test func `archived copies count once, and short ids of other sessions are other calls`() {
    let usage = #"{"input":9,"output":1}"#
    #expect(counted(message(usage), message(usage)).requests == 1)
    #expect(counted(message(usage), message(usage, time: "2026-11-21T12:00:09Z")).requests == 2)
    let old = message(usage).replacing(#""id":"m1","#, with: "")
    #expect(counted(old, old).requests == 1)
    #expect(counted(old, old.replacing("\"input\":9", with: "\"input\":8")).requests == 2)
  }

  @Test func `other lines of a session are passed over`() {
    let decoded = Decoded(
      [
        header, #"{"type":"message","id":"u","message":{"role":"user"}}"#,
        #"{"type":"new_kind","id":"x","parentId":"u","timestamp":"2026-11-20T12:00:09Z"}"#,
      ]
      .joined(separator: "\n"))
    #expect(decoded.tally.notUsage == 3 && decoded.tally.foreign == 0)
  }
}

@Suite struct QwenCodeTests {
  private func answer(_ usage: String, uuid: String = "q-2") -> String {
    #"{"uuid":"\#(uuid)","parentUuid":"q-1","sessionId":"qs","timestamp":"2026-11-20T13:00:04Z","type":"assistant","cwd":"/home/ana/shop","model":"mimo-v2.6-flash","usageMetadata":\#(usage),"message":{"role":"model"}}"#
  }

  @Test func `usage is in the Gemini form`() {
    let call = call(
      answer(
        #"{"promptTokenCount":800,"candidatesTokenCount":30,"thoughtsTokenCount":12,"cachedContentTokenCount":640,"totalTokenCount":842}"#
      ))
    #expect(
      call?.tokens == TokenCounts(input: 160, cacheRead: 640, output: 42, reasoning: 12))
    #expect(call?.source == "qwen-code" && call?.project == "/home/ana/shop")
  }

  @Test func `thoughts that the total has only once are among the candidates`() {
    let call = call(
      answer(
        #"{"promptTokenCount":800,"candidatesTokenCount":30,"thoughtsTokenCount":12,"totalTokenCount":830}"#
      ))
    #expect(call?.tokens == TokenCounts(input: 800, output: 30, reasoning: 12))
  }

  @Test func `an answer is known by its session and id, after lines of any other tool`() {
    let line = answer(#"{"promptTokenCount":8,"candidatesTokenCount":3}"#)
    #expect(counted(line, line).requests == 1)
    let transcript =
      #"{"parentUuid":null,"isSidechain":false,"type":"user","sessionId":"s","message":{}}"#
    #expect(calls(transcript, line).map(\.source) == ["qwen-code"])
    #expect(calls(line, transcript, line).count == 2)
  }

  @Test func `telemetry in the same file repeats the answers`() {
    let line =
      #"{"uuid":"q-3","parentUuid":"q-2","sessionId":"qs","type":"system","subtype":"ui_telemetry","systemPayload":{"uiEvent":{"input_token_count":800,"output_token_count":30}}}"#
    #expect(Decoded(line).calls.isEmpty)
  }
}

@Suite struct KimiTests {
  private let older =
    #"{"timestamp":1795123400.5,"message":{"type":"StatusUpdate","payload":{"message_id":"k1","token_usage":{"input_other":100,"input_cache_read":2500,"input_cache_creation":10,"output":40}}}}"#
  private let newer =
    #"{"type":"usage.record","model":"alias","usage":{"inputOther":267,"output":42,"inputCacheRead":24064,"inputCacheCreation":5},"usageScope":"turn","time":1795123500000,"agentId":"main"}"#
  private let request = #"{"type":"llm.request","model":"kimi-k2.7","time":1795123490000}"#

  @Test func `the older log has cached tokens beside the input, and no model`() {
    let call = call(older)
    #expect(
      call?.tokens == TokenCounts(input: 100, cacheRead: 2500, cacheWrite5m: 10, output: 40))
    #expect(call?.time == 1_795_123_400_500 && call?.model == "")
    #expect(counted(older, older).requests == 1)
  }

  @Test func `a status without usage is no call`() {
    let line =
      #"{"timestamp":1795123400,"message":{"type":"StatusUpdate","payload":{"context_usage":0.5}}}"#
    let decoded = Decoded(line)
    #expect(decoded.calls.isEmpty && decoded.tally.foreign == 0)
  }

  @Test func `a sub-agent's status inside its parent's log counts once`() {
    let inner =
      #"{"type":"StatusUpdate","payload":{"message_id":"chatcmpl-0123456789","token_usage":{"input_other":1,"output":1}}}"#
    let own = #"{"timestamp":1795123400,"message":\#(inner)}"#
    let nested =
      #"{"timestamp":1795123401,"message":{"type":"SubagentEvent","payload":{"event":\#(inner)}}}"#
    #expect(counted(own, nested).requests == 1)
    #expect(counted(nested).requests == 1)
    let nameless = nested.replacing(#""message_id":"chatcmpl-0123456789","#, with: "")
    #expect(counted(nameless).requests == 0)
  }

  @Test func `in the newer log the request before names the model`() {
    let found = calls(newer, request, newer)
    #expect(found.map(\.model) == ["alias", "kimi-k2.7"])
    #expect(
      found[0].tokens == TokenCounts(input: 267, cacheRead: 24064, cacheWrite5m: 5, output: 42))
  }
}

@Suite struct GeminiCLILineTests {
  private let header =
    #"{"sessionId":"s-2","projectHash":"p","startTime":"2026-11-20T12:40:00.000Z","kind":"main"}"#

  private func message(_ tokens: String, id: String = "2") -> String {
    #"{"id":"\#(id)","timestamp":"2026-11-20T12:40:05Z","type":"gemini","model":"gemini-3-flash","tokens":\#(tokens)}"#
  }

  @Test func `thoughts and tool prompts are beside, cached tokens inside`() {
    let call = calls(
      header,
      message(#"{"input":1000,"output":5,"cached":600,"thoughts":7,"tool":30,"total":1042}"#)
    ).first
    #expect(call?.tokens == TokenCounts(input: 430, cacheRead: 600, output: 12, reasoning: 7))
    #expect(call?.session == "s-2" && call?.project == "p")
  }

  @Test func `a message written again counts once, as in the document it came from`() {
    let first = message(#"{"input":1000,"output":5,"cached":0,"thoughts":0,"tool":0}"#)
    let second = message(#"{"input":1000,"output":50,"cached":0,"thoughts":10,"tool":0}"#)
    let update = #"{"$set":{"lastUpdated":"2026-11-20T12:40:06Z","messages":[\#(second)]}}"#
    #expect(
      counted(header, first, update, second).tokens
        == TokenCounts(input: 1000, output: 60, reasoning: 10))
    let other = header.replacing("s-2", with: "s-3")
    #expect(counted(header, first, other, first).requests == 2)
  }

  @Test func `updates and other messages are no calls`() {
    let decoded = Decoded(
      [
        header, #"{"$set":{"x":1}}"#, #"{"$rewindTo":"1"}"#,
        #"{"id":"1","type":"user","content":[]}"#,
      ]
      .joined(separator: "\n"))
    #expect(decoded.calls.isEmpty && decoded.tally.foreign == 0)
  }
}
