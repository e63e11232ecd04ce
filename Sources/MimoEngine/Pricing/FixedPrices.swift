extension Tariff {
  /// The same plan with everything as it was listed in one minute, at all times.
  ///
  /// Only the date of the lists is fixed: the hour, the weekday and the days off of each call still decide
  /// between peak and off-peak rates. What had no price in that minute has none at any time.
  ///
  /// Models found with this tariff can be used with the other, and the other way around.
  public func withPrices(of minute: Minute) -> Tariff {
    var tariff = self
    tariff.plan.fixPrices(at: minute)
    tariff.book.fixPrices(at: minute)
    return tariff
  }
}

extension PriceBook {
  fileprivate mutating func fixPrices(at minute: Minute) {
    for p in providers.indices {
      for m in providers[p].models.indices { providers[p].models[m].fixPrices(at: minute) }
    }
  }
}

extension Plan {
  fileprivate mutating func fixPrices(at minute: Minute) {
    versions.fixPrices(at: minute, \.validity)
    offPeak.fixPrices(at: minute, \.validity)
    for m in models.indices { models[m].fixPrices(at: minute) }
    for p in recognised.indices { recognised[p].fixPrices(at: minute) }
  }
}

extension ModelPrices {
  fileprivate mutating func fixPrices(at minute: Minute) {
    entries.fixPrices(at: minute, \.validity)
    routes.fixPrices(at: minute, \.validity)
    retired = retired.flatMap { $0 <= minute ? .distantPast : nil }
  }
}

extension Array {
  /// Keeps what holds in one minute, and lets it hold at all times.
  fileprivate mutating func fixPrices(
    at minute: Minute, _ validity: WritableKeyPath<Element, Range<Minute>>
  ) {
    removeAll { !$0[keyPath: validity].contains(minute) }
    for index in indices {
      self[index][keyPath: validity] = .distantPast ..< .distantFuture
    }
  }
}
