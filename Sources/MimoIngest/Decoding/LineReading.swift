/// Lines of one file, read in this process and perhaps in others before.
///
/// A decoder may remember something of the lines before. That is not stored; instead the place is kept from which
/// on lines have to be read again for another decoder to remember the same: nearly always the very end.
struct LineReading: Sendable {
  /// A place in a file from which on a new decoder comes to the same as the one that read all lines.
  struct Anchor: Hashable, Sendable {
    var offset: Int64 = 0
    /// The name of the format to which the line there is offered first.
    var format = ""
  }

  /// See above.
  private(set) var anchor: Anchor
  /// The lines that have to be read again before the next; `nil` if there are none.
  private(set) var missing: Range<Int64>?
  /// What the lines turned out to be, over all readings.
  var tally: LineTally {
    var tally = earlier
    tally += decoder.tally
    return tally
  }
  /// The formats recognised since the reading began or went on.
  var formats: [String] { decoder.formats }

  private let known: [any RecordDecoder]
  private var decoder: FileDecoder
  private var memories: [FileDecoder.Memory] = []
  private var earlier: LineTally

  /// A reading from a file's first byte on.
  init(_ formats: [any RecordDecoder]) {
    known = formats
    decoder = FileDecoder(formats)
    earlier = LineTally()
    anchor = Anchor()
  }

  /// A reading that goes on where another process stopped.
  ///
  /// - Parameter end: how far it came.
  init(_ formats: [any RecordDecoder], tally: LineTally, anchor: Anchor, end: Int64) {
    known = formats
    decoder = FileDecoder(formats, at: anchor.format)
    earlier = tally
    self.anchor = anchor
    missing = anchor.offset < end ? anchor.offset..<end : nil
  }

  /// Begins anew with other content; what was counted stays.
  mutating func restart() { self = LineReading(known, tally: tally, anchor: Anchor(), end: 0) }

  /// Has the lines up to `offset`, which somebody else counted, read before the next.
  mutating func goOn(at offset: Int64) {
    self = LineReading(known, tally: tally, anchor: Anchor(), end: offset)
  }

  /// Decodes a run of whole lines.
  mutating func decode(
    _ run: UnsafeRawBufferPointer, at offset: Int64, into output: inout DecodedLines
  ) {
    let format = decoder.format
    decoder.decode(run, at: offset, into: &output)
    let present = decoder.memories
    if present.isEmpty {
      anchor = Anchor(offset: offset + Int64(run.count), format: decoder.format)
    } else if !memories.contains(where: present.contains) {
      anchor = Anchor(offset: offset, format: format)
    }
    memories = present
  }

  /// Reads the missing lines again.
  ///
  /// - Parameter output: without records; learns the names.
  /// - Parameter read: delivers the lines of a range.
  mutating func rebuild(
    into output: inout DecodedLines,
    _ read: (Range<Int64>, (UnsafeRawBufferPointer, Int64) -> Void) -> Void
  ) {
    guard let range = missing else { return }
    missing = nil
    read(range) { run, offset in
      decoder.decode(run, at: offset, into: &output)
      output.removeAll()
    }
    memories = decoder.memories
    decoder.forgetCounts()
  }
}
