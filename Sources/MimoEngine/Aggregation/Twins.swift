/// Finds the original of a call that a tool copied under a new id, because a session was forked.
///
/// Two calls of different sessions are one if they have everything in common but their ids, and one of
/// them is a copy by its id. Calls of one session that are alike are told apart, and so are their copies.
/// Which of them comes first does not matter: the counts are the same.
struct Twins: Sendable {
  private struct First {
    var key: UInt64
    var session: NameID
    var isCopy: Bool
  }

  /// The first of each set of twins, by what they have in common; further ones of its session behind it.
  private var firsts: [UInt64: First] = [:]
  private var originals: [UInt64: UInt64] = [:]
  /// In which sessions an original has a copy already.
  private var copies: Set<Fingerprint> = []

  /// The key to count a call under: that of its twin in another session, if there is one.
  ///
  /// - Parameter isKnown: whether the call is counted under its own key already.
  mutating func key(
    for key: UInt64, twin: Twin, session: NameID, isKnown: Bool
  ) -> UInt64 {
    if let original = originals[key] { return original }
    var place = twin.content
    while let first = firsts[place.value] {
      if first.key == key { return key }
      let copy = Fingerprint(value: first.key).combined(with: UInt64(session.index))
      if !isKnown, first.session != session, first.isCopy || twin.isCopy,
        copies.insert(copy).inserted
      {
        originals[key] = first.key
        return first.key
      }
      place = place.combined(with: 1)
    }
    firsts[place.value] = First(key: key, session: session, isCopy: twin.isCopy)
    return key
  }
}
