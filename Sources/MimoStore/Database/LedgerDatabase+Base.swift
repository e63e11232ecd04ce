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
    guard let edges = try edges(with: promptEdges) else { return nil }
    var base = LedgerBase(promptEdges: edges)
    base.isEmpty = try seriesCount() == 0
    if let bytes = try bytes(.recent) {
      guard let recent = bytes.withUnsafeBytes({ CallCoding.decode(recent: $0) }) else {
        throw .corrupt
      }
      for entry in recent where try !isKnown(series: entry.call.series) { throw .corrupt }
      base.recent = recent
    }
    base.load = LedgerLoad(
      counts: try number(.loadCounts) ?? 0, calls: try number(.loadCalls) ?? 0)
    return base
  }

  /// All names and addresses, with the bands of the prompt sizes that are stored and those given; `nil` if these are too
  /// many to tell apart.
  ///
  /// - Parameter ahead: one that was read with the stored sizes, and is used if it is of this moment.
  func addressBook(
    promptEdges: [Int64], ahead: BookAhead? = nil
  ) throws(SQLiteError) -> AddressBook? {
    guard let edges = try edges(with: promptEdges) else { return nil }
    var book: AddressBook
    if let ahead, try moment() == ahead.moment {
      book = ahead.book
      knownSeries = Int64(book.series.count)
    } else {
      book = try wholeBook()
    }
    if edges == book.promptEdges { return book }
    let bands = UsageCube(promptEdges: edges).bands(ofEdges: book.promptEdges)
    book.promptEdges = edges
    for row in book.series.indices { book.series[row].band = bands[Int(book.series[row].band)] }
    return book
  }

  /// The prompt sizes that are stored and those given; `nil` if these are too many to tell apart.
  private func edges(with promptEdges: [Int64]) throws(SQLiteError) -> [Int64]? {
    let edges = Set(try storedEdges()).union(promptEdges).sorted()
    return edges.count < 255 ? edges : nil
  }

  /// Stores prompt sizes, those stored among them, and the addresses with their bands.
  func settle(promptEdges: [Int64]) throws(SQLiteError) {
    guard let book = try addressBook(promptEdges: promptEdges) else { throw .corrupt }
    try replace(series: book.series)
    var writer = ByteWriter()
    for edge in book.promptEdges { writer.append(folded: edge) }
    try set(.edges, writer.sealed(for: 0))
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
    guard let edges, edges == Set(edges).sorted(), edges.allSatisfy((0..<Int64.max).contains) else {
      throw .corrupt
    }
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

extension UsageCube {
  /// For each band between other edges the band of its smallest prompt here.
  fileprivate func bands(ofEdges edges: [Int64]) -> [UInt8] {
    [band(ofPrompt: 0)] + edges.map { band(ofPrompt: $0 + 1) }
  }
}
