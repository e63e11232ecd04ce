import CZlib
import CZstd

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a file is compressed.
public enum Compression: Hashable, Sendable {
  /// One or more gzip members.
  case gzip
  /// One or more Zstandard frames.
  case zstd

  /// The compression of a file that begins so; `nil` if it is not compressed in a way we know.
  ///
  /// Source: RFC 1952, section 2.3; RFC 8878, sections 3.1.1 and 3.1.2.
  init?(magic: some Collection<UInt8>) {
    let bytes = Array(magic.prefix(4))
    if bytes.starts(with: [0x1F, 0x8B, 8]) {
      self = .gzip
    } else if bytes == [0x28, 0xB5, 0x2F, 0xFD]
      || (bytes.count == 4 && bytes[0] & 0xF0 == 0x50 && bytes[1...] == [0x2A, 0x4D, 0x18])
    {
      self = .zstd
    } else {
      return nil
    }
  }
}

/// The content of a compressed file, in pieces: neither it nor its content is ever in memory as a whole.
final class Decompressor {
  /// Why the content ended, once it has.
  enum End: Hashable {
    /// Where the file ends.
    case complete
    /// In the middle: the file was cut, or is still being written.
    case truncated
    /// At bytes that are no compressed data.
    case damaged
  }

  /// Set when `read` has returned 0.
  private(set) var end: End?

  private let path: String
  private let descriptor: Int32
  private var offset: Int64 = 0
  private var input = [UInt8](repeating: 0, count: 256 << 10)
  private var pending = 0..<0
  private var stream: any DecompressedStream
  private var isInside = false

  /// Opens the file at `path`.
  init(_ path: String, _ compression: Compression) throws(LogError) {
    self.path = path
    switch compression {
    case .gzip: stream = GzipStream()
    case .zstd: stream = ZstdStream()
    }
    do throws(SystemError) {
      descriptor = try openForReading(path)
    } catch {
      throw LogError(path: path, code: error.code)
    }
  }

  deinit { close(descriptor) }

  /// Fills `buffer` from `start` as far as there is content, and returns how many bytes these are; 0 means
  /// that there is none left.
  func read(into buffer: inout [UInt8], from start: Int = 0) throws(LogError) -> Int {
    var filled = start
    while filled < buffer.count, end == nil {
      if pending.isEmpty, try !refill() {
        end = isInside ? .truncated : .complete
        break
      }
      let step = buffer.withUnsafeMutableBytes { buffer in
        input.withUnsafeBytes {
          stream.advance(
            UnsafeRawBufferPointer(rebasing: $0[pending]),
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
        }
      }
      guard let step else {
        // Padding behind the last member is no damage.
        let isPadding = !isInside && input[pending].allSatisfy { $0 == 0 }
        end = isPadding ? .complete : .damaged
        break
      }
      pending = pending.lowerBound + step.consumed..<pending.upperBound
      filled += step.produced
      isInside = !step.isAtEnd
    }
    return filled - start
  }

  private func refill() throws(LogError) -> Bool {
    var failure: SystemError?
    let count = input.withUnsafeMutableBytes { buffer in
      do throws(SystemError) {
        return try readOnce(descriptor, buffer.baseAddress!, buffer.count, at: offset)
      } catch {
        failure = error
        return 0
      }
    }
    if let failure { throw LogError(path: path, code: failure.code) }
    offset += Int64(count)
    pending = 0..<count
    return count > 0
  }
}

/// One of the libraries, fed piece by piece.
private protocol DecompressedStream {
  /// Takes some of `input` and puts content into `output`; `nil` if the input makes no sense.
  mutating func advance(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> DecompressedStep?
}

private struct DecompressedStep {
  var consumed: Int
  var produced: Int
  /// Whether a member or frame has just ended.
  var isAtEnd: Bool
}

private final class GzipStream: DecompressedStream {
  private var state = z_stream()
  private let isReady: Bool

  init() {
    // 15 bits of window, and a gzip header only.
    isReady =
      inflateInit2_(&state, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
  }

  deinit { inflateEnd(&state) }

  func advance(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> DecompressedStep? {
    guard isReady else { return nil }
    let given = (
      input: min(input.count, Int(UInt32.max)), output: min(output.count, Int(UInt32.max))
    )
    state.next_in = UnsafeMutablePointer(
      mutating: input.bindMemory(to: UInt8.self).baseAddress)
    state.avail_in = UInt32(given.input)
    state.next_out = output.bindMemory(to: UInt8.self).baseAddress
    state.avail_out = UInt32(given.output)
    let code = inflate(&state, Z_NO_FLUSH)
    let step = DecompressedStep(
      consumed: given.input - Int(state.avail_in), produced: given.output - Int(state.avail_out),
      isAtEnd: code == Z_STREAM_END)
    switch code {
    case Z_STREAM_END: return inflateReset(&state) == Z_OK ? step : nil
    case Z_OK, Z_BUF_ERROR: return step
    default: return nil
    }
  }
}

private final class ZstdStream: DecompressedStream {
  private let state = ZSTD_createDStream()

  deinit { ZSTD_freeDStream(state) }

  func advance(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> DecompressedStep? {
    guard let state else { return nil }
    var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
    let code = ZSTD_decompressStream(state, &target, &source)
    if ZSTD_isError(code) != 0 { return nil }
    return DecompressedStep(consumed: source.pos, produced: target.pos, isAtEnd: code == 0)
  }
}
