#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What watching costs, seen from outside: how soon a line is on screen, and what the processor does
/// while nothing, or much, is written.
enum LiveBenchmark {
  /// Appends so many calls at random moments, 10 to 100 ms apart, and prints how long each took to be on screen.
  static func latency(appends: Int, besides logs: [String]) {
    var random = Random()
    let program = WatchedProgram(["app.jsonl"] + logs) { close(openLog($0 + "/app.jsonl")) }
    let log = openLog(program.folder + "/app.jsonl")
    append(call(0, model: "begin"), to: log)
    if !program.wait(for: "begin") { fail("mimo-top-bench: nothing came on screen\n") }
    program.settle()
    var times: [Double] = []
    for number in 1...appends {
      program.run(seconds: Double(random.next(10...100)) / 1000)
      let model = name(number)
      let text = call(number, model: model)
      let begun = monotonicSeconds()
      append(text, to: log)
      if !program.wait(for: model) { fail("mimo-top-bench: append \(number) did not come\n") }
      times.append((monotonicSeconds() - begun) * 1000)
      program.forget()
    }
    times.sort()
    let shown = [("median", 0.5), ("p90", 0.9), ("p99", 0.99), ("most", 1.0)].map { name, share in
      "\(name) \(rounded(times[min(times.count - 1, Int(share * Double(times.count)))])) ms"
    }
    print("append to screen, \(appends) appends: \(shown.joined(separator: ", "))")
  }

  /// Starts on a ledger, and prints how long it took until a model of it was on screen: the first frame with
  /// numbers.
  ///
  /// - Parameter state: the folder in which the ledger's folder lies.
  static func start(state: String, runs: Int) {
    guard let path = realpath(state, nil) else { fail("mimo-top-bench: \(state): not there\n") }
    defer { free(path) }
    var times: [Double] = []
    for _ in 0..<runs {
      let begun = monotonicSeconds()
      let program = WatchedProgram([], state: String(cString: path)) { _ in }
      if !program.wait(for: "mimo-v2.6-pro") { fail("mimo-top-bench: nothing came on screen\n") }
      times.append((monotonicSeconds() - begun) * 1000)
      program.run(seconds: 0.2)
    }
    times.sort()
    print(
      "start to the first frame, \(runs) runs: median \(rounded(times[runs / 2])) ms, least \(rounded(times[0])) ms, most \(rounded(times[runs - 1])) ms"
    )
  }

  /// Follows so many files that nobody writes to.
  static func idle(files: Int, seconds: Int) {
    let program = WatchedProgram(["logs"]) { folder in
      mkdir(folder + "/logs", 0o755)
      for number in 0..<files {
        let log = openLog("\(folder)/logs/\(number).jsonl")
        append(call(number, model: "mimo-v2.6-pro", secondsAgo: 7200), to: log)
        close(log)
      }
    }
    if !program.wait(for: "mimo-v2.6-pro") { fail("mimo-top-bench: nothing came on screen\n") }
    program.run(seconds: 10)
    report("\(files) idle files", program, seconds: seconds) {
      program.run(seconds: Double(seconds))
    }
  }

  /// Follows one file that grows by so many lines a second, in a write each millisecond.
  static func follow(linesPerSecond: Int, seconds: Int, besides logs: [String]) {
    let program = WatchedProgram(["app.jsonl"] + logs) { close(openLog($0 + "/app.jsonl")) }
    let log = openLog(program.folder + "/app.jsonl")
    append(call(0, model: "begin"), to: log)
    if !program.wait(for: "begin") { fail("mimo-top-bench: nothing came on screen\n") }
    program.settle()
    var written = 0
    report("\(linesPerSecond) lines a second", program, seconds: seconds) {
      let begun = monotonicSeconds()
      while true {
        let elapsed = monotonicSeconds() - begun
        if elapsed >= Double(seconds) { break }
        var lines = ""
        while written < Int(elapsed * Double(linesPerSecond)) {
          written += 1
          lines += call(written, model: written % 3 == 0 ? "mimo-v2.6-flash" : "mimo-v2.6-pro")
        }
        append(lines, to: log)
        program.run(seconds: 0.001)
      }
    }
    append(call(written + 1, model: "the-end"), to: log)
    if !program.wait(for: "the-end") { fail("mimo-top-bench: the last line did not come\n") }
  }

  private static func report(
    _ what: String, _ program: WatchedProgram, seconds: Int, _ work: () -> Void
  ) {
    let before = program.cost
    let begun = monotonicSeconds()
    work()
    let elapsed = monotonicSeconds() - begun
    let after = program.cost
    let share = (after.seconds - before.seconds) / elapsed * 100
    let waits = after.waits - before.waits
    print(
      "\(what), \(seconds) s: \(rounded(share)) % of a core, \(waits) wake-ups (\(rounded(Double(waits) / elapsed)) a second)"
    )
  }

  // MARK: - Lines

  private static func call(_ number: Int, model: String, secondsAgo: Int = 0) -> String {
    let now = time(nil) - secondsAgo
    let prompt = 800 + number % 977 * 61
    return
      #"{"id":"chatcmpl-\#(number)-\#(now)","choices":[{"finish_reason":"stop","index":0,"message":{"content":"","role":"assistant"}}],"created":\#(now),"model":"\#(model)","object":"chat.completion","usage":{"completion_tokens":\#(number % 700),"prompt_tokens":\#(prompt),"total_tokens":\#(prompt + number % 700),"prompt_tokens_details":{"cached_tokens":\#(prompt / 64 * 60)}}}"#
      + "\n"
  }

  /// A name that differs at every place from the one before, so that a terminal is sent all of it.
  private static func name(_ number: Int) -> String {
    let letters = [0, 7, 3, 19, 11, 5, 23, 14].map { UInt8((number + $0) % 26) + UInt8(ascii: "a") }
    return String(decoding: letters, as: UTF8.self)
  }

  private static func openLog(_ path: String) -> Int32 {
    let log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    if log < 0 { fail("mimo-top-bench: \(path): cannot be written\n") }
    return log
  }

  private static func append(_ text: String, to log: Int32) {
    let bytes = Array(text.utf8)
    if write(log, bytes, bytes.count) != bytes.count { fail("mimo-top-bench: cannot write\n") }
  }

  private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

  /// A small generator: the same pauses in each run.
  private struct Random {
    private var state: UInt64 = 0x2545_F491_4F6C_DD1D
    mutating func next(_ range: ClosedRange<Int>) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return range.lowerBound + Int(state % UInt64(range.count))
    }
  }
}
