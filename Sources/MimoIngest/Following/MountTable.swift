#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The mounts of this machine as they were less than a second ago: the list is asked for each file that is met.
final class Mounts {
  private var table = MountTable("")
  private var readAt = Int64.min / 2

  /// As in `MountTable`.
  func isShared(device: UInt64) -> Bool {
    let now = monotonicMilliseconds()
    if now - readAt >= 1000 { (table, readAt) = (.current, now) }
    return table.isShared(device: device)
  }
}

/// The kinds of the file systems that are mounted, by device.
struct MountTable {
  private let kinds: [UInt64: Substring]

  /// Those of this machine; empty where there is no `/proc`.
  static var current: MountTable {
    guard let file = fopen("/proc/self/mountinfo", "r") else { return MountTable("") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 16 << 10)
    while case let count = fread(&part, 1, part.count, file), count > 0 { bytes += part[..<count] }
    return MountTable(String(decoding: bytes, as: UTF8.self))
  }

  /// Reads lines such as `36 35 98:0 / /mnt rw shared:1 - ext4 /dev/sda1 rw`.
  ///
  /// Source: manual page proc_pid_mountinfo(5), read 2026-11-22.
  init(_ text: String) {
    var kinds: [UInt64: Substring] = [:]
    for line in text.utf8.split(separator: 10) {
      let words = line.split(separator: 32)
      guard words.count > 4, let dash = words[4...].firstIndex(where: { $0.elementsEqual([45]) }),
        dash + 1 < words.count
      else { continue }
      let numbers = words[2].split(separator: 58).compactMap { UInt64(Substring($0)) }
      guard numbers.count == 2 else { continue }
      kinds[Self.device(major: numbers[0], minor: numbers[1])] = Substring(words[dash + 1])
    }
    self.kinds = kinds
  }

  /// Whether other machines write to this device too. The system tells of our own machine's writes only.
  func isShared(device: UInt64) -> Bool {
    guard let kind = kinds[device] else { return false }
    // `fuseblk` is a disk of this machine.
    return sharedKinds.contains(kind) || kind == "fuse" || kind.hasPrefix("fuse.")
  }

  /// The number `stat` gives for a device (as the GNU library packs it).
  private static func device(major: UInt64, minor: UInt64) -> UInt64 {
    (major & 0xfff) << 8 | (major & ~0xfff) << 32 | minor & 0xff | (minor & ~0xff) << 12
  }
}

private let sharedKinds: Set<Substring> = [
  "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "drvfs", "virtiofs", "vboxsf", "vmhgfs", "prl_fs",
  "afs", "ceph", "lustre", "gfs2", "ocfs2", "beegfs", "glusterfs", "coda",
]
