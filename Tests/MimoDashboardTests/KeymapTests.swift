import Foundation
import MimoScreen
import Testing

@testable import MimoDashboard

@Suite struct KeymapTests {
  @Test func `no key has two meanings`() {
    var seen: Set<Key> = []
    for key in Keymap.bindings.flatMap(\.keys) {
      #expect(seen.insert(key).inserted, "\(key.name) is bound twice")
    }
  }

  @Test func `every action has a key, and no two lines do the same`() {
    let bound = Keymap.bindings.map(\.action)
    #expect(Set(bound) == Set(Action.all))
    #expect(bound.count == Set(bound).count)
  }

  @Test func `each line of help is short, and so is each hint`() {
    for binding in Keymap.bindings {
      #expect(!binding.keys.isEmpty)
      #expect(binding.help.count <= 62, "\(binding.help)")
      #expect((binding.hint ?? "").count <= 10)
      #expect(binding.keys.map(\.name).joined(separator: " ").count <= 11)
    }
  }

  @Test func `each heading has keys, and its keys stand together`() {
    var groups: [Keymap.Group] = []
    for binding in Keymap.bindings where groups.last != binding.group {
      groups.append(binding.group)
    }
    #expect(groups == Keymap.Group.allCases)
  }

  @Test func `help shows every line of the table`() {
    var model = Model.made(.busy, 100, 70)
    model.type("?")
    for binding in Keymap.bindings { #expect(model.text.contains(binding.help)) }
  }

  @Test func `the footer always has help and the way out`() {
    for columns in 40...120 {
      let footer = view(.made(.busy, columns, 24)).rowText(23)
      #expect(footer.contains("? help  q quit"))
    }
  }

  /// Between `<!-- keys -->` and `<!-- /keys -->` README has the table of keys. Recording snapshots
  /// rewrites it.
  @Test func `the table of keys in README follows from the keys`() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let file = root.appendingPathComponent("README.md")
    let text = try String(contentsOf: file, encoding: .utf8)
    let start = try #require(text.range(of: "<!-- keys -->\n"))
    let end = try #require(
      text.range(of: "<!-- /keys -->", range: start.upperBound..<text.endIndex))
    let old = String(text[start.upperBound..<end.lowerBound])
    if old == Self.table { return }
    if ProcessInfo.processInfo.environment["MIMO_RECORD_SNAPSHOTS"] == "1" {
      try text.replacingCharacters(in: start.upperBound..<end.lowerBound, with: Self.table)
        .write(to: file, atomically: true, encoding: .utf8)
      Issue.record("Rewrote the table of keys in README.md; read it, then run the test again.")
    } else {
      Issue.record(
        """
        The table of keys in README.md is not the one of the program. Rewrite it with
          MIMO_RECORD_SNAPSHOTS=1 swift test --filter KeymapTests
        """)
    }
  }

  static var table: String {
    Keymap.bindings.reduce(into: "| key | does |\n|---|---|\n") { table, binding in
      let keys = binding.keys.map { "`\($0.name)`" }.joined(separator: " ")
      table += "| \(keys) | \(binding.help) |\n"
    }
  }
}

extension Action {
  /// Every action. The `switch` fails to compile when one is added, so that it is added here too.
  static var all: [Action] {
    let all: [Action] = [
      .quit, .suspend, .repaint, .showHelp, .showPlans, .showAlerts, .showFiles, .showWhatIf,
      .showChange, .showHours,
      .nextPlan,
      .previousPlan, .asBilled, .pinReference, .toggleCurrency, .toggleMapping, .less,
      .more, .nextWindow, .previousWindow, .earlier(.day), .earlier(.week), .earlier(.month),
      .later(.day), .later(.week), .later(.month), .backToNow,
      .nextGrouping, .previousGrouping, .nextSorting, .reverseSorting, .nextTheme, .focusNext,
      .focusPrevious, .moveUp, .moveDown, .pageUp, .pageDown, .moveToStart, .moveToEnd, .choose,
      .back,
    ]
    for action in all {
      switch action {
      case .quit, .suspend, .repaint, .showHelp, .showPlans, .showAlerts, .showFiles, .showWhatIf,
        .showChange, .showHours,
        .nextPlan,
        .previousPlan, .asBilled, .pinReference, .toggleCurrency, .toggleMapping, .less,
        .more, .nextWindow, .previousWindow, .earlier, .later, .backToNow,
        .nextGrouping, .previousGrouping, .nextSorting, .reverseSorting, .nextTheme, .focusNext,
        .focusPrevious, .moveUp, .moveDown, .pageUp, .pageDown, .moveToStart, .moveToEnd, .choose,
        .back:
        break
      }
    }
    return all
  }
}
