#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads one file on from its bookmark, whole lines at a time.
///
/// Nothing of an unfinished line is kept in memory: it is read again when there is more of it, which
/// also means that it may change until it is finished. Each read begins a little before the bookmark
/// and compares those bytes, so lines of two different contents are never joined.
///
/// A value without shared state: two threads may read two files, or two ranges of one, each with its
/// own `LineBuffer`.
struct LogTail {
  /// How far the file has been accounted for.
  private(set) var bookmark: Bookmark
  /// NUL bytes left out so far.
  private(set) var skippedNULs: Int64 = 0
  /// Where the line at the bookmark begins: before the bookmark if NULs were skipped in front of it.
  private var lineStart: Int64
  private var longLine: LongLine?
  /// Whether the last read saw anything behind the bookmark.
  private(set) var hasRest = false

  /// An unfinished line too long to be read again for each piece that is added to it.
  private struct LongLine {
    /// There is no newline from the bookmark up to here.
    var searched: Int64
    var shape = JSONShape()
  }

  /// What reading one window came to.
  enum Step: Equatable {
    /// Something was accounted for (perhaps only searched); there may be more.
    case advanced
    /// No whole line is left: the file's end was seen. What follows the bookmark is unfinished.
    case upToDate
    /// The file no longer is what was read so far.
    case changed
    /// A line longer than the limit was passed over.
    case tooLong(offset: Int64, length: Int64)
  }

  init(bookmark: Bookmark) {
    self.bookmark = bookmark
    lineStart = bookmark.offset
  }

  /// Starts again at the file's first byte.
  mutating func beginAnew(identity: FileIdentity? = nil) {
    bookmark = Bookmark(identity: identity ?? bookmark.identity)
    lineStart = 0
    longLine = nil
  }

  /// Whether the file still begins with what was read there.
  func headMatches(_ descriptor: Int32) throws(SystemError) -> Bool {
    try fingerprint(descriptor, at: 0, length: bookmark.head.length) == bookmark.head
  }

  /// Whether the file begins with, and has before the bookmark, what was read there.
  func matches(_ descriptor: Int32) throws(SystemError) -> Bool {
    guard try headMatches(descriptor) else { return false }
    let tail = try fingerprint(
      descriptor,
      at: bookmark.offset - Int64(bookmark.tail.length),
      length: bookmark.tail.length
    )
    return tail == bookmark.tail
  }

  /// Reads and delivers at most one window of whole lines.
  ///
  /// - Parameter limit: Lines that begin at or after this offset are left alone.
  mutating func advance(
    _ descriptor: Int32,
    buffer: LineBuffer,
    maximumLineBytes: Int,
    limit: Int64 = .max,
    deliver: (UnsafeRawBufferPointer, Int64) -> Void
  ) throws(SystemError) -> Step {
    if longLine != nil {
      return try advanceInLongLine(
        descriptor,
        buffer: buffer,
        maximumLineBytes: maximumLineBytes,
        deliver: deliver
      )
    }
    guard lineStart < limit else { return .upToDate }
    let offset = bookmark.offset
    let lead = bookmark.tail.length
    let count = try readFully(
      descriptor,
      buffer.start,
      buffer.windowBytes,
      at: offset - Int64(lead)
    )
    guard count >= lead, leadMatches(buffer) else { return .changed }
    var window = UnsafeRawBufferPointer(start: buffer.start + lead, count: count - lead)
    hasRest = !window.isEmpty
    guard hasRest else { return .upToDate }

    var reachesEnd = count < buffer.windowBytes
    if offset + Int64(window.count) >= limit,
      let newline = firstNewline(in: window, from: Int(max(0, limit - 1 - offset)))
    {
      // The last line that begins before the limit ends here.
      window = UnsafeRawBufferPointer(rebasing: window[...newline])
      reachesEnd = false
    }

    let frame = LineFramer(window, atFileStart: offset == 0, reachesEnd: reachesEnd)
    if frame.hasLines {
      deliver(
        UnsafeRawBufferPointer(rebasing: window[frame.dropped..<frame.end]),
        offset + Int64(frame.dropped)
      )
      skippedNULs += Int64(frame.droppedNULs)
      move(by: frame.end, over: window)
      hasRest = frame.end < window.count
      // The end was seen behind all of this; a long rest still has to be searched for its shape.
      let isDone = reachesEnd && window.count - frame.end < buffer.windowBytes / 2
      return isDone ? .upToDate : .advanced
    }
    if frame.lineStart > 0 {
      move(by: frame.lineStart, over: window)
      return .advanced
    }
    if window[0] == 0 && !reachesEnd && frame.dropped == 0 {
      return try skipHole(descriptor, buffer: buffer, from: offset + Int64(window.count))
    }
    if frame.dropped > 0 && !reachesEnd {
      // NULs fill most of the window, and something that is none follows.
      let line = lineStart
      skippedNULs += Int64(frame.droppedNULs)
      move(by: frame.dropped, over: window)
      lineStart = line
      return .advanced
    }
    // From half a window on, reading the rest again for each growth would cost more than keeping track.
    if frame.dropped == 0 && window.count >= buffer.windowBytes / 2 {
      var long = LongLine(searched: offset + Int64(window.count))
      long.shape.feed(window)
      longLine = long
      return .advanced
    }
    return .upToDate
  }

  /// Keeps count of a stream, which has no file to compare with.
  mutating func moveStream(to offset: Int64) { bookmark.offset = offset }

  /// How much of an unfinished long line has been searched for its end; 0 if it is not long.
  var knownRest: Int64 { longLine.map { $0.searched - bookmark.offset } ?? 0 }

  /// Lends the unfinished line behind the bookmark, if there is one that is not blank.
  mutating func withRest(
    _ descriptor: Int32,
    buffer: LineBuffer,
    _ body: (UnsafeRawBufferPointer, Int64) -> Void
  ) throws(SystemError) {
    guard hasRest else { return }
    let lead = bookmark.tail.length
    // One that is not known to be long fits into half a window.
    let wanted = max(buffer.windowBytes, lead + Int(knownRest))
    buffer.reserve(wanted)
    let count = try readFully(
      descriptor,
      buffer.start,
      wanted,
      at: bookmark.offset - Int64(lead)
    )
    guard count > lead, leadMatches(buffer) else { return }
    let rest = UnsafeRawBufferPointer(start: buffer.start + lead, count: count - lead)
    guard let first = rest.firstIndex(where: { $0 > 0x20 }) else { return }
    body(UnsafeRawBufferPointer(rebasing: rest[first...]), bookmark.offset + Int64(first))
  }

  /// Accounts for bytes that were delivered from elsewhere, such as by a range reader, by taking the
  /// fingerprints before `offset` from the file.
  mutating func move(to offset: Int64, _ descriptor: Int32) throws(SystemError) {
    let tailLength = Int(min(offset, Int64(Bookmark.tailLimit)))
    bookmark.tail = try fingerprint(
      descriptor,
      at: offset - Int64(tailLength),
      length: tailLength
    )
    bookmark.head = try fingerprint(
      descriptor,
      at: 0,
      length: Int(min(offset, Int64(Bookmark.headLimit)))
    )
    bookmark.offset = offset
    lineStart = offset
    longLine = nil
  }

  // MARK: - Private

  private func leadMatches(_ buffer: LineBuffer) -> Bool {
    let lead = UnsafeRawBufferPointer(start: buffer.start, count: bookmark.tail.length)
    return PrefixFingerprint(of: lead) == bookmark.tail
  }

  private func fingerprint(
    _ descriptor: Int32,
    at offset: Int64,
    length: Int
  ) throws(SystemError) -> PrefixFingerprint {
    var failure: SystemError?
    let result = withUnsafeTemporaryAllocation(byteCount: max(1, length), alignment: 8) { bytes in
      do throws(SystemError) {
        let count = try readFully(descriptor, bytes.baseAddress!, length, at: offset)
        return PrefixFingerprint(of: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      } catch {
        failure = error
        return PrefixFingerprint()
      }
    }
    if let failure { throw failure }
    return result
  }

  /// Accounts for the first `count` bytes of `window`, which begins at the bookmark. The bytes of the
  /// last tail lie in the buffer right before it.
  private mutating func move(by count: Int, over window: UnsafeRawBufferPointer) {
    let offset = Int(clamping: bookmark.offset)
    if offset < Bookmark.headLimit {
      let missing = min(count, Bookmark.headLimit - offset)
      bookmark.head.extend(with: UnsafeRawBufferPointer(rebasing: window[..<missing]))
    }
    let length = min(bookmark.tail.length + count, Bookmark.tailLimit)
    bookmark.tail = PrefixFingerprint(
      of: UnsafeRawBufferPointer(start: window.baseAddress! + count - length, count: length)
    )
    bookmark.offset += Int64(count)
    lineStart = bookmark.offset
  }

  /// Passes over a window full of NULs, if anything but NULs follows.
  private mutating func skipHole(
    _ descriptor: Int32,
    buffer: LineBuffer,
    from start: Int64
  ) throws(SystemError) -> Step {
    var position = start
    while true {
      #if os(Linux)
        // Real holes cost nothing: ask for the next byte that is stored. (SEEK_DATA, not imported.)
        let next = lseek(descriptor, off_t(position), 3)
        if next < 0 && errno == ENXIO { return .upToDate }
        if next > 0 { position = max(position, Int64(next)) }
      #endif
      let count = try readOnce(descriptor, buffer.start, buffer.windowBytes, at: position)
      if count == 0 { return .upToDate }
      let window = UnsafeRawBufferPointer(start: buffer.start, count: count)
      guard let first = window.firstIndex(where: { $0 != 0 }) else {
        position += Int64(count)
        continue
      }
      let target = position + Int64(first)
      skippedNULs += target - bookmark.offset
      let line = lineStart
      try move(to: target, descriptor)
      lineStart = line
      return .advanced
    }
  }

  /// Searches on for the end of a long line, one window at a time, and delivers the line once it has one.
  private mutating func advanceInLongLine(
    _ descriptor: Int32,
    buffer: LineBuffer,
    maximumLineBytes: Int,
    deliver: (UnsafeRawBufferPointer, Int64) -> Void
  ) throws(SystemError) -> Step {
    var long = longLine!
    let count = try readOnce(descriptor, buffer.start, buffer.windowBytes, at: long.searched)
    let window = UnsafeRawBufferPointer(start: buffer.start, count: count)
    let end: Int64
    if let newline = firstNewline(in: window, from: 0) {
      end = long.searched + Int64(newline) + 1
    } else if count > 0 {
      long.shape.feed(window)
      long.searched += Int64(count)
      longLine = long
      return .advanced
    } else {
      if try FileStatus(descriptor: descriptor).size < long.searched {
        // Cut short inside the unfinished line: look at what is left of it.
        longLine = nil
        return .advanced
      }
      guard long.shape.isComplete else { return .upToDate }
      end = long.searched
    }
    longLine = nil
    let length = end - bookmark.offset
    if length > Int64(maximumLineBytes) {
      let offset = bookmark.offset
      try move(to: end, descriptor)
      return .tooLong(offset: offset, length: length)
    }
    let lead = bookmark.tail.length
    let total = lead + Int(length)
    buffer.reserve(total)
    let read = try readFully(
      descriptor,
      buffer.start,
      total,
      at: bookmark.offset - Int64(lead)
    )
    guard read >= lead, leadMatches(buffer) else { return .changed }
    // Cut short meanwhile: what is left is looked at afresh.
    guard read == total else { return .advanced }
    let line = UnsafeRawBufferPointer(start: buffer.start + lead, count: Int(length))
    deliver(line, bookmark.offset)
    move(by: line.count, over: line)
    return .advanced
  }
}
