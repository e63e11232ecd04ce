import MimoScreen

/// What a terminal would show for the bytes a program wrote.
///
/// Knows what curses sends to an xterm, screen, tmux, linux or vt100. Everything else is read to its
/// end and ignored. Rows and columns count from zero.
public struct TerminalEmulator {
  /// One place of the screen.
  public struct Cell: Hashable, Sendable {
    /// The glyph; empty in the right half of a wide one.
    public var text: String
    /// Colours and attributes, as the program asked for them.
    public var style: Style
  }

  /// Columns and rows.
  public private(set) var size: Size
  /// Column of the cursor.
  public private(set) var cursorX = 0
  /// Row of the cursor.
  public private(set) var cursorY = 0
  /// Whether the cursor is shown.
  public private(set) var isCursorVisible = true
  /// Whether the alternate screen is shown.
  public private(set) var isAlternateScreenActive = false
  /// Whether the program asked for mouse events.
  public var isMouseReporting: Bool {
    !privateModes.isDisjoint(with: [9, 1000, 1002, 1003])
  }
  /// Whether the arrow keys send their application codes.
  public private(set) var isKeypadTransmitting = false
  /// Whether a synchronized update has begun and not ended: what is shown now is half a frame.
  public var isSynchronizing: Bool { privateModes.contains(2026) }
  /// Synchronized updates that ended.
  public private(set) var synchronizedUpdates = 0
  /// Numbers of the private modes (`CSI ? n h`) that are on.
  public private(set) var privateModes: Set<Int> = [7]
  /// The window title set last.
  public private(set) var title = ""
  /// Times the program reset or redefined the user's palette.
  public private(set) var paletteChanges = 0

  private var grid: [[Cell]]
  private var otherGrid: [[Cell]]
  private var style = Style.plain
  private var isWrapPending = false
  private var isInserting = false
  private var scrollTop = 0
  private var scrollBottom: Int
  private var lastPrinted: Unicode.Scalar = " "
  private var saved = SavedCursor()
  private var savedForAlternate = SavedCursor()
  /// Whether each of the two character sets is the one with lines in place of letters.
  private var hasLineDrawing = [false, false]
  private var activeSet = 0
  private var state = State.ground
  private var sequence: [UInt8] = []
  private var utf8: [UInt8] = []
  private var utf8Missing = 0

  private struct SavedCursor {
    var x = 0
    var y = 0
    var style = Style.plain
    var hasLineDrawing = [false, false]
    var activeSet = 0
  }

  private enum State { case ground, escape, charset(UInt8), control, string, stringEscape }

  /// Creates a terminal with a blank screen.
  public init(size: Size) {
    self.size = size
    grid = TerminalEmulator.blankGrid(size)
    otherGrid = grid
    scrollBottom = size.rows - 1
  }

  // MARK: - Looking

  /// The rows without the spaces at their ends.
  public var rows: [String] {
    grid.map { row in
      var text = row.map(\.text).joined()
      while text.last == " " { text.removeLast() }
      return text
    }
  }

  /// All rows, joined by newlines.
  public var text: String { rows.joined(separator: "\n") }

  /// Rows of the main screen, also while the alternate one is shown.
  public var mainScreenText: String {
    var copy = self
    copy.grid = isAlternateScreenActive ? otherGrid : grid
    return copy.text
  }

  /// The cell at column `x`, row `y`.
  public func cell(x: Int, y: Int) -> Cell { grid[y][x] }

  /// Column and row where `text` begins, or `nil` if it is on no row.
  public func find(_ text: String) -> (x: Int, y: Int)? {
    for y in 0..<size.rows {
      for x in 0..<size.columns where grid[y][x].text.first == text.first {
        let rest = grid[y][x...].map(\.text).joined()
        if rest.hasPrefix(text) { return (x, y) }
      }
    }
    return nil
  }

  /// The style of the first cell of `text`, or `nil` if it is on no row.
  public func style(of text: String) -> Style? {
    find(text).map { grid[$0.y][$0.x].style }
  }

  /// Whether some row contains `text`.
  public func contains(_ text: String) -> Bool { rows.contains { $0.contains(text) } }

  // MARK: - Feeding

  /// Changes the size as a terminal window does, keeping the top left.
  public mutating func resize(to size: Size) {
    func resized(_ grid: [[Cell]]) -> [[Cell]] {
      (0..<size.rows).map { y in
        (0..<size.columns).map { x in
          y < grid.count && x < grid[y].count ? grid[y][x] : Cell(text: " ", style: .plain)
        }
      }
    }
    grid = resized(grid)
    otherGrid = resized(otherGrid)
    self.size = size
    scrollTop = 0
    scrollBottom = size.rows - 1
    moveTo(x: cursorX, y: cursorY)
  }

  /// Takes in what the program wrote; sequences and characters may be cut anywhere.
  public mutating func feed(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { feed(byte) }
  }

  private mutating func feed(_ byte: UInt8) {
    switch state {
    case .ground:
      feedText(byte)
    case .escape:
      escape(byte)
    case .charset(let which):
      hasLineDrawing[which == 0x28 ? 0 : 1] = byte == 0x30
      state = .ground
    case .control:
      if byte == 0x1B {
        state = .escape
      } else if byte < 0x20 {
        // Control characters act even in the middle of a sequence.
        control(byte)
      } else if (0x40...0x7E).contains(byte) {
        state = .ground
        controlSequence(final: byte)
      } else {
        sequence.append(byte)
      }
    case .string:
      if byte == 0x07 {
        finishString()
      } else if byte == 0x1B {
        state = .stringEscape
      } else {
        sequence.append(byte)
      }
    case .stringEscape:
      finishString()
      if byte != 0x5C {
        state = .escape
        feed(byte)
      }
    }
  }

  private mutating func feedText(_ byte: UInt8) {
    if utf8Missing > 0, byte & 0xC0 == 0x80 {
      utf8.append(byte)
      utf8Missing -= 1
      if utf8Missing == 0 {
        for scalar in String(decoding: utf8, as: UTF8.self).unicodeScalars { print(scalar) }
      }
      return
    }
    utf8Missing = 0
    switch byte {
    case 0x00..<0x20, 0x7F: control(byte)
    case 0x20..<0x7F: print(translated(byte))
    case 0xC2..<0xE0: startCharacter(byte, missing: 1)
    case 0xE0..<0xF0: startCharacter(byte, missing: 2)
    case 0xF0..<0xF5: startCharacter(byte, missing: 3)
    default: print("\u{FFFD}")
    }
  }

  private mutating func startCharacter(_ byte: UInt8, missing: Int) {
    utf8 = [byte]
    utf8Missing = missing
  }

  /// Letters stand for lines while the line drawing set is active.
  private func translated(_ byte: UInt8) -> Unicode.Scalar {
    guard hasLineDrawing[activeSet], (0x60...0x7E).contains(byte) else {
      return Unicode.Scalar(byte)
    }
    let lines = Array("◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·".unicodeScalars)
    return lines[Int(byte) - 0x60]
  }

  private mutating func control(_ byte: UInt8) {
    switch byte {
    case 0x08:
      cursorX = max(0, cursorX - 1)
      isWrapPending = false
    case 0x09:
      cursorX = min(size.columns - 1, (cursorX / 8 + 1) * 8)
    case 0x0A...0x0C:
      lineFeed()
    case 0x0D:
      cursorX = 0
      isWrapPending = false
    case 0x0E:
      activeSet = 1
    case 0x0F:
      activeSet = 0
    case 0x1B:
      state = .escape
    default:
      break
    }
  }

  private mutating func escape(_ byte: UInt8) {
    state = .ground
    switch byte {
    case 0x5B:
      sequence = []
      state = .control
    case 0x5D, 0x50, 0x58, 0x5E, 0x5F:
      sequence = [byte]
      state = .string
    case 0x28, 0x29, 0x2A, 0x2B:
      state = .charset(byte)
    case 0x37: saveCursor()
    case 0x38: restoreCursor()
    case 0x3D: isKeypadTransmitting = true
    case 0x3E: isKeypadTransmitting = false
    case 0x44: lineFeed()
    case 0x45:
      cursorX = 0
      lineFeed()
    case 0x4D: reverseLineFeed()
    case 0x63: self = TerminalEmulator(size: size)
    default: break
    }
  }

  private mutating func finishString() {
    state = .ground
    guard sequence.first == 0x5D else { return }
    let text = String(decoding: sequence.dropFirst(), as: UTF8.self)
    if text.hasPrefix("0;") || text.hasPrefix("2;") { title = String(text.dropFirst(2)) }
    if text.hasPrefix("4;") || text.hasPrefix("104") { paletteChanges += 1 }
  }

  // MARK: - Control sequences

  private mutating func controlSequence(final: UInt8) {
    let prefix = sequence.first.flatMap { (0x3C...0x3F).contains($0) ? $0 : nil }
    let intermediate = sequence.last.flatMap { (0x20...0x2F).contains($0) ? $0 : nil }
    let digits = sequence.filter { (0x30...0x3B).contains($0) }
    let numbers = String(decoding: digits, as: UTF8.self).split(
      separator: ";",
      omittingEmptySubsequences: false
    )
    // Parts after a colon refine the number before it; only the number matters here.
    .map { Int($0.split(separator: ":").first ?? "") }
    func number(_ index: Int, or other: Int) -> Int {
      index < numbers.count ? numbers[index] ?? other : other
    }
    /// A count: zero means one.
    let count = max(1, number(0, or: 1))

    if let prefix {
      guard prefix == 0x3F else { return }
      if final == 0x68 || final == 0x6C {
        for case let mode? in numbers { setPrivateMode(mode, on: final == 0x68) }
      }
      return
    }
    if intermediate != nil {
      // A soft reset.
      if intermediate == 0x21, final == 0x70 {
        isInserting = false
        isCursorVisible = true
        style = .plain
        scrollTop = 0
        scrollBottom = size.rows - 1
      }
      return
    }
    isWrapPending = isWrapPending && (final == 0x6D || final == 0x62)
    switch final {
    case 0x40: insertCells(count)
    case 0x41: moveTo(x: cursorX, y: max(cursorY >= scrollTop ? scrollTop : 0, cursorY - count))
    case 0x42, 0x65:
      moveTo(
        x: cursorX,
        y: min(cursorY <= scrollBottom ? scrollBottom : size.rows - 1, cursorY + count)
      )
    case 0x43, 0x61: moveTo(x: cursorX + count, y: cursorY)
    case 0x44: moveTo(x: cursorX - count, y: cursorY)
    case 0x45: moveTo(x: 0, y: cursorY + count)
    case 0x46: moveTo(x: 0, y: cursorY - count)
    case 0x47, 0x60: moveTo(x: count - 1, y: cursorY)
    case 0x48, 0x66: moveTo(x: max(1, number(1, or: 1)) - 1, y: count - 1)
    case 0x49: moveTo(x: (cursorX / 8 + count) * 8, y: cursorY)
    case 0x4A: eraseDisplay(number(0, or: 0))
    case 0x4B: eraseLine(number(0, or: 0))
    case 0x4C: if isInRegion { scroll(from: cursorY, by: -count) }
    case 0x4D: if isInRegion { scroll(from: cursorY, by: count) }
    case 0x50: deleteCells(count)
    case 0x53: scroll(from: scrollTop, by: count)
    case 0x54: scroll(from: scrollTop, by: -count)
    case 0x58: erase(cursorX..<min(size.columns, cursorX + count), y: cursorY)
    case 0x5A: moveTo(x: max(0, (cursorX + 7) / 8 - count) * 8, y: cursorY)
    case 0x62: for _ in 0..<count { print(lastPrinted) }
    case 0x64: moveTo(x: cursorX, y: count - 1)
    case 0x68: if numbers.contains(4) { isInserting = true }
    case 0x6C: if numbers.contains(4) { isInserting = false }
    case 0x6D: setAttributes(numbers.map { $0 ?? 0 })
    case 0x72:
      let top = count - 1
      let bottom = min(size.rows, number(1, or: size.rows)) - 1
      if top < bottom {
        scrollTop = top
        scrollBottom = bottom
        moveTo(x: 0, y: 0)
      }
    case 0x73: saveCursor()
    case 0x75: restoreCursor()
    default: break
    }
  }

  private mutating func setPrivateMode(_ mode: Int, on: Bool) {
    if mode == 2026, !on, privateModes.contains(2026) { synchronizedUpdates += 1 }
    if on { privateModes.insert(mode) } else { privateModes.remove(mode) }
    switch mode {
    case 1:
      isKeypadTransmitting = on
    case 25:
      isCursorVisible = on
    case 47, 1047, 1049:
      if on == isAlternateScreenActive { return }
      if mode == 1049, on {
        saveCursor()
        savedForAlternate = saved
      }
      swap(&grid, &otherGrid)
      isAlternateScreenActive = on
      if on { grid = TerminalEmulator.blankGrid(size) }
      if mode == 1049, !on {
        saved = savedForAlternate
        restoreCursor()
      }
    case 1048:
      if on { saveCursor() } else { restoreCursor() }
    default:
      break
    }
  }

  private mutating func setAttributes(_ numbers: [Int]) {
    var numbers = numbers[...]
    if numbers.isEmpty { numbers = [0] }
    while let number = numbers.popFirst() {
      switch number {
      case 0: style = .plain
      case 1: style.attributes.insert(.bold)
      case 2: style.attributes.insert(.dim)
      case 3: style.attributes.insert(.italic)
      case 4: style.attributes.insert(.underline)
      case 7: style.attributes.insert(.reverse)
      case 22: style.attributes.subtract([.bold, .dim])
      case 23: style.attributes.remove(.italic)
      case 24: style.attributes.remove(.underline)
      case 27: style.attributes.remove(.reverse)
      case 30...37: style.foreground = .indexed(UInt8(number - 30))
      case 38: if let color = TerminalEmulator.color(&numbers) { style.foreground = color }
      case 39: style.foreground = .default
      case 40...47: style.background = .indexed(UInt8(number - 40))
      case 48: if let color = TerminalEmulator.color(&numbers) { style.background = color }
      case 49: style.background = .default
      case 90...97: style.foreground = .indexed(UInt8(number - 90 + 8))
      case 100...107: style.background = .indexed(UInt8(number - 100 + 8))
      default: break
      }
    }
  }

  private static func color(_ numbers: inout ArraySlice<Int>) -> Color? {
    switch numbers.popFirst() {
    case 5:
      return numbers.popFirst().map { .indexed(UInt8(clamping: $0)) }
    case 2:
      guard numbers.count >= 3 else { return nil }
      let parts = numbers.prefix(3).map { UInt8(clamping: $0) }
      numbers.removeFirst(3)
      return .rgb(parts[0], parts[1], parts[2])
    default:
      return nil
    }
  }

  // MARK: - Cells

  private static func blankGrid(_ size: Size) -> [[Cell]] {
    Array(
      repeating: Array(repeating: Cell(text: " ", style: .plain), count: size.columns),
      count: size.rows
    )
  }

  /// Erased places keep the background colour, as all terminals here do.
  private var erased: Cell {
    Cell(text: " ", style: Style(background: style.background))
  }

  private var isInRegion: Bool { cursorY >= scrollTop && cursorY <= scrollBottom }

  private mutating func print(_ scalar: Unicode.Scalar) {
    let width = TextWidth.width(of: scalar)
    if size.isEmpty { return }
    if width == 0 {
      let x = max(0, isWrapPending ? cursorX : cursorX - 1)
      grid[cursorY][x].text.unicodeScalars.append(scalar)
      return
    }
    if isWrapPending || cursorX + width > size.columns {
      if privateModes.contains(7) {
        cursorX = 0
        lineFeed()
      } else {
        cursorX = size.columns - width
      }
      isWrapPending = false
    }
    if isInserting { insertCells(width) }
    splitWideGlyph(atBorder: cursorX)
    splitWideGlyph(atBorder: cursorX + width)
    grid[cursorY][cursorX] = Cell(text: String(Character(scalar)), style: style)
    if width == 2, cursorX + 1 < size.columns {
      grid[cursorY][cursorX + 1] = Cell(text: "", style: style)
    }
    lastPrinted = scalar
    if cursorX + width >= size.columns {
      cursorX = size.columns - 1
      isWrapPending = true
    } else {
      cursorX += width
    }
  }

  /// Blanks a wide glyph of the cursor's row that lies on both sides of the left edge of column `x`.
  private mutating func splitWideGlyph(atBorder x: Int) {
    guard x > 0, x < size.columns, grid[cursorY][x].text.isEmpty else { return }
    grid[cursorY][x - 1].text = " "
    grid[cursorY][x].text = " "
  }

  private mutating func moveTo(x: Int, y: Int) {
    // With the origin mode the rows count from the scroll region; curses never sets it.
    cursorX = max(0, min(x, size.columns - 1))
    cursorY = max(0, min(y, size.rows - 1))
    isWrapPending = false
  }

  private mutating func lineFeed() {
    isWrapPending = false
    if cursorY == scrollBottom {
      scroll(from: scrollTop, by: 1)
    } else if cursorY < size.rows - 1 {
      cursorY += 1
    }
  }

  private mutating func reverseLineFeed() {
    isWrapPending = false
    if cursorY == scrollTop {
      scroll(from: scrollTop, by: -1)
    } else if cursorY > 0 {
      cursorY -= 1
    }
  }

  /// Moves the rows from `first` to the end of the scroll region up, or down if `count` is negative.
  private mutating func scroll(from first: Int, by count: Int) {
    let blank = Array(repeating: erased, count: size.columns)
    let height = scrollBottom - first + 1
    if height <= 0 { return }
    var region = Array(grid[first...scrollBottom])
    let moved = min(height, abs(count))
    let blanks = Array(repeating: blank, count: moved)
    region = count > 0 ? region.dropFirst(moved) + blanks : blanks + region.dropLast(moved)
    grid.replaceSubrange(first...scrollBottom, with: region)
  }

  private mutating func erase(_ columns: Range<Int>, y: Int) {
    for x in columns { grid[y][x] = erased }
  }

  private mutating func eraseLine(_ kind: Int) {
    switch kind {
    case 0: erase(cursorX..<size.columns, y: cursorY)
    case 1: erase(0..<cursorX + 1, y: cursorY)
    default: erase(0..<size.columns, y: cursorY)
    }
  }

  private mutating func eraseDisplay(_ kind: Int) {
    switch kind {
    case 0:
      eraseLine(0)
      for y in cursorY + 1..<max(cursorY + 1, size.rows) { erase(0..<size.columns, y: y) }
    case 1:
      eraseLine(1)
      for y in 0..<cursorY { erase(0..<size.columns, y: y) }
    case 2:
      for y in 0..<size.rows { erase(0..<size.columns, y: y) }
    default:
      break
    }
  }

  private mutating func insertCells(_ count: Int) {
    splitWideGlyph(atBorder: cursorX)
    let count = min(count, size.columns - cursorX)
    grid[cursorY].removeLast(count)
    grid[cursorY].insert(contentsOf: Array(repeating: erased, count: count), at: cursorX)
  }

  private mutating func deleteCells(_ count: Int) {
    let count = min(count, size.columns - cursorX)
    grid[cursorY].removeSubrange(cursorX..<cursorX + count)
    grid[cursorY].append(contentsOf: Array(repeating: erased, count: count))
  }

  private mutating func saveCursor() {
    saved = SavedCursor(
      x: cursorX,
      y: cursorY,
      style: style,
      hasLineDrawing: hasLineDrawing,
      activeSet: activeSet
    )
  }

  private mutating func restoreCursor() {
    style = saved.style
    hasLineDrawing = saved.hasLineDrawing
    activeSet = saved.activeSet
    moveTo(x: saved.x, y: saved.y)
  }
}
