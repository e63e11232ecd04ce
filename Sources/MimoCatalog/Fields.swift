import MimoEngine

/// The fields of one object in a data file, each read at most once and checked for its kind.
///
/// A field that is missing or `null` reads as `nil`. Everything else that is not as documented is
/// thrown as a `Rejection`.
struct Fields {
  private let members: [String: JSONValue]
  let line: Int

  /// Opens an object that has no other fields than `known`.
  init(_ value: JSONValue, known: Set<String>) throws(Rejection) {
    guard case .object(let members) = value.kind else {
      throw Rejection(line: value.line, expected: "an object, not \(value.kindName)")
    }
    self.members = members
    line = value.line
    if let name = members.keys.lazy.filter({ !known.contains($0) }).min() {
      throw Rejection(line: members[name]!.line, field: name, expected: "no such field")
    }
  }

  /// A field as it is; for parts that are read with fields of their own.
  func value(_ name: String) -> JSONValue? {
    guard let value = members[name] else { return nil }
    if case .null = value.kind { return nil }
    return value
  }

  /// A rejection of a field, or of the whole object.
  func rejection(_ field: String?, _ expected: String) -> Rejection {
    Rejection(line: field.flatMap { members[$0]?.line } ?? line, field: field, expected: expected)
  }

  func text(_ name: String) throws(Rejection) -> String? {
    guard let value = value(name) else { return nil }
    guard case .string(let text) = value.kind else {
      throw rejection(name, "a text in quotes, not \(value.kindName)")
    }
    return text
  }

  func requiredText(_ name: String) throws(Rejection) -> String {
    guard let text = try text(name), !text.isEmpty else { throw rejection(name, "a text") }
    return text
  }

  func flag(_ name: String) throws(Rejection) -> Bool? {
    guard let value = value(name) else { return nil }
    guard case .bool(let flag) = value.kind else { throw rejection(name, "true or false") }
    return flag
  }

  /// A number of tokens: whole, not negative, without quotes.
  func count(_ name: String) throws(Rejection) -> Int64? {
    guard let value = value(name) else { return nil }
    guard case .number(let digits) = value.kind, let count = Int64(digits), count >= 0 else {
      throw rejection(name, "a whole number of tokens, without quotes")
    }
    return count
  }

  /// An amount or factor: not negative, in quotes, because numbers without are floating point.
  func decimal(_ name: String) throws(Rejection) -> ExactDecimal? {
    guard let value = value(name) else { return nil }
    guard case .string(let text) = value.kind, let number = ExactDecimal(text), number.digits >= 0
    else { throw rejection(name, "a decimal number in quotes, such as \"0.025\"") }
    return number
  }

  func texts(_ name: String) throws(Rejection) -> [String] {
    var texts: [String] = []
    for value in try list(name) {
      guard case .string(let text) = value.kind else { throw rejection(name, "a list of texts") }
      texts.append(text)
    }
    return texts
  }

  func list(_ name: String) throws(Rejection) -> [JSONValue] {
    guard let value = value(name) else { return [] }
    guard case .array(let values) = value.kind else {
      throw rejection(name, "a list, not \(value.kindName)")
    }
    return values
  }

  func object(_ name: String) throws(Rejection) -> [String: JSONValue] {
    guard let value = value(name) else { return [:] }
    guard case .object(let members) = value.kind else {
      throw rejection(name, "an object, not \(value.kindName)")
    }
    return members
  }

  func date(_ name: String) throws(Rejection) -> CivilDate? {
    guard let text = try text(name) else { return nil }
    guard let date = CivilDate(text) else { throw rejection(name, "a date such as 2026-05-27") }
    return date
  }

  /// A moment with its offset from UTC, on a whole minute.
  func minute(_ name: String) throws(Rejection) -> Minute? {
    guard let text = try text(name) else { return nil }
    guard let minute = Minute(iso: text) else {
      throw rejection(name, "a minute with an offset, such as 2026-05-27T00:00:00+08:00")
    }
    return minute
  }

  /// The time from `from`, inclusive, to `to`, exclusive; open where one is missing.
  func validity() throws(Rejection) -> Range<Minute> {
    let from = try minute("from") ?? .distantPast
    let to = try minute("to") ?? .distantFuture
    guard from < to else { throw rejection("to", "a time after \"from\"") }
    return from..<to
  }

  func utcOffset(_ name: String) throws(Rejection) -> Int32 {
    let text = try requiredText(name)
    guard let offset = Int32(utcOffset: text[...]) else {
      throw rejection(name, "an offset from UTC such as +08:00")
    }
    return offset
  }

  /// A minute of the day, 0 to 1440, from `09:00`.
  func clock(_ name: String) throws(Rejection) -> Int32 {
    let text = try requiredText(name)
    guard let minute = Int32(clock: text[...]) else {
      throw rejection(name, "a time of day such as 09:00")
    }
    return minute
  }

  /// Bits for weekdays, Monday lowest.
  func weekdays(_ name: String) throws(Rejection) -> UInt8 {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    var bits: UInt8 = 0
    for day in try texts(name) {
      guard let bit = names.firstIndex(of: day), bits & (1 << bit) == 0 else {
        throw rejection(name, "days from mon to sun, each once")
      }
      bits |= 1 << bit
    }
    guard bits != 0 else { throw rejection(name, "at least one day") }
    return bits
  }
}

extension Int32 {
  /// Minutes from `+08:00`, `-03:30` or `Z`.
  fileprivate init?(utcOffset text: Substring) {
    if text == "Z" {
      self = 0
    } else if let sign = text.utf8.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
      let minutes = Int32(clock: text.utf8.dropFirst())
    {
      self = sign == UInt8(ascii: "-") ? -minutes : minutes
    } else {
      return nil
    }
  }

  /// Minutes from `09:00`; `24:00` is the end of the day.
  fileprivate init?(clock text: Substring) { self.init(clock: text.utf8) }

  private init?(clock text: Substring.UTF8View) {
    let digits = text.map { Int32($0) - 0x30 }
    guard digits.count == 5, digits[2] == 10,
      [0, 1, 3, 4].allSatisfy({ (0...9).contains(digits[$0]) })
    else { return nil }
    let (hours, minutes) = (digits[0] * 10 + digits[1], digits[3] * 10 + digits[4])
    guard minutes < 60, hours * 60 + minutes <= 1440 else { return nil }
    self = hours * 60 + minutes
  }
}

extension Minute {
  /// Reads `2026-05-27T00:00:00+08:00`; the seconds must be zero.
  fileprivate init?(iso text: String) {
    let bytes = text.utf8
    guard bytes.count >= 20 else { return nil }
    // A cut through a character makes no digit of it.
    func part(_ from: Int, _ count: Int) -> Substring? {
      let start = bytes.index(bytes.startIndex, offsetBy: from)
      return Substring(bytes[start...].prefix(count))
    }
    guard let date = part(0, 10).flatMap({ CivilDate($0) }), part(10, 1) == "T",
      let clock = part(11, 5).flatMap({ Int32(clock: $0) }), clock < 1440, part(16, 3) == ":00",
      let offset = part(19, bytes.count).flatMap({ Int32(utcOffset: $0) })
    else { return nil }
    self.init(date.dayNumber * 1440 + clock - offset)
  }
}
