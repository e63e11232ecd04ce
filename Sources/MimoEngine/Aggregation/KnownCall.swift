extension Ledger {
  /// What is remembered of one call, to add only what grows when it is logged again.
  ///
  /// 32 bytes, because there is one for every call of a year. Counters too wide for their bits, stated costs
  /// and the like are rare and live in `CallExtras`.
  struct Call {
    /// The fingerprint the call is found by.
    var key: UInt64
    /// The request id, shortened; 0 without one.
    var request: UInt32
    /// The cell it is counted in.
    var cell: UInt32 = 0
    /// From the lowest bit: fresh input 22, read from the cache 22, milliseconds in the cell 20.
    private var prompt: UInt64 = 0
    /// From the lowest bit: output 20, reasoning 17, written to the cache 21, whether for an hour 1, rank 2,
    /// flags 3.
    private var rest: UInt64 = 0

    init(key: UInt64, request: UInt32) {
      self.key = key
      self.request = request
    }

    /// How long after the beginning of its cell its earliest line was written.
    var milliseconds: UInt32 {
      get { UInt32(truncatingIfNeeded: prompt >> 44) }
      set { prompt = prompt & 0xFFF_FFFF_FFFF | UInt64(newValue) << 44 }
    }

    var rank: CallIdentity.Rank {
      get { CallIdentity.Rank(rawValue: UInt8(rest >> 59 & 3))! }
      set { rest = rest & ~(3 << 59) | UInt64(newValue.rawValue) << 59 }
    }

    /// Whether its counters live elsewhere.
    var hasExtras: Bool {
      get { rest >> 61 & 1 != 0 }
      set { set(61, newValue) }
    }

    var failed: Bool {
      get { rest >> 62 & 1 != 0 }
      set { set(62, newValue) }
    }

    /// Filed under message and request id, because another request came first.
    var isSecond: Bool {
      get { rest >> 63 != 0 }
      set { set(63, newValue) }
    }

    private mutating func set(_ bit: UInt64, _ isSet: Bool) {
      rest = rest & ~(1 << bit) | (isSet ? 1 << bit : 0)
    }

    /// The counters, unless they live elsewhere.
    var tokens: TokenCounts {
      let written = Int64(rest >> 37 & 0x1F_FFFF)
      let isForHour = rest >> 58 & 1 != 0
      return TokenCounts(
        input: Int64(prompt & 0x3F_FFFF), cacheRead: Int64(prompt >> 22 & 0x3F_FFFF),
        cacheWrite5m: isForHour ? 0 : written, cacheWrite1h: isForHour ? written : 0,
        output: Int64(rest & 0xF_FFFF), reasoning: Int64(rest >> 20 & 0x1_FFFF))
    }

    /// Keeps the counters; `false`, with nothing changed, if they are too wide.
    mutating func setTokens(_ t: TokenCounts) -> Bool {
      let written = t.cacheWrite5m | t.cacheWrite1h
      guard (t.input | t.cacheRead) >> 22 == 0, t.output >> 20 == 0, t.reasoning >> 17 == 0,
        written >> 21 == 0, t.cacheWrite5m == 0 || t.cacheWrite1h == 0
      else { return false }
      prompt = (prompt >> 44) << 44 | UInt64(t.cacheRead) << 22 | UInt64(t.input)
      rest =
        (rest >> 59) << 59 | (t.cacheWrite1h > 0 ? 1 << 58 : 0) | UInt64(written) << 37
        | UInt64(t.reasoning) << 20 | UInt64(t.output)
      return true
    }

    /// Decides between calls of one instant; the same whichever request of a message came first.
    var order: UInt64 {
      guard rank == .request, !isSecond else { return key }
      return Call.key(Fingerprint(value: key), request)
    }

    static func key(_ message: Fingerprint, _ request: UInt32) -> UInt64 {
      message.combined(with: UInt64(request)).value
    }
  }

  /// The counters of a call that does not fit into a `Call`.
  struct CallExtras {
    var tokens: TokenCounts
    var beside: BesideTokens
    var calls: Int32
  }
}
