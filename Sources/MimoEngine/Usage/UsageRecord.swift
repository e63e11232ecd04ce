/// One finished model call (or, from summed exports, several alike), as a log states it.
public struct UsageRecord: Hashable, Sendable {
  /// When the call was made, as near as the log tells.
  public var time: Instant
  /// What makes the call the same call in another line; `nil` if the log gives it no id.
  public var identity: CallIdentity?
  /// Which model, for whom: all that a table can group by.
  public var labels: Labels
  /// The conversation whose growing prompt the cache holds: the session, or a sub-agent in it.
  public var conversation: NameID = .none
  /// Tokens billed.
  public var tokens = TokenCounts()
  /// Whether the log tells how many prompt tokens came from the cache; if not, the hit rate is unknown.
  public var tellsCache = true
  /// The way of service that the price depends on.
  public var tier = ServiceTier.standard
  /// Whether the log marks the call as failed.
  public var failed = false
  /// Whether a proxy answered from its own answer cache, so that no model was called.
  public var answeredByProxyCache = false
  /// How many calls this stands for: 1, or more for rows that sum several.
  public var calls: Int32 = 1
  /// Whether all of several calls read from the cache, or none: then the tokens tell which, as of a single call.
  public var readsCacheAlike = false
  /// What few logs tell.
  var beside = BesideTokens()
  // A record is copied for every call: numbers that stand for `nil` keep it small.
  private var promptTokens: Int64 = -1
  /// How long the call took, if the log tells.
  public var durationMilliseconds: Int32?
  /// Whether the log states a call anew in place of what it stated before: a rewritten entry or row.
  /// What was counted of the call gives way then, counters that shrank included.
  public var isRevision = false

  /// Creates a record without tokens.
  public init(time: Instant, identity: CallIdentity? = nil, labels: Labels = Labels()) {
    self.time = time
    self.identity = identity
    self.labels = labels
  }

  /// How large the prompts were that are summed here, for the price; `nil` takes the mean.
  public var promptSize: Int64? {
    get { promptTokens < 0 ? nil : promptTokens }
    set { promptTokens = newValue ?? -1 }
  }

  /// The cost in US dollars that the log itself states.
  public var statedCost: Amount? {
    get { beside.statedCost }
    set { beside.statedCost = newValue }
  }

  /// What it used beside text.
  public var quantities: Quantities {
    get { beside.quantities }
    set { beside.quantities = newValue }
  }

  /// Whether this is a call that was billed or answered, not just a failure.
  public var isRequest: Bool { !failed || !tokens.isZero }
}

/// What few logs tell of a call beside its tokens.
struct BesideTokens: Hashable, Sendable {
  /// Whether there is nothing; asked several times for each call.
  private(set) var isNothing = true
  private var counts = Quantities()
  private var cost = Self.noCost

  private static let noCost = Int128.min

  /// Things and the kinds of tokens.
  var quantities: Quantities {
    get { counts }
    set {
      counts = newValue
      isNothing = counts.isZero && cost == Self.noCost
    }
  }

  /// The cost in US dollars that the log states.
  var statedCost: Amount? {
    get { cost == Self.noCost ? nil : Amount(atto: cost) }
    set {
      cost = newValue?.atto ?? Self.noCost
      isNothing = counts.isZero && cost == Self.noCost
    }
  }

  /// The larger of each of the two: what a repeated answer adds up to.
  func maximum(_ other: BesideTokens) -> BesideTokens {
    if isNothing { return other }
    if other.isNothing { return self }
    var result = BesideTokens()
    result.quantities = counts.maximum(other.counts)
    result.statedCost =
      max(cost, other.cost) == Self.noCost ? nil : Amount(atto: max(cost, other.cost))
    return result
  }
}

/// The names a call is filed under. `NameID.none` stands for what the log does not say.
public struct Labels: Hashable, Sendable {
  /// The model as the log names it.
  public var model: NameID
  /// The seller as the log names it (a provider's name or the host of its address).
  public var provider: NameID
  /// The tool or format whose log this is.
  public var source: NameID
  /// The project: usually a working directory.
  public var project: NameID
  /// The session.
  public var session: NameID
  /// The key or user the call was made with.
  public var key: NameID

  /// Creates labels; what is not given is not stated.
  public init(
    model: NameID = .none, provider: NameID = .none, source: NameID = .none,
    project: NameID = .none, session: NameID = .none, key: NameID = .none
  ) {
    self.model = model
    self.provider = provider
    self.source = source
    self.project = project
    self.session = session
    self.key = key
  }
}

/// What a call is recognised by when it is written more than once.
///
/// Logs repeat an answer while it streams, copy it into the files of sub-agents and resumed sessions, and
/// some leave out the request id. The evidence therefore has ranks; of one message only the lines of the
/// highest rank seen count, and within a rank each counter's largest value. The outcome is the same in
/// whatever order the lines come.
public struct CallIdentity: Hashable, Sendable {
  /// How good the evidence is that a line is the call itself.
  public enum Rank: UInt8, Comparable, CaseIterable, Sendable {
    /// A copy of another file's answer inside a line of another kind.
    case embeddedCopy
    /// The opening of a stream, whose counters are not final.
    case opening
    /// The message id alone: no request id, or a file that may repeat its parent's messages.
    case message
    /// Message id and request id: two such lines with different request ids are two calls.
    case request

    /// What exports call it.
    public var name: String {
      switch self {
      case .embeddedCopy: "copy"
      case .opening: "opening"
      case .message: "message"
      case .request: "request"
      }
    }

    /// Whether the first is the weaker evidence.
    public static func < (a: Rank, b: Rank) -> Bool { a.rawValue < b.rawValue }
  }

  /// The message (answer) id.
  public var message: Fingerprint
  /// The request id; only meaningful with rank `.request`.
  public var request: UInt64
  /// How good the evidence is.
  public var rank: Rank
  /// Another message id that the call has in other files: lines that share either are one call. Only with
  /// rank `.message`.
  public var alias: Fingerprint? {
    get { aliasValue == 0 ? nil : Fingerprint(value: aliasValue) }
    set { aliasValue = newValue?.value ?? 0 }
  }
  private var aliasValue: UInt64 = 0

  /// Creates an identity.
  public init(message: Fingerprint, request: UInt64 = 0, rank: Rank = .message) {
    self.message = message
    self.request = rank == .request ? request : 0
    self.rank = rank
  }
}
