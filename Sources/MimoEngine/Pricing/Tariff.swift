/// A plan made ready to price calls: with the lists it refers to, and in one currency.
public struct Tariff: Sendable {
  /// A model that the plan has a price for at some time. Valid for the tariff that gave it.
  public struct Model: Hashable, Sendable {
    let index: ModelIndex
    let onPlan: Int?
    /// Models that stand for one that the plan does not sell; the first with a price counts.
    var substitutes: [Substitute] = []

    struct Substitute: Hashable, Sendable {
      let index: ModelIndex
      let onPlan: Int?
    }

    /// Whether another vendor's model stands for the one in the log, so that costs are estimates.
    public var isSubstituted: Bool { !substitutes.isEmpty }
  }

  /// The plan.
  public internal(set) var plan: Plan
  /// The price lists.
  public internal(set) var book: PriceBook
  /// The currency of list prices and fees.
  public let currency: Currency

  /// Which models stand for those that the plan does not sell; `nil` leaves these without a price.
  public let modelMap: ModelMap?

  /// Converts prices that are listed in the other currency only; `nil` leaves these out.
  public let exchange: ExchangeRate?

  /// Creates the tariff of a plan.
  public init(
    plan: Plan, book: PriceBook, currency: Currency, modelMap: ModelMap? = nil,
    exchange: ExchangeRate? = nil
  ) {
    self.plan = plan
    self.book = book
    self.currency = currency
    self.modelMap = modelMap
    self.exchange = exchange
  }

  /// What the rates of its spans count.
  public var unit: PricingUnit { plan.kind == .credits ? .credits : .money(currency) }

  /// The model a log means, if the plan sells it; to be asked once per name and not per call.
  ///
  /// - Parameter provider: What the log says about the seller; see `PriceBook.model`. Only `asBilled`
  ///   regards it: the other plans ask what the call would cost there, whoever served it.
  public func model(named name: String, provider: String?) -> Model? {
    if plan.kind == .asBilled {
      return book.model(named: name, provider: provider, currency: currency).map {
        Model(index: $0, onPlan: nil)
      }
    }
    guard let seller = plan.provider else { return nil }
    if let own = sold(name, seller) { return Model(index: own.index, onPlan: own.onPlan) }
    guard let modelMap, let index = book.model(named: name, provider: provider) else { return nil }
    let substitutes = modelMap.substitutes(for: book.model(index).id, at: seller)
      .compactMap { sold($0, seller) }
    guard let first = substitutes.first else { return nil }
    return Model(index: first.index, onPlan: first.onPlan, substitutes: substitutes)
  }

  /// A model the plan itself sells.
  private func sold(_ name: String, _ seller: String) -> Model.Substitute? {
    guard let index = book.model(named: name, soldBy: seller) else { return nil }
    guard plan.kind == .credits else { return Model.Substitute(index: index, onPlan: nil) }
    let id = book.model(index).id.lowercased()
    return plan.models.firstIndex { $0.id.lowercased() == id }.map {
      Model.Substitute(index: index, onPlan: $0)
    }
  }

  /// The rates for a call at `minute`, and how long they hold.
  ///
  /// Under a flat plan all calls are free; the fee is the cost. Credit plans have prices for the
  /// standard tier alone.
  ///
  /// - Parameter promptTokens: The whole prompt of the one call, cached tokens included.
  /// - Precondition: `model` comes from this tariff.
  public func span(
    of model: Model, promptTokens: Int64, tier: ServiceTier = .standard, at minute: Minute
  ) -> RateSpan {
    var earlier: Range<Minute> = .distantPast ..< .distantFuture
    for substitute in model.substitutes {
      var span = span(
        of: substitute.index, substitute.onPlan, promptTokens: promptTokens, tier: tier, at: minute)
      // Those listed before had no price, for as long as their spans said so.
      span.from = max(span.from, earlier.lowerBound)
      span.until = min(span.until, earlier.upperBound)
      if span.rates != nil || substitute == model.substitutes.last { return span }
      earlier = span.from..<span.until
    }
    return span(of: model.index, model.onPlan, promptTokens: promptTokens, tier: tier, at: minute)
  }

  private func span(
    of index: ModelIndex, _ onPlan: Int?, promptTokens: Int64, tier: ServiceTier, at minute: Minute
  ) -> RateSpan {
    switch plan.kind {
    case .asBilled, .metered:
      let span = book.span(
        of: index, currency: currency, promptTokens: promptTokens, tier: tier, at: minute)
      guard span.rates == nil, let exchange else { return span }
      let other: Currency = currency == .usd ? .cny : .usd
      var foreign = book.span(
        of: index, currency: other, promptTokens: promptTokens, tier: tier, at: minute)
      foreign.from = max(foreign.from, span.from)
      foreign.until = min(foreign.until, span.until)
      foreign.rates = foreign.rates.flatMap { exchange.converted($0, from: other) }
      if foreign.rates != nil {
        foreign.convertedFrom = other
        // The vendor does not ask this price: what comes out is an estimate.
        foreign.evidence?.confidence = .low
      }
      return foreign
    case .flat:
      var span = RateSpan.unpriced
      span.rates = .free
      span.billedAs = book.model(index).id
      for version in plan.versions { span.cut(at: version.validity, keeping: minute) }
      span.evidence = plan.version(at: minute.start)?.evidence
      return span
    case .credits:
      guard let place = onPlan else { return .unpriced }
      var span = RateSpan.unpriced
      span.billedAs = plan.models[place].id
      plan.models[place].entries.price(
        in: .credits, promptTokens: promptTokens, tier: tier, at: minute, into: &span)
      for rule in plan.offPeak { rule.apply(at: minute, to: &span) }
      return span
    }
  }

  /// The rates for a call to a model by its name; `model(named:provider:)` and `span(of:...)` in one.
  ///
  /// A name the plan does not know gives a span without rates and without limits.
  public func span(
    model name: String, provider: String?, promptTokens: Int64, tier: ServiceTier = .standard,
    at minute: Minute
  ) -> RateSpan {
    model(named: name, provider: provider).map {
      span(of: $0, promptTokens: promptTokens, tier: tier, at: minute)
    } ?? .unpriced
  }
}
