import Testing

/// A test that fails prints what was on screen.
extension TerminalEmulator: CustomTestStringConvertible {
  /// The rows, as seen.
  public var testDescription: String { "screen:\n\(text)\n" }
}
