import Foundation
import MimoEngine

@testable import MimoIngest

/// A decoded record with texts instead of numbers.
struct Call: Hashable {
  var time: Int64
  var model: String
  var provider: String
  var source: String
  var project: String
  var session: String
  var key: String
  var conversation: String
  var tokens: TokenCounts
  var tellsCache: Bool
  var tier: ServiceTier
  var failed: Bool
  var statedCost: String?
  var webSearches: Int64
  var durationMilliseconds: Int32?
  var identity: CallIdentity?

  init(_ record: UsageRecord, _ names: NameTable) {
    time = record.time.milliseconds
    model = names[record.labels.model]
    provider = names[record.labels.provider]
    source = names[record.labels.source]
    project = names[record.labels.project]
    session = names[record.labels.session]
    key = names[record.labels.key]
    conversation = names[record.conversation]
    tokens = record.tokens
    tellsCache = record.tellsCache
    tier = record.tier
    failed = record.failed
    statedCost = record.statedCost?.exactText
    webSearches = record.quantities.webSearches
    durationMilliseconds = record.durationMilliseconds
    identity = record.identity
  }
}

/// What came out of some text.
struct Decoded {
  /// The time of reading in all tests.
  static let readTime = Instant(milliseconds: 1_800_000_000_123)

  var calls: [Call]
  var tally: LineTally
  var formats: [String]

  init(
    _ text: String, pieces: [Int] = [], formats: [any RecordDecoder] = Decoders.all
  ) { self.init(bytes: Array(text.utf8), pieces: pieces, formats: formats) }

  /// - Parameter pieces: where the text is cut between two runs of lines.
  init(bytes: [UInt8], pieces: [Int] = [], formats: [any RecordDecoder] = Decoders.all) {
    var decoder = FileDecoder(formats)
    var output = DecodedLines(readTime: Self.readTime)
    var start = 0
    for end in pieces + [bytes.count] {
      bytes[start..<end].withUnsafeBytes { decoder.decode($0, at: Int64(start), into: &output) }
      start = end
    }
    calls = output.records.map { Call($0, output.names) }
    tally = decoder.tally
    self.formats = decoder.formats
  }
}

/// The calls of some lines, as they stand there.
func calls(_ lines: String...) -> [Call] { Decoded(lines.joined(separator: "\n")).calls }

/// The only call of a line.
func call(_ line: String) -> Call? {
  let decoded = Decoded(line)
  return decoded.calls.count == 1 ? decoded.calls[0] : nil
}

/// The sums of some lines after counting each call once.
func counted(_ lines: String...) -> Measures { counted(lines) }

func counted(_ lines: [String]) -> Measures {
  var decoder = FileDecoder()
  var output = DecodedLines(readTime: Decoded.readTime)
  var text = lines.joined(separator: "\n")
  text.withUTF8 { decoder.decode(UnsafeRawBufferPointer($0), at: 0, into: &output) }
  var ledger = Ledger(promptEdges: [])
  var translation = NameTranslation()
  translation.record(&output, into: &ledger)
  return sums(ledger.snapshot())
}

func sums(_ snapshot: UsageSnapshot) -> Measures {
  let tariff = Tariff(plan: .asBilled, book: PriceBook(providers: []), currency: .usd)
  return Report(of: snapshot, tariff: tariff).totals
}

/// Reads files and folders as `report` does.
func collect(_ sources: LogSource...) throws -> LogCollector {
  let collector = LogCollector(
    ledger: Ledger(promptEdges: []), sources: sources, clock: { Decoded.readTime })
  try LogFollower(sources: sources).scanOnce(collector)
  return collector
}

/// The folder of the format samples.
let formatSamples = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("Fixtures/formats")

/// A folder that is removed with the value.
final class ScratchFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("mimo-ingest-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// Writes a file, with its folders, and returns its path.
  @discardableResult
  func write(_ name: String, _ lines: [String], ending: String = "\n") throws -> String {
    try write(name, bytes: Data(lines.map { $0 + ending }.joined().utf8))
  }

  @discardableResult
  func write(_ name: String, bytes: Data) throws -> String {
    let file = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try bytes.write(to: file)
    return file.path
  }

  var source: LogSource { .folder(url.path, suffixes: []) }
}

/// Always the same throws, so that a failure can be repeated.
struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
