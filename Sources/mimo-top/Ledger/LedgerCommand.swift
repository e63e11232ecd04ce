import ArgumentParser
import FoundationEssentials
import MimoDashboard
import MimoEngine
import MimoIngest
import MimoStore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// `mimo-top ledger`: what the history holds, and what can be done with it.
struct LedgerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger",
    abstract: "Show what the history holds; export, import, merge, verify, forget, rebuild it.",
    discussion: """
      The ledger keeps what the logs of the known tools said, also when they are gone. It lies in \
      $XDG_STATE_HOME/mimo-top/ledger.db (usually ~/.local/state) and holds counts, names and ids: no prompts, no keys.
      """,
    subcommands: [
      LedgerStatusCommand.self, LedgerExportCommand.self, LedgerImportCommand.self,
      LedgerMergeCommand.self, LedgerForgetCommand.self, LedgerVerifyCommand.self,
      LedgerRebuildCommand.self,
    ],
    defaultSubcommand: LedgerStatusCommand.self)

  /// Opens the ledger for a change that nobody else may make at the same time.
  static func openForWriting() throws(Failure) -> LedgerStore {
    do throws(StoreError) {
      return try LedgerStore.open(folder: UserFolders.state, access: .write, now: SystemClock.now)
    } catch .held(_, let holder) {
      throw Failure(
        description: "the ledger is kept by \(holder); end that first (nothing was changed)")
    } catch {
      throw Failure(description: error.description)
    }
  }

  /// Opens the ledger for reading; `nil` if there is none yet.
  static func openForReading() throws(Failure) -> LedgerStore? {
    do throws(StoreError) {
      return try LedgerStore.open(folder: UserFolders.state, access: .read, now: SystemClock.now)
    } catch .missing {
      return nil
    } catch {
      throw Failure(description: error.description)
    }
  }

  static func attempt<R>(_ body: () throws(StoreError) -> R) throws(Failure) -> R {
    do throws(StoreError) { return try body() } catch {
      throw Failure(description: error.description)
    }
  }

  /// Says that there is nothing, and ends with the code for that.
  static func sayNothingIsThere() -> ExitCode {
    StandardStreams.complain(
      "there is no ledger yet in \(UserFolders.state); mimo-top or mimo-top watch begins one")
    return ExitCode(3)
  }
}

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

  func run() throws {
    guard let store = try LedgerCommand.openForReading() else {
      throw LedgerCommand.sayNothingIsThere()
    }
    try LedgerCommand.attempt { () throws(StoreError) in try store.freeze() }
    var bytes: [UInt8] = []
    let export = try LedgerCommand.attempt { () throws(StoreError) in
      try LedgerExport(
        of: store, promptEdges: [], now: SystemClock.now, includesOld: all
      ) { text in
        if file == "-" { StandardStreams.print(text) } else { bytes += Array(text.utf8) }
      }
    }
    if file != "-" { try AtomicFile.write(bytes, to: file, mode: 0o600, replacing: true) }
    if export.leftOut > 0 {
      StandardStreams.complain(
        "\(NumberFormat.counted(export.leftOut, "call")) so old that their ids are not known any more were left out; --all writes them too"
      )
    }
  }
}

/// `mimo-top ledger import`.
struct LedgerImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract:
      "Add exports to the ledger. What is there already counts once, however often it is imported.")

  @Argument(help: ArgumentHelp("Files written by mimo-top ledger export.", valueName: "file"))
  var files: [String]

  func run() throws {
    let store = try LedgerCommand.openForWriting()
    defer { store.close() }
    try LedgerAddition.add(files, to: store)
  }
}

/// `mimo-top ledger merge`.
struct LedgerMergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Add the ledgers of other machines: their exports, or copies of their ledger.db.",
    discussion: """
      In any order, any number of times: a call with an id counts once, wherever it is told; sums of calls without \
      ids count once for each ledger they come from.
      """)

  @Argument(
    help: ArgumentHelp("Exports, or ledger.db files, or folders with one.", valueName: "file"))
  var files: [String]

  func run() throws {
    let store = try LedgerCommand.openForWriting()
    defer { store.close() }
    var exports: [String] = []
    let scratch = UserFolders.state + "/merge-\(getpid())"
    try AtomicFile.makeFolder(scratch, mode: 0o700)
    defer { Self.remove(scratch) }
    for (index, file) in files.enumerated() {
      guard let database = Self.database(file) else {
        exports.append(file)
        continue
      }
      // A copy, because reading a database may change what is beside it.
      let copy = "\(scratch)/\(index)"
      try AtomicFile.makeFolder(copy, mode: 0o700)
      for companion in ["-wal", ""] {
        guard let bytes = UserFolders.read(database + companion) else { continue }
        try AtomicFile.write(
          bytes, to: copy + "/ledger.db" + companion, mode: 0o600, replacing: true)
      }
      let export = "\(scratch)/\(index).jsonl"
      try Self.export(copy, to: export)
      exports.append(export)
    }
    try LedgerAddition.add(exports, to: store, names: files)
  }

  /// The database that is meant; `nil` if the file is none.
  private static func database(_ file: String) -> String? {
    let path = access(file + "/ledger.db", F_OK) == 0 ? file + "/ledger.db" : file
    let isDatabase =
      UserFolders.head(of: path, bytes: 15)?.elementsEqual("SQLite format 3".utf8) ?? false
    return isDatabase ? path : nil
  }

  private static func remove(_ folder: String) {
    try? FileManager.default.removeItem(atPath: folder)
  }

  private static func export(_ folder: String, to path: String) throws(Failure) {
    try LedgerCommand.attempt { () throws(StoreError) in
      let other = try LedgerStore.open(folder: folder, access: .read, now: SystemClock.now)
      defer { other.close() }
      try other.freeze()
      var bytes: [UInt8] = []
      _ = try LedgerExport(of: other, promptEdges: [], now: SystemClock.now) { text in
        bytes += Array(text.utf8)
      }
      return bytes
    }.write(to: path)
  }
}

extension [UInt8] {
  fileprivate func write(to path: String) throws(Failure) {
    try AtomicFile.write(self, to: path, mode: 0o600, replacing: true)
  }
}

/// Adds exports to a ledger.
enum LedgerAddition {
  /// Adds the files and prints what came of it.
  ///
  /// - Parameter names: what messages call the files.
  static func add(_ files: [String], to store: LedgerStore, names: [String]? = nil) throws {
    for (index, file) in try count(files, into: store).enumerated() {
      var text =
        "\(names?[index] ?? file.path): \(NumberFormat.full(Int64(file.records))) new, "
        + "\(NumberFormat.full(Int64(file.duplicates))) known already"
      if file.tooOld > 0 {
        text +=
          ", \(NumberFormat.full(Int64(file.tooOld))) left out, because the ledger does not go back so far"
      }
      StandardStreams.print(text + "\n")
    }
  }

  /// Reads the files and stores what they add, in one commit.
  static func count(_ files: [String], into store: LedgerStore) throws -> [FileReport] {
    let configuration = try Configuration(CommonOptions.parse([]))
    let base = try LedgerCommand.attempt { () throws(StoreError) in
      var base = try store.base(
        promptEdges: configuration.catalog.promptEdges, now: SystemClock.now)
      base.notBefore = [try store.callsPrunedBefore, try store.forgottenBefore]
        .compactMap { $0 }.max()
      return base
    }
    let formats = LogFormats(ledgerExportsInto: LedgerExport.origin(of: store))
    let sources = files.map { LogSource.file($0) }
    let collector = LogCollector(
      ledger: Ledger(restoring: base, archive: base.series.isEmpty ? nil : store),
      sources: sources, formats: formats, keySalt: store.keySalt, keepsCopies: true,
      clock: { SystemClock.now })
    do throws(LogError) { try LogFollower(sources: sources).scanOnce(collector) } catch {
      throw Failure(description: error.description)
    }
    let reports = collector.fileReports
    let problems =
      reports.compactMap { $0.error } + collector.sourceErrors.map(\.description)
      + reports.filter { $0.error == nil && $0.tally.foreign + $0.tally.malformed > 0 }.map {
        file in
        let count = NumberFormat.counted(
          Int64(file.tally.foreign + file.tally.malformed), "line")
        return "\(file.path): \(count) of another form; expected what mimo-top ledger export writes"
      }
      + reports.compactMap { file in
        file.unfinished.map { "\(file.path): the last line, at byte \($0.offset), is not finished" }
      }
    // All or nothing: half a file is nobody's wish.
    if let problem = problems.first { throw Failure(description: "\(problem) (nothing was added)") }
    try LedgerCommand.attempt { () throws(StoreError) in
      try store.commit(collector.ledger.changes(), now: SystemClock.now)
    }
    return reports
  }
}
