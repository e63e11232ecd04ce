/// Why the bytes that follow belong to a fresh reading of a file.
public enum OpenReason: Hashable, Sendable {
  /// Read for the first time, from its first byte.
  case new
  /// Continued where it was left. Nothing follows as long as nothing is written to it.
  case resumed
  /// Another file has taken the place of the one before, or other content that of the former.
  case replaced
  /// The same file was cut short; what it holds now is delivered from its first byte. If it was cut in
  /// the middle, lines that survived are delivered again.
  case truncated
}

/// Why no more bytes of a file will come.
public enum CloseReason: Hashable, Sendable {
  /// Read to its end by a one-shot scan.
  case finished
  /// The stream ended.
  case endOfStream
  /// Another file has its path, and it has been quiet since.
  case replaced
  /// No followed path leads to it any more, and it has been quiet since.
  case removed
}

/// How much of what is there has been read.
public struct LogProgress: Hashable, Sendable {
  /// Bytes accounted for in the files known now, streams excepted.
  public var bytesRead: Int64
  /// Bytes in the files known now. Grows while they do; an estimate, never used for reading.
  public var bytesTotal: Int64
  /// Files read to their end.
  public var filesRead: Int
  /// Files known now.
  public var filesTotal: Int
  /// Whether that is all: `caughtUp` follows.
  public var isLast = false
}

/// Takes the lines of followed logs.
///
/// All calls come from the one thread that drives the follower. Per file the order is: `opened`, then
/// `consume` with ascending offsets that neither overlap nor leave out a byte of any line, then perhaps
/// `opened` again (forget what you know of the file's content), at last `closed`. Blank lines, a
/// byte-order mark and NUL bytes before a line may be left out.
public protocol LogConsumer: AnyObject {
  /// The next bytes of `file` begin a fresh reading, or continue one from an earlier run (`.resumed`).
  func opened(_ file: LogFile, reason: OpenReason)

  /// Takes one or more whole lines, at most about 1 MiB unless one line is longer.
  ///
  /// Each line ends in a newline, except that the last line of a file may lack it if it is a complete
  /// JSON object. Lines are passed as they are: carriage returns and invalid UTF-8 included, and NUL
  /// bytes may precede a line inside the run. `LineSplitter` deals with all of that.
  ///
  /// - Parameter lines: Valid only during the call.
  /// - Parameter offset: Where in the file (or stream) the first byte of `lines` is.
  func consume(lines: UnsafeRawBufferPointer, of file: LogFile, at offset: Int64)

  /// `file` is not made of lines (see its `kind`) and has been found, or has changed. Follows `opened`.
  ///
  /// The consumer reads it by its path. Changes in quick succession are told once.
  ///
  /// - Returns: `false` if it could not be read just now; it is told again a little later.
  func changed(_ file: LogFile) -> Bool

  /// The file ends in a line without newline that is not a complete JSON object, and will not be
  /// waited for: at the end of a one-shot scan or a stream, or when a rotated file has become quiet.
  ///
  /// The bytes are not accounted for. A format of other lines than JSON may take them as a last line.
  func unfinished(_ rest: UnsafeRawBufferPointer, of file: LogFile, at offset: Int64)

  /// No more bytes of `file` will come.
  func closed(_ file: LogFile, reason: CloseReason)

  /// Something went wrong, with a file or (`nil`) with a source, a folder or the watching as a whole.
  /// Called once per occasion, not once per try.
  func failed(_ error: LogError, of file: LogFile?)

  /// An error that was told of a source or a folder holds no longer: what was missing is there.
  func resolved(_ error: LogError)

  /// `file` can be read again after an error.
  func recovered(_ file: LogFile)

  /// Called after each round of about 4 MiB, at the end of the last, and when somebody asks.
  func progress(_ progress: LogProgress)

  /// Everything that was there has been delivered. Called again after each later growth, when an error
  /// came or went, and when somebody asks.
  func caughtUp()
}

extension LogConsumer {
  /// Ignores it.
  public func changed(_ file: LogFile) -> Bool { true }
  /// Ignores the rest.
  public func unfinished(_ rest: UnsafeRawBufferPointer, of file: LogFile, at offset: Int64) {}
  /// Ignores it.
  public func resolved(_ error: LogError) {}
  /// Ignores it.
  public func recovered(_ file: LogFile) {}
  /// Ignores it.
  public func progress(_ progress: LogProgress) {}
}
