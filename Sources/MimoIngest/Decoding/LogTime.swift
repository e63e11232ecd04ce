import MimoEngine

/// Times as logs write them.
public enum LogTime {
  /// Reads a time from a JSON value: ISO 8601 text, or a number of seconds, milliseconds, microseconds or
  /// nanoseconds (told apart by their size), bare or quoted. Text without an offset is taken as UTC.
  ///
  /// - Returns: `nil`, with the value skipped, if it is not a time, or one before 2001 as a number:
  ///   `time` and the like also name durations.
  static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> Instant? {
    if let seconds = cursor.tenDigits() { return Instant(seconds: seconds) }
    if cursor.next == .string {
      guard let text = try cursor.string() else { return nil }
      // Some writers escape the plus of an offset.
      return text.withUnescaped { parse(iso: $0) ?? parse(number: $0) }
    }
    guard let number = try cursor.numberText() else { return nil }
    return parse(number: number)
  }

  /// A number of seconds or of a finer unit since the epoch.
  static func parse(number: UnsafeRawBufferPointer) -> Instant? {
    guard let value = ExactDecimal(bytes: number),
      let milliseconds = value.scaledRounding(by: 3), milliseconds >= 1_000_000_000_000
    else { return nil }
    // 10^11 seconds is the year 5138 and 10^11 milliseconds is 1973: no real log lies between.
    var result = milliseconds
    for _ in 0..<3 where result >= 100_000_000_000_000 { result /= 1000 }
    return result < 100_000_000_000_000 ? Instant(milliseconds: Int64(result)) : nil
  }

  /// `YYYY-MM-DD` with `T` or a space, `HH:MM`, optional seconds and fraction, optional `Z` or `±HH[:]MM`.
  public static func parse(iso text: UnsafeRawBufferPointer) -> Instant? {
    func digits(_ from: Int, _ count: Int) -> Int? {
      guard from + count <= text.count else { return nil }
      var value = 0
      for index in from..<from + count {
        let digit = text[index] &- 48
        guard digit < 10 else { return nil }
        value = value * 10 + Int(digit)
      }
      return value
    }
    func at(_ index: Int, _ byte: Unicode.Scalar) -> Bool {
      index < text.count && text[index] == UInt8(ascii: byte)
    }
    guard let year = digits(0, 4), at(4, "-"), let month = digits(5, 2), at(7, "-"),
      let day = digits(8, 2), (1970..<5138).contains(year),
      let date = CivilDate(year: year, month: month, day: day)
    else { return nil }
    var milliseconds = Int64(date.dayNumber) * 86_400_000
    if text.count == 10 { return Instant(milliseconds: milliseconds) }
    guard at(10, "T") || at(10, " ") || at(10, "t"), let hour = digits(11, 2), at(13, ":"),
      let minute = digits(14, 2),
      hour < 25, minute < 60
    else { return nil }
    milliseconds += Int64(hour * 3600 + minute * 60) * 1000
    var index = 16
    if at(index, ":"), let second = digits(index + 1, 2), second <= 60 {
      milliseconds += Int64(second) * 1000
      index += 3
      if at(index, ".") || at(index, ",") {
        index += 1
        var place: Int64 = 100
        while index < text.count, text[index] &- 48 < 10 {
          milliseconds += Int64(text[index] &- 48) * place
          place /= 10
          index += 1
        }
      }
    }
    if index == text.count || at(index, "Z") || at(index, "z") {
      return Instant(milliseconds: milliseconds)
    }
    if at(index, " ") { index += 1 }
    guard at(index, "+") || at(index, "-"), let offsetHours = digits(index + 1, 2) else {
      return nil
    }
    let offsetMinutes = digits(index + (at(index + 3, ":") ? 4 : 3), 2) ?? 0
    let offset = Int64(offsetHours * 60 + offsetMinutes) * 60_000
    return Instant(milliseconds: at(index, "+") ? milliseconds - offset : milliseconds + offset)
  }
}
