import MimoScreen

/// What a cell means; a theme says how that looks. Meaning is never carried by the look alone.
public enum Role: UInt16, CaseIterable, Sendable {
  case plain
  case title
  case border
  case borderFocused
  case label
  case muted
  case value
  case money
  case good
  case warning
  case critical
  case banner
  case tableHeader
  case tableSorted
  case selected
  case key
  case keyText
  case fresh
  case cacheRead
  case cacheWrite
  case output
  case reasoning
  case track
  case chart
  case rateLow
  case rateMiddle
  case rateHigh
  case overlay

  /// The style a cell of this role has.
  public var style: StyleID { StyleID(rawValue: rawValue) }

  /// The role's name in theme files and snapshots.
  public var name: String { "\(self)" }

  /// The role that lends its look where a theme does not mention this one; `nil` for `plain`.
  public var parent: Role? {
    switch self {
    case .plain: nil
    case .title, .border, .label, .muted, .value, .track, .chart, .overlay: .plain
    case .borderFocused: .border
    case .money, .good, .fresh, .cacheRead, .cacheWrite, .output, .reasoning: .value
    case .warning, .selected, .key: .title
    case .critical, .banner: .warning
    case .tableHeader, .keyText: .label
    case .tableSorted: .tableHeader
    case .rateLow: .critical
    case .rateMiddle: .warning
    case .rateHigh: .good
    }
  }
}
