import Foundation
import Testing

extension EndToEnd {
  /// README's worked example is what the program prints.
  @Suite struct ReadmeTests {
    let sandbox: Sandbox
    let readme: String

    init() throws {
      sandbox = try Sandbox()
      let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
      readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
      let parts = readme.components(separatedBy: "cat > call.jsonl <<'EOF'\n")
      let log = try #require(parts.last?.components(separatedBy: "\nEOF").first)
      try sandbox.write(log + "\n", to: "call.jsonl")
      try sandbox.write(
        log.replacingOccurrences(of: "T10:00", with: "T02:00") + "\n", to: "night.jsonl")
    }

    private func report(_ log: String, _ options: String...) throws -> JSONReport {
      let run = try sandbox.run(["report", log, "--json"] + options)
      #expect(run.ending == .status(0))
      return try JSONReport(run.output)
    }

    private func grouped(_ number: Int?) throws -> String {
      let number = try #require(number)
      return number.formatted(.number.locale(Locale(identifier: "en_US")))
    }

    @Test func `the example can be checked by hand`() throws {
      let billed = try report("call.jsonl")
      #expect(readme.contains("| $\(try #require(billed.totals.text("cost"))) |"))
      #expect(readme.contains("is $\(try #require(billed.totals.text("saved_by_cache")))."))
      let yuan = try report("call.jsonl", "--currency", "CNY")
      #expect(readme.contains("| ¥\(try #require(yuan.totals.text("cost"))) |"))

      let plan = try report("call.jsonl", "--plan", "mimo-token-plan-lite")
      #expect(readme.contains("\(try grouped(plan.totals["credits"] as? Int)) credits"))
      let night = try report("night.jsonl", "--plan", "mimo-token-plan-lite")
      #expect(readme.contains(" \(try grouped(night.totals["credits"] as? Int))."))
    }
  }
}
