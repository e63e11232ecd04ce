import MimoEngine
import Testing

/// A ledger that goes on with what earlier ones archived ends as one that was never interrupted.
@Suite struct LedgerArchiveTests {
  /// What becomes of the ledger between two lines.
  private enum Event: CaseIterable {
    case commit, restart, empty
    /// What was not committed is lost; the lines since are read again.
    case crash
  }

  /// Counts lines with events between them; each ledger after the first only has the archive to go by.
  private func count(_ lines: [Line], _ dice: inout Dice, _ archive: MemoryArchive) -> Ledger {
    var ledger = Ledger(restoring: archive.base, archive: nil)
    var committed = 0
    var index = 0
    func commit() {
      ledger.didCommit(archive.commit(ledger.changes()))
      committed = index
    }
    while index < lines.count {
      ledger.record(lines[index].record(in: &ledger))
      index += 1
      guard Int.random(in: 0..<4, using: &dice) == 0 else { continue }
      switch Event.allCases.randomElement(using: &dice)! {
      case .commit: commit()
      case .restart:
        commit()
        ledger = Ledger(restoring: archive.base, archive: archive)
      case .empty:
        commit()
        ledger = ledger.emptied(archive: archive)
      case .crash:
        ledger = Ledger(restoring: archive.base, archive: archive)
        index = committed
      }
    }
    commit()
    return ledger
  }

  private func expectSame(
    _ lines: [Line], _ dice: inout Dice, _ comment: Comment
  ) {
    let archive = MemoryArchive()
    let resumed = count(lines, &dice, archive)
    var uninterrupted = Ledger(restoring: MemoryArchive().base, archive: nil)
    for line in lines { uninterrupted.record(line.record(in: &uninterrupted)) }
    #expect(uninterrupted.snapshot().cells == snapshot(lines).cells, comment)
    #expect(archive.snapshot.cells == uninterrupted.snapshot().cells, comment)
    #expect(resumed.changes().load == uninterrupted.changes().load, comment)
    #expect(
      Set(archive.book.series.map { $0.labels.session }.map { archive.book.names[$0] })
        .isSuperset(of: uninterrupted.snapshot().cells.keys.map(\.session)), comment)
    let recent = [resumed.snapshot(), uninterrupted.snapshot(), archive.snapshot].map { snapshot in
      snapshot.recent.map { "\($0.time) \($0.tokens) \($0.failed)" }.sorted()
    }
    #expect(recent[0] == recent[1], comment)
    #expect(recent[2] == recent[1], comment)
  }

  @Test(arguments: 0..<200)
  func `any interruption leaves the same cells`(_ seed: UInt64) {
    var dice = Dice(seed: seed)
    let lines = dice.lines(Int.random(in: 1...80, using: &dice)).map { line in
      var line = line
      // Several hours and days.
      line.at += Int64.random(in: 0..<40, using: &dice) * 1_800_000
      return line
    }
    expectSame(lines, &dice, "seed \(seed)")
  }

  @Test(arguments: 0..<120)
  func `calls with several ids survive it`(_ seed: UInt64) {
    var dice = Dice(seed: 7000 + seed)
    let lines = dice.lines(Int.random(in: 2...40, using: &dice), distinctTimes: true).map { line in
      var line = line
      line.at += Int64.random(in: 0..<5, using: &dice) * 3_600_000
      if line.message != nil {
        line.rank = .message
        if Bool.random(using: &dice) { line.alias = "msg\(Int.random(in: 0..<12, using: &dice))" }
      }
      return line
    }
    expectSame(lines, &dice, "seed \(seed)")
  }

  @Test func `a ledger takes only what its records touch`() {
    let archive = MemoryArchive()
    let lines = (0..<1000).map { index in
      Line(
        at: Int64(index) * 3_600_000, message: "m\(index)", session: "s\(index)",
        tokens: TokenCounts(input: 10))
    }
    var first = Ledger(restoring: archive.base, archive: nil)
    for line in lines { first.record(line.record(in: &first)) }
    _ = archive.commit(first.changes())

    var second = Ledger(restoring: archive.base, archive: archive)
    #expect(second.heldHours.isEmpty)
    #expect(second.snapshot().recent.count == Ledger.recentCapacity)
    // The latest calls have a session each, and a model: no other names and addresses are in memory.
    #expect(second.snapshot().cube.series.count == Ledger.recentCapacity)
    #expect(second.names.count == Ledger.recentCapacity + 2)
    for line in [lines[3], lines[999]] {
      #expect(second.record(line.record(in: &second)) == .repeated)
    }
    #expect(second.heldHours.count == 2)
    #expect(second.knownCalls == 2)
    #expect(second.changes().calls.count == 2)
    #expect(second.names.count == Ledger.recentCapacity + 3)
    // A call that is known again is shown once.
    #expect(second.snapshot().recent.count == Ledger.recentCapacity)
  }

  @Test func `nothing new is no change`() {
    let archive = MemoryArchive()
    var first = Ledger(restoring: archive.base, archive: nil)
    #expect(!first.hasChanges)
    first.record(Line(message: "m", tokens: TokenCounts(input: 1)).record(in: &first))
    #expect(first.hasChanges)
    first.didCommit(archive.commit(first.changes()))
    #expect(!first.hasChanges)
    let second = Ledger(restoring: archive.base, archive: archive)
    #expect(!second.hasChanges)
    #expect(second.changes().isEmpty)
  }

  @Test func `calls of before the limit are left out and told`() {
    let archive = MemoryArchive()
    var base = archive.base
    base.notBefore = Minute(100)
    var ledger = Ledger(restoring: base, archive: nil)
    let (old, new) = (Line(at: 99 * 60_000, message: "a"), Line(at: 100 * 60_000, message: "b"))
    #expect(ledger.record(old.record(in: &ledger)) == .tooOld)
    #expect(ledger.record(new.record(in: &ledger)) == .counted)
    ledger.didCommit(archive.commit(ledger.changes()))
    var emptied = ledger.emptied(archive: archive)
    #expect(emptied.record(old.record(in: &emptied)) == .tooOld)
    #expect(archive.snapshot.sum.requests == 1)
  }

  @Test(arguments: 0..<60)
  func `a pass over some minutes sees all of them, and meets few names`(_ seed: UInt64) {
    var dice = Dice(seed: 900 + seed)
    let archive = MemoryArchive()
    var ledger = Ledger(restoring: archive.base, archive: nil)
    var lines = dice.lines(60).map { line in
      var line = line
      line.at += Int64.random(in: 0..<400, using: &dice) * 1_800_000
      return line
    }
    for line in lines { ledger.record(line.record(in: &ledger)) }
    _ = archive.commit(ledger.changes())
    // Another one holds some of the hours, and more than is archived.
    var second = Ledger(restoring: archive.base, archive: archive)
    lines = dice.lines(10).map { line in
      var line = line
      line.at += Int64.random(in: 0..<400, using: &dice) * 1_800_000
      return line
    }
    for line in lines { second.record(line.record(in: &second)) }
    for line in lines { ledger.record(line.record(in: &ledger)) }

    let first = Int32.random(in: 0..<12_000, using: &dice)
    let window = Minute(first)..<Minute(first + Int32.random(in: 0..<3000, using: &dice))
    let stored = archive.cells(except: second.heldHours)
    var history = ArchivedHistory()
    let cells = history.passing(
      stored, in: window, addresses: archive.addresses(at:), names: archive.names(at:))
    var part = history.before(second.snapshot())
    part.cube.source = cells
    var whole = second.snapshot(among: archive.book)
    whole.cube.source = stored
    let expected = ledger.snapshot().cells.filter { window.contains(Minute($0.key.minute)) }
    #expect(part.cells.filter { window.contains(Minute($0.key.minute)) } == expected)
    #expect(whole.cells == ledger.snapshot().cells)
    let hours = Set((window.isEmpty ? [] : Array(window)).map { Hour(of: $0) })
    let near = ledger.snapshot().cells.keys.filter { hours.contains(Hour(of: Minute($0.minute))) }
    let met = Set(near.map(\.session)).union(lines.map(\.session)).union([""])
    let known = part.cube.series.map { part.names[$0.labels.session] }
    // The latest calls are met, too.
    let latest = second.snapshot().recent.map {
      second.names[second.snapshot().cube.series[Int($0.series)].labels.session]
    }
    #expect(met.union(latest).isSuperset(of: known))
  }

  @Test(arguments: 0..<40)
  func
    `where bands end at more prompt sizes, what is archived belongs to that of its smallest prompt`(
      _ seed: UInt64
    )
  {
    var dice = Dice(seed: 300 + seed)
    let archive = MemoryArchive()
    var ledger = Ledger(restoring: archive.base, archive: nil)
    let lines = dice.lines(30).filter { $0.message != nil }
    for line in lines { ledger.record(line.record(in: &ledger)) }
    _ = archive.commit(ledger.changes())
    var base = archive.base
    base.promptEdges = [500, 1000, 20_000, 50_000]
    let bands: [UInt8] = [0, 2, 4]
    var expected: [CellAddress: CellCounts] = [:]
    for (address, counts) in ledger.snapshot().cells {
      var address = address
      address.band = bands[Int(address.band)]
      expected[address] = counts
    }
    #expect(archive.snapshot(base).cells == expected)
    // Who reads the lines again finds each call, and files it by what it knows now.
    var finer = Ledger(restoring: base, archive: archive)
    for line in lines { #expect(finer.record(line.record(in: &finer)) == .repeated) }
    #expect(finer.snapshot().sum == ledger.snapshot().sum)
  }

  @Test func `the shown part has a short list of addresses, whose positions stay valid`() {
    let archive = MemoryArchive()
    var ledger = Ledger(restoring: archive.base, archive: nil)
    for index in 0..<500 {
      let line = Line(
        at: Int64(index) * 86_400_000, message: "m\(index)", session: "s\(index)",
        tokens: TokenCounts(input: 10))
      ledger.record(line.record(in: &ledger))
    }
    ledger.didCommit(archive.commit(ledger.changes()))
    func cells(_ day: Int32) -> CellList {
      var list = CellList()
      for hour in day * 24..<day * 24 + 24 {
        archive.cells(of: Hour(hour)).forEach { list.append($0) }
      }
      return list
    }
    func show(_ day: Int32, in history: inout ArchivedHistory) {
      history.replace(
        with: [day: cells(day)], addresses: archive.addresses(at:), names: archive.names(at:))
    }
    func snapshot(_ history: inout ArchivedHistory, _ base: LedgerBase) -> UsageSnapshot {
      history.snapshot(
        base, revision: 1, addresses: archive.addresses(at:), names: archive.names(at:))
    }
    var history = ArchivedHistory()
    for day in 490..<500 as Range<Int32> { show(day, in: &history) }
    var base = archive.base
    base.recent = Array(base.recent.suffix(3))
    let week = snapshot(&history, base)
    #expect(week.cube.series.count == 10)
    #expect(
      week.recent.map { week.names[week.cube.series[Int($0.series)].labels.session] } == [
        "s497", "s498", "s499",
      ])
    for day in 0..<5 as Range<Int32> { show(day, in: &history) }
    history.remove(495)
    let more = snapshot(&history, base)
    #expect(more.cube.series.count == 15)
    #expect(Array(more.cube.series[..<10]) == week.cube.series)
    #expect(Set(more.cells.keys.map(\.session)).count == 14)
    #expect(more.revision > week.revision)

    // What was shown without history keeps its positions when there is some.
    var other = ArchivedHistory()
    let all = other.before(ledger.snapshot())
    #expect(all.cube.series == ledger.snapshot().cube.series)
    let emptied = ledger.emptied(archive: archive)
    for day in 0..<500 as Range<Int32> where !emptied.heldHours.contains(Hour(day * 24)) {
      show(day, in: &other)
    }
    let later = other.before(emptied.snapshot())
    #expect(later.cube.series == all.cube.series)
    #expect(later.cells == all.cells)

    // A ledger that goes on later meets the history only.
    var third = ArchivedHistory()
    let fresh = Ledger(restoring: archive.base, archive: archive)
    for day in 0..<500 as Range<Int32> { show(day, in: &third) }
    #expect(third.before(fresh.snapshot()).cells == all.cells)
    #expect(fresh.snapshot(among: archive.book).cells.isEmpty)
    #expect(fresh.snapshot(among: archive.book).cube.series == archive.book.series)
  }
}
