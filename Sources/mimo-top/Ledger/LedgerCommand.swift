import ArgumentParser
import MimoDashboard
import MimoEngine
import MimoStore

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

/// What can be typed for every command about the ledger.
struct LedgerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Read this configuration file instead of the usual one.", valueName: "file"))
  var config: String?

  /// The settings.
  func configuration(timeZone: String? = nil) throws -> Configuration {
    var options = try CommonOptions.parse([])
    options.config = config
    options.timeZone = timeZone
    return try Configuration(options)
  }
}
