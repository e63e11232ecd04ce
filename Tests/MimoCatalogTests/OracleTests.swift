import Foundation
import MimoEngine
import Testing

@testable import MimoCatalog

/// A second opinion on every price: read with the system's JSON, calendar and time zones, without
/// spans, rates or any other type of the engine but its exact numbers.
private struct Oracle {
  typealias Object = [String: Any]

  let id: String
  let list: Object
  let models: [Object]

  init(_ file: CatalogFile) throws {
    list = try JSONSerialization.jsonObject(with: Data(file.bytes)) as! Object
    id = list["id"] as! String
    models = list["models"] as! [Object]
  }

  static func date(_ text: Any?) -> Date? {
    (text as? String).map { try! Date.ISO8601FormatStyle().parse($0) }
  }

  static func holds(_ row: Object, at date: Date) -> Bool {
    (Self.date(row["from"]) ?? .distantPast) <= date
      && date < (Self.date(row["to"]) ?? .distantFuture)
  }

  /// The printed prices for one call, or `nil`.
  func prices(of model: Object, _ currency: String, prompt: Int64, at date: Date) -> Object? {
    if let retired = Self.date(model["retired"]), date >= retired { return nil }
    let routes = model["routes"] as? [Object] ?? []
    if let route = routes.first(where: { Self.holds($0, at: date) }) {
      let target = models.first { $0["id"] as! String == route["billed_as"] as! String }!
      return prices(of: target, currency, prompt: prompt, at: date)
    }
    let rows = (model["prices"] as! [Object]).filter {
      $0["currency"] as? String == currency && Self.holds($0, at: date)
    }
    guard let row = rows.first, row["unit"] == nil else { return nil }
    if let tiers = row["tiers"] as? [Object] {
      return tiers.filter { ($0["above_prompt_tokens"] as! Int64) < prompt }.last ?? row
    }
    if let name = row["schedule"] as? String {
      let schedule = (list["schedules"] as! Object)[name] as! Object
      if let label = label(schedule, at: date) {
        return (row["schedule_rates"] as! Object)[label] as? Object
      }
    }
    return row
  }

  private func label(_ schedule: Object, at date: Date) -> String? {
    var calendar = Calendar(identifier: .gregorian)
    let offset = schedule["utc_offset"] as! String
    let hours = Int(offset.dropFirst().prefix(2))! * (offset.hasPrefix("-") ? -1 : 1)
    calendar.timeZone = TimeZone(secondsFromGMT: hours * 3600)!
    for window in schedule["windows"] as! [Object] {
      let start = minutes(window["start"]), end = minutes(window["end"])
      // The window that began today or, if it runs over midnight, yesterday.
      for back in end > start ? [0] : [0, 1] {
        let midnight = calendar.startOfDay(for: date.addingTimeInterval(Double(-86400 * back)))
        guard begins(window, schedule, on: midnight, calendar) else { continue }
        let opens = midnight.addingTimeInterval(Double(start * 60))
        let closes = midnight.addingTimeInterval(Double((end > start ? end : end + 1440) * 60))
        if opens <= date && date < closes { return window["label"] as? String }
      }
    }
    return nil
  }

  private func minutes(_ clock: Any?) -> Int {
    let parts = (clock as! String).split(separator: ":").map { Int($0)! }
    return parts[0] * 60 + parts[1]
  }

  private func begins(_ window: Object, _ schedule: Object, on midnight: Date, _ calendar: Calendar)
    -> Bool
  {
    let names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    let name = names[calendar.component(.weekday, from: midnight) - 1]
    guard (window["days"] as! [String]).contains(name) else { return false }
    guard let days = schedule["days_off"] as? String else { return true }
    let parts = calendar.dateComponents([.year, .month, .day], from: midnight)
    let day = String(format: "%04d-%02d-%02d", parts.year!, parts.month!, parts.day!)
    let off = ((list["calendars"] as! Object)[days] as! Object)["days"] as! [[String]]
    return !off.contains { $0[0] <= day && day <= $0[1] }
  }

  /// What `tokens` cost, in units of 10⁻¹⁸ of the currency.
  static func cost(_ tokens: TokenCounts, at prices: Object) -> Int128 {
    func rate(_ names: String...) -> Int128 {
      let text = names.compactMap { prices[$0] as? String }.first!
      return ExactDecimal(text)!.scaled(by: 12)!  // 18 decimals, per 10⁶ tokens
    }
    return Int128(tokens.input) * rate("input") + Int128(tokens.cacheRead)
      * rate("cache_read", "input") + Int128(tokens.cacheWrite5m)
      * rate("cache_write_5m", "cache_write", "input") + Int128(tokens.cacheWrite1h)
      * rate("cache_write_1h", "cache_write", "input") + Int128(tokens.output) * rate("output")
  }
}

@Suite struct OracleTests {
  /// Always the same calls, so that a failure can be repeated.
  struct Dice: RandomNumberGenerator {
    var state: UInt64 = 0x5EED

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  static let first = minute("2025-01-01T00:00:00Z")
  static let last = minute("2027-03-01T00:00:00Z")

  @Test func `any usage at any minute costs what the printed prices add up to`() throws {
    var dice = Dice()
    var priced = 0
    for oracle in try BuiltIn.prices.map(Oracle.init) {
      for model in oracle.models {
        let id = model["id"] as! String
        let index = try #require(catalog.book.model(named: id, soldBy: oracle.id))
        for _ in 0..<40 {
          let at = Minute(Int32.random(in: Self.first.number..<Self.last.number, using: &dice))
          let currency = Currency.allCases.randomElement(using: &dice)!
          let tokens = TokenCounts(
            input: .random(in: 0...300_000, using: &dice),
            cacheRead: .random(in: 0...300_000, using: &dice),
            cacheWrite5m: .random(in: 0...9_000, using: &dice),
            cacheWrite1h: .random(in: 0...9_000, using: &dice),
            output: .random(in: 0...90_000, using: &dice))
          let span = catalog.book.span(
            of: index, currency: currency, promptTokens: tokens.prompt, at: at)
          let date = Date(timeIntervalSince1970: Double(at.number) * 60)
          let prices = oracle.prices(of: model, currency.rawValue, prompt: tokens.prompt, at: date)
          // What is billed by its length has no price of tokens.
          let rates = span.rates.flatMap { $0.perAudioHour == nil ? $0 : nil }
          let cost = rates.map { Amount(femto: $0.cost(of: tokens)) }
          #expect(
            cost?.atto == prices.map { Oracle.cost(tokens, at: $0) },
            "\(id) in \(currency.rawValue) at \(date)")
          priced += cost == nil ? 0 : 1
        }
      }
    }
    #expect(priced > 1000)
  }

  @Test func `a report of random usage adds up to exact decimals in every grouping`() throws {
    var dice = Dice()
    let oracles = try BuiltIn.prices.map(Oracle.init)
    for currency in Currency.allCases {
      var ledger = Ledger(promptEdges: catalog.promptEdges)
      var expected: Int128 = 0
      var unpriced: Int64 = 0
      // What was expected of each model and of each session, in units of 10⁻¹⁸.
      var byModel: [String: Int128] = [:]
      var bySession: [String: Int128] = [:]
      for number in 0..<3000 {
        let oracle = oracles.randomElement(using: &dice)!
        guard let model = oracle.models.randomElement(using: &dice) else { continue }
        let id = model["id"] as! String
        let at = Minute(Int32.random(in: Self.first.number..<Self.last.number, using: &dice))
        let tokens = TokenCounts(
          input: .random(in: 0...300_000, using: &dice),
          cacheRead: .random(in: 0...300_000, using: &dice),
          cacheWrite5m: .random(in: 0...9_000, using: &dice),
          cacheWrite1h: .random(in: 0...9_000, using: &dice),
          output: .random(in: 0...90_000, using: &dice))
        let session = "session \(Int.random(in: 0..<7, using: &dice))"
        var record = UsageRecord(
          time: at.start, identity: CallIdentity(message: Fingerprint(of: "\(number)")))
        record.labels = Labels(
          model: ledger.names.intern(id), provider: ledger.names.intern(oracle.id),
          session: ledger.names.intern(session))
        record.tokens = tokens
        ledger.record(record)
        let prices = oracle.prices(
          of: model, currency.rawValue, prompt: tokens.prompt,
          at: Date(timeIntervalSince1970: Double(at.number) * 60))
        guard let prices else {
          unpriced += 1
          continue
        }
        let cost = Oracle.cost(tokens, at: prices)
        expected += cost
        byModel[id, default: 0] += cost
        bySession[session, default: 0] += cost
      }
      let snapshot = ledger.snapshot()
      let tariff = Tariff(plan: .asBilled, book: catalog.book, currency: currency)
      for grouping in Grouping.allCases {
        let report = Report(of: snapshot, tariff: tariff, by: grouping, clock: .utc)
        #expect(report.totals.cost?.atto == expected)
        #expect(report.totals.unpricedRequests == unpriced)
        let rows = report.rows.map { $0.measures.cost?.atto ?? 0 }
        #expect(rows.reduce(0, +) == expected, "by \(grouping.rawValue)")
        guard let exact = [.model: byModel, .session: bySession][grouping] else { continue }
        for row in report.rows where row.measures.pricedRequests > 0 {
          #expect(row.measures.cost?.atto == exact[row.key ?? ""])
        }
      }
    }
  }

  @Test func `spans follow each other, and within one all minutes agree`() throws {
    var dice = Dice()
    for plan in catalog.plans where plan.kind != .asBilled {
      for currency in Currency.allCases {
        let tariff = Tariff(plan: plan, book: catalog.book, currency: currency)
        for model in catalog.book.providers.first(where: { $0.id == plan.provider })!.models {
          guard let place = tariff.model(named: model.id, provider: nil) else { continue }
          let prompt = Int64.random(in: 0...600_000, using: &dice)
          var at = Self.first
          while at < Self.last {
            let span = tariff.span(of: place, promptTokens: prompt, at: at)
            try #require(span.from <= at && at < span.until)
            for other in [
              span.from, Minute(span.until.number - 1),
              Minute(.random(in: span.from.number..<span.until.number, using: &dice)),
            ] {
              let same = tariff.span(of: place, promptTokens: prompt, at: other)
              try #require(same.from == span.from && same.until == span.until, "\(model.id)")
              try #require(same.rates == span.rates && same.label == span.label, "\(model.id)")
            }
            at = span.until
          }
        }
      }
    }
  }

  @Test func `without hours a span lasts as long as its row`() {
    let open = span("kimi-k3", at: "2026-10-01T00:00:00Z")
    #expect(open.from == .distantPast)
    #expect(open.until == .distantFuture)
    let cut = span("mimo-v2.5-pro", at: "2026-06-01T00:00:00Z")
    #expect(cut.from == minute("2026-05-27T00:00:00+08:00"))
    #expect(cut.until == minute("2026-10-21T10:00:00+08:00"))
  }
}
