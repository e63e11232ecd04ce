/// When prices may change: at single minutes, and at times of day that come back every day.
///
/// Two minutes that no single minute and no time of day separates have the same rates; so have minutes at the
/// same time of different days, if no single minute lies between them and the same windows begin on these days.
struct PriceEdges {
  /// Hours that do not begin on every day.
  struct DayRule: Hashable {
    var utcOffset: Int32
    var weekdays: UInt8
    var daysOff: HolidayCalendar?
  }

  /// Edges that lie at one minute.
  private(set) var minutes: Set<Minute> = []
  /// Edges of every day, in minutes of the UTC day.
  private(set) var timesOfDay: Set<Int32> = [0]
  /// What decides whether windows begin on a day.
  private(set) var dayRules: Set<DayRule> = []
  private var seen: Set<ModelIndex> = []

  /// Adds a single edge.
  mutating func add(_ minute: Minute) { minutes.insert(minute) }

  /// Adds both ends of a range.
  mutating func add(_ range: Range<Minute>) {
    minutes.insert(range.lowerBound)
    minutes.insert(range.upperBound)
  }

  /// Adds all that decides the rates of a model under a tariff.
  mutating func add(_ model: Tariff.Model, under tariff: Tariff) {
    add(model.index, in: tariff.book)
    for substitute in model.substitutes { add(substitute.index, in: tariff.book) }
    let plan = model.subscription.map { tariff.plan.recognised[$0] } ?? tariff.plan
    for place in [model.onPlan] + model.substitutes.map(\.onPlan) {
      if let place { add(plan.models[place].entries) }
    }
  }

  /// Adds all that decides rates under a tariff, whatever is called.
  mutating func add(_ tariff: Tariff) {
    for (p, provider) in tariff.book.providers.enumerated() {
      for m in provider.models.indices { add(ModelIndex(provider: p, model: m), in: tariff.book) }
    }
    for plan in [tariff.plan] + tariff.plan.recognised {
      for model in plan.models { add(model.entries) }
    }
    add(tariff.plan)
  }

  /// Adds when fees, credits and factors of a plan change.
  mutating func add(_ plan: Plan) {
    for version in plan.versions { add(version.validity) }
    for reset in plan.rules.resets { add(reset) }
    for rule in plan.offPeak {
      add(rule.validity)
      add(rule.window, except: nil)
    }
    for other in plan.recognised { add(other) }
  }

  private mutating func add(_ index: ModelIndex, in book: PriceBook) {
    guard seen.insert(index).inserted else { return }
    let model = book.model(index)
    if let retired = model.retired { add(retired) }
    add(model.entries)
    for route in model.routes {
      add(route.validity)
      if let target = book.model(named: route.billedAs, soldBy: book.provider(of: index).id) {
        add(target, in: book)
      }
    }
  }

  private mutating func add(_ entries: [PriceEntry]) {
    for entry in entries {
      add(entry.validity)
      guard let schedule = entry.schedule else { continue }
      for hours in schedule.hours { add(hours.window, except: schedule.daysOff) }
    }
  }

  private mutating func add(_ window: ClockWindow, except daysOff: HolidayCalendar?) {
    for minute in [0, window.start, window.end] {
      let shifted = minute - window.utcOffset
      timesOfDay.insert(shifted - floorDivide(shifted, 1440) * 1440)
    }
    guard window.weekdays != 0b111_1111 || daysOff != nil else { return }
    dayRules.insert(
      DayRule(utcOffset: window.utcOffset, weekdays: window.weekdays, daysOff: daysOff))
  }
}

extension PriceEdges.DayRule {
  /// Three bits: whether windows begin on the rule's day of `minute`, whether they began the day before, and
  /// whether the days off are known for it.
  func signature(at minute: Minute) -> UInt64 {
    let day = floorDivide(minute.number &+ utcOffset, 1440)
    func begins(_ day: Int32) -> Bool {
      weekdays & (1 << UInt8(CivilDate.weekday(ofDay: day))) != 0
        && daysOff?.days.contains(day) != true
    }
    return (begins(day) ? 1 : 0) | (begins(day - 1) ? 2 : 0)
      | (daysOff?.covers.contains(day) == false ? 4 : 0)
  }
}
