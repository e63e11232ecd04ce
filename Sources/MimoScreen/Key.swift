/// A key press or a mouse action.
public enum Key: Hashable, Sendable {
  /// A key that types something. Never a control character.
  case character(Unicode.Scalar)
  /// A letter or sign pressed with Control, the letter in lower case: `.control("c")` is Ctrl-C.
  ///
  /// Terminals send the same byte for some pairs; those arrive as `tab` (Ctrl-I), `enter` (Ctrl-J,
  /// Ctrl-M), `backspace` (Ctrl-H) and `escape` (Ctrl-[).
  case control(Character)
  case up
  case down
  case left
  case right
  case home
  case end
  case pageUp
  case pageDown
  case enter
  case escape
  case tab
  /// Shift and Tab.
  case backTab
  case backspace
  case delete
  case insert
  /// A function key, `.function(1)` being F1.
  case function(Int)
  /// The mouse.
  case mouse(MouseEvent)

  /// What a help screen calls it: `p`, `Space`, `^C`, `Up`, `PgDn`, `F1`, `Click`. ASCII except for typed characters.
  public var name: String {
    switch self {
    case .character(" "): "Space"
    case .character(let scalar): String(Character(scalar))
    case .control(let letter): "^" + letter.uppercased()
    case .up: "Up"
    case .down: "Down"
    case .left: "Left"
    case .right: "Right"
    case .home: "Home"
    case .end: "End"
    case .pageUp: "PgUp"
    case .pageDown: "PgDn"
    case .enter: "Enter"
    case .escape: "Esc"
    case .tab: "Tab"
    case .backTab: "S-Tab"
    case .backspace: "Bksp"
    case .delete: "Del"
    case .insert: "Ins"
    case .function(let number): "F\(number)"
    case .mouse(let event): event.action.name
    }
  }
}

/// Something the mouse did, and where.
public struct MouseEvent: Hashable, Sendable {
  /// What happened.
  public enum Action: Hashable, Sendable {
    /// The main button went down.
    case press
    /// The middle button went down.
    case middlePress
    /// The other button went down.
    case secondaryPress
    /// One notch of the wheel away from the user: towards the beginning.
    case wheelUp
    /// One notch towards the user: towards the end.
    case wheelDown

    /// What a help screen calls it.
    public var name: String {
      switch self {
      case .press: "Click"
      case .middlePress: "Middle click"
      case .secondaryPress: "Right click"
      case .wheelUp: "Wheel up"
      case .wheelDown: "Wheel down"
      }
    }
  }

  /// What happened.
  public let action: Action
  /// Column, from zero.
  public let x: Int
  /// Row, from zero.
  public let y: Int

  /// Creates an event.
  public init(_ action: Action, x: Int, y: Int) {
    self.action = action
    self.x = x
    self.y = y
  }
}
