import FoundationEssentials
import MimoCatalog
import MimoCurses
import MimoEngine
import MimoIngest

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What the user asked for, resolved from flags, environment, file and defaults, and checked.
struct Configuration {
  var sources: [LogSource]
  /// Whether the user named the logs, rather than leaving it to us to find them.
  var namesLogs: Bool
  var catalog: Catalog
  var plan: Plan
  var currency: Currency
  var clock: LocalClock
  var since: Instant?
  var until: Instant?
  var formats: [any RecordDecoder.Type]
  var filters: [UsageFilter]
  var periods: BillingPeriods
  var monitor: HitRateMonitor
  var themeName: String?
  var themeFiles: [CatalogFile]
  var color: CursesScreen.ColorChoice
  var unicode: Bool
  var mouse: Bool
  /// Things the user should know that stop nothing: mistakes in files.
  var notices: [String]
  /// The instant all relative times were resolved at.
  var now: Instant

  /// The minutes asked for; `nil` for all.
  var window: Range<Minute>? {
    if since == nil, until == nil { return nil }
    let first =
      since.map { Minute($0.minute.number + ($0.milliseconds % 60_000 == 0 ? 0 : 1)) }
      ?? .distantPast
    let end =
      until.map { Minute($0.minute.number + ($0.milliseconds % 60_000 == 0 ? 0 : 1)) }
      ?? .distantFuture
    return first..<max(first, end)
  }

  /// The active tariff.
  var tariff: Tariff { Tariff(plan: plan, book: catalog.book, currency: currency) }
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
    let file = try ConfigurationFile.load(typed.config, in: home, &notices)
    let prices = UserFolders.files(home + "/prices", suffix: ".json", &notices)
    let plans = UserFolders.files(home + "/plans", suffix: ".json", &notices)
    catalog = Catalog(
      userPrices: prices, userPlans: plans,
      userClasses: UserFolders.files(home, suffix: "model-classes.json", &notices))
    notices += catalog.problems.map(\.description)
    themeFiles = UserFolders.files(home + "/themes", suffix: ".json", &notices)

    let zone = typed.timeZone ?? file.time_zone
    guard let clock = SystemClock.localClock(named: zone) else {
      throw Misuse(
        description: "unknown time zone '\(zone ?? "")'; use an IANA name such as Asia/Shanghai")
    }
    self.clock = clock

    let currencyName = (typed.currency ?? file.currency ?? "USD").uppercased()
    guard let currency = Currency(rawValue: currencyName) else {
      throw Misuse(description: "unknown currency '\(currencyName)'; use USD or CNY")
    }
    self.currency = currency

    let planID = typed.plan ?? file.plan ?? "as-billed"
    guard let plan = catalog.plan(id: planID) else {
      let near = Nearest.to(planID, among: catalog.plans.map(\.id))
      throw Misuse(
        description: "unknown plan '\(planID)'; did you mean \(near.joined(separator: ", "))?")
    }
    self.plan = plan

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
    if let since, let until, until <= since {
      throw Misuse(description: "--until lies before the beginning of the window")
    }

    formats = Decoders.all
    if let name = typed.format {
      formats = Decoders.all.filter { $0.name == name }
      if formats.isEmpty {
        throw Misuse(
          description:
            "unknown format '\(name)'; known are \(Decoders.all.map { $0.name }.joined(separator: ", "))"
        )
      }
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

    let renewalDay = typed.renewalDay ?? file.renewal_day ?? 1
    guard 1...31 ~= renewalDay else {
      throw Misuse(description: "--renewal-day \(renewalDay): a day from 1 to 31 is expected")
    }
    periods = BillingPeriods(renewalDay: renewalDay)

    monitor = HitRateMonitor()
    let percent = typed.warnBelow ?? file.warn_below ?? 20
    guard 0...95 ~= percent else {
      throw Misuse(description: "--warn-below \(percent): a percentage from 0 to 95 is expected")
    }
    monitor.raiseBelow = Ratio(Int64(percent), 100)!
    monitor.clearAbove = Ratio(Int64(percent + 5), 100)!
    if let text = typed.window ?? file.window {
      guard let span = TimeArgument.span(text), 60_000...86_400_000 ~= span else {
        throw Misuse(description: "--window '\(text)': a span from 1m to 1d is expected")
      }
      monitor.windowMinutes = Int32(span / 60_000)
    }

    themeName = typed.theme ?? file.theme
    let colorName = typed.color ?? file.color ?? "auto"
    guard let color = CursesScreen.ColorChoice(rawValue: colorName) else {
      throw Misuse(description: "--color '\(colorName)': auto, always or never is expected")
    }
    self.color = color
    unicode = !typed.noUnicode && (file.unicode ?? true)
    mouse = !typed.noMouse && (file.mouse ?? true)

    namesLogs = !typed.logs.isEmpty
    sources = typed.logs.isEmpty ? Discovery.sources() : typed.logs.map(LogSource.init(argument:))
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

  private static let fields: Set<String> = [
    "plan", "currency", "time_zone", "renewal_day", "warn_below", "window", "theme", "color",
    "unicode", "mouse",
  ]

  /// Reads the file; a broken one is a notice and counts as empty.
  ///
  /// - Throws: `Misuse` if the user named a file that cannot be read.
  static func load(_ path: String?, in folder: String, _ notices: inout [String]) throws
    -> ConfigurationFile
  {
    let name = path ?? folder + "/config.json"
    guard let bytes = UserFolders.read(name) else {
      if path != nil { throw Misuse(description: "\(name): \(String(cString: strerror(errno)))") }
      if errno != ENOENT && errno != ENOTDIR {
        notices.append("\(name): \(String(cString: strerror(errno)))")
      }
      return ConfigurationFile()
    }
    do {
      let data = Data(bytes)
      let keys = try JSONDecoder().decode([String: AnyField].self, from: data).keys
      for key in keys.sorted() where !fields.contains(key) {
        let near = Nearest.to(key, among: Array(fields)).first ?? ""
        notices.append("\(name): unknown field '\(key)' is ignored; did you mean '\(near)'?")
      }
      return try JSONDecoder().decode(ConfigurationFile.self, from: data)
    } catch DecodingError.typeMismatch(let type, let context) {
      let field = context.codingPath.last?.stringValue ?? "the file"
      notices.append("\(name): '\(field)' must be \(Self.name(of: type)); the defaults are used")
    } catch DecodingError.dataCorrupted(let context) {
      notices.append("\(name): not valid JSON (\(context.debugDescription)); the defaults are used")
    } catch {
      notices.append("\(name): cannot be understood; the defaults are used")
    }
    return ConfigurationFile()
  }

  private static func name(of type: Any.Type) -> String {
    switch type {
    case is String.Type: "a text in quotes"
    case is Int.Type: "a whole number"
    case is Bool.Type: "true or false"
    default: "an object {...}"
    }
  }

  /// Any value: only the names of the fields matter.
  private struct AnyField: Codable {
    init(from decoder: any Decoder) throws {}
    func encode(to encoder: any Encoder) throws {}
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
    (variable("XDG_CONFIG_HOME") ?? home + "/.config") + "/mimo-top"
  }

  /// The home folder.
  static var home: String { variable("HOME") ?? "/" }

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
