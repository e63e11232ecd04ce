/// What outlives a ledger: everything counted in earlier runs, from which the ledger takes what it needs.
///
/// A ledger with an archive holds little: a call, the cells of an hour and the opening of a conversation come
/// from here when a record touches them, and are from then on the ledger's own, until they are committed.
///
/// An archive that cannot answer says that it has nothing and remembers why; whoever commits asks for that and
/// commits nothing more, so that no number is stored that was made without it.
///
/// An archive numbers addresses and names in its own way, the ledger in another: see `ArchiveNumbers`.
public protocol LedgerArchive: Sendable {
  /// The call with this key, also where it turned out to be another call, which is returned then.
  func call(_ key: UInt64) -> ArchivedCall?
  /// All cells of an hour.
  func cells(of hour: Hour) -> [ArchivedCell]
  /// The calls that may open a conversation, given by the bytes of its name; `nil` if none of it is known.
  func opening(of conversation: [UInt8]) -> ArchivedOpening?
  /// All calls with an id that are filed under a conversation.
  func calls(of conversation: [UInt8]) -> [ArchivedCall]
  /// The addresses with these numbers, in this order; fewer, or none, if the archive cannot answer.
  func addresses(at numbers: [UInt32]) -> [ArchivedAddress]
  /// The names with these numbers, in this order; fewer, or none, if the archive cannot answer.
  func names(at numbers: [UInt32]) -> [[UInt8]]
}

/// An address as an archive has it.
public struct ArchivedAddress: Hashable, Sendable {
  /// The address; its names are numbers of the archive, and its band means nothing.
  public var series: Series
  /// The smallest prompt of its band.
  public var smallestPrompt: Int64

  /// Creates an address.
  public init(series: Series, smallestPrompt: Int64) {
    self.series = series
    self.smallestPrompt = smallestPrompt
  }
}

/// A whole hour in UTC, counted from 1970-01-01T00Z: what an archive keeps cells by.
public struct Hour: Hashable, Comparable, Sendable {
  /// Hours since the epoch.
  public var number: Int32

  /// The hour with this number.
  public init(_ number: Int32) { self.number = number }

  /// The hour a minute belongs to.
  public init(of minute: Minute) { number = floorDivide(minute.number, 60) }

  /// Its minutes.
  public var minutes: Range<Minute> { Minute(number * 60)..<Minute(number * 60 + 60) }

  /// The day in UTC, counted from 1970-01-01.
  public var day: Int32 { floorDivide(number, 24) }

  /// Whether the first is earlier.
  public static func < (a: Hour, b: Hour) -> Bool { a.number < b.number }
}

/// A cell with all that is beside it.
public struct ArchivedCell: Hashable, Sendable {
  /// The minute, in UTC.
  public var minute: Minute
  /// The number of its address: the archive's, or in `LedgerChanges` the ledger's.
  public var series: UInt32
  /// Calls answered or billed.
  public var requests: UInt32
  /// Calls the log marks as failed.
  public var errors: UInt32
  /// The tokens of these calls.
  public var tokens: TokenCounts
  /// The sum of the costs that logs state, in US dollars.
  public var statedCost: Amount
  /// How many calls state a cost.
  public var statedCalls: Int64
  /// What was used beside text.
  public var quantities: Quantities

  /// A cell without usage.
  public init(minute: Minute, series: UInt32) {
    self.minute = minute
    self.series = series
    (requests, errors, tokens) = (0, 0, TokenCounts())
    (statedCost, statedCalls, quantities) = (.zero, 0, Quantities())
  }

  init(_ cell: UsageCell, _ extras: CellExtras?) {
    self.init(minute: cell.minute, series: cell.series)
    (requests, errors, tokens) = (cell.requests, cell.errors, cell.tokens)
    if let extras {
      (statedCost, statedCalls) = (extras.stated.amount, extras.stated.calls)
      quantities = extras.quantities
    }
  }

  var extras: CellExtras {
    CellExtras(stated: StatedCost(amount: statedCost, calls: statedCalls), quantities: quantities)
  }

  /// Whether nothing is counted in it.
  public var isEmpty: Bool { requests | errors == 0 }

  /// Adds what another cell has.
  public mutating func add(_ other: ArchivedCell) {
    tokens += other.tokens
    requests += other.requests
    errors += other.errors
    statedCost += other.statedCost
    statedCalls += other.statedCalls
    quantities.add(other.quantities)
  }

  /// What this one has more than another, in each counter.
  public func beyond(_ other: ArchivedCell) -> ArchivedCell {
    var rest = ArchivedCell(minute: minute, series: series)
    rest.requests = requests - min(requests, other.requests)
    rest.errors = errors - min(errors, other.errors)
    rest.tokens = (tokens - other.tokens).maximum(TokenCounts())
    rest.statedCost = max(statedCost, other.statedCost) - other.statedCost
    rest.statedCalls = max(0, statedCalls - other.statedCalls)
    rest.quantities = quantities
    rest.quantities.add(other.quantities, sign: -1)
    rest.quantities = rest.quantities.maximum(Quantities())
    return rest
  }

  /// Takes away what a call counted that is in it.
  public mutating func subtract(_ call: ArchivedCall) {
    let counted = Ledger.Contribution(
      tokens: call.tokens, beside: BesideTokens(), calls: call.calls, failed: call.failed)
    tokens = tokens - call.tokens
    requests -= counted.requests
    errors -= counted.errors
    quantities.add(call.quantities, sign: -1)
    if let cost = call.statedCost {
      statedCost += .zero - cost
      statedCalls -= 1
    }
  }
}

/// What is remembered of a call with an id: what it counted, and where.
public struct ArchivedCall: Hashable, Sendable {
  /// What it is found by: a fingerprint of its id.
  public var key: UInt64
  /// Its request id, shortened; 0 without one.
  public var request: UInt32
  /// How good the evidence of it is.
  public var rank: CallIdentity.Rank
  /// Whether another request came first under its message id.
  public var isSecond: Bool
  /// Whether all lines of it say that it failed.
  public var failed: Bool
  /// When its earliest line was written. Its cell is the one of this minute and of `series`.
  public var time: Instant
  /// The number of its address: the archive's, or in `LedgerChanges` the ledger's.
  public var series: UInt32
  /// Tokens counted.
  public var tokens: TokenCounts
  /// What it used beside text.
  public var quantities: Quantities
  /// The cost that its log states, in US dollars.
  public var statedCost: Amount?
  /// How many calls it stands for.
  public var calls: Int32

  /// What remains of a call that was forgotten, so that it is not counted again: its key.
  ///
  /// - Parameters:
  ///   - time: when it was forgotten.
  ///   - series: the number of any address.
  public init(forgotten key: UInt64, time: Instant, series: UInt32) {
    self.init(key: key, time: time, series: series)
    calls = 0
  }

  /// Whether nothing but the key remains of it.
  public var isForgotten: Bool { calls == 0 }

  /// The key of a call under its message and request id.
  public static func key(ofMessage message: UInt64, request: UInt32) -> UInt64 {
    Ledger.Call.key(Fingerprint(value: message), request)
  }

  /// A call without usage.
  public init(key: UInt64, time: Instant, series: UInt32) {
    self.key = key
    self.time = time
    self.series = series
    (request, rank, isSecond, failed) = (0, .message, false, false)
    (tokens, quantities, statedCost, calls) = (TokenCounts(), Quantities(), nil, 1)
  }
}

/// The calls of a conversation of which the earlier opens it.
public struct ArchivedOpening: Hashable, Sendable {
  /// The key of the earliest call with an id.
  public var call: UInt64?
  /// The earliest call without one; its `key` means nothing.
  public var nameless: ArchivedCall?

  /// Calls that may open a conversation.
  public init(call: UInt64?, nameless: ArchivedCall?) {
    self.call = call
    self.nameless = nameless
  }
}

/// One of the latest calls.
public struct ArchivedRecent: Hashable, Sendable {
  /// The call. Its `key` means nothing if it has no id.
  public var call: ArchivedCall
  /// Whether it has an id.
  public var hasID: Bool
  /// How long it took, if the log tells.
  public var durationMilliseconds: Int32?

  /// Creates an entry.
  public init(call: ArchivedCall, hasID: Bool, durationMilliseconds: Int32?) {
    self.call = call
    self.hasID = hasID
    self.durationMilliseconds = durationMilliseconds
  }
}

/// The sums over all cells, to keep all other sums within what they can hold.
public struct LedgerLoad: Hashable, Sendable {
  /// Tokens, and things beside text.
  public var counts: Int64 = 0
  /// Calls.
  public var calls: Int64 = 0

  /// Nothing.
  public init(counts: Int64 = 0, calls: Int64 = 0) {
    self.counts = counts
    self.calls = calls
  }
}

/// What a ledger starts with.
public struct LedgerBase: Sendable {
  /// Prompt sizes at which some price changes, ascending.
  public var promptEdges: [Int64]
  /// Whether nothing is archived, so that nobody has to be asked.
  public var isEmpty = true
  /// The latest calls, oldest first.
  public var recent: [ArchivedRecent] = []
  /// The sums over all archived cells.
  public var load = LedgerLoad()
  /// Calls before this minute are counted no more, because the archive does not know their ids any more, or is not to
  /// know of them; `nil` if there is no such limit.
  public var notBefore: Minute?
  /// Sources of which calls without ids before an instant are not counted, because they were forgotten: by the
  /// fingerprints of their names. Only for counting logs anew; other calls are known to be forgotten by their ids.
  public var forgottenSources: [Fingerprint: Instant] = [:]

  /// What a ledger without a past starts with.
  public init(promptEdges: [Int64]) { self.promptEdges = promptEdges }
}

/// All names and addresses of an archive, by its own numbers: for whoever goes over everything that is in it.
public struct AddressBook: Sendable {
  /// The prompt sizes at which the bands of the addresses end, ascending.
  public var promptEdges: [Int64]
  /// The names.
  public var names = NameTable()
  /// The addresses.
  public var series: [Series] = []

  /// A book without addresses.
  public init(promptEdges: [Int64]) { self.promptEdges = promptEdges }
}

/// What changed in a ledger since the last commit: absolute values, so that storing them twice does no harm.
///
/// Addresses and names have the numbers of the ledger.
public struct LedgerChanges: Sendable {
  /// The names of the ledger.
  public var names = NameTable()
  /// Prompt sizes at which its bands end, ascending.
  public var promptEdges: [Int64] = []
  /// Its addresses.
  public var series: [Series] = []
  /// For each address its number in the archive, as far as that is known: `unknownNumber` elsewhere, and of those behind
  /// the last.
  public var numbers: [UInt32] = []
  /// All cells that are not empty of each hour in which one changed.
  public var hours: [Hour: [ArchivedCell]] = [:]
  /// Calls that are new or changed.
  public var calls: [ArchivedCall] = []
  /// Keys under which a call is found that is filed under another. A call filed under the first is gone.
  public var redirects: [UInt64: UInt64] = [:]
  /// Conversations with another opening.
  public var openings: [NameID: ArchivedOpening] = [:]
  /// The sums over all cells.
  public var load = LedgerLoad()
  /// The latest calls, oldest first; `nil` if they are the same.
  public var recent: [ArchivedRecent]?

  /// Stands for a number that is not known.
  public static let unknownNumber = UInt32.max

  /// No changes.
  public init() {}

  /// Whether there is nothing to store.
  public var isEmpty: Bool {
    hours.isEmpty && calls.isEmpty && redirects.isEmpty && openings.isEmpty && recent == nil
  }
}
