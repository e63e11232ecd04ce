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
  /// What the list says of a model in one minute; `nil` if it has no price for tokens then, or if calls to it
  /// cost credits of a subscription where the tariff counts money.
  ///
  /// - Precondition: `model` comes from this tariff.
  public func terms(of model: Model, at minute: Minute) -> PriceTerms? {
    if model.isOnSubscription { return nil }
    let sold =
      model.isSubstituted
      ? model.substitutes : [Model.Substitute(index: model.index, onPlan: model.onPlan)]
    return sold.lazy.compactMap { terms(of: $0, at: minute) }.first
  }

  private func terms(of model: Model.Substitute, at minute: Minute) -> PriceTerms? {
    if let place = model.onPlan {
      let sold = plan.models[place]
      return sold.entries.row(in: .credits, at: minute).map { entry in
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
      billed.entries.row(in: .money(currency), at: minute)
      ?? (exchange == nil ? nil : billed.entries.row(in: .money(other), at: minute))
    return entry.map { PriceTerms(billedAs: billed.id, entry: $0, offPeak: []) }
  }

  /// The minutes at which the price of a model may change for another reason than the hour, ascending.
  func edges(of model: Model) -> [Minute] {
    var edges = PriceEdges()
    edges.add(model, under: self)
    if plan.kind == .credits { edges.add(plan) }
    return edges.minutes.filter { $0 > .distantPast && $0 < .distantFuture }.sorted()
  }
}

extension [PriceEntry] {
  fileprivate func row(in unit: PricingUnit, at minute: Minute) -> PriceEntry? {
    first { $0.unit == unit && $0.validity.contains(minute) && $0.rates != nil }
  }
}
