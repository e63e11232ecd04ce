import MimoScreen
import Testing

struct KeyTests {
  @Test func `keys have short names for help screens`() {
    let names: [(Key, String)] = [
      (.character("p"), "p"), (.character(" "), "Space"), (.control("c"), "^C"), (.up, "Up"),
      (.pageDown, "PgDn"), (.backTab, "S-Tab"), (.function(10), "F10"), (.escape, "Esc"),
      (.mouse(MouseEvent(.wheelUp, x: 1, y: 2)), "Wheel up"),
    ]
    for (key, name) in names { #expect(key.name == name) }
  }
}
