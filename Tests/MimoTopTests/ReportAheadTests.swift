import Foundation
import Testing

@testable import mimo_top

@Suite struct ReportAheadTests {
  /// The path of a sparse file of so many bytes.
  private func file(_ name: String, bytes: UInt64) throws -> String {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("mimo-top-ahead-\(name)-\(UUID().uuidString).jsonl")
    #expect(FileManager.default.createFile(atPath: url.path, contents: nil))
    let handle = try FileHandle(forWritingTo: url)
    try handle.truncate(atOffset: bytes)
    try handle.close()
    return url.path
  }

  @Test func `a report on one large log begins ahead`() throws {
    let (large, small) = (try file("large", bytes: 5 << 20), try file("small", bytes: 100))
    defer { for path in [large, small] { try? FileManager.default.removeItem(atPath: path) } }
    for arguments in [
      ["report", large], ["report", "--json", large], ["report", large, "--by", "model"],
      ["report", small, large], ["report", "--tz=UTC", large],
    ] { #expect(ReportAhead.log(in: arguments) == large) }
    for arguments in [
      [], ["report"], [large], ["compare", large], ["report", small], ["report", large, large],
      ["report", "--help", large], ["report", "--format", "api", large],
      ["report", "--format=api", large], ["report", "--map", "x=y", large],
      ["report", "--history", large], ["report", "/"], ["report", "/none"],
    ] { #expect(ReportAhead.log(in: arguments) == nil, "\(arguments)") }
  }
}
