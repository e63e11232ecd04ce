import MimoEngine

/// Reads the parts that price lists and credit plans share: sources, rates, dated rows.
struct PriceRows {
  /// Hours as a file names them, before a row gives them rates.
  struct Hours {
    var baseLabel: String
    var windows: [(label: String, window: ClockWindow)]
    var daysOff: HolidayCalendar?
  }

  /// The price of web searches for all models of a list.
  struct SearchPrice {
    var unit: PricingUnit
    var validity: Range<Minute>
    var perWebSearch: Int64
  }

  static let evidenceFields: Set = ["source", "disputed_by", "as_of", "confidence", "note"]
  static let rateFields: Set = [
    "input", "output", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h",
  ]
  /// Fields of a row whether it is in money or in credits.
  static let rowFields = evidenceFields.union(rateFields).union(["from", "to", "tiers"])
  /// What is sold other than tokens.
  static let units: Set = ["audio_hour"]

  /// Addresses of the file's sources by their short names.
  var addresses: [String: String] = [:]
  var hours: [String: Hours] = [:]
  var searchPrices: [SearchPrice] = []
  /// Rates are per ten to this power of tokens: 6 for money, 0 for credits.
  let perPowerOfTen: Int

  init(perPowerOfTen: Int) { self.perPowerOfTen = perPowerOfTen }

  /// Reads the table of sources; one without an address is known by its title.
  mutating func readSources(_ fields: Fields) throws(Rejection) {
    for (id, value) in try fields.object("sources") {
      let source = try Fields(value, known: ["address", "title", "kind", "as_of", "note"])
      let title = try source.requiredText("title")
      addresses[id] = try source.text("address") ?? title
    }
  }

  /// Where an entry comes from. A source is a short name from the table, or an address.
  func evidence(_ fields: Fields) throws(Rejection) -> Evidence {
    var sources: [String] = []
    for field in ["source", "disputed_by"] {
      for id in try fields.texts(field) {
        guard let address = addresses[id] ?? (id.contains("://") ? id : nil) else {
          throw fields.rejection(field, "an address or a name from \"sources\", not \"\(id)\"")
        }
        if field == "source" { sources.append(address) }
      }
    }
    let asOf = try fields.text("as_of")
    if let asOf, CivilDate(asOf) ?? CivilDate(asOf + "-01") == nil {
      throw fields.rejection("as_of", "a date or a month")
    }
    // Who writes a price into a file of their own knows it.
    let confidence = try fields.text("confidence") ?? "high"
    guard let confidence = Confidence(rawValue: confidence) else {
      throw fields.rejection("confidence", "high, medium or low")
    }
    return Evidence(
      sources: sources, asOf: asOf, confidence: confidence, note: try fields.text("note"))
  }

  /// One rate, exactly as printed.
  private func rate(_ fields: Fields, _ name: String, per power: Int) throws(Rejection) -> Int64? {
    guard let price = try fields.decimal(name) else { return nil }
    guard let femto = Rates.femto(price, perPowerOfTen: power) else {
      throw fields.rejection(name, "a number with at most \(15 - power) decimals, in range")
    }
    return femto
  }

  func searchRate(_ fields: Fields, _ name: String) throws(Rejection) -> Int64? {
    try rate(fields, name, per: 3)
  }

  private func rates(_ fields: Fields, perWebSearch: Int64?) throws(Rejection) -> Rates {
    guard let input = try rate(fields, "input", per: perPowerOfTen) else {
      throw fields.rejection("input", "a price")
    }
    guard let output = try rate(fields, "output", per: perPowerOfTen) else {
      throw fields.rejection("output", "a price")
    }
    return Rates(
      input: input, output: output, cacheRead: try rate(fields, "cache_read", per: perPowerOfTen),
      cacheWrite: try rate(fields, "cache_write", per: perPowerOfTen),
      cacheWrite5m: try rate(fields, "cache_write_5m", per: perPowerOfTen),
      cacheWrite1h: try rate(fields, "cache_write_1h", per: perPowerOfTen),
      perWebSearch: perWebSearch)
  }

  private func tiers(_ fields: Fields, perWebSearch: Int64?) throws(Rejection) -> [PriceTier] {
    var tiers: [PriceTier] = []
    for value in try fields.list("tiers") {
      let tier = try Fields(value, known: Self.rateFields.union(["above_prompt_tokens"]))
      guard let edge = try tier.count("above_prompt_tokens"),
        edge > tiers.last?.abovePromptTokens ?? 0
      else { throw tier.rejection("above_prompt_tokens", "thresholds that ascend from above 0") }
      tiers.append(
        PriceTier(abovePromptTokens: edge, rates: try rates(tier, perWebSearch: perWebSearch)))
    }
    return tiers
  }

  private func schedule(_ fields: Fields, perWebSearch: Int64?) throws(Rejection) -> PriceSchedule?
  {
    let rateValues = try fields.object("schedule_rates")
    guard let name = try fields.text("schedule") else {
      guard rateValues.isEmpty else { throw fields.rejection("schedule", "the name of a schedule") }
      return nil
    }
    guard let hours = hours[name] else {
      throw fields.rejection("schedule", "a name from \"schedules\"")
    }
    guard fields.value("tiers") == nil else {
      throw fields.rejection("schedule", "either tiers or a schedule, not both")
    }
    guard Set(rateValues.keys) == Set(hours.windows.map(\.label)) else {
      throw fields.rejection("schedule_rates", "rates for each label of \"\(name)\" and no other")
    }
    var labelled: [PriceSchedule.Hours] = []
    for (label, window) in hours.windows {
      let fields = try Fields(rateValues[label]!, known: Self.rateFields)
      labelled.append(
        PriceSchedule.Hours(
          label: label, window: window, rates: try rates(fields, perWebSearch: perWebSearch)))
    }
    return PriceSchedule(baseLabel: hours.baseLabel, hours: labelled, daysOff: hours.daysOff)
  }

  private func factors(_ fields: Fields) throws(Rejection) -> [ServiceTier: ExactDecimal] {
    let names: [String: ServiceTier] = [
      "batch": .batch, "priority": .priority, "flex": .flex, "fast": .fast,
    ]
    var factors: [ServiceTier: ExactDecimal] = [:]
    for (name, value) in try fields.object("factors") {
      guard let tier = names[name] else {
        throw fields.rejection("factors", "batch, priority, flex or fast, not \"\(name)\"")
      }
      guard case .string(let text) = value.kind, let factor = ExactDecimal(text) else {
        throw fields.rejection("factors", "a factor in quotes, such as \"0.5\"")
      }
      factors[tier] = factor
    }
    return factors
  }

  /// The entries of one row: more than one where the price of web searches changes inside it.
  func entries(_ fields: Fields, unit: PricingUnit) throws(Rejection) -> [PriceEntry] {
    let validity = try fields.validity()
    let evidence = try evidence(fields)
    if let sold = try fields.text("unit") {
      guard Self.units.contains(sold) else {
        throw fields.rejection("unit", "one of " + Self.units.sorted().joined(separator: ", "))
      }
      guard let amount = try fields.decimal("amount")?.scaled(by: 15), amount >= 0 else {
        throw fields.rejection("amount", "a price with at most 15 decimals")
      }
      if let field = Self.rateFields.first(where: { fields.value($0) != nil }) {
        throw fields.rejection(field, "no price of tokens beside \"unit\"")
      }
      let rates = Rates(input: 0, output: 0, perAudioHour: amount)
      return [PriceEntry(unit: unit, validity: validity, rates: rates, evidence: evidence)]
    }
    let own = try searchRate(fields, "web_search_per_1000")
    let general = own == nil ? searchPrices.filter { $0.unit == unit } : []
    let factors = try factors(fields)
    let edges = Set(general.flatMap { [$0.validity.lowerBound, $0.validity.upperBound] }).filter {
      validity.lowerBound < $0 && validity.contains($0)
    }.sorted()
    let starts = [validity.lowerBound] + edges
    var entries: [PriceEntry] = []
    for (start, end) in zip(starts, edges + [validity.upperBound]) {
      let search = own ?? general.first { $0.validity.contains(start) }?.perWebSearch
      let entry = PriceEntry(
        unit: unit, validity: start..<end, rates: try rates(fields, perWebSearch: search),
        tiers: try tiers(fields, perWebSearch: search),
        schedule: try schedule(fields, perWebSearch: search), tierFactors: factors,
        evidence: evidence)
      for factor in factors.values
      where entry.allRates.contains(where: { $0.scaled(by: factor) == nil }) {
        throw fields.rejection("factors", "factors that divide every rate exactly")
      }
      entries.append(entry)
    }
    return entries
  }
}

extension PriceEntry {
  /// The rates of all prompt sizes and hours.
  var allRates: [Rates] {
    [rates].compactMap { $0 } + tiers.map(\.rates) + (schedule?.hours.map(\.rates) ?? [])
  }
}

/// The mistakes found in one file, in the order of reading.
struct ProblemLog {
  let file: String
  private(set) var problems: [CatalogProblem] = []

  init(file: String) { self.file = file }

  mutating func add(
    _ rejection: Rejection, in entry: String = "", _ outcome: CatalogProblem.Outcome = .skipped
  ) {
    problems.append(
      CatalogProblem(
        file: file, line: rejection.line, entry: entry, field: rejection.field,
        expected: rejection.expected, outcome: outcome))
  }

  /// Reads the rows of one model, skips bad ones, and reports overlaps and gaps.
  ///
  /// `isBridged` tells whether a time without rows has another explanation, such as a route.
  mutating func rows(
    _ values: [JSONValue], of entry: String, known: Set<String>, reader: PriceRows,
    isBridged: (Range<Minute>) -> Bool = { _ in false },
    unit: (Fields) throws(Rejection) -> PricingUnit
  ) -> [PriceEntry] {
    var rows: [(line: Int, number: Int, entry: PriceEntry)] = []
    for (index, value) in values.enumerated() {
      let name = "\(entry), price \(index + 1)"
      do throws(Rejection) {
        let fields = try Fields(value, known: known)
        let new = try reader.entries(fields, unit: try unit(fields))
        for old in rows {
          for entry in new
          where entry.unit == old.entry.unit && entry.validity.overlaps(old.entry.validity) {
            throw fields.rejection("from", "a time that does not overlap price \(old.number)")
          }
        }
        rows += new.map { (fields.line, index + 1, $0) }
      } catch { add(error, in: name) }
    }
    rows.sort { $0.entry.validity.lowerBound < $1.entry.validity.lowerBound }
    for (index, row) in rows.enumerated() {
      guard let next = rows[(index + 1)...].first(where: { $0.entry.unit == row.entry.unit }),
        row.entry.validity.upperBound < next.entry.validity.lowerBound,
        row.entry.evidence.note == nil, next.entry.evidence.note == nil,
        !isBridged(row.entry.validity.upperBound..<next.entry.validity.lowerBound)
      else { continue }
      let gap = Rejection(
        line: next.line, field: "from",
        expected: "no gap after price \(row.number), or a note that explains it")
      add(gap, in: "\(entry), price \(next.number)", .kept)
    }
    return rows.map(\.entry)
  }
}
