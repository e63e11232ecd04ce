import ArgumentParser
import MimoDashboard
import MimoStore

/// `mimo-top ledger export`.
struct LedgerExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write the ledger as JSON Lines (schema mimo-top.ledger/1).",
    discussion: """
      A line for each call with an id, and one for each sum of calls without. Every mimo-top reads the file like a \
      log: `mimo-top report FILE` shows it, `mimo-top ledger import FILE` adds it to another ledger.
      """)

  @Argument(help: ArgumentHelp("Where to write; - is standard output.", valueName: "file"))
  var file = "-"

  @Flag(
    help:
      "Write also the sums of calls so old that their ids are not known any more. What is merged from two such exports may count twice."
  )
  var all = false

  @OptionGroup var options: LedgerOptions

  func run() throws {
    _ = try options.configuration()
    guard let store = try LedgerCommand.openForReading() else {
      throw LedgerCommand.sayNothingIsThere()
    }
    try LedgerCommand.attempt { () throws(StoreError) in try store.freeze() }
    let selection = LedgerExport.Selection(includesOld: all)
    let leftOut: Int64
    if file == "-" {
      leftOut = try LedgerExport(of: store, now: SystemClock.now, selection) {
        StandardStreams.print($0)
      }.leftOut
    } else {
      leftOut = try LedgerExport.write(store, to: file, selection).leftOut
    }
    if leftOut > 0 {
      StandardStreams.complain(
        "\(NumberFormat.counted(leftOut, "call")) so old that their ids are not known any more were left out; --all writes them too"
      )
    }
  }
}

extension LedgerExport {
  /// Writes a ledger to a file, which is there as a whole or not at all.
  static func write(
    _ store: LedgerStore, to path: String, _ selection: Selection = Selection()
  ) throws(Failure) -> LedgerExport {
    var bytes: [UInt8] = []
    let export = try LedgerExport(of: store, now: SystemClock.now, selection) { bytes += $0.utf8 }
    try AtomicFile.write(bytes, to: path, mode: 0o600, replacing: true)
    return export
  }
}
