/// What calls used beside text: things billed by their number, and the parts of the tokens that are not text.
///
/// Tokens of sound and pictures are inside the prompt or the output; here they are shown, not billed again.
public struct Quantities: Hashable, Sendable {
  /// Web searches, billed apart.
  public var webSearches: Int64 = 0
  /// Seconds of speech that a model billed by length has heard, each begun one whole.
  public var audioSeconds: Int64 = 0
  /// Prompt tokens that are sound.
  public var audioInput: Int64 = 0
  /// Prompt tokens that are pictures.
  public var imageInput: Int64 = 0
  /// Prompt tokens that are film.
  public var videoInput: Int64 = 0
  /// Output tokens that are sound.
  public var audioOutput: Int64 = 0
  /// Output tokens that are pictures.
  public var imageOutput: Int64 = 0

  /// Nothing.
  public init() {}

  /// All counters with the names that documents give them.
  public static let counters:
    [(name: String, path: WritableKeyPath<Quantities, Int64> & Sendable)] = [
      ("web_searches", \.webSearches), ("audio_seconds", \.audioSeconds),
      ("audio_input_tokens", \.audioInput), ("image_input_tokens", \.imageInput),
      ("video_input_tokens", \.videoInput), ("audio_output_tokens", \.audioOutput),
      ("image_output_tokens", \.imageOutput),
    ]

  /// Whether every count is zero.
  public var isZero: Bool {
    webSearches | audioSeconds | audioInput | imageInput | videoInput | audioOutput | imageOutput
      == 0
  }

  /// Several times the largest plausible count of one call: the classes of a record may be sums of a few counters.
  static let largest: UInt64 = 1 << 43

  /// Whether no count is negative, or too large to be true.
  var arePlausible: Bool {
    isZero
      || Self.counters.allSatisfy { UInt64(bitPattern: self[keyPath: $0.path]) <= Self.largest }
  }

  /// All of them, as far as adding them has a meaning: to keep sums within what they can hold.
  var sum: Int64 {
    webSearches + audioSeconds + audioInput + imageInput + videoInput + audioOutput + imageOutput
  }

  /// The larger of each count of the two: what a repeated answer adds up to.
  func maximum(_ other: Quantities) -> Quantities {
    combined(other) { Swift.max($0, $1) }
  }

  /// Adds each count, or takes it away.
  mutating func add(_ other: Quantities, sign: Int64 = 1) {
    self = combined(other) { $0 + sign * $1 }
  }

  private func combined(_ other: Quantities, _ combine: (Int64, Int64) -> Int64) -> Quantities {
    var result = Quantities()
    result.webSearches = combine(webSearches, other.webSearches)
    result.audioSeconds = combine(audioSeconds, other.audioSeconds)
    result.audioInput = combine(audioInput, other.audioInput)
    result.imageInput = combine(imageInput, other.imageInput)
    result.videoInput = combine(videoInput, other.videoInput)
    result.audioOutput = combine(audioOutput, other.audioOutput)
    result.imageOutput = combine(imageOutput, other.imageOutput)
    return result
  }

  /// Some order, the same on every machine.
  static func < (a: Quantities, b: Quantities) -> Bool {
    for (_, path) in counters where a[keyPath: path] != b[keyPath: path] {
      return a[keyPath: path] < b[keyPath: path]
    }
    return false
  }
}
