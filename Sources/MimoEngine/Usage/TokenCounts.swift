/// The tokens of one call or of many, in classes that never overlap.
///
/// `input + cacheRead + cacheWrite5m + cacheWrite1h` is the whole prompt. `reasoning` is the part of
/// `output` that is reasoning: shown, never billed a second time. All counts are whole and not negative.
public struct TokenCounts: Hashable, Sendable {
  /// Fresh prompt tokens: neither read from a cache nor written to one.
  public var input: Int64
  /// Prompt tokens read from the provider's cache.
  public var cacheRead: Int64
  /// Prompt tokens written to a cache that keeps them for five minutes, or for an unstated time.
  public var cacheWrite5m: Int64
  /// Prompt tokens written to a cache that keeps them for an hour.
  public var cacheWrite1h: Int64
  /// All billed output tokens, reasoning included.
  public var output: Int64
  /// The part of `output` that is reasoning.
  public var reasoning: Int64

  /// Creates counts; what is not given is zero.
  @inlinable public init(
    input: Int64 = 0, cacheRead: Int64 = 0, cacheWrite5m: Int64 = 0, cacheWrite1h: Int64 = 0,
    output: Int64 = 0, reasoning: Int64 = 0
  ) {
    self.input = input
    self.cacheRead = cacheRead
    self.cacheWrite5m = cacheWrite5m
    self.cacheWrite1h = cacheWrite1h
    self.output = output
    self.reasoning = reasoning
  }

  /// All prompt tokens, cached ones included.
  @inlinable public var prompt: Int64 { input &+ cacheRead &+ cacheWrite5m &+ cacheWrite1h }

  /// Whether every count is zero.
  @inlinable public var isZero: Bool {
    input | cacheRead | cacheWrite5m | cacheWrite1h | output | reasoning == 0
  }

  /// The larger of each count of the two: what a repeated answer adds up to.
  @inlinable public func maximum(_ other: TokenCounts) -> TokenCounts {
    TokenCounts(
      input: max(input, other.input), cacheRead: max(cacheRead, other.cacheRead),
      cacheWrite5m: max(cacheWrite5m, other.cacheWrite5m),
      cacheWrite1h: max(cacheWrite1h, other.cacheWrite1h),
      output: max(output, other.output), reasoning: max(reasoning, other.reasoning))
  }

  /// Replaces the classes of the prompt, and leaves the output.
  mutating func takePrompt(of other: TokenCounts) {
    input = other.input
    cacheRead = other.cacheRead
    cacheWrite5m = other.cacheWrite5m
    cacheWrite1h = other.cacheWrite1h
  }

  /// The sum, class by class.
  @inlinable public static func + (a: TokenCounts, b: TokenCounts) -> TokenCounts {
    TokenCounts(
      input: a.input + b.input, cacheRead: a.cacheRead + b.cacheRead,
      cacheWrite5m: a.cacheWrite5m + b.cacheWrite5m, cacheWrite1h: a.cacheWrite1h + b.cacheWrite1h,
      output: a.output + b.output, reasoning: a.reasoning + b.reasoning)
  }

  /// The difference, class by class; may be negative.
  @inlinable public static func - (a: TokenCounts, b: TokenCounts) -> TokenCounts {
    TokenCounts(
      input: a.input - b.input, cacheRead: a.cacheRead - b.cacheRead,
      cacheWrite5m: a.cacheWrite5m - b.cacheWrite5m, cacheWrite1h: a.cacheWrite1h - b.cacheWrite1h,
      output: a.output - b.output, reasoning: a.reasoning - b.reasoning)
  }

  /// Adds, class by class.
  @inlinable public static func += (a: inout TokenCounts, b: TokenCounts) { a = a + b }

  /// The largest count a single call may state; more is taken for a damaged record.
  ///
  /// A thousand times the largest context window sold, and small enough that 9 million such calls
  /// still fit a 64-bit sum.
  public static let largestPlausibleCount: Int64 = 1_000_000_000_000
}
