import MimoEngine

/// One price file: `mimo-top.prices/1`, the list of one seller.
///
/// Mistakes cost as little as possible: a bad row, route or model is skipped and reported, the rest
/// is used.
struct PriceFile {
  static let schema = "mimo-top.prices/1"

  /// What could be used; `nil` if nothing could.
  private(set) var provider: ProviderPrices?
  /// Ids, in lower case, of models whose rows follow those that another file has of them.
  private(set) var extending: Set<String> = []
  /// The day on which the whole file was last checked.
  private(set) var asOf: String?
  /// The mistakes in it.
  var problems: [CatalogProblem] { log.problems }

  private var log: ProblemLog
  private var reader = PriceRows(perPowerOfTen: 6)

  private static let knownFields: Set = [
    "schema", "as_of", "id", "name", "aliases", "hosts", "key_prefix", "billing", "tier_basis",
    "cache_write_note", "cache_lifetime_minutes", "note", "note_source", "endpoints", "sources",
    "calendars", "schedules", "web_search", "promotions", "models", "reseller",
  ]
  private static let modelFields: Set = [
    "id", "name", "aliases", "modality", "context_tokens", "max_output_tokens", "released",
    "retired", "deprecated", "access", "note", "note_source", "routes", "prices", "extends",
    "needs_seller",
  ]
  private static let rowFields = PriceRows.rowFields.union([
    "currency", "schedule", "schedule_rates", "factors", "web_search_per_1000",
    "cache_storage_per_1M_token_hour", "cache_storage_confidence", "unit", "amount", "metered_by",
  ])

  /// Reads a file.
  ///
  /// - Parameter listed: Ids of the models that a provider is known to have from other files; routes
  ///   may lead to them.
  init(name: String, bytes: [UInt8], listed: (_ provider: String) -> Set<String> = { _ in [] }) {
    log = ProblemLog(file: name)
    let root: JSONValue
    do throws(JSONValue.SyntaxError) { root = try JSONValue.parse(bytes) } catch {
      log.add(Rejection(line: error.line, expected: error.expected), .fileSkipped)
      return
    }
    do throws(Rejection) { try read(root, listed: listed) } catch { log.add(error, .fileSkipped) }
  }

  /// Reads a price list that stands inside another file.
  init(name: String, list: JSONValue) {
    log = ProblemLog(file: name)
    do throws(Rejection) { try read(list, listed: { _ in [] }) } catch { log.add(error) }
  }

  private mutating func read(_ root: JSONValue, listed: (String) -> Set<String>) throws(Rejection) {
    let fields = try Fields(root, known: Self.knownFields)
    guard try fields.text("schema") == Self.schema else {
      throw fields.rejection("schema", "\"\(Self.schema)\"")
    }
    asOf = try fields.date("as_of")?.text
    let id = try fields.requiredText("id")
    guard id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), id == id.lowercased() else {
      throw fields.rejection("id", "a name in lower case without spaces")
    }
    var provider = ProviderPrices(
      id: id, name: try fields.text("name") ?? id, aliases: try fields.texts("aliases"),
      hosts: try fields.texts("hosts").map { $0.lowercased() },
      keyPrefix: try fields.text("key_prefix"), models: [])
    provider.isReseller = try fields.flag("reseller") ?? false
    provider.cacheMinutes = try fields.count("cache_lifetime_minutes").map { Int32(clamping: $0) }
    for field in ["billing", "tier_basis", "cache_write_note", "note"] {
      _ = try fields.text(field)
    }
    _ = try (fields.texts("note_source"), fields.object("endpoints"))
    try reader.readSources(fields)
    readSchedules(
      try fields.object("schedules"), calendars: readCalendars(try fields.object("calendars")))
    readSearchPrices(try fields.list("web_search"))
    checkPromotions(try fields.list("promotions"))

    let values = try fields.list("models")
    // Ids first: a route may lead to a model further down.
    var ids = listed(id)
    for case .object(let members) in values.map(\.kind) {
      if case .string(let id)? = members["id"]?.kind { ids.insert(id.lowercased()) }
    }
    var names: [String: String] = [:]
    for (index, value) in values.enumerated() {
      do throws(Rejection) {
        let model = try model(value, ids: ids)
        for name in Set(([model.id] + model.aliases).map({ $0.lowercased() })) {
          if let other = names[name] {
            throw Rejection(
              line: value.line, field: "id",
              expected: "names of its own, but \"\(name)\" means \"\(other)\" already")
          }
        }
        for name in [model.id] + model.aliases { names[name.lowercased()] = model.id }
        provider.models.append(model)
      } catch { log.add(error, in: "model \(index + 1)" + Self.idNote(value)) }
    }
    self.provider = provider
  }

  private static func idNote(_ value: JSONValue) -> String {
    guard case .object(let members) = value.kind, case .string(let id)? = members["id"]?.kind else {
      return ""
    }
    return " \"\(id)\""
  }

  private mutating func model(_ value: JSONValue, ids: Set<String>) throws(Rejection) -> ModelPrices
  {
    let fields = try Fields(value, known: Self.modelFields)
    let id = try fields.requiredText("id")
    let entry = "model \"\(id)\""
    _ = try (fields.text("modality"), fields.text("access"), fields.text("note"))
    _ = try (fields.count("context_tokens"), fields.count("max_output_tokens"))
    _ = try (fields.flag("deprecated"), fields.texts("note_source"))
    let retired = try fields.minute("retired")
    if try fields.flag("extends") == true { extending.insert(id.lowercased()) }

    var routes: [ModelRoute] = []
    for (index, value) in try fields.list("routes").enumerated() {
      do throws(Rejection) {
        let known = PriceRows.evidenceFields.union(["from", "to", "billed_as"])
        let route = try Fields(value, known: known)
        _ = try reader.evidence(route)
        let target = try route.requiredText("billed_as")
        guard ids.contains(target.lowercased()), target.lowercased() != id.lowercased() else {
          throw route.rejection("billed_as", "another model of this provider")
        }
        let validity = try route.validity()
        if routes.contains(where: { $0.validity.overlaps(validity) }) {
          throw route.rejection("from", "a time that does not overlap another route")
        }
        routes.append(ModelRoute(validity: validity, billedAs: target))
      } catch { log.add(error, in: "\(entry), route \(index + 1)") }
    }

    let entries = log.rows(
      try fields.list("prices"), of: entry, known: Self.rowFields, reader: reader,
      isBridged: { gap in
        routes.contains {
          $0.validity.lowerBound <= gap.lowerBound && $0.validity.upperBound >= gap.upperBound
        }
      }
    ) { (row) throws(Rejection) in
      _ = try (row.decimal("cache_storage_per_1M_token_hour"), row.text("metered_by"))
      _ = try row.text("cache_storage_confidence")
      let name = try row.requiredText("currency")
      guard let currency = Currency(rawValue: name) else {
        throw row.rejection("currency", Currency.allCases.map(\.rawValue).joined(separator: " or "))
      }
      return .money(currency)
    }
    return ModelPrices(
      id: id, name: try fields.text("name") ?? id, aliases: try fields.texts("aliases"),
      released: try fields.date("released"), retired: retired, routes: routes, entries: entries,
      needsSeller: try fields.flag("needs_seller") ?? false)
  }

  private mutating func readCalendars(_ values: [String: JSONValue]) -> [String: HolidayCalendar] {
    var calendars: [String: HolidayCalendar] = [:]
    for (name, value) in values {
      do throws(Rejection) {
        let known = PriceRows.evidenceFields.union(["utc_offset", "days", "covers"])
        let fields = try Fields(value, known: known)
        _ = try (fields.utcOffset("utc_offset"), reader.evidence(fields))
        var days: Set<Int32> = []
        for value in try fields.list("days") { days.formUnion(try dayRange(value, fields, "days")) }
        guard let covers = fields.value("covers") else {
          throw fields.rejection(
            "covers", "the first and the last day for which the list is complete")
        }
        calendars[name] = HolidayCalendar(
          days: days, covers: try dayRange(covers, fields, "covers"))
      } catch { log.add(error, in: "calendar \"\(name)\"") }
    }
    return calendars
  }

  /// A first and a last day.
  private func dayRange(_ value: JSONValue, _ fields: Fields, _ field: String) throws(Rejection)
    -> ClosedRange<Int32>
  {
    guard case .array(let ends) = value.kind, ends.count == 2,
      case .string(let first) = ends[0].kind, case .string(let last) = ends[1].kind,
      let first = CivilDate(first), let last = CivilDate(last), first <= last
    else {
      throw fields.rejection(
        field, "a first and a last day, such as [\"2026-10-01\", \"2026-10-07\"]")
    }
    return first.dayNumber...last.dayNumber
  }

  private mutating func readSchedules(
    _ values: [String: JSONValue], calendars: [String: HolidayCalendar]
  ) {
    for (name, value) in values {
      do throws(Rejection) {
        let fields = try Fields(
          value, known: ["utc_offset", "base", "days_off", "windows", "note"])
        var hours = PriceRows.Hours(baseLabel: try fields.requiredText("base"), windows: [])
        _ = try fields.text("note")
        if let calendar = try fields.text("days_off") {
          guard let days = calendars[calendar] else {
            throw fields.rejection("days_off", "a name from \"calendars\"")
          }
          hours.daysOff = days
        }
        let utcOffset = try fields.utcOffset("utc_offset")
        var week = Array(repeating: false, count: 7 * 1440)
        for value in try fields.list("windows") {
          let window = try Fields(value, known: ["label", "days", "start", "end"])
          let clock = try window.clockWindow(utcOffset: utcOffset)
          for minute in clock.minutesOfWeek {
            guard !week[minute] else {
              throw window.rejection("start", "windows that do not overlap")
            }
            week[minute] = true
          }
          hours.windows.append((try window.requiredText("label"), clock))
        }
        reader.hours[name] = hours
      } catch { log.add(error, in: "schedule \"\(name)\"") }
    }
  }

  private mutating func readSearchPrices(_ values: [JSONValue]) {
    for (index, value) in values.enumerated() {
      do throws(Rejection) {
        let known = PriceRows.evidenceFields.union(["from", "to", "currency", "per_1000"])
        let fields = try Fields(value, known: known)
        _ = try reader.evidence(fields)
        guard let currency = Currency(rawValue: try fields.requiredText("currency")) else {
          throw fields.rejection("currency", "USD or CNY")
        }
        guard let price = try reader.searchRate(fields, "per_1000") else {
          throw fields.rejection("per_1000", "a price")
        }
        let search = PriceRows.SearchPrice(
          unit: .money(currency), validity: try fields.validity(), perWebSearch: price)
        if reader.searchPrices.contains(where: {
          $0.unit == search.unit && $0.validity.overlaps(search.validity)
        }) {
          throw fields.rejection("from", "a time that does not overlap another price")
        }
        reader.searchPrices.append(search)
      } catch { log.add(error, in: "web search price \(index + 1)") }
    }
  }

  /// Promotions are told to people and change no price; what they bill is in the dated rows.
  private mutating func checkPromotions(_ values: [JSONValue]) {
    for (index, value) in values.enumerated() {
      do throws(Rejection) {
        let known = PriceRows.evidenceFields.union(["what", "from", "to"])
        let fields = try Fields(value, known: known)
        _ = try (fields.requiredText("what"), fields.validity(), reader.evidence(fields))
      } catch { log.add(error, in: "promotion \(index + 1)") }
    }
  }
}

extension Fields {
  /// Hours from the fields `days`, `start` and `end`.
  func clockWindow(utcOffset: Int32) throws(Rejection) -> ClockWindow {
    let (start, end) = (try clock("start"), try clock("end"))
    guard start < 1440, end > 0, start != end else {
      throw rejection("end", "another time than \"start\"; 24:00 is the end of the day")
    }
    return ClockWindow(utcOffset: utcOffset, weekdays: try weekdays("days"), start: start, end: end)
  }
}

extension ClockWindow {
  /// Its minutes in a week that begins on Monday at 00:00 of its clock, and goes round.
  fileprivate var minutesOfWeek: [Int] {
    let length = Int(end > start ? end - start : end - start + 1440)
    return (0..<7).filter { weekdays & (1 << $0) != 0 }.flatMap { day in
      (0..<length).map { (day * 1440 + Int(start) + $0) % (7 * 1440) }
    }
  }
}
