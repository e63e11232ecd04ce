import MimoScreen
import Testing

@testable import MimoCurses

struct NearestColorTests {
  @Test func `the number of colours tells the depth`() {
    let depths: [(Int, ColorDepth)] = [
      (-1, .none), (0, .none), (2, .none), (8, .basic), (16, .bright), (88, .bright),
      (256, .cube), (32767, .cube), (0x1_000000, .direct),
    ]
    for (count, depth) in depths { #expect(ColorDepth(count: count) == depth, "\(count)") }
  }

  @Test(
    arguments: [
      (.none, .rgb(1, 2, 3), -1), (.direct, .default, -1),
      (.direct, .rgb(1, 2, 3), 0x010203), (.direct, .indexed(3), 3),
      (.direct, .indexed(9), 0xFF0000),
      (.direct, .rgb(0, 0, 5), 8),
      (.cube, .rgb(255, 0, 0), 196), (.cube, .rgb(0, 0, 0), 16), (.cube, .rgb(128, 128, 128), 244),
      (.cube, .rgb(95, 135, 175), 67), (.cube, .indexed(9), 9),
      (.bright, .rgb(250, 5, 5), 9), (.bright, .indexed(12), 12), (.bright, .indexed(196), 9),
      (.basic, .rgb(250, 5, 5), 1), (.basic, .indexed(12), 4), (.basic, .rgb(120, 120, 120), 7),
      (.basic, .rgb(10, 10, 10), 0),
    ] as [(ColorDepth, Color, Int32)]
  )
  func `a colour becomes the nearest one`(depth: ColorDepth, color: Color, number: Int32) {
    #expect(depth.nearest(to: color) == number)
  }
}
