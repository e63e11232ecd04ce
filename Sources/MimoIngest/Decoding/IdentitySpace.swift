import MimoEngine

/// The ids of one log format: the same id in another format's logs is another call.
struct IdentitySpace: Sendable {
  private let seed: UInt64

  /// Ids shorter than this are counters, not unique in the world.
  private static let fewestBytesOfAnswerID = 16

  init(_ format: String) { seed = Fingerprint(of: format).value }

  /// The call with this id.
  ///
  /// - Parameter more: what else tells it from calls with the same id (a session, a time).
  func identity(_ id: JSONString, _ more: UInt64...) -> CallIdentity {
    identity(id.withUnescaped { Fingerprint(of: $0).value }, more)
  }

  /// The call that these numbers tell apart from all others.
  func identity(_ number: UInt64, _ more: [UInt64]) -> CallIdentity {
    var result = Fingerprint(value: seed).combined(with: number)
    for number in more { result = result.combined(with: number) }
    return CallIdentity(message: result)
  }

  /// The call whose answer has this id of the vendor's: the same call in whatever log, if the id is long
  /// enough to be unique in the world.
  func identity(ofAnswer id: JSONString) -> CallIdentity {
    id.count >= Self.fewestBytesOfAnswerID
      ? CallIdentity(message: id.fingerprint) : identity(id)
  }
}

extension TokenCounts {
  /// The counters as numbers to tell calls apart by.
  var numbers: [UInt64] {
    [input, cacheRead, cacheWrite5m, cacheWrite1h, output, reasoning].map(UInt64.init(bitPattern:))
  }
}

extension Instant {
  /// The milliseconds as a number to tell calls apart by.
  var number: UInt64 { UInt64(bitPattern: milliseconds) }
}
