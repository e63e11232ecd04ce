/// A small integer that stands for a name in one `NameTable`; it never leaves the process.
public struct NameID: Hashable, Sendable {
  /// The position in the table; 0 stands for "not stated".
  public var index: UInt32

  /// Creates the id with this position.
  @inlinable public init(_ index: UInt32) { self.index = index }

  /// The name of what the log does not state.
  @inlinable public static var none: NameID { NameID(0) }
}

/// Names (models, projects, sessions, ...) as small integers, so that records and cells hold no text.
///
/// Grows only; an id stays valid. A copy shares storage until one of the two learns a new name.
public struct NameTable: Sendable {
  private var bytes: [UInt8] = []
  private var ends: [UInt32] = [0]
  private var slots: [UInt32] = Array(repeating: 0, count: 64)
  /// So many names are in `slots`: archived ones wait there for the first search.
  private var indexedCount = 1

  /// Longer names are cut here: no vendor's id is longer, and text from logs must not fill the memory.
  public static let maximumBytes = 256

  /// Creates a table that knows only `NameID.none`, whose text is empty.
  public init() {}

  /// How many names are known, `none` included.
  public var count: Int { ends.count }

  /// The id of a name given as bytes (UTF-8; what is not valid is repaired when read back).
  ///
  /// An empty name is `none`. Cost: one hash over the bytes.
  public mutating func intern(_ name: UnsafeRawBufferPointer) -> NameID {
    if name.isEmpty { return .none }
    let name = UnsafeRawBufferPointer(
      start: name.baseAddress, count: min(name.count, Self.maximumBytes))
    if indexedCount != ends.count { index() }
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: Fingerprint(of: name).value) & mask
    while slots[slot] != 0 {
      let candidate = Int(slots[slot])
      if matches(candidate, name) { return NameID(UInt32(candidate)) }
      slot = (slot + 1) & mask
    }
    let id = append(name)
    slots[slot] = id.index
    indexedCount += 1
    if ends.count * 2 > slots.count { index() }
    return id
  }

  /// Takes up the next name of an archived table, in its place even if it is empty there: forgotten.
  public mutating func restore(_ name: UnsafeRawBufferPointer) { _ = append(name) }

  /// Makes room for so many names at once.
  public mutating func reserveCapacity(_ count: Int) { ends.reserveCapacity(count) }

  private mutating func append(_ name: UnsafeRawBufferPointer) -> NameID {
    bytes.append(contentsOf: name)
    ends.append(UInt32(bytes.count))
    return NameID(UInt32(ends.count - 1))
  }

  /// The id of a name.
  public mutating func intern(_ name: String) -> NameID {
    var name = name
    return name.withUTF8 { intern(UnsafeRawBufferPointer($0)) }
  }

  /// The id of a name already known, or `nil`. Cost: linear in the number of names.
  public func find(_ name: String) -> NameID? {
    (0..<ends.count).first { self[NameID(UInt32($0))] == name }.map { NameID(UInt32($0)) }
  }

  /// The text of a name; empty for `none`.
  ///
  /// - Precondition: the id comes from this table or an older copy of it.
  public subscript(id: NameID) -> String {
    if id == .none { return "" }
    return String(decoding: bytes[range(Int(id.index))], as: UTF8.self)
  }

  /// Calls `body` with the bytes of a name.
  public func withBytes<R>(of id: NameID, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    let range = id == .none ? 0..<0 : range(Int(id.index))
    return bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }

  private func range(_ index: Int) -> Range<Int> { Int(ends[index - 1])..<Int(ends[index]) }

  private func matches(_ index: Int, _ name: UnsafeRawBufferPointer) -> Bool {
    let range = range(index)
    guard range.count == name.count else { return false }
    return bytes.withUnsafeBytes { all in
      var done = 0
      while done + 8 <= name.count {
        let a = all.loadUnaligned(fromByteOffset: range.lowerBound + done, as: UInt64.self)
        let b = name.loadUnaligned(fromByteOffset: done, as: UInt64.self)
        if a != b { return false }
        done += 8
      }
      while done < name.count {
        if all[range.lowerBound + done] != name[done] { return false }
        done += 1
      }
      return true
    }
  }

  /// Fills the slots anew, at most half of them.
  private mutating func index() {
    var size = slots.count
    while size < ends.count * 2 { size *= 2 }
    slots = Array(repeating: 0, count: size)
    let mask = size - 1
    bytes.withUnsafeBytes { all in
      for index in 1..<ends.count {
        let hash = Fingerprint(of: UnsafeRawBufferPointer(rebasing: all[range(index)]))
        var slot = Int(truncatingIfNeeded: hash.value) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt32(index)
      }
    }
    indexedCount = ends.count
  }
}
