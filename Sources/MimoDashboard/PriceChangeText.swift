import MimoEngine
import MimoScreen

/// A price change and what it means to some usage, in words and tables; the command and the screen say
/// the same.
public enum PriceChangeText {
  /// Everything about a change, the answer first, as lines of at most `columns` columns; sentences may be
  /// longer and wrap.
  public static func lines(
    _ effect: PriceChangeEffect, currency: Currency, columns: Int, glyphs: Glyphs
  ) -> [[Span]] {
    let unit = effect.replay.unit
    let touched = effect.replay.touched
    var lines: [[Span]] = []
    func table(_ table: TextColumns) {
      lines += table.lines(width: columns, ellipsis: glyphs.ellipsis) + [[]]
    }
    if touched.requests > 0 || effect.worth != nil {
      lines += [[Span(verdict(effect, currency), role(effect.verdict).style)], []]
    }
    if touched.requests > 0 { table(classTable(touched, unit)) }
    lines += reasons(effect).map { [Span($0, Role.label.style)] } + [[]]
    let rows = effect.replay.rows.filter(\.isTouched)
    if rows.count > 1 { table(modelTable(rows, unit)) }
    return lines + terms(effect.change, currency).map { [Span($0, Role.label.style)] }
  }

  /// How long ago, or in how long: `178 days ago`, `today`, `in 10 days`.
  public static func distance(_ change: PriceChange, _ now: Instant) -> String {
    let days = Int64(change.date.dayNumber - PriceChange.date(of: now.minute).dayNumber)
    return switch days {
    case 1...: "in \(NumberFormat.counted(days, "day"))"
    case 0: "today"
    default: "\(NumberFormat.counted(-days, "day")) ago"
    }
  }

  /// What changes, a line for each model and one for the plan.
  public static func terms(_ change: PriceChange, _ currency: Currency) -> [String] {
    change.models.map { model in
      let name =
        TextWidth.sanitized(model.name)
        + (model.isSubstituted ? " as \(model.before.billedAs)" : "")
      let routed = model.after.billedAs != model.before.billedAs
      return "\(name): " + differences(model.before, model.after).joined(separator: "; ")
        + (routed ? "; now billed as \(model.after.billedAs)" : "")
    } + (change.offers.map { [offers($0, currency)] } ?? [])
  }

  /// What a class is called.
  public static func name(_ billingClass: BillingClass) -> String {
    switch billingClass {
    case .input: "fresh"
    case .cacheRead: "cache read"
    case .cacheWrite5m: "write 5m"
    case .cacheWrite1h: "write 1h"
    case .output: "output"
    case .webSearch: "web searches"
    case .speech: "speech, s"
    }
  }

  // MARK: - Terms

  private static func differences(_ before: PriceTerms, _ after: PriceTerms) -> [String] {
    var parts: [String] = []
    if let old = before.entry.rates, let new = after.entry.rates {
      let isMoney = before.entry.unit != .credits
      let rates = BillingClass.allCases.compactMap { billingClass -> String? in
        let (a, b) = (billingClass.rate(in: old), billingClass.rate(in: new))
        // What a list has no rate for costs as much as fresh tokens: it is said once.
        let isListed = billingClass != .cacheWrite5m && billingClass != .cacheWrite1h
        let differs = a != b && (isListed || a != old.input || b != new.input)
        guard differs, billingClass.isTokens else { return nil }
        func text(_ rate: Int64?) -> String {
          rate.map { ExactDecimal(digits: Int128($0), decimals: isMoney ? 9 : 15).text }
            ?? NumberFormat.unknown
        }
        return "\(name(billingClass)) \(text(a)) -> \(text(b))"
      }
      if !rates.isEmpty {
        parts.append(rates.joined(separator: ", ") + (isMoney ? " a million" : " a token"))
      }
      if old.perWebSearch != new.perWebSearch { parts.append("another price of web searches") }
    }
    if before.entry.tiers.isEmpty != after.entry.tiers.isEmpty {
      parts.append(
        after.entry.tiers.isEmpty ? "long prompts no longer dearer" : "long prompts are dearer")
    }
    parts += hours(before, after)
    return parts.isEmpty ? ["other prices"] : parts
  }

  private static func hours(_ before: PriceTerms, _ after: PriceTerms) -> [String] {
    let (old, new) = (before.entry.schedule, after.entry.schedule)
    if let new, old != new {
      let hours = new.hours.map { "\($0.label) \(NumberFormat.hours($0.window))" }
      return [hours.joined(separator: ", ") + (new.daysOff == nil ? "" : ", not on days off")]
    }
    if old != nil, new == nil { return ["one price at all hours"] }
    if before.offPeak.map(\.factor) != after.offPeak.map(\.factor) {
      let factors = after.offPeak.map(\.factor.text).joined(separator: ", ")
      return [factors.isEmpty ? "no factor by hour any more" : "factor by hour: \(factors)"]
    }
    return []
  }

  private static func offers(_ offers: PriceChange.Offers, _ currency: Currency) -> String {
    func text(_ offer: PriceChange.Offer) -> String {
      "\(NumberFormat.money(offer.fee, currency)) for \(NumberFormat.credits(offer.credits)) credits"
    }
    return "the plan: \(text(offers.before)) -> \(text(offers.after)) a month"
  }

  // MARK: - Tables

  private static func classTable(_ row: PriceReplay.Row, _ unit: PricingUnit) -> TextColumns {
    let lines = row.lines.filter { $0.count > 0 }
    func perMillion(_ line: PriceReplay.Line, _ cost: Amount) -> String {
      !line.billingClass.isTokens
        ? "" : NumberFormat.amount(cost.scaled(by: 1_000_000, over: Int128(line.count)), unit)
    }
    func cells(_ ofLine: (PriceReplay.Line) -> Span, total: Span) -> [Span] {
      lines.map(ofLine) + [total]
    }
    let numbers = money(
      lines.map { ($0.before, $0.after) } + [(row.before, row.after)], unit)
    return TextColumns(
      columns: [
        .init(
          title: "class", width: 12, priority: 100,
          cells: cells(
            { Span(name($0.billingClass), Role.label.style) },
            total: Span("total", Role.value.style))),
        .init(
          title: "tokens", width: 6, priority: 60,
          cells: cells(
            { Span(NumberFormat.count($0.count), Role.value.style) },
            total: Span(NumberFormat.count(row.tokens), Role.value.style))),
        .init(
          title: "a million", width: 11, priority: 40,
          cells: cells(
            { Span(perMillion($0, $0.before), Role.muted.style) },
            total: Span(NumberFormat.amount(row.perMillion(row.before), unit), Role.muted.style))),
        .init(
          title: "after", width: 11, priority: 39,
          cells: cells(
            { Span(perMillion($0, $0.after), Role.muted.style) },
            total: Span(NumberFormat.amount(row.perMillion(row.after), unit), Role.muted.style))),
      ] + numbers)
  }

  private static func modelTable(_ rows: [PriceReplay.Row], _ unit: PricingUnit) -> TextColumns {
    TextColumns(
      columns: [
        .init(
          title: "model", width: 20, priority: 100,
          cells: rows.map {
            Span(
              TextWidth.sanitized($0.model ?? "(not stated)")
                + ($0.provider.map { " (\(TextWidth.sanitized($0)))" } ?? ""), Role.label.style)
          }),
        .init(
          title: "calls", width: 6, priority: 40,
          cells: rows.map { Span(NumberFormat.count($0.requests), Role.value.style) }),
      ] + money(rows.map { ($0.before, $0.after) }, unit))
  }

  /// Costs before and after, and their difference.
  private static func money(
    _ costs: [(before: Amount, after: Amount)], _ unit: PricingUnit
  ) -> [TextColumns.Column] {
    func role(_ cost: (before: Amount, after: Amount)) -> StyleID {
      (cost.after < cost.before ? Role.good : cost.after > cost.before ? .warning : .muted).style
    }
    return [
      .init(
        title: "cost before", width: 11, priority: 55,
        cells: costs.map { Span(NumberFormat.amount($0.before, unit), Role.money.style) }),
      .init(
        title: "after", width: 11, priority: 56,
        cells: costs.map { Span(NumberFormat.amount($0.after, unit), Role.money.style) }),
      .init(
        title: "difference", width: 12, priority: 90,
        cells: costs.map { Span(NumberFormat.signedAmount($0.after - $0.before, unit), role($0)) }),
      .init(
        title: "", width: 8, priority: 80,
        cells: costs.map {
          let change = Ratio(wide: ($0.after - $0.before).atto, over: $0.before.atto)
          return Span(change == nil ? "" : NumberFormat.signedPercent(change), role($0))
        }),
    ]
  }

  // MARK: - Sentences

  private static func role(_ verdict: PriceChangeEffect.Verdict) -> Role {
    switch verdict {
    case .saving, .partialSaving: .good
    case .rise: .warning
    case .same, .marketing: .value
    }
  }

  /// What the answer rests on, and what it leaves out.
  private static func reasons(_ effect: PriceChangeEffect) -> [String] {
    let replay = effect.replay
    let touched = replay.touched
    let unit = replay.unit
    var sentences: [String] = []
    if let perMillion = touched.perMillion(touched.before), effect.worth == nil,
      effect.verdict != .same
    {
      var text =
        "A million of these tokens: \(NumberFormat.amount(perMillion, unit)) -> \(NumberFormat.amount(touched.perMillion(touched.after), unit))"
      if let promise = effect.promise {
        text +=
          "; the largest cut on the list is \(NumberFormat.percent(promise.cut)), of \(name(promise.billingClass))"
      }
      sentences.append(text + ".")
    }
    if effect.worth == nil, let line = largest(touched) {
      sentences.append(
        "Most of it is \(name(line.billingClass)): \(NumberFormat.signedAmount(line.after - line.before, unit))."
      )
    }
    if let offers = effect.change.offers, let old = offers.before.credits,
      let new = offers.after.credits
    {
      let usage = replay.total
      let months = (
        Ratio(wide: usage.before.atto, over: old.atto),
        Ratio(wide: usage.after.atto, over: new.atto)
      )
      sentences.append(
        "Of a month's credits: \(NumberFormat.percent(months.0)) before, \(NumberFormat.percent(months.1)) after."
      )
    }
    let same = replay.untouched
    if same.requests > 0 {
      sentences.append(
        "\(NumberFormat.counted(same.requests, "other call")) for \(NumberFormat.amount(same.after, unit)) cost the same at both lists."
      )
    }
    if !replay.unpriced.isEmpty {
      let names = Set(replay.unpriced.map { TextWidth.sanitized($0.model ?? "(not stated)") })
      let count = replay.unpriced.reduce(0) { $0 + $1.requests }
      sentences.append(
        "\(NumberFormat.counted(count, "call")) left out, without a price at one of the lists: \(names.sorted().joined(separator: ", "))."
      )
    }
    if replay.subscriptionRequests > 0 {
      sentences.append(
        "\(NumberFormat.counted(replay.subscriptionRequests, "call")) on a subscription left out: choose its plan to see credits."
      )
    }
    if replay.total.unpricedSearches > 0 {
      sentences.append(
        "\(NumberFormat.counted(replay.total.unpricedSearches, "web search")) left out, without a price at one of the lists."
      )
    }
    return sentences
  }

  /// The class that the difference is made of most; `nil` without a difference.
  private static func largest(_ row: PriceReplay.Row) -> PriceReplay.Line? {
    guard row.after != row.before else { return nil }
    let falls = row.after < row.before
    return row.lines.max {
      let (a, b) = ($0.after - $0.before, $1.after - $1.before)
      return falls ? a > b : a < b
    }
  }

  private static func verdict(_ effect: PriceChangeEffect, _ currency: Currency) -> String {
    let isWorth = effect.worth != nil
    let unit = isWorth ? PricingUnit.money(currency) : effect.replay.unit
    func amount(_ amount: Amount) -> String { NumberFormat.amount(amount, unit) }
    let row = isWorth ? effect.replay.total : effect.replay.touched
    let calls = NumberFormat.counted(row.requests, "call")
    let size = Amount(atto: abs((effect.after - effect.before).atto))
    let share =
      Ratio(wide: (effect.after - effect.before).atto, over: effect.before.atto)
      .map { " (\(NumberFormat.signedPercent($0)))" } ?? ""
    let date = effect.change.date.text
    let credits = isWorth ? "credits worth " : ""
    let opening =
      switch effect.verdict {
      case .saving: "Real saving: "
      case .partialSaving: "Partly a saving: "
      case .marketing: "More marketing than saving: "
      case .rise: "A rise: "
      case .same: "No difference: "
      }
    let isRise = effect.after > effect.before
    let costs = "\(credits)\(amount(effect.after)) instead of \(amount(effect.before))"
    switch effect.scope {
    case .sinceChange:
      return opening + "\(calls) since \(date) cost \(costs): it "
        + (isRise ? "cost you \(amount(size)) more" : "saved you \(amount(size))") + share + "."
    case .beforeChange:
      return opening + "\(calls) from before \(date) would have cost \(costs): "
        + "\(amount(size)) \(isRise ? "more" : "less")\(share). None are from after it."
    case .future:
      return opening + "from \(date) on \(calls) like these will cost \(costs): "
        + "\(amount(size)) \(isRise ? "more" : "less")\(share)."
    }
  }
}
