/// A time in which calls to one name are billed as another model of the same provider.
public struct ModelRoute: Hashable, Sendable {
  /// When.
  public var validity: Range<Minute>
  /// The id of the model that is billed.
  public var billedAs: String

  /// Creates a route.
  public init(validity: Range<Minute>, billedAs: String) {
    self.validity = validity
    self.billedAs = billedAs
  }
}

/// All prices one provider ever had for one model.
public struct ModelPrices: Hashable, Sendable {
  /// The name in the provider's interface; unique within the provider, without regard to case.
  public var id: String
  /// The name people use.
  public var name: String
  /// Other names that logs carry for it; matched like the id.
  public var aliases: [String]
  /// The day it came out, if known. Informative: prices begin when their entries do.
  public var released: CivilDate?
  /// The first minute in which calls are refused; nothing has a price from then on.
  public var retired: Minute?
  /// When calls to it are billed as another model.
  public var routes: [ModelRoute]
  /// Dated prices; entries of one unit do not overlap.
  public var entries: [PriceEntry]
  /// Whether its name alone does not tell whose it is: several sell it at different prices, and none of
  /// them is its vendor. It is then used only for calls that name their seller.
  public var needsSeller: Bool

  /// Creates a model's prices.
  public init(
    id: String, name: String, aliases: [String] = [], released: CivilDate? = nil,
    retired: Minute? = nil, routes: [ModelRoute] = [], entries: [PriceEntry],
    needsSeller: Bool = false
  ) {
    self.id = id
    self.name = name
    self.aliases = aliases
    self.released = released
    self.retired = retired
    self.routes = routes
    self.entries = entries
    self.needsSeller = needsSeller
  }

  /// The thresholds of its tiers.
  var promptEdges: [Int64] { entries.flatMap { $0.tiers.map(\.abovePromptTokens) } }
}

/// The price list of one seller.
public struct ProviderPrices: Hashable, Sendable {
  /// A short name in lower case; unique in a book.
  public var id: String
  /// The name people use.
  public var name: String
  /// Other names in a log's provider field or before the slash of `vendor/model`.
  public var aliases: [String]
  /// Domains of its interface; a host matches if it is one of them or below one.
  public var hosts: [String]
  /// How its keys begin, if they tell anything.
  public var keyPrefix: String?
  /// Whether it sells other vendors' models at prices of its own, so that what is not in its list has no price.
  public var isReseller = false
  /// Minutes after which an unused cache entry is gone; `nil` if not known.
  public var cacheMinutes: Int32?
  /// What it sells.
  public var models: [ModelPrices]

  /// Creates a price list.
  public init(
    id: String, name: String, aliases: [String] = [], hosts: [String] = [],
    keyPrefix: String? = nil, models: [ModelPrices]
  ) {
    self.id = id
    self.name = name
    self.aliases = aliases
    self.hosts = hosts
    self.keyPrefix = keyPrefix
    self.models = models
  }

  /// The currencies it has a list in, in the order of `Currency`.
  public var currencies: [Currency] {
    Currency.allCases.filter { currency in
      models.contains { $0.entries.contains { $0.unit == .money(currency) } }
    }
  }
}

/// The place of a model in one price book. Never leaves the process.
public struct ModelIndex: Hashable, Sendable {
  let provider: Int
  let model: Int
}

/// The price lists of all sellers.
///
/// A price belongs to a seller, a model, a minute and a prompt size. Nothing is guessed: what has no
/// entry has no rates.
public struct PriceBook: Sendable {
  /// The price lists. If several sell a model of the same name, the earlier is its own vendor.
  public internal(set) var providers: [ProviderPrices]
  /// The tier thresholds of all entries, ascending and unique.
  public let promptEdges: [Int64]
  private let modelsByName: [String: [ModelIndex]]
  private let providersByName: [String: Int]

  /// Creates a book of price lists.
  public init(providers: [ProviderPrices]) {
    self.providers = providers
    promptEdges = Set(providers.flatMap { $0.models.flatMap(\.promptEdges) }).sorted()
    var modelsByName: [String: [ModelIndex]] = [:]
    var providersByName: [String: Int] = [:]
    for (p, provider) in providers.enumerated() {
      for name in [provider.id] + provider.aliases {
        let name = name.lowercased()
        if providersByName[name] == nil { providersByName[name] = p }
      }
      for (m, model) in provider.models.enumerated() {
        let index = ModelIndex(provider: p, model: m)
        for name in Set(([model.id] + model.aliases).map { $0.lowercased() }) {
          modelsByName[name, default: []].append(index)
        }
      }
    }
    self.modelsByName = modelsByName
    self.providersByName = providersByName
  }

  /// The seller's list.
  public func provider(of index: ModelIndex) -> ProviderPrices { providers[index.provider] }

  /// The model's prices.
  public func model(_ index: ModelIndex) -> ModelPrices {
    providers[index.provider].models[index.model]
  }

  /// A model and how sure it is that the log means this one's price list.
  struct Match: Hashable, Sendable {
    var index: ModelIndex
    /// The log names a seller that nobody knows; the vendor's list stands for its prices.
    var isSellerUnknown = false
  }

  /// The model a log means, or `nil` if it is not in the book.
  ///
  /// Names match without regard to case, as a whole: the id, a declared alias, or either followed by
  /// a date (`-20251001`, `@20251001`, `-2025-08-07`), after an optional `vendor/`. A longer name is
  /// another model, never a variant.
  ///
  /// - Parameters:
  ///   - provider: What the log says about the seller: an id, an alias or a base address. A vendor
  ///     that does not sell the model is taken for the dialect it was called in, and leaves the model's own.
  ///     A reseller that is not known to sell it leaves none: its price is its own affair.
  ///   - key: The name of the key; its prefix tells the seller where `provider` does not.
  ///   - currency: Among vendors of the same model, prefer one with a list in this currency.
  public func model(
    named name: String, provider: String? = nil, key: String? = nil, currency: Currency? = nil
  ) -> ModelIndex? {
    match(model: name, provider: provider, key: key, currency: currency)?.index
  }

  func match(
    model name: String, provider: String?, key: String? = nil, currency: Currency? = nil
  ) -> Match? {
    guard let (vendor, candidates) = candidates(named: name) else { return nil }
    let stated = provider.flatMap(self.provider(named:))
    let seller = stated ?? key.flatMap(self.provider(ofKey:))
    for seller in [seller, vendor] {
      if let index = candidates.first(where: { $0.provider == seller }) {
        return Match(index: index)
      }
      if let seller, providers[seller].isReseller { return nil }
    }
    let unstated = candidates.filter { !model($0).needsSeller }
    let listed = currency.flatMap { currency in
      unstated.first { model($0).entries.contains { $0.unit == .money(currency) } }
    }
    return (listed ?? unstated.first).map {
      Match(index: $0, isSellerUnknown: stated == nil && provider != nil)
    }
  }

  /// The model of that name in the list of the provider with the id `provider`, or `nil`.
  public func model(named name: String, soldBy provider: String) -> ModelIndex? {
    candidates(named: name)?.models.first { providers[$0.provider].id == provider }
  }

  /// The ids of all that sell the model of this name.
  func sellers(of name: String) -> [String] {
    candidates(named: name)?.models.map { providers[$0.provider].id } ?? []
  }

  /// The place of a provider in `providers`, from its id, an alias or the address of its interface.
  public func provider(named text: String) -> Int? {
    let text = text.lowercased()
    if let index = providersByName[text] { return index }
    guard let host = Self.host(of: text) else { return nil }
    return providers.firstIndex { $0.hosts.contains { host == $0 || host.hasSuffix("." + $0) } }
  }

  /// The place of the only provider whose keys begin like this one: of several prefixes the longest.
  func provider(ofKey key: String) -> Int? {
    let fitting = providers.indices.filter {
      providers[$0].keyPrefix.map { !$0.isEmpty && key.hasPrefix($0) } ?? false
    }
    let length = fitting.compactMap { providers[$0].keyPrefix?.utf8.count }.max()
    let longest = fitting.filter { providers[$0].keyPrefix?.utf8.count == length }
    return longest.count == 1 ? longest[0] : nil
  }

  /// The host of "https://host:port/path" or "host/path".
  static func host(of address: String) -> Substring? {
    // A scheme ends in a colon, so drop it first.
    address.split(separator: "/").first { !$0.hasSuffix(":") }?.prefix { $0 != ":" }
  }

  private func candidates(named name: String) -> (vendor: Int?, models: [ModelIndex])? {
    let parts = name.lowercased().split(separator: "/", omittingEmptySubsequences: false)
    guard let bare = parts.last else { return nil }
    var vendor: Int?
    if parts.count > 1 {
      vendor = providersByName[String(parts[parts.count - 2])]
      guard vendor != nil else { return nil }
    }
    let models =
      modelsByName[String(bare)] ?? PriceBook.withoutDate(bare).flatMap { modelsByName[String($0)] }
    return models.map { (vendor, $0) }
  }

  /// `name` without a date at its end, or `nil` if it has none.
  static func withoutDate(_ name: Substring) -> Substring? {
    if name.suffix(11).first == "-", CivilDate(name.suffix(10)) != nil { return name.dropLast(11) }
    let day = name.suffix(8)
    guard let separator = name.suffix(9).first, "-@".contains(separator),
      CivilDate("\(day.prefix(4))-\(day.dropFirst(4).prefix(2))-\(day.suffix(2))") != nil
    else { return nil }
    return name.dropLast(9)
  }

  /// The rates for a call to a model at `minute`, and how long they hold.
  ///
  /// Follows routes, and gives no rates after retirement, in a currency without a list, or for a
  /// service tier without a known price.
  ///
  /// - Parameter promptTokens: The whole prompt of the one call, cached tokens included.
  /// - Precondition: `index` comes from this book.
  public func span(
    of index: ModelIndex, currency: Currency, promptTokens: Int64, tier: ServiceTier = .standard,
    at minute: Minute
  ) -> RateSpan {
    var span = RateSpan.unpriced
    billed(index, at: minute, cutting: &span)?.entries.price(
      in: .money(currency), promptTokens: promptTokens, tier: tier, at: minute, into: &span)
    return span
  }

  /// The model whose list prices a call at `minute`: the one called, or where routes lead from it.
  ///
  /// Ends `span` where that changes. `nil` once calls are refused.
  func billed(_ index: ModelIndex, at minute: Minute, cutting span: inout RateSpan) -> ModelPrices?
  {
    let provider = providers[index.provider]
    var model = provider.models[index.model]
    // As many steps as there are models: a circle of routes ends without a price.
    for _ in provider.models {
      span.billedAs = model.id
      if let retired = model.retired {
        span.cut(at: retired, keeping: minute)
        if minute >= retired { return nil }
      }
      for route in model.routes { span.cut(at: route.validity, keeping: minute) }
      guard let route = model.routes.first(where: { $0.validity.contains(minute) }) else {
        return model
      }
      let target = route.billedAs.lowercased()
      guard let next = provider.models.first(where: { $0.id.lowercased() == target }) else {
        return nil
      }
      model = next
    }
    return nil
  }
}
