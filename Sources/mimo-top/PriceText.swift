import MimoEngine
import MimoScreen

/// Rates and hours in words.
enum PriceText {
  /// A rate per million tokens, as the vendor prints it.
  static func perMillion(_ femto: Int64) -> String {
    ExactDecimal(digits: Int128(femto), decimals: 9).text
  }

  /// All rates of a row on one line.
  static func line(_ rates: Rates) -> String {
    if let hour = rates.perAudioHour { return "audio \(Amount(femto: hour).exactText) an hour" }
    var parts = [
      "input \(perMillion(rates.input))", "cache read \(perMillion(rates.cacheRead))",
      "write 5m \(perMillion(rates.cacheWrite5m))", "write 1h \(perMillion(rates.cacheWrite1h))",
      "output \(perMillion(rates.output))",
    ]
    if let search = rates.perWebSearch {
      parts.append("web search \(Amount(femto: Int128(search)).exactText) each")
    }
    return parts.joined(separator: ", ")
  }

  /// What a unit is called.
  static func unit(_ unit: PricingUnit) -> String {
    switch unit {
    case .money(let currency): currency.rawValue
    case .credits: "credits"
    }
  }

  /// When prices were checked, with a warning if that was long ago.
  static func age(_ age: PriceAge) -> String {
    let ago =
      switch age.days {
      case 0: "today"
      case 1: "yesterday"
      default: "\(age.days) days ago"
      }
    let text = "prices checked \(ago) (\(age.checked.text))"
    guard age.isStale else { return text }
    return
      "warning: \(text), more than \(PriceAge.limitInDays) days: compare them with the vendor's page, "
      + "or take newer ones with mimo-top prices import"
  }
}

/// Columns of text.
enum TextTable {
  /// Lines the columns up; the first row is the header.
  ///
  /// - Parameter leading: the columns that are aligned at their left.
  static func text(_ rows: [[String]], leading: Set<Int>) -> String {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      rows.map { column < $0.count ? TextWidth.width(of: $0[column]) : 0 }.max() ?? 0
    }
    var text = ""
    for (index, row) in rows.enumerated() {
      var line = row.indices.map { column in
        TextWidth.padded(
          row[column], to: widths[column],
          alignment: leading.contains(column) ? .leading : .trailing)
      }.joined(separator: "  ")
      while line.hasSuffix(" ") { line.removeLast() }
      text += line + "\n"
      if index == 0 {
        text += String(repeating: "-", count: widths.reduce(0, +) + 2 * max(0, count - 1)) + "\n"
      }
    }
    return text
  }
}
