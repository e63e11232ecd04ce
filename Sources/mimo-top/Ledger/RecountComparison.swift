import MimoEngine
import MimoIngest
import MimoStore

/// What the logs say that are there now, counted anew under a ledger's rules: from its limits on, up to now.
struct LogRecount {
  let ledger: Ledger
  let start: Minute
  let end: Minute
  /// For each format until when the logs tell of that are not there any more.
  let unread: [String: Instant]

  init(_ configuration: Configuration, _ store: LedgerStore) throws(StoreError) {
    var base = LedgerBase(promptEdges: configuration.catalog.promptEdges)
    base.notBefore = try store.countedFrom(now: SystemClock.now)
    start = base.notBefore ?? .distantPast
    base.forgottenSources = try store.forgottenSources
    let sources = configuration.sources.filter(\.isSeekable)
    let collector = LogCollector(
      ledger: Ledger(restoring: base, archive: ForgottenCalls(of: store)), sources: sources,
      formats: configuration.formats, keySalt: store.keySalt, clock: { SystemClock.now })
    // A place that cannot be read tells nothing to compare; reading it into the ledger has told why.
    try? LogFollower(sources: sources).scanOnce(collector)
    ledger = collector.ledger
    // What is written meanwhile may be in one of the two.
    end = configuration.now.minute
    let read = Set(collector.fileReports.map(\.path))
    var unread: [String: Instant] = [:]
    for state in try store.fileStates() where state.place.isGone || !read.contains(state.place.path)
    {
      guard let newest = state.report.newest else { continue }
      for format in state.report.formats {
        unread[format] = max(unread[format] ?? newest, newest)
      }
    }
    self.unread = unread
  }
}

/// Of a ledger nothing but what it knows to be forgotten.
private struct ForgottenCalls: LedgerArchive {
  private let store: LedgerStore

  init(of store: LedgerStore) { self.store = store }

  func call(_ key: UInt64) -> ArchivedCall? {
    guard let call = store.call(key), call.isForgotten else { return nil }
    return ArchivedCall(forgotten: key, time: call.time, series: 0)
  }

  func cells(of hour: Hour) -> [ArchivedCell] { [] }
  func opening(of conversation: [UInt8]) -> ArchivedOpening? { nil }
  func calls(of conversation: [UInt8]) -> [ArchivedCall] { [] }
  func names(at numbers: [UInt32]) -> [[UInt8]] { [] }

  /// What is left of calls that were forgotten has to have an address.
  func addresses(at numbers: [UInt32]) -> [ArchivedAddress] {
    numbers.map { _ in
      ArchivedAddress(
        series: Series(labels: Labels(), tier: .standard, band: 0, flags: []), smallestPrompt: 0)
    }
  }
}

/// What the ledger and a recount of the logs have in common and what not.
struct RecountComparison {
  /// What sums are compared by, together with the minute.
  struct Subject: Hashable {
    var source: String
    var session: String
    var model: String
  }

  struct Sums: Equatable {
    var requests: Int64 = 0
    var errors: Int64 = 0
    var tokens = TokenCounts()

    init() {}

    init(_ cell: ArchivedCell) {
      (requests, errors, tokens) = (Int64(cell.requests), Int64(cell.errors), cell.tokens)
    }

    init(_ call: ArchivedCall) {
      tokens = call.tokens
      requests = call.failed && tokens.isZero ? 0 : Int64(call.calls)
      errors = call.failed ? Int64(call.calls) : 0
    }

    /// Whether each counter is at least that of the other.
    func covers(_ other: Sums) -> Bool {
      requests >= other.requests && errors >= other.errors
        && tokens.maximum(other.tokens) == tokens
    }

    static func += (a: inout Sums, b: Sums) {
      a.requests += b.requests
      a.errors += b.errors
      a.tokens += b.tokens
    }

    static func -= (a: inout Sums, b: Sums) {
      a.requests -= b.requests
      a.errors -= b.errors
      a.tokens = a.tokens - b.tokens
    }
  }

  struct Difference {
    var subject: Subject
    var ledger: Sums
    var logs: Sums
  }

  private(set) var agreeing = 0
  private(set) var differences: [Difference] = []
  /// Calls that only the ledger tells.
  private(set) var kept: Int64 = 0

  /// One minute of a subject.
  fileprivate struct Place: Hashable {
    var minute: Minute
    var subject: Subject
  }

  /// What is compared of a subject.
  private struct Finding {
    var ledger = Sums()
    var logs = Sums()
    var differs = false

    mutating func add(_ ledger: Sums, _ logs: Sums) {
      self.ledger += ledger
      self.logs += logs
      differs = differs || ledger != logs
    }
  }

  /// Sums by minute, and in them the calls that are known by ids.
  private struct Counts {
    var cells: [Place: Sums] = [:]
    var calls: [Place: Sums] = [:]

    /// What calls without ids add up to.
    func rest(_ place: Place) -> Sums {
      var rest = cells[place] ?? Sums()
      rest -= calls[place] ?? Sums()
      return rest
    }
  }

  init(of store: LedgerStore, with recount: LogRecount) throws(StoreError) {
    let (cells, calls) = (try store.cells(), try store.allCalls().calls)
    let book = try store.addressBook()
    let start = recount.start
    let changes = recount.ledger.changes()
    let (stored, told) = (
      Subjects(book.series, book.names), Subjects(changes.series, changes.names)
    )
    var findings: [Subject: Finding] = [:]

    // The calls with ids, one by one. Of one that the ledger knows better than the logs, others told.
    var logs = Counts()
    let messages = LedgerExport.messages(changes.calls)
    for call in changes.calls where call.time.minute < recount.end {
      let place = told.place(call.time.minute, call.series)
      let sums = Sums(call)
      let known = store.call(like: call, message: messages[call.key]).map { Sums($0) } ?? Sums()
      logs.calls[place, default: Sums()] += sums
      findings[place.subject, default: Finding()].add(known.covers(sums) ? sums : known, sums)
    }
    for cell in changes.hours.values.joined() where cell.minute < recount.end {
      logs.cells[told.place(cell.minute, cell.series), default: Sums()] += Sums(cell)
    }

    // The others by minute, where the logs tell anything of it; what they do not tell is only the ledger's.
    var ledger = Counts()
    var requests: Int64 = 0
    cells.forEach { cell in
      guard cell.minute < recount.end else { return }
      requests += Int64(cell.requests)
      guard cell.minute >= start else { return }
      ledger.cells[stored.place(cell.minute, cell.series), default: Sums()] += Sums(cell)
    }
    for call in calls
    where call.time.minute >= start && call.time.minute < recount.end {
      ledger.calls[stored.place(call.time.minute, call.series), default: Sums()] += Sums(call)
    }
    if let error = store.readError { throw error }
    for place in Set(logs.cells.keys).union(ledger.calls.keys) {
      let (a, b) = (ledger.rest(place), logs.rest(place))
      let isTold = logs.cells[place] != nil
      let mayHaveMore = !isTold || recount.mayLack(place.subject.source, place.minute)
      let isCovered = a.covers(b) && mayHaveMore
      findings[place.subject, default: Finding()].add(isCovered ? b : a, b)
    }
    for (subject, finding) in findings.sorted(by: { Self.isBefore($0.key, $1.key) }) {
      if finding.differs {
        differences.append(
          Difference(subject: subject, ledger: finding.ledger, logs: finding.logs))
      } else if finding.logs != Sums() {
        agreeing += 1
      }
    }
    kept = max(0, requests - logs.cells.values.reduce(0) { $0 + $1.requests })
  }

  private static func isBefore(_ a: Subject, _ b: Subject) -> Bool {
    (a.source, a.session, a.model) < (b.source, b.session, b.model)
  }
}

extension RecountComparison {
  /// The subjects of addresses.
  fileprivate struct Subjects {
    private var subjects: [Subject]

    init(_ series: [Series], _ names: NameTable) {
      subjects = series.map { series in
        Subject(
          source: names[series.labels.source], session: names[series.labels.session],
          model: names[series.labels.model])
      }
    }

    fileprivate func place(_ minute: Minute, _ series: UInt32) -> Place {
      Place(minute: minute, subject: subjects[Int(series)])
    }
  }
}

extension LedgerStore {
  /// The call that another ledger filed so. Of two requests under one message each ledger files the one it met first
  /// under the message alone.
  fileprivate func call(like call: ArchivedCall, message: UInt64?) -> ArchivedCall? {
    let known = self.call(call.key)
    guard call.rank == .request, known?.request != call.request else { return known }
    let other = message ?? ArchivedCall.key(ofMessage: call.key, request: call.request)
    return self.call(other) ?? known
  }
}

extension LogRecount {
  /// Whether a log that is not there any more may have told of a source in a minute.
  fileprivate func mayLack(_ source: String, _ minute: Minute) -> Bool {
    // An export among the logs tells of any source.
    [source, LedgerExportDecoder.name].contains { format in
      unread[format].map { $0 >= minute.start } ?? false
    }
  }
}
