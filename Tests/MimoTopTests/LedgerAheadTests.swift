import Testing

@testable import mimo_top

@Suite struct LedgerAheadTests {
  @Test(arguments: [
    [], ["--once"], ["-b", "-n", "3"], ["--plan", "xiaomi-payg"], ["dashboard", "--window", "5m"],
  ])
  func `a dashboard begins to read the cells of the ledger`(arguments: [String]) {
    #expect(LedgerAhead.looksAsIfShowing(arguments) == true)
  }

  @Test(arguments: [
    ["report"], ["report", "--by", "month", "--json"], ["compare", "--last", "7d"],
  ])
  func `a table begins to read what all cells refer to`(arguments: [String]) {
    #expect(LedgerAhead.looksAsIfShowing(arguments) == false)
  }

  @Test(arguments: [
    ["--version"], ["report", "--help"], ["--no-ledger"], ["--demo"], ["log.jsonl"],
    ["report", "log.jsonl"], ["report", "--json", "/etc/passwd"], ["plans"], ["ledger", "verify"],
    ["prices", "--json"], ["-"], ["--format", "plain", "x"],
  ])
  func `what does without the ledger leaves it alone`(arguments: [String]) {
    #expect(LedgerAhead.looksAsIfShowing(arguments) == nil)
  }

  @Test func `a report of a span needs few addresses`() {
    #expect(LedgerAhead.looksAsIfOfSpan(["report", "--last", "30d"]))
    #expect(LedgerAhead.looksAsIfOfSpan(["report", "--by", "month", "--since=2026-01-01"]))
    #expect(!LedgerAhead.looksAsIfOfSpan(["report", "--until", "2026-01-01"]))
    #expect(!LedgerAhead.looksAsIfOfSpan(["compare", "--last", "30d"]))
  }
}
