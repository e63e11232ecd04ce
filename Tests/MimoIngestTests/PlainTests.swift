import MimoEngine
import Testing

@testable import MimoIngest

@Suite struct PlainTests {
  private func tokens(_ fields: String) -> TokenCounts? {
    call(#"{"model":"m","time":"2026-11-20T16:00:00Z",\#(fields)}"#)?.tokens
  }

  @Test func `the usual names count`() {
    let line =
      #"{"timestamp":"2026-11-20T16:00:00Z","model":"mimo-v2.6-pro","user":"ana","session":"s","project":"p","base_url":"https://api.xiaomimimo.com/v1","prompt_tokens":100,"completion_tokens":50,"cached_tokens":90,"reasoning_tokens":7,"latency_ms":700,"cost_usd":0.0001}"#
    let call = call(line)
    #expect(call?.tokens == TokenCounts(input: 10, cacheRead: 90, output: 50, reasoning: 7))
    #expect(call?.source == "plain" && call?.key == "ana" && call?.provider == "api.xiaomimimo.com")
    #expect(call?.statedCost == "0.0001" && call?.durationMilliseconds == 700)
    #expect(call?.time == 1_795_190_400_000)
  }

  @Test func `names tell where cached tokens are counted`() {
    #expect(
      tokens(#""prompt_tokens":100,"completion_tokens":1,"cached_tokens":60"#)
        == TokenCounts(input: 40, cacheRead: 60, output: 1))
    #expect(
      tokens(
        #""input_tokens":100,"output_tokens":1,"cache_read_input_tokens":60,"cache_creation_input_tokens":5"#
      ) == TokenCounts(input: 100, cacheRead: 60, cacheWrite5m: 5, output: 1))
    #expect(
      tokens(#""input":100,"output":1,"cacheRead":60,"cacheWrite":5"#)
        == TokenCounts(input: 100, cacheRead: 60, cacheWrite5m: 5, output: 1))
    #expect(
      tokens(#""input_tokens":100,"output_tokens":1,"cached_tokens":60"#)
        == TokenCounts(input: 40, cacheRead: 60, output: 1))
    // More cached than input proves that it is beside.
    #expect(
      tokens(#""prompt_tokens":100,"completion_tokens":1,"cached_tokens":600"#)
        == TokenCounts(input: 100, cacheRead: 600, output: 1))
  }

  @Test func `of two names of one thing the same counts, whatever their order`() {
    let a = call(
      #"{"model":"m","prompt_tokens":5,"input_tokens":7,"output":1,"cost":0,"cost_usd":0.5,"created":1795190400,"ts":1795190401}"#
    )
    let b = call(
      #"{"ts":1795190401,"created":1795190400,"cost_usd":0.5,"cost":0,"output":1,"input_tokens":7,"prompt_tokens":5,"model":"m"}"#
    )
    #expect(a == b && a != nil)
    #expect(a?.tokens.input == 5 && a?.statedCost == "0.5" && a?.time == 1_795_190_401_000)
  }

  @Test func `lines about something else are foreign`() {
    for line in [
      #"{"model":"printer","status":"ok","pages":5}"#,
      #"{"prompt_tokens":5,"completion_tokens":2}"#,
      #"{"model":"m","input":"a question","output":"an answer"}"#,
      #"{"model":"m","input":5,"usage":{"x":1}}"#,
    ] {
      #expect(Decoded(line).tally.foreign == 1, "\(line)")
    }
  }

  @Test func `negative counters are errors`() {
    let decoded = Decoded(#"{"model":"m","prompt_tokens":-5,"completion_tokens":2}"#)
    #expect(decoded.calls.isEmpty && decoded.tally.malformed == 1)
  }

  @Test func `plain lines do not hide the lines of other formats behind them`() {
    let plain = #"{"model":"m","prompt_tokens":5,"completion_tokens":2}"#
    let helicone =
      #"{"request_id":"h1","request_created_at":"2026-11-20T15:10:00.000Z","model":"m","status":200,"prompt_tokens":200,"completion_tokens":90}"#
    #expect(calls(plain, helicone, plain).map(\.source) == ["plain", "helicone", "plain"])
  }
}

@Suite struct FieldMapTests {
  private func calls(_ map: String, _ lines: String...) throws -> Decoded {
    try Decoded(lines.joined(separator: "\n"), formats: [PlainDecoder(FieldMap(map))])
  }

  private let line =
    #"{"when":1795190400,"who":{"name":"ana"},"llm":{"name":"mimo-v2.6-pro","usage":{"in":1000,"out":50,"hit":900}},"prompt_tokens":7}"#
  private let map =
    "time=when,key=who.name,model=llm.name,input=llm.usage.in,output=llm.usage.out,cache_read=llm.usage.hit"

  @Test func `fields are found where the user says, cached tokens inside or beside`() throws {
    let inside = try calls(map + ",cached=inside", line).calls.first
    #expect(inside?.tokens == TokenCounts(input: 100, cacheRead: 900, output: 50))
    #expect(inside?.model == "mimo-v2.6-pro" && inside?.key == "ana")
    #expect(inside?.time == 1_795_190_400_000)
    let beside = try calls(map + ",cached=beside", line).calls.first
    #expect(beside?.tokens == TokenCounts(input: 1000, cacheRead: 900, output: 50))
  }

  @Test func `what contradicts the user's word is an error`() throws {
    let decoded = try calls(map + ",cached=inside", line.replacing("900", with: "1900"))
    #expect(decoded.calls.isEmpty && decoded.tally.malformed == 1)
  }

  @Test func `what is not mapped has its usual name, but counters have none`() throws {
    let call = try calls(
      "input=in", #"{"model":"m","ts":1795190400,"in":5,"cached_tokens":3,"output_tokens":2}"#
    ).calls.first
    #expect(call?.tokens == TokenCounts(input: 5) && call?.model == "m")
  }

  @Test func `a mapped line needs no model, and one place may be read twice`() throws {
    let call = try calls("input=n,session=x.id,project=x.id", #"{"n":5,"x":{"id":"a"}}"#).calls
      .first
    #expect(call?.session == "a" && call?.project == "a")
    #expect(try calls("input=n", #"{"m":5}"#).tally.foreign == 1)
  }

  @Test(arguments: [
    ("", "'' is not FIELD=PATH"), ("input", "'input' is not FIELD=PATH"),
    ("input=a..b", "'input=a..b' is not FIELD=PATH"), ("tokens=a", "unknown field 'tokens'"),
    ("input=a,input=b", "'input' is given twice"), ("model=a", "say where the tokens are"),
    ("input=a,cache_read=b", "say whether input holds the cached tokens"),
    ("input=a,cached=maybe", "say whether input holds the cached tokens"),
  ])
  func `a map that cannot be used says what to write`(_ map: String, _ message: String) {
    do {
      _ = try FieldMap(map)
      Issue.record("\(map) was accepted")
    } catch {
      #expect(error.description.hasPrefix(message))
    }
  }
}
