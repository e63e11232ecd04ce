/// Which file on disk, whatever its name: the same until the file is deleted.
public struct FileIdentity: Hashable, Sendable {
  /// The device the file lives on. May change when the machine restarts.
  public var device: UInt64
  /// The file's number on that device. May be given to another file after a deletion.
  public var inode: UInt64

  /// Creates an identity from the two numbers `stat` reports.
  public init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

/// A hash of a short run of bytes (FNV-1a, 64 bits), the same on every machine and in every run.
public struct PrefixFingerprint: Hashable, Sendable {
  /// How many bytes were hashed.
  public private(set) var length: Int
  /// Their hash.
  public private(set) var hash: UInt64

  /// The fingerprint of no bytes.
  public init() {
    length = 0
    hash = 0xcbf2_9ce4_8422_2325
  }

  /// Restores a stored fingerprint.
  public init(length: Int, hash: UInt64) {
    self.length = length
    self.hash = hash
  }

  /// The fingerprint of `bytes`.
  public init(of bytes: UnsafeRawBufferPointer) {
    self.init()
    extend(with: bytes)
  }

  /// Makes this the fingerprint of the bytes so far followed by `bytes`.
  public mutating func extend(with bytes: UnsafeRawBufferPointer) {
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    length += bytes.count
  }
}

/// How far a file has been accounted for, and how to recognise it later.
///
/// ```
/// 0        head.length        offset - tail.length     offset            end of file
/// |--- head ---|------- accounted for -------|--- tail ---|--- not yet read ---|
/// ```
///
/// Both fingerprints cover only bytes before `offset`, because only those could be counted twice. A
/// file that does not begin with `head`, or does not have `tail` right before `offset`, was truncated
/// or replaced, however long it is now.
public struct Bookmark: Hashable, Sendable {
  /// The file it belongs to.
  public var identity: FileIdentity
  /// The first byte not yet accounted for. Nearly always the start of a line.
  public var offset: Int64
  /// The file's first bytes: as many as were accounted for, at most `headLimit`.
  public var head: PrefixFingerprint
  /// The bytes right before `offset`, at most `tailLimit`.
  public var tail: PrefixFingerprint

  /// Bytes in a full `head`.
  public static let headLimit = 1024
  /// Bytes in a full `tail`.
  public static let tailLimit = 64

  /// A bookmark at the beginning of a file.
  public init(identity: FileIdentity) {
    self.init(identity: identity, offset: 0, head: PrefixFingerprint(), tail: PrefixFingerprint())
  }

  /// Restores a stored bookmark.
  public init(
    identity: FileIdentity, offset: Int64, head: PrefixFingerprint, tail: PrefixFingerprint
  ) {
    self.identity = identity
    self.offset = offset
    self.head = head
    self.tail = tail
  }
}
