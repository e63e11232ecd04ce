/// A JSON value that remembers its line, and writes numbers down as they were written.
///
/// Price files need both: a mistake is named by its line, and `0.1` in quotes must be told from `0.1`
/// without, which is floating point to most readers.
struct JSONValue {
  enum Kind {
    case null
    case bool(Bool)
    /// The digits as written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])
  }

  let kind: Kind
  /// Counted from 1; the line on which the value begins.
  let line: Int

  /// What a message calls a value of this kind.
  var kindName: String {
    switch kind {
    case .null: "null"
    case .bool: "true or false"
    case .number: "a number without quotes"
    case .string: "a text"
    case .array: "a list"
    case .object: "an object"
    }
  }

  /// Reads one JSON document.
  ///
  /// - Throws: What was expected, and on which line, at the first mistake. A field that an object
  ///   has twice is one.
  static func parse(_ bytes: [UInt8]) throws(SyntaxError) -> JSONValue {
    var parser = Parser(bytes: bytes)
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.next == nil else { throw parser.error("the end of the file") }
    return value
  }

  /// A mistake in the notation.
  struct SyntaxError: Error {
    let line: Int
    let expected: String
  }
}

/// The notation of a JSON file of the user's.
public enum JSONNotation {
  /// The line of the first mistake, counted from 1, and what was expected there; `nil` if there is none.
  public static func mistake(in bytes: [UInt8]) -> (line: Int, expected: String)? {
    do throws(JSONValue.SyntaxError) {
      _ = try JSONValue.parse(bytes)
      return nil
    } catch {
      return (error.line, error.expected)
    }
  }
}

private struct Parser {
  let bytes: [UInt8]
  var position = 0
  var line = 1

  /// The byte at the position; `nil` at the end.
  var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// Deep enough for every file of ours, and far from the end of the stack.
  static let deepest = 32

  func error(_ expected: String) -> JSONValue.SyntaxError {
    JSONValue.SyntaxError(line: line, expected: expected)
  }

  mutating func skipSpace() {
    while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) {
      if byte == UInt8(ascii: "\n") { line += 1 }
      position += 1
    }
  }

  /// Drops `byte` if it comes next, after white space.
  mutating func take(_ byte: UnicodeScalar) -> Bool {
    skipSpace()
    guard let next, next == UInt8(ascii: byte) else { return false }
    position += 1
    return true
  }

  mutating func value(depth: Int) throws(JSONValue.SyntaxError) -> JSONValue {
    guard depth < Self.deepest else { throw error("fewer levels") }
    skipSpace()
    let line = line
    switch next.map(UnicodeScalar.init) {
    case "{": return JSONValue(kind: .object(try object(depth: depth)), line: line)
    case "[": return JSONValue(kind: .array(try array(depth: depth)), line: line)
    case "\"": return JSONValue(kind: .string(try string()), line: line)
    default:
      let word = bytes[position...].prefix { $0 > 0x20 && !"\",:[]{}".utf8.contains($0) }
      position += word.count
      let text = String(decoding: word, as: UTF8.self)
      switch text {
      case "null": return JSONValue(kind: .null, line: line)
      case "true": return JSONValue(kind: .bool(true), line: line)
      case "false": return JSONValue(kind: .bool(false), line: line)
      default:
        guard let first = word.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first)
        else { throw error("a value") }
        return JSONValue(kind: .number(text), line: line)
      }
    }
  }

  private mutating func object(depth: Int) throws(JSONValue.SyntaxError) -> [String: JSONValue] {
    _ = take("{")
    var members: [String: JSONValue] = [:]
    if take("}") { return members }
    members.reserveCapacity(8)
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw error("a field name in quotes") }
      let line = line
      let name = try string()
      guard take(":") else { throw error("a colon after \"\(name)\"") }
      let value = try value(depth: depth + 1)
      guard members.updateValue(value, forKey: name) == nil else {
        throw JSONValue.SyntaxError(line: line, expected: "the field \"\(name)\" only once")
      }
    } while take(",")
    guard take("}") else { throw error("a comma or }") }
    return members
  }

  private mutating func array(depth: Int) throws(JSONValue.SyntaxError) -> [JSONValue] {
    _ = take("[")
    var elements: [JSONValue] = []
    if take("]") { return elements }
    repeat { elements.append(try value(depth: depth + 1)) } while take(",")
    guard take("]") else { throw error("a comma or ]") }
    return elements
  }

  private mutating func string() throws(JSONValue.SyntaxError) -> String {
    position += 1
    // Nearly every text has no escapes.
    let plain = bytes[position...].prefix { $0 != 0x22 && $0 != 0x5C && $0 >= 0x20 }
    position += plain.count
    if next == UInt8(ascii: "\"") {
      position += 1
      return String(decoding: plain, as: UTF8.self)
    }
    var text = Array(plain)
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text += try escape()
      case 0..<0x20: throw error("a closing quote on the same line")
      default: text.append(byte)
      }
    }
    throw error("a closing quote")
  }

  private mutating func escape() throws(JSONValue.SyntaxError) -> [UInt8] {
    defer { position += 1 }
    switch next.map(UnicodeScalar.init) {
    case "\"": return [0x22]
    case "\\": return [0x5C]
    case "/": return [0x2F]
    case "b": return [0x08]
    case "f": return [0x0C]
    case "n": return [0x0A]
    case "r": return [0x0D]
    case "t": return [0x09]
    case "u":
      var unit = try hexadecimal()
      // A character beyond 16 bits is written as two escapes.
      if (0xD800..<0xDC00).contains(unit), bytes[(position + 1)...].starts(with: "\\u".utf8) {
        position += 2
        let low = try hexadecimal()
        unit = 0x10000 + (unit - 0xD800) << 10 + (low & 0x3FF)
      }
      return Array(String(UnicodeScalar(unit).map(Character.init) ?? "\u{FFFD}").utf8)
    default: throw error("a known escape after \\")
    }
  }

  /// The four digits after the `u` at the position, which ends on the last of them.
  private mutating func hexadecimal() throws(JSONValue.SyntaxError) -> UInt32 {
    let digits = String(decoding: bytes[(position + 1)...].prefix(4), as: UTF8.self)
    guard digits.utf8.count == 4, let unit = UInt32(digits, radix: 16) else {
      throw error("four hexadecimal digits after \\u")
    }
    position += 4
    return unit
  }
}
