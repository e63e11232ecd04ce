/// What a vendor's console said about a plan: the credits used at an instant.
///
/// Logs miss what other machines use and what the vendor counts differently; from an anchor the count goes
/// on with the logs.
public struct PlanAnchor: Hashable, Sendable {
  /// When the console was read.
  public var at: Instant
  /// The credits used since the start of the billing period, as the console showed them.
  public var used: Amount

  /// Creates an anchor.
  public init(at: Instant, used: Amount) {
    self.at = at
    self.used = used
  }
}
