/// A day of the proleptic Gregorian calendar, without a time zone.
///
/// Always a day that exists: `init?(year:month:day:)` refuses 30 February.
public struct CivilDate: Hashable, Comparable, Sendable {
  /// The year, as people count it.
  public let year: Int
  /// 1 to 12.
  public let month: Int
  /// 1 to 31.
  public let day: Int

  /// Creates a date, or `nil` if there is no such day. Years run from 1 to 9999.
  public init?(year: Int, month: Int, day: Int) {
    guard (1...9999).contains(year), (1...12).contains(month) else { return nil }
    guard (1...CivilDate.daysInMonth(month, of: year)).contains(day) else { return nil }
    self.init(unchecked: year, month, day)
  }

  /// Creates the date of a day counted from 1970-01-01, which is day 0.
  public init(dayNumber: Int32) {
    // Years are counted from 1 March, so that the leap day is the last day of a year, in eras of
    // 400 years, which all have the same length.
    let days = Int(dayNumber) + 719_468
    let era = floorDivide(days, 146_097)
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    self.init(
      unchecked: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
      month,
      dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    )
  }

  /// Reads `2026-05-27`.
  ///
  /// - Returns: `nil` for any other notation, and for days that do not exist.
  public init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-") else {
      return nil
    }
    func number(_ range: Range<Int>) -> Int? {
      var value = 0
      for byte in bytes[range] {
        guard case UInt8(ascii: "0")...UInt8(ascii: "9") = byte else { return nil }
        value = value * 10 + Int(byte - UInt8(ascii: "0"))
      }
      return value
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10) else {
      return nil
    }
    self.init(year: year, month: month, day: day)
  }

  private init(unchecked year: Int, _ month: Int, _ day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// The day counted from 1970-01-01; negative before it.
  public var dayNumber: Int32 {
    let yearFromMarch = month <= 2 ? year - 1 : year
    let era = floorDivide(yearFromMarch, 400)
    let yearOfEra = yearFromMarch - era * 400
    let monthFromMarch = month > 2 ? month - 3 : month + 9
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return Int32(era * 146_097 + dayOfEra - 719_468)
  }

  /// The first instant of the day in UTC.
  public var startInUTC: Instant { Instant(seconds: Int64(dayNumber) * 86_400) }

  /// The day of the week: 0 is Monday, 6 is Sunday.
  public var weekday: Int { CivilDate.weekday(ofDay: dayNumber) }

  /// The date as `2026-05-27`.
  public var text: String {
    func padded(_ value: Int, _ width: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
  }

  /// The same day `months` later or earlier; a day past that month's end becomes its last day.
  public func addingMonths(_ months: Int) -> CivilDate {
    let count = year * 12 + (month - 1) + months
    let newYear = floorDivide(count, 12)
    let newMonth = count - newYear * 12 + 1
    return CivilDate(
      unchecked: newYear,
      newMonth,
      min(day, CivilDate.daysInMonth(newMonth, of: newYear))
    )
  }

  /// How many days a month (1 to 12) has.
  public static func daysInMonth(_ month: Int, of year: Int) -> Int {
    switch month {
    case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// The weekday of a day counted from 1970-01-01: 0 is Monday, 6 is Sunday.
  @inlinable public static func weekday(ofDay dayNumber: Int32) -> Int {
    let shifted = Int(dayNumber) + 3  // 1970-01-01 was a Thursday.
    return shifted - floorDivide(shifted, 7) * 7
  }

  /// Whether the first day is before the second.
  public static func < (a: CivilDate, b: CivilDate) -> Bool { a.dayNumber < b.dayNumber }
}
