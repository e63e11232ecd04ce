import ArgumentParser
import MimoIngest

/// What can be typed for every command that reads logs; nothing is checked yet.
struct CommonOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A log file, a folder of logs, or - for standard input. Without any: the logs of the known tools on this machine.",
      valueName: "log"))
  var logs: [String] = []

  @Option(
    help: ArgumentHelp(
      "Price under this plan: as-billed, xiaomi-payg, mimo-token-plan-pro, ...", valueName: "id"))
  var plan: String?

  @Option(
    help: ArgumentHelp("Which of a vendor's own price lists: USD or CNY.", valueName: "currency"))
  var currency: String?

  @Option(
    help: ArgumentHelp(
      "Convert prices listed in the other currency only, at this many yuan a dollar: CNY=7.10.",
      valueName: "rate"))
  var fx: String?

  @Option(
    help: ArgumentHelp(
      "Count usage from here on: a date, a time with offset, or a span back from now (7d).",
      valueName: "time"))
  var since: String?

  @Option(help: ArgumentHelp("Count usage up to here; a date includes its day.", valueName: "time"))
  var until: String?

  @Option(help: ArgumentHelp("Count the last span of time: 30m, 24h, 7d, 4w.", valueName: "span"))
  var last: String?

  @Option(
    name: .customLong("tz"),
    help: ArgumentHelp("Time zone of days, hours and months.", valueName: "name"))
  var timeZone: String?

  @Option(
    help: ArgumentHelp(
      "Take the logs as this format instead of recognising it: \(LogFormats.all.names.joined(separator: ", ")).",
      valueName: "name"))
  var format: String?

  @Option(
    help: ArgumentHelp(
      "Where lines of your own have what counts, as input=usage.in,output=usage.out,model=name; with cache_read=... say cached=inside or cached=beside the input.",
      valueName: "field=path,..."))
  var map: String?

  @Option(
    help: ArgumentHelp(
      "Only usage whose KEY (as in report --by) equals VALUE; may be repeated.",
      valueName: "key=value"))
  var filter: [String] = []

  @Option(
    help: ArgumentHelp(
      "Day of the month on which a subscription renews, 1 to 31.", valueName: "day"))
  var renewalDay: Int?

  @Option(
    help: ArgumentHelp(
      "Warn when the cache hit rate falls below this many percent.", valueName: "percent"))
  var warnBelow: Int?

  @Option(help: ArgumentHelp("The rolling window of the hit rate: 5m, 15m, 1h.", valueName: "span"))
  var window: String?

  @Flag(help: "Read the logs anew and keep nothing: the ledger is neither read nor written.")
  var noLedger = false

  @Flag(help: "Show the ledger's history together with the logs that are named. Nothing is stored.")
  var history = false

  @Option(
    help: ArgumentHelp("Read this configuration file instead of the usual one.", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("Colours of the dashboard.", valueName: "name"))
  var theme: String?

  @Option(
    help: ArgumentHelp(
      "Use colour: auto, always or never. NO_COLOR is honoured.", valueName: "when"))
  var color: String?

  @Flag(help: "Draw with ASCII characters only.")
  var noUnicode = false

  @Flag(help: "Leave the mouse to the terminal.")
  var noMouse = false
}
