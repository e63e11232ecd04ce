import MimoIngest
import Synchronization

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Where the known tools keep their logs on this machine.
enum Discovery {
  /// One place a tool may have logs in.
  struct Place {
    /// Whose logs; `nil` if the user named the place.
    var tool: String?
    /// What to follow there.
    var source: LogSource

    /// Whether there is anything.
    var isThere: Bool {
      if case .stream = source { return true }
      return access(source.description, F_OK) == 0
    }
  }

  /// The places to look at when the user names no log. Those that do not exist yet are waited for.
  ///
  /// Source: format notes of the project; the tools' documentation of their environment variables.
  static func places(in home: UserHome = .current) -> [Place] {
    tools.flatMap { tool in
      tool.folders(home).map { folder in
        Place(tool: tool.name, source: .folder(folder, suffixes: tool.files))
      }
        + tool.databases(home).map { Place(tool: tool.name, source: .file($0)) }
    }
  }

  /// The names of the variables that say where logs lie, sorted.
  static var variables: [String] {
    let asked = Mutex<Set<String>>([])
    let home = UserHome(
      folder: "/",
      variables: { name in
        asked.withLock { _ = $0.insert(name) }
        return nil
      }, isMac: false)
    _ = places(in: home)
    return asked.withLock { $0.sorted() }
  }

  /// A tool, the folders it keeps logs below, and the names of these logs.
  private struct Tool: Sendable {
    var name: String
    var files: [String]
    var folders: @Sendable (UserHome) -> [String]
    /// Single files that a variable names.
    var databases: @Sendable (UserHome) -> [String] = { _ in [] }
  }

  private static let tools: [Tool] = [
    Tool(name: "Claude Code", files: [".jsonl"]) { home in
      let named = home.list("CLAUDE_CONFIG_DIR")
      let folders = named.isEmpty ? [home.path(".claude"), home.configuration + "/claude"] : named
      return folders.map { $0.hasSuffix("/projects") ? $0 : $0 + "/projects" }
        + home.applications.map { $0 + "/Claude/local-agent-mode-sessions" }
    },
    Tool(
      name: "MiMo Code", files: ["mimocode*.db"],
      folders: { home in
        if home["MIMOCODE_DB"] != nil { return [] }
        return [home["MIMOCODE_HOME"].map { $0 + "/data" } ?? home.data + "/mimocode"]
      }, databases: { home in home["MIMOCODE_DB"].map { [$0] } ?? [] }),
    Tool(name: "OpenCode", files: ["opencode*.db", "storage/message/*/*.json"]) { home in
      [home["OPENCODE_DATA_DIR"] ?? home.data + "/opencode"]
    },
    Tool(name: "Kilo CLI", files: ["kilo*.db", "storage/message/*/*.json"]) { home in
      [home.data + "/kilo"]
    },
    Tool(name: "OpenClaw", files: transcripts) { home in
      let named = home["OPENCLAW_STATE_DIR"].map { [$0] }
      let usual = [".openclaw", ".clawdbot", ".moltbot", ".moldbot"].map(home.path)
      return (named ?? usual).map { $0 + "/agents" }
    },
    Tool(name: "pi", files: transcripts) { home in
      [(home["PI_CODING_AGENT_DIR"] ?? home.path(".pi/agent")) + "/sessions"]
    },
    Tool(name: "Codex", files: [".jsonl", ".jsonl.zst"]) { home in
      let folder = home["CODEX_HOME"] ?? home.path(".codex")
      return [folder + "/sessions", folder + "/archived_sessions"]
    },
    Tool(name: "Cline", files: ["tasks/*/ui_messages.json", "sessions/*/*.messages.json"]) { home in
      [(home["CLINE_DIR"] ?? home.path(".cline")) + "/data"]
        + home.editorStorage("saoudrizwan.claude-dev")
    },
    Tool(name: "Roo Code", files: ["tasks/*/ui_messages.json"]) { home in
      home.editorStorage("rooveterinaryinc.roo-cline")
    },
    Tool(name: "Kilo Code", files: ["tasks/*/ui_messages.json"]) { home in
      home.editorStorage("kilocode.kilo-code")
    },
    Tool(name: "Hermes", files: ["state.db", "profiles/*/state.db"]) { home in
      let named = home["HERMES_HOME"]
      return ([named] + [home.path(".hermes")]).compactMap { $0 }
    },
    Tool(name: "Gemini CLI", files: ["*/chats/**/*.json", "*/chats/**/*.jsonl"]) { home in
      [(home["GEMINI_CLI_HOME"] ?? home.folder) + "/.gemini/tmp"]
    },
    Tool(name: "Qwen Code", files: ["*/chats/**/*.jsonl"]) { home in [home.path(".qwen/projects")]
    },
    Tool(name: "Kimi", files: ["**/wire.jsonl"]) { home in
      [
        (home["KIMI_SHARE_DIR"] ?? home.path(".kimi")) + "/sessions",
        (home["KIMI_CODE_HOME"] ?? home.path(".kimi-code")) + "/sessions",
      ]
    },
  ]

  /// Transcripts of OpenClaw stay under other names when a session is deleted or begun anew.
  private static let transcripts = [".jsonl", "**/*.jsonl.deleted.*", "**/*.jsonl.reset.*"]
}

/// The user's folders and variables, as far as tools keep logs by them.
struct UserHome: Sendable {
  /// The home folder.
  var folder: String
  /// The environment.
  var variables: @Sendable (String) -> String?
  /// Whether programs keep their data as on macOS.
  var isMac: Bool

  /// Those of the user who runs the program.
  static var current: UserHome {
    #if os(macOS)
      let isMac = true
    #else
      let isMac = false
    #endif
    return UserHome(
      folder: UserFolders.home, variables: { UserFolders.variable($0) }, isMac: isMac)
  }

  /// The folder that a variable names, if it is set.
  subscript(_ variable: String) -> String? { variables(variable).map(expanded) }

  /// The folders that a variable names, separated by commas.
  func list(_ variable: String) -> [String] {
    (variables(variable) ?? "").split(separator: ",").map { name in
      expanded(String(name.drop { $0 == " " }))
    }
  }

  /// Something in the home folder.
  func path(_ name: String) -> String { folder + "/" + name }

  /// `$XDG_CONFIG_HOME`.
  var configuration: String { self["XDG_CONFIG_HOME"] ?? path(".config") }
  /// `$XDG_DATA_HOME`.
  var data: String { self["XDG_DATA_HOME"] ?? path(".local/share") }
  /// Where desktop programs keep their data.
  var applications: [String] { [isMac ? path("Library/Application Support") : configuration] }

  /// The folders that editors keep for an extension: those of Visual Studio Code and its descendants,
  /// and of their servers on machines that are edited from elsewhere.
  func editorStorage(_ extensionID: String) -> [String] {
    let editors = [
      "Code", "Code - Insiders", "Code - OSS", "VSCodium", "Cursor", "Windsurf", "Trae", "Kiro",
      "Antigravity", "Positron",
    ]
    let servers = [
      ".vscode-server", ".vscode-server-insiders", ".vscodium-server", ".cursor-server",
      ".windsurf-server",
    ]
    let homes =
      applications.flatMap { folder in editors.map { folder + "/" + $0 } }
      + servers.map { path($0) + "/data" } + [data + "/code-server"]
    return homes.map { $0 + "/User/globalStorage/" + extensionID }
  }

  private func expanded(_ path: String) -> String {
    path == "~" || path.hasPrefix("~/") ? folder + path.dropFirst() : path
  }
}
