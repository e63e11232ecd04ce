import MimoEngine
import MimoScreen

/// All that can happen to the dashboard.
public enum Message: Sendable {
  /// A key was pressed.
  case key(Key)
  /// The feed has new counts.
  case usage(UsageSnapshot, IngestSummary)
  /// Time has passed.
  case tick(Instant)
  /// The screen has another size.
  case resized(Size)
  /// Something the user should know.
  case notice(String)
}

/// What the dashboard asks the program to do. Cases, not closures, so that tests compare them.
public enum Effect: Hashable, Sendable {
  /// Leave.
  case quit
  /// Sleep until the shell wakes the program.
  case suspend
  /// Draw everything anew, even what has not changed.
  case repaint
  /// Begin with this plan next time.
  case saveChoice(plan: String, currency: Currency)
}

/// What a key means.
public enum Action: Hashable, Sendable {
  case quit, suspend, repaint
  case showHelp, showPlans, showAlerts, showFiles, showWhatIf, showChange, showHours
  case nextPlan, previousPlan, asBilled, pinReference, toggleCurrency, toggleMapping
  case less, more
  case nextWindow, previousWindow
  case earlier(TimeStep), later(TimeStep), backToNow
  case nextGrouping, previousGrouping
  case nextSorting, reverseSorting
  case nextTheme
  case focusNext, focusPrevious
  case moveUp, moveDown, pageUp, pageDown, moveToStart, moveToEnd
  case choose, back
}
