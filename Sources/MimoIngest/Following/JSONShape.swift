#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Follows the brackets and strings of a line just closely enough to say whether it is one complete
/// JSON object. Bytes may come in pieces, cut anywhere.
struct JSONShape: Hashable, Sendable {
  private enum State: UInt8 { case before, inside, string, escape, complete, other }

  private var state = State.before
  private var depth = 0

  /// Whether the bytes so far are one object with nothing but white space around it.
  var isComplete: Bool { state == .complete }

  /// Takes the next bytes.
  mutating func feed(_ bytes: UnsafeRawBufferPointer) {
    var i = 0
    while i < bytes.count {
      let byte = bytes[i]
      switch state {
      case .string:
        // Long lines are mostly long strings: jump to the next byte that can end one.
        guard let next = firstQuoteOrBackslash(in: bytes, from: i) else { return }
        state = bytes[next] == UInt8(ascii: "\\") ? .escape : .inside
        i = next
      case .escape:
        state = .string
      case .inside:
        switch byte {
        case UInt8(ascii: "\""): state = .string
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          depth -= 1
          if depth == 0 { state = .complete }
        default: break
        }
      case .before:
        if byte == UInt8(ascii: "{") {
          state = .inside
          depth = 1
        } else if !isBlank(byte) {
          state = .other
          return
        }
      case .complete:
        if !isBlank(byte) {
          state = .other
          return
        }
      case .other:
        return
      }
      i += 1
    }
  }

  /// Whether `bytes` are one complete object. Looks at the last byte first, so that a line in the
  /// making, asked about again and again, is nearly always answered at once.
  static func isCompleteObject(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let last = bytes.last(where: { !isBlank($0) }), last == UInt8(ascii: "}") else {
      return false
    }
    var shape = JSONShape()
    shape.feed(bytes)
    return shape.isComplete
  }
}

private func isBlank(_ byte: UInt8) -> Bool {
  byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
}

private func firstQuoteOrBackslash(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
  let base = bytes.baseAddress!
  // A backslash matters only in front of the next quote, so look no further than that.
  let quote = memchr(base + start, 0x22, bytes.count - start).map { UnsafeRawPointer($0) - base }
  let end = quote ?? bytes.count
  let backslash = memchr(base + start, 0x5C, end - start).map { UnsafeRawPointer($0) - base }
  return backslash ?? quote
}
