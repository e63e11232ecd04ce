#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

// Reading files and streams, and keeping few of them open.
extension LogFollower {
  /// What a visit to a file came to.
  enum Visit {
    case done
    /// The budget is used up; there may be more to read.
    case more
  }

  /// Reads `file` on, to its end or until `budget` bytes were accounted for.
  func visit(_ file: LogFile, budget: Int) -> Visit {
    guard let descriptor = opened(file) else { return .done }
    do throws(SystemError) {
      var status = try FileStatus(descriptor: descriptor)
      noteSize(file, status)
      if file.key.isEmpty { try recall(file, descriptor, status) }
      if file.isOpened && !file.isWhole {
        let isShorter = status.size < file.bookmark.offset
        let isSame = isShorter ? false : try file.tail.headMatches(descriptor)
        if !isSame { try beginAnew(file, descriptor, isShorter ? .truncated : .replaced) }
      }
      if file.kind != .lines {
        try findKind(of: file, descriptor)
        if file.isWhole { return visitWhole(file) }
      }
      if !file.isOpened { announce(file, file.openReason) }
      clearError(of: file)
      var left = budget
      var restarts = 0
      while left > 0 {
        let before = file.bookmark.offset
        switch try advance(file, descriptor) {
        case .upToDate:
          try noteSeen(file, descriptor)
          return .done
        case .advanced, .tooLong: left -= Int(file.bookmark.offset - before)
        case .changed:
          // A file that changes under each look is looked at again later.
          restarts += 1
          if restarts > 3 { return .done }
          status = try FileStatus(descriptor: descriptor)
          noteSize(file, status)
          try beginAnew(file, descriptor, .truncated)
        }
      }
      return .more
    } catch {
      fail(file, LogError(path: file.path, code: error.code))
      return .done
    }
  }

  /// Finds out how `file` has to be read, as long as its content may still decide.
  private func findKind(of file: LogFile, _ descriptor: Int32) throws(SystemError) {
    let kind = try FileKind.of(descriptor, named: file.path)
    if kind == nil || kind == file.kind { return }
    if file.kind == .document, kind == .lines {
      // A second line was appended to the only one.
      try file.tail.move(to: file.wholeBytes, descriptor)
    } else if file.isWhole {
      bytesRead -= file.wholeBytes
      file.wholeBytes = 0
      file.isOpened = false
      file.openReason = .replaced
    }
    file.kind = kind
  }

  /// Tells the consumer to read `file`, unless that was done a moment ago.
  private func visitWhole(_ file: LogFile) -> Visit {
    let begun = monotonicMilliseconds()
    // Whether a compressed log was read already shows when all others are.
    if case .compressed = file.kind, hasWork {
      file.notBefore = begun + options.rereadMilliseconds
    }
    if begun < file.notBefore {
      postpone(file)
      return .done
    }
    if !file.isOpened { announce(file, file.openReason) }
    // Looked at before it is read: what changes meanwhile is seen as a change by the next look.
    file.companion = companion(of: file)
    clearError(of: file)
    let isRead = consumer.changed(file)
    let now = monotonicMilliseconds()
    file.lastActivity = now
    noteSeenWhole(file, isRead: isRead)
    if isRead {
      // The first reading of a database takes longest and says nothing about the next.
      file.notBefore = now + min(max(options.rereadMilliseconds, 20 * (now - begun)), 2000)
    } else {
      file.notBefore = now + options.retryMilliseconds
      postpone(file)
    }
    let size = file.status?.size ?? 0
    bytesRead += size - file.wholeBytes
    file.bytes += size
    file.wholeBytes = size
    freshBytes += max(1, Int(size))
    return .done
  }

  /// What the write-ahead log of a database looks like.
  func companion(of file: LogFile) -> FileStatus? {
    file.kind == .database ? companion(ofDatabase: file.path) : nil
  }

  func companion(ofDatabase path: String) -> FileStatus? {
    try? FileStatus(path: finalPath(path) + "-wal")
  }

  /// Notes that lines were read to their end.
  private func noteSeen(_ file: LogFile, _ descriptor: Int32) throws(SystemError) {
    // It may have grown between the look and the reading.
    let present = try FileStatus(descriptor: descriptor)
    file.seen = present.size == file.bookmark.offset ? FileStamp(present) : nil
  }

  /// Notes that a file was read wholly, if its next change is sure to show.
  private func noteSeenWhole(_ file: LogFile, isRead: Bool) {
    let written = max(file.status?.modified ?? 0, file.companion?.modified ?? 0)
    // What is rewritten in place right after may look the same: clocks of file systems are coarse.
    let isSettled = !file.isRewritten || realtimeNanoseconds() - written > Self.settlingNanoseconds
    file.seen = isRead && isSettled ? file.status.map { FileStamp($0) } : nil
    file.seenCompanion = file.companion.map { FileStamp($0) }
  }

  private static var settlingNanoseconds: Int64 { 2_000_000_000 }

  /// Lets go of `file` for good, remembering where it was left in case it comes back.
  func finish(_ file: LogFile, _ reason: CloseReason) {
    if file.isOpened {
      if !file.isWhole { reportRest(file, file.descriptor) }
      consumer.closed(file, reason: reason)
    }
    release(file)
    // A one-shot scan tells how far it came; a follower, how much of what it follows it has read.
    if reason != .finished {
      if file.isOpened {
        var place = FilePlace(file)
        // What has its name and its number from now on may be another file.
        place.path = ""
        left.add(place)
      }
      bytesRead -= file.accounted
      bytesTotal -= file.status?.size ?? 0
    }
    if byIdentity[file.bookmark.identity] === file { byIdentity[file.bookmark.identity] = nil }
    if byPath[file.path] === file { byPath[file.path] = nil }
    buffer.shrink()
  }

  /// Reads renamed and deleted files that have grown, and lets go of those that are quiet.
  func visitDetached() {
    let now = monotonicMilliseconds()
    var kept: [LogFile] = []
    // The oldest come first, so it is they who make room.
    var excess = detachedFiles.count - options.maximumDetachedFiles
    for file in detachedFiles where file.detached != nil {
      let status = file.descriptor < 0 ? nil : try? FileStatus(descriptor: file.descriptor)
      let hasGrown = status != nil && status != file.status
      if hasGrown { enqueue(file) }
      if file.isQueued || (now - file.lastActivity < options.quietMilliseconds && excess <= 0) {
        kept.append(file)
      } else {
        finish(file, file.detached!)
        excess -= 1
      }
    }
    detachedFiles = kept
  }

  /// Remembers why `file` cannot be read, and says so if that is news.
  func fail(_ file: LogFile, _ error: LogError) {
    if file.error == error { return }
    file.error = error
    hasNews = true
    consumer.failed(error, of: file)
  }

  private func clearError(of file: LogFile) {
    if file.error == nil { return }
    file.error = nil
    hasNews = true
    consumer.recovered(file)
  }

  func makeFile(
    _ path: String,
    _ source: Int,
    _ identity: FileIdentity,
    reason: OpenReason,
    restarts: Int = 0
  ) -> LogFile {
    let file = LogFile(
      id: nextID,
      source: source,
      path: path,
      identity: identity,
      reason: reason,
      restarts: restarts
    )
    nextID += 1
    byIdentity[identity] = file
    file.lastActivity = monotonicMilliseconds()
    return file
  }

  // MARK: - Streams

  /// The stream a source consists of, newly opened, or `nil` if it does not consist of one.
  func stream(for source: LogSource, _ index: Int, waitingForWriter: Bool) -> LogStream? {
    let descriptor: Int32
    var own: String?
    switch source {
    case .stream(let given): descriptor = given
    case .file(let path):
      guard let status = try? FileStatus(path: path), status.kind == .pipe || status.kind == .device
      else { return nil }
      let flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (waitingForWriter ? 0 : O_NONBLOCK)
      descriptor = openDescriptor(path, flags)
      own = path
      if descriptor < 0 {
        consumer.failed(LogError(path: path, code: errno), of: nil)
        return nil
      }
    case .folder: return nil
    }
    let file = LogFile(
      id: nextID,
      source: index,
      path: source.description,
      identity: FileIdentity(device: 0, inode: 0),
      reason: .new
    )
    nextID += 1
    file.isOpened = true
    consumer.opened(file, reason: .new)
    return LogStream(file: file, descriptor: descriptor, path: own)
  }

  /// Reads `stream` once. Returns whether it goes on.
  func advance(_ stream: LogStream, isFollowing: Bool) -> Bool {
    do throws(SystemError) {
      switch try stream.advance(consumer, maximumLineBytes: options.maximumLineBytes) {
      case .read(let count):
        freshBytes += count
        return true
      case .ended: break
      }
    } catch {
      fail(stream.file, LogError(path: stream.file.path, code: error.code))
    }
    if isFollowing && stream.file.error == nil && stream.reopen() {
      // The next writer of a named pipe begins a line of its own.
      stream.finish(consumer)
      return true
    }
    stream.finish(consumer)
    consumer.closed(stream.file, reason: .endOfStream)
    return false
  }

  // MARK: - Reading one file

  private func advance(_ file: LogFile, _ descriptor: Int32) throws(SystemError) -> LogTail.Step {
    let before = file.bookmark.offset
    let consumer = consumer!
    file.reading = descriptor
    let step = try file.tail.advance(
      descriptor,
      buffer: buffer,
      maximumLineBytes: options.maximumLineBytes
    ) { lines, offset in
      consumer.consume(lines: lines, of: file, at: offset)
    }
    let count = file.bookmark.offset - before
    if count > 0 {
      file.bytes += count
      bytesRead += count
      freshBytes += Int(count)
      file.lastActivity = monotonicMilliseconds()
    }
    if case .tooLong(let offset, let length) = step {
      consumer.failed(
        .lineTooLong(
          path: file.path,
          offset: offset,
          length: length,
          limit: options.maximumLineBytes
        ),
        of: file
      )
    }
    return step
  }

  func noteSize(_ file: LogFile, _ status: FileStatus) {
    bytesTotal += status.size - (file.status?.size ?? 0)
    file.status = status
  }

  /// The content is not what was read so far: reads what is left of that elsewhere, then starts over.
  private func beginAnew(
    _ file: LogFile,
    _ descriptor: Int32,
    _ reason: OpenReason
  ) throws(SystemError) {
    if let copy = openCopy(of: file) {
      defer { closeDescriptor(copy) }
      reading: while true {
        switch try advance(file, copy) {
        case .advanced, .tooLong: continue
        case .upToDate, .changed: break reading
        }
      }
      reportRest(file, copy)
    }
    bytesRead -= file.bookmark.offset
    noteEmptied(file)
    file.tail.beginAnew()
    file.restarts += 1
    // Other content may have to be read in another way.
    file.kind = nil
    consumer.opened(file, reason: reason)
  }

  private func reportRest(_ file: LogFile, _ descriptor: Int32) {
    guard descriptor >= 0 else { return }
    let consumer = consumer!
    if file.tail.knownRest > Int64(options.maximumLineBytes) {
      consumer.failed(
        .lineTooLong(
          path: file.path,
          offset: file.bookmark.offset,
          length: file.tail.knownRest,
          limit: options.maximumLineBytes
        ),
        of: file
      )
      return
    }
    // It was readable a moment ago; if it no longer is, there is nothing left to report.
    try? file.tail.withRest(descriptor, buffer: buffer) { rest, offset in
      consumer.unfinished(rest, of: file, at: offset)
    }
  }

  /// The copy a rotation made of `file` before it emptied it, if it holds more than was read.
  ///
  /// Whoever copies and truncates leaves, in the copy, the lines written since our last look. The
  /// bookmark recognises the copy, and says where in it these lines begin.
  private func openCopy(of file: LogFile) -> Int32? {
    guard file.bookmark.offset > 0, file.detached == nil else { return nil }
    let (folder, name) = split(finalPath(file.path))
    let stem = stem(of: name)
    guard let stream = opendir(folder) else { return nil }
    defer { closedir(stream) }
    var candidates = 0
    while candidates < 64, let entry = readdir(stream) {
      let other = entryName(entry)
      guard other != name, other.hasPrefix(stem) else { continue }
      let path = join(folder, other)
      guard let status = try? FileStatus(path: path, followingLinks: false),
        status.kind == .regular, status.size > file.bookmark.offset,
        // One that is followed itself is read anyway.
        byIdentity[status.identity] == nil, !isFollowed(path, file.source)
      else { continue }
      candidates += 1
      guard let descriptor = try? openForReading(path) else { continue }
      if (try? file.tail.matches(descriptor)) == true { return descriptor }
      closeDescriptor(descriptor)
    }
    return nil
  }

  // MARK: - Descriptors

  /// The open descriptor of `file`, or `nil` if it cannot be opened (which has been dealt with).
  private func opened(_ file: LogFile) -> Int32? {
    uses += 1
    file.lastUse = uses
    if file.descriptor >= 0 { return file.descriptor }
    if openFiles.count >= maximumOpenFiles { closeLeastUsed() }
    do throws(SystemError) {
      if try open(file, file.path) { return file.descriptor }
    } catch {
      if error.code != ENOENT && error.code != ENOTDIR {
        fail(file, LogError(path: file.path, code: error.code))
        return nil
      }
    }
    // The path leads elsewhere now. Its new file is the business of the next look at the path; this one
    // may have been renamed.
    if file.detached == nil { examine(file.path, file.source, isNews: true) }
    guard file.detached != nil, let path = locate(file) else { return nil }
    file.path = path
    return (try? open(file, path)) == true ? file.descriptor : nil
  }

  /// Opens `file` at `path`, if it is what that leads to.
  private func open(_ file: LogFile, _ path: String) throws(SystemError) -> Bool {
    var descriptor: Int32
    let status: FileStatus
    do throws(SystemError) {
      (descriptor, status) = try openWithStatus(path)
    } catch {
      guard error.code == EMFILE || error.code == ENFILE, !openFiles.isEmpty else { throw error }
      for other in openFiles where other.detached == nil { release(other) }
      (descriptor, status) = try openWithStatus(path)
    }
    if status.kind != .regular || status.identity != file.bookmark.identity {
      closeDescriptor(descriptor)
      return false
    }
    file.descriptor = descriptor
    openFiles.append(file)
    return true
  }

  /// Finds the present name of a file that was renamed inside its folder.
  private func locate(_ file: LogFile) -> String? {
    let folder = split(finalPath(file.path)).folder
    guard let stream = opendir(folder) else { return nil }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      guard UInt64(entry.pointee.d_ino) == file.bookmark.identity.inode else { continue }
      let path = join(folder, entryName(entry))
      if (try? FileStatus(path: path, followingLinks: false).identity) == file.bookmark.identity {
        return path
      }
    }
    return nil
  }

  func release(_ file: LogFile) {
    guard file.descriptor >= 0 else { return }
    closeDescriptor(file.descriptor)
    file.descriptor = -1
    openFiles.removeAll { $0 === file }
  }

  /// Closes the file that was not needed for the longest time, if too many are open. Renamed and deleted
  /// ones stay open as long as they are followed, because they may not be found again.
  private func closeLeastUsed() {
    let attached = openFiles.filter { $0.detached == nil }
    guard attached.count >= maximumOpenFiles else { return }
    if let file = attached.min(by: { $0.lastUse < $1.lastUse }) { release(file) }
  }
}

/// Where a path leads if its last component is a symbolic link, or a chain of them.
func finalPath(_ path: String) -> String {
  var path = path
  for _ in 0..<40 {
    guard let target = linkTarget(path) else { return path }
    path = target
  }
  return path
}
