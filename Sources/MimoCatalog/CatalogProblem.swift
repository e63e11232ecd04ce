/// A mistake in a price or plan file, and what became of it.
public struct CatalogProblem: Hashable, Sendable, CustomStringConvertible {
  /// What was done about it.
  public enum Outcome: String, Hashable, Sendable {
    /// The entry is not used; the rest of the file is.
    case skipped = "skipped"
    /// The entry is used all the same.
    case kept = "kept"
    /// Nothing of the file is used.
    case fileSkipped = "file skipped"
  }

  /// The name of the file.
  public var file: String
  /// The line in it, counted from 1; 0 if it is not about a line.
  public var line: Int
  /// What the file describes there, such as `model "mimo-v2-pro", price 2`; may be empty.
  public var entry: String
  /// The field, or `nil` if it is not about one.
  public var field: String?
  /// What should have been there.
  public var expected: String
  /// What was done about it.
  public var outcome: Outcome

  /// One lower-case sentence: file, line, entry, field, what was expected, what was done.
  public var description: String {
    var text = line > 0 ? "\(file):\(line): " : "\(file): "
    if !entry.isEmpty { text += entry + ": " }
    if let field { text += "\"\(field)\": " }
    return text + "expected \(expected) (\(outcome.rawValue))"
  }
}

/// Why one entry cannot be used. Becomes a `CatalogProblem` where the entry is skipped.
struct Rejection: Error {
  var line: Int
  var field: String?
  var expected: String
}
