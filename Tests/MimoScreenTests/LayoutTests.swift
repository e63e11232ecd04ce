import MimoScreen
import Testing

struct LayoutTests {
  private let rect = Rect(x: 2, y: 1, columns: 10, rows: 4)

  @Test func `nothing is negative`() {
    #expect(Size(columns: -1, rows: -2) == .zero)
    #expect(Rect(x: 0, y: 0, columns: -5, rows: 3).isEmpty)
    #expect(rect.inset(columns: 7, rows: 0).columns == 0)
    #expect(rect.intersection(Rect(x: 50, y: 50, columns: 3, rows: 3)).isEmpty)
  }

  @Test func `parts cut off lie side by side`() {
    #expect(rect.splitTop(1).top == Rect(x: 2, y: 1, columns: 10, rows: 1))
    #expect(rect.splitTop(1).rest == Rect(x: 2, y: 2, columns: 10, rows: 3))
    #expect(rect.splitBottom(1).bottom == Rect(x: 2, y: 4, columns: 10, rows: 1))
    #expect(rect.splitLeft(3).rest == Rect(x: 5, y: 1, columns: 7, rows: 4))
    #expect(rect.splitRight(3).right == Rect(x: 9, y: 1, columns: 3, rows: 4))
    #expect(rect.splitTop(99).rest.isEmpty)
    #expect(rect.splitLeft(-4).left.isEmpty)
    #expect(rect.row(3) == Rect(x: 2, y: 4, columns: 10, rows: 1))
    #expect(rect.row(4).isEmpty)
    #expect(rect.inset(columns: 1, rows: 1) == Rect(x: 3, y: 2, columns: 8, rows: 2))
  }

  @Test func `flexible lengths share what fixed ones leave`() {
    #expect(Length.distribute([.fixed(3), .flexible(), .fixed(2)], over: 10) == [3, 5, 2])
    #expect(Length.distribute([.flexible(weight: 2), .flexible()], over: 9) == [6, 3])
    #expect(Length.distribute([.flexible(), .flexible()], over: 9, gap: 1) == [4, 4])
    #expect(Length.distribute([.flexible(maximum: 2), .flexible()], over: 10) == [2, 8])
    #expect(Length.distribute([.flexible(minimum: 6), .flexible(minimum: 6)], over: 10) == [6, 4])
    #expect(Length.distribute([.fixed(6), .fixed(6)], over: 10) == [6, 4])
    #expect(Length.distribute([.fixed(2)], over: 10) == [2])
    #expect(Length.distribute([], over: 10) == [])
    #expect(Length.distribute([.flexible()], over: -1) == [0])
  }

  @Test func `any division stays inside and never overlaps`() {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<2_000 {
      let lengths = (0..<random.int(0...5)).map { _ -> Length in
        random.int(0...1) == 0
          ? .fixed(random.int(-1...8))
          : .flexible(
            weight: random.int(0...3),
            minimum: random.int(-1...5),
            maximum: random.int(0...9)
          )
      }
      let rect = random.rect()
      let gap = random.int(0...2)
      for parts in [
        rect.dividedIntoColumns(lengths, gap: gap), rect.dividedIntoRows(lengths, gap: gap),
      ] {
        #expect(parts.count == lengths.count)
        for (index, part) in parts.enumerated() {
          #expect(part.isEmpty || part.intersection(rect) == part)
          for other in parts[(index + 1)...] { #expect(part.intersection(other).isEmpty) }
        }
      }
      if gap == 0, lengths.contains(.flexible()) {
        #expect(Length.distribute(lengths, over: 40).reduce(0, +) == 40)
      }
    }
  }
}
