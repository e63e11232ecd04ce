import MimoEngine

/// Records written with names instead of numbers, so that tests can count them in any ledger.
struct Line: Hashable {
  var at: Int64 = 0
  var message: String?
  var alias: String?
  var request = ""
  var rank = CallIdentity.Rank.message
  var model = "m"
  var session = ""
  var project = ""
  var key = ""
  /// `nil` takes the session.
  var conversation: String?
  var tokens = TokenCounts()
  var tellsCache = true
  var tier = ServiceTier.standard
  var failed = false
  var isAnsweredByProxy = false
  var webSearches: Int32 = 0
  var statedCost: Amount?
  var calls: Int32 = 1
  var readsCacheAlike = false

  /// The record, with its names in the table of `ledger`.
  func record(in ledger: inout Ledger) -> UsageRecord {
    var record = UsageRecord(time: Instant(milliseconds: at))
    if let message {
      record.identity = CallIdentity(
        message: Fingerprint(of: message), request: Fingerprint(of: request).value, rank: rank)
      record.identity?.alias = alias.map { Fingerprint(of: $0) }
    }
    record.labels = Labels(
      model: ledger.names.intern(model), project: ledger.names.intern(project),
      session: ledger.names.intern(session), key: ledger.names.intern(key))
    record.conversation = ledger.names.intern(conversation ?? session)
    record.tokens = tokens
    record.tellsCache = tellsCache
    record.tier = tier
    record.failed = failed
    record.answeredByProxyCache = isAnsweredByProxy
    record.quantities.webSearches = Int64(webSearches)
    record.statedCost = statedCost
    record.calls = calls
    record.readsCacheAlike = readsCacheAlike
    return record
  }
}

/// All that a cube says of one minute and series, with texts instead of numbers.
struct CellAddress: Hashable, Comparable {
  var minute: Int32
  var model: String
  var session: String
  var project: String
  var tier: ServiceTier
  var band: UInt8
  var flags: UInt8

  private var order: (Int32, String, String, String, UInt8) {
    (minute, model, session, project, band)
  }
  static func < (a: CellAddress, b: CellAddress) -> Bool {
    if a.order != b.order { return a.order < b.order }
    return (a.tier.rawValue, a.flags) < (b.tier.rawValue, b.flags)
  }
}

struct CellCounts: Hashable {
  var requests: Int64 = 0
  var errors: Int64 = 0
  var tokens = TokenCounts()
  var statedCost = Amount.zero
  var statedCalls: Int64 = 0
  var webSearches: Int64 = 0
}

extension UsageSnapshot {
  /// The cells that are not empty.
  var cells: [CellAddress: CellCounts] {
    var result: [CellAddress: CellCounts] = [:]
    cube.forEachCell { cell, extras in
      let series = cube.series[Int(cell.series)]
      let address = CellAddress(
        minute: cell.minute.number, model: names[series.labels.model],
        session: names[series.labels.session], project: names[series.labels.project],
        tier: series.tier, band: series.band, flags: series.flags.rawValue)
      result[address, default: CellCounts()].add(cell, extras)
    }
    return result
  }

  /// The sum over all cells.
  var sum: CellCounts {
    var result = CellCounts()
    cube.forEachCell { cell, extras in result.add(cell, extras) }
    return result
  }

  /// Sums by some part of the address.
  func sums<Key: Hashable>(by key: (CellAddress) -> Key) -> [Key: CellCounts] {
    var result: [Key: CellCounts] = [:]
    for (address, counts) in cells { result[key(address), default: CellCounts()] += counts }
    return result
  }
}

extension CellCounts {
  mutating func add(_ cell: UsageCell, _ extras: CellExtras?) {
    self += CellCounts(
      requests: Int64(cell.requests), errors: Int64(cell.errors), tokens: cell.tokens,
      statedCost: extras?.stated.amount ?? .zero, statedCalls: extras?.stated.calls ?? 0,
      webSearches: extras?.quantities.webSearches ?? 0)
  }

  static func += (a: inout CellCounts, b: CellCounts) {
    a.requests += b.requests
    a.errors += b.errors
    a.tokens += b.tokens
    a.statedCost += b.statedCost
    a.statedCalls += b.statedCalls
    a.webSearches += b.webSearches
  }
}

/// A ledger that has counted `lines` in this order.
func ledger(_ lines: [Line], edges: [Int64] = [1000, 50_000]) -> Ledger {
  var ledger = Ledger(promptEdges: edges)
  for line in lines { ledger.record(line.record(in: &ledger)) }
  return ledger
}

func snapshot(_ lines: [Line], edges: [Int64] = [1000, 50_000]) -> UsageSnapshot {
  ledger(lines, edges: edges).snapshot()
}

extension Dice {
  /// Lines of a few calls with many repeats, copies and contradictions among them.
  ///
  /// - Parameter distinctTimes: no two lines are of the same instant.
  mutating func lines(_ count: Int, distinctTimes: Bool = false) -> [Line] {
    let sessions = ["s1", "s2", "s3", ""]
    var result: [Line] = []
    for index in 0..<count {
      var line = Line()
      line.at = Int64.random(in: 0..<12, using: &self) * 20_000
      if distinctTimes { line.at += Int64(index) }
      if Int.random(in: 0..<6, using: &self) > 0 {
        line.message = "msg\(Int.random(in: 0..<max(2, count / 5), using: &self))"
        line.rank =
          [.embeddedCopy, .opening, .message, .message, .request, .request, .request]
          .randomElement(using: &self)!
        line.request = "req\(Int.random(in: 0..<3, using: &self))"
      }
      line.model = ["m1", "m2"].randomElement(using: &self)!
      line.session = sessions.randomElement(using: &self)!
      line.conversation =
        Bool.random(using: &self) ? line.session : sessions.randomElement(using: &self)!
      line.project = ["p1", "p2", ""].randomElement(using: &self)!
      line.failed = Int.random(in: 0..<5, using: &self) == 0
      if Int.random(in: 0..<5, using: &self) > 0 {
        line.tokens = TokenCounts(
          input: .random(in: 0..<2000, using: &self),
          cacheRead: .random(in: 0..<60_000, using: &self),
          cacheWrite5m: .random(in: 0..<300, using: &self),
          cacheWrite1h: .random(in: 0..<300, using: &self),
          output: .random(in: 0..<5000, using: &self), reasoning: .random(in: 0..<500, using: &self)
        )
      }
      line.tellsCache = Int.random(in: 0..<4, using: &self) > 0
      if Int.random(in: 0..<5, using: &self) == 0 {
        line.tier = ServiceTier.allCases.randomElement(using: &self)!
      }
      line.isAnsweredByProxy = Int.random(in: 0..<8, using: &self) == 0
      if Int.random(in: 0..<4, using: &self) == 0 {
        line.statedCost = Amount(atto: Int128(Int64.random(in: 0..<1_000_000, using: &self)))
      }
      if Int.random(in: 0..<6, using: &self) == 0 {
        line.webSearches = .random(in: 0..<3, using: &self)
      }
      if Int.random(in: 0..<8, using: &self) == 0 { line.calls = .random(in: 1..<4, using: &self) }
      line.readsCacheAlike = Int.random(in: 0..<3, using: &self) == 0
      result.append(line)
    }
    return result
  }
}
