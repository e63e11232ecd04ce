/// Domains in other price books.
enum Host {
  /// The host of `https://api.acme.example/v1`.
  static func of(address: String) -> String? {
    let parts = address.lowercased().split(separator: "/")
    guard parts.count > 1, parts[0].hasSuffix(":") else { return nil }
    return checked(String(parts[1].prefix { $0 != ":" }))
  }

  /// The host in a pattern such as `https://api\.acme\.example`; `nil` if it is not one plain host.
  static func of(pattern: String) -> String? {
    var text = pattern.hasPrefix("^") ? String(pattern.dropFirst()) : pattern
    for scheme in ["https://", "https?://", "http://"] where text.hasPrefix(scheme) {
      text = String(text.dropFirst(scheme.count))
    }
    var plain = ""
    var isEscaped = false
    for character in text.prefix(while: { $0 != "/" }) {
      // A point that is not escaped stands for any character: no plain host.
      if character == ".", !isEscaped { return nil }
      isEscaped = character == "\\" && !isEscaped
      if !isEscaped { plain.append(character) }
    }
    return checked(plain)
  }

  private static func checked(_ host: String) -> String? {
    let isPlain = host.utf8.allSatisfy {
      (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E
    }
    return isPlain && host.contains(".") && host.first != "." ? host : nil
  }
}
