import MimoEngine
import Testing

@testable import MimoCatalog

/// One change to a good file, and what is said about it.
struct Mistake: CustomTestStringConvertible, Sendable {
  var replace: String
  var with: String
  var says: String

  init(_ replace: String, _ with: String, _ says: String) {
    (self.replace, self.with, self.says) = (replace, with, says)
  }

  var testDescription: String { with }
}

@Suite struct MistakeTests {
  static let prices = """
    {"schema": "mimo-top.prices/1", "id": "acme", "name": "Acme", "aliases": [],
     "sources": {"page": {"address": "https://acme.example/prices", "title": "Prices"}},
     "calendars": {"off": {"utc_offset": "Z", "days": [], "covers": ["2026-01-01", "2026-12-31"]}},
     "schedules": {"noon": {"utc_offset": "+08:00", "base": "low", "days_off": "off", "windows": [
       {"label": "peak", "days": ["mon"], "start": "09:00", "end": "12:00"}]}},
     "models": [
       {"id": "one", "context_tokens": 1000, "released": "2026-01-01",
        "routes": [{"from": "2026-03-01T00:00:00Z", "billed_as": "two"}],
        "prices": [
          {"to": "2026-01-01T00:00:00Z", "currency": "USD", "input": "2", "output": "4"},
          {"from": "2026-01-01T00:00:00Z", "currency": "USD", "input": "1", "output": "2",
           "tiers": [{"above_prompt_tokens": 500, "input": "2", "output": "4"}],
           "source": ["page"], "as_of": "2026-11", "confidence": "medium"}]},
       {"id": "two", "prices": [
          {"currency": "CNY", "input": "1", "output": "2", "factors": {"batch": "0.5"},
           "schedule": "noon", "schedule_rates": {"peak": {"input": "3", "output": "6"}}}]}
     ]}
    """

  @Test func `a good file has no mistakes`() throws {
    let file = PriceFile(name: "acme.json", bytes: Array(Self.prices.utf8))
    #expect(file.problems.map(\.description) == [])
    #expect(file.provider?.models.map(\.id) == ["one", "two"])
  }

  @Test(arguments: [
    Mistake(
      #""input": "1""#, #""input": 1.0"#,
      #"acme.json:11: model "one", price 2: "input": expected a decimal number in quotes, such as "0.025" (skipped)"#
    ),
    Mistake(
      #""input": "1""#, #""input": "1,0""#,
      #"acme.json:11: model "one", price 2: "input": expected a decimal number in quotes, such as "0.025" (skipped)"#
    ),
    Mistake(
      #""input": "1""#, #""input": "-1""#,
      #"acme.json:11: model "one", price 2: "input": expected a decimal number in quotes, such as "0.025" (skipped)"#
    ),
    Mistake(
      #""input": "1""#, #""input": "0.0000000001""#,
      #"acme.json:11: model "one", price 2: "input": expected a number with at most 9 decimals, in range (skipped)"#
    ),
    Mistake(
      #""input": "1""#, #""inptu": "1""#,
      #"acme.json:11: model "one", price 2: "inptu": expected no such field (skipped)"#),
    Mistake(
      #""input": "1", "#, "",
      #"acme.json:11: model "one", price 2: "input": expected a price (skipped)"#),
    Mistake(
      #""currency": "USD", "input": "1""#, #""currency": "EUR", "input": "1""#,
      #"acme.json:11: model "one", price 2: "currency": expected USD or CNY (skipped)"#),
    Mistake(
      #"{"from": "2026-01-01T00:00:00Z", "c"#, #"{"from": "2025-12-31T00:00:00Z", "c"#,
      #"acme.json:11: model "one", price 2: "from": expected a time that does not overlap price 1 (skipped)"#
    ),
    Mistake(
      #"{"from": "2026-01-01T00:00:00Z", "c"#, #"{"from": "2026-02-01T00:00:00Z", "c"#,
      #"acme.json:11: model "one", price 2: "from": expected no gap after price 1, or a note that explains it (kept)"#
    ),
    Mistake(
      #"{"from": "2026-01-01T00:00:00Z", "c"#, #"{"from": "2026-02-30T00:00:00Z", "c"#,
      #"acme.json:11: model "one", price 2: "from": expected a minute with an offset, such as 2026-05-27T00:00:00+08:00 (skipped)"#
    ),
    Mistake(
      #"{"from": "2026-01-01T00:00:00Z", "c"#, #"{"from": "2026-01-01T00:00:30Z", "c"#,
      #"acme.json:11: model "one", price 2: "from": expected a minute with an offset, such as 2026-05-27T00:00:00+08:00 (skipped)"#
    ),
    Mistake(
      #"{"from": "2026-01-01T00:00:00Z", "c"#, #"{"from": "2026-01-01", "c"#,
      #"acme.json:11: model "one", price 2: "from": expected a minute with an offset, such as 2026-05-27T00:00:00+08:00 (skipped)"#
    ),
    Mistake(
      #""above_prompt_tokens": 500"#, #""above_prompt_tokens": "500""#,
      #"acme.json:12: model "one", price 2: "above_prompt_tokens": expected a whole number of tokens, without quotes (skipped)"#
    ),
    Mistake(
      #""above_prompt_tokens": 500"#, #""above_prompt_tokens": 0"#,
      #"acme.json:12: model "one", price 2: "above_prompt_tokens": expected thresholds that ascend from above 0 (skipped)"#
    ),
    Mistake(
      #"["page"]"#, #"["pgae"]"#,
      #"acme.json:13: model "one", price 2: "source": expected an address or a name from "sources", not "pgae" (skipped)"#
    ),
    Mistake(
      #""2026-11""#, #""11/2026""#,
      #"acme.json:13: model "one", price 2: "as_of": expected a date or a month (skipped)"#),
    Mistake(
      #""medium""#, #""certain""#,
      #"acme.json:13: model "one", price 2: "confidence": expected high, medium or low (skipped)"#),
    Mistake(
      #""billed_as": "two""#, #""billed_as": "three""#,
      #"acme.json:8: model "one", route 1: "billed_as": expected another model of this provider (skipped)"#
    ),
    Mistake(
      #""billed_as": "two""#, #""billed_as": "one""#,
      #"acme.json:8: model "one", route 1: "billed_as": expected another model of this provider (skipped)"#
    ),
    Mistake(
      #""id": "two""#, #""id": "ONE""#,
      #"acme.json:14: model 2 "ONE": "id": expected names of its own, but "one" means "one" already (skipped)"#
    ),
    Mistake(
      #""released": "2026-01-01""#, #""released": "January""#,
      #"acme.json:7: model 1 "one": "released": expected a date such as 2026-05-27 (skipped)"#),
    Mistake(
      #""context_tokens": 1000"#, #""context_tokens": 1e3"#,
      #"acme.json:7: model 1 "one": "context_tokens": expected a whole number of tokens, without quotes (skipped)"#
    ),
    Mistake(
      #""factors": {"batch": "0.5"}"#, #""factors": {"turbo": "2"}"#,
      #"acme.json:15: model "two", price 1: "factors": expected batch, priority, flex or fast, not "turbo" (skipped)"#
    ),
    Mistake(
      #""batch": "0.5""#, #""batch": "0.00000000001""#,
      #"acme.json:15: model "two", price 1: "factors": expected factors that divide every rate exactly (skipped)"#
    ),
    Mistake(
      #""schedule": "noon""#, #""schedule": "night""#,
      #"acme.json:16: model "two", price 1: "schedule": expected a name from "schedules" (skipped)"#
    ),
    Mistake(
      #"{"peak": {"input"#, #"{"high": {"input"#,
      #"acme.json:16: model "two", price 1: "schedule_rates": expected rates for each label of "noon" and no other (skipped)"#
    ),
    Mistake(
      #""schedule": "noon","#, #""schedule": "noon", "tiers": [],"#,
      #"acme.json:16: model "two", price 1: "schedule": expected either tiers or a schedule, not both (skipped)"#
    ),
    Mistake(
      #"{"label": "peak", "days": ["mon"], "start": "09:00", "end": "12:00"}"#,
      #"{"label": "peak", "days": ["mon"], "start": "09:00", "end": "12:00"}, {"label": "x", "days": ["sun"], "start": "23:00", "end": "09:01"}"#,
      #"acme.json:5: schedule "noon": "start": expected windows that do not overlap (skipped)"#),
    Mistake(
      #""days": ["mon"]"#, #""days": ["Monday"]"#,
      #"acme.json:5: schedule "noon": "days": expected days from mon to sun, each once (skipped)"#),
    Mistake(
      #""start": "09:00""#, #""start": "9:00""#,
      #"acme.json:5: schedule "noon": "start": expected a time of day such as 09:00 (skipped)"#),
    Mistake(
      #""+08:00""#, #""Beijing""#,
      #"acme.json:4: schedule "noon": "utc_offset": expected an offset from UTC such as +08:00 (skipped)"#
    ),
    Mistake(
      #"["2026-01-01", "2026-12-31"]"#, #"["2026-01-01"]"#,
      #"acme.json:3: calendar "off": "covers": expected a first and a last day, such as ["2026-10-01", "2026-10-07"] (skipped)"#
    ),
    Mistake(
      #""id": "acme""#, #""id": "Acme Inc""#,
      #"acme.json:1: "id": expected a name in lower case without spaces (file skipped)"#),
    Mistake(
      "mimo-top.prices/1", "mimo-top.prices/9",
      #"acme.json:1: "schema": expected "mimo-top.prices/1" (file skipped)"#),
    Mistake(
      #""name": "Acme","#, #""name": "Acme""#, "acme.json:1: expected a comma or } (file skipped)"),
    Mistake(
      #""name": "Acme""#, #""id": "acme""#,
      #"acme.json:1: expected the field "id" only once (file skipped)"#),
    Mistake(
      #""aliases": []"#, #""aliases": [nope]"#, "acme.json:1: expected a value (file skipped)"),
    Mistake(
      #""aliases": []"#, #""aliases": {}"#,
      #"acme.json:1: "aliases": expected a list, not an object (file skipped)"#),
  ]) func `a mistake in a price file is named with its place`(_ mistake: Mistake) throws {
    try #require(Self.prices.contains(mistake.replace))
    let text = Self.prices.replacing(mistake.replace, with: mistake.with, maxReplacements: 1)
    let file = PriceFile(name: "acme.json", bytes: Array(text.utf8))
    #expect(file.problems.map(\.description).contains(mistake.says))
  }

  @Test func `a bad row costs that row alone`() throws {
    let text = Self.prices.replacing(#""input": "1", "output": "2","#, with: #""input": 1,"#)
    let file = PriceFile(name: "acme.json", bytes: Array(text.utf8))
    let one = try #require(file.provider?.models.first)
    #expect(one.entries.count == 1)
    #expect(one.routes.count == 1)
    #expect(file.provider?.models.count == 2)
  }

  static let plans = """
    {"schema": "mimo-top.plans/1",
     "families": [{"id": "club", "provider": "xiaomi",
       "off_peak": [{"factor": "0.8", "utc_offset": "+08:00", "start": "00:00", "end": "08:00",
                     "days": ["mon"]}],
       "models": [{"id": "mimo-v2.6-pro", "credits_per_token": [{"input": "2.5", "output": "5"}]}]}],
     "plans": [
       {"id": "club-one", "family": "club", "versions": [
         {"monthly": {"fee": {"USD": "9.99"}, "credits": "100"}}]},
       {"id": "flat-one", "kind": "flat", "provider": "xiaomi", "versions": [
         {"monthly": {"fee": {"USD": "9.99"}}}]}
     ]}
    """

  @Test func `a good plan file has no mistakes`() {
    let file = PlanFile(name: "my.json", bytes: Array(Self.plans.utf8))
    #expect(file.problems.map(\.description) == [])
    #expect(file.plans.map(\.id) == ["club-one", "flat-one"])
  }

  @Test(arguments: [
    Mistake(
      #""factor": "0.8""#, #""factor": 0.8"#,
      #"my.json:3: family "club", off-peak rule 1: "factor": expected a decimal number in quotes, such as "0.025" (skipped)"#
    ),
    Mistake(
      #""factor": "0.8""#, #""factor": "0.0000000000000001""#,
      #"my.json:3: family "club", off-peak rule 1: "factor": expected a factor that divides every rate of mimo-v2.6-pro exactly (skipped)"#
    ),
    Mistake(
      #""input": "2.5""#, #""input": 2.5"#,
      #"my.json:5: model "mimo-v2.6-pro", price 1: "input": expected a decimal number in quotes, such as "0.025" (skipped)"#
    ),
    Mistake(
      #""input": "2.5""#, #""input": "9224""#,
      #"my.json:5: model "mimo-v2.6-pro", price 1: "input": expected a number with at most 15 decimals, in range (skipped)"#
    ),
    Mistake(
      #""family": "club""#, #""family": "clob""#,
      #"my.json:7: plan 1: "family": expected the id of a family (skipped)"#),
    Mistake(
      #""credits": "100""#, #""first_purchase_fee": {}"#,
      #"my.json:8: plan "club-one", version 1: "credits": expected a number of credits (skipped)"#),
    Mistake(
      #"{"USD": "9.99"}, "c"#, #"{"EUR": "9.99"}, "c"#,
      #"my.json:8: plan "club-one", version 1: "fee": expected fees in USD or CNY, not EUR (skipped)"#
    ),
    Mistake(
      #"{"USD": "9.99"}, "c"#, #"{"USD": 9.99}, "c"#,
      #"my.json:8: plan "club-one", version 1: "fee": expected an amount in quotes, such as "9.99" (skipped)"#
    ),
    Mistake(
      #""kind": "flat""#, #""kind": "free""#,
      #"my.json:9: plan 2: "kind": expected credits, flat or metered (skipped)"#),
    Mistake(
      #""id": "flat-one""#, #""id": "club-one""#,
      #"my.json:9: plan 2: "id": expected an id that no other plan has (skipped)"#),
    Mistake(
      "mimo-top.plans/1", "x", #"my.json:1: "schema": expected "mimo-top.plans/1" (file skipped)"#),
  ]) func `a mistake in a plan file is named with its place`(_ mistake: Mistake) throws {
    try #require(Self.plans.contains(mistake.replace))
    let text = Self.plans.replacing(mistake.replace, with: mistake.with, maxReplacements: 1)
    let file = PlanFile(name: "my.json", bytes: Array(text.utf8))
    #expect(file.problems.map(\.description).contains(mistake.says))
  }

  @Test func `no bytes at all stop the program`() {
    let garbage: [[UInt8]] = [
      [], [0], Array("[".utf8), Array("{\"a\"".utf8), Array("\"\\u12".utf8), Array("\"\\".utf8),
      Array(String(repeating: "[", count: 100_000).utf8), [0xFF, 0xFE, 0x7B], Array("null".utf8),
    ]
    for bytes in garbage {
      #expect(PriceFile(name: "x", bytes: bytes).problems.count == 1)
      #expect(PlanFile(name: "x", bytes: bytes).problems.count == 1)
    }
  }

  @Test func `every beginning of a good file is a mistake and never a crash`() {
    let bytes = Array(Self.prices.utf8)
    for length in stride(from: 0, to: bytes.count, by: 3) {
      #expect(PriceFile(name: "x", bytes: Array(bytes[..<length])).problems.count == 1)
    }
  }
}
