import Foundation
import MimoCatalog
import MimoEngine

@testable import MimoIngest

extension FuzzTarget {
  /// Lines of a file read in ranges, and as it grows. The first byte chooses where it is cut.
  static let framing = FuzzTarget(name: "framing") { input in
    let path = ScratchFile.folder + "/lines.log"
    let bytes = input.dropFirst()
    ScratchFile.write(bytes, to: path)
    guard let log = try? OpenLog(path: path) else { return }
    let buffer = LineBuffer(windowBytes: 2 * Bookmark.tailLimit)
    func lines(_ ranges: [Range<Int64>]) -> [[UInt8]] {
      var lines: [[UInt8]] = []
      for range in ranges {
        _ = try? log.read(range: range, buffer: buffer, maximumLineBytes: 1 << 20) { run, place in
          law(run.elementsEqual(bytes.dropFirst(Int(place)).prefix(run.count)), "other bytes")
          var splitter = LineSplitter(run)
          while let line = splitter.next() { lines.append(Array(line)) }
        }
      }
      return lines
    }
    let end = Int64(bytes.count)
    let whole = lines([0..<end])
    let cut = end * Int64(input.first ?? 0) / 256
    law(lines([0..<cut, cut..<end]) == whole, "ranges that meet at \(cut) give other lines")
    // A follower sees the file grow.
    ScratchFile.write(bytes.prefix(Int(cut)), to: path)
    let descriptor = open(path, O_RDONLY)
    defer { close(descriptor) }
    var tail = LogTail(bookmark: Bookmark(identity: log.identity))
    var followed: [[UInt8]] = []
    func follow() {
      while true {
        let step = try? tail.advance(descriptor, buffer: buffer, maximumLineBytes: 1 << 20) {
          run, _ in
          var splitter = LineSplitter(run)
          while let line = splitter.next() { followed.append(Array(line)) }
        }
        guard step == .advanced else { return }
      }
    }
    follow()
    ScratchFile.write(bytes, to: path)
    follow()
    // A whole object at the end is delivered without its newline; what is added to its line comes apart.
    func text(_ lines: [[UInt8]]) -> [UInt8] { lines.joined().filter { $0 != 0 && $0 != 13 } }
    law(text(followed) == text(whole), "a file that grows gives other lines")
  }

  /// Every value of a JSON text, against Foundation.
  static let json = FuzzTarget(
    name: "json", takes: { path, _ in path.hasSuffix(".json") || path.hasSuffix(".jsonl") },
    prepare: { $0.flatMap { Array($0.split(separator: 10).prefix(2).map { Array($0) }) } },
    check: { input in
      let ours = JSONTree(input)
      let data = Data(input)
      let theirs = try? JSONSerialization.jsonObject(with: data, options: [.fragmentsAllowed])
      guard let ours else { return }
      guard let theirs else {
        law(!ours.isStrict, "Foundation does not accept what the cursor accepts")
        return
      }
      if ours.isStrict { law(ours.value.equals(theirs), "Foundation reads other values") }
    })

  /// A head and rows of a table.
  static let csv = FuzzTarget(name: "csv", takes: { path, _ in path.hasSuffix(".csv") }) { input in
    let lines = input.split(separator: 10, omittingEmptySubsequences: false).map {
      UnsafeRawBufferPointer(rebasing: $0)
    }
    guard let head = lines.first, let table = CSVTable(head: head, naming: []) else { return }
    for line in lines.dropFirst() {
      guard let row = table.row(line) else { continue }
      for column in row.columns.keys {
        _ = row[column]
        if let count = try? row.count(column) {
          law(0...TokenCounts.largestPlausibleCount ~= count, "a count of \(count)")
        }
      }
      // Written again with quotes everywhere it says the same. (By bytes: a quote may carry an accent.)
      let quote = UInt8(ascii: "\"")
      let again = row.fields.map { field in
        [quote] + field.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] } + [quote]
      }
      let text = Array(again.joined(separator: [UInt8(ascii: ",")]))
      text.withUnsafeBytes { law(table.row($0)?.fields == row.fields, "quoted it differs") }
    }
  }

  /// Numbers, times and names of places.
  static let numbers = FuzzTarget(name: "numbers", takes: { _, _ in false }) { input in
    if let number = ExactDecimal(bytes: input) {
      let text = Array(number.text.utf8)
      let again = text.withUnsafeBytes { ExactDecimal(bytes: $0) }
      law(again.map { $0.text == number.text } ?? true, "\(number) is written as another")
      for places in [0, 3, 15, 18] {
        if let exact = number.scaled(by: places) {
          law(number.scaledRounding(by: places) == exact, "\(number) times 10^\(places)")
        }
      }
    }
    if let count = try? JSONCursor.count(of: input) {
      law(0...TokenCounts.largestPlausibleCount ~= count, "a count of \(count)")
    }
    for time in [LogTime.parse(iso: input), LogTime.parse(number: input)].compactMap({ $0 }) {
      law(-86_400_000_000...100_000_000_000_000 ~= time.milliseconds, "\(time)")
    }
    var output = DecodedLines(readTime: Laws.readTime)
    let text = String(decoding: input, as: UTF8.self)
    _ = output.internSeller(text)
    _ = output.internKey(text)
    _ = try? FieldMap(text)
  }

  /// The user's price, plan and class files, and price books to import.
  static let catalog = FuzzTarget(
    name: "catalog",
    takes: { path, _ in
      path.hasPrefix("Sources/MimoCatalog/") || path.contains("MimoCatalogTests/Fixtures/imports/")
    },
    check: { input in
      let file = CatalogFile(name: "x", bytes: Array(input))
      let catalog = Catalog(userPrices: [file], userPlans: [file], userClasses: [file])
      law(!catalog.plans.isEmpty, "no plan is left")
      _ = try? PriceImport(file, date: CivilDate(dayNumber: 20_000))
    })
}
