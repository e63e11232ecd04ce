import MimoEngine

/// A data file whose bytes somebody else has read.
public struct CatalogFile: Hashable, Sendable {
  /// What messages call it.
  public var name: String
  /// Its content.
  public var bytes: [UInt8]

  /// Creates a file.
  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }
}

/// All price lists and plans the program knows: its own, and over them the user's.
///
/// The user's files have the schemas of ours. A model, or a plan, with the same id replaces ours as a
/// whole; everything else is added. No mistake in a file is fatal: see `problems`.
public struct Catalog: Sendable {
  /// The day on which our own price lists were last checked as a whole.
  public static let asOf = "2026-11-21"

  /// The price lists.
  public let book: PriceBook
  /// `as-billed` first, then by provider its list (`PROVIDER-payg`) and its subscriptions.
  public private(set) var plans: [Plan]
  /// Which models stand for which on another vendor's list.
  public let modelMap: ModelMap
  /// The mistakes in the files, ours before the user's.
  public let problems: [CatalogProblem]

  /// Merges our files with the user's; the later of two that say the same wins.
  public init(
    userPrices: [CatalogFile] = [], userPlans: [CatalogFile] = [], userClasses: [CatalogFile] = []
  ) {
    var lists = Self.builtInLists
    lists.isUser = true
    for file in userPrices { lists.addPrices(file) }
    // Plans of the user's may bring price lists of their own, which come behind all others.
    var families: [String: Plan] = [:]
    func read(_ file: CatalogFile) -> PlanFile {
      let read = PlanFile(name: file.name, bytes: file.bytes, families: families)
      families = read.families
      return read
    }
    let builtIn = BuiltIn.plans.map { (file: $0, read: read($0)) }
    let own = userPlans.map { (file: $0, read: read($0)) }
    var ownLists: [ProviderPrices] = []
    for list in own.flatMap(\.read.lists) where !lists.items.contains(where: { $0.id == list.id }) {
      ownLists.removeAll { $0.id == list.id }
      ownLists.append(list)
    }
    book = PriceBook(providers: lists.items + ownLists)

    var subscriptions = Overlay<Plan>()
    let vendors = Set(lists.items.map(\.id))
    for (file, read) in builtIn { subscriptions.add(read, from: file, book, vendors: vendors) }
    subscriptions.isUser = true
    for (file, read) in own { subscriptions.add(read, from: file, book, vendors: vendors) }

    var plans = [Plan.asBilled(recognising: subscriptions.items)]
    for provider in book.providers {
      // A reseller without a list of its own offers no plan to compare with.
      let isPlanOfItsOwn = ownLists.contains { $0.id == provider.id }
      if !provider.models.isEmpty, !isPlanOfItsOwn { plans.append(.metered(provider)) }
      plans += subscriptions.items.filter { $0.provider == provider.id }
    }
    self.plans = plans
    var classes: [ModelMap.Class] = []
    var tokenRatio = ModelMap.usualTokenRatio
    var classProblems: [CatalogProblem] = []
    for file in BuiltIn.classes + userClasses {
      let read = ClassFile(name: file.name, bytes: file.bytes, book: book)
      classProblems += read.problems
      // A class of the user's replaces ours of the same name.
      classes.removeAll { old in read.classes.contains { $0.id == old.id } }
      classes += read.classes
      tokenRatio = read.tokenRatio ?? tokenRatio
    }
    modelMap = ModelMap(classes: classes, tokenRatio: tokenRatio)
    problems = lists.problems + subscriptions.problems + classProblems
  }

  private static let builtInLists: Overlay<ProviderPrices> = {
    var lists = Overlay<ProviderPrices>()
    for file in BuiltIn.prices { lists.addPrices(file) }
    return lists
  }()

  /// Reads our own price lists, so that they are there when the first catalog is made. Safe on any thread.
  public static func prepare() { _ = builtInLists }

  /// The plan with this id, or `nil`.
  public func plan(id: String) -> Plan? { plans.first { $0.id == id } }

  /// Says how the user buys a plan: for how long at a time, and how many seats.
  ///
  /// - Returns: whether the plan is there and is offered so.
  public mutating func buy(_ id: String, term: Plan.Term, seats: Int64) -> Bool {
    guard let place = plans.firstIndex(where: { $0.id == id && $0.isSubscription }),
      plans[place].versions.contains(where: { $0.offers[term] != nil })
    else { return false }
    plans[place].term = term
    plans[place].seats = seats
    return true
  }

  /// All prompt sizes above which some price changes, ascending: the edges of context bands.
  public var promptEdges: [Int64] { Set(book.promptEdges + plans.flatMap(\.promptEdges)).sorted() }
}

/// Items of several files, where later ones replace earlier ones.
private struct Overlay<Item: Sendable>: Sendable {
  var items: [Item] = []
  var problems: [CatalogProblem] = []
  var isUser = false
  /// Which of the user's files gave an id; ours are replaced without a word.
  private var givenBy: [String: String] = [:]

  /// Notes that `file` gives `id`, and reports it if another of the user's files did before.
  mutating func note(_ entry: String, from file: String) {
    guard isUser else { return }
    if let other = givenBy.updateValue(file, forKey: entry), other != file {
      problems.append(
        CatalogProblem(
          file: file, line: 0, entry: entry, field: nil,
          expected: "it once only, but \(other) has it too; this one wins", outcome: .kept))
    }
  }
}

extension Overlay<ProviderPrices> {
  /// Usage is kept by context band, of which a byte counts; plans need some, too.
  private static var mostPromptEdges: Int { 200 }

  mutating func addPrices(_ file: CatalogFile) {
    let known = items
    let read = PriceFile(name: file.name, bytes: file.bytes) { id in
      Set(known.first { $0.id == id }?.models.map { $0.id.lowercased() } ?? [])
    }
    problems += read.problems
    guard let new = read.provider else { return }
    let edges = Set(
      (items + [new]).flatMap { $0.models.flatMap { $0.entries.flatMap(\.tiers) } }
        .map(\.abovePromptTokens))
    if edges.count > Self.mostPromptEdges {
      problems.append(
        CatalogProblem(
          file: file.name, line: 0, entry: "", field: "above_prompt_tokens",
          expected: "at most \(Self.mostPromptEdges) different sizes in all price files",
          outcome: .fileSkipped))
      return
    }
    for model in new.models { note("model \"\(model.id)\" of \(new.id)", from: file.name) }
    guard let place = items.firstIndex(where: { $0.id == new.id }) else {
      items.append(new)
      return
    }
    items[place].aliases += new.aliases
    items[place].hosts += new.hosts
    items[place].cacheMinutes = new.cacheMinutes ?? items[place].cacheMinutes
    for model in new.models {
      let id = model.id.lowercased()
      let old = items[place].models.first { $0.id.lowercased() == id }
      // All its rows were wrong, which has been said: what was there is better than no price.
      if old != nil, model.entries.isEmpty, model.routes.isEmpty { continue }
      items[place].models.removeAll { $0.id.lowercased() == id }
      let follows = read.extending.contains(id)
      items[place].models.append(follows ? old.map(model.following) ?? model : model)
    }
  }
}

extension Overlay<Plan> {
  mutating func add(
    _ read: PlanFile, from file: CatalogFile, _ book: PriceBook, vendors: Set<String>
  ) {
    problems += read.problems
    let reserved = Set(vendors.map { $0 + "-payg" } + [Plan.asBilled.id])
    for plan in read.plans {
      var expected: String?
      if reserved.contains(plan.id) { expected = "another id, this one means a price list" }
      if case .metered = plan.kind, vendors.contains(plan.id) {
        expected = "another id, this one means a provider"
      }
      if !book.providers.contains(where: { $0.id == plan.provider }) {
        expected = "a provider with a price list, not \"\(plan.provider ?? "")\""
      }
      if let expected {
        problems.append(
          CatalogProblem(
            file: file.name, line: 0, entry: "plan \"\(plan.id)\"", field: nil, expected: expected,
            outcome: .skipped))
        continue
      }
      note("plan \"\(plan.id)\"", from: file.name)
      items.removeAll { $0.id == plan.id }
      items.append(plan)
    }
  }
}

extension ModelPrices {
  /// This model behind an older account of it, which holds up to where this one begins.
  fileprivate func following(_ old: ModelPrices) -> ModelPrices {
    var model = self
    let start = entries.map(\.validity.lowerBound).min() ?? .distantFuture
    model.name = name == id ? old.name : name
    model.aliases += old.aliases.filter { !aliases.contains($0) }
    model.released = released ?? old.released
    model.retired = retired ?? old.retired
    model.routes =
      routes
      + old.routes.compactMap { route in
        var route = route
        route.validity = route.validity.clamped(to: .distantPast..<start)
        return route.validity.isEmpty ? nil : route
      }
    model.entries =
      old.entries.compactMap { entry in
        var entry = entry
        let first = entries.filter { $0.unit == entry.unit }.map(\.validity.lowerBound).min()
        entry.validity = entry.validity.clamped(to: .distantPast..<(first ?? .distantFuture))
        return entry.validity.isEmpty ? nil : entry
      } + entries
    return model
  }
}
