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
  func text(program: String) -> String {
    switch self {
    case .systemd:
      // A percent sign and a quote mean something there.
      let path = program.reduce(into: "") { path, character in
        switch character {
        case "%": path += "%%"
        case "\\", "\"": path += "\\\(character)"
        default: path.append(character)
        }
      }
      return """
        # ~/.config/systemd/user/mimo-top.service
        # systemctl --user daemon-reload && systemctl --user enable --now mimo-top
        [Unit]
        Description=Keeps the ledger of LLM usage

        [Service]
        ExecStart="\(path)" watch
        Restart=on-failure
        RestartSec=10
        Nice=10
        UMask=0077

        [Install]
        WantedBy=default.target

        """
    case .launchd:
      let path = program.reduce(into: "") { path, character in
        switch character {
        case "&": path += "&amp;"
        case "<": path += "&lt;"
        case ">": path += "&gt;"
        default: path.append(character)
        }
      }
      return """
        <?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
        <!-- ~/Library/LaunchAgents/mimo-top.watch.plist; launchctl load -w it -->
        <plist version="1.0">
        <dict>
          <key>Label</key><string>mimo-top.watch</string>
          <key>ProgramArguments</key>
          <array><string>\(path)</string><string>watch</string></array>
          <key>RunAtLoad</key><true/>
          <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
          <key>ProcessType</key><string>Background</string>
          <key>Umask</key><integer>63</integer>
        </dict>
        </plist>

        """
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
