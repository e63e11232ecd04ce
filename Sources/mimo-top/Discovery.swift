import MimoIngest

/// Where the known tools keep their logs on this machine.
enum Discovery {
  /// The places to follow when the user names no log. Those that do not exist yet are waited for.
  static func sources() -> [LogSource] { claudeFolders.map { .folder($0, suffixes: [".jsonl"]) } }

  /// Claude Code: `$CLAUDE_CONFIG_DIR` (a list with commas), else both of its usual homes.
  private static var claudeFolders: [String] {
    if let list = UserFolders.variable("CLAUDE_CONFIG_DIR") {
      return list.split(separator: ",").map { folder in
        let path = expandingHome(String(folder.drop { $0 == " " }))
        return path.hasSuffix("/projects") ? path : path + "/projects"
      }
    }
    let config = UserFolders.variable("XDG_CONFIG_HOME") ?? UserFolders.home + "/.config"
    return [UserFolders.home + "/.claude/projects", config + "/claude/projects"]
  }

  private static func expandingHome(_ path: String) -> String {
    path.hasPrefix("~/") ? UserFolders.home + path.dropFirst() : path
  }
}
