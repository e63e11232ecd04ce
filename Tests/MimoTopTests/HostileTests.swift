import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// Logs and files made to end the program, to fill the memory, or to act on the terminal.
  @Suite struct HostileTests {
    private let sandbox: Sandbox

    init() throws { sandbox = try Sandbox() }

    private static let evil = "a\u{1B}[2J\u{1B}]0;owned\u{7}\u{9B}31m\r.jsonl"

    private func expectHarmless(
      _ text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
      let bad = text.unicodeScalars.filter {
        ($0.value < 32 && $0 != "\n") || (0x7F...0x9F).contains($0.value)
      }
      #expect(bad.isEmpty, "\(bad) in \(text)", sourceLocation: sourceLocation)
    }

    @Test func `names of files cannot act on the terminal`() throws {
      try sandbox.write(
        LogLines.openAI("n1", "mimo-v2.6-pro", prompt: 1000, cached: 900, output: 10)
          + "{\n{\"unfinished\":", to: "logs/\(Self.evil)")
      try sandbox.write("nothing", to: "logs/x\(Self.evil)")
      for arguments in [
        ["report", "logs"], ["report", "logs", "--json"], ["report", "logs", "--csv"],
        ["doctor", "logs"], ["doctor", "logs", "--json"], ["compare", "logs"],
        ["--once", "logs"], ["report", "logs/\(Self.evil)"], ["report", "logs/x\(Self.evil)"],
        ["report", "none\(Self.evil)"], ["doctor", "none\(Self.evil)"],
        ["report", "logs", "--by", "session"],
      ] {
        let run = try sandbox.run(arguments)
        #expect(!run.output.isEmpty || !run.errors.isEmpty, "\(arguments)")
        expectHarmless(run.output)
        expectHarmless(run.errors)
      }
    }

    @Test func `names in logs cannot act on the terminal, whatever is printed`() throws {
      let evil = #"m\u001b[2J\u001b]0;owned\u0007\u009b31m\n\r\u202e"#
      try sandbox.write(
        #"{"id":"e1","model":"\#(evil)","provider":"\#(evil)","project":"\#(evil)","session":"\#(evil)","key":"\#(evil)","usage":{"prompt_tokens":100,"completion_tokens":7}}"#
          + "\n", to: "app.jsonl")
      for arguments in [
        ["report", "app.jsonl", "--by", "model"], ["report", "app.jsonl", "--by", "project"],
        ["report", "app.jsonl", "--by", "session", "--csv"],
        ["report", "app.jsonl", "--by", "key", "--json"], ["compare", "app.jsonl"],
        ["compare", "app.jsonl", "--json"], ["compare", "app.jsonl", "--hours"],
        ["compare", "app.jsonl", "--changes"], ["doctor", "app.jsonl"],
        ["doctor", "app.jsonl", "--json"], ["--once", "app.jsonl"],
      ] {
        let run = try sandbox.run(arguments)
        #expect(!run.output.isEmpty, "\(arguments)")
        expectHarmless(run.output)
        expectHarmless(run.errors)
      }
    }

    @Test func `impossible counters end no command`() throws {
      let now = Int(Date().timeIntervalSince1970)
      let large = 1_000_000_000_000
      var lines = ""
      for id in 0..<1500 {
        lines +=
          #"{"id":"o\#(id)","model":"mimo-v2.6-pro","created":\#(now - id % 100),"cost":9e8,"usage":{"prompt_tokens":\#(large),"completion_tokens":\#(large)}}"#
          + "\n"
      }
      try sandbox.write(lines, to: "app.jsonl")
      for arguments in [
        ["report", "app.jsonl", "--by", "hour"], ["compare", "app.jsonl", "--all"],
        ["compare", "app.jsonl", "--changes"], ["compare", "app.jsonl", "--hours"],
        ["--once", "app.jsonl", "--plan", "mimo-token-plan-lite"], ["--once", "app.jsonl"],
        ["report", "app.jsonl", "--plan", "mimo-token-plan-max"],
      ] {
        let run = try sandbox.run(arguments)
        #expect(run.ending == .status(1), "\(arguments): \(run.errors.prefix(300))")
        if !arguments.contains("--once") {
          #expect(run.errors.contains("calls were left out"), "\(arguments)")
        }
      }
    }

    @Test func `what expands without end is read in bounded memory`() throws {
      // 512 MiB of one line in half a megabyte, with a call behind it.
      let answer = LogLines.openAI("z1", "mimo-v2.6-pro", prompt: 1000, cached: 900, output: 10)
      try sandbox.write("\n" + answer, to: "last")
      let run = try sandbox.shell(
        """
        head -c 64M /dev/zero | gzip -1 > part
        gzip < last > end
        cat part part part part part part part part end > bomb.jsonl.gz
        ulimit -v 700000
        "$MIMO" report bomb.jsonl.gz --json
        """)
      #expect(run.ending == .status(1), "\(run.errors.prefix(300))")
      #expect(run.output.contains(#""requests": 1"#))
      #expect(run.errors.contains("was passed over"))
    }

    @Test func `devices and endless streams end with their reader`() throws {
      let run = try sandbox.shell(
        """
        ulimit -v 700000
        for device in /dev/null /dev/full; do "$MIMO" report $device > out 2>&1 < /dev/null || true; done
        yes '{"id":"y","model":"m","usage":{"prompt_tokens":1,"completion_tokens":2}}' | head -200000 |
          "$MIMO" report - --json
        """)
      #expect(run.ending == .status(0), "\(run.errors.prefix(300))")
      #expect(run.output.contains(#""requests": 1"#))
    }
  }
}
