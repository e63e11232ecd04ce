/// Which numbers somebody gave to names and addresses that an archive has under others.
///
/// An archive of years has tens of thousands of them, a ledger or a screen meets few: only these are in memory, numbered
/// in the order in which they were met.
struct ArchiveNumbers: Sendable {
  /// Own numbers of names by those of the archive.
  var names = SparseNumbers()
  /// Own numbers of addresses by those of the archive.
  var series = SparseNumbers()

  /// An archived address with own names.
  func own(_ archived: Series) -> Series {
    archived.renamed { names[$0.index].map(NameID.init) ?? .none }
  }
}

extension Series {
  /// All names in it.
  public var names: [NameID] {
    [
      labels.model, labels.provider, labels.source, labels.project, labels.session, labels.key,
      conversation,
    ]
  }

  /// The same with other numbers for its names.
  public func renamed<Failure: Error>(
    _ rename: (NameID) throws(Failure) -> NameID
  ) throws(Failure) -> Series {
    var series = self
    series.labels.model = try rename(labels.model)
    series.labels.provider = try rename(labels.provider)
    series.labels.source = try rename(labels.source)
    series.labels.project = try rename(labels.project)
    series.labels.session = try rename(labels.session)
    series.labels.key = try rename(labels.key)
    series.conversation = try rename(conversation)
    return series
  }
}

/// Who gives numbers of its own to what it meets of an archive.
protocol ArchiveReader {
  /// The names met.
  var names: NameTable { get set }
  /// What has which number here.
  var numbers: ArchiveNumbers { get set }
  /// The number of an address with own names here.
  mutating func number(of series: Series, smallestPrompt: Int64) -> UInt32
  /// An address has one number in the archive and one here.
  mutating func note(_ archived: UInt32, is own: UInt32)
}

extension ArchiveReader {
  mutating func note(_ archived: UInt32, is own: UInt32) { numbers.series[archived] = own }

  /// Gives numbers to those addresses of an archive that have none here yet.
  ///
  /// - Parameters:
  ///   - archived: the archive's numbers.
  ///   - addresses: looks up addresses by the archive's numbers.
  ///   - names: looks up names by the archive's numbers.
  mutating func learn<Failure: Error>(
    _ archived: [UInt32],
    addresses: ([UInt32]) throws(Failure) -> [ArchivedAddress],
    names: ([UInt32]) throws(Failure) -> [[UInt8]]
  ) throws(Failure) {
    let unknown = Set(archived.filter { numbers.series[$0] == nil })
    if unknown.isEmpty { return }
    // Neighbours lie in one page.
    let sorted = unknown.sorted()
    let found = try addresses(sorted)
    var unknownNames = Set<UInt32>()
    for address in found {
      for name in address.series.names where name != .none && numbers.names[name.index] == nil {
        unknownNames.insert(name.index)
      }
    }
    let sortedNames = unknownNames.sorted()
    for (number, name) in zip(sortedNames, try names(sortedNames)) {
      numbers.names[number] = name.withUnsafeBytes { self.names.intern($0) }.index
    }
    for (number, address) in zip(sorted, found) {
      note(
        number,
        is: self.number(of: numbers.own(address.series), smallestPrompt: address.smallestPrompt))
    }
  }
}

/// Numbers by numbers, of which few out of many are there: eight bytes for each 256 that are not.
struct SparseNumbers: Sendable {
  private var pages: [[UInt32]] = []
  private static let pageSize = 256
  private static let none = UInt32.max

  /// The number of a number.
  @inline(__always)
  subscript(number: UInt32) -> UInt32? {
    get {
      let page = Int(number) / Self.pageSize
      guard page < pages.count, !pages[page].isEmpty else { return nil }
      let value = pages[page][Int(number) % Self.pageSize]
      return value == Self.none ? nil : value
    }
    set {
      let page = Int(number) / Self.pageSize
      while pages.count <= page { pages.append([]) }
      if pages[page].isEmpty { pages[page] = Array(repeating: Self.none, count: Self.pageSize) }
      pages[page][Int(number) % Self.pageSize] = newValue ?? Self.none
    }
  }
}
