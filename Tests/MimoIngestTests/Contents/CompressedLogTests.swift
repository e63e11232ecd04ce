import CZlib
import CZstd
import Foundation
import MimoEngine
import Testing

@testable import MimoIngest

/// One gzip member.
func gzipMember(_ content: [UInt8]) -> [UInt8] {
  var state = z_stream()
  #expect(
    deflateInit2_(
      &state, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size)) == Z_OK)
  defer { deflateEnd(&state) }
  var output = [UInt8](repeating: 0, count: Int(deflateBound(&state, UInt(content.count))) + 64)
  var input = content
  let count = input.withUnsafeMutableBufferPointer { input in
    output.withUnsafeMutableBufferPointer { output in
      state.next_in = input.baseAddress
      state.avail_in = UInt32(input.count)
      state.next_out = output.baseAddress
      state.avail_out = UInt32(output.count)
      #expect(deflate(&state, Z_FINISH) == Z_STREAM_END)
      return Int(state.total_out)
    }
  }
  return Array(output[..<count])
}

/// One Zstandard frame.
func zstdFrame(_ content: [UInt8]) -> [UInt8] {
  var output = [UInt8](repeating: 0, count: ZSTD_compressBound(content.count))
  let count = ZSTD_compress(&output, output.count, content, content.count, 3)
  return Array(output[..<count])
}

extension Compression {
  fileprivate func compress(_ content: [UInt8]) -> [UInt8] {
    switch self {
    case .gzip: gzipMember(content)
    case .zstd: zstdFrame(content)
    }
  }
}

private func line(_ prompt: Int, id: String? = nil) -> String {
  let id = id.map { #""id":"\#($0)","# } ?? ""
  return
    #"{\#(id)"model":"mimo-v2.6-pro","ts":1795000060,"usage":{"prompt_tokens":\#(prompt),"completion_tokens":7}}"#
    + "\n"
}

@Suite struct CompressedLogTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  @discardableResult
  private func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try scratch.write(name, bytes: Data(bytes))
  }

  private func lines(_ path: String, from offset: Int64 = 0) throws -> (
    text: String, result: CompressedLog.Result
  ) {
    let compression = try #require(Compression(magic: Data(contentsOf: URL(fileURLWithPath: path))))
    var text = ""
    var position: Int64 = 0
    let log = CompressedLog(path: path, compression: compression)
    let result = try log.read(from: offset) { run, place in
      #expect(place >= position)
      position = place + Int64(run.count)
      text += String(decoding: run, as: UTF8.self)
    }
    return (text, result)
  }

  @Test(arguments: [Compression.gzip, .zstd])
  func `members and frames are read one after the other`(compression: Compression) throws {
    let parts = ["first\nsec", "ond\n", "", "third\n{\"a\":1}"].map { Array($0.utf8) }
    let path = try write("a", parts.flatMap(compression.compress))
    let read = try lines(path)
    #expect(read.text == "first\nsecond\nthird\n{\"a\":1}")
    #expect(read.result.error == nil)
    #expect(read.result.offset == 26)
    #expect(try lines(path, from: 6).text == "second\nthird\n{\"a\":1}")
    #expect(try lines(path, from: 8).text == "second\nthird\n{\"a\":1}")
    #expect(try lines(path, from: 26).text == "")
    #expect(try lines(path, from: .max).text == "")
  }

  @Test(arguments: [Compression.gzip, .zstd])
  func `any content comes out as it went in`(compression: Compression) throws {
    var dice = Dice(seed: 9)
    var content: [UInt8] = []
    for _ in 0..<4000 {
      let length = Int.random(in: 0...2000, using: &dice)
      content += (0..<length).map { _ in UInt8.random(in: 32...126, using: &dice) } + [10]
    }
    let path = try write("a", compression.compress(content))
    let read = try lines(path)
    #expect(Array(read.text.utf8) == content)
    #expect(read.result.offset == Int64(content.count))
    for _ in 0..<5 {
      let offset = Int.random(in: 0..<content.count, using: &dice)
      let start = content[..<offset].lastIndex(of: 10).map { $0 + 1 } ?? 0
      #expect(try Array(lines(path, from: Int64(offset)).text.utf8) == Array(content[start...]))
    }
  }

  @Test(arguments: [Compression.gzip, .zstd])
  func `a cut or damaged end is told, and what is before it counts`(
    compression: Compression
  ) throws {
    var dice = Dice(seed: 3)
    let content = (0..<20_000).map { _ in line(Int.random(in: 1...9999, using: &dice)) }.joined()
    let whole = compression.compress(Array(content.utf8))
    let cut = try lines(write("cut", Array(whole.dropLast(whole.count / 3))))
    #expect(cut.text.count > content.count / 3)
    #expect(content.hasPrefix(cut.text))
    #expect(cut.result.error?.description.hasSuffix("what is before the end was read") == true)
    var bytes = whole
    for index in bytes.count / 2..<bytes.count / 2 + 200 { bytes[index] = 0xFF }
    let damaged = try lines(write("damaged", bytes))
    #expect(damaged.result.error != nil)
    let padded = try lines(write("padded", whole + [0, 0, 0, 0]))
    #expect(padded.text == content)
    let collector = try collect(.file(scratch.path("cut")))
    #expect(collector.fileReports.first?.error?.contains("ends early") == true)
    #expect(sums(collector.ledger.snapshot()).requests > 100)
  }

  @Test func `a long line is passed over in bounded memory`() throws {
    let content = "a\n" + String(repeating: "x", count: 3 << 20) + "\nb\n"
    let path = try write("a", gzipMember(Array(content.utf8)))
    var text = ""
    let result = try CompressedLog(path: path, compression: .gzip).read(
      from: 0, maximumLineBytes: 2 << 20
    ) { run, _ in text += String(decoding: run, as: UTF8.self) }
    #expect(text == "a\nb\n")
    #expect(result.error?.description.contains("was passed over") == true)
  }

  @Test func `rotated logs of a folder count, compressed or not`() throws {
    try write("app.log", Array(line(1).utf8))
    try write("app.log.1", Array((line(2) + line(3)).utf8))
    try write("app.log.2.gz", gzipMember(Array((line(4) + line(5)).utf8)))
    try write("app.log.3.zst", zstdFrame(Array(line(6).utf8)))
    for threads in 1...2 {
      let totals = scanned(scratch.source, threads: threads)
      #expect(totals.requests == 6)
      #expect(totals.tokens.input == 21)
    }
  }

  @Test func `a compressed copy of a log without ids counts once`() throws {
    let content = (1...40).map { line($0) }.joined()
    try write("app.log.1", Array(content.utf8))
    try write("app.log.1.gz", gzipMember(Array(content.utf8)))
    // A copy made earlier, and one made later, than what is kept.
    try write("early.zst", zstdFrame(Array((1...20).map { line($0) }.joined().utf8)))
    try write("late.gz", gzipMember(Array((content + line(1000)).utf8)))
    let sum = (1...40).reduce(0, +) + 1000
    for threads in [1, 2] {
      #expect(scanned(scratch.source, threads: threads).tokens.input == Int64(sum))
    }
    #expect(sums(try collect(scratch.source).ledger.snapshot()).tokens.input == Int64(sum))
    #expect(try Watch(scratch.source).tokens.input == Int64(sum))
  }

  @Test func `a log that is rotated and compressed while it is followed counts once`() throws {
    let path = try write("app.log", Array((1...30).map { line($0) }.joined().utf8))
    let watch = try Watch(scratch.source)
    #expect(watch.sums.requests == 30)
    #expect(rename(path, scratch.path("app.log.1")) == 0)
    try write("app.log", Array(line(100).utf8))
    watch.wait("the new log is read") { $0.requests == 31 }
    let old = try Data(contentsOf: URL(fileURLWithPath: scratch.path("app.log.1")))
    try write("app.log.1.gz.tmp", gzipMember(Array(old)))
    #expect(rename(scratch.path("app.log.1.gz.tmp"), scratch.path("app.log.1.gz")) == 0)
    #expect(unlink(scratch.path("app.log.1")) == 0)
    watch.settle()
    watch.settle()
    #expect(watch.sums.requests == 31)
    // The next rotation shifts the names.
    #expect(rename(scratch.path("app.log.1.gz"), scratch.path("app.log.2.gz")) == 0)
    try write("app.log.1.gz", gzipMember(Array((line(200) + line(201)).utf8)))
    watch.wait("the other archive is read") { $0.requests == 33 }
    watch.settle()
    #expect(watch.sums.requests == 33)
  }
}
