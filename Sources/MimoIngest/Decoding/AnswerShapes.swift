import CScan
import MimoEngine

/// What the last few kinds of answers of a log looked like.
///
/// Of a line that looks like one of them the answer is that one's with other values, which are read by the same
/// functions as always.
struct AnswerShapes: Sendable {
  struct Known: Sendable {
    fileprivate let shape: LineShape<Answer.Hole>
    /// An answer that looked so.
    var answer: Answer
    /// Where the texts stand that all such answers have.
    fileprivate let text: TextCopy

    /// Reads the values of the line that a text begins with into the answer, and returns its length; `nil`, with some
    /// of them read, if the line looks different.
    ///
    /// - Parameter text: a line, or several with a newline behind each but perhaps the last.
    fileprivate mutating func read(_ text: UnsafeRawBufferPointer) -> Int? {
      var cursor = JSONCursor(text)
      var place = shape.start
      while place.pass(&cursor) {
        guard let hole = place.hole else { return cursor.isAtLineEnd ? cursor.offset : nil }
        let value = cursor.p
        guard (try? answer.read(hole, &cursor)) ?? false else { return nil }
        // No piece goes beyond its line, and no number does; a string without its end may.
        if value < cursor.p, value.pointee == UInt8(ascii: "\""),
          ByteSearch.hasNewline(value, cursor.p)
        {
          return nil
        }
      }
      return nil
    }
  }

  var known: [Known] = []
  /// The one that was met last.
  private var latest = 0
  /// What was learned in vain so far. Where hardly any line is like another, looking is a waste.
  private var waste = 0
  /// So many lines are not looked at.
  private var rest = 0

  /// None, and none to come.
  static let never = AnswerShapes(rest: .max)

  private static let capacity = 6
  /// To learn a shape takes as long as a few lines, which it is to save.
  private static let price = 16
  private static let credit = 32 * price
  private static let pause = 2000
  /// Files are followed by the thousand, and each may have its shapes.
  private static let longest = 2048

  /// Which answer the line looks like that a text begins with, and how long the line is. The answer then has the
  /// line's values: it is valid as long as both.
  @inline(__always)
  mutating func find(_ text: UnsafeRawBufferPointer) -> (known: Int, length: Int)? {
    if known.isEmpty { return nil }
    if let length = known[latest].read(text) {
      if waste > 0 { waste -= 1 }
      return (latest, length)
    }
    return findOther(text)
  }

  @inline(never)
  private mutating func findOther(_ text: UnsafeRawBufferPointer) -> (known: Int, length: Int)? {
    for index in known.indices where index != latest {
      guard let length = known[index].read(text) else { continue }
      latest = index
      if waste > 0 { waste -= 1 }
      return (index, length)
    }
    return nil
  }

  /// Remembers what an answer looked like that was read key by key.
  mutating func learn(_ line: UnsafeRawBufferPointer) {
    if rest > 0 {
      rest -= 1
    } else if waste < Self.credit {
      waste += Self.price
      learnNew(line)
    } else {
      known = []
      waste -= 4 * Self.price
      rest = Self.pause
    }
  }

  @inline(never)
  private mutating func learnNew(_ line: UnsafeRawBufferPointer) {
    // A document over several lines has one newline or more inside.
    guard firstNewline(in: line, from: 0) == nil, let holes = Answer.holes(of: line) else { return }
    // What nobody reads need not be kept.
    var text: [UInt8] = []
    var start = 0
    for (range, hole) in holes where hole == .text {
      text.append(contentsOf: line[start..<range.lowerBound])
      start = range.upperBound
    }
    text.append(contentsOf: line[start...])
    guard text.count <= Self.longest else { return }
    let copy = text.withUnsafeBytes { TextCopy($0) }
    var cursor = JSONCursor(copy.bytes)
    var answer = Answer()
    guard (try? answer.read(&cursor)) != nil else { return }
    let new = Known(shape: LineShape(line, holes: holes), answer: answer, text: copy)
    if known.count < Self.capacity {
      latest = known.count
      known.append(new)
    } else {
      latest = (latest + 1) % Self.capacity
      known[latest] = new
    }
  }
}

extension Answer {
  /// A value that may differ between answers that look alike.
  enum Hole: UInt8 {
    /// The content of a text that nobody reads.
    case text
    /// A number that nobody reads.
    case number
    case id, model, session, caller, project
    case time, created, milliseconds, seconds, statedCost
    case prompt, completion, total, hit, miss, cached, input, output, cacheRead, cacheCreation
    case fiveMinutes, hour, detailCached, reasoning, thinking, cost, upstreamCost
  }

  /// Reads one value; `false` if it is of another kind.
  @inline(__always)
  mutating func read(_ hole: Hole, _ cursor: inout JSONCursor) throws(DecodeError) -> Bool {
    switch hole {
    case .text:
      guard let quote = cs_end_of_text(cursor.p, cursor.end) else { return false }
      cursor.p = quote
      return true
    case .number: return try cursor.numberText() != nil
    case .id: return try Self.take(&id, &cursor)
    case .model: return try Self.take(&model, &cursor)
    case .session: return try Self.take(&session, &cursor)
    case .caller: return try Self.take(&caller, &cursor)
    case .project: return try Self.take(&project, &cursor)
    case .time:
      time = try LogTime.read(&cursor)
      return time != nil
    case .created:
      created = try LogTime.read(&cursor)
      return created != nil
    case .milliseconds:
      durationMilliseconds = nil
      readDuration(try cursor.numberText(), scale: 0)
      return durationMilliseconds != nil
    case .seconds:
      durationMilliseconds = nil
      readDuration(try cursor.numberText(), scale: 3)
      return durationMilliseconds != nil
    case .statedCost:
      statedCost = try UsageObject.readCost(&cursor)
      return statedCost != nil
    case .cost:
      usage.cost = try UsageObject.readCost(&cursor)
      return usage.cost != nil
    case .upstreamCost:
      usage.upstreamCost = try UsageObject.readCost(&cursor)
      return usage.upstreamCost != nil
    case .prompt: return try Self.take(&usage.promptTokens, &cursor)
    case .completion: return try Self.take(&usage.completionTokens, &cursor)
    case .total: return try Self.take(&usage.totalTokens, &cursor)
    case .hit: return try Self.take(&usage.hitTokens, &cursor)
    case .miss: return try Self.take(&usage.missTokens, &cursor)
    case .cached: return try Self.take(&usage.cachedTokens, &cursor)
    case .input: return try Self.take(&usage.inputTokens, &cursor)
    case .output: return try Self.take(&usage.outputTokens, &cursor)
    case .cacheRead: return try Self.take(&usage.cacheReadInputTokens, &cursor)
    case .cacheCreation: return try Self.take(&usage.cacheCreationInputTokens, &cursor)
    case .fiveMinutes: return try Self.take(&usage.ephemeral5m, &cursor)
    case .hour: return try Self.take(&usage.ephemeral1h, &cursor)
    case .detailCached: return try Self.take(&usage.detailCached, &cursor)
    case .reasoning: return try Self.take(&usage.reasoning, &cursor)
    case .thinking: return try Self.take(&usage.thinking, &cursor)
    }
  }

  @inline(__always)
  private static func take(
    _ text: inout JSONString?, _ cursor: inout JSONCursor
  ) throws(DecodeError) -> Bool {
    text = try cursor.string()
    return text != nil
  }

  @inline(__always)
  private static func take(
    _ counter: inout Int64?, _ cursor: inout JSONCursor
  ) throws(DecodeError) -> Bool {
    counter = try cursor.count()
    return counter != nil
  }

  /// Whether this answer has the value that `other` has, and from the same place.
  private func agrees(with other: Answer, on hole: Hole) -> Bool {
    let (a, b) = (usage, other.usage)
    return switch hole {
    case .text, .number: true
    case .id: id?.start == other.id?.start
    case .model: model?.start == other.model?.start
    case .session: session?.start == other.session?.start
    case .caller: caller?.start == other.caller?.start
    case .project: project?.start == other.project?.start
    case .time: time == other.time
    case .created: created == other.created
    case .milliseconds, .seconds: durationMilliseconds == other.durationMilliseconds
    case .statedCost: statedCost == other.statedCost
    case .cost: a.cost == b.cost
    case .upstreamCost: a.upstreamCost == b.upstreamCost
    case .prompt: a.promptTokens == b.promptTokens
    case .completion: a.completionTokens == b.completionTokens
    case .total: a.totalTokens == b.totalTokens
    case .hit: a.hitTokens == b.hitTokens
    case .miss: a.missTokens == b.missTokens
    case .cached: a.cachedTokens == b.cachedTokens
    case .input: a.inputTokens == b.inputTokens
    case .output: a.outputTokens == b.outputTokens
    case .cacheRead: a.cacheReadInputTokens == b.cacheReadInputTokens
    case .cacheCreation: a.cacheCreationInputTokens == b.cacheCreationInputTokens
    case .fiveMinutes: a.ephemeral5m == b.ephemeral5m
    case .hour: a.ephemeral1h == b.ephemeral1h
    case .detailCached: a.detailCached == b.detailCached
    case .reasoning: a.reasoning == b.reasoning
    case .thinking: a.thinking == b.thinking
    }
  }

  // MARK: - Finding the values

  /// The values of a line that others may have in their places; `nil` if that cannot be told.
  fileprivate static func holes(
    of line: UnsafeRawBufferPointer
  ) -> [(range: Range<Int>, hole: Hole)]? {
    var cursor = JSONCursor(line)
    var search = HoleSearch()
    // What stands in a body that is text counts before what stands beside it, and is not looked at here.
    guard (try? search.answer.read(&cursor)) != nil, search.answer.copies.isEmpty else {
      return nil
    }
    cursor = JSONCursor(line)
    guard (try? search.look(at: &cursor, .answer, depth: 0)) != nil else { return nil }
    // Of two places for one value the second may count here, and the first elsewhere.
    var seen: Set<Hole> = [.text, .number]
    var isTwice = search.found.contains { hole in
      hole.hole != .text && hole.hole != .number && !seen.insert(hole.hole).inserted
    }
    isTwice = isTwice || seen.isSuperset(of: [.milliseconds, .seconds])
    return isTwice ? nil : search.found
  }

  private struct HoleSearch {
    /// What the line came to.
    var answer = Answer()
    var found: [(range: Range<Int>, hole: Hole)] = []

    enum Place { case answer, request, usage, inputDetails, outputDetails, writes, costs }

    mutating func look(
      at cursor: inout JSONCursor, _ place: Place, depth: Int
    ) throws(DecodeError) {
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        if isUnread(key, place) || (place == .answer && cursor.next == .array && isBody(key)) {
          try lookForTexts(&cursor)
        } else if cursor.next == .object, let inside = part(key, of: place, depth) {
          try look(at: &cursor, inside, depth: depth + 1)
        } else {
          try look(at: &cursor, for: Self.value(key, place, depth))
        }
      }
    }

    /// Takes a value for that of a hole, if the answer has it from here.
    private mutating func look(
      at cursor: inout JSONCursor, for hole: Hole?
    ) throws(DecodeError) {
      let start = cursor
      try cursor.skipValue()
      guard let hole else { return }
      var (ahead, value) = (start, Answer())
      guard (try? value.read(hole, &ahead)) ?? false, ahead.p == cursor.p,
        answer.agrees(with: value, on: hole)
      else { return }
      found.append((start.offset..<cursor.offset, hole))
    }

    /// Takes all texts of a value that is skipped; it does not matter if one of them is a key.
    private mutating func lookForTexts(_ cursor: inout JSONCursor) throws(DecodeError) {
      let start = cursor
      let isNumber = cursor.next == .number
      try cursor.skipValue()
      if isNumber { return found.append((start.offset..<cursor.offset, .number)) }
      let quote = UInt8(ascii: "\"")
      var q = start.p
      while q < cursor.p {
        q += 1
        guard q[-1] == quote else { continue }
        let from = q
        while q.pointee != quote { q += q.pointee == UInt8(ascii: "\\") ? 2 : 1 }
        let range = start.offset + (from - start.p)..<start.offset + (q - start.p)
        q += 1
        if q == cursor.p || q.pointee != UInt8(ascii: ":") { found.append((range, .text)) }
      }
    }

    /// Whether a key's value is skipped there, whatever it is.
    private func isUnread(_ key: JSONString, _ place: Place) -> Bool {
      if place == .answer, key == "choices" || key == "candidates" || key == "request_id" {
        return true
      }
      // Who reads the object says whether it knows the key.
      switch place {
      case .answer: return answer(of: "{", key, ":0}")?.hasUnknownKeys ?? false
      case .request:
        return answer(of: #"{"request":{"#, key, ":0}}")?.hasUnknownRequestKeys ?? false
      case .usage: return answer(of: #"{"usage":{"#, key, ":0}}")?.usage.hasUnknownKeys ?? false
      case .inputDetails:
        return answer(of: #"{"usage":{"prompt_tokens_details":{"#, key, ":0}}}")?
          .usage.hasUnknownKeys ?? false
      case .outputDetails:
        return answer(of: #"{"usage":{"completion_tokens_details":{"#, key, ":0}}}")?
          .usage.hasUnknownKeys ?? false
      case .costs:
        return answer(of: #"{"usage":{"cost_details":{"#, key, ":0}}}")?.usage.hasUnknownKeys
          ?? false
      case .writes: return false
      }
    }

    /// Whether an answer may stand under a key: one of either kind is taken then.
    private func isBody(_ key: JSONString) -> Bool {
      answer(of: #"{"type":"message_start","#, key, #":{"id":"a"}}"#)?.id != nil
    }

    /// What a text comes to in which a key stands; its texts are gone.
    private func answer(of before: String, _ key: JSONString, _ behind: String) -> Answer? {
      let text = Array("\(before)\"".utf8) + Array(key.bytes) + Array("\"\(behind)".utf8)
      return text.withUnsafeBytes { bytes in
        var cursor = JSONCursor(bytes)
        var answer = Answer()
        guard (try? answer.read(&cursor)) != nil, !cursor.hasMore else { return nil }
        return answer
      }
    }

    /// What an object inside another is.
    private func part(_ key: JSONString, of place: Place, _ depth: Int) -> Place? {
      switch place {
      case .answer:
        if key == "usage" { return .usage }
        if key == "request" { return .request }
        return depth < Answer.deepest && isBody(key) ? .answer : nil
      case .usage:
        if key == "prompt_tokens_details" || key == "input_tokens_details" { return .inputDetails }
        if key == "completion_tokens_details" || key == "output_tokens_details" {
          return .outputDetails
        }
        if key == "cost_details" { return .costs }
        return key == "cache_creation" ? .writes : nil
      default: return nil
      }
    }

    private static func value(_ key: JSONString, _ place: Place, _ depth: Int) -> Hole? {
      switch place {
      case .answer: return valueOfAnswer(key, depth)
      case .request: return nil
      case .usage: return counter(key)
      case .inputDetails: return key == "cached_tokens" ? .detailCached : nil
      case .outputDetails:
        if key == "reasoning_tokens" { return .reasoning }
        return key == "thinking_tokens" ? .thinking : nil
      case .writes:
        if key == "ephemeral_5m_input_tokens" { return .fiveMinutes }
        return key == "ephemeral_1h_input_tokens" ? .hour : nil
      case .costs: return key == "upstream_inference_cost" ? .upstreamCost : nil
      }
    }

    private static func valueOfAnswer(_ key: JSONString, _ depth: Int) -> Hole? {
      if key == "id" || key == "responseId" { return .id }
      if key == "model" || key == "modelVersion" { return .model }
      if key == "session" || key == "session_id" || key == "conversation_id" { return .session }
      if key == "user" || key == "user_id" || key == "key" || key == "api_key" { return .caller }
      if key == "app" || key == "project" { return .project }
      if key == "created" { return .created }
      if key == "ts" || key == "time" || key == "timestamp" || key == "created_at" {
        return depth == 0 ? .time : .created
      }
      if key == "latency_ms" || key == "duration_ms" { return .milliseconds }
      if key == "elapsed" { return .seconds }
      if key == "cost" || key == "cost_usd" || key == "response_cost" { return .statedCost }
      return nil
    }

    private static func counter(_ key: JSONString) -> Hole? {
      if key == "prompt_tokens" { return .prompt }
      if key == "completion_tokens" { return .completion }
      if key == "total_tokens" { return .total }
      if key == "prompt_cache_hit_tokens" { return .hit }
      if key == "prompt_cache_miss_tokens" { return .miss }
      if key == "cached_tokens" || key == "num_cached_tokens" { return .cached }
      if key == "input_tokens" { return .input }
      if key == "output_tokens" { return .output }
      if key == "cache_read_input_tokens" { return .cacheRead }
      if key == "cache_creation_input_tokens" { return .cacheCreation }
      return key == "cost" ? .cost : nil
    }
  }
}
