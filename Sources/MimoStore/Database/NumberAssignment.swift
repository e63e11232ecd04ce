import MimoEngine
import MimoSQLite

/// The numbers that the addresses of a ledger have in a database, and those that they get there.
///
/// What an address says finds it, so that a commit may be repeated whose answer got lost.
struct NumberAssignment {
  /// The numbers by those of the ledger; `LedgerChanges.unknownNumber` where nobody asked.
  private(set) var numbers: [UInt32]

  private let database: LedgerDatabase
  private let changes: LedgerChanges
  private let bands: [UInt8]
  private var names: [NameID: NameID] = [.none: .none]
  private var newNames: [[UInt8]] = []
  private var newSeries: [Series] = []
  private var firstNew: (name: UInt32, series: UInt32)?

  init(_ changes: LedgerChanges, in database: LedgerDatabase) throws(SQLiteError) {
    self.database = database
    self.changes = changes
    numbers = changes.numbers
    numbers += Array(
      repeating: LedgerChanges.unknownNumber, count: changes.series.count - numbers.count)
    let mine = UsageCube(promptEdges: changes.promptEdges)
    let stored = UsageCube(promptEdges: try database.storedEdges())
    bands = (0...changes.promptEdges.count).map {
      stored.band(ofPrompt: mine.smallestPrompt(ofBand: UInt8($0)))
    }
    precondition(
      Set(bands).count == bands.count, "a ledger with prompt sizes that `base` never saw")
  }

  /// The number of an address.
  mutating func number(of own: UInt32) throws(SQLiteError) -> UInt32 {
    let known = numbers[Int(own)]
    if known != LedgerChanges.unknownNumber { return known }
    var series = try changes.series[Int(own)].renamed { (name) throws(SQLiteError) in
      try self.number(of: name)
    }
    series.band = bands[Int(series.band)]
    let number: UInt32
    if let found = try database.findSeries(series) {
      number = found
    } else {
      number = try first().series + UInt32(newSeries.count)
      newSeries.append(series)
    }
    numbers[Int(own)] = number
    return number
  }

  /// The number of a name.
  mutating func number(of own: NameID) throws(SQLiteError) -> NameID {
    if let known = names[own] { return known }
    let name = changes.names.withBytes(of: own) { Array($0) }
    let number: UInt32
    if let found = try database.findName(name) {
      number = found
    } else {
      number = try first().name + UInt32(newNames.count)
      newNames.append(name)
    }
    names[own] = NameID(number)
    return NameID(number)
  }

  private mutating func first() throws(SQLiteError) -> (name: UInt32, series: UInt32) {
    if let firstNew { return firstNew }
    guard let name = UInt32(exactly: try database.nameCount()),
      let series = UInt32(exactly: try database.seriesCount())
    else { throw .corrupt }
    firstNew = (name, series)
    return (name, series)
  }

  /// Stores the new ones.
  func store() throws(SQLiteError) {
    try database.append(names: newNames)
    try database.append(series: newSeries)
  }
}
