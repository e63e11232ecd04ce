import MimoEngine
import MimoIngest
import MimoThreads

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A made-up stream of log lines that goes the way of real ones: written into a pipe, decoded, counted.
///
/// It begins with some hours of history, then goes on live: agents in several projects with good hit
/// rates, and every two minutes a bug that changes the beginning of each prompt for some forty seconds,
/// so that nothing is found in the cache.
final class DemoStream: @unchecked Sendable {
  /// The end to read from.
  let descriptor: Int32
  private let input: Int32
  private let begin: Instant
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15
  private var contexts: [Int: Int64] = [:]
  private var number = 0

  private struct Agent {
    var model: String
    var project: String
    var session: String
    /// Mean milliseconds between its calls while live.
    var interval: Int64
    var isTranscript: Bool
  }

  private let agents = [
    Agent(
      model: "mimo-v2.6-pro", project: "/home/ana/shop", session: "7d1f-shop-checkout",
      interval: 2500, isTranscript: true),
    Agent(
      model: "mimo-v2.6-pro", project: "/home/ana/search", session: "a90c-search-index",
      interval: 4000, isTranscript: true),
    Agent(
      model: "mimo-v2.6-flash", project: "/home/ana/shop", session: "31be-shop-tests",
      interval: 1800, isTranscript: true),
    Agent(
      model: "deepseek-v4-pro", project: "billing", session: "nightly", interval: 5000,
      isTranscript: false),
    Agent(
      model: "claude-opus-5", project: "/home/ana/docs", session: "c4e2-docs-review",
      interval: 9000, isTranscript: true),
  ]

  /// Prepares the stream; nothing flows yet.
  init(now: Instant) throws {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw LogError.failed(path: "demo pipe", code: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (descriptor, input) = (ends[0], ends[1])
    begin = now
  }

  /// Lets the stream flow, on a thread of its own.
  func start() { WorkerThread.start { self.flow() }?.detach() }

  private func flow() {
    // Five hours of the past at a tenth of the live rate.
    var time = begin.milliseconds - 5 * 3_600_000
    while time < begin.milliseconds - 2000 {
      let agent = random(agents.count)
      time += 4000 + Int64(random(9000))
      guard send(call(agents[agent], agent, at: Instant(milliseconds: time), isBroken: false))
      else { return }
    }
    var due = agents.map { begin.milliseconds + Int64(random(Int($0.interval))) }
    while true {
      let agent = due.indices.min { due[$0] < due[$1] }!
      let wait = due[agent] - SystemClock.now.milliseconds
      if wait > 0 { usleep(UInt32(min(wait, 60_000)) * 1000) }
      let elapsed = (due[agent] - begin.milliseconds) / 1000
      // From the 12th to the 55th second of every two minutes; the first time soon enough to be seen.
      let isBroken = 12..<55 ~= elapsed % 120
      guard
        send(call(agents[agent], agent, at: Instant(milliseconds: due[agent]), isBroken: isBroken))
      else { return }
      let pace = isBroken ? agents[agent].interval / 3 : agents[agent].interval
      due[agent] += pace / 2 + Int64(random(Int(pace)))
    }
  }

  /// One call as the log of its kind has it.
  private func call(_ agent: Agent, _ index: Int, at time: Instant, isBroken: Bool) -> String {
    number += 1
    var context = contexts[index] ?? 12_000
    let fresh = Int64(150 + random(1400))
    var read = context / 64 * 64
    // With the bug only the tool definitions at the very beginning are still found.
    if isBroken { read = 1024 }
    let prompt = context + fresh
    let output = Int64(80 + random(900))
    context = prompt + output
    contexts[index] = context > 150_000 ? 14_000 : context
    let id = hex(32)
    let stamp =
      LocalClock.utc.text(time).dropLast() + "."
      + String(1000 + time.milliseconds % 1000).dropFirst() + "Z"
    if agent.isTranscript {
      return
        "{\"type\":\"assistant\",\"timestamp\":\"\(stamp)\",\"sessionId\":\"\(agent.session)\",\"cwd\":\"\(agent.project)\",\"message\":{\"id\":\"\(id)\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"\(agent.model)\",\"content\":[],\"usage\":{\"input_tokens\":\(prompt - read),\"cache_read_input_tokens\":\(read),\"output_tokens\":\(output)}}}\n"
    }
    return
      "{\"ts\":\"\(stamp)\",\"latency_ms\":\(700 + random(4000)),\"status\":200,\"project\":\"\(agent.project)\",\"session\":\"\(agent.session)\",\"response\":{\"id\":\"\(id)\",\"object\":\"chat.completion\",\"model\":\"\(agent.model)\",\"choices\":[],\"usage\":{\"prompt_tokens\":\(prompt),\"completion_tokens\":\(output),\"total_tokens\":\(prompt + output),\"prompt_cache_hit_tokens\":\(read),\"prompt_cache_miss_tokens\":\(prompt - read),\"completion_tokens_details\":{\"reasoning_tokens\":\(output / 2)}}}}\n"
  }

  private func send(_ line: String) -> Bool {
    var line = line
    return line.withUTF8 { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = write(input, bytes.baseAddress! + sent, bytes.count - sent)
        if count <= 0 { return false }
        sent += count
      }
      return true
    }
  }

  private func random(_ bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state % UInt64(max(1, bound)))
  }

  private func hex(_ count: Int) -> String {
    var text = ""
    while text.utf8.count < count { text += String(UInt64(random(.max)), radix: 16) }
    return String(text.prefix(count))
  }
}
