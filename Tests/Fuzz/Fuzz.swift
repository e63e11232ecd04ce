#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Feeds hostile bytes to one reader at a time and checks its laws. `.ci/fuzz` builds and runs it.
///
///     mimo-top-fuzz --list
///     mimo-top-fuzz --seeds TARGET FOLDER FIXTURES ...
///     mimo-top-fuzz TARGET [LIBFUZZER-ARGUMENT ...]
@main enum Fuzz {
  nonisolated(unsafe) private static var target = FuzzTarget.all[0]

  static func main() {
    let arguments = CommandLine.arguments
    if arguments.count == 2, arguments[1] == "--list" {
      for target in FuzzTarget.all { print(target.name) }
      return
    }
    guard arguments.count > 1 else { fatalError("name a target; --list lists them") }
    let writesSeeds = arguments.count > 4 && arguments[1] == "--seeds"
    let name = arguments[writesSeeds ? 2 : 1]
    guard let chosen = FuzzTarget.all.first(where: { $0.name == name }) else {
      fatalError("no target \(name)")
    }
    if writesSeeds {
      for (index, seed) in chosen.seeds(in: Array(arguments[4...])).enumerated() {
        ScratchFile.write(seed, to: "\(arguments[3])/seed-\(index)")
      }
      return
    }
    target = chosen
    // libFuzzer sees its own arguments only.
    var rest: [UnsafeMutablePointer<CChar>?] = ([arguments[0]] + arguments.dropFirst(2)).map {
      strdup($0)
    }
    rest.append(nil)
    var count = Int32(rest.count - 1)
    let code = rest.withUnsafeMutableBufferPointer { buffer in
      var start = buffer.baseAddress
      return runFuzzer(&count, &start) { bytes, count in
        Fuzz.target.check(UnsafeRawBufferPointer(start: bytes, count: count))
        return 0
      }
    }
    exit(code)
  }
}

/// Source: LLVM, "Using libFuzzer as a library".
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// Ends the program, and so tells libFuzzer to keep the input, if a law does not hold.
func law(_ holds: Bool, _ text: @autoclosure () -> String, line: Int = #line) {
  if !holds { fatalError("law broken: \(text()) (line \(line))") }
}

/// Files in a folder of this process.
enum ScratchFile {
  static let folder: String = {
    let path = "\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/mimo-top-fuzz-\(getpid())"
    mkdir(path, 0o700)
    return path
  }()

  static func write(_ bytes: some Collection<UInt8>, to path: String) {
    guard let file = fopen(path, "w") else { fatalError("cannot write \(path)") }
    let bytes = Array(bytes)
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }

  static func read(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
    return bytes
  }

  /// All files below a folder, in order of their paths.
  static func paths(below folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var paths: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix(".") { continue }
      let path = folder + "/" + name
      paths += entry.pointee.d_type == UInt8(DT_DIR) ? Self.paths(below: path) : [path]
    }
    return paths.sorted()
  }
}
