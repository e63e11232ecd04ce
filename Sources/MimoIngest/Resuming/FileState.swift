import MimoEngine

/// All that is kept of one followed file, so that another process can go on with it.
///
/// It belongs to the ledger as that was at the same moment: stored together, and taken up together, a run that
/// was interrupted counts what an uninterrupted one would have.
public struct FileState: Sendable {
  /// Where reading stopped.
  public internal(set) var place: FilePlace
  /// What was known of the file. Its `source` means nothing.
  public internal(set) var report: FileReport
  /// What its lines turned out to be, and from where on they have to be read again.
  var tally = LineTally()
  var anchor = LineReading.Anchor()
  /// The state of what is read wholly; empty if it was never read so.
  var content: [UInt8] = []

  /// The same for the same file in each run, whatever its path is.
  public var key: String { place.key }

  private static let version: UInt8 = 1

  init(place: FilePlace, report: FileReport) {
    self.place = place
    self.report = report
  }

  /// The state as bytes.
  public var encoded: [UInt8] {
    var writer = StateWriter()
    writer.add(place)
    writer.add(report)
    // Of what is read wholly, these are no lines.
    writer.add(tally == report.tally ? nil : tally) { $0.add($1) }
    writer.add(anchor.offset)
    writer.add(anchor.format)
    writer.add(content)
    return writer.sealed(version: Self.version)
  }

  /// Reads what `encoded` gave; `nil` if the bytes are damaged or of another version.
  public init?(encoded bytes: [UInt8]) {
    do throws(StateDamage) {
      var reader = try StateReader(sealed: bytes, version: Self.version)
      place = try reader.place()
      report = try reader.report(path: place.path)
      tally =
        try reader.optional { reader throws(StateDamage) in try reader.tally() } ?? report.tally
      anchor = LineReading.Anchor(offset: try reader.size(), format: try reader.text())
      content = try reader.content()
      guard reader.isAtEnd, anchor.offset <= place.bookmark.offset else { return nil }
    } catch {
      return nil
    }
  }
}

extension StateWriter {
  fileprivate mutating func add(_ place: FilePlace) {
    add(place.key)
    add(place.path)
    add(place.kind.number)
    add(place.bookmark)
    add(place.restarts)
    add(each: place.former) { $0.add($1) }
    add(place.bytes)
    add(place.wholeBytes)
    add(place.seen) { $0.add($1) }
    add(place.seenCompanion) { $0.add($1) }
  }

  private mutating func add(_ bookmark: Bookmark) {
    add(bookmark.identity.device)
    add(bookmark.identity.inode)
    add(bookmark.offset)
    add(bookmark.head)
    add(bookmark.tail)
  }

  fileprivate mutating func add(_ report: FileReport) {
    add(report.tally)
    add(each: report.formats) { $0.add($1) }
    add(report.bytes)
    for count in [
      report.duplicates, report.records, report.copiesLeftOut, report.refused, report.tooOld,
    ] {
      add(count)
    }
    add(report.newest) { $0.add($1) }
    add(report.unfinished) { writer, rest in
      writer.add(rest.offset)
      writer.add(rest.length)
    }
    add(report.failure) { $0.add($1) }
  }
}

extension StateReader {
  fileprivate mutating func place() throws(StateDamage) -> FilePlace {
    let key = try text()
    let path = try text()
    let kind = try Optional<FileKind>(number: number())
    var place = FilePlace(bookmark: try bookmark())
    (place.key, place.path, place.kind) = (key, path, kind)
    place.restarts = try counter()
    place.former = try array { reader throws(StateDamage) in try reader.bookmark() }
    place.bytes = try size()
    place.wholeBytes = try size()
    place.seen = try optional { reader throws(StateDamage) in try reader.stamp() }
    place.seenCompanion = try optional { reader throws(StateDamage) in try reader.stamp() }
    return place
  }

  private mutating func bookmark() throws(StateDamage) -> Bookmark {
    let identity = FileIdentity(device: try number(), inode: try number())
    let offset = try size()
    let head = try prefixFingerprint(atMost: Bookmark.headLimit)
    let tail = try prefixFingerprint(atMost: Bookmark.tailLimit)
    guard max(head.length, tail.length) <= offset else { throw StateDamage() }
    return Bookmark(identity: identity, offset: offset, head: head, tail: tail)
  }

  fileprivate mutating func report(path: String) throws(StateDamage) -> FileReport {
    var report = FileReport(path: path, source: 0)
    report.tally = try tally()
    report.formats = try array { reader throws(StateDamage) in try reader.text() }
    report.bytes = try size()
    report.duplicates = try counter()
    report.records = try counter()
    report.copiesLeftOut = try counter()
    report.refused = try counter()
    report.tooOld = try counter()
    report.newest = try optional { reader throws(StateDamage) in try reader.time() }
    report.unfinished = try optional { reader throws(StateDamage) in
      (offset: try reader.size(), length: try reader.counter())
    }
    report.failure = try optional { reader throws(StateDamage) in try reader.text() }
    return report
  }
}

extension FileKind? {
  /// Stands for it in stored states.
  fileprivate var number: UInt64 {
    switch self {
    case nil: 0
    case .lines: 1
    case .document: 2
    case .database: 3
    case .compressed(.gzip): 4
    case .compressed(.zstd): 5
    }
  }

  fileprivate init(number: UInt64) throws(StateDamage) {
    switch number {
    case 0: self = nil
    case 1: self = .lines
    case 2: self = .document
    case 3: self = .database
    case 4: self = .compressed(.gzip)
    case 5: self = .compressed(.zstd)
    default: throw StateDamage()
    }
  }
}
