/// What a price list has a price for: a class of tokens, searches, or speech.
public enum BillingClass: String, Hashable, Sendable, CaseIterable {
  /// Fresh prompt tokens.
  case input
  /// Prompt tokens read from a cache.
  case cacheRead = "cache_read"
  /// Prompt tokens written to a cache for five minutes, or for an unstated time.
  case cacheWrite5m = "cache_write_5m"
  /// Prompt tokens written to a cache for an hour.
  case cacheWrite1h = "cache_write_1h"
  /// Output tokens, reasoning included.
  case output
  /// Web searches.
  case webSearch = "web_search"
  /// Seconds of speech that a model billed by length has heard.
  case speech

  /// How many of them were billed.
  func count(in sums: Measures) -> Int64 {
    switch self {
    case .input: sums.tokens.input
    case .cacheRead: sums.tokens.cacheRead
    case .cacheWrite5m: sums.tokens.cacheWrite5m
    case .cacheWrite1h: sums.tokens.cacheWrite1h
    case .output: sums.tokens.output
    case .webSearch: sums.quantities.webSearches
    case .speech: sums.quantities.audioSeconds
    }
  }

  /// What 3600 of them cost, in femto-units: speech has a price by the hour and is billed by the second.
  /// `nil` if no price for searches is known.
  func ratePer3600(in rates: Rates) -> Int128? {
    self == .speech
      ? rates.perAudioHour ?? 0 : rate(in: rates).map { Int128($0) * 3600 }
  }

  /// Whether it is tokens.
  public var isTokens: Bool { self != .webSearch && self != .speech }

  /// What one of them costs, in femto-units; `nil` if no price for searches is known, and for speech.
  public func rate(in rates: Rates) -> Int64? {
    switch self {
    case .input: rates.input
    case .cacheRead: rates.cacheRead
    case .cacheWrite5m: rates.cacheWrite5m
    case .cacheWrite1h: rates.cacheWrite1h
    case .output: rates.output
    case .webSearch: rates.perWebSearch
    case .speech: nil
    }
  }
}
