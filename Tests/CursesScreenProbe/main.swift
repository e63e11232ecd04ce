// A program for the tests of `CursesScreen`: shows what it heard, and misbehaves on request.

import MimoCurses
import MimoScreen

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

let palette = Palette([
  .plain,
  Style(foreground: .rgb(255, 0, 0), attributes: .bold),
  Style(foreground: .indexed(2), background: .indexed(4)),
  Style(attributes: [.reverse, .underline]),
])

func draw(_ size: Size, heard: String, turn: Int, unicode: Bool) -> CellBuffer {
  var frame = CellBuffer(size: size)
  Box(
    title: [Span("probe")],
    style: StyleID(rawValue: 2),
    glyphs: unicode ? .unicode : .ascii
  ).draw(on: &frame, in: frame.bounds)
  frame.write("size \(size.columns)x\(size.rows)", x: 2, y: 1)
  frame.write("heard \(heard)", x: 2, y: 2, style: StyleID(rawValue: 1))
  frame.write("turn \(turn)", x: 2, y: 3, style: StyleID(rawValue: 3))
  frame.write("wide 漢字 café 🚀 end", x: 2, y: 4)
  return frame
}

func overflow(_ depth: Int) -> Int { depth == .max ? 0 : overflow(depth + 1) + depth }

func run() -> Int32 {
  var options = CursesScreen.Options(programName: "probe")
  let arguments = CommandLine.arguments
  options.color =
    arguments.contains("--never") ? .never : arguments.contains("--always") ? .always : .auto
  let unicode = CursesScreen.showsUnicode()
  let screen: CursesScreen
  do {
    screen = try CursesScreen(options)
  } catch {
    print("error: \(error)")
    return 1
  }
  var heard = "nothing"
  var turn = 0
  while true {
    screen.present(draw(screen.size, heard: heard, turn: turn, unicode: unicode), palette: palette)
    var waits = [
      pollfd(fd: screen.inputDescriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: screen.signalDescriptor, events: Int16(POLLIN), revents: 0),
    ]
    poll(&waits, 2, -1)
    while let event = screen.nextEvent() {
      switch event {
      case .hangUp: return 2
      case .terminate(let signal): screen.end(bySignal: signal)
      case .suspend: screen.suspend()
      case .resized(let size): heard = "size \(size.columns)x\(size.rows)"
      case .key(let key):
        heard = key.name
        switch key {
        case .character("q"):
          screen.close()
          screen.close()
          print("goodbye")
          return 0
        case .character("t"): turn += 1
        case .character("w"): _ = write(2, "a warning\n", 10)
        case .character("x"): exit(3)
        case .character("f"): fatalError("the reason")
        case .character("a"): abort()
        case .character("o"): heard = "\(overflow(0))"
        case .mouse(let event): heard += " at \(event.x),\(event.y)"
        default: break
        }
      }
    }
  }
}

exit(run())
