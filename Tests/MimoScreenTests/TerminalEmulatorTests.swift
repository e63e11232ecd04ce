import MimoScreen
import MimoTestSupport
import Testing

/// The emulator judges the terminal layer, so it needs a judge itself.
struct TerminalEmulatorTests {
  private func terminal(_ text: String, columns: Int = 10, rows: Int = 3) -> TerminalEmulator {
    var terminal = TerminalEmulator(size: Size(columns: columns, rows: rows))
    terminal.feed(Array(text.utf8))
    return terminal
  }

  @Test(arguments: [
    ("one\r\ntwo", "one\ntwo\n"),
    ("abcdefghijkl", "abcdefghij\nkl\n"),
    ("abcdefghij\r\nk", "abcdefghij\nk\n"),
    ("1\n2\n3\r\n4", " 2\n  3\n4"),
    ("\u{1B}[2;3Hx\u{1B}[1;1Hy\u{1B}[4Gz", "y  z\n  x\n"),
    ("abc\u{1B}[2D-\u{1B}[3d!", "a-c\n\n  !"),
    ("abcdef\u{1B}[3G\u{1B}[K", "ab\n\n"),
    ("abcdef\u{1B}[3G\u{1B}[1K", "   def\n\n"),
    ("abcdef\u{1B}[3G\u{1B}[2X", "ab  ef\n\n"),
    ("abcdef\u{1B}[3G\u{1B}[2P", "abef\n\n"),
    ("abcdef\u{1B}[3G\u{1B}[2@", "ab  cdef\n\n"),
    ("abc\u{1B}[2G\u{1B}[4hX\u{1B}[4lY", "aXYc\n\n"),
    ("-\u{1B}[5b|", "------|\n\n"),
    ("a\r\nb\r\nc\u{1B}[2;1H\u{1B}[L", "a\n\nb"),
    ("a\r\nb\r\nc\u{1B}[1;1H\u{1B}[M", "b\nc\n"),
    ("a\r\nb\r\nc\u{1B}[1;2r\u{1B}[2;1H\n!", "b\n!\nc"),
    ("a\r\nb\u{1B}[1;1H\u{1B}M!", "!\na\nb"),
    ("abc\u{1B}[2J", "\n\n"),
    ("abc\r\ndef\u{1B}[1;2H\u{1B}[J", "a\n\n"),
    ("\u{1B}(0lqk\u{1B}(B x", "┌─┐ x\n\n"),
    ("\u{1B})0\u{E}x\u{F}x", "│x\n\n"),
    ("漢字\u{1B}[2Gx", " x字\n\n"),
    ("123456789漢", "123456789\n漢\n"),
    ("\u{1B}]0;a title\u{7}x\u{1B}]2;b\u{1B}\\y", "xy\n\n"),
    ("ab\tc", "ab      c\n\n"),
    ("\u{1B}7abc\u{1B}8x", "xbc\n\n"),
    ("\u{1B}[?7labcdefghijkl", "abcdefghil\n\n"),
  ])
  func `sequences do what they say`(written: String, seen: String) {
    #expect(terminal(written).text == seen)
  }

  @Test func `bytes may come in any portions`() {
    let bytes = Array("\u{1B}[1;31m漢\u{1B}[0;38;5;196mé\u{1B}]0;t\u{1B}\\\u{1B}(0q\u{1B}(B".utf8)
    var whole = TerminalEmulator(size: Size(columns: 10, rows: 1))
    whole.feed(bytes)
    var single = TerminalEmulator(size: Size(columns: 10, rows: 1))
    for byte in bytes { single.feed([byte]) }
    #expect(whole.text == "漢é─")
    #expect(single.text == whole.text)
    #expect(single.cell(x: 2, y: 0) == whole.cell(x: 2, y: 0))
  }

  @Test func `styles are kept for each cell`() {
    let screen = terminal(
      "\u{1B}[1;7;31;44ma\u{1B}[0;96mb\u{1B}[38;2;1;2;3mc\u{1B}[39;4md\u{1B}[me"
    )
    #expect(
      screen.style(of: "a")
        == Style(foreground: .indexed(1), background: .indexed(4), attributes: [.bold, .reverse])
    )
    #expect(screen.style(of: "b") == Style(foreground: .indexed(14)))
    #expect(screen.style(of: "c") == Style(foreground: .rgb(1, 2, 3)))
    #expect(screen.style(of: "d") == Style(attributes: .underline))
    #expect(screen.style(of: "e") == .plain)
    #expect(screen.style(of: "z") == nil)
  }

  @Test func `the alternate screen leaves the main one alone`() {
    var screen = terminal(
      "main\u{1B}[?1049h\u{1B}[Hother\u{1B}[?25l\u{1B}[?1000;1006h\u{1B}[?2026h"
    )
    #expect(screen.isAlternateScreenActive)
    #expect(!screen.isCursorVisible)
    #expect(screen.isMouseReporting)
    #expect(screen.isSynchronizing)
    #expect(screen.contains("other"))
    #expect(screen.mainScreenText.hasPrefix("main"))
    screen.feed("\u{1B}[?2026l\u{1B}[?1000l\u{1B}[?25h\u{1B}[?1049l!".utf8)
    #expect(screen.text.hasPrefix("main!"))
    #expect(!screen.isMouseReporting)
    #expect(screen.synchronizedUpdates == 1)
  }

  @Test func `no input makes it fail`() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<500 {
      var screen = TerminalEmulator(size: Size(columns: random.int(1...9), rows: random.int(1...4)))
      var text = ""
      for _ in 0..<10 {
        text += "\u{1B}[\(random.int(0...12));\(random.int(0...12))"
        text.unicodeScalars.append(Unicode.Scalar(UInt8(random.int(0x40...0x7E))))
        text += random.text()
      }
      screen.feed(text.utf8)
      #expect(screen.rows.count == screen.size.rows)
      screen.resize(to: Size(columns: random.int(1...9), rows: random.int(1...4)))
      screen.feed(text.utf8)
    }
  }
}
