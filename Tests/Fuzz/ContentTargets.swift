import CZlib
import CZstd
import Foundation
import MimoEngine
import MimoSQLite

@testable import MimoIngest

extension FuzzTarget {
  /// One document format. Behind bytes 0x1E stand files that lie beside the document.
  static func document(_ format: any DocumentDecoder.Type) -> FuzzTarget {
    FuzzTarget(
      name: "document-\(format)",
      takes: { path, bytes in
        bytes.withUnsafeBytes {
          var output = DecodedLines(readTime: Laws.readTime)
          let tally = try? format.decode(Document(bytes: $0, path: path), into: &output)
          return (tally ?? nil)?.usageLines ?? 0 > 0
        }
      },
      check: { input in
        let parts = input.split(separator: 0x1E, omittingEmptySubsequences: false)
        let names = ["task_metadata.json", "api_conversation_history.json"]
        for (index, name) in names.enumerated() {
          let path = ScratchFile.folder + "/" + name
          unlink(path)
          if index + 1 < parts.count { ScratchFile.write(parts[index + 1], to: path) }
        }
        let text = parts.first.map { UnsafeRawBufferPointer(rebasing: $0) } ?? input
        let path = ScratchFile.folder + "/session-1.json"
        let readings = (0..<2).map { _ in
          var output = DecodedLines(readTime: Laws.readTime)
          let tally = try? format.decode(Document(bytes: text, path: path), into: &output)
          return (output: output, tally: tally ?? nil)
        }
        law(readings[0].output.records == readings[1].output.records, "read twice it differs")
        guard let tally = readings[0].tally else { return }
        Laws.check(readings[0].output)
        Laws.check(tally)
        Laws.checkCountingOnce(readings[0].output)
      })
  }

  /// One database format, with rows made of the input: a line is a row, tabs stand between its fields.
  static func rows(_ format: any DatabaseReader.Type) -> FuzzTarget {
    let schema = format.name == HermesDatabase.name ? hermesSchema : messageSchema
    return FuzzTarget(
      name: "rows-\(format)",
      takes: { path, _ in path.hasSuffix(".sql") || path.contains("/opencode/") },
      prepare: { fixtures in
        let answer =
          #"{"role":"assistant","modelID":"m","time":{"created":1795100000000,"#
          + #""completed":1795100004200},"cost":0.5,"tokens":{"input":10,"output":5,"#
          + #""reasoning":2,"cache":{"read":90,"write":0}}}"#
        let rows = [
          "0\tm1\ts\tmain\t1795100000000\t1795100000000\t\(answer)",
          "1\ts\t/home\t4000\t2100\t90000\t10\t900\t0.5\tm\t1795100000000\t1795100000000",
          "2\tx\tk\ts\t[\"m1\"]\n3\tu\ts",
          "0\ts\tm\tx\t\t1795120000.25\t7\t4000\t2100\t90000\t10\t900\t0.0039\t",
          "1\ts\tm\tx\t\t4\t2500\t1500\t60000\t0\t0\t0.001\t1795120100\t1795120200",
          "2\ts\t2026-11-20\t3\t2000\t1000\t50000\t0\t0",
        ]
        return rows.map { Array($0.utf8) } + [Array(rows.joined(separator: "\n").utf8)] + fixtures
      },
      check: { checkRows(format, schema, $0) })
  }

  private static let messageSchema = [
    ("message", "id TEXT PRIMARY KEY, session_id, agent_id, time_created, time_updated, data"),
    (
      "session",
      """
      id TEXT PRIMARY KEY, directory, tokens_input, tokens_output, tokens_cache_read, tokens_cache_write,
      tokens_reasoning, cost, model, time_created, time_updated
      """
    ), ("external_import", "source, source_key, session_id, message_ids"),
    ("claude_import", "source_uuid, session_id"),
  ]

  private static let hermesSchema = [
    (
      "sessions",
      """
      id TEXT PRIMARY KEY, model, billing_provider, billing_base_url, started_at, api_call_count, input_tokens,
      output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, estimated_cost_usd,
      actual_cost_usd
      """
    ),
    (
      "session_model_usage",
      """
      session_id, model, billing_provider, task, api_call_count, input_tokens, output_tokens,
      cache_read_tokens, cache_write_tokens, reasoning_tokens, estimated_cost_usd, first_seen,
      last_seen
      """
    ),
    (
      "session_daily_usage",
      """
      session_id, day, api_call_count, input_tokens, output_tokens, cache_read_tokens,
      cache_write_tokens, reasoning_tokens
      """
    ),
  ]

  private static func checkRows(
    _ format: any DatabaseReader.Type, _ schema: [(name: String, columns: String)],
    _ input: UnsafeRawBufferPointer
  ) {
    do {
      let database = try SQLiteConnection(path: ":memory:", access: .readWrite)
      for table in schema { try database.execute("CREATE TABLE \(table.name) (\(table.columns))") }
      func insert(_ line: Slice<UnsafeRawBufferPointer>) throws(SQLiteError) {
        let fields = line.split(separator: 9, omittingEmptySubsequences: false).map {
          String(decoding: $0, as: UTF8.self)
        }
        guard let table = fields.first.flatMap({ Int($0) }), schema.indices.contains(table) else {
          return
        }
        let count = schema[table].columns.split(separator: ",").count
        let values = (1...count).map { "?\($0)" }.joined(separator: ", ")
        let row = try database.prepare(
          "INSERT OR IGNORE INTO \(schema[table].name) VALUES (\(values))")
        for (index, field) in fields.dropFirst().prefix(count).enumerated() {
          if let number = Int64(field) {
            row.bind(number, at: Int32(index + 1))
          } else if !field.isEmpty {
            row.bind(field, at: Int32(index + 1))
          }
        }
        _ = try row.step()
      }
      guard var reader = format.init(try DatabaseTables(of: database), path: "opencode.db") else {
        return law(false, "the tables are not those of the format")
      }
      var tally = LineTally()
      func read() throws(SQLiteError) -> DecodedLines {
        var all = DecodedLines(readTime: Laws.readTime)
        try reader.read(database, into: &all, &tally) { _ in }
        // Growth alone may be out of proportion: what it adds to is not.
        Laws.check(all, hasRests: true)
        Laws.check(tally)
        return all
      }
      // What was imported is told before it, as the tool does.
      let isImport = { (line: Slice<UnsafeRawBufferPointer>) in
        format != HermesDatabase.self && (line.first == 50 || line.first == 51)
      }
      let lines =
        input.split(separator: 10).filter(isImport)
        + input.split(separator: 10).filter { !isImport($0) }
      for line in lines.prefix(lines.count / 2) { try insert(line) }
      let first = try read()
      law(try read().records.isEmpty, "nothing has changed, and yet there is news")
      for line in lines.dropFirst(lines.count / 2) { try insert(line) }
      let second = try read()
      // What was read in two steps adds up to what is read at once.
      var anew = format.init(try DatabaseTables(of: database), path: "opencode.db")!
      var whole = DecodedLines(readTime: Laws.readTime)
      var wholeTally = LineTally()
      try anew.read(database, into: &whole, &wholeTally) { _ in }
      let tokens = Laws.sums([whole]).tokens
      law(tokens.reasoning <= tokens.output, "more reasoning than output in all")
      law(
        Laws.sums([first, second]).tokens == tokens,
        "read in two steps the tokens differ")
    } catch {
      law(false, "the database fails: \(error)")
    }
  }

  /// A whole file of any kind, read twice.
  static let content = FuzzTarget(
    name: "content",
    prepare: { fixtures in
      fixtures + databases + fixtures.prefix(2).flatMap { [gzip($0), zstd($0)] }
    },
    check: { input in
      let path = ScratchFile.folder + "/session-1.json"
      ScratchFile.write(input, to: path)
      guard let kind = try? OpenLog(path: path).kind, kind != .lines else { return }
      var content = FileContent(.all)
      let readings = (0..<2).map { _ in
        var all = DecodedLines(readTime: Laws.readTime)
        var output = all
        try? content.read(path, as: kind, beside: [], into: &output) {
          all.records += $0.records
          all.names = $0.names
          $0.removeAll()
        }
        Laws.check(all)
        return all
      }
      law(readings[1].records.isEmpty, "nothing has changed, and yet there is news")
    })

  /// Compressed lines, read in any order of members and frames, cut and damaged.
  static let compressed = FuzzTarget(
    name: "compressed", takes: { path, _ in path.hasSuffix(".jsonl") },
    prepare: { $0.flatMap { [gzip($0), zstd($0), gzip($0) + gzip($0)] } },
    check: { input in
      guard let compression = Compression(magic: input) else { return }
      let path = ScratchFile.folder + "/log"
      ScratchFile.write(input, to: path)
      let log = CompressedLog(path: path, compression: compression)
      var end: Int64 = 0
      var runs: [(place: Int64, count: Int)] = []
      let result = try? log.read(from: 0, maximumLineBytes: 4 << 20) { run, place in
        law(place >= end && !run.isEmpty, "runs overlap")
        end = place + Int64(run.count)
        runs.append((place, run.count))
      }
      guard let result else { return }
      law(result.offset >= end, "the offset is before what was delivered")
      if let middle = runs.randomElement() {
        _ = try? log.read(from: middle.place, maximumLineBytes: 4 << 20) { _, place in
          law(place >= middle.place, "what was accounted for comes again")
        }
      }
    })

  private static func gzip(_ content: [UInt8]) -> [UInt8] {
    var state = z_stream()
    deflateInit2_(
      &state, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&state) }
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&state, UInt(content.count))) + 64)
    var input = content
    input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        state.next_in = input.baseAddress
        state.avail_in = UInt32(input.count)
        state.next_out = output.baseAddress
        state.avail_out = UInt32(output.count)
        deflate(&state, Z_FINISH)
      }
    }
    return Array(output.prefix(Int(state.total_out)))
  }

  private static func zstd(_ content: [UInt8]) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: ZSTD_compressBound(content.count))
    return Array(output.prefix(ZSTD_compress(&output, output.count, content, content.count, 3)))
  }

  /// A small database of each format.
  private static var databases: [[UInt8]] {
    [messageSchema, hermesSchema].map { schema in
      let path = ScratchFile.folder + "/seed.db"
      let database = try? SQLiteConnection(path: path, access: .readWrite)
      try? database?.execute("PRAGMA page_size = 512")
      for table in schema {
        try? database?.execute("CREATE TABLE \(table.0) (\(table.1))")
        let values = table.1.split(separator: ",").map { _ in "7" }.joined(separator: ",")
        try? database?.execute("INSERT INTO \(table.0) VALUES (\(values))")
      }
      let bytes = ScratchFile.read(path)
      try? database?.execute(schema.map { "DROP TABLE \($0.0);" }.joined())
      return bytes
    }
  }
}
