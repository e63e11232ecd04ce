import ArgumentParser
import MimoCatalog
import MimoDashboard
import MimoEngine
import MimoScreen

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// `mimo-top prices import FILE`: somebody else's price book as price files of the user's own.
struct PricesImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Take prices from another price book; never touches the network.",
    discussion: """
      FILE is LiteLLM's model_prices_and_context_window.json, a models.dev api.json or a genai-prices data file; \
      which of them, is seen from its content. Each provider becomes a file PROVIDER-import.json that you may \
      change. Models that our own list has are left to it, because it knows since when each price holds; \
      --override takes their prices from today on and keeps ours for the time before.
      """)

  @Argument(help: ArgumentHelp("The price book, or - for standard input.", valueName: "file"))
  var file: String

  @Option(
    help: ArgumentHelp(
      "Write here instead of the configuration's folder prices: a folder, or for a single provider a .json file.",
      valueName: "path"))
  var out: String?

  @Option(help: ArgumentHelp("Take only this provider; may be repeated.", valueName: "id"))
  var provider: [String] = []

  @Flag(help: "Take models that our own list has too.")
  var override = false

  @Flag(help: "Replace files that are there already.")
  var force = false

  @Flag(help: "List everything that was left out, not only the first of each kind.")
  var verbose = false

  func run() throws {
    let now = SystemClock.now
    let clock = SystemClock.localClock(named: nil) ?? .utc
    let today = CivilDate(dayNumber: clock.day(of: now.minute))
    guard let bytes = UserFolders.read(file == "-" ? "/dev/stdin" : file) else {
      throw Failure(description: "\(file): \(String(cString: strerror(errno)))")
    }
    let book: PriceImport
    do throws(PriceImportError) {
      book = try PriceImport(
        CatalogFile(name: file == "-" ? "standard input" : file, bytes: bytes), date: today,
        only: Set(provider.map { $0.lowercased() }), overriding: override)
    } catch { throw Failure(description: error.description) }
    for id in provider where !book.providers.contains(id.lowercased()) {
      let near = Nearest.to(id, among: book.providers).joined(separator: ", ")
      throw Misuse(description: "--provider '\(id)': not in \(file); did you mean \(near)?")
    }

    let written = try write(book.lists)
    StandardStreams.print(
      ImportText(book: book, name: file, date: today, verbose: verbose).text(written))
    let failures = written.filter { $0.problem != nil }
    for failure in failures { StandardStreams.complain(failure.problem!) }
    if book.lists.isEmpty, book.kept.isEmpty {
      throw Failure(description: "\(file) has no price that could be taken")
    }
    if !failures.isEmpty { throw ExitCode(1) }
  }

  /// A list with where it went, or why it did not.
  struct Written {
    var list: PriceImport.List
    var path: String
    var problem: String?
  }

  private func write(_ lists: [PriceImport.List]) throws -> [Written] {
    guard !lists.isEmpty else { return [] }
    let folder = out ?? UserFolders.configuration + "/prices"
    let isFile = folder.hasSuffix(".json") && !AtomicFile.isFolder(folder)
    if isFile, lists.count > 1 {
      throw Misuse(
        description:
          "--out '\(folder)': one file for \(lists.count) providers; name a folder, or choose one with --provider"
      )
    }
    if !isFile { try AtomicFile.makeFolder(folder, mode: 0o755) }
    return lists.map { list in
      let path = isFile ? folder : folder + "/" + list.file.name
      do throws(Failure) {
        try AtomicFile.write(list.file.bytes, to: path, mode: 0o644, replacing: force)
        return Written(list: list, path: path)
      } catch {
        let isTaken = !force && access(path, F_OK) == 0
        return Written(
          list: list, path: path,
          problem: isTaken ? "\(path) is there already; --force replaces it" : error.description)
      }
    }
  }
}

/// What an import says about itself.
private struct ImportText {
  let book: PriceImport
  let name: String
  let date: CivilDate
  let verbose: Bool

  private var limit: Int { verbose ? .max : 5 }

  func text(_ written: [PricesImportCommand.Written]) -> String {
    let taken = written.filter { $0.problem == nil }
    let models = Int64(taken.map(\.list.models).reduce(0, +))
    var text = "\(name) is a price book of \(book.format.rawValue)\n"
    text +=
      "took \(counted(models, "model")) of \(counted(taken.count, "provider")), checked \(date.text)\n"
    if !taken.isEmpty {
      let rows = taken.map { [$0.list.provider, String($0.list.models), $0.path] }
      text += "\n" + TextTable.text([["provider", "models", "file"]] + rows, leading: [0, 2])
    }
    return text + kept + ambiguous + omissions
  }

  private var kept: String {
    guard !book.kept.isEmpty else { return "" }
    let differing = book.kept.filter(\.differs)
    var text =
      "\nleft to our own list, which knows dates: \(counted(book.kept.count, "model")); --override takes theirs from today on\n"
    if !differing.isEmpty {
      text +=
        "  \(counted(differing.count, "model")) with another price there, input / output in USD:\n"
    }
    for entry in differing.prefix(limit) {
      text +=
        "    \(shown(entry.model)) of \(entry.provider): \(entry.theirs), ours \(entry.ours ?? "none now")\n"
    }
    return text + more(differing.count)
  }

  private var ambiguous: String {
    guard !book.ambiguousNames.isEmpty else { return "" }
    return
      "\nsold by several at different prices, so used only where a log names the seller: \(counted(book.ambiguousNames.count, "name"))\n"
      + listed(book.ambiguousNames)
  }

  private var omissions: String {
    guard !book.omissions.isEmpty else { return "" }
    var text = "\nwhat could not be expressed\n"
    for isWhole in [true, false] {
      let omissions = book.omissions.filter { $0.isWholeModel == isWhole }
      let byReason = Dictionary(grouping: omissions, by: \.reason).sorted {
        (-$0.value.count, $0.key) < (-$1.value.count, $1.key)
      }
      for (reason, entries) in byReason {
        text +=
          "  \(shown(reason)): \(counted(entries.count, "model")) \(isWhole ? "left out" : "taken without it")\n"
        text += listed(entries.map { ($0.provider.isEmpty ? "" : $0.provider + ": ") + $0.model })
      }
    }
    return text
  }

  private func listed(_ names: [String]) -> String {
    names.prefix(limit).map { "    \(shown($0))\n" }.joined() + more(names.count)
  }

  private func more(_ count: Int) -> String {
    count > limit ? "    … \(count - limit) more (--verbose)\n" : ""
  }

  private func counted(_ count: some BinaryInteger, _ noun: String) -> String {
    NumberFormat.counted(Int64(count), noun)
  }

  private func shown(_ text: String) -> String { TextWidth.sanitized(text) }
}
