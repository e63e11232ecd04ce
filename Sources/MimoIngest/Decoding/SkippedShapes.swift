#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What a container that is always skipped looked like the last few times: a writer repeats all of it but the texts.
///
/// A shape is the container's bytes without the content of its longer strings. Where all of these bytes come again,
/// with any strings between them, the brackets are the same ones, so the container ends where the shape does.
/// (An eighth fewer instructions for a line of the Chat form; `mimo-top-bench decode`.)
struct SkippedShapes: Sendable {
  private struct Shape: Sendable {
    /// The pieces between the strings, one after another, with the quotes on both sides.
    var bytes: [UInt8] = []
    /// Where each piece ends in `bytes`.
    var ends: [Int] = []
  }

  private var shapes: [Shape] = []
  /// The shape that the next unknown one replaces.
  private var oldest = 0
  /// How many more containers were new than known. Where none is like another, looking is a waste.
  private var surprises = 0

  private static let capacity = 4
  private static let largestShape = 512
  private static let tolerated = 32
  /// Shorter texts belong to the shape: most are words of the form, such as `assistant`.
  private static let shortestText = 16

  /// Skips the container that comes next.
  mutating func skip(_ cursor: inout JSONCursor) throws(DecodeError) {
    guard surprises < Self.tolerated, cursor.next == .array || cursor.next == .object else {
      return try cursor.skipValue()
    }
    for shape in shapes.indices {
      if let end = Self.end(of: shapes[shape], cursor) {
        cursor.p = end
        cursor.afterValue = true
        surprises = max(0, surprises - 1)
        return
      }
    }
    let start = cursor.p
    try cursor.skipValue()
    surprises += 1
    learn(UnsafeBufferPointer(start: start, count: cursor.p - start))
  }

  @inline(__always)
  private static func end(of shape: Shape, _ cursor: JSONCursor) -> UnsafePointer<UInt8>? {
    shape.bytes.withUnsafeBufferPointer { bytes in
      var q = cursor.p
      var from = 0
      for (index, end) in shape.ends.enumerated() {
        if index > 0 {
          guard let quote = cursor.closingQuote(q, searched: q) else { return nil }
          q = quote
        }
        guard cursor.end - q >= end - from,
          memcmp(q, bytes.baseAddress! + from, end - from) == 0
        else { return nil }
        q += end - from
        from = end
      }
      return q
    }
  }

  /// Remembers a container that has just been skipped, so its quotes and brackets are in order.
  private mutating func learn(_ text: UnsafeBufferPointer<UInt8>) {
    var shape = Shape()
    var index = 0
    while index < text.count {
      guard shape.bytes.count < Self.largestShape else { return }
      shape.bytes.append(text[index])
      index += 1
      guard text[index - 1] == UInt8(ascii: "\"") else { continue }
      let start = index
      while text[index] != UInt8(ascii: "\"") {
        index += text[index] == UInt8(ascii: "\\") ? 2 : 1
      }
      let isKey = index + 1 < text.count && text[index + 1] == UInt8(ascii: ":")
      if isKey || index - start < Self.shortestText {
        shape.bytes.append(contentsOf: text[start..<index])
      } else {
        shape.ends.append(shape.bytes.count)
      }
      shape.bytes.append(UInt8(ascii: "\""))
      index += 1
    }
    shape.ends.append(shape.bytes.count)
    if shapes.count < Self.capacity {
      shapes.append(shape)
    } else {
      shapes[oldest] = shape
      oldest = (oldest + 1) % Self.capacity
    }
  }
}
