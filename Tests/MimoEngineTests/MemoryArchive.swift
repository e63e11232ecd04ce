import MimoEngine
import Synchronization

/// An archive in dictionaries: what any other has to behave like.
final class MemoryArchive: LedgerArchive {
  private struct State {
    var base: LedgerBase
    var book: AddressBook
    var hours: [Hour: [ArchivedCell]] = [:]
    var calls: [UInt64: ArchivedCall] = [:]
    var redirects: [UInt64: UInt64] = [:]
    var openings: [NameID: ArchivedOpening] = [:]
    var lookups = 0
  }

  private let state: Mutex<State>

  init(promptEdges: [Int64] = [1000, 50_000]) {
    var book = AddressBook(promptEdges: promptEdges)
    // Nobody is to get along with numbers that happen to be the same.
    for index in 0..<7 {
      let name = book.names.intern("a name that nothing has \(index)")
      let labels = Labels(model: name)
      book.series.append(Series(labels: labels, tier: .standard, band: 0, flags: []))
    }
    state = Mutex(State(base: LedgerBase(promptEdges: promptEdges), book: book))
  }

  var base: LedgerBase { state.withLock { $0.base } }
  /// All that calls and cells refer to.
  var book: AddressBook { state.withLock { $0.book } }

  /// How many calls were asked for.
  var lookups: Int { state.withLock { $0.lookups } }

  /// Stores changes; returns the numbers of the addresses.
  func commit(_ changes: LedgerChanges) -> [UInt32] {
    state.withLock { state in
      var numbers: [UInt32] = []
      for (own, series) in changes.series.enumerated() {
        func number(_ id: NameID) -> NameID {
          changes.names.withBytes(of: id) { state.book.names.intern($0) }
        }
        var archived = series
        archived.labels = Labels(
          model: number(series.labels.model), provider: number(series.labels.provider),
          source: number(series.labels.source), project: number(series.labels.project),
          session: number(series.labels.session), key: number(series.labels.key))
        archived.conversation = number(series.conversation)
        if !state.book.series.contains(archived) { state.book.series.append(archived) }
        let found = UInt32(state.book.series.firstIndex(of: archived)!)
        let told = own < changes.numbers.count ? changes.numbers[own] : LedgerChanges.unknownNumber
        precondition(told == found || told == LedgerChanges.unknownNumber, "a wrong number")
        numbers.append(found)
      }
      func archived(_ call: ArchivedCall) -> ArchivedCall {
        var call = call
        call.series = numbers[Int(call.series)]
        return call
      }
      state.base.isEmpty = false
      state.base.load = changes.load
      for (hour, cells) in changes.hours {
        state.hours[hour] = cells.map { cell in
          var cell = cell
          cell.series = numbers[Int(cell.series)]
          return cell
        }
      }
      for call in changes.calls {
        state.calls[call.key] = archived(call)
        state.redirects[call.key] = nil
      }
      for (key, target) in changes.redirects {
        state.redirects[key] = target
        state.calls[key] = nil
      }
      for (conversation, opening) in changes.openings {
        let name = changes.names.withBytes(of: conversation) { state.book.names.intern($0) }
        state.openings[name] = ArchivedOpening(
          call: opening.call, nameless: opening.nameless.map(archived))
      }
      if let recent = changes.recent {
        state.base.recent = recent.map { entry in
          var entry = entry
          entry.call = archived(entry.call)
          return entry
        }
      }
      return numbers
    }
  }

  func call(_ key: UInt64) -> ArchivedCall? {
    state.withLock { state in
      state.lookups += 1
      var key = key
      while let next = state.redirects[key] { key = next }
      return state.calls[key]
    }
  }

  func cells(of hour: Hour) -> [ArchivedCell] { state.withLock { $0.hours[hour] ?? [] } }

  func opening(of conversation: [UInt8]) -> ArchivedOpening? {
    state.withLock { state in
      state.book.names.find(String(decoding: conversation, as: UTF8.self)).flatMap {
        state.openings[$0]
      }
    }
  }

  func calls(of conversation: [UInt8]) -> [ArchivedCall] {
    state.withLock { state in
      let name = state.book.names.find(String(decoding: conversation, as: UTF8.self))
      return state.calls.values.filter {
        state.book.series[Int($0.series)].conversation == name
      }
    }
  }

  func addresses(at numbers: [UInt32]) -> [ArchivedAddress] {
    state.withLock { state in
      let cube = UsageCube(promptEdges: state.book.promptEdges)
      return numbers.map { number in
        var series = state.book.series[Int(number)]
        let smallest = cube.smallestPrompt(ofBand: series.band)
        series.band = 200
        return ArchivedAddress(series: series, smallestPrompt: smallest)
      }
    }
  }

  func names(at numbers: [UInt32]) -> [[UInt8]] {
    state.withLock { state in
      numbers.map { state.book.names.withBytes(of: NameID($0)) { Array($0) } }
    }
  }

  /// The cells in it, for who passes over them.
  func cells(except leftOut: Set<Hour>) -> any CellSource {
    Cells(hours: state.withLock { $0.hours }.filter { !leftOut.contains($0.key) })
  }

  private struct Cells: CellSource {
    let hours: [Hour: [ArchivedCell]]

    var span: ClosedRange<Minute>? { nil }

    func forEachChunk(in minutes: Range<Minute>?, _ body: (CellChunk) -> Void) {
      for (hour, cells) in hours where minutes.map({ $0.overlaps(hour.minutes) }) ?? true {
        var list = CellList()
        for cell in cells { list.append(cell) }
        for chunk in list.chunks { body(chunk) }
      }
    }
  }

  /// Everything in it, as a ledger that holds all of it would show it.
  var snapshot: UsageSnapshot { snapshot(base) }

  /// The same with the bands of a base.
  func snapshot(_ base: LedgerBase) -> UsageSnapshot {
    var cells: [Int32: CellList] = [:]
    for (hour, list) in state.withLock({ $0.hours }) {
      for cell in list { cells[floorDivide(hour.number, 24), default: CellList()].append(cell) }
    }
    var history = ArchivedHistory()
    history.replace(with: cells, addresses: addresses(at:), names: names(at:))
    return history.snapshot(base, revision: 0, addresses: addresses(at:), names: names(at:))
  }
}
