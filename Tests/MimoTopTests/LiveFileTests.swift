import Foundation
import MimoScreen
import MimoTestSupport
import Testing

extension EndToEnd {
  /// A log that another program writes while it is watched.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct LiveFileTests {
    let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      try sandbox.fixPrices()
    }

    @Test func `each call of each form appears with its exact cost as soon as it is logged`() throws
    {
      try sandbox.write("", to: "app.jsonl")
      let terminal = try sandbox.start(["app.jsonl"])
      try terminal.see("No usage yet")
      #expect(terminal.screen.header.hasPrefix("mimo-top  As billed USD"))

      let first = cost((480, "0.435"), (11_520, "0.0036"), (640, "0.87"))
      let t1 = Moment()
      try sandbox.append(
        LogLines.openAI(
          "a1", "mimo-v2.6-pro", prompt: 12_000, cached: 11_520, output: 640, reasoning: 410, at: t1
        ),
        to: "app.jsonl")
      try terminal.waitForSpend(allTime, Shown.money(first))
      #expect(Shown.money(first) == "$0.000807")
      #expect(
        terminal.screen.words(in: "By model", of: "mimo-v2.6-pro")[..<9].joined(separator: " ")
          == "mimo-v2.6-pro 1 480 11.5k 0 640 410 96.0% $0.000807")
      try terminal.waitForRow(
        of: "mimo-v2.6-pro", in: "Last requests",
        "\(t1.timeOfDay) mimo-v2.6-pro 480 11.5k 0 640 96.0% $0.000807")

      // Nothing cached: MiMo sends null for the details.
      let second = cost((57, "0.14"), (72, "0.28"))
      let t2 = Moment()
      try sandbox.append(
        LogLines.openAI("a2", "mimo-v2.6-flash", prompt: 57, cached: nil, output: 72, at: t2),
        to: "app.jsonl")
      try terminal.waitForSpend(allTime, Shown.money(first + second))
      try terminal.waitForRow(
        of: "mimo-v2.6-flash", in: "Last requests",
        "\(t2.timeOfDay) mimo-v2.6-flash 57 0 0 72 0% \(Shown.money(second))")

      let third = cost((310, "0.435"), (20_480, "0.0036"), (800, "0.87"))
      let t3 = Moment()
      try sandbox.append(
        LogLines.anthropic("a3", "mimo-v2.6-pro", fresh: 310, read: 20_480, output: 800, at: t3),
        to: "app.jsonl")
      try terminal.waitForSpend(allTime, Shown.money(first + second + third))
      try terminal.waitForRow(
        of: t3.timeOfDay, in: "Last requests",
        "\(t3.timeOfDay) mimo-v2.6-pro 310 20.5k 0 800 98.5% \(Shown.money(third))")

      let fourth = cost((51, "0.66"), (512, "0.022"), (116, "1.98"))
      let t4 = Moment()
      try sandbox.append(
        LogLines.deepSeek("a4", "deepseek-v4-pro", hit: 512, miss: 51, output: 116, at: t4),
        to: "app.jsonl")
      let sum = first + second + third + fourth
      try terminal.waitForSpend(allTime, Shown.money(sum))
      try terminal.waitForRow(
        of: "deepseek-v4-pro", in: "Last requests",
        "\(t4.timeOfDay) deepseek-v4-pro 51 512 0 116 90.9% \(Shown.money(fourth))")
      #expect(terminal.screen.spend("month") == Shown.money(sum))
      #expect(
        terminal.screen.words(in: "By model", of: "mimo-v2.6-pro")[..<9].joined(separator: " ")
          == "mimo-v2.6-pro 2 790 32.0k 0 1440 410 97.6% \(Shown.money(first + third))")
      #expect(terminal.screen.words(in: "Tokens", of: "fresh").contains("898"))

      // A repeat of a call is the same call.
      try sandbox.append(
        LogLines.openAI(
          "a1", "mimo-v2.6-pro", prompt: 12_000, cached: 11_520, output: 640, reasoning: 410, at: t1
        ) + LogLines.openAI("a5", "mimo-v2.6-flash", prompt: 100, cached: 0, output: 10),
        to: "app.jsonl")
      try terminal.waitForSpend(allTime, Shown.money(sum + cost((100, "0.14"), (10, "0.28"))))

      terminal.type("q")
      #expect(try terminal.waitForExit() == .status(0))
      expectGivenBack(terminal)
    }

    @Test func `a line counts once it is finished, and not before`() throws {
      try sandbox.write("", to: "app.jsonl")
      try sandbox.write("", to: "other.jsonl")
      let terminal = try sandbox.start(["app.jsonl", "other.jsonl"])
      try terminal.see("No usage yet")
      let line = LogLines.openAI("b1", "mimo-v2.6-pro", prompt: 1000, cached: 900, output: 10)
      let middle = line.index(line.startIndex, offsetBy: line.count - 40)
      try sandbox.append(String(line[..<middle]), to: "app.jsonl")
      // The other log shows that all that was there has been read.
      try sandbox.append(
        LogLines.openAI("b2", "mimo-v2.6-flash", prompt: 500, cached: 0, output: 10),
        to: "other.jsonl")
      try terminal.see("mimo-v2.6-flash")
      #expect(!terminal.screen.contains("mimo-v2.6-pro"))
      #expect(!terminal.screen.header.contains("unreadable"))
      try sandbox.append(String(line[middle...]), to: "app.jsonl")
      try terminal.wait(for: "the finished line", within: patience) {
        $0.words(in: "By model", of: "mimo-v2.6-pro").dropFirst().first == "1"
      }
      #expect(!terminal.screen.header.contains("unreadable"))
    }

    @Test func `an object whose newline comes later counts once`() throws {
      try sandbox.write("", to: "app.jsonl")
      let terminal = try sandbox.start(["app.jsonl"])
      let line = LogLines.openAI("b4", "mimo-v2.6-pro", prompt: 1000, cached: 900, output: 10)
      try sandbox.append(String(line.dropLast()), to: "app.jsonl")
      try terminal.see("mimo-v2.6-pro")
      try sandbox.append(
        "\n" + LogLines.openAI("b5", "mimo-v2.6-flash", prompt: 500, cached: 0, output: 10),
        to: "app.jsonl")
      try terminal.see("mimo-v2.6-flash")
      #expect(terminal.screen.words(in: "By model", of: "mimo-v2.6-pro").dropFirst().first == "1")
      #expect(!terminal.screen.header.contains("unreadable"))
    }

    @Test func `a line that cannot be read is counted, shown with its place, and stops nothing`()
      throws
    {
      let good = LogLines.openAI("c1", "mimo-v2.6-pro", prompt: 1000, cached: 900, output: 10)
      try sandbox.write(good, to: "app.jsonl")
      let terminal = try sandbox.start(["app.jsonl"])
      try terminal.see("mimo-v2.6-pro")
      #expect(!terminal.screen.header.contains("unreadable"))
      try sandbox.append(
        #"{"id":"c2","model":"mimo-v2.6-pro","usage":{"prompt_tokens":12,"completion_"# + "\n",
        to: "app.jsonl")
      try terminal.see("1 unreadable (i)")
      try sandbox.append(
        LogLines.openAI("c3", "mimo-v2.6-flash", prompt: 1000, cached: 900, output: 10),
        to: "app.jsonl")
      try terminal.see("mimo-v2.6-flash")
      terminal.type("i")
      try terminal.see("What was read")
      try terminal.see("at byte \(good.utf8.count)")
      #expect(terminal.screen.contains("1 line could not be read"))
      #expect(terminal.screen.contains("2 calls, 0 repeats, 3 lines"))
      terminal.press(.escape)
      try terminal.seeNo("What was read")
      terminal.type("q")
      #expect(try terminal.waitForExit() == .status(0))
    }

    @Test func `rotation by rename and by copy and truncate loses nothing and repeats nothing`()
      throws
    {
      func call(_ id: String) -> String {
        LogLines.openAI(id, "mimo-v2.6-pro", prompt: 1000, cached: 900, output: 10)
      }
      try sandbox.write(call("d1") + call("d2"), to: "app.jsonl")
      let terminal = try sandbox.start(["app.jsonl"])
      func requests(_ count: Int) throws {
        try terminal.wait(for: "\(count) requests", within: patience) {
          $0.words(in: "By model", of: "mimo-v2.6-pro").dropFirst().first == String(count)
        }
      }
      try requests(2)

      try sandbox.rename("app.jsonl", to: "app.jsonl.1")
      try sandbox.append(call("d3"), to: "app.jsonl")
      try requests(3)
      // The writer may hold the old file open for a while.
      try sandbox.append(call("d4"), to: "app.jsonl.1")
      try requests(4)
      try sandbox.append(call("d5"), to: "app.jsonl")
      try requests(5)

      try FileManager.default.copyItem(
        atPath: sandbox.path("app.jsonl"), toPath: sandbox.path("app.jsonl.2"))
      #expect(truncate(sandbox.path("app.jsonl"), 0) == 0)
      try sandbox.append(call("d6"), to: "app.jsonl")
      try requests(6)
      try sandbox.append(call("d7"), to: "app.jsonl")
      try requests(7)

      try sandbox.delete("app.jsonl")
      try sandbox.append(call("d8"), to: "app.jsonl")
      try requests(8)
      #expect(!terminal.screen.header.contains("unreadable"))
    }

    @Test func `a file that is not there yet is waited for`() throws {
      let terminal = try sandbox.start(["later/app.jsonl"])
      try terminal.see("later/app.jsonl: not there yet; waiting for it to appear")
      try sandbox.write(
        LogLines.openAI("e1", "mimo-v2.6-pro", prompt: 1000, cached: 900, output: 10),
        to: "later/app.jsonl")
      try terminal.see("mimo-v2.6-pro")
      try sandbox.append(
        LogLines.openAI("e2", "mimo-v2.6-flash", prompt: 1000, cached: 900, output: 10),
        to: "later/app.jsonl")
      try terminal.see("mimo-v2.6-flash")
      // What was waited for is there: nothing is wrong any more.
      #expect(!terminal.screen.header.contains("unreadable"))
      terminal.type("i")
      try terminal.see("What was read")
      #expect(!terminal.screen.contains("not there yet"))
    }

    @Test func `all files of a folder are followed, new ones too`() throws {
      try sandbox.write(
        LogLines.openAI("f1", "mimo-v2.6-pro", prompt: 1000, cached: 900, output: 10),
        to: "logs/a.jsonl")
      let terminal = try sandbox.start(["logs"])
      try terminal.see("mimo-v2.6-pro")
      try sandbox.write(
        LogLines.openAI("f2", "mimo-v2.6-flash", prompt: 1000, cached: 900, output: 10),
        to: "logs/deep/er/b.log")
      try terminal.see("mimo-v2.6-flash")
    }

    @Test func `ten thousand files are followed with few descriptors`() throws {
      for number in 0..<10_000 {
        let folder = "logs/\(number % 100)"
        if number < 100 {
          try FileManager.default.createDirectory(
            atPath: sandbox.path(folder), withIntermediateDirectories: true)
        }
        try sandbox.append("{}\n", to: "\(folder)/\(number).jsonl")
      }
      let terminal = try sandbox.startShell("ulimit -n 40; exec \"$MIMO\" logs")
      try terminal.see("10.0k logs")
      for (number, model) in [(0, "first-model"), (4711, "middle-model"), (9999, "last-model")] {
        try sandbox.append(
          LogLines.openAI("m\(number)", model, prompt: 1000, cached: 900, output: 10),
          to: "logs/\(number % 100)/\(number).jsonl")
        try terminal.see(model)
      }
      #expect(!terminal.screen.header.contains("unreadable"))
    }

    /// A system that gives no watches, made for one process: the limit of a user namespace of its own.
    private static let noWatches =
      "exec unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_inotify_watches && exec \"$MIMO\" \"$@\"' sh "

    private static let canTakeWatches: Bool = {
      let test = Process()
      test.executableURL = URL(fileURLWithPath: "/bin/bash")
      test.arguments = ["-c", "unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_inotify_watches'"]
      (test.standardError, test.standardOutput) = (Pipe(), Pipe())
      try? test.run()
      test.waitUntilExit()
      return test.terminationStatus == 0
    }()

    @Test(.enabled(if: canTakeWatches))
    func `with no inotify watch left the logs are polled, and the user is told`() throws {
      try sandbox.write("", to: "app.jsonl")
      let terminal = try sandbox.startShell(Self.noWatches + "app.jsonl")
      let message = "no inotify watch left (raise fs.inotify.max_user_watches)"
      try terminal.see(message + "; looking at the files on a timer instead")
      try sandbox.append(
        LogLines.openAI("n1", "mimo-v2.6-pro", prompt: 1000, cached: 900, output: 10),
        to: "app.jsonl")
      try terminal.see("mimo-v2.6-pro")
      // Nothing is wrong with what was read.
      #expect(!terminal.screen.header.contains("unreadable"))
      terminal.type("i")
      try terminal.see("What was read")
      #expect(terminal.screen.contains(message))
      terminal.type("qq")
      #expect(try terminal.waitForExit() == .status(0))
      let doctor = try sandbox.shell(Self.noWatches + "doctor app.jsonl")
      #expect(doctor.ending == .status(0))
      #expect(doctor.output.contains("\nwatching\n  " + message))
    }

    @Test func `what a log says cannot act on the terminal`() throws {
      let evil = #"m\u001b[2J\u001b]0;owned\u0007\u009b31m\n\r\u202e"#
      try sandbox.write(
        LogLines.openAI("g1", evil, prompt: 1000, cached: 900, output: 10)
          + LogLines.openAI("g2", "mimo-v2.6-pro", prompt: 1000, cached: 900, output: 10),
        to: "app.jsonl")
      let terminal = try sandbox.start(["app.jsonl"])
      try terminal.see("mimo-v2.6-pro")
      #expect(terminal.screen.title == "")
      #expect(terminal.screen.header.hasPrefix("mimo-top"))
      #expect(terminal.screen.box("By model").contains { $0.hasPrefix("m") && $0.contains("31m") })
      let report = try sandbox.run(["report", "--by", "model", "app.jsonl"])
      #expect(!report.output.unicodeScalars.contains { $0.value < 32 && $0 != "\n" })
      #expect(!report.output.unicodeScalars.contains { (0x7F...0x9F).contains($0.value) })
    }
  }
}
