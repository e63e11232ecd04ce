/// Why a line could not be read.
public enum DecodeError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The line is not JSON from this byte of it on.
  case malformed(at: Int, StaticReason)
  /// The line is JSON, but its counters cannot be true.
  case contradiction(StaticReason)

  /// The same error in a text that begins `count` bytes earlier.
  func shifted(by count: Int) -> DecodeError {
    guard case .malformed(let offset, let reason) = self else { return self }
    return .malformed(at: offset + count, reason)
  }

  /// One lower-case sentence without text from the line.
  public var description: String {
    switch self {
    case .malformed(let offset, let reason): "not valid JSON at byte \(offset): \(reason.text)"
    case .contradiction(let reason): "counters contradict: \(reason.text)"
    }
  }
}

/// A fixed sentence; errors never carry text from a log.
public struct StaticReason: Equatable, Sendable, ExpressibleByStringLiteral {
  let text: StaticString

  /// Wraps a literal.
  public init(stringLiteral value: StaticString) { text = value }

  /// Whether both are the same sentence.
  public static func == (a: StaticReason, b: StaticReason) -> Bool {
    a.text.description == b.text.description
  }
}

extension StaticString {
  var string: String { description }
}
