#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

// Going on where an earlier run, or an earlier time of following, left a file. A file that is recognised looks
// to all else as if it had been followed all the time.
extension LogFollower {
  /// Takes `file` up without opening it, if nothing has been written to it since it was read to its end.
  func resumeUnchanged(_ file: LogFile, _ status: FileStatus) -> Bool {
    let stamp = FileStamp(status)
    var companion: FileStatus?
    let place = left.take(status.identity.inode) { place in
      guard place.seen == stamp, place.path == file.path else { return false }
      companion = place.kind == .database ? self.companion(ofDatabase: file.path) : nil
      return companion.map { FileStamp($0) } == place.seenCompanion
    }
    guard let place else { return false }
    noteSize(file, status)
    file.companion = companion
    (file.seen, file.seenCompanion) = (place.seen, place.seenCompanion)
    resume(file, at: place)
    return true
  }

  /// Recognises `file`, which is looked into for the first time, as one that was left.
  func recall(
    _ file: LogFile, _ descriptor: Int32, _ status: FileStatus
  ) throws(SystemError) {
    if left.isEmpty && emptied.isEmpty { return }
    if let place = try place(of: file, descriptor, status) {
      _ = left.take(place.bookmark.identity.inode) { $0 == place }
      resume(file, at: place)
      if place.kind == .database, place.bookmark.identity.inode != status.identity.inode {
        // What took a database's place has nothing to do with what it held.
        file.isOpened = false
        file.openReason = .replaced
      }
    } else if let original = try original(of: file, descriptor, status) {
      goOn(file, at: original.bookmark)
      file.kind = .lines
      announce(file, .resumed)
    }
  }

  /// Tells the consumer of a file whose bytes follow.
  func announce(_ file: LogFile, _ reason: OpenReason) {
    if file.key.isEmpty {
      file.key = "\(file.bookmark.identity.inode):\(file.path)"
      // Both may have been given to another file since.
      while !keys.insert(file.key).inserted { file.key += "'" }
    }
    file.isOpened = true
    consumer.opened(file, reason: reason)
  }

  private func resume(_ file: LogFile, at place: FilePlace) {
    goOn(file, at: place.bookmark)
    if !place.key.isEmpty { file.key = place.key }
    file.kind = place.kind
    file.wholeBytes = place.wholeBytes
    file.bytes = place.bytes
    file.restarts = max(file.restarts, place.restarts)
    file.former = place.former
    for bookmark in place.former { remember(place, emptiedAt: bookmark) }
    if file.isWhole { bytesRead += file.wholeBytes }
    announce(file, .resumed)
  }

  /// Remembers how far a log was read that has begun anew.
  func noteEmptied(_ file: LogFile) {
    guard file.bookmark.offset > 0 else { return }
    file.former = (file.former + [file.bookmark]).suffix(Self.keptFormerBookmarks)
    remember(FilePlace(file), emptiedAt: file.bookmark)
  }

  private func remember(_ place: FilePlace, emptiedAt bookmark: Bookmark) {
    var former = place
    former.bookmark = bookmark
    emptied = (emptied + [former]).suffix(Self.keptEmptied)
  }

  /// Rotations of one log after which a copy is still recognised, and of all logs.
  private static var keptFormerBookmarks: Int { 8 }
  private static var keptEmptied: Int { 256 }

  private func goOn(_ file: LogFile, at bookmark: Bookmark) {
    var bookmark = bookmark
    bookmark.identity = file.bookmark.identity
    file.tail = LogTail(bookmark: bookmark)
    bytesRead += bookmark.offset
  }

  /// Where `file` was left, under whatever name.
  private func place(
    of file: LogFile, _ descriptor: Int32, _ status: FileStatus
  ) throws(SystemError) -> FilePlace? {
    let places = left[status.identity.inode]
    var known: FilePlace?
    for place in places where place.bookmark.offset >= known?.bookmark.offset ?? 0 {
      if try isSame(place, descriptor, status) { known = place }
    }
    // One that has other content now began anew while nobody looked; the number alone may be anybody's.
    return known ?? places.first { $0.path == file.path }
      ?? left[file.path].first { $0.isRewritten && $0.kind != nil }
  }

  private func isSame(
    _ place: FilePlace, _ descriptor: Int32, _ status: FileStatus
  ) throws(SystemError) -> Bool {
    guard place.kind == .lines else {
      return place.seen?.size == status.size && place.seen?.modified == status.modified
    }
    guard place.bookmark.offset > 0, place.bookmark.offset <= status.size else { return false }
    return try LogTail(bookmark: place.bookmark).matches(descriptor)
  }

  /// The log that `file` is the copy of which a rotation made before it emptied the log.
  ///
  /// A copy of a log that is still as it was left is a log of its own.
  private func original(
    of file: LogFile, _ descriptor: Int32, _ status: FileStatus
  ) throws(SystemError) -> FilePlace? {
    let (folder, name) = split(file.path)
    func isCandidate(_ place: FilePlace) throws(SystemError) -> Bool {
      let (home, original) = split(place.path)
      guard place.kind == .lines, home == folder, name.hasPrefix(stem(of: original)) else {
        return false
      }
      return try isSame(place, descriptor, status)
    }
    var found: FilePlace?
    for place in left.inFolder(folder) where place.bookmark.offset > found?.bookmark.offset ?? 0 {
      if try isCandidate(place), !isWhereItWas(place) { found = place }
    }
    for place in emptied where place.bookmark.offset > found?.bookmark.offset ?? 0 {
      if try isCandidate(place) { found = place }
    }
    return found
  }

  private func isWhereItWas(_ place: FilePlace) -> Bool {
    guard let (descriptor, status) = try? openWithStatus(place.path) else { return false }
    defer { closeDescriptor(descriptor) }
    return status.identity.inode == place.bookmark.identity.inode
      && (try? isSame(place, descriptor, status)) == true
  }

  /// Where the logs are now that were left at `path`, to which another file has come, or none.
  ///
  /// Nobody may follow their new names, and there may be lines in them that were written before.
  ///
  /// - Parameter inode: the number of what is at `path` now.
  func renamedLogs(
    from path: String, to inode: UInt64?, unless isKnown: (String, FileIdentity) -> Bool
  ) -> [(path: String, identity: FileIdentity)] {
    let places = left[path].filter {
      $0.kind == .lines && $0.bookmark.offset > 0 && $0.bookmark.identity.inode != inode
    }
    if places.isEmpty { return [] }
    let folder = split(finalPath(path)).folder
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var found: [(String, FileIdentity)] = []
    while let entry = readdir(stream) {
      let inode = UInt64(entry.pointee.d_ino)
      let candidates = places.filter { $0.bookmark.identity.inode == inode }
      if candidates.isEmpty { continue }
      let other = join(folder, entryName(entry))
      guard let (descriptor, status) = try? openWithStatus(other) else { continue }
      defer { closeDescriptor(descriptor) }
      guard status.kind == .regular, status.identity.inode == inode,
        !isKnown(other, status.identity),
        candidates.contains(where: { (try? isSame($0, descriptor, status)) == true })
      else { continue }
      found.append((other, status.identity))
    }
    return found.sorted { $0.0 < $1.0 }
  }
}

/// The name of a log without what rotations add to it: up to the first dot.
func stem(of name: String) -> Substring {
  name.dropFirst().firstIndex(of: ".").map { name[..<$0] } ?? name[...]
}
