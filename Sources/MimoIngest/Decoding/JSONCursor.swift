import MimoEngine

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Walks one JSON text in place: wanted values are read where they stand, all others are skipped.
///
///     var cursor = JSONCursor(line)
///     try cursor.beginObject()
///     while let key = try cursor.nextKey() {
///       if key == "model" { model = try cursor.string() } else { try cursor.skipValue() }
///     }
///
/// Exactly one value must be read or skipped for each key. Nothing is allocated; slices are valid as
/// long as the bytes are. Of skipped strings and containers only the ends and the brackets are checked, and of
/// strings that are read only the end: a value that is read is that of any parser, or the replacement character
/// where others refuse. Of a key that an object has twice the last counts, as in most parsers.
struct JSONCursor {
  var p: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>
  private let start: UnsafePointer<UInt8>
  /// Whether a value has just ended, so that a comma or the end must follow.
  var afterValue = false
  /// The last key that had escapes, without them.
  private var plainKey: TextCopy?

  /// A cursor before the first byte of `text`.
  init(_ text: UnsafeRawBufferPointer) {
    let bytes = text.bindMemory(to: UInt8.self)
    start = bytes.baseAddress ?? UnsafePointer(bitPattern: 1)!
    p = start
    end = start + bytes.count
  }

  /// Bytes before the cursor.
  var offset: Int { p - start }

  /// Whether the text, or its line, ends here.
  @inline(__always) var isAtLineEnd: Bool { p == end || p.pointee == 10 }

  // MARK: - Containers

  /// Enters the object that must come next.
  @inline(__always)
  mutating func beginObject() throws(DecodeError) {
    skipSpace()
    guard p < end, p.pointee == UInt8(ascii: "{") else { throw malformed("an object was expected") }
    p += 1
    afterValue = false
  }

  /// The next key of the object, with the cursor before its value; `nil` behind the object's end.
  ///
  /// Escapes in it are resolved, so that its length tells it from other keys; valid until the next key.
  mutating func nextKey() throws(DecodeError) -> JSONString? {
    if afterValue, p < end, p.pointee == UInt8(ascii: "}") {
      p += 1
      return nil
    }
    if let key = compactKey() { return key }
    return try spacedKey()
  }

  /// The next key where a comma stands before it and a colon behind, with one space or none, and it has fewer
  /// than 32 bytes without escapes: as nearly every writer writes nearly every key.
  @inline(__always)
  private mutating func compactKey() -> JSONString? {
    var q = p
    guard end - q >= 3 else { return nil }
    if afterValue {
      guard q.pointee == UInt8(ascii: ",") else { return nil }
      q += q[1] == 32 ? 2 : 1
    }
    guard q.pointee == UInt8(ascii: "\"") else { return nil }
    q += 1
    let from = q
    for _ in 0..<4 where end - q >= 8 {
      let word = UInt64(littleEndian: UnsafeRawPointer(q).loadUnaligned(as: UInt64.self))
      let found = Self.quotesAndEscapes(word)
      if found != 0 {
        q += found.trailingZeroBitCount >> 3
        guard end - q > 3, q.pointee == UInt8(ascii: "\""), q[1] == UInt8(ascii: ":") else {
          return nil
        }
        let value = q[2] == 32 ? q + 3 : q + 2
        guard value.pointee > 32 else { return nil }
        p = value
        afterValue = false
        return JSONString(start: from, count: q - from, isEscaped: false)
      }
      q += 8
    }
    return nil
  }

  /// The next key in any spelling.
  @inline(never)
  private mutating func spacedKey() throws(DecodeError) -> JSONString? {
    skipSpace()
    guard p < end else { throw malformed("the text ends inside an object") }
    if p.pointee == UInt8(ascii: "}") {
      p += 1
      afterValue = true
      return nil
    }
    if afterValue {
      guard p.pointee == UInt8(ascii: ",") else { throw malformed("a comma was expected") }
      p += 1
      skipSpace()
    }
    guard p < end, p.pointee == UInt8(ascii: "\"") else { throw malformed("a key was expected") }
    let key = try rawString()
    skipSpace()
    guard p < end, p.pointee == UInt8(ascii: ":") else { throw malformed("a colon was expected") }
    p += 1
    skipSpace()
    afterValue = false
    return key.hasEscapes ? resolved(key) : key
  }

  @inline(never)
  private mutating func resolved(_ key: JSONString) -> JSONString {
    let copy = key.withUnescaped { TextCopy($0) }
    plainKey = copy
    return JSONString(
      start: copy.bytes.bindMemory(to: UInt8.self).baseAddress!, count: copy.bytes.count,
      isEscaped: false)
  }

  /// Enters the array that must come next.
  mutating func beginArray() throws(DecodeError) {
    skipSpace()
    guard p < end, p.pointee == UInt8(ascii: "[") else { throw malformed("an array was expected") }
    p += 1
    afterValue = false
  }

  /// Whether another element follows, with the cursor before it; `false` behind the array's end.
  mutating func nextElement() throws(DecodeError) -> Bool {
    skipSpace()
    guard p < end else { throw malformed("the text ends inside an array") }
    if p.pointee == UInt8(ascii: "]") {
      p += 1
      afterValue = true
      return false
    }
    if afterValue {
      guard p.pointee == UInt8(ascii: ",") else { throw malformed("a comma was expected") }
      p += 1
      skipSpace()
      afterValue = false
    }
    return true
  }

  /// Checks that nothing but white space follows.
  mutating func expectEnd() throws(DecodeError) {
    skipSpace()
    if p < end { throw malformed("more text follows the value") }
  }

  // MARK: - Values

  /// The kind of value that comes next.
  @inline(__always)
  var next: JSONKind {
    guard p < end else { return .nothing }
    switch p.pointee {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    default: return .number
    }
  }

  /// The string that comes next; `nil`, with the value skipped, if it is something else.
  @inline(__always)
  mutating func string() throws(DecodeError) -> JSONString? {
    guard next == .string else {
      try skipValue()
      return nil
    }
    afterValue = true
    return try rawString()
  }

  /// The boolean that comes next; `nil`, with the value skipped, if it is something else.
  mutating func bool() throws(DecodeError) -> Bool? {
    let isTrue = p < end && p.pointee == UInt8(ascii: "t")
    let isBool = next == .bool
    try skipValue()
    return isBool ? isTrue : nil
  }

  /// The number that comes next, as its characters; `nil`, with the value skipped, if it is something else.
  mutating func numberText() throws(DecodeError) -> UnsafeRawBufferPointer? {
    guard next == .number else {
      try skipValue()
      return nil
    }
    let from = p
    try skipScalar()
    return UnsafeRawBufferPointer(start: from, count: p - from)
  }

  /// A counter: a whole number that is not negative; `nil` for `null` and for what is no number.
  ///
  /// - Throws: `DecodeError.contradiction` for a negative, broken or implausibly large number.
  @inline(__always)
  mutating func count() throws(DecodeError) -> Int64? {
    if let value = shortCount() { return value }
    return try longCount()
  }

  /// A counter of up to seven digits with a comma or a brace behind it: eight bytes are read at once.
  @inline(__always)
  private mutating func shortCount() -> Int64? {
    guard end - p >= 8 else { return nil }
    let word = UInt64(littleEndian: UnsafeRawPointer(p).loadUnaligned(as: UInt64.self))
    let values = word ^ 0x3030_3030_3030_3030
    // The lowest byte that is ten or more is no digit.
    let others = ((values &+ 0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080
    let digits = others.trailingZeroBitCount >> 3
    guard digits > 0, digits < 8, p[digits] == UInt8(ascii: ",") || p[digits] == UInt8(ascii: "}"),
      digits == 1 || p.pointee != UInt8(ascii: "0")
    else { return nil }
    p += digits
    afterValue = true
    return Self.sum(ofDigits: values &<< UInt64(64 &- 8 &* digits))
  }

  /// A number of exactly ten digits, as seconds since the epoch have; `nil`, with nothing read, for all else.
  @inline(__always)
  mutating func tenDigits() -> Int64? {
    guard end - p > 10, p.pointee &- 49 < 9, p[8] &- 48 < 10, p[9] &- 48 < 10,
      p[10] == UInt8(ascii: ",") || p[10] == UInt8(ascii: "}")
    else { return nil }
    let word = UInt64(littleEndian: UnsafeRawPointer(p).loadUnaligned(as: UInt64.self))
    let values = word ^ 0x3030_3030_3030_3030
    guard ((values &+ 0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080 == 0 else {
      return nil
    }
    let last = Int64(p[8] &- 48) * 10 + Int64(p[9] &- 48)
    p += 10
    afterValue = true
    return Self.sum(ofDigits: values) * 100 + last
  }

  /// The number that eight digits make, the lowest byte first: neighbours are added up, then pairs, then fours.
  @inline(__always)
  private static func sum(ofDigits values: UInt64) -> Int64 {
    var sum = (values &* 2561) >> 8 & 0x00FF_00FF_00FF_00FF
    sum = (sum &* 6_553_601) >> 16 & 0x0000_FFFF_0000_FFFF
    sum = (sum &* 42_949_672_960_001) >> 32
    return Int64(truncatingIfNeeded: sum)
  }

  /// Any counter of plain digits, byte by byte: many of them, or near the end of the text.
  @inline(never)
  private mutating func longCount() throws(DecodeError) -> Int64? {
    var value: Int64 = 0
    var q = p
    while q < end, q.pointee &- 48 < 10, q - p < 13 {
      value = value &* 10 &+ Int64(q.pointee &- 48)
      q += 1
    }
    if q > p, q < end, q.pointee == UInt8(ascii: ",") || q.pointee == UInt8(ascii: "}"),
      value <= TokenCounts.largestPlausibleCount, p.pointee != UInt8(ascii: "0") || q == p + 1
    {
      p = q
      afterValue = true
      return value
    }
    return try unusualCount()
  }

  /// Counters that are not plain digits: `12.0`, `1e3`, `"12"`, spaces before the comma, and nonsense.
  private mutating func unusualCount() throws(DecodeError) -> Int64? {
    let text: UnsafeRawBufferPointer
    if next == .string {
      guard let quoted = try string(), quoted.count > 0 else { return nil }
      text = quoted.bytes
      guard ExactDecimal(bytes: text) != nil else { return nil }
    } else {
      guard let number = try numberText() else { return nil }
      text = number
    }
    return try Self.count(of: text)
  }

  /// The counter that a number's characters stand for.
  static func count(of text: UnsafeRawBufferPointer) throws(DecodeError) -> Int64 {
    guard let value = ExactDecimal(bytes: text) else {
      throw .contradiction("a counter is too large to be true")
    }
    guard value.digits >= 0 else { throw .contradiction("a counter is negative") }
    guard let whole = value.scaled(by: 0) else {
      throw .contradiction("a counter is not a whole number")
    }
    guard whole <= Int128(TokenCounts.largestPlausibleCount) else {
      throw .contradiction("a counter is too large to be true")
    }
    return Int64(whole)
  }

  /// Skips the value that comes next.
  mutating func skipValue() throws(DecodeError) {
    guard p < end else { throw malformed("a value was expected") }
    switch p.pointee {
    case UInt8(ascii: "\""):
      _ = try rawString()
      afterValue = true
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      try skipContainer()
    default:
      if !skipWord() { try skipScalar() }
    }
  }

  /// Skips `null`, `true` or `false`, if one of them stands here with a comma or a bracket behind it.
  @inline(__always)
  private mutating func skipWord() -> Bool {
    guard end - p > 5 else { return false }
    let word = UnsafeRawPointer(p).loadUnaligned(as: UInt32.self).littleEndian
    var q = p + 4
    if word != 0x6C6C_756E && word != 0x6575_7274 {  // `null`, `true`
      guard word == 0x736C_6166, q.pointee == UInt8(ascii: "e") else { return false }  // `fals`
      q += 1
    }
    guard q.pointee == UInt8(ascii: ",") || q.pointee | 32 == UInt8(ascii: "}") else {
      return false
    }
    p = q
    afterValue = true
    return true
  }

  /// The text of the value that comes next.
  mutating func rawValue() throws(DecodeError) -> UnsafeRawBufferPointer {
    skipSpace()
    let from = p
    try skipValue()
    return UnsafeRawBufferPointer(start: from, count: p - from)
  }

  /// Whether anything but white space follows.
  var hasMore: Bool {
    mutating get {
      skipSpace()
      return p < end
    }
  }

  // MARK: - Inside

  @inline(__always)
  private mutating func skipSpace() {
    while p < end, p.pointee <= 32,
      p.pointee == 32 || p.pointee == 9 || p.pointee == 13 || p.pointee == 10
    {
      p += 1
    }
  }

  /// A number, `true`, `false` or `null`, by the grammar.
  private mutating func skipScalar() throws(DecodeError) {
    let from = p
    while p < end {
      switch p.pointee {
      case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 32, 9, 10, 13:
        guard isScalar(from) else { throw malformed("a value was expected") }
        afterValue = true
        return
      default: p += 1
      }
    }
    guard isScalar(from) else { throw malformed("a value was expected") }
    afterValue = true
  }

  private func isScalar(_ from: UnsafePointer<UInt8>) -> Bool {
    let count = p - from
    switch from.pointee {
    case _ where count == 0: return false
    case UInt8(ascii: "t"): return count == 4 && memcmp(from, "true", 4) == 0
    case UInt8(ascii: "f"): return count == 5 && memcmp(from, "false", 5) == 0
    case UInt8(ascii: "n"): return count == 4 && memcmp(from, "null", 4) == 0
    default: return isNumber(from)
    }
  }

  private func isNumber(_ from: UnsafePointer<UInt8>) -> Bool {
    var q = from
    func digits() -> Int {
      let first = q
      while q < p, q.pointee &- 48 < 10 { q += 1 }
      return q - first
    }
    if q.pointee == UInt8(ascii: "-") { q += 1 }
    let leadingZero = q < p && q.pointee == UInt8(ascii: "0")
    let whole = digits()
    guard whole == 1 || (whole > 1 && !leadingZero) else { return false }
    if q < p, q.pointee == UInt8(ascii: ".") {
      q += 1
      guard digits() > 0 else { return false }
    }
    if q < p, q.pointee | 32 == UInt8(ascii: "e") {
      q += 1
      if q < p, q.pointee == UInt8(ascii: "+") || q.pointee == UInt8(ascii: "-") { q += 1 }
      guard digits() > 0 else { return false }
    }
    return q == p
  }

  /// The string that starts at the cursor, which ends up behind its closing quote.
  @inline(__always)
  private mutating func rawString() throws(DecodeError) -> JSONString {
    let from = p + 1
    var q = from
    // Most keys and ids are short. (A fifth fewer instructions for each line than byte by byte;
    // `mimo-top-bench decode`.)
    if end - from >= 40 {
      for _ in 0..<5 {
        let word = UInt64(littleEndian: UnsafeRawPointer(q).loadUnaligned(as: UInt64.self))
        let found = Self.quotesAndEscapes(word)
        if found != 0 {
          q += found.trailingZeroBitCount >> 3
          if q.pointee == UInt8(ascii: "\\") { break }
          p = q + 1
          return JSONString(start: from, count: q - from, isEscaped: false)
        }
        q += 8
      }
    }
    return try longString(from, searched: q)
  }

  /// Marks the lowest of eight bytes that is a quote or a backslash: a byte of `word ^ pattern` is zero where
  /// one stands, and the formula finds the lowest zero byte.
  @inline(__always)
  private static func quotesAndEscapes(_ word: UInt64) -> UInt64 {
    let quotes = word ^ 0x2222_2222_2222_2222
    let escapes = word ^ 0x5C5C_5C5C_5C5C_5C5C
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    return ((quotes &- ones) & ~quotes | (escapes &- ones) & ~escapes) & highs
  }

  private mutating func longString(
    _ from: UnsafePointer<UInt8>, searched: UnsafePointer<UInt8>
  ) throws(DecodeError) -> JSONString {
    guard let quote = closingQuote(from, searched: searched) else {
      throw malformed("the text ends inside a string")
    }
    p = quote + 1
    return JSONString(start: from, count: quote - from, isEscaped: nil)
  }

  /// The quote that ends the string whose first byte is at `from`, in which there is none before `searched`.
  @inline(__always)
  func closingQuote(
    _ from: UnsafePointer<UInt8>, searched: UnsafePointer<UInt8>
  ) -> UnsafePointer<UInt8>? {
    var q = searched
    while let quote = nextQuote(q) {
      var backslashes = 0
      while quote - 1 - backslashes >= from, (quote - 1 - backslashes).pointee == UInt8(ascii: "\\")
      {
        backslashes += 1
      }
      if backslashes & 1 == 0 { return quote }
      q = quote + 1
    }
    return nil
  }

  /// Quotes come in pairs: the next sixteen bytes are looked at before the library is called.
  @inline(__always)
  private func nextQuote(_ from: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
    var q = from
    for _ in 0..<2 where end - q >= 8 {
      let word =
        UInt64(littleEndian: UnsafeRawPointer(q).loadUnaligned(as: UInt64.self))
        ^ 0x2222_2222_2222_2222
      let found = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
      if found != 0 { return q + (found.trailingZeroBitCount >> 3) }
      q += 8
    }
    return memchr(q, 34, end - q).map {
      UnsafePointer($0.assumingMemoryBound(to: UInt8.self))
    }
  }

  private mutating func skipContainer() throws(DecodeError) {
    var depth = 0
    // One bit for each of the first 64 levels: whether it is an object.
    var kinds: UInt64 = 0
    while p < end {
      let byte = p.pointee
      if byte == UInt8(ascii: "\"") {
        _ = try rawString()
        continue
      }
      p += 1
      // The brackets, and three characters that stand in strings only.
      guard byte | 0x26 == 0x7F else { continue }
      // `[` and `{` differ in one bit, as do `]` and `}`, and no other byte becomes one of them by it.
      let isObject = UInt64(byte >> 5 & 1)
      if byte | 32 == UInt8(ascii: "{") {
        depth += 1
        if depth <= 64 { kinds = kinds << 1 | isObject }
      } else if byte | 32 == UInt8(ascii: "}") {
        if depth <= 64 {
          guard kinds & 1 == isObject else {
            p -= 1
            throw malformed("a bracket does not match")
          }
          kinds >>= 1
        }
        depth -= 1
        if depth == 0 {
          afterValue = true
          return
        }
      }
    }
    throw malformed("the text ends inside an object or array")
  }

  @inline(never)
  private func malformed(_ reason: StaticReason) -> DecodeError { .malformed(at: offset, reason) }
}

/// Bytes that live as long as someone holds this: a text without the escapes it has in its line.
final class TextCopy: Sendable {
  nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

  init(_ text: UnsafeRawBufferPointer) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, text.count), alignment: 1)
    copy.copyMemory(from: text)
    bytes = UnsafeRawBufferPointer(rebasing: copy[..<text.count])
  }

  deinit { bytes.deallocate() }
}

/// What kind of JSON value stands at a cursor.
enum JSONKind { case object, array, string, number, bool, null, nothing }

/// A JSON string inside a line, without its quotes; escapes are still in it. Valid as long as the line.
///
/// Sixteen bytes, of which decoders keep a dozen for each line.
struct JSONString: @unchecked Sendable {
  let start: UnsafePointer<UInt8>
  private let length: UInt32
  /// Whether the string holds a backslash, if somebody looked.
  private let escapes: Escapes

  private enum Escapes: UInt8 { case none, some, unknown }

  /// Strings beyond 4 GiB are cut; no line that is read is so long.
  @inline(__always)
  init(start: UnsafePointer<UInt8>, count: Int, isEscaped: Bool?) {
    self.start = start
    length = UInt32(truncatingIfNeeded: count)
    escapes = isEscaped.map { $0 ? .some : .none } ?? .unknown
  }

  @inline(__always)
  var count: Int { Int(length) }

  /// The bytes as they stand in the line.
  @inline(__always)
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

  @inline(__always)
  var hasEscapes: Bool {
    escapes == .unknown ? memchr(start, 92, count) != nil : escapes == .some
  }

  /// Compares with ASCII text; an escaped spelling of the same text is equal.
  @inline(__always)
  static func == (a: JSONString, text: StaticString) -> Bool {
    // With the literal's own length, which is a constant, the comparison becomes a few loads.
    if a.count == text.utf8CodeUnitCount {
      return memcmp(a.start, text.utf8Start, text.utf8CodeUnitCount) == 0
    }
    return a.count > text.utf8CodeUnitCount && a.escapes != .none && a.equalsUnescaped(text)
  }

  @inline(never)
  private func equalsUnescaped(_ text: StaticString) -> Bool {
    hasEscapes
      && withUnescaped { bytes in
        bytes.count == text.utf8CodeUnitCount
          && memcmp(bytes.baseAddress!, text.utf8Start, bytes.count) == 0
      }
  }

  @inline(__always)
  func hasPrefix(_ text: StaticString) -> Bool {
    count >= text.utf8CodeUnitCount && memcmp(start, text.utf8Start, text.utf8CodeUnitCount) == 0
  }

  /// The fingerprint of the text, however it is escaped.
  @inline(__always)
  var fingerprint: Fingerprint {
    hasEscapes ? withUnescaped { Fingerprint(of: $0) } : Fingerprint(of: bytes)
  }

  func contains(_ text: StaticString) -> Bool {
    ByteSearch.contains(text, in: bytes)
  }

  /// Calls `body` with the text itself, escapes resolved. Only texts that have escapes are copied.
  func withUnescaped<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    guard hasEscapes else { return try body(bytes) }
    var text: [UInt8] = []
    text.reserveCapacity(count)
    var index = 0
    while index < count {
      let byte = start[index]
      index += 1
      guard byte == UInt8(ascii: "\\"), index < count else {
        text.append(byte)
        continue
      }
      let escape = start[index]
      index += 1
      switch escape {
      case UInt8(ascii: "n"): text.append(10)
      case UInt8(ascii: "t"): text.append(9)
      case UInt8(ascii: "r"): text.append(13)
      case UInt8(ascii: "b"): text.append(8)
      case UInt8(ascii: "f"): text.append(12)
      case UInt8(ascii: "u"):
        var unit = hexUnit(at: index)
        index = min(index + 4, count)
        if let high = unit, 0xD800..<0xDC00 ~= high, index + 1 < count,
          start[index] == UInt8(ascii: "\\"),
          start[index + 1] == UInt8(ascii: "u"), let low = hexUnit(at: index + 2),
          0xDC00..<0xE000 ~= low
        {
          unit = 0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
          index += 6
        }
        // A surrogate without its other half becomes the replacement character.
        let scalar = unit.flatMap(Unicode.Scalar.init) ?? "\u{FFFD}"
        text.append(contentsOf: String(Character(scalar)).utf8)
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(escape)
      // No escape that JSON knows: such a key is no other key.
      default: text.append(contentsOf: "\u{FFFD}".utf8)
      }
    }
    return try text.withUnsafeBytes(body)
  }

  private func hexUnit(at index: Int) -> UInt32? {
    guard index + 4 <= count else { return nil }
    var value: UInt32 = 0
    for byte in UnsafeBufferPointer(start: start + index, count: 4) {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }
}
