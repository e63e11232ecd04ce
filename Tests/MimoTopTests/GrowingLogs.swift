import Foundation
import MimoSQLite
import MimoTestSupport

/// Logs of several tools that go on being written, in the ways in which these do: lines in pieces, repeats, copies,
/// documents that are rewritten, rows that are updated, files that are renamed, and emptied after they were copied.
struct GrowingLogs {
  private let sandbox: Sandbox
  private var random = SplitMix(state: 20_261_122)
  /// Seconds since 1970 of the last call.
  private var time: Int
  private var calls = 0

  // Claude Code
  private var lines: [String] = []
  private var unfinished: (path: String, rest: String)?
  private var emptied = 0
  // Codex
  private var rollout = 0
  private var sums = (input: 0, cached: 0, output: 0)
  // Cline
  private var entries: [String] = []
  /// When the last entry was asked, if it has no answer yet.
  private var asked: Int?
  // MiMo Code
  private let database: SQLiteConnection
  private var rows = 0
  // OpenClaw
  private var transcript = 0

  init(_ sandbox: Sandbox) throws {
    self.sandbox = sandbox
    time = Moment.minutesAgo(5 * 1440).seconds
    try sandbox.makeMiMoCode(".local/share/mimocode/mimocode.db")
    database = try SQLiteConnection(
      path: sandbox.home + "/.local/share/mimocode/mimocode.db", access: .readWrite)
  }

  /// Something is written somewhere.
  mutating func grow() throws {
    calls += 1
    time += Int.random(in: 1...90, using: &random)
    switch Int.random(in: 0..<16, using: &random) {
    case 0..<6: try growTranscript()
    case 6..<9: try growRollout()
    case 9..<11: try growDocument()
    case 11..<13: try growDatabase()
    case 13..<15: try growSession()
    default: try rotate()
    }
  }

  /// Writes what is still missing.
  mutating func finish() throws { try finishLine() }

  private var moment: Moment { Moment(Date(timeIntervalSince1970: Double(time))) }

  // MARK: - Claude Code: lines

  private mutating func growTranscript() throws {
    try finishLine()
    let session = "s\(Int.random(in: 0..<4, using: &random))"
    let path = try made(sandbox.transcript(session))
    switch Int.random(in: 0..<10, using: &random) {
    case 0, 1:
      guard let line = lines.suffix(20).randomElement(using: &random) else { return }
      // A resumed session begins with copies.
      return try sandbox.append(line, to: path)
    case 2:
      // The answer goes on.
      let id = "m\(calls)"
      for output in [3, 40] { try sandbox.append(call(id, session, output: output), to: path) }
      lines.append(call(id, session, output: 130))
    default: lines.append(call("m\(calls)", session, output: calls % 700))
    }
    let line = lines[lines.count - 1]
    guard Int.random(in: 0..<4, using: &random) == 0 else {
      return try sandbox.append(line, to: path)
    }
    let cut = line.index(
      line.startIndex, offsetBy: Int.random(in: 1..<line.count - 1, using: &random))
    try sandbox.append(String(line[..<cut]), to: path)
    unfinished = (path, String(line[cut...]))
  }

  private func call(_ id: String, _ session: String, output: Int) -> String {
    LogLines.claudeCode(
      id, "mimo-v2.6-pro", session: session, project: "/home/ana/shop", fresh: 100 + calls % 7,
      read: 5000, output: output, request: "r-\(id)", at: moment)
  }

  private mutating func finishLine() throws {
    if let (path, rest) = unfinished { try sandbox.append(rest, to: path) }
    unfinished = nil
  }

  // MARK: - Codex: sums of calls without ids

  private mutating func growRollout() throws {
    func line(_ type: String, _ payload: String) -> String {
      #"{"timestamp":"\#(moment.text)","type":"\#(type)","payload":\#(payload)}"# + "\n"
    }
    let path = rolloutPath
    if sums.input == 0 {
      try sandbox.append("", to: try made(path))
      try sandbox.append(
        line(
          "session_meta",
          #"{"id":"codex-\#(rollout)","cwd":"/home/ana/shop","cli_version":"0.140.0","model_provider":"xiaomi"}"#
        ) + line("turn_context", #"{"turn_id":"t1","model":"mimo-v2.6-pro"}"#), to: path)
    }
    let last = (input: 9000 + calls, cached: 8000, output: 50 + calls % 300)
    sums = (sums.input + last.input, sums.cached + last.cached, sums.output + last.output)
    func usage(_ u: (input: Int, cached: Int, output: Int)) -> String {
      #"{"input_tokens":\#(u.input),"cached_input_tokens":\#(u.cached),"output_tokens":\#(u.output),"reasoning_output_tokens":0,"total_tokens":\#(u.input + u.output)}"#
    }
    let count = line(
      "event_msg",
      #"{"type":"token_count","info":{"total_token_usage":\#(usage(sums)),"last_token_usage":\#(usage(last))}}"#
    )
    // Codex tells the same sum again now and then.
    try sandbox.append(calls % 3 == 0 ? count + count : count, to: path)
  }

  private var rolloutPath: String {
    sandbox.home + "/.codex/sessions/2026/11/20/rollout-\(rollout).jsonl"
  }

  private func made(_ path: String) throws -> String {
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    return path
  }

  // MARK: - Cline: a document

  private mutating func growDocument() throws {
    func entry(_ time: Int, _ counters: String) -> String {
      #"{"ts":\#(time)000,"type":"say","say":"api_req_started","text":"{\"request\":\"...\"\#(counters)}","modelInfo":{"providerId":"anthropic","modelId":"mimo-v2.6-pro"}}"#
    }
    if let asked {
      entries[entries.count - 1] = entry(
        asked, #",\"tokensIn\":\#(calls),\"tokensOut\":90,\"cacheWrites\":0,\"cacheReads\":7000"#)
    } else {
      entries.append(entry(time, ""))
    }
    asked = asked == nil ? time : nil
    try sandbox.write(
      "[\n" + entries.joined(separator: ",\n") + "\n]",
      to: sandbox.home + "/.cline/data/tasks/1/ui_messages.json")
  }

  // MARK: - MiMo Code: a database

  private mutating func growDatabase() throws {
    if rows == 0 || calls % 3 > 0 { rows += 1 }
    let data =
      #"{"role":"assistant","time":{"created":\#(time)000,"completed":\#(time + 4)000},"modelID":"mimo-v2.6-pro","providerID":"xiaomi","path":{"cwd":"/home/ana/shop"},"cost":0.001,"tokens":{"input":\#(calls),"output":30,"reasoning":2,"cache":{"read":5000,"write":0}},"finish":"stop"}"#
    try database.execute(
      "INSERT INTO message VALUES ('row\(rows)','ses_1','main',\(time)000,\(time)000,'\(data)') "
        + "ON CONFLICT (id) DO UPDATE SET data = excluded.data, time_updated = excluded.time_updated"
    )
  }

  // MARK: - OpenClaw: lines, renamed at a reset

  private mutating func growSession() throws {
    let message =
      #"{"role":"assistant","content":[],"api":"openai-completions","provider":"xiaomi","model":"mimo-v2.6-pro","usage":{"input":\#(calls),"output":90,"cacheRead":12800,"cacheWrite":0},"stopReason":"stop","timestamp":\#(time)000}"#
    let path = try made(sessionPath)
    if access(path, F_OK) != 0 {
      try sandbox.append(
        #"{"type":"session","version":3,"id":"c\#(transcript)","timestamp":"\#(moment.text)","cwd":"/home/ana/shop"}"#
          + "\n", to: path)
    }
    try sandbox.append(
      #"{"type":"message","id":"o\#(calls)","parentId":null,"timestamp":"\#(moment.text)","message":\#(message)}"#
        + "\n", to: path)
  }

  private var sessionPath: String {
    sandbox.home + "/.openclaw/agents/main/sessions/main.jsonl"
  }

  // MARK: - Other names

  private mutating func rotate() throws {
    switch Int.random(in: 0..<3, using: &random) {
    case 0 where sums.input > 0:
      try sandbox.rename(
        rolloutPath,
        to: try made(sandbox.home + "/.codex/archived_sessions/rollout-\(rollout).jsonl"))
      rollout += 1
      sums = (0, 0, 0)
    case 1 where access(sessionPath, F_OK) == 0:
      transcript += 1
      try sandbox.rename(sessionPath, to: sessionPath + ".reset.\(transcript)")
    default:
      try finishLine()
      let path = sandbox.transcript("s0")
      guard let text = FileManager.default.contents(atPath: path), !text.isEmpty else { return }
      emptied += 1
      try text.write(to: URL(fileURLWithPath: sandbox.transcript("s0-\(emptied)")))
      truncate(path, 0)
    }
  }
}
