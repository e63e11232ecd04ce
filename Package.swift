// swift-tools-version: 6.2
import PackageDescription

/// With Swift's library inside, the program starts earlier and needs no Swift where it runs. Where a toolchain has only
/// the shared one, build with `MIMO_SHARED_SWIFT=1`.
let hasStaticLibrary = Context.environment["MIMO_SHARED_SWIFT"] == nil

/// Arrows point from a target to what it imports, and only downwards. `Sources/README.md` has the map.
let package = Package(
  name: "mimo-top",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "mimo-top", targets: ["mimo-top"]),
    .library(name: "MimoEngine", targets: ["MimoEngine"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // Cores: pure, no system calls, none of our modules below them.
    .target(name: "MimoEngine"),
    .target(name: "MimoScreen"),

    // The interface as pure functions from state to cells.
    .target(name: "MimoDashboard", dependencies: ["MimoEngine", "MimoScreen", "CEmbedded"]),

    // Edges: each owns one kind of system call.
    .target(
      name: "MimoCatalog", dependencies: ["MimoEngine", "CEmbedded"],
      exclude: ["prices", "plans", "classes"]),
    .target(name: "MimoSQLite", dependencies: ["CSQLite"]),
    .target(name: "MimoThreads"),
    .target(name: "MimoStore", dependencies: ["MimoEngine", "MimoSQLite", "MimoThreads"]),
    .target(
      name: "MimoIngest",
      dependencies: ["MimoEngine", "MimoSQLite", "MimoThreads", "CScan", "CZlib", "CZstd"]),
    .target(name: "MimoCurses", dependencies: ["MimoScreen", "CCurses"]),

    // C: what Swift cannot say.
    .target(
      name: "CCurses",
      cSettings: [
        // SwiftPM drops these from pkg-config, and without them curses has no wide characters.
        .define("_XOPEN_SOURCE", to: "700", .when(platforms: [.linux])),
        .define("_DEFAULT_SOURCE", .when(platforms: [.linux])),
        .define("_XOPEN_SOURCE_EXTENDED", to: "1"),
        .define("NCURSES_WIDECHAR", to: "1"),
        .define("NCURSES_NOMACROS"),
      ],
      linkerSettings: [
        .linkedLibrary("ncursesw", .when(platforms: [.linux])),
        .linkedLibrary("ncurses", .when(platforms: [.macOS])),
      ]),
    .target(name: "CEmbedded"),
    .target(name: "CScan"),
    .systemLibrary(
      name: "CSQLite", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),

    .executableTarget(
      name: "mimo-top",
      dependencies: [
        "MimoEngine", "MimoCatalog", "MimoIngest", "MimoStore", "MimoThreads", "MimoScreen",
        "MimoDashboard", "MimoCurses",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      linkerSettings: hasStaticLibrary
        ? [
          .unsafeFlags(
            // The other linker warns of a function in Foundation that is not called.
            ["-static-stdlib", "-l_FoundationCShims", "-l_FoundationCollections", "-use-ld=lld"],
            .when(platforms: [.linux], configuration: .release))
        ] : []),

    // Measures what the README claims; makes its own data.
    .target(name: "CPseudoTerminal", path: "Tests/CPseudoTerminal"),
    .executableTarget(
      name: "mimo-top-bench",
      dependencies: ["MimoEngine", "MimoCatalog", "MimoIngest", "MimoStore", "CPseudoTerminal"]),

    // Tests.
    .target(
      name: "MimoTestSupport", dependencies: ["MimoEngine", "MimoScreen", "CPseudoTerminal"],
      path: "Tests/MimoTestSupport"),
    .testTarget(name: "MimoEngineTests", dependencies: ["MimoEngine", "MimoTestSupport"]),
    .testTarget(
      name: "MimoCatalogTests", dependencies: ["MimoCatalog", "MimoTestSupport"],
      exclude: ["Fixtures"]),
    .testTarget(name: "MimoSQLiteTests", dependencies: ["MimoSQLite"]),
    .testTarget(name: "MimoThreadsTests", dependencies: ["MimoThreads"]),
    .testTarget(
      name: "MimoIngestTests",
      dependencies: ["MimoIngest", "MimoSQLite", "CScan", "CZlib", "CZstd", "MimoTestSupport"],
      exclude: ["Fixtures"]),
    .target(name: "CFaultVFS", dependencies: ["CSQLite"], path: "Tests/CFaultVFS"),
    .testTarget(
      name: "MimoStoreTests",
      dependencies: ["MimoStore", "MimoEngine", "MimoSQLite", "MimoTestSupport", "CFaultVFS"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "MimoScreenTests", dependencies: ["MimoScreen", "MimoTestSupport"],
      exclude: ["Snapshots"]),
    .testTarget(
      name: "MimoDashboardTests", dependencies: ["MimoDashboard", "MimoTestSupport"],
      exclude: ["Snapshots"]),
    .executableTarget(
      name: "CursesScreenProbe", dependencies: ["MimoCurses"], path: "Tests/CursesScreenProbe"),
    .testTarget(
      name: "MimoCursesTests", dependencies: ["MimoCurses", "MimoTestSupport", "CursesScreenProbe"]),
    .testTarget(
      name: "MimoTopTests",
      dependencies: ["mimo-top", "MimoEngine", "MimoStore", "MimoSQLite", "MimoTestSupport"],
      exclude: ["Fixtures"]),
  ]
)

// Hostile bytes for every reader: built by `.ci/fuzz` alone, in a folder of its own and all instrumented.
if Context.environment["MIMO_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "mimo-top-fuzz",
      dependencies: ["MimoEngine", "MimoCatalog", "MimoIngest", "MimoSQLite", "CZlib", "CZstd"],
      path: "Tests/Fuzz"))
}
