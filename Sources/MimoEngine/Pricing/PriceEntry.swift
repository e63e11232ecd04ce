/// How sure a fact is.
public enum Confidence: String, Hashable, Sendable, Comparable, CaseIterable {
  /// Derived or disputed.
  case low
  /// One good source.
  case medium
  /// The vendor's own text, or two independent sources.
  case high

  /// Whether the first is less sure than the second.
  public static func < (a: Confidence, b: Confidence) -> Bool { a.rank < b.rank }

  private var rank: Int { self == .low ? 0 : self == .medium ? 1 : 2 }
}

/// Where a fact comes from and when it was checked.
public struct Evidence: Hashable, Sendable {
  /// Addresses, or titles where there is no address; best first.
  public var sources: [String]
  /// The day (`2026-09-24`) or month (`2026-11`) of the newest check; `nil` if not known.
  public var asOf: String?
  /// How sure it is.
  public var confidence: Confidence
  /// What a reader should know about it.
  public var note: String?

  /// Creates evidence.
  public init(
    sources: [String] = [], asOf: String? = nil, confidence: Confidence, note: String? = nil
  ) {
    self.sources = sources
    self.asOf = asOf
    self.confidence = confidence
    self.note = note
  }
}

/// What a sum counts. Sums of different units are never added.
public enum PricingUnit: Hashable, Sendable {
  /// Money.
  case money(Currency)
  /// Credits of a subscription.
  case credits
}

/// The speed or queue a call was made in, where the vendor bills them differently.
public enum ServiceTier: UInt8, Hashable, Sendable, CaseIterable {
  /// The ordinary one.
  case standard
  /// Answered later, usually cheaper.
  case batch
  /// Answered first, usually dearer.
  case priority
  /// Answered when there is room, usually cheaper.
  case flex
  /// Generated faster, usually dearer.
  case fast
}

/// Rates for calls with a long prompt.
///
/// A cliff: the whole call is billed at the rates of the last tier its prompt is above.
public struct PriceTier: Hashable, Sendable {
  /// The tier holds for prompts larger than this many tokens, cached ones included.
  public var abovePromptTokens: Int64
  /// Its rates.
  public var rates: Rates

  /// Creates a tier.
  public init(abovePromptTokens: Int64, rates: Rates) {
    self.abovePromptTokens = abovePromptTokens
    self.rates = rates
  }
}

/// One dated row of a price list.
public struct PriceEntry: Hashable, Sendable {
  /// Money or credits.
  public var unit: PricingUnit
  /// When it holds; an open side is `distantPast` or `distantFuture`.
  public var validity: Range<Minute>
  /// The price of tokens; `nil` where something else is billed, such as hours of audio.
  public var rates: Rates?
  /// Ascending by threshold.
  public var tiers: [PriceTier]
  /// Hours with rates of their own; never together with tiers.
  public var schedule: PriceSchedule?
  /// Factors on the rates of the standard tier. A tier that is not here has no known price.
  public var tierFactors: [ServiceTier: ExactDecimal]
  /// Where it comes from.
  public var evidence: Evidence

  /// Creates a row.
  public init(
    unit: PricingUnit, validity: Range<Minute> = .distantPast..<(.distantFuture), rates: Rates?,
    tiers: [PriceTier] = [], schedule: PriceSchedule? = nil,
    tierFactors: [ServiceTier: ExactDecimal] = [:], evidence: Evidence
  ) {
    self.unit = unit
    self.validity = validity
    self.rates = rates
    self.tiers = tiers
    self.schedule = schedule
    self.tierFactors = tierFactors
    self.evidence = evidence
  }

  /// Puts the rates for one call into `span`, and ends it where the hour changes them.
  func price(promptTokens: Int64, tier: ServiceTier, at minute: Minute, into span: inout RateSpan) {
    span.evidence = evidence
    span.rates = tiers.last { $0.abovePromptTokens < promptTokens }?.rates ?? rates
    schedule?.apply(at: minute, to: &span)
    if tier != .standard { span.rates = tierFactors[tier].flatMap { span.rates?.scaled(by: $0) } }
  }
}

extension [PriceEntry] {
  /// Puts the rates of the row that holds at `minute` into `span`, and ends it where a row does.
  func price(
    in unit: PricingUnit, promptTokens: Int64, tier: ServiceTier, at minute: Minute,
    into span: inout RateSpan
  ) {
    // By index: a copy of each row would count the references to all its texts up and down.
    for index in indices where self[index].unit == unit {
      let validity = self[index].validity
      span.cut(at: validity, keeping: minute)
      guard validity.contains(minute) else { continue }
      self[index].price(promptTokens: promptTokens, tier: tier, at: minute, into: &span)
    }
  }
}
