/// Prices that change on one day, of models that some usage is of.
public struct PriceChange: Hashable, Sendable {
  /// One model's prices.
  public struct Model: Hashable, Sendable {
    /// The name in the log.
    public let name: String
    /// The seller as the log names it; `nil` if it does not.
    public let provider: String?
    /// What the list said right before.
    public let before: PriceTerms
    /// What it says from then on.
    public let after: PriceTerms
    /// Whether it is the price of another vendor's model, which stands for this one.
    public let isSubstituted: Bool
  }

  /// The day, by the clock of China: price lists change at midnight there or in zones west of it, and so
  /// this is the date the vendor states, wherever the reader is.
  public let date: CivilDate
  /// The first minute at which a price changes.
  public let first: Minute
  /// The last one, of the same day.
  public let last: Minute
  /// Models whose price changes, by name.
  public let models: [Model]
  /// Fee and credits of the plan right before and from then on, if these change.
  public let offers: Offers?

  /// What one month of a plan costs and holds, before and after.
  public struct Offers: Hashable, Sendable {
    /// Right before.
    public let before: Offer
    /// From then on.
    public let after: Offer
  }

  /// What one month of a plan costs and holds, all seats together.
  public struct Offer: Hashable, Sendable {
    /// In the tariff's currency; `nil` if it is not known.
    public let fee: Amount?
    /// `nil` if the plan has none.
    public let credits: Amount?
  }

  private static let minutesAheadInChina: Int32 = 480

  /// The day a minute belongs to by the clock that changes are dated by.
  public static func date(of minute: Minute) -> CivilDate {
    CivilDate(dayNumber: floorDivide(minute.number + minutesAheadInChina, 1440))
  }

  /// The changes known to a tariff that touch the models of some usage, future ones included, by date.
  ///
  /// A first or a last price is no change: there is nothing to compare it with.
  public static func all(
    of snapshot: UsageSnapshot, tariff: Tariff, window: Range<Minute>? = nil,
    clock: LocalClock = .utc, filters: [UsageFilter] = []
  ) -> [PriceChange] {
    var edges = PriceEdges()
    let models = models(in: snapshot, tariff, window, clock, filters)
    if !models.isEmpty { edges.add(tariff.plan) }
    for model in models { edges.add(model.model, under: tariff) }
    let days = Dictionary(
      grouping: edges.minutes.filter { $0 > .distantPast && $0 < .distantFuture }, by: date(of:))
    return days.compactMap { date, edges -> PriceChange? in
      let (first, last) = (edges.min()!, edges.max()!)
      let before = first.advanced(by: -1)
      let changed = models.compactMap { model -> Model? in
        guard let old = tariff.terms(of: model.model, at: before),
          let new = tariff.terms(of: model.model, at: last), !old.chargesLike(new)
        else { return nil }
        return Model(
          name: model.name, provider: model.provider, before: old, after: new,
          isSubstituted: model.model.isSubstituted)
      }
      let offers = offers(tariff, before, last)
      guard !changed.isEmpty || offers != nil else { return nil }
      return PriceChange(date: date, first: first, last: last, models: changed, offers: offers)
    }.sorted { $0.date < $1.date }
  }

  private static func offers(_ tariff: Tariff, _ before: Minute, _ after: Minute) -> Offers? {
    func offer(_ minute: Minute) -> Offer? {
      guard tariff.plan.version(at: minute.start) != nil else { return nil }
      return Offer(
        fee: tariff.plan.fee(at: minute.start, in: tariff.currency),
        credits: tariff.plan.credits(at: minute.start))
    }
    guard let old = offer(before), let new = offer(after), old != new else { return nil }
    return Offers(before: old, after: new)
  }

  /// A model that some usage is of, under the name in the log.
  private struct UsedModel {
    var name: String
    var provider: String?
    var model: Tariff.Model
  }

  /// The models of the usage, by name.
  private static func models(
    in snapshot: UsageSnapshot, _ tariff: Tariff, _ window: Range<Minute>?, _ clock: LocalClock,
    _ filters: [UsageFilter]
  ) -> [UsedModel] {
    let labeller = Labeller(snapshot, book: tariff.book, clock: clock)
    let selection = CallSelection(labeller, filters)
    var sellers: [Labels] = []
    var places: [Labels: Int] = [:]
    let sums = Pricer(snapshot, tariff: tariff).sum(in: window) { series, minute in
      let (isAdmitted, minutes) = selection.admits(series, minute)
      guard isAdmitted else { return Pricer.Placing(place: -1, minutes: minutes) }
      let labels = snapshot.cube.series[series].labels
      let seller = Labels(model: labels.model, provider: labels.provider, key: labels.key)
      let place = places[seller] ?? sellers.count
      if place == sellers.count {
        places[seller] = place
        sellers.append(seller)
      }
      return Pricer.Placing(place: place, minutes: minutes)
    }
    func name(_ id: NameID) -> String? { id == .none ? nil : snapshot.names[id] }
    // Calls with several keys may be of the same model.
    var models: [[String?]: UsedModel] = [:]
    for (seller, sum) in zip(sellers, sums.rows) where sum.requests > 0 {
      guard let model = name(seller.model) else { continue }
      let provider = name(seller.provider)
      guard
        let sold = tariff.model(named: model, provider: provider, key: name(seller.key)),
        !sold.isOnSubscription
      else { continue }
      models[[model, provider]] = UsedModel(name: model, provider: provider, model: sold)
    }
    return models.values.sorted { ($0.name, $0.provider ?? "") < ($1.name, $1.provider ?? "") }
  }
}

extension [PriceChange] {
  /// The change of a date as people write it: by the vendor's clock, else by the clock in use or in UTC.
  public func first(on date: CivilDate, clock: LocalClock) -> PriceChange? {
    first { $0.date == date }
      ?? first {
        [clock.day(of: $0.first), $0.first.day].contains(date.dayNumber)
      }
  }

  /// Up to `count` changes nearest to a date, by date.
  public func nearest(_ count: Int, to date: CivilDate) -> [PriceChange] {
    sorted {
      abs($0.date.dayNumber - date.dayNumber) < abs($1.date.dayNumber - date.dayNumber)
    }.prefix(count).sorted { $0.date < $1.date }
  }

  /// The one to look at first: the latest that has happened, or else the next.
  public func mostRecent(_ now: Instant) -> PriceChange? {
    last { $0.first <= now.minute } ?? first
  }
}
