import Foundation
import MimoEngine
import Testing

@testable import MimoIngest

/// What holds for all line formats alike.
@Suite struct DecodersTests {
  /// The samples that are lines.
  private static let files: [String] = {
    let all = (try? FileManager.default.subpathsOfDirectory(atPath: formatSamples.path)) ?? []
    return all.filter { $0.hasSuffix(".jsonl") || $0.hasSuffix(".csv") }.sorted()
  }()

  @Test func `each decoder of the folder is in the registry, and each has a sample`() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Sources/MimoIngest/Formats").standardized
    let sources = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    let declared = try sources.flatMap { file in
      try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
        .matches(of: /struct (\w+): RecordDecoder/).map { String($0.1) }
    }
    let registered = Decoders.all.map { String(describing: type(of: $0)) }
    #expect(registered.sorted() == declared.sorted())
    let found = try Set(
      Self.files.flatMap {
        Decoded(bytes: Array(try Data(contentsOf: formatSamples.appendingPathComponent($0))))
          .formats
      })
    for decoder in Decoders.all {
      #expect(found.contains(type(of: decoder).name), "no sample of \(type(of: decoder).name)")
    }
  }

  @Test func `each document format and database of the folder is in the registry`() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Sources/MimoIngest/Formats").standardized
    let text = try FileManager.default.contentsOfDirectory(atPath: folder.path).map {
      try String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8)
    }.joined()
    let documents = text.matches(of: /(enum|struct) (\w+): DocumentDecoder/).map { String($0.2) }
    let databases = text.matches(of: /(enum|struct) (\w+): DatabaseReader/).map { String($0.2) }
    #expect(Decoders.documents.map { String(describing: $0) }.sorted() == documents.sorted())
    #expect(Decoders.databases.map { String(describing: $0) }.sorted() == databases.sorted())
  }

  @Test(arguments: files)
  func `a file cut anywhere gives the same calls`(_ file: String) throws {
    let bytes = Array(try Data(contentsOf: formatSamples.appendingPathComponent(file)))
    let whole = Decoded(bytes: bytes)
    #expect(whole.formats.count == 1)
    var dice = Dice(seed: 7)
    for _ in 0..<20 {
      // A reader passes on what is whole: cuts inside a line wait for its end.
      let cuts = Set((0..<4).map { _ in Int.random(in: 0...bytes.count, using: &dice) }).map {
        cut in
        bytes[..<cut].lastIndex(of: 10).map { $0 + 1 } ?? 0
      }
      let cut = Decoded(bytes: bytes, pieces: Set(cuts).sorted())
      #expect(cut.calls == whole.calls)
      #expect(cut.tally == whole.tally)
    }
  }

  @Test(arguments: files)
  func `reading a large file in ranges counts the same`(_ file: String) throws {
    let path = formatSamples.appendingPathComponent(file).path
    let whole = sums(try collect(.file(path)).ledger.snapshot())
    let size = Int64(try Data(contentsOf: URL(fileURLWithPath: path)).count)
    for rangeBytes in [100, 700, size / 2, size, 2 * size] {
      let scan = ParallelScan(
        of: [.file(path)], ledger: Ledger(promptEdges: []), readTime: Decoded.readTime, threads: 2,
        rangeBytes: rangeBytes)
      #expect(sums(scan.snapshot) == whole)
    }
  }

  @Test(arguments: files)
  func `counters that cannot be true are errors, not numbers`(_ file: String) throws {
    let text = try String(contentsOf: formatSamples.appendingPathComponent(file), encoding: .utf8)
    guard file.hasSuffix(".jsonl") else { return }
    let counters =
      /("(?:prompt|completion_|input|output|native|cache|candidates)[A-Za-z_]*": ?"?)[1-9][0-9]+/
    for wrong in ["-5", "2.5", "99999999999999999"] {
      let broken = text.replacing(counters) { "\($0.1)\(wrong)" }
      guard broken != text else { continue }
      let tally = Decoded(broken).tally
      #expect(tally.malformed > 0, "\(wrong)")
      #expect(
        tally.badLines.allSatisfy {
          $0.reason.hasPrefix("counters contradict") || file.contains("claude-code")
        })
    }
  }

  @Test func `logs one after another, as through a pipe, are told apart`() throws {
    let texts = try Self.files.map {
      try String(contentsOf: formatSamples.appendingPathComponent($0), encoding: .utf8)
    }
    let alone = Set(texts.flatMap { Decoded($0).calls.map(\.tokens) })
    var dice = Dice(seed: 11)
    for _ in 0..<10 {
      let mixed = Decoded(texts.shuffled(using: &dice).joined(separator: "\n"))
      #expect(Set(mixed.calls.map(\.tokens)) == alone)
    }
  }
}
