/// Which formats are looked for.
public struct LogFormats: Sendable {
  var lines: [any RecordDecoder] = []
  var documents: [any DocumentDecoder.Type] = []
  var databases: [any DatabaseReader.Type] = []
  /// Whether these are all known ones as they are.
  private(set) var areAll = false

  /// All known formats.
  public static let all = {
    var all = LogFormats(
      lines: Decoders.all, documents: Decoders.documents, databases: Decoders.databases)
    all.areAll = true
    return all
  }()

  /// The format of this name alone, or `nil` if there is none. A format may have several forms.
  public init?(named name: String) {
    lines = Decoders.all.filter { type(of: $0).name == name }
    documents = Decoders.documents.filter { $0.name == name }
    databases = Decoders.databases.filter { $0.name == name }
    if lines.isEmpty && documents.isEmpty && databases.isEmpty { return nil }
  }

  /// All known formats, with the user's own names for what plain lines say.
  public init(mapping map: FieldMap) {
    self = .all
    lines = lines.map { $0 is PlainDecoder ? PlainDecoder(map) : $0 }
    areAll = false
  }

  /// Plain lines alone, with the user's own names for what they say.
  public init(only map: FieldMap) {
    self.init(lines: [PlainDecoder(map)], documents: [], databases: [])
  }

  /// Exports of ledgers alone.
  ///
  /// - Parameter sums: what becomes of sums.
  public init(ledgerExports sums: LedgerSumIntake) {
    self.init(lines: [LedgerExportDecoder(sums: sums)], documents: [], databases: [])
  }

  init(
    lines: [any RecordDecoder], documents: [any DocumentDecoder.Type],
    databases: [any DatabaseReader.Type]
  ) {
    self.lines = lines
    self.documents = documents
    self.databases = databases
  }

  /// The names, each once, in the order of the registry.
  public var names: [String] {
    unique(lines.map { type(of: $0).name } + documents.map { $0.name } + databases.map { $0.name })
  }

  /// The names with what people call the format, each once, in the order of the registry.
  public var list: [(name: String, title: String)] {
    let all =
      lines.map { (type(of: $0).name, type(of: $0).title) } + documents.map { ($0.name, $0.title) }
      + databases.map { ($0.name, $0.title) }
    return names.map { name in (name, all.first { $0.0 == name }!.1) }
  }

  private func unique(_ texts: [String]) -> [String] {
    var seen: Set<String> = []
    return texts.filter { seen.insert($0).inserted }
  }
}
