import MimoEngine
import MimoScreen

/// A part of the screen: a function from the state to cells of a given size.
protocol Panel: SendableMetatype {
  /// Draws into `rect`, which is blank, and nowhere else, at any size; says something useful when it
  /// is small or empty.
  static func draw(_ model: Model, on buffer: inout CellBuffer, in rect: Rect)
}

/// The cards at the top, from left to right. The last ones are left out on narrow screens.
enum Panels {
  static let cards: [any Panel.Type] = [
    SpendPanel.self, CachePanel.self, TokensPanel.self, ActivityPanel.self,
  ]
}

extension Model {
  /// A frame for a panel.
  func box(_ title: String, trailing: [Span] = [], isFocused: Bool = false) -> Box {
    Box(
      title: [Span(title, Role.title.style)], trailingTitle: trailing,
      style: (isFocused ? Role.borderFocused : Role.border).style, glyphs: glyphs)
  }

  /// An amount under the active plan, in its unit.
  func amount(_ value: Amount?) -> String { NumberFormat.amount(value, tariff(plan).unit) }

  /// What calls cost under the active plan: money, credits of a subscription they were made on, or both; with
  /// a sign that a part has no price, which makes it a lower bound.
  func cost(_ sums: Measures) -> String {
    var parts: [String] = []
    if let cost = sums.cost { parts.append(amount(cost)) }
    if let credits = sums.subscriptionCredits {
      parts.append(NumberFormat.amount(credits, .credits))
    }
    if parts.isEmpty { return "no price" }
    return parts.joined(separator: "+") + (sums.unpricedRequests > 0 ? "+?" : "")
  }

  /// Whether the active plan counts credits.
  var countsCredits: Bool { tariff(plan).unit == .credits }

  /// The name of a label, or words for what the log does not state.
  func name(_ id: NameID, _ missing: String = "(not stated)") -> String {
    id == .none ? missing : snapshot.names[id]
  }
}

extension CellBuffer {
  /// Writes `label` at the left and `value` at the right of a line; the label gives way.
  mutating func writePair(_ label: String, _ value: [Span], in line: Rect) {
    let width = value.columns
    let room = line.columns - width - 1
    write(label, x: line.x, y: line.y, style: Role.label.style, maxColumns: max(0, room))
    write(value, x: max(line.x, line.endX - width), y: line.y, maxColumns: line.columns)
  }
}
