#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a follower knows about one of its sources.
struct SourceState {
  let source: LogSource
  /// The file's or folder's path without trailing slashes; empty for a stream.
  let path: String
  let filter: PathFilter
  /// What has been said about it and still holds, so that it is said once.
  var reported: Set<LogError> = []
  /// When to look at it again at the latest: milliseconds of the monotonic clock.
  var nextLook: Int64 = 0
  /// Until then it rests if events tell of changes: longer each time there was nothing else to see.
  var restMilliseconds: Int64
  /// Since the last timed look.
  var hadEvents = false
  /// Timed looks in a row that found changes no event had told of.
  var silentChanges = 0
  /// Events do not arrive for it, as on network file systems.
  var isSilent = false
  /// Its path is a symbolic link, so that folders matter which its path does not mention.
  var hasLink = false
  /// Read as a stream from now on.
  var isStream = false

  init(_ source: LogSource, restMilliseconds: Int64) {
    self.source = source
    self.restMilliseconds = restMilliseconds
    switch source {
    case .file(let path):
      self.path = path
      filter = PathFilter(root: path, names: [])
    case .folder(let path, let suffixes):
      self.path = trimmingSlashes(path)
      filter = PathFilter(root: self.path, names: suffixes)
    case .stream:
      path = ""
      filter = PathFilter(root: "", names: [])
      nextLook = .max
    }
  }
}

// Looking at paths: what do they lead to now? All that follows from it is decided in `found` and `lost`.
extension LogFollower {
  /// The first look at everything.
  func start() {
    if options.watching == .events {
      do throws(WatchError) {
        watcher = try makeWatcher()
      } catch {
        stopWatching(error)
      }
    }
    for index in states.indices {
      if case .stream = states[index].source {
        states[index].isStream = true
        if let stream = stream(for: states[index].source, index, waitingForWriter: false) {
          streams.append(stream)
        }
      } else {
        look(index)
      }
    }
  }

  /// Looks at the sources whose time has come.
  func lookIfDue() {
    var now = monotonicMilliseconds()
    var looked = false
    // Many sources that are due at nearly the same time are one wake-up.
    if states.contains(where: { $0.nextLook <= now }) { now += 100 }
    for index in states.indices where states[index].nextLook <= now {
      states[index].restMilliseconds = min(
        2 * states[index].restMilliseconds,
        max(options.longestSafetyPollMilliseconds, options.safetyPollMilliseconds))
      let known = byIdentity.count
      let changes = look(index) + (byIdentity.count > known ? 1 : 0)
      looked = true
      // Twice in a row, because an event may arrive between taking the events and looking.
      let wasSilent = changes > 0 && !states[index].hadEvents && watcher.descriptor >= 0
      states[index].silentChanges = wasSilent ? states[index].silentChanges + 1 : 0
      states[index].hadEvents = false
      if wasSilent {
        states[index].restMilliseconds = options.safetyPollMilliseconds
        states[index].nextLook = min(states[index].nextLook, now + options.safetyPollMilliseconds)
      }
      if states[index].silentChanges == 2 {
        fallSilent(index, "changes arrive without events", from: now)
      }
    }
    if looked { visitDetached() }
  }

  /// Looks at a source on a short timer from now on.
  private func fallSilent(_ index: Int, _ reason: String, from now: Int64) {
    if states[index].isSilent { return }
    states[index].isSilent = true
    states[index].nextLook = now
    report(.noEvents(reason: "\(states[index].path): \(reason)"), index)
  }

  /// Acts on what the watcher saw.
  func handle(_ events: [FileEvent]) {
    if events.isEmpty { return }
    var toLook: Set<Int> = []
    /// Where files are now that had a followed name for a moment between two looks.
    var drifting: [String: Int] = [:]
    for event in events {
      switch event {
      case .overflow:
        toLook.formUnion(states.indices)
      case .folderGone(let folder):
        toLook.formUnion(folderSources.removeValue(forKey: folder) ?? [])
        toLook.formUnion(ancestorSources.removeValue(forKey: folder) ?? [])
        // Named files keep their entries: the names are looked at whatever their folder is.
        for (path, sources) in namedSources where split(path).folder == folder {
          toLook.formUnion(sources)
        }
      case .renamed(let from, let to):
        if let source = drifting.removeValue(forKey: from) ?? sourceFollowing(from) {
          drifting[to] = source
        }
      case .touched(let folder, let touched, let isFolder):
        let name = database(ofCompanion: touched, in: folder) ?? touched
        let path = join(folder, name)
        for source in noteEvent(folder, path, &toLook) {
          if isFolder {
            if states[source].filter.accepts(folder: name[...], in: folder) { walk(path, source) }
          } else if states[source].filter.accepts(file: name[...], in: folder) {
            examine(path, source, isNews: true)
          }
        }
      case .gone(let folder, let gone, let isFolder):
        let name = database(ofCompanion: gone, in: folder) ?? gone
        let path = join(folder, name)
        for source in noteEvent(folder, path, &toLook) {
          if isFolder {
            toLook.insert(source)
          } else if byPath[path] != nil {
            examine(path, source, isNews: true)
          }
        }
      }
    }
    for (path, source) in drifting where !isFollowed(path, source) { adopt(path, source) }
    for index in toLook where !states[index].isStream { look(index) }
    visitDetached()
  }

  /// The name of the followed database that a file beside it belongs to.
  private func database(ofCompanion name: String, in folder: String) -> String? {
    guard let database = databasePath(ofCompanion: name) else { return nil }
    let path = join(folder, database)
    let paths =
      [path] + (namedSources[path] ?? []).map { states[$0].path } + (aliases[path] ?? [:]).keys
    return paths.contains { byPath[$0]?.kind == .database } ? database : nil
  }

  /// Finds out what `path` leads to.
  ///
  /// - Parameter isNews: Whether its content may have changed even if size and times have not.
  func examine(_ path: String, _ source: Int, isNews: Bool) {
    do throws(SystemError) {
      var status = try FileStatus(path: path, followingLinks: false)
      let isLink = status.kind == .link
      if isLink { status = try FileStatus(path: path) }
      if status.kind == .regular {
        found(path, status, source, isNews: isNews)
        if isLink { watchTarget(of: path, source) }
      } else {
        lost(path)
      }
    } catch {
      if error.code == ENOENT || error.code == ENOTDIR || error.code == ELOOP {
        lost(path)
      } else if let file = byPath[path] {
        fail(file, LogError(path: path, code: error.code))
      }
    }
  }

  /// Whether a source reads whatever has this path.
  func isFollowed(_ path: String, _ source: Int) -> Bool {
    if namedSources[path] != nil { return true }
    let (folder, name) = split(path)
    return folderSources[folder]?.contains(source) == true
      && states[source].filter.accepts(file: name[...], in: folder)
  }

  // MARK: - What a path leads to

  /// `path` leads to the regular file that `status` describes. Returns whether that is a change.
  @discardableResult
  private func found(_ path: String, _ status: FileStatus, _ source: Int, isNews: Bool) -> Bool {
    var predecessor: LogFile?
    if let file = byPath[path] {
      if file.bookmark.identity == status.identity {
        let hasChanged = file.status != status || file.companion != companion(of: file)
        if isNews || hasChanged || file.error != nil { enqueue(file) }
        return hasChanged && file.isOpened
      }
      if file.isRewritten, byIdentity[status.identity] == nil {
        replace(file, by: status.identity)
        return true
      }
      detach(file, .replaced)
      predecessor = file
    }
    if let file = byIdentity[status.identity] {
      if file.detached != nil || !leads(file.path, to: file) {
        rename(file, to: path, source)
        return true
      }
      // A second path to a file that is followed already.
      return false
    }
    let file = makeFile(
      path,
      source,
      status.identity,
      reason: predecessor == nil ? .new : .replaced,
      restarts: predecessor.map { $0.restarts + 1 } ?? 0
    )
    file.modified = status.modified
    byPath[path] = file
    if !left.isEmpty {
      adoptRenamed(from: path, to: status.identity.inode, source)
      if resumeUnchanged(file, status) { return true }
    }
    enqueue(file)
    return true
  }

  /// Reads on what was left at `path` and was renamed while nobody looked.
  private func adoptRenamed(from path: String, to inode: UInt64?, _ source: Int) {
    let logs = renamedLogs(from: path, to: inode) { path, identity in
      byIdentity[identity] != nil || isFollowed(path, source)
    }
    for log in logs { adopt(log.path, source) }
  }

  /// A document was rewritten by putting a new file in its place: it goes on as the same document.
  private func replace(_ file: LogFile, by identity: FileIdentity) {
    byIdentity[file.bookmark.identity] = nil
    release(file)
    file.tail = LogTail(bookmark: Bookmark(identity: identity))
    byIdentity[identity] = file
    if file.kind == .database {
      file.isOpened = false
      file.openReason = .replaced
    }
    enqueue(file)
  }

  /// `path` leads to no log any more.
  private func lost(_ path: String) {
    if let file = byPath[path] { detach(file, .removed) }
  }

  /// No path leads to `file` any more. It is read to its end, and on for as long as it grows.
  private func detach(_ file: LogFile, _ reason: CloseReason) {
    if byPath[file.path] === file { byPath[file.path] = nil }
    guard file.detached == nil else { return }
    file.detached = reason
    file.lastActivity = monotonicMilliseconds()
    detachedFiles.append(file)
    enqueue(file)
  }

  private func rename(_ file: LogFile, to path: String, _ source: Int) {
    if byPath[file.path] === file { byPath[file.path] = nil }
    if file.detached != nil {
      file.detached = nil
      detachedFiles.removeAll { $0 === file }
    }
    file.path = path
    byPath[path] = file
    enqueue(file)
  }

  private func leads(_ path: String, to file: LogFile) -> Bool {
    (try? FileStatus(path: path).identity) == file.bookmark.identity
  }

  /// A file that had a followed name, but was renamed before we saw it under that name.
  private func adopt(_ path: String, _ source: Int) {
    guard let status = try? FileStatus(path: path, followingLinks: false), status.kind == .regular
    else { return }
    if let file = byIdentity[status.identity] {
      if file.detached != nil { file.path = path }
      return
    }
    let file = makeFile(path, source, status.identity, reason: .replaced)
    detach(file, .replaced)
  }

  // MARK: - Sources

  /// Looks at all of a source. Returns how many files were not as they were left.
  @discardableResult
  private func look(_ index: Int) -> Int {
    let begun = monotonicMilliseconds()
    var changes = 0
    switch states[index].source {
    case .stream: return 0
    case .file: changes = lookAtFile(index)
    case .folder: changes = walk(states[index].path, index)
    }
    let now = monotonicMilliseconds()
    if !states[index].isSilent, watcher.descriptor >= 0,
      let status = nearestStatus(states[index].path), isShared(status)
    {
      fallSilent(index, "other machines may write there unseen", from: now)
    }
    let hasEvents = watcher.descriptor >= 0 && !states[index].isSilent
    // Looking at very many files takes its time: no more than 1 % of it with events, 5 % without.
    let pause =
      hasEvents
      ? max(states[index].restMilliseconds, 100 * (now - begun))
      : max(options.pollMilliseconds, 20 * (now - begun))
    states[index].nextLook = now + pause
    return changes
  }

  @discardableResult
  private func lookAtFile(_ index: Int) -> Int {
    let path = states[index].path
    watchName(path, index)
    do throws(SystemError) {
      let status = try FileStatus(path: path)
      if let error = status.notALog(path) {
        lost(path)
        report(error, index)
        return 0
      }
      resolve([], index)
      if status.kind == .regular { return found(path, status, index, isNews: false) ? 1 : 0 }
      if let stream = stream(for: states[index].source, index, waitingForWriter: false) {
        streams.append(stream)
        states[index].isStream = true
        states[index].nextLook = .max
      }
    } catch {
      switch error.code {
      case ENOENT, ENOTDIR, ELOOP:
        lost(path)
        if !left.isEmpty { adoptRenamed(from: path, to: nil, index) }
        report(.waitingFor(path: path), index)
      default: report(LogError(path: path, code: error.code), index)
      }
    }
    return 0
  }

  /// Looks at a folder of a source and at all below it, watching each before it is listed.
  @discardableResult
  private func walk(_ folder: String, _ index: Int) -> Int {
    var changes = 0
    var seen: Set<String> = []
    var errors: Set<LogError> = []
    var walk = FolderWalk(filter: states[index].filter)
    walk.onFolder = { folder in
      self.folderSources[folder, default: []].insert(index)
      self.watch(folder)
    }
    walk.onFile = { path, status, isLink in
      seen.insert(path)
      if self.found(path, status, index, isNews: false) { changes += 1 }
      if isLink { self.watchTarget(of: path, index) }
    }
    walk.onError = { error in
      if error == .noSuchFile(path: self.states[index].path) {
        errors.insert(.waitingFor(path: folder))
      } else {
        errors.insert(error)
      }
    }
    let isWhole = folder == states[index].path
    if isWhole { watchAncestor(of: folder, index) }
    walk.run(folder)
    if isWhole {
      resolve(errors, index)
      for (path, file) in byPath where file.source == index && !seen.contains(path) {
        examine(path, index, isNews: false)
      }
    }
    for error in errors { report(error, index) }
    return changes
  }

  private func report(_ error: LogError, _ index: Int) {
    guard states[index].reported.insert(error).inserted else { return }
    hasNews = true
    consumer.failed(error, of: nil)
  }

  /// Of what was said about a source only `remaining` holds still, and what was said of its events.
  private func resolve(_ remaining: Set<LogError>, _ index: Int) {
    let remaining = remaining.union(states[index].reported.filter(\.isAboutEvents))
    for error in states[index].reported.subtracting(remaining) {
      hasNews = true
      consumer.resolved(error)
    }
    states[index].reported.formIntersection(remaining)
  }

  // MARK: - Watching

  /// Notes an event at `path`, looks at what is followed by that name, and returns the sources that
  /// follow its whole folder.
  private func noteEvent(_ folder: String, _ path: String, _ toLook: inout Set<Int>) -> Set<Int> {
    for source in namedSources[path] ?? [] where !states[source].isStream {
      states[source].hadEvents = true
      let path = states[source].path
      if let file = byPath[path], leads(path, to: file) {
        // By far the most frequent event: it has grown.
        enqueue(file)
      } else {
        lookAtFile(source)
      }
    }
    for (alias, source) in aliases[path] ?? [:] {
      states[source].hadEvents = true
      examine(alias, source, isNews: true)
    }
    for source in ancestorSources[folder] ?? []
    where isAncestor(path, of: states[source].path) || states[source].hasLink {
      toLook.insert(source)
    }
    let sources = folderSources[folder] ?? []
    for source in sources { states[source].hadEvents = true }
    return sources
  }

  /// The source that reads whatever has this path, if one does.
  private func sourceFollowing(_ path: String) -> Int? {
    if let source = namedSources[path]?.first { return source }
    return folderSources[split(path).folder]?.first { isFollowed(path, $0) }
  }

  /// Watches for the name of a file: in its folder and, if it is a link, where that leads.
  private func watchName(_ path: String, _ index: Int) {
    var path = path
    for hop in 0..<40 {
      states[index].hasLink = hop > 0
      let (folder, name) = split(path)
      namedSources[join(folder, name), default: []].insert(index)
      watch(folder)
      watchAncestor(of: folder, index)
      guard let target = linkTarget(path) else { return }
      path = target
    }
  }

  /// Watches what a link inside a followed folder leads to.
  private func watchTarget(of path: String, _ index: Int) {
    let target = finalPath(path)
    let (folder, name) = split(target)
    aliases[join(folder, name), default: [:]][path] = index
    watch(folder)
  }

  /// Watches the nearest folder above that exists, to see this one appear, or be replaced: its own
  /// watch stays with the old one, and the news of its deletion waits until no file in it is open.
  private func watchAncestor(of folder: String, _ index: Int) {
    var folder = folder
    while folder != "/" && folder != "." {
      folder = split(folder).folder
      if watch(folder, namesOnly: true) {
        ancestorSources[folder, default: []].insert(index)
        return
      }
    }
  }

  @discardableResult
  private func watch(_ folder: String, namesOnly: Bool = false) -> Bool {
    do throws(WatchError) {
      try watcher.watch(folder, namesOnly: namesOnly)
      return true
    } catch {
      switch error {
      case .unreachable: return false
      case .exhausted:
        stopWatching(error)
        return true
      }
    }
  }

  private func stopWatching(_ error: WatchError) {
    watcher = PollingWatcher()
    if case .exhausted(let reason) = error { consumer.failed(.noEvents(reason: reason), of: nil) }
    lookAgain()
  }
}

/// The status of a file or folder, or of the nearest folder above that exists.
private func nearestStatus(_ path: String) -> FileStatus? {
  var path = path
  while true {
    if let status = try? FileStatus(path: path) { return status }
    if path == "/" || path == "." { return nil }
    path = split(path).folder
  }
}

/// Whether `path` is `other` or a folder on the way to it.
private func isAncestor(_ path: String, of other: String) -> Bool {
  func plain(_ path: String) -> Substring { path.hasPrefix("./") ? path.dropFirst(2) : path[...] }
  let (path, other) = (plain(path), plain(other))
  return other == path || other.hasPrefix(path + "/")
}
