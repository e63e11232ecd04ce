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

  /// Calls `body` with each cell, in order of series and minute; `false` if the bytes are damaged.
  @inline(__always)
  static func decode(
    _ bytes: UnsafeRawBufferPointer, of hour: Hour, _ body: (ArchivedCell) -> Void
  ) -> Bool {
    var reader = ByteReader(sealed: bytes, for: place(of: hour))
    let first = hour.minutes.lowerBound.number
    var cell = ArchivedCell(minute: Minute(first), series: 0)
    var left = reader.number()
    while left > 0 {
      let head = reader.byte()
      if head & 0x3F > 59 { reader.markDamaged() }
      cell.minute.number = first + Int32(head & 0x3F)
      if head & anotherSeries != 0 {
        let (series, overflow) = cell.series.addingReportingOverflow(reader.number(as: UInt32.self))
        if overflow { reader.markDamaged() }
        cell.series = series
      }
      let mask = reader.byte()
      cell.requests = mask & TokenMask.first == 0 ? 1 : reader.number(as: UInt32.self)
      cell.tokens = reader.tokens(mask)
      if mask & TokenMask.second != 0 {
        readMore(of: &cell, &reader)
        if reader.isDamaged { return false }
        body(cell)
        (cell.errors, cell.statedCalls, cell.statedCost) = (0, 0, .zero)
        cell.quantities = Quantities()
      } else {
        if reader.isDamaged { return false }
        body(cell)
      }
      left -= 1
    }
    return reader.isAtEnd && !reader.isDamaged
  }

  private static func readMore(of cell: inout ArchivedCell, _ reader: inout ByteReader) {
    let more = reader.byte()
    if more & hasErrors != 0 { cell.errors = reader.number(as: UInt32.self) }
    if more & hasCost != 0 {
      cell.statedCalls = Int64(bitPattern: reader.number())
      cell.statedCost = reader.amount()
    }
    if more & hasQuantities != 0 { cell.quantities = reader.quantities() }
  }

  private static func place(of hour: Hour) -> UInt64 { UInt64(bitPattern: Int64(hour.number)) }

  private static let anotherSeries: UInt8 = 0x40
  private static let hasErrors: UInt8 = 1
  private static let hasCost: UInt8 = 2
  private static let hasQuantities: UInt8 = 4
}
