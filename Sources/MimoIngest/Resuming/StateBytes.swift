import MimoEngine

/// Bytes that are no state, or are damaged.
struct StateDamage: Error {}

/// Writes values one after another, in few bytes. `StateReader` reads them in the same order.
struct StateWriter {
  private(set) var bytes: [UInt8] = []
  private var names: [NameID: UInt64] = [:]

  mutating func add(_ number: UInt64) {
    var number = number
    while number >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: number) | 0x80)
      number >>= 7
    }
    bytes.append(UInt8(number))
  }

  /// Small numbers of either sign are short.
  mutating func add(_ number: Int64) { add(UInt64(bitPattern: number << 1 ^ number >> 63)) }

  mutating func add(_ count: Int) { add(UInt64(count)) }

  mutating func add(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

  /// A number that is as often long as short.
  mutating func add(hash: UInt64) { add(low: hash, count: 8) }
  mutating func add(hash: UInt32) { add(low: UInt64(hash), count: 4) }

  private mutating func add(low number: UInt64, count: Int) {
    for index in 0..<count {
      bytes.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(index))))
    }
  }

  mutating func add(_ text: String) {
    add(text.utf8.count)
    bytes.append(contentsOf: text.utf8)
  }

  mutating func add(_ content: [UInt8]) {
    add(content.count)
    bytes += content
  }

  mutating func add<T>(_ value: T?, _ add: (inout StateWriter, T) -> Void) {
    self.add(value != nil)
    if let value { add(&self, value) }
  }

  mutating func add<S: Sequence>(each values: S, _ add: (inout StateWriter, S.Element) -> Void) {
    let values = Array(values)
    self.add(values.count)
    for value in values { add(&self, value) }
  }

  /// A name as its text, the second time as a number.
  mutating func add(_ id: NameID, of table: NameTable) {
    if let number = names[id] { return add(number) }
    names[id] = UInt64(names.count) + 1
    add(UInt64(0))
    add(table[id])
  }

  /// The bytes with a version before and a fingerprint behind them.
  func sealed(version: UInt8) -> [UInt8] {
    var whole = StateWriter()
    whole.bytes = [version] + bytes
    whole.add(hash: whole.bytes.withUnsafeBytes { Fingerprint(of: $0) }.value)
    return whole.bytes
  }
}

/// Reads what a `StateWriter` has written. Whatever the bytes are, each value is one that could have been written.
struct StateReader {
  private let bytes: [UInt8]
  private var position: Int
  private let end: Int
  private var names: [NameID] = []

  /// More is no length, counter or time of this world. Sums of a thousand such numbers cannot overflow.
  private static let largest: Int64 = 1 << 53

  /// Bytes that were not sealed.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    (position, end) = (0, bytes.count)
  }

  /// - Throws: if the bytes were not sealed with this version, or have changed since.
  init(sealed bytes: [UInt8], version: UInt8) throws(StateDamage) {
    guard bytes.count > 9, bytes[0] == version else { throw StateDamage() }
    self.bytes = bytes
    (position, end) = (1, bytes.count - 8)
    let body = bytes.withUnsafeBytes {
      Fingerprint(of: UnsafeRawBufferPointer(rebasing: $0[..<(bytes.count - 8)]))
    }
    var seal = StateReader(Array(bytes.suffix(8)))
    guard try seal.hash() == body.value else { throw StateDamage() }
  }

  /// Whether all was read.
  var isAtEnd: Bool { position == end }

  mutating func byte() throws(StateDamage) -> UInt8 {
    guard position < end else { throw StateDamage() }
    position += 1
    return bytes[position - 1]
  }

  mutating func number() throws(StateDamage) -> UInt64 {
    var number: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let byte = try byte()
      guard shift < 63 || byte < 2 else { break }
      number |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return number }
    }
    throw StateDamage()
  }

  /// A number of any size.
  mutating func wide() throws(StateDamage) -> Int64 {
    let number = try number()
    return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
  }

  /// A number that may be negative.
  mutating func signed() throws(StateDamage) -> Int64 {
    let value = try wide()
    guard value.magnitude <= UInt64(Self.largest) else { throw StateDamage() }
    return value
  }

  /// A length or counter.
  mutating func size() throws(StateDamage) -> Int64 {
    let value = try signed()
    guard value >= 0 else { throw StateDamage() }
    return value
  }

  /// How many values or bytes follow, each of one byte at least.
  mutating func count() throws(StateDamage) -> Int {
    let value = try number()
    guard value <= UInt64(end - position) else { throw StateDamage() }
    return Int(value)
  }

  /// A counter written as an `Int`.
  mutating func counter() throws(StateDamage) -> Int {
    let value = try number()
    guard value <= UInt64(Self.largest) else { throw StateDamage() }
    return Int(value)
  }

  mutating func flag() throws(StateDamage) -> Bool {
    let byte = try byte()
    guard byte < 2 else { throw StateDamage() }
    return byte == 1
  }

  mutating func hash() throws(StateDamage) -> UInt64 { try low(8) }
  mutating func shortHash() throws(StateDamage) -> UInt32 { UInt32(try low(4)) }

  private mutating func low(_ count: Int) throws(StateDamage) -> UInt64 {
    var number: UInt64 = 0
    for index in 0..<count { number |= UInt64(try byte()) << (8 * UInt64(index)) }
    return number
  }

  mutating func text() throws(StateDamage) -> String {
    let count = try count()
    position += count
    return String(decoding: bytes[(position - count)..<position], as: UTF8.self)
  }

  mutating func content() throws(StateDamage) -> [UInt8] {
    let count = try count()
    position += count
    return Array(bytes[(position - count)..<position])
  }

  mutating func optional<T>(
    _ read: (inout StateReader) throws(StateDamage) -> T
  ) throws(StateDamage) -> T? {
    try flag() ? try read(&self) : nil
  }

  mutating func forEach(
    _ read: (inout StateReader) throws(StateDamage) -> Void
  ) throws(StateDamage) {
    for _ in 0..<(try count()) { try read(&self) }
  }

  mutating func array<T>(
    _ read: (inout StateReader) throws(StateDamage) -> T
  ) throws(StateDamage) -> [T] {
    var values: [T] = []
    for _ in 0..<(try count()) { values.append(try read(&self)) }
    return values
  }

  /// A name, which is added to a table.
  mutating func name(_ table: inout NameTable) throws(StateDamage) -> NameID {
    let number = try number()
    if number == 0 {
      let id = table.intern(try text())
      names.append(id)
      return id
    }
    guard number <= UInt64(names.count) else { throw StateDamage() }
    return names[Int(number) - 1]
  }
}

// MARK: - Values that several states have

extension StateWriter {
  mutating func add(_ fingerprint: PrefixFingerprint) {
    add(fingerprint.length)
    add(hash: fingerprint.hash)
  }

  mutating func add(_ time: Instant) { add(time.milliseconds) }

  mutating func add(_ stamp: FileStamp) {
    add(stamp.inode)
    for time in [stamp.size, stamp.modified, stamp.changed] { add(UInt64(bitPattern: time)) }
  }

  mutating func add(_ tally: LineTally) {
    for path in LineTally.counters { add(tally[keyPath: path]) }
    add(each: tally.badLines) { writer, line in
      writer.add(line.offset)
      writer.add(line.isRow)
      writer.add(line.reason)
    }
  }

  mutating func add(_ tokens: TokenCounts) {
    for path in TokenCounts.counters { add(tokens[keyPath: path]) }
  }

  /// A record with all that it says.
  mutating func add(_ record: UsageRecord, _ names: NameTable) {
    add(record.time)
    add(record.identity) { writer, identity in
      writer.add(hash: identity.message.value)
      writer.add(identity.request)
      writer.add(UInt64(identity.rank.rawValue))
      writer.add(identity.alias?.value ?? 0)
    }
    for path in Labels.names { add(record.labels[keyPath: path], of: names) }
    add(record.conversation, of: names)
    add(record.tokens)
    add(record.tellsCache)
    add(UInt64(record.tier.rawValue))
    add(record.failed)
    add(record.answeredByProxyCache)
    add(Int64(record.calls))
    add(record.promptSize) { $0.add($1) }
    add(record.durationMilliseconds) { $0.add(Int64($1)) }
    add(record.statedCost) { writer, cost in
      writer.add(UInt64(truncatingIfNeeded: cost.atto))
      writer.add(Int64(truncatingIfNeeded: cost.atto >> 64))
    }
    for (_, path) in Quantities.counters { add(record.quantities[keyPath: path]) }
  }
}

extension StateReader {
  mutating func prefixFingerprint(atMost limit: Int) throws(StateDamage) -> PrefixFingerprint {
    let length = try counter()
    guard length <= limit else { throw StateDamage() }
    return PrefixFingerprint(length: length, hash: try hash())
  }

  mutating func time() throws(StateDamage) -> Instant { Instant(milliseconds: try signed()) }

  mutating func stamp() throws(StateDamage) -> FileStamp {
    let inode = try number()
    let size = Int64(bitPattern: try number())
    let modified = Int64(bitPattern: try number())
    return FileStamp(
      inode: inode, size: size, modified: modified, changed: Int64(bitPattern: try number()))
  }

  mutating func tally() throws(StateDamage) -> LineTally {
    var tally = LineTally()
    for path in LineTally.counters { tally[keyPath: path] = try counter() }
    tally.badLines = try array { reader throws(StateDamage) in
      LineTally.BadLine(
        offset: try reader.signed(), isRow: try reader.flag(), reason: try reader.text())
    }
    return tally
  }

  mutating func tokens() throws(StateDamage) -> TokenCounts {
    var tokens = TokenCounts()
    for path in TokenCounts.counters { tokens[keyPath: path] = try size() }
    return tokens
  }

  mutating func record(_ names: inout NameTable) throws(StateDamage) -> UsageRecord {
    var record = UsageRecord(time: try time())
    record.identity = try optional { reader throws(StateDamage) in
      let (message, request) = (try reader.hash(), try reader.number())
      guard let rank = CallIdentity.Rank(rawValue: UInt8(clamping: try reader.number())) else {
        throw StateDamage()
      }
      var identity = CallIdentity(
        message: Fingerprint(value: message), request: request, rank: rank)
      let alias = try reader.number()
      identity.alias = alias == 0 ? nil : Fingerprint(value: alias)
      return identity
    }
    for path in Labels.names { record.labels[keyPath: path] = try name(&names) }
    record.conversation = try name(&names)
    record.tokens = try tokens()
    record.tellsCache = try flag()
    guard let tier = ServiceTier(rawValue: UInt8(clamping: try number())) else {
      throw StateDamage()
    }
    record.tier = tier
    record.failed = try flag()
    record.answeredByProxyCache = try flag()
    record.calls = Int32(clamping: try size())
    record.promptSize = try optional { reader throws(StateDamage) in try reader.size() }
    record.durationMilliseconds = try optional { reader throws(StateDamage) in
      Int32(clamping: try reader.size())
    }
    record.statedCost = try optional { reader throws(StateDamage) in
      let low = try reader.number()
      let high = try reader.signed()
      return Amount(atto: Int128(high) << 64 | Int128(low))
    }
    var quantities = Quantities()
    for (_, path) in Quantities.counters { quantities[keyPath: path] = try size() }
    record.quantities = quantities
    return record
  }
}

extension LineTally {
  fileprivate static var counters: [WritableKeyPath<LineTally, Int>] {
    [
      \.lines, \.usageLines, \.notUsage, \.foreign, \.foreignObjects, \.blank, \.imported,
      \.malformed,
    ]
  }
}

extension TokenCounts {
  fileprivate static var counters: [WritableKeyPath<TokenCounts, Int64>] {
    [\.input, \.cacheRead, \.cacheWrite5m, \.cacheWrite1h, \.output, \.reasoning]
  }
}

extension Labels {
  /// All of them, in one order.
  static var names: [WritableKeyPath<Labels, NameID>] {
    [\.model, \.provider, \.source, \.project, \.session, \.key]
  }
}
