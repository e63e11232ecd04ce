/// A hash table from 64-bit keys to positions in a list that the owner keeps: five to eleven bytes an entry.
struct HashIndex: Sendable {
  private var slots: [UInt32] = Array(repeating: .max, count: 64)
  private var count = 0

  /// The position with this key for which `isEqual` holds.
  @inline(__always)
  func find(_ key: UInt64, isEqual: (UInt32) -> Bool) -> UInt32? {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: key) & mask
    while slots[slot] != .max {
      if isEqual(slots[slot]) { return slots[slot] }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// Adds a position that is not yet in the table; `keyOf` gives the keys of those that are.
  mutating func insert(_ key: UInt64, _ position: UInt32, keyOf: (UInt32) -> UInt64) {
    if (count + 1) * 4 > slots.count * 3 {
      let old = slots
      slots = Array(repeating: .max, count: old.count * 2)
      for position in old where position != .max { place(keyOf(position), position) }
    }
    place(key, position)
    count += 1
  }

  private mutating func place(_ key: UInt64, _ position: UInt32) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: key) & mask
    while slots[slot] != .max { slot = (slot + 1) & mask }
    slots[slot] = position
  }
}

/// A list that grows without copying what it holds: a doubling array would need three times the memory
/// at the moment it grows.
struct ChunkedArray<Element: Sendable>: Sendable {
  private static var chunkCapacity: Int { 1 << 14 }
  private var chunks: [[Element]] = []

  private(set) var count = 0

  mutating func append(_ element: Element) {
    if count % Self.chunkCapacity == 0 {
      chunks.append([])
      chunks[chunks.count - 1].reserveCapacity(Self.chunkCapacity)
    }
    chunks[chunks.count - 1].append(element)
    count += 1
  }

  subscript(position: UInt32) -> Element {
    _read { yield chunks[Int(position) >> 14][Int(position) & (Self.chunkCapacity - 1)] }
    _modify { yield &chunks[Int(position) >> 14][Int(position) & (Self.chunkCapacity - 1)] }
  }
}
