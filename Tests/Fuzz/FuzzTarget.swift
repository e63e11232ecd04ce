@testable import MimoIngest

/// A reader, what must hold of it, and what it reads well.
struct FuzzTarget: Sendable {
  let name: String
  /// Whether a fixture, given with its path, is worth beginning with.
  var takes: @Sendable (_ path: String, _ bytes: [UInt8]) -> Bool = { _, _ in true }
  /// Seeds that are made of the chosen fixtures.
  var prepare: @Sendable (_ fixtures: [[UInt8]]) -> [[UInt8]] = { $0 }
  /// Ends the program if a law is broken.
  let check: @Sendable (UnsafeRawBufferPointer) -> Void

  /// Every decoder of the registry alone, all together, and what is below and beside them.
  static let all: [FuzzTarget] =
    Decoders.all.map(lines)
    + [lines(Decoders.all), mappedLines]
    + Decoders.documents.map(document)
    + Decoders.databases.map(rows)
    + [content, compressed, framing, json, csv, numbers, catalog]

  /// What to begin with, made of the files below some folders.
  func seeds(in folders: [String]) -> [[UInt8]] {
    let fixtures = folders.flatMap(ScratchFile.paths(below:)).map { ($0, ScratchFile.read($0)) }
    return prepare(fixtures.filter(takes).map(\.1))
  }
}
