/// All that a list says of one model in one minute: what two dates are compared by.
public struct PriceTerms: Hashable, Sendable {
  /// The id of the model whose list it is: another one than asked for after a route.
  public let billedAs: String
  /// The row that holds.
  public let entry: PriceEntry
  /// Factors by hour that hold.
  public let offPeak: [Plan.OffPeak]

  /// Whether every call costs the same under both, whatever their dates and sources are.
  public func chargesLike(_ other: PriceTerms) -> Bool {
    entry.unit == other.entry.unit && entry.rates == other.entry.rates
      && entry.tiers == other.entry.tiers && entry.schedule == other.entry.schedule
      && entry.tierFactors == other.entry.tierFactors
      && offPeak.map(\.window) == other.offPeak.map(\.window)
      && offPeak.map(\.factor) == other.offPeak.map(\.factor)
  }
}

extension Tariff {
  /// What the list says of a model in one minute; `nil` if it has no price for tokens then.
  ///
  /// - Precondition: `model` comes from this tariff.
  public func terms(of model: Model, at minute: Minute) -> PriceTerms? {
    candidates(of: model).lazy.compactMap { terms(of: $0, at: minute) }.first
  }

  /// The minutes at which the price of a model may change for another reason than the hour, ascending.
  func edges(of model: Model) -> [Minute] {
    var edges: Set<Minute> = []
    for candidate in candidates(of: model) {
      if let place = candidate.onPlan {
        for entry in plan.models[place].entries { edges.insert(ends: entry.validity) }
        for rule in plan.offPeak { edges.insert(ends: rule.validity) }
      } else {
        edges.formUnion(book.edges(of: candidate.index) { isListed(in: $0) })
      }
    }
    return edges.filter { $0 > .distantPast && $0 < .distantFuture }.sorted()
  }

  private func candidates(of model: Model) -> [Model.Substitute] {
    model.isSubstituted
      ? model.substitutes : [Model.Substitute(index: model.index, onPlan: model.onPlan)]
  }

  private func isListed(in unit: PricingUnit) -> Bool {
    unit == .money(currency) || exchange != nil && unit != .credits
  }

  private func terms(of model: Model.Substitute, at minute: Minute) -> PriceTerms? {
    if let place = model.onPlan {
      let sold = plan.models[place]
      return sold.entries.terms(in: .credits, at: minute).map { entry in
        PriceTerms(
          billedAs: sold.id, entry: entry,
          offPeak: plan.offPeak.filter { $0.validity.contains(minute) })
      }
    }
    guard plan.kind != .flat else { return nil }
    var span = RateSpan.unpriced
    guard let billed = book.billed(model.index, at: minute, cutting: &span) else { return nil }
    let other: Currency = currency == .usd ? .cny : .usd
    let entry =
      billed.entries.terms(in: .money(currency), at: minute)
      ?? (exchange == nil ? nil : billed.entries.terms(in: .money(other), at: minute))
    return entry.map { PriceTerms(billedAs: billed.id, entry: $0, offPeak: []) }
  }
}

extension [PriceEntry] {
  fileprivate func terms(in unit: PricingUnit, at minute: Minute) -> PriceEntry? {
    first { $0.unit == unit && $0.validity.contains(minute) && $0.rates != nil }
  }
}

extension PriceBook {
  /// The minutes at which rows and routes of a model begin and end, and of those it is billed as.
  fileprivate func edges(
    of index: ModelIndex, where isListed: (PricingUnit) -> Bool
  ) -> Set<Minute> {
    let models = providers[index.provider].models
    var edges: Set<Minute> = []
    var seen: Set<String> = []
    var open = [models[index.model]]
    while let model = open.popLast() {
      guard seen.insert(model.id).inserted else { continue }
      if let retired = model.retired { edges.insert(retired) }
      for entry in model.entries where isListed(entry.unit) { edges.insert(ends: entry.validity) }
      for route in model.routes {
        edges.insert(ends: route.validity)
        open += models.filter { $0.id.lowercased() == route.billedAs.lowercased() }
      }
    }
    return edges
  }
}

extension Set<Minute> {
  fileprivate mutating func insert(ends range: Range<Minute>) {
    insert(range.lowerBound)
    insert(range.upperBound)
  }
}
