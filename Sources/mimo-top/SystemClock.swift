import MimoEngine

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The machine's time and time zones.
enum SystemClock {
  /// The present instant.
  static var now: Instant {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  /// Milliseconds that only go forward, for intervals.
  static var monotonicMilliseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  /// Microseconds of processor time that the calling thread has used.
  static var threadMicroseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }

  /// The local clock of a zone, over the years that logs can come from.
  ///
  /// - Parameter name: IANA name; `nil` for the machine's zone.
  /// - Returns: `nil` if the machine does not know the zone.
  static func localClock(named name: String?) -> LocalClock? {
    if let name {
      if name == "UTC" || name == "Z" { return .utc }
      guard isZone(name) else { return nil }
      setenv("TZ", name, 1)
    }
    tzset()
    let first = CivilDate(year: 2022, month: 1, day: 1)!.startInUTC.minute.number
    let last = now.minute.number + 2 * 366 * 1440
    var stretches = [LocalClock.Stretch(from: .distantPast, offsetMinutes: offset(at: first))]
    var day = first
    while day < last {
      let next = day + 1440
      if offset(at: next) != stretches.last!.offsetMinutes {
        // Clocks changed within this day: halve until the minute is found.
        var (before, after) = (day, next)
        while after - before > 1 {
          let middle = (before + after) / 2
          if offset(at: middle) == stretches.last!.offsetMinutes {
            before = middle
          } else {
            after = middle
          }
        }
        stretches.append(LocalClock.Stretch(from: Minute(after), offsetMinutes: offset(at: after)))
      }
      day = next
    }
    let zone = name ?? machineZone
    return LocalClock(name: zone == "Etc/UTC" ? "UTC" : zone, stretches: stretches)
  }

  /// Minutes by which the zone that is set is ahead of UTC.
  private static func offset(at minute: Int32) -> Int32 {
    var time = time_t(minute) * 60
    var parts = tm()
    localtime_r(&time, &parts)
    return Int32(parts.tm_gmtoff / 60)
  }

  private static func isZone(_ name: String) -> Bool {
    // The C library takes any text for a zone and shows UTC; only a file proves that there is one.
    guard !name.isEmpty, !name.hasPrefix("/"), !name.contains("..") else { return false }
    let folders = ["/usr/share/zoneinfo/", "/usr/lib/zoneinfo/", "/var/db/timezone/zoneinfo/"]
    return folders.contains { access($0 + name, R_OK) == 0 }
  }

  /// The name of the machine's zone, as well as it can be told.
  private static var machineZone: String {
    if let name = getenv("TZ").map({ String(cString: $0) }), !name.isEmpty, !name.hasPrefix(":") {
      return name
    }
    var buffer = [CChar](repeating: 0, count: 1024)
    let length = readlink("/etc/localtime", &buffer, buffer.count - 1)
    if length > 0 {
      let path = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if let range = path.range(ofText: "zoneinfo/") { return String(path[range...]) }
    }
    var time = time_t(0)
    var parts = tm()
    localtime_r(&time, &parts)
    return parts.tm_gmtoff == 0 ? "UTC" : String(cString: parts.tm_zone)
  }
}

extension String {
  /// The place right behind the first occurrence of `text`.
  fileprivate func range(ofText text: String) -> String.Index? {
    indices.first { self[$0...].hasPrefix(text) }.map { index($0, offsetBy: text.count) }
  }
}
