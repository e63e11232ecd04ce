import MimoEngine
import MimoIngest
import MimoStore

/// What a ledger that was counted anew lacks of the one before it, because no log tells it any more.
struct LedgerTakeover {
  /// What is to be written of the old ledger for the new one.
  let selection: LedgerExport.Selection
  /// How far logs had been read that were not read anew: should one come back, it goes on from there.
  let files: [StoreNote]

  init(from old: LedgerStore, to new: LedgerStore) throws(StoreError) {
    let selected = try Self.sums(of: old) { _ in true }
    // Calls that had no id in the old ledger may have one now.
    let counted = try Self.sums(of: new) { old.call($0.key) != nil }
    let had = Dictionary(grouping: selected.list) { selected.place($0) }.mapValues(Volume.init)
    let has = Dictionary(grouping: counted.list) { counted.place($0) }.mapValues(Volume.init)
    let known = Dictionary(counted.list.map { ($0.id, $0.cell) }) { first, _ in first }
    selection = LedgerExport.Selection(
      includesOld: true, call: { new.call($0.key) == nil },
      sum: { sum in
        // Where the logs tell at least as much of a source, they tell it under other names.
        let place = selected.place(sum)
        if let has = has[place], let had = had[place], has.covers(had) { return nil }
        let rest = sum.cell.beyond(
          known[sum.id] ?? ArchivedCell(minute: sum.cell.minute, series: sum.cell.series))
        return rest.isEmpty ? nil : rest
      })
    files = Self.unread(try old.fileStates(), besides: try new.fileStates()).map {
      StoreNote(kind: LedgerKeeper.NoteKind.file, key: $0.key, value: $0.encoded)
    }
  }

  /// What a ledger lacks of a former state of its own, without what was forgotten since.
  static func returning(
    _ former: LedgerStore, to present: LedgerStore
  ) throws(Failure) -> LedgerExport.Selection {
    try LedgerCommand.attempt { () throws(StoreError) in
      let forgotten = try present.forgottenSources
      let book = try former.addressBook()
      var selection = try LedgerTakeover(from: former, to: present).selection
      let beyond = selection.sum
      selection.sum = { sum in
        let source = book.names[book.series[Int(sum.cell.series)].labels.source]
        let isForgotten = forgotten[Fingerprint(of: source)].map { sum.cell.minute.start < $0 }
        return isForgotten == true ? nil : beyond(sum)
      }
      return selection
    }
  }

  /// The states of logs that are not among those read, whatever these were called before.
  private static func unread(_ states: [FileState], besides read: [FileState]) -> [FileState] {
    let keys = Set(read.map(\.key))
    let numbers = Set(read.map(\.place.bookmark.identity.inode))
    let paths = Set(read.map(\.place.path))
    return states.filter { state in
      // A document gets another number when it is rewritten.
      let isRewritten = state.place.kind == .document || state.place.kind == .database
      return !keys.contains(state.key)
        && !numbers.contains(state.place.bookmark.identity.inode)
        && !(isRewritten && paths.contains(state.place.path))
    }
  }

  /// The sums of a ledger, and what has the same names in another.
  private struct Sums {
    var list: [LedgerSums.Sum]
    var book: AddressBook

    func place(_ sum: LedgerSums.Sum) -> Place {
      let source = book.series[Int(sum.cell.series)].labels.source
      return Place(minute: sum.cell.minute, source: book.names[source])
    }
  }

  private struct Place: Hashable {
    var minute: Minute
    var source: String
  }

  private struct Volume {
    var calls: Int64 = 0
    var tokens: Int64 = 0

    init(_ sums: [LedgerSums.Sum]) {
      for sum in sums {
        calls += Int64(sum.cell.requests) + Int64(sum.cell.errors)
        tokens += sum.cell.tokens.prompt + sum.cell.tokens.output
      }
    }

    func covers(_ other: Volume) -> Bool { calls >= other.calls && tokens >= other.tokens }
  }

  private static func sums(
    of store: LedgerStore, without isKnown: (ArchivedCall) -> Bool
  ) throws(StoreError) -> Sums {
    let (cells, calls) = (try store.cells(), try store.allCalls().calls)
    let book = try store.addressBook()
    var sums = LedgerSums(cells, book, origin: LedgerExport.origin(of: store))
    for call in calls where isKnown(call) { sums.subtract(call) }
    return Sums(list: sums.all, book: book)
  }
}
