import MimoCurses
import MimoDashboard
import MimoEngine
import MimoScreen

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Plain-text frames of the dashboard on standard output.
struct BatchProgram {
  private let configuration: Configuration
  private let stream: DemoStream?
  private let frames: Int?
  private let seconds: Double
  private let size: Size

  /// - Parameter frames: how many to print; `nil` goes on until the program is ended.
  init(
    _ configuration: Configuration, stream: DemoStream?, frames: Int?, seconds: Double, size: Size
  ) {
    self.configuration = configuration
    self.stream = stream
    self.frames = frames
    self.seconds = seconds
    self.size = size
  }

  /// Prints the frames.
  ///
  /// - Returns: the exit code, as for `report`.
  func run() throws -> Int32 {
    let glyphs: Glyphs = configuration.unicode && CursesScreen.showsUnicode() ? .unicode : .ascii
    var model = Model(configuration, glyphs: glyphs)
    model.isBatch = true
    _ = update(&model, .resized(size))
    for notice in model.notices { StandardStreams.complain(notice) }
    if frames == 1, stream == nil { return once(&model) }

    let feed = try LocalFeed(configuration, showing: model.neededMinutes)
    stream?.start()
    var printed = 0
    var isCaughtUp = false
    while frames.map({ printed < $0 }) ?? true {
      let deadline = SystemClock.monotonicMilliseconds + Int64(seconds * 1000)
      // The first frame waits for all that is there already, the others for the clock. What the demo
      // begins with takes a moment to flow.
      if printed == 0, stream == nil {
        while !isCaughtUp {
          feed.request()
          isCaughtUp = show(feed, in: &model)
        }
      } else {
        while case let left = deadline - SystemClock.monotonicMilliseconds, left > 0 {
          poll(nil, 0, Int32(clamping: left))
        }
        // What came first may have waited since the last frame, and more have come after it.
        for _ in 0..<2 where feed.request() { show(feed, in: &model) }
      }
      _ = update(&model, .tick(SystemClock.now))
      if printed > 0 { StandardStreams.print("\n") }
      StandardStreams.print(view(model).text + "\n")
      printed += 1
    }
    feed.stop()
    return 0
  }

  /// Waits a moment for the news that was asked for. Returns whether it says that all was read.
  @discardableResult
  private func show(_ feed: LocalFeed, in model: inout Model) -> Bool {
    var descriptor = pollfd(fd: feed.descriptor, events: Int16(POLLIN), revents: 0)
    poll(&descriptor, 1, 1000)
    guard let news = feed.take() else { return false }
    _ = update(&model, .usage(news.snapshot, news.ingest))
    return news.isCaughtUp
  }

  private func once(_ model: inout Model) -> Int32 {
    let scan = LogScan(configuration, history: .kept(model.neededMinutes))
    _ = update(&model, .usage(scan.snapshot, scan.summary(configuration)))
    _ = update(&model, .tick(SystemClock.now))
    StandardStreams.print(view(model).text + "\n")
    return scan.complain(noUsage: scan.snapshot.cube.span == nil, configuration)
  }
}
