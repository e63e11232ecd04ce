/// One file, from its first byte to its last, under whatever names it has in the meantime.
///
/// A rotated log is two of these: the renamed file, read to its end, and the new one. Belongs to the
/// follower's thread; a consumer may read it during a call and keep it as a key.
public final class LogFile {
  /// Counts up from 0 in order of discovery; never given to another file in this process.
  public let id: Int
  /// Index of the source it was found through.
  public let source: Int
  /// Its present path, as the user wrote it: the source's path, and for a folder the rest behind it.
  public internal(set) var path: String
  /// How many times the log at this path began anew: rotated, truncated, or replaced.
  public internal(set) var restarts: Int
  /// All bytes ever accounted for, restarts included.
  public internal(set) var bytes: Int64 = 0
  /// The reason it cannot be read at present.
  public internal(set) var error: LogError?

  /// How it has to be read; `nil` as long as it was empty at each look.
  public internal(set) var kind: FileKind?

  /// What is needed to go on later exactly where reading stopped; only for lines.
  public var bookmark: Bookmark { tail.bookmark }
  /// NUL bytes that were skipped in front of a line: holes left by a truncation under an open writer.
  public var skippedNULs: Int64 { tail.skippedNULs }

  /// How far it had been read each time it was emptied: copies of it may still be there. The latest few.
  var former: [Bookmark] = []

  // Private to the follower.
  var tail: LogTail
  /// As in `FilePlace`; empty until it is opened.
  var key = ""
  var descriptor: Int32 = -1
  /// What lines are read from: nearly always its own descriptor.
  var reading: Int32 = -1
  var lastUse: UInt64 = 0
  /// When it last changed, as far as known before it is first read: nanoseconds since 1970.
  var modified: Int64 = 0
  /// What the file looked like right before it was last read.
  var status: FileStatus?
  /// What it, and the `-wal` file of a database, looked like when all of it had been read; as in `FilePlace`.
  var seen: FileStamp?
  var seenCompanion: FileStamp?
  var openReason: OpenReason
  var isOpened = false
  var isQueued = false
  /// Of a database: what its `-wal` file looked like right before it was last read.
  var companion: FileStatus?
  /// Of what is read wholly: its size at the last reading, and when it may be read again.
  var wholeBytes: Int64 = 0
  var notBefore: Int64 = 0
  /// Set while no followed path leads to this file any more: renamed away or deleted.
  var detached: CloseReason?
  /// When it last grew or was detached, in milliseconds of the monotonic clock.
  var lastActivity: Int64 = 0

  /// Bytes of its present content that were accounted for.
  var accounted: Int64 { isWhole ? wholeBytes : bookmark.offset }
  /// Whether it is read wholly whenever it changed.
  var isWhole: Bool { kind != nil && kind != .lines }
  /// Whether a new file at its path is the same log, rewritten.
  var isRewritten: Bool { kind == .document || kind == .database }

  init(
    id: Int,
    source: Int,
    path: String,
    identity: FileIdentity,
    reason: OpenReason,
    restarts: Int = 0
  ) {
    self.id = id
    self.source = source
    self.path = path
    self.restarts = restarts
    tail = LogTail(bookmark: Bookmark(identity: identity))
    openReason = reason
  }

  /// Delivers again lines that were accounted for. To be called while lines are delivered.
  ///
  /// - Parameter range: from the beginning of a line on.
  func reread(_ range: Range<Int64>, _ deliver: (UnsafeRawBufferPointer, Int64) -> Void) {
    let buffer = LineBuffer()
    // Its own tail is in use.
    var place = Bookmark(identity: FileIdentity(device: 0, inode: 0))
    place.offset = range.lowerBound
    var tail = LogTail(bookmark: place)
    reading: while true {
      let step = try? tail.advance(
        reading, buffer: buffer, maximumLineBytes: LogFollower.Options().maximumLineBytes,
        limit: range.upperBound
      ) { lines, offset in
        let count = min(Int64(lines.count), range.upperBound - offset)
        if count > 0 { deliver(UnsafeRawBufferPointer(rebasing: lines[..<Int(count)]), offset) }
      }
      switch step {
      case .advanced, .tooLong: continue
      case .upToDate, .changed, nil: break reading
      }
    }
  }
}
