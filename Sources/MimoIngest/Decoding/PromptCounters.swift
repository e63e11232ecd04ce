import MimoEngine

/// Counters of one call whose prompt count may hold what came from a cache, and their reading as disjoint
/// classes. What is `nil` is not told.
struct PromptCounters: Sendable {
  var prompt: Int64?
  var read: Int64?
  var written: Int64?
  /// The part of `written` that is kept for an hour.
  var writtenForHour: Int64?
  /// All billed output, reasoning included.
  var output: Int64?
  var reasoning: Int64?

  /// Where the cached tokens are counted.
  enum Cached: String, Sendable { case inside, beside }

  /// Whether no counter is told.
  var isEmpty: Bool { prompt == nil && output == nil && read == nil && written == nil }

  /// Whether the log tells about the cache.
  var tellsCache: Bool { read != nil || written != nil }

  /// Whether more is cached than the prompt count could hold.
  var provesBeside: Bool { (read ?? 0) + (written ?? 0) > prompt ?? 0 }

  /// The disjoint classes, with the cached tokens where the format's documentation puts them.
  ///
  /// - Throws: `DecodeError.contradiction` if they must be inside the prompt and do not fit.
  func tokens(_ cached: Cached) throws(DecodeError) -> TokenCounts {
    if cached == .inside, provesBeside {
      throw .contradiction("more tokens were cached than the prompt has")
    }
    return disjoint(cached)
  }

  /// The disjoint classes where writers differ: `usual`, unless the counters prove that it is beside.
  func tokens(usually usual: Cached) -> TokenCounts { disjoint(provesBeside ? .beside : usual) }

  private func disjoint(_ cached: Cached) -> TokenCounts {
    let read = read ?? 0
    let written = written ?? 0
    let hour = min(writtenForHour ?? 0, written)
    let output = output ?? 0
    return TokenCounts(
      input: (prompt ?? 0) - (cached == .inside ? read + written : 0), cacheRead: read,
      cacheWrite5m: written - hour, cacheWrite1h: hour, output: output,
      reasoning: min(reasoning ?? 0, output))
  }
}
