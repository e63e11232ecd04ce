import CEmbedded

/// The themes inside the program. To add one, put it into `themes/` and name it in `CEmbedded.c`.
public enum Themes {
  /// The built-in theme files: name and content, the default first.
  public static let files: [(name: String, bytes: [UInt8])] = {
    var files: [(String, [UInt8])] = []
    while true {
      let file = CEmbeddedThemes(files.count)
      guard let name = file.name, let bytes = file.bytes else { return files }
      files.append(
        (String(cString: name), Array(UnsafeBufferPointer(start: bytes, count: file.length))))
    }
  }()

  /// All themes, the user's over ours, in the order in which a key steps through them.
  ///
  /// - Parameter problems: receives what was wrong with files; a broken one is left out.
  public static func load(
    user: [(name: String, bytes: [UInt8])] = [], problems: inout [Theme.Problem]
  ) -> [Theme] {
    // Ours are called as their files, and in order: tests see to that.
    var themes = files.map { file in
      Theme(name: String(file.name.dropLast(5)), file: file.name, bytes: file.bytes)
    }
    for file in user {
      do throws(Theme.Problem) {
        let theme = try Theme(file: file.name, bytes: file.bytes, problems: &problems)
        if let index = themes.firstIndex(where: { $0.name == theme.name }) {
          themes[index] = theme
        } else {
          themes.append(theme)
        }
      } catch {
        problems.append(error)
      }
    }
    return themes.isEmpty ? [.builtIn] : themes
  }
}
