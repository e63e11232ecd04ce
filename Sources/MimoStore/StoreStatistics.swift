import MimoEngine
import MimoSQLite

/// What a ledger holds, in numbers.
public struct StoreStatistics: Hashable, Sendable {
  /// The usage of one tool or format.
  public struct Source: Hashable, Sendable {
    /// Its name; empty for what logs do not tell.
    public var name: String
    /// Calls answered or billed.
    public var requests: Int64 = 0
    /// The first minute with usage, failed calls included.
    public var firstMinute: Minute
    /// The last one.
    public var lastMinute: Minute
  }

  /// The bytes of the database and what SQLite keeps beside it.
  public var bytesOnDisk: Int64
  /// When the ledger began.
  public var created: Instant
  /// Cells with usage.
  public var cells = 0
  /// Hours with usage.
  public var hours = 0
  /// Calls known by an id, each once.
  public var calls: Int64
  /// The sources, by name.
  public var sources: [Source] = []
  /// When somebody kept the ledger, in the order of the beginnings.
  public var spans: [StoreSpan]
  /// Before this minute calls are not known by their ids any more; `nil` if all are.
  public var callsPrunedBefore: Minute?
  /// Before this minute usage was forgotten; `nil` if it never was.
  public var forgottenBefore: Minute?

  /// The first and the last minute with usage; `nil` without any.
  public var span: ClosedRange<Minute>? {
    guard let first = sources.map(\.firstMinute).min(), let last = sources.map(\.lastMinute).max()
    else { return nil }
    return first...last
  }
}

extension LedgerStore {
  /// What the ledger holds. Cost: linear in its cells and calls.
  public func statistics() throws(StoreError) -> StoreStatistics {
    try reading { (database) throws(SQLiteError) in
      try database.statistics(bytesOnDisk: self.folder.bytesOnDisk)
    }
  }

  /// Before this minute calls are not known by their ids any more; `nil` if all are.
  public var callsPrunedBefore: Minute? {
    get throws(StoreError) {
      try reading { (database) throws(SQLiteError) in try database.minute(.prunedBefore) }
    }
  }

  /// Sources whose usage before an instant was forgotten: by the fingerprints of their names.
  public var forgottenSources: [Fingerprint: Instant] {
    get throws(StoreError) {
      try reading { (database) throws(SQLiteError) in try database.forgottenSources() }
    }
  }

  /// When the ledger was written last; `nil` if it never was.
  public var lastKept: Instant? {
    get throws(StoreError) {
      try reading { (database) throws(SQLiteError) in
        try database.number("SELECT ended FROM span ORDER BY number DESC LIMIT 1").map {
          Instant(milliseconds: $0)
        }
      }
    }
  }

  /// The end of the last hour with usage; `nil` without any.
  public var newestMinute: Minute? {
    get throws(StoreError) {
      try reading { (database) throws(SQLiteError) in
        try database.number("SELECT max(number) FROM hour WHERE written > 0").map {
          Hour(Int32(clamping: $0)).minutes.upperBound
        }
      }
    }
  }

  /// Before this minute usage was forgotten, and is not to come back from logs; `nil` if it never was.
  public var forgottenBefore: Minute? {
    get throws(StoreError) {
      try reading { (database) throws(SQLiteError) in try database.minute(.forgottenBefore) }
    }
  }
}

extension LedgerDatabase {
  /// A stored minute.
  func minute(_ name: StateValue) throws(SQLiteError) -> Minute? {
    try number(name).map { Minute(Int32(clamping: $0)) }
  }

  fileprivate func statistics(bytesOnDisk: Int64) throws(SQLiteError) -> StoreStatistics {
    var result = StoreStatistics(
      bytesOnDisk: bytesOnDisk, created: Instant(milliseconds: try number(.created) ?? 0),
      calls: 0, spans: try spans(), callsPrunedBefore: try minute(.prunedBefore),
      forgottenBefore: try minute(.forgottenBefore))
    let book = try wholeBook()
    let names = book.series.map(\.labels.source)
    var sources: [NameID: StoreStatistics.Source] = [:]
    var latestHour: Hour?
    try cells(in: nil) { cell in
      result.cells += 1
      let hour = Hour(of: cell.minute)
      if hour != latestHour { result.hours += 1 }
      latestHour = hour
      guard Int(cell.series) < names.count else { return }
      let name = names[Int(cell.series)]
      var source =
        sources[name]
        ?? StoreStatistics.Source(
          name: book.names[name], firstMinute: cell.minute, lastMinute: cell.minute)
      source.requests += Int64(cell.requests)
      source.firstMinute = min(source.firstMinute, cell.minute)
      source.lastMinute = max(source.lastMinute, cell.minute)
      sources[name] = source
    }
    result.sources = sources.values.sorted { $0.name < $1.name }
    try forEachCall { (_, entry) in
      if case .call(let call) = entry, !call.isForgotten { result.calls += 1 }
    }
    return result
  }

  func spans() throws(SQLiteError) -> [StoreSpan] {
    var spans: [StoreSpan] = []
    try forEachRow("SELECT began, ended FROM span ORDER BY began, number") { row in
      spans.append(
        StoreSpan(
          began: Instant(milliseconds: row.integer(0) ?? 0),
          ended: Instant(milliseconds: row.integer(1) ?? 0)))
    }
    return spans
  }
}
