import Foundation
import MimoEngine
import Testing

@testable import MimoIngest

/// All samples that are made of lines.
private let samples: [String] = {
  let root = formatSamples.path
  let names = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
  return names.filter { $0.hasSuffix(".jsonl") || $0.hasSuffix(".csv") }.sorted()
}()

@Suite struct LineReadingTests {
  private func decode(
    _ bytes: ArraySlice<UInt8>, _ reading: inout LineReading, _ output: inout DecodedLines
  ) {
    bytes.withUnsafeBytes { reading.decode($0, at: Int64(bytes.startIndex), into: &output) }
  }

  @Test func `samples are there`() { #expect(samples.count > 25) }

  @Test(arguments: samples)
  func `a reading that goes on gives what one from the start gives`(_ name: String) throws {
    let data = try Data(contentsOf: formatSamples.appendingPathComponent(name))
    let bytes = Array(data)
    let starts = [0] + bytes.indices.filter { bytes[$0] == 10 }.map { $0 + 1 }
    for cut in starts {
      var output = DecodedLines(readTime: Decoded.readTime)
      var whole = LineReading(Decoders.all)
      // In runs of one line, as a follower would deliver them.
      for (start, end) in zip(starts, starts.dropFirst()) where end <= cut {
        decode(bytes[start..<end], &whole, &output)
      }
      output.removeAll()
      var next = LineReading(
        Decoders.all, tally: whole.tally, anchor: whole.anchor, end: Int64(cut))
      #expect(whole.anchor.offset <= cut)
      decode(bytes[cut...], &whole, &output)
      let expected = output.records.map { Call($0, output.names) }

      var other = DecodedLines(readTime: Decoded.readTime)
      next.rebuild(into: &other) { range, deliver in
        #expect(range.upperBound == cut)
        bytes[Int(range.lowerBound)..<cut].withUnsafeBytes { deliver($0, range.lowerBound) }
      }
      decode(bytes[cut...], &next, &other)
      #expect(other.records.map { Call($0, other.names) } == expected, "\(name) at \(cut)")
      #expect(next.tally == whole.tally)
      #expect(next.anchor == whole.anchor)
    }
  }

  @Test func `only what is open is read again`() {
    var output = DecodedLines(readTime: Decoded.readTime)
    var reading = LineReading(Decoders.all)
    func read(_ line: String, at offset: Int64) -> Int64 {
      var text = line + "\n"
      text.withUTF8 { reading.decode(UnsafeRawBufferPointer($0), at: offset, into: &output) }
      return reading.anchor.offset
    }
    let answer = #"{"model":"m","usage":{"prompt_tokens":3,"completion_tokens":7}}"#
    let opening = #"{"type":"message_start","message":{"model":"m","usage":{"input_tokens":3}}}"#
    let end = Int64(answer.utf8.count + 1)
    #expect(read(answer, at: 0) == end)
    #expect(read(opening, at: 1000) == 1000)
    #expect(read(answer, at: 2000) == 1000)
    // Another stream takes its place.
    #expect(read(opening, at: 3000) == 3000)
    #expect(read(#"{"type":"message_stop"}"#, at: 4000) == 4024)
    // A format whose lines say too little alone needs all of them.
    let session =
      #"{"type":"session_meta","payload":{"id":"s"},"timestamp":"2026-11-20T10:00:00Z"}"#
    #expect(read(session, at: 5000) == 5000)
    #expect(read(answer, at: 6000) == 5000)
    reading.restart()
    #expect(reading.anchor == LineReading.Anchor())
    #expect(reading.tally.lines == 7)
  }
}
