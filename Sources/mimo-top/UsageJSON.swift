import MimoEngine

/// Parts that several documents have.
enum UsageJSON {
  /// Sums without money.
  static func counts(_ sums: Measures) -> [(String, JSONOutput)] {
    [
      ("requests", .integer(sums.requests)), ("tokens", tokens(sums.tokens)),
      ("hit_rate", .text(sums.hitRate?.text(decimals: 6))),
      ("hit_rate_unknown_requests", .integer(sums.hitRateUnknownRequests)),
      ("answer_cache_hits", .integer(sums.answerCacheHits)),
      (
        "stated_cost",
        .object(sums.statedCalls == 0 ? [] : [("USD", .string(sums.statedCost.exactText))])
      ),
      ("errors", .integer(sums.errors)),
    ] + Quantities.counters.map { ($0.name, .integer(sums.quantities[keyPath: $0.path])) }
  }

  /// Tokens by class.
  static func tokens(_ tokens: TokenCounts) -> JSONOutput {
    .object([
      ("input", .integer(tokens.input)), ("cache_read", .integer(tokens.cacheRead)),
      ("cache_write_5m", .integer(tokens.cacheWrite5m)),
      ("cache_write_1h", .integer(tokens.cacheWrite1h)),
      ("output", .integer(tokens.output)), ("reasoning", .integer(tokens.reasoning)),
    ])
  }

  /// Credits: an integer where they are whole, else a decimal text.
  static func credits(_ amount: Amount?) -> JSONOutput {
    guard let amount else { return .null }
    let (whole, rest) = amount.atto.quotientAndRemainder(dividingBy: Amount.scale)
    return rest == 0 ? .integer(Int64(clamping: whole)) : .string(amount.exactText)
  }
}
