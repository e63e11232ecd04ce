import ArgumentParser
import MimoCatalog

/// The program: commands, and the messages of what goes wrong in them.
@main
struct MimoTop: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "mimo-top", abstract: "htop for LLM spend: watches usage logs live and prices them under any plan.",
    version: "mimo-top \(version), prices of \(Catalog.asOf)",
    subcommands: [ReportCommand.self])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let misuse as Misuse {
      StandardStreams.complain(misuse.description)
      exit(withError: ExitCode(64))
    } catch {
      exit(withError: error)
    }
  }
}
