import FoundationEssentials
import MimoScreen
import Synchronization

/// A look for every role, read from a file such as `themes/default.json`.
///
///     {
///       "name": "default",
///       "palette": { "ink": "#d0d0d0", "alarm": 196 },
///       "roles": { "plain": { "fg": "ink" }, "banner": { "fg": "white", "bg": "alarm", "bold": true } }
///     }
///
/// Colours are names of the palette, `default`, one of the eight ANSI names, a number of the 256-colour
/// table, or `#rrggbb`. Attributes are `bold`, `dim`, `italic`, `underline` and `reverse`. A role that is
/// not mentioned looks like its parent (`Role.parent`).
public struct Theme: Sendable {
  /// The name it is chosen by.
  public let name: String
  /// The looks, indexed by `Role.style`.
  public var palette: Palette { looks.palette }

  private let looks: Looks

  /// A palette that is made when it is first looked at.
  private final class Looks: Sendable {
    private let made: Mutex<Palette?>
    private let make: @Sendable () -> Palette

    init(_ make: @escaping @Sendable () -> Palette) {
      made = Mutex(nil)
      self.make = make
    }

    var palette: Palette {
      made.withLock { made in
        let palette = made ?? make()
        made = palette
        return palette
      }
    }
  }

  /// Why a file is no theme, or what in it is ignored.
  public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence: which file, which field, what was expected.
    public let description: String
  }

  /// The look without any file: attributes only.
  public static let builtIn: Theme = {
    var styles: [Role: Style] = [:]
    for role in [Role.title, .value, .money, .key] { styles[role] = Style(attributes: [.bold]) }
    styles[.muted] = Style(attributes: [.dim])
    for role in [Role.selected, .tableHeader, .banner] {
      styles[role] = Style(attributes: [.reverse])
    }
    styles[.critical] = Style(attributes: [.bold])
    return Theme(name: "built-in", styles: styles)
  }()

  init(name: String, styles: [Role: Style]) {
    self.name = name
    looks = Looks {
      Palette(
        Role.allCases.map { role in
          var ancestor: Role? = role
          while let here = ancestor, styles[here] == nil { ancestor = here.parent }
          return ancestor.flatMap { styles[$0] } ?? .plain
        })
    }
  }

  /// A theme that is known to be in order, read when it is first looked at: a start needs only one of them.
  init(name: String, file: String, bytes: [UInt8]) {
    self.name = name
    looks = Looks {
      var problems: [Problem] = []
      let theme = try? Theme(file: file, bytes: bytes, problems: &problems)
      return (theme ?? .builtIn).palette
    }
  }

  /// Reads a theme file.
  ///
  /// - Parameter problems: receives what was ignored in it.
  /// - Throws: `Problem` if the file as a whole cannot be used.
  public init(file: String, bytes: [UInt8], problems: inout [Problem]) throws(Problem) {
    let raw: Raw
    do {
      raw = try JSONDecoder().decode(Raw.self, from: Data(bytes))
    } catch DecodingError.keyNotFound(let key, _) {
      throw Problem(
        description:
          "\(file): the field '\(key.stringValue)' is missing; the built-in theme is used")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context)
    {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      let field = path.isEmpty ? "the file" : "'\(path)'"
      throw Problem(
        description:
          "\(file): \(field) has the wrong kind of value (\(context.debugDescription)); the built-in theme is used"
      )
    } catch DecodingError.dataCorrupted(let context) {
      throw Problem(
        description:
          "\(file): not valid JSON (\(context.debugDescription)); the built-in theme is used")
    } catch {
      throw Problem(description: "\(file): cannot be understood; the built-in theme is used")
    }
    var styles: [Role: Style] = [:]
    let roles = Dictionary(uniqueKeysWithValues: Role.allCases.map { ($0.name, $0) })
    for (name, look) in raw.roles.sorted(by: { $0.key < $1.key }) {
      guard let role = roles[name] else {
        problems.append(Problem(description: "\(file): there is no role '\(name)'; it is ignored"))
        continue
      }
      func color(_ field: String, _ value: Raw.Color?) -> Color {
        guard let value else { return .default }
        if let color = Self.color(value, raw.palette ?? [:], depth: 0) { return color }
        problems.append(
          Problem(
            description:
              "\(file): '\(value.text)' in roles.\(name).\(field) is no colour; #rrggbb, a number up to 255 or a name of the palette is expected"
          ))
        return .default
      }
      var attributes: Style.Attributes = []
      if look.bold == true { attributes.insert(.bold) }
      if look.dim == true { attributes.insert(.dim) }
      if look.italic == true { attributes.insert(.italic) }
      if look.underline == true { attributes.insert(.underline) }
      if look.reverse == true { attributes.insert(.reverse) }
      styles[role] = Style(
        foreground: color("fg", look.fg), background: color("bg", look.bg), attributes: attributes)
    }
    self.init(name: raw.name, styles: styles)
  }

  private static let ansiNames = [
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
  ]

  private static func color(_ value: Raw.Color, _ palette: [String: Raw.Color], depth: Int)
    -> Color?
  {
    switch value {
    case .number(let number): return 0...255 ~= number ? .indexed(UInt8(number)) : nil
    case .name(let name):
      if name == "default" { return .default }
      if let entry = palette[name], depth < 4 { return color(entry, palette, depth: depth + 1) }
      if let index = ansiNames.firstIndex(of: name) { return .indexed(UInt8(index)) }
      guard name.hasPrefix("#"), name.utf8.count == 7,
        name.dropFirst().allSatisfy(\.isHexDigit), let rgb = UInt32(name.dropFirst(), radix: 16)
      else { return nil }
      return .rgb(UInt8(rgb >> 16), UInt8(rgb >> 8 & 255), UInt8(rgb & 255))
    }
  }

  private struct Raw: Decodable {
    var name: String
    var palette: [String: Color]?
    var roles: [String: Look]

    struct Look: Decodable {
      var fg: Color?
      var bg: Color?
      var bold: Bool?
      var dim: Bool?
      var italic: Bool?
      var underline: Bool?
      var reverse: Bool?
    }

    enum Color: Decodable {
      case number(Int)
      case name(String)

      init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let number = try? value.decode(Int.self) {
          self = .number(number)
        } else {
          self = .name(try value.decode(String.self))
        }
      }

      var text: String {
        switch self {
        case .number(let number): String(number)
        case .name(let name): name
        }
      }
    }
  }
}
