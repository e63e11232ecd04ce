import MimoEngine

/// The `api.json` of models.dev: an object of providers with their models, costs in USD per million tokens.
///
/// Source: `packages/core/src/schema.ts` of the project, and its description of `cost.tiers`.
struct ModelsDevPrices: PriceBookReader {
  static func recognises(_ root: JSONValue) -> Bool {
    root.members?.values.contains { $0["models"]?.members != nil } ?? false
  }

  func read(_ root: JSONValue, _ log: inout ImportLog) -> [ImportedProvider] {
    (root.members ?? [:]).sorted { $0.key < $1.key }.compactMap { key, value in
      guard let models = value["models"]?.members else { return nil }
      let id = (value["id"]?.text ?? key).lowercased()
      var provider = ImportedProvider(id: id, name: value["name"]?.text)
      provider.hosts = value["api"]?.text.flatMap(Host.of(address:)).map { [$0] } ?? []
      provider.addresses = value["doc"]?.text.map { [$0] } ?? []
      for (key, value) in models.sorted(by: { $0.key < $1.key }) {
        do throws(Unexpressed) {
          guard let cost = value["cost"] else { throw Unexpressed("no price per token") }
          var parts: Set<String> = []
          let row = try row(cost, &parts)
          try row.check()
          if value["experimental"]?["modes"] != nil { parts.insert("experimental modes") }
          for part in parts.sorted() { log.leaveOut(part, from: key, of: id) }
          provider.models.append(ImportedModel(key: key, name: value["name"]?.text, rows: [row]))
        } catch { log.drop(key, of: id, error.reason) }
      }
      return provider
    }
  }

  private static let fields: [String: RateField] = [
    "input": .input, "output": .output, "cache_read": .cacheRead, "cache_write": .cacheWrite,
  ]

  private func row(_ cost: JSONValue, _ parts: inout Set<String>) throws(Unexpressed) -> ImportedRow
  {
    var row = ImportedRow(rates: try rates(cost, over: [:], &parts))
    if let tiers = cost["tiers"]?.elements, !tiers.isEmpty {
      for tier in tiers {
        guard let above = tier["tier"]?["size"]?.whole, above > row.tiers.last?.above ?? 0,
          tier["tier"]?["type"]?.text ?? "context" == "context"
        else { throw Unexpressed("prices by something other than prompt size") }
        row.tiers.append(
          ImportedRow.Tier(above: above, rates: try rates(tier, over: row.rates, &parts)))
      }
    } else if let long = cost["context_over_200k"] {
      row.tiers = [
        ImportedRow.Tier(above: 200_000, rates: try rates(long, over: row.rates, &parts))
      ]
    }
    return row
  }

  /// The rates of one object; those that it does not state are those of `base`.
  private func rates(_ cost: JSONValue, over base: ImportedRates, _ parts: inout Set<String>)
    throws(Unexpressed) -> ImportedRates
  {
    var rates = base
    for (name, value) in cost.members ?? [:] {
      if ["tiers", "tier", "context_over_200k"].contains(name) { continue }
      guard let price = value.decimal else { throw Unexpressed("a price that is no number") }
      if let field = Self.fields[name] {
        rates[field] = price
      } else if price.digits > 0, name != "reasoning" {
        switch name {
        case "input_audio", "output_audio": parts.insert("audio")
        default: parts.insert("other fees (\(name))")
        }
      }
    }
    if let reasoning = cost["reasoning"]?.decimal, reasoning.text != rates[.output]?.text {
      throw Unexpressed("reasoning at another price than output")
    }
    return rates
  }
}
