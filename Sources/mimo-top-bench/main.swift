import MimoEngine
import MimoIngest

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

let usage = """
  usage: mimo-top-bench generate openai|claude|slim MEGABYTES FILE    write a log
         mimo-top-bench generate FORM MEGABYTES FOLDER FILES         write so many logs of them all
         mimo-top-bench decode FILE                                   decode and count it on one thread
         mimo-top-bench plans CELLS                                   price that many cells under each plan
         mimo-top-bench store CELLS FOLDER                            keep that many cells of a year in a new folder
         mimo-top-bench start STATE                                   from the start to numbers of the ledger in STATE/mimo-top
         mimo-top-bench latency [APPENDS [LOG...]]                    from an appended line to the screen
         mimo-top-bench idle [FILES [SECONDS]]                        cost of following files that rest
         mimo-top-bench follow [LINES [SECONDS [LOG...]]]             cost of so many new lines a second

  The last four run the mimo-top beside this program on a terminal; LOG is read by it, too.

  """

func fail(_ text: String) -> Never {
  text.withCString { _ = write(2, $0, strlen($0)) }
  exit(64)
}

let arguments = CommandLine.arguments

/// A positive number among the arguments, if there are so many.
func number(_ index: Int) -> Int? {
  guard arguments.count > index else { return nil }
  guard let value = Int(arguments[index]), value > 0 else { fail(usage) }
  return value
}

switch arguments.dropFirst().first {
case "generate" where arguments.count == 5 || arguments.count == 6:
  guard let form = LogGenerator.Form(rawValue: arguments[2]), let megabytes = Int(arguments[3])
  else {
    fail(usage)
  }
  var generator = LogGenerator()
  let files = number(5)
  for index in 0..<(files ?? 1) {
    let path = files == nil ? arguments[4] : "\(arguments[4])/\(index).jsonl"
    if !generator.write(form, bytes: megabytes * 1_000_000 / (files ?? 1), to: path) {
      fail("mimo-top-bench: \(path): cannot be written\n")
    }
  }
case "decode" where arguments.count == 3:
  let descriptor = open(arguments[2], O_RDONLY)
  if descriptor < 0 { fail("mimo-top-bench: \(arguments[2]): cannot be read\n") }
  let capacity = 1 << 20
  let buffer = UnsafeMutableRawPointer.allocate(byteCount: capacity * 4, alignment: 16)
  var held = 0
  var decoder = FileDecoder()
  var output = DecodedLines(readTime: Instant(seconds: 0))
  var ledger = Ledger(promptEdges: [
    32_000, 100_000, 128_000, 199_999, 200_000, 256_000, 272_000, 512_000,
  ])
  var translation = NameTranslation()
  while true {
    let count = read(descriptor, buffer + held, capacity)
    if count <= 0 { break }
    held += count
    var end = held
    while end > 0, buffer.load(fromByteOffset: end - 1, as: UInt8.self) != 10 { end -= 1 }
    decoder.decode(UnsafeRawBufferPointer(start: buffer, count: end), at: 0, into: &output)
    translation.record(&output, into: &ledger)
    memmove(buffer, buffer + end, held - end)
    held -= end
  }
  print(decoder.tally.lines, decoder.tally.usageLines, decoder.tally.malformed, ledger.knownCalls)
  print(ledger.snapshot().cube.chunks.count, ledger.snapshot().cube.series.count)
case "plans" where arguments.count == 3:
  guard let cells = Int(arguments[2]), 1...50_000_000 ~= cells else { fail(usage) }
  PlanBenchmark.run(cells: cells)
case "store" where arguments.count == 4:
  guard let cells = Int(arguments[2]), 1000...50_000_000 ~= cells else { fail(usage) }
  StoreBenchmark.run(cells: cells, folder: arguments[3])
case "start" where arguments.count == 3:
  LiveBenchmark.start(state: arguments[2], runs: 25)
case "latency":
  LiveBenchmark.latency(appends: number(2) ?? 1000, besides: Array(arguments.dropFirst(3)))
case "idle" where arguments.count <= 4:
  LiveBenchmark.idle(files: number(2) ?? 200, seconds: number(3) ?? 60)
case "follow":
  LiveBenchmark.follow(
    linesPerSecond: number(2) ?? 10_000, seconds: number(3) ?? 20,
    besides: Array(arguments.dropFirst(4)))
default: fail(usage)
}
