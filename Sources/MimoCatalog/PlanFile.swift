import MimoEngine

/// One plan file: `mimo-top.plans/1`, subscriptions and what they share.
///
/// Mistakes cost as little as possible: a bad row, rule, version or plan is skipped and reported.
struct PlanFile {
  static let schema = "mimo-top.plans/1"

  /// The plans that could be used, in the order of the file.
  private(set) var plans: [Plan] = []
  /// The price lists that stand in the file: each is sold by the plan of the same id alone.
  private(set) var lists: [ProviderPrices] = []
  /// What the plans of a family share, as a plan without a name and fees.
  private(set) var families: [String: Plan]
  /// The day on which the whole file was last checked.
  private(set) var asOf: String?
  /// The mistakes in it.
  var problems: [CatalogProblem] { log.problems + listProblems }

  private var log: ProblemLog
  private var listProblems: [CatalogProblem] = []
  private var reader = PriceRows(perPowerOfTen: 0)

  private static let familyFields: Set = [
    "id", "provider", "launched", "source", "key_prefix", "note", "hosts", "aliases", "rules",
    "off_peak", "models", "like",
  ]
  private static let ruleFields = PriceRows.evidenceFields.union([
    "on_exhausted", "rollover", "period", "windows", "resets", "exhausted_status",
    "alerts_at_percent", "upgrade", "downgrade", "refund", "ultraspeed", "allowed_use",
    "rate_limit", "first_purchase_discount_factor", "annual_discount_factor",
  ])
  private static let offPeakFields = PriceRows.evidenceFields.union([
    "from", "from_latest", "to", "factor", "utc_offset", "start", "end", "days", "applies_to",
  ])

  /// Reads a file.
  ///
  /// - Parameter families: What is known from other files; plans of this one may belong to them.
  init(name: String, bytes: [UInt8], families: [String: Plan] = [:]) {
    log = ProblemLog(file: name)
    self.families = families
    let root: JSONValue
    do throws(JSONValue.SyntaxError) { root = try JSONValue.parse(bytes) } catch {
      log.add(Rejection(line: error.line, expected: error.expected), .fileSkipped)
      return
    }
    do throws(Rejection) { try read(root) } catch { log.add(error, .fileSkipped) }
  }

  private mutating func read(_ root: JSONValue) throws(Rejection) {
    let fields = try Fields(root, known: ["schema", "as_of", "sources", "families", "plans"])
    guard try fields.text("schema") == Self.schema else {
      throw fields.rejection("schema", "\"\(Self.schema)\"")
    }
    asOf = try fields.date("as_of")?.text
    try reader.readSources(fields)
    for (index, value) in try fields.list("families").enumerated() {
      do throws(Rejection) {
        let family = try family(value)
        families[family.id] = family
      } catch { log.add(error, in: "family \(index + 1)") }
    }
    for (index, value) in try fields.list("plans").enumerated() {
      do throws(Rejection) {
        let plan = try plan(value, in: root)
        guard !plans.contains(where: { $0.id == plan.id }) else {
          throw Rejection(line: value.line, field: "id", expected: "an id that no other plan has")
        }
        plans.append(plan)
      } catch { log.add(error, in: "plan \(index + 1)") }
    }
  }

  private mutating func family(_ value: JSONValue) throws(Rejection) -> Plan {
    let fields = try Fields(value, known: Self.familyFields)
    let id = try fields.requiredText("id")
    var plan = Plan(id: id, name: id, kind: .credits, provider: try fields.requiredText("provider"))
    _ = try (fields.text("note"), fields.date("launched"), reader.evidence(fields))
    if let model = try fields.text("like") {
      guard let other = families[model] else {
        throw fields.rejection("like", "the id of a family further up")
      }
      (plan.models, plan.offPeak, plan.rules) = (other.models, other.offPeak, other.rules)
    }
    plan.keyPrefix = try fields.text("key_prefix")
    plan.hosts = try fields.texts("hosts")
    plan.aliases = try fields.texts("aliases")
    plan.family = id
    if let rules = fields.value("rules") { plan.rules = try self.rules(rules) }
    for (index, value) in try fields.list("models").enumerated() {
      do throws(Rejection) {
        let model = try Fields(value, known: ["id", "credits_per_token"])
        let id = try model.requiredText("id")
        let entries = log.rows(
          try model.list("credits_per_token"), of: "model \"\(id)\"",
          known: PriceRows.rowFields.union(["unit", "amount"]), reader: reader
        ) { (_) throws(Rejection) in .credits }
        guard !plan.models.contains(where: { $0.id.lowercased() == id.lowercased() }) else {
          throw model.rejection("id", "a model that is not listed further up")
        }
        plan.models.append(ModelPrices(id: id, name: id, entries: entries))
      } catch { log.add(error, in: "family \"\(id)\", model \(index + 1)") }
    }
    for (index, value) in try fields.list("off_peak").enumerated() {
      do throws(Rejection) { plan.offPeak.append(try offPeak(value, plan: plan)) } catch {
        log.add(error, in: "family \"\(id)\", off-peak rule \(index + 1)")
      }
    }
    return plan
  }

  private func rules(_ value: JSONValue) throws(Rejection) -> Plan.Rules {
    let fields = try Fields(value, known: Self.ruleFields)
    _ = try reader.evidence(fields)
    var facts: [Plan.Rules.Fact] = []
    for name in [
      "windows", "exhausted_status", "alerts_at_percent", "upgrade", "downgrade", "refund",
      "ultraspeed", "allowed_use", "rate_limit", "first_purchase_discount_factor",
      "annual_discount_factor",
    ] {
      if let value = try fact(name, fields) { facts.append(Plan.Rules.Fact(name, value)) }
    }
    var rules = Plan.Rules(
      onExhausted: try fields.text("on_exhausted"), rollsOver: try fields.flag("rollover"),
      periodNote: try fields.text("period"))
    for value in try fields.list("resets") {
      let reset = try Fields(value, known: ["at", "what"])
      facts.append(Plan.Rules.Fact("reset", .texts([try reset.requiredText("what")])))
      guard let minute = try reset.minute("at") else { throw reset.rejection("at", "a moment") }
      rules.resets.append(minute)
    }
    rules.facts = facts
    return rules
  }

  /// A statement that is only shown.
  private func fact(_ name: String, _ fields: Fields) throws(Rejection) -> Plan.Rules.Fact.Value? {
    switch name {
    case "downgrade", "refund", "ultraspeed": return try fields.flag(name).map { .flag($0) }
    case "exhausted_status", "alerts_at_percent":
      let texts = try fields.texts(name)
      return texts.isEmpty ? nil : .texts(texts)
    case "first_purchase_discount_factor", "annual_discount_factor":
      return try fields.decimal(name).map { .texts([$0.text]) }
    case "rate_limit":
      let limits = try fields.object(name).sorted { $0.key < $1.key }
      let texts = limits.compactMap { name, value in
        if case .string(let text) = value.kind { "\(name) \(text)" } else { nil }
      }
      return texts.isEmpty ? nil : .texts(texts)
    default: return try fields.text(name).map { .texts([$0]) }
    }
  }

  private func offPeak(_ value: JSONValue, plan: Plan) throws(Rejection) -> Plan.OffPeak {
    let fields = try Fields(value, known: Self.offPeakFields)
    _ = try (fields.minute("from_latest"), fields.text("applies_to"))
    guard let factor = try fields.decimal("factor") else {
      throw fields.rejection("factor", "a factor in quotes, such as \"0.8\"")
    }
    let window = try fields.clockWindow(utcOffset: try fields.utcOffset("utc_offset"))
    let rule = Plan.OffPeak(
      validity: try fields.validity(), window: window, factor: factor,
      evidence: try reader.evidence(fields))
    guard !plan.offPeak.contains(where: { $0.validity.overlaps(rule.validity) }) else {
      throw fields.rejection("from", "a time that does not overlap another rule")
    }
    for model in plan.models {
      for entry in model.entries where entry.validity.overlaps(rule.validity) {
        guard entry.allRates.allSatisfy({ $0.scaled(by: factor) != nil }) else {
          throw fields.rejection(
            "factor", "a factor that divides every rate of \(model.id) exactly")
        }
      }
    }
    return rule
  }

  private mutating func plan(_ value: JSONValue, in root: JSONValue) throws(Rejection) -> Plan {
    let fields = try Fields(
      value, known: ["id", "family", "kind", "provider", "name", "per", "versions", "models"])
    let id = try fields.requiredText("id")
    var plan: Plan
    switch try fields.text("kind") {
    case nil, "credits":
      guard let family = families[try fields.requiredText("family")] else {
        throw fields.rejection("family", "the id of a family")
      }
      plan = family
    case "flat":
      plan = Plan(id: id, name: id, kind: .flat, provider: try fields.requiredText("provider"))
    case "metered": return .metered(try list(value, in: root), id: id)
    default: throw fields.rejection("kind", "credits, flat or metered")
    }
    plan.id = id
    plan.name = try fields.text("name") ?? id
    plan.per = try fields.text("per")
    for (index, value) in try fields.list("versions").enumerated() {
      do throws(Rejection) {
        let version = try version(value, hasCredits: plan.kind == .credits)
        if plan.versions.contains(where: { $0.validity.overlaps(version.validity) }) {
          throw Rejection(
            line: value.line, field: "from",
            expected: "a time that does not overlap another version")
        }
        plan.versions.append(version)
      } catch { log.add(error, in: "plan \"\(id)\", version \(index + 1)") }
    }
    plan.versions.sort { $0.validity.lowerBound < $1.validity.lowerBound }
    guard !plan.versions.isEmpty else { throw fields.rejection("versions", "at least one version") }
    return plan
  }

  /// The models of a metered plan as a price list, with the sources of the file.
  private mutating func list(
    _ value: JSONValue, in root: JSONValue
  ) throws(Rejection) -> ProviderPrices {
    guard case .object(let plan) = value.kind, case .object(let file) = root.kind,
      plan["models"] != nil
    else { throw Rejection(line: value.line, field: "models", expected: "models with prices") }
    var members = plan.filter { ["id", "name", "models"].contains($0.key) }
    for name in ["sources", "as_of"] { members[name] = file[name] }
    members["schema"] = JSONValue(kind: .string(PriceFile.schema), line: value.line)
    let read = PriceFile(
      name: log.file, list: JSONValue(kind: .object(members), line: value.line))
    listProblems += read.problems
    guard var list = read.provider, !list.models.isEmpty else {
      throw Rejection(line: value.line, field: "models", expected: "models with prices")
    }
    // Nobody else's calls are billed by it, whatever their model is called.
    for index in list.models.indices { list.models[index].needsSeller = true }
    lists.append(list)
    return list
  }

  private func version(_ value: JSONValue, hasCredits: Bool) throws(Rejection) -> Plan.Version {
    let known = PriceRows.evidenceFields.union(["from", "to", "monthly", "annual"])
    let fields = try Fields(value, known: known)
    var offers: [Plan.Term: Plan.Offer] = [:]
    for (name, term, credits) in [
      ("monthly", Plan.Term.month, "credits"), ("annual", .year, "credits_per_month"),
    ] {
      guard let value = fields.value(name) else { continue }
      let offer = try Fields(value, known: ["fee", "first_purchase_fee", credits])
      let amount = try offer.decimal(credits).flatMap { $0.scaled(by: 18) }
      guard (amount != nil) == hasCredits else {
        throw offer.rejection(credits, hasCredits ? "a number of credits" : "no credits")
      }
      offers[term] = Plan.Offer(
        fees: try fees(offer, "fee"), firstFees: try fees(offer, "first_purchase_fee"),
        credits: amount.map { Amount(atto: $0) })
    }
    guard !offers.isEmpty else { throw fields.rejection("monthly", "an offer by month or by year") }
    return Plan.Version(
      validity: try fields.validity(), offers: offers, evidence: try reader.evidence(fields))
  }

  private func fees(_ fields: Fields, _ name: String) throws(Rejection) -> [Currency: Amount] {
    var fees: [Currency: Amount] = [:]
    for (code, value) in try fields.object(name) {
      guard let currency = Currency(rawValue: code) else {
        throw fields.rejection(name, "fees in USD or CNY, not \(code)")
      }
      guard case .string(let text) = value.kind, let fee = Amount(decimal: text), fee >= .zero
      else { throw fields.rejection(name, "an amount in quotes, such as \"9.99\"") }
      fees[currency] = fee
    }
    return fees
  }
}
