import MimoEngine

/// A JSON document as it is printed: members keep their order, numbers are whole or decimal text.
enum JSONOutput {
  case null
  case bool(Bool)
  case integer(Int64)
  case string(String)
  case array([JSONOutput])
  case object([(String, JSONOutput)])

  /// A decimal as a string, exact; `null` if unknown.
  static func decimal(_ amount: Amount?) -> JSONOutput {
    amount.map { .string($0.exactText) } ?? .null
  }

  /// A text; `null` if unknown.
  static func text(_ text: String?) -> JSONOutput { text.map(JSONOutput.string) ?? .null }

  /// Two spaces a level; arrays and objects without members on one line.
  var text: String {
    var out = ""
    write(to: &out, indent: "")
    return out
  }

  /// The same on one line, as in JSON Lines.
  var line: String {
    var out = ""
    writeLine(to: &out)
    return out
  }

  private func writeLine(to out: inout String) {
    switch self {
    case .array(let values):
      out += "["
      for (index, value) in values.enumerated() {
        if index > 0 { out += "," }
        value.writeLine(to: &out)
      }
      out += "]"
    case .object(let members):
      out += "{"
      for (index, (key, value)) in members.enumerated() {
        if index > 0 { out += "," }
        Self.quote(key, to: &out)
        out += ":"
        value.writeLine(to: &out)
      }
      out += "}"
    default: write(to: &out, indent: "")
    }
  }

  private func write(to out: inout String, indent: String) {
    switch self {
    case .null: out += "null"
    case .bool(let value): out += value ? "true" : "false"
    case .integer(let value): out += String(value)
    case .string(let value): Self.quote(value, to: &out)
    case .array(let values) where values.isEmpty: out += "[]"
    case .array(let values):
      out += "["
      for (index, value) in values.enumerated() {
        out += (index == 0 ? "\n" : ",\n") + indent + "  "
        value.write(to: &out, indent: indent + "  ")
      }
      out += "\n" + indent + "]"
    case .object(let members) where members.isEmpty: out += "{}"
    case .object(let members):
      out += "{"
      for (index, (key, value)) in members.enumerated() {
        out += (index == 0 ? "\n" : ",\n") + indent + "  "
        Self.quote(key, to: &out)
        out += ": "
        value.write(to: &out, indent: indent + "  ")
      }
      out += "\n" + indent + "}"
    }
  }

  private static func quote(_ text: String, to out: inout String) {
    out += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      case "\r": out += "\\r"
      // Control characters of any kind never reach a terminal that prints the document.
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
    out += "\""
  }
}
