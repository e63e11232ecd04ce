import MimoEngine
import MimoSQLite

/// The ledger's tables in the ledger's terms. Belongs to one thread at a time.
///
/// Its errors are SQLite's; what contradicts itself is `SQLiteError.corrupt`.
final class LedgerDatabase {
  let connection: SQLiteConnection
  private var statements: [String: SQLiteStatement] = [:]
  /// How many addresses there were at least, when last asked.
  var knownSeries: Int64 = 0

  init(_ connection: SQLiteConnection) { self.connection = connection }

  /// A statement that is compiled once. Whoever steps through it resets it: an open one keeps old pages alive.
  func statement(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
    if let known = statements[sql] { return known }
    let statement = try connection.prepare(sql)
    statements[sql] = statement
    return statement
  }

  /// The number in the first row and column.
  func number(_ sql: String) throws(SQLiteError) -> Int64? {
    let query = try statement(sql)
    defer { query.reset() }
    return try query.step() ? query.integer(0) : nil
  }

  /// Calls `body` with each row of a query.
  func forEachRow(
    _ sql: String, _ parameters: [Int64] = [],
    _ body: (SQLiteStatement) throws(SQLiteError) -> Void
  ) throws(SQLiteError) {
    let query = try statement(sql)
    defer { query.reset() }
    for (index, parameter) in parameters.enumerated() {
      query.bind(parameter, at: Int32(index + 1))
    }
    while try query.step() { try body(query) }
  }

  // MARK: - Single values

  /// The names of single values. Times are milliseconds since 1970, minutes are minutes since then.
  enum StateValue: String {
    /// Sixteen random bytes: which ledger this is.
    case origin
    /// A random number for hashes of keys.
    case keySalt = "key_salt"
    /// When the ledger began.
    case created
    /// The number of the last commit.
    case commit
    /// A random number that the last writer left.
    case writer
    /// Prompt sizes at which the addresses' bands end.
    case edges
    /// The latest calls.
    case recent
    /// The sums over all cells ever counted.
    case loadCounts = "load_counts"
    /// Their calls.
    case loadCalls = "load_calls"
    /// The minute before which calls are not known any more.
    case prunedBefore = "pruned_before"
    /// The minute before which usage was forgotten.
    case forgottenBefore = "forgotten_before"
  }

  func number(_ name: StateValue) throws(SQLiteError) -> Int64? {
    try value(name) { $0.integer(0) } ?? nil
  }

  func bytes(_ name: StateValue) throws(SQLiteError) -> [UInt8]? {
    try value(name) { $0.withBlob(0) { $0.map { Array($0) } } } ?? nil
  }

  private func value<R>(
    _ name: StateValue, _ read: (SQLiteStatement) -> R
  ) throws(SQLiteError) -> R? {
    let query = try statement("SELECT value FROM state WHERE name = ?1")
    defer { query.reset() }
    query.bind(name.rawValue, at: 1)
    return try query.step() ? read(query) : nil
  }

  private static let setState = "INSERT OR REPLACE INTO state VALUES (?1, ?2)"

  func set(_ name: StateValue, _ value: Int64) throws(SQLiteError) {
    let insert = try statement(Self.setState)
    insert.bind(name.rawValue, at: 1)
    insert.bind(value, at: 2)
    try insert.run()
  }

  func set(_ name: StateValue, _ value: [UInt8]) throws(SQLiteError) {
    let insert = try statement(Self.setState)
    insert.bind(name.rawValue, at: 1)
    insert.bind(value, at: 2)
    try insert.run()
  }

  // MARK: - Cells

  func cells(
    of hour: Hour, _ body: (ArchivedCell) -> Void
  ) throws(SQLiteError) { try cells(in: hour..<Hour(hour.number + 1), body) }

  /// Calls `body` with each cell of the hours, hour by hour; the series of each is known.
  func cells(
    in hours: Range<Hour>?, _ body: (ArchivedCell) -> Void
  ) throws(SQLiteError) {
    try forEachHour(in: hours) { _, cells in CellChunk(cells).forEach(body) }
  }

  /// Calls `body` with the cells of each hour, in order of series and minute; the series of each is known.
  func forEachHour(
    in hours: Range<Hour>?, except leftOut: Set<Hour> = [], _ body: (Hour, HourCells) -> Void
  ) throws(SQLiteError) {
    try forEachSlab(in: hours, except: leftOut) { (slab, hour) throws(SQLiteError) in
      let cells = try known(SlabCoding.decode([(slab, hour)]))
      if !cells.cells.isEmpty { body(hour, cells) }
    }
  }

  /// Calls `body` with all cells of the hours in their order, those of several hours at once; the series of each is
  /// known.
  ///
  /// - Parameter decoder: decodes them meanwhile.
  func forEachChunk(
    in hours: Range<Hour>?, except leftOut: Set<Hour> = [], _ decoder: SlabDecoder? = nil,
    _ body: (CellChunk) -> Void
  ) throws(SQLiteError) {
    var packed = PackedHours()
    func take(_ done: PackedHours.Unpacked?) throws(SQLiteError) {
      let cells = try known(done)
      if !cells.cells.isEmpty { body(CellChunk(cells)) }
    }
    func handOver() throws(SQLiteError) {
      if packed.isEmpty { return }
      if let decoder {
        try decoder.take(packed.taken(), take)
      } else {
        try take(packed.taken().unpacked())
      }
    }
    try forEachSlab(in: hours, except: leftOut) { (slab, hour) throws(SQLiteError) in
      packed.append(slab, of: hour)
      if packed.isFull { try handOver() }
    }
    try handOver()
    try decoder?.finish(take)
  }

  /// Calls `body` with the bytes of each hour.
  private func forEachSlab(
    in hours: Range<Hour>?, except leftOut: Set<Hour>,
    _ body: (UnsafeRawBufferPointer, Hour) throws(SQLiteError) -> Void
  ) throws(SQLiteError) {
    try forEachRow(
      "SELECT number, cells FROM hour WHERE number >= ?1 AND number < ?2 ORDER BY number",
      [Int64(hours?.lowerBound.number ?? .min), Int64(hours?.upperBound.number ?? .max)]
    ) { (row) throws(SQLiteError) in
      let hour = try hour(row.integer(0))
      if leftOut.contains(hour) { return }
      let result = row.withBlob(1) { bytes -> Result<Void, SQLiteError> in
        do throws(SQLiteError) {
          try body(bytes ?? UnsafeRawBufferPointer(start: nil, count: 0), hour)
          return .success(())
        } catch { return .failure(error) }
      }
      try result.get()
    }
  }

  /// The cells, if they were not damaged and all their series are known.
  private func known(_ unpacked: PackedHours.Unpacked?) throws(SQLiteError) -> HourCells {
    guard let (cells, largest) = unpacked else { throw .corrupt }
    if !cells.cells.isEmpty, try !isKnown(series: largest) { throw .corrupt }
    return cells
  }

  func set(
    _ cells: [ArchivedCell], of hour: Hour, commit: Int64
  ) throws(SQLiteError) {
    let insert = try statement("INSERT OR REPLACE INTO hour VALUES (?1, ?2, ?3)")
    insert.bind(Int64(hour.number), at: 1)
    insert.bind(cells.isEmpty ? -commit : commit, at: 2)
    insert.bind(SlabCoding.encode(cells, of: hour), at: 3)
    try insert.run()
  }

  /// The hours written since a commit, in order; since none at all, those that have cells.
  func hours(changedSince commit: Int64) throws(SQLiteError) -> [Hour] {
    var hours: [Hour] = []
    // The index alone has both columns: in the order of the table SQLite would read every cell on the way.
    for condition in ["written > ?1", "written < -?1 AND ?1 > 0"] {
      try forEachRow(
        "SELECT number FROM hour INDEXED BY hour_written WHERE \(condition) ORDER BY written",
        [commit]
      ) { (row) throws(SQLiteError) in hours.append(try hour(row.integer(0))) }
    }
    hours.sort()
    return hours
  }

  /// Those of some hours that have cells, in order.
  func hours(in hours: Range<Hour>) throws(SQLiteError) -> [Hour] {
    var found: [Hour] = []
    try forEachRow(
      "SELECT number FROM hour WHERE number >= ?1 AND number < ?2 AND written > 0 ORDER BY number",
      [Int64(hours.lowerBound.number), Int64(hours.upperBound.number)]
    ) { (row) throws(SQLiteError) in found.append(try hour(row.integer(0))) }
    return found
  }

  /// The hour with a stored number, if a minute can be in it.
  private func hour(_ number: Int64?) throws(SQLiteError) -> Hour {
    let all = Hour(of: Minute(.min)).number + 1..<Hour(of: Minute(.max)).number
    guard let number, let hour = Int32(exactly: number), all.contains(hour) else { throw .corrupt }
    return Hour(hour)
  }

  // MARK: - Calls

  /// The call a key leads to.
  func call(_ key: UInt64) throws(SQLiteError) -> ArchivedCall? {
    var key = key
    // A chain is as long as there were joins one after the other; a circle is damage.
    for _ in 0..<1000 {
      switch try entry(key) {
      case .call(let call): return call
      case .redirect(let target): key = target
      case nil: return nil
      }
    }
    throw .corrupt
  }

  private func entry(_ key: UInt64) throws(SQLiteError) -> CallCoding.Entry? {
    let query = try statement("SELECT entry FROM call WHERE key = ?1")
    defer { query.reset() }
    query.bind(Int64(bitPattern: key), at: 1)
    return try query.step() ? decoded(query, 0, key) : nil
  }

  /// Calls `body` with each key and what it leads to.
  func forEachCall(
    _ body: (UInt64, CallCoding.Entry) throws(SQLiteError) -> Void
  ) throws(SQLiteError) {
    try forEachRow("SELECT key, entry FROM call") { (row) throws(SQLiteError) in
      let key = UInt64(bitPattern: row.integer(0) ?? 0)
      try body(key, decoded(row, 1, key))
    }
  }

  private func decoded(
    _ row: SQLiteStatement, _ column: Int32, _ key: UInt64
  ) throws(SQLiteError) -> CallCoding.Entry {
    let entry = row.withBlob(column) { bytes in bytes.flatMap { CallCoding.decode($0, of: key) } }
    guard let entry else { throw .corrupt }
    if case .call(let call) = entry, try !isKnown(series: call.series) { throw .corrupt }
    return entry
  }

  func set(call key: UInt64, _ entry: [UInt8]) throws(SQLiteError) {
    let insert = try statement("INSERT OR REPLACE INTO call VALUES (?1, ?2)")
    insert.bind(Int64(bitPattern: key), at: 1)
    insert.bind(entry, at: 2)
    try insert.run()
  }

  func delete(call key: UInt64) throws(SQLiteError) {
    let delete = try statement("DELETE FROM call WHERE key = ?1")
    delete.bind(Int64(bitPattern: key), at: 1)
    try delete.run()
  }

  // MARK: - Openings

  /// - Parameter conversation: the number of its name here.
  func opening(of conversation: NameID) throws(SQLiteError) -> ArchivedOpening? {
    let query = try statement("SELECT entry FROM opening WHERE conversation = ?1")
    defer { query.reset() }
    query.bind(Int64(conversation.index), at: 1)
    return try query.step() ? decoded(query, 0, conversation) : nil
  }

  func forEachOpening(
    _ body: (NameID, ArchivedOpening) throws(SQLiteError) -> Void
  ) throws(SQLiteError) {
    try forEachRow("SELECT conversation, entry FROM opening") { (row) throws(SQLiteError) in
      let conversation = NameID(UInt32(truncatingIfNeeded: row.integer(0) ?? 0))
      try body(conversation, decoded(row, 1, conversation))
    }
  }

  private func decoded(
    _ row: SQLiteStatement, _ column: Int32, _ conversation: NameID
  ) throws(SQLiteError) -> ArchivedOpening {
    let opening = row.withBlob(column) { bytes in
      bytes.flatMap { CallCoding.decode(opening: $0, of: conversation) }
    }
    guard let opening else { throw .corrupt }
    if let call = opening.nameless, try !isKnown(series: call.series) { throw .corrupt }
    return opening
  }

  func set(_ opening: ArchivedOpening, of conversation: NameID) throws(SQLiteError) {
    let insert = try statement("INSERT OR REPLACE INTO opening VALUES (?1, ?2)")
    insert.bind(Int64(conversation.index), at: 1)
    insert.bind(CallCoding.encode(opening, of: conversation), at: 2)
    try insert.run()
  }
}
