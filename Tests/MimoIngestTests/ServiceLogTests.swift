import MimoEngine
import Testing

@testable import MimoIngest

@Suite struct TelemetryTests {
  private func span(
    _ attributes: [(String, String)], id: String = "ba0bc33112b00d7f", status: String = "{}"
  ) -> String {
    let list = attributes.map { name, value in
      let text = Int(value) == nil ? #"{"stringValue":"\#(value)"}"# : #"{"intValue":"\#(value)"}"#
      return #"{"key":"\#(name)","value":\#(text)}"#
    }
    return
      #"{"traceId":"t","spanId":"\#(id)","startTimeUnixNano":"1795150000000000000","endTimeUnixNano":"1795150001500000000","attributes":[\#(list.joined(separator: ","))],"status":\#(status)}"#
  }

  private func export(_ spans: String...) -> String {
    #"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[\#(spans.joined(separator: ","))]}]}]}"#
  }

  private let chat = [
    ("gen_ai.operation.name", "chat"), ("gen_ai.provider.name", "xiaomi"),
    ("gen_ai.request.model", "mimo"), ("gen_ai.response.model", "mimo-v2.6-pro"),
    ("gen_ai.conversation.id", "c1"), ("gen_ai.usage.input_tokens", "5000"),
    ("gen_ai.usage.output_tokens", "220"),
  ]

  @Test func `the input holds what was cached`() {
    let call = call(
      export(
        span(
          chat + [
            ("gen_ai.usage.cache_read.input_tokens", "4480"),
            ("gen_ai.usage.cache_creation.input_tokens", "20"),
            ("gen_ai.usage.reasoning.output_tokens", "100"),
          ])))
    #expect(
      call?.tokens
        == TokenCounts(input: 500, cacheRead: 4480, cacheWrite5m: 20, output: 220, reasoning: 100))
    #expect(call?.model == "mimo-v2.6-pro" && call?.provider == "xiaomi")
    #expect(call?.project == "shop" && call?.session == "c1")
    #expect(call?.durationMilliseconds == 1500 && call?.time == 1_795_150_000_000)
    #expect(call?.tellsCache == true)
  }

  @Test func `more cached than input can only be beside it`() {
    let call = call(export(span(chat + [("gen_ai.usage.cache_read_input_tokens", "9000")])))
    #expect(call?.tokens == TokenCounts(input: 5000, cacheRead: 9000, output: 220))
  }

  @Test func `old names count, and tell nothing about the cache`() {
    let old = [
      ("gen_ai.system", "openai"), ("gen_ai.request.model", "gpt-5.6"),
      ("gen_ai.usage.prompt_tokens", "500"), ("gen_ai.usage.completion_tokens", "40"),
    ]
    let call = call(export(span(old)))
    #expect(call?.tokens == TokenCounts(input: 500, output: 40) && call?.tellsCache == false)
    #expect(call?.provider == "openai")
    // Both names of one counter say the same.
    let both = old + [("gen_ai.usage.input_tokens", "500"), ("gen_ai.usage.output_tokens", "40")]
    #expect(self.tokens(both) == TokenCounts(input: 500, output: 40))
  }

  private func tokens(_ attributes: [(String, String)]) -> TokenCounts? {
    call(export(span(attributes)))?.tokens
  }

  @Test(arguments: ["chat", "generate_content", "text_completion", "embeddings"])
  func `operations that call a model count`(_ operation: String) {
    var attributes = chat
    attributes[0].1 = operation
    #expect(call(export(span(attributes))) != nil)
  }

  @Test(arguments: ["invoke_agent", "execute_tool", "invoke_workflow", "create_agent", "new_kind"])
  func `operations that repeat their children do not`(_ operation: String) {
    var attributes = chat
    attributes[0].1 = operation
    let decoded = Decoded(export(span(attributes)))
    #expect(decoded.calls.isEmpty && decoded.tally.foreign == 0)
  }

  @Test func `one line may have many spans, and counts them all or none`() {
    let good = span(chat)
    #expect(Decoded(export(good, span(chat, id: "b"), good)).calls.count == 3)
    #expect(counted(export(good, span(chat, id: "b"), good)).requests == 2)
    var bad = chat
    bad[5].1 = "-5"
    let decoded = Decoded(export(good, span(bad, id: "b")))
    #expect(decoded.calls.isEmpty && decoded.tally.malformed == 1)
  }

  @Test func `a span and a logged answer with the same long id are one call`() {
    let id = "097b77a0e3cbaf46e3e70291e2712272"
    let answer =
      #"{"id":"\#(id)","object":"chat.completion","model":"mimo-v2.6-pro","usage":{"prompt_tokens":5000,"completion_tokens":220}}"#
    #expect(counted(export(span(chat + [("gen_ai.response.id", id)])), answer).requests == 1)
    let short = answer.replacing(id, with: "r1")
    #expect(counted(export(span(chat + [("gen_ai.response.id", "r1")])), short).requests == 2)
  }

  @Test func `a span that failed is an error`() {
    let failed = Array(chat.dropLast(2))
    for status in [#"{"code":2}"#, #"{"code":"STATUS_CODE_ERROR"}"#] {
      #expect(counted(export(span(failed, status: status))).errors == 1)
    }
    #expect(Decoded(export(span(failed))).calls.isEmpty)
  }

  @Test func `the server's address tells the seller`() {
    let found = call(export(span(chat + [("server.address", "token-plan-cn.xiaomimimo.com")])))
    #expect(found?.provider == "token-plan-cn.xiaomimimo.com")
    #expect(call(export(span(chat + [("server.address", "localhost")])))?.provider == "xiaomi")
  }

  private func event(_ attributes: String, name: String = "claude_code.api_request") -> String {
    #"{"resourceLogs":[{"resource":{},"scopeLogs":[{"logRecords":[{"timeUnixNano":"1795160000000000000","body":{"stringValue":"\#(name)"},"attributes":[{"key":"session.id","value":{"stringValue":"s1"}},{"key":"model","value":{"stringValue":"claude-opus-5"}}\#(attributes)]}]}]}]}"#
  }

  private let counters =
    #",{"key":"cost_usd","value":{"doubleValue":0.0421}},{"key":"duration_ms","value":{"intValue":"3100"}},{"key":"input_tokens","value":{"intValue":12}},{"key":"output_tokens","value":{"intValue":"300"}},{"key":"cache_read_tokens","value":{"stringValue":"21000"}},{"key":"cache_creation_tokens","value":{"intValue":"400"}}"#

  @Test func `in Claude Code's events cached tokens are beside the input`() {
    let call = call(event(counters))
    #expect(
      call?.tokens == TokenCounts(input: 12, cacheRead: 21000, cacheWrite5m: 400, output: 300))
    #expect(call?.statedCost == "0.0421" && call?.durationMilliseconds == 3100)
    #expect(call?.session == "s1" && call?.time == 1_795_160_000_000)
    #expect(counted(event(counters), event(counters)).requests == 1)
  }

  @Test func `events with request ids are told apart by these`() {
    func request(_ id: String) -> String {
      event(counters + #",{"key":"request_id","value":{"stringValue":"\#(id)"}}"#)
    }
    #expect(counted(request("req_1"), request("req_2"), request("req_1")).requests == 2)
  }

  @Test func `other events and metrics do not count`() {
    #expect(Decoded(event(counters, name: "claude_code.tool_result")).calls.isEmpty)
    let metrics = Decoded(#"{"resourceMetrics":[{"scopeMetrics":[]}]}"#)
    #expect(metrics.calls.isEmpty && metrics.tally.foreign == 0 && metrics.tally.notUsage == 1)
  }
}

@Suite struct SGLangTests {
  private let finished =
    #"{"timestamp":"2026-11-20T15:00:02.000000","event":"request.finished","rid":"r1","out":{"meta_info":{"id":"r1","prompt_tokens":300,"completion_tokens":25,"cached_tokens":256,"e2e_latency":1.9,"finish_reason":{"type":"stop"}}}}"#

  @Test func `cached tokens are inside the prompt`() {
    let found = call(finished)
    #expect(found?.tokens == TokenCounts(input: 44, cacheRead: 256, output: 25))
    #expect(found?.durationMilliseconds == 1900 && found?.tellsCache == true)
    let silent = call(finished.replacing(#""cached_tokens":256,"#, with: ""))
    #expect(silent?.tellsCache == false && silent?.tokens.input == 300)
  }

  @Test func `several answers of one request are several calls`() {
    let meta = #"{"meta_info":{"prompt_tokens":3,"completion_tokens":2}}"#
    let line = #"{"event":"request.finished","rid":"r1","out":[\#(meta),\#(meta)]}"#
    #expect(counted(line, line).requests == 2)
  }

  @Test func `what was received, or cached beyond the prompt, does not count`() {
    #expect(Decoded(finished.replacing("request.finished", with: "request.received")).calls.isEmpty)
    #expect(Decoded(finished.replacing("256", with: "999")).tally.malformed == 1)
  }
}

@Suite struct HeliconeTests {
  private func row(_ fields: String) -> String {
    #"{"request_id":"h1","request_created_at":"2026-11-20T15:10:00.000Z","model":"mimo-v2.6-pro","status":200,"latency":1500,"user_id":"ana",\#(fields),"properties":{"Helicone-Session-Id":"s1"}}"#
  }

  @Test func `more cached than prompt is beside it, otherwise the vendor's form decides`() {
    let counters = #""prompt_cache_read_tokens":1800,"completion_tokens":90"#
    let beside = call(row(#""provider":"CUSTOM","prompt_tokens":200,\#(counters)"#))
    #expect(beside?.tokens == TokenCounts(input: 200, cacheRead: 1800, output: 90))
    #expect(beside?.provider == "" && beside?.key == "ana" && beside?.session == "s1")
    let inside = call(row(#""provider":"OPENAI","prompt_tokens":2000,\#(counters)"#))
    #expect(inside?.tokens == TokenCounts(input: 200, cacheRead: 1800, output: 90))
    let anthropic = call(row(#""provider":"ANTHROPIC","prompt_tokens":2000,\#(counters)"#))
    #expect(anthropic?.tokens == TokenCounts(input: 2000, cacheRead: 1800, output: 90))
  }

  @Test func `costs, failures and answers of its own cache are told apart`() {
    let some = #""prompt_tokens":5,"completion_tokens":2"#
    #expect(call(row(some + #","cost":0.0002"#))?.statedCost == "0.0002")
    #expect(call(row(some + #","cost":0"#))?.statedCost == nil)
    #expect(counted(row(some).replacing("200", with: "500")).errors == 1)
    let cached = row(some + #","cache_reference_id":"7e57""#)
    #expect(counted(cached).answerCacheHits == 1)
    let zeros = row(some + #","cache_reference_id":"00000000-0000-0000-0000-000000000000""#)
    #expect(counted(zeros).answerCacheHits == 0)
  }
}

@Suite struct LangfuseTests {
  private func observation(_ usage: String, type: String = "GENERATION", more: String = "")
    -> String
  {
    #"{"id":"ob1","traceId":"tr1","type":"\#(type)","startTime":"2026-11-20T15:20:00.000Z","endTime":"2026-11-20T15:20:02.000Z","model":"mimo-v2.6-pro","level":"DEFAULT","usageDetails":\#(usage)\#(more)}"#
  }

  @Test func `parts that add up to the total are disjoint, whatever they are called`() {
    let expected = TokenCounts(input: 220, cacheRead: 1780, output: 90, reasoning: 60)
    for usage in [
      #"{"input":220,"input_cached_tokens":1780,"output":30,"output_reasoning_tokens":60,"total":2090}"#,
      #"{"input":220,"cache_read_input_tokens":1780,"output":30,"reasoning_tokens":60,"total":2090}"#,
      #"{"input":220,"input_cache_read":1780,"output":30,"output_reasoning":60}"#,
    ] {
      #expect(call(observation(usage))?.tokens == expected, "\(usage)")
    }
    let writes =
      #"{"input":10,"cache_creation_input_tokens":5,"input_cache_creation_1h":7,"output":3,"total":25}"#
    #expect(
      call(observation(writes))?.tokens
        == TokenCounts(input: 10, cacheWrite5m: 5, cacheWrite1h: 7, output: 3))
  }

  @Test func `parts that the total leaves out are inside others`() {
    let all =
      #"{"input":2000,"input_cached_tokens":1780,"output":90,"output_reasoning_tokens":60,"total":2090}"#
    #expect(
      call(observation(all))?.tokens
        == TokenCounts(input: 220, cacheRead: 1780, output: 90, reasoning: 60))
    let reasoning =
      #"{"input":220,"input_cached_tokens":1780,"output":90,"output_reasoning_tokens":60,"total":2090}"#
    #expect(
      call(observation(reasoning))?.tokens
        == TokenCounts(input: 220, cacheRead: 1780, output: 90, reasoning: 60))
    let impossible = #"{"input":20,"input_cached_tokens":1780,"output":90,"total":110}"#
    #expect(Decoded(observation(impossible)).tally.malformed == 1)
  }

  @Test func `spans are no calls, even with an answer inside`() {
    let inside =
      #","output":{"id":"x","object":"chat.completion","model":"m","usage":{"prompt_tokens":5,"completion_tokens":2}}"#
    let decoded = Decoded(observation("{}", type: "SPAN", more: inside))
    #expect(decoded.calls.isEmpty && decoded.tally.foreign == 0)
    // Also behind lines of answers.
    let answer =
      #"{"id":"a","object":"chat.completion","model":"m","usage":{"prompt_tokens":1,"completion_tokens":1}}"#
    #expect(calls(answer, observation("{}", type: "SPAN", more: inside)).count == 1)
    #expect(
      calls(answer, observation(#"{"input":5,"output":2}"#, more: inside)).map(\.source)
        == ["api", "langfuse"])
  }

  @Test func `exports of whole tables have other spellings`() {
    let line =
      #"{"id":"ob1","trace_id":"tr1","type":"GENERATION","start_time":"2026-11-20 15:20:00.000000","end_time":"2026-11-20 15:20:02.000000","provided_model_name":"mimo-v2.6-pro","usage_details":"{\"input\":\"220\",\"output\":\"30\",\"total\":\"250\"}","cost_details":{"total":0.00018}}"#
    let call = call(line)
    #expect(call?.tokens == TokenCounts(input: 220, output: 30) && call?.model == "mimo-v2.6-pro")
    #expect(call?.statedCost == "0.00018" && call?.durationMilliseconds == 2000)
    #expect(call?.tellsCache == false)
  }
}

@Suite struct ConsoleExportTests {
  private let deepSeek = "user_id,utc_date,model,api_key_name,api_key,type,price,amount"

  private func row(_ type: String, _ price: String, _ amount: String, day: String = "2026-11-19")
    -> String
  {
    "u1,\(day),deepseek-v4-flash,shop,sk-1***,\(type),\(price),\(amount)"
  }

  @Test func `rows for each kind of token are one sum, in any order and more than once`() {
    let rows = [
      row("input_cache_hit_tokens", "0.0000000028", "1000000"),
      row("input_cache_miss_tokens", "0.00000014", "200000"),
      row("output_tokens", "0.00000028", "50000"), row("request_count", "0", "37"),
    ]
    var dice = Dice(seed: 1)
    for _ in 0..<6 {
      let sums = counted([deepSeek] + rows.shuffled(using: &dice))
      #expect(sums.requests == 37)
      #expect(sums.tokens == TokenCounts(input: 200_000, cacheRead: 1_000_000, output: 50_000))
      #expect(sums.statedCost.exactText == "0.0448")
    }
    // An export of two days has the first day again.
    let longer = [deepSeek] + rows + [row("output_tokens", "0.00000028", "7", day: "2026-11-20")]
    let both = counted([deepSeek] + rows + longer)
    #expect(both.tokens.output == 50_007 && both.requests == 38)
  }

  @Test func `a sum is not priced as one large prompt`() throws {
    var decoder = FileDecoder()
    var output = DecodedLines(readTime: Decoded.readTime)
    var text = [deepSeek, row("input_cache_miss_tokens", "0", "5000000")].joined(separator: "\n")
    text.withUTF8 { decoder.decode(UnsafeRawBufferPointer($0), at: 0, into: &output) }
    var ledger = Ledger(promptEdges: [200_000])
    var translation = NameTranslation()
    translation.record(&output, into: &ledger)
    #expect(ledger.snapshot().cube.series.map(\.band) == [0])
  }

  @Test func `columns are found by name, quotes and marks of spreadsheets included`() {
    let head =
      "\u{FEFF}model,usage_date_utc,\"usage_output_tokens\",workspace,model_version,usage_input_tokens_no_cache"
    let sums = counted(head, "x,2026-11-19,500,\"a, \"\"b\"\"\",claude-opus-5,100\r")
    #expect(sums.tokens == TokenCounts(input: 100, output: 500))
    #expect(sums.requests == 1)
  }

  @Test func `OpenAI's cached tokens are inside the input`() {
    let head =
      "start_time_iso,num_model_requests,model,batch,input_tokens,output_tokens,input_cached_tokens"
    let sums = counted(head, "2026-11-19T00:00:00+00:00,12,gpt-5.6,True,90000,4000,60000")
    #expect(sums.requests == 12)
    #expect(sums.tokens == TokenCounts(input: 30_000, cacheRead: 60_000, output: 4000))
    let wrong = Decoded(head + "\n2026-11-19T00:00:00+00:00,12,gpt-5.6,True,90000,4000,90001\n")
    #expect(wrong.calls.isEmpty && wrong.tally.malformed == 1)
  }

  @Test func `rows that do not fit, and counters that cannot be, are errors`() {
    let decoded = Decoded(
      [
        deepSeek, "u1,2026-11-19,x", row("output_tokens", "0", "-5"),
        row("output_tokens", "0", "x"),
      ]
      .joined(separator: "\n"))
    #expect(decoded.calls.isEmpty && decoded.tally.malformed == 3)
  }

  @Test func `other tables and texts are foreign`() {
    let decoded = Decoded("a,b,c\n1,2,3\nhello, world\n")
    #expect(decoded.tally.foreign == 3 && decoded.tally.malformed == 0)
  }
}
