import Foundation
import MimoEngine
import Testing

@testable import MimoIngest

/// Rollouts as Codex writes them.
private struct Rollout {
  var lines: [String] = []

  mutating func meta(_ id: String, from parent: String? = nil, spawnedBy spawner: String? = nil) {
    let origin = parent.map { #","forked_from_id":"\#($0)""# } ?? ""
    let source =
      spawner.map {
        #","source":{"subagent":{"thread_spawn":{"parent_thread_id":"\#($0)","depth":1}}}"#
      } ?? #","source":"cli""#
    lines.append(
      #"{"timestamp":"2026-11-20T11:00:00Z","type":"session_meta","payload":{"id":"\#(id)","cwd":"/home/ana/shop","model_provider":"xiaomi"\#(origin)\#(source)}}"#
    )
  }

  mutating func turn(_ model: String) {
    lines.append(
      #"{"timestamp":"2026-11-20T11:00:01Z","type":"turn_context","payload":{"model":"\#(model)"}}"#
    )
  }

  /// The session's counters so far, and those of the last answer.
  mutating func report(
    _ total: (Int, Int, Int)?, last: (Int, Int, Int)?, at time: String = "2026-11-20T11:00:10Z"
  ) {
    func object(_ c: (Int, Int, Int)?) -> String {
      c.map {
        #"{"input_tokens":\#($0.0),"cached_input_tokens":\#($0.1),"output_tokens":\#($0.2),"reasoning_output_tokens":0}"#
      } ?? "null"
    }
    lines.append(
      #"{"timestamp":"\#(time)","type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":\#(object(total)),"last_token_usage":\#(object(last))}}}"#
    )
  }
}

@Suite struct CodexTests {
  private func sum(_ rollouts: [Rollout]) throws -> Measures {
    let scratch = try ScratchFolder()
    for (index, rollout) in rollouts.enumerated() {
      try scratch.write("rollout-\(index).jsonl", rollout.lines)
    }
    return sums(try collect(scratch.source).ledger.snapshot())
  }

  /// The sums, after checking that they are the same in every order of reading.
  private func sumInAnyOrder(_ rollouts: [Rollout]) throws -> Measures {
    let expected = try sum(rollouts)
    var dice = Dice(seed: 5)
    for _ in 0..<8 {
      #expect(try sum(rollouts.shuffled(using: &dice)) == expected)
    }
    return expected
  }

  @Test func `an answer counts with its own counters, under its session, model and folder`() {
    var rollout = Rollout()
    rollout.meta("a")
    rollout.turn("mimo-v2.6-pro")
    rollout.report((1000, 800, 20), last: (1000, 800, 20))
    rollout.report((1000, 800, 20), last: (1000, 800, 20))
    rollout.turn("mimo-v2.6-flash")
    rollout.report((3000, 2500, 50), last: (2000, 1700, 30))
    let calls = Decoded(rollout.lines.joined(separator: "\n")).calls
    #expect(
      calls.map(\.tokens) == [
        TokenCounts(input: 200, cacheRead: 800, output: 20),
        TokenCounts(input: 300, cacheRead: 1700, output: 30),
      ])
    #expect(calls.map(\.model) == ["mimo-v2.6-pro", "mimo-v2.6-flash"])
    #expect(calls.allSatisfy { $0.session == "a" && $0.project == "/home/ana/shop" })
    #expect(calls.allSatisfy { $0.provider == "xiaomi" && $0.source == "codex" })
  }

  @Test func `without its own counters an answer is the rise of the sums, and a fall begins anew`()
  {
    var rollout = Rollout()
    rollout.meta("a")
    rollout.turn("m")
    rollout.report((1000, 800, 20), last: nil)
    rollout.report((3000, 2500, 50), last: nil)
    rollout.report((400, 0, 5), last: nil)
    rollout.report((1000, 500, 20), last: nil)
    let calls = Decoded(rollout.lines.joined(separator: "\n")).calls
    #expect(
      calls.map(\.tokens) == [
        TokenCounts(input: 200, cacheRead: 800, output: 20),
        TokenCounts(input: 300, cacheRead: 1700, output: 30),
        TokenCounts(input: 400, output: 5),
        TokenCounts(input: 100, cacheRead: 500, output: 15),
      ])
    #expect(Set(calls.map(\.identity)).count == 4, "the same sums after a fall are another call")
  }

  @Test func `reports without sums count once until they change`() {
    var rollout = Rollout()
    rollout.meta("a")
    rollout.report(nil, last: (1000, 800, 20))
    rollout.report(nil, last: (1000, 800, 20))
    rollout.report(nil, last: (900, 800, 10))
    #expect(Decoded(rollout.lines.joined(separator: "\n")).calls.count == 2)
  }

  @Test func `a fork counts only what it adds`() throws {
    var parent = Rollout()
    parent.meta("p")
    parent.turn("m")
    parent.report((1000, 0, 10), last: (1000, 0, 10))
    parent.report((3000, 900, 20), last: (2000, 900, 10))
    var fork = Rollout()
    fork.meta("f", from: "p")
    fork.meta("p")
    fork.report((1000, 0, 10), last: (1000, 0, 10), at: "2026-11-20T12:00:00Z")
    fork.report((3000, 900, 20), last: (2000, 900, 10), at: "2026-11-20T12:00:00Z")
    fork.turn("m")
    fork.report((6000, 3000, 30), last: (3000, 2100, 10), at: "2026-11-20T12:00:09Z")
    #expect(try sumInAnyOrder([parent, fork]).requests == 3)
    #expect(try sum([fork]).requests == 3)
  }

  @Test func `siblings share what they copied of a parent that is gone, sub-agents too`() throws {
    var siblings: [Rollout] = []
    for index in 0..<3 {
      var sibling = Rollout()
      if index == 0 {
        sibling.meta("s0", from: "gone")
      } else {
        sibling.meta("s\(index)", spawnedBy: "gone")
      }
      sibling.report((1000, 0, 10), last: (1000, 0, 10))
      sibling.turn("m")
      sibling.report((2000 + index, 500, 20), last: (1000 + index, 500, 10))
      siblings.append(sibling)
    }
    #expect(try sumInAnyOrder(siblings).requests == 4)
  }

  @Test func `a fork of a fork that names only its parent still counts once`() throws {
    var family: [Rollout] = []
    for (index, id) in ["p", "f", "g", "h"].enumerated() {
      var rollout = Rollout()
      rollout.meta(id, from: index == 0 ? nil : ["p", "f", "g"][index - 1])
      for step in 0...index {
        rollout.report((1000 * (step + 1), 0, 10 * (step + 1)), last: (1000, 0, 10))
      }
      rollout.turn("m")
      family.append(rollout)
    }
    #expect(try sumInAnyOrder(family).requests == 4)
    #expect(try sumInAnyOrder(family).tokens == TokenCounts(input: 4000, output: 40))
  }

  @Test func `two sessions with the same counters are two sessions`() throws {
    var rollouts: [Rollout] = []
    for id in ["a", "b"] {
      var rollout = Rollout()
      rollout.meta(id)
      rollout.report((1000, 0, 10), last: (1000, 0, 10))
      rollouts.append(rollout)
    }
    #expect(try sumInAnyOrder(rollouts).requests == 2)
  }

  @Test func `what a fork copied before it names a model is of the first that it names`() throws {
    var fork = Rollout()
    fork.meta("f", from: "gone")
    fork.report((1000, 0, 10), last: (1000, 0, 10))
    fork.turn("mimo-v2.6-pro")
    let scratch = try ScratchFolder()
    try scratch.write("a.jsonl", fork.lines)
    let snapshot = try collect(scratch.source).ledger.snapshot()
    #expect(sums(snapshot).requests == 1)
    #expect(
      snapshot.recent.map { snapshot.names[snapshot.cube.series[Int($0.series)].labels.model] } == [
        "mimo-v2.6-pro"
      ])
  }

  @Test func `ancestors in a circle do not hang`() {
    var rollout = Rollout()
    rollout.meta("a", from: "b")
    rollout.meta("b", from: "a")
    rollout.report((1000, 0, 10), last: (1000, 0, 10))
    #expect(Decoded(rollout.lines.joined(separator: "\n")).calls.count == 1)
  }

  @Test func `more cached than input is an error that leaves the sums as they were`() {
    var rollout = Rollout()
    rollout.meta("a")
    rollout.report((1000, 0, 10), last: (1000, 0, 10))
    rollout.report((2000, 9000, 20), last: (1000, 9000, 10))
    rollout.report((3000, 0, 30), last: nil)
    let decoded = Decoded(rollout.lines.joined(separator: "\n"))
    #expect(decoded.tally.malformed == 1)
    #expect(decoded.calls.last?.tokens == TokenCounts(input: 2000, output: 20))
  }

  @Test func `what is written to the cache is inside the input`() {
    let line =
      #"{"timestamp":"2026-11-20T11:00:10Z","type":"event_msg","payload":{"type":"token_count","info":{"last_token_usage":{"input_tokens":100,"cached_input_tokens":60,"cache_write_input_tokens":30,"output_tokens":9,"reasoning_output_tokens":4}}}}"#
    #expect(
      call(line)?.tokens
        == TokenCounts(input: 10, cacheRead: 60, cacheWrite5m: 30, output: 9, reasoning: 4))
  }

  @Test func `rollouts one after another are sessions of their own`() {
    var text: [String] = []
    for id in ["a", "b"] {
      var rollout = Rollout()
      rollout.meta(id)
      rollout.turn("m-\(id)")
      rollout.report((1000, 0, 10), last: (1000, 0, 10))
      text += rollout.lines
    }
    #expect(Decoded(text.joined(separator: "\n")).calls.map(\.session) == ["a", "b"])
    #expect(counted(text).requests == 2)
  }

  @Test func `lines to come are passed over`() {
    let unknown = #"{"timestamp":"2026-11-20T11:00:10Z","type":"new_kind","payload":{"x":1}}"#
    var rollout = Rollout()
    rollout.meta("a")
    let decoded = Decoded((rollout.lines + [unknown]).joined(separator: "\n"))
    #expect(decoded.tally.notUsage == 2 && decoded.tally.foreign == 0)
    #expect(Decoded(unknown).tally.foreign == 1)
  }
}
