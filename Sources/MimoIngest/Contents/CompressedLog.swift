#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A log of lines that was compressed, usually when it was rotated or archived.
struct CompressedLog {
  let path: String
  let compression: Compression

  /// What reading came to.
  struct Result {
    /// Bytes of content accounted for: the first line that was not delivered begins there.
    var offset: Int64
    /// The length of a last line that is not finished.
    var unfinished = 0
    /// Why less could be read than there should be.
    var error: LogError?
  }

  /// Bytes of content handled at once; longer lines make the buffer grow.
  private static let windowBytes = 1 << 20

  /// Delivers the lines from `offset` of the content on.
  func read(
    from offset: Int64, maximumLineBytes: Int = LogFollower.Options().maximumLineBytes,
    deliver: (UnsafeRawBufferPointer, Int64) -> Void
  ) throws(LogError) -> Result {
    let content = try Decompressor(path, compression)
    var buffer = [UInt8](repeating: 0, count: Self.windowBytes)
    var result = Result(offset: 0)
    /// Bytes in the buffer; the first of them is at `result.offset`.
    var held = 0
    /// A line that is passed over because of its length.
    var isTooLong = false
    while true {
      if held == buffer.count {
        if held >= maximumLineBytes {
          isTooLong = true
          result.error = .lineTooLong(
            path: path, offset: result.offset, length: Int64(held), limit: maximumLineBytes)
          result.offset += Int64(held)
          held = 0
        } else {
          buffer += [UInt8](repeating: 0, count: buffer.count)
        }
      }
      let searched = held
      let count = try content.read(into: &buffer, from: held)
      if count == 0 { break }
      held += count
      let used = buffer.withUnsafeBytes { bytes in
        let content = UnsafeRawBufferPointer(rebasing: bytes[..<held])
        guard let last = lastNewline(in: content, from: searched) else { return 0 }
        var start = 0
        if isTooLong { start = firstNewline(in: content, from: 0)! + 1 }
        // What was accounted for before is passed over, up to the beginning of a line.
        let done = min(last + 1, max(0, Int(clamping: offset - result.offset)))
        start = max(start, bytes[..<done].lastIndex(of: 10).map { $0 + 1 } ?? 0)
        if start <= last {
          deliver(
            UnsafeRawBufferPointer(rebasing: bytes[start...last]), result.offset + Int64(start))
        }
        return last + 1
      }
      if used > 0 {
        isTooLong = false
        buffer.withUnsafeMutableBytes { bytes in
          _ = memmove(bytes.baseAddress!, bytes.baseAddress! + used, held - used)
        }
        held -= used
        result.offset += Int64(used)
      }
    }
    return finish(result, rest: buffer[..<(isTooLong ? 0 : held)], from: offset, content, deliver)
  }

  /// A last line without a newline counts if it is a whole object, as in a log that is not compressed.
  private func finish(
    _ result: Result, rest: ArraySlice<UInt8>, from offset: Int64, _ content: Decompressor,
    _ deliver: (UnsafeRawBufferPointer, Int64) -> Void
  ) -> Result {
    var result = result
    rest.withUnsafeBytes { rest in
      if result.offset < offset || rest.allSatisfy({ $0 <= 32 }) { return }
      if JSONShape.isCompleteObject(rest) {
        deliver(rest, result.offset)
        result.offset += Int64(rest.count)
      } else {
        result.unfinished = rest.count
      }
    }
    switch content.end {
    case .truncated:
      result.error = .unreadable(
        path: path, reason: "the compressed data ends early; what is before the end was read")
    case .damaged:
      result.error = .unreadable(
        path: path, reason: "the compressed data is damaged; what is before the damage was read")
    case .complete, nil: break
    }
    return result
  }

  /// Delivers again what stands in a range of the content, which begins with a line.
  func reread(
    _ range: Range<Int64>, _ deliver: (UnsafeRawBufferPointer, Int64) -> Void
  ) throws(LogError) {
    _ = try read(from: range.lowerBound) { run, offset in
      let count = min(Int64(run.count), range.upperBound - offset)
      if count > 0 { deliver(UnsafeRawBufferPointer(rebasing: run[..<Int(count)]), offset) }
    }
  }

  /// The first bytes of the file itself, as many as a bookmark covers.
  func head() throws(LogError) -> [UInt8] {
    do throws(SystemError) {
      let descriptor = try openForReading(path)
      defer { closeDescriptor(descriptor) }
      return try FileKind.head(descriptor, Bookmark.headLimit, at: 0)
    } catch {
      throw LogError(path: path, code: error.code)
    }
  }

  // MARK: - The same log twice

  /// How much of the content is that of logs which have been read already: where the longest of them ends.
  ///
  /// A log that was compressed after it was read, or kept beside its compressed copy, must not count
  /// twice where its calls have no ids.
  func alreadyRead(_ logs: [Bookmark]) throws(LogError) -> Int64 {
    let content = try Decompressor(path, compression)
    var buffer = [UInt8](repeating: 0, count: Self.windowBytes)
    var position: Int64 = 0
    var last: [UInt8] = []
    var candidates: [Bookmark] = []
    var result: Int64 = 0
    while true {
      let count = try content.read(into: &buffer)
      if position == 0 {
        // Of thousands of logs nearly all are longer than a head.
        var heads: [Int: PrefixFingerprint] = [:]
        for length in Set(logs.map(\.head.length)) where length <= count {
          heads[length] = buffer[..<length].withUnsafeBytes { PrefixFingerprint(of: $0) }
        }
        candidates = logs.filter { $0.offset > 0 && heads[$0.head.length] == $0.head }
      }
      let window = last + buffer[..<count]
      let start = position - Int64(last.count)
      for log in candidates where position < log.offset && log.offset <= position + Int64(count) {
        let end = Int(log.offset - start)
        let tail = window[(end - log.tail.length)..<end].withUnsafeBytes {
          PrefixFingerprint(of: $0)
        }
        if tail == log.tail { result = max(result, log.offset) }
      }
      position += Int64(count)
      last = Array(window.suffix(Bookmark.tailLimit))
      if count == 0 { break }
      if candidates.allSatisfy({ $0.offset <= position }) { return result }
    }
    // The beginning of a longer log, every line of which has been read.
    return candidates.contains { $0.offset > position } ? .max : result
  }
}
