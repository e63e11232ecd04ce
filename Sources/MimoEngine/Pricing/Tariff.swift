/// A plan made ready to price calls: with the lists it refers to, and in one currency.
public struct Tariff: Sendable {
  /// A model that the plan has a price for at some time. Valid for the tariff that gave it.
  public struct Model: Hashable, Sendable {
    let index: ModelIndex
    let onPlan: Int?
    /// The log names a seller that nobody knows; the vendor's list stands for its prices.
    var isSellerUnknown = false
    /// Which of the plan's recognised subscriptions the calls were made on.
    var subscription: Int?
    /// Models that stand for one that the plan does not sell; the first with a price counts.
    var substitutes: [Substitute] = []

    struct Substitute: Hashable, Sendable {
      let index: ModelIndex
      let onPlan: Int?
    }

    /// Whether another vendor's model stands for the one in the log, so that costs are estimates.
    public var isSubstituted: Bool { !substitutes.isEmpty }
    /// Whether calls cost credits although the tariff counts money: they were made on a subscription.
    public var isOnSubscription: Bool { subscription != nil }
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
  /// - Parameters:
  ///   - provider: What the log says about the seller; see `PriceBook.model`. Only `asBilled`
  ///     regards it: the other plans ask what the call would cost there, whoever served it.
  ///   - key: The name of the key the call was made with, likewise.
  public func model(named name: String, provider: String?, key: String? = nil) -> Model? {
    if plan.kind == .asBilled { return billedModel(name, provider, key) }
    guard let seller = plan.provider else { return nil }
    if let own = sold(name, seller) { return Model(index: own.index, onPlan: own.onPlan) }
    guard let modelMap, let index = book.model(named: name, provider: provider) else { return nil }
    let substitutes = modelMap.substitutes(for: book.model(index).id, at: seller)
      .compactMap { sold($0, seller) }
    guard let first = substitutes.first else { return nil }
    return Model(index: first.index, onPlan: first.onPlan, substitutes: substitutes)
  }

  /// A model at the price of who served it, or in credits if the call was made on a subscription.
  private func billedModel(_ name: String, _ provider: String?, _ key: String?) -> Model? {
    let subscription = plan.recognised.firstIndex { $0.isGivenAway(provider: provider, key: key) }
    if let subscription, let seller = plan.recognised[subscription].provider {
      return sold(name, seller, on: plan.recognised[subscription]).map {
        Model(index: $0.index, onPlan: $0.onPlan, subscription: subscription)
      }
    }
    return book.match(model: name, provider: provider, key: key, currency: currency).map {
      Model(index: $0.index, onPlan: nil, isSellerUnknown: $0.isSellerUnknown)
    }
  }

  /// A model the plan itself sells.
  private func sold(_ name: String, _ seller: String) -> Model.Substitute? {
    sold(name, seller, on: plan)
  }

  private func sold(_ name: String, _ seller: String, on plan: Plan) -> Model.Substitute? {
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
    if let subscription = model.subscription, let place = model.onPlan {
      return plan.recognised[subscription].creditSpan(
        ofModel: place, promptTokens: promptTokens, tier: tier, at: minute)
    }
    var span = span(
      of: model.index, model.onPlan, promptTokens: promptTokens, tier: tier, at: minute)
    if model.isSellerUnknown { span.evidence?.confidence = .low }
    return span
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
      return plan.creditSpan(
        ofModel: place, promptTokens: promptTokens, tier: tier, at: minute)
    }
  }

  /// The rates for a call to a model by its name; `model(named:provider:)` and `span(of:...)` in one.
  ///
  /// A name the plan does not know gives a span without rates and without limits.
  public func span(
    model name: String, provider: String?, key: String? = nil, promptTokens: Int64,
    tier: ServiceTier = .standard,
    at minute: Minute
  ) -> RateSpan {
    model(named: name, provider: provider, key: key).map {
      span(of: $0, promptTokens: promptTokens, tier: tier, at: minute)
    } ?? .unpriced
  }
}

extension Plan {
  /// The credits of a call to a model of this plan at `minute`, and how long they hold.
  func creditSpan(
    ofModel place: Int, promptTokens: Int64, tier: ServiceTier, at minute: Minute
  ) -> RateSpan {
    var span = RateSpan.unpriced
    span.billedAs = models[place].id
    models[place].entries.price(
      in: .credits, promptTokens: promptTokens, tier: tier, at: minute, into: &span)
    for index in offPeak.indices { offPeak[index].apply(at: minute, to: &span) }
    return span
  }
}
