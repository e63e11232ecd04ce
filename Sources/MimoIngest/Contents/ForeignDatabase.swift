import MimoSQLite

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A database that another program writes.
///
/// It is opened for each reading and closed after it: a connection that stays would keep its owner from
/// clearing its write-ahead log when it ends. Nothing is written, no lock is held longer than a short
/// transaction, and no file is made beside it.
struct ForeignDatabase {
  /// The path as shown to the user.
  let path: String
  /// Where it leads: the files beside a database lie beside the file itself.
  private let place: String

  init(path: String) {
    self.path = path
    place = finalPath(path)
  }

  /// Milliseconds of pause before each further try when the owner is in the way.
  private static let pauses: [Int64] = [10, 30, 100, 200]

  /// Opens the database and calls `body`, again from the start if the owner got in the way.
  ///
  /// - Throws: `LogError`; `isPassing` tells whether to try again later.
  func read(_ body: (SQLiteConnection) throws(SQLiteError) -> Void) throws(Failure) {
    for pause in Self.pauses {
      do throws(Failure) {
        return try readOnce(body)
      } catch {
        if !error.isPassing { throw error }
        usleep(UInt32(pause) * 1000)
      }
    }
    try readOnce(body)
  }

  /// Why a database could not be read.
  struct Failure: Error {
    var error: LogError
    var isPassing: Bool
  }

  private func readOnce(_ body: (SQLiteConnection) throws(SQLiteError) -> Void) throws(Failure) {
    let before = state
    let isAlone = isAlone(before)
    do throws(SQLiteError) {
      let database = try SQLiteConnection(path: place, access: isAlone ? .immutable : .readOnly)
      try body(database)
    } catch {
      // What was read without locks while somebody wrote may be any nonsense.
      let isTorn = isAlone && state != before
      throw Failure(
        error: .unreadable(path: path, reason: error.description),
        isPassing: isTorn || error.isPassing)
    }
    if isAlone && state != before {
      throw Failure(
        error: .unreadable(path: path, reason: "changed while it was read"), isPassing: true)
    }
  }

  /// Whether nobody has the database open: it is in write-ahead mode and has no log. Opening it with
  /// locks would make a log and its index beside it, and leave them there.
  private func isAlone(_ state: [FileStatus?]) -> Bool {
    guard state[1] == nil, let descriptor = try? openForReading(place) else { return false }
    defer { closeDescriptor(descriptor) }
    var modes: (UInt8, UInt8) = (0, 0)
    // Bytes 18 and 19 are 2 in write-ahead mode. Source: SQLite's file format document, section 1.3.
    let count = withUnsafeMutableBytes(of: &modes) { buffer in
      (try? readFully(descriptor, buffer.baseAddress!, 2, at: 18)) ?? 0
    }
    return count == 2 && modes == (2, 2)
  }

  private var state: [FileStatus?] {
    [place, place + "-wal"].map { try? FileStatus(path: $0) }
  }
}
