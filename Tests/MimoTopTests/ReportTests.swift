import Foundation
import MimoTestSupport
import Testing

extension EndToEnd {
  /// `mimo-top report` for scripts.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct ReportTests {
    let sandbox: Sandbox

    init() throws {
      sandbox = try Sandbox()
      func call(_ envelope: String, _ id: String, _ model: String, _ usage: String) -> String {
        #"{\#(envelope)"response":{"id":"\#(id)","object":"chat.completion","model":"\#(model)","usage":{\#(usage)}}}"#
          + "\n"
      }
      try sandbox.write(
        call(
          #""ts":"2026-10-31T23:30:00Z","provider":"xiaomi","user":"ana","project":"shop","session":"s1","#,
          "g1", "mimo-v2.6-pro",
          #""prompt_tokens":1000,"completion_tokens":10,"prompt_tokens_details":{"cached_tokens":900}"#
        )
          + call(
            #""ts":"2026-11-01T00:30:00Z","provider":"xiaomi","user":"ana","project":"shop","session":"s2","#,
            "g2", "mimo-v2.6-flash",
            #""prompt_tokens":2000,"completion_tokens":20,"prompt_tokens_details":{"cached_tokens":200}"#
          )
          + call(
            #""ts":"2026-11-02T10:00:00Z","provider":"deepseek","user":"bob","project":"docs","session":"s3","#,
            "g3", "deepseek-v4-pro",
            #""prompt_tokens":3000,"completion_tokens":30,"prompt_cache_hit_tokens":2700,"prompt_cache_miss_tokens":300"#
          )
          + call(
            #""ts":"2026-11-02T10:59:59Z","#, "g4", "mimo-v2.6-pro",
            #""prompt_tokens":4000,"completion_tokens":40,"prompt_tokens_details":null"#),
        to: "app.jsonl")
    }

    private func json(_ arguments: String...) throws -> JSONReport {
      let run = try sandbox.run(["report", "app.jsonl", "--json"] + arguments)
      #expect(run.ending == .status(0) && run.errors == "", "\(run.errors)")
      return try JSONReport(run.output)
    }

    @Test(
      arguments: [
        ("total", ["total": 4]),
        ("model", ["deepseek-v4-pro": 1, "mimo-v2.6-flash": 1, "mimo-v2.6-pro": 2]),
        ("provider", ["deepseek": 1, "xiaomi": 3]), ("project", ["docs": 1, "shop": 2, nil: 1]),
        ("session", ["s1": 1, "s2": 1, "s3": 1, nil: 1]), ("source", ["api": 4]),
        ("key", ["ana": 2, "bob": 1, nil: 1]),
        ("hour", ["2026-10-31T23:00Z": 1, "2026-11-01T00:00Z": 1, "2026-11-02T10:00Z": 2]),
        ("day", ["2026-10-31": 1, "2026-11-01": 1, "2026-11-02": 2]),
        ("week", ["2026-W44": 2, "2026-W45": 2]), ("month", ["2026-10": 1, "2026-11": 3]),
      ] as [(String, [String?: Int])]
    )
    func `rows can stand for many things`(grouping: String, requests: [String?: Int]) throws {
      let report = try json("--by", grouping)
      #expect(report.document["by"] as? String == grouping)
      let counts = report.rows.map { ($0["key"] as? String, $0["requests"] as? Int ?? 0) }
      #expect(Dictionary(uniqueKeysWithValues: counts) == requests)
      // What the log does not state comes last.
      let keys = report.keys
      #expect(keys.compactMap { $0 } == keys.compactMap { $0 }.sorted())
      #expect(keys.firstIndex(of: nil).map { $0 == keys.count - 1 } ?? true)
      for field in ["requests"] {
        #expect(
          report.rows.reduce(0) { $0 + ($1.number(field) ?? 0) } == report.totals.number(field))
      }
      let costs = report.rows.compactMap { $0.text("cost").flatMap { Decimal(string: $0) } }
      #expect("\(costs.reduce(0, +))" == report.totals.text("cost"))
      // CSV and table have the same rows in the same order.
      let csv = try sandbox.run(["report", "app.jsonl", "--csv", "--by", grouping])
      let lines = csv.output.split(separator: "\n")
      #expect(lines[0].hasPrefix("\(grouping),requests,input,cache_read,"))
      #expect(
        lines.dropFirst().map { String($0.prefix { $0 != "," }) } == keys.map { $0 ?? "" })
      let table = try sandbox.run(["report", "app.jsonl", "--by", grouping])
      let titles = table.output.split(separator: "\n").dropFirst(2).prefix(keys.count)
      #expect(
        zip(titles, keys).allSatisfy { line, key in line.hasPrefix(key ?? "(not stated)") })
    }

    @Test func `days are those of the time zone`() throws {
      #expect(try json("--tz", "Asia/Shanghai").keys == ["2026-11-01", "2026-11-02"])
      #expect(
        try json("--tz", "America/New_York").keys == ["2026-10-31", "2026-11-02"])
      let run = try sandbox.run(
        ["report", "app.jsonl", "--json"], environment: ["TZ": "Asia/Shanghai"])
      let report = try JSONReport(run.output)
      #expect(report.keys == ["2026-11-01", "2026-11-02"])
      #expect(report.document["window"] as? [String: Any] != nil)
      #expect((report.document["window"] as? [String: Any])?.text("time_zone") == "Asia/Shanghai")
    }

    @Test func `a window can be given by date, time and span`() throws {
      func requests(_ arguments: String...) throws -> Int? {
        let run = try sandbox.run(["report", "app.jsonl", "--json"] + arguments)
        return try JSONReport(run.output).totals.number("requests")
      }
      #expect(try requests("--since", "2026-11-01") == 3)
      #expect(try requests("--until", "2026-11-01") == 2, "the day of --until counts")
      #expect(try requests("--since", "2026-11-01", "--until", "2026-11-01") == 1)
      #expect(
        try requests("--since", "2026-11-01", "--until", "2026-11-01", "--tz", "Asia/Shanghai") == 2
      )
      #expect(try requests("--since", "2026-11-01T00:30:00Z") == 3)
      #expect(try requests("--since", "2026-11-01T08:31:00+08:00") == 2)
      #expect(try requests("--until", "2026-11-02T10:59:00Z") == 3)
      #expect(try requests("--last", "1s") == 0)
      #expect(try requests("--last", "9999w") == 4)
      let window = try #require(
        try json("--since", "2026-11-01", "--until", "2026-11-01", "--tz", "Asia/Shanghai")
          .document["window"] as? [String: Any])
      #expect(window.text("since") == "2026-11-01T00:00:00+08:00")
      #expect(window.text("until") == "2026-11-02T00:00:00+08:00")
    }

    @Test func `filters narrow, and all of them must hold`() throws {
      #expect(try json("--filter", "project=shop").totals.number("requests") == 2)
      #expect(
        try json("--filter", "project=shop", "--filter", "model=mimo-v2.6-pro").totals
          .number("requests") == 1)
      #expect(try json("--filter", "day=2026-11-02").totals.number("requests") == 2)
      #expect(try json("--filter", "provider=xiaomi").totals.number("requests") == 3)
      #expect(try json("--filter", "session=").totals.number("requests") == 1)
      let none = try sandbox.run(["report", "app.jsonl", "--json", "--filter", "project=nope"])
      #expect(none.ending == .status(3))
      #expect(none.errors == "mimo-top: no usage in this selection; the logs have 4 calls\n")
      let early = try sandbox.run(["report", "app.jsonl", "--until", "2026-01-01"])
      #expect(early.ending == .status(3))
      #expect(early.errors == "mimo-top: no usage in this window; the logs have 4 calls\n")
    }

    @Test func `rows can be ordered and cut`() throws {
      #expect(
        try json("--by", "model", "--sort", "cost").keys
          == ["mimo-v2.6-pro", "deepseek-v4-pro", "mimo-v2.6-flash"])
      #expect(
        try json("--by", "model", "--sort", "-key").keys
          == ["mimo-v2.6-pro", "mimo-v2.6-flash", "deepseek-v4-pro"])
      #expect(try json("--by", "model", "--sort", "requests").keys.first == "mimo-v2.6-pro")
      #expect(try json("--by", "model", "--sort", "tokens").keys.first == "mimo-v2.6-pro")
      #expect(try json("--by", "model", "--sort", "hit-rate").keys.first == "deepseek-v4-pro")
      let cut = try json("--by", "model", "--sort", "cost", "--limit", "1")
      #expect(cut.keys == ["mimo-v2.6-pro"])
      #expect(cut.totals.number("requests") == 4, "the totals are of all rows")
      let table = try sandbox.run(["report", "app.jsonl", "--by", "model", "--limit", "1"])
      #expect(table.output.contains("2 more rows"))
    }

    @Test func `a format can be given instead of recognised`() throws {
      #expect(try json("--format", "api").totals.number("requests") == 4)
      let wrong = try sandbox.run(["report", "app.jsonl", "--format", "claude-code"])
      #expect(wrong.ending == .status(3))
      #expect(wrong.errors.hasPrefix("mimo-top: no usage recognised in app.jsonl: "))
      #expect(wrong.errors.contains("none of the format claude-code; without --format"))
    }

    @Test func `lines of one's own are read by a map, typed or in the configuration file`() throws {
      try sandbox.write(
        #"{"when":1795190400,"name":"mimo-v2.6-pro","t":{"in":1000,"out":5,"hit":900}}"# + "\n",
        to: "own.jsonl")
      let map = "time=when,model=name,input=t.in,output=t.out,cache_read=t.hit"
      let report = ["report", "own.jsonl", "--json"]
      for (place, input) in [("inside", 100), ("beside", 1000)] {
        let typed = try sandbox.run(report + ["--map", "\(map),cached=\(place)"])
        #expect(typed.ending == .status(0), "\(typed.errors)")
        #expect(typed.output.contains("\"input\": \(input),"))
        try sandbox.write(
          #"{"map": "\#(map),cached=\#(place)"}"#,
          to: sandbox.home + "/.config/mimo-top/config.json")
        #expect(try sandbox.run(report).output == typed.output)
      }
      #expect(try json().totals.number("requests") == 4, "other formats are still recognised")
      let unclear = try sandbox.run(report + ["--map", map])
      #expect(unclear.ending == .status(64))
      #expect(unclear.errors.contains("cached=inside or cached=beside"))
      let wrong = try sandbox.run(report + ["--map", "input=t.in", "--format", "api"])
      #expect(wrong.ending == .status(64))
    }

    @Test func `a JSON report has exactly the promised fields, the schema first`() throws {
      let run = try sandbox.run(["report", "app.jsonl", "--json", "--by", "model"])
      #expect(run.output.hasPrefix("{\n  \"schema\": \"mimo-top.report/1\",\n"))
      #expect(run.output.hasSuffix("}\n"))
      let report = try JSONReport(run.output)
      #expect(
        Set(report.document.keys) == [
          "schema", "window", "plan", "prices_at", "totals", "by", "rows", "unpriced", "ingest",
        ])
      let promised: Set<String> = [
        "requests", "tokens", "hit_rate", "hit_rate_unknown_requests", "answer_cache_hits", "cost",
        "credits", "stated_cost", "saved_by_cache", "errors",
      ]
      #expect(promised.isSubset(of: report.totals.keys))
      #expect(promised.union(["key"]).isSubset(of: report.rows[0].keys))
      #expect(
        Set(report.totals.object("tokens").keys) == [
          "input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning",
        ])
      #expect(
        report.ingest == [
          "files": 1,
          "bytes": try Data(contentsOf: URL(fileURLWithPath: sandbox.path("app.jsonl"))).count,
          "lines": 4, "records": 4, "duplicates": 0, "not_usage": 0, "malformed": 0,
          "unreadable_files": 0,
        ])
      #expect(report.totals.text("hit_rate") == "0.380000")
      #expect(report.totals["credits"] is NSNull)
      #expect(report.totals.object("stated_cost").isEmpty)
      // Money is text without exponent.
      for row in report.rows {
        #expect(row.text("cost")?.allSatisfy { $0.isNumber || $0 == "." } == true)
      }
    }

    @Test func `a subscription in JSON says where its period stands`() throws {
      let report = try json("--plan", "mimo-token-plan-pro", "--renewal-day", "31")
      let plan = report.plan
      #expect(
        Set([
          "fee", "period", "credits_included", "credits_used", "credits_left", "used_ratio",
          "resets_at", "runs_out_at",
        ]).isSubset(of: plan.keys))
      #expect(plan.text("kind") == "subscription")
      #expect(report.rows.allSatisfy { $0["cost"] is NSNull && !($0["credits"] is NSNull) })
      // Three periods have usage if they begin on the last of a month: October's, and the one after.
      #expect(report.totals.text("cost") == "50")
    }

    @Test func `CSV can be read by a spreadsheet and starts no formula`() throws {
      try sandbox.write(
        #"{"ts":"2026-11-01T00:00:00Z","project":"=cmd|' /C calc'!A0","response":{"id":"x1","model":"mimo-v2.6-pro","object":"chat.completion","usage":{"prompt_tokens":10,"completion_tokens":1}}}"#
          + "\n"
          + #"{"ts":"2026-11-01T00:00:00Z","project":"a \"b\", c","response":{"id":"x2","model":"mimo-v2.6-pro","object":"chat.completion","usage":{"prompt_tokens":10,"completion_tokens":1}}}"#
          + "\n", to: "odd.jsonl")
      let run = try sandbox.run(["report", "odd.jsonl", "--csv", "--by", "project"])
      let lines = run.output.split(separator: "\n")
      #expect(lines.count == 3)
      #expect(lines.contains { $0.hasPrefix("'=cmd") })
      #expect(lines.contains { $0.hasPrefix(#""a ""b"", c",1,"#) })
    }

    @Test func `several logs are one report, and a log named twice counts once`() throws {
      try sandbox.write(
        LogLines.openAI("h1", "mimo-v2.6-pro", prompt: 10, cached: 0, output: 1), to: "more/b.jsonl"
      )
      let run = try sandbox.run([
        "report", "app.jsonl", "more", "./app.jsonl", "--json", "--by", "total",
      ])
      let report = try JSONReport(run.output)
      #expect(report.totals.number("requests") == 5)
      #expect(report.ingest["files"] == 2)
    }
  }
}
