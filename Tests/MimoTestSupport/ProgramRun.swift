#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A program run to its end without a terminal, and what it said.
public struct ProgramRun: Sendable {
  /// What the program finds on standard input.
  public enum Input: Sendable {
    /// Nothing.
    case nothing
    /// These bytes, then the end.
    case text(String)
  }

  /// How it ended.
  public let ending: PseudoTerminal.Ending
  /// All it wrote to standard output.
  public let output: String
  /// All it wrote to standard error.
  public let errors: String

  /// Runs `executable` and waits for its end.
  ///
  /// - Parameters:
  ///   - environment: All of its environment.
  ///   - folder: Where it starts.
  ///   - seconds: After these it is killed.
  /// - Throws: `PseudoTerminal.Failure` if it did not end in time. A program that cannot be started
  ///   ends with status 127.
  public init(
    _ executable: String, arguments: [String] = [], environment: [String: String],
    folder: String, input: Input = .nothing, within seconds: Double = 60
  ) throws {
    // Files instead of pipes: nobody has to read while the program writes.
    let streams = try (0..<3).map { _ in try Self.scratchFile() }
    defer { for stream in streams { close(stream) } }
    if case .text(let text) = input {
      var rest = Array(text.utf8)[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(streams[0], $0.baseAddress, $0.count) }
        guard count > 0 else { throw PseudoTerminal.Failure(description: "cannot write the input") }
        rest = rest.dropFirst(count)
      }
      lseek(streams[0], 0, SEEK_SET)
    }
    let child = try Self.spawn(executable, arguments, environment, folder, streams)
    ending = try Self.wait(for: child, executable, seconds)
    output = Self.content(of: streams[1])
    errors = Self.content(of: streams[2])
  }

  /// An empty file without a name.
  private static func scratchFile() throws -> Int32 {
    var path = Array("/tmp/mimo-top-run-XXXXXX".utf8CString)
    let file = mkstemp(&path)
    guard file >= 0 else { throw PseudoTerminal.Failure(description: "no scratch file in /tmp") }
    unlink(path)
    // Programs started by other tests meanwhile must not keep it open.
    _ = fcntl(file, F_SETFD, FD_CLOEXEC)
    return file
  }

  private static func spawn(
    _ executable: String, _ arguments: [String], _ environment: [String: String],
    _ folder: String, _ streams: [Int32]
  ) throws -> pid_t {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    for (number, stream) in streams.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, stream, Int32(number))
    }
    // A test runner may have blocked or ignored what the child wants to hear.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
    // Swift does not see the call that lets a child begin in another folder.
    let words = ["sh", "-c", "cd \"$0\" && exec \"$@\"", folder, executable] + arguments
    var argv = words.map { strdup($0) } + [nil]
    var envp = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var child: pid_t = 0
    let code = posix_spawn(&child, "/bin/sh", &actions, &attributes, &argv, &envp)
    guard code == 0 else {
      throw PseudoTerminal.Failure(description: "/bin/sh: \(String(cString: strerror(code)))")
    }
    return child
  }

  private static func wait(for child: pid_t, _ executable: String, _ seconds: Double) throws
    -> PseudoTerminal.Ending
  {
    let deadline = time(nil) + Int(seconds.rounded(.up))
    var status: Int32 = 0
    while waitpid(child, &status, WNOHANG) == 0 {
      if time(nil) > deadline {
        kill(child, SIGKILL)
        waitpid(child, &status, 0)
        throw PseudoTerminal.Failure(description: "\(executable) did not end within \(seconds) s")
      }
      usleep(2000)
    }
    // `WIFSIGNALED` and its like are macros that Swift does not see.
    return status & 0x7F == 0 ? .status(status >> 8 & 0xFF) : .signal(status & 0x7F)
  }

  private static func content(of file: Int32) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    lseek(file, 0, SEEK_SET)
    while true {
      let count = read(file, &buffer, buffer.count)
      if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
  }
}
