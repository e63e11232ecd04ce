/// Where plain lines have what we look for, as the user says: `input=usage.in,output=usage.out,cached=inside`.
///
/// A dot leads into an object. Counters that the map does not name are not read; all else it does not name
/// is looked for under its usual names.
public struct FieldMap: Sendable, Equatable {
  /// What a line can say of a call.
  enum Field: String, CaseIterable, Sendable {
    case input, output, reasoning, cost, model, time, id, session, project, key, provider, status
    case cacheRead = "cache_read"
    case cacheWrite = "cache_write"
    case cacheWriteHour = "cache_write_1h"
    case durationMilliseconds = "duration_ms"

    /// Whether it counts tokens.
    var isCounter: Bool {
      switch self {
      case .input, .output, .reasoning, .cacheRead, .cacheWrite, .cacheWriteHour: true
      default: false
      }
    }
  }

  /// A field with the keys that lead to it.
  struct Entry: Sendable, Equatable {
    var field: Field
    var path: [String]
  }

  let entries: [Entry]
  let cached: PromptCounters.Cached?

  /// Why a map cannot be used.
  public enum Mistake: Error, Equatable, CustomStringConvertible {
    /// Not of the form `FIELD=PATH`.
    case notAPair(String)
    /// A field that does not exist.
    case unknownField(String)
    /// A field given twice.
    case repeated(String)
    /// Neither input nor output is mapped.
    case noCounter
    /// Cached tokens are mapped, but not whether the input holds them; or the word for it is wrong.
    case cachedWhere

    /// One lower-case sentence that says what to write.
    public var description: String {
      switch self {
      case .notAPair(let text): "'\(text)' is not FIELD=PATH, such as input=usage.in"
      case .unknownField(let name):
        "unknown field '\(name)'; known are "
          + (Field.allCases.map(\.rawValue) + ["cached"]).joined(separator: ", ")
      case .repeated(let name): "'\(name)' is given twice"
      case .noCounter: "say where the tokens are: input=PATH or output=PATH is missing"
      case .cachedWhere:
        "say whether input holds the cached tokens: cached=inside or cached=beside"
      }
    }
  }

  /// Reads `FIELD=PATH,FIELD=PATH,...`.
  public init(_ text: String) throws(Mistake) {
    var entries: [Entry] = []
    var cached: PromptCounters.Cached?
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pair = part.split(separator: "=", maxSplits: 1).map {
        String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      }
      guard pair.count == 2, !pair[0].isEmpty, !pair[1].isEmpty else {
        throw .notAPair(String(part))
      }
      if pair[0] == "cached" {
        guard cached == nil else { throw .repeated(pair[0]) }
        cached = PromptCounters.Cached(rawValue: pair[1])
        if cached == nil { throw .cachedWhere }
        continue
      }
      guard let field = Field(rawValue: pair[0]) else { throw .unknownField(pair[0]) }
      guard !entries.contains(where: { $0.field == field }) else { throw .repeated(pair[0]) }
      let path = pair[1].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      guard !path.contains("") else { throw .notAPair(String(part)) }
      entries.append(Entry(field: field, path: path))
    }
    let fields = entries.map(\.field)
    guard fields.contains(.input) || fields.contains(.output) else { throw .noCounter }
    if cached == nil, !Set(fields).isDisjoint(with: [.cacheRead, .cacheWrite, .cacheWriteHour]) {
      throw .cachedWhere
    }
    self.entries = entries
    self.cached = cached
  }
}
