import MimoEngine

/// Names and addresses as pages of bytes: a page has a fixed number of places, so that a new name changes one page.
enum PageCoding {
  /// Places of a page. A commit with a new name rewrites a page, who meets an old one reads a page.
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

  /// Calls `body` with each name and its place in the page.
  ///
  /// - Returns: how many there are; `nil` if the bytes are damaged.
  @inline(__always)
  static func decode(
    names bytes: UnsafeRawBufferPointer, page: Int64, _ body: (Int, UnsafeRawBufferPointer) -> Void
  ) -> Int? {
    var reader = ByteReader(sealed: bytes, for: UInt64(bitPattern: page))
    let count = reader.number()
    guard count <= places else { return nil }
    for place in 0..<Int(count) { body(place, reader.text(reader.number(as: Int.self))) }
    return reader.isAtEnd && !reader.isDamaged ? Int(count) : nil
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

  /// Calls `body` with each address and its place in the page.
  ///
  /// A way of service that this version does not know would read as damage: whoever adds one adds a version of
  /// the schema.
  ///
  /// - Returns: how many there are; `nil` if the bytes are damaged.
  @inline(__always)
  static func decode(
    series bytes: UnsafeRawBufferPointer, page: Int64, _ body: (Int, Series) -> Void
  ) -> Int? {
    var reader = ByteReader(sealed: bytes, for: UInt64(bitPattern: page))
    let count = reader.number()
    guard count <= places else { return nil }
    for place in 0..<Int(count) {
      func name() -> NameID { NameID(reader.number(as: UInt32.self)) }
      let labels = Labels(
        model: name(), provider: name(), source: name(), project: name(), session: name(),
        key: name())
      let conversation = name()
      guard let tier = ServiceTier(rawValue: reader.byte()) else { return nil }
      body(
        place,
        Series(
          labels: labels, conversation: conversation, tier: tier, band: reader.byte(),
          flags: Series.Flags(rawValue: reader.byte())))
    }
    return reader.isAtEnd && !reader.isDamaged ? Int(count) : nil
  }
}
