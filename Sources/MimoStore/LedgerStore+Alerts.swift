import MimoEngine
import MimoSQLite

// Alerts come from the one who keeps the counts, in the commit of the cells they follow from. What was told of them
// comes from whoever told it.
extension LedgerStore {
  /// The alerts that are kept; without those that are damaged, or of a form that this version does not know.
  public func alerts() throws(StoreError) -> AlertLog {
    try reading { (database) throws(SQLiteError) in try database.alerts() }
  }

  /// What a commit has to store so that one log becomes another.
  public static func notes(changing former: AlertLog, to log: AlertLog) -> [StoreNote] {
    let starts = Set(log.entries.map(\.start))
    let gone = former.entries.filter { !starts.contains($0.start) }.map { entry in
      StoreNote(kind: StoreNote.Kind.alert, key: AlertCoding.key(entry.start), value: nil)
    }
    let known = Dictionary(uniqueKeysWithValues: former.entries.map { ($0.start, $0) })
    return gone + log.entries.filter { $0 != known[$0.start] }.map { AlertCoding.note($0) }
  }

  /// What was told of alerts, whichever process did so; nothing if there is no ledger.
  ///
  /// - Throws: `StoreError` if there may be something that cannot be read.
  public static func toldAlerts(folder: String, now: Instant) throws(StoreError) -> ToldAlerts {
    try reading(folder: folder, now: now, or: ToldAlerts()) { (database) throws(SQLiteError) in
      try database.toldAlerts()
    }
  }

  /// Changes what was told of alerts: like `change(settingsIn:)`, beside whoever keeps the counts.
  ///
  /// Of two processes that would tell the same news, the first one gets them.
  public static func change<R>(
    toldAlertsIn folder: String, patience: Int32, now: Instant, _ change: (inout ToldAlerts) -> R
  ) throws(StoreError) -> R {
    try changing(folder: folder, patience: patience, now: now) { (database) throws(SQLiteError) in
      let former = try database.toldAlerts()
      var told = former
      let result = change(&told)
      if let since = told.since, since != former.since {
        try database.set(AlertCoding.note(toldSince: since))
      }
      for (start, state) in told.states where state != former.states[start] {
        try database.set(AlertCoding.note(start, state))
      }
      return result
    }
  }
}

extension LedgerDatabase {
  func alerts() throws(SQLiteError) -> AlertLog {
    AlertLog(try notes(kind: StoreNote.Kind.alert).compactMap { AlertCoding.entry($0) })
  }

  fileprivate func toldAlerts() throws(SQLiteError) -> ToldAlerts {
    var told = ToldAlerts()
    for note in try notes(kind: StoreNote.Kind.told) { AlertCoding.add(note, to: &told) }
    return told
  }

  /// Deletes alerts that were over before a minute, and what was told of them.
  func forgetAlerts(before minute: Minute) throws(SQLiteError) {
    for entry in try alerts().entries where entry.alert.end.map({ $0 <= minute }) ?? false {
      try set(StoreNote(kind: StoreNote.Kind.alert, key: AlertCoding.key(entry.start), value: nil))
    }
    for (start, state) in try toldAlerts().states {
      guard case .over(let end) = state, end <= minute else { continue }
      try set(StoreNote(kind: StoreNote.Kind.told, key: AlertCoding.key(start), value: nil))
    }
  }

  /// Takes names out of alerts that nothing else has any more.
  func forgetDrivers(except known: Set<String>) throws(SQLiteError) {
    for var entry in try alerts().entries {
      guard var driver = entry.alert.driver else { continue }
      driver.model = driver.model.flatMap { known.contains($0) ? $0 : nil }
      driver.project = driver.project.flatMap { known.contains($0) ? $0 : nil }
      if driver == entry.alert.driver { continue }
      entry.alert.driver = driver
      try set(AlertCoding.note(entry))
    }
  }
}
