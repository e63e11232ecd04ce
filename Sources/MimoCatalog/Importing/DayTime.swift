import MimoEngine

/// Times of day in other price books.
enum DayTime {
  /// Minutes since midnight of `16:30` or `16:30:00`; `nil` for anything else.
  static func minute(_ text: String) -> Int32? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard 2...3 ~= parts.count, parts.allSatisfy({ $0.utf8.count == 2 && $0.first != "+" }),
      let hours = Int32(parts[0]), let minutes = Int32(parts[1]), 0...24 ~= hours,
      0..<60 ~= minutes, hours * 60 + minutes <= 1440, parts.count == 2 || parts[2] == "00"
    else { return nil }
    return hours * 60 + minutes
  }

  /// Minutes since midnight UTC of `00:30:00Z` or `08:30:00+08:00`.
  static func utcMinute(_ text: String) -> Int32? {
    if text.hasSuffix("Z") { return minute(String(text.dropLast())) }
    guard let sign = text.lastIndex(where: { $0 == "+" || $0 == "-" }),
      let local = minute(String(text[..<sign])),
      let offset = minute(String(text[text.index(after: sign)...]))
    else { return nil }
    let utc = text[sign] == "+" ? local - offset : local + offset
    return floorMod(utc, 1440)
  }

  /// `16:30` from minutes since midnight.
  static func text(_ minute: Int32) -> String {
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(two(minute / 60)):\(two(minute % 60))"
  }

  private static func floorMod(_ a: Int32, _ b: Int32) -> Int32 { a - floorDivide(a, b) * b }
}
