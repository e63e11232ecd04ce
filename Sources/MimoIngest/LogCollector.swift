import MimoEngine

/// What is known of one followed file, for `report`, `doctor` and the screen.
public struct FileReport: Sendable {
  /// The path as shown to the user.
  public var path: String
  /// Index of the source it was found through.
  public var source: Int
  /// What its lines turned out to be.
  public var tally = LineTally()
  /// The formats recognised in it, in the order of their first line.
  public var formats: [String] = []
  /// Bytes accounted for, over all readings.
  public var bytes: Int64 = 0
  /// How many of its records were calls already counted.
  public var duplicates = 0
  /// How many of its records were calls not counted before.
  public var records = 0
  /// The time of its latest record; `nil` if it has none.
  public var newest: Instant?
  /// Copies of answers of other files that were left out, because the file was named alone.
  public var copiesLeftOut = 0
  /// Where a last line begins that was never finished, and its length; only in one-shot readings.
  public var unfinished: (offset: Int64, length: Int)?
  /// How many of its calls were left out, because the sums of all calls cannot hold them.
  public var refused = 0
  /// How many of its calls were left out, because the ledger does not go back so far: they were forgotten, or are
  /// not known by their ids any more.
  public var tooOld = 0
  /// Why it cannot be read now, or cannot be counted; `nil` if it can.
  public var error: String? {
    get {
      failure ?? (refused > 0 ? "\(path): \(refused) calls were left out, \(Self.overflow)" : nil)
    }
    set { failure = newValue }
  }
  /// What `error` says of reading.
  var failure: String?
  private static let overflow = "because the sums of all calls would be too large to be true"

  /// A file of which nothing was read yet.
  public init(path: String, source: Int) {
    self.path = path
    self.source = source
  }

  /// Notes what counting some of its records came to.
  mutating func add(_ outcome: NameTranslation.Outcome) {
    records += outcome.counted
    duplicates += outcome.repeated
    refused += outcome.refused
    tooOld += outcome.tooOld
    newest = [newest, outcome.newest].compactMap { $0 }.max()
  }

  /// Whether no line was of a known format.
  public var isForeign: Bool {
    tally.usageLines == 0 && tally.foreign + tally.malformed + tally.blank == tally.lines
  }
}

/// Sums over all files.
public struct IngestTotals: Equatable, Sendable {
  /// Files and streams read.
  public var files = 0
  /// Bytes accounted for.
  public var bytes: Int64 = 0
  /// Lines read.
  public var lines = 0
  /// Distinct calls found.
  public var records = 0
  /// Records of calls already counted.
  public var duplicates = 0
  /// Lines without usage.
  public var notUsage = 0
  /// Lines that could not be read.
  public var malformed = 0
  /// Files that could not be read.
  public var unreadableFiles = 0

  /// Sums of nothing.
  public init() {}

  /// Sums over files.
  public init(_ files: [FileReport]) {
    for file in files {
      if file.error != nil, file.bytes == 0 {
        unreadableFiles += 1
        continue
      }
      self.files += 1
      bytes += file.bytes
      lines += file.tally.lines
      records += file.records
      duplicates += file.duplicates
      notUsage += file.tally.notUsage
      malformed += file.tally.malformed + file.refused
    }
  }
}

/// Decodes the lines a follower delivers and counts them in a ledger.
///
/// Belongs to the follower's thread; what it has counted leaves it as values.
public final class LogCollector: LogConsumer {
  /// The ledger all calls are counted in.
  public private(set) var ledger: Ledger
  /// What is known of each file, by the follower's file id.
  public private(set) var files: [Int: FileReport] = [:]
  /// The ids of the files about which something new is known since `takeChanges`.
  private var changes: Set<Int> = []
  /// Errors that belong to no file: a source that is not there, a folder that cannot be listed.
  public private(set) var sourceErrors: [LogError] = []
  /// How much of what was there has been read.
  public private(set) var progress: LogProgress?
  /// Called after each round of reading, when something may have changed; `true` if all has been read.
  public var onRound: (_ collector: LogCollector, _ isCaughtUp: Bool) -> Void = { _, _ in }

  private let formats: LogFormats
  private let namedAlone: Set<Int>
  private let clock: () -> Instant
  private var readings: [Int: LineReading] = [:]
  private var output: DecodedLines
  private var translation = NameTranslation()
  /// Of the files that are not made of lines.
  private var contents: [Int: FileContent] = [:]
  /// All files that were opened.
  private var opened: [Int: LogFile] = [:]
  /// What is known of files that are not followed now, by key.
  private var left: [String: FileState] = [:]
  /// The ids that those of them had that were followed in this process.
  private var closedFiles: [String: Int] = [:]
  /// The ids of the files of which there is another state since `takeStates`.
  private var stateChanges: Set<Int> = []

  /// Creates a collector.
  ///
  /// - Parameters:
  ///   - sources: what the follower follows, in its order.
  ///   - formats: the formats to recognise; one of them alone is taken as given.
  ///   - states: what `takeStates` gave of each file up to the moment of `ledger`. The follower gets their places.
  ///   - keySalt: what the hashes that stand for API keys depend on; 0 for hashes that are the same everywhere.
  ///   - keepsCopies: whether copies of answers of other files count in a file that is named alone, too.
  ///   - clock: tells the time of reading, for calls whose log tells none.
  public init(
    ledger: Ledger, sources: [LogSource], formats: LogFormats = .all,
    restoring states: [FileState] = [], keySalt: UInt64 = 0, keepsCopies: Bool = false,
    clock: @escaping () -> Instant
  ) {
    self.ledger = ledger
    left.reserveCapacity(states.count)
    for state in states { left[state.key] = state }
    self.formats = formats
    self.clock = clock
    namedAlone = Set(
      sources.indices.filter { if case .folder = sources[$0] { false } else { !keepsCopies } })
    output = DecodedLines(readTime: clock(), keySalt: keySalt)
  }

  /// Works on the ledger between two rounds, for what has to be stored of it.
  public func withLedger<R>(_ body: (inout Ledger) -> R) -> R { body(&ledger) }

  /// All files, in order of discovery.
  public var fileReports: [FileReport] { files.sorted { $0.key < $1.key }.map(\.value) }

  /// As in `LogConsumer`.
  public func opened(_ file: LogFile, reason: OpenReason) {
    opened[file.id] = file
    if reason == .resumed, let state = left.removeValue(forKey: file.key) {
      return restore(state, of: file)
    }
    readings[file.id, default: LineReading(formats.lines)].restart()
    if reason == .resumed { readings[file.id]!.goOn(at: file.bookmark.offset) }
    // What a database of this name held before has nothing to do with what it holds now; of a document
    // that is rewritten by putting a new file in its place the calls are known.
    if file.kind == .database { contents[file.id] = nil }
    change(file) { $0.error = nil }
    stateChanges.insert(file.id)
  }

  /// As in `LogConsumer`.
  public func consume(lines: UnsafeRawBufferPointer, of file: LogFile, at offset: Int64) {
    decode(lines, of: file, at: offset)
  }

  private func decode(_ lines: UnsafeRawBufferPointer, of file: LogFile, at offset: Int64) {
    output.readTime = clock()
    if readings[file.id]!.missing != nil { readings[file.id]!.rebuild(into: &output, file.reread) }
    readings[file.id]!.decode(lines, at: offset, into: &output)
    var report = report(of: file)
    record(&output, of: file, in: &report)
    report.bytes += Int64(lines.count)
    report.unfinished = nil
    note(formats: readings[file.id]!.formats, in: &report)
    report.tally = tally(of: file)
    change(file) { $0 = report }
    stateChanges.insert(file.id)
  }

  /// As in `LogConsumer`.
  public func changed(_ file: LogFile) -> Bool {
    output.readTime = clock()
    var report = report(of: file)
    var content = contents[file.id] ?? FileContent(formats)
    var isPassing = false
    do throws(FileContent.Failure) {
      let kind = file.kind ?? .document
      try content.read(file.path, as: kind, beside: bookmarks(for: kind), into: &output) {
        record(&$0, of: file, in: &report)
      }
      report.error = nil
    } catch {
      report.error = error.error.description
      isPassing = error.isPassing
    }
    report.bytes = file.bytes + (file.status?.size ?? 0)
    report.unfinished = content.unfinished
    note(formats: content.formats, in: &report)
    contents[file.id] = content
    report.tally = tally(of: file)
    change(file) { $0 = report }
    stateChanges.insert(file.id)
    return !isPassing
  }

  /// How far the logs of lines were read, for what has to know.
  private func bookmarks(for kind: FileKind) -> [Bookmark] {
    guard case .compressed = kind else { return [] }
    let places = left.values.map(\.place)
    return opened.values.filter { $0.kind == .lines }.map(\.bookmark)
      + places.filter { $0.kind == .lines }.map(\.bookmark)
      + opened.values.flatMap(\.former) + places.flatMap(\.former)
  }

  private func report(of file: LogFile) -> FileReport {
    var report = files[file.id] ?? FileReport(path: file.path, source: file.source)
    report.path = file.path
    return report
  }

  /// Counts what was decoded.
  private func record(
    _ output: inout DecodedLines, of file: LogFile, in report: inout FileReport
  ) {
    if namedAlone.contains(file.source) {
      // The original of such a copy stands in another file, which is not read.
      report.copiesLeftOut += output.dropEmbeddedCopies()
    }
    report.add(translation.record(&output, into: &ledger))
  }

  private func note(formats: [String], in report: inout FileReport) {
    for format in formats where !report.formats.contains(format) { report.formats.append(format) }
  }

  /// What its lines turned out to be, over all readings.
  private func tally(of file: LogFile) -> LineTally {
    var tally = readings[file.id]?.tally ?? LineTally()
    if let content = contents[file.id] { tally += content.tally }
    return tally
  }

  private func change(_ file: LogFile, _ change: (inout FileReport) -> Void) {
    change(&files[file.id, default: FileReport(path: file.path, source: file.source)])
    changes.insert(file.id)
  }

  /// The ids of the files about which something new is known since the last call, in order of discovery.
  public func takeChanges() -> [Int] {
    defer { changes.removeAll(keepingCapacity: true) }
    return changes.sorted()
  }

  // MARK: - Going on in another process

  /// What has to be kept of each file that was read or looked into since the last call.
  ///
  /// To be called between two rounds of the follower, such as in `onRound`: what the states say was read is then
  /// what `ledger` has counted.
  public func takeStates() -> [FileState] {
    defer { stateChanges.removeAll(keepingCapacity: true) }
    return stateChanges.sorted().compactMap { state(of: $0) }
  }

  /// The files that were followed, now or in earlier processes, and are not there any more; with the id of those that
  /// were in this one.
  ///
  /// Only known once all sources were looked at. Cost: a look at each file that is known.
  public var goneFiles: [(id: Int?, state: FileState)] {
    let followed = opened.keys.compactMap { id in state(of: id).map { (id: id, state: $0) } }
    let others = left.values.map { (id: closedFiles[$0.key], state: $0) }
    return (followed + others).filter { $0.state.place.isGone }.sorted {
      $0.state.key < $1.state.key
    }
  }

  private func state(of id: Int) -> FileState? {
    guard let file = opened[id], let report = files[id], !file.key.isEmpty else { return nil }
    var state = FileState(place: FilePlace(file), report: report)
    if let reading = readings[id] { (state.tally, state.anchor) = (reading.tally, reading.anchor) }
    if let content = contents[id] { state.content = content.encoded(names: output.names) }
    return state
  }

  private func restore(_ state: FileState, of file: LogFile) {
    readings[file.id] = LineReading(
      formats.lines, tally: state.tally, anchor: state.anchor, end: state.place.bookmark.offset)
    if !state.content.isEmpty {
      contents[file.id] = FileContent(formats, restoring: state.content)
    }
    if let earlier = closedFiles.removeValue(forKey: state.key), let former = opened[earlier] {
      // All that is known goes over to its new number.
      opened[earlier] = nil
      stateChanges.remove(earlier)
      change(former) { $0 = FileReport(path: former.path, source: former.source) }
    }
    var report = state.report
    (report.path, report.source) = (file.path, file.source)
    // What it says was wrong holds as long as the file was not touched.
    let isUntouched = file.seen != nil
    if !isUntouched {
      report.error = nil
      stateChanges.insert(file.id)
    }
    change(file) { $0 = report }
  }

  /// As in `LogConsumer`.
  public func unfinished(_ rest: UnsafeRawBufferPointer, of file: LogFile, at offset: Int64) {
    change(file) { $0.unfinished = (offset, rest.count) }
  }

  /// As in `LogConsumer`.
  public func closed(_ file: LogFile, reason: CloseReason) {
    // It may come back, and then goes on as after another process.
    guard reason == .removed || reason == .replaced, let state = state(of: file.id) else { return }
    left[file.key] = state
    closedFiles[file.key] = file.id
  }

  /// As in `LogConsumer`.
  public func failed(_ error: LogError, of file: LogFile?) {
    if let file {
      change(file) { $0.error = error.description }
    } else if !sourceErrors.contains(error) {
      sourceErrors.append(error)
    }
  }

  /// As in `LogConsumer`.
  public func resolved(_ error: LogError) { sourceErrors.removeAll { $0 == error } }

  /// As in `LogConsumer`.
  public func recovered(_ file: LogFile) { change(file) { $0.error = nil } }

  /// As in `LogConsumer`.
  public func progress(_ progress: LogProgress) {
    self.progress = progress
    // What `caughtUp` tells in a moment need not be told twice.
    if !progress.isLast { onRound(self, false) }
  }

  /// As in `LogConsumer`.
  public func caughtUp() { onRound(self, true) }
}
