import MimoScreen

/// How many colours a terminal has.
enum ColorDepth: Hashable {
  /// None: attributes only.
  case none
  /// The eight basic ones; brightness comes with bold.
  case basic
  /// Eight basic and eight bright ones.
  case bright
  /// Those, a 6×6×6 cube and 24 greys.
  case cube
  /// Any red, green and blue.
  case direct

  /// The depth of a terminal that says it has `count` colours.
  init(count: Int) {
    switch count {
    case ..<8: self = .none
    case ..<16: self = .basic
    case ..<256: self = .bright
    case ..<0x10000: self = .cube
    default: self = .direct
    }
  }

  /// The nearest the terminal has to `color`: its number, -1 for the terminal's own colour.
  func nearest(to color: Color) -> Int32 {
    switch (self, color) {
    case (_, .default), (.none, _):
      return -1
    case (.direct, .indexed(let index)):
      // There, numbers above 7 are read as red, green and blue.
      return index < 8 ? Int32(index) : ColorDepth.number(ColorDepth.rgb(of: index))
    case (.direct, .rgb(let red, let green, let blue)):
      return ColorDepth.number((Int32(red), Int32(green), Int32(blue)))
    case (.cube, .indexed(let index)):
      return Int32(index)
    case (.cube, .rgb(let red, let green, let blue)):
      return ColorDepth.nearest(to: (Int32(red), Int32(green), Int32(blue)), among: 16...255)
    case (.bright, .indexed(let index)) where index < 16,
      (.basic, .indexed(let index)) where index < 8:
      return Int32(index)
    case (.bright, .indexed(let index)), (.basic, .indexed(let index)):
      return fewer(ColorDepth.rgb(of: index))
    case (.bright, .rgb(let red, let green, let blue)),
      (.basic, .rgb(let red, let green, let blue)):
      return fewer((Int32(red), Int32(green), Int32(blue)))
    }
  }

  private typealias RGB = (red: Int32, green: Int32, blue: Int32)

  /// The nearest of sixteen, or of eight: there, dark grey would be black, so it becomes white.
  private func fewer(_ wanted: RGB) -> Int32 {
    let index = ColorDepth.nearest(to: wanted, among: 0...15)
    if self == .bright || index < 8 { return index }
    return index == 8 ? 7 : index - 8
  }

  /// A number for a direct colour. The lowest eight mean the basic colours.
  private static func number(_ color: RGB) -> Int32 {
    max(8, color.red << 16 | color.green << 8 | color.blue)
  }

  private static func nearest(to wanted: RGB, among candidates: ClosedRange<UInt8>) -> Int32 {
    var best: Int32 = 0
    var least = Int32.max
    for index in candidates {
      let color = rgb(of: index)
      let (red, green, blue) = (
        color.red - wanted.red, color.green - wanted.green, color.blue - wanted.blue
      )
      // The eye weighs green most and blue least.
      let distance = 3 * red * red + 6 * green * green + 2 * blue * blue
      if distance < least {
        least = distance
        best = Int32(index)
      }
    }
    return best
  }

  /// What most terminals show for a palette number.
  private static func rgb(of index: UInt8) -> RGB {
    switch index {
    case 0..<16:
      let value = basicColors[Int(index)]
      return (value >> 16, value >> 8 & 255, value & 255)
    case 16..<232:
      let number = Int32(index) - 16
      func level(_ step: Int32) -> Int32 { step == 0 ? 0 : 55 + 40 * step }
      return (level(number / 36), level(number / 6 % 6), level(number % 6))
    default:
      let grey = 8 + 10 * (Int32(index) - 232)
      return (grey, grey, grey)
    }
  }

  /// The sixteen as xterm shows them unless configured.
  private static let basicColors: [Int32] = [
    0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
    0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
  ]
}
