import Foundation

/// A moment as logs and the screen write it.
struct Moment {
  let date: Date

  init(_ date: Date = Date()) { self.date = date }

  /// Minutes before now; whole, so that the order within a minute does not depend on the clock.
  static func minutesAgo(_ minutes: Int) -> Moment {
    Moment(
      Date(timeIntervalSince1970: (Date().timeIntervalSince1970 / 60).rounded(.down) * 60)
        .addingTimeInterval(Double(-60 * minutes)))
  }

  var seconds: Int { Int(date.timeIntervalSince1970) }
  /// `2026-11-20T10:00:00Z`.
  var text: String { Date(timeIntervalSince1970: Double(seconds)).ISO8601Format() }
  /// `10:00:00`.
  var timeOfDay: String { String(text.dropFirst(11).prefix(8)) }
  /// `11-20 10:00`.
  var dayAndMinute: String { "\(text.dropFirst(5).prefix(5)) \(text.dropFirst(11).prefix(5))" }
  /// `10:00`.
  var minute: String { String(text.dropFirst(11).prefix(5)) }
}

/// Log lines as their writers make them.
enum LogLines {
  /// A call in OpenAI form. `cached` of `nil` is MiMo's `null` for no details.
  static func openAI(
    _ id: String, _ model: String, prompt: Int, cached: Int?, output: Int, reasoning: Int = 0,
    at time: Moment = Moment()
  ) -> String {
    let details = cached.map { "{\"cached_tokens\":\($0)}" } ?? "null"
    return
      #"{"id":"\#(id)","choices":[{"finish_reason":"stop","index":0,"message":{"content":"hello","role":"assistant","tool_calls":null}}],"created":\#(time.seconds),"model":"\#(model)","object":"chat.completion","usage":{"completion_tokens":\#(output),"prompt_tokens":\#(prompt),"total_tokens":\#(prompt + output),"completion_tokens_details":{"reasoning_tokens":\#(reasoning)},"prompt_tokens_details":\#(details)}}"#
      + "\n"
  }

  /// A call in Anthropic form in a caller's envelope: bodies of this form have no time.
  static func anthropic(
    _ id: String, _ model: String, fresh: Int, read: Int, output: Int, at time: Moment = Moment()
  ) -> String {
    #"{"ts":"\#(time.text)","response":{"id":"\#(id)","type":"message","role":"assistant","model":"\#(model)","stop_reason":"end_turn","content":[{"type":"text","text":"hello"}],"usage":{"input_tokens":\#(fresh),"cache_read_input_tokens":\#(read),"output_tokens":\#(output)}}}"#
      + "\n"
  }

  /// A call as DeepSeek counts it.
  static func deepSeek(
    _ id: String, _ model: String, hit: Int, miss: Int, output: Int, at time: Moment = Moment()
  ) -> String {
    #"{"id":"\#(id)","choices":[],"created":\#(time.seconds),"model":"\#(model)","object":"chat.completion","usage":{"prompt_tokens":\#(hit + miss),"completion_tokens":\#(output),"total_tokens":\#(hit + miss + output),"prompt_cache_hit_tokens":\#(hit),"prompt_cache_miss_tokens":\#(miss)}}"#
      + "\n"
  }

  /// A call of a service that logs with project and session.
  static func service(
    _ id: String, _ model: String, project: String, session: String, prompt: Int, cached: Int,
    output: Int = 100, at time: Moment
  ) -> String {
    #"{"ts":"\#(time.text)","project":"\#(project)","session":"\#(session)","response":{"id":"\#(id)","object":"chat.completion","model":"\#(model)","choices":[],"usage":{"prompt_tokens":\#(prompt),"completion_tokens":\#(output),"total_tokens":\#(prompt + output),"prompt_tokens_details":{"cached_tokens":\#(cached)}}}}"#
      + "\n"
  }

  /// A line of a Claude Code transcript.
  static func claudeCode(
    _ id: String, _ model: String, session: String, project: String, fresh: Int, read: Int,
    output: Int, request: String? = nil, agent: String? = nil, at time: Moment = Moment()
  ) -> String {
    let requestPart = request.map { #","requestId":"\#($0)""# } ?? ""
    let agentPart = agent.map { #","agentId":"\#($0)""# } ?? ""
    return
      #"{"parentUuid":null,"isSidechain":\#(agent != nil),"userType":"external","cwd":"\#(project)","sessionId":"\#(session)","version":"2.1.207","message":{"model":"\#(model)","id":"\#(id)","type":"message","role":"assistant","content":[{"type":"text","text":"..."}],"usage":{"input_tokens":\#(fresh),"cache_read_input_tokens":\#(read),"output_tokens":\#(output)}},"type":"assistant","uuid":"u-\#(id)-\#(output)","timestamp":"\#(time.text)"\#(requestPart)\#(agentPart)}"#
      + "\n"
  }
}
