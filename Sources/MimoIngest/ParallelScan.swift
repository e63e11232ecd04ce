import MimoEngine
import MimoThreads
import Synchronization

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Reads everything that logs hold now, once, on all cores.
///
/// Files are shared out among threads, large ones in ranges that meet at line ends unless their format must
/// be read in order. What is counted does not depend on which thread reads what first: the ledger takes
/// calls in any order.
public struct ParallelScan: Sendable {
  /// The counts.
  public let snapshot: UsageSnapshot
  /// What is known of each file, by source and path.
  public let files: [FileReport]
  /// Sources and folders that could not be read.
  public let errors: [LogError]

  /// Large files are read in ranges of this size, and the last two of these in quarters.
  public static let rangeBytes: Int64 = 16 << 20

  /// Reads the files that `sources` lead to. Streams and named pipes are left out.
  ///
  /// - Parameters:
  ///   - threads: how many to use; `nil` takes one for each core.
  ///   - rangeBytes: size of the ranges, for tests.
  ///   - ahead: what may have begun to read them.
  public init(
    of sources: [LogSource], ledger: Ledger, formats: LogFormats = .all,
    readTime: Instant,
    threads: Int? = nil, rangeBytes: Int64 = ParallelScan.rangeBytes, ahead: ScanAhead? = nil
  ) {
    let begun = ahead.flatMap { $0.reads(sources, formats, readTime) ? $0 : nil }
    let job =
      begun?.job
      ?? Job(of: sources, formats: formats, readTime: readTime, rangeBytes: rangeBytes)
    job.begin(with: ledger)
    let cores = threads ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    Workers.run(min(cores, max(1, job.parts.count)) - (begun == nil ? 0 : 1)) { job.work() }
    begun?.wait()
    let result = job.finish()
    snapshot = result.ledger.snapshot()
    files = result.files
    errors = job.listing.errors
  }
}

/// A scan that begins before anybody knows what for: while a program finds out what was typed and reads prices.
///
/// It reads with all formats on one more thread, and counts nothing until a `ParallelScan` takes it over.
public final class ScanAhead: Sendable {
  /// The time of calls whose log tells none.
  public let readTime: Instant
  private let sources: [LogSource]
  fileprivate let job: Job
  private let thread: WorkerThread?

  /// Begins to read what `sources` lead to.
  public init(
    of sources: [LogSource], readTime: Instant, rangeBytes: Int64 = ParallelScan.rangeBytes
  ) {
    self.sources = sources
    self.readTime = readTime
    let job = Job(of: sources, formats: .all, readTime: readTime, rangeBytes: rangeBytes)
    self.job = job
    thread = WorkerThread.start { job.work() }
  }

  fileprivate func reads(
    _ sources: [LogSource], _ formats: LogFormats, _ readTime: Instant
  ) -> Bool {
    sources == self.sources && formats.areAll && readTime == self.readTime
  }

  fileprivate func wait() { thread?.join() }

  /// Lets it end soon, if nobody took it over.
  public func cancel() { job.cancel() }
}

/// A range of one file.
private struct Part: Sendable {
  var log: Int
  var range: Range<Int64>
}

/// What reading a part came to.
private struct PartResult: Sendable {
  var decoder: FileDecoder
  /// What the entries of a file were that is not made of lines.
  var content: (tally: LineTally, formats: [String])?
  /// The names the decoder's state refers to.
  var names: NameTable
  var bytes: Int64 = 0
  /// Of which the records are still with the thread.
  var uncounted: Int64 = 0
  var outcome = NameTranslation.Outcome()
  var copiesLeftOut = 0
  var unfinished: (offset: Int64, length: Int)?
  var errors: [LogError] = []
}

private final class Job: Sendable {
  let listing: LogListing
  let parts: [Part]
  private let leavesOutCopies: [Bool]
  private let formats: LogFormats
  private let readTime: Instant
  private let nextPart = Atomic<Int>(0)
  /// Of which the records are in the ledger.
  private let bytesCounted = Atomic<Int64>(0)
  private let bytesInAll: Int64
  private let ledger = Mutex<Ledger?>(nil)
  private let hasLedger = Atomic<Bool>(false)
  /// Closed when there is a ledger, or will be none.
  private let gate = Channel<Never>(capacity: 0)
  private let results: Mutex<[Int: PartResult]>
  private let plainLogs = Mutex<[Bookmark]?>(nil)

  private var logs: [FoundLog] { listing.logs }

  init(of sources: [LogSource], formats: LogFormats, readTime: Instant, rangeBytes: Int64) {
    let listing = LogListing(of: sources)
    let logs = listing.logs
    self.listing = listing
    // A file named alone does not tell whether the originals are elsewhere.
    leavesOutCopies = logs.map { log in
      if case .folder = sources[log.source] { false } else { true }
    }
    self.formats = formats
    self.readTime = readTime
    bytesInAll = logs.reduce(0) { $0 + $1.size }
    results = Mutex([:])
    parts = logs.indices.flatMap { index -> [Part] in
      var parts: [Part] = []
      var start: Int64 = 0
      let least = max(1, rangeBytes / 4)
      let isWhole =
        logs[index].size > least && Self.mustReadInOrder(logs[index], formats.lines)
      repeat {
        let rest = logs[index].size - start
        // Towards the end they are shorter, so that no thread waits long for the last one.
        let size = isWhole ? .max : rest / 2 > rangeBytes ? rangeBytes : least
        // The last range has no end: the file may have grown since it was listed.
        let isLast = rest <= size
        parts.append(Part(log: index, range: start..<(isLast ? .max : start + size)))
        start = isLast ? .max : start + size
      } while start < logs[index].size
      return parts
    }
  }

  /// Whether the first lines are of a format whose later lines cannot be read without those before.
  private static func mustReadInOrder(_ log: FoundLog, _ formats: [any RecordDecoder]) -> Bool {
    var decoder = FileDecoder(formats)
    var output = DecodedLines(readTime: Instant(milliseconds: 0))
    _ = try? OpenLog(path: log.path).read(range: 0..<(64 << 10), buffer: LineBuffer()) {
      decoder.decode($0, at: $1, into: &output)
    }
    return decoder.readsInOrder
  }

  /// Counts from now on.
  func begin(with ledger: Ledger) {
    self.ledger.withLock { $0 = ledger }
    hasLedger.store(true, ordering: .releasing)
    gate.close()
  }

  /// Begins no other part; what nobody has counted by then is left out.
  func cancel() {
    nextPart.store(parts.count, ordering: .relaxed)
    gate.close()
  }

  /// Reads parts until none is left. Called on each thread.
  func work() {
    let buffer = LineBuffer(windowBytes: Self.windowBytes)
    var output = DecodedLines(readTime: readTime)
    var translation = NameTranslation()
    while true {
      let index = nextPart.add(1, ordering: .relaxed).oldValue
      guard index < parts.count else { return }
      let result = read(parts[index], buffer, &output, &translation)
      results.withLock { $0[index] = result }
    }
  }

  private func read(
    _ part: Part, _ buffer: LineBuffer, _ output: inout DecodedLines,
    _ translation: inout NameTranslation
  ) -> PartResult {
    var result = PartResult(decoder: FileDecoder(formats.lines), names: output.names)
    do throws(LogError) {
      let log = try OpenLog(path: logs[part.log].path)
      if let kind = try log.kind, kind != .lines {
        // Read by whoever has its first part.
        if part.range.lowerBound == 0 {
          // How far it is cannot be told: as if it were done.
          bytesCounted.add(logs[part.log].size, ordering: .relaxed)
          readWhole(kind, part, &output, &translation, &result)
        }
        result.names = output.names
        return result
      }
      let end = try log.read(
        range: part.range, buffer: buffer, unfinished: { result.unfinished = ($1, $0.count) }
      ) { lines, offset in
        result.decoder.decode(lines, at: offset, into: &output)
        result.bytes += Int64(lines.count)
        result.uncounted += Int64(lines.count)
        count(&output, part.log, &translation, &result, mayWait: false)
      }
      result.errors = end.longLines
    } catch {
      result.errors.append(error)
    }
    count(&output, part.log, &translation, &result)
    result.names = output.names
    return result
  }

  private func readWhole(
    _ kind: FileKind, _ part: Part, _ output: inout DecodedLines,
    _ translation: inout NameTranslation, _ result: inout PartResult
  ) {
    var content = FileContent(formats)
    do throws(FileContent.Failure) {
      try content.read(
        logs[part.log].path, as: kind, beside: bookmarks(for: kind), into: &output
      ) {
        count(&$0, part.log, &translation, &result)
      }
      result.bytes = logs[part.log].size
    } catch {
      result.errors.append(error.error)
    }
    result.unfinished = content.unfinished
    result.content = (content.tally, content.formats)
  }

  /// Where the logs of lines end, for what has to know.
  private func bookmarks(for kind: FileKind) -> [Bookmark] {
    guard case .compressed = kind else { return [] }
    return plainLogs.withLock { known in
      if let known { return known }
      let found = logs.compactMap { log -> Bookmark? in
        guard let file = try? OpenLog(path: log.path), (try? file.kind) == .lines else {
          return nil
        }
        return try? file.bookmark(at: log.size)
      }
      known = found
      return found
    }
  }

  /// Records that a thread keeps, at most, while another one has the ledger: it reads on instead of waiting.
  private static let keptRecords = 4096
  /// As long as there is no ledger.
  private static let keptAhead = 4 * keptRecords
  /// What is read at once: it stays in the cache of a core until it is decoded. (5 % faster than 1 MiB.)
  private static let windowBytes = 256 << 10

  private func count(
    _ output: inout DecodedLines, _ log: Int, _ translation: inout NameTranslation,
    _ result: inout PartResult, mayWait: Bool = true
  ) {
    if leavesOutCopies[log] { result.copiesLeftOut += output.dropEmbeddedCopies() }
    if output.records.isEmpty { return }
    if !hasLedger.load(ordering: .acquiring) {
      if !mayWait, output.records.count < Self.keptAhead { return }
      _ = gate.receive()
      // Cancelled.
      if !hasLedger.load(ordering: .acquiring) { return output.removeAll() }
    }
    let outcome: NameTranslation.Outcome
    if mayWait || output.records.count >= Self.keptRecords {
      outcome = ledger.withLock { record(&output, &translation, &result, &$0!) }
    } else {
      guard
        let now = ledger.withLockIfAvailable({ record(&output, &translation, &result, &$0!) })
      else { return }
      outcome = now
    }
    result.outcome += outcome
  }

  private func record(
    _ output: inout DecodedLines, _ translation: inout NameTranslation,
    _ result: inout PartResult, _ ledger: inout Ledger
  ) -> NameTranslation.Outcome {
    ledger.expect(share: Double(bytesInAll) / Double(bytesCounted.load(ordering: .relaxed)))
    bytesCounted.add(result.uncounted, ordering: .relaxed)
    result.uncounted = 0
    return translation.record(&output, into: &ledger)
  }

  /// Joins the parts of each file. Called when all threads are done.
  func finish() -> (ledger: Ledger, files: [FileReport]) {
    var results = results.withLock { $0 }
    var files = logs.map { FileReport(path: $0.path, source: $0.source) }
    for (index, part) in parts.enumerated() {
      guard var result = results[index] else { continue }
      if part.range.lowerBound > 0, let previous = results[index - 1] {
        // A stream of events may have been open where the ranges meet.
        var output = DecodedLines(readTime: readTime, names: result.names)
        var translation = NameTranslation()
        result.decoder.resume(from: previous.decoder, names: previous.names, into: &output)
        result.names = output.names
        count(&output, part.log, &translation, &result)
        results[index] = result
      }
      files[part.log].add(result)
    }
    return (ledger.withLock { $0! }, files)
  }
}

extension FileReport {
  fileprivate mutating func add(_ part: PartResult) {
    tally += part.decoder.tally
    if let content = part.content { tally += content.tally }
    for format in part.content?.formats ?? part.decoder.formats where !formats.contains(format) {
      formats.append(format)
    }
    bytes += part.bytes
    add(part.outcome)
    copiesLeftOut += part.copiesLeftOut
    unfinished = part.unfinished ?? unfinished
    error = error ?? part.errors.first?.description
  }
}

/// Threads that all do the same and are waited for.
private enum Workers {
  static func run(_ count: Int, _ work: @escaping @Sendable () -> Void) {
    let threads = (1..<max(1, count)).compactMap { _ in WorkerThread.start(work) }
    // The calling thread is one of them; whatever the system refuses is done by the others.
    work()
    for thread in threads { thread.join() }
  }
}
