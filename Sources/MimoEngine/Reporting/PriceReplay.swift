/// The same usage priced twice: at one list and at another.
///
/// Sums are exact: those of the classes add up to those of the rows, and these to those of the whole. Calls
/// that either list has no price for are left out and said.
public struct PriceReplay: Sendable {
  /// One class of what is billed.
  public struct Line: Hashable, Sendable {
    /// Which.
    public let billingClass: BillingClass
    /// Tokens, searches, or seconds.
    public internal(set) var count: Int64 = 0
    /// Costs in 3600ths of 10⁻¹⁵ units, so that speech by the second is exact too.
    var beforeParts: Int128 = 0
    var afterParts: Int128 = 0

    /// What they cost at the first list, in the tariff's unit.
    public var before: Amount { Amount(femto: beforeParts / 3600) }
    /// What they cost at the second.
    public var after: Amount { Amount(femto: afterParts / 3600) }
  }

  /// Some calls.
  public struct Row: Sendable {
    /// The model as the log names it; `nil` if it does not, or for a sum of several.
    public internal(set) var model: String?
    /// The seller as the log names it; likewise.
    public internal(set) var provider: String?
    /// How many.
    public internal(set) var requests: Int64 = 0
    /// One for each class, in the order of `BillingClass`.
    public internal(set) var lines = BillingClass.allCases.map { Line(billingClass: $0) }
    /// Web searches that either list has no price for; part of no line.
    public internal(set) var unpricedSearches: Int64 = 0
    /// Whether the lists differ for any of the calls.
    public internal(set) var isTouched = false

    /// The cost at the first list.
    public var before: Amount { Amount(femto: lines.reduce(0) { $0 + $1.beforeParts } / 3600) }
    /// The cost at the second.
    public var after: Amount { Amount(femto: lines.reduce(0) { $0 + $1.afterParts } / 3600) }
    /// All tokens, without searches and speech.
    public var tokens: Int64 {
      lines.reduce(0) { $1.billingClass.isTokens ? $0 + $1.count : $0 }
    }

    /// What a million of these tokens cost on average, out of `cost`; `nil` without tokens.
    public func perMillion(_ cost: Amount) -> Amount? {
      tokens > 0 ? cost.scaled(by: 1_000_000, over: Int128(tokens)) : nil
    }
  }

  /// What both tariffs count.
  public let unit: PricingUnit
  /// One row for each model and seller, the largest difference first.
  public let rows: [Row]
  /// Calls without a price at one of the lists, most requests first.
  public let unpriced: [Report.Unpriced]
  /// Calls that cost credits of a subscription where the tariff counts money; in no row.
  public let subscriptionRequests: Int64

  /// The rows the difference between the lists matters to, as one.
  public var touched: Row { Row(sumOf: rows.filter(\.isTouched)) }
  /// The rows that cost the same at both lists, as one.
  public var untouched: Row { Row(sumOf: rows.filter { !$0.isTouched }) }
  /// All rows as one.
  public var total: Row { Row(sumOf: rows) }

  /// Prices usage twice.
  ///
  /// - Precondition: the tariffs count the same unit.
  ///
  /// Cost: one pass over the cells that touch the window.
  public init(
    of snapshot: UsageSnapshot, before: Tariff, after: Tariff, window: Range<Minute>? = nil,
    clock: LocalClock = .utc, filters: [UsageFilter] = []
  ) {
    precondition(before.unit == after.unit, "both lists count the same unit")
    let labeller = Labeller(snapshot, book: before.book, clock: clock)
    let selection = CallSelection(labeller, filters)
    var first = SpanLookup(snapshot, tariff: before)
    var second = SpanLookup(snapshot, tariff: after)
    var groups: [Group] = []
    var places: [Group: Int] = [:]
    let sums = Pricer(snapshot, tariff: before).sum(in: window) { series, minute in
      let (isAdmitted, minutes) = selection.admits(series, minute)
      guard isAdmitted else { return Pricer.Placing(place: -1, minutes: minutes) }
      let labels = snapshot.cube.series[series].labels
      let spans = (
        first.span(ofSeries: series, at: minute), second.span(ofSeries: series, at: minute)
      )
      let group = Group(
        seller: Labels(model: labels.model, provider: labels.provider), before: spans.0.rates,
        after: spans.1.rates, isOnSubscription: first.isOnSubscription(series))
      let place = places[group] ?? groups.count
      if place == groups.count {
        places[group] = place
        groups.append(group)
      }
      return Pricer.Placing(
        place: place,
        minutes: minutes.clamped(to: spans.0.from..<spans.0.until)
          .clamped(to: spans.1.from..<spans.1.until))
    }

    unit = before.unit
    var rows: [Labels: Row] = [:]
    var unpriced: [Labels: Report.Unpriced] = [:]
    var subscriptionRequests: Int64 = 0
    for (group, sum) in zip(groups, sums.rows) where sum.requests > 0 {
      let names = group.names(snapshot)
      if group.isOnSubscription {
        subscriptionRequests += sum.requests
      } else if let before = group.before, let after = group.after {
        var row = rows[group.seller] ?? Row(model: names.model, provider: names.provider)
        row.add(sum, before, after)
        rows[group.seller] = row
      } else {
        var row =
          unpriced[group.seller]
          ?? Report.Unpriced(
            model: names.model, provider: names.provider, requests: 0, tokens: TokenCounts())
        row.requests += sum.requests
        row.tokens += sum.tokens
        unpriced[group.seller] = row
      }
    }
    self.subscriptionRequests = subscriptionRequests
    func text(_ model: String?, _ provider: String?) -> String {
      (model ?? "\u{10FFFF}") + "\n" + (provider ?? "")
    }
    self.rows = rows.values.sorted { a, b in
      let (x, y) = ((a.after - a.before).atto.magnitude, (b.after - b.before).atto.magnitude)
      return x != y ? x > y : text(a.model, a.provider) < text(b.model, b.provider)
    }
    self.unpriced = unpriced.values.sorted {
      $0.requests != $1.requests
        ? $0.requests > $1.requests : text($0.model, $0.provider) < text($1.model, $1.provider)
    }
  }

  /// Calls to one model of one seller that have the same rates at either list.
  private struct Group: Hashable {
    var seller: Labels
    var before: Rates?
    var after: Rates?
    var isOnSubscription: Bool

    func names(_ snapshot: UsageSnapshot) -> (model: String?, provider: String?) {
      func name(_ id: NameID) -> String? { id == .none ? nil : snapshot.names[id] }
      return (name(seller.model), name(seller.provider))
    }
  }
}

extension PriceReplay.Row {
  init(sumOf rows: [PriceReplay.Row]) {
    self.init()
    for row in rows {
      requests += row.requests
      unpricedSearches += row.unpricedSearches
      isTouched = isTouched || row.isTouched
      for index in lines.indices {
        lines[index].count += row.lines[index].count
        lines[index].beforeParts += row.lines[index].beforeParts
        lines[index].afterParts += row.lines[index].afterParts
      }
    }
  }

  fileprivate mutating func add(_ sums: Measures, _ before: Rates, _ after: Rates) {
    requests += sums.requests
    isTouched = isTouched || before != after
    for index in lines.indices {
      let billingClass = lines[index].billingClass
      let count = billingClass.count(in: sums)
      guard let old = billingClass.ratePer3600(in: before),
        let new = billingClass.ratePer3600(in: after)
      else {
        unpricedSearches += count
        continue
      }
      lines[index].count += count
      lines[index].beforeParts += Int128(count) * old
      lines[index].afterParts += Int128(count) * new
    }
  }
}
