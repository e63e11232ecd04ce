import MimoEngine
import MimoStore

/// The sums of calls without ids: what the cells of a ledger have beyond the calls that it knows one by one.
///
/// Whether a call opens its conversation is no part of a sum's address: that changes when an earlier call is found.
struct LedgerSums {
  /// A sum of one minute and one address.
  struct Sum {
    /// The same in each export of the ledger, however the sum grows.
    var id: Fingerprint
    var cell: ArchivedCell
    /// Whether one of the calls opens its conversation.
    var opens: Bool
  }

  private struct Address: Hashable {
    var minute: Minute
    var series: UInt32
  }

  private let series: [Series]
  /// For each address the first one that differs in nothing but the opening of conversations, and what stands for both.
  private let first: [UInt32]
  private let fingerprints: [Fingerprint]
  private var cells: [Address: ArchivedCell] = [:]

  /// All that some cells have; calls known one by one are to be taken away.
  init(_ list: CellList, _ book: AddressBook, origin: String) {
    series = book.series
    let origin = Fingerprint(of: origin)
    let cube = UsageCube(promptEdges: book.promptEdges)
    fingerprints = series.map { origin.combined(with: Self.fingerprint(of: $0, book.names, cube)) }
    var positions: [UInt64: UInt32] = [:]
    var first: [UInt32] = []
    for (position, fingerprint) in fingerprints.enumerated() {
      let known = positions[fingerprint.value] ?? UInt32(position)
      positions[fingerprint.value] = known
      first.append(known)
    }
    self.first = first
    list.forEach { cell in cells[Address(minute: cell.minute, series: cell.series)] = cell }
  }

  /// What a sum is of, without its minute: facts that every call of it has by itself.
  private static func fingerprint(
    of series: Series, _ names: NameTable, _ cube: UsageCube
  ) -> UInt64 {
    let labels = series.labels
    let text = [
      labels.model, labels.provider, labels.source, labels.project, labels.session, labels.key,
      series.conversation,
    ].map { names[$0] }.joined(separator: "\0")
    let flags = series.flags.subtracting(.opensConversation)
    return Fingerprint(of: text)
      .combined(with: UInt64(series.tier.rawValue) << 8 | UInt64(flags.rawValue))
      .combined(with: UInt64(cube.smallestPrompt(ofBand: series.band))).value
  }

  /// Takes away a call that is known by an id.
  mutating func subtract(_ call: ArchivedCall) {
    let address = Address(minute: call.time.minute, series: call.series)
    guard var cell = cells[address] else { return }
    cell.subtract(call)
    cells[address] = cell.isEmpty ? nil : cell
  }

  /// The sums, in order of time.
  var all: [Sum] {
    var sums: [Address: Sum] = [:]
    for cell in cells.values where !cell.isEmpty {
      let position = Int(cell.series)
      let address = Address(minute: cell.minute, series: first[position])
      let opens = series[position].flags.contains(.opensConversation)
      guard var sum = sums[address] else {
        let id = fingerprints[position].combined(
          with: UInt64(bitPattern: Int64(cell.minute.number)))
        var cell = cell
        cell.series = address.series
        sums[address] = Sum(id: id, cell: cell, opens: opens)
        continue
      }
      sum.cell.add(cell)
      sum.opens = sum.opens || opens
      sums[address] = sum
    }
    return sums.values.sorted {
      ($0.cell.minute, $0.cell.series) < ($1.cell.minute, $1.cell.series)
    }
  }
}
