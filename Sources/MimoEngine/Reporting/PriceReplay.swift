/// The same usage priced twice: at one list and at another.
///
/// Sums are exact: those of the classes add up to those of the rows, and these to those of the whole. Calls
/// that either list has no price for are left out and said.
public struct PriceReplay: Sendable {
  /// One class of what is billed.
  public struct Line: Hashable, Sendable {
    /// Which.
    public let billingClass: BillingClass
    /// Tokens, or searches.
    public internal(set) var count: Int64 = 0
    /// What they cost at the first list, in the tariff's unit.
    public internal(set) var before = Amount.zero
    /// What they cost at the second.
    public internal(set) var after = Amount.zero
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
    public var before: Amount { lines.reduce(.zero) { $0 + $1.before } }
    /// The cost at the second.
    public var after: Amount { lines.reduce(.zero) { $0 + $1.after } }
    /// All tokens, without searches.
    public var tokens: Int64 {
      lines.reduce(0) { $1.billingClass == .webSearch ? $0 : $0 + $1.count }
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
    let pricer = Pricer(snapshot, tariff: before)
    // What was made on a subscription costs credits, which no list of prices changes.
    let isInUnit = snapshot.cube.series.indices.map { pricer.unit(ofSeries: $0) == before.unit }
    let sums = pricer.sum(in: window) { series, minute in
      let (isAdmitted, minutes) = selection.admits(series, minute)
      guard isAdmitted, isInUnit[series] else { return Pricer.Placing(place: -1, minutes: minutes) }
      let labels = snapshot.cube.series[series].labels
      let spans = (
        first.span(ofSeries: series, at: minute), second.span(ofSeries: series, at: minute)
      )
      let group = Group(
        seller: Labels(model: labels.model, provider: labels.provider), before: spans.0.rates,
        after: spans.1.rates)
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
    for (group, sum) in zip(groups, sums.rows) where sum.requests > 0 {
      let names = group.names(snapshot)
      // What is billed by its length has no class of tokens to compare.
      if let before = group.before, let after = group.after, before.perAudioHour == nil {
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
        lines[index].before += row.lines[index].before
        lines[index].after += row.lines[index].after
      }
    }
  }

  fileprivate mutating func add(_ sums: Measures, _ before: Rates, _ after: Rates) {
    requests += sums.requests
    isTouched = isTouched || before != after
    for index in lines.indices {
      let billingClass = lines[index].billingClass
      let count = billingClass.count(in: sums)
      guard let old = billingClass.rate(in: before), let new = billingClass.rate(in: after) else {
        unpricedSearches += count
        continue
      }
      lines[index].count += count
      lines[index].before += Amount(femto: Int128(count) * Int128(old))
      lines[index].after += Amount(femto: Int128(count) * Int128(new))
    }
  }
}
