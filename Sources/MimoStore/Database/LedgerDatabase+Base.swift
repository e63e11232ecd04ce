import MimoEngine
import MimoSQLite

// How a ledger begins, and what it begins with.
extension LedgerDatabase {
  /// Fills the tables of a new ledger: one that takes another's place, or the next one of a folder, goes by the same
  /// name, because exports of all of them tell the same sums.
  func begin(
    now: Instant, _ folder: StoreFolder, _ heritage: LedgerHeritage?
  ) throws(SQLiteError) {
    let identity = heritage?.identity ?? folder.keptIdentity ?? .random()
    try set(.origin, identity.origin)
    try set(.keySalt, Int64(bitPattern: identity.keySalt))
    try set(.created, (heritage?.created ?? now).milliseconds)
    try set(.commit, 0)
    if let heritage { try inherit(heritage) }
  }

  /// The base with the prompt sizes that are stored and those given; `nil` if these are too many to tell apart.
  ///
  /// - Parameter ahead: one that was read with the stored sizes, and is used if it is of this moment.
  func base(promptEdges: [Int64], ahead: BaseAhead? = nil) throws(SQLiteError) -> LedgerBase? {
    let stored = try storedEdges()
    let edges = Set(stored).union(promptEdges).sorted()
    guard edges.count < 255 else { return nil }
    if let ahead, try moment() == ahead.moment, ahead.base.promptEdges == stored {
      know(series: ahead.base.series.count)
      var base = ahead.base
      guard edges != stored else { return base }
      base.promptEdges = edges
      let bands = UsageCube(promptEdges: edges).bands(ofEdges: stored)
      for row in base.series.indices { base.series[row].band = bands[Int(base.series[row].band)] }
      return base
    }
    var base = LedgerBase(promptEdges: edges)
    try appendNames(to: &base)
    try appendSeries(to: &base, stored)
    if let bytes = try bytes(.recent) {
      guard let recent = bytes.withUnsafeBytes({ CallCoding.decode(recent: $0) }),
        recent.allSatisfy({ $0.call.series < base.series.count })
      else { throw .corrupt }
      base.recent = recent
    }
    base.load = LedgerLoad(
      counts: try number(.loadCounts) ?? 0, calls: try number(.loadCalls) ?? 0)
    return base
  }

  /// Stores a base's prompt sizes and the addresses with their bands.
  func settle(_ base: LedgerBase) throws(SQLiteError) {
    try append(series: base.series, at: 0)
    var writer = ByteWriter()
    for edge in base.promptEdges { writer.append(folded: edge) }
    try set(.edges, writer.sealed(for: 0))
  }

  /// Adds what was stored since a base was read; `false` if the bands changed, so that it has to be read again.
  func refresh(_ base: inout LedgerBase) throws(SQLiteError) -> Bool {
    let stored = try storedEdges()
    guard stored.allSatisfy(base.promptEdges.contains) else { return false }
    try appendNames(to: &base)
    try appendSeries(to: &base, stored)
    return true
  }

  private func appendNames(to base: inout LedgerBase) throws(SQLiteError) {
    try append(to: &base.names)
  }

  private func appendSeries(to base: inout LedgerBase, _ stored: [Int64]) throws(SQLiteError) {
    let bands = UsageCube(promptEdges: base.promptEdges).bands(ofEdges: stored)
    let names = base.names.count
    var all = base.series
    base.series = []
    all.reserveCapacity(
      Int(try number("SELECT count(*) FROM series_page") ?? 0) * PageCoding.places)
    var isDamaged = false
    try series(from: all.count) { series in
      isDamaged = isDamaged || series.band >= bands.count || series.largestName >= names
      if isDamaged { return }
      var series = series
      series.band = bands[Int(series.band)]
      all.append(series)
    }
    if isDamaged { throw .corrupt }
    base.series = all
  }

  /// The prompt sizes at which the stored bands end.
  func storedEdges() throws(SQLiteError) -> [Int64] {
    guard let bytes = try bytes(.edges) else { return [] }
    let edges = bytes.withUnsafeBytes { bytes -> [Int64]? in
      var reader = ByteReader(sealed: bytes, for: 0)
      var edges: [Int64] = []
      while !reader.isAtEnd { edges.append(reader.folded()) }
      return reader.isDamaged || edges.count > 254 ? nil : edges
    }
    guard let edges, edges == edges.sorted() else { throw .corrupt }
    return edges
  }

  // MARK: - Spans

  /// Notes that somebody keeps the ledger at this time: the last span goes on if it ended less than an hour ago, so that
  /// many short programs leave no rows without end.
  func keepSpan(now: Instant) throws(SQLiteError) {
    var last: (number: Int64, ended: Int64)?
    try forEachRow("SELECT number, ended FROM span ORDER BY number DESC LIMIT 1") { row in
      last = (row.integer(0) ?? 0, row.integer(1) ?? 0)
    }
    let time = now.milliseconds
    if let last, time >= last.ended, time - last.ended < Self.spanPause {
      let update = try statement("UPDATE span SET ended = ?2 WHERE number = ?1")
      update.bind(last.number, at: 1)
      update.bind(time, at: 2)
      return try update.run()
    }
    // A clock that was set back by a moment begins nothing new.
    if let last, time < last.ended, last.ended - time < Self.spanPause { return }
    let insert = try statement("INSERT INTO span (began, ended) VALUES (?1, ?1)")
    insert.bind(time, at: 1)
    try insert.run()
  }

  private static let spanPause: Int64 = 3_600_000
}

extension Series {
  /// All names in it.
  var names: [NameID] {
    [
      labels.model, labels.provider, labels.source, labels.project, labels.session, labels.key,
      conversation,
    ]
  }
}

extension Series {
  /// The largest position of a name in it.
  fileprivate var largestName: UInt32 {
    max(
      labels.model.index, labels.provider.index, labels.source.index, labels.project.index,
      max(labels.session.index, labels.key.index, conversation.index))
  }
}

extension UsageCube {
  /// For each band between other edges the band of its smallest prompt here.
  fileprivate func bands(ofEdges edges: [Int64]) -> [UInt8] {
    [band(ofPrompt: 0)] + edges.map { band(ofPrompt: $0 + 1) }
  }
}
