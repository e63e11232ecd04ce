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
  func base(promptEdges: [Int64]) throws(SQLiteError) -> LedgerBase? {
    let stored = try storedEdges()
    let edges = Set(stored).union(promptEdges).sorted()
    guard edges.count < 255 else { return nil }
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

  /// Stores a base's prompt sizes and the addresses with their bands, if they are others than stored.
  func settle(_ base: LedgerBase) throws(SQLiteError) {
    if try storedEdges() == base.promptEdges { return }
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
    let pages = try number("SELECT count(*) FROM name_page") ?? 0
    base.names.reserveCapacity(Int(pages) * PageCoding.places + 1)
    try names(from: base.names.count) { base.names.restore($0) }
  }

  private func appendSeries(to base: inout LedgerBase, _ stored: [Int64]) throws(SQLiteError) {
    let bands = UsageCube(promptEdges: base.promptEdges).bands(ofEdges: stored)
    var isDamaged = false
    try series(from: base.series.count) { series in
      var series = series
      let names = base.names.count
      isDamaged =
        isDamaged || series.band >= bands.count
        || series.largestName >= names
      if isDamaged { return }
      series.band = bands[Int(series.band)]
      base.series.append(series)
    }
    if isDamaged { throw .corrupt }
  }

  private func storedEdges() throws(SQLiteError) -> [Int64] {
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

  /// Begins the span of a writer.
  func beginSpan(now: Instant) throws(SQLiteError) -> Int64 {
    let insert = try statement("INSERT INTO span (began, ended) VALUES (?1, ?1) RETURNING number")
    defer { insert.reset() }
    insert.bind(now.milliseconds, at: 1)
    guard try insert.step(), let number = insert.integer(0) else { throw .corrupt }
    // The row is stored when the statement is done.
    _ = try insert.step()
    return number
  }

  /// The number of the span that began last.
  var latestSpan: Int64 {
    get throws(SQLiteError) { try number("SELECT max(number) FROM span") ?? 0 }
  }

  /// Moves the end of a span; never back, should the clock be set back.
  func extend(span: Int64, to now: Instant) throws(SQLiteError) {
    let update = try statement("UPDATE span SET ended = max(ended, ?2) WHERE number = ?1")
    update.bind(span, at: 1)
    update.bind(now.milliseconds, at: 2)
    try update.run()
  }
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
