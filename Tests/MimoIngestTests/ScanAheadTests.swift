import Foundation
import MimoEngine
import Testing

@testable import MimoIngest

@Suite struct ScanAheadTests {
  private static let time = Instant(seconds: 1_795_000_000)

  /// A log of so many answers, each third of them told twice.
  private func log(_ count: Int, in folder: ScratchFolder) throws -> LogSource {
    var text = ""
    for index in 0..<count {
      let line =
        #"{"id":"id\#(index)","model":"m\#(index % 3)","usage":{"prompt_tokens":\#(index),"completion_tokens":7}}"#
      text += line + "\n"
      if index % 3 == 0 { text += line + "\n" }
    }
    let path = folder.path("a.jsonl")
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return .file(path)
  }

  private func scan(
    _ source: LogSource, formats: LogFormats = .all, ahead: ScanAhead? = nil
  ) -> ParallelScan {
    ParallelScan(
      of: [source], ledger: Ledger(promptEdges: []), formats: formats, readTime: Self.time,
      threads: 2, ahead: ahead)
  }

  // More than are kept before there is a ledger, in one range and in many.
  @Test(arguments: [0, 5, 20_000], [1 << 14, 16 << 20] as [Int64])
  func `what began ahead counts what a scan counts`(_ count: Int, _ range: Int64) throws {
    let folder = try ScratchFolder()
    let source = try log(count, in: folder)
    let plain = scan(source)
    #expect(sums(plain.snapshot).requests == Int64(count))
    for pause in [0, 20_000] as [UInt32] {
      let ahead = ScanAhead(of: [source], readTime: Self.time, rangeBytes: range)
      usleep(pause)
      let scanned = scan(source, ahead: ahead)
      #expect(sums(scanned.snapshot) == sums(plain.snapshot))
      #expect(scanned.files.map(\.tally) == plain.files.map(\.tally))
      #expect(scanned.files.map(\.bytes) == plain.files.map(\.bytes))
      #expect(scanned.files.map(\.records) == plain.files.map(\.records))
      ahead.cancel()
    }
  }

  @Test func `what began with other logs, formats or times is not taken over`() throws {
    let folder = try ScratchFolder()
    let source = try log(100, in: folder)
    let other = LogSource.file(folder.path("none.jsonl"))
    for ahead in [
      ScanAhead(of: [other], readTime: Self.time),
      ScanAhead(of: [source, source], readTime: Self.time),
      ScanAhead(of: [source], readTime: Instant(seconds: 1)),
    ] {
      #expect(sums(scan(source, ahead: ahead).snapshot).requests == 100)
      ahead.cancel()
    }
    let ahead = ScanAhead(of: [source], readTime: Self.time)
    let codex = try #require(LogFormats(named: "codex"))
    #expect(sums(scan(source, formats: codex, ahead: ahead).snapshot).requests == 0)
    ahead.cancel()
  }
}
