import Foundation
import MimoScreen
import MimoTestSupport
import Testing

struct SnapshotTests {
  private let loud = StyleID(rawValue: 1)

  private var buffer: CellBuffer {
    var buffer = CellBuffer(size: Size(columns: 8, rows: 2))
    buffer.write("a漢", x: 1, y: 0, style: loud)
    buffer.write("plain", x: 0, y: 1)
    return buffer
  }

  @Test func `a snapshot shows rows, then runs of styles by name`() {
    let text = snapshotText(of: buffer) { $0 == loud ? "loud" : nil }
    #expect(text == " a漢\nplain\n--\n0: loud 1-3\n")
  }

  @Test func `a missing snapshot is written and fails, then passes, then shows differences`() throws
  {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let here = folder.appendingPathComponent("SomeTests.swift").path
    let isRecording = ProcessInfo.processInfo.environment["MIMO_RECORD_SNAPSHOTS"] == "1"

    withKnownIssue("recorded") {
      expectSnapshot(buffer, named: "sample", filePath: here)
    } matching: {
      $0.description.contains("Recorded 'sample'")
    }
    expectSnapshot(buffer, named: "sample", filePath: here)

    var changed = buffer
    changed.write("x", x: 0, y: 1)
    withKnownIssue("differs") {
      expectSnapshot(changed, named: "sample", filePath: here)
    } matching: {
      isRecording
        || $0.description.contains("line 2:\n  - plain\n  + xlain")
          && $0.description.contains("MIMO_RECORD_SNAPSHOTS=1")
    }
  }
}
