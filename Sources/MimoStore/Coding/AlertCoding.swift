import MimoEngine

/// Alerts, and what was told of them, as notes: the key is the minute at which one was raised, in an order that
/// bytes have too; the value a byte for the form, what there is to say, and a checksum that says where it belongs.
enum AlertCoding {
  private static let form: UInt8 = 1

  static func key(_ minute: Minute) -> [UInt8] {
    let folded = UInt32(bitPattern: minute.number) ^ 0x8000_0000
    return withUnsafeBytes(of: folded.bigEndian) { Array($0) }
  }

  static func minute(_ key: [UInt8]) -> Minute? {
    guard key.count == 4 else { return nil }
    let folded = key.reduce(0) { $0 << 8 | UInt32($1) }
    return Minute(Int32(bitPattern: folded ^ 0x8000_0000))
  }

  // MARK: - Alerts

  static func note(_ entry: AlertLog.Entry) -> StoreNote {
    var note = StoreNote(kind: StoreNote.Kind.alert, key: key(entry.start), value: nil)
    let alert = entry.alert
    var writer = ByteWriter()
    writer.append(form)
    writer.append(alert.end) { $0.append(folded: Int64($1.number)) }
    for ratio in [alert.rateAtStart, alert.lowestRate, entry.limit] { writer.append(ratio) }
    for sum in [alert.window.requests, alert.window.prompt, alert.window.read] {
      writer.append(folded: sum)
    }
    writer.append(alert.goodRate) { $0.append($1) }
    writer.append(alert.driver) { writer, driver in
      writer.append(driver.model) { $0.append(text: $1) }
      writer.append(driver.project) { $0.append(text: $1) }
      writer.append(driver.share)
    }
    note.value = writer.sealed(for: note.place)
    return note
  }

  /// The alert; `nil` if the note is damaged or of another form.
  static func entry(_ note: StoreNote) -> AlertLog.Entry? {
    guard let start = minute(note.key) else { return nil }
    return note.read(form: form) { reader in
      let end = reader.optional { Minute(Int32(clamping: $0.folded())) }
      let (first, lowest, limit) = (reader.ratio(), reader.ratio(), reader.ratio())
      let window = HitRateMonitor.Sums(
        requests: reader.folded(), prompt: reader.folded(), read: reader.folded())
      let goodRate = reader.optional { $0.ratio() }
      let driver = reader.optional { reader in
        HitRateMonitor.Driver(
          model: reader.optional { $0.text() }, project: reader.optional { $0.text() },
          share: reader.ratio())
      }
      return AlertLog.Entry(
        HitRateMonitor.Alert(
          start: start, end: end, rateAtStart: first, lowestRate: lowest, window: window,
          driver: driver, goodRate: goodRate), limit: limit)
    }
  }

  // MARK: - What was told

  /// The key of the note that says since when somebody tells.
  static let sinceKey: [UInt8] = []

  static func note(toldSince since: Minute) -> StoreNote {
    told(sinceKey) { $0.append(folded: Int64(since.number)) }
  }

  static func note(_ start: Minute, _ state: ToldAlerts.State) -> StoreNote {
    told(key(start)) { writer in
      switch state {
      case .raised: writer.append(Minute?.none) { _, _ in }
      case .over(let end): writer.append(end) { $0.append(folded: Int64($1.number)) }
      }
    }
  }

  private static func told(_ key: [UInt8], _ write: (inout ByteWriter) -> Void) -> StoreNote {
    var note = StoreNote(kind: StoreNote.Kind.told, key: key, value: nil)
    var writer = ByteWriter()
    writer.append(form)
    write(&writer)
    note.value = writer.sealed(for: note.place)
    return note
  }

  /// Adds what a note tells, unless it is damaged or of another form.
  static func add(_ note: StoreNote, to told: inout ToldAlerts) {
    if note.key == sinceKey {
      told.since = note.read(form: form) { Minute(Int32(clamping: $0.folded())) }
    } else if let start = minute(note.key) {
      told.states[start] = note.read(form: form) { reader in
        reader.optional { Minute(Int32(clamping: $0.folded())) }.map { .over($0) } ?? .raised
      }
    }
  }
}

extension ByteWriter {
  mutating func append(_ ratio: Ratio) {
    append(folded: ratio.numerator)
    append(folded: ratio.denominator)
  }

  mutating func append<Value>(_ value: Value?, _ write: (inout ByteWriter, Value) -> Void) {
    append(UInt8(value == nil ? 0 : 1))
    if let value { write(&self, value) }
  }
}

extension ByteReader {
  mutating func ratio() -> Ratio {
    let (numerator, denominator) = (folded(), folded())
    if let ratio = Ratio(numerator, denominator) { return ratio }
    markDamaged()
    return Ratio(0, 1)!
  }

  mutating func optional<Value>(_ read: (inout ByteReader) -> Value) -> Value? {
    switch byte() {
    case 0: return nil
    case 1: return read(&self)
    default:
      markDamaged()
      return nil
    }
  }
}
