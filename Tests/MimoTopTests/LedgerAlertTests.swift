import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// Alerts that the ledger keeps, and that `watch` tells once.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct LedgerAlertTests {
    private let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      try sandbox.fixPrices()
    }

    /// Calls of 10,000 prompt tokens each.
    private func append(_ name: String, _ count: Int, read: Int, minutesAgo: Int) throws {
      let lines = (0..<count).map {
        LogLines.claudeCode(
          "\(name)-\($0)", "mimo-v2.6-pro", session: "one", project: "/home/ana/shop",
          fresh: 10_000 - read, read: read, output: 100, at: .minutesAgo(minutesAgo))
      }
      try sandbox.append(lines.joined(), to: sandbox.transcript("one"))
    }

    private func begin() throws {
      try sandbox.write("", to: sandbox.transcript("one"))
      try append("first", 1, read: 0, minutesAgo: 200)
      try append("bad", 8, read: 500, minutesAgo: 3)
    }

    /// What a run for cron prints.
    private func tell() throws -> [String] {
      try sandbox.succeed(["watch", "--once"]).split(separator: "\n").map(String.init)
    }

    private func status() throws -> [String: Any] {
      let text = try sandbox.succeed(["ledger", "--json"])
      return try #require(
        try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func `a job for cron tells each alert once, and once when it is over`() throws {
      try begin()
      let first = try tell()
      try #require(first.count == 1)
      #expect(
        first[0].hasSuffix(
          "alert: cache hit rate 5.0%, below 20%; most misses: mimo-v2.6-pro in /home/ana/shop"))
      #expect(try tell() == [])
      let last = try #require(try status()["last_alert"] as? [String: Any])
      #expect(last["until"] is NSNull && last.text("lowest_hit_rate") == "0.050000")
      #expect(try sandbox.succeed(["ledger"]).contains("alerts     1; the last of "))
      // Somebody else keeps the ledger meanwhile; what he judges is told by nobody.
      try append("good", 30, read: 9900, minutesAgo: 1)
      _ = try sandbox.usage()
      let over = try tell()
      #expect(over.count == 1 && over[0].hasSuffix("over: lowest hit rate 5.0%"), "\(over)")
      #expect(try tell() == [])
      let status = try status()
      #expect(status.number("alerts") == 1)
      #expect((status["last_alert"] as? [String: Any])?.text("until") != nil)
      // A recount keeps what was told.
      try sandbox.succeed(["ledger", "rebuild"])
      #expect(try tell() == [])
      #expect(try self.status().number("alerts") == 1)
    }

    @Test func `what was over before anybody watched is kept, and no news`() throws {
      try sandbox.write("", to: sandbox.transcript("one"))
      try append("first", 1, read: 0, minutesAgo: 200)
      try append("bad", 8, read: 500, minutesAgo: 100)
      #expect(try tell() == [])
      #expect(try status().number("alerts") == 1)
      #expect(try sandbox.succeed(["ledger"]).contains("lowest hit rate 5.0%, over\n"))
      try sandbox.succeed(["ledger", "forget", "--before", "1h"])
      #expect(try status().number("alerts") == 0)
    }

    @Test func `of those that watch at once one tells, also beside a dashboard that keeps it`()
      throws
    {
      let dashboard = try sandbox.start()
      try dashboard.see("mimo-top")
      try begin()
      try sandbox.waitUntilStored(9)
      let watch = try sandbox.start(["watch"])
      try watch.see("alert: cache hit rate 5.0%, below 20%")
      #expect(try tell() == [])
      watch.send(signal: SIGKILL)
      try watch.waitForExit(within: patience)
      let next = try sandbox.start(["watch"])
      try append("good", 30, read: 9900, minutesAgo: 0)
      try next.see("over: lowest hit rate 5.0%")
      #expect(!String(decoding: next.output, as: UTF8.self).contains("alert:"))
      #expect(try tell() == [])
      // The one who keeps the ledger stores them when it leaves, if not before.
      try dashboard.quit()
      next.send(signal: SIGTERM)
      try next.waitForExit(within: patience)
      #expect(try status().number("alerts") == 1)
    }

    @Test func `alerts are judged as they would be of all the logs, however the runs are killed`()
      throws
    {
      try begin()
      var schedule = KillSchedule(seed: 9)
      for index in 0..<12 {
        try schedule.run(sandbox, ["watch", "--once"]) {
          try append("more-\(index)-\(Int.random(in: 0..<Int.max))", 3, read: 400, minutesAgo: 2)
        }
      }
      _ = try tell()
      let killed = try status()["last_alert"] as? [String: Any]
      let other = ["XDG_STATE_HOME": sandbox.home + "/other"]
      try sandbox.succeed(["watch", "--once"], environment: other)
      let text = try sandbox.succeed(["ledger", "--json"], environment: other)
      let whole =
        (try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])?["last_alert"]
        as? [String: Any]
      #expect(killed?.text("since") == whole?.text("since"))
      #expect(killed?.text("lowest_hit_rate") == whole?.text("lowest_hit_rate"))
      #expect(killed != nil)
    }
  }
}
