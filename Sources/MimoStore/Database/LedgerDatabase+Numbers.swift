import MimoEngine
import MimoSQLite

// Names and addresses, and their numbers.
extension LedgerDatabase {
  // MARK: - By number

  /// The addresses with these numbers, in this order.
  ///
  /// - Parameter numbers: ascending.
  func addresses(at numbers: [UInt32]) throws(SQLiteError) -> [ArchivedAddress] {
    if numbers.isEmpty { return [] }
    let bands = UsageCube(promptEdges: try storedEdges())
    var addresses: [ArchivedAddress] = []
    addresses.reserveCapacity(numbers.count)
    var isDamaged = false
    try forEach(of: numbers.map(Int.init), in: .series) { page, number, wanted in
      PageCoding.decode(series: page, page: number) { place, series in
        guard wanted(place) else { return }
        isDamaged = isDamaged || series.band > bands.promptEdges.count
        let smallest = isDamaged ? 0 : bands.smallestPrompt(ofBand: series.band)
        addresses.append(ArchivedAddress(series: series, smallestPrompt: smallest))
      }
    }
    guard addresses.count == numbers.count, !isDamaged else { throw .corrupt }
    return addresses
  }

  /// The names with these numbers, in this order.
  ///
  /// - Parameter numbers: ascending, without 0.
  func names(at numbers: [UInt32]) throws(SQLiteError) -> [[UInt8]] {
    var names: [[UInt8]] = []
    names.reserveCapacity(numbers.count)
    // The first place is of the second name: nobody stores that nothing is called nothing.
    try forEach(of: numbers.map { Int($0) - 1 }, in: .name) { page, number, wanted in
      PageCoding.decode(names: page, page: number) { place, name in
        if wanted(place) { names.append(Array(name)) }
      }
    }
    guard names.count == numbers.count else { throw .corrupt }
    return names
  }

  /// The two kinds of what has numbers.
  private enum Kind: String {
    case name, series
    var pages: String { "\(rawValue)_page" }
    var keys: String { "\(rawValue)_key" }
  }

  /// Calls `decode` with each page that has some of these places.
  ///
  /// - Parameters:
  ///   - positions: ascending.
  ///   - decode: is given the bytes, the page's number and whether a place of it is wanted; returns `nil` for damage.
  private func forEach(
    of positions: [Int], in kind: Kind,
    _ decode: (UnsafeRawBufferPointer, Int64, (Int) -> Bool) -> Int?
  ) throws(SQLiteError) {
    let query = try statement("SELECT entries FROM \(kind.pages) WHERE number = ?1")
    defer { query.reset() }
    var rest = positions[...]
    while let first = rest.first {
      let page = first / PageCoding.places
      let mine = rest.prefix { $0 / PageCoding.places == page }
      rest = rest.dropFirst(mine.count)
      query.bind(Int64(page), at: 1)
      guard try query.step() else { throw .corrupt }
      var next = mine.startIndex
      let count = query.withBlob(0) { bytes in
        decode(bytes ?? UnsafeRawBufferPointer(start: nil, count: 0), Int64(page)) { place in
          guard next < mine.endIndex, mine[next] % PageCoding.places == place else { return false }
          next += 1
          return true
        }
      }
      query.reset()
      if count == nil { throw .corrupt }
    }
  }

  // MARK: - By what they say

  /// The number of a name; `nil` if it is not here. Nothing is called 0.
  func findName(_ name: [UInt8]) throws(SQLiteError) -> UInt32? {
    guard let key = Self.key(of: name) else { return 0 }
    guard try hasKeys else { return try searchName(name) }
    for number in try numbers(of: key, in: .name)
    where try names(at: [number]) == [name] {
      return number
    }
    return nil
  }

  /// Whether names and addresses are found by keys: not in a ledger of the first form, which is read as it is.
  private var hasKeys: Bool {
    get throws(SQLiteError) {
      try number("SELECT count(*) FROM sqlite_master WHERE name = 'name_key'") == 1
    }
  }

  /// The same without keys. Cost: linear in all names.
  private func searchName(_ name: [UInt8]) throws(SQLiteError) -> UInt32? {
    var found: UInt32?
    _ = try forEachPage(of: .name, from: 0) { page, number, start in
      PageCoding.decode(names: page, page: number) { place, other in
        if other.elementsEqual(name) { found = UInt32(truncatingIfNeeded: start + place + 1) }
      }
    }
    return found
  }

  /// The number of an address with the numbers that names have here; `nil` if it is not here.
  func findSeries(_ series: Series) throws(SQLiteError) -> UInt32? {
    for number in try numbers(of: Self.key(of: series), in: .series)
    where try addresses(at: [number]).first?.series == series {
      return number
    }
    return nil
  }

  /// What may have this key: few, and nearly always one.
  private func numbers(of key: Int64, in kind: Kind) throws(SQLiteError) -> [UInt32] {
    var numbers: [UInt32] = []
    try forEachRow("SELECT number FROM \(kind.keys) WHERE key = ?1", [key]) {
      (row) throws(SQLiteError) in
      guard let number = row.integer(0), let number = UInt32(exactly: number) else {
        throw .corrupt
      }
      numbers.append(number)
    }
    return numbers
  }

  /// - Returns: `nil` for a name that was forgotten: nobody is to find it.
  private static func key(of name: [UInt8]) -> Int64? {
    if name.isEmpty { return nil }
    return name.withUnsafeBytes { Int64(Fingerprint(of: $0).value >> 32) }
  }

  private static func key(of series: Series) -> Int64 { Int64(series.key >> 32) }

  /// Makes entries be found that have the numbers from `first` on.
  private func index(_ keys: [Int64?], from first: Int, in kind: Kind) throws(SQLiteError) {
    let insert = try statement("INSERT OR IGNORE INTO \(kind.keys) VALUES (?1, ?2)")
    for (offset, key) in keys.enumerated() {
      guard let key else { continue }
      insert.bind(key, at: 1)
      insert.bind(Int64(first + offset), at: 2)
      try insert.run()
    }
  }

  /// Makes names and addresses be found by what they say, also those stored when nobody looked for them.
  func indexAgain() throws(SQLiteError) {
    let book = try wholeBook()
    let names = (1..<book.names.count).map { number in
      book.names.withBytes(of: NameID(UInt32(number))) { Self.key(of: Array($0)) }
    }
    try connection.execute("DELETE FROM name_key; DELETE FROM series_key")
    try index(names, from: 1, in: .name)
    try index(book.series.map(Self.key), from: 0, in: .series)
  }

  /// Looks whether what is in a book is found by what it says.
  ///
  /// - Throws: `SQLiteError.corrupt` if not.
  func verifyKeys(of book: AddressBook) throws(SQLiteError) {
    var names = (1..<book.names.count).count {
      book.names.withBytes(of: NameID(UInt32($0))) { !$0.isEmpty }
    }
    try forEachRow("SELECT key, number FROM name_key") { (row) throws(SQLiteError) in
      guard let number = row.integer(1), 1..<Int64(book.names.count) ~= number,
        case let name = book.names.withBytes(of: NameID(UInt32(number)), { Array($0) }),
        let key = Self.key(of: name), row.integer(0) == key
      else { throw .corrupt }
      names -= 1
    }
    var series = book.series.count
    try forEachRow("SELECT key, number FROM series_key") { (row) throws(SQLiteError) in
      guard let number = row.integer(1), 0..<Int64(book.series.count) ~= number,
        row.integer(0) == Self.key(of: book.series[Int(number)])
      else { throw .corrupt }
      series -= 1
    }
    if names != 0 || series != 0 { throw .corrupt }
  }

  // MARK: - How many there are

  /// How many names there are, and the one that stands for nothing.
  func nameCount() throws(SQLiteError) -> Int {
    try 1 + count(.name) { PageCoding.decode(names: $0, page: $1) { _, _ in } }
  }

  /// How many addresses there are.
  func seriesCount() throws(SQLiteError) -> Int {
    try count(.series) { PageCoding.decode(series: $0, page: $1) { _, _ in } }
  }

  /// More would be too many for their numbers.
  private static let mostPages = Int64(1) << 23

  /// All pages but the last are full; whoever reads them all sees whether that is so.
  private func count(
    _ kind: Kind, _ decode: (UnsafeRawBufferPointer, Int64) -> Int?
  ) throws(SQLiteError) -> Int {
    var count = 0
    try forEachRow("SELECT number, entries FROM \(kind.pages) ORDER BY number DESC LIMIT 1") {
      (row) throws(SQLiteError) in
      let number = row.integer(0) ?? -1
      let last = row.withBlob(1) { bytes in
        decode(bytes ?? UnsafeRawBufferPointer(start: nil, count: 0), number)
      }
      guard let last, 0..<Self.mostPages ~= number else { throw .corrupt }
      count = Int(number) * PageCoding.places + last
    }
    return count
  }

  /// Whether there is an address with this number.
  func isKnown(series number: UInt32) throws(SQLiteError) -> Bool {
    if number >= knownSeries { knownSeries = Int64(try seriesCount()) }
    return number < knownSeries
  }

  // MARK: - All of them

  /// All names and addresses, with the bands that are stored.
  func wholeBook() throws(SQLiteError) -> AddressBook {
    var book = AddressBook(promptEdges: try storedEdges())
    var names = NameTable()
    try forEachRow("SELECT count(*), sum(length(entries)) FROM name_page") { row in
      names.reserveCapacity(
        Int(row.integer(0) ?? 0) * PageCoding.places, bytes: Int(row.integer(1) ?? 0))
    }
    _ = try forEachPage(of: .name, from: 0) { page, number, _ in
      PageCoding.decode(names: page, page: number) { _, name in names.restore(name) }
    }
    let bands = book.promptEdges.count
    let count = UInt32(names.count)
    var all: [Series] = []
    all.reserveCapacity(
      Int(try number("SELECT count(*) FROM series_page") ?? 0) * PageCoding.places)
    var isDamaged = false
    knownSeries = Int64(
      try forEachPage(of: .series, from: 0) { page, number, _ in
        PageCoding.decode(series: page, page: number) { _, series in
          isDamaged = isDamaged || series.band > bands || series.largestName >= count
          all.append(series)
        }
      })
    if isDamaged { throw .corrupt }
    (book.names, book.series) = (names, all)
    return book
  }

  /// Calls `decode` with each page that has entries from a position on; returns how many entries there are.
  ///
  /// - Parameter decode: is given the bytes, the page's number and the position of its first entry; returns how many
  ///   entries it has, and `nil` if it is damaged.
  private func forEachPage(
    of kind: Kind, from first: Int, _ decode: (UnsafeRawBufferPointer, Int64, Int) -> Int?
  ) throws(SQLiteError) -> Int {
    let page = Int64(first / PageCoding.places)
    var position = Int(page) * PageCoding.places
    try forEachRow(
      "SELECT number, entries FROM \(kind.pages) WHERE number >= ?1 ORDER BY number", [page]
    ) { (row) throws(SQLiteError) in
      let number = row.integer(0) ?? -1
      // Pages follow one another, and all but the last are full.
      guard 0..<Self.mostPages ~= number, Int(number) * PageCoding.places == position else {
        throw .corrupt
      }
      let count = row.withBlob(1) { bytes in
        decode(bytes ?? UnsafeRawBufferPointer(start: nil, count: 0), number, position)
      }
      guard let count else { throw .corrupt }
      position += count
    }
    return position
  }

  /// The numbers of all addresses of a conversation, given by the number of its name. Cost: linear in all addresses.
  func series(of conversation: UInt32) throws(SQLiteError) -> Set<UInt32> {
    var found: Set<UInt32> = []
    _ = try forEachPage(of: .series, from: 0) { page, number, start in
      PageCoding.decode(series: page, page: number) { place, series in
        if series.conversation.index == conversation {
          found.insert(UInt32(truncatingIfNeeded: start + place))
        }
      }
    }
    return found
  }

  // MARK: - New ones

  /// Adds names behind those that are there.
  func append(names: [[UInt8]]) throws(SQLiteError) {
    if names.isEmpty { return }
    let first = try nameCount()
    var page: [[UInt8]] = []
    let start = (first - 1) / PageCoding.places * PageCoding.places
    _ = try forEachPage(of: .name, from: start) { bytes, number, _ in
      PageCoding.decode(names: bytes, page: number) { _, name in page.append(Array(name)) }
    }
    try write(page + names, from: start, .name, PageCoding.encode(names:page:))
    try index(names.map(Self.key), from: first, in: .name)
  }

  /// Adds addresses behind those that are there.
  func append(series: [Series]) throws(SQLiteError) {
    if series.isEmpty { return }
    let first = try seriesCount()
    var page: [Series] = []
    let start = first / PageCoding.places * PageCoding.places
    _ = try forEachPage(of: .series, from: start) { bytes, number, _ in
      PageCoding.decode(series: bytes, page: number) { _, series in page.append(series) }
    }
    try write(page + series, from: start, .series, PageCoding.encode(series:page:))
    try index(series.map(Self.key), from: first, in: .series)
  }

  /// Puts others in the place of all names. As many as there are.
  func replace(names: [[UInt8]]) throws(SQLiteError) {
    try write(names, from: 0, .name, PageCoding.encode(names:page:))
    try connection.execute("DELETE FROM name_key")
    try index(names.map(Self.key), from: 1, in: .name)
  }

  /// Puts others in the place of all addresses. As many as there are.
  func replace(series: [Series]) throws(SQLiteError) {
    try write(series, from: 0, .series, PageCoding.encode(series:page:))
    try connection.execute("DELETE FROM series_key")
    try index(series.map(Self.key), from: 0, in: .series)
  }

  /// Writes the pages from a position on, where a page begins.
  private func write<Entry>(
    _ entries: [Entry], from start: Int, _ kind: Kind, _ encode: ([Entry], Int64) -> [UInt8]
  ) throws(SQLiteError) {
    let insert = try statement("INSERT OR REPLACE INTO \(kind.pages) VALUES (?1, ?2)")
    for offset in stride(from: 0, to: entries.count, by: PageCoding.places) {
      let page = Int64((start + offset) / PageCoding.places)
      insert.bind(page, at: 1)
      insert.bind(encode(Array(entries[offset...].prefix(PageCoding.places)), page), at: 2)
      try insert.run()
    }
  }
}

extension Series {
  /// The largest number of a name in it.
  fileprivate var largestName: UInt32 {
    max(
      labels.model.index, labels.provider.index, labels.source.index, labels.project.index,
      max(labels.session.index, labels.key.index, conversation.index))
  }
}
