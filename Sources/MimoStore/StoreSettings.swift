import MimoEngine
import MimoSQLite

/// What the user told that no log tells: readings of vendors' consoles, and the plan that was active last.
///
/// Kept in the ledger, and yet changed by any process, whoever keeps the counts: see `LedgerStore.change`.
public struct StoreSettings: Hashable, Sendable {
  /// A plan in one currency.
  public struct ActivePlan: Hashable, Sendable {
    /// The plan's id.
    public var id: String
    /// The currency of its prices or its fee.
    public var currency: Currency

    /// Creates a choice.
    public init(id: String, currency: Currency) {
      self.id = id
      self.currency = currency
    }
  }

  /// The readings, by plan id.
  public var anchors: [String: PlanAnchor] = [:]
  /// The plan that was active last; `nil` if none was chosen.
  public var plan: ActivePlan?
  /// Plans whose reading is damaged, or of a form that this version does not know; in order. Such a reading stays
  /// until there is a new one.
  public internal(set) var unreadable: [String] = []

  /// Nothing.
  public init() {}
}

extension LedgerStore {
  /// The settings in the ledger of a folder; none if there is no ledger. Nothing is made, and no ledger is brought to
  /// the present form.
  ///
  /// - Parameter now: when this is.
  /// - Throws: `StoreError` if there may be some that cannot be read.
  public static func settings(folder: String, now: Instant) throws(StoreError) -> StoreSettings {
    try reading(folder: folder, now: now, or: StoreSettings()) { (database) throws(SQLiteError) in
      try database.settings()
    }
  }

  /// Changes the settings in the ledger of a folder, wholly or not at all; a ledger is made if there is none.
  ///
  /// Two processes may do so, and while a third one keeps the counts. That only one keeps these is because it counts on
  /// from what it remembers; a setting depends on nothing but what the user said last, is read inside the transaction
  /// that changes it, and stands in rows that no commit of counts touches. SQLite's own lock is enough for that.
  ///
  /// - Parameters:
  ///   - patience: how many milliseconds to wait while others write.
  ///   - now: when this is.
  ///   - change: may be called only once; what it leaves as it was is not written.
  /// - Throws: `StoreError`; nothing was changed then. After `busy` the same may be tried again.
  public static func change<R>(
    settingsIn folder: String, patience: Int32, now: Instant,
    _ change: (inout StoreSettings) -> R
  ) throws(StoreError) -> R {
    try changing(folder: folder, patience: patience, now: now) { (database) throws(SQLiteError) in
      let former = try database.settings()
      var settings = former
      let result = change(&settings)
      try database.set(settings, after: former)
      return result
    }
  }

  /// Reads beside a writer, whatever the form of the ledger.
  static func reading<R: Sendable>(
    folder: String, now: Instant, or nothing: R,
    _ body: @Sendable (LedgerDatabase) throws(SQLiteError) -> R
  ) throws(StoreError) -> R {
    var opening = StoreOpening(folder: StoreFolder(path: folder), access: .read, now: now)
    do throws(StoreError) {
      return try LedgerStore(opening).reading(body)
    } catch .missing {
      return nothing
    } catch .homeless {
      return nothing
    }
  }

  /// Changes what no commit of counts touches, in one transaction.
  static func changing<R>(
    folder: String, patience: Int32, now: Instant,
    _ body: (LedgerDatabase) throws(SQLiteError) -> R
  ) throws(StoreError) -> R {
    var opening = StoreOpening(folder: StoreFolder(path: folder), access: .write, now: now)
    opening.patience = patience
    return try opening.change(body)
  }
}

extension LedgerDatabase {
  /// The only key of the note that tells the plan.
  private static let active = "active"

  func settings() throws(SQLiteError) -> StoreSettings {
    var settings = StoreSettings()
    for note in try notes(kind: StoreNote.Kind.anchor) {
      let id = String(decoding: note.key, as: UTF8.self)
      settings.anchors[id] = SettingsCoding.anchor(note)
      if settings.anchors[id] == nil { settings.unreadable.append(id) }
    }
    settings.plan = try notes(kind: StoreNote.Kind.plan)
      .first { $0.key.elementsEqual(Self.active.utf8) }.flatMap(SettingsCoding.plan)
    return settings
  }

  fileprivate func set(
    _ settings: StoreSettings, after former: StoreSettings
  ) throws(SQLiteError) {
    for id in Set(settings.anchors.keys).union(former.anchors.keys).sorted()
    where settings.anchors[id] != former.anchors[id] {
      var note = StoreNote(kind: StoreNote.Kind.anchor, key: id, value: nil)
      note.value = settings.anchors[id].map { SettingsCoding.encode($0, for: note) }
      try set(note)
    }
    if settings.plan != former.plan {
      var note = StoreNote(kind: StoreNote.Kind.plan, key: Self.active, value: nil)
      note.value = settings.plan.map { SettingsCoding.encode($0, for: note) }
      try set(note)
    }
  }
}
