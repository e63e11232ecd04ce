import MimoEngine

/// The cells of one hour as bytes: about a dozen for a cell of a few calls.
///
///     count, then for each cell, in order of series and minute:
///     head      minute in the hour (6 bits), whether its series is another than the last cell's (0x40)
///     series    only if another: how much larger than the last one's
///     mask      which classes of tokens are not zero (6 bits), not one request (0x40), more follows (0x80)
///     requests  only if not one
///     tokens    those that are not zero
///     more      bits: errors 1, stated cost 2, quantities 4; then these
enum SlabCoding {
  /// - Precondition: the cells are of this hour.
  static func encode(_ cells: [ArchivedCell], of hour: Hour) -> [UInt8] {
    let minutes = hour.minutes
    var writer = ByteWriter()
    writer.append(UInt64(cells.count))
    var series: UInt32 = 0
    for cell in cells.sorted(by: { ($0.series, $0.minute) < ($1.series, $1.minute) }) {
      precondition(minutes.contains(cell.minute), "a cell of another hour")
      let isOther = cell.series != series
      writer.append(
        UInt8(cell.minute.number - minutes.lowerBound.number) | (isOther ? anotherSeries : 0))
      if isOther { writer.append(cell.series - series) }
      series = cell.series
      append(cell, to: &writer)
    }
    return writer.sealed(for: place(of: hour))
  }

  private static func append(_ cell: ArchivedCell, to writer: inout ByteWriter) {
    var more: UInt8 = 0
    if cell.errors != 0 { more |= hasErrors }
    if cell.statedCalls != 0 || cell.statedCost != .zero { more |= hasCost }
    if !cell.quantities.isZero { more |= hasQuantities }
    writer.append(
      maskOf: cell.tokens,
      with: (cell.requests == 1 ? 0 : TokenMask.first) | (more == 0 ? 0 : TokenMask.second))
    if cell.requests != 1 { writer.append(cell.requests) }
    writer.append(cell.tokens)
    if more == 0 { return }
    writer.append(more)
    if more & hasErrors != 0 { writer.append(cell.errors) }
    if more & hasCost != 0 {
      writer.append(UInt64(bitPattern: cell.statedCalls))
      writer.append(cell.statedCost)
    }
    if more & hasQuantities != 0 { writer.append(cell.quantities) }
  }

  /// The cells of stored hours, one hour after the other, each in order of series and minute.
  ///
  /// - Returns: these, and the largest position of a series; `nil` if bytes are damaged.
  static func decode(
    _ slabs: [(bytes: UnsafeRawBufferPointer, hour: Hour)]
  ) -> (cells: HourCells, largest: UInt32)? {
    var count = 0
    for (bytes, hour) in slabs {
      var reader = ByteReader(sealed: bytes, for: place(of: hour))
      let cells = reader.number()
      // Each cell has two bytes at least.
      guard !reader.isDamaged, cells <= bytes.count / 2 else { return nil }
      count += Int(cells)
    }
    var result = HourCells()
    var largest: UInt32 = 0
    var isDamaged = false
    result.cells = Array(unsafeUninitializedCapacity: count) { cells, filled in
      for (bytes, hour) in slabs where !isDamaged {
        // The checksum fits.
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4)))
        var hour = Decoding(hour: hour, left: reader.number(), row: filled)
        hour.run(&reader, cells, &result.extras)
        filled = hour.row
        largest = max(largest, hour.series)
        isDamaged = reader.isDamaged || !reader.isAtEnd
      }
    }
    return isDamaged ? nil : (result, largest)
  }

  /// The way through the cells of an hour.
  private struct Decoding {
    let hour: Hour
    var left: UInt64
    /// Where the next cell goes.
    var row: Int
    var series: UInt32 = 0

    init(hour: Hour, left: UInt64, row: Int) {
      (self.hour, self.left, self.row) = (hour, left, row)
    }

    /// What a cell can have: head, series, mask, requests and six counts.
    private static let mostBytes = 1 + 10 + 1 + 10 + 6 * 10

    mutating func run(
      _ reader: inout ByteReader, _ cells: UnsafeMutableBufferPointer<UsageCell>,
      _ extras: inout [(row: Int, CellExtras)]
    ) {
      while left > 0, !reader.isDamaged {
        var hasMore = false
        if reader.bytesLeft >= Self.mostBytes {
          // Nearly all cells, many at once.
          hasMore = reader.unchecked { reader in
            var copy = self
            defer { self = copy }
            while copy.left > 0, reader.bytesLeft >= Self.mostBytes, !reader.isDamaged {
              if copy.readCell(&reader, cells) { return true }
            }
            return false
          }
        } else {
          hasMore = readCell(&reader, cells)
        }
        if hasMore { readMore(&reader, &cells[row - 1], &extras) }
      }
    }

    /// Reads the next cell; returns whether it has more than tokens.
    @inline(__always)
    private mutating func readCell<Reader: NumberReader>(
      _ reader: inout Reader, _ cells: UnsafeMutableBufferPointer<UsageCell>
    ) -> Bool {
      let head = reader.byte()
      if head & 0x3F > 59 { reader.markDamaged() }
      if head & anotherSeries != 0 {
        let (sum, overflow) = series.addingReportingOverflow(reader.number(as: UInt32.self))
        if overflow { reader.markDamaged() }
        series = sum
      }
      let mask = reader.byte()
      let requests = mask & TokenMask.first == 0 ? 1 : reader.number(as: UInt32.self)
      cells.initializeElement(
        at: row,
        to: UsageCell(
          minute: Minute(hour.minutes.lowerBound.number + Int32(head & 0x3F)), series: series,
          requests: requests, errors: 0, tokens: reader.tokens(mask)))
      row += 1
      left -= 1
      return mask & TokenMask.second != 0
    }

    /// Reads what only some cells have.
    private func readMore(
      _ reader: inout ByteReader, _ cell: inout UsageCell, _ all: inout [(row: Int, CellExtras)]
    ) {
      let more = reader.byte()
      if more & hasErrors != 0 { cell.errors = reader.number(as: UInt32.self) }
      guard more & (hasCost | hasQuantities) != 0 else { return }
      var extras = CellExtras()
      if more & hasCost != 0 {
        extras.stated.calls = Int64(bitPattern: reader.number())
        extras.stated.amount = reader.amount()
      }
      if more & hasQuantities != 0 { extras.quantities = reader.quantities() }
      all.append((row - 1, extras))
    }
  }

  private static func place(of hour: Hour) -> UInt64 { UInt64(bitPattern: Int64(hour.number)) }

  private static let anotherSeries: UInt8 = 0x40
  private static let hasErrors: UInt8 = 1
  private static let hasCost: UInt8 = 2
  private static let hasQuantities: UInt8 = 4
}
