import MimoEngine
import Testing

@testable import MimoIngest

/// A payload line with these fields beside the usual ones.
private func payload(_ fields: String, id: String = "chatcmpl-1", usage: String = "{}") -> String {
  #"{"id":"\#(id)","call_type":"acompletion","model":"mimo-v2.6-pro","model_group":"mimo","startTime":1795140001.1,"endTime":1795140003.6,\#(fields),"metadata":{"usage_object":\#(usage)}}"#
}

@Suite struct LiteLLMTests {
  @Test func `the prompt holds what was cached, for every vendor`() {
    let anthropic = call(
      payload(
        #""prompt_tokens":31000,"completion_tokens":400,"custom_llm_provider":"anthropic","response_cost":0.0311"#,
        usage:
          #"{"prompt_tokens":31000,"cache_read_input_tokens":30000,"cache_creation_input_tokens":900}"#
      ))
    #expect(
      anthropic?.tokens
        == TokenCounts(input: 100, cacheRead: 30000, cacheWrite5m: 900, output: 400))
    #expect(anthropic?.statedCost == "0.0311")
    #expect(anthropic?.durationMilliseconds == 2500)
    #expect(anthropic?.provider == "anthropic")
  }

  @Test func `more cached than prompt can only be beside it`() {
    let old = call(
      payload(
        #""prompt_tokens":100,"completion_tokens":4"#,
        usage: #"{"cache_read_input_tokens":3000,"cache_creation_input_tokens":50}"#))
    #expect(
      old?.tokens == TokenCounts(input: 100, cacheRead: 3000, cacheWrite5m: 50, output: 4))
  }

  @Test func `what is written for an hour is told apart`() {
    let usage =
      #"{"prompt_tokens_details":{"cached_tokens":0,"cache_creation_tokens":70,"cache_creation_token_details":{"ephemeral_5m_input_tokens":20,"ephemeral_1h_input_tokens":50}}}"#
    let call = call(payload(#""prompt_tokens":100,"completion_tokens":4"#, usage: usage))
    #expect(
      call?.tokens == TokenCounts(input: 30, cacheWrite5m: 20, cacheWrite1h: 50, output: 4))
  }

  @Test func `an answer from the proxy's own cache costs nothing and is no hit of the vendor's`() {
    let line = payload(
      #""prompt_tokens":500,"completion_tokens":20,"cache_hit":true,"response_cost":0.5"#)
    let sums = counted(line)
    #expect(sums.answerCacheHits == 1)
    #expect(sums.statedCost == .zero && sums.statedCalls == 1)
    #expect(sums.hitRate == nil)
    for text in ["\"True\"", "\"true\""] {
      #expect(counted(line.replacing("true", with: text)).answerCacheHits == 1)
    }
    for text in ["\"False\"", "\"None\"", "null", "false"] {
      #expect(counted(line.replacing("true", with: text)).answerCacheHits == 0)
    }
  }

  @Test func `the same answer taken twice from the proxy's cache is two calls`() {
    let line = payload(#""prompt_tokens":500,"completion_tokens":20,"cache_hit":true"#)
    let later = line.replacing("17951400", with: "17951500")
    #expect(counted(line, later, line).answerCacheHits == 2)
  }

  @Test func `a stated cost of 0 is unknown`() {
    let call = call(payload(#""prompt_tokens":5,"completion_tokens":2,"response_cost":0.0"#))
    #expect(call != nil && call?.statedCost == nil)
  }

  @Test func `a failed call is an error, with whatever it billed`() {
    let failed = payload(#""prompt_tokens":0,"completion_tokens":0,"status":"failure""#)
    #expect(counted(failed).errors == 1 && counted(failed).requests == 0)
    let billed = payload(#""prompt_tokens":7,"completion_tokens":0,"status":"failure""#)
    #expect(counted(billed).errors == 1 && counted(billed).requests == 1)
  }

  @Test func `payload and row of spend of one call count once, whatever they are mixed with`() {
    let row =
      #"{"request_id":"chatcmpl-1","call_type":"acompletion","api_key":"\#(String(repeating: "8f", count: 32))","spend":0.5,"prompt_tokens":3000,"completion_tokens":200,"startTime":"2026-11-20T02:00:00.100000Z","endTime":"2026-11-20 02:00:02.600","model":"mimo-v2.6-pro","custom_llm_provider":"xiaomi_mimo","team_id":"web","session_id":"s1","status":"success","metadata":"{\"usage_object\":{\"prompt_tokens_details\":{\"cached_tokens\":2560}}}"}"#
    let line = payload(#""prompt_tokens":3000,"completion_tokens":200"#)
    let answer =
      #"{"id":"chatcmpl-1","object":"chat.completion","model":"mimo-v2.6-pro","usage":{"prompt_tokens":3000,"completion_tokens":200}}"#
    #expect(counted(line, row).requests == 1)
    #expect(counted(row, line).tokens == TokenCounts(input: 440, cacheRead: 2560, output: 200))
    // The id may be the proxy's own: it joins with no other log.
    #expect(counted(answer, row, line).requests == 2)
    let call = call(row)
    #expect(call?.tokens == TokenCounts(input: 440, cacheRead: 2560, output: 200))
    #expect(call?.project == "web" && call?.session == "s1" && call?.statedCost == "0.5")
    #expect(call?.key.hasPrefix("#") == true, "a hash is shortened")
  }

  @Test func `a payload may stand inside what a callback was given, and have the answer in it`() {
    let line =
      #"{"standard_logging_object":\#(payload(#""prompt_tokens":3,"completion_tokens":2,"response":{"id":"x","model":"m","object":"chat.completion","usage":{"prompt_tokens":3,"completion_tokens":2}}"#))}"#
    #expect(call(line)?.source == "litellm")
    #expect(call(line)?.tokens == TokenCounts(input: 3, output: 2))
    let bare = payload(
      #""prompt_tokens":3,"completion_tokens":2,"response":{"id":"x","model":"m","object":"chat.completion","usage":{"prompt_tokens":3,"completion_tokens":2}}"#
    )
    // Also behind lines of answers.
    let answer =
      #"{"id":"a","object":"chat.completion","model":"m","usage":{"prompt_tokens":1,"completion_tokens":1}}"#
    #expect(calls(answer, bare).map(\.source) == ["api", "litellm"])
  }

  @Test func `the address tells the seller, unless it is a proxy in the house`() {
    func seller(_ fields: String) -> String? {
      call(payload(#""prompt_tokens":3,"completion_tokens":2,\#(fields)"#))?.provider
    }
    let plan =
      #""api_base":"https://token-plan-cn.xiaomimimo.com/v1","custom_llm_provider":"openai""#
    #expect(seller(plan) == "token-plan-cn.xiaomimimo.com")
    #expect(
      seller(#""api_base":"http://localhost:4000","custom_llm_provider":"deepseek""#) == "deepseek")
    #expect(
      seller(#""api_base":"http://10.0.0.7:4000/v1","custom_llm_provider":"deepseek""#)
        == "deepseek")
    #expect(seller(#""api_base":"","custom_llm_provider":"deepseek""#) == "deepseek")
  }

  @Test func `listings of tools are no calls`() {
    let line = payload(#""prompt_tokens":0,"completion_tokens":0,"status":"success""#)
    let decoded = Decoded(line)
    #expect(decoded.calls.isEmpty && decoded.tally.notUsage == 1 && decoded.tally.foreign == 0)
  }
}

@Suite struct OpenRouterGenerationTests {
  private let record =
    #"{"data":{"id":"gen-1795000042-defdef","total_cost":0.0019,"created_at":"2026-11-20T09:00:00.000000+00:00","model":"xiaomi/mimo-v2.6-pro","is_byok":false,"upstream_inference_cost":0.0011,"provider_name":"Xiaomi","generation_time":5200,"tokens_prompt":5100,"native_tokens_prompt":5000,"native_tokens_completion":500,"native_tokens_reasoning":350,"native_tokens_cached":4600}}"#

  @Test func `the native counters count`() {
    let call = call(record)
    #expect(
      call?.tokens == TokenCounts(input: 400, cacheRead: 4600, output: 500, reasoning: 350))
    #expect(call?.statedCost == "0.0019" && call?.durationMilliseconds == 5200)
    #expect(call?.time == 1_795_165_200_000)
  }

  @Test func `with the caller's own key the upstream cost is the real one`() {
    #expect(
      call(record.replacing(#""is_byok":false"#, with: #""is_byok":true"#))?.statedCost == "0.0011")
  }

  @Test func `a record and the answer it is about are one call`() {
    let answer =
      #"{"id":"gen-1795000042-defdef","object":"chat.completion","created":1795165200,"model":"xiaomi/mimo-v2.6-pro","usage":{"prompt_tokens":5000,"completion_tokens":500,"prompt_tokens_details":{"cached_tokens":4600}}}"#
    #expect(counted(answer, record).requests == 1)
    #expect(counted(record, answer).requests == 1)
  }

  @Test func `more cached than prompt is an error`() {
    let decoded = Decoded(record.replacing("4600", with: "5600"))
    #expect(decoded.calls.isEmpty && decoded.tally.malformed == 1)
  }
}
