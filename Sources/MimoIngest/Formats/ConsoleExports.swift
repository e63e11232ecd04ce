import MimoEngine

/// Tables of usage that the consoles of Anthropic, OpenAI and DeepSeek export, for checks after the fact.
///
/// A row is a sum over many calls and stands at the beginning of its period; where a table does not tell how
/// many, each row counts as one. A row read again, in a later export too, counts once with its largest
/// counters. The calls are also in the logs of whoever made them: read one of the two.
/// Source: format notes of the project, section 12.
public struct ConsoleExportDecoder: RecordDecoder {
  /// As in `RecordDecoder`.
  public static let name = "console-csv"
  /// As in `RecordDecoder`.
  public static let title = "usage tables of the Anthropic, OpenAI and DeepSeek consoles"
  /// The first line names the columns.
  public static let readsInOrder = true

  fileprivate static let ids = IdentitySpace(name)

  private var table: CSVTable?
  private var layout = Layout.anthropic
  /// DeepSeek has a row for each kind of token: the sums so far of what belongs together.
  private var sums: [CallIdentity: UsageRecord] = [:]

  private enum Layout: CaseIterable {
    case anthropic, openAI, deepSeek

    /// Columns that together nobody else has.
    var columns: [String] {
      switch self {
      case .anthropic:
        ["usage_date_utc", "model_version", "usage_input_tokens_no_cache", "usage_output_tokens"]
      case .openAI: ["num_model_requests", "input_tokens", "output_tokens", "model"]
      case .deepSeek: ["model", "type", "price", "amount"]
      }
    }
  }

  /// A decoder at the beginning of a file.
  public init() {}

  /// As in `RecordDecoder`.
  public mutating func decode(
    _ line: UnsafeRawBufferPointer, into output: inout DecodedLines
  ) throws(DecodeError) -> LineKind {
    guard !line.beginsObject, line.contains(UInt8(ascii: ",")) else { return .foreign }
    // A column of each has it in its name; texts with commas are many.
    for layout in Layout.allCases where ByteSearch.contains("model", in: line) {
      guard let table = CSVTable(head: line, naming: layout.columns) else { continue }
      self.table = table
      self.layout = layout
      sums = [:]
      return .notUsage
    }
    guard let table else { return .foreign }
    guard let row = table.row(line) else {
      throw .malformed(at: line.count, "the row has other columns than the head of the table")
    }
    switch layout {
    case .anthropic: return try decodeAnthropic(row, into: &output)
    case .openAI: return try decodeOpenAI(row, into: &output)
    case .deepSeek: return try decodeDeepSeek(row, into: &output)
    }
  }

  private func decodeAnthropic(_ row: CSVRow, into output: inout DecodedLines) throws(DecodeError)
    -> LineKind
  {
    var record = row.record(
      of: "anthropic", time: ["usage_date_utc"], model: "model_version", project: "workspace",
      key: ["api_key"], into: &output)
    record.tokens = TokenCounts(
      input: try row.count("usage_input_tokens_no_cache"),
      cacheRead: try row.count("usage_input_tokens_cache_read"),
      cacheWrite5m: try row.count("usage_input_tokens_cache_write_5m"),
      cacheWrite1h: try row.count("usage_input_tokens_cache_write_1h"),
      output: try row.count("usage_output_tokens"))
    record.quantities.webSearches = try row.count("web_search_count")
    if row["usage_type"] == "batch" { record.tier = .batch }
    if row["speed"] == "fast" { record.tier = .fast }
    // "≤ 200k" or "200k - 1M": the sum says nothing about the size of one prompt.
    record.promptSize =
      row["context_window"].map { $0.contains("1M") || $0.hasPrefix(">") } ?? false ? 200_001 : 0
    record.identity = row.identity(
      of: "anthropic",
      [
        "usage_date_utc", "model_version", "api_key", "workspace", "usage_type", "context_window",
        "inference_geo", "speed",
      ])
    return emit(record, into: &output)
  }

  private func decodeOpenAI(_ row: CSVRow, into output: inout DecodedLines) throws(DecodeError)
    -> LineKind
  {
    var record = row.record(
      of: "openai", time: ["start_time_iso", "start_time", "date"], model: "model",
      project: "project_id", key: ["api_key_id", "user_id"], into: &output)
    var counters = PromptCounters(
      prompt: try row.count("input_tokens"), read: try row.count("input_cached_tokens"))
    counters.output = try row.count("output_tokens")
    record.tokens = try counters.tokens(.inside)
    record.calls = Int32(clamping: max(1, try row.count("num_model_requests")))
    record.promptSize = nil
    record.quantities.audioInput = try row.count("input_audio_tokens")
    record.quantities.audioOutput = try row.count("output_audio_tokens")
    if row["batch"]?.lowercased() == "true" { record.tier = .batch }
    if row["service_tier"] == "priority" { record.tier = .priority }
    if row["service_tier"] == "flex" { record.tier = .flex }
    record.identity = row.identity(
      of: "openai",
      [
        "start_time", "start_time_iso", "date", "project_id", "user_id", "api_key_id", "model",
        "batch", "service_tier",
      ])
    return emit(record, into: &output)
  }

  private mutating func decodeDeepSeek(_ row: CSVRow, into output: inout DecodedLines)
    throws(DecodeError) -> LineKind
  {
    let amount = try row.count("amount")
    let identity = row.identity(
      of: "deepseek",
      ["user_id", "utc_date", "start_time_iso", "end_time_iso", "model", "api_key_name", "api_key"])
    var record =
      sums[identity]
      ?? row.record(
        of: "deepseek", time: ["start_time_iso", "utc_date"], model: "model", project: "",
        key: ["api_key_name", "api_key"], into: &output)
    record.identity = identity
    switch row["type"] {
    case "input_cache_hit_tokens": record.tokens.cacheRead += amount
    case "input_cache_miss_tokens": record.tokens.input += amount
    case "output_tokens": record.tokens.output += amount
    case "request_count":
      record.calls = Int32(clamping: max(1, amount))
      record.promptSize = nil
    default: return .notUsage
    }
    let t = record.tokens
    guard max(t.input, t.cacheRead, t.output) <= TokenCounts.largestPlausibleCount else {
      throw .contradiction("a counter is too large to be true")
    }
    if let price = row["price"].flatMap({ Amount(decimal: $0) }), price > .zero {
      guard price < Amount(whole: 1_000) else {
        throw .contradiction("a price is too large to be true")
      }
      let cost = (record.statedCost ?? .zero) + price * amount
      guard cost <= .largestPlausibleCost else {
        throw .contradiction("a cost is too large to be true")
      }
      record.statedCost = cost
    }
    sums[identity] = record
    return emit(record, into: &output)
  }

  private func emit(_ record: UsageRecord, into output: inout DecodedLines) -> LineKind {
    if record.tokens.isZero, record.calls <= 1, record.quantities.isZero { return .notUsage }
    output.records.append(record)
    return .usage
  }
}

extension CSVRow {
  /// The record of a row without its counters.
  fileprivate func record(
    of seller: String, time: [String], model: String, project: String, key: [String],
    into output: inout DecodedLines
  ) -> UsageRecord {
    let times = time.compactMap { self[$0] }.compactMap { text -> Instant? in
      var text = text
      return text.withUTF8 {
        let bytes = UnsafeRawBufferPointer($0)
        return LogTime.parse(iso: bytes) ?? LogTime.parse(number: bytes)
      }
    }
    var record = UsageRecord(time: times.first ?? output.readTime)
    record.labels = Labels(
      model: output.names.intern(self[model] ?? ""), provider: output.names.intern(seller),
      source: output.names.intern(ConsoleExportDecoder.name),
      project: output.names.intern(self[project] ?? ""),
      key: output.internKey(key.compactMap { self[$0] }.first ?? ""))
    record.promptSize = 0
    return record
  }

  /// What makes two rows the same row of the same table.
  fileprivate func identity(of seller: String, _ columns: [String]) -> CallIdentity {
    ConsoleExportDecoder.ids.identity(
      Fingerprint(of: seller).value, columns.map { Fingerprint(of: self[$0] ?? "").value })
  }
}
