import Foundation
import MimoCatalog
import MimoEngine
import Testing

/// A worked example: one call, and what it costs in money or credits.
struct Vector: Decodable, CustomTestStringConvertible, Sendable {
  struct Call: Decodable {
    var model: String
    var at: String?
    var cache_hit, cache_miss, cache_read, input, output, total_tokens, cache_miss_about: Int64?
  }

  var id: String
  var input: Call
  var expect: [String: String]

  var testDescription: String { id }

  var at: Minute { minute(input.at ?? "2026-08-17T12:00:00+08:00") }

  var tokens: TokenCounts {
    if let total = input.total_tokens, let fresh = input.cache_miss_about {
      return TokenCounts(input: fresh, cacheRead: total - fresh)
    }
    return TokenCounts(
      input: input.cache_miss ?? input.input ?? 0,
      cacheRead: input.cache_hit ?? input.cache_read ?? 0, output: input.output ?? 0)
  }

  static let all = try! JSONDecoder().decode([Vector].self, from: fixture("price-vectors.json"))
}

@Suite struct VectorTests {
  @Test(arguments: Vector.all) func `a worked example comes out to the last digit`(_ vector: Vector)
    throws
  {
    for (unit, expected) in vector.expect where unit != "credits_reported" {
      let currency = Currency(rawValue: unit)
      let plan = currency == nil ? "mimo-token-plan-lite" : "as-billed"
      let tariff = Tariff(
        plan: try #require(catalog.plan(id: plan)), book: catalog.book, currency: currency ?? .usd)
      let span = tariff.span(
        model: vector.input.model, provider: nil, promptTokens: vector.tokens.prompt, at: vector.at)
      let rates = try #require(span.rates, "no price in \(unit)")
      #expect(Amount(femto: rates.cost(of: vector.tokens)).exactText == expected, "in \(unit)")
    }
  }

  @Test func `all worked examples are there`() { #expect(Vector.all.count == 14) }
}
