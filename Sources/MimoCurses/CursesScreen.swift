import CCurses
import MimoScreen

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The terminal, as a `Screen`.
///
/// There is one terminal and curses is not thread-safe: have one of these at a time and use it from
/// one thread. To wait, `poll` both `inputDescriptor` and `signalDescriptor`; when either is
/// readable, or reports a hang-up, take events until there are none. While it is open, standard
/// error is kept aside if it is a terminal, and printed by `close()`.
///
/// The terminal is given back by `close()`, when the object goes away, at `exit`, and on a crash.
public final class CursesScreen: Screen {
  /// When to use colours.
  public enum ColorChoice: String, Hashable, Sendable, CaseIterable {
    /// If the terminal has them and `NO_COLOR` is not set to something.
    case auto
    /// If the terminal has them.
    case always
    /// Not at all; attributes are used still.
    case never
  }

  /// What can be chosen.
  public struct Options: Hashable, Sendable {
    /// When to use colours.
    public var color: ColorChoice
    /// Whether to ask for mouse events. The terminal's own way of selecting text then needs Shift.
    public var mouse: Bool
    /// The kind of terminal; `nil` takes `TERM`.
    public var termName: String?
    /// The program's name, for the message after a crash.
    public var programName: String

    /// Creates a choice.
    public init(
      color: ColorChoice = .auto,
      mouse: Bool = true,
      termName: String? = nil,
      programName: String = "mimo-top"
    ) {
      self.color = color
      self.mouse = mouse
      self.termName = termName
      self.programName = programName
    }
  }

  /// Why a terminal cannot be used. Nothing was written to it.
  public enum OpenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Standard output is not a terminal, or there is none to read keys from.
    case notATerminal
    /// The environment does not say which kind of terminal it is.
    case noTermVariable
    /// The terminfo database does not know this kind.
    case unknownTerminal(String)
    /// This kind cannot move its cursor.
    case tooSimple(String)
    /// The system refused something.
    case failed

    /// One sentence with what to do about it.
    public var description: String {
      switch self {
      case .notATerminal:
        "the dashboard needs a terminal on standard output and one to read keys from; use --once"
      case .noTermVariable:
        "TERM is not set, so the kind of terminal is unknown; set it, for example to xterm-256color"
      case .unknownTerminal(let name):
        "unknown kind of terminal '\(name)'; set TERM to one that is installed, such as xterm-256color"
      case .tooSimple(let name):
        "a terminal of kind '\(name)' cannot move its cursor; use --once"
      case .failed:
        "the terminal could not be opened; use --once"
      }
    }
  }

  /// Takes the character set from the environment, and tells whether text beyond ASCII can be shown.
  ///
  /// Ask before drawing, to choose between `Glyphs.unicode` and `Glyphs.ascii`.
  public static func showsUnicode() -> Bool { cc_prepare_locale() }

  private var isOpen = false
  private let depth: ColorDepth
  /// What the terminal shows; `nil` if it may show anything.
  private var shown: CellBuffer?
  private var shownPalette = Palette()
  /// `shownPalette` in the terminal's own colours. The last one stands for all missing styles.
  private var looks: [Look] = []
  /// One row on its way to curses.
  private var row: [cc_cell] = []
  private var waiting: [ScreenEvent] = []

  /// Takes the terminal: keys from standard input, or from the controlling terminal if standard
  /// input is something else, such as a pipe with data.
  ///
  /// - Throws: `OpenError`; the terminal is then as it was.
  public init(_ options: Options = Options()) throws(OpenError) {
    let usesColor =
      switch options.color {
      case .never: false
      case .always: true
      case .auto: CursesScreen.variable("NO_COLOR").isEmpty
      }
    let termName = options.termName ?? CursesScreen.variable("TERM")
    let result = termName.withCString { term in
      options.programName.withCString { program in
        var request = cc_options(
          in_fd: -1,
          out_fd: STDOUT_FILENO,
          term: term,
          program: program,
          color: usesColor,
          direct_color: ["truecolor", "24bit"].contains(CursesScreen.variable("COLORTERM")),
          mouse: options.mouse
        )
        return cc_open(&request)
      }
    }
    depth = ColorDepth(count: Int(cc_colors()))
    switch result {
    case .ok: isOpen = true
    case .not_a_terminal: throw .notATerminal
    case .no_term: throw .noTermVariable
    case .unknown_term: throw .unknownTerminal(termName)
    case .too_simple: throw .tooSimple(termName)
    case .failed: throw .failed
    }
  }

  deinit { close() }

  /// A variable of the environment, empty if it is not set.
  private static func variable(_ name: String) -> String {
    getenv(name).map { String(cString: $0) } ?? ""
  }

  /// Gives the terminal back as it was. Afterwards nothing is shown and no event arrives.
  public func close() {
    if !isOpen { return }
    isOpen = false
    cc_close()
  }

  /// Gives the terminal back and ends the process by `signal`, so that its parent sees the cause.
  public func end(bySignal signal: Int32) -> Never {
    isOpen = false
    cc_die(signal)
  }

  /// Readable when there are keys; -1 when closed. Only for `poll`: read it through `nextEvent()`.
  public var inputDescriptor: Int32 { isOpen ? cc_input_fd() : -1 }

  /// Readable when a signal arrived; -1 when closed. Only for `poll`.
  public var signalDescriptor: Int32 { isOpen ? cc_signal_fd() : -1 }

  /// The terminal's size; zero when closed. Changes only when `nextEvent()` says so.
  public var size: Size {
    var columns: Int32 = 0
    var rows: Int32 = 0
    cc_size(&columns, &rows)
    return Size(columns: Int(columns), rows: Int(rows))
  }

  // MARK: - Showing

  /// Shows what differs from the last frame; writes nothing if nothing does.
  public func present(_ buffer: CellBuffer, palette: Palette) {
    if !isOpen { return }
    let size = size
    var frame = buffer
    if frame.size != size {
      frame = CellBuffer(size: size)
      frame.blit(buffer, x: 0, y: 0)
    }
    if looks.isEmpty || palette != shownPalette {
      looks = (palette.styles + [.plain]).map { Look($0, depth) }
      shownPalette = palette
      shown = nil
    }
    if let shown, shown.size == size {
      if shown == frame { return }
      var changes = false
      for y in 0..<size.rows {
        guard let span = changedColumns(from: shown, to: frame, y: y) else { continue }
        // Curses may find that a changed style looks the same, but usually there is work now.
        put(frame, columns: span, y: y)
        changes = true
      }
      if changes { cc_flush() }
    } else {
      cc_clear()
      for y in 0..<size.rows { put(frame, columns: 0..<size.columns, y: y) }
      cc_flush()
    }
    shown = frame
  }

  /// Forgets what the terminal shows: the next frame is painted whole, as after line noise.
  public func repaint() {
    shown = nil
    cc_repaint()
  }

  /// From the first to the last cell of row `y` that differ; `nil` if none does.
  private func changedColumns(
    from old: CellBuffer,
    to new: CellBuffer,
    y: Int
  ) -> Range<Int>? {
    let start = y * new.size.columns
    let end = start + new.size.columns
    return old.cells.withUnsafeBufferPointer { old in
      new.cells.withUnsafeBufferPointer { new in
        var first = start
        while first < end, old[first] == new[first] { first += 1 }
        if first == end { return nil }
        var last = end - 1
        while old[last] == new[last] { last -= 1 }
        // Never half a glyph.
        if new[first].isRightHalf { first -= 1 }
        if new[last].width == 2 { last += 1 }
        return first - start..<last + 1 - start
      }
    }
  }

  private func put(_ frame: CellBuffer, columns: Range<Int>, y: Int) {
    row.removeAll(keepingCapacity: true)
    let start = y * frame.size.columns
    for cell in frame.cells[start + columns.lowerBound..<start + columns.upperBound] {
      if cell.isRightHalf { continue }
      let index = Int(cell.style.rawValue)
      let look = looks[min(index, looks.count - 1)]
      var shown = cc_cell(
        scalar: cell.scalar.value,
        foreground: look.foreground,
        background: look.background,
        attributes: look.attributes,
        width: cell.width
      )
      // Curses counts columns with the C library, which may not know a glyph, or know it
      // otherwise; either would shift the rest of the row.
      if shown.scalar > 0x7E, cc_scalar_width(shown.scalar) != Int32(cell.width) {
        shown.scalar = 0x3F
        shown.width = 1
        row.append(shown)
        if cell.width == 1 { continue }
        shown.scalar = 0x20
      }
      row.append(shown)
    }
    cc_put(Int32(columns.lowerBound), Int32(y), row, Int32(row.count))
  }

  // MARK: - Hearing

  /// The oldest event not yet taken; never waits. Signals come as events, before keys.
  public func nextEvent() -> ScreenEvent? {
    if !isOpen { return nil }
    take(cc_take_signals())
    if !waiting.isEmpty { return waiting.removeFirst() }
    while true {
      let event = cc_next_event()
      switch event.kind {
      case .none: return nil
      case .hang_up: return .hangUp
      default:
        if let key = Key(event) { return .key(key) }
      }
    }
  }

  /// Puts the program to sleep as the user asked, and returns when it is woken. A `resized` event follows.
  public func suspend() {
    if !isOpen { return }
    cc_suspend()
    take(cc_take_signals())
    startAnew()
  }

  private func take(_ signals: UInt32) {
    func has(_ bit: Int) -> Bool { signals & UInt32(bit) != 0 }
    if has(cc_signal_interrupt) { waiting.append(.terminate(signal: SIGINT)) }
    if has(cc_signal_terminate) { waiting.append(.terminate(signal: SIGTERM)) }
    if has(cc_signal_quit) { waiting.append(.terminate(signal: SIGQUIT)) }
    if has(cc_signal_hang_up) { waiting.append(.terminate(signal: SIGHUP)) }
    if has(cc_signal_continue) {
      // Stopped by somebody else, and the shell may have changed the terminal since.
      cc_resume()
      startAnew()
    } else if has(cc_signal_resize) {
      cc_resize()
      startAnew()
    }
    if has(cc_signal_stop) { waiting.append(.suspend) }
  }

  private func startAnew() {
    shown = nil
    waiting.append(.resized(size))
  }
}

/// A style in the terminal's own colours.
private struct Look {
  let foreground: Int32
  let background: Int32
  let attributes: UInt8

  init(_ style: Style, _ depth: ColorDepth) {
    foreground = depth.nearest(to: style.foreground)
    background = depth.nearest(to: style.background)
    // Without colours, what a theme sets off by its background is set off by reversing it.
    let isSetOff = depth == .none && style.background != .default
    // The same bits on both sides of the border.
    attributes = (isSetOff ? style.attributes.union(.reverse) : style.attributes).rawValue
  }
}
