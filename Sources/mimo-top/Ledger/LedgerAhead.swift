import MimoEngine
import MimoIngest
import MimoStore
import MimoThreads
import Synchronization

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Reads what the first frame or a report needs of the ledger on other threads, while this one finds out what was
/// typed and reads settings and prices: that takes as long.
///
/// Nothing depends on it: what fails here, or is not of the present moment when it is needed, is read again by
/// whoever needs it, who also says what is wrong.
final class LedgerAhead: Sendable {
  /// The work of a thread, handed out once.
  private final class Work<Value: Sendable>: Sendable {
    private struct State {
      var thread: WorkerThread?
      var value: Value?
    }
    private let state = Mutex(State())

    init(_ read: @escaping @Sendable () -> Value?) {
      let thread = WorkerThread.start { [self] in
        let value = read()
        state.withLock { $0.value = value }
      }
      state.withLock { $0.thread = thread }
    }

    /// Waits for the value; `nil` from the second time on.
    func take() -> Value? {
      state.withLock { state in
        defer { state.thread = nil }
        return state.thread
      }?.join()
      return state.withLock { state in
        defer { state.value = nil }
        return state.value
      }
    }
  }

  private let book: Work<BookAhead>?
  private let cells: Work<CellsAhead>?

  /// Days of which the dashboard knows at its start: see `Model.neededMinutes`. What is missing is read when it is needed.
  private static let days: Int32 = 35

  private init(showing: Bool) {
    let (folder, now) = (UserFolders.state, SystemClock.now)
    let first = Hour(of: now.minute).day - Self.days
    func work<Value: Sendable>(
      _ read: @escaping @Sendable () throws(StoreError) -> Value
    ) -> Work<Value> {
      Work { do throws(StoreError) { return try read() } catch { return nil } }
    }
    cells =
      showing
      ? work { () throws(StoreError) in
        try LedgerStore.cellsAhead(folder: folder, from: first, now: now)
      } : nil
    book =
      showing
      ? nil
      : work { () throws(StoreError) in try LedgerStore.bookAhead(folder: folder, now: now) }
  }

  /// All names and addresses; `nil` if they have to be read.
  func takeBook() -> BookAhead? { book?.take() }

  /// The cells of the latest days; `nil` if they have to be read.
  func takeCells() -> CellsAhead? { cells?.take() }

  // MARK: - The one of this process

  private static let begun = Mutex<LedgerAhead?>(nil)

  /// Begins to read if the arguments look as if the ledger will be wanted; to be wrong costs a few milliseconds.
  static func begin(expecting arguments: [String]) {
    guard let showing = looksAsIfShowing(arguments), showing || !looksAsIfOfSpan(arguments),
      LedgerStore.isThere(folder: UserFolders.state)
    else { return }
    // This thread may yet set the time zone.
    LedgerStore.prepareThreads()
    begun.withLock { $0 = LedgerAhead(showing: showing) }
  }

  /// What was begun, once.
  static func take() -> LedgerAhead? {
    begun.withLock { begun in
      defer { begun = nil }
      return begun
    }
  }

  /// Whether a report is wanted of a part of the history, which needs few of its addresses.
  static func looksAsIfOfSpan(_ arguments: [String]) -> Bool {
    arguments.contains("report")
      && arguments.contains { $0.hasPrefix("--last") || $0.hasPrefix("--since") }
  }

  /// Whether the cells are wanted for a screen; `nil` if nothing of the ledger is.
  static func looksAsIfShowing(_ arguments: [String]) -> Bool? {
    let without: Set = [
      "-h", "--help", "--version", "--no-ledger", "--demo", "--format", "--map", "-",
    ]
    let (screens, tables): (Set, Set) = (["dashboard"], ["report", "compare"])
    var showing = true
    for (index, argument) in arguments.enumerated() {
      if without.contains(argument) { return nil }
      if argument.hasPrefix("-") || screens.contains(argument) { continue }
      if tables.contains(argument) {
        showing = false
      } else if index == 0 || !arguments[index - 1].hasPrefix("-") || access(argument, F_OK) == 0 {
        // Another command, or a log.
        return nil
      }
    }
    return showing
  }
}
