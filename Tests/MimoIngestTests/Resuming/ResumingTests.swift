import Foundation
import MimoEngine
import MimoSQLite
import Testing

@testable import MimoIngest

/// Two of the same: followed by one process, and by many.
private struct Both {
  let whole: Process
  let parts: Processes

  init(
    _ sources: [LogSource], seed: UInt64 = 1, roundBytes: Int = 4 << 20, windowBytes: Int = 1 << 20
  ) throws {
    whole = try Process(sources)
    parts = try Processes(sources, seed: seed, roundBytes: roundBytes, windowBytes: windowBytes)
  }

  func settle() {
    whole.settle()
    parts.process.settle()
  }

  func expectSame(_ what: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
    settle()
    let (one, many) = (whole.collector, parts.process.collector)
    difference(
      contents(one.ledger.snapshot()), contents(many.ledger.snapshot()), what, sourceLocation)
    difference(contents(whole.reports), contents(parts.process.reports), what, sourceLocation)
  }

  private func difference(
    _ a: [String], _ b: [String], _ what: String, _ sourceLocation: SourceLocation
  ) {
    let missing = Set(a).subtracting(b).sorted().prefix(3).joined(separator: "\n")
    let extra = Set(b).subtracting(a).sorted().prefix(3).joined(separator: "\n")
    #expect(
      a == b, "\(what)\nonly in one process:\n\(missing)\nonly in many:\n\(extra)",
      sourceLocation: sourceLocation)
  }
}

private func nameless(_ prompt: Int) -> String {
  #"{"model":"mimo-v2.6-pro","ts":1795000060,"usage":{"prompt_tokens":\#(prompt),"completion_tokens":7}}"#
    + "\n"
}

private func append(_ text: String, _ path: String) throws {
  try FileManager.default.createDirectory(
    atPath: split(path).folder, withIntermediateDirectories: true)
  store(Array(text.utf8), path, O_WRONLY | O_CREAT | O_APPEND)
}

@Suite struct ResumingTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  /// The samples, by their path in the folder of samples.
  private static func samples() -> [(name: String, bytes: [UInt8])] {
    let root = formatSamples.path
    let names = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    return names.sorted().compactMap { name in
      guard !name.hasSuffix(".sql"), name != "expected.json", let dot = name.lastIndex(of: "."),
        !name[dot...].contains("/"),
        let data = FileManager.default.contents(atPath: "\(root)/\(name)")
      else { return nil }
      return (name, Array(data))
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `samples that grow in pieces count as in one process`(seed: UInt64) throws {
    var dice = Dice(seed: seed)
    let both = try Both([scratch.source], seed: seed, roundBytes: 300, windowBytes: 1024)
    var rest = Self.samples()
    #expect(rest.count > 30)
    while !rest.isEmpty {
      let index = Int.random(in: rest.indices, using: &dice)
      let count = Int.random(
        in: 1...max(1, min(rest[index].bytes.count, 3000)), using: &dice)
      let path = scratch.path(rest[index].name)
      try append("", path)
      store(Array(rest[index].bytes.prefix(count)), path, O_WRONLY | O_APPEND)
      rest[index].bytes.removeFirst(count)
      if rest[index].bytes.isEmpty { rest.remove(at: index) }
      both.whole.settle()
      if Bool.random(using: &dice) { both.parts.process.settle() }
      if Int.random(in: 0..<3, using: &dice) > 0 { try both.parts.restart() }
    }
    both.expectSame("seed \(seed)")
  }
}
