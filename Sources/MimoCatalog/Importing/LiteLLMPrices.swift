import MimoEngine

/// LiteLLM's `model_prices_and_context_window.json`: an object of models, costs in USD per token.
///
/// Source: `model_prices_and_context_window.schema.json` in the same repository, and the file as the
/// package of November 2026 holds it (`tiered_pricing`, `off_peak_pricing`).
struct LiteLLMPrices: PriceBookReader {
  static func recognises(_ root: JSONValue) -> Bool {
    root.members?.values.contains { $0["litellm_provider"] != nil } ?? false
  }

  /// Entries that describe the file rather than a model.
  private static let notModels: Set = ["sample_spec", "fallback_generalizations"]

  func read(_ root: JSONValue, _ log: inout ImportLog) -> [ImportedProvider] {
    var providers: [String: ImportedProvider] = [:]
    for (key, value) in (root.members ?? [:]).sorted(by: { $0.key < $1.key })
    where !Self.notModels.contains(key) {
      guard let id = value["litellm_provider"]?.text?.lowercased(), let fields = value.members
      else {
        log.drop(key, of: "", "no provider stated")
        continue
      }
      do throws(Unexpressed) {
        var notes = Notes()
        let row = try row(fields, &notes)
        try row.check()
        for part in notes.parts.sorted() { log.leaveOut(part, from: key, of: id) }
        let address = value["source"]?.text.map { [$0] } ?? []
        providers[id, default: ImportedProvider(id: id)].models.append(
          ImportedModel(key: key, addresses: address, rows: [row]))
      } catch { log.drop(key, of: id, error.reason) }
    }
    return providers.values.sorted { $0.id < $1.id }
  }

  /// What of a model's prices is left out.
  private struct Notes { var parts: Set<String> = [] }

  // MARK: - Names of fields

  /// `input_cost_per_token_above_272k_tokens_batches`, taken apart.
  private struct CostField {
    var field: RateField
    /// Prompt size above which it holds; 0 for any.
    var above: Int64 = 0
    /// The service tier; empty for the standard one.
    var variant = ""

    /// Longer names first: one is the beginning of the other.
    private static let names: [(String, RateField)] = [
      ("cache_creation_input_token_cost_above_1hr", .cacheWrite1h),
      ("cache_creation_input_token_cost", .cacheWrite), ("cache_read_input_token_cost", .cacheRead),
      ("input_cost_per_token", .input), ("output_cost_per_token", .output),
    ]

    /// `nil` if the name is none of these, or is about something other than prompt size behind `_above_`.
    init?(_ name: String) {
      guard let (prefix, field) = Self.names.first(where: { name.hasPrefix($0.0) }) else {
        return nil
      }
      self.field = field
      var rest = name.dropFirst(prefix.utf8.count)
      if rest.hasPrefix("_above_") {
        let digits = rest.dropFirst(7).prefix { $0.isNumber }
        guard let thousands = Int64(digits), thousands > 0, thousands < 1_000_000_000 else {
          return nil
        }
        rest = rest.dropFirst(7 + digits.utf8.count)
        guard rest.hasPrefix("k_tokens") else { return nil }
        rest = rest.dropFirst(8)
        above = thousands * 1000
      }
      guard rest.isEmpty || rest.first == "_" else { return nil }
      variant = String(rest.dropFirst())
    }
  }

  /// Our names of the service tiers.
  private static let tierNames = [
    "batches": "batch", "priority": "priority", "flex": "flex", "fast": "fast",
  ]

  // MARK: - One model

  private func row(_ fields: [String: JSONValue], _ notes: inout Notes) throws(Unexpressed)
    -> ImportedRow
  {
    var prices: [String: [Int64: ImportedRates]] = [:]
    for (name, value) in fields {
      if name == "input_cost_per_token_cache_hit" { continue }
      if let cost = CostField(name) {
        guard let price = value.decimal?.shifted(6) else {
          throw Unexpressed("a price that is no number")
        }
        prices[cost.variant, default: [:]][cost.above, default: [:]][cost.field] = price
      } else if let part = try Self.part(name, value) {
        notes.parts.insert(part)
      }
    }
    let standard = prices[""] ?? [:]
    var base = standard[0] ?? [:]
    if base[.cacheRead] == nil {
      base[.cacheRead] = fields["input_cost_per_token_cache_hit"]?.decimal?.shifted(6)
    }
    var row = ImportedRow(rates: base)
    for above in standard.keys.sorted() where above > 0 {
      // A rate that a step does not state stays as it is below.
      row.tiers.append(
        ImportedRow.Tier(above: above, rates: base.merging(standard[above]!) { $1 }))
    }
    if let steps = fields["tiered_pricing"]?.elements, !steps.isEmpty {
      (row.rates, row.tiers) = try Self.steps(steps)
    }
    guard row.rates[.input] != nil else { throw Unexpressed("no price per token") }
    if row.rates[.output] == nil {
      guard ["embedding", "rerank"].contains(fields["mode"]?.text) else {
        throw Unexpressed("no price of output tokens")
      }
      row.rates[.output] = ExactDecimal(digits: 0, decimals: 0)
      for index in row.tiers.indices { row.tiers[index].rates[.output] = row.rates[.output] }
    }
    if let reasoning = fields["output_cost_per_reasoning_token"]?.decimal?.shifted(6),
      reasoning.text != row.rates[.output]?.text
    {
      throw Unexpressed("reasoning at another price than output")
    }
    if let offPeak = fields["off_peak_pricing"] {
      row.hours = [try Self.offPeak(offPeak, row.rates)]
    }
    for (name, rates) in prices where name != "" {
      if let tier = Self.tierNames[name], let factor = row.factor(to: rates) {
        row.factors[tier] = factor
      } else {
        notes.parts.insert(
          "\(Self.tierNames[name] ?? name) prices that are not one factor on the standard ones")
      }
    }
    row.webSearchPer1000 = Self.webSearch(fields["search_context_cost_per_query"], &notes)
    return row
  }

  /// Steps by prompt size: `[{"range": [0, 32000], ...costs}, ...]`.
  private static func steps(_ values: [JSONValue]) throws(Unexpressed) -> (
    ImportedRates, [ImportedRow.Tier]
  ) {
    var tiers: [ImportedRow.Tier] = []
    var end: Int64 = 0
    for value in values {
      guard let range = value["range"]?.elements, range.count == 2, let start = range[0].whole
      else {
        throw Unexpressed("prices by something other than prompt size")
      }
      guard start == end, let next = range[1].whole, next > start else {
        throw Unexpressed("price steps with gaps")
      }
      end = next
      var rates: ImportedRates = [:]
      for (name, value) in value.members ?? [:] {
        guard let cost = CostField(name), cost.above == 0, cost.variant == "" else { continue }
        rates[cost.field] = value.decimal?.shifted(6)
      }
      if let reasoning = value["output_cost_per_reasoning_token"]?.decimal?.shifted(6),
        reasoning.text != rates[.output]?.text
      {
        throw Unexpressed("reasoning at another price than output")
      }
      tiers.append(ImportedRow.Tier(above: start, rates: rates))
    }
    return (tiers[0].rates, Array(tiers.dropFirst()))
  }

  /// Hours at lower rates: `{"windows": [{"hours_utc": "16:30-00:30", "weekdays": [1, ...]}], ...costs}`.
  private static func offPeak(_ value: JSONValue, _ base: ImportedRates) throws(Unexpressed)
    -> ImportedRow.Hours
  {
    var rates = base
    for (name, value) in value.members ?? [:] {
      guard let cost = CostField(name), cost.above == 0, cost.variant == "" else { continue }
      rates[cost.field] = value.decimal?.shifted(6)
    }
    var windows: [ImportedRow.Window] = []
    for window in value["windows"]?.elements ?? [] {
      var weekdays: UInt8 = window["weekdays"] == nil ? 0b111_1111 : 0
      for day in window["weekdays"]?.elements ?? [] {
        guard let number = day.whole, 1...7 ~= number else {
          throw Unexpressed("hours not understood")
        }
        weekdays |= 1 << UInt8(number - 1)
      }
      let hours = window["hours_utc"].flatMap { $0.elements ?? [$0] } ?? []
      for text in hours.map(\.text) {
        let ends = (text ?? "").split(separator: "-").map { DayTime.minute(String($0)) }
        guard ends.count == 2, let start = ends[0], let end = ends[1], start < 1440, weekdays != 0
        else {
          throw Unexpressed("hours not understood")
        }
        windows.append(
          ImportedRow.Window(weekdays: weekdays, start: start, end: end == 0 ? 1440 : end))
      }
    }
    guard !windows.isEmpty else { throw Unexpressed("hours not understood") }
    return ImportedRow.Hours(label: "off_peak", windows: windows, rates: rates)
  }

  /// The price of a thousand searches, if it is one price.
  private static func webSearch(_ value: JSONValue?, _ notes: inout Notes) -> ExactDecimal? {
    let prices = (value?.members ?? [:]).values.compactMap(\.decimal)
    guard let price = prices.first?.shifted(3) else { return nil }
    guard Set(prices.map(\.text)).count == 1, Rates.femto(price, perPowerOfTen: 3) != nil else {
      notes.parts.insert("web searches at prices by context size")
      return nil
    }
    return price
  }

  /// What a cost field that is no price of text tokens is about; `nil` if it is nothing of its own.
  ///
  /// - Throws: if leaving it out would make every call look too cheap.
  private static func part(_ name: String, _ value: JSONValue) throws(Unexpressed) -> String? {
    if ["tiered_pricing", "off_peak_pricing", "search_context_cost_per_query"].contains(name) {
      return nil
    }
    if name.contains("uplift_multiplier") { return "surcharges by region" }
    if name == "provider_specific_entry" {
      let isSurcharge = value.members?.values.contains { $0.decimal != nil } ?? false
      return isSurcharge ? "surcharges by region" : nil
    }
    guard name.contains("cost"), !name.contains("dbu") else { return nil }
    if let price = value.decimal, price.digits == 0 { return nil }
    if ["input_cost_per_request", "input_cost_per_query", "input_cost_per_text_message"].contains(
      name)
    {
      throw Unexpressed("a fee per request")
    }
    if name.hasPrefix("output_cost_per_reasoning_token") { return nil }
    let kinds: KeyValuePairs = [
      "audio": "audio", "image": "images", "video": "video", "character": "characters",
    ]
    if let kind = kinds.first(where: { name.contains($0.key) })?.value { return kind }
    if name.hasPrefix("cache_creation") { return "cache writes of other lifetimes" }
    return "other fees (\(name))"
  }
}
