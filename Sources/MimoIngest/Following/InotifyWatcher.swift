#if os(Linux)
  import Glibc

  /// Watches folders, not files: one watch covers a thousand session files, and the ones to come.
  final class InotifyWatcher: FileWatcher {
    let descriptor: Int32
    /// The folders behind a watch, as they were asked for: several paths may lead to one folder.
    private var folders: [Int32: [String]] = [:]
    private var watches: [String: Int32] = [:]
    /// Files that left a folder and have not appeared in another yet, by the event's cookie.
    private var departed: [UInt32: String] = [:]

    /// Fails if the system has no inotify or no instance of it left for this user.
    init() throws(WatchError) {
      descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
      if descriptor < 0 {
        throw .exhausted(
          reason: errno == EMFILE
            ? "no inotify instance left (fs.inotify.max_user_instances)"
            : "inotify is not available (\(systemMessage(errno)))"
        )
      }
    }

    deinit { close(descriptor) }

    var folderCount: Int { folders.count }

    func watch(_ folder: String, namesOnly: Bool) throws(WatchError) {
      let watch = inotify_add_watch(descriptor, folder, namesOnly ? names : names | growth)
      guard watch >= 0 else {
        if errno == ENOSPC {
          throw .exhausted(reason: "no inotify watch left (raise fs.inotify.max_user_watches)")
        }
        if errno == ENOMEM { throw .exhausted(reason: "no memory for more inotify watches") }
        throw .unreachable(code: errno)
      }
      if let former = watches.updateValue(watch, forKey: folder) {
        if former == watch { return }
        // The path led to another folder before: a link was switched, or the folder made anew.
        folders[former]?.removeAll { $0 == folder }
        if folders[former]?.isEmpty == true {
          folders[former] = nil
          inotify_rm_watch(descriptor, former)
        }
      }
      folders[watch, default: []].append(folder)
    }

    func drain() -> [FileEvent] {
      var events: [FileEvent] = []
      withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { bytes in
        while true {
          let count = read(descriptor, bytes.baseAddress!, bytes.count)
          if count < 0 && errno == EINTR { continue }
          guard count > 0 else { break }
          decode(UnsafeRawBufferPointer(rebasing: bytes[..<count]), into: &events)
          // Room was left for one more event of any length, so there was none.
          if count < bytes.count - 4096 { break }
        }
      }
      // A file whose second half did not come in the same breath went somewhere unwatched.
      if events.isEmpty || departed.count > 1000 { departed.removeAll() }
      return events
    }

    private func decode(_ bytes: UnsafeRawBufferPointer, into events: inout [FileEvent]) {
      let header = MemoryLayout<inotify_event>.size
      var position = 0
      while position + header <= bytes.count {
        let event = bytes.loadUnaligned(fromByteOffset: position, as: inotify_event.self)
        let nameBytes = bytes[(position + header)..<(position + header + Int(event.len))]
        position += header + Int(event.len)
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 {
          events.append(.overflow)
          continue
        }
        if event.mask & UInt32(IN_IGNORED) != 0 {
          for folder in folders.removeValue(forKey: event.wd) ?? [] {
            watches[folder] = nil
            events.append(.folderGone(folder))
          }
          continue
        }
        if event.mask & UInt32(IN_MOVE_SELF | IN_DELETE_SELF | IN_UNMOUNT) != 0 {
          // Under its new name the folder is not ours, or is found by a walk.
          inotify_rm_watch(descriptor, event.wd)
          continue
        }
        guard event.len > 0, let paths = folders[event.wd] else { continue }
        let name = String(decoding: nameBytes.prefix { $0 != 0 }, as: UTF8.self)
        let isFolder = event.mask & UInt32(IN_ISDIR) != 0
        for folder in paths {
          if event.mask & UInt32(IN_MOVED_FROM) != 0 { departed[event.cookie] = join(folder, name) }
          if event.mask & UInt32(IN_MOVED_TO) != 0,
            let origin = departed.removeValue(forKey: event.cookie)
          {
            events.append(.renamed(from: origin, to: join(folder, name)))
          }
          let left = event.mask & UInt32(IN_DELETE | IN_MOVED_FROM) != 0
          let next: FileEvent =
            left
            ? .gone(folder: folder, name: name, isFolder: isFolder)
            : .touched(folder: folder, name: name, isFolder: isFolder)
          // A busy writer repeats itself thousands of times between two looks.
          if events.last != next { events.append(next) }
        }
      }
    }
  }

  /// Adds to what a folder is watched for already.
  private let names = UInt32(
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF
      | IN_ONLYDIR | IN_MASK_ADD
  )
  private let growth = UInt32(IN_MODIFY | IN_ATTRIB)
#endif
