import MimoEngine

/// Codex rollouts: `sessions/YYYY/MM/DD/rollout-*.jsonl`.
///
/// Each answer is reported with its own counters and with those of the whole session so far; the report
/// comes again when only a rate limit changed. Forks and sub-agents begin with a copy of the parent's
/// reports under new times. A call is therefore known by its family (the oldest ancestor that the file
/// names, and the session itself) and the session's counters after it.
/// Source: format notes of the project, section 7.
public struct CodexDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "codex"
  /// As in `RecordDecoder`.
  public static let title = "Codex rollouts"
  /// Lines name neither their session nor their model.
  public static let readsInOrder = true

  private static let ids = IdentitySpace(name)
  private static let keptWithoutModel = 4096

  private var family = Family()
  private var session = NameID.none
  private var project = NameID.none
  private var provider = NameID.none
  private var model = NameID.none
  private var total: Counters?
  /// How often the session's counters began anew: they may after a compaction.
  private var beginnings: UInt64 = 0
  /// Calls that a fork copied before it named a model; they are told again with the first that it names.
  private var withoutModel: [UsageRecord] = []

  /// A decoder at the beginning of a file.
  public init() {}

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard line.beginsObject, ByteSearch.contains("\"payload\"", in: line) else { return .foreign }
    var time: Instant?
    var type: JSONString?
    var payload: JSONCursor?
    var hasMore = false
    var cursor = JSONCursor(line)
    try cursor.readObject { key, cursor throws(DecodeError) in
      if key == "timestamp" {
        time = try LogTime.read(&cursor)
      } else if key == "type" {
        type = try cursor.string()
      } else {
        if key == "payload", cursor.next == .object { payload = cursor } else { hasMore = true }
        try cursor.skipValue()
      }
    }
    try cursor.expectEnd()
    guard let type, var payload else { return .foreign }
    if type == "event_msg" {
      return try decodeEvent(&payload, at: time ?? output.readTime, into: &output)
    } else if type == "session_meta" {
      try readSession(&payload, into: &output)
    } else if type == "turn_context" {
      try readTurn(&payload, into: &output)
    } else if !(type == "response_item" || type == "compacted") {
      // Kinds to come have the same envelope.
      return family.isKnown && time != nil && !hasMore ? .notUsage : .foreign
    }
    return .notUsage
  }

  // MARK: - What later lines need

  private mutating func readSession(_ cursor: inout JSONCursor, into output: inout DecodedLines)
    throws(DecodeError)
  {
    var id: JSONString?
    var parent: JSONString?
    var spawner: JSONString?
    var folder: JSONString?
    var seller: JSONString?
    try cursor.readObject { key, cursor throws(DecodeError) in
      switch key.count {
      case 2 where key == "id": id = try cursor.string()?.ifStated
      case 3 where key == "cwd": folder = try cursor.string()
      case 6 where key == "source": spawner = try Self.readSpawner(&cursor) ?? spawner
      case 14 where key == "forked_from_id": parent = try cursor.string()?.ifStated
      case 14 where key == "model_provider": seller = try cursor.string()
      case 16 where key == "parent_thread_id": spawner = try cursor.string(unless: spawner)
      default: try cursor.skipValue()
      }
    }
    guard let id else { return }
    // A fork repeats what its ancestors say of themselves. Somebody else's session is another file's: rollouts
    // may come one after another through a pipe.
    if hasBegun, !family.contains(id.fingerprint) { self = CodexDecoder() }
    if !family.isKnown {
      session = output.intern(id)
      project = output.intern(folder)
      provider = output.internSeller(seller)
    }
    family.add(id.fingerprint, parent: (parent ?? spawner)?.fingerprint)
  }

  /// Whether the file has come to what was done in the session.
  private var hasBegun: Bool { total != nil || model != .none }

  /// `source.subagent.thread_spawn.parent_thread_id`; otherwise `source` is a word.
  private static func readSpawner(_ cursor: inout JSONCursor) throws(DecodeError) -> JSONString? {
    var parent: JSONString?
    try cursor.readObject { key, cursor throws(DecodeError) in
      guard key == "subagent" else { return try cursor.skipValue() }
      try cursor.readObject { key, cursor throws(DecodeError) in
        guard key == "thread_spawn" else { return try cursor.skipValue() }
        try cursor.readObject { key, cursor throws(DecodeError) in
          guard key == "parent_thread_id" else { return try cursor.skipValue() }
          parent = try cursor.string()?.ifStated
        }
      }
    }
    return parent
  }

  private mutating func readTurn(_ cursor: inout JSONCursor, into output: inout DecodedLines)
    throws(DecodeError)
  {
    var model: JSONString?
    var folder: JSONString?
    try cursor.readObject { key, cursor throws(DecodeError) in
      if key == "model" {
        model = try cursor.string()?.ifStated
      } else if key == "cwd" {
        folder = try cursor.string()?.ifStated
      } else {
        try cursor.skipValue()
      }
    }
    if let folder { project = output.intern(folder) }
    guard let model else { return }
    self.model = output.intern(model)
    for var record in withoutModel {
      record.labels.model = self.model
      output.records.append(record)
    }
    withoutModel = []
  }

  // MARK: - Reports

  private mutating func decodeEvent(
    _ cursor: inout JSONCursor, at time: Instant, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    var isReport = false
    var sum: Counters?
    var single: Counters?
    try cursor.readObject { key, cursor throws(DecodeError) in
      if key == "type" {
        isReport = try cursor.string().map { $0 == "token_count" } ?? false
      } else if key == "info" {
        try cursor.readObject { key, cursor throws(DecodeError) in
          if key == "total_token_usage" {
            sum = try Counters.read(&cursor)
          } else if key == "last_token_usage" {
            single = try Counters.read(&cursor)
          } else {
            try cursor.skipValue()
          }
        }
      } else {
        try cursor.skipValue()
      }
    }
    guard isReport, let state = sum ?? single, state != total else { return .notUsage }
    let fell = total.map { state.fell(from: $0) } ?? false
    let call = single ?? state.less(fell ? nil : total)
    let tokens = try call.prompt.tokens(.inside)
    // Nothing has failed: from here on the state may change.
    total = state
    // Without sums there is nothing that could fall.
    if fell, sum != nil { beginnings += 1 }
    if tokens.isZero { return .notUsage }
    var identity = Self.ids.identity(family.root, [beginnings, state.number])
    if family.root != family.own {
      // Where a fork of this session names no older ancestor.
      identity.alias = Self.ids.identity(family.own, [beginnings, state.number]).message
    }
    var record = UsageRecord(
      time: time, identity: identity,
      labels: Labels(
        model: model, provider: provider, source: output.names.intern(Self.name), project: project,
        session: session))
    record.conversation = session
    record.tokens = tokens
    record.tellsCache = call.prompt.tellsCache
    output.records.append(record)
    if model == .none, withoutModel.count < Self.keptWithoutModel { withoutModel.append(record) }
    return .usage
  }
}

/// Who a session descends from, as far as its file tells.
private struct Family: Sendable {
  /// A number for the session's id; 0 if it is not stated.
  private(set) var own: UInt64 = 0
  private var parents: [UInt64: UInt64] = [:]

  /// Whether the file has named its session.
  var isKnown: Bool { own != 0 }

  func contains(_ id: Fingerprint) -> Bool {
    own == id.value || parents[id.value] != nil || parents.values.contains(id.value)
  }

  /// Adds what a session says of itself; one that nobody named is the parent of the oldest so far.
  mutating func add(_ id: Fingerprint, parent: Fingerprint?) {
    if own == 0 {
      own = id.value
    } else if !contains(id) {
      parents[root] = id.value
    }
    if let parent, parent != id { parents[id.value] = parent.value }
  }

  /// The oldest ancestor known; the session itself if it has none.
  var root: UInt64 {
    var id = own
    // As many steps as there are links: hostile files may link in a circle.
    for _ in parents { id = parents[id] ?? id }
    return id
  }
}

/// Token counters of one answer or of a session so far: cached tokens are inside the input.
private struct Counters: Hashable, Sendable {
  var prompt = PromptCounters()

  static func == (a: Counters, b: Counters) -> Bool { a.numbers == b.numbers }
  func hash(into hasher: inout Hasher) { hasher.combine(numbers) }

  private var numbers: [Int64] {
    [prompt.prompt, prompt.read, prompt.written, prompt.output, prompt.reasoning].map { $0 ?? 0 }
  }

  /// The same for the same counters.
  var number: UInt64 {
    numbers.reduce(Fingerprint(value: 1)) { $0.combined(with: UInt64(bitPattern: $1)) }.value
  }

  /// Whether these cannot be later sums of the same count.
  func fell(from earlier: Counters) -> Bool {
    (prompt.prompt ?? 0) < (earlier.prompt.prompt ?? 0)
      || (prompt.output ?? 0) < (earlier.prompt.output ?? 0)
  }

  /// What came since `earlier`.
  func less(_ earlier: Counters?) -> Counters {
    guard let earlier = earlier?.prompt else { return self }
    func rise(_ path: KeyPath<PromptCounters, Int64?>) -> Int64? {
      prompt[keyPath: path].map { max(0, $0 - (earlier[keyPath: path] ?? 0)) }
    }
    return Counters(
      prompt: PromptCounters(
        prompt: rise(\.prompt), read: rise(\.read), written: rise(\.written),
        output: rise(\.output), reasoning: rise(\.reasoning)))
  }

  static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> Counters? {
    guard cursor.next == .object else {
      try cursor.skipValue()
      return nil
    }
    var counters = PromptCounters()
    try cursor.readObject { key, cursor throws(DecodeError) in
      switch key.count {
      case 12 where key == "input_tokens": counters.prompt = try cursor.count()
      case 13 where key == "output_tokens": counters.output = try cursor.count()
      case 19 where key == "cached_input_tokens": counters.read = try cursor.count()
      case 23 where key == "reasoning_output_tokens": counters.reasoning = try cursor.count()
      case 24 where key == "cache_write_input_tokens": counters.written = try cursor.count()
      case 27 where key == "cache_creation_input_tokens": counters.written = try cursor.count()
      default: try cursor.skipValue()
      }
    }
    return counters.isEmpty ? nil : Counters(prompt: counters)
  }
}
