import MimoEngine

/// A value in the ledger beside the counts, under a kind and a key: bookmarks of files, alerts, settings.
///
/// The store looks only into settings and alerts. Whoever writes another has to tell damaged and outdated values
/// from good ones.
public struct StoreNote: Hashable, Sendable {
  /// What it is; one word for each use.
  public var kind: String
  /// Which of its kind.
  public var key: [UInt8]
  /// The value; `nil` to delete it.
  public var value: [UInt8]?

  /// Creates a note.
  public init(kind: String, key: [UInt8], value: [UInt8]?) {
    self.kind = kind
    self.key = key
    self.value = value
  }

  /// Creates a note whose key is a text.
  public init(kind: String, key: String, value: [UInt8]?) {
    self.init(kind: kind, key: Array(key.utf8), value: value)
  }
}

extension StoreNote {
  /// The kinds that the store itself knows.
  enum Kind {
    static let anchor = "anchor"
    static let plan = "plan"
    static let alert = "alert"
    static let told = "told"
  }

  /// The kinds of what no log tells again: a ledger that begins anew takes it over from the one before.
  static let lastingKinds = [Kind.anchor, Kind.plan, Kind.alert, Kind.told]
}

/// A time in which one process kept the ledger.
public struct StoreSpan: Hashable, Sendable {
  /// When it began.
  public var began: Instant
  /// When it committed last.
  public var ended: Instant
}
