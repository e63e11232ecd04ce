import MimoEngine

/// Somebody else's price book, turned into price files of our own format.
///
/// Nothing is guessed: what our format cannot say is left out and listed in `omissions`. Models that our
/// own list has are left to it, because it knows dates and hours that other books do not (`kept`), unless
/// they are asked for: then their prices hold from the day of the import on, and ours before it.
public struct PriceImport: Sendable {
  /// The books that can be read.
  public enum Format: String, Sendable, CaseIterable {
    /// `model_prices_and_context_window.json`.
    case liteLLM = "LiteLLM"
    /// `api.json`.
    case modelsDev = "models.dev"
    /// `data.json`.
    case genAIPrices = "genai-prices"
  }

  /// The new price list of one provider.
  public struct List: Sendable {
    /// The provider's id in our book.
    public var provider: String
    /// How many models it has.
    public var models: Int
    /// The file; its name is a proposal without a folder.
    public var file: CatalogFile
  }

  /// Something that our format cannot say.
  public struct Omission: Hashable, Sendable {
    /// The provider's id there; empty if none is stated.
    public var provider: String
    /// The model's name there.
    public var model: String
    /// What it is.
    public var reason: String
    /// Whether the model has no price because of it, rather than only lacking this part.
    public var isWholeModel: Bool
  }

  /// A model left to our own list.
  public struct Kept: Hashable, Sendable {
    /// The provider's id in our book.
    public var provider: String
    /// The model's id in our book.
    public var model: String
    /// Input and output per million tokens there, in US dollars.
    public var theirs: String
    /// The same in our list on the day of the import; `nil` if it has none then.
    public var ours: String?

    /// Whether the two state different prices.
    public var differs: Bool { theirs != ours }
  }

  /// What the file is.
  public let format: Format
  /// The lists, ordered by provider.
  public let lists: [List]
  /// What could not be expressed, by provider and model.
  public let omissions: [Omission]
  /// Models left to our own list, by provider and model.
  public let kept: [Kept]
  /// Names that several providers sell at different prices: these prices are used only for calls whose log
  /// names the seller.
  public let ambiguousNames: [String]
  /// The ids of all providers in the file, as our book calls them.
  public let providers: [String]

  /// Converts a price book.
  ///
  /// - Parameters:
  ///   - file: the book; recognised by its content.
  ///   - date: the day of the import, which becomes the date of the check.
  ///   - only: ids of the providers wanted; empty for all.
  ///   - overriding: whether to take models that our own list has.
  /// - Throws: `PriceImportError` if the file is none of the known books.
  public init(
    _ file: CatalogFile, date: CivilDate, only: Set<String> = [], overriding: Bool = false
  ) throws(PriceImportError) {
    let root: JSONValue
    do throws(JSONValue.SyntaxError) { root = try JSONValue.parse(file.bytes) } catch {
      throw .notJSON(file: file.name, line: error.line, expected: error.expected)
    }
    guard let (format, reader) = Self.reader(of: root) else {
      throw root["schema"]?.text == PriceFile.schema
        ? .ownFormat(file: file.name) : .unknownBook(file: file.name)
    }
    self.format = format

    var log = ImportLog()
    let book = PriceBook(
      providers: BuiltIn.prices.compactMap { PriceFile(name: $0.name, bytes: $0.bytes).provider })
    var sellers: [String: ImportedProvider] = [:]
    for var seller in reader.read(root, &log) {
      guard let id = Self.id(of: seller, in: book) else {
        for model in seller.models {
          log.drop(model.key, of: seller.id, "a provider without a usable id")
        }
        continue
      }
      seller.id = id
      sellers[id, default: ImportedProvider(id: id)].absorb(seller)
    }
    providers = sellers.keys.sorted()

    var kept: [Kept] = []
    var wanted: [ImportedProvider] = []
    for id in providers where only.isEmpty || only.contains(id) {
      var seller = sellers[id]!
      seller.models = Self.distinct(seller.models, of: id, &log)
      let known = Known(book: book, provider: id, date: date, overriding: overriding)
      seller.models = known.left(of: seller.models, &kept)
      if !seller.models.isEmpty { wanted.append(seller) }
    }
    self.kept = kept
    if !only.isEmpty { log.keep(providers: only, in: book) }
    omissions = log.omissions.sorted {
      ($0.provider, $0.model, $0.reason) < ($1.provider, $1.model, $1.reason)
    }

    let ambiguous = Self.ambiguous(wanted, book)
    ambiguousNames = ambiguous.sorted()
    let hosts = wanted.flatMap(\.hosts)
    let origin = PriceFileWriter.Origin(
      title: "\(file.name.split(separator: "/").last ?? "-") (\(format.rawValue))",
      hash: SHA256.hex(file.bytes), date: date)
    lists = wanted.map { seller in
      var seller = seller
      // A domain of two sellers tells neither from the other.
      seller.hosts.removeAll { host in hosts.count { $0 == host } > 1 }
      let text = PriceFileWriter(
        origin: origin, needSeller: ambiguous, isKnown: book.provider(named: seller.id) != nil
      ).text(seller)
      return List(
        provider: seller.id, models: seller.models.count,
        file: CatalogFile(name: Self.fileName(seller.id), bytes: Array(text.utf8)))
    }
  }

  /// Register a format here.
  private static func reader(of root: JSONValue) -> (Format, any PriceBookReader)? {
    if GenAIPrices.recognises(root) { return (.genAIPrices, GenAIPrices()) }
    if LiteLLMPrices.recognises(root) { return (.liteLLM, LiteLLMPrices()) }
    if ModelsDevPrices.recognises(root) { return (.modelsDev, ModelsDevPrices()) }
    return nil
  }

  /// Our id of a seller: that of our own book, if it knows the name.
  private static func id(of seller: ImportedProvider, in book: PriceBook) -> String? {
    if let index = book.provider(named: seller.id) { return book.providers[index].id }
    let id = String(seller.id.map { $0 == " " ? "-" : $0 })
    return !id.isEmpty && id.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? id : nil
  }

  private static func fileName(_ provider: String) -> String {
    let plain = provider.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "-" }
    // A leading point would hide the file.
    return (plain.first == "." ? "_" : "") + String(plain) + "-import.json"
  }

  /// One model for each name: of several with different prices the plainest name wins, if there is one.
  private static func distinct(
    _ models: [ImportedModel], of provider: String, _ log: inout ImportLog
  ) -> [ImportedModel] {
    var result: [ImportedModel] = []
    for (_, group) in Dictionary(grouping: models, by: { $0.id.lowercased() }) {
      let depth = group.map(\.depth).min()!
      let plainest = group.filter { $0.depth == depth }.sorted { $0.key < $1.key }
      let isClear = plainest.allSatisfy { $0.rows == plainest[0].rows }
      if isClear {
        var model = plainest[0]
        for other in group where other.rows == model.rows {
          model.addresses += other.addresses.filter { !model.addresses.contains($0) }
        }
        result.append(model)
      }
      for model in group where !isClear || model.rows != plainest[0].rows {
        log.drop(model.key, of: provider, "another price under the same name")
      }
    }
    result.sort { $0.id < $1.id }
    // An alias may be the name of another model; that one has the better right to it.
    var names = Set(result.map { $0.id.lowercased() })
    for index in result.indices {
      result[index].aliases = result[index].aliases.filter {
        names.insert($0.lowercased()).inserted
      }
    }
    return result
  }

  /// Names that more than one provider unknown to our book sells, at different prices.
  private static func ambiguous(_ sellers: [ImportedProvider], _ book: PriceBook) -> Set<String> {
    var rows: [String: [ImportedRow]] = [:]
    var ambiguous: Set<String> = []
    for seller in sellers where book.provider(named: seller.id) == nil {
      for model in seller.models {
        for name in [model.id] + model.aliases {
          if let other = rows.updateValue(model.rows, forKey: name.lowercased()),
            other != model.rows
          {
            ambiguous.insert(name.lowercased())
          }
        }
      }
    }
    return ambiguous
  }
}

/// Reads one form of price book into what all of them have in common.
protocol PriceBookReader {
  /// Whether a document has this form.
  static func recognises(_ root: JSONValue) -> Bool
  /// The sellers with the models whose prices can be said; the others are put into `log`.
  func read(_ root: JSONValue, _ log: inout ImportLog) -> [ImportedProvider]
}

/// Why a file is not imported.
public enum PriceImportError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file is not JSON.
  case notJSON(file: String, line: Int, expected: String)
  /// The file is JSON, but no price book we know.
  case unknownBook(file: String)
  /// The file has our own format already.
  case ownFormat(file: String)

  /// One sentence that says what to do.
  public var description: String {
    switch self {
    case .notJSON(let file, let line, let expected): "\(file):\(line): expected \(expected)"
    case .unknownBook(let file):
      "\(file) is no price book: looked for LiteLLM's model_prices_and_context_window.json, "
        + "a models.dev api.json and a genai-prices data file"
    case .ownFormat(let file):
      "\(file) has the format of mimo-top already; copy it into the folder prices of the configuration"
    }
  }
}

/// What is not taken over.
struct ImportLog {
  private(set) var omissions: [PriceImport.Omission] = []

  mutating func drop(_ model: String, of provider: String, _ reason: String) {
    add(model, provider, reason, isWholeModel: true)
  }

  mutating func leaveOut(_ part: String, from model: String, of provider: String) {
    add(model, provider, part, isWholeModel: false)
  }

  /// Forgets what is about other providers.
  mutating func keep(providers: Set<String>, in book: PriceBook) {
    omissions.removeAll { omission in
      let known = book.provider(named: omission.provider).map { book.providers[$0].id }
      return !providers.contains(known ?? omission.provider)
    }
  }

  private mutating func add(
    _ model: String, _ provider: String, _ reason: String, isWholeModel: Bool
  ) {
    omissions.append(
      PriceImport.Omission(
        provider: provider, model: model, reason: reason, isWholeModel: isWholeModel))
  }
}

extension ImportedProvider {
  /// Adds another name's models to this one's.
  fileprivate mutating func absorb(_ other: ImportedProvider) {
    name = name ?? other.name
    hosts += other.hosts.filter { !hosts.contains($0) }
    addresses += other.addresses
    models += other.models.map { model in
      var model = model
      model.addresses += other.addresses
      return model
    }
  }
}

/// What our own book has of a provider, and what an import may add to it.
private struct Known {
  let book: PriceBook
  let provider: String
  let date: CivilDate
  let overriding: Bool

  /// The models to take: those that we do not have, and if asked for the others from the day of the import on.
  func left(of models: [ImportedModel], _ kept: inout [PriceImport.Kept]) -> [ImportedModel] {
    var taken: Set<String> = []
    return models.compactMap { model in
      guard let index = book.model(named: model.id, soldBy: provider) else { return model }
      let id = book.model(index).id
      guard overriding else {
        let entry = PriceImport.Kept(
          provider: provider, model: id, theirs: theirs(model), ours: ours(index))
        // Several names of theirs may mean one model of ours.
        if !kept.contains(entry) { kept.append(entry) }
        return nil
      }
      // Two names of theirs may mean one model of ours: the first one, which has our id if any has.
      guard taken.insert(id.lowercased()).inserted else { return nil }
      var model = model
      (model.key, model.name, model.aliases) = (id, nil, [])
      model.extendsOurs = true
      let start = date.startInUTC.minute
      model.rows = model.rows.filter { $0.to.map { $0 > start } ?? true }
      if let first = model.rows.first, first.from ?? .distantPast < start {
        model.rows[0].from = start
      }
      return model
    }
  }

  /// The instant at which prices are compared: noon, because most hours of the day that have a price of
  /// their own are at night.
  private var noon: Minute { date.startInUTC.minute.advanced(by: 720) }

  private func ours(_ index: ModelIndex) -> String? {
    let span = book.span(of: index, currency: .usd, promptTokens: 0, at: noon)
    guard let rates = span.rates else { return nil }
    return [rates.input, rates.output].map { ExactDecimal(digits: Int128($0), decimals: 9).text }
      .joined(separator: " / ")
  }

  private func theirs(_ model: ImportedModel) -> String {
    let row = model.rows.last { $0.from.map { $0 <= noon } ?? true } ?? model.rows[0]
    let minute = date.weekday * 1440 + 720
    let hours = row.hours.first { $0.windows.contains { $0.minutesOfWeek.contains(minute) } }
    let rates = hours?.rates ?? row.rates
    return [rates[.input], rates[.output]].map { $0?.text ?? "?" }.joined(separator: " / ")
  }
}
