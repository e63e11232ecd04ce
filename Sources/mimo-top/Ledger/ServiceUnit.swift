import ArgumentParser

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// How the system is told to run `mimo-top watch` for a user.
enum ServiceUnit: String, CaseIterable, ExpressibleByArgument {
  case systemd, launchd

  /// The unit, for a program at this path.
  ///
  /// - Parameter environment: variables that say where logs, settings and the ledger lie: a service does not know those of
  ///   a shell.
  func text(program: String, environment: [(name: String, value: String)]) -> String {
    // No unit can hold a line break.
    let environment = environment.filter { !$0.value.contains { $0.isNewline } }
    switch self {
    case .systemd:
      let variables = environment.map { "Environment=\"\($0.name)=\(Self.systemd($0.value))\"\n" }
      return """
        # ~/.config/systemd/user/mimo-top.service
        # systemctl --user daemon-reload && systemctl --user enable --now mimo-top
        [Unit]
        Description=Keeps the ledger of LLM usage

        [Service]
        ExecStart="\(Self.systemd(program))" watch
        \(variables.joined())Restart=on-failure
        RestartSec=10
        Nice=10
        UMask=0077

        [Install]
        WantedBy=default.target

        """
    case .launchd:
      let variables = environment.map {
        "<key>\($0.name)</key><string>\(Self.xml($0.value))</string>"
      }
      return """
        <?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
        <!-- ~/Library/LaunchAgents/mimo-top.watch.plist; launchctl load -w it -->
        <plist version="1.0">
        <dict>
          <key>Label</key><string>mimo-top.watch</string>
          <key>ProgramArguments</key>
          <array><string>\(Self.xml(program))</string><string>watch</string></array>
          <key>EnvironmentVariables</key><dict>\(variables.joined())</dict>
          <key>RunAtLoad</key><true/>
          <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
          <key>ProcessType</key><string>Background</string>
          <key>Umask</key><integer>63</integer>
        </dict>
        </plist>

        """
    }
  }

  /// A percent sign and a quote mean something in a unit.
  private static func systemd(_ text: String) -> String {
    text.reduce(into: "") { text, character in
      switch character {
      case "%": text += "%%"
      case "\\", "\"": text += "\\\(character)"
      default: text.append(character)
      }
    }
  }

  private static func xml(_ text: String) -> String {
    text.reduce(into: "") { text, character in
      switch character {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      default: text.append(character)
      }
    }
  }

  /// The variables that are set and that a service has to know.
  static var environment: [(name: String, value: String)] {
    (["XDG_STATE_HOME", "TZ"] + Discovery.variables).compactMap { name in
      UserFolders.variable(name).map { (name: name, value: $0) }
    }
  }

  /// Where this program lies.
  static var program: String {
    #if canImport(Darwin)
      var buffer = [CChar](repeating: 0, count: 4096)
      var size = UInt32(buffer.count)
      if _NSGetExecutablePath(&buffer, &size) == 0 { return Self.text(buffer) }
    #else
      var buffer = [CChar](repeating: 0, count: 4096)
      if readlink("/proc/self/exe", &buffer, buffer.count - 1) > 0 { return Self.text(buffer) }
    #endif
    return CommandLine.arguments.first ?? "mimo-top"
  }

  private static func text(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
