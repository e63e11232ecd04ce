import CCurses
import MimoScreen

extension Key {
  /// The key for a character, key or mouse event of curses; `nil` for any other.
  init?(_ event: cc_event) {
    switch event.kind {
    case .character: self.init(typed: UInt32(bitPattern: event.code))
    case .key: self.init(code: event.code)
    case .mouse:
      guard let action = MouseEvent.Action(code: event.code) else { return nil }
      self = .mouse(MouseEvent(action, x: Int(event.x), y: Int(event.y)))
    case .none, .hang_up: return nil
    }
  }

  /// The key that sends this character.
  init?(typed value: UInt32) {
    switch value {
    case 0x08, 0x7F: self = .backspace
    case 0x09: self = .tab
    case 0x0A, 0x0D: self = .enter
    case 0x1B: self = .escape
    case 0x00: self = .control(" ")
    case 0x01...0x1A: self = .control(Character(Unicode.Scalar(UInt8(value + 0x60))))
    case 0x1C...0x1F: self = .control(Character(Unicode.Scalar(UInt8(value + 0x40))))
    case 0x80..<0xA0: return nil
    default:
      guard let scalar = Unicode.Scalar(value) else { return nil }
      self = .character(scalar)
    }
  }

  private init?(code: Int32) {
    if code > cc_key.function.rawValue {
      self = .function(Int(code - cc_key.function.rawValue))
      return
    }
    switch cc_key(rawValue: code) {
    case .up: self = .up
    case .down: self = .down
    case .left: self = .left
    case .right: self = .right
    case .home: self = .home
    case .end: self = .end
    case .page_up: self = .pageUp
    case .page_down: self = .pageDown
    case .enter: self = .enter
    case .back_tab: self = .backTab
    case .backspace: self = .backspace
    case .delete: self = .delete
    case .insert: self = .insert
    case .function, nil: return nil
    }
  }
}

extension MouseEvent.Action {
  fileprivate init?(code: Int32) {
    switch cc_mouse(rawValue: code) {
    case .press: self = .press
    case .middle_press: self = .middlePress
    case .secondary_press: self = .secondaryPress
    case .wheel_up: self = .wheelUp
    case .wheel_down: self = .wheelDown
    case nil: return nil
    }
  }
}
