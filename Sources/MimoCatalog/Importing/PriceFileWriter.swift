import MimoEngine

/// Writes what was imported as a price file of ours: readable, sorted, with its origin in every row.
struct PriceFileWriter {
  /// Where the prices come from.
  struct Origin {
    var title: String
    var hash: String
    var date: CivilDate
  }

  let origin: Origin
  /// Names, in lower case, that mean a model only where the seller is stated.
  let needSeller: Set<String>
  /// Whether our own book has the provider, and with it a name.
  let isKnown: Bool

  /// The file.
  func text(_ provider: ImportedProvider) -> String {
    var schedules: [[Schedule.Window]: String] = [:]
    let models = provider.models.map { text($0, &schedules) }
    var fields: [(String, String)] = [
      ("schema", quoted(PriceFile.schema)), ("as_of", quoted(origin.date.text)),
      ("id", quoted(provider.id)),
    ]
    if !isKnown, let name = provider.name, !name.isEmpty { fields.append(("name", quoted(name))) }
    if !provider.hosts.isEmpty { fields.append(("hosts", list(provider.hosts))) }
    fields.append(
      ("note", quoted("Imported. Yours to change; import again with --force to replace it.")))
    let source = [
      ("title", quoted("\(origin.title), SHA-256 \(origin.hash)")),
      ("kind", quoted("community_data")), ("as_of", quoted(origin.date.text)),
    ]
    fields.append(("sources", "{\"import\": \(object(source))}"))
    if !schedules.isEmpty {
      let lines = schedules.sorted { $0.value < $1.value }.map { windows, name in
        "    \(quoted(name)): {\"utc_offset\": \"Z\", \"base\": \"other hours\", \"windows\": [\n"
          + windows.map { "      \($0.text(quoted))" }.joined(separator: ",\n") + "]}"
      }
      fields.append(("schedules", "{\n\(lines.joined(separator: ",\n"))\n  }"))
    }
    fields.append(("models", "[\n\(models.joined(separator: ",\n"))\n  ]"))
    return "{\n" + fields.map { "  \(quoted($0.0)): \($0.1)" }.joined(separator: ",\n") + "\n}\n"
  }

  private struct Schedule {
    /// A window with the label of its rates.
    struct Window: Hashable {
      var label: String
      var window: ImportedRow.Window

      func text(_ quoted: (String) -> String) -> String {
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        let days = names.indices.filter { window.weekdays & (1 << $0) != 0 }.map {
          quoted(names[$0])
        }
        return "{\"label\": \(quoted(label)), \"days\": [\(days.joined(separator: ", "))], "
          + "\"start\": \"\(DayTime.text(window.start))\", \"end\": \"\(DayTime.text(window.end))\"}"
      }
    }
  }

  private func text(_ model: ImportedModel, _ schedules: inout [[Schedule.Window]: String])
    -> String
  {
    var fields: [(String, String)] = [("id", quoted(model.id))]
    if let name = model.name, !name.isEmpty, name != model.id {
      fields.append(("name", quoted(name)))
    }
    if !model.aliases.isEmpty { fields.append(("aliases", list(model.aliases))) }
    if model.extendsOurs { fields.append(("extends", "true")) }
    if ([model.id] + model.aliases).contains(where: { needSeller.contains($0.lowercased()) }) {
      fields.append(("needs_seller", "true"))
    }
    let pages = model.addresses.filter { $0.contains("://") && !$0.contains(where: \.isWhitespace) }
    let rows = model.rows.map { row in "      " + object(self.fields(row, pages, &schedules)) }
    return "    {" + fields.map { "\(quoted($0.0)): \($0.1)" }.joined(separator: ", ")
      + ", \"prices\": [\n" + rows.joined(separator: ",\n") + "]}"
  }

  private func fields(
    _ row: ImportedRow, _ pages: [String], _ schedules: inout [[Schedule.Window]: String]
  ) -> [(String, String)] {
    var fields: [(String, String)] = []
    if let from = row.from { fields.append(("from", quoted(LocalClock.utc.text(from.start)))) }
    if let to = row.to { fields.append(("to", quoted(LocalClock.utc.text(to.start)))) }
    fields.append(("currency", quoted(Currency.usd.rawValue)))
    fields += rates(row.rates)
    if !row.tiers.isEmpty {
      let tiers = row.tiers.map {
        object([("above_prompt_tokens", String($0.above))] + rates($0.rates))
      }
      fields.append(("tiers", "[\(tiers.joined(separator: ", "))]"))
    }
    if !row.hours.isEmpty {
      let windows = row.hours.flatMap { hours in
        hours.windows.map { Schedule.Window(label: hours.label, window: $0) }
      }
      let name = schedules[windows] ?? "hours_\(schedules.count + 1)"
      schedules[windows] = name
      fields.append(("schedule", quoted(name)))
      fields.append(
        ("schedule_rates", object(row.hours.map { ($0.label, object(rates($0.rates))) })))
    }
    if !row.factors.isEmpty {
      let factors = row.factors.sorted { $0.key < $1.key }.map { ($0.key, quoted($0.value.text)) }
      fields.append(("factors", object(factors)))
    }
    if let search = row.webSearchPer1000 {
      fields.append(("web_search_per_1000", quoted(search.text)))
    }
    fields.append(("source", list(["import"] + pages)))
    fields.append(("as_of", quoted(origin.date.text)))
    fields.append(("confidence", quoted(Confidence.medium.rawValue)))
    return fields
  }

  private func rates(_ rates: ImportedRates) -> [(String, String)] {
    RateField.allCases.compactMap { field in
      rates[field].map { (field.rawValue, quoted($0.text)) }
    }
  }

  // MARK: - Notation

  private func object(_ fields: [(String, String)]) -> String {
    "{" + fields.map { "\(quoted($0.0)): \($0.1)" }.joined(separator: ", ") + "}"
  }

  private func list(_ texts: [String]) -> String {
    "[" + texts.map(quoted).joined(separator: ", ") + "]"
  }

  /// A text in quotes. Control characters become spaces: nobody's names need them.
  private func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": out += "\\\(scalar)"
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value): out += " "
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
