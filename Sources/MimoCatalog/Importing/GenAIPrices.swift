import MimoEngine

/// A data file of genai-prices: providers with their models, prices in USD per million tokens, by date and
/// by hour. Both forms: a list of providers, and an object with `units` and `providers`.
///
/// Source: `prices/src/prices/prices_types.py`, `prices/data.schema.json` and the package's own
/// documentation of conditions ("the last active price is used") and tiers (a cliff).
struct GenAIPrices: PriceBookReader {
  static func recognises(_ root: JSONValue) -> Bool {
    providers(root)?.contains { $0["id"]?.text != nil && $0["models"]?.elements != nil } ?? false
  }

  private static func providers(_ root: JSONValue) -> [JSONValue]? {
    root.elements ?? root["providers"]?.elements
  }

  func read(_ root: JSONValue, _ log: inout ImportLog) -> [ImportedProvider] {
    (Self.providers(root) ?? []).compactMap { value in
      guard let id = value["id"]?.text?.lowercased() else { return nil }
      var provider = ImportedProvider(id: id, name: value["name"]?.text)
      provider.hosts = value["api_pattern"]?.text.flatMap(Host.of(pattern:)).map { [$0] } ?? []
      provider.addresses = (value["pricing_urls"]?.elements ?? []).compactMap(\.text)
      for model in value["models"]?.elements ?? [] {
        guard let key = model["id"]?.text else { continue }
        do throws(Unexpressed) {
          var parts: Set<String> = []
          let rows = try rows(model, tools: value["tool_use_kcount"], &parts)
          let names = Names(model["match"], id: key)
          if names.hasPatterns { parts.insert("names by pattern: only exact names are matched") }
          for part in parts.sorted() { log.leaveOut(part, from: key, of: id) }
          provider.models.append(
            ImportedModel(
              key: key, name: model["name"]?.text, aliases: names.exact.map(ImportedModel.id(of:)),
              rows: rows))
        } catch { log.drop(key, of: id, error.reason) }
      }
      return provider
    }
  }

  /// The names a `match` clause accepts.
  private struct Names {
    var exact: [String] = []
    var hasPatterns = false

    init(_ match: JSONValue?, id: String) { read(match, id) }

    private mutating func read(_ match: JSONValue?, _ id: String) {
      guard let (kind, value) = match?.members?.first else { return }
      switch (kind, value.text) {
      case ("equals", let name?):
        if name.lowercased() != id.lowercased() { exact.append(name) }
      case ("or", _): for clause in value.elements ?? [] { read(clause, id) }
      // A date behind the name is what our book accepts of itself.
      case ("regex", let pattern?) where pattern == "^\(id)-\\d{8}$": break
      default: hasPatterns = true
      }
    }
  }

  // MARK: - Prices by date and hour

  /// A set of prices with the condition under which it holds.
  private struct Conditional {
    var from: Minute?
    var window: ImportedRow.Window?
    var prices: JSONValue
  }

  private func rows(_ model: JSONValue, tools: JSONValue?, _ parts: inout Set<String>)
    throws(Unexpressed) -> [ImportedRow]
  {
    guard let prices = model["prices"] else { throw Unexpressed("no price per token") }
    var list: [Conditional] = []
    for value in prices.elements ?? [] {
      guard let inner = value["prices"] else { throw Unexpressed("no price per token") }
      list.append(try conditional(value["constraint"], inner))
    }
    if prices.elements == nil { list = [Conditional(prices: prices)] }
    guard !list.isEmpty else { throw Unexpressed("no price per token") }
    var variants: [(tier: String, condition: Conditional)] = []
    for value in model["price_variants"]?.elements ?? [] {
      let names = (value["when"]?.members ?? [:]).values.map { $0.text ?? "" }
      guard names.count == 1, let inner = value["prices"],
        let condition = try? conditional(value["constraint"], inner), condition.window == nil,
        ["batch", "priority", "flex", "fast"].contains(names[0])
      else {
        parts.insert("prices by circumstances of the call")
        continue
      }
      variants.append((names[0], condition))
    }

    // What holds changes on these days and at no other time.
    let starts = Set((list + variants.map(\.condition)).compactMap(\.from)).sorted()
    var rows: [ImportedRow] = []
    for (index, from) in ([nil] + starts.map(Optional.some)).enumerated() {
      func holds(_ condition: Conditional) -> Bool {
        condition.from.map { start in from.map { start <= $0 } ?? false } ?? true
      }
      // The last price whose condition holds counts, so hours listed before it are hidden by it.
      let active = list.filter(holds)
      let base = active.lastIndex { $0.window == nil }
      var row = try row((base.map { active[$0] } ?? list[0]).prices, tools: tools, &parts)
      for timed in active[(base.map { $0 + 1 } ?? 0)...] {
        guard let window = timed.window else { continue }
        let rates = try self.row(timed.prices, tools: tools, &parts)
        guard rates.tiers.isEmpty else {
          throw Unexpressed("prices by prompt size and by hour at once")
        }
        row.hours.append(
          ImportedRow.Hours(
            label: "\(DayTime.text(window.start))-\(DayTime.text(window.end)) UTC",
            windows: [window], rates: rates.rates))
      }
      for (tier, condition) in variants where holds(condition) && row.factors[tier] == nil {
        if let factor = row.factor(to: try steps(condition.prices)) {
          row.factors[tier] = factor
        } else {
          parts.insert("\(tier) prices that are not one factor on the standard ones")
        }
      }
      row.from = from
      row.to = index < starts.count ? starts[index] : nil
      try row.check()
      if let last = rows.last, last.isSamePrice(as: row) {
        rows[rows.count - 1].to = row.to
      } else {
        rows.append(row)
      }
    }
    return rows
  }

  private func conditional(_ constraint: JSONValue?, _ prices: JSONValue) throws(Unexpressed)
    -> Conditional
  {
    guard let constraint else { return Conditional(prices: prices) }
    // Days begin at midnight UTC. Old files call the day "start".
    if let text = (constraint["start_date"] ?? constraint["start"])?.text {
      guard let date = CivilDate(text) else { throw Unexpressed("a date not understood") }
      return Conditional(from: date.startInUTC.minute, prices: prices)
    }
    guard let start = constraint["start_time"]?.text.flatMap(DayTime.utcMinute),
      let end = constraint["end_time"]?.text.flatMap(DayTime.utcMinute), start != end
    else { throw Unexpressed("a condition other than date and hour") }
    return Conditional(
      window: ImportedRow.Window(start: start, end: end == 0 ? 1440 : end), prices: prices)
  }

  // MARK: - One set of prices

  private static let fields: [String: RateField] = [
    "input_mtok": .input, "output_mtok": .output, "cache_read_mtok": .cacheRead,
    "cache_write_mtok": .cacheWrite, "cache_write_5m_mtok": .cacheWrite5m,
    "cache_write_1h_mtok": .cacheWrite1h,
  ]

  private func row(_ prices: JSONValue, tools: JSONValue?, _ parts: inout Set<String>)
    throws(Unexpressed) -> ImportedRow
  {
    var steps = try steps(prices)
    guard steps[0]?[.input] != nil else {
      throw Unexpressed(steps.isEmpty ? "no price per token" : "no price of input tokens")
    }
    for above in steps.keys where steps[above]?[.output] == nil {
      // Models that only embed have no output.
      steps[above]?[.output] = ExactDecimal(digits: 0, decimals: 0)
    }
    var row = ImportedRow(rates: steps[0]!)
    row.tiers = steps.keys.sorted().dropFirst().map {
      ImportedRow.Tier(above: $0, rates: steps[$0]!)
    }
    row.webSearchPer1000 =
      (prices["web_searches_kcount"] ?? prices["tool_use_kcount"]?["web_search"]
      ?? tools?["web_search"])?.decimal
    if let price = row.webSearchPer1000, Rates.femto(price, perPowerOfTen: 3) == nil {
      row.webSearchPer1000 = nil
    }
    for (name, value) in prices.members ?? [:] where Self.fields[name] == nil {
      switch name {
      case "requests_kcount": throw Unexpressed("a fee per request")
      case "output_reasoning_mtok":
        if value.decimal?.text != row.rates[.output]?.text {
          throw Unexpressed("reasoning at another price than output")
        }
      case "web_searches_kcount": break
      case "tool_use_kcount":
        for tool in (value.members ?? [:]).keys where tool != "web_search" {
          parts.insert("other fees (\(tool))")
        }
      default:
        let kind = ["audio", "image", "video", "page", "character"].first { name.contains($0) }
        parts.insert(
          kind.map { ["audio", "video"].contains($0) ? $0 : $0 + "s" } ?? "other fees (\(name))")
      }
    }
    return row
  }

  /// Rates by the prompt size above which they hold: each key has steps of its own.
  private func steps(_ prices: JSONValue) throws(Unexpressed) -> [Int64: ImportedRates] {
    var stepsOfField: [RateField: [(above: Int64, price: ExactDecimal)]] = [:]
    for (name, field) in Self.fields {
      guard let value = prices[name] else { continue }
      guard let base = (value["base"] ?? value).decimal else {
        throw Unexpressed("a price that is no number")
      }
      var steps: [(above: Int64, price: ExactDecimal)] = [(0, base)]
      for tier in value["tiers"]?.elements ?? [] {
        guard let start = tier["start"]?.whole, start > 0, let price = tier["price"]?.decimal else {
          throw Unexpressed("a price that is no number")
        }
        steps.append((start, price))
      }
      stepsOfField[field] = steps.sorted { $0.above < $1.above }
    }
    var result: [Int64: ImportedRates] = [:]
    for above in Set(stepsOfField.values.flatMap { $0.map(\.above) }) {
      result[above] = stepsOfField.compactMapValues { $0.last { $0.above <= above }?.price }
    }
    return result
  }
}

extension ImportedRow {
  /// Whether two rows differ in their time alone.
  fileprivate func isSamePrice(as other: ImportedRow) -> Bool {
    var copy = other
    (copy.from, copy.to) = (from, to)
    return copy == self
  }
}
