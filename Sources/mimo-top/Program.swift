import MimoCurses
import MimoDashboard
import MimoEngine
import MimoScreen
import MimoStore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The live dashboard: one loop that waits for keys, signals, news and time, and draws what changed.
///
/// The feed reads on its own thread; everything else happens here.
final class Program {
  private let feed: LocalFeed
  private let screen: CursesScreen
  private var model: Model
  private let stream: DemoStream?
  private let keepsChoice: Bool
  /// A choice of a plan that is still to be kept.
  private var newChoice: StoreSettings.ActivePlan?

  /// Opens the terminal and starts to follow the logs.
  init(_ configuration: Configuration, stream: DemoStream?) throws {
    let glyphs: Glyphs = configuration.unicode && CursesScreen.showsUnicode() ? .unicode : .ascii
    model = Model(configuration, glyphs: glyphs)
    self.stream = stream
    keepsChoice = configuration.keepsLedger
    // Before there is another thread that may look at the environment: opening a terminal can change that.
    do throws(CursesScreen.OpenError) {
      screen = try CursesScreen(.init(color: configuration.color, mouse: configuration.mouse))
    } catch {
      throw Failure(description: error.description)
    }
    feed = try LocalFeed(configuration, showing: model.neededMinutes)
    stream?.start()
  }

  /// Runs until the user leaves.
  func run() throws {
    _ = update(&model, .resized(screen.size))
    if let notice = model.notices.first { _ = update(&model, .notice(notice)) }
    _ = update(&model, .tick(SystemClock.now))
    var pace = FramePace()
    var isDirty = true
    while true {
      if isDirty {
        screen.present(view(model), palette: model.palette)
        isDirty = false
      }
      feed.show(model.neededMinutes)
      let gap = pace.pause(at: SystemClock.monotonicMilliseconds)
      if gap <= 0 { feed.request() }
      let untilTick = min(60_000, model.nextTick.milliseconds - SystemClock.now.milliseconds)
      if newChoice != nil { keepChoice(patience: 0) }
      let untilNext = newChoice == nil ? untilTick : min(untilTick, 1000)
      let timeout = max(0, gap > 0 ? min(gap, untilNext) : untilNext)
      var descriptors = [
        pollfd(fd: screen.inputDescriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: screen.signalDescriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: gap > 0 ? -1 : feed.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      poll(&descriptors, 3, Int32(timeout))

      let now = SystemClock.now
      if let news = descriptors[2].revents != 0 ? feed.take() : nil {
        model.now = now
        let begun = SystemClock.threadMicroseconds
        let calls = news.snapshot.revision &- model.snapshot.revision
        _ = update(&model, .usage(news.snapshot, news.ingest))
        screen.present(view(model), palette: model.palette)
        pace.drew(
          at: SystemClock.monotonicMilliseconds, work: SystemClock.threadMicroseconds - begun,
          calls: calls)
      }
      if model.isTickDue(at: now) {
        _ = update(&model, .tick(now))
        isDirty = true
      }
      while let event = screen.nextEvent() {
        isDirty = true
        if try !handle(event, at: now) { return }
      }
      if descriptors[0].revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0 { return leave() }
    }
  }

  /// - Returns: whether to go on.
  private func handle(_ event: ScreenEvent, at now: Instant) throws -> Bool {
    switch event {
    case .key(let key):
      model.now = now
      for effect in update(&model, .key(key)) {
        switch effect {
        case .quit:
          leave()
          return false
        case .suspend: screen.suspend()
        case .repaint: screen.repaint()
        // For logs that were named no plan is kept.
        case .saveChoice(let plan, let currency):
          if keepsChoice { newChoice = StoreSettings.ActivePlan(id: plan, currency: currency) }
        }
      }
    case .resized(let size): _ = update(&model, .resized(size))
    case .suspend: screen.suspend()
    case .terminate(let signal):
      keepChoice(patience: 1000)
      feed.finish(withinMilliseconds: 1000)
      screen.end(bySignal: signal)
    case .hangUp:
      leave()
      return false
    }
    return true
  }

  /// Keeps the choice; while others write, it is tried again.
  private func keepChoice(patience: Int32) {
    guard let choice = newChoice else { return }
    var notices: [String] = []
    do throws(StoreError) {
      try KeptSettings.change(patience: patience, &notices) { $0.plan = choice }
    } catch .busy {
      return
    } catch {
      notices.append("the plan is not kept: \(error.description)")
    }
    newChoice = nil
    for notice in notices { _ = update(&model, .notice(notice)) }
  }

  private func leave() {
    screen.close()
    keepChoice(patience: 1000)
    feed.finish(withinMilliseconds: 1000)
  }
}

/// Something that stops the program, in one sentence.
struct Failure: Error, CustomStringConvertible {
  var description: String
}
