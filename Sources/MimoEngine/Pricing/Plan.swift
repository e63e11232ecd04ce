/// A way of paying: by the list, or by subscription. Data only; `Tariff` computes with it.
public struct Plan: Sendable, Identifiable {
  /// What a plan charges for.
  public enum Kind: Hashable, Sendable {
    /// Each call at the list price of the provider that served it.
    case asBilled
    /// Each call at the list price of the provider with this id.
    case metered(provider: String)
    /// A fee for a number of credits that calls use up.
    case credits
    /// A fee, whatever is used.
    case flat
  }

  /// How long a subscription is bought for.
  public enum Term: String, Hashable, Sendable {
    /// One month.
    case month
    /// Twelve months, paid at once; credits still come month by month.
    case year

    /// How many months it has.
    public var months: Int64 { self == .month ? 1 : 12 }
  }

  /// What a subscription costs and holds in one term.
  public struct Offer: Hashable, Sendable {
    /// What the whole term costs.
    public var fees: [Currency: Amount]
    /// What it costs the first time, where that differs.
    public var firstFees: [Currency: Amount]
    /// Credits per month; `nil` if the plan has none.
    public var credits: Amount?

    /// Creates an offer.
    public init(
      fees: [Currency: Amount], firstFees: [Currency: Amount] = [:], credits: Amount? = nil
    ) {
      self.fees = fees
      self.firstFees = firstFees
      self.credits = credits
    }
  }

  /// What a subscription costs and holds when bought or renewed in some time.
  public struct Version: Hashable, Sendable {
    /// When.
    public var validity: Range<Minute>
    /// The terms on offer.
    public var offers: [Term: Offer]
    /// Where it comes from.
    public var evidence: Evidence

    /// Creates a version.
    public init(validity: Range<Minute>, offers: [Term: Offer], evidence: Evidence) {
      self.validity = validity
      self.offers = offers
      self.evidence = evidence
    }
  }

  /// A factor on all credits in some hours, such as 0.8 at night.
  public struct OffPeak: Hashable, Sendable {
    /// When the rule holds.
    public var validity: Range<Minute>
    /// The hours.
    public var window: ClockWindow
    /// Multiplies every rate, exactly.
    public var factor: ExactDecimal
    /// Where it comes from.
    public var evidence: Evidence

    /// Creates a rule.
    public init(
      validity: Range<Minute>, window: ClockWindow, factor: ExactDecimal, evidence: Evidence
    ) {
      self.validity = validity
      self.window = window
      self.factor = factor
      self.evidence = evidence
    }

    /// Applies the factor to the rates in `span` if `minute` is in the hours, and ends it with them.
    ///
    /// A factor that does not divide the rates exactly leaves no rates: none are guessed.
    func apply(at minute: Minute, to span: inout RateSpan) {
      span.cut(at: validity, keeping: minute)
      guard validity.contains(minute), window.covers(minute, except: nil, cutting: &span) else {
        return
      }
      span.label = "off_peak"
      span.rates = span.rates.flatMap { $0.scaled(by: factor) }
    }
  }

  /// What happens around the credits, in words for the screen.
  public struct Rules: Hashable, Sendable {
    /// What happens when the credits are used up.
    public var onExhausted: String?
    /// Whether what is left of a period is added to the next; `nil` if not known.
    public var rollsOver: Bool?
    /// When a period ends.
    public var periodNote: String?
    /// Moments at which the vendor set the used credits of running plans to zero.
    public var resets: [Minute]
    /// What else the vendor states, in the order to show it; nothing is computed from it.
    public var facts: [Fact] = []

    /// A statement of the vendor's.
    public struct Fact: Hashable, Sendable {
      /// What it is about, as the files name it.
      public var name: String
      /// What is stated.
      public var value: Value

      /// The forms of statements.
      public enum Value: Hashable, Sendable {
        /// In words or digits.
        case texts([String])
        /// Yes or no.
        case flag(Bool)
      }

      /// Creates a statement.
      public init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
      }
    }

    /// Creates rules.
    public init(
      onExhausted: String? = nil, rollsOver: Bool? = nil, periodNote: String? = nil,
      resets: [Minute] = []
    ) {
      self.onExhausted = onExhausted
      self.rollsOver = rollsOver
      self.periodNote = periodNote
      self.resets = resets
    }
  }

  /// The name on the command line; unique.
  public var id: String
  /// The name people use.
  public var name: String
  /// What it charges for.
  public var kind: Kind
  /// The id of the provider that sells it; `nil` for `asBilled`.
  public var provider: String?
  /// What the tiers of one subscription have in common: models, keys, hosts, rules; `nil` if it has none.
  public var family: String?
  /// What one fee pays for if not the account, such as `seat`.
  public var per: String?
  /// Fees and credits by date, ascending; empty for list prices.
  public var versions: [Version]
  /// Models on the plan, with entries in credits; a model that is not here is refused.
  public var models: [ModelPrices]
  /// Factors by hour.
  public var offPeak: [OffPeak]
  /// How its keys begin, where they differ from those for list prices.
  public var keyPrefix: String?
  /// Hosts that serve only this plan.
  public var hosts: [String]
  /// What tools call the seller when they are set up for this plan.
  public var aliases: [String] = []
  /// Of `asBilled`: the subscriptions that a call's key, host or seller can give away, one of each family.
  public var recognised: [Plan] = []
  /// What happens around the credits.
  public var rules: Rules
  /// How long the user buys it for.
  public var term = Term.month
  /// How many times the user buys it: seats of a team; more than 0.
  public var seats: Int64 = 1

  /// Creates a plan.
  public init(
    id: String, name: String, kind: Kind, provider: String? = nil, per: String? = nil,
    versions: [Version] = [], models: [ModelPrices] = [], offPeak: [OffPeak] = [],
    keyPrefix: String? = nil, hosts: [String] = [], rules: Rules = Rules()
  ) {
    self.id = id
    self.name = name
    self.kind = kind
    self.provider = provider
    self.per = per
    self.versions = versions
    self.models = models
    self.offPeak = offPeak
    self.keyPrefix = keyPrefix
    self.hosts = hosts
    self.rules = rules
  }

  /// Each call at the list price of the provider that served it.
  public static let asBilled = Plan(id: "as-billed", name: "As billed", kind: .asBilled)

  /// `asBilled`, where calls that were made on one of these subscriptions cost its credits instead.
  public static func asBilled(recognising plans: [Plan]) -> Plan {
    var families: Set<String> = []
    var plan = asBilled
    plan.recognised = plans.filter { plan in
      plan.kind == .credits && (plan.keyPrefix != nil || !plan.hosts.isEmpty)
        && families.insert(plan.family ?? plan.id).inserted
    }
    return plan
  }

  /// Whether a call was made on this plan, as far as its labels tell.
  ///
  /// - Parameters:
  ///   - provider: What the log says about the seller: a name or a host.
  ///   - key: The name of the key, of which the prefix class is kept (`tp-#1f2e3d`).
  func isGivenAway(provider: String?, key: String?) -> Bool {
    if let keyPrefix, let key, key.hasPrefix(keyPrefix) { return true }
    guard let provider = provider?.lowercased() else { return false }
    return aliases.contains { $0.lowercased() == provider }
      || PriceBook.host(of: provider).map { host in
        hosts.contains { host == $0 || host.hasSuffix("." + $0) }
      } ?? false
  }

  /// Each call at the list price of one provider.
  public static func metered(_ provider: ProviderPrices) -> Plan {
    Plan(
      id: provider.id + "-payg", name: provider.name + " pay-as-you-go",
      kind: .metered(provider: provider.id), provider: provider.id)
  }

  /// Each call at a list that nobody sells by but this plan, and whose id is the plan's.
  public static func metered(_ list: ProviderPrices, id: String) -> Plan {
    Plan(id: id, name: list.name, kind: .metered(provider: list.id), provider: list.id)
  }

  /// Whether it is paid by a fee rather than by the call.
  public var isSubscription: Bool { kind == .credits || kind == .flat }

  /// The version that a period beginning at `instant` is bought under, or `nil` if none is known.
  ///
  /// Where the vendor reset running plans (`rules.resets`), the version at the last reset inside
  /// the period says what the rest of it holds.
  public func version(at instant: Instant) -> Version? {
    versions.last { $0.validity.contains(instant.minute) }
  }

  /// The fee of one month bought at `instant`, for all seats; `nil` if none in that currency is known.
  ///
  /// Of a longer term it is the share of a month, rounded half to even to 10⁻¹⁸.
  public func fee(at instant: Instant, in currency: Currency) -> Amount? {
    version(at: instant)?.offers[term]?.fees[currency].map {
      ($0 * seats).scaled(by: 1, over: Int128(term.months))
    }
  }

  /// The credits of each month bought at `instant`, for all seats; `nil` if it has none or none are known.
  public func credits(at instant: Instant) -> Amount? {
    version(at: instant)?.offers[term]?.credits.map { $0 * seats }
  }

  /// The currencies in which it has a fee or a list in `book`, in the order of `Currency`.
  public func currencies(in book: PriceBook) -> [Currency] {
    switch kind {
    case .asBilled: Currency.allCases.filter { book.providers.flatMap(\.currencies).contains($0) }
    case .metered(let seller): book.providers.first { $0.id == seller }?.currencies ?? []
    case .credits, .flat:
      Currency.allCases.filter { currency in
        versions.contains { $0.offers.values.contains { $0.fees[currency] != nil } }
      }
    }
  }

  /// The tier thresholds of its credit rates, ascending and unique.
  public var promptEdges: [Int64] { Set(models.flatMap(\.promptEdges)).sorted() }
}
