/// What a price change means to some usage: the same calls at the lists right before and right after it.
public struct PriceChangeEffect: Sendable {
  /// Which usage was replayed.
  public enum Scope: Hashable, Sendable {
    /// Usage since a change that has happened: what it saved or cost so far.
    case sinceChange
    /// Usage of the window, all from before the change: what it would have saved or cost.
    case beforeChange
    /// Usage of the window under prices that are to come: what they will save or cost.
    case future
  }

  /// Whether a cut is worth to this usage what the list promises.
  public enum Verdict: String, Hashable, Sendable {
    /// The usage costs the same.
    case same
    /// The usage costs more.
    case rise
    /// It costs less, by at least half of the largest cut on the list.
    case saving
    /// It costs less, by at least a tenth of the largest cut on the list.
    case partialSaving = "partial_saving"
    /// It costs hardly less than before: the large cuts are on what it hardly uses.
    case marketing
  }

  /// The largest cut of any rate of the models in the usage.
  public struct Promise: Hashable, Sendable {
    /// Of which class.
    public let billingClass: BillingClass
    /// The part of the rate that was cut, above 0 and at most 1.
    public let cut: Ratio
  }

  /// The change.
  public let change: PriceChange
  /// Which usage.
  public let scope: Scope
  /// The minutes replayed; `nil` for all.
  public let window: Range<Minute>?
  /// The calls, priced twice.
  public let replay: PriceReplay
  /// What the credits used are worth before and after, as shares of the plan's fee;
  /// `nil` for money, and where these do not change: then the credits alone tell.
  public let worth: Worth?
  /// The largest cut; `nil` if no rate was cut, or rates count credits, whose worth changes too.
  public let promise: Promise?

  /// Money that credits stand for.
  public struct Worth: Hashable, Sendable {
    /// At the fee and the credits right before.
    public let before: Amount
    /// At those from then on.
    public let after: Amount
  }

  /// Replays usage at the lists before and after a change.
  ///
  /// Usage since the change is taken if there is any, and else that of the whole window.
  public init(
    of snapshot: UsageSnapshot, tariff: Tariff, change: PriceChange, window: Range<Minute>? = nil,
    clock: LocalClock = .utc, filters: [UsageFilter] = [], now: Instant
  ) {
    self.change = change
    let lists = (
      tariff.withPrices(of: change.first.advanced(by: -1)), tariff.withPrices(of: change.last)
    )
    func replay(_ window: Range<Minute>?) -> PriceReplay {
      PriceReplay(
        of: snapshot, before: lists.0, after: lists.1, window: window, clock: clock,
        filters: filters)
    }
    let isFuture = change.first > now.minute
    let all = window ?? .distantPast ..< .distantFuture
    let since = all.clamped(to: change.first ..< .distantFuture)
    let recent = isFuture ? nil : replay(since)
    if let recent, recent.touched.requests > 0 {
      (scope, self.window, self.replay) = (.sinceChange, since, recent)
    } else {
      (scope, self.window) = (isFuture ? .future : .beforeChange, window)
      self.replay = replay(window)
    }
    let total = self.replay.total
    worth = change.offers.flatMap { Worth(total, $0) }
    promise = tariff.unit == .credits ? nil : Self.promise(change, self.replay.rows)
  }

  /// Money, or what credits are worth, before the change.
  public var before: Amount { worth?.before ?? replay.touched.before }
  /// The same after it.
  public var after: Amount { worth?.after ?? replay.touched.after }

  /// The part by which the usage got cheaper; negative if it got dearer, `nil` if it was free.
  public var reduction: Ratio? { Ratio(wide: (before - after).atto, over: before.atto) }

  /// What to think of the change.
  public var verdict: Verdict {
    if after > before { return .rise }
    guard let reduction, reduction.numerator > 0 else { return .same }
    guard let promise else { return .saving }
    func reaches(_ part: Int64) -> Bool {
      Int128(reduction.numerator) * Int128(promise.cut.denominator) * Int128(part)
        >= Int128(promise.cut.numerator) * Int128(reduction.denominator)
    }
    return reaches(2) ? .saving : reaches(10) ? .partialSaving : .marketing
  }

  private static func promise(_ change: PriceChange, _ rows: [PriceReplay.Row]) -> Promise? {
    var best: Promise?
    for model in change.models {
      guard let old = model.before.entry.rates, let new = model.after.entry.rates,
        rows.contains(where: { $0.model == model.name && $0.provider == model.provider })
      else { continue }
      for billingClass in BillingClass.allCases {
        guard let a = billingClass.rate(in: old), let b = billingClass.rate(in: new), a > b,
          let cut = Ratio(a - b, a), best.map({ $0.cut < cut }) ?? true
        else { continue }
        best = Promise(billingClass: billingClass, cut: cut)
      }
    }
    return best
  }
}

extension PriceChangeEffect.Worth {
  /// `nil` if fee or credits are not known on either side.
  fileprivate init?(_ usage: PriceReplay.Row, _ offers: PriceChange.Offers) {
    func worth(_ credits: Amount, _ offer: PriceChange.Offer) -> Amount? {
      guard let fee = offer.fee, let included = offer.credits, included > .zero else { return nil }
      // Of a fee millionths and of credits whole ones are enough: the product fits 128 bits.
      return credits.scaled(
        by: fee.atto / (Amount.scale / 1_000_000), over: included.atto / (Amount.scale / 1_000_000))
    }
    guard let before = worth(usage.before, offers.before),
      let after = worth(usage.after, offers.after)
    else { return nil }
    (self.before, self.after) = (before, after)
  }
}
