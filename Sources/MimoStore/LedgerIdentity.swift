#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What tells a ledger from others, and its keys from theirs.
struct LedgerIdentity: Equatable, Sendable {
  /// Sixteen bytes.
  var origin: [UInt8]
  /// A number that is not 0.
  var keySalt: UInt64

  static func random() -> LedgerIdentity {
    LedgerIdentity(
      origin: (0..<16).map { _ in UInt8.random(in: 0...255) },
      keySalt: UInt64.random(in: 1...UInt64.max))
  }

  /// Its text in a file.
  var text: String {
    let digits = origin.map { String(256 + Int($0), radix: 16).dropFirst() }.joined()
    return "origin \(digits)\nkey_salt \(String(keySalt, radix: 16))\n"
  }

  init(origin: [UInt8], keySalt: UInt64) {
    self.origin = origin
    self.keySalt = keySalt
  }

  /// Reads what `text` gave; `nil` if it is anything else.
  init?(text: String) {
    let words = text.split(separator: "\n").flatMap { $0.split(separator: " ") }
    guard words.count == 4, words[0] == "origin", words[2] == "key_salt", words[1].utf8.count == 32,
      let salt = UInt64(words[3], radix: 16), salt != 0
    else { return nil }
    var origin: [UInt8] = []
    var rest = words[1]
    while !rest.isEmpty {
      guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
      origin.append(byte)
      rest = rest.dropFirst(2)
    }
    self.init(origin: origin, keySalt: salt)
  }
}

// The identity outlives a database that is damaged or deleted.
extension StoreFolder {
  private var identityFile: String { path + "/ledger.id" }

  /// The identity of the last ledger of the folder; `nil` if none is known.
  var keptIdentity: LedgerIdentity? {
    let file = open(identityFile, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    if file < 0 { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 200)
    let count = read(file, &bytes, bytes.count)
    return LedgerIdentity(text: String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self))
  }

  /// Keeps the identity of the ledger, for the next one. It is a precaution: what stops it stops nothing else.
  func keep(_ identity: LedgerIdentity) {
    if keptIdentity == identity { return }
    let new = identityFile + ".new"
    unlink(new)
    let file = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    if file < 0 { return }
    let bytes = Array(identity.text.utf8)
    let isWritten = write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
    close(file)
    if !isWritten || rename(new, identityFile) != 0 { unlink(new) }
  }
}
