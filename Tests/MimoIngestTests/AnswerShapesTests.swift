import CScan
import MimoTestSupport
import Testing

@testable import MimoIngest

/// Answers as writers write them, of a few forms and with values that vary, some of them nonsense.
private struct Answers {
  var random: SplitMix
  /// How often a value is none that a writer would write, in 100.
  let oddity: UInt64

  /// Which forms lines have: few for each seed, so that they come again with other values.
  var form = SplitMix(state: 0)
  let seed: UInt64

  init(seed: UInt64, oddity: UInt64) {
    (self.seed, self.oddity) = (seed, oddity)
    random = SplitMix(state: seed)
  }

  mutating func pick(_ bound: UInt64) -> Int { Int(random.next() % bound) }

  mutating func pickForm(_ bound: UInt64) -> Int { Int(form.next() % bound) }

  mutating func pick(_ choices: [String]) -> String { choices[pick(UInt64(choices.count))] }

  mutating func isOdd() -> Bool { pick(100) < oddity }

  mutating func count() -> String {
    if isOdd() {
      return pick([
        "null", "\"12\"", "12.0", "1.5", "1e3", "-5", "0", "00", "99999999", "123456789012345678",
        "true", "[]", "{}", "{\"a\":[1,\"]\"]}", "", " 7 ",
      ])
    }
    return String(pick(pick(2) == 0 ? 10 : 10_000_000))
  }

  mutating func text() -> String {
    let parts = [
      "a", "]", "}", "{", "\\\"", "\\\\", ",", ":", "word ", "\\u005d", "é", " \\\\\\\"", "\n",
    ]
    // Raw line ends do not stand in a line.
    return (0..<pick(30)).map { _ in parts[pick(UInt64(parts.count - 1))] }.joined()
  }

  mutating func string(_ usual: [String]) -> String {
    if isOdd() { return pick(["null", "7", "\"\"", "\"a\\u0062\"", "[\"x\"]", "{\"id\":\"y\"}"]) }
    return "\"\(pick(usual))\(pick(3) == 0 ? String(pick(1000)) : "")\""
  }

  mutating func time() -> String {
    if isOdd() {
      return pick(["null", "0.53", "\"soon\"", "17", "1795000060123", "\"1795000060\""])
    }
    return pickForm(2) == 0
      ? String(1_795_000_000 + pick(100_000)) : "\"2026-11-0\(1 + pick(9))T10:0\(pick(10)):00Z\""
  }

  mutating func usage() -> String {
    switch pickForm(5) {
    case 4:
      "{\"queue_time\":0.\(pick(1000)),\"prompt_tokens\":\(count()),\"completion_tokens\":\(count()),\"cost\":0.0\(pick(100)),\"cost_details\":{\"upstream_inference_cost\":\(pickForm(2) == 0 ? "null" : "0.00\(pick(50))"),\"upstream_inference_prompt_cost\":0.0\(pick(9))},\"prompt_tokens_details\":{\"cached_tokens\":\(count()),\"other\":\(count())},\"is_byok\":\(pick(["true", "false"]))}"
    case 0:
      "{\"prompt_tokens\":\(count()),\"completion_tokens\":\(count()),\"total_tokens\":\(count()),\"prompt_tokens_details\":\(pickForm(5) == 0 ? "null" : "{\"cached_tokens\":\(count()),\"audio_tokens\":\(count())}"),\"completion_tokens_details\":{\"reasoning_tokens\":\(count())}}"
    case 1:
      "{\"prompt_tokens\": \(count()), \"completion_tokens\": \(count()), \"prompt_cache_hit_tokens\": \(count()), \"prompt_cache_miss_tokens\": \(count()), \"cost\": 0.00\(pick(100))}"
    case 2:
      "{\"input_tokens\":\(count()),\"input_tokens_details\":{\"cached_tokens\":\(count())},\"output_tokens\":\(count()),\"output_tokens_details\":{\"reasoning_tokens\":\(count())},\"total_tokens\":\(count())}"
    default:
      "{\"input_tokens\":\(count()),\"cache_creation_input_tokens\":\(count()),\"cache_read_input_tokens\":\(count()),\"cache_creation\":{\"ephemeral_5m_input_tokens\":\(count()),\"ephemeral_1h_input_tokens\":\(count())},\"output_tokens\":\(count())\(pickForm(4) == 0 ? ",\"input_tokens\":\(count())" : "")}"
    }
  }

  mutating func body() -> String {
    let id = string(["a", "chatcmpl-", "gen-", "msg_bdrk_"])
    let model = string(["mimo-v2.6-pro", "gemini-3", "gpt-6"])
    return switch pickForm(4) {
    case 0:
      "{\"id\":\(id),\"choices\":[{\"index\":0,\"message\":{\"content\":\"\(text())\",\"role\":\"assistant\"},\"finish_reason\":\(string(["stop", "length"]))}],\"created\":\(time()),\"model\":\(model),\"object\":\"chat.completion\",\"usage\":\(usage())}"
    case 1:
      "{\"id\":\(id),\"object\":\"response\",\"created_at\":\(time()),\"output\":[{\"content\":[{\"text\":\"\(text())\"}]}],\"model\":\(model),\"usage\":\(usage())}"
    case 2:
      "{\"id\":\(id),\"type\":\"message\",\"model\":\(model),\"content\":[{\"type\":\"text\",\"text\":\"\(text())\"}],\"usage\":\(usage())}"
    default:
      "{\"model\":\(model),\"usage\":\(usage()),\"id\":\(id),\"extra\":\(count()),\"delta\":{\"text\":\"\(text())\"}}"
    }
  }

  mutating func next() -> String {
    form = SplitMix(state: seed &* 5 &+ UInt64(pick(5)))
    return switch pickForm(9) {
    case 0...3: body()
    case 4:
      "{\"ts\":\(time()),\"latency_ms\":\(count()),\"status\":200,\"session\":\(string(["s"])),\"request\":{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\(text())\"}]},\"response\":\(body())}"
    case 5:
      "{\"timestamp\":\(time()),\"key\":\(string(["sk-abc", "user"])),\"cost\":\(count()),\"body\":\(body()),\"usage\":\(usage())}"
    case 6:
      "data: {\"type\":\"message_start\",\"message\":{\"id\":\(string(["m"])),\"model\":\"claude\",\"usage\":\(usage())}}"
    case 7: "data: {\"type\":\"message_delta\",\"delta\":{},\"usage\":\(usage())}"
    default:
      pick([
        "data: {\"type\":\"message_stop\"}", "{\"error\":{\"message\":\"\(text())\",\"code\":1}}",
      ])
    }
  }
}

@Suite struct AnswerShapesTests {
  @Test(arguments: 0..<80)
  func `a line means the same, whatever lines before it looked like`(_ seed: UInt64) {
    var answers = Answers(seed: seed, oddity: [0, 2, 10, 40][Int(seed % 4)])
    let lines = (0..<400).map { _ in answers.next() }
    let text = lines.joined(separator: "\n") + "\n"
    let learned = Decoded(text, formats: [AnswerDecoder()])
    let plain = Decoded(text, formats: [AnswerDecoder.withoutShapes])
    #expect(learned.calls == plain.calls)
    #expect(learned.tally == plain.tally)
  }

  /// Reads lines with one memory; says of each whether it looked like one before.
  private func known(_ lines: [String]) throws -> [Bool] {
    var shapes = AnswerShapes()
    return lines.map { line in
      var line = line
      return line.withUTF8 { bytes in
        let bytes = UnsafeRawBufferPointer(bytes)
        if shapes.find(bytes) != nil { return true }
        shapes.learn(bytes)
        return false
      }
    }
  }

  @Test func `answers that differ in their values look alike`() throws {
    func answer(_ n: Int, _ text: String) -> String {
      #"{"id":"id\#(n)","choices":[{"index":0,"message":{"content":"\#(text)","tool_calls":null}}],"created":\#(1_795_000_000 + n),"model":"m\#(n % 3)","usage":{"prompt_tokens":\#(n),"completion_tokens":\#(n * 7),"prompt_tokens_details":{"cached_tokens":\#(n / 2)}}}"#
    }
    let lines = (1..<50).map { answer($0 * $0 * 37, String(repeating: #"a \"}] "#, count: $0 % 5)) }
    #expect(try known(lines) == [false] + Array(repeating: true, count: lines.count - 1))
    // In an envelope, with a question, and with times as text.
    let enveloped = (1..<50).map {
      #"{"ts": "2026-11-22T10:00:\#(10 + $0)Z", "latency_ms": \#($0 * 31), "request": {"messages": [{"content": "\#($0)"}]}, "response": \#(answer($0 * 911, "x"))}"#
    }
    #expect(try known(enveloped) == [false] + Array(repeating: true, count: enveloped.count - 1))
    // With what nobody reads, wherever it stands.
    let foreign = (1..<50).map {
      #"{"id":"gen-\#($0)","latency":0.\#($0),"fingerprint":"fp_\#($0)","usage":{"prompt_tokens":\#($0),"queue_time":1.\#($0),"cost":0.0\#($0),"cost_details":{"upstream_inference_cost":0.\#($0),"parts":[\#(9),"\#($0)"]}},"model":"m"}"#
    }
    #expect(try known(foreign) == [false] + Array(repeating: true, count: foreign.count - 1))
  }

  @Test func `an answer with other keys, kinds or words does not look alike`() throws {
    let first = #"{"id":"a","model":"m","object":"chat.completion","usage":{"prompt_tokens":5}}"#
    for other in [
      #"{"id":"a","model":"m","object":"chat.completion","usage":{"prompt_tokens":null}}"#,
      #"{"id":"a","model":null,"object":"chat.completion","usage":{"prompt_tokens":5}}"#,
      #"{"id":"a","model":"m","object":"text_completion","usage":{"prompt_tokens":5}}"#,
      #"{"id":"a","model":"m","object":"chat.completion","usage":{"output_tokens":5}}"#,
      #"{"id":"a","model":"m","object":"chat.completion","usage":{"prompt_tokens":5}} "#,
      #"{"id":"a","model":"m","object":"chat.completion","usage":{"prompt_tokens":5}"#,
      #"{"id":"a","model":"m","object":"chat.completion","usage":{"prompt_tokens":-5}}"#,
      #"{"id":"a","model":"m","object":"chat.completion","usage":{"prompt_tokens":5},"error":"x"}"#,
      #"{"id":"a","model":"m","object":"chat.completion","usage":{"prompt_tokens":5"#, "{", "",
    ] { #expect(try known([first, other, first]) == [false, false, true], "\(other)") }
  }

  @Test func `of two places that say the same the one counts that would without shapes`() {
    func line(_ inner: Int, _ outer: Int) -> String {
      #"{"body":{"id":"a\#(inner)","model":"m","usage":{"prompt_tokens":\#(inner)}},"usage":{"prompt_tokens":\#(outer)}}"#
    }
    let text = [line(5, 5), line(6, 7), line(8, 8), line(9, 2)].joined(separator: "\n") + "\n"
    let learned = Decoded(text, formats: [AnswerDecoder()])
    #expect(learned.calls.map(\.tokens.input) == [5, 6, 8, 9])
    #expect(learned.calls == Decoded(text, formats: [AnswerDecoder.withoutShapes]).calls)
  }

  @Test func `what a body says that is text counts before what stands beside it`() {
    func line(_ created: Int, _ prompt: Int) -> String {
      #"{"body":"{\"id\":\"a\",\"model\":\"m\",\"created\":1795000060,\"usage\":{\"prompt_tokens\":5}}","created":\#(created),"usage":{"prompt_tokens":\#(prompt)}}"#
    }
    let text = [line(1_795_000_060, 5), line(1_795_000_099, 9)].joined(separator: "\n") + "\n"
    let plain = Decoded(text, formats: [AnswerDecoder.withoutShapes])
    #expect(plain.calls.map(\.time) == [1_795_000_060_000, 1_795_000_060_000])
    #expect(plain.calls.map(\.tokens.input) == [5, 5])
    #expect(Decoded(text, formats: [AnswerDecoder()]).calls == plain.calls)
  }

  @Test func `where no answer is like another nobody keeps looking, and looks again later`() throws
  {
    let strange = (0..<500).map {
      #"{"id":"a","model":"m","object":"\#($0)","usage":{"input_tokens":1}}"#
    }
    let alike = (0..<4000).map { #"{"id":"\#($0)","model":"m","usage":{"input_tokens":\#($0)}}"# }
    let known = try known(strange + alike)
    #expect(!known.prefix(strange.count).contains(true))
    let first = try #require(known.firstIndex(of: true))
    #expect((strange.count + 1000..<strange.count + 2500).contains(first))
    #expect(known[first...].allSatisfy { $0 })
  }

  @Test(arguments: ["1795000060", "\"2026-11-22T10:00:00Z\""])
  func `every cut of a known answer is read as without shapes`(_ created: String) {
    let whole =
      #"{"id":"a","choices":[{"message":{"content":"so \"quoted\" a text"}}],"created":\#(created),"model":"m","usage":{"prompt_tokens":15,"completion_tokens":7,"cost":0.5}}"#
    for (cut, behind) in [("\n", ""), ("\n", "\n"), ("\r\n", "\n"), ("\n ", "\n")] {
      let cuts = (0..<whole.utf8.count).map { place in
        whole + "\n" + String(whole.prefix(place)) + cut
          + (behind.isEmpty ? "" : String(whole.dropFirst(place)) + behind)
      }
      let text = cuts.joined()
      let learned = Decoded(text, formats: [AnswerDecoder()])
      let plain = Decoded(text, formats: [AnswerDecoder.withoutShapes])
      #expect(learned.calls == plain.calls)
      #expect(learned.tally == plain.tally)
    }
  }

  @Test func `an answer that stands over several lines looks like no line`() throws {
    let answer = #"{"id":"a","model":"m",\#n"usage":{"prompt_tokens":5}}"#
    #expect(try known([answer, answer]) == [false, false])
  }

  /// Where a text ends, byte by byte.
  private func end(of text: [UInt8]) -> Int? {
    var place = 0
    while place < text.count, text[place] != 10 {
      if text[place] == 34 { return place }
      place += text[place] == 92 && place + 1 < text.count && text[place + 1] != 10 ? 2 : 1
    }
    return nil
  }

  private func expectEnd(of text: [UInt8]) {
    text.withUnsafeBufferPointer { bytes in
      guard let start = bytes.baseAddress else { return }
      let found = cs_end_of_text(start, start + bytes.count)
      #expect(found.map { $0 - start } == end(of: text), "\(text)")
    }
  }

  @Test(arguments: 1...6)
  func `backslashes count wherever they stand`(_ backslashes: Int) {
    for place in 0..<200 {
      for behind in [[34], [110, 34], [34, 34]] as [[UInt8]] {
        var text = [UInt8](repeating: 97, count: 260)
        let escaped = Array(repeating: 92, count: backslashes) + behind
        text.replaceSubrange(place..<place + escaped.count, with: escaped)
        expectEnd(of: text)
      }
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `a text ends at the first quote that is not escaped, in its line`(_ seed: UInt64) {
    var random = SplitMix(state: seed)
    for _ in 0..<500 {
      let rarity = 1 + random.next() % 60
      let text = (0..<random.next() % 300).map { _ -> UInt8 in
        let choice = random.next() % (rarity * 4)
        return [34, 92, 92, 10].indices.contains(Int(choice)) ? [34, 92, 92, 10][Int(choice)] : 97
      }
      expectEnd(of: text)
    }
  }
}
