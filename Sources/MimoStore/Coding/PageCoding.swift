import MimoEngine

/// Names and addresses as pages of bytes: a page has a fixed number of places, so that a new name changes one page.
enum PageCoding {
  /// Places of a page. A commit with a new name rewrites a page, a start reads them all.
  static let places = 128

  static func encode(names: [[UInt8]], page: Int64) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(UInt64(names.count))
    for name in names {
      writer.append(UInt64(name.count))
      name.withUnsafeBytes { writer.append($0) }
    }
    return writer.sealed(for: UInt64(page))
  }

  /// Calls `body` with each name; `false` if the bytes are damaged.
  static func decode(
    names bytes: UnsafeRawBufferPointer, page: Int64, _ body: (UnsafeRawBufferPointer) -> Void
  ) -> Bool {
    var reader = ByteReader(sealed: bytes, for: UInt64(bitPattern: page))
    let count = reader.number()
    guard count <= places else { return false }
    for _ in 0..<count { body(reader.text(reader.number(as: Int.self))) }
    return reader.isAtEnd && !reader.isDamaged
  }

  static func encode(series: some Collection<Series>, page: Int64) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(UInt64(series.count))
    for one in series {
      let labels = one.labels
      for name in [
        labels.model, labels.provider, labels.source, labels.project, labels.session, labels.key,
        one.conversation,
      ] { writer.append(name.index) }
      writer.append(one.tier.rawValue)
      writer.append(one.band)
      writer.append(one.flags.rawValue)
    }
    return writer.sealed(for: UInt64(page))
  }

  /// Calls `body` with each address; `false` if the bytes are damaged.
  ///
  /// A way of service that this version does not know would read as damage: whoever adds one adds a version of
  /// the schema.
  static func decode(
    series bytes: UnsafeRawBufferPointer, page: Int64, _ body: (Series) -> Void
  ) -> Bool {
    var reader = ByteReader(sealed: bytes, for: UInt64(bitPattern: page))
    let count = reader.number()
    guard count <= places else { return false }
    for _ in 0..<count {
      func name() -> NameID { NameID(reader.number(as: UInt32.self)) }
      let labels = Labels(
        model: name(), provider: name(), source: name(), project: name(), session: name(),
        key: name())
      let conversation = name()
      guard let tier = ServiceTier(rawValue: reader.byte()) else { return false }
      body(
        Series(
          labels: labels, conversation: conversation, tier: tier, band: reader.byte(),
          flags: Series.Flags(rawValue: reader.byte())))
    }
    return reader.isAtEnd && !reader.isDamaged
  }
}
