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
    public let before: Plan.Offer
    /// From then on.
    public let after: Plan.Offer
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
    var days: [CivilDate: [Minute]] = [:]
    var models: [(name: String, provider: String?, model: Tariff.Model)] = []
    for (name, provider) in sellers(in: snapshot, tariff, window, clock, filters) {
      guard let model = tariff.model(named: name, provider: provider) else { continue }
      models.append((name, provider, model))
      for edge in tariff.edges(of: model) { days[date(of: edge), default: []].append(edge) }
    }
    if !models.isEmpty {
      for version in tariff.plan.versions {
        for edge in [version.validity.lowerBound, version.validity.upperBound]
        where edge > .distantPast && edge < .distantFuture {
          days[date(of: edge), default: []].append(edge)
        }
      }
    }
    return days.compactMap { date, edges -> PriceChange? in
      let (first, last) = (edges.min()!, edges.max()!)
      let before = first.advanced(by: -1)
      let changed = models.compactMap { name, provider, model -> Model? in
        guard let old = tariff.terms(of: model, at: before),
          let new = tariff.terms(of: model, at: last), !old.chargesLike(new)
        else { return nil }
        return Model(name: name, provider: provider, before: old, after: new)
      }
      let offers = offers(tariff.plan, before, last)
      guard !changed.isEmpty || offers != nil else { return nil }
      return PriceChange(date: date, first: first, last: last, models: changed, offers: offers)
    }.sorted { $0.date < $1.date }
  }

  private static func offers(_ plan: Plan, _ before: Minute, _ after: Minute) -> Offers? {
    guard let old = plan.version(at: before.start)?.offers[.month],
      let new = plan.version(at: after.start)?.offers[.month], old != new
    else { return nil }
    return Offers(before: old, after: new)
  }

  /// Models and sellers of the usage, by name.
  private static func sellers(
    in snapshot: UsageSnapshot, _ tariff: Tariff, _ window: Range<Minute>?, _ clock: LocalClock,
    _ filters: [UsageFilter]
  ) -> [(name: String, provider: String?)] {
    let labeller = Labeller(snapshot, book: tariff.book, clock: clock)
    let selection = CallSelection(labeller, filters)
    var places: [Labels: Int] = [:]
    let sums = Pricer(snapshot, tariff: tariff).sum(in: window) { series, minute in
      let (isAdmitted, minutes) = selection.admits(series, minute)
      guard isAdmitted else { return Pricer.Placing(place: -1, minutes: minutes) }
      let labels = snapshot.cube.series[series].labels
      let seller = Labels(model: labels.model, provider: labels.provider)
      let place = places[seller] ?? places.count
      places[seller] = place
      return Pricer.Placing(place: place, minutes: minutes)
    }
    return places.filter { $0.value < sums.rows.count && sums.rows[$0.value].requests > 0 }.keys
      .filter { $0.model != .none }
      .map {
        (snapshot.names[$0.model], $0.provider == .none ? nil : snapshot.names[$0.provider])
      }
      .sorted { ($0.0, $0.1 ?? "") < ($1.0, $1.1 ?? "") }
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
