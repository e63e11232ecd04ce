import MimoEngine

@testable import MimoIngest

extension FuzzTarget {
  /// One line format alone.
  static func lines(_ format: any RecordDecoder) -> FuzzTarget {
    FuzzTarget(
      name: "lines-\(type(of: format).name)",
      takes: { _, bytes in LineReading([format], [bytes]).tally.usageLines > 0 },
      check: { checkLines([format], $0) })
  }

  /// All line formats, as they are offered lines of unknown files.
  static func lines(_ formats: [any RecordDecoder]) -> FuzzTarget {
    FuzzTarget(
      name: "lines", takes: { path, _ in !path.hasSuffix(".sql") },
      check: { checkLines(formats, $0) })
  }

  /// Plain lines where the first line is the user's map.
  static let mappedLines = FuzzTarget(
    name: "lines-mapped",
    takes: { path, _ in path.hasSuffix("plain.jsonl") },
    prepare: { fixtures in
      let maps = [
        "input=prompt_tokens,output=completion_tokens,model=model",
        "input=in.t,cache_read=in.c,cached=beside,output=out,cost=c,id=i,time=t,status=s",
      ]
      return fixtures.flatMap { fixture in maps.map { Array($0.utf8) + [10] + fixture } }
    },
    check: { input in
      let parts = input.split(separator: 10, maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let map = try? FieldMap(String(decoding: parts[0], as: UTF8.self))
      else { return }
      checkLines([PlainDecoder(map)], UnsafeRawBufferPointer(rebasing: parts[1]))
    })

  private static func checkLines(_ formats: [any RecordDecoder], _ input: UnsafeRawBufferPointer) {
    let whole = LineReading(formats, [input])
    Laws.check(whole.output)
    Laws.check(whole.tally)
    Laws.checkCountingOnce(whole.output)
    law(
      whole.tally.lines == input.split(separator: 10, omittingEmptySubsequences: false).count
        - (input.isEmpty || input.last == 10 ? 1 : 0), "lines in \(whole.tally)")

    // What lines before it looked like says nothing of a line.
    let plain = LineReading(
      formats.map { $0 is AnswerDecoder ? AnswerDecoder.withoutShapes : $0 }, [input])
    law(plain.output.records == whole.output.records, "shapes change the records")
    law(plain.tally == whole.tally, "shapes change the tally")

    // The input itself chooses where it is cut.
    let ends = input.indices.filter { input[$0] == 10 }
    guard let first = input.first, !ends.isEmpty else { return }
    let cut = ends[Int(first) % ends.count] + 1
    let head = UnsafeRawBufferPointer(rebasing: input[..<cut])
    let tail = UnsafeRawBufferPointer(rebasing: input[cut...])
    let pieces = LineReading(formats, [head, tail])
    law(pieces.output.records == whole.output.records, "a cut at \(cut) changes the records")
    law(pieces.tally == whole.tally, "a cut at \(cut) changes the tally")

    // As two threads read it.
    if formats.contains(where: { type(of: $0).readsInOrder }) { return }
    let before = LineReading(formats, [head])
    var after = LineReading(formats, [tail], from: cut)
    after.decoder.resume(
      from: before.decoder, names: before.output.names, into: &after.output)
    law(
      Laws.sums([before.output, after.output]) == Laws.sums([whole.output]),
      "ranges that meet at \(cut) change the sums")
  }
}

/// Lines as `FileDecoder` reads them, in pieces.
private struct LineReading {
  var decoder: FileDecoder
  var output = DecodedLines(readTime: Laws.readTime)
  var tally: LineTally { decoder.tally }

  init(_ formats: [any RecordDecoder], _ pieces: [UnsafeRawBufferPointer], from start: Int = 0) {
    decoder = FileDecoder(formats)
    var offset = Int64(start)
    for piece in pieces {
      decoder.decode(piece, at: offset, into: &output)
      offset += Int64(piece.count)
    }
  }

  init(_ formats: [any RecordDecoder], _ pieces: [[UInt8]]) {
    decoder = FileDecoder(formats)
    for piece in pieces { piece.withUnsafeBytes { decoder.decode($0, at: 0, into: &output) } }
  }
}
