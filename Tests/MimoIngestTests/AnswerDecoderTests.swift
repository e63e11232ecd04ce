import MimoEngine
import Testing

@testable import MimoIngest

/// A Chat answer of MiMo with this `usage`.
private func chat(_ usage: String, model: String = "mimo-v2.6-pro", id: String = "a1") -> String {
  #"{"id":"\#(id)","object":"chat.completion","created":1795000060,"model":"\#(model)","choices":[],"usage":\#(usage)}"#
}

@Suite struct ChatFormTests {
  @Test func `cached tokens are part of the prompt`() {
    let call = call(
      chat(
        #"{"prompt_tokens":100,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":10},"completion_tokens_details":{"reasoning_tokens":5}}"#
      ))
    #expect(
      call?.tokens
        == TokenCounts(input: 30, cacheRead: 60, cacheWrite5m: 10, output: 7, reasoning: 5))
    #expect(call?.tellsCache == true)
    #expect(call?.source == "api")
    #expect(call?.time == 1_795_000_060_000)
  }

  @Test func `null details of MiMo mean that nothing was cached`() {
    let usage = #"{"prompt_tokens":100,"completion_tokens":7,"prompt_tokens_details":null}"#
    #expect(call(chat(usage))?.tellsCache == true)
    #expect(call(chat(usage))?.tokens.input == 100)
  }

  @Test func `null details of others tell nothing`() {
    let usage = #"{"prompt_tokens":100,"completion_tokens":7,"prompt_tokens_details":null}"#
    #expect(call(chat(usage, model: "qwen"))?.tellsCache == false)
    // vLLM serves MiMo's open models too, and names its answers so.
    #expect(call(chat(usage, id: "chatcmpl-1"))?.tellsCache == false)
  }

  @Test func `missing details are unknown, and zero is zero`() {
    let missing = #"{"prompt_tokens":100,"completion_tokens":7}"#
    #expect(call(chat(missing))?.tellsCache == false)
    let zero =
      #"{"prompt_tokens":100,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":0}}"#
    #expect(call(chat(zero, model: "x"))?.tellsCache == true)
    let empty = #"{"prompt_tokens":100,"completion_tokens":7,"prompt_tokens_details":{}}"#
    #expect(call(chat(empty, model: "x"))?.tellsCache == true)
  }

  @Test func `more cached than prompt is cut to the prompt`() {
    let usage =
      #"{"prompt_tokens":100,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":90,"cache_write_tokens":50}}"#
    #expect(call(chat(usage))?.tokens == TokenCounts(cacheRead: 90, cacheWrite5m: 10, output: 7))
    let more =
      #"{"prompt_tokens":100,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":900}}"#
    #expect(call(chat(more))?.tokens == TokenCounts(cacheRead: 100, output: 7))
  }

  @Test func `more reasoning than output is cut to the output`() {
    let usage =
      #"{"prompt_tokens":1,"completion_tokens":7,"completion_tokens_details":{"reasoning_tokens":9}}"#
    #expect(call(chat(usage))?.tokens.reasoning == 7)
  }

  @Test func `hit and miss are the prompt`() {
    let usage =
      #"{"completion_tokens":7,"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36}"#
    let call = call(chat(usage, model: "deepseek-chat"))
    #expect(call?.tokens == TokenCounts(input: 36, cacheRead: 64, output: 7))
    #expect(call?.tellsCache == true)
  }

  @Test(arguments: ["cached_tokens", "num_cached_tokens"])
  func `some sellers write the cached tokens beside the details`(_ key: String) {
    let usage = #"{"prompt_tokens":100,"completion_tokens":7,"\#(key)":40}"#
    let call = call(chat(usage, model: "x"))
    #expect(call?.tokens == TokenCounts(input: 60, cacheRead: 40, output: 7))
    #expect(call?.tellsCache == true)
  }

  @Test func `a group of usages that say the same counts once`() {
    let usage = #"{"prompt_tokens":100,"completion_tokens":7}"#
    let last =
      #"{"id":"g","object":"chat.completion.chunk","model":"x","choices":[],"x_groq":{"id":"r","usage":\#(usage)}}"#
    #expect(call(last)?.tokens == TokenCounts(input: 100, output: 7))
    let both =
      #"{"id":"g","object":"chat.completion.chunk","model":"x","choices":[],"x_groq":{"usage":\#(usage)},"usage":\#(usage)}"#
    #expect(call(both)?.tokens == TokenCounts(input: 100, output: 7))
    #expect(counted(last, both).requests == 1)
  }

  @Test func `Google hides reasoning in the total`() {
    let usage = #"{"prompt_tokens":66,"completion_tokens":6,"total_tokens":100}"#
    let google = call(chat(usage, model: "gemini-3.1-pro"))
    #expect(google?.tokens == TokenCounts(input: 66, output: 34, reasoning: 28))
    #expect(call(chat(usage, model: "x"))?.tokens == TokenCounts(input: 66, output: 6))
  }

  @Test func `chunks without usage are no calls`() {
    let decoded = Decoded(
      #"{"id":"c","object":"chat.completion.chunk","model":"x","choices":[{"delta":{"content":"a"}}],"usage":null}"#
    )
    #expect(decoded.calls.isEmpty)
    #expect(decoded.tally.notUsage == 1 && decoded.tally.foreign == 0)
  }

  @Test func `running counters of a stream count once`() {
    let lines = [1, 5, 9].map {
      #"{"id":"c","object":"chat.completion.chunk","model":"x","choices":[{}],"usage":{"prompt_tokens":10,"completion_tokens":\#($0)}}"#
    }
    #expect(counted(lines).tokens == TokenCounts(input: 10, output: 9))
  }

  @Test func `a router states its cost, with an own key the upstream one`() {
    let usage =
      #"{"prompt_tokens":1,"completion_tokens":1,"cost":0.000352,"is_byok":false,"cost_details":{"upstream_inference_cost":null}}"#
    #expect(call(chat(usage))?.statedCost == "0.000352")
    let own =
      #"{"prompt_tokens":1,"completion_tokens":1,"cost":0.00001,"is_byok":true,"cost_details":{"upstream_inference_cost":2.5e-04}}"#
    #expect(call(chat(own))?.statedCost == "0.00025")
  }

  @Test(arguments: [
    ("batch", ServiceTier.batch), ("priority", .priority), ("flex", .flex), ("default", .standard),
    ("auto", .standard),
  ])
  func `the service tier is read`(_ text: String, _ tier: ServiceTier) {
    let line =
      #"{"id":"a","model":"x","service_tier":"\#(text)","usage":{"prompt_tokens":1,"completion_tokens":1}}"#
    #expect(call(line)?.tier == tier)
  }
}

@Suite struct ResponsesFormTests {
  private func answer(_ status: String, _ usage: String) -> String {
    #"{"id":"resp_1","object":"response","created_at":1795000001,"status":"\#(status)","model":"mimo-v2.6-pro","output":[],"usage":\#(usage)}"#
  }
  private let usage =
    #"{"input_tokens":4000,"input_tokens_details":{"cached_tokens":3584,"cache_write_tokens":100},"output_tokens":300,"output_tokens_details":{"reasoning_tokens":200},"total_tokens":4300}"#

  @Test func `input holds what was cached`() {
    let call = call(answer("completed", usage))
    #expect(
      call?.tokens
        == TokenCounts(
          input: 316, cacheRead: 3584, cacheWrite5m: 100, output: 300, reasoning: 200))
    #expect(call?.time == 1_795_000_001_000)
  }

  @Test func `a polled answer counts once, when it is there`() {
    let sum = counted(
      answer("queued", "null"), answer("in_progress", "null"), answer("completed", usage),
      answer("completed", usage))
    #expect(sum.requests == 1)
    #expect(sum.errors == 0)
  }

  @Test(arguments: ["response.completed", "response.incomplete", "response.failed"])
  func `the last event of a stream has the whole answer`(_ type: String) {
    let line = #"{"type":"\#(type)","sequence_number":9,"response":\#(answer("completed", usage))}"#
    #expect(call(line)?.tokens.cacheRead == 3584)
    #expect(
      calls(#"{"type":"response.created","response":\#(answer("in_progress", "null"))}"#) == [])
  }

  @Test func `a failed answer is an error`() {
    let sum = counted(
      #"{"id":"resp_1","object":"response","created_at":1795000001,"status":"failed","model":"m","error":{"code":"server_error","message":"x"},"usage":null}"#
    )
    #expect(sum.errors == 1 && sum.requests == 0)
  }
}

@Suite struct MessagesFormTests {
  private func answer(_ usage: String, id: String = "msg_1") -> String {
    #"{"id":"\#(id)","type":"message","role":"assistant","model":"mimo-v2.6-pro","content":[],"usage":\#(usage)}"#
  }

  @Test func `cached tokens are beside the input`() {
    let call = call(
      answer(
        #"{"input_tokens":12,"cache_creation_input_tokens":900,"cache_read_input_tokens":30000,"cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":800},"output_tokens":450,"output_tokens_details":{"thinking_tokens":300}}"#
      ))
    #expect(
      call?.tokens
        == TokenCounts(
          input: 12, cacheRead: 30_000, cacheWrite5m: 100, cacheWrite1h: 800, output: 450,
          reasoning: 300))
  }

  @Test func `writes without a split are for five minutes`() {
    let call = call(
      answer(#"{"input_tokens":1,"cache_creation_input_tokens":900,"output_tokens":1}"#))
    #expect(call?.tokens.cacheWrite5m == 900)
    #expect(call?.tokens.cacheWrite1h == 0)
  }

  @Test func `answers without a time are of the time of reading`() {
    let usage = #"{"input_tokens":57,"output_tokens":54}"#
    #expect(call(answer(usage))?.time == Decoded.readTime.milliseconds)
  }

  @Test func `iterations of other types than message are calls beside the answer`() {
    let line = answer(
      #"{"input_tokens":200,"output_tokens":50,"iterations":[{"type":"message","input_tokens":80,"output_tokens":20},{"type":"advisor_message","model":"big","input_tokens":500,"output_tokens":30},{"type":"compaction","input_tokens":9,"output_tokens":1},{"input_tokens":120,"output_tokens":30}]}"#
    )
    let calls = calls(line)
    #expect(calls.map(\.model) == ["mimo-v2.6-pro", "big", "mimo-v2.6-pro"])
    #expect(calls.map(\.tokens.input) == [200, 500, 9])
    #expect(counted(line, line).requests == 3)
  }

  @Test func `searches and speed are read`() {
    let call = call(
      answer(
        #"{"input_tokens":1,"output_tokens":1,"speed":"fast","server_tool_use":{"web_search_requests":3}}"#
      ))
    #expect(call?.webSearches == 3)
    #expect(call?.tier == .fast)
  }

  // MARK: - Streams

  private func start(_ usage: String, id: String = #""id":"msg_1","#) -> String {
    #"{"type":"message_start","message":{\#(id)"type":"message","model":"mimo-v2.6-pro","usage":\#(usage)}}"#
  }
  private func delta(_ usage: String) -> String {
    #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":\#(usage)}"#
  }
  private let stop = #"{"type":"message_stop"}"#

  @Test func `the closing counters replace the opening ones`() {
    let sum = counted(
      start(#"{"input_tokens":25,"cache_read_input_tokens":1000,"output_tokens":2}"#),
      delta(#"{"input_tokens":24,"output_tokens":77}"#), stop)
    #expect(sum.requests == 1)
    #expect(sum.tokens == TokenCounts(input: 24, cacheRead: 1000, output: 77))
  }

  @Test func `MiMo opens a stream with zeros`() {
    let sum = counted(
      start(#"{"input_tokens":0,"output_tokens":0}"#),
      delta(#"{"input_tokens":310,"cache_read_input_tokens":20480,"output_tokens":800}"#), stop)
    #expect(sum.tokens == TokenCounts(input: 310, cacheRead: 20_480, output: 800))
  }

  @Test func `a stream that breaks off counts as it began`() {
    let sum = counted(start(#"{"input_tokens":25,"output_tokens":2}"#))
    #expect(sum.requests == 1)
    #expect(sum.tokens.input == 25)
  }

  @Test func `streams one after another are calls of their own`() {
    let lines = (1...3).flatMap {
      [
        start(#"{"input_tokens":5,"output_tokens":1}"#, id: #""id":"msg_\#($0)","#),
        delta(#"{"output_tokens":10}"#), stop,
      ]
    }
    #expect(counted(lines).tokens == TokenCounts(input: 15, output: 30))
  }

  @Test func `a stream without an id counts once`() {
    let sum = counted(
      start(#"{"input_tokens":5,"output_tokens":1}"#, id: ""), delta(#"{"output_tokens":10}"#),
      stop)
    #expect(sum.requests == 1)
    #expect(sum.tokens == TokenCounts(input: 5, output: 10))
  }

  @Test func `events in a caller's envelope are events`() {
    let lines = [start(#"{"input_tokens":5,"output_tokens":1}"#), delta(#"{"output_tokens":10}"#)]
    let wrapped = lines.enumerated().map {
      #"{"ts":"2026-11-20T08:00:0\#($0.offset)Z","id":"line-\#($0.offset)","event":\#($0.element)}"#
    }
    let sum = counted(wrapped)
    #expect(sum.requests == 1)
    #expect(sum.tokens == TokenCounts(input: 5, output: 10))
  }

  @Test func `a delta without its opening is no call`() {
    #expect(calls(delta(#"{"output_tokens":10}"#)) == [])
    #expect(calls(stop, delta(#"{"output_tokens":10}"#)) == [])
  }

  @Test func `lines as they come over the wire are read`() {
    let lines = [
      "event: message_start", "data: " + start(#"{"input_tokens":5,"output_tokens":1}"#), "",
      "event: message_delta", "data:" + delta(#"{"output_tokens":10}"#), "data: [DONE]",
    ]
    #expect(counted(lines).tokens == TokenCounts(input: 5, output: 10))
    #expect(Decoded(lines.joined(separator: "\n")).tally.malformed == 0)
  }
}

@Suite struct GeminiFormTests {
  @Test func `thoughts and tool prompts are beside, cached tokens inside`() {
    let line =
      #"{"candidates":[],"usageMetadata":{"promptTokenCount":3000,"cachedContentTokenCount":2048,"candidatesTokenCount":120,"thoughtsTokenCount":400,"toolUsePromptTokenCount":50,"totalTokenCount":3570},"modelVersion":"gemini-3.1-pro","responseId":"g1"}"#
    let call = call(line)
    #expect(
      call?.tokens == TokenCounts(input: 1002, cacheRead: 2048, output: 520, reasoning: 400))
    #expect(call?.model == "gemini-3.1-pro")
    #expect(counted(line, line).requests == 1)
  }

  @Test func `the running value of a stream counts once`() {
    let lines = [3, 8, 20].map {
      #"{"candidates":[],"usageMetadata":{"promptTokenCount":30,"candidatesTokenCount":\#($0)},"modelVersion":"gemini-3.1-pro","responseId":"g1"}"#
    }
    #expect(counted(lines).tokens == TokenCounts(input: 30, output: 20))
  }
}

@Suite struct EnvelopeTests {
  private let body = chat(#"{"prompt_tokens":100,"completion_tokens":7}"#)

  private func quoted(_ json: String) -> String {
    "\"" + json.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }

  @Test(arguments: [
    "response", "body", "result", "data", "output", "completion", "raw", "response_body", "payload",
  ])
  func `the answer is found under its usual names, as object or as text`(_ key: String) {
    #expect(call(#"{"\#(key)":\#(body)}"#)?.tokens == TokenCounts(input: 100, output: 7))
    let text = call(#"{"\#(key)":\#(quoted(body))}"#)
    #expect(text?.tokens == TokenCounts(input: 100, output: 7))
    #expect(text?.model == "mimo-v2.6-pro")
    #expect(text?.identity == call(body)?.identity)
  }

  @Test(arguments: [
    (#""2026-11-20T08:00:01.250+08:00""#, 1_795_132_801_250),
    (#""2026-11-20T08:00:01\u002B08:00""#, 1_795_132_801_000),
    (#""2026-11-20T00:00:01Z""#, 1_795_132_801_000), (#""2026-11-20 00:00:01""#, 1_795_132_801_000),
    ("1795132801", 1_795_132_801_000), ("1795132802.5", 1_795_132_802_500),
    ("1795132803500", 1_795_132_803_500), ("1795132803500999", 1_795_132_803_500),
    (#""1795132803500999888""#, 1_795_132_803_500), (#""1795132801""#, 1_795_132_801_000),
  ])
  func `times are read as logs write them`(_ time: String, _ milliseconds: Int64) {
    for key in ["ts", "timestamp", "time", "created_at"] {
      #expect(call(#"{"\#(key)":\#(time),"response":\#(body)}"#)?.time == milliseconds, "\(key)")
      #expect(call(#"{"response":\#(body),"\#(key)":\#(time)}"#)?.time == milliseconds, "\(key)")
    }
  }

  @Test func `without a time of the caller the answer's own holds`() {
    #expect(call(#"{"response":\#(body)}"#)?.time == 1_795_000_060_000)
    #expect(call(#"{"ts":"yesterday","response":\#(body)}"#)?.time == 1_795_000_060_000)
    // A duration is no time of 1970.
    #expect(call(#"{"time":1.83,"response":\#(body)}"#)?.time == 1_795_000_060_000)
  }

  @Test func `what the caller says of the call is kept`() {
    let call = call(
      #"{"ts":1795132801,"latency_ms":1830,"status":200,"user":"team-a","session":"s1","project":"shop","provider":"xiaomi","cost_usd":0.25,"response":\#(body)}"#
    )
    #expect(call?.durationMilliseconds == 1830)
    #expect(call?.key == "team-a")
    #expect(call?.session == "s1" && call?.conversation == "s1")
    #expect(call?.project == "shop")
    #expect(call?.provider == "xiaomi")
    #expect(call?.statedCost == "0.25")
    #expect(call?.failed == false)
  }

  @Test(arguments: [
    (#""latency_ms":90.6"#, 91), (#""duration_ms":12"#, 12), (#""elapsed":1.5"#, 1500),
  ])
  func `durations have the unit of their name`(_ member: String, _ milliseconds: Int32) {
    #expect(call("{\(member),\"response\":\(body)}")?.durationMilliseconds == milliseconds)
  }

  @Test func `usage in the envelope is that of the call`() {
    let call = call(
      #"{"model":"m","id":"x","usage":{"prompt_tokens":5,"completion_tokens":6},"response":"the text"}"#
    )
    #expect(call?.tokens == TokenCounts(input: 5, output: 6))
  }

  @Test(arguments: ["output", "response", "result", "completion"])
  func `what the model wrote is not the answer, though it be JSON`(_ key: String) {
    let written = #"{"id":"42","model":"Tesla S","error":"none","status":500,"session":"x"}"#
    let usage = #""id":"a1","model":"m","usage":{"prompt_tokens":5,"completion_tokens":6}"#
    for value in [written, quoted(written)] {
      let call = call(#"{\#(usage),"\#(key)":\#(value)}"#)
      #expect(call?.model == "m")
      #expect(call?.failed == false)
      #expect(call?.session == "")
      #expect(call?.identity == CallIdentity(message: Fingerprint(of: "a1")))
    }
  }

  @Test func `a request and a session id do not make a line a transcript`() {
    let line =
      #"{"requestId":"r1","sessionId":"s","uuid":"u","timestamp":"2026-11-20T08:00:01Z","response":\#(body)}"#
    #expect(call(line)?.source == "api")
    let failed = #"{"requestId":"r1","status":500,"model":"m","error":"timeout"}"#
    #expect(call(failed)?.failed == true)
  }

  @Test func `envelopes in envelopes end at some depth`() {
    func nested(_ depth: Int) -> String {
      String(repeating: #"{"response":"#, count: depth) + body
        + String(repeating: "}", count: depth)
    }
    #expect(calls(nested(3)).count == 1)
    #expect(calls(nested(100_000)).isEmpty)
    #expect(Decoded(nested(100_000)).tally.malformed == 0)
  }

  @Test func `texts in texts end at some depth too`() {
    var line = body
    for _ in 0..<6 { line = #"{"response":\#(quoted(line))}"# }
    #expect(calls(line).isEmpty)
  }

  // MARK: - Errors

  @Test(arguments: [
    #"{"error":{"code":"429","message":"slow down","type":"rate_limit"}}"#,
    #"{"type":"error","error":{"type":"overloaded_error","message":"x"},"request_id":"r"}"#,
    #"{"ts":1795132802.5,"status":429,"request":{"model":"m"},"error":"rate limited"}"#,
    #"{"ts":1795132802,"status_code":503,"model":"m"}"#,
    #"{"ts":1795132802,"status":"error","model":"m"}"#,
    #"{"ts":1795132802,"status":400,"response":{"error":{"message":"x","type":"invalid"}}}"#,
    #"{"level":"info","response":{"error":{"message":"x","code":400}}}"#,
    #"{"level":"warn","model":"m","error":{"message":"x","code":400}}"#,
  ])
  func `a failed call is an error and no request`(_ line: String) {
    let sum = counted(line)
    #expect(sum.errors == 1)
    #expect(sum.requests == 0)
  }

  @Test func `a failed call that billed tokens is a request too`() {
    let sum = counted(#"{"status":500,"response":\#(body)}"#)
    #expect(sum.errors == 1 && sum.requests == 1)
  }

  @Test(arguments: [
    #"{"level":"error","msg":"disk full","error":"ENOSPC"}"#,
    #"{"level":"error","path":"/x","error":{"message":"no such row","code":"E404"}}"#,
    #"{"status":404,"path":"/index.html"}"#, #"{"usage":{"cpu":0.5,"memory":12}}"#,
    #"{"usage":"high","host":"a"}"#, #"{"usage":null,"error":null}"#, #"{"event":"usage"}"#,
    #"{"disk":{"usage":{"prompt_tokens":5}}}"#, #"{"usage":{"input_tokens":3}}"#, "{}",
    #"{"error":{"message":"only a text"}}"#, #"{"model":"m","status":200}"#,
    #"{"model":"m","error":""}"#, #"{"model":"m","error":null}"#,
  ])
  func `a line about something else is no call`(_ line: String) {
    let decoded = Decoded(line)
    #expect(decoded.calls.isEmpty)
    #expect(decoded.tally.malformed == 0)
    #expect(decoded.tally.notUsage == 1)
  }

  // MARK: - Names and secrets

  @Test(arguments: [
    ("sk-proj-abc", "sk-#"), ("tp-123", "tp-#"), ("Bearer xyz", "#"), ("Bearer tp-123", "tp-#"),
    ("AIzaSy", "AIza#"),
    ("eyJhbGciOi.eyJzdWIi.c2ln", "eyJ#"), ("0123456789abcdef0123456789abcdef", "#"),
  ])
  func `what looks like a secret is stored as a hash`(_ secret: String, _ prefix: String) {
    for key in ["api_key", "key", "user"] {
      let stored = call(#"{"\#(key)":"\#(secret)","response":\#(body)}"#)?.key ?? ""
      #expect(stored.hasPrefix(prefix))
      #expect(!stored.contains(secret.dropFirst(prefix.count - 1)))
    }
  }

  @Test func `an escaped secret is a secret, the same one`() {
    let plain = call(#"{"key":"sk-abc","response":\#(body)}"#)?.key
    #expect(plain?.hasPrefix("sk-#") == true)
    #expect(call(#"{"key":"\u0073k-abc","response":\#(body)}"#)?.key == plain)
  }

  @Test(arguments: ["team-a", "ana@example.org", "a user with a very long name of many words"])
  func `names of people and teams are kept`(_ name: String) {
    #expect(call(#"{"user":"\#(name)","response":\#(body)}"#)?.key == name)
  }

  @Test(arguments: [
    ("https://ana:pw@api.example.com:8443/v1?key=AIzaSy#x", "api.example.com:8443"),
    ("https://api.example.com", "api.example.com"),
    (#"https:\/\/api.example.com\/v1"#, "api.example.com"),
    ("api.example.com/v1", "api.example.com"), ("/v1/chat/completions", ""), ("xiaomi", "xiaomi"),
    ("xiaomi/cn", "xiaomi/cn"),
  ])
  func `of an address the host alone is kept`(_ address: String, _ host: String) {
    for key in ["base_url", "api_base", "endpoint", "provider"] {
      #expect(call(#"{"\#(key)":"\#(address)","response":\#(body)}"#)?.provider == host)
    }
  }

  @Test func `escapes in names and keys are resolved`() {
    let line =
      #"{"\u0069d":"a","mod\u0065l":"m\u00e9\ud83d\ude00\/\"x\"\n","usage":{"prompt_\u0074okens":5,"completion_tokens":6}}"#
    let call = call(line)
    #expect(call?.model == "mé😀/\"x\"\n")
    #expect(call?.tokens == TokenCounts(input: 5, output: 6))
  }

  @Test func `half of a surrogate pair is repaired`() {
    let line =
      #"{"id":"a","model":"x\ud83dy\u12","usage":{"prompt_tokens":5,"completion_tokens":6}}"#
    #expect(call(line)?.model.hasPrefix("x\u{FFFD}y") == true)
  }
}
