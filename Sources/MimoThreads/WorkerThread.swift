#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A thread that runs one piece of work: the thin part of `pthread` that Swift does not wrap.
public struct WorkerThread: Sendable {
  #if canImport(Darwin)
    nonisolated(unsafe) private let thread: pthread_t
  #else
    private let thread: pthread_t
  #endif

  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Starts a thread, or returns `nil` if the system refuses one.
  public static func start(_ body: @escaping @Sendable () -> Void) -> WorkerThread? {
    let work = Unmanaged.passRetained(Work(body))
    #if canImport(Darwin)
      var started: pthread_t?
      let run: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = { work in
        Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body()
        return nil
      }
    #else
      var started: pthread_t? = pthread_t()
      let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { work in
        Unmanaged<Work>.fromOpaque(work!).takeRetainedValue().body()
        return nil
      }
    #endif
    guard startThread(&started, run, work.toOpaque()), let started else {
      work.release()
      return nil
    }
    return WorkerThread(thread: started)
  }

  /// Waits until the work is done.
  public func join() { pthread_join(thread, nil) }

  /// Lets the thread end by itself; nobody waits for it.
  public func detach() { pthread_detach(thread) }
}

#if canImport(Darwin)
  private func startThread(
    _ thread: inout pthread_t?,
    _ run: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer
  ) -> Bool { pthread_create(&thread, nil, run, argument) == 0 }
#else
  private func startThread(
    _ thread: inout pthread_t?,
    _ run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer
  ) -> Bool {
    var started = pthread_t()
    guard pthread_create(&started, nil, run, argument) == 0 else { return false }
    thread = started
    return true
  }
#endif
