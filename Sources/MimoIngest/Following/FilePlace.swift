#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where reading of a file was left, and what the file is recognised by.
public struct FilePlace: Hashable, Sendable {
  /// Made of the path and the number the file had when it was first seen; stays when it is renamed.
  ///
  /// No two files that are known at a time have the same.
  public internal(set) var key: String
  /// Its latest known path, as the user wrote it.
  public internal(set) var path: String
  /// How it has to be read; `nil` if it was always empty.
  public internal(set) var kind: FileKind?
  /// Which file it is and, of a log of lines, how far it has been accounted for.
  public internal(set) var bookmark: Bookmark
  /// How many times the log began anew.
  var restarts = 0
  /// As in `LogFile`.
  var former: [Bookmark] = []
  /// All bytes ever accounted for.
  var bytes: Int64 = 0
  /// Of what is read wholly: its size at the last reading.
  var wholeBytes: Int64 = 0
  /// What the file looked like when all of it had been read; `nil` if there may be more, or a line is unfinished.
  var seen: FileStamp?
  /// What the write-ahead log of a database looked like then; `nil` if there was none.
  var seenCompanion: FileStamp?

  /// The place of a log of lines of which nothing but the bookmark is known.
  public init(bookmark: Bookmark) {
    self.bookmark = bookmark
    (key, path, kind) = ("", "", .lines)
  }

  /// The place where a file has been left by now.
  init(_ file: LogFile) {
    bookmark = file.bookmark
    (key, path, kind) = (file.key, file.path, file.kind)
    (restarts, bytes, wholeBytes) = (file.restarts, file.bytes, file.wholeBytes)
    (seen, seenCompanion, former) = (file.seen, file.seenCompanion, file.former)
  }

  /// Whether a new file at its path is the same log, rewritten.
  var isRewritten: Bool { kind == .document || kind == .database }

  /// Whether it is not where it was any more.
  public var isGone: Bool {
    do throws(SystemError) {
      let now = try FileStatus(path: path).identity
      return !isRewritten && now.inode != bookmark.identity.inode
    } catch {
      return error.code == ENOENT || error.code == ENOTDIR
    }
  }
}

/// What tells whether a file has been written to: the same as long as it has not.
struct FileStamp: Hashable, Sendable {
  var inode: UInt64
  var size: Int64
  /// As in `FileStatus`.
  var modified: Int64
  var changed: Int64
}

extension FileStamp {
  /// That of a file with this status.
  init(_ status: FileStatus) {
    inode = status.identity.inode
    (size, modified, changed) = (status.size, status.modified, status.changed)
  }
}

/// The files that are known, but not followed now.
struct LeftFiles {
  /// All that ever were; `nil` where one is followed again.
  private var places: [FilePlace?] = []
  private var count = 0
  private var byInode = Positions<UInt64>()
  private var byPath = Positions<String>()
  /// By folder, once somebody asked.
  private var byFolder: Positions<String>?

  /// Positions of places by something they share with few others.
  private struct Positions<Key: Hashable> {
    private var latest: [Key: Int] = [:]
    /// Of each place the one before that has the same key, or -1.
    private var former: [Int] = []

    mutating func reserve(_ count: Int) {
      latest.reserveCapacity(count)
      former.reserveCapacity(count)
    }

    /// Adds the next place.
    mutating func append(_ key: Key) {
      former.append(latest.updateValue(former.count, forKey: key) ?? -1)
    }

    /// Those with this key.
    subscript(key: Key) -> [Int] {
      var found: [Int] = []
      var position = latest[key] ?? -1
      while position >= 0 {
        found.append(position)
        position = former[position]
      }
      return found
    }
  }

  init(_ places: [FilePlace]) {
    self.places.reserveCapacity(places.count)
    byInode.reserve(places.count)
    byPath.reserve(places.count)
    for place in places { add(place) }
  }

  /// Whether there is none.
  var isEmpty: Bool { count == 0 }

  mutating func add(_ place: FilePlace) {
    places.append(place)
    count += 1
    byInode.append(place.bookmark.identity.inode)
    byPath.append(place.path)
    byFolder?.append(split(place.path).folder)
  }

  /// Removes and returns the place of that number which `isWanted`.
  mutating func take(_ inode: UInt64, where isWanted: (FilePlace) -> Bool) -> FilePlace? {
    for position in byInode[inode] {
      guard let place = places[position], isWanted(place) else { continue }
      places[position] = nil
      count -= 1
      return place
    }
    return nil
  }

  /// Those with this number on some device: devices may be renumbered.
  subscript(inode: UInt64) -> [FilePlace] { byInode[inode].compactMap { places[$0] } }

  /// Those last known by this path.
  subscript(path: String) -> [FilePlace] { byPath[path].compactMap { places[$0] } }

  /// Those last known to be in this folder.
  mutating func inFolder(_ folder: String) -> [FilePlace] {
    if byFolder == nil {
      var all = Positions<String>()
      for place in places { all.append(place.map { split($0.path).folder } ?? "") }
      byFolder = all
    }
    return byFolder![folder].compactMap { places[$0] }.filter { !$0.path.isEmpty }
  }
}
