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
  private let base: LedgerBase
  private let prunedBefore: Minute

  /// What a line would be of.
  enum Entry {
    case call(key: UInt64)
    case sum(source: String, session: String)
  }

  /// Writes a ledger.
  ///
  /// - Parameters:
  ///   - includesOld: whether to write also the sums of calls whose ids were pruned.
  ///   - isWanted: what to write of it; all, usually.
  init(
    of store: LedgerStore, promptEdges: [Int64], now: Instant, includesOld: Bool = false,
    where isWanted: (Entry) -> Bool = { _ in true }, to write: (String) -> Void
  ) throws(StoreError) {
    base = try store.base(promptEdges: promptEdges, now: now)
    origin = Self.hex(store.origin)
    prunedBefore = try store.callsPrunedBefore ?? .distantPast
    write(
      JSONOutput.object([
        ("schema", .string(LedgerExportDecoder.schema)), ("ledger_origin", .string(origin)),
        ("exported", .string(LocalClock.utc.text(now))),
      ]).line + "\n")

    let contents = try store.allCalls()
    var rest = Remainders(try store.cells())
    var also: [UInt64: [UInt64]] = [:]
    for (key, target) in contents.redirects.sorted(by: { $0.key < $1.key }) {
      var target = target
      while let next = contents.redirects[target] { target = next }
      also[target, default: []].append(key)
    }
    let messages = Self.messages(contents.calls)
    for call in contents.calls {
      rest.subtract(call)
      if isWanted(.call(key: call.key)) {
        write(line(of: call, messages, also[call.key] ?? []) + "\n")
      }
    }
    for cell in rest.cells {
      if cell.minute < prunedBefore, !includesOld {
        leftOut += Int64(cell.requests)
        continue
      }
      let labels = base.series[Int(cell.series)].labels
      let entry = Entry.sum(source: base.names[labels.source], session: base.names[labels.session])
      guard isWanted(entry) else { continue }
      for line in lines(of: cell) { write(line + "\n") }
    }
  }

  /// The message ids of calls that are filed under message and request, because another request came first: in another
  /// ledger it may have been the other way around.
  private static func messages(_ calls: [ArchivedCall]) -> [UInt64: UInt64] {
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
    var members: [(String, JSONOutput)] = [
      ("ledger_call", .string(Self.hex(call.isSecond ? messages[call.key] ?? call.key : call.key)))
    ]
    if !also.isEmpty { members.append(("also", .array(also.map { .string(Self.hex($0)) }))) }
    // Of a call that only a copy told, the export is the evidence now.
    members.append(("rank", .string(max(call.rank, .opening).name)))
    if call.request != 0 { members.append(("request", .integer(Int64(call.request)))) }
    members.append(("time", .string(Self.text(call.time))))
    let series = base.series[Int(call.series)]
    members += address(series, hasConversation: true)
    members += counters(
      call.tokens, call.quantities, calls: call.calls, failed: call.failed, cost: call.statedCost,
      series)
    return JSONOutput.object(members).line
  }

  /// A sum is a line for the calls that were answered and one for those that failed without being billed.
  private func lines(of cell: ArchivedCell) -> [String] {
    let series = base.series[Int(cell.series)]
    func line(_ kind: UInt64, calls: UInt32, failed: Bool, _ tokens: TokenCounts) -> String {
      // The same sum has the same id in each export of this ledger; as it grows, its largest counters count.
      let id = Fingerprint(of: origin).combined(with: fingerprint(of: series))
        .combined(with: UInt64(bitPattern: Int64(cell.minute.number))).combined(with: kind)
      var members: [(String, JSONOutput)] = [
        ("ledger_sum", .string(Self.hex(id.value))),
        ("time", .string(Self.text(cell.minute.start))),
      ]
      members += address(series, hasConversation: series.flags.contains(.opensConversation))
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
      .map { ($0.0, .string(base.names[$0.1])) }
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
    if calls != 1 { members.append(("calls", .integer(Int64(calls)))) }
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
    let cube = UsageCube(promptEdges: base.promptEdges)
    let mean = calls > 1 ? tokens.prompt / Int64(calls) : tokens.prompt
    if cube.band(ofPrompt: mean) != series.band {
      members.append(("prompt_size", .integer(cube.smallestPrompt(ofBand: series.band))))
    }
    if let cost { members.append(("stated_cost", .string(cost.exactText))) }
    return members
  }

  private func fingerprint(of series: Series) -> UInt64 {
    let labels = series.labels
    let names = [
      labels.model, labels.provider, labels.source, labels.project, labels.session, labels.key,
      series.conversation,
    ].map { base.names[$0] }.joined(separator: "\0")
    let cube = UsageCube(promptEdges: base.promptEdges)
    return Fingerprint(of: names)
      .combined(
        with: UInt64(series.tier.rawValue) << 8 | UInt64(series.flags.rawValue)
      )
      .combined(with: UInt64(cube.smallestPrompt(ofBand: series.band))).value
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

/// What cells have beyond the calls that are told one by one.
private struct Remainders {
  private struct Address: Hashable {
    var minute: Minute
    var series: UInt32
  }

  private var sums: [Address: ArchivedCell] = [:]

  init(_ list: CellList) {
    list.forEach { cell in sums[Address(minute: cell.minute, series: cell.series)] = cell }
  }

  mutating func subtract(_ call: ArchivedCall) {
    let address = Address(minute: call.time.minute, series: call.series)
    guard var cell = sums[address] else { return }
    cell.subtract(call)
    sums[address] = cell.isEmpty ? nil : cell
  }

  /// In order of time.
  var cells: [ArchivedCell] {
    sums.values.filter { !$0.isEmpty }.sorted { ($0.minute, $0.series) < ($1.minute, $1.series) }
  }
}
