import ArgumentParser
import MimoDashboard
import MimoEngine
import MimoIngest
import MimoScreen
import MimoStore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// `mimo-top watch`: the ledger and the alerts, kept without a screen.
struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Keep the ledger and the alerts without a screen, for systemd, launchd or cron.",
    discussion: """
      Follows the logs of the known tools and those of the settings file until it is ended, and stores what they \
      say at least once a second. Alerts of the cache hit rate are printed as they come and go, each once, also \
      after a restart. While another \
      process keeps the ledger it waits, and takes over when that ends. With --once it reads what is new, stores \
      it, tells what was not told yet, and leaves: a job for cron.
      """)

  @OptionGroup var common: CommonOptions

  @Flag(help: "Store what is new and leave.")
  var once = false

  @Option(
    help: ArgumentHelp(
      "Print what the system needs to run it for this user, and leave: a systemd unit or a launchd plist.",
      valueName: "systemd|launchd"))
  var unit: ServiceUnit?

  func run() throws {
    if let unit {
      return StandardStreams.print(
        unit.text(program: ServiceUnit.program, environment: ServiceUnit.environment))
    }
    guard common.logs.isEmpty else {
      throw Misuse(
        description:
          "watch follows the known tools' logs; name others under 'logs' in the settings file, so that they are always followed"
      )
    }
    let configuration = try Configuration(common)
    guard configuration.keepsLedger else {
      throw Misuse(
        description:
          "watch keeps the ledger: --no-ledger, --format, --map and 'ledger': false forbid that")
    }
    for notice in configuration.notices { StandardStreams.complain(notice) }
    if once { return try readOnce(configuration) }
    try follow(configuration)
  }

  private func readOnce(_ configuration: Configuration) throws {
    let scan: LedgerScan
    do throws(StoreError) {
      scan = try LedgerScan(configuration, history: .kept(AlertTeller.minutes(configuration.now)))
    } catch {
      throw Failure(description: error.description)
    }
    for notice in scan.notices { StandardStreams.complain(notice) }
    var teller = AlertTeller(configuration)
    teller.tell(scan.snapshot, patience: 10_000, isLast: true)
    if scan.hasTrouble { throw ExitCode(1) }
  }

  private func follow(_ configuration: Configuration) throws {
    let signals = try EndSignals()
    let feed = try LocalFeed(configuration, showing: AlertTeller.minutes(configuration.now))
    var teller = AlertTeller(configuration)
    var told: Set<String> = []
    while true {
      feed.request()
      var descriptors = [
        pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: feed.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      // An alert ends when nothing happens any more.
      poll(&descriptors, 2, teller.looksAgain ? 10_000 : -1)
      if descriptors[0].revents != 0 { break }
      if let news = feed.take() {
        for text in news.ingest.notices + news.ingest.errors where told.insert(text).inserted {
          StandardStreams.complain(text)
        }
        told.formIntersection(news.ingest.notices + news.ingest.errors)
        if news.isCaughtUp { teller.tell(news.snapshot) }
        feed.show(AlertTeller.minutes(SystemClock.now))
        // Alerts are of minutes: there is no need to look more than once a second.
        var pause = [pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0)]
        if poll(&pause, 1, 1000) > 0 { break }
      } else if teller.looksAgain {
        teller.tell(teller.snapshot)
      }
    }
    feed.finish(withinMilliseconds: 10_000)
  }
}

/// Prints alerts as they come and go, each once when it is raised and once when it is over: what was told is kept in the
/// ledger, for the next run and for others beside this one.
private struct AlertTeller {
  private let configuration: Configuration
  private(set) var snapshot: UsageSnapshot
  /// What was told, as far as this process knows.
  private var told = ToldAlerts()
  private var problem: String?
  /// Whether an alert stands that will end, or something could not be told yet.
  private(set) var looksAgain = false

  init(_ configuration: Configuration) {
    self.configuration = configuration
    snapshot = .empty()
  }

  /// What alerts are made from.
  static func minutes(_ now: Instant) -> [Range<Minute>] { [AlertLog.neededMinutes(now)] }

  /// - Parameters:
  ///   - patience: how many milliseconds to wait while others write.
  ///   - isLast: whether there is no other time to tell.
  mutating func tell(_ snapshot: UsageSnapshot, patience: Int32 = 1000, isLast: Bool = false) {
    self.snapshot = snapshot
    let now = SystemClock.now
    let verdict = configuration.monitor.judge(
      snapshot, tariff: configuration.tariff, since: Self.minutes(now)[0].lowerBound, now: now)
    looksAgain = verdict.standing != nil
    var expected = told
    let news = expected.takeNews(verdict.alerts, now: now)
    if expected == told { return }
    do throws(StoreError) {
      // Another process, or this one before it was started again, may have told it already.
      let (new, told) = try LedgerStore.change(
        toldAlertsIn: UserFolders.state, patience: patience, now: now
      ) { told in (told.takeNews(verdict.alerts, now: now), told) }
      self.told = told
      print(new)
    } catch {
      if case .busy = error, !isLast {
        looksAgain = true
        return
      }
      let text = "\(error.description) (what is told of alerts may be told again)"
      if problem != text { StandardStreams.complain(text) }
      problem = text
      told = expected
      print(news)
    }
  }

  private func print(_ news: [ToldAlerts.News]) {
    for one in news {
      switch one {
      case .raised(let alert): print(alert.start, "alert: \(words(alert))")
      case .over(let alert):
        print(
          alert.end ?? alert.start,
          "over: lowest hit rate \(NumberFormat.percent(alert.lowestRate))")
      }
    }
  }

  private func words(_ alert: HitRateMonitor.Alert) -> String {
    let limit = NumberFormat.limit(configuration.monitor.raiseBelow)
    var text = "cache hit rate \(NumberFormat.percent(alert.rateAtStart)), below \(limit)"
    if let driver = alert.driver {
      let names = [driver.model, driver.project].compactMap { $0 }.joined(separator: " in ")
      if !names.isEmpty { text += "; most misses: \(names)" }
    }
    return text
  }

  private func print(_ minute: Minute, _ text: String) {
    StandardStreams.print(
      "\(configuration.clock.text(minute.start)) \(TextWidth.sanitized(text))\n")
  }
}
