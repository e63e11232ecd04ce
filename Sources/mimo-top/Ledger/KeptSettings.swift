import MimoEngine
import MimoScreen
import MimoStore

/// The readings of consoles and the plan that was active last, as the ledger keeps them for all commands.
enum KeptSettings {
  /// What is kept. What cannot be read is a notice and counts as not there; nothing is made or changed.
  static func load(_ notices: inout [String]) -> StoreSettings {
    var settings = StoreSettings()
    do throws(StoreError) {
      settings = try LedgerStore.settings(folder: UserFolders.state, now: SystemClock.now)
    } catch {
      notices.append("\(error.description) (no console reading is used)")
    }
    for id in settings.unreadable {
      notices.append(
        "the console reading of \(TextWidth.sanitized(id)) cannot be read and is not used; note it again with mimo-top plans anchor"
      )
    }
    let former = FormerSettings()
    notices += former.problems.map { "\($0) (no console reading is used)" }
    former.add(to: &settings)
    return settings
  }

  /// Changes what is kept, whichever process keeps the ledger.
  ///
  /// - Parameters:
  ///   - patience: how many milliseconds to wait while others write.
  ///   - notices: gets what became of files of earlier versions that cannot be read.
  /// - Throws: `StoreError`; nothing was changed then.
  static func change(
    patience: Int32, _ notices: inout [String], _ change: (inout StoreSettings) -> Void
  ) throws(StoreError) {
    let former = FormerSettings()
    try LedgerStore.change(
      settingsIn: UserFolders.state, patience: patience, now: SystemClock.now
    ) { settings in
      former.add(to: &settings)
      change(&settings)
    }
    notices += former.retire()
  }

  /// Takes over what an earlier version kept in files, if there are any. What fails is tried again next time.
  static func takeOverFiles() {
    guard FormerSettings.areThere else { return }
    var notices: [String] = []
    try? change(patience: 1000, &notices) { _ in }
  }
}
