import Foundation
import MimoScreen
import Testing

/// Compares a buffer with the snapshot `Snapshots/NAME.txt` beside the calling test file.
///
/// The file shows the rows as seen, without the spaces at their ends, then `--`, then for each row
/// with styles its runs: `row: name first-last, ...`, columns inclusive and from zero. A missing
/// snapshot is written and the test fails, so that nobody commits one unread.
///
/// - Parameters:
///   - name: The situation, such as `quota-80x24-nearly-exhausted`.
///   - styleName: What a style is called; `nil` leaves its runs out.
public func expectSnapshot(
  _ buffer: CellBuffer,
  named name: String,
  styleName: (StyleID) -> String? = { $0 == .plain ? nil : "style\($0.rawValue)" },
  filePath: String = #filePath,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let folder = URL(fileURLWithPath: filePath).deletingLastPathComponent()
    .appendingPathComponent("Snapshots")
  let file = folder.appendingPathComponent(name + ".txt")
  let actual = snapshotText(of: buffer, styleName: styleName)
  let expected = try? String(contentsOf: file, encoding: .utf8)
  if expected == actual { return }

  let isRecording = ProcessInfo.processInfo.environment["MIMO_RECORD_SNAPSHOTS"] == "1"
  if expected != nil, !isRecording {
    Issue.record(
      """
      '\(name)' does not look like its snapshot.
      \(snapshotDifference(expected: expected ?? "", actual: actual))
      If the new look is right, record it with
        MIMO_RECORD_SNAPSHOTS=1 swift test --filter \(callerTarget(filePath))
      and read the difference before committing it.
      """,
      sourceLocation: sourceLocation
    )
    return
  }
  do {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try actual.write(to: file, atomically: true, encoding: .utf8)
    Issue.record(
      "Recorded '\(name)'; read it, then run the test again.\n\(actual)",
      sourceLocation: sourceLocation
    )
  } catch {
    Issue.record("'\(name)' could not be recorded: \(error)", sourceLocation: sourceLocation)
  }
}

/// The text of a snapshot. See `expectSnapshot`.
public func snapshotText(of buffer: CellBuffer, styleName: (StyleID) -> String?) -> String {
  var lines = buffer.text.components(separatedBy: "\n")
  lines.append("--")
  for y in 0..<buffer.size.rows {
    var runs: [String] = []
    var start = 0
    while start < buffer.size.columns {
      let style = buffer[start, y].style
      var end = start + 1
      while end < buffer.size.columns, buffer[end, y].style == style { end += 1 }
      if let name = styleName(style) { runs.append("\(name) \(start)-\(end - 1)") }
      start = end
    }
    if !runs.isEmpty { lines.append("\(y): " + runs.joined(separator: ", ")) }
  }
  return lines.joined(separator: "\n") + "\n"
}

/// The first lines that differ, the expected one marked `-` and the actual one `+`.
func snapshotDifference(expected: String, actual: String, limit: Int = 4) -> String {
  let old = expected.components(separatedBy: "\n")
  let new = actual.components(separatedBy: "\n")
  var report: [String] = []
  var count = 0
  for index in 0..<max(old.count, new.count) {
    let before = index < old.count ? old[index] : nil
    let after = index < new.count ? new[index] : nil
    if before == after { continue }
    count += 1
    if count > limit { continue }
    report.append("line \(index + 1):")
    if let before { report.append("  - \(before)") }
    if let after { report.append("  + \(after)") }
  }
  if count > limit { report.append("and \(count - limit) more lines") }
  return report.joined(separator: "\n")
}

private func callerTarget(_ filePath: String) -> String {
  URL(fileURLWithPath: filePath).deletingLastPathComponent().lastPathComponent
}
