#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A log opened for reading parts of it, for readers that divide the work themselves.
///
/// Each thread opens its own, with its own `LineBuffer`.
public final class OpenLog {
  /// The path it was opened by.
  public let path: String
  /// Which file on disk it is.
  public let identity: FileIdentity
  private let descriptor: Int32

  /// Opens the file at `path`.
  ///
  /// - Throws: `noSuchFile`, `permissionDenied`, `notALog` (a pipe or device too) or `failed`.
  public init(path: String) throws(LogError) {
    self.path = path
    let status: FileStatus
    do throws(SystemError) {
      (descriptor, status) = try openWithStatus(path)
    } catch {
      throw LogError(path: path, code: error.code)
    }
    identity = status.identity
    // From here on everything is initialised, and throwing closes the descriptor.
    if status.kind != .regular { throw .notALog(path: path, is: "special file") }
  }

  deinit { close(descriptor) }

  /// How it has to be read; `nil` if it is empty.
  public var kind: FileKind? {
    get throws(LogError) {
      do throws(SystemError) {
        return try FileKind.of(descriptor, named: path)
      } catch {
        throw LogError(path: path, code: error.code)
      }
    }
  }

  /// What reading a range came to.
  public struct RangeEnd: Hashable, Sendable {
    /// The first byte not accounted for: where the line begins that does not belong to the range, or
    /// that is unfinished.
    public var offset: Int64
    /// NUL bytes left out in front of lines.
    public var skippedNULs: Int64
    /// Lines passed over because they are longer than the limit.
    public var longLines: [LogError]
  }

  /// Delivers the lines that begin inside `range`, the last of them to its end.
  ///
  /// Ranges that together cover the file deliver each of its lines exactly once, wherever they meet.
  ///
  /// - Parameter range: Bytes of the file. The upper bound may lie behind its end.
  /// - Parameter unfinished: Lent the line without newline at the end of the file, if it begins in the
  ///   range and is not a complete JSON object.
  /// - Parameter deliver: Takes runs of lines as `LogConsumer.consume` does.
  /// - Throws: `LogError.failed` if the system refuses to read.
  public func read(
    range: Range<Int64>,
    buffer: LineBuffer,
    maximumLineBytes: Int = LogFollower.Options().maximumLineBytes,
    unfinished: (UnsafeRawBufferPointer, Int64) -> Void = { _, _ in },
    deliver: (UnsafeRawBufferPointer, Int64) -> Void
  ) throws(LogError) -> RangeEnd {
    var longLines: [LogError] = []
    do throws(SystemError) {
      defer { buffer.shrink() }
      guard let start = try lineStart(atOrAfter: range.lowerBound, buffer), start < range.upperBound
      else { return RangeEnd(offset: range.upperBound, skippedNULs: 0, longLines: []) }
      var tail = LogTail(
        bookmark: Bookmark(
          identity: identity,
          offset: start,
          head: PrefixFingerprint(),
          tail: PrefixFingerprint()
        )
      )
      reading: while true {
        let step = try tail.advance(
          descriptor,
          buffer: buffer,
          maximumLineBytes: maximumLineBytes,
          limit: range.upperBound,
          deliver: deliver
        )
        switch step {
        case .advanced: continue
        case .tooLong(let offset, let length):
          longLines.append(
            .lineTooLong(path: path, offset: offset, length: length, limit: maximumLineBytes)
          )
        case .upToDate, .changed: break reading
        }
      }
      if tail.knownRest > Int64(maximumLineBytes) {
        longLines.append(
          .lineTooLong(
            path: path,
            offset: tail.bookmark.offset,
            length: tail.knownRest,
            limit: maximumLineBytes
          )
        )
      } else if tail.bookmark.offset < range.upperBound {
        try tail.withRest(descriptor, buffer: buffer, unfinished)
      }
      return RangeEnd(
        offset: tail.bookmark.offset,
        skippedNULs: tail.skippedNULs,
        longLines: longLines
      )
    } catch {
      throw LogError(path: path, code: error.code)
    }
  }

  /// A bookmark that says that everything before `offset` has been accounted for, for a follower that
  /// takes over from here.
  public func bookmark(at offset: Int64) throws(LogError) -> Bookmark {
    var tail = LogTail(bookmark: Bookmark(identity: identity))
    do throws(SystemError) {
      try tail.move(to: offset, descriptor)
    } catch {
      throw LogError(path: path, code: error.code)
    }
    return tail.bookmark
  }

  /// The first line start not before `offset`, or `nil` if the file ends before one.
  private func lineStart(
    atOrAfter offset: Int64,
    _ buffer: LineBuffer
  ) throws(SystemError) -> Int64? {
    if offset <= 0 { return 0 }
    // A newline right before `offset` makes `offset` itself the start of a line.
    var position = offset - 1
    while true {
      let count = try readOnce(
        descriptor,
        buffer.start,
        min(buffer.windowBytes, 64 << 10),
        at: position
      )
      if count == 0 { return nil }
      let window = UnsafeRawBufferPointer(start: buffer.start, count: count)
      if let newline = firstNewline(in: window, from: 0) { return position + Int64(newline) + 1 }
      position += Int64(count)
    }
  }
}
