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

  /// Adds the cells, in order of series and minute, to those in `result`.
  ///
  /// - Returns: the largest position of a series; `nil` if the bytes are damaged.
  static func decode(
    _ bytes: UnsafeRawBufferPointer, of hour: Hour, addingTo result: inout HourCells
  ) -> UInt32? {
    var reader = ByteReader(sealed: bytes, for: place(of: hour))
    let first = hour.minutes.lowerBound.number
    var series: UInt32 = 0
    var left = reader.number()
    // Each cell has two bytes at least.
    guard left <= bytes.count / 2 else { return nil }
    if result.cells.isEmpty { result.cells.reserveCapacity(Int(left)) }
    while left > 0 {
      let head = reader.byte()
      if head & 0x3F > 59 { reader.markDamaged() }
      if head & anotherSeries != 0 {
        let (sum, overflow) = series.addingReportingOverflow(reader.number(as: UInt32.self))
        if overflow { reader.markDamaged() }
        series = sum
      }
      let mask = reader.byte()
      let requests = mask & TokenMask.first == 0 ? 1 : reader.number(as: UInt32.self)
      result.cells.append(
        UsageCell(
          minute: Minute(first + Int32(head & 0x3F)), series: series, requests: requests, errors: 0,
          tokens: reader.tokens(mask)))
      if mask & TokenMask.second != 0 { readMore(&result, &reader) }
      if reader.isDamaged { return nil }
      left -= 1
    }
    return reader.isAtEnd && !reader.isDamaged ? series : nil
  }

  /// Reads what only some cells have, for the last one.
  private static func readMore(_ result: inout HourCells, _ reader: inout ByteReader) {
    let row = result.cells.count - 1
    let more = reader.byte()
    if more & hasErrors != 0 { result.cells[row].errors = reader.number(as: UInt32.self) }
    guard more & (hasCost | hasQuantities) != 0 else { return }
    var extras = CellExtras()
    if more & hasCost != 0 {
      extras.stated.calls = Int64(bitPattern: reader.number())
      extras.stated.amount = reader.amount()
    }
    if more & hasQuantities != 0 { extras.quantities = reader.quantities() }
    result.extras.append((row, extras))
  }

  private static func place(of hour: Hour) -> UInt64 { UInt64(bitPattern: Int64(hour.number)) }

  private static let anotherSeries: UInt8 = 0x40
  private static let hasErrors: UInt8 = 1
  private static let hasCost: UInt8 = 2
  private static let hasQuantities: UInt8 = 4
}
