import MimoEngine

/// The calls of a document that is rewritten, as they were at its last reading.
struct DocumentCalls: Sendable {
  /// What each call said, by the fingerprint of its identity: the chance to miss a change is one in four billion.
  private var known: [UInt64: UInt32] = [:]
  /// The same in another process, until it is needed.
  private var stored: [UInt8] = []
  /// Stands for the path under which the document was read first.
  private var place: Fingerprint?

  /// Those of a document that was not read yet.
  init() {}

  /// Leaves in `output` what is new or changed since the last reading, and marks the changed.
  mutating func keepNews(in output: inout DecodedLines, of path: String) {
    unfold()
    let place = place ?? Fingerprint(of: path)
    self.place = place
    var present: [UInt64: UInt32] = [:]
    var anonymous: Set<CallIdentity> = []
    var keys: [UInt64] = []
    for index in output.records.indices {
      let content = output.records[index].fingerprint(output.names, readAt: output.readTime)
      if output.records[index].identity == nil {
        // Without an id the content stands for it; equal entries are told apart by their order.
        var identity = CallIdentity(message: place.combined(with: content.value))
        while !anonymous.insert(identity).inserted {
          identity.message = identity.message.combined(with: 1)
        }
        output.records[index].identity = identity
      }
      let key = output.records[index].identity!.key
      keys.append(key)
      // Entries of one call change together.
      present[key] = (present[key] ?? 0) &* 31 &+ UInt32(truncatingIfNeeded: content.value)
    }
    var seen: Set<UInt64> = []
    var kept: [UsageRecord] = []
    for (var record, key) in zip(output.records, keys) where known[key] != present[key] {
      record.isRevision = known[key] != nil && seen.insert(key).inserted
      kept.append(record)
    }
    output.records = kept
    known.merge(present) { $1 }
  }

  // MARK: - Going on in another process

  /// Adds what is known.
  func write(to state: inout StateWriter) {
    state.add(place?.value ?? 0)
    guard stored.isEmpty else { return state.add(stored) }
    var calls = StateWriter()
    for (key, content) in known {
      calls.add(hash: key)
      calls.add(hash: content)
    }
    state.add(calls.bytes)
  }

  /// What another process has written.
  init(from state: inout StateReader) throws(StateDamage) {
    let place = try state.number()
    self.place = place == 0 ? nil : Fingerprint(value: place)
    stored = try state.content()
  }

  /// Most documents never change again, so what is stored of them is read when one does.
  private mutating func unfold() {
    var calls = StateReader(stored)
    while let key = try? calls.hash(), let content = try? calls.shortHash() {
      known[key] = content
    }
    stored = []
  }
}

extension CallIdentity {
  /// Stands for the identity, without what it is called elsewhere.
  fileprivate var key: UInt64 {
    message.combined(with: request).combined(with: UInt64(rank.rawValue)).value
  }
}

extension UsageRecord {
  /// Stands for all that the record says, in whatever process and under whatever numbers its names are known.
  ///
  /// - Parameter readTime: the time given to a call whose log tells none: it is nothing the record says.
  fileprivate func fingerprint(_ names: NameTable, readAt readTime: Instant) -> Fingerprint {
    var result = Fingerprint(value: time == readTime ? 1 : time.number)
    func add(_ number: Int64) { result = result.combined(with: UInt64(bitPattern: number)) }
    func add(_ flag: Bool) { add(flag ? 1 : 0) }
    func add(_ name: NameID) {
      let text = names.withBytes(of: name) { Fingerprint(of: $0) }
      result = result.combined(with: text.value)
    }
    if let identity {
      result = result.combined(with: identity.key).combined(with: identity.alias?.value ?? 0)
    }
    for path in Labels.names { add(labels[keyPath: path]) }
    add(conversation)
    for number in tokens.numbers { result = result.combined(with: number) }
    add(tellsCache)
    add(Int64(tier.rawValue))
    add(failed)
    add(answeredByProxyCache)
    add(Int64(calls))
    add(promptSize ?? -1)
    add(Int64(durationMilliseconds ?? -1))
    add(statedCost.map { Int64(truncatingIfNeeded: $0.atto) } ?? -1)
    for (_, path) in Quantities.counters { add(quantities[keyPath: path]) }
    return result
  }
}
