import MimoEngine

/// Calls and what leads to them as bytes: about twenty for a call.
///
///     head      rank (2 bits), second request 4, failed 8, has a request id 0x10
///     request   four bytes, only with a request id
///     time      milliseconds
///     series
///     mask      which classes of tokens are not zero (6 bits), more follows (0x40)
///     tokens    those that are not zero
///     more      bits: not one call 1, stated cost 2, quantities 4; then these
enum CallCoding {
  /// What a key leads to.
  enum Entry {
    case call(ArchivedCall)
    /// The key of the call that this one turned out to be.
    case redirect(to: UInt64)
  }

  static func encode(_ call: ArchivedCall) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(call)
    return writer.sealedShort(for: call.key)
  }

  static func encode(redirect target: UInt64, of key: UInt64) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(isRedirect)
    writer.append(fixed: target)
    return writer.sealedShort(for: key)
  }

  /// What is stored under a key; `nil` if it is damaged.
  @inline(__always)
  static func decode(_ bytes: UnsafeRawBufferPointer, of key: UInt64) -> Entry? {
    guard var reader = ByteReader(sealedShort: bytes, for: key) else { return nil }
    if bytes[0] == isRedirect {
      _ = reader.byte()
      let target = reader.fixed(as: UInt64.self)
      return reader.isDamaged || !reader.isAtEnd ? nil : .redirect(to: target)
    }
    let call = reader.call(key)
    return reader.isDamaged || !reader.isAtEnd ? nil : .call(call)
  }

  static func encode(_ opening: ArchivedOpening, of conversation: NameID) -> [UInt8] {
    var writer = ByteWriter()
    writer.append((opening.call == nil ? 0 : 1) | (opening.nameless == nil ? 0 : 2) as UInt8)
    if let key = opening.call { writer.append(fixed: key) }
    if let call = opening.nameless { writer.append(call) }
    return writer.sealedShort(for: UInt64(conversation.index))
  }

  static func decode(
    opening bytes: UnsafeRawBufferPointer, of conversation: NameID
  ) -> ArchivedOpening? {
    guard var reader = ByteReader(sealedShort: bytes, for: UInt64(conversation.index)) else {
      return nil
    }
    let parts = reader.byte()
    var opening = ArchivedOpening(call: nil, nameless: nil)
    if parts & 1 != 0 { opening.call = reader.fixed(as: UInt64.self) }
    if parts & 2 != 0 { opening.nameless = reader.call(0) }
    return reader.isDamaged || !reader.isAtEnd ? nil : opening
  }

  static func encode(_ recent: [ArchivedRecent]) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(UInt64(recent.count))
    for entry in recent {
      writer.append((entry.hasID ? 1 : 0) | (entry.durationMilliseconds == nil ? 0 : 2) as UInt8)
      if entry.hasID { writer.append(fixed: entry.call.key) }
      if let duration = entry.durationMilliseconds { writer.append(folded: Int64(duration)) }
      writer.append(entry.call)
    }
    return writer.sealed(for: 0)
  }

  static func decode(recent bytes: UnsafeRawBufferPointer) -> [ArchivedRecent]? {
    var reader = ByteReader(sealed: bytes, for: 0)
    var recent: [ArchivedRecent] = []
    var left = reader.number()
    while left > 0, !reader.isDamaged {
      let parts = reader.byte()
      let key = parts & 1 == 0 ? 0 : reader.fixed(as: UInt64.self)
      let duration = parts & 2 == 0 ? nil : Int32(truncatingIfNeeded: reader.folded())
      recent.append(
        ArchivedRecent(
          call: reader.call(key), hasID: parts & 1 != 0, durationMilliseconds: duration))
      left -= 1
    }
    return reader.isDamaged || !reader.isAtEnd ? nil : recent
  }
}

private let isRedirect: UInt8 = 0x80
private let isSecond: UInt8 = 4
private let hasFailed: UInt8 = 8
private let hasRequest: UInt8 = 0x10
private let isNotOne: UInt8 = 1
private let hasCost: UInt8 = 2
private let hasQuantities: UInt8 = 4

extension ByteWriter {
  /// Writes a call without its key.
  fileprivate mutating func append(_ call: ArchivedCall) {
    append(
      call.rank.rawValue | (call.isSecond ? isSecond : 0) | (call.failed ? hasFailed : 0)
        | (call.request == 0 ? 0 : hasRequest))
    if call.request != 0 { append(fixed: call.request) }
    append(folded: call.time.milliseconds)
    append(call.series)
    let more =
      (call.calls == 1 ? 0 : isNotOne) | (call.statedCost == nil ? 0 : hasCost)
      | (call.quantities.isZero ? 0 : hasQuantities)
    append(maskOf: call.tokens, with: more == 0 ? 0 : TokenMask.first)
    append(call.tokens)
    if more == 0 { return }
    append(more)
    if more & isNotOne != 0 { append(folded: Int64(call.calls)) }
    if let cost = call.statedCost { append(cost) }
    if more & hasQuantities != 0 { append(call.quantities) }
  }

  /// The bytes with a checksum of a single one: there are very many of these, and each is short.
  fileprivate func sealedShort(for place: UInt64) -> [UInt8] {
    bytes + [UInt8(truncatingIfNeeded: bytes.withUnsafeBytes { checksum($0, place) })]
  }
}

extension ByteReader {
  /// `nil` if the bytes are damaged.
  @inline(__always)
  fileprivate init?(sealedShort bytes: UnsafeRawBufferPointer, for place: UInt64) {
    guard bytes.count > 1, let last = bytes.last else { return nil }
    let content = UnsafeRawBufferPointer(rebasing: bytes.dropLast())
    guard last == UInt8(truncatingIfNeeded: checksum(content, place)) else { return nil }
    self.init(content)
  }

  fileprivate mutating func call(_ key: UInt64) -> ArchivedCall {
    let head = byte()
    let request = head & hasRequest == 0 ? 0 : fixed(as: UInt32.self)
    var call = ArchivedCall(
      key: key, time: Instant(milliseconds: folded()), series: number(as: UInt32.self))
    call.request = request
    call.rank = CallIdentity.Rank(rawValue: head & 3)!
    call.isSecond = head & isSecond != 0
    call.failed = head & hasFailed != 0
    let mask = byte()
    call.tokens = tokens(mask)
    if mask & TokenMask.first != 0 {
      let more = byte()
      if more & isNotOne != 0 { call.calls = Int32(truncatingIfNeeded: folded()) }
      if more & hasCost != 0 { call.statedCost = amount() }
      if more & hasQuantities != 0 { call.quantities = quantities() }
    }
    return call
  }
}
