import ArgumentParser
import MimoCatalog
import MimoIngest

/// The program: commands, and the messages of what goes wrong in them.
@main
struct MimoTop: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "mimo-top",
    abstract: "htop for LLM spend: watches usage logs live and prices them under any plan.",
    version: "mimo-top \(version), prices of \(Catalog.asOf)",
    subcommands: [
      DashboardCommand.self, ReportCommand.self, CompareCommand.self, PlansCommand.self,
      PricesCommand.self,
    ],
    defaultSubcommand: DashboardCommand.self)

  /// What was typed; the short form of `--version`, which the parser does not know, in full.
  private static var arguments: [String] {
    let typed = CommandLine.arguments.dropFirst()
    return typed.first == "-v" ? ["--version"] + typed.dropFirst() : Array(typed)
  }

  static func main() {
    StandardStreams.prepare()
    do {
      var command = try parseAsRoot(arguments)
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
      exit(withError: error)
    }
  }
}
