import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// Other dates and other hours, as scripts see them.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct WhatIfTests {
    let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      func moment(_ text: String) throws -> Moment {
        Moment(try Date.ISO8601FormatStyle().parse(text))
      }
      try sandbox.write(
        LogLines.openAI(
          "a1", "mimo-v2.5-pro", prompt: 100_000, cached: 90_000, output: 2000,
          at: try moment("2026-07-01T02:00:00Z"))
          + LogLines.openAI(
            "a2", "deepseek-v4-pro", prompt: 100_000, cached: 90_000, output: 2000,
            at: try moment("2026-09-02T02:00:00Z")), to: "app.jsonl")
    }

    private func json(_ arguments: String...) throws -> [String: Any] {
      let run = try sandbox.run(arguments + ["app.jsonl", "--json"])
      #expect(run.ending == .status(0) && run.errors == "")
      return try #require(
        try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    }

    @Test func `a change is replayed`() throws {
      let document = try json("compare", "--change", "2026-05-27")
      #expect(document["schema"] as? String == "mimo-top.change/1")
      #expect(document["usage"] as? String == "since_change")
      #expect(document["verdict"] as? String == "saving")
      #expect(document["saved"] as? String == "0.027586")
      let total = try #require(document["total"] as? [String: Any])
      #expect(total["cost_before"] as? String == "0.034")
      #expect(total["cost_after"] as? String == "0.006414")
      #expect(total["difference"] as? String == "-0.027586")
      let classes = try #require(document["classes"] as? [[String: Any]])
      #expect(
        classes.map { $0["cost_after"] as? String } == [
          "0.00435", "0.000324", "0", "0", "0.00174", "0", "0",
        ])
      let untouched = try #require(document["untouched"] as? [String: Any])
      #expect(untouched["requests"] as? Int == 1)
    }

    @Test func `changes are listed, and a date without one names the nearest`() throws {
      let document = try json("compare", "--changes")
      let changes = try #require(document["changes"] as? [[String: Any]])
      let dates = changes.compactMap { $0["date"] as? String }
      #expect(dates == ["2026-04-26", "2026-05-27", "2026-08-17", "2026-08-23"])
      #expect(changes.allSatisfy { $0["is_future"] as? Bool == false })
      let run = try sandbox.run(["compare", "--change", "2026-06-01", "app.jsonl"])
      #expect(run.ending == .status(64) && run.output == "")
      #expect(run.errors.contains("the nearest changes are 2026-04-26, 2026-05-27, 2026-08-17"))
    }

    @Test func `hours have their price and what moving would save`() throws {
      let document = try json("compare", "--hours", "--movable", "50", "--tz", "Asia/Shanghai")
      #expect(document["schema"] as? String == "mimo-top.hours/1")
      #expect(document["has_schedule"] as? Bool == true)
      #expect(document["saving"] as? String == "0.00627")
      let hours = try #require(document["hours"] as? [[String: Any]])
      #expect(hours.count == 168)
      let used = hours.filter { ($0["requests"] as? Int ?? 0) > 0 }
      #expect(used.count == 1)
      #expect(used[0]["weekday"] as? String == "wed" && used[0]["hour"] as? Int == 10)
      #expect(used[0]["level"] as? String == "dearest")
    }

    @Test(arguments: [
      ["--change", "may"], ["--movable", "10"], ["--hours", "--movable", "101"],
      ["--hours", "--changes"],
    ])
    func `misuse is said before any log is read`(arguments: [String]) throws {
      let run = try sandbox.run(["compare"] + arguments + ["no-such.jsonl"])
      #expect(run.ending == .status(64) && run.output == "")
      #expect(run.errors.hasPrefix("mimo-top: --"))
    }

    @Test func `a report can take the prices of another date`() throws {
      func cost(_ date: String?) throws -> (String?, String?) {
        let options = date.map { ["--prices-at", $0] } ?? []
        let run = try sandbox.run(
          ["report", "app.jsonl", "--json", "--filter", "model=mimo-v2.5-pro"] + options)
        let document = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        let members = try #require(document as? [String: Any])
        return (
          (members["totals"] as? [String: Any])?["cost"] as? String,
          members["prices_at"] as? String
        )
      }
      #expect(try cost(nil) == ("0.006414", nil))
      #expect(try cost("2026-05-26") == ("0.034", "2026-05-26T12:00:00Z"))
      #expect(try cost("2026-05-27") == ("0.006414", "2026-05-27T12:00:00Z"))
      // The model is not sold any more.
      #expect(try cost("2026-11-01") == (nil, "2026-11-01T12:00:00Z"))
      let wrong = try sandbox.run(["report", "app.jsonl", "--prices-at", "yesterday"])
      #expect(wrong.ending == .status(64))
    }
  }
}
