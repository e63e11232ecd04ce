import Foundation
import MimoEngine

@testable import MimoIngest

/// A JSON text with every value read by the cursor that decoders use.
struct JSONTree {
  indirect enum Value {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([Value])
    case object([String: Value])
  }

  let value: Value
  /// Whether all of it is as the grammar has it. The cursor is kinder than Foundation to what strings hold, and
  /// reads numbers beyond the range of a double.
  private(set) var isStrict = true

  /// The value of a text that the cursor walks to its end; `nil` otherwise, and if it is very deep.
  init?(_ text: UnsafeRawBufferPointer) {
    var isStrict = String(validating: text, as: UTF8.self) != nil
    var cursor = JSONCursor(text)
    do throws(DecodeError) {
      guard cursor.hasMore else { return nil }
      guard let value = try Self.read(&cursor, depth: 0, &isStrict) else { return nil }
      self.value = value
      try cursor.expectEnd()
    } catch {
      return nil
    }
    self.isStrict = isStrict
  }

  private static func read(
    _ cursor: inout JSONCursor, depth: Int, _ isStrict: inout Bool
  ) throws(DecodeError) -> Value? {
    guard depth < 64 else { return nil }
    switch cursor.next {
    case .object:
      var members: [String: Value] = [:]
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        // The key has lost its escapes: only what stands there now can be looked at.
        let name = key.text
        if name.unicodeScalars.contains(where: { $0.value < 32 || $0 == "\u{FFFD}" || $0 == "\\" })
        {
          isStrict = false
        }
        guard let value = try read(&cursor, depth: depth + 1, &isStrict) else { return nil }
        // Foundation compares names as Unicode does.
        if members[name] != nil { isStrict = false }
        members[name] = value
      }
      return .object(members)
    case .array:
      var elements: [Value] = []
      try cursor.beginArray()
      while try cursor.nextElement() {
        guard let value = try read(&cursor, depth: depth + 1, &isStrict) else { return nil }
        elements.append(value)
      }
      return .array(elements)
    case .string:
      guard let text = try cursor.string() else { return nil }
      isStrict = isStrict && isProper(text)
      return .string(text.text)
    case .bool: return try cursor.bool().map(Value.bool)
    case .null:
      try cursor.skipValue()
      return .null
    case .number, .nothing:
      guard let text = try cursor.numberText() else { return nil }
      let number = String(decoding: text, as: UTF8.self)
      if !(Double(number) ?? .infinity).isFinite { isStrict = false }
      return .number(number)
    }
  }

  /// Whether a string has no control characters, and only escapes that JSON knows.
  private static func isProper(_ text: JSONString) -> Bool {
    if text.bytes.contains(where: { $0 < 32 }) { return false }
    let quoted = [UInt8(ascii: "\"")] + text.bytes + [UInt8(ascii: "\"")]
    return (try? JSONDecoder().decode(String.self, from: Data(quoted))) != nil
  }
}

extension JSONTree.Value {
  /// Whether Foundation has read the same.
  func equals(_ other: Any) -> Bool {
    switch self {
    case .null: return other is NSNull
    case .bool(let value): return other as? Bool == value
    case .number(let text):
      // Foundation keeps long numbers as decimals of 38 digits, which round otherwise than a double.
      guard let ours = Double(text), let theirs = (other as? NSNumber)?.doubleValue else {
        return false
      }
      return abs(ours - theirs) <= abs(ours) * 1e-15
    case .string(let text):
      return (other as? String).map { $0.utf8.elementsEqual(text.utf8) } ?? false
    case .array(let elements):
      guard let others = other as? [Any], others.count == elements.count else { return false }
      return zip(elements, others).allSatisfy { $0.equals($1) }
    case .object(let members):
      guard let others = other as? [String: Any], others.count == members.count else {
        return false
      }
      return members.allSatisfy { name, value in others[name].map(value.equals) ?? false }
    }
  }
}
