import MimoEngine

/// Settings as the values of notes: a byte for the form, what is told, and a checksum that says where it belongs.
enum SettingsCoding {
  private static let form: UInt8 = 1

  static func encode(_ anchor: PlanAnchor, for note: StoreNote) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(form)
    writer.append(folded: anchor.at.milliseconds)
    writer.append(folded: anchor.used.atto)
    return writer.sealed(for: note.place)
  }

  /// The reading; `nil` if it is damaged or of another form.
  static func anchor(_ note: StoreNote) -> PlanAnchor? {
    note.read(form: form) { reader in
      let at = Instant(milliseconds: reader.folded())
      let used = Amount(atto: reader.foldedWide())
      return used >= .zero ? PlanAnchor(at: at, used: used) : nil
    }
  }

  static func encode(_ plan: StoreSettings.ActivePlan, for note: StoreNote) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(form)
    writer.append(text: plan.id)
    writer.append(text: plan.currency.rawValue)
    return writer.sealed(for: note.place)
  }

  /// The choice; `nil` if it is damaged or of another form.
  static func plan(_ note: StoreNote) -> StoreSettings.ActivePlan? {
    note.read(form: form) { reader in
      let id = reader.text()
      return Currency(rawValue: reader.text()).map {
        StoreSettings.ActivePlan(id: id, currency: $0)
      }
    }
  }
}

extension StoreNote {
  /// Says in a checksum where a value belongs.
  var place: UInt64 {
    (Array(kind.utf8) + [0] + key).withUnsafeBytes { Fingerprint(of: $0).value }
  }

  /// Reads a value of this form; `nil` if it is damaged or of another.
  func read<Value>(form: UInt8, _ body: (inout ByteReader) -> Value?) -> Value? {
    (value ?? []).withUnsafeBytes { bytes in
      var reader = ByteReader(sealed: bytes, for: place)
      guard reader.byte() == form else { return nil }
      let value = body(&reader)
      return reader.isAtEnd && !reader.isDamaged ? value : nil
    }
  }
}

extension ByteWriter {
  mutating func append(text: String) {
    append(UInt64(text.utf8.count))
    Array(text.utf8).withUnsafeBytes { append($0) }
  }
}

extension ByteReader {
  mutating func text() -> String {
    String(decoding: text(number(as: Int.self)), as: UTF8.self)
  }
}
