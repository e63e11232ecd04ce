import Foundation
import MimoEngine
import Testing

@testable import MimoIngest

/// The cursor against Foundation's parser, on the samples and on what mutation makes of them.
@Suite struct DifferentialTests {
  /// The lines of all samples that are JSON objects.
  private static let lines: [String] = {
    let files = (try? FileManager.default.subpathsOfDirectory(atPath: formatSamples.path)) ?? []
    let texts = files.sorted().filter { $0.hasSuffix(".jsonl") }.compactMap {
      try? String(contentsOf: formatSamples.appendingPathComponent($0), encoding: .utf8)
    }
    return texts.flatMap { $0.split(separator: "\n").map(String.init) }.filter {
      (try? JSONSerialization.jsonObject(with: Data($0.utf8))) is [String: Any]
    }
  }()

  @Test func `there are lines to compare`() { #expect(Self.lines.count > 40) }

  /// The calls; an opening of a stream without an id is told apart by the bytes of its line.
  private static func named(_ decoded: Decoded) -> [Call] {
    decoded.calls.map { call in
      var call = call
      if call.identity?.rank == .opening { call.identity = nil }
      return call
    }
  }

  /// One edit makes most lines broken, and some different.
  private static func mutant(of line: String, _ dice: inout Dice) -> String {
    var bytes = Array(line.utf8)
    let place = Int.random(in: 0..<bytes.count, using: &dice)
    let letters = Array("\"\"{}[],,::0123456789.-+eE ntrue/".utf8)
    switch Int.random(in: 0..<4, using: &dice) {
    case 0: bytes[place] = letters.randomElement(using: &dice)!
    case 1: bytes.remove(at: place)
    case 2: bytes.insert(letters.randomElement(using: &dice)!, at: place)
    default: bytes.swapAt(place, min(bytes.count - 1, place + 1))
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(arguments: 0..<16)
  func `what the decoders accept, Foundation accepts with the same numbers`(_ seed: UInt64) {
    var dice = Dice(seed: seed)
    for line in Self.lines {
      let original = Decoded(line).calls
      for _ in 0..<12 {
        let mutant = Self.mutant(of: line, &dice)
        // Foundation is kinder to a comma at the end, and has no number beyond a double's range.
        if mutant.contains(/,[}\]]|[eE][-+]?[0-9]{3}/) { continue }
        let decoded = Decoded(mutant)
        let object = try? JSONSerialization.jsonObject(with: Data(mutant.utf8))
        guard let object = object as? [String: Any],
          let data = try? JSONSerialization.data(
            withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        else {
          // The inside of what is skipped is not checked, so the rest of the line is as it was.
          #expect(decoded.calls.isEmpty || decoded.calls == original, "\(mutant)")
          continue
        }
        let plain = Decoded(String(decoding: data, as: UTF8.self))
        #expect(Self.named(decoded) == Self.named(plain), "\(mutant)")
        #expect(decoded.tally.malformed == plain.tally.malformed, "\(mutant)")
      }
    }
  }

  @Test(arguments: 0..<16)
  func `what the cursor reads to the end, Foundation reads with the same values`(
    _ seed: UInt64
  ) {
    var dice = Dice(seed: 200 + seed)
    var compared = 0
    for line in Self.lines {
      for _ in 0..<8 {
        let mutant = Self.mutant(of: line, &dice)
        // What the cursor is kinder to, `isStrict` says.
        let tree = Array(mutant.utf8).withUnsafeBytes { JSONTree($0) }
        guard let tree, tree.isStrict else { continue }
        let object = try? JSONSerialization.jsonObject(with: Data(mutant.utf8))
        #expect(object.map { tree.value.equals($0) } == true, "\(mutant)")
        compared += 1
      }
    }
    #expect(compared > 80)
  }

  @Test(arguments: 0..<16)
  func `the spelling of an object does not matter`(_ seed: UInt64) throws {
    var dice = Dice(seed: 100 + seed)
    for line in Self.lines {
      var value = try JSONDecoder().decode(JSON.self, from: Data(line.utf8))
      for _ in 0..<6 {
        value = value.mutated(&dice)
        let plain = Decoded(value.plainText)
        let odd = value.oddText(&dice)
        let decoded = Decoded(odd)
        #expect(Self.named(decoded) == Self.named(plain), "\(odd)")
        #expect(decoded.tally.malformed == plain.tally.malformed, "\(odd)")
      }
    }
  }
}

/// A JSON value as a tree.
private indirect enum JSON: Decodable {
  case null
  case bool(Bool)
  case number(Decimal)
  case string(String)
  case array([JSON])
  case object([(String, JSON)])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let number = try? value.decode(Decimal.self) {
      self = .number(number)
    } else if let string = try? value.decode(String.self) {
      self = .string(string)
    } else if let array = try? value.decode([JSON].self) {
      self = .array(array)
    } else {
      self = .object(try value.decode([String: JSON].self).sorted { $0.key < $1.key })
    }
  }

  /// The same tree with perhaps a few values replaced.
  func mutated(_ dice: inout Dice) -> JSON {
    switch self {
    case .object(let members):
      return .object(members.map { ($0, $1.mutated(&dice)) })
    case .array(let elements):
      return .array(elements.map { $0.mutated(&dice) })
    default:
      guard Int.random(in: 0..<12, using: &dice) == 0 else { return self }
      let others: [JSON] = [
        .null, .bool(true), .number(0), .number(12), .number(1000),
        .number(Decimal(string: "2.5")!),
        .number(-3), .number(1_000_000_000_001), .string(""), .string("12"),
        .string("x \"y\" \\ é😀"),
        .array([.number(1)]), .object([("usage", .object([("prompt_tokens", .number(7))]))]),
      ]
      return others.randomElement(using: &dice)!
    }
  }

  /// The ordinary way of writing it.
  var plainText: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let value): "\(value)"
    case .string(let value): Self.quoted(value) { _ in false }
    case .array(let elements): "[" + elements.map(\.plainText).joined(separator: ",") + "]"
    case .object(let members):
      "{"
        + members.map { Self.quoted($0) { _ in false } + ":" + $1.plainText }
        .joined(separator: ",") + "}"
    }
  }

  /// An unusual way: other order, white space, exponents, and escapes where some writers put them.
  func oddText(_ dice: inout Dice) -> String {
    func space() -> String {
      Int.random(in: 0..<4, using: &dice) == 0
        ? [" ", "\t", "\r", "  "].randomElement(using: &dice)! : ""
    }
    func odd(_ text: String) -> String {
      Self.quoted(text) {
        ($0.value > 127 || "/+&<>'`=".unicodeScalars.contains($0)) && Bool.random(using: &dice)
      }
    }
    switch self {
    case .number(let value):
      let text = "\(value)"
      guard !text.contains("."), text != "0" else { return text }
      return [text, text, text + ".0", text + "e0", text + "0E-1"].randomElement(using: &dice)!
    case .string(let value): return odd(value)
    case .array(let elements):
      return "[" + space()
        + elements.map { $0.oddText(&dice) + space() }.joined(separator: "," + space()) + "]"
    case .object(let members):
      let texts = members.shuffled(using: &dice).map { key, value in
        odd(key) + space() + ":" + space() + value.oddText(&dice) + space()
      }
      return "{" + space() + texts.joined(separator: "," + space()) + "}"
    default: return plainText
    }
  }

  private static func quoted(_ text: String, escaping: (Unicode.Scalar) -> Bool) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" || scalar == "\\" {
        result += "\\" + String(scalar)
      } else if scalar.value < 32 || escaping(scalar) {
        for unit in String(scalar).utf16 {
          let hex = String(unit, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        }
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
