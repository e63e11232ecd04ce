/// Alerts as they are kept: each with the limit it was judged by, without what depends on a plan.
///
/// A monitor sees the last days only. The log goes on from there: what it is told about them replaces what it knew of
/// them, because late logs may change it; what lies before stays.
public struct AlertLog: Equatable, Sendable {
  /// A kept alert.
  public struct Entry: Equatable, Sendable {
    /// The alert; `extraCostPerHour` is `nil`.
    public var alert: HitRateMonitor.Alert
    /// The rate below which it was raised.
    public var limit: Ratio

    /// Creates an entry.
    public init(_ alert: HitRateMonitor.Alert, limit: Ratio) {
      self.alert = alert
      self.alert.extraCostPerHour = nil
      self.limit = limit
    }
  }

  /// The entries, the earliest first; each start once.
  public private(set) var entries: [Entry]

  /// Creates a log from entries in any order.
  public init(_ entries: [Entry] = []) { self.entries = entries.sorted { $0.start < $1.start } }

  /// How many days are judged anew, and how many before them, so that what happened there is known.
  public static let days = (judged: 7, before: 1)

  /// The minutes that a judgement at `now` needs.
  public static func neededMinutes(_ now: Instant) -> Range<Minute> {
    let end = now.minute.advanced(by: 1)
    return end.advanced(by: -(days.judged + days.before) * 1440)..<end
  }

  /// Replaces what is known of the last days.
  ///
  /// - Parameters:
  ///   - verdict: what a monitor says of `neededMinutes(now)`.
  ///   - limit: the rate below which it raises alerts.
  ///   - now: the end of what was judged.
  public mutating func replace(with verdict: HitRateMonitor.Verdict, limit: Ratio, now: Instant) {
    let end = now.minute.advanced(by: 1)
    let since = end.advanced(by: -Self.days.judged * 1440)
    let judged = entries.filter { $0.start >= since && $0.start < end }
    // Where the clock was set back: what seems to lie ahead is not judged.
    let ahead = entries.filter { $0.start >= end }
    entries.removeAll { $0.start >= since }
    for alert in verdict.alerts {
      let reachesJudged = alert.end.map { $0 >= since } ?? true
      if let last = entries.last, last.start < since, last.reaches(alert.start) {
        // The same one: its beginning is known better than what is left of the cells before tells.
        if reachesJudged || last.alert.end == nil { entries[entries.count - 1].goOn(with: alert) }
      } else if reachesJudged {
        entries.append(Entry(alert, limit: limit))
        // The good hour may lie before what is judged by now.
        if alert.goodRate == nil {
          entries[entries.count - 1].alert.goodRate =
            judged.first { $0.start == alert.start }?.alert.goodRate
        }
      }
    }
    // What it was made of was forgotten.
    if let last = entries.last, last.start < since, last.alert.end == nil, verdict.standing == nil {
      entries[entries.count - 1].alert.end = since
    }
    entries += ahead
  }

  /// The last entry that began before a minute.
  public func entry(before minute: Minute) -> Entry? { entries.last { $0.start < minute } }

  /// The last entry, if it stands.
  public var standing: Entry? { entries.last.flatMap { $0.alert.end == nil ? $0 : nil } }
}

extension AlertLog.Entry {
  /// The minute at which it was raised; its name in the log.
  public var start: Minute { alert.start }

  /// Whether it began before a minute, and was not over by then.
  public func reaches(_ minute: Minute) -> Bool {
    start <= minute && alert.end.map { minute < $0 } ?? true
  }

  fileprivate mutating func goOn(with later: HitRateMonitor.Alert) {
    alert.end = later.end
    // At the beginning of what is judged the window is not full, and a rate there none that ever was.
    alert.lowestRate = min(alert.lowestRate, later.window.rate ?? alert.lowestRate)
    alert.window = later.window
    alert.driver = later.driver
  }
}

/// What was told of alerts, so that each is told once when it is raised and once when it is over, whichever process
/// does so.
public struct ToldAlerts: Equatable, Sendable {
  /// What was told of one alert.
  public enum State: Hashable, Sendable {
    /// That it was raised.
    case raised
    /// That it was over, at this minute.
    case over(Minute)
  }

  /// What there is to tell.
  public enum News: Equatable, Sendable {
    /// It was raised.
    case raised(HitRateMonitor.Alert)
    /// It is over.
    case over(HitRateMonitor.Alert)
  }

  /// When somebody first looked: alerts that were over before are no news. `nil` if nobody ever did.
  public var since: Minute?
  /// What was told, by the start of the alert.
  public var states: [Minute: State]

  /// Creates what was told.
  public init(since: Minute? = nil, states: [Minute: State] = [:]) {
    self.since = since
    self.states = states
  }

  /// What of these alerts was not told yet, which counts as told from now on.
  ///
  /// An alert whose beginning late logs moved is the same one. One that late logs bring to light after a later one was
  /// told is no news if it is over.
  ///
  /// - Parameters:
  ///   - alerts: what a monitor found in `AlertLog.neededMinutes(now)`, the earliest first.
  ///   - now: the end of what was judged.
  public mutating func takeNews(_ alerts: [HitRateMonitor.Alert], now: Instant) -> [News] {
    let since = since ?? now.minute
    self.since = since
    endForgotten(alerts, now)
    var news: [News] = []
    let latest = states.keys.max()
    for alert in alerts {
      let known = key(of: alert)
      if known == nil, let end = alert.end, end < since || latest.map({ alert.start < $0 }) ?? false
      {
        continue
      }
      let start = known ?? alert.start
      if states[start] == nil {
        states[start] = .raised
        news.append(.raised(alert))
      }
      if let end = alert.end, states[start] == .raised {
        states[start] = .over(end)
        news.append(.over(alert))
      }
    }
    return news
  }

  /// Nobody heard of the end of what began before the judged time, unless it reaches into it.
  private mutating func endForgotten(_ alerts: [HitRateMonitor.Alert], _ now: Instant) {
    let first = AlertLog.neededMinutes(now).lowerBound
    let leadEnd = first.advanced(by: AlertLog.days.before * 1440)
    let goesOn = alerts.first.map { $0.start < leadEnd } ?? false
    for (start, state) in states where state == .raised && start < first && !goesOn {
      states[start] = .over(first)
    }
  }

  /// The start under which an alert was told.
  private func key(of alert: HitRateMonitor.Alert) -> Minute? {
    if states[alert.start] != nil { return alert.start }
    return states.filter { start, state in
      let isBefore = alert.end.map { start <= $0 } ?? true
      switch state {
      case .raised: return isBefore
      case .over(let end): return isBefore && end > alert.start
      }
    }.keys.max()
  }
}
