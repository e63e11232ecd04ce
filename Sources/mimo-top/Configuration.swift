import FoundationEssentials
import MimoCatalog
import MimoCurses
import MimoEngine
import MimoIngest
import MimoStore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What the user asked for, resolved from flags, environment, file and defaults, and checked.
struct Configuration {
  /// The settings file, whether or not it is there.
  var file: String
  /// The user's own price and plan files.
  var priceFiles: [String]
  /// Where logs are, named by the user or found by us.
  var places: [Discovery.Place]
  /// Whether the user named the logs, rather than leaving it to us to find them.
  var namesLogs: Bool
  /// Whether what is read goes into the ledger, and comes from there.
  var keepsLedger: Bool
  /// Whether named logs are counted on top of the ledger's history.
  var addsHistory: Bool
  var catalog: Catalog
  var plan: Plan
  /// Whether the user named a plan, here or in the settings file.
  var namesPlan: Bool
  var currency: Currency
  /// Yuan for a dollar, if the user wants prices converted.
  var exchange: ExchangeRate?
  /// When every call is priced at the lists of one instant, whenever it was made.
  var pricesAt: Instant?
  var clock: LocalClock
  var since: Instant?
  var until: Instant?
  var formats: LogFormats
  var filters: [UsageFilter]
  var periods: BillingPeriods
  /// What the consoles of vendors said, by plan id.
  var anchors: [String: PlanAnchor]
  /// The plan that was active in the dashboard last.
  var lastPlan: StoreSettings.ActivePlan?
  var monitor: HitRateMonitor
  var themeName: String?
  var themeFiles: [CatalogFile]
  var color: CursesScreen.ColorChoice
  var unicode: Bool
  var mouse: Bool
  /// Things the user should know that stop nothing: mistakes in files.
  var notices: [String]
  /// Reads the ledger beside all this, if that was begun.
  var ahead: LedgerAhead?
  /// The instant all relative times were resolved at.
  var now: Instant

  /// What is followed, in the order of the places.
  var sources: [LogSource] {
    get { places.map(\.source) }
    set { places = newValue.map { Discovery.Place(tool: nil, source: $0) } }
  }

  /// The places in words: those named, else those that are there, or the first of all.
  var placeNames: [String] {
    let names = places.map(\.source.description)
    if namesLogs { return names }
    let present = places.filter(\.isThere).map(\.source.description)
    let shown = Array((present.isEmpty ? names : present).prefix(4))
    return shown
      + ["\(names.count - shown.count) more places of other tools (mimo-top doctor lists them)"]
  }

  /// The minutes asked for; `nil` for all.
  var window: Range<Minute>? {
    if since == nil, until == nil { return nil }
    let first = since?.minute ?? .distantPast
    return first..<max(first, until?.minute ?? .distantFuture)
  }

  /// The active tariff.
  var tariff: Tariff {
    let tariff = Tariff(plan: plan, book: catalog.book, currency: currency, exchange: exchange)
    return pricesAt.map { tariff.withPrices(of: $0.minute) } ?? tariff
  }

  /// An empty ledger for a report, which shows no single call. How a subscription stands depends on each minute.
  var reportLedger: Ledger {
    Ledger(
      promptEdges: catalog.promptEdges,
      grain: plan.isSubscription
        ? .everyMinute : Grain(for: tariff, window: window, clock: clock), keepsRecent: false)
  }

  /// Prices every call at the lists of a date, an instant, a span before now, or `today`.
  ///
  /// - Throws: `Misuse` if it is none of these.
  mutating func fixPrices(_ text: String) throws {
    if text == "today" {
      pricesAt = now
    } else {
      pricesAt = try TimeArgument.instant(text, "--prices-at", clock, now, endOfDay: false)
      // Vendors change prices at midnight of their own zones: at noon here the date is theirs too.
      if CivilDate(text) != nil { pricesAt = pricesAt?.advanced(byMilliseconds: 12 * 3_600_000) }
    }
  }
}

/// A mistake of the user's that nothing can be done about; the message says what to do.
struct Misuse: Error, CustomStringConvertible {
  var description: String
}

extension Configuration {
  /// Resolves what was typed.
  ///
  /// - Throws: `Misuse` with a message that names the option and what it accepts.
  init(_ typed: CommonOptions, now: Instant = SystemClock.now) throws {
    var notices: [String] = []
    let home = UserFolders.configuration
    let filePath = typed.config ?? home + "/config.json"
    self.file = filePath
    let file = try ConfigurationFile.load(filePath, isNamed: typed.config != nil, &notices)
    let prices = UserFolders.files(home + "/prices", suffix: ".json", &notices)
    let plans = UserFolders.files(home + "/plans", suffix: ".json", &notices)
    priceFiles = (prices + plans).map(\.name)
    catalog = Catalog(
      userPrices: prices, userPlans: plans,
      userClasses: UserFolders.files(home, suffix: "model-classes.json", &notices))
    notices += catalog.problems.map(\.description)
    for (id, purchase) in (file.plans ?? [:]).sorted(by: { $0.key < $1.key }) {
      if let mistake = purchase.mistake(of: id, &catalog) {
        notices.append("\(filePath): 'plans', '\(id)': \(mistake)")
      }
    }
    themeFiles = UserFolders.files(home + "/themes", suffix: ".json", &notices)

    /// What was typed, or else the file's value: a wrong one of the file is a notice and changes nothing.
    func setting<Typed, Value>(
      _ option: String, _ typed: Typed?, _ field: String, _ filed: Typed?, or usual: Value,
      _ resolve: (_ name: String, Typed) throws(Misuse) -> Value
    ) throws(Misuse) -> Value {
      if let typed { return try resolve(option, typed) }
      guard let filed else { return usual }
      do throws(Misuse) {
        return try resolve("'\(field)'", filed)
      } catch {
        notices.append("\(filePath): \(error.description) (the default is used)")
        return usual
      }
    }

    guard let machineClock = SystemClock.localClock(named: nil) else {
      throw Misuse(description: "the machine's time zone is not known; name one with --tz")
    }
    clock = try setting(
      "--tz", typed.timeZone, "time_zone", file.time_zone, or: machineClock
    ) { name, zone throws(Misuse) in
      guard let clock = SystemClock.localClock(named: zone) else {
        throw Misuse(
          description:
            "\(name) '\(zone)': unknown time zone; use an IANA name such as Asia/Shanghai")
      }
      return clock
    }
    let clock = clock

    currency = try setting(
      "--currency", typed.currency, "currency", file.currency, or: .usd
    ) { name, text throws(Misuse) in
      guard let currency = Currency(rawValue: text.uppercased()) else {
        throw Misuse(description: "\(name) '\(text)': unknown currency; use USD or CNY")
      }
      return currency
    }

    let catalog = catalog
    plan = try setting("--plan", typed.plan, "plan", file.plan, or: catalog.plan(id: "as-billed")!)
    {
      name, id throws(Misuse) in
      guard let plan = catalog.plan(id: id) else {
        let near = Nearest.to(id, among: catalog.plans.map(\.id)).joined(separator: ", ")
        throw Misuse(description: "\(name) '\(id)': unknown plan; did you mean \(near)?")
      }
      return plan
    }

    namesPlan = typed.plan != nil || file.plan != nil

    exchange = try typed.fx.map { text in
      let rate = text.hasPrefix("CNY=") ? ExactDecimal(text.dropFirst(4)) : nil
      guard let exchange = rate.flatMap(ExchangeRate.init(yuanPerDollar:)) else {
        throw Misuse(
          description: "--fx '\(text)': yuan for a dollar are expected, written CNY=7.10")
      }
      return exchange
    }

    if typed.last != nil, typed.since != nil {
      throw Misuse(description: "--last and --since both say where to begin; give one of them")
    }
    since = try typed.last.map { text in
      guard let span = TimeArgument.span(text) else { throw TimeArgument.misuse("--last", text) }
      return now.advanced(byMilliseconds: -span)
    }
    if let text = typed.since {
      since = try TimeArgument.instant(text, "--since", clock, now, endOfDay: false)
    }
    until = try typed.until.map {
      try TimeArgument.instant($0, "--until", clock, now, endOfDay: true)
    }
    // Usage is counted by the minute: a window that begins or ends inside one takes it whole, and says so.
    since = since?.minute.start
    until = until.map { $0.advanced(byMilliseconds: 59_999).minute.start }
    if let since, let until, until <= since {
      throw Misuse(description: "--until lies before the beginning of the window")
    }

    let map = try setting("--map", typed.map, "map", file.map, or: FieldMap?.none) {
      name, text throws(Misuse) in
      do throws(FieldMap.Mistake) {
        return try FieldMap(text)
      } catch {
        throw Misuse(description: "\(name): \(error)")
      }
    }
    if typed.map != nil, let format = typed.format, format != PlainDecoder.name {
      throw Misuse(description: "--map is for lines of format plain, not '\(format)'")
    }
    formats =
      try typed.format.map { name throws(Misuse) in
        guard let format = LogFormats(named: name) else {
          let known = LogFormats.all.names.joined(separator: ", ")
          throw Misuse(description: "unknown format '\(name)'; known are \(known)")
        }
        return format
      } ?? map.map(LogFormats.init(mapping:)) ?? .all
    // Whoever maps fields on the command line says what the logs are.
    if let map, typed.map != nil || typed.format == PlainDecoder.name {
      formats = LogFormats(only: map)
    }
    filters = try typed.filter.map { text in
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
        String.init)
      guard parts.count == 2, let grouping = Grouping(rawValue: parts[0]), grouping != .total else {
        throw Misuse(
          description:
            "--filter '\(text)': write KEY=VALUE with KEY one of \(Grouping.allCases.dropFirst().map(\.rawValue).joined(separator: ", "))"
        )
      }
      return UsageFilter(grouping, equals: parts[1])
    }

    let renewalDay = try setting(
      "--renewal-day", typed.renewalDay, "renewal_day", file.renewal_day, or: 1
    ) { name, day throws(Misuse) in
      guard 1...31 ~= day else {
        throw Misuse(description: "\(name) \(day): a day from 1 to 31 is expected")
      }
      return day
    }
    periods = BillingPeriods(renewalDay: renewalDay)
    let kept = KeptSettings.load(&notices)
    (anchors, lastPlan) = (kept.anchors, kept.plan)

    monitor = HitRateMonitor()
    let percent = try setting(
      "--warn-below", typed.warnBelow, "warn_below", file.warn_below, or: 20
    ) { name, percent throws(Misuse) in
      guard 0...95 ~= percent else {
        throw Misuse(description: "\(name) \(percent): a percentage from 0 to 95 is expected")
      }
      return percent
    }
    monitor.raiseBelow = Ratio(Int64(percent), 100)!
    monitor.clearAbove = Ratio(Int64(percent + 5), 100)!
    monitor.windowMinutes = try setting(
      "--window", typed.window, "window", file.window, or: monitor.windowMinutes
    ) { name, text throws(Misuse) in
      guard let span = TimeArgument.span(text), 60_000...86_400_000 ~= span else {
        throw Misuse(description: "\(name) '\(text)': a span from 1m to 1d is expected")
      }
      return Int32(span / 60_000)
    }

    themeName = typed.theme ?? file.theme
    color = try setting("--color", typed.color, "color", file.color, or: .auto) {
      name, text throws(Misuse) in
      guard let color = CursesScreen.ColorChoice(rawValue: text) else {
        throw Misuse(description: "\(name) '\(text)': auto, always or never is expected")
      }
      return color
    }
    unicode = !typed.noUnicode && (file.unicode ?? true)
    mouse = !typed.noMouse && (file.mouse ?? true)

    namesLogs = !typed.logs.isEmpty
    // What is read as something else than it is has no place in the ledger.
    keepsLedger =
      !namesLogs && !typed.noLedger && (file.ledger ?? true) && typed.format == nil
      && typed.map == nil
    addsHistory = typed.history && namesLogs
    if addsHistory, typed.noLedger {
      throw Misuse(
        description: "--history shows the ledger, --no-ledger leaves it out; give one of them")
    }
    ahead = LedgerAhead.take()
    if !keepsLedger, !addsHistory { ahead = nil }
    let named = namesLogs ? typed.logs : (file.logs ?? []).map(UserFolders.expanded)
    places =
      (namesLogs ? [] : Discovery.places())
      + named.map { Discovery.Place(tool: nil, source: LogSource(argument: $0)) }
    self.notices = notices
    self.now = now
  }
}

/// The configuration file: every field may be left out.
struct ConfigurationFile: Codable {
  var plan: String?
  var currency: String?
  var time_zone: String?
  var renewal_day: Int?
  var warn_below: Int?
  var window: String?
  var theme: String?
  var color: String?
  var unicode: Bool?
  var mouse: Bool?
  var plans: [String: Purchase]?
  var map: String?
  var logs: [String]?
  var ledger: Bool?

  private static let fields: Set<String> = [
    "plan", "currency", "time_zone", "renewal_day", "warn_below", "window", "theme", "color",
    "unicode", "mouse", "plans", "map", "logs", "ledger",
  ]

  /// How a subscription is bought.
  struct Purchase: Codable {
    var seats: Int64?
    var billing: String?

    /// Notes it in the catalog; returns what is wrong with it, if anything is, and then changes nothing.
    func mistake(of id: String, _ catalog: inout Catalog) -> String? {
      let terms: [Plan.Term] = [.month, .year]
      guard let plan = catalog.plan(id: id), plan.isSubscription else {
        let near = Nearest.to(id, among: catalog.plans.filter(\.isSubscription).map(\.id))
        return "no subscription has this id; did you mean \(near.joined(separator: ", "))?"
      }
      guard let term = billing.map({ name in terms.first { $0.billing == name } }) ?? .month else {
        return "billing '\(billing ?? "")': monthly or annual is expected (monthly is used)"
      }
      let seats = seats ?? 1
      guard 1...1_000_000 ~= seats else {
        return "seats \(seats): a number from 1 to 1000000 is expected (1 is used)"
      }
      guard catalog.buy(id, term: term, seats: seats) else {
        return "it has no \(term.billing) billing (\(plan.term.billing) is used)"
      }
      return nil
    }
  }

  /// Reads the file; a broken one is a notice and counts as empty.
  ///
  /// - Throws: `Misuse` if the user named a file that cannot be read.
  static func load(_ path: String, isNamed: Bool, _ notices: inout [String]) throws(Misuse)
    -> ConfigurationFile
  {
    guard let bytes = UserFolders.read(path) else {
      let message = "\(path): \(String(cString: strerror(errno)))"
      if isNamed { throw Misuse(description: message) }
      if errno != ENOENT && errno != ENOTDIR { notices.append(message) }
      return ConfigurationFile()
    }
    if let mistake = JSONNotation.mistake(in: bytes) {
      notices.append(
        "\(path):\(mistake.line): expected \(mistake.expected) (the defaults are used)")
      return ConfigurationFile()
    }
    do {
      let data = Data(bytes)
      let keys = try JSONDecoder().decode([String: AnyField].self, from: data).keys
      for key in keys.sorted() where !fields.contains(key) {
        let near = Nearest.to(key, among: Array(fields)).first ?? ""
        notices.append("\(path): unknown field '\(key)' is ignored; did you mean '\(near)'?")
      }
      return try JSONDecoder().decode(ConfigurationFile.self, from: data)
    } catch DecodingError.typeMismatch(let type, let context) {
      let field = context.codingPath.last.map { "'\($0.stringValue)'" } ?? "the file"
      notices.append(
        "\(path): \(field): expected \(Self.name(of: type)) (the defaults are used)")
    } catch DecodingError.dataCorrupted {
      // The notation is right, so a number is not whole; the decoder does not say which.
      let numbers = try? JSONDecoder().decode([String: AnyField].self, from: Data(bytes))
      let wrong = numbers?.filter { $0.value.isFraction }.keys.sorted() ?? []
      let field = wrong.first.map { "'\($0)'" } ?? "the file"
      notices.append("\(path): \(field): expected a whole number (the defaults are used)")
    } catch {
      notices.append("\(path): cannot be understood (the defaults are used)")
    }
    return ConfigurationFile()
  }

  private static func name(of type: Any.Type) -> String {
    switch type {
    case is String.Type: "a text in quotes"
    case is Int.Type: "a whole number"
    case is Bool.Type: "true or false"
    case is [String].Type, is [Any].Type: "a list [...] of texts in quotes"
    default: "an object {...}"
    }
  }

  /// Any value: what matters is the names of the fields.
  private struct AnyField: Decodable {
    var isFraction = false

    init(from decoder: any Decoder) throws {
      let number = try? decoder.singleValueContainer().decode(Double.self)
      isFraction = number.map { $0 != $0.rounded() } ?? false
    }
  }
}

/// Times and spans as typed.
enum TimeArgument {
  /// Milliseconds of `30s`, `15m`, `24h`, `7d`, `4w`.
  static func span(_ text: String) -> Int64? {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
    guard let unit = text.last.flatMap({ units[$0] }), let number = Int64(text.dropLast()),
      number > 0, number < 100_000
    else { return nil }
    return number * unit * 1000
  }

  /// A date in the zone of `clock`, a time with offset, or a span back from `now`.
  static func instant(
    _ text: String, _ option: String, _ clock: LocalClock, _ now: Instant, endOfDay: Bool
  ) throws -> Instant {
    if let date = CivilDate(text) {
      return clock.start(ofDay: date.dayNumber + (endOfDay ? 1 : 0)).start
    }
    if let span = span(text) { return now.advanced(byMilliseconds: -span) }
    var copy = text
    if let instant = copy.withUTF8({ LogTime.parse(iso: UnsafeRawBufferPointer($0)) }) {
      return instant
    }
    throw misuse(option, text)
  }

  static func misuse(_ option: String, _ text: String) -> Misuse {
    Misuse(
      description:
        "\(option) '\(text)': a date (2026-10-01), a time (2026-10-01T08:00:00+08:00) or a span (7d) is expected"
    )
  }
}

/// The user's own folders.
enum UserFolders {
  /// `$XDG_CONFIG_HOME/mimo-top`, usually `~/.config/mimo-top`.
  static var configuration: String {
    (absolute("XDG_CONFIG_HOME") ?? home + "/.config") + "/mimo-top"
  }

  /// `$XDG_STATE_HOME/mimo-top`, usually `~/.local/state/mimo-top`; empty if there is no home.
  static var state: String {
    let parent = absolute("XDG_STATE_HOME") ?? absolute("HOME").map { $0 + "/.local/state" }
    return parent.map { $0 + "/mimo-top" } ?? ""
  }

  /// The home folder.
  static var home: String { variable("HOME") ?? "/" }

  /// A path of a settings file, where `~/` stands for the home folder.
  static func expanded(_ path: String) -> String {
    path.hasPrefix("~/") ? home + path.dropFirst() : path
  }

  /// A folder of the environment. One that is not absolute is to be ignored.
  ///
  /// Source: XDG Base Directory Specification 0.8, "Environment variables".
  private static func absolute(_ name: String) -> String? {
    variable(name).flatMap { $0.hasPrefix("/") ? $0 : nil }
  }

  /// An environment variable that is set and not empty.
  static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The files of a folder whose names end so, sorted by name; none if there is no such folder.
  static func files(_ folder: String, suffix: String, _ notices: inout [String]) -> [CatalogFile] {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      return []
    }
    return names.filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".") }.sorted().compactMap { name in
      let path = folder + "/" + name
      guard let bytes = read(path) else {
        notices.append("\(path): \(String(cString: strerror(errno)))")
        return nil
      }
      return CatalogFile(name: path, bytes: bytes)
    }
  }

  /// A whole file; `nil` with `errno` set if it cannot be read.
  /// The first bytes of a file, at most so many; `nil` if it cannot be read.
  static func head(of path: String, bytes count: Int) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: count)
    let read = fread(&bytes, 1, count, file)
    return ferror(file) == 0 ? Array(bytes[..<read]) : nil
  }

  /// All bytes of a file; `nil`, with the reason in `errno`, if it cannot be read.
  static func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { return ferror(file) == 0 ? bytes : nil }
      bytes += buffer[..<count]
    }
  }
}

/// Spelling help.
enum Nearest {
  /// The up to three candidates most like `text`: first by the words they share, then by spelling.
  static func to(_ text: String, among candidates: [String]) -> [String] {
    let words = Set(text.lowercased().split(separator: "-"))
    let scored = candidates.map { candidate in
      let shared = candidate.lowercased().split(separator: "-").filter(words.contains).count
      return (score: (-shared, distance(text, candidate), candidate), candidate: candidate)
    }
    return scored.sorted { $0.score < $1.score }.prefix(3).map(\.candidate)
  }

  /// Edits (insert, delete, replace) that turn one text into the other.
  private static func distance(_ a: String, _ b: String) -> Int {
    let a = Array(a.lowercased().utf8)
    let b = Array(b.lowercased().utf8)
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (x == y ? 0 : 1))
        diagonal = row[j + 1]
        row[j + 1] = next
      }
    }
    return row[b.count]
  }
}
