/// Something that happened in a watched folder.
enum FileEvent: Hashable {
  /// `name` in `folder` appeared, grew, or changed its permissions.
  case touched(folder: String, name: String, isFolder: Bool)
  /// `name` left `folder`: deleted, or renamed to somewhere unwatched.
  case gone(folder: String, name: String, isFolder: Bool)
  /// A file was renamed between watched folders, or within one. `touched` follows for the new name.
  case renamed(from: String, to: String)
  /// The folder itself was deleted, renamed or unmounted; it is no longer watched.
  case folderGone(String)
  /// Events were dropped: look at everything.
  case overflow
}

/// Why a folder cannot be watched.
enum WatchError: Error, Hashable {
  /// It is not there, or not ours to read.
  case unreachable(code: Int32)
  /// No events for any more folders; `reason` says why and what to do.
  case exhausted(reason: String)
}

/// Tells which folders changed, so that idle files cost nothing.
///
/// Events are hints: they make the follower look, and what it then sees decides. A watcher may report
/// too much at any time, and too little only after `overflow`.
protocol FileWatcher: AnyObject {
  /// Becomes readable when there are events; negative if there never are any.
  var descriptor: Int32 { get }

  /// How many folders are watched.
  var folderCount: Int { get }

  /// Reports what happens to the entries of `folder` from now on. Harmless if repeated; the path is
  /// resolved again each time.
  ///
  /// - Parameter namesOnly: Only entries that come and go, not growth: for folders that matter only
  ///   because a followed one may appear in them.
  func watch(_ folder: String, namesOnly: Bool) throws(WatchError)

  /// Takes the events since the last call, oldest first, without waiting.
  func drain() -> [FileEvent]
}

/// No events: everything is looked at on a timer.
final class PollingWatcher: FileWatcher {
  var descriptor: Int32 { -1 }
  var folderCount: Int { 0 }
  func watch(_ folder: String, namesOnly: Bool) throws(WatchError) {}
  func drain() -> [FileEvent] { [] }
}
