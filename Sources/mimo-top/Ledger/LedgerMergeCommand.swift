import ArgumentParser
import MimoDashboard
import MimoStore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// `mimo-top ledger import`.
struct LedgerImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract:
      "Add exports to the ledger. What is there already counts once, however often it is imported.")

  @Argument(help: ArgumentHelp("Files written by mimo-top ledger export.", valueName: "file"))
  var files: [String]

  @OptionGroup var options: LedgerOptions

  func run() throws {
    let configuration = try options.configuration()
    let store = try LedgerCommand.openForWriting()
    defer { store.close() }
    for file in files where try LedgerMergeCommand.database(file, besides: store) != nil {
      throw Failure(
        description: "\(file): is a database; mimo-top ledger merge adds it (nothing was added)")
    }
    try LedgerAddition.add(files, to: store, configuration)
  }
}

/// `mimo-top ledger merge`.
struct LedgerMergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Add the ledgers of other machines: their exports, or their ledger.db.",
    discussion: """
      In any order, any number of times: a call with an id counts once, wherever it is told; sums of calls without \
      ids count once for each ledger they come from.
      """)

  @Argument(
    help: ArgumentHelp("Exports, or ledger.db files, or folders with one.", valueName: "file"))
  var files: [String]

  @OptionGroup var options: LedgerOptions

  func run() throws {
    let configuration = try options.configuration()
    let store = try LedgerCommand.openForWriting()
    defer { store.close() }
    let databases = try files.map { try Self.database($0, besides: store) }
    LedgerScratch.removeLeftovers(of: UserFolders.state)
    let scratch = try LedgerScratch.make("merge", in: UserFolders.state)
    defer { LedgerScratch.remove(scratch) }
    var all: [Addition] = []
    for (index, file) in files.enumerated() {
      guard let database = databases[index] else {
        all.append(Addition(name: file, export: file))
        continue
      }
      all.append(try Self.export(database, "\(scratch)/\(index).jsonl", to: store, name: file))
    }
    for isOwn in [false, true] {
      let some = all.filter { $0.isOwn == isOwn }
      if some.isEmpty { continue }
      try LedgerAddition.add(
        some.map(\.export), to: store, configuration, names: some.map(\.name), takesOwn: isOwn)
    }
  }

  /// A file to be added.
  private struct Addition {
    var name: String
    var export: String
    /// Whether it is what this ledger lacks of a former state of its own.
    var isOwn = false
  }

  /// The database that is meant; `nil` if the file is none.
  ///
  /// - Throws: `Failure` if it is that of the ledger itself. It is not even opened: the system drops a process's locks
  ///   on a file when any descriptor of it is closed.
  static func database(_ file: String, besides store: LedgerStore) throws(Failure) -> String? {
    let path = access(file + "/ledger.db", F_OK) == 0 ? file + "/ledger.db" : file
    if store.isStored(in: path) {
      throw Failure(description: "\(file): is this ledger itself (nothing was added)")
    }
    var about = stat()
    // The bytes of a pipe can only be read once.
    guard stat(path, &about) == 0, about.st_mode & S_IFMT == S_IFREG,
      UserFolders.head(of: path, bytes: 15)?.elementsEqual("SQLite format 3".utf8) == true
    else { return nil }
    return path
  }

  /// Exports a ledger as it is at this moment, beside whoever writes it.
  private static func export(
    _ database: String, _ path: String, to store: LedgerStore, name: String
  ) throws(Failure) -> Addition {
    let other: LedgerStore
    do throws(StoreError) {
      other = try LedgerStore.open(another: database, now: SystemClock.now)
      try other.freeze()
    } catch .damaged {
      throw Failure(
        description: "\(database): is no ledger, or a damaged one (nothing was added)")
    } catch {
      throw Failure(description: "\(error.description) (nothing was added)")
    }
    defer { other.close() }
    // One that was set aside is this ledger as it was.
    let isOwn = other.origin == store.origin
    let selection = try isOwn ? LedgerTakeover.returning(other, to: store) : .init()
    let leftOut = try LedgerExport.write(other, to: path, selection).leftOut
    if leftOut > 0 {
      StandardStreams.complain(
        "\(name): \(NumberFormat.counted(leftOut, "call")) so old that their ids are not known any more were left out; what `ledger export --all` writes there has them"
      )
    }
    return Addition(name: name, export: path, isOwn: isOwn)
  }
}
