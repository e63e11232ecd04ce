import Foundation
import MimoTestSupport
import Testing

extension Sandbox {
  /// A log without ids that the settings file names.
  var plainLog: String { home + "/app.jsonl" }

  /// Has the program follow logs without ids, too.
  func followPlainLogs(_ names: String = "~/app.jsonl") throws {
    try write(#"{"logs": ["\#(names)"]}"#, to: home + "/.config/mimo-top/config.json")
  }

  /// A call without an id.
  func plainCall(
    _ minutesAgo: Int = 60, session: String? = nil, cached: Int = 10, input: Int = 100
  ) -> String {
    let session = session.map { #""session":"\#($0)","# } ?? ""
    return
      #"{"time":"\#(Moment.minutesAgo(minutesAgo).text)","model":"mimo-v2.6-pro",\#(session)"prompt_tokens":\#(input),"completion_tokens":5,"cached_tokens":\#(cached)}"#
      + "\n"
  }
}

extension EndToEnd {
  /// What ledgers tell each other counts once, whatever way it takes.
  @Suite(.serialized, .timeLimit(.minutes(5)))
  struct LedgerExchangeTests {
    private let sandbox: Sandbox
    private let other: Sandbox

    init() throws {
      sandbox = try Sandbox()
      other = try Sandbox()
      for machine in [sandbox, other] { try machine.fixPrices() }
      try sandbox.followPlainLogs()
      try sandbox.write((60..<63).map { sandbox.plainCall($0) }.joined(), to: sandbox.plainLog)
      try sandbox.keep()
    }

    private func merge(_ file: String, into target: Sandbox) throws {
      try target.succeed(["ledger", "merge", file])
    }

    @Test func `sums that come home by way of another ledger are known there`() throws {
      let usage = try sandbox.usage()
      #expect(usage.requests == 3)
      let (there, back) = (sandbox.path("there.jsonl"), other.path("back.jsonl"))
      try sandbox.succeed(["ledger", "export", there])
      try merge(there, into: other)
      try other.succeed(["ledger", "export", back])
      let third = try Sandbox()
      try third.fixPrices()
      try merge(back, into: third)
      for _ in 0..<2 {
        try merge(back, into: sandbox)
        try merge(third.ledger, into: sandbox)
        #expect(try sandbox.usage() == usage)
        try merge(there, into: third)
        try merge(sandbox.ledger, into: third)
        try merge(third.ledger, into: other)
        #expect(try third.usage() == usage)
        #expect(try other.usage() == usage)
      }
      let said = try sandbox.succeed(["ledger", "merge", back])
      #expect(said.contains("3 sums left out, because this ledger counted the calls itself"))
    }

    @Test func `a sum that grows and opens no conversation any more is the same sum`() throws {
      let file = other.path("export.jsonl")
      var exports: [String] = []
      // Another call of the minute, then an earlier one of the conversation.
      for line in [(50, 100), (50, 100), (70, 100), (50, 200)] {
        try sandbox.append(
          sandbox.plainCall(line.0, session: "s", input: line.1), to: sandbox.plainLog)
        try sandbox.keep()
        exports.append(try sandbox.succeed(["ledger", "export"]))
      }
      let usage = try sandbox.usage()
      #expect(usage.requests == 7)
      for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2, 0]] {
        let target = try Sandbox()
        try target.fixPrices()
        for index in order {
          try other.write(exports[index], to: file)
          try merge(file, into: target)
        }
        #expect(try target.usage() == usage, "\(order)")
      }
    }

    @Test func `a sum tells how many of its calls read from the cache`() throws {
      try sandbox.append(
        sandbox.plainCall(40) + sandbox.plainCall(40) + sandbox.plainCall(40, cached: 0),
        to: sandbox.plainLog)
      let usage = try sandbox.usage()
      let export = try sandbox.succeed(["ledger", "export", sandbox.path("export.jsonl")])
      #expect(export == "")
      try merge(sandbox.path("export.jsonl"), into: other)
      #expect(try other.usage() == usage)
      #expect(usage.description.contains(#""calls_reading_cache" : "0.833333""#), "\(usage)")
    }

    @Test func `exports of before and after a rebuild, or damage, are of one ledger`() throws {
      try sandbox.append(
        #"{"time":"\#(Moment.minutesAgo(30).text)","model":"mimo-v2.6-pro","key":"sk-live-4f6e2b9d8c7a","prompt_tokens":9,"completion_tokens":1}"#
          + "\n", to: sandbox.plainLog)
      let usage = try sandbox.usage()
      func export(_ name: String) throws -> String {
        try sandbox.succeed(["ledger", "export", sandbox.path(name)])
        return sandbox.path(name)
      }
      var files = [try export("1.jsonl")]
      try sandbox.succeed(["ledger", "rebuild"])
      files.append(try export("2.jsonl"))
      try sandbox.write("no database", to: sandbox.ledger)
      // That history was lost is told.
      #expect(try sandbox.run(["watch", "--once"]).ending == .status(1))
      files.append(try export("3.jsonl"))
      try sandbox.delete(sandbox.ledger)
      try sandbox.keep()
      files.append(try export("4.jsonl"))
      try other.succeed(["ledger", "merge"] + files)
      #expect(try other.usage() == usage)
      let keys = try JSONReport(other.succeed(["report", "--json", "--by", "key"])).keys
      #expect(keys.count == 2, "\(keys)")
      #expect(try sandbox.usage() == usage)
      let attributes = try FileManager.default.attributesOfItem(
        atPath: sandbox.state + "/ledger.id")
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func `a ledger that was set aside gives back what the present one lacks, once`() throws {
      try sandbox.write(sandbox.call("m1"), to: sandbox.transcript("one"))
      let usage = try sandbox.usage()
      #expect(usage.requests == 4)
      let aside = sandbox.path("aside.db")
      try sandbox.rename(sandbox.ledger, to: aside)
      try sandbox.delete(sandbox.transcript("one"))
      try sandbox.write(sandbox.plainCall(60), to: sandbox.plainLog)
      #expect(try sandbox.usage().requests == 1)
      for _ in 0..<2 {
        try merge(aside, into: sandbox)
        #expect(try sandbox.usage() == usage)
      }
      try sandbox.succeed(["ledger", "forget", "--source", "plain"])
      try merge(aside, into: sandbox)
      #expect(try sandbox.usage().requests == 1)
    }

    @Test func `a ledger in use is merged as it is, and its own never`() throws {
      let usage = try sandbox.usage()
      let watch = try sandbox.start(["watch"])
      try sandbox.append(sandbox.plainCall(), to: sandbox.plainLog)
      try sandbox.waitUntilStored(4)
      try merge(sandbox.ledger, into: other)
      #expect(try other.usage().requests == 4)
      watch.send(signal: SIGTERM)
      #expect(try watch.waitForExit(within: patience) == .status(0))
      try FileManager.default.createSymbolicLink(
        atPath: sandbox.path("link.db"), withDestinationPath: sandbox.ledger)
      for command in ["merge", "import"] {
        for path in [sandbox.ledger, sandbox.state, sandbox.path("link.db")] {
          let run = try sandbox.run(["ledger", command, path])
          #expect(run.ending == .status(1))
          #expect(run.errors.contains("is this ledger itself (nothing was added)"))
        }
      }
      #expect(try sandbox.usage().requests == 4)
      #expect(usage.requests == 3)
    }

    @Test func `import takes exports and nothing else`() throws {
      let usage = try sandbox.usage()
      let export = try sandbox.succeed(["ledger", "export"]).split(separator: "\n")
      let database = try sandbox.run(["ledger", "import", other.ledger])
      #expect(database.ending == .status(1))
      try other.keep()
      let cases = [
        (other.ledger, "is a database; mimo-top ledger merge adds it"),
        ("empty.jsonl", "is empty"), ("headless.jsonl", "lines of another form"),
      ]
      try sandbox.write("", to: "empty.jsonl")
      try sandbox.write(
        export.dropFirst().joined(separator: "\n") + "\n", to: "headless.jsonl")
      for (file, words) in cases {
        let run = try sandbox.run(["ledger", "import", file])
        #expect(run.ending == .status(1), "\(file): \(run.output)")
        #expect(run.errors.contains(words) && run.errors.contains("(nothing was added)"))
      }
      #expect(try sandbox.usage() == usage)
    }

    @Test func `every command about the ledger takes a settings file`() throws {
      try sandbox.write(
        #"{"time_zone": "Asia/Shanghai", "logs": ["~/app.jsonl"]}"#, to: "mine.json")
      try other.keep()
      try other.succeed(["ledger", "export", other.path("nothing.jsonl")])
      for arguments in [
        ["status", "--json"], ["export"], ["import", other.path("nothing.jsonl")],
        ["merge", other.path("nothing.jsonl")], ["forget", "--before", "2020-01-01"], ["verify"],
        ["rebuild"],
      ] {
        let said = try sandbox.succeed(["ledger"] + arguments + ["--config", "mine.json"])
        if arguments[0] == "status" { #expect(said.contains("+08:00"), "\(said)") }
        let run = try sandbox.run(["ledger"] + arguments + ["--config", "missing.json"])
        #expect(run.ending == .status(64), "\(arguments): \(run.errors)")
      }
      #expect(try sandbox.usage().requests == 3)
    }

    @Test func `what is too old to be merged is told`() throws {
      try sandbox.append(
        sandbox.plainCall(500 * 1440) + sandbox.plainCall(500 * 1440), to: sandbox.plainLog)
      try sandbox.keep()
      // As if a month had gone by: old ids are let go at the next start.
      try sandbox.ledgerDatabase().execute(
        "UPDATE note SET value = CAST('1' AS BLOB) WHERE kind = 'state' AND key = CAST('pruned' AS BLOB)"
      )
      try sandbox.keep()
      let run = try other.run(["ledger", "merge", sandbox.ledger])
      #expect(run.ending == .status(0))
      #expect(run.errors.contains("2 calls so old that their ids are not known any more"))
      #expect(run.output.contains("3 new, 0 known already"))
    }
  }
}
