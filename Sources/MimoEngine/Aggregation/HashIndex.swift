/// A hash table from 64-bit keys to positions in a list that the owner keeps: six to eight bytes an entry.
///
/// A slot holds a byte of its key beside the position, so that a search looks at the owner's list, which is far
/// away in memory, only where it will nearly always find what it wants. The table grows by a third, or to what is
/// expected, and is filled anew from the owner's list, whose order is kind to the memory; keys are expected to be well
/// mixed.
struct HashIndex: Sendable {
  /// Five bytes each: the position plus one (0 is an empty slot), then the lowest byte of the key.
  private var slots = [UInt8](repeating: 0, count: slotBytes * 64 + spareBytes)
  private var slotCount = 64
  private var count = 0
  /// How many entries there will be, as far as that can be told: the table is then filled anew less often.
  var expectedCount = 0

  private static let slotBytes = 5
  /// So that eight bytes can be read at every slot.
  private static let spareBytes = 3

  /// The memory it takes.
  var bytes: Int { slots.count }

  /// The position with this key for which `isEqual` holds.
  @inline(__always)
  func find(_ key: UInt64, isEqual: (UInt32) -> Bool) -> UInt32? {
    slots.withUnsafeBytes { slots in
      let tag = key & 0xFF
      var slot = Self.slot(of: key, slotCount)
      while true {
        let entry = Self.entry(slots, slot)
        let place = UInt32(truncatingIfNeeded: entry)
        if place == 0 { return nil }
        if entry >> 32 == tag, isEqual(place &- 1) { return place &- 1 }
        slot += 1
        if slot == slotCount { slot = 0 }
      }
    }
  }

  /// What stands where a search for this key begins; for having it near when the search comes.
  @inline(__always)
  func beginning(_ key: UInt64) -> UInt64 {
    slots.withUnsafeBytes { Self.entry($0, Self.slot(of: key, slotCount)) }
  }

  /// Adds the next position of the list; positions are added in order and without gaps.
  ///
  /// - Parameter keyOf: the key of each position added before, for when the table grows.
  @inline(__always)
  mutating func append(_ key: UInt64, keyOf: (UInt32) -> UInt64) {
    if isFull { grow(keyOf) }
    place(key, UInt32(truncatingIfNeeded: count))
    count += 1
  }

  /// Whether the next position makes the table grow.
  @inline(__always)
  private var isFull: Bool { (count + 1) * 100 > slotCount * 82 }

  @inline(never)
  private mutating func grow(_ keyOf: (UInt32) -> UInt64) {
    // What is expected is reached in steps of four, so that what is wrongly expected wastes little. One in a hundred
    // more: an expectation that is met but for a few entries would otherwise be worth nothing.
    var expected = expectedCount * 100 / 81 + 1
    while expected > slotCount * 4 { expected /= 4 }
    slotCount = max(slotCount + slotCount * 3 / 10, expected)
    // The old table goes before the new one comes: memory has no peak here.
    slots = []
    slots = [UInt8](repeating: 0, count: slotCount * Self.slotBytes + Self.spareBytes)
    for position in 0..<UInt32(truncatingIfNeeded: count) { place(keyOf(position), position) }
  }

  @inline(__always)
  private mutating func place(_ key: UInt64, _ position: UInt32) {
    let slotCount = slotCount
    slots.withUnsafeMutableBytes { slots in
      var slot = Self.slot(of: key, slotCount)
      while UInt32(truncatingIfNeeded: Self.entry(UnsafeRawBufferPointer(slots), slot)) != 0 {
        slot += 1
        if slot == slotCount { slot = 0 }
      }
      slots.storeBytes(
        of: (position &+ 1).littleEndian, toByteOffset: slot &* Self.slotBytes, as: UInt32.self)
      slots[slot &* Self.slotBytes &+ 4] = UInt8(truncatingIfNeeded: key)
    }
  }

  /// The first slot to look at: the upper half of the key, spread over all slots.
  @inline(__always)
  private static func slot(of key: UInt64, _ slotCount: Int) -> Int {
    Int(truncatingIfNeeded: ((key >> 32) &* UInt64(slotCount)) >> 32)
  }

  /// Position plus one in the lower 32 bits, tag above.
  @inline(__always)
  private static func entry(_ slots: UnsafeRawBufferPointer, _ slot: Int) -> UInt64 {
    UInt64(
      littleEndian: slots.loadUnaligned(fromByteOffset: slot &* slotBytes, as: UInt64.self))
      & 0xFF_FFFF_FFFF
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
