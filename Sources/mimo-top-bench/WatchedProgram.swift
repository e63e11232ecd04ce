import CPseudoTerminal

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The real `mimo-top`, the one beside this program, on a terminal of its own and in an empty home.
final class WatchedProgram {
  private let process: pid_t
  private var terminal: Int32 = -1
  /// A folder for logs, deleted with the object.
  let folder: String
  /// What the program wrote since `forget()`.
  private(set) var output: [UInt8] = []

  /// Starts the program in a new folder once `prepare` has put logs there.
  ///
  /// - Parameters:
  ///   - arguments: what to follow; names are relative to the folder.
  ///   - state: the folder of its ledger; `nil` for none.
  init(_ arguments: [String], state: String? = nil, prepare: (_ folder: String) -> Void) {
    var template = Array("/tmp/mimo-top-bench-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fail("mimo-top-bench: /tmp: cannot be written\n") }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    prepare(folder)
    let own = CommandLine.arguments[0]
    let place = own.lastIndex(of: "/").map { String(own[...$0]) } ?? "./"
    guard let program = realpath(place + "mimo-top", nil) else {
      fail("mimo-top-bench: \(place)mimo-top: build it first, in the same way\n")
    }
    defer { free(program) }
    let environment = [
      "TERM=xterm-256color", "LANG=C.UTF-8", "TZ=UTC", "HOME=\(folder)/home",
      "XDG_STATE_HOME=\(state ?? folder)",
    ]
    var argv = [strdup(program)] + arguments.map { strdup($0) } + [nil]
    var envp = environment.map { strdup($0) } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    process = pseudo_terminal_spawn(program, &argv, &envp, folder, 120, 40, -1, -1, &terminal)
    if process < 0 { fail("mimo-top-bench: no terminal left\n") }
  }

  deinit {
    kill(process, SIGKILL)
    waitpid(process, nil, 0)
    close(terminal)
    removeTree(folder)
  }

  /// Forgets what was written so far.
  func forget() { output.removeAll(keepingCapacity: true) }

  /// Reads what the program writes until it has written `text` since `forget()`.
  ///
  /// - Returns: `false` after so many seconds without it.
  func wait(for text: String, seconds: Double = 20) -> Bool {
    let (wanted, deadline) = (Array(text.utf8), monotonicSeconds() + seconds)
    var searched = 0
    while true {
      if let end = output.firstRange(of: wanted, from: searched) {
        output.removeFirst(end)
        return true
      }
      searched = max(0, output.count - wanted.count)
      if monotonicSeconds() >= deadline { return false }
      read(until: deadline)
    }
  }

  /// Reads and forgets what the program writes for so long.
  func run(seconds: Double) {
    let deadline = monotonicSeconds() + seconds
    while monotonicSeconds() < deadline {
      read(until: deadline)
      forget()
    }
  }

  /// Lets the program read what is there already.
  func settle() {
    run(seconds: 2)
    var before = cost.seconds
    while true {
      run(seconds: 1)
      let now = cost.seconds
      if now - before < 0.1 { return }
      before = now
    }
  }

  private func read(until deadline: Double) {
    var request = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
    let left = max(0, deadline - monotonicSeconds())
    guard poll(&request, 1, Int32((left * 1000).rounded(.up))) > 0 else { return }
    withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { bytes in
      #if canImport(Darwin)
        let count = Darwin.read(terminal, bytes.baseAddress!, bytes.count)
      #else
        let count = Glibc.read(terminal, bytes.baseAddress!, bytes.count)
      #endif
      guard count > 0 else { fail("mimo-top-bench: mimo-top ended\n") }
      output.append(contentsOf: bytes[..<count])
    }
  }

  // MARK: - What it costs

  /// Processor time and wake-ups of all its threads so far.
  struct Cost {
    var seconds = 0.0
    /// How often a thread went to sleep to wait for something.
    var waits = 0
  }

  /// Reads `/proc`; ends this program where there is none.
  var cost: Cost {
    var cost = Cost()
    guard let tasks = names(in: "/proc/\(process)/task") else {
      fail("mimo-top-bench: this measurement needs /proc\n")
    }
    for name in tasks where Int(name) != nil {
      let task = "/proc/\(process)/task/\(name)/"
      let nanoseconds = words(task + "schedstat").first.flatMap { Double($0) } ?? 0
      cost.seconds += nanoseconds / 1e9
      let status = words(task + "status")
      if let label = status.firstIndex(of: "voluntary_ctxt_switches:") {
        cost.waits += Int(status[label + 1]) ?? 0
      }
    }
    return cost
  }

  private func words(_ path: String) -> [Substring] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self).split { $0.isWhitespace }
  }
}

/// Seconds of a clock that never jumps.
func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

private func removeTree(_ path: String) {
  for name in names(in: path) ?? [] where name != "." && name != ".." {
    removeTree(path + "/" + name)
  }
  remove(path)
}

/// The names in a folder; `nil` if it is none.
private func names(in folder: String) -> [String]? {
  guard let entries = opendir(folder) else { return nil }
  defer { closedir(entries) }
  var names: [String] = []
  while let entry = readdir(entries) {
    let place = MemoryLayout<dirent>.offset(of: \.d_name)!
    names.append(
      String(cString: (UnsafeRawPointer(entry) + place).assumingMemoryBound(to: CChar.self)))
  }
  return names
}

extension [UInt8] {
  /// The end of the first occurrence of `wanted` at or after `start`.
  fileprivate func firstRange(of wanted: [UInt8], from start: Int) -> Int? {
    var index = start
    while index + wanted.count <= count {
      if self[index] == wanted[0], self[index..<(index + wanted.count)].elementsEqual(wanted) {
        return index + wanted.count
      }
      index += 1
    }
    return nil
  }
}
