import MimoEngine

/// Answers of the vendors' APIs as callers log them: one JSON object a line, bare or in an envelope.
///
/// Forms: Chat Completions (MiMo, OpenAI, DeepSeek, OpenRouter, vLLM, SGLang, ...), Responses, Messages
/// (MiMo's too), Gemini, and the stream events of each. An envelope may hold the answer under one
/// of several keys, as an object or as JSON text, and tells time, duration, status, key, session and project.
/// Source: format notes of the project, section 3; the vendors' API references.
public struct AnswerDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "api"

  private var streams = Streams()
  private var shapes = AnswerShapes()

  /// As in `RecordDecoder`.
  public var memory: UInt64? { streams.open == nil ? nil : streams.count }

  /// Streams of the Messages form.
  private struct Streams: Sendable {
    /// The one that is open: its events after the first carry no id.
    @Seldom var open: OpenStream?
    /// Closing events seen before any opening one: their stream began in lines that somebody else reads.
    var orphans: [UsageObject] = []
    var wereSeen = false
    /// How many were opened.
    var count: UInt64 = 0

    static let keptOrphans = 1000
  }

  private struct OpenStream: Sendable {
    var identity: CallIdentity?
    var labels: Labels
    var usage: UsageObject
    var conversation: NameID
    var time: Instant

    func close(with usage: UsageObject, into output: inout DecodedLines) {
      var record = UsageRecord(time: time, identity: identity, labels: labels)
      record.conversation = conversation
      record.identity?.rank = .message
      var merged = self.usage.updated(by: usage)
      record.append(&merged, as: .messages, to: &output)
    }
  }

  /// As in `RecordDecoder`.
  public static let title = "API answers (OpenAI, Anthropic, Gemini and DeepSeek forms)"
  /// As in `RecordDecoder`.
  public init() {}

  /// A decoder that reads all lines key by key, as it did before it knew shapes: what tests compare with.
  static var withoutShapes: AnswerDecoder {
    var decoder = AnswerDecoder()
    decoder.shapes = .never
    return decoder
  }

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    var text = line
    // Streams are often logged as they come over the wire: `data: {...}`.
    if line.first == UInt8(ascii: "{") {
      // Nearly every line: nothing to strip.
    } else if line.starts(with: "data:".utf8) {
      text = UnsafeRawBufferPointer(rebasing: line.dropFirst(5))
    } else if line.starts(with: "event:".utf8) {
      return .notUsage
    }
    guard let first = text.first(where: { $0 > 32 }) else { return .foreign }
    guard first == UInt8(ascii: "{") else { return .foreign }
    if let (known, length) = shapes.find(text), length == text.count {
      return Self.emit(&shapes.known[known].answer, text, &streams, into: &output)
    }
    return try decodeNew(text, before: line.count - text.count, into: &output)
  }

  /// As in `RecordDecoder`.
  @inline(__always)
  public mutating func decodeKnown(
    _ run: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) -> (kind: LineKind, length: Int)? {
    guard let (known, length) = shapes.find(run) else { return nil }
    let line = UnsafeRawBufferPointer(start: run.baseAddress, count: length)
    let kind = Self.emit(&shapes.known[known].answer, line, &streams, into: &output)
    return (kind, length)
  }

  /// Reads a line key by key.
  @inline(never)
  private mutating func decodeNew(
    _ text: UnsafeRawBufferPointer, before: Int, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    var cursor = JSONCursor(text)
    var answer = Answer()
    do {
      try answer.read(&cursor)
      try cursor.expectEnd()
    } catch {
      throw error.shifted(by: before)
    }
    defer { withExtendedLifetime(answer) {} }
    if !answer.isForeign { shapes.learn(text) }
    return Self.emit(&answer, text, &streams, into: &output)
  }

  /// As in `RecordDecoder`: closes a stream that the lines before left open.
  public mutating func resume(
    from previous: any RecordDecoder, names: NameTable, into output: inout DecodedLines
  ) {
    guard let previous = previous as? AnswerDecoder, var stream = previous.streams.open else {
      return
    }
    func carry(_ id: NameID) -> NameID { names.withBytes(of: id) { output.names.intern($0) } }
    stream.labels = Labels(
      model: carry(stream.labels.model), provider: carry(stream.labels.provider),
      source: carry(stream.labels.source), project: carry(stream.labels.project),
      session: carry(stream.labels.session), key: carry(stream.labels.key))
    stream.conversation = carry(stream.conversation)
    for usage in streams.orphans { stream.close(with: usage, into: &output) }
    streams.orphans = []
    if !streams.wereSeen { streams.open = stream }
  }

  // Answers are large: they are passed in place, and copied where streams need it.
  private static func emit(
    _ answer: inout Answer, _ line: UnsafeRawBufferPointer, _ streams: inout Streams,
    into output: inout DecodedLines
  ) -> LineKind {
    if answer.isForeign { return .foreign }
    if answer.type == .messageStop {
      streams.open = nil
      streams.wereSeen = true
      return .notUsage
    }
    guard !answer.usage.isEmpty else {
      if answer.hasRare, let gemini = answer.gemini {
        return emit(gemini, of: &answer, into: &output)
      }
      if answer.isFailure {
        let record = addRecord(of: &answer, to: &output)
        output.records[record].failed = true
        output.records[record].tellsCache = false
        return .usage
      }
      return answer.hasTraits ? .notUsage : .foreign
    }
    // An id beside a delta is the caller's: the event itself has none.
    if answer.type == .messageDelta, answer.id == nil || streams.open != nil {
      if let open = streams.open {
        open.close(with: answer.usage, into: &output)
      } else if !streams.wereSeen, streams.orphans.count < Streams.keptOrphans {
        var usage = answer.usage
        usage.iterations = []
        streams.orphans.append(usage)
      }
      return streams.open == nil ? .notUsage : .usage
    }
    guard answer.hasTraits else { return .foreign }
    let record = addRecord(of: &answer, to: &output)
    let isGoogle = !answer.usage.hasDetails && answer.model?.contains("gemini") ?? false
    // MiMo sends null details when nothing was cached; vLLM, which names its answers so, when it does not tell.
    let tellsNull =
      answer.usage.detailsAreNull && !(answer.id?.hasPrefix("chatcmpl-") ?? false)
      && (answer.model.map { $0.contains("mimo") || $0.contains("MiMo") } ?? false)
    let form = answer.usage.form(hint: answer.formHint)
    if answer.type == .messageStart {
      open(record, of: &answer, line, &streams, &output)
    }
    output.records[record].take(
      &answer.usage, as: form, isGoogle: isGoogle, tellsNull: tellsNull)
    if answer.usage.hasRare { output.appendHidden(in: &answer.usage) }
    return .usage
  }

  /// Makes the record of an opening event, which has no counters yet, the stream that is open.
  @inline(never)
  private static func open(
    _ record: Int, of answer: inout Answer, _ line: UnsafeRawBufferPointer,
    _ streams: inout Streams, _ output: inout DecodedLines
  ) {
    // Without an id the opening itself stands for the call, so that its closing can replace it.
    var identity =
      output.records[record].identity ?? CallIdentity(message: Fingerprint(of: line))
    identity.rank = .opening
    output.records[record].identity = identity
    // Iterations point into this line; the closing event states them again.
    var usage = answer.usage
    usage.iterations = []
    streams.wereSeen = true
    streams.count += 1
    streams.open = OpenStream(
      identity: identity, labels: output.records[record].labels, usage: usage,
      conversation: output.records[record].conversation, time: output.records[record].time)
  }

  private static func emit(
    _ usage: GeminiUsage, of answer: inout Answer, into output: inout DecodedLines
  ) -> LineKind {
    let record = addRecord(of: &answer, to: &output)
    output.records[record].tokens = usage.tokens
    output.records[record].quantities = usage.quantities
    return .usage
  }

  /// Adds the record of an answer, without its counters.
  private static func addRecord(of answer: inout Answer, to output: inout DecodedLines) -> Int {
    let session = output.intern(answer.session)
    let labels = Labels(
      model: output.intern(answer.model ?? answer.requestModel),
      provider: answer.provider != nil
        ? output.internSeller(answer.provider) : seller(ofID: answer.id, &output),
      source: output.internSource(name), project: output.intern(answer.project),
      session: session,
      key: output.internKey(answer.caller))
    let time = answer.time ?? answer.created ?? output.readTime
    let record = output.addRecord()
    fill(&output.records[record], time, labels, &answer)
    return record
  }

  @inline(__always)
  private static func fill(
    _ record: inout UsageRecord, _ time: Instant, _ labels: Labels, _ answer: inout Answer
  ) {
    record.time = time
    record.labels = labels
    record.conversation = labels.session
    if let id = answer.id, id.count > 0 {
      record.identity = CallIdentity(message: id.fingerprint)
    }
    record.tier = answer.tier ?? .standard
    record.failed = answer.isFailure
    if answer.hasRare, let cost = answer.statedCost { record.statedCost = cost }
    record.durationMilliseconds = answer.durationMilliseconds
  }
}

extension AnswerDecoder {
  /// Who gives out ids of this form, where the line does not name the seller.
  private static func seller(ofID id: JSONString?, _ output: inout DecodedLines) -> NameID {
    guard let id else { return .none }
    if id.hasPrefix("gen-") { return output.names.intern("openrouter") }
    if id.hasPrefix("msg_bdrk_") { return output.names.intern("amazon-bedrock") }
    if id.hasPrefix("msg_vrtx_") { return output.names.intern("google-vertex") }
    return .none
  }
}

/// `usageMetadata` of the Gemini form: what was cached is inside the prompt, thoughts and tool prompts beside.
struct GeminiUsage {
  var tokens = TokenCounts()
  var quantities = Quantities()

  static func read(_ cursor: inout JSONCursor) throws(DecodeError) -> GeminiUsage? {
    var prompt: Int64 = 0
    var cached: Int64 = 0
    var candidates: Int64 = 0
    var thoughts: Int64 = 0
    var toolPrompt: Int64 = 0
    var total: Int64?
    var quantities = Quantities()
    var isThere = false
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key.count {
      case 15 where key == "totalTokenCount": total = try cursor.count()
      case 16 where key == "promptTokenCount":
        prompt = try cursor.count() ?? 0
        isThere = true
      case 18 where key == "thoughtsTokenCount": thoughts = try cursor.count() ?? 0
      case 19 where key == "promptTokensDetails":
        try readModalities(&cursor) { modality, count in
          if modality == "AUDIO" { quantities.audioInput = count }
          if modality == "IMAGE" { quantities.imageInput = count }
          if modality == "VIDEO" { quantities.videoInput = count }
        }
      case 20 where key == "candidatesTokenCount": candidates = try cursor.count() ?? 0
      case 23 where key == "cachedContentTokenCount": cached = try cursor.count() ?? 0
      case 23 where key == "candidatesTokensDetails":
        try readModalities(&cursor) { modality, count in
          if modality == "AUDIO" { quantities.audioOutput = count }
          if modality == "IMAGE" { quantities.imageOutput = count }
        }
      case 23 where key == "toolUsePromptTokenCount": toolPrompt = try cursor.count() ?? 0
      default: try cursor.skipValue()
      }
    }
    guard isThere else { return nil }
    cached = min(cached, prompt)
    // Translators from the Chat form leave thoughts among the candidates; then the total has them once.
    let isInside = thoughts <= candidates && total == prompt + toolPrompt + candidates
    return GeminiUsage(
      tokens: TokenCounts(
        input: prompt - cached + toolPrompt, cacheRead: cached,
        output: isInside ? candidates : candidates + thoughts, reasoning: thoughts),
      quantities: quantities)
  }

  /// Reads a list of `{modality, tokenCount}`.
  private static func readModalities(
    _ cursor: inout JSONCursor, _ note: (_ modality: JSONString, _ count: Int64) -> Void
  ) throws(DecodeError) {
    guard cursor.next == .array else { return try cursor.skipValue() }
    try cursor.beginArray()
    while try cursor.nextElement() {
      guard cursor.next == .object else {
        try cursor.skipValue()
        continue
      }
      var modality: JSONString?
      var count: Int64?
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        if key == "modality" {
          modality = try cursor.string()
        } else if key == "tokenCount" {
          count = try cursor.count()
        } else {
          try cursor.skipValue()
        }
      }
      if let modality, let count { note(modality, count) }
    }
  }
}
