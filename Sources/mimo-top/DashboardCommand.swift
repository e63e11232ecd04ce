import ArgumentParser
import MimoCatalog
import MimoCurses
import MimoDashboard
import MimoEngine
import MimoIngest
import MimoScreen

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// `mimo-top [LOG ...]`: the live dashboard, or plain-text frames of it.
struct DashboardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dashboard",
    abstract: "Watch logs live. This is what mimo-top does without a command.",
    discussion: """
      Without LOG: every log of the known tools found on this machine. Keys: ? lists them all.
      With no terminal on standard output this is the same as --once.
      """)

  @OptionGroup var common: CommonOptions

  @Flag(help: "Show a made-up stream, generated live, whose hit rate sinks and recovers.")
  var demo = false

  @Flag(
    name: .customShort("b"),
    help: "Batch: print plain-text frames on standard output; no terminal needed.")
  var batch = false

  @Option(
    name: .customShort("n"),
    help: ArgumentHelp("Stop after this many frames (with -b).", valueName: "frames"))
  var frames: Int?

  @Option(
    name: .customShort("d"),
    help: ArgumentHelp("Seconds between frames (with -b).", valueName: "seconds"))
  var delay: Double?

  @Flag(help: "Print one frame and leave: the same as -b -n 1.")
  var once = false

  @Option(help: ArgumentHelp("Columns of a batch frame.", valueName: "n"))
  var columns: Int?

  @Option(help: ArgumentHelp("Rows of a batch frame.", valueName: "n"))
  var rows: Int?

  func run() throws {
    if demo, !common.logs.isEmpty {
      throw Misuse(description: "--demo makes its own usage; leave the logs out")
    }
    if let frames, frames < 1 {
      throw Misuse(description: "-n \(frames): a number from 1 up is expected")
    }
    if let delay, !(delay >= 0.1 && delay <= 86_400) {
      throw Misuse(description: "-d \(delay): seconds from 0.1 up are expected")
    }
    var options = common
    // The demo shows within a minute what takes a quarter of an hour otherwise.
    if demo, options.window == nil { options.window = "2m" }
    var configuration = try Configuration(options)
    let stream: DemoStream?
    if demo {
      let demoStream = try DemoStream(now: configuration.now)
      configuration.keepsLedger = false
      configuration.sources = [.stream(demoStream.descriptor)]
      configuration.namesLogs = true
      stream = demoStream
    } else {
      stream = nil
    }

    let isBatch = once || batch
    if !isBatch, isatty(STDOUT_FILENO) == 0 {
      StandardStreams.complain("standard output is no terminal; printing one frame (--once)")
    }
    if isBatch || isatty(STDOUT_FILENO) == 0 {
      let program = BatchProgram(
        configuration, stream: stream, frames: once || !isBatch ? 1 : frames, seconds: delay ?? 2,
        size: Size(
          columns: columns ?? environment("COLUMNS") ?? 120,
          rows: rows ?? environment("LINES") ?? 40))
      let code = try program.run()
      if code != 0 { throw ExitCode(code) }
    } else {
      if configuration.keepsLedger, !configuration.namesPlan, let last = configuration.lastPlan,
        let plan = configuration.catalog.plan(id: last.id)
      {
        (configuration.plan, configuration.currency) = (plan, last.currency)
      }
      try Program(configuration, stream: stream).run()
    }
  }

  private func environment(_ name: String) -> Int? {
    UserFolders.variable(name).flatMap(Int.init).flatMap { 20...1000 ~= $0 ? $0 : nil }
  }
}

extension Model {
  /// The state a dashboard starts with.
  init(_ configuration: Configuration, glyphs: Glyphs) {
    var problems: [Theme.Problem] = []
    let files = configuration.themeFiles.map { (name: $0.name, bytes: $0.bytes) }
    let themes = Themes.load(user: files, problems: &problems)
    self.init(
      book: configuration.catalog.book, plans: PlanChoice.choices(configuration),
      periods: configuration.periods,
      monitor: configuration.monitor, clock: configuration.clock, glyphs: glyphs, themes: themes,
      promptEdges: configuration.catalog.promptEdges, now: configuration.now)
    planIndex =
      plans.firstIndex {
        $0.plan.id == configuration.plan.id && $0.currency == configuration.currency
      }
      ?? plans.firstIndex { $0.plan.id == configuration.plan.id } ?? 0
    // A year of history is not brought to the screen before somebody asks for it.
    if configuration.keepsLedger, configuration.window == nil { window = .week }
    filters = configuration.filters
    modelMap = configuration.catalog.modelMap
    anchors = configuration.anchors
    exchange = configuration.exchange
    limits = configuration.window
    notices = configuration.notices + problems.map(\.description)
    if let name = configuration.themeName {
      if let index = themes.firstIndex(where: { $0.name == name }) {
        themeIndex = index
      } else {
        let known = themes.map(\.name).joined(separator: ", ")
        notices.append("there is no theme '\(name)'; known are \(known)")
      }
    }
    ingest.sources = configuration.placeNames
  }
}

extension PlanChoice {
  /// The plans in the order in which a key steps through them: as billed, MiMo's, DeepSeek's, all others.
  static func choices(_ configuration: Configuration) -> [PlanChoice] {
    let catalog = configuration.catalog
    let first = ["as-billed", "xiaomi", "deepseek"]
    func rank(_ plan: Plan) -> Int {
      if plan.per != nil { return first.count + 1 }
      return first.firstIndex(of: plan.provider ?? plan.id) ?? first.count
    }
    let ordered = catalog.plans.enumerated().sorted {
      (rank($0.element), $0.offset) < (rank($1.element), $1.offset)
    }
    return ordered.flatMap { _, plan -> [PlanChoice] in
      let currencies = plan.currencies(in: catalog.book)
      // A subscription's credits are the same in each currency; one line with the user's own is enough.
      if plan.isSubscription || plan.kind == .asBilled {
        return [
          PlanChoice(
            plan,
            currencies.contains(configuration.currency)
              ? configuration.currency : currencies.first ?? configuration.currency)
        ]
      }
      return currencies.map { PlanChoice(plan, $0) }
    }
  }
}
