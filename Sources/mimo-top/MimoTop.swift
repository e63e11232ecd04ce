import ArgumentParser
import MimoCatalog
import MimoIngest
import MimoThreads

/// The program: commands, and the messages of what goes wrong in them.
@main
struct MimoTop: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "mimo-top",
    abstract: "htop for LLM spend: watches usage logs live and prices them under any plan.",
    usage: """
      mimo-top [<options>] [<log> ...]
      mimo-top <command> [<options>] [<log> ...]
      """,
    discussion: """
      Without a command it shows the dashboard; without a log, the logs of the known tools found on this \
      machine. Options of the dashboard: mimo-top dashboard --help. Try: mimo-top --demo
      """,
    version: "mimo-top \(version), prices of \(Catalog.asOf)",
    subcommands: [
      DashboardCommand.self, ReportCommand.self, CompareCommand.self, PlansCommand.self,
      PricesCommand.self, WatchCommand.self, LedgerCommand.self, DoctorCommand.self,
    ],
    defaultSubcommand: DashboardCommand.self)

  static func main() {
    StandardStreams.prepare()
    // Nearly every command needs the price lists: they are read beside the parser's work.
    _ = WorkerThread.start { Catalog.prepare() }
    // The parser offers a long name only.
    let typed = CommandLine.arguments.dropFirst().map { $0 == "-v" ? "--version" : $0 }
    LedgerAhead.begin(expecting: typed)
    ReportAhead.begin(expecting: typed)
    do {
      var command = try parseAsRoot(typed)
      try command.run()
    } catch let misuse as Misuse {
      StandardStreams.complain(misuse.description)
      exit(withError: ExitCode(64))
    } catch let failure as Failure {
      StandardStreams.complain(failure.description)
      exit(withError: ExitCode(1))
    } catch let error as LogError {
      StandardStreams.complain(error.description)
      exit(withError: ExitCode(1))
    } catch {
      if exitCode(for: error) == .validationFailure {
        StandardStreams.complain("\(message(for: error)) (mimo-top --help lists what there is)")
        exit(withError: ExitCode.validationFailure)
      }
      exit(withError: error)
    }
  }
}
