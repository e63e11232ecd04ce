/// Which model of one vendor stands for which model of another, when usage is priced on another's list.
///
/// Models are put into classes (flagship, standard, fast, ...). A model is stood for by a model of the
/// same class: the first one listed for the other vendor that has a price at that time. Nobody's
/// tokenisers and cache rules are the same, so what comes out is an estimate and is shown as one.
public struct ModelMap: Hashable, Sendable {
  /// Models of one class by vendor, the newest first.
  public struct Class: Hashable, Sendable {
    /// The name shown.
    public var id: String
    /// Model ids by provider id.
    public var members: [String: [String]]

    /// Creates a class.
    public init(id: String, members: [String: [String]]) {
      self.id = id
      self.members = members
    }
  }

  /// The classes; a model belongs to the first one that lists it.
  public var classes: [Class]

  /// How many tokens another vendor's tokeniser may make of the text of one, at least and at most.
  public var tokenRatio: ClosedRange<Ratio>

  /// Unless the user knows better.
  public static let usualTokenRatio = Ratio(85, 100)!...Ratio(125, 100)!

  /// Creates a map.
  public init(
    classes: [Class] = [], tokenRatio: ClosedRange<Ratio> = ModelMap.usualTokenRatio
  ) {
    self.classes = classes
    self.tokenRatio = tokenRatio
  }

  /// The class that lists a model, compared without regard to case.
  public func `class`(of model: String) -> Class? {
    let id = model.lowercased()
    return classes.first { $0.members.values.contains { $0.contains { $0.lowercased() == id } } }
  }

  /// The ids of `provider`'s models that can stand for `model`, best first; empty if none is known.
  public func substitutes(for model: String, at provider: String) -> [String] {
    self.class(of: model)?.members[provider] ?? []
  }
}
