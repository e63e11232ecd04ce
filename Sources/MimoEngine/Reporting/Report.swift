/// What rows of a report stand for.
public enum Grouping: String, Hashable, Sendable, CaseIterable {
  /// One row.
  case total
  /// By the name of the model in the log.
  case model
  /// By who sells the model.
  case provider
  /// By project.
  case project
  /// By session.
  case session
  /// By the tool or format of the log.
  case source
  /// By key or user.
  case key
  /// By local hour.
  case hour
  /// By local day.
  case day
  /// By ISO week of local days.
  case week
  /// By local calendar month.
  case month
}

/// A condition that calls must meet to be counted in a report.
public struct UsageFilter: Hashable, Sendable {
  /// Which property.
  public var grouping: Grouping
  /// Its value, written as in the rows of a report by that property.
  public var value: String

  /// Creates a condition.
  public init(_ grouping: Grouping, equals value: String) {
    self.grouping = grouping
    self.value = value
  }
}

/// Usage in a window of time, grouped and priced under one plan: a pure function of its inputs.
public struct Report: Sendable {
  /// One line of the report.
  public struct Row: Hashable, Sendable {
    /// What the row stands for; `nil` if the log does not say.
    public var key: String?
    /// The sums.
    public var measures: Measures
    /// The last minute with usage.
    public var lastMinute: Minute

    /// By key; an unstated one comes last.
    static func comesBefore(_ a: Row, _ b: Row) -> Bool {
      (a.key == nil ? 1 : 0, a.key ?? "") < (b.key == nil ? 1 : 0, b.key ?? "")
    }
  }

  /// Calls the plan has no price for, by model.
  public struct Unpriced: Hashable, Sendable {
    /// The model as the log names it; `nil` if it does not.
    public var model: String?
    /// The seller as the log names it; `nil` if it does not.
    public var provider: String?
    /// How many calls.
    public var requests: Int64
    /// Their tokens.
    public var tokens: TokenCounts

    /// Most requests first.
    static func comesBefore(_ a: Unpriced, _ b: Unpriced) -> Bool {
      (-a.requests, a.model ?? "", a.provider ?? "") < (
        -b.requests, b.model ?? "", b.provider ?? ""
      )
    }
  }

  /// The sums over all rows.
  public var totals: Measures
  /// The rows, ordered by key; an unstated key comes last.
  public var rows: [Row]
  /// What could not be priced, most requests first.
  public var unpriced: [Unpriced]
  /// First and last minute with usage in the window.
  public var span: ClosedRange<Minute>?
  /// The oldest day on which a price that calls in the window were billed by was checked; `nil` if not known.
  public var pricesChecked: CivilDate?

  /// Counts and prices the usage of a snapshot.
  ///
  /// - Parameters:
  ///   - window: only minutes in it count; `nil` takes all.
  ///   - clock: the time zone of hours, days, weeks and months.
  ///   - filters: all must hold.
  ///
  /// Cost: linear in the cells that touch the window.
  public init(
    of snapshot: UsageSnapshot, tariff: Tariff, window: Range<Minute>? = nil,
    by grouping: Grouping = .total,
    clock: LocalClock = .utc, filters: [UsageFilter] = []
  ) {
    let labeller = Labeller(snapshot, book: tariff.book, clock: clock)
    let places = labeller.isTimed(grouping) ? nil : labeller.places(grouping)
    let selection = CallSelection(labeller, filters)
    var periods: [Minute] = []
    var placeOfPeriod: [Minute: Int] = [:]

    let sums = Pricer(snapshot, tariff: tariff).sum(
      in: window, series: selection.likeness(places?.ofSeries)
    ) { series, minute in
      let (isAdmitted, minutes) = selection.admits(series, minute)
      guard isAdmitted else { return Pricer.Placing(place: -1, minutes: minutes) }
      if let places { return Pricer.Placing(place: places.ofSeries[series], minutes: minutes) }
      let period = labeller.period(grouping, around: minute)
      if placeOfPeriod[period.lowerBound] == nil {
        placeOfPeriod[period.lowerBound] = periods.count
        periods.append(period.lowerBound)
      }
      return Pricer.Placing(
        place: placeOfPeriod[period.lowerBound]!, minutes: minutes.clamped(to: period))
    }

    totals = Measures()
    for sum in sums.rows { totals += sum }
    rows = sums.rows.indices.filter { !sums.rows[$0].isEmpty }.map { index in
      let key = places.map { $0.keys[index] } ?? .minute(periods[index])
      return Row(
        key: labeller.text(key, grouping), measures: sums.rows[index],
        lastMinute: sums.lastMinutes[index])
    }.sorted(by: Row.comesBefore)
    span = sums.first <= sums.last ? sums.first...sums.last : nil
    pricesChecked = sums.oldestCheck == .max ? nil : CivilDate(dayNumber: sums.oldestCheck)
    unpriced = Self.byModel(sums.unpriced, snapshot)
  }

  private static func byModel(
    _ series: [Int: (requests: Int64, tokens: TokenCounts)], _ snapshot: UsageSnapshot
  ) -> [Unpriced] {
    var rows: [Labels: Unpriced] = [:]
    for (index, entry) in series {
      let labels = snapshot.cube.series[index].labels
      let key = Labels(model: labels.model, provider: labels.provider)
      var row =
        rows[key]
        ?? Unpriced(
          model: labels.model == .none ? nil : snapshot.names[labels.model],
          provider: labels.provider == .none ? nil : snapshot.names[labels.provider], requests: 0,
          tokens: TokenCounts())
      row.requests += entry.requests
      row.tokens += entry.tokens
      rows[key] = row
    }
    return rows.values.sorted(by: Unpriced.comesBefore)
  }
}

/// The calls that meet all of some conditions.
struct CallSelection {
  private let labeller: Labeller
  private let admitted: [Bool]
  private let timeFilters: [UsageFilter]

  init(_ labeller: Labeller, _ filters: [UsageFilter]) {
    self.labeller = labeller
    admitted = labeller.seriesAdmitted(by: filters)
    timeFilters = filters.filter { labeller.isTimed($0.grouping) }
  }

  /// Which series are placed alike: those of the same row, as far as they are admitted at all.
  ///
  /// - Parameter rows: the row of each series; `nil` if only the minute decides.
  func likeness(_ rows: [Int]?) -> Pricer.Likeness {
    if admitted.isEmpty { return rows.map { .numbered($0) } ?? .alike }
    return .numbered(admitted.indices.map { admitted[$0] ? rows?[$0] ?? 0 : -1 })
  }

  /// Whether a cell counts, and the minutes around it for which that is the answer for its series.
  func admits(_ series: Int, _ minute: Minute) -> (isAdmitted: Bool, minutes: Range<Minute>) {
    var minutes = Minute.distantPast..<Minute.distantFuture
    guard admitted.isEmpty || admitted[series] else { return (false, minutes) }
    for filter in timeFilters {
      minutes = minutes.clamped(to: labeller.period(filter.grouping, around: minute))
      if labeller.text(filter.grouping, at: minute) != filter.value { return (false, minutes) }
    }
    return (true, minutes)
  }
}

/// Turns series and minutes into the keys of rows.
struct Labeller {
  enum Key: Hashable {
    case name(NameID)
    case text(String)
    case minute(Minute)
    case all
  }

  /// Which row each series belongs to.
  struct Places {
    var ofSeries: [Int]
    var keys: [Key]
    static let empty = Places(ofSeries: [], keys: [])
  }

  private let snapshot: UsageSnapshot
  private let book: PriceBook
  private let clock: LocalClock

  init(_ snapshot: UsageSnapshot, book: PriceBook, clock: LocalClock) {
    self.snapshot = snapshot
    self.book = book
    self.clock = clock
  }

  func isTimed(_ grouping: Grouping) -> Bool {
    switch grouping {
    case .hour, .day, .week, .month: true
    default: false
    }
  }

  func places(_ grouping: Grouping) -> Places {
    var places = Places.empty
    var known: [Key: Int] = [:]
    // Of tens of thousands of addresses most differ in what is not asked for.
    var knownNames: [UInt64: Int] = [:]
    places.ofSeries.reserveCapacity(snapshot.cube.series.count)
    for series in snapshot.cube.series {
      let names = Self.names(of: series.labels, deciding: grouping)
      var place = knownNames[names]
      if place == nil {
        let key = key(grouping, of: series.labels)
        place = known[key] ?? places.keys.count
        if place == places.keys.count {
          known[key] = place
          places.keys.append(key)
        }
        knownNames[names] = place
      }
      places.ofSeries.append(place!)
    }
    return places
  }

  /// The positions of the names that decide the row, as one number.
  private static func names(of labels: Labels, deciding grouping: Grouping) -> UInt64 {
    switch grouping {
    case .model: UInt64(labels.model.index)
    case .project: UInt64(labels.project.index)
    case .session: UInt64(labels.session.index)
    case .source: UInt64(labels.source.index)
    case .key: UInt64(labels.key.index)
    case .provider: UInt64(labels.provider.index) << 32 | UInt64(labels.model.index)
    default: 0
    }
  }

  /// For each series whether the filters on labels admit it; empty if there is no such filter.
  func seriesAdmitted(by filters: [UsageFilter]) -> [Bool] {
    let filters = filters.filter { !isTimed($0.grouping) }
    if filters.isEmpty { return [] }
    return snapshot.cube.series.map { series in
      filters.allSatisfy {
        (text(key($0.grouping, of: series.labels), $0.grouping) ?? "") == $0.value
      }
    }
  }

  private func key(_ grouping: Grouping, of labels: Labels) -> Key {
    switch grouping {
    case .model: .name(labels.model)
    case .project: .name(labels.project)
    case .session: .name(labels.session)
    case .source: .name(labels.source)
    case .key: .name(labels.key)
    case .provider: provider(of: labels)
    default: .all
    }
  }

  /// The seller: by the book if it knows the name or the model, else as the log says.
  private func provider(of labels: Labels) -> Key {
    let stated = snapshot.names[labels.provider]
    if !stated.isEmpty {
      return book.provider(named: stated).map { .text(book.providers[$0].id) }
        ?? .name(labels.provider)
    }
    if let model = book.model(named: snapshot.names[labels.model]) {
      return .text(book.provider(of: model).id)
    }
    return .name(.none)
  }

  func text(_ key: Key, _ grouping: Grouping) -> String? {
    switch key {
    case .name(let id): id == .none ? nil : snapshot.names[id]
    case .text(let text): text
    case .minute(let minute): text(grouping, at: minute)
    case .all: "total"
    }
  }

  /// The hour, day, week or month around a minute, in local time.
  func period(_ grouping: Grouping, around minute: Minute) -> Range<Minute> {
    let day = clock.day(of: minute)
    switch grouping {
    case .hour:
      let (stretch, offset) = clock.stretch(around: minute)
      let start = floorDivide(minute.number + offset, 60) * 60 - offset
      // Where clocks change by half an hour, the rest of an hour is a row of its own.
      return max(Minute(start), stretch.lowerBound)..<min(Minute(start + 60), stretch.upperBound)
    case .week:
      let monday = day - Int32(CivilDate.weekday(ofDay: day))
      return clock.start(ofDay: monday)..<clock.start(ofDay: monday + 7)
    case .month: return clock.month(minute.start)
    default: return clock.start(ofDay: day)..<clock.start(ofDay: day + 1)
    }
  }

  func text(_ grouping: Grouping, at minute: Minute) -> String {
    let day = clock.day(of: minute)
    let date = CivilDate(dayNumber: day)
    switch grouping {
    case .hour:
      let text = clock.text(period(.hour, around: minute).lowerBound.start)
      return "\(text.prefix(16))\(text.dropFirst(19))"
    case .week:
      // The ISO week belongs to the year that holds its Thursday.
      let thursday = CivilDate(dayNumber: day - Int32(CivilDate.weekday(ofDay: day)) + 3)
      let newYear = CivilDate(year: thursday.year, month: 1, day: 1)!
      return "\(thursday.year)-W\(two(Int64(thursday.dayNumber - newYear.dayNumber) / 7 + 1))"
    case .month: return String(date.text.prefix(7))
    default: return date.text
    }
  }
}
