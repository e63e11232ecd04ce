import CPseudoTerminal
import MimoScreen

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A program running on a terminal of its own, and what it shows there.
///
/// Nothing here sleeps for a fixed time: wait for a text, a condition or the end, with a deadline.
/// The program is killed when the object goes away.
public final class PseudoTerminal {
  /// How a program ended.
  public enum Ending: Hashable, Sendable {
    /// By itself, with this status.
    case status(Int32)
    /// By this signal.
    case signal(Int32)
  }

  /// Something that did not happen in time, or could not be done.
  public struct Failure: Error, CustomStringConvertible {
    /// What, with the screen as it was.
    public let description: String
  }

  /// The screen as of the last wait.
  public private(set) var screen: TerminalEmulator
  /// All the program wrote to the terminal so far.
  public private(set) var output: [UInt8] = []
  /// The child's process id; also the id of its process group and session.
  public let processID: pid_t

  private let terminal: Int32
  private var ending: Ending?
  /// The terminal reports an error once the child has closed it.
  private var isDrained = false

  /// Starts `executable` on a new terminal.
  ///
  /// - Parameters:
  ///   - environment: All of its environment. Give `TERM` and a UTF-8 `LANG`.
  ///   - folder: Where it starts; `nil` for here.
  ///   - standardInput: A descriptor to use in place of the terminal.
  ///   - standardError: A descriptor to use in place of the terminal.
  /// - Throws: `Failure` if the system has no terminal or process left. A program that cannot be
  ///   started ends with status 127.
  public init(
    _ executable: String,
    arguments: [String] = [],
    environment: [String: String] = ["TERM": "xterm-256color", "LANG": "C.UTF-8"],
    folder: String? = nil,
    size: Size = Size(columns: 80, rows: 24),
    standardInput: Int32 = -1,
    standardError: Int32 = -1
  ) throws {
    var argv = ([executable] + arguments).map { strdup($0) } + [nil]
    var envp = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var terminal: Int32 = -1
    let child = pseudo_terminal_spawn(
      executable,
      &argv,
      &envp,
      folder,
      UInt16(size.columns),
      UInt16(size.rows),
      standardInput,
      standardError,
      &terminal
    )
    guard child > 0 else {
      throw Failure(
        description: "no terminal for \(executable): \(String(cString: strerror(errno)))"
      )
    }
    processID = child
    self.terminal = terminal
    screen = TerminalEmulator(size: size)
  }

  deinit {
    if ending == nil {
      kill(processID, SIGKILL)
      waitpid(processID, nil, 0)
    }
    close(terminal)
  }

  // MARK: - Acting

  /// Types `text`.
  public func type(_ text: String) { type(bytes: Array(text.utf8)) }

  /// Sends bytes as if typed.
  public func type(bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(terminal, $0.baseAddress, $0.count) }
      if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
    }
  }

  /// Presses a key as an xterm with its keypad switched on sends it.
  public func press(_ key: Key) {
    switch key {
    case .character(let scalar): type(String(Character(scalar)))
    case .control(let letter):
      let value = letter.uppercased().utf8.first ?? 0
      type(bytes: [value & 0x1F])
    case .up: type("\u{1B}OA")
    case .down: type("\u{1B}OB")
    case .right: type("\u{1B}OC")
    case .left: type("\u{1B}OD")
    case .home: type("\u{1B}OH")
    case .end: type("\u{1B}OF")
    case .insert: type("\u{1B}[2~")
    case .delete: type("\u{1B}[3~")
    case .pageUp: type("\u{1B}[5~")
    case .pageDown: type("\u{1B}[6~")
    case .enter: type("\r")
    case .escape: type("\u{1B}")
    case .tab: type("\t")
    case .backTab: type("\u{1B}[Z")
    case .backspace: type("\u{7F}")
    case .function(let number):
      let codes = [
        "OP", "OQ", "OR", "OS", "[15~", "[17~", "[18~", "[19~", "[20~", "[21~", "[23~", "[24~",
      ]
      if (1...codes.count).contains(number) { type("\u{1B}" + codes[number - 1]) }
    case .mouse(let event):
      let button =
        switch event.action {
        case .press: 0
        case .middlePress: 1
        case .secondaryPress: 2
        case .wheelUp: 64
        case .wheelDown: 65
        }
      type("\u{1B}[<\(button);\(event.x + 1);\(event.y + 1)M")
      // Wheels are not released.
      if button < 64 { type("\u{1B}[<\(button);\(event.x + 1);\(event.y + 1)m") }
    }
  }

  /// Changes the size of the window. The program is told by a signal.
  public func resize(to size: Size) {
    screen.resize(to: size)
    _ = pseudo_terminal_resize(terminal, UInt16(size.columns), UInt16(size.rows))
  }

  /// Sends a signal to the program alone.
  public func send(signal: Int32) { kill(processID, signal) }

  /// The terminal's present modes.
  public var modes: termios {
    var modes = termios()
    tcgetattr(terminal, &modes)
    return modes
  }

  /// Whether typed characters are shown and lines can be edited, as a shell expects it.
  public var isCooked: Bool {
    let flags = modes.c_lflag
    return flags & tcflag_t(ECHO) != 0 && flags & tcflag_t(ICANON) != 0
      && flags & tcflag_t(ISIG) != 0
  }

  // MARK: - Waiting

  /// Waits until `text` is on some row of the screen.
  ///
  /// - Throws: `Failure` with the screen after `seconds`, or when the program ended without it.
  public func waitFor(_ text: String, within seconds: Double = 10) throws {
    try wait(for: "'\(text)'", within: seconds) { $0.contains(text) }
  }

  /// Waits until `text` is on no row of the screen.
  public func waitForAbsence(of text: String, within seconds: Double = 10) throws {
    try wait(for: "no '\(text)'", within: seconds) { !$0.contains(text) }
  }

  /// Waits until the screen fulfils a condition. Half-drawn frames are never asked.
  public func wait(
    for what: String,
    within seconds: Double = 10,
    until condition: (TerminalEmulator) -> Bool
  ) throws {
    let deadline = PseudoTerminal.now + seconds
    while true {
      if !screen.isSynchronizing, condition(screen) { return }
      guard read(until: deadline) else {
        let reason = isDrained ? "the program ended" : "after \(seconds) s"
        throw Failure(description: "\(what) did not come (\(reason)). Screen:\n\(screen.text)")
      }
    }
  }

  /// Reads until the program writes nothing for `seconds`. For tests that nothing is written.
  public func settle(for seconds: Double = 0.05) {
    while read(until: PseudoTerminal.now + seconds) {}
  }

  /// Waits until the program has ended, and tells how.
  @discardableResult
  public func waitForExit(within seconds: Double = 10) throws -> Ending {
    let deadline = PseudoTerminal.now + seconds
    while ending == nil {
      // Reading on, because a program blocked in writing does not end.
      let idle = !read(until: min(deadline, PseudoTerminal.now + 0.01))
      try poll(options: WNOHANG)
      if ending == nil, PseudoTerminal.now > deadline {
        throw Failure(description: "the program did not end. Screen:\n\(screen.text)")
      }
      if idle, isDrained, ending == nil { usleep(1000) }
    }
    while read(until: PseudoTerminal.now) {}
    return ending!
  }

  /// Waits until the program was stopped by a signal (Ctrl-Z), and tells by which.
  @discardableResult
  public func waitForStop(within seconds: Double = 10) throws -> Int32 {
    let deadline = PseudoTerminal.now + seconds
    while PseudoTerminal.now < deadline {
      _ = read(until: min(deadline, PseudoTerminal.now + 0.01))
      var status: Int32 = 0
      guard waitpid(processID, &status, WNOHANG | WUNTRACED) == processID else { continue }
      if status & 0xFF == 0x7F {
        while read(until: PseudoTerminal.now) {}
        return status >> 8 & 0xFF
      }
      ending = PseudoTerminal.ending(status)
      break
    }
    throw Failure(description: "the program was not stopped. Screen:\n\(screen.text)")
  }

  private func poll(options: Int32) throws {
    var status: Int32 = 0
    if waitpid(processID, &status, options) == processID {
      ending = PseudoTerminal.ending(status)
    }
  }

  /// `WIFSIGNALED` and its like are macros that Swift does not see.
  private static func ending(_ status: Int32) -> Ending {
    status & 0x7F == 0 ? .status(status >> 8 & 0xFF) : .signal(status & 0x7F)
  }

  /// Reads what there is, waiting for it until `deadline`. `false` if nothing came.
  private func read(until deadline: Double) -> Bool {
    if isDrained { return false }
    var request = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
    let left = max(0, deadline - PseudoTerminal.now)
    #if canImport(Darwin)
      let ready = Darwin.poll(&request, 1, Int32((left * 1000).rounded(.up)))
    #else
      let ready = Glibc.poll(&request, 1, Int32((left * 1000).rounded(.up)))
    #endif
    if ready < 0, errno == EINTR { return true }
    if ready <= 0 { return false }
    var bytes = [UInt8](repeating: 0, count: 65536)
    #if canImport(Darwin)
      let count = Darwin.read(terminal, &bytes, bytes.count)
    #else
      let count = Glibc.read(terminal, &bytes, bytes.count)
    #endif
    if count <= 0 {
      isDrained = true
      return false
    }
    output += bytes[..<count]
    screen.feed(bytes[..<count])
    return true
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
