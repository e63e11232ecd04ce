#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Writes logs that look like real ones, the same bytes for the same arguments.
struct LogGenerator {
  /// Which log to write.
  enum Form: String, CaseIterable {
    /// Chat answers of about 1 KB, as callers log them.
    case openai
    /// A Claude Code transcript: several kilobytes of text a line, each answer written twice.
    case claude
    /// Lines of about 400 bytes with little but usage.
    case slim
  }

  private var state: UInt64 = 0x2545_F491_4F6C_DD1D
  private let words =
    "the cache holds a prefix of each prompt so that a repeated question costs a fraction of the first one "

  private mutating func random(_ bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state % UInt64(bound))
  }

  private mutating func hex(_ count: Int) -> String {
    var text = ""
    while text.utf8.count < count {
      let part = String(UInt64(random(Int.max)), radix: 16)
      text += part
    }
    return String(text.prefix(count))
  }

  private mutating func text(_ bytes: Int) -> String {
    var text = ""
    while text.utf8.count < bytes {
      text += words.dropFirst(random(40))
      if random(4) == 0 { text += "\\n\\\"quoted\\\" {braces} " }
    }
    return text
  }

  /// Writes at least `bytes` bytes of whole lines to `path`.
  mutating func write(_ form: Form, bytes: Int, to path: String) -> Bool {
    guard let file = fopen(path, "w") else { return false }
    var written = 0
    var second = 1_793_000_000
    var cached = 0
    while written < bytes {
      second += random(8)
      var lines = ""
      switch form {
      case .openai, .slim:
        let prompt = 800 + random(60_000)
        cached = min(prompt, random(10) == 0 ? 0 : prompt / 64 * 60)
        let out = 20 + random(1500)
        let model = ["mimo-v2.6-pro", "mimo-v2.6-flash", "deepseek-v4-pro"][random(3)]
        let content = form == .slim ? "" : text(500 + random(300))
        let reasoning = form == .slim ? "" : "\"reasoning_content\":\"\(text(40))\","
        lines =
          "{\"id\":\"\(hex(32))\",\"choices\":[{\"finish_reason\":\"stop\",\"index\":0,\"message\":{\"content\":\"\(content)\",\(reasoning)\"role\":\"assistant\",\"tool_calls\":null}}],\"created\":\(second),\"model\":\"\(model)\",\"object\":\"chat.completion\",\"usage\":{\"completion_tokens\":\(out),\"prompt_tokens\":\(prompt),\"total_tokens\":\(prompt + out),\"completion_tokens_details\":{\"reasoning_tokens\":\(out / 3)},\"prompt_tokens_details\":{\"cached_tokens\":\(cached)}}}\n"
      case .claude:
        let session = "5f0c2a10-0000-4000-8000-\(hex(2))0000000000"
        let stamp =
          "2026-11-\(10 + second / 86_400 % 10)T\(10 + second / 3600 % 10):\(10 + second / 60 % 50):\(10 + second % 50).123Z"
        let common =
          "\"isSidechain\":false,\"userType\":\"external\",\"cwd\":\"/home/ana/shop\",\"sessionId\":\"\(session)\",\"version\":\"2.1.207\",\"gitBranch\":\"main\""
        lines =
          "{\"parentUuid\":null,\(common),\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"content\":\"\(text(2000 + random(12_000)))\"}]},\"uuid\":\"\(hex(32))\",\"timestamp\":\"\(stamp)\"}\n"
        let id = "msg_01" + hex(22)
        let request = "req_01" + hex(22)
        for out in [8, 30 + random(900)] {
          lines +=
            "{\"parentUuid\":null,\(common),\"message\":{\"model\":\"claude-opus-5\",\"id\":\"\(id)\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"\(text(1500 + random(3000)))\"}],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":3,\"cache_creation_input_tokens\":\(random(9000)),\"cache_read_input_tokens\":\(17_000 + random(90_000)),\"cache_creation\":{\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":0},\"output_tokens\":\(out),\"service_tier\":\"standard\"}},\"type\":\"assistant\",\"uuid\":\"\(hex(32))\",\"timestamp\":\"\(stamp)\",\"requestId\":\"\(request)\"}\n"
        }
      }
      fputs(lines, file)
      written += lines.utf8.count
    }
    return fclose(file) == 0
  }
}
