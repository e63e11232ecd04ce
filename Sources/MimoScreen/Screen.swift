/// Something that shows cells and hears keys.
///
/// Laws: what was presented last stays visible until the next `present`; presenting an equal buffer
/// with an equal palette shows nothing new and costs next to nothing; no call waits for the user.
public protocol Screen: AnyObject {
  /// The size it has now. A buffer of another size is clipped, or leaves cells blank.
  var size: Size { get }

  /// Shows `buffer`, its styles looked up in `palette`.
  func present(_ buffer: CellBuffer, palette: Palette)

  /// The oldest event not yet taken, or `nil` if there is none right now.
  func nextEvent() -> ScreenEvent?
}

/// Something that happened to a screen.
public enum ScreenEvent: Hashable, Sendable {
  /// A key, or the mouse.
  case key(Key)
  /// The screen may have another size and has lost what it showed: present a whole frame.
  case resized(Size)
  /// The user asks to put the program to sleep (Ctrl-Z).
  case suspend
  /// The system asks the program to end with this signal number, after cleaning up.
  case terminate(signal: Int32)
  /// The terminal is gone. Nothing will be seen any more; end.
  case hangUp
}
