import MimoEngine
import MimoStore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What a year in the ledger costs: bytes on the disk, and the time to begin with it and to go on.
enum StoreBenchmark {
  private static let lastMinute = Int32(time(nil) / 60)
  private static let year: Int32 = 365 * 1440

  /// Prints the figures of `cells` cells, each of one call, twenty in each of their conversations.
  static func run(cells: Int, folder: String) {
    do {
      try measure(cells, folder)
    } catch {
      fail("mimo-top-bench: \(error)\n")
    }
  }

  private static func measure(_ cells: Int, _ folder: String) throws(StoreError) {
    let now = Minute(lastMinute).start
    var changes = year(of: cells)
    let calls = changes.calls
    changes.calls = []
    var store = try LedgerStore.open(folder: folder, access: .write, now: now)
    let numbers = try store.commit(changes, now: now)
    store.close()
    let bytes = fileSize(store.path)
    print("\(changes.series.count) series, \(changes.names.count - 1) names")
    print("\(bytes / Int64(cells)) bytes on disk for each of \(cells) cells, all but calls")
    store = try LedgerStore.open(folder: folder, access: .write, now: now)
    changes.hours = [:]
    changes.numbers = numbers
    changes.calls = calls
    let filling = seconds { try! store.commit(changes, now: now) }
    print("\(milliseconds(filling)) ms to commit \(calls.count) calls")
    store.close()
    print("\((fileSize(store.path) - bytes) / Int64(calls.count)) bytes on disk for each call")

    let opening = median { _ = try! LedgerStore.open(folder: folder, access: .read, now: now) }
    print("\(opening) ms to open it")
    for days in [35, 365] as [Int32] {
      let time = median {
        let reader = try! LedgerStore.open(folder: folder, access: .read, now: now)
        _ = try! reader.base(promptEdges: [], now: now)
        let hours = Hour(of: Minute(lastMinute - days * 1440))..<Hour(.max)
        var history = ArchivedHistory()
        try! history.replace(
          with: [0: reader.cells(in: hours)], addresses: reader.storedAddresses(at:),
          names: reader.storedNames(at:))
      }
      print("\(time) ms to open, with the cells of \(days) days, their names and addresses")
    }
    store = try LedgerStore.open(folder: folder, access: .write, now: now)
    let book = median { _ = try! store.addressBook() }
    print("\(book) ms for all names and addresses")
    let decoding = seconds { _ = try! store.cells() }
    print("\((decoding * 1e9 / Double(cells)).rounded()) ns to read a cell of the whole year")
    lookups(in: store, calls)
    try commits(to: store, changes, calls, now)
  }

  private static func lookups(in store: LedgerStore, _ calls: [ArchivedCall]) {
    var random = SystemRandomNumberGenerator()
    let known = (0..<100_000).map { _ in calls[Int.random(in: 0..<calls.count)].key }
    for (name, keys) in [("known", known), ("new", known.map { _ in random.next() })] {
      var found = 0
      let time = seconds { for key in keys { found += store.call(key) == nil ? 0 : 1 } }
      precondition(found == (name == "known" ? keys.count : 0), "keys are found")
      print("\((time * 1e9 / Double(keys.count)).rounded()) ns to look up a \(name) call")
    }
  }

  /// A hundred calls of the present hour at a time, as they come in while somebody works.
  private static func commits(
    to store: LedgerStore, _ before: LedgerChanges, _ calls: [ArchivedCall], _ now: Instant
  ) throws(StoreError) {
    var random = SystemRandomNumberGenerator()
    let hour = Hour(of: now.minute)
    let time = median {
      var changes = before
      changes.calls = (0..<100).map { _ in
        var call = calls[calls.count - 1]
        call.key = random.next()
        return call
      }
      changes.hours[hour] = (0..<100 as Range<Int32>).map { index in
        var cell = ArchivedCell(
          minute: Minute(hour.number * 60 + index % 60), series: UInt32(index))
        cell.requests = 1
        cell.tokens = calls[calls.count - 1].tokens
        return cell
      }
      changes.recent = calls.suffix(256).map {
        ArchivedRecent(call: $0, hasID: true, durationMilliseconds: 1000)
      }
      try! store.commit(changes, now: now)
    }
    print("\(time) ms to commit 100 calls in 100 cells")
  }

  /// Conversations of twenty calls in three hours, spread over a year; tokens as those of coding tools.
  private static func year(of cells: Int) -> LedgerChanges {
    var random = SystemRandomNumberGenerator()
    var changes = LedgerChanges()
    let projects = 50
    func name(_ text: String) -> NameID {
      changes.names.intern(text)
    }
    let modelNames = [
      "mimo-v2.6-pro", "mimo-v2.6-flash", "mimo-v2.5-pro", "deepseek-v4-pro", "deepseek-flash",
      "claude-opus-5",
    ].map(name)
    let projectNames = (0..<projects).map { name("/home/ana/projects/\($0)") }
    let source = name("claude-code")
    for conversation in 0..<max(1, cells / 20) {
      let session = name(String(random.next(), radix: 16) + "-" + String(random.next(), radix: 16))
      changes.series.append(
        Series(
          labels: Labels(
            model: modelNames[conversation % modelNames.count], source: source,
            project: projectNames[conversation % projects], session: session),
          conversation: session, tier: .standard, band: 0, flags: .readsCache))
      let first = Int32.random(in: lastMinute - year..<lastMinute - 180)
      for minute in Set((0..<22).map { _ in Int32.random(in: 0..<180) }).prefix(20) {
        var cell = ArchivedCell(minute: Minute(first + minute), series: UInt32(conversation))
        cell.requests = 1
        cell.tokens = TokenCounts(
          input: .random(in: 0...3000), cacheRead: .random(in: 10_000...150_000),
          cacheWrite5m: .random(in: 200...5000), output: .random(in: 1...2000))
        var call = ArchivedCall(
          key: random.next(),
          time: cell.minute.start.advanced(byMilliseconds: .random(in: 0..<60_000)),
          series: cell.series)
        call.request = UInt32.random(in: 1...UInt32.max)
        call.rank = .request
        call.tokens = cell.tokens
        changes.calls.append(call)
        changes.hours[Hour(of: cell.minute), default: []].append(cell)
      }
    }
    return changes
  }

  private static func fileSize(_ path: String) -> Int64 {
    var about = stat()
    return stat(path, &about) == 0 ? Int64(about.st_size) : 0
  }
}
