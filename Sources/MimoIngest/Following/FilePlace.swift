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
      return try FileStatus(path: path).identity.inode != bookmark.identity.inode
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
  private var places: [UInt64: [FilePlace]] = [:]
  /// Inodes by path; may name some that are not left any more.
  private var inodes: [String: Set<UInt64>] = [:]
  /// The same by folder, once somebody asked.
  private var folders: [String: Set<UInt64>]?

  /// Whether there is none.
  var isEmpty: Bool { places.isEmpty }

  mutating func add(_ place: FilePlace) {
    let inode = place.bookmark.identity.inode
    places[inode, default: []].append(place)
    if place.path.isEmpty { return }
    inodes[place.path, default: []].insert(inode)
    folders?[split(place.path).folder, default: []].insert(inode)
  }

  mutating func remove(_ place: FilePlace) {
    let inode = place.bookmark.identity.inode
    places[inode]?.removeAll { $0.key == place.key && $0.bookmark == place.bookmark }
    if places[inode]?.isEmpty ?? false { places[inode] = nil }
  }

  /// Those with this number on some device: devices may be renumbered.
  subscript(inode: UInt64) -> [FilePlace] { places[inode] ?? [] }

  /// Those last known by this path.
  subscript(path: String) -> [FilePlace] {
    (inodes[path] ?? []).flatMap { self[$0] }.filter { $0.path == path }
  }

  /// Those last known to be in this folder.
  mutating func inFolder(_ folder: String) -> [FilePlace] {
    if folders == nil {
      folders = [:]
      for place in places.values.joined() where !place.path.isEmpty {
        folders![split(place.path).folder, default: []].insert(place.bookmark.identity.inode)
      }
    }
    return (folders![folder] ?? []).flatMap { self[$0] }.filter {
      split($0.path).folder == folder
    }
  }
}
