import MimoEngine

/// Shorter ways to walk objects, for formats whose lines are few.
extension JSONCursor {
  /// What is done with each value of an object: it must be read or skipped.
  typealias Field = (_ key: JSONString, _ cursor: inout JSONCursor) throws(DecodeError) -> Void

  /// Reads the object that comes next; any other value is skipped.
  mutating func readObject(_ field: Field) throws(DecodeError) {
    guard next == .object else { return try skipValue() }
    try beginObject()
    while let key = try nextKey() { try field(key, &self) }
  }

  /// Reads the objects of the array that comes next; anything else is skipped.
  mutating func readObjects(_ body: (inout JSONCursor) throws(DecodeError) -> Void)
    throws(DecodeError)
  {
    guard next == .array else { return try skipValue() }
    try beginArray()
    while try nextElement() {
      if next == .object { try body(&self) } else { try skipValue() }
    }
  }

  /// Reads the object that comes next, also one written as JSON text in a string.
  ///
  /// - Parameter copies: keeps the text without escapes that strings of the object may point into.
  mutating func readObject(orTextIn copies: inout [TextCopy], _ field: Field) throws(DecodeError) {
    guard next == .string else { return try readObject(field) }
    guard let text = try string(), text.hasPrefix("{") else { return }
    let copy = text.withUnescaped { TextCopy($0) }
    copies.append(copy)
    var inner = JSONCursor(copy.bytes)
    try inner.readObject(field)
  }

  /// What is known already, or else the string that comes next, if it is not empty.
  mutating func string(unless known: JSONString?) throws(DecodeError) -> JSONString? {
    let text = try string()
    return known ?? text?.ifStated
  }

  /// A cost in US dollars; `nil` for 0: tools write it for models they have no price for.
  mutating func statedCost() throws(DecodeError) -> Amount? {
    let cost = try UsageObject.readCost(&self)
    return cost == .zero ? nil : cost
  }

  /// A span of time in milliseconds, given in a unit of 10^-`decimals` seconds.
  mutating func span(decimals: Int) throws(DecodeError) -> Int32? {
    guard let text = try numberText(),
      let value = ExactDecimal(bytes: text)?.scaledRounding(by: 3 - decimals), value >= 0
    else { return nil }
    return Int32(clamping: value)
  }
}

extension JSONString {
  /// Whether the text is `true` in any of the spellings of programs.
  var isTrue: Bool { self == "True" || self == "true" || self == "TRUE" }

  /// `nil` for an empty text: nothing was stated.
  var ifStated: JSONString? { count > 0 ? self : nil }
}

extension UnsafeRawBufferPointer {
  /// Whether the first byte that is no white space opens an object.
  var beginsObject: Bool { first { $0 > 32 } == UInt8(ascii: "{") }
}
