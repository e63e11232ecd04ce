import MimoEngine
import MimoIngest
import MimoStore

/// A ledger as JSON Lines: a line for each call with an id, and for each sum of calls without one.
///
/// It is a log format like any other (`LedgerExportDecoder` reads it), so that what is read twice, or from several
/// machines, counts once.
struct LedgerExport {
  /// Calls answered or billed before the ids were pruned; they are left out, because lines of an earlier export may
  /// tell them one by one.
  private(set) var leftOut: Int64 = 0

  private let origin: String
  private let book: AddressBook
  /// Of sums that were taken in from other ledgers: whose they are.
  private let origins: [UInt64: String]

  /// What is written of a ledger.
  struct Selection {
    /// Whether to write also the sums of calls whose ids were pruned.
    var includesOld = false
    /// Whether a call is written.
    var call: (ArchivedCall) -> Bool = { _ in true }
    /// What is written of a sum; `nil` for nothing.
    var sum: (LedgerSums.Sum) -> ArchivedCell? = { $0.cell }
  }

  /// Writes a ledger, in pieces of some lines.
  init(
    of store: LedgerStore, now: Instant, _ selection: Selection = Selection(),
    to write: @escaping (String) throws(Failure) -> Void
  ) throws(Failure) {
    let (contents, cells, prunedBefore) = try LedgerCommand.attempt { () throws(StoreError) in
      (
        try store.allCalls(), try store.cells(),
        try store.callsPrunedBefore ?? .distantPast
      )
    }
    // Afterwards: then all that cells and calls refer to is there, whoever writes meanwhile.
    (book, origins) = try LedgerCommand.attempt { () throws(StoreError) in
      (try store.addressBook(), try store.sumOrigins())
    }
    origin = Self.origin(of: store)
    var text = LineBuffer(write)
    try text.add(
      JSONOutput.object([
        ("schema", .string(LedgerExportDecoder.schema)), ("ledger_origin", .string(origin)),
        ("exported", .string(LocalClock.utc.text(now))),
      ]).line)

    var sums = LedgerSums(cells, book, origin: origin)
    var also: [UInt64: [UInt64]] = [:]
    for (key, target) in contents.redirects.sorted(by: { $0.key < $1.key }) {
      var target = target
      while let next = contents.redirects[target] { target = next }
      also[target, default: []].append(key)
    }
    let messages = Self.messages(contents.calls)
    for call in contents.calls {
      sums.subtract(call)
      guard selection.call(call) else { continue }
      try text.add(line(of: call, messages, also[call.key] ?? []))
    }
    for sum in sums.all {
      if sum.cell.minute < prunedBefore, !selection.includesOld {
        leftOut += Int64(sum.cell.requests)
        continue
      }
      guard let cell = selection.sum(sum) else { continue }
      for line in lines(of: LedgerSums.Sum(id: sum.id, cell: cell, opens: sum.opens)) {
        try text.add(line)
      }
    }
    try text.flush()
  }

  /// The message ids of calls that are filed under message and request, because another request came first: in another
  /// ledger it may have been the other way around.
  static func messages(_ calls: [ArchivedCall]) -> [UInt64: UInt64] {
    let requests = Set(calls.lazy.filter(\.isSecond).map(\.request))
    if requests.isEmpty { return [:] }
    let seconds = Set(calls.lazy.filter(\.isSecond).map(\.key))
    var messages: [UInt64: UInt64] = [:]
    for call in calls where !call.isSecond && call.rank == .request {
      for request in requests {
        let key = ArchivedCall.key(ofMessage: call.key, request: request)
        if seconds.contains(key) { messages[key] = call.key }
      }
    }
    return messages
  }

  // MARK: - Lines

  private func line(
    of call: ArchivedCall, _ messages: [UInt64: UInt64], _ also: [UInt64]
  ) -> String {
    let key = Self.hex(call.isSecond ? messages[call.key] ?? call.key : call.key)
    // In the ledger that it was taken in from it is no call.
    var members: [(String, JSONOutput)] =
      origins[call.key].map { [("ledger_sum", .string(key)), ("origin", .string($0))] }
      ?? [("ledger_call", .string(key))]
    if !also.isEmpty { members.append(("also", .array(also.map { .string(Self.hex($0)) }))) }
    // Of a call that only a copy told, the export is the evidence now.
    members.append(("rank", .string(max(call.rank, .opening).name)))
    if call.request != 0 { members.append(("request", .integer(Int64(call.request)))) }
    members.append(("time", .string(Self.text(call.time))))
    let series = book.series[Int(call.series)]
    members += address(series, hasConversation: true)
    members += counters(
      call.tokens, call.quantities, calls: call.calls, failed: call.failed, cost: call.statedCost,
      series)
    return JSONOutput.object(members).line
  }

  /// A sum is a line for the calls that were answered and one for those that failed without being billed.
  private func lines(of sum: LedgerSums.Sum) -> [String] {
    let cell = sum.cell
    let series = book.series[Int(cell.series)]
    func line(_ kind: UInt64, calls: UInt32, failed: Bool, _ tokens: TokenCounts) -> String {
      // As the sum grows, its largest counters count.
      var members: [(String, JSONOutput)] = [
        ("ledger_sum", .string(Self.hex(sum.id.combined(with: kind).value))),
        ("origin", .string(origin)), ("time", .string(Self.text(cell.minute.start))),
      ]
      members += address(series, hasConversation: sum.opens)
      members += counters(
        tokens, failed ? Quantities() : cell.quantities, calls: Int32(clamping: calls),
        failed: failed, cost: !failed && cell.statedCalls > 0 ? cell.statedCost : nil, series)
      return JSONOutput.object(members).line
    }
    var lines: [String] = []
    if cell.requests > 0 {
      lines.append(line(0, calls: cell.requests, failed: false, cell.tokens))
    }
    if cell.errors > 0 { lines.append(line(1, calls: cell.errors, failed: true, TokenCounts())) }
    return lines
  }

  private func address(_ series: Series, hasConversation: Bool) -> [(String, JSONOutput)] {
    let labels = series.labels
    var members: [(String, NameID)] = [
      ("source", labels.source), ("model", labels.model), ("provider", labels.provider),
      ("project", labels.project), ("session", labels.session), ("key", labels.key),
    ]
    if hasConversation { members.append(("conversation", series.conversation)) }
    return members.filter { $0.0 == "source" || $0.1 != .none }
      .map { ($0.0, .string(book.names[$0.1])) }
  }

  private func counters(
    _ tokens: TokenCounts, _ quantities: Quantities, calls: Int32, failed: Bool, cost: Amount?,
    _ series: Series
  ) -> [(String, JSONOutput)] {
    var members: [(String, JSONOutput)] = []
    if series.tier != .standard { members.append(("tier", .string("\(series.tier)"))) }
    if series.flags.contains(.cacheUnknown) { members.append(("tells_cache", .bool(false))) }
    if series.flags.contains(.answeredByProxyCache) {
      members.append(("answer_cache", .bool(true)))
    }
    if failed { members.append(("failed", .bool(true))) }
    if calls != 1 {
      members.append(("calls", .integer(Int64(calls))))
      // Calls that read from the cache and calls that did not are never in one sum, unless their log sums them.
      if !series.flags.contains(.sumsCalls) {
        let reading = tokens.cacheRead > 0 ? Int64(calls) : 0
        members.append(("calls_reading_cache", .integer(reading)))
      }
    }
    let counts = [
      ("input", tokens.input), ("cache_read", tokens.cacheRead),
      ("cache_write_5m", tokens.cacheWrite5m), ("cache_write_1h", tokens.cacheWrite1h),
      ("output", tokens.output),
      // Of a sum that grew in steps, one may have more of the part than of the whole.
      ("reasoning", min(tokens.reasoning, tokens.output)),
    ]
    members += counts.filter { $0.1 != 0 }.map { ($0.0, .integer($0.1)) }
    members += Quantities.counters.filter { quantities[keyPath: $0.path] != 0 }
      .map { ($0.name, .integer(quantities[keyPath: $0.path])) }
    // The size of the prompts decides the price; where the counters do not tell it, the smallest of its band does.
    let cube = UsageCube(promptEdges: book.promptEdges)
    let mean = calls > 1 ? tokens.prompt / Int64(calls) : tokens.prompt
    if cube.band(ofPrompt: mean) != series.band {
      members.append(("prompt_size", .integer(cube.smallestPrompt(ofBand: series.band))))
    }
    if let cost { members.append(("stated_cost", .string(cost.exactText))) }
    return members
  }

  private static func text(_ time: Instant) -> String {
    let milliseconds = time.milliseconds - floorDivide(time.milliseconds, 1000) * 1000
    let text = LocalClock.utc.text(time)
    if milliseconds == 0 { return text }
    let digits = String(1000 + milliseconds).dropFirst()
    return text.prefix(19) + "." + digits + text.dropFirst(19)
  }

  private static func hex(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String(256 + Int($0), radix: 16).dropFirst() }.joined()
  }

  /// This ledger's name in its exports.
  static func origin(of store: LedgerStore) -> String { hex(store.origin) }
}

/// Lines that are written many at a time.
private struct LineBuffer {
  private static let size = 1 << 16
  private var text = ""
  private let write: (String) throws(Failure) -> Void

  init(_ write: @escaping (String) throws(Failure) -> Void) { self.write = write }

  mutating func add(_ line: String) throws(Failure) {
    text += line
    text += "\n"
    if text.utf8.count >= Self.size { try flush() }
  }

  mutating func flush() throws(Failure) {
    try write(text)
    text = ""
  }
}

extension LedgerStore {
  /// The kind of notes that tell of which other ledgers sums were taken in: ids of sums by origin.
  private static let sumNotes = "sums"

  /// Whose the sums are that were taken in from other ledgers, by their ids.
  func sumOrigins() throws(StoreError) -> [UInt64: String] {
    var origins: [UInt64: String] = [:]
    for note in try notes(kind: Self.sumNotes) {
      let origin = String(decoding: note.key, as: UTF8.self)
      for id in Self.ids(note.value) { origins[id] = origin }
    }
    return origins
  }

  /// What is to be stored of sums that were taken in.
  func notes(of sums: [String: Set<UInt64>]) throws(StoreError) -> [StoreNote] {
    let known = try notes(kind: Self.sumNotes)
    return sums.map { origin, ids in
      let key = Array(origin.utf8)
      let all = ids.union(Self.ids(known.first { $0.key == key }?.value))
      let bytes = all.sorted().flatMap { id in
        (0..<8).map { UInt8(truncatingIfNeeded: id >> ($0 * 8)) }
      }
      return StoreNote(kind: Self.sumNotes, key: key, value: bytes)
    }
  }

  private static func ids(_ bytes: [UInt8]?) -> [UInt64] {
    let bytes = bytes ?? []
    return stride(from: 0, to: bytes.count - 7, by: 8).map { start in
      (0..<8).reduce(0) { $0 | UInt64(bytes[start + $1]) << ($1 * 8) }
    }
  }
}
