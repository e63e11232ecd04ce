import Synchronization

/// What becomes of the sums of exports that are read into a ledger, and which ledgers they are of.
///
/// A sum of calls without ids is a call with an id in every ledger but the one that counted the calls. There it is left
/// out, whatever way it took; so the ledgers that take it in have to remember whose it is.
public final class LedgerSumIntake: Sendable {
  /// What becomes of a sum.
  enum Verdict {
    case asCall, leftOut, withoutID
  }

  private struct State {
    var taken: [String: Set<UInt64>] = [:]
    var leftOut = 0
  }

  private let own: String
  private let takesOwn: Bool
  private let state = Mutex(State())

  /// Nothing taken in yet.
  ///
  /// - Parameters:
  ///   - own: the origin of the ledger that takes them in.
  ///   - takesOwn: whether it takes its own, too, as the calls without ids that they are: it did not count them yet.
  public init(own: String, takesOwn: Bool = false) {
    self.own = own
    self.takesOwn = takesOwn
  }

  /// The ids of the sums of other ledgers that were taken in, by the ledgers' origins.
  public var taken: [String: Set<UInt64>] { state.withLock { $0.taken } }

  /// How many sums were left out, because the ledger counted them itself.
  public var leftOut: Int { state.withLock { $0.leftOut } }

  /// An origin is 16 bytes in hexadecimal digits; what is longer than any is not kept.
  private static let longestOrigin = 64

  func admit(_ id: UInt64, of origin: String?) -> Verdict {
    guard let origin, origin.utf8.count <= Self.longestOrigin else { return .asCall }
    return state.withLock { state in
      if origin != own {
        state.taken[origin, default: []].insert(id)
        return .asCall
      }
      if takesOwn { return .withoutID }
      state.leftOut += 1
      return .leftOut
    }
  }
}
